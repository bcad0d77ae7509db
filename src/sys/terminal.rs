//! Terminals: their size, modes and foreground process group, and pairs of our own (pty(7), `ioctl_tty(2)`).

use super::errno::Errno;
use super::fd::{checked, duplicate};
use super::pid::Pid;
use super::poll::{self, For};
use super::raw::call;
use super::signal::{Mask, Signal};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Size of a terminal's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Rows of characters.
    pub rows: u16,
    /// Columns of characters.
    pub columns: u16,
    /// Width and height in pixels, where the terminal tells them.
    pixels: (u16, u16),
}

/// The size of a terminal's window, TIOCGWINSZ.
///
/// # Errors
/// ENOTTY where it is no terminal.
pub fn size(terminal: BorrowedFd) -> Result<Size, Errno> {
    let mut found = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ writes one winsize, which outlives the call.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, &raw mut found) })?;
    Ok(Size { rows: found.ws_row, columns: found.ws_col, pixels: (found.ws_xpixel, found.ws_ypixel) })
}

/// Sets the size; the kernel tells the foreground process group by SIGWINCH.
///
/// # Errors
/// ENOTTY where it is no terminal.
pub fn set_size(terminal: BorrowedFd, size: Size) -> Result<(), Errno> {
    let (width, height) = size.pixels;
    let wanted = libc::winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: width, ws_ypixel: height };
    // SAFETY: TIOCSWINSZ reads one winsize.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const wanted) }).map(drop)
}

/// Columns of the terminal that a descriptor is open on; none where it is no terminal or does not know.
pub fn width(place: &impl AsFd) -> Option<usize> {
    size(place.as_fd()).ok().filter(|size| size.columns > 0).map(|size| usize::from(size.columns))
}

/// How a terminal treats what is typed and written, termios(3).
#[derive(Clone, Copy)]
pub struct Modes(libc::termios);

impl Modes {
    /// Those of a terminal; of a pair's first end, those of its second.
    ///
    /// # Errors
    /// ENOTTY where it is no terminal.
    pub fn of(terminal: BorrowedFd) -> Result<Self, Errno> {
        // SAFETY: all-zero bytes are a valid termios, a struct of integers.
        let mut found: libc::termios = unsafe { std::mem::zeroed() };
        // SAFETY: `found` outlives the call.
        checked(unsafe { libc::tcgetattr(terminal.as_raw_fd(), &raw mut found) })?;
        Ok(Self(found))
    }

    /// Every byte passes as it is, in both directions.
    #[must_use]
    pub fn raw(&self) -> Self {
        let mut raw = self.0;
        // SAFETY: it changes the fields of a termios.
        unsafe { libc::cfmakeraw(&raw mut raw) };
        Self(raw)
    }

    /// The signal that a typed byte stands for, `VINTR` and `VQUIT` of termios(3).
    #[must_use]
    pub fn signal_of(&self, typed: u8) -> Option<Signal> {
        // 0 is how a key is turned off on Linux.
        if typed == 0 || self.0.c_lflag & libc::ISIG == 0 {
            return None;
        }
        let keys = [(libc::VINTR, libc::SIGINT), (libc::VQUIT, libc::SIGQUIT)];
        keys.into_iter().find_map(|(key, signal)| (self.0.c_cc[key] == typed).then_some(signal))
    }

    /// Sets them, once what was written has gone out.
    ///
    /// # Errors
    /// ENOTTY where it is no terminal, EIO where it has gone.
    pub fn apply(&self, terminal: BorrowedFd) -> Result<(), Errno> {
        // SAFETY: the termios is valid and outlives the call.
        checked(unsafe { libc::tcsetattr(terminal.as_raw_fd(), libc::TCSADRAIN, &raw const self.0) }).map(drop)
    }
}

impl PartialEq for Modes {
    fn eq(&self, other: &Self) -> bool {
        let parts = |modes: &libc::termios| (modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag, modes.c_cc);
        parts(&self.0) == parts(&other.0)
    }
}

/// Our controlling terminal, under a description of our own that does not wait.
///
/// # Errors
/// ENXIO where there is none.
pub fn controlling() -> Result<OwnedFd, Errno> {
    let flags = libc::O_RDWR | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the path is a C string.
    let opened = checked(unsafe { libc::open(c"/dev/tty".as_ptr(), flags) })?;
    own(opened)
}

/// Keeps a descriptor that was just opened, under a number of ours.
fn own(opened: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: the caller has just opened it, and nobody else knows of it.
    let opened = unsafe { OwnedFd::from_raw_fd(opened) };
    duplicate(opened.as_raw_fd())
}

/// Which terminal a descriptor is open on, whatever name it was opened by: TIOCGDEV.
#[must_use]
pub fn device(fd: RawFd) -> Option<u32> {
    let mut device: libc::c_uint = 0;
    // SAFETY: TIOCGDEV writes one unsigned int.
    unsafe { call!(libc::SYS_ioctl, fd, libc::TIOCGDEV, (&raw mut device)) }.ok()?;
    Some(device)
}

/// The foreground process group; of a pair's first end, that of its second.
///
/// # Errors
/// ENOTTY where it is not the caller's controlling terminal.
pub fn foreground(terminal: BorrowedFd) -> Result<Pid, Errno> {
    // SAFETY: numbers alone are passed.
    checked(unsafe { libc::tcgetpgrp(terminal.as_raw_fd()) }).map(Pid)
}

/// Puts a process group into the foreground; with SIGTTOU blocked, from the background too.
///
/// # Errors
/// ENOTTY where it is not the caller's controlling terminal, EPERM for a group of another session.
pub fn set_foreground(terminal: BorrowedFd, group: Pid) -> Result<(), Errno> {
    // SAFETY: numbers alone are passed.
    checked(unsafe { libc::tcsetpgrp(terminal.as_raw_fd(), group.0) }).map(drop)
}

