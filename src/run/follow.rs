//! From the child's start to its end: one loop, whose events are told apart once.

use super::capture::Way;
use super::relay::{self, Flow, Relay};
use super::spawn::Child;
use super::signals::Stop;
use super::{Ran, outcome, signals};
use crate::outcome::Outcome;
use crate::sys::argv::Argv;
use crate::sys::errno::Errno;
use crate::sys::poll::{self, For};
use crate::sys::process::{self, Change, Pid};
use crate::sys::signal::{Mask, Signal};
use crate::sys::{fd, file};
use crate::transcript::Recorder;
use crate::watch::Watch;
use std::time::{Duration, Instant, SystemTime};

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
    relay: Option<Relay>,
    recorder: Recorder,
    captured: bool,
    watch: Watch,
    is_stopped: bool,
}

/// Follows the child to its end. Nothing is returned of a success.
pub fn to_the_end(command: Argv, child: Child, way: Way, started: SystemTime, clock: Instant) -> Option<Box<Ran>> {
    let relay = way.into_reader().map(Relay::new);
    signals::belong_to(child.pid);
    fd::let_go_of_stdin_and_stdout();
    let watch = Watch::begin(command, clock);
    let run = Run { child, captured: relay.is_some(), relay, recorder: Recorder::default(), watch, is_stopped: false };
    let (mut run, end) = run.follow();
    let duration = clock.elapsed();
    if end == Change::Exited(0) {
        run.finish_relay();
        process::reap(run.child.pid);
        return None;
    }
    run.failed(end, started, duration)
}

impl Run {
    fn follow(mut self) -> (Self, Change) {
        loop {
            match self.next_event() {
                Event::ChildChanged => {
                    if let Some(end) = self.child_changed() {
                        return (self, end);
                    }
                }
                Event::Continued => self.continue_child(),
                Event::Wrote => self.pass_on(usize::MAX),
                Event::FellSilent => self.relay = None,
                Event::Tick => self.watch.tick(),
            }
        }
    }

    /// Signals are blocked but here and in writes, so none comes between the question and the wait.
    fn next_event(&self) -> Event {
        loop {
            if signals::child_changed() {
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
                // A signal; or a fault, and then the child is asked.
                Err(_) => {}
            }
        }
    }

    fn child_changed(&mut self) -> Option<Change> {
        // A child that is not there any more cannot be waited for: it is taken for one that ended well.
        while let Some(change) = process::change(self.child.pid).unwrap_or(Some(Change::Exited(0))) {
            match change {
                Change::Exited(_) | Change::Killed(_) => return Some(change),
                Change::Stopped(signal) => self.stop_too(signal),
                Change::Continued => self.is_stopped = false,
            }
        }
        None
    }

    /// One read, at most `limit` bytes of it wanted; returns what of the limit is left.
    fn pass_on(&mut self, _limit: usize) {
        let Some(relay) = &mut self.relay else { return };
        let bytes = relay.receive();
        let said = self.recorder.written() + bytes.len() as u64;
        self.watch.heard(bytes, said);
        let flow = if bytes.is_empty() { Flow::Closed } else { relay::pass_on(bytes, self.child.pid) };
        self.recorder.push(bytes);
        if flow == Flow::Closed {
            self.relay = None;
        }
    }

    /// The child has been stopped: what it has said is passed on, and then the shell must see us stopped too.
    fn stop_too(&mut self, signal: Signal) {
        self.is_stopped = true;
        self.drain();
        signals::stop_ourselves(signal, Stop::Us);
        self.continue_if_stopped();
    }

    /// Whoever let us go on may have meant our id alone; most shells mean the group, and then the child goes on already.
    fn continue_if_stopped(&mut self) {
        if let Ok(Some(Change::Continued)) = process::change(self.child.pid) {
            self.is_stopped = false;
        }
        if self.is_stopped {
            self.continue_child();
        }
    }

    fn continue_child(&mut self) {
        self.child.pid.send(libc::SIGCONT);
    }

    /// Passes on what is in the pipe now, and no more: others may write without end.
    fn drain(&mut self) {
        let mut left = self.relay.as_ref().map_or(0, Relay::waiting);
        while left > 0 && self.relay.is_some() {
            let before = self.recorder.written();
            self.pass_on(left);
            let passed = usize::try_from(self.recorder.written() - before).unwrap_or(usize::MAX);
            left = left.saturating_sub(passed);
        }
    }

    /// After the child's end: its last words, and whoever else has the pipe is left to himself.
    fn finish_relay(&mut self) {
        self.drain();
        if let Some(relay) = self.relay.take()
            && relay.has_writers()
        {
            relay.leave_behind();
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

/// A file of the child's in /proc, where it is still listed until it is reaped.
pub fn fact(child: Pid, name: &str) -> Option<String> {
    let bytes = file::read(format!("/proc/{}/{name}", child.0)).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What is known when the child has ended.
pub struct Ended {
    /// How.
    pub end: Change,
    /// Why it did not become the command.
    pub exec_failure: Option<Errno>,
    /// Its limits and its status.
    pub facts: [Option<String>; 2],
    /// The most memory that it had resident, in bytes.
    pub peak_memory: Option<u64>,
    /// Whether its output could be read.
    pub captured: bool,
    /// When it was started.
    pub started: SystemTime,
    /// How long it ran.
    pub duration: Duration,
}

impl Ended {
    /// What a failed run leaves behind; nothing of a success.
    pub fn into_ran(self, recorder: Recorder, watch: Watch) -> Option<Box<Ran>> {
        let Self { end, exec_failure, facts: [limits, status], peak_memory, captured, started, duration } = self;
        if end == Change::Exited(0) {
            return None;
        }
        let outcome = match exec_failure {
            Some(errno) => Outcome::NotStarted { errno: crate::sys::errno::name(errno) },
            None => outcome(end)?,
        };
        let (transcript, watched) = (recorder.finish(), watch.finish());
        Some(Box::new(Ran { outcome, transcript, captured, watched, started, duration, limits, status, peak_memory }))
    }
}
