//! The child's stderr on its way: every byte as it comes and at once, whatever the reader at the other end does.

use super::signals::WHILE_WRITING;
use crate::sys::errno::Errno;
use crate::sys::fd::{self, STDERR};
use crate::sys::poll::{self, For};
use crate::sys::process::{self, Forked, Pid};
use crate::sys::signal::Mask;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// Bytes that are read at once: as many as a pipe holds, pipe(7).
const CHUNK: usize = 64 << 10;

/// The way from the pipe to the caller's stderr.
pub struct Relay {
    from: OwnedFd,
    buffer: Vec<u8>,
}

/// Whether the way is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// More may come.
    Open,
    /// Nobody writes any more, or nobody reads: the pipe can be closed, and who writes to it learns so by SIGPIPE.
    Closed,
}

impl Relay {
    /// From the pipe's end to read.
    #[must_use]
    pub fn new(from: OwnedFd) -> Self {
        Self { from, buffer: Vec::new() }
    }

    /// What is waited for.
    #[must_use]
    pub fn source(&self) -> RawFd {
        self.from.as_raw_fd()
    }

    /// Reads once; nothing when nobody writes any more.
    pub fn receive(&mut self) -> &[u8] {
        self.buffer.resize(CHUNK, 0);
        let count = loop {
            match fd::read(self.from.as_fd(), &mut self.buffer) {
                Ok(count) => break count,
                Err(Errno::EINTR) => {}
                Err(_) => break 0,
            }
        };
        &self.buffer[..count]
    }

    /// Bytes that wait in the pipe.
    #[must_use]
    pub fn waiting(&self) -> usize {
        fd::waiting(self.from.as_fd()).unwrap_or(0)
    }

    /// Whether somebody still has the pipe open to write to it.
    #[must_use]
    pub fn has_writers(&self) -> bool {
        let now = Some(std::time::Duration::ZERO);
        poll::wait(Some(self.source()), For::Reading, now, Mask::FULL).is_ok_and(|seen| !seen.gone || seen.ready)
    }

    /// Leaves the pipe to a process of its own, which relays until the last writer has gone. Nobody waits for it. Where
    /// there is no process to be had, the writers get SIGPIPE.
    pub fn leave_behind(mut self) {
        let Ok(Forked::Child) = process::fork() else { return };
        process::new_session();
        process::leave_directory();
        fd::close_all_but(&mut [self.source(), STDERR]);
        Mask::FULL.install();
        loop {
            let count = self.receive().len();
            if count == 0 || write_all(&self.buffer[..count], None) == Flow::Closed {
                process::end(0);
            }
        }
    }
}

/// Writes all of it to the caller's stderr.
pub fn pass_on(bytes: &[u8], child: Pid) -> Flow {
    let before = WHILE_WRITING.install();
    let flow = write_all(bytes, Some(child));
    before.install();
    flow
}

/// Errors of the file are not the reader's: on a full disk the bytes are lost, as the child's own would be, and it goes on.
fn write_all(bytes: &[u8], child: Option<Pid>) -> Flow {
    let mut rest = bytes;
    while !rest.is_empty() {
        match fd::write(STDERR, rest) {
            Ok(count) => rest = &rest[count..],
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => wait_for_room(),
            Err(Errno::EPIPE) => return Flow::Closed,
            Err(Errno::EFBIG) => {
                // RLIMIT_FSIZE: the child's own write would have raised this, setrlimit(2).
                if let Some(child) = child {
                    child.send(libc::SIGXFSZ);
                }
                return Flow::Open;
            }
            Err(_) => return Flow::Open,
        }
    }
    Flow::Open
}

/// Somebody made the shared description non-blocking. It stays so: it is not ours alone.
fn wait_for_room() {
    // EINTR and any other answer lead to the next try.
    let _ = poll::wait(Some(STDERR), For::Writing, None, WHILE_WRITING);
}
