//! What the command leaves behind on its terminal: programs that still write there, and keys that nobody read.

use super::pass::pass;
use super::wire::Wire;
use crate::sys::fd;
use crate::sys::poll::{self, For};
use crate::sys::process::{self, Forked};
use crate::sys::signal::Mask;
use crate::sys::terminal;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Leaves the terminal to a process of its own, which relays until the last program there has gone; nobody waits for it. It
/// holds the wire too: the kernel hangs a terminal up when its session's leader ends, and the leader stays for the wire.
pub fn leave(first: &OwnedFd, caller: &OwnedFd, wire: &Wire) {
    let Ok(Forked::Child) = process::fork() else { return };
    process::new_session();
    process::leave_directory();
    fd::close_all_but(&mut [first.as_raw_fd(), caller.as_raw_fd(), wire.source()]);
    Mask::FULL.install();
    loop {
        let waited = [(Some(first.as_raw_fd()), For::Reading), (Some(caller.as_raw_fd()), For::Nothing)];
        // With the caller's terminal, this one goes.
        if let Ok([_, caller]) = poll::wait_for_any(waited, None, Mask::FULL)
            && caller.gone
        {
            process::end(0);
        }
        if !pass(first, caller) {
            process::end(0);
        }
    }
}

/// Puts what was typed and not read back into the caller's terminal, for the shell to read, as if it had stayed there. A
/// kernel that forbids TIOCSTI to users (`dev.tty.legacy_tiocsti`) loses it.
pub fn give_back_typed(first: &OwnedFd, caller: &OwnedFd, not_passed: &[u8]) {
    let unread = terminal::unread(first.as_fd()).unwrap_or_default();
    for byte in unread.iter().chain(not_passed) {
        if terminal::type_in(caller.as_fd(), *byte).is_err() {
            return;
        }
    }
}
