//! The child's start. It is given what we were given: every signal is blocked from before the fork, so that none is lost or
//! handled between, and the child takes the caller's mask and dispositions back before it becomes the command.

use crate::sys::argv::Argv;
use crate::sys::errno::Errno;
use crate::sys::process::{self, Forked, Note, Pid};
use crate::sys::signal::{self, Disposition, Mask};

/// The caller's signal state, as far as we change it before the fork.
#[derive(Clone, Copy)]
pub struct Given {
    mask: Mask,
    child_signal: Disposition,
}

impl Given {
    /// Blocks every signal, and makes the kernel keep the status of a child even where the caller ignored SIGCHLD, wait(2).
    #[must_use]
    pub fn take() -> Self {
        let mask = Mask::FULL.install();
        let child_signal = signal::dispose(libc::SIGCHLD, Disposition::Default).unwrap_or(Disposition::Default);
        Self { mask, child_signal }
    }

    /// Gives it back.
    pub fn give_back(self) {
        if self.child_signal == Disposition::Ignore {
            let _ = signal::dispose(libc::SIGCHLD, Disposition::Ignore);
        }
        self.mask.install();
    }

    /// The mask that the caller had.
    #[must_use]
    pub fn mask(self) -> Mask {
        self.mask
    }
}

/// A child that was started.
pub struct Child {
    /// Its process id.
    pub pid: Pid,
    /// Where it says why it could not become the command.
    note: Option<Note>,
}

impl Child {
    /// A command that was started elsewhere, and where it leaves word.
    #[must_use]
    pub fn of(pid: Pid, note: Option<Note>) -> Self {
        Self { pid, note }
    }

    /// Why it did not become the command, once it has ended.
    #[must_use]
    pub fn exec_failure(&self) -> Option<Errno> {
        self.note.as_ref().and_then(Note::found)
    }
}

/// Starts the command in a child, which first does what prepares it: its output goes where we read it.
///
/// # Errors
/// Those of `fork(2)`.
pub fn start(command: Argv, given: Given, prepare: impl FnOnce()) -> Result<Child, Errno> {
    let note = Note::new().ok();
    let parent = Pid::own();
    match process::fork_for_exec()? {
        Forked::Parent(pid) => Ok(Child { pid, note }),
        Forked::Child => {
            process::die_with_parent(parent);
            process::take_messages_of(parent);
            prepare();
            end_as_command(command, note.as_ref(), given)
        }
    }
}

/// The same before the C library has been set up: the environment has no message for us, and is handed on as it came.
///
/// # Errors
/// Those of `mmap(2)` and `fork(2)`.
pub fn start_early(command: Argv, environment: Argv, given: Given, prepare: impl FnOnce()) -> Result<Child, Errno> {
    let note = Note::new()?;
    let parent = Pid::own();
    match process::fork_for_exec()? {
        Forked::Parent(pid) => Ok(Child { pid, note: Some(note) }),
        Forked::Child => {
            process::die_with_parent(parent);
            prepare();
            given.give_back();
            let errno = process::become_command(command, environment);
            note.leave(errno);
            process::end(crate::exit::not_started(errno))
        }
    }
}

/// In the child: becomes the command with the signal state that we were given, or leaves word why it cannot.
pub fn end_as_command(command: Argv, note: Option<&Note>, given: Given) -> ! {
    let errno = in_place(command, given);
    match note {
        Some(note) => note.leave(errno),
        None => super::say_not_started(command, errno),
    }
    process::end(crate::exit::not_started(errno))
}

/// Becomes the command ourselves, where there is no process to be had for it. Returns why that failed.
pub fn in_place(command: Argv, given: Given) -> Errno {
    given.give_back();
    process::become_command(command, Argv::environment())
}
