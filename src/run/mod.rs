//! The transparent run: the command is started, relayed, watched and waited for as if nothing were in between.

pub mod capture;
mod carry_on;
pub mod early;
mod ended;
mod follow;
mod job;
pub mod pty;
mod read_back;
mod relay;
mod signals;
mod spawn;

use crate::exit;
use crate::outcome::Outcome;
use crate::sys::argv::Argv;
use crate::sys::errno::{self, Errno};
use crate::sys::{fd, signal};
use crate::transcript::Transcript;
use crate::watch::Watched;
use capture::{Way, Wish};
use early::Begun;
use spawn::Given;
use std::time::{Duration, Instant, SystemTime};

/// What a failed run left behind.
pub struct Ran {
    /// How the child ended.
    pub outcome: Outcome,
    /// What it wrote to stderr; to stdout too where both were one file.
    pub transcript: Transcript,
    /// Whether its stderr could be read at all.
    pub captured: bool,
    /// What was seen of the machine meanwhile.
    pub watched: Watched,
    /// When it was started.
    pub started: SystemTime,
    /// How long it ran.
    pub duration: Duration,
    /// Resource limits of the child as they were when it ended (the text of `/proc/PID/limits`, `proc_pid_limits(5)`).
    pub limits: Option<String>,
    /// Identity and capabilities of the child as they were when it ended (the text of `/proc/PID/status`, `proc_pid_status(5)`).
    pub status: Option<String>,
    /// The most memory that it had resident, in bytes.
    pub peak_memory: Option<u64>,
}

impl Ran {
    fn not_started(errno: Errno, started: SystemTime, duration: Duration) -> Self {
        Self {
            outcome: Outcome::NotStarted { errno: errno::name(errno) },
            transcript: Transcript::default(),
            captured: false,
            watched: Watched::default(),
            started,
            duration,
            limits: None,
            status: None,
            peak_memory: None,
        }
    }
}

/// Runs the command and returns what a failure left behind; nothing when it succeeded.
///
/// When it returns a failure, our standard input and output are /dev/null, and signals that would end this process end it
/// as the child ended.
#[must_use]
pub fn run(command: Argv, wish: Wish) -> Option<Box<Ran>> {
    carry_on::whatever_happens();
    let (given, failure) = match Begun::take() {
        Some(Begun { given, way, child, started, clock }) => {
            (given, follow::to_the_end(command, child, way, started, clock))
        }
        None => start_and_follow(command, wish),
    };
    let failure = failure?;
    exit::decide_as(&failure.outcome);
    signals::belong_to_us_again(given.mask());
    if let Outcome::NotStarted { errno } = &failure.outcome {
        say_not_started(command, errno::by_name(errno).unwrap_or(Errno::ENOENT));
    }
    Some(failure)
}

/// The ordinary start: of a command on a terminal, with options, or on a machine where the early one was not to be had.
fn start_and_follow(command: Argv, wish: Wish) -> (Given, Option<Box<Ran>>) {
    let given = Given::take();
    let way = Way::choose(wish, command);
    let (started, clock) = (SystemTime::now(), Instant::now());
    let followed = match way {
        Way::Pty(pty) => pty::run(command, *pty, given, started),
        way => spawn::start(command, given, || way.hand_over())
            .map(|child| follow::to_the_end(command, child, way, started, clock)),
    };
    let failure = followed.unwrap_or_else(|_| {
        Some(Box::new(Ran::not_started(spawn::in_place(command, given), started, clock.elapsed())))
    });
    (given, failure)
}

/// What a shell says of a command that it cannot start, in one write.
fn say_not_started(command: Argv, errno: Errno) {
    use std::io::Write;
    let mut line = [0; 512];
    let mut rest = &mut line[..];
    let name = command.first().map_or(&b""[..], std::ffi::CStr::to_bytes);
    let why = if errno == Errno::ENOENT && !name.contains(&b'/') { "command not found" } else { errno.desc() };
    // A name may hold what a terminal obeys.
    let shown = name.iter().take(400).map(|byte| if byte.is_ascii_control() { b'?' } else { *byte });
    let _ = rest.write_all(b"explain: ");
    shown.for_each(|byte| drop(rest.write_all(&[byte])));
    let _ = writeln!(rest, ": {why}");
    let left = rest.len();
    let length = line.len() - left;
    let _ = fd::write(fd::STDERR, &line[..length]);
}

fn outcome(change: crate::sys::process::Change) -> Option<Outcome> {
    use crate::sys::process::Change;
    match change {
        Change::Exited(code) => Some(Outcome::Exited { code }),
        Change::Killed(signal) => Some(Outcome::Signaled { signal, name: signal::name(signal) }),
        Change::Stopped(_) | Change::Continued => None,
    }
}
