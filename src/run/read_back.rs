//! What the command wrote to a file of the caller's, read there. It writes to the file itself, so a full disk and a limit are met
//! by its own writes, and a program that looks whether it reads what it writes (`cat log >>log`) sees the file that it is.

use crate::sys::errno::Errno;
use crate::sys::fd::{self, Opening, STDERR};
use std::os::fd::{AsFd, OwnedFd};

/// The caller's file, as far as it has been read.
pub struct ReadBack {
    file: OwnedFd,
    /// What stands before was read, or was there before the command.
    place: u64,
    /// Bytes that were read.
    read: u64,
    appends: bool,
}

impl ReadBack {
    /// The file that stderr is, from where the command will write. It may be asked before the C library has been set up.
    ///
    /// # Errors
    /// Those of opening it once more: without /proc, or where we may not read it.
    pub fn of_stderr(opening: Opening) -> Result<Self, Errno> {
        let appends = opening.appends();
        let place = end(appends)?;
        Ok(Self { file: fd::stderr_for_reading()?, place, read: 0, appends })
    }

    /// Closes it, before the C library has been set up too.
    pub fn give_up(self) {
        fd::close(self.file);
    }

    /// How many bytes were written and not read yet. Others may have written them who have the same file: nobody can tell.
    pub fn waiting(&mut self) -> u64 {
        let end = end(self.appends).unwrap_or(self.place);
        // A log that was cut begins anew.
        self.place = self.place.min(end);
        end - self.place
    }

    /// Reads once.
    pub fn receive(&mut self, room: &mut [u8]) -> usize {
        let count = fd::read_at(self.file.as_fd(), self.place, room).unwrap_or(0);
        self.place += count as u64;
        self.read += count as u64;
        count
    }

    /// Whether all of it can be the command's, which has written so many bytes wherever to. A step of a build that goes on beside it may
    /// have the same log.
    #[must_use]
    pub fn can_be_of_one_who_wrote(&self, bytes: u64) -> bool {
        self.read <= bytes
    }
}

/// Where the next byte would be written.
fn end(appends: bool) -> Result<u64, Errno> {
    if appends { fd::identity(STDERR).map(|file| file.length) } else { fd::position(STDERR) }
}
