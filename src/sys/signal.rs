//! Signal masks, dispositions and handlers as the kernel has them. The C library's own calls keep signals 32 and 33 for
//! themselves, and a mask that went through them would come out changed.

use super::errno::Errno;
use super::fd::checked;
use super::pid::Pid;
use super::raw::call;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

pub use super::pid::Signal;

/// The highest signal number of the kernel.
const LAST: Signal = 64;
/// The first of the two that the C library uses for its threads, nptl(7).
const LIBRARY: [Signal; 2] = [32, 33];

/// A set of signals; bit N−1 stands for signal N, as in the kernel.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask(u64);

impl Mask {
    /// Bytes of a mask.
    pub(super) const BYTES: usize = size_of::<u64>();
    /// No signal is blocked.
    pub const EMPTY: Self = Self(0);
    /// Every signal that can be blocked is.
    pub const FULL: Self = Self(u64::MAX);

    /// The set with one more signal.
    #[must_use]
    pub const fn with(self, signal: Signal) -> Self {
        Self(self.0 | 1 << (signal - 1))
    }

    /// The set without a signal.
    #[must_use]
    pub const fn without(self, signal: Signal) -> Self {
        Self(self.0 & !(1 << (signal - 1)))
    }

    /// Makes it the mask of the calling thread and returns the one before; where the kernel refuses, nothing was blocked.
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "the mask before is not always wanted"
    )]
    pub fn install(self) -> Self {
        let mut before = Self::EMPTY;
        let (new, old) = (&raw const self, &raw mut before);
        // A second try costs nothing and keeps the child's mask right where the first was refused by a fault.
        for _ in 0..2 {
            // SAFETY: both masks have the size that the kernel is told.
            let done = unsafe { call!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, new, old, Self::BYTES) };
            if done.is_ok() {
                break;
            }
        }
        before
    }
}

/// What a signal does to a process that does not handle it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// What signal(7) says.
    Default,
    /// Nothing.
    Ignore,
}

/// Sets the disposition of a signal and says whether it was ignored before.
///
/// # Errors
/// EINVAL for a signal that cannot have one.
pub fn dispose(signal: Signal, disposition: Disposition) -> Result<Disposition, Errno> {
    let handler = match disposition {
        Disposition::Default => libc::SIG_DFL,
        Disposition::Ignore => libc::SIG_IGN,
    };
    let action = Action {
        handler,
        flags: 0,
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        restorer: 0,
        mask: Mask::EMPTY,
    };
    let mut before = MaybeUninit::<Action>::uninit();
    let (new, old) = (&raw const action, before.as_mut_ptr());
    // SAFETY: both actions have the kernel's layout and outlive the call, and the mask has the size that it is told.
    unsafe { call!(libc::SYS_rt_sigaction, signal, new, old, Mask::BYTES) }?;
    // SAFETY: the kernel has filled it in.
    let before = unsafe { (*before.as_ptr()).handler };
    Ok(if before == libc::SIG_IGN { Disposition::Ignore } else { Disposition::Default })
}

/// The exit code of a child that exits within so many nanoseconds (less than a second), while SIGCHLD is blocked. A SIGCHLD of another
/// kind is taken as well: whoever wants to know of it asks after the child.
#[must_use]
pub fn exit_within(child: Pid, nanoseconds: libc::c_long) -> Option<libc::c_int> {
    let (wanted, time) = (Mask::EMPTY.with(libc::SIGCHLD), libc::timespec { tv_sec: 0, tv_nsec: nanoseconds });
    let mut info = MaybeUninit::<libc::siginfo_t>::uninit();
    let (set, place, time) = (&raw const wanted, info.as_mut_ptr(), &raw const time);
    // SAFETY: all three outlive the call, and the mask has the size that the kernel is told.
    unsafe { call!(libc::SYS_rt_sigtimedwait, set, place, time, Mask::BYTES) }.ok()?;
    // SAFETY: the call has filled it in; a code above 0 is the kernel's own, with the fields of a SIGCHLD.
    unsafe {
        let info = &*info.as_ptr();
        (info.si_code == libc::CLD_EXITED && info.si_pid() == child.0).then(|| info.si_status())
    }
}

