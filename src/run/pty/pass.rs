//! Bytes between two terminals. No step allocates, and all of it may run in a signal handler.

use crate::run::signals;
use crate::sys::errno::Errno;
use crate::sys::fd;
use crate::sys::poll::{self, For};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Bytes that are passed on at once.
const CHUNK: usize = 4 << 10;

/// Passes on one read; false when nobody is at the other end any more.
pub fn pass(from: &OwnedFd, to: &OwnedFd) -> bool {
    let mut buffer = [0; CHUNK];
    match fd::read(from.as_fd(), &mut buffer) {
        Ok(0) => false,
        Ok(count) => write_all(to, &buffer[..count]).is_ok(),
        Err(errno) => matches!(errno, Errno::EAGAIN | Errno::EINTR),
    }
}

/// Writes all of it, waiting for a slow terminal with signals let in.
pub fn write_all(terminal: &OwnedFd, bytes: &[u8]) -> Result<(), Errno> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match fd::write(terminal.as_raw_fd(), rest) {
            Ok(count) => rest = &rest[count..],
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                let _ = poll::wait(Some(terminal.as_raw_fd()), For::Writing, None, signals::WHILE_WRITING);
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
