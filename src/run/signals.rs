//! Which signals go on to the child. It is in our process group, so what a terminal sends reaches it without us, and once
//! is right; what a process sent to our id was meant for the command.

use super::carry_on::carry_on;
use crate::exit;
use crate::sys::process::{self, Pid};
use crate::sys::signal::{self, Disposition, Mask, Received, Signal};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// Whom signals go to; 0 while there is no child.
static CHILD: AtomicI32 = AtomicI32::new(0);
/// The child has ended, stopped or gone on.
static CHILD_CHANGED: AtomicBool = AtomicBool::new(false);
/// A process told us to go on.
static CONTINUED: AtomicBool = AtomicBool::new(false);

/// The command leads a process group in a session of its own, where nothing that the caller's terminal sends reaches it.
static HAS_OWN_SESSION: AtomicBool = AtomicBool::new(false);
/// The caller's terminal has another size.
static RESIZED: AtomicBool = AtomicBool::new(false);

/// While we write: signals come in, so that a reader who has stopped does not keep them from the child. The two of
/// terminal access stay blocked, which lets a background job write whatever `stty tostop` says, as termios(3) has it.
pub const WHILE_WRITING: Mask = Mask::EMPTY.with(libc::SIGTTOU).with(libc::SIGTTIN);

/// From now on signals are the child's. What was told of it before there was somebody to hear is asked for at once.
pub fn belong_to(child: Pid) {
    CHILD.store(child.0, Ordering::SeqCst);
    CHILD_CHANGED.store(true, Ordering::SeqCst);
    signal::catch_all(receive);
}

/// From now on signals are the command's, which leads a session of its own: those of the caller's terminal too.
pub fn belong_to_session_of(command: Pid) {
    HAS_OWN_SESSION.store(true, Ordering::SeqCst);
    belong_to(command);
}

/// Whether the caller's terminal has changed its size since the last call.
pub fn resized() -> bool {
    RESIZED.swap(false, Ordering::SeqCst)
}

/// Who stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// This process.
    Us,
    /// Its whole process group, as the terminal's ^Z would have it.
    Job,
}

/// Stops as the command was stopped, so that the shell sees it; returns when somebody lets us go on.
pub fn stop_ourselves(signal: Signal, stop: Stop) {
    let before = Mask::FULL.install();
    let _ = signal::dispose(signal, Disposition::Default);
    match stop {
        Stop::Us => Pid::own().send(signal),
        Stop::Job => process::send_to_own_group(signal),
    }
    // Here it is taken, and here we go on.
    Mask::FULL.without(signal).install();
    signal::catch(signal);
    Mask::EMPTY.install();
    before.install();
    let _ = continued();
}

/// Whether the child's state has changed since the last call.
pub fn child_changed() -> bool {
    CHILD_CHANGED.swap(false, Ordering::SeqCst)
}

/// The same, for a look that is not the last.
pub fn has_child_changed() -> bool {
    CHILD_CHANGED.load(Ordering::SeqCst)
}

/// Whether somebody told us to go on since the last call.
pub fn continued() -> bool {
    CONTINUED.swap(false, Ordering::SeqCst)
}

/// From now on the command is over: signals that would end us end us as the child ended, the others do what they always do.
pub fn belong_to_us_again(given: Mask) {
    for signal in STOPPING_OR_HARMLESS {
        let _ = signal::dispose(signal, Disposition::Default);
    }
    given.install();
}

/// Signals whose default action is not to end the process, signal(7).
const STOPPING_OR_HARMLESS: [Signal; 7] =
    [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU, libc::SIGCONT, libc::SIGCHLD, libc::SIGWINCH, libc::SIGURG];

/// Runs as a signal handler.
fn receive(received: &Received) {
    if exit::is_decided() {
        return end_or_pass_over(received.signal);
    }
    if received.signal == libc::SIGCHLD {
        CHILD_CHANGED.store(true, Ordering::SeqCst);
        if !received.is_from_a_process() {
            return;
        }
    }
    let (own, child) = (Pid::own(), Pid(CHILD.load(Ordering::SeqCst)));
    if is_own_fault(received, own) {
        carry_on();
    }
    let origin = Origin::of(received, own, child);
    if HAS_OWN_SESSION.load(Ordering::SeqCst) {
        return into_the_session(received, &origin, child);
    }
    if !goes_on(received.signal, &origin) {
        return;
    }
    if received.signal == libc::SIGCONT {
        CONTINUED.store(true, Ordering::SeqCst);
    } else {
        received.pass_on(child);
    }
}

