//! The size of a terminal.

use std::os::fd::{AsFd, AsRawFd};

/// Columns of the terminal that a descriptor is open on, `ioctl_tty(2)` TIOCGWINSZ; none where it is no terminal or does not know.
pub fn width(place: &impl AsFd) -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ writes one winsize, which outlives the call.
    let answer = unsafe { libc::ioctl(place.as_fd().as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (answer == 0 && size.ws_col > 0).then_some(usize::from(size.ws_col))
}
