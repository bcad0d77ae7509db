//! The half that keeps the caller's terminal: what is typed goes to the command, what the command writes comes back, and the
//! shell sees a job that runs, stops and ends as the command does.

use super::behind;
use super::is_ours_to_read;
use super::pass::write_all;
use super::plain::Ends;
use super::wire::{News, Order};
use crate::exit;
use crate::run::ended::{Ended, fact, written_by};
use crate::run::spawn::Child;
use crate::run::{Ran, signals};
use crate::sys::argv::Argv;
use crate::sys::errno::Errno;
use crate::sys::fd;
use crate::sys::poll::{self, For};
use crate::sys::process::{self, Change};
use crate::sys::signal::{Mask, Signal};
use crate::sys::terminal::{self, Modes, Size};
use crate::transcript::Recorder;
use crate::watch::Watch;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant, SystemTime};

/// Bytes that are read at once; a terminal gives no more, `N_TTY_BUF_SIZE` of the kernel.
const CHUNK: usize = 4 << 10;
/// Silence after the command's end that tells that nobody writes at the moment.
const QUIET: Duration = Duration::from_millis(20);
/// How long the last words are waited for where others write without end.
const FAREWELL: Duration = Duration::from_millis(200);

/// What can happen while the command runs.
enum Event {
    /// The leader reports.
    News(Option<News>),
    /// The command, or whoever else is on its terminal, wrote.
    Wrote,
    /// The person typed.
    Typed,
    /// The command's terminal takes more of what was typed.
    Takes,
    /// The caller's terminal has another size.
    Resized,
    /// A process told us to go on.
    Continued,
    /// It is time to look at the watched places.
    Tick,
}

/// The front half.
pub struct Front {
    child: Child,
    ends: &'static Ends,
    /// The caller's terminal's size, as the command's was last given it.
    size: Option<Size>,
    is_raw: bool,
    /// The last program on the command's terminal has closed it.
    is_deserted: bool,
    /// What was typed and not taken yet.
    typed: Vec<u8>,
}

/// What is kept of the output and the machine.
struct Notes {
    recorder: Recorder,
    watch: Watch,
}

impl Front {
    /// The half for a command that was started.
    #[must_use]
    pub fn new(child: Child, ends: &'static Ends) -> Self {
        Self { child, ends, size: None, is_raw: false, is_deserted: false, typed: Vec::new() }
    }

    /// Serves until the command has ended. Nothing is returned of a success.
    pub fn run(mut self, command: Argv, started: SystemTime, clock: Instant) -> Option<Box<Ran>> {
        signals::belong_to_session_of(self.child.pid);
        fd::let_go_of_stdin_and_stdout();
        self.take_terminal();
        let mut notes = Notes { recorder: Recorder::default(), watch: Watch::begin(command, clock) };
        let end = self.follow(&mut notes);
        let _ = self.ends.told.set(end);
        let duration = clock.elapsed();
        if end != Change::Exited(0) {
            notes.watch.look_at_the_end();
        }
        self.drain(&mut notes, QUIET);
        self.leave_terminal(end);
        exit::decide(end);
        let facts = ["limits", "status"].map(|name| fact(self.child.pid, name));
        let written = written_by(self.child.pid);
        let peak_memory = self.reap();
        if !self.is_deserted {
            behind::leave(&self.ends.first, &self.ends.caller, &self.ends.wire);
        }
        let Notes { recorder, watch } = notes;
        Ended {
            end,
            exec_failure: self.child.exec_failure(),
            facts,
            written,
            peak_memory,
            captured: true,
            started,
            duration,
        }
        .into_ran(recorder, watch)
    }

