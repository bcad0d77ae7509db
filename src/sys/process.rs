//! Starting a process and learning how it ends, by the calls themselves: the standard library changes signal
//! dispositions on the way and loses the status when SIGCHLD is ignored.

use super::errno::Errno;
use super::fd::checked;
use super::memory;
use super::raw::{call, int};
use super::signal::{self, Disposition, Mask, Signal};

use super::argv::Argv;
pub use super::exec::become_command;
pub use super::pid::Pid;

use std::ffi::CStr;
use std::io::Write;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicI32, Ordering};

/// Which side of a fork we are on.
pub enum Forked {
    /// The new process.
    Child,
    /// The old one, with the new one's id.
    Parent(Pid),
}

/// Makes a process.
///
/// # Errors
/// EAGAIN (no process slot), ENOMEM, and whatever a filter of seccomp(2) answers.
pub fn fork() -> Result<Forked, Errno> {
    // SAFETY: the process has one thread, so the child may go on with all that the parent can do.
    match checked(unsafe { libc::fork() })? {
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(Pid(pid))),
    }
}

/// Makes a process that soon becomes another program and calls nothing of the C library until then: it may come before that
/// has been set up, and what the library would do around a fork is left out.
///
/// # Errors
/// Those of [`fork`].
pub fn fork_for_exec() -> Result<Forked, Errno> {
    // SAFETY: as a fork has it, nothing is shared: no stack is given and no flag but the signal that tells of the child's end.
    match unsafe { call!(libc::SYS_clone, libc::SIGCHLD) }? {
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(Pid(int(pid)))),
    }
}

/// Variables that name the process which their message is for, by its id: `sd_listen_fds(3)` and `sd_watchdog_enabled(3)`.
const ADDRESSED: [&CStr; 2] = [c"LISTEN_PID", c"WATCHDOG_PID"];
/// The same process by another number, which is compared only where it is set.
const ADDRESSED_BY_PIDFD: &CStr = c"LISTEN_PIDFDID";

/// What the environment addresses to a process is for us instead: to be called in the child that stands for it.
pub fn take_messages_of(process: Pid) {
    for variable in ADDRESSED {
        // SAFETY: the process has one thread, so nobody changes the environment while its string is read.
        let is_for_it = unsafe {
            let value = libc::getenv(variable.as_ptr());
            !value.is_null() && CStr::from_ptr(value).to_str().is_ok_and(|id| id.parse() == Ok(process.0))
        };
        let mut number = [0; 12];
        if is_for_it && write!(&mut number[..], "{}\0", Pid::own().0).is_ok() {
            // SAFETY: one thread as above; all are C strings, the number by the null that was just written.
            unsafe {
                libc::setenv(variable.as_ptr(), number.as_ptr().cast(), 1);
                libc::unsetenv(ADDRESSED_BY_PIDFD.as_ptr());
            }
        }
    }
}

/// Whether the environment has a message for a process, which the child may have to take.
#[must_use]
pub fn has_messages(environment: Argv) -> bool {
    environment.variable(b"LISTEN_PID").is_some() || environment.variable(b"WATCHDOG_PID").is_some()
}

/// Asks for SIGKILL when the parent dies, so that whoever kills us kills the command, and checks that it has not already.
pub fn die_with_parent(parent: Pid) {
    // SAFETY: numbers alone are passed.
    let _ = unsafe { call!(libc::SYS_prctl, libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    if Pid::of_parent() != parent {
        end(128 + libc::SIGKILL);
    }
}

/// Ends the process at once: no destructor runs and no buffer is written.
pub fn end(status: libc::c_int) -> ! {
    loop {
        // SAFETY: a number alone is passed, and the call does not return.
        let _ = unsafe { call!(libc::SYS_exit_group, status) };
    }
}

/// Ends the process by a signal, without a core of its own. Returns where the kernel does not let it.
pub fn die_by(signal: Signal) {
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: numbers and a valid rlimit are passed. The first keeps a core from a pipe of core(5) too.
    unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
        libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core);
    }
    // KILL and STOP refuse a disposition and need none.
    let _ = signal::dispose(signal, Disposition::Default);
    Mask::FULL.without(signal).install();
    Pid::own().send(signal);
}

