//! What is known of a command that has ended, whichever way it was followed.

use super::{Ran, outcome};
use crate::outcome::Outcome;
use crate::sys::errno::Errno;
use crate::sys::file;
use crate::sys::process::{Change, Pid};
use crate::transcript::Recorder;
use crate::watch::{Watch, Watched};
use std::time::{Duration, SystemTime};

/// A file of the child's in /proc, where it is still listed until it is reaped.
pub fn fact(child: Pid, name: &str) -> Option<String> {
    let bytes = file::read(format!("/proc/{}/{name}", child.0)).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Bytes that the child and those that it waited for gave to `write(2)` and its like: `wchar` of `/proc/PID/io`, `proc_pid_io(5)`. None where
/// the kernel does not count them or keeps them from us, as of a set-user-ID program.
pub fn written_by(child: Pid) -> Option<u64> {
    fact(child, "io")?.lines().find_map(|line| line.strip_prefix("wchar: "))?.parse().ok()
}

/// What is known when the child has ended.
pub struct Ended {
    /// How.
    pub end: Change,
    /// Why it did not become the command.
    pub exec_failure: Option<Errno>,
    /// Its limits and its status.
    pub facts: [Option<String>; 2],
    /// Bytes that it wrote wherever to.
    pub written: Option<u64>,
    /// The most memory that it had resident, in bytes.
    pub peak_memory: Option<u64>,
    /// Whether its output could be read.
    pub captured: bool,
    /// When it was started.
    pub started: SystemTime,
    /// How long it ran.
    pub duration: Duration,
}

impl Ended {
    /// What a failed run leaves behind; nothing of a success.
    pub fn into_ran(self, recorder: Recorder, watch: Watch) -> Option<Box<Ran>> {
        let Self { end, exec_failure, facts: [limits, status], written, peak_memory, captured, started, duration } =
            self;
        if end == Change::Exited(0) {
            return None;
        }
        let outcome = match exec_failure {
            Some(errno) => Outcome::NotStarted { errno: crate::sys::errno::name(errno) },
            None => outcome(end)?,
        };
        let (transcript, watched) = (recorder.finish(), Watched { written, ..watch.finish() });
        Some(Box::new(Ran { outcome, transcript, captured, watched, started, duration, limits, status, peak_memory }))
    }
}
