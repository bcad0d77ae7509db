//! The command's start before the C library's own.
//!
//! A static program asks the processor for its features some forty times before `main`, by `cpuid`, which leaves a virtual machine
//! each time: a tenth of all that an ordinary run costs. Nothing of it is needed to start a command whose stderr is no terminal.
//! So the child is started first and has the processor for a moment. Where that was enough for the command, we end with it; where it
//! was not, this process becomes a program with a library and follows it.
//!
//! Nothing of the C library may be called on this way, and nothing of the standard library that does: no allocation, no lock, no
//! comparison of slices, no array that must be zeroed, nothing longer than 32 bytes that is moved. Whatever would need it, a
//! terminal above all, is left to the ordinary start, which comes after.

use super::capture::Way;
use super::carry_on;
use super::spawn::{self, Child, Given};
use crate::exit;
use crate::sys::argv::{Argv, Stack};
use crate::sys::handover::Handover;
use crate::sys::poll;
use crate::sys::process::{self, Pid};
use crate::sys::signal;
use crate::sys::time;
use std::time::{Duration, Instant, SystemTime};

static GIVEN: Handover<Given> = Handover::empty();
static WAY: Handover<Way> = Handover::empty();
static CHILD: Handover<Child> = Handover::empty();
static STARTED: Handover<Duration> = Handover::empty();

/// On a stack that is smaller we cannot follow a command: more than half of it is ours to fill.
const STACK: u64 = 256 << 10;
/// Bytes of a stack of our own in its place: what is usual.
const OWN_STACK: usize = 8 << 20;

/// Nanoseconds that a command has to itself: enough for one that has nothing to do, and less than anybody notices of a signal or a
/// line of output that comes so much later.
const A_MOMENT: libc::c_long = 2_000_000;

/// Starts the command, if it is one that can be started now. Called once, before there is a library, with the stack that the kernel laid
/// out; returns the one on which the library is to be set up.
#[must_use]
pub fn begin(stack: Stack) -> Stack {
    let is_small = process::stack_limit().is_some_and(|limit| limit < STACK);
    let roomy = if is_small { stack.moved(OWN_STACK).ok() } else { Some(stack) };
    if let Some(command) = command_in(stack.arguments().skip(1)) {
        if roomy.is_none() {
            // It is followed by nobody, and has its own status all the same.
            let errno = process::become_command(command, stack.environment());
            process::end(exit::not_started(errno));
        }
        start(command, stack.environment());
    }
    roomy.unwrap_or(stack)
}

fn start(command: Argv, environment: Argv) {
    if !is_ordinary(environment) {
        return;
    }
    let Some(mut way) = Way::beside_a_terminal() else { return };
    let started = time::monotonic_early();
    let given = Given::take();
    let Ok(child) = spawn::start_early(command, environment, given, || way.hand_over()) else {
        // It is tried once more on the ordinary way.
        given.give_back();
        return way.give_up();
    };
    way.leave_the_end_to_write();
    if succeeds_at_once(child.pid, &way) {
        process::end(0);
    }
    GIVEN.leave(given);
    WAY.leave(way);
    CHILD.leave(child);
    STARTED.leave(started);
}

/// Gives the command the processor, and says whether there is nothing left to do but to end as it did: it has exited with 0, all
/// that it wrote has been read, and nobody else writes there.
///
/// Until it has become the command and run a little the kernel has it wait behind us, on the same processor; and of what is done
/// here afterwards a command that ends at once needs nothing.
fn succeeds_at_once(child: Pid, way: &Way) -> bool {
    let succeeds = signal::exit_within(child, A_MOMENT) == Some(0) && way.source().is_none_or(poll::has_run_dry);
    if succeeds {
        process::take_leave(child);
    }
    succeeds
}

/// The command, if no option stands before it but the one that changes nothing of the run.
fn command_in(arguments: Argv) -> Option<Argv> {
    let behind_quiet = arguments.behind(c"--quiet");
    let rest = if behind_quiet == arguments { arguments.behind(c"-q") } else { behind_quiet };
    let command = rest.behind(c"--");
    // Behind the two strokes an option is a command as well; it is left to the ordinary way.
    command.begins_otherwise(b'-').then_some(command)
}

/// Whether there is nothing that only the ordinary start can deal with: a message for the child in the environment, or a limit that
/// the library might fail at when the command has already been started.
fn is_ordinary(environment: Argv) -> bool {
    !process::has_messages(environment) && process::address_space_limit().is_none()
}

/// To be called first of all by `main`: whatever befalls us from now on, a command that was begun is followed to its end.
pub fn follow_whatever_happens() {
    let (child, source) = (CHILD.look(|child| child.pid), WAY.look(Way::source).flatten());
    if let Some(child) = child {
        carry_on::prepare(child, source);
        carry_on::whatever_happens();
    }
}

/// What was begun.
pub struct Begun {
    /// The caller's signal state.
    pub given: Given,
    /// How the child's stderr is read.
    pub way: Way,
    /// The child.
    pub child: Child,
    /// When it was started.
    pub started: SystemTime,
    /// The same by the clock that never goes back.
    pub clock: Instant,
}

impl Begun {
    /// What was begun, if anything was.
    #[must_use]
    pub fn take() -> Option<Self> {
        let (child, given, way) = (CHILD.take()?, GIVEN.take()?, WAY.take()?);
        let since = time::monotonic_early().saturating_sub(STARTED.take()?);
        let (now, clock) = (SystemTime::now(), Instant::now());
        let (started, clock) = (now.checked_sub(since).unwrap_or(now), clock.checked_sub(since).unwrap_or(clock));
        Some(Self { given, way, child, started, clock })
    }
}