/// A number that parent and child share: the child leaves there why `execve(2)` failed. A page takes no descriptor, and
/// nothing has to be read or waited for when all goes well.
pub struct Note(&'static AtomicI32);

impl Note {
    /// Maps the page.
    ///
    /// # Errors
    /// Those of `mmap(2)`.
    pub fn new() -> Result<Self, Errno> {
        let page: *mut AtomicI32 = memory::pages(size_of::<AtomicI32>(), libc::MAP_SHARED)?;
        // SAFETY: the page is zeroed, aligned, larger than the number, and never unmapped.
        Ok(Self(unsafe { &*page }))
    }

    /// Leaves a number.
    pub fn leave(&self, errno: Errno) {
        self.0.store(errno as i32, Ordering::Release);
    }

    /// What was left, if anything was.
    #[must_use]
    pub fn found(&self) -> Option<Errno> {
        match self.0.load(Ordering::Acquire) {
            0 => None,
            errno => Some(Errno::from_raw(errno)),
        }
    }
}

/// What has become of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It exited with this status.
    Exited(libc::c_int),
    /// This signal ended it.
    Killed(Signal),
    /// This signal stopped it.
    Stopped(Signal),
    /// It goes on.
    Continued,
}

/// What has become of this child and no other, without waiting. An end is only looked at: the process stays a zombie, whose
/// limits and status can still be read, until [`reap`]. Stops and continuations are told once.
///
/// # Errors
/// ECHILD when there is no such child.
pub fn change(child: Pid) -> Result<Option<Change>, Errno> {
    let seen = wait(child, libc::WEXITED | libc::WSTOPPED | libc::WCONTINUED | libc::WNOWAIT)?;
    if let Some(Change::Stopped(_) | Change::Continued) = seen {
        return wait(child, libc::WSTOPPED | libc::WCONTINUED).map(|told| told.or(seen));
    }
    Ok(seen)
}

fn wait(child: Pid, options: libc::c_int) -> Result<Option<Change>, Errno> {
    let id = libc::id_t::try_from(child.0).map_err(|_| Errno::ECHILD)?;
    // SAFETY: all-zero bytes are a valid siginfo; `waitid` leaves them where nothing has changed, waitid(2).
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: `info` outlives the call.
    let mut ask = || checked(unsafe { libc::waitid(libc::P_PID, id, &raw mut info, options | libc::WNOHANG) });
    // A status is told once, and nobody would tell of it again: what refused to answer is asked a second time.
    match ask().or_else(|errno| if errno == Errno::ECHILD { Err(errno) } else { ask() }) {
        Ok(_) => {}
        Err(Errno::ECHILD) => return Err(Errno::ECHILD),
        Err(_) => return wait_plainly(child),
    }
    // SAFETY: waitid fills in the fields of a SIGCHLD.
    let status = unsafe { info.si_status() };
    Ok(match info.si_code {
        libc::CLD_EXITED => Some(Change::Exited(status)),
        libc::CLD_KILLED | libc::CLD_DUMPED => Some(Change::Killed(status)),
        libc::CLD_STOPPED | libc::CLD_TRAPPED => Some(Change::Stopped(status)),
        libc::CLD_CONTINUED => Some(Change::Continued),
        _ => None,
    })
}

/// The same by an older call, where a filter refuses waitid(2) for ever. A child that has ended is taken leave of.
fn wait_plainly(child: Pid) -> Result<Option<Change>, Errno> {
    let mut status = 0;
    let wanted = libc::WNOHANG | libc::WUNTRACED | libc::WCONTINUED;
    // SAFETY: `status` outlives the call.
    let changed = checked(unsafe { libc::waitpid(child.0, &raw mut status, wanted) })?;
    Ok(match changed {
        0 => None,
        _ if libc::WIFEXITED(status) => Some(Change::Exited(libc::WEXITSTATUS(status))),
        _ if libc::WIFSIGNALED(status) => Some(Change::Killed(libc::WTERMSIG(status))),
        _ if libc::WIFSTOPPED(status) => Some(Change::Stopped(libc::WSTOPSIG(status))),
        _ => Some(Change::Continued),
    })
}

