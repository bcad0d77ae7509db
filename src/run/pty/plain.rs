//! What is left of the half that holds the caller's terminal when it has a fault of its own: bytes go to and fro, the command stops
//! and goes on, and its end is ours. Nothing is watched, kept or explained. No step allocates, and all of it may run in a signal
//! handler.

use super::is_ours_to_read;
use super::pass::pass;
use super::wire::{News, Order, Wire};
use crate::exit;
use crate::run::{carry_on, signals};
use crate::sys::poll::{self, For};
use crate::sys::process::Change;
use crate::sys::signal::{Mask, Signal};
use crate::sys::terminal::{self, Modes};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::OnceLock;
use std::time::Duration;

/// Silence after the command's end that tells that nobody writes at the moment.
const QUIET: Duration = Duration::from_millis(20);
/// Reads at most after the end: others may write without end.
const LAST_READS: usize = 64;

/// All that stands between the two terminals. It lives as long as the process, for whoever has to go on with it.
pub struct Ends {
    /// To the half that leads the command's session.
    pub wire: Wire,
    /// Our end of the command's terminal.
    pub first: OwnedFd,
    /// The caller's terminal.
    pub caller: OwnedFd,
    /// Its modes when we came.
    pub given: Modes,
    /// How the command ended, once the leader has told: it tells once.
    pub told: OnceLock<Change>,
}

static ENDS: OnceLock<Ends> = OnceLock::new();

impl Ends {
    /// Keeps them, and goes on with them from now on when something is wrong with us.
    pub fn keep(wire: Wire, first: OwnedFd, caller: OwnedFd, given: Modes) -> &'static Self {
        let ends = ENDS.get_or_init(|| Self { wire, first, caller, given, told: OnceLock::new() });
        carry_on::by(serve);
        ends
    }
}

fn serve() -> ! {
    let Some(ends) = ENDS.get() else { exit::end_as_decided() };
    Mask::EMPTY.install();
    let (mut is_deserted, mut is_hung_up) = (false, false);
    loop {
        if let Some(end) = ends.told.get() {
            ends.finish(*end)
        }
        if signals::continued() {
            ends.let_go_on();
        }
        if signals::resized() {
            let _ = terminal::size(ends.caller.as_fd()).map(|size| terminal::set_size(ends.first.as_fd(), size));
        }
        let waited = [
            (Some(ends.wire.source()), For::Reading),
            ((!is_deserted).then(|| ends.first.as_raw_fd()), For::Reading),
            ((!is_hung_up && is_ours_to_read(&ends.caller)).then(|| ends.caller.as_raw_fd()), For::Reading),
        ];
        // EINTR is a signal, and asked for above.
        let Ok([wire, wrote, typed]) = poll::wait_for_any(waited, None, Mask::EMPTY) else { continue };
        if wrote.any() {
            is_deserted = !pass(&ends.first, &ends.caller);
        }
        if typed.any() && !pass(&ends.caller, &ends.first) {
            is_hung_up = true;
            ends.wire.order(Order::HangUp);
        }
        if wire.any() {
            ends.hear();
        }
    }
}

impl Ends {
    fn hear(&self) {
        match self.wire.next_news() {
            Some(News::Changed(end @ (Change::Exited(_) | Change::Killed(_)))) => drop(self.told.set(end)),
            Some(News::Changed(Change::Stopped(signal))) => self.stop_too(signal),
            Some(_) => {}
            // The leader was killed, and the command with it.
            None => drop(self.told.set(Change::Killed(libc::SIGKILL))),
        }
    }

    fn stop_too(&self, signal: Signal) {
        let wants_terminal = signal == libc::SIGTTIN || signal == libc::SIGTTOU;
        if !(wants_terminal && is_ours_to_read(&self.caller)) {
            let _ = self.given.apply(self.caller.as_fd());
            let stop = if signal == libc::SIGSTOP { signals::Stop::Us } else { signals::Stop::Job };
            signals::stop_ourselves(signal, stop);
        }
        self.let_go_on();
    }

    fn let_go_on(&self) {
        let is_ours = is_ours_to_read(&self.caller) && self.given.raw().apply(self.caller.as_fd()).is_ok();
        self.wire.order(if is_ours { Order::GoOnInFront } else { Order::GoOnBehind });
    }

    /// The last words, and the caller's terminal as it was.
    fn finish(&self, end: Change) -> ! {
        for _ in 0..LAST_READS {
            let seen = poll::wait(Some(self.first.as_raw_fd()), For::Reading, Some(QUIET), Mask::FULL);
            if !seen.is_ok_and(poll::Ready::any) || !pass(&self.first, &self.caller) {
                break;
            }
        }
        if is_ours_to_read(&self.caller) {
            let _ = self.given.apply(self.caller.as_fd());
        }
        self.wire.order(Order::Reap);
        exit::decide(end);
        exit::end_as_decided()
    }
}
