//! What the two halves of a run on a terminal of its own tell each other: small messages over a socket pair that keeps them apart.

use crate::sys::errno::Errno;
use crate::sys::fd;
use crate::sys::process::{Change, Pid};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// One end of the wire.
pub struct Wire(OwnedFd);

/// What the half that holds the caller's terminal asks of the one that leads the command's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Let the command's group go on, in the foreground of its terminal.
    GoOnInFront,
    /// Let it go on, and do not let it read.
    GoOnBehind,
    /// The caller's terminal has gone, so the command's goes.
    HangUp,
    /// Everything about the command's end was read: take leave of it.
    Reap,
}

/// What the half that leads the session reports of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It was started, with this id.
    Started(Pid),
    /// No process could be had for it.
    NotStarted(Errno),
    /// It has ended, stopped or gone on.
    Changed(Change),
    /// It is gone, and had at most this many KiB resident.
    Reaped(i32),
}

impl Wire {
    /// Both ends.
    ///
    /// # Errors
    /// Those of `socketpair(2)`.
    pub fn pair() -> Result<(Self, Self), Errno> {
        let (one, other) = fd::socket_pair()?;
        Ok((Self(one), Self(other)))
    }

    /// What is waited for.
    #[must_use]
    pub fn source(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Sends an order; a leader that is gone does not get it.
    pub fn order(&self, order: Order) {
        let number = match order {
            Order::GoOnInFront => 1,
            Order::GoOnBehind => 2,
            Order::HangUp => 3,
            Order::Reap => 4,
        };
        self.send(number, 0);
    }

    /// The next order; none when the other half is gone.
    #[must_use]
    pub fn next_order(&self) -> Option<Order> {
        match self.receive()? {
            (1, _) => Some(Order::GoOnInFront),
            (2, _) => Some(Order::GoOnBehind),
            (3, _) => Some(Order::HangUp),
            _ => Some(Order::Reap),
        }
    }

    /// Sends news; a listener that is gone does not get them.
    pub fn tell(&self, news: News) {
        let (kind, value) = match news {
            News::Started(pid) => (1, pid.0),
            News::NotStarted(errno) => (2, errno as i32),
            News::Reaped(kibibytes) => (3, kibibytes),
            News::Changed(Change::Exited(code)) => (4, code),
            News::Changed(Change::Killed(signal)) => (5, signal),
            News::Changed(Change::Stopped(signal)) => (6, signal),
            News::Changed(Change::Continued) => (7, 0),
        };
        self.send(kind, value);
    }

    /// The next news; none when the other half is gone.
    #[must_use]
    pub fn next_news(&self) -> Option<News> {
        Some(match self.receive()? {
            (1, pid) => News::Started(Pid(pid)),
            (2, errno) => News::NotStarted(Errno::from_raw(errno)),
            (3, kibibytes) => News::Reaped(kibibytes),
            (4, code) => News::Changed(Change::Exited(code)),
            (5, signal) => News::Changed(Change::Killed(signal)),
            (6, signal) => News::Changed(Change::Stopped(signal)),
            _ => News::Changed(Change::Continued),
        })
    }

    fn send(&self, kind: i32, value: i32) {
        let mut message = [0; 8];
        message[..4].copy_from_slice(&kind.to_ne_bytes());
        message[4..].copy_from_slice(&value.to_ne_bytes());
        let _ = stubbornly(|| fd::send(self.0.as_fd(), &message));
    }

    fn receive(&self) -> Option<(i32, i32)> {
        let mut message = [0; 8];
        if stubbornly(|| fd::read(self.0.as_fd(), &mut message)) != Ok(message.len()) {
            return None;
        }
        let (kind, number) = message.split_first_chunk()?;
        Some((i32::from_ne_bytes(*kind), i32::from_ne_bytes(number.try_into().ok()?)))
    }
}

/// Makes a call again when a signal has interrupted it, and once more where it fails in another way: a want of memory may have
/// passed, and for a message that is lost the other half would wait for ever.
fn stubbornly<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    let mut has_failed = false;
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            Err(_) if !has_failed => has_failed = true,
            done => return done,
        }
    }
}
