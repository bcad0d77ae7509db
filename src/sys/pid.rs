//! Process ids, and signals sent to them.

use super::raw::{call, int};

/// A number of signal(7), 1 to 64.
pub type Signal = libc::c_int;

/// A process id.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pid(pub libc::pid_t);

impl Pid {
    /// Our own.
    #[must_use]
    pub fn own() -> Self {
        // SAFETY: getpid has no arguments, and cannot fail.
        Self(int(unsafe { call!(libc::SYS_getpid) }.unwrap_or(0)))
    }

    /// Our parent's.
    #[must_use]
    pub fn of_parent() -> Self {
        // SAFETY: getppid has no arguments, and cannot fail.
        Self(int(unsafe { call!(libc::SYS_getppid) }.unwrap_or(0)))
    }

    /// Whether it leads its session; a process that is not ours to ask does not.
    #[must_use]
    pub fn leads_its_session(self) -> bool {
        // SAFETY: numbers alone are passed.
        unsafe { libc::getsid(self.0) == self.0 }
    }

    /// Sends a signal to the whole process group that this process leads.
    pub fn send_to_group(self, signal: Signal) {
        // Not 1: −1 is no group but everybody, kill(2).
        if self.0 > 1 {
            // SAFETY: numbers alone are passed.
            unsafe { libc::kill(-self.0, signal) };
        }
    }

    /// Sends a signal; a process that is gone, or not ours to signal any more, does not get it. What is no single process's id,
    /// such as the −1 of a call that failed, is never signalled: kill(2) would take it for every process there is.
    pub fn send(self, signal: Signal) {
        if self.0 > 0 {
            // SAFETY: numbers alone are passed.
            unsafe { libc::kill(self.0, signal) };
        }
    }
}
