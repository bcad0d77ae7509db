//! From the child's start to its end: one loop, whose events are told apart once.

use super::capture::{Source, Way};
use super::ended::{Ended, fact, written_by};
use super::job::Job;
use super::read_back::ReadBack;
use super::relay::{Flow, Relay};
use super::spawn::Child;
use super::{Ran, carry_on, signals};
use crate::exit;
use crate::sys::argv::Argv;
use crate::sys::errno::Errno;
use crate::sys::fd;
use crate::sys::memory;
use crate::sys::poll::{self, For};
use crate::sys::process::{self, Change};
use crate::sys::signal::Mask;
use crate::transcript::Recorder;
use crate::watch::Watch;
use std::time::{Duration, Instant, SystemTime};

/// After so many looks of the timer nothing new is done until the end but to ask, at each, whether it has come.
const SETTLED: u32 = 16;
/// The longest time between two looks at a file that tells nobody when it is written to.
const LISTENING: Duration = Duration::from_millis(20);

/// What can happen while the child runs.
enum Event {
    /// It ended, stopped or went on.
    ChildChanged,
    /// A process told us to go on.
    Continued,
    /// It wrote.
    Wrote,
    /// Every writer has closed the pipe.
    FellSilent,
    /// Nobody reads the caller's stderr any more.
    LostReader,
    /// It is time to look at the watched places.
    Tick,
}

/// The run as it goes on.
struct Run {
    child: Child,
    job: Job,
    relay: Option<Relay>,
    file: Option<ReadBack>,
    recorder: Recorder,
    captured: bool,
    watch: Watch,
    /// Looks of the timer.
    ticks: u32,
}

/// Follows the child to its end. Nothing is returned of a success.
pub fn to_the_end(command: Argv, child: Child, way: Way, started: SystemTime, clock: Instant) -> Option<Box<Ran>> {
    let (relay, file) = match way.into_source() {
        Source::None => (None, None),
        Source::Pipe(end) => (Some(Relay::new(end)), None),
        Source::File(file) => (None, Some(file)),
    };
    carry_on::prepare(child.pid, relay.as_ref().map(Relay::source));
    signals::belong_to(child.pid);
    fd::let_go_of_stdin_and_stdout();
    let watch = Watch::begin(command, clock);
    let job = Job::new(child.pid);
    let (recorder, captured) = (Recorder::default(), relay.is_some() || file.is_some());
    let mut run = Run { child, job, relay, file, recorder, captured, watch, ticks: 0 };
    let end = run.follow();
    let duration = clock.elapsed();
    if end == Change::Exited(0) {
        run.finish_relay();
        let _ = process::reap(run.child.pid);
        // We are about to end, and the kernel takes everything back faster than piece by piece.
        std::mem::forget(run);
        return None;
    }
    run.failed(end, started, duration)
}

impl Run {
    fn follow(&mut self) -> Change {
        loop {
            match self.next_event() {
                Event::ChildChanged => {
                    // What it said before it stopped is seen before it is seen to have stopped.
                    self.drain();
                    if let Some(end) = self.job.mind() {
                        return end;
                    }
                    self.job.take_leave_of_orphans();
                }
                Event::Continued => self.job.let_go_on(),
                Event::Wrote => self.pass_on(),
                Event::FellSilent => self.relay = None,
                Event::LostReader => self.relay = self.relay.take().and_then(Relay::without_reader),
                Event::Tick => {
                    self.tick();
                    // Where a filter keeps handlers from us, nobody tells.
                    if self.ticks > SETTLED
                        && let Some(end) = self.job.mind()
                    {
                        return end;
                    }
                }
            }
        }
    }

