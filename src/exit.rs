//! The exit status is an API: every number that explain itself returns is here, and nobody else ends the process.

use crate::outcome::Outcome;
use crate::sys::errno::{self, Errno};
use crate::sys::process::{Change, die_by, end};
use std::sync::atomic::{AtomicI32, Ordering};

/// explain itself cannot work: bad option, unreadable rule file named on the command line.
pub const OWN_FAILURE: i32 = 125;
/// Rules do not do what their examples say.
pub const RULES_FAIL: i32 = 1;
/// The command was found and could not be executed, as shells have it (POSIX, `sh`, 2.8.2).
pub const NOT_EXECUTABLE: i32 = 126;
/// The command was not found, as shells have it.
pub const NOT_FOUND: i32 = 127;
/// Added to the number of a signal that we cannot die by, as shells have it.
const SIGNALED: i32 = 128;

/// No outcome has been decided.
const OPEN: i32 = -1;
/// Added to a signal's number in [`DECIDED`], where exit codes are 0 to 255.
const BY_SIGNAL: i32 = 256;

/// How we shall end, from the moment that the child's end is known.
static DECIDED: AtomicI32 = AtomicI32::new(OPEN);

/// The exit status for a command that could not be executed.
#[must_use]
pub fn not_started(errno: Errno) -> i32 {
    if errno == Errno::ENOENT { NOT_FOUND } else { NOT_EXECUTABLE }
}

/// Settles how this process ends, whatever happens to it from now on: signals that would end it, ^C and faults of its own
/// included, end it as the child ended (see [`crate::run`]). A child that only stopped settles nothing.
pub fn decide(end: Change) {
    let number = match end {
        Change::Exited(code) => code,
        Change::Killed(signal) => BY_SIGNAL + signal,
        Change::Stopped(_) | Change::Continued => return,
    };
    DECIDED.store(number, Ordering::SeqCst);
}

/// Whether the child's end is known.
#[must_use]
pub fn is_decided() -> bool {
    DECIDED.load(Ordering::SeqCst) != OPEN
}

/// Ends as was decided. It is async-signal-safe.
pub fn end_as_decided() -> ! {
    let decided = DECIDED.load(Ordering::SeqCst);
    if decided >= BY_SIGNAL {
        die_by(decided - BY_SIGNAL);
        end(SIGNALED + decided - BY_SIGNAL);
    }
    end(if decided == OPEN { OWN_FAILURE } else { decided })
}

/// Settles the same for an outcome.
pub fn decide_as(outcome: &Outcome) {
    decide(match outcome {
        Outcome::Exited { code } => Change::Exited(*code),
        Outcome::Signaled { signal, .. } => Change::Killed(*signal),
        Outcome::NotStarted { errno } => Change::Exited(not_started(errno::by_name(errno).unwrap_or(Errno::ENOENT))),
    });
}

/// Ends as the child ended: with its exit code, or by the same signal and without a core of our own.
pub fn end_as_the_child(outcome: &Outcome) -> ! {
    decide_as(outcome);
    end_as_decided()
}