    fn follow(&mut self, notes: &mut Notes) -> Change {
        loop {
            match self.next_event(&notes.watch) {
                Event::News(Some(News::Changed(end @ (Change::Exited(_) | Change::Killed(_))))) => return end,
                Event::News(Some(News::Changed(Change::Stopped(signal)))) => self.stop_too(signal, notes),
                Event::News(Some(_)) => {}
                // The leader was killed, and the command with it.
                Event::News(None) => return Change::Killed(libc::SIGKILL),
                Event::Wrote => self.pass_on(notes),
                Event::Typed => self.take_typed(),
                Event::Takes => self.pass_typed(),
                Event::Resized => self.resize(),
                Event::Continued => self.continue_command(),
                Event::Tick => notes.watch.tick(),
            }
        }
    }

    /// Signals are blocked but here and in writes, so none comes between the question and the wait.
    fn next_event(&self, watch: &Watch) -> Event {
        loop {
            if signals::resized() {
                return Event::Resized;
            }
            if signals::continued() {
                return Event::Continued;
            }
            let typed = (self.is_raw && self.typed.is_empty()).then(|| self.ends.caller.as_raw_fd());
            let first = (!self.is_deserted).then(|| self.ends.first.as_raw_fd());
            let takes = first.filter(|_| !self.typed.is_empty());
            let waited = [
                (Some(self.ends.wire.source()), For::Reading),
                (first, For::Reading),
                (typed, For::Reading),
                (takes, For::Writing),
            ];
            // EINTR is a signal, and asked for above.
            let Ok([wire, wrote, typed, takes]) = poll::wait_for_any(waited, Some(watch.due_in()), Mask::EMPTY) else {
                continue;
            };
            // Keys first: a flood of output must not keep ^C from the command, and nobody types a flood. Nor may it hide
            // the news, so what was written before them is passed on when they are read.
            return match () {
                () if takes.any() => Event::Takes,
                () if typed.any() => Event::Typed,
                () if wire.any() => Event::News(self.ends.wire.next_news()),
                () if wrote.any() => Event::Wrote,
                () => Event::Tick,
            };
        }
    }

