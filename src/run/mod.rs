//! The transparent run: the command is started, relayed, watched and waited for as if nothing were in between.

use crate::outcome::Outcome;
use crate::transcript::Transcript;
use crate::watch::Watched;
use std::ffi::OsString;

/// What a run left behind.
pub struct Ran {
    /// How the child ended.
    pub outcome: Outcome,
    /// What it wrote to stderr.
    pub transcript: Transcript,
    /// What was seen of the machine meanwhile.
    pub watched: Watched,
    /// When it was started.
    pub started: std::time::SystemTime,
    /// How long it ran.
    pub duration: std::time::Duration,
    /// Resource limits of the child as they were when it ended (the text of `/proc/PID/limits`, proc_pid_limits(5)).
    pub limits: Option<String>,
}

/// Runs the command.
#[must_use]
pub fn run(command: &[OsString]) -> Ran {
    todo!("{command:?}")
}