/// Makes it the controlling terminal of our session, which has none.
///
/// # Errors
/// EPERM where we lead no session or have a terminal already.
pub fn make_controlling(terminal: BorrowedFd) -> Result<(), Errno> {
    // SAFETY: numbers alone are passed.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0) }).map(drop)
}

/// A pair of our own: the end that we hold, which does not wait, and the terminal that programs see.
///
/// # Errors
/// ENOSPC or EMFILE where none is to be had; ENOENT without /dev/ptmx.
pub fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: numbers alone are passed.
    let first = own(checked(unsafe { libc::posix_openpt(flags | libc::O_NONBLOCK) })?)?;
    let unlocked: libc::c_int = 0;
    // SAFETY: TIOCSPTLCK reads one int.
    checked(unsafe { libc::ioctl(first.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlocked) })?;
    // SAFETY: TIOCGPTPEER takes open(2)'s flags and needs no path below /dev/pts.
    let second = own(checked(unsafe { libc::ioctl(first.as_raw_fd(), libc::TIOCGPTPEER, flags) })?)?;
    Ok((first, second))
}

/// Puts the name of a pair's second end in the place of another terminal's in our environment; a variable that is not there
/// stays away.
pub fn name_in_environment(variable: &CStr, first: BorrowedFd) {
    let mut number: libc::c_uint = 0;
    // SAFETY: TIOCGPTN writes one unsigned int.
    let known = checked(unsafe { libc::ioctl(first.as_raw_fd(), libc::TIOCGPTN, &raw mut number) });
    let (Ok(_), Ok(name)) = (known, CString::new(format!("/dev/pts/{number}"))) else { return };
    // SAFETY: the process has one thread, and both are C strings, which setenv copies.
    unsafe {
        if !libc::getenv(variable.as_ptr()).is_null() {
            libc::setenv(variable.as_ptr(), name.as_ptr(), 1);
        }
    }
}

/// What was typed into a terminal that gives out lines, as far as they have an end; it must not wait. The end of the input is the key
/// that stands for it, VEOF of termios(3): once the terminal gives out bytes, it would be read as a null byte.
#[must_use]
pub fn typed_lines(terminal: BorrowedFd) -> Vec<u8> {
    const MOST: usize = 64;
    let mut typed = Vec::new();
    let Some(modes) = Modes::of(terminal).ok().filter(|modes| modes.0.c_lflag & libc::ICANON != 0) else {
        return typed;
    };
    let ends = [libc::VEOL, libc::VEOL2].map(|key| modes.0.c_cc[key]);
    let mut line = [0; 4 << 10];
    for _ in 0..MOST {
        let seen = poll::wait(Some(terminal.as_raw_fd()), For::Reading, Some(Duration::ZERO), Mask::FULL);
        if !seen.is_ok_and(|seen| seen.ready && !seen.gone) {
            break;
        }
        let Ok(count) = super::fd::read(terminal, &mut line) else { break };
        typed.extend_from_slice(&line[..count]);
        if !line[..count].last().is_some_and(|last| *last == b'\n' || ends.contains(last)) {
            typed.push(modes.0.c_cc[libc::VEOF]);
        }
    }
    typed
}

/// What was typed into a terminal that gives out bytes; it must not wait.
#[must_use]
pub fn typed_bytes(terminal: BorrowedFd) -> Vec<u8> {
    let mut bytes = vec![0; 4 << 10];
    let count = super::fd::read(terminal, &mut bytes).unwrap_or(0);
    bytes.truncate(count);
    bytes
}

/// Types into a pair what its second end does not show. Nobody else may have it open yet.
pub fn type_unseen(first: BorrowedFd, second: BorrowedFd, bytes: &[u8]) {
    let Ok(modes) = Modes::of(second) else { return };
    if bytes.is_empty() {
        return;
    }
    let mut unseen = modes;
    unseen.0.c_lflag &= !(libc::ECHO | libc::ECHONL);
    let _ = unseen.apply(second);
    let _ = super::fd::write(first.as_raw_fd(), bytes);
    // A terminal that is asked whether there is something to read takes in first what was typed, n_tty_poll() of the kernel.
    let _ = poll::wait(Some(second.as_raw_fd()), For::Reading, Some(Duration::ZERO), Mask::FULL);
    let _ = modes.apply(second);
}

/// What was typed into the second end of a pair and not read there. Its modes stay as they are.
///
/// # Errors
/// Those of `ioctl(2)` with TIOCGPTPEER, and of reading.
pub fn unread(first: BorrowedFd) -> Result<Vec<u8>, Errno> {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC | libc::O_NONBLOCK;
    // SAFETY: TIOCGPTPEER takes open(2)'s flags.
    let second = own(checked(unsafe { libc::ioctl(first.as_raw_fd(), libc::TIOCGPTPEER, flags) })?)?;
    let left = Modes::of(second.as_fd())?;
    let mut typed = typed_lines(second.as_fd());
    // What has no end yet is given out as well.
    let mut bytewise = left;
    bytewise.0.c_lflag &= !libc::ICANON;
    bytewise.apply(second.as_fd())?;
    typed.extend(typed_bytes(second.as_fd()));
    left.apply(second.as_fd())?;
    Ok(typed)
}

/// Puts a byte into a terminal as if it had been typed, TIOCSTI.
///
/// # Errors
/// EIO or EPERM where the kernel does not let us.
pub fn type_in(terminal: BorrowedFd, byte: u8) -> Result<(), Errno> {
    // SAFETY: TIOCSTI reads one byte.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSTI, &raw const byte) }).map(drop)
}
