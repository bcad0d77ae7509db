//! The half that leads the command's session on the terminal of its own. Job control needs it: a process group whose parents
//! are all in other sessions cannot be stopped from its terminal (setpgid(2), "orphaned"), so the command's parent must be in the
//! command's session and not in its group.

use super::Pty;
use super::wire::{News, Order, Wire};
use crate::run::spawn::{self, Given};
use crate::sys::argv::Argv;
use crate::sys::fd;
use crate::sys::poll::{self, For};
use crate::sys::process::{self, Change, Forked, Note, Pid};
use crate::sys::signal::{self, Mask};
use crate::sys::terminal::{self, Modes};
use std::os::fd::{AsFd, OwnedFd};

/// What the leader holds while the command runs.
struct Leader {
    command: Pid,
    wire: Wire,
    /// The first end of the pair, by which the foreground group of the second is set.
    first: OwnedFd,
    /// The caller's terminal and its modes, for the case that nobody else is left to give them back.
    caller: OwnedFd,
    given: Modes,
    has_ended: bool,
    /// The other half has taken all that it needs, and has given the caller's terminal back.
    is_relieved: bool,
}

/// Becomes the leader of a new session on the terminal, starts the command there and serves until nobody needs the terminal.
pub fn lead(command: Argv, pty: Pty, wire: Wire, note: Option<&Note>, given: Given) -> ! {
    let front = Pid::of_parent();
    process::new_session();
    let _ = terminal::make_controlling(pty.second.as_fd());
    let own = Pid::own();
    match process::fork() {
        Ok(Forked::Child) => {
            process::die_with_parent(own);
            process::take_messages_of(front);
            become_command(command, &pty, note, given)
        }
        Ok(Forked::Parent(pid)) => {
            process::set_group(pid, pid);
            // The command's changes are told by a signal, and nothing else is let in. Not before the fork: what the caller
            // ignores, the command must ignore as well.
            signal::catch_all(|_| {});
            wire.tell(News::Started(pid));
            let Pty { first, second, caller, given, .. } = pty;
            drop(second);
            fd::close_standard();
            Leader { command: pid, wire, first, caller, given, has_ended: false, is_relieved: false }.serve()
        }
        Err(errno) => {
            wire.tell(News::NotStarted(errno));
            process::end(0)
        }
    }
}

fn become_command(command: Argv, pty: &Pty, note: Option<&Note>, given: Given) -> ! {
    let own = Pid::own();
    process::set_group(own, own);
    let _ = terminal::set_foreground(pty.second.as_fd(), own);
    // By this name gpg-agent finds the terminal to ask on; it is in no session of ours.
    terminal::name_in_environment(c"GPG_TTY", pty.first.as_fd());
    for number in pty.replaced() {
        let _ = fd::put_at(pty.second.as_fd(), number);
    }
    spawn::end_as_command(command, note, given)
}

impl Leader {
    fn serve(mut self) -> ! {
        loop {
            self.tell_changes();
            // SIGCHLD comes in here alone, as EINTR.
            if poll::wait(Some(self.wire.source()), For::Reading, None, Mask::FULL.without(libc::SIGCHLD)).is_err() {
                continue;
            }
            match self.wire.next_order() {
                Some(order) => self.obey(order),
                None => self.end(),
            }
        }
    }

    fn tell_changes(&mut self) {
        while !self.has_ended
            && let Ok(Some(change)) = process::change(self.command)
        {
            self.has_ended = matches!(change, Change::Exited(_) | Change::Killed(_));
            self.wire.tell(News::Changed(change));
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::GoOnInFront => self.go_on(self.command),
            Order::GoOnBehind => self.go_on(Pid::own()),
            Order::HangUp => fd::close_behind(self.first.as_fd()),
            Order::Reap => {
                self.is_relieved = true;
                // Whoever is left is in the background now, and is not told when the terminal goes with us.
                let _ = terminal::set_foreground(self.first.as_fd(), Pid::own());
                let bytes = process::reap(self.command).unwrap_or(0);
                self.wire.tell(News::Reaped(i32::try_from(bytes / 1024).unwrap_or(i32::MAX)));
            }
        }
    }

    fn go_on(&self, foreground: Pid) {
        let _ = terminal::set_foreground(self.first.as_fd(), foreground);
        self.command.send_to_group(libc::SIGCONT);
    }

    /// The other half is gone. Where it was killed before its time, what it did to the caller's terminal is undone; and whoever
    /// kills it while the command runs kills the command.
    fn end(self) -> ! {
        if !self.is_relieved {
            let _ = self.given.apply(self.caller.as_fd());
        }
        if !self.has_ended {
            self.command.send(libc::SIGKILL);
        }
        process::end(0)
    }
}
