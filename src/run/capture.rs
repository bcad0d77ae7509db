//! How the child's stderr comes to be read: chosen before the start from what the caller gave us.

use super::pty::Pty;
use crate::sys::errno::Errno;
use crate::sys::fd::{self, STDERR, STDOUT};
use crate::sys::process::has_file_size_limit;
use std::os::fd::{AsFd, OwnedFd};

/// What was asked for on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// The best way that changes nothing which the command could notice.
    #[default]
    Auto,
    /// A terminal of the command's own where ours is a terminal; a pipe elsewhere.
    Pty,
    /// A pipe, on a terminal too.
    Pipe,
    /// None: the command's stderr is the caller's own.
    None,
}

/// How the child's stderr is read.
pub enum Way {
    /// It is not: the child has the caller's descriptors.
    None,
    /// A terminal of its own in the place of ours.
    Pty(Box<Pty>),
    /// A pipe in the place of stderr.
    StderrPipe(Pipe),
    /// One pipe in the place of stdout and stderr, which were the same file: two would lose the order between them.
    SharedPipe(Pipe),
}

/// A pipe of our own.
pub struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

impl Way {
    /// Chooses: no capture where stderr is closed, cannot be written to, or no pipe can be had; and none where stderr is a
    /// file and files have a largest size, which the child's own writes must meet.
    #[must_use]
    pub fn choose(wish: Wish) -> Self {
        if wish == Wish::None || !fd::is_writable(STDERR) {
            return Self::None;
        }
        if wish == Wish::Pty
            && let Some(pty) = Pty::like_the_callers()
        {
            return Self::Pty(Box::new(pty));
        }
        let Ok(stderr) = fd::identity(STDERR) else { return Self::None };
        if stderr.regular && has_file_size_limit() {
            return Self::None;
        }
        let Ok((read, write)) = fd::pipe() else { return Self::None };
        let pipe = Pipe { read, write };
        // As after `>log 2>&1`. Terminals and /dev/null are left apart: a program asks whether its stdout is a terminal, and
        // nobody reads the order on /dev/null.
        let is_shared = !stderr.character_device && fd::identity(STDOUT) == Ok(stderr);
        if is_shared { Self::SharedPipe(pipe) } else { Self::StderrPipe(pipe) }
    }

    /// In the child: puts the pipe in its place.
    ///
    /// # Errors
    /// Those of `dup2(2)`; stderr is then still the caller's.
    pub fn hand_over(&self) -> Result<(), Errno> {
        match self {
            Self::None | Self::Pty(_) => Ok(()),
            Self::StderrPipe(pipe) => fd::put_at(pipe.write.as_fd(), STDERR),
            Self::SharedPipe(pipe) => {
                fd::put_at(pipe.write.as_fd(), STDERR)?;
                fd::put_at(pipe.write.as_fd(), STDOUT)
            }
        }
    }

    /// In the parent: the end to read; the other is the child's alone from now on.
    #[must_use]
    pub fn into_reader(self) -> Option<OwnedFd> {
        match self {
            Self::None | Self::Pty(_) => None,
            Self::StderrPipe(pipe) | Self::SharedPipe(pipe) => Some(pipe.read),
        }
    }
}
