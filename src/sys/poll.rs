//! Waiting for the first of several things: `ppoll(2)`.

use super::errno::Errno;
use super::raw::call;
use super::signal::Mask;
use std::os::fd::RawFd;
use std::time::Duration;

/// What can be said of a descriptor that was waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// There is something to read, or room to write.
    pub ready: bool,
    /// The other side has gone: `POLLHUP`, `POLLERR` or `POLLNVAL`.
    pub gone: bool,
}

impl Ready {
    /// Whether there is any reason to look.
    #[must_use]
    pub fn any(self) -> bool {
        self.ready || self.gone
    }
}

/// What a descriptor is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// Bytes to read.
    Reading,
    /// Room to write.
    Writing,
    /// The end of the other side alone.
    Nothing,
}

/// Waits for a descriptor, a signal or the timeout, with this signal mask meanwhile. Nothing is ready when the time is up.
///
/// # Errors
/// EINTR when a handler ran; others of `ppoll(2)`.
pub fn wait(fd: Option<RawFd>, what: For, timeout: Option<Duration>, mask: Mask) -> Result<Ready, Errno> {
    wait_for_any([(fd, what)], timeout, mask).map(|[seen]| seen)
}

/// The same for several descriptors; one that is none is passed over.
///
/// # Errors
/// As [`wait`].
pub fn wait_for_any<const N: usize>(
    waited: [(Option<RawFd>, For); N],
    timeout: Option<Duration>,
    mask: Mask,
) -> Result<[Ready; N], Errno> {
    // A negative number is passed over by the kernel, poll(2).
    let mut polled = waited.map(|(fd, what)| libc::pollfd { fd: fd.unwrap_or(-1), events: what.events(), revents: 0 });
    let mut left = timeout.map(timespec);
    let left = left.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
    // SAFETY: N pollfds, a time that is null or ours to be written to, and a mask of the size that the kernel is told.
    let count = unsafe { libc::syscall(libc::SYS_ppoll, polled.as_mut_ptr(), N, left, &raw const mask, Mask::BYTES) };
    if count < 0 {
        return Err(Errno::last());
    }
    let gone = libc::POLLHUP | libc::POLLERR | libc::POLLNVAL;
    Ok(polled.map(|polled| Ready { ready: polled.revents & polled.events != 0, gone: polled.revents & gone != 0 }))
}

/// Whether all that was written to a pipe has been read and nobody can write to it any more. It may be asked before the C library has
/// been set up.
#[must_use]
pub fn has_run_dry(pipe: RawFd) -> bool {
    seen_now(pipe, libc::POLLIN) == Some(libc::POLLHUP)
}

/// Whether nobody can read any more what is written to a pipe or a socket. It may be asked before the C library has been set up.
#[must_use]
pub fn has_lost_its_reader(fd: RawFd) -> bool {
    seen_now(fd, 0).is_some_and(|seen| seen & (libc::POLLERR | libc::POLLHUP) != 0)
}

fn seen_now(fd: RawFd, events: libc::c_short) -> Option<libc::c_short> {
    let mut polled = libc::pollfd { fd, events, revents: 0 };
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let (polls, time, no_mask) = (&raw mut polled, &raw const now, std::ptr::null::<Mask>());
    // SAFETY: one pollfd and a time that outlive the call; the time is only read where it is zero.
    let done = unsafe { call!(libc::SYS_ppoll, polls, 1_usize, time, no_mask, Mask::BYTES) };
    done.is_ok().then_some(polled.revents)
}

impl For {
    fn events(self) -> libc::c_short {
        match self {
            Self::Reading => libc::POLLIN,
            Self::Writing => libc::POLLOUT,
            Self::Nothing => 0,
        }
    }
}

fn timespec(duration: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