/// What is sent to our process group does not reach the command's, which is elsewhere. What ends or stops a job goes to the whole
/// of it, since a shell that sends it means the job (`kill %1`, a hangup).
fn into_the_session(received: &Received, origin: &Origin, command: Pid) {
    let is_ours = received.is_from_a_process() && received.sender == Pid::own();
    match received.signal {
        _ if *origin == Origin::Family => {}
        // The front half's own, for the job around us: the command has it from its terminal.
        libc::SIGINT | libc::SIGQUIT if is_ours => {}
        libc::SIGHUP | libc::SIGINT | libc::SIGQUIT | libc::SIGTERM | libc::SIGTSTP => {
            command.send_to_group(received.signal);
        }
        libc::SIGCONT => CONTINUED.store(true, Ordering::SeqCst),
        libc::SIGWINCH if !received.is_from_a_process() => RESIZED.store(true, Ordering::SeqCst),
        signal if goes_on(signal, origin) => received.pass_on(command),
        _ => {}
    }
}

/// The command is over: what would end us ends us as the command ended, what would stop us stops us.
fn end_or_pass_over(signal: Signal) {
    match signal {
        libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => {
            let _ = signal::dispose(signal, Disposition::Default);
            Pid::own().send(signal);
        }
        signal if STOPPING_OR_HARMLESS.contains(&signal) => {}
        _ => exit::end_as_decided(),
    }
}

fn is_own_fault(received: &Received, own: Pid) -> bool {
    match received.signal {
        libc::SIGSEGV | libc::SIGBUS | libc::SIGILL | libc::SIGFPE | libc::SIGTRAP | libc::SIGSYS => {
            !received.is_from_a_process()
        }
        libc::SIGABRT => received.is_from_a_process() && received.sender == own,
        _ => false,
    }
}

/// Who a signal is from, as far as that decides.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    /// The child, which must not get its own signal back (`kill $PPID`); or our own write to a reader that has gone, which
    /// the relay answers. Any other signal of our id's own was sent before this program was executed under it.
    Family,
    /// Some other process.
    Process,
    /// The kernel or a terminal; whether we lead the session.
    Kernel { to_session_leader: bool },
}

impl Origin {
    fn of(received: &Received, own: Pid, child: Pid) -> Self {
        match (received.is_from_a_process(), received.sender) {
            (true, sender) if sender == child => Self::Family,
            (true, sender) if sender == own && received.signal == libc::SIGPIPE => Self::Family,
            (true, _) => Self::Process,
            (false, _) => Self::Kernel { to_session_leader: own.leads_its_session() },
        }
    }
}

/// Whether a signal is the child's too.
fn goes_on(signal: Signal, origin: &Origin) -> bool {
    match origin {
        Origin::Family => false,
        Origin::Process => true,
        Origin::Kernel { to_session_leader } => match signal {
            // When a terminal hangs up, its session's leader alone is told.
            libc::SIGHUP | libc::SIGCONT => *to_session_leader,
            // A timer of alarm(2) or setitimer(2) outlives execve(2) and not fork(2): the caller set it for the command. So
            // does the ownership of a descriptor's events, F_SETOWN of fcntl(2).
            libc::SIGALRM | libc::SIGVTALRM | libc::SIGPROF | libc::SIGIO | libc::SIGURG => true,
            // The rest goes to the whole foreground process group, or is about ourselves.
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Origin = Origin::Kernel { to_session_leader: false };

    #[test]
    fn what_a_process_sends_goes_on() {
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGWINCH, libc::SIGCONT, libc::SIGTSTP, libc::SIGUSR1, 40] {
            assert!(goes_on(signal, &Origin::Process), "{signal}");
        }
    }

    #[test]
    fn what_a_terminal_sends_to_the_group_does_not_go_on() {
        for signal in [libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGWINCH, libc::SIGHUP, libc::SIGCONT] {
            assert!(!goes_on(signal, &TERMINAL), "{signal}");
        }
    }

    #[test]
    fn a_hangup_that_the_session_leader_alone_is_told_goes_on() {
        assert!(goes_on(libc::SIGHUP, &Origin::Kernel { to_session_leader: true }));
    }

    #[test]
    fn an_alarm_that_was_set_for_the_command_goes_on() {
        assert!(goes_on(libc::SIGALRM, &TERMINAL));
    }

    #[test]
    fn nothing_of_the_child_or_of_our_own_goes_on() {
        for signal in [libc::SIGTERM, libc::SIGPIPE, libc::SIGXFSZ, libc::SIGCHLD] {
            assert!(!goes_on(signal, &Origin::Family), "{signal}");
        }
    }
}
