//! The child as a job of the shell: when it stops we stop, when we are continued it goes on, and its end is remembered.

use super::signals::{self, Stop};
use crate::exit;
use crate::sys::process::{self, Change, Pid};
use crate::sys::signal::Signal;

/// What is taken for the end of a child that cannot be waited for any more: nothing is known against it.
const GONE: Change = Change::Exited(0);

/// The child's state as far as it has been told.
pub struct Job {
    child: Pid,
    is_stopped: bool,
}

impl Job {
    /// A child that was just started.
    #[must_use]
    pub fn new(child: Pid) -> Self {
        Self { child, is_stopped: false }
    }

    /// Asks what has become of it, and stops with it. Returns its end: how we shall end is settled by then.
    pub fn mind(&mut self) -> Option<Change> {
        while let Some(change) = process::change(self.child).unwrap_or(Some(GONE)) {
            match change {
                Change::Exited(_) | Change::Killed(_) => {
                    exit::decide(change);
                    return Some(change);
                }
                Change::Stopped(signal) => self.stop_too(signal),
                Change::Continued => self.is_stopped = false,
            }
        }
        None
    }

    /// Where we are process 1, those whose parents have ended are ours.
    pub fn take_leave_of_orphans(&self) {
        if Pid::own() == Pid(1) {
            process::take_leave_of_orphans(self.child);
        }
    }

    /// The shell that waits for us must see a job that has stopped, by the signal that stopped the child.
    fn stop_too(&mut self, signal: Signal) {
        self.is_stopped = true;
        signals::stop_ourselves(signal, Stop::Us);
        self.continue_if_stopped();
    }

    /// Whoever let us go on may have meant our id alone; most shells mean the group, and then the child goes on already.
    fn continue_if_stopped(&mut self) {
        if let Ok(Some(Change::Continued)) = process::change(self.child) {
            self.is_stopped = false;
        }
        if self.is_stopped {
            self.let_go_on();
        }
    }

    /// Continues the child.
    pub fn let_go_on(&self) {
        self.child.send(libc::SIGCONT);
    }
}