    fn pass_on(&mut self, notes: &mut Notes) {
        let mut buffer = [0; CHUNK];
        match fd::read(self.ends.first.as_fd(), &mut buffer) {
            Ok(count) if count > 0 => {
                let bytes = &buffer[..count];
                notes.watch.heard(bytes, notes.recorder.written() + count as u64);
                // A terminal that is gone takes nothing more; the command is told by its own SIGHUP.
                let _ = write_all(&self.ends.caller, bytes);
                notes.recorder.push(bytes);
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            // EIO is how the kernel tells that nobody has the other end open, pty(7).
            Ok(_) | Err(_) => self.is_deserted = true,
        }
    }

    fn drain(&mut self, notes: &mut Notes, quiet: Duration) {
        let begun = Instant::now();
        while !self.is_deserted && begun.elapsed() < FAREWELL {
            match poll::wait(Some(self.ends.first.as_raw_fd()), For::Reading, Some(quiet), Mask::FULL) {
                Ok(seen) if seen.any() => self.pass_on(notes),
                _ => return,
            }
        }
    }

    fn take_typed(&mut self) {
        let mut buffer = [0; CHUNK];
        match fd::read(self.ends.caller.as_fd(), &mut buffer) {
            Ok(count) if count > 0 => {
                self.tell_the_job(&buffer[..count]);
                self.typed.extend_from_slice(&buffer[..count]);
                self.pass_typed();
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Ok(_) | Err(_) if is_gone(&self.ends.caller) => self.hang_up(),
            // It is another's now.
            Ok(_) | Err(_) => self.is_raw = false,
        }
    }

    /// ^C at a command in the foreground is for everybody in the caller's foreground: the script or the make that we run in.
    fn tell_the_job(&self, typed: &[u8]) {
        if terminal::foreground(self.ends.first.as_fd()) != Ok(self.child.pid) {
            return;
        }
        let Ok(modes) = Modes::of(self.ends.first.as_fd()) else { return };
        for signal in typed.iter().filter_map(|byte| modes.signal_of(*byte)) {
            process::send_to_own_group(signal);
        }
    }

    /// The caller's terminal has gone, and the command's goes with it. Signals of it reach the command by themselves.
    fn hang_up(&mut self) {
        self.is_raw = false;
        self.is_deserted = true;
        self.ends.wire.order(Order::HangUp);
        fd::close_behind(self.ends.first.as_fd());
    }

    fn pass_typed(&mut self) {
        match fd::write(self.ends.first.as_raw_fd(), &self.typed) {
            Ok(count) => drop(self.typed.drain(..count)),
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(_) => self.typed.clear(),
        }
    }

    fn resize(&mut self) {
        self.size = terminal::size(self.ends.caller.as_fd()).ok();
        if let Some(size) = self.size {
            let _ = terminal::set_size(self.ends.first.as_fd(), size);
        }
    }

    /// What `stty rows` or resize(1) set stays set.
    fn keep_size(&self) {
        let [before, left] =
            [&self.ends.caller, &self.ends.first].map(|terminal| terminal::size(terminal.as_fd()).ok());
        if let (true, Some(left)) = (before == self.size && left != before, left) {
            let _ = terminal::set_size(self.ends.caller.as_fd(), left);
        }
    }

    /// In the foreground every key is the command's; the caller's terminal only carries it. Whether it still does is asked of
    /// nobody: a shell may have changed the modes while we were stopped.
    fn take_terminal(&mut self) {
        let is_ours = is_ours_to_read(&self.ends.caller);
        if is_ours {
            self.typed.extend(terminal::typed_lines(self.ends.caller.as_fd()));
        }
        self.is_raw = is_ours && self.ends.given.raw().apply(self.ends.caller.as_fd()).is_ok();
        self.resize();
    }

    /// The terminal is given back as the command left its own; as it was, where the command was killed.
    fn leave_terminal(&mut self, end: Change) {
        if !self.is_raw || !is_ours_to_read(&self.ends.caller) {
            return;
        }
        self.keep_size();
        behind::give_back_typed(&self.ends.first, &self.ends.caller, &self.typed);
        let left = Modes::of(self.ends.first.as_fd()).ok().filter(|_| matches!(end, Change::Exited(_)));
        let _ = left.unwrap_or(self.ends.given).apply(self.ends.caller.as_fd());
    }

    /// The command has been stopped. Where it wanted the terminal and we have it, it goes on; else the shell must see us
    /// stopped too, and its terminal as it was.
    fn stop_too(&mut self, signal: Signal, notes: &mut Notes) {
        self.drain(notes, Duration::ZERO);
        let wants_terminal = signal == libc::SIGTTIN || signal == libc::SIGTTOU;
        if !(wants_terminal && is_ours_to_read(&self.ends.caller)) {
            if self.is_raw {
                let _ = self.ends.given.apply(self.ends.caller.as_fd());
                self.is_raw = false;
            }
            signals::stop_ourselves(
                signal,
                if signal == libc::SIGSTOP { signals::Stop::Us } else { signals::Stop::Job },
            );
        }
        self.continue_command();
    }

    fn continue_command(&mut self) {
        self.take_terminal();
        self.ends.wire.order(if self.is_raw { Order::GoOnInFront } else { Order::GoOnBehind });
    }

    /// Lets the leader take leave of the command; the most memory that it had resident, in bytes.
    fn reap(&self) -> Option<u64> {
        self.ends.wire.order(Order::Reap);
        while let Some(news) = self.ends.wire.next_news() {
            if let News::Reaped(kibibytes) = news {
                return u64::try_from(kibibytes)
                    .ok()
                    .filter(|kibibytes| *kibibytes > 0)
                    .map(|kibibytes| kibibytes * 1024);
            }
        }
        None
    }
}

/// Whether the terminal has been hung up.
fn is_gone(terminal: &OwnedFd) -> bool {
    poll::wait(Some(terminal.as_raw_fd()), For::Nothing, Some(Duration::ZERO), Mask::FULL).is_ok_and(|seen| seen.gone)
}
