//! From the child's start to its end: one loop, whose events are told apart once.

use super::capture::Way;
use super::ended::{Ended, fact};
use super::job::Job;
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

/// After so many looks of the timer nothing new is done until the end.
const SETTLED: u32 = 16;

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
    /// It is time to look at the watched places.
    Tick,
}

/// The run as it goes on.
struct Run {
    child: Child,
    job: Job,
    relay: Option<Relay>,
    recorder: Recorder,
    captured: bool,
    watch: Watch,
    /// Looks of the timer.
    ticks: u32,
}

/// Follows the child to its end. Nothing is returned of a success.
pub fn to_the_end(command: Argv, child: Child, way: Way, started: SystemTime, clock: Instant) -> Option<Box<Ran>> {
    let relay = way.into_reader().map(Relay::new);
    carry_on::prepare(child.pid, relay.as_ref().map(Relay::source));
    signals::belong_to(child.pid);
    fd::let_go_of_stdin_and_stdout();
    let watch = Watch::begin(command, clock);
    let job = Job::new(child.pid);
    let mut run = Run { child, job, captured: relay.is_some(), relay, recorder: Recorder::default(), watch, ticks: 0 };
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
                }
                Event::Continued => self.job.let_go_on(),
                Event::Wrote => self.pass_on(),
                Event::FellSilent => self.relay = None,
                Event::Tick => self.tick(),
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
            match poll::wait(source, For::Reading, Some(self.watch.due_in()), Mask::EMPTY) {
                Ok(seen) if seen.ready => return Event::Wrote,
                Ok(seen) if seen.gone => return Event::FellSilent,
                Ok(_) => return Event::Tick,
                Err(Errno::EINTR) => {}
                // Without poll there is still the timer: the child is asked, and the pipe is read when it has something.
                Err(_) => return Event::ChildChanged,
            }
        }
    }

    fn tick(&mut self) {
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
        let facts = ["limits", "status"].map(|name| fact(self.child.pid, name));
        let (exec_failure, captured) = (self.child.exec_failure(), self.captured);
        let peak_memory = process::reap(self.child.pid);
        Ended { end, exec_failure, facts, peak_memory, captured, started, duration }.into_ran(self.recorder, self.watch)
    }
}
