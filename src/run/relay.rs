//! The child's stderr on its way: every byte as it comes and at once, whatever the reader at the other end does.

use super::job::Job;
use super::signals::{self, WHILE_WRITING};
use crate::sys::errno::Errno;
use crate::sys::fd::{self, STDERR};
use crate::sys::poll::{self, For};
use crate::sys::process::{self, Change, Forked};
use crate::sys::signal::Mask;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Bytes that are read at once when nothing is kept of them.
const CHUNK: usize = 8 << 10;

/// A read of so many bytes is part of a flood.
const FLOOD: usize = 32 << 10;
/// After so many of them on end …
const FLOODS: u32 = 16;
/// … the pipe is made to hold this many bytes: each process is woken less often.
const WIDE: i32 = 256 << 10;

/// The way from the pipe to the caller's stderr.
pub struct Relay {
    from: OwnedFd,
    /// Reads of a flood on end.
    floods: u32,
}

/// Whether the way is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// More may come.
    Open,
    /// Nobody reads any more: the pipe can be closed, and who writes to it learns so by SIGPIPE.
    Closed,
    /// The child was killed while the reader does not read: without us its last words would wait in the pipe to the reader
    /// or be lost, and nobody would wait for them. So many bytes were written.
    Stuck(usize),
}

impl Relay {
    /// From the pipe's end to read.
    #[must_use]
    pub fn new(from: OwnedFd) -> Self {
        Self { from, floods: 0 }
    }

    /// What is waited for.
    #[must_use]
    pub fn source(&self) -> RawFd {
        self.from.as_raw_fd()
    }

    /// Reads once; nothing when nobody writes any more.
    pub fn receive(&mut self, room: &mut [u8]) -> usize {
        loop {
            match fd::read(self.from.as_fd(), room) {
                Ok(count) => {
                    self.meet_flood(count);
                    return count;
                }
                Err(Errno::EINTR) => {}
                Err(_) => return 0,
            }
        }
    }

    /// Once: what has been wide stays so.
    fn meet_flood(&mut self, count: usize) {
        if self.floods < FLOODS {
            self.floods = if count < FLOOD { 0 } else { self.floods + 1 };
            if self.floods == FLOODS {
                fd::widen(self.from.as_fd(), WIDE);
            }
        }
    }

    /// Bytes that wait in the pipe.
    #[must_use]
    pub fn waiting(&self) -> usize {
        fd::waiting(self.from.as_fd()).unwrap_or(0)
    }

    /// Whether somebody still has the pipe open to write to it.
    #[must_use]
    pub fn has_writers(&self) -> bool {
        poll::wait(Some(self.source()), For::Reading, Some(Duration::ZERO), Mask::FULL)
            .is_ok_and(|seen| !seen.gone || seen.ready)
    }

    /// Leaves the pipe, and what was read and not yet written, to a process of its own, which relays until the last writer
    /// has gone. Nobody waits for it. Where there is no process to be had, the writers get SIGPIPE.
    pub fn leave_behind(mut self, not_written: &[u8]) {
        let Ok(Forked::Child) = process::fork() else { return };
        process::new_session();
        process::leave_directory();
        fd::close_all_but(&mut [self.source(), STDERR]);
        Mask::FULL.install();
        let mut buffer = [0; CHUNK];
        let mut flow = write_all(not_written, None);
        while flow == Flow::Open {
            match self.receive(&mut buffer) {
                0 => break,
                count => flow = write_all(&buffer[..count], None),
            }
        }
        process::end(0)
    }
}

/// Passes on what was read.
pub fn pass_on(bytes: &[u8], job: &mut Job) -> Flow {
    let before = WHILE_WRITING.install();
    let flow = write_all(bytes, Some(job));
    before.install();
    flow
}

/// Writes all of it to the caller's stderr. Errors of the file are not the reader's: on a full disk the bytes are lost, as
/// the child's own would be, and it goes on.
fn write_all(bytes: &[u8], mut job: Option<&mut Job>) -> Flow {
    let mut written = 0;
    while written < bytes.len() {
        // What the child said before it stopped goes before the stop, unless the reader takes nothing.
        if let Some(job) = &mut job
            && signals::has_child_changed()
            && !has_room()
            && signals::child_changed()
            && matches!(job.mind(), Some(Change::Killed(_)))
        {
            return Flow::Stuck(written);
        }
        match fd::write(STDERR, &bytes[written..]) {
            Ok(count) => written += count,
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => wait_for_room(),
            Err(Errno::EPIPE) => return Flow::Closed,
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

fn has_room() -> bool {
    poll::wait(Some(STDERR), For::Writing, Some(Duration::ZERO), Mask::FULL).is_ok_and(|seen| seen.ready || seen.gone)
}