/// A `struct sigaction` of the kernel, `include/linux/signal_types.h`; younger architectures have no restorer.
#[repr(C)]
struct Action {
    handler: libc::sighandler_t,
    flags: libc::c_ulong,
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    restorer: usize,
    mask: Mask,
}

fn handle(signal: Signal, handler: libc::sighandler_t, flags: libc::c_int) -> Result<(), Errno> {
    // SAFETY: all-zero bytes are a valid sigaction: default action, empty mask, no flags.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    // Nothing interrupts a handler: it is a few instructions long.
    // SAFETY: the set is a field of `action`.
    unsafe { libc::sigfillset(&raw mut action.sa_mask) };
    // SAFETY: the action outlives the call; the handlers that this module sets are async-signal-safe.
    checked(unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) }).map(drop)
}

/// A signal that has come in.
pub struct Received<'a> {
    /// Which.
    pub signal: Signal,
    /// Where it is from, the `SI_` codes of sigaction(2): up to 0 a process sent it, above 0 the kernel did.
    pub code: libc::c_int,
    /// Who sent it, where a process did; 0 for one of another pid namespace.
    pub sender: Pid,
    info: &'a libc::siginfo_t,
}

impl Received<'_> {
    /// Whether a process sent it, and not the kernel or a terminal.
    #[must_use]
    pub fn is_from_a_process(&self) -> bool {
        self.code <= 0
    }

    /// Sends it on as it came: with the sender and the value of `sigqueue(3)` where the kernel lets us, `rt_sigqueueinfo(2)`.
    pub fn pass_on(&self, to: Pid) {
        if self.code < 0 && self.code != libc::SI_TKILL {
            // SAFETY: the info is the kernel's own.
            let done =
                unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, to.0, self.signal, std::ptr::from_ref(self.info)) };
            if done == 0 {
                return;
            }
        }
        to.send(self.signal);
    }
}

/// What is done with signals that come in; it runs in a signal handler, so it may call async-signal-safe functions alone.
pub type Policy = fn(&Received);

static POLICY: OnceLock<Policy> = OnceLock::new();

/// Hands every signal that can be caught to the policy, those too that were ignored. Set once; later calls change nothing.
pub fn catch_all(policy: Policy) {
    POLICY.get_or_init(|| policy);
    for signal in (1..=LAST).filter(|signal| !LIBRARY.contains(signal)) {
        catch(signal);
    }
}

/// Hands one signal to the policy; KILL and STOP, which cannot be caught, stay as they are.
pub fn catch(signal: Signal) {
    if signal == libc::SIGKILL || signal == libc::SIGSTOP {
        return;
    }
    let handler: extern "C" fn(Signal, *mut libc::siginfo_t, *mut libc::c_void) = arrived;
    // Without SA_RESTART: a write that waits is ended, and the child asked after.
    // Refused for one signal, it is only not handed on.
    let _ = handle(signal, handler as libc::sighandler_t, libc::SA_SIGINFO);
}

extern "C" fn arrived(signal: Signal, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel hands a valid siginfo to a handler with SA_SIGINFO; si_pid reads two of its integers, which are
    // meaningful where a process sent the signal and not looked at elsewhere.
    let received = unsafe { Received { signal, code: (*info).si_code, sender: Pid((*info).si_pid()), info: &*info } };
    let errno = Errno::last_raw();
    if let Some(policy) = POLICY.get() {
        policy(&received);
    }
    Errno::set_raw(errno);
}

/// The name of a signal, such as `SIGKILL` or `SIGRTMIN+3`.
#[must_use]
pub fn name(signal: Signal) -> String {
    if let Ok(known) = nix::sys::signal::Signal::try_from(signal) {
        return known.as_str().to_owned();
    }
    match signal - libc::SIGRTMIN() {
        0 => "SIGRTMIN".to_owned(),
        above @ 1.. => format!("SIGRTMIN+{above}"),
        _ => format!("signal {signal}"),
    }
}
