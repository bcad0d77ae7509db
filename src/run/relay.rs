//! The child's stderr on its way: every byte as it comes and at once, whatever the reader at the other end does.

use super::job::Job;
use super::signals::{self, WHILE_WRITING};
use crate::sys::errno::Errno;
use crate::sys::fd::{self, Kind, STDERR};
use crate::sys::memory;
use crate::sys::poll::{self, For};
use crate::sys::process::{self, Change, Forked};
use crate::sys::signal::Mask;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

/// Bytes that are read at once when nothing is kept of them.
const CHUNK: usize = 8 << 10;

/// A read of so many bytes is part of a flood: two of what the C library writes at once, and no single line.
const FLOOD: usize = 8 << 10;
/// After so many of them on end …
const FLOODS: u32 = 16;
/// … the pipe is made to hold this many bytes: each process is woken less often.
const WIDE: i32 = 256 << 10;
/// After so many all that a flood needs has been used.
const SETTLED: u32 = 256;

/// The way from the pipe to the caller's stderr.
pub struct Relay {
    from: OwnedFd,
    /// Reads of a flood on end.
    floods: u32,
    /// A second pipe, while a flood goes to a pipe.
    side: Option<Side>,
    /// Bytes that were read and are in the pipe still.
    held: usize,
    /// Whether the end of the caller's reader is still waited for.
    is_reader_minded: bool,
}

/// A pipe that shares the pages of the one that is relayed (`tee(2)`). It is read in the place of that one, whose bytes are then moved
/// on to the caller's pipe as they are (`splice(2)`): nothing is copied twice, and what was read cannot be lost with us.
struct Side {
    read: OwnedFd,
    write: OwnedFd,
}

impl Side {
    /// None where stderr is no pipe, or no other can be had.
    fn beside_a_pipe() -> Option<Self> {
        if !fd::identity(STDERR).is_ok_and(|stderr| stderr.kind == Kind::Pipe) {
            return None;
        }
        let (read, write) = fd::pipe().ok()?;
        fd::widen(write.as_fd(), WIDE);
        Some(Self { read, write })
    }

    /// Reads what is in a pipe and leaves it there.
    fn look(&self, pipe: BorrowedFd, room: &mut [u8]) -> Option<usize> {
        let shared = fd::tee(pipe, self.write.as_fd(), room.len()).ok().filter(|count| *count > 0)?;
        let mut seen = 0;
        while seen < shared {
            match fd::read(self.read.as_fd(), &mut room[seen..shared]) {
                Ok(count @ 1..) => seen += count,
                Err(Errno::EINTR) => {}
                _ => return None,
            }
        }
        Some(seen)
    }
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
        Self { from, floods: 0, side: None, held: 0, is_reader_minded: true }
    }

    /// The caller's stderr, whose reader may go while nothing is written.
    #[must_use]
    pub fn reader(&self) -> Option<RawFd> {
        self.is_reader_minded.then_some(STDERR)
    }

    /// The other side of the caller's stderr has gone. A pipe or a socket takes nothing any more, and who writes next must learn so by
    /// SIGPIPE; a terminal that hung up has other ways to tell.
    #[must_use]
    pub fn without_reader(self) -> Option<Self> {
        let is_over = fd::identity(STDERR).is_ok_and(|stderr| matches!(stderr.kind, Kind::Pipe | Kind::Socket));
        (!is_over).then_some(Self { is_reader_minded: false, ..self })
    }

    /// What is waited for.
    #[must_use]
    pub fn source(&self) -> RawFd {
        self.from.as_raw_fd()
    }

    /// Reads once; nothing when nobody writes any more. What was read must be passed on before the next read.
    pub fn receive(&mut self, room: &mut [u8]) -> usize {
        let count = self.look(room).unwrap_or_else(|| self.read(room));
        self.meet_flood(count);
        count
    }

    fn read(&mut self, room: &mut [u8]) -> usize {
        loop {
            match fd::read(self.from.as_fd(), room) {
                Ok(count) => return count,
                Err(Errno::EINTR) => {}
                Err(_) => return 0,
            }
        }
    }

    /// Reads what stays in the pipe; none where it is not worth the while, as with single lines, each of which would take the place of
    /// a page in the caller's pipe.
    fn look(&mut self, room: &mut [u8]) -> Option<usize> {
        if self.side.is_none() || self.waiting() < FLOOD {
            return None;
        }
        let seen = self.side.as_ref()?.look(self.from.as_fd(), room);
        if seen.is_none() {
            self.side = None;
        }
        self.held = seen.unwrap_or(0);
        seen
    }

    /// Once: what has been wide stays so.
    fn meet_flood(&mut self, count: usize) {
        if self.floods == SETTLED {
            return;
        }
        self.floods = if count < FLOOD && self.floods < FLOODS { 0 } else { self.floods + 1 };
        if self.floods == FLOODS {
            fd::widen(self.from.as_fd(), WIDE);
            self.side = Side::beside_a_pipe();
        }
        if self.floods == SETTLED {
            memory::let_go_of_the_program();
        }
    }

    /// Passes on what was read.
    pub fn pass_on(&mut self, bytes: &[u8], job: &mut Job) -> Flow {
        let before = WHILE_WRITING.install();
        let flow = match std::mem::take(&mut self.held) {
            0 => write_all(bytes, Some(job)),
            _ => self.move_on(bytes, job),
        };
        before.install();
        flow
    }

    /// Passes on what was read and is still in the pipe.
    fn move_on(&mut self, bytes: &[u8], job: &mut Job) -> Flow {
        let mut moved = 0;
        let flow = all_of(bytes.len(), Some(job), |moved_before| {
            let count = fd::splice(self.from.as_fd(), STDERR, bytes.len() - moved_before)?;
            moved += count;
            Ok(count)
        });
        match flow {
            // The rest waits in the pipe, like all that comes behind it.
            Flow::Stuck(_) => Flow::Stuck(bytes.len()),
            Flow::Open if moved < bytes.len() => {
                self.side = None;
                self.pass_over(bytes.len() - moved);
                write_all(&bytes[moved..], Some(job))
            }
            flow => flow,
        }
    }

    /// Takes bytes from the pipe that are known already.
    fn pass_over(&self, mut bytes: usize) {
        let mut known = [0; CHUNK];
        while bytes > 0 {
            match fd::read(self.from.as_fd(), &mut known[..bytes.min(CHUNK)]) {
                Ok(count @ 1..) => bytes -= count,
                Err(Errno::EINTR) => {}
                _ => return,
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

/// Writes all of it to the caller's stderr.
fn write_all(bytes: &[u8], job: Option<&mut Job>) -> Flow {
    all_of(bytes.len(), job, |written| fd::write(STDERR, &bytes[written..]))
}

/// Goes on until so many bytes are with the caller's reader. Errors of the file are not the reader's: on a full disk the bytes are
/// lost, as the child's own would be, and it goes on.
fn all_of(
    length: usize,
    mut job: Option<&mut Job>,
    mut send_behind: impl FnMut(usize) -> Result<usize, Errno>,
) -> Flow {
    let mut written = 0;
    while written < length {
        // What the child said before it stopped goes before the stop, unless the reader takes nothing.
        if let Some(job) = &mut job
            && signals::has_child_changed()
            && !has_room()
            && signals::child_changed()
            && matches!(job.mind(), Some(Change::Killed(_)))
        {
            return Flow::Stuck(written);
        }
        match send_behind(written) {
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