    /// Signals are blocked but here and in writes, so none comes between the question and the wait.
    fn next_event(&self) -> Event {
        loop {
            if signals::child_changed() || exit::is_decided() {
                return Event::ChildChanged;
            }
            if signals::continued() {
                return Event::Continued;
            }
            let source = self.relay.as_ref().map(Relay::source);
            let reader = self.relay.as_ref().and_then(Relay::reader);
            let waited = [(source, For::Reading), (reader, For::Nothing)];
            match poll::wait_for_any(waited, Some(self.wait()), Mask::EMPTY) {
                Ok([_, reader]) if reader.gone => return Event::LostReader,
                Ok([seen, _]) if seen.ready => return Event::Wrote,
                Ok([seen, _]) if seen.gone => return Event::FellSilent,
                Ok(_) => return Event::Tick,
                Err(Errno::EINTR) => {}
                // Without poll there is still the timer: the child is asked, and the pipe is read when it has something.
                Err(_) => return Event::ChildChanged,
            }
        }
    }

    fn wait(&self) -> Duration {
        let due = self.watch.due_in();
        if self.file.is_some() { due.min(LISTENING) } else { due }
    }

    fn tick(&mut self) {
        self.read_back();
        if !self.watch.due_in().is_zero() {
            return;
        }
        self.watch.tick();
        self.ticks = self.ticks.saturating_add(1);
        if self.ticks == SETTLED {
            memory::let_go_of_the_program();
        }
    }

    /// Reads once and passes it on.
    fn pass_on(&mut self) {
        let Some(mut relay) = self.relay.take() else { return };
        let count = relay.receive(self.recorder.room());
        if count == 0 {
            return;
        }
        self.recorder.fill(count);
        let bytes = self.recorder.last(count);
        self.watch.heard(bytes, self.recorder.written());
        match relay.pass_on(bytes, &mut self.job) {
            Flow::Open => self.relay = Some(relay),
            Flow::Closed => {}
            Flow::Stuck(written) => {
                relay.leave_behind(&bytes[written..]);
                exit::end_as_decided();
            }
        }
    }

    /// Reads what the command wrote to the caller's file until now.
    fn read_back(&mut self) {
        let Some(file) = &mut self.file else { return };
        let mut waiting = file.waiting();
        while waiting > 0 {
            let room = self.recorder.room();
            let most = room.len().min(usize::try_from(waiting).unwrap_or(usize::MAX));
            let count = file.receive(&mut room[..most]);
            if count == 0 {
                return;
            }
            self.recorder.fill(count);
            self.watch.heard(self.recorder.last(count), self.recorder.written());
            waiting -= count as u64;
        }
    }

    /// Where others had the caller's file too, nobody can tell whose the lines are: it is as if we had none.
    fn forget_what_others_wrote(&mut self) {
        let Some(file) = &self.file else { return };
        if written_by(self.child.pid).is_some_and(|bytes| !file.can_be_of_one_who_wrote(bytes)) {
            self.recorder = Recorder::default();
            self.captured = false;
        }
    }

    /// Passes on what is in the pipe now, and no more: others may write without end.
    fn drain(&mut self) {
        let end = self.recorder.written() + self.relay.as_ref().map_or(0, Relay::waiting) as u64;
        while self.recorder.written() < end && self.relay.is_some() {
            self.pass_on();
        }
    }

    /// After the child's end: its last words, and whoever else has the pipe is left to himself.
    fn finish_relay(&mut self) {
        self.drain();
        if let Some(relay) = self.relay.take()
            && relay.has_writers()
        {
            relay.leave_behind(&[]);
        }
    }

    fn failed(mut self, end: Change, started: SystemTime, duration: Duration) -> Option<Box<Ran>> {
        self.watch.look_at_the_end();
        self.finish_relay();
        self.read_back();
        self.forget_what_others_wrote();
        let facts = ["limits", "status"].map(|name| fact(self.child.pid, name));
        let written = written_by(self.child.pid);
        let (exec_failure, captured) = (self.child.exec_failure(), self.captured);
        let peak_memory = process::reap(self.child.pid);
        Ended { end, exec_failure, facts, written, peak_memory, captured, started, duration }
            .into_ran(self.recorder, self.watch)
    }
}
