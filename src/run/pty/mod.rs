//! A terminal of the command's own, for when a person sits at ours: everything that it writes there can be read, in its
//! order, and the command still has a terminal with colours, prompts, a size and job control.
//!
//! The shape is sudo's: the front half keeps the caller's terminal and its place in the caller's job; the leading half, in a
//! session of its own, starts the command on the new terminal and reports of it. A terminal for stderr alone would be
//! simpler and hangs every pager: less reads the keyboard from the terminal that its stderr is open on.

mod behind;
mod front;
mod leader;
mod pass;
mod plain;
mod wire;

use super::Ran;
use super::spawn::{self, Given};
use crate::sys::argv::Argv;
use crate::sys::errno::Errno;
use crate::sys::fd::{STDERR, STDIN, STDOUT};
use crate::sys::process::{self, Forked, Note};
use crate::sys::terminal::{self, Modes};
use front::Front;
use plain::Ends;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::time::{Instant, SystemTime};
use wire::{News, Wire};

/// A pair of terminal ends, and the caller's terminal that it stands for.
pub struct Pty {
    /// The end that we hold.
    first: OwnedFd,
    /// The end that the command sees.
    second: OwnedFd,
    /// The caller's terminal.
    caller: OwnedFd,
    /// Its modes when we came.
    given: Modes,
    /// Which of the standard descriptors are open on it.
    on_terminal: [bool; 3],
}

impl Pty {
    /// A terminal like the caller's: with its modes and its size. None where stderr is not our controlling terminal, where
    /// we are not in its foreground, or where no pair is to be had.
    #[must_use]
    pub fn like_the_callers() -> Option<Self> {
        let caller = terminal::controlling().ok()?;
        let device = terminal::device(std::os::fd::AsRawFd::as_raw_fd(&caller))?;
        let on_terminal = [STDIN, STDOUT, STDERR].map(|number| terminal::device(number) == Some(device));
        if !on_terminal[2] || !is_ours_to_read(&caller) {
            return None;
        }
        let given = Modes::of(caller.as_fd()).ok()?;
        let (first, second) = terminal::pair().ok()?;
        given.apply(second.as_fd()).ok()?;
        // A terminal without a size is one, too.
        let _ = terminal::size(caller.as_fd()).and_then(|size| terminal::set_size(second.as_fd(), size));
        Some(Self { first, second, caller, given, on_terminal })
    }

    /// Takes over what was typed before there was a command to read it. The caller's terminal has shown it already, so the new one does not
    /// show it again; once the command runs the modes are its own to set, and it is too late.
    fn take_over_typed(&self) {
        let mut typed = terminal::typed_lines(self.caller.as_fd());
        if self.given.raw().apply(self.caller.as_fd()).is_ok() {
            typed.extend(terminal::typed_bytes(self.caller.as_fd()));
        }
        terminal::type_unseen(self.first.as_fd(), self.second.as_fd(), &typed);
    }

    /// Gives it back, where no command could be started.
    fn give_back_typed(&self) {
        behind::give_back_typed(&self.first, &self.caller, &[]);
        let _ = self.given.apply(self.caller.as_fd());
    }

    /// The standard descriptors that the new terminal takes the place of.
    fn replaced(&self) -> impl Iterator<Item = RawFd> + '_ {
        [STDIN, STDOUT, STDERR].into_iter().zip(self.on_terminal).filter_map(|(number, is)| is.then_some(number))
    }
}

/// Whether our process group is in the foreground.
fn is_ours_to_read(terminal: &OwnedFd) -> bool {
    terminal::foreground(terminal.as_fd()) == Ok(process::own_group())
}

/// Runs the command on the new terminal. Nothing is returned of a success.
///
/// # Errors
/// The errno of `fork(2)` or `socketpair(2)`, when nothing has been started.
pub fn run(command: Argv, pty: Pty, given: Given, started: SystemTime) -> Result<Option<Box<Ran>>, Errno> {
    let clock = Instant::now();
    let note = Note::new().ok();
    let (ours, theirs) = Wire::pair()?;
    pty.take_over_typed();
    match process::fork().inspect_err(|_| pty.give_back_typed())? {
        Forked::Child => {
            drop(ours);
            leader::lead(command, pty, theirs, note.as_ref(), given)
        }
        Forked::Parent(leader) => {
            drop(theirs);
            match ours.next_news() {
                Some(News::Started(pid)) => {
                    let Pty { first, second, caller, given: modes, .. } = pty;
                    drop(second);
                    let child = spawn::Child::of(pid, note);
                    Ok(Front::new(child, Ends::keep(ours, first, caller, modes)).run(command, started, clock))
                }
                news => {
                    drop(ours);
                    process::wait_for(leader);
                    pty.give_back_typed();
                    Err(if let Some(News::NotStarted(errno)) = news { errno } else { Errno::EAGAIN })
                }
            }
        }
    }
}