/// Takes leave of those who have ended, as process 1 has to of every orphan, up to this child, which is left a zombie.
pub fn take_leave_of_orphans(child: Pid) {
    loop {
        // SAFETY: all-zero bytes are a valid siginfo, and it outlives the call.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let ended = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: as above; the id is ignored where everybody is waited for, waitid(2).
        let asked = checked(unsafe { libc::waitid(libc::P_ALL, 0, &raw mut info, ended) });
        // SAFETY: waitid fills in the fields of a SIGCHLD, and leaves zeroes where nobody has ended.
        let orphan = Pid(unsafe { info.si_pid() });
        if asked.is_err() || orphan == Pid(0) || orphan == child {
            return;
        }
        take_leave(orphan);
    }
}

/// Waits for a child that is about to end, and takes leave of it.
pub fn wait_for(child: Pid) {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    while unsafe { libc::waitpid(child.0, &raw mut status, 0) } < 0 && Errno::last() == Errno::EINTR {}
}

/// Takes leave of a child that has ended, before the C library has been set up too.
pub fn take_leave(child: Pid) {
    let nowhere = std::ptr::null::<libc::c_int>();
    // SAFETY: nothing is written where there is no place to write to, wait4(2).
    let _ = unsafe { call!(libc::SYS_wait4, child.0, nowhere, libc::WNOHANG, nowhere) };
}

/// Takes leave of a child that has ended and returns the most memory that it had resident, in bytes, getrusage(2).
#[expect(clippy::must_use_candidate, reason = "called to take leave as often as for the figure")]
pub fn reap(child: Pid) -> Option<u64> {
    // SAFETY: all-zero bytes are a valid `rusage`, a struct of integers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let mut status = 0;
    // SAFETY: both outlive the call.
    checked(unsafe { libc::wait4(child.0, &raw mut status, libc::WNOHANG, &raw mut usage) }).ok()?;
    u64::try_from(usage.ru_maxrss).ok().map(|kibibytes| kibibytes * 1024)
}

/// Puts a process, itself or its child, into a process group.
pub fn set_group(process: Pid, group: Pid) {
    // SAFETY: numbers alone are passed. Parent and child both call it, and for the later one it is done already.
    unsafe { libc::setpgid(process.0, group.0) };
}

/// The process group that we are in.
#[must_use]
pub fn own_group() -> Pid {
    // SAFETY: getpgrp cannot fail.
    Pid(unsafe { libc::getpgrp() })
}

/// Sends a signal to every process of our group.
pub fn send_to_own_group(signal: Signal) {
    // SAFETY: numbers alone are passed.
    unsafe { libc::kill(0, signal) };
}

/// Makes a process its own session, so that the end of the caller's terminal is not its end.
pub fn new_session() {
    // SAFETY: setsid has no arguments; it fails where we lead a group, which a fresh child does not.
    unsafe { libc::setsid() };
}

/// Goes to the root directory, so that no mount is kept busy.
pub fn leave_directory() {
    // SAFETY: the path is a C string.
    let _ = unsafe { libc::chdir(c"/".as_ptr()) };
}

/// What a resource of this process is limited to, getrlimit(2); none where it is not bounded, or not known.
fn limit_of(resource: libc::__rlimit_resource_t) -> Option<u64> {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: this process is asked, no limit is set, and `limit` outlives the call.
    let asked = unsafe { call!(libc::SYS_prlimit64, 0, resource, 0, limit.as_mut_ptr()) };
    // SAFETY: the call has filled it in.
    let soft = asked.is_ok().then(|| unsafe { (*limit.as_ptr()).rlim_cur })?;
    (soft != libc::RLIM_INFINITY).then_some(soft)
}

/// Bytes that a file of this process may grow to, `RLIMIT_FSIZE`.
#[must_use]
pub fn file_size_limit() -> Option<u64> {
    limit_of(libc::RLIMIT_FSIZE)
}

/// Whether `RLIMIT_CPU` bounds the CPU time of this process, and so of what it starts.
#[must_use]
pub fn limits_cpu_time() -> bool {
    limit_of(libc::RLIMIT_CPU).is_some()
}

/// Bytes that the stack of this process may grow to, `RLIMIT_STACK`.
#[must_use]
pub fn stack_limit() -> Option<u64> {
    limit_of(libc::RLIMIT_STACK)
}

/// Bytes of address space that this process may have, `RLIMIT_AS`.
#[must_use]
pub fn address_space_limit() -> Option<u64> {
    limit_of(libc::RLIMIT_AS)
}
