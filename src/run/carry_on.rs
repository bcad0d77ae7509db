//! What is left to do when we ourselves fail while the command runs: no memory, a fault in our own code. The command goes on,
//! its stderr is passed on and its end is ours; nothing is watched or explained. No step allocates, and all of it may run in a
//! signal handler.

use crate::exit;
use crate::sys::fd::{self, STDERR};
use crate::sys::memory;
use crate::sys::poll::{self, For};
use crate::sys::process::{self, Change, Pid};
use crate::sys::signal::Mask;
use std::os::fd::RawFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// How it is gone on with; there is nothing to go on with before the command has been started.
static HOW: OnceLock<fn() -> !> = OnceLock::new();

/// The pipe to read; −1 where there is none.
static SOURCE: AtomicI32 = AtomicI32::new(-1);
/// The child; 0 while there is none.
static CHILD: AtomicI32 = AtomicI32::new(0);

/// How often the child is asked, since nobody may be left to tell of its end.
const PERIOD: Duration = Duration::from_millis(10);

/// Says what is to be carried on with: a child, and the pipe that it writes to.
pub fn prepare(child: Pid, source: Option<RawFd>) {
    SOURCE.store(source.unwrap_or(-1), Ordering::SeqCst);
    CHILD.store(child.0, Ordering::SeqCst);
    by(follow_plainly);
}

/// Says how it is carried on. Set once; later calls change nothing.
pub fn by(how: fn() -> !) {
    HOW.get_or_init(|| how);
}

/// From now on a lack of memory and a panic, on whatever thread, end nothing and print nothing: while the command runs stderr is its
/// own. It goes on like any other fault of ours.
pub fn whatever_happens() {
    memory::when_exhausted(carry_on);
    std::panic::set_hook(Box::new(|_| carry_on()));
}

/// Goes on with the least that the command needs, to its end.
pub fn carry_on() -> ! {
    match HOW.get() {
        Some(how) if !exit::is_decided() => how(),
        _ => exit::end_as_decided(),
    }
}

fn follow_plainly() -> ! {
    let child = Pid(CHILD.load(Ordering::SeqCst));
    Mask::EMPTY.install();
    loop {
        let is_idle = !pass_on_once();
        match process::change(child) {
            Ok(Some(end @ (Change::Exited(_) | Change::Killed(_)))) if is_idle => {
                exit::decide(end);
                let _ = process::reap(child);
                exit::end_as_decided();
            }
            Ok(_) => {}
            Err(_) => exit::end_as_decided(),
        }
    }
}

/// Passes on one small read; whether there was something.
fn pass_on_once() -> bool {
    let source = SOURCE.load(Ordering::SeqCst);
    let Ok(seen) = poll::wait((source >= 0).then_some(source), For::Reading, Some(PERIOD), Mask::EMPTY) else {
        return false;
    };
    if !seen.ready {
        return false;
    }
    let mut buffer = [0; 4096];
    let Ok(count @ 1..) = fd::read_number(source, &mut buffer) else { return false };
    let mut rest = &buffer[..count];
    while let Ok(written @ 1..) = fd::write(STDERR, rest) {
        rest = &rest[written..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Output, Stdio};

    /// Runs one of the tests below, which end their process, in a process of its own.
    #[expect(clippy::disallowed_methods, reason = "a test looks at another process's end")]
    fn alone(test: &str) -> Output {
        let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
        let tests = std::env::current_exe().unwrap();
        Command::new(tests).args(["--exact", &name, "--ignored", "--nocapture"]).output().unwrap()
    }

    #[test]
    #[ignore = "ends the process; run by the tests below"]
    fn panics_after_the_end() {
        whatever_happens();
        exit::decide(Change::Exited(7));
        std::thread::spawn(|| panic!("on some thread")).join().unwrap();
    }

    #[test]
    #[ignore = "ends the process; run by the tests below"]
    #[expect(clippy::disallowed_methods, reason = "a test starts a command")]
    #[expect(clippy::zombie_processes, reason = "the panic waits for it: that is what is tested")]
    fn panics_while_the_command_runs() {
        whatever_happens();
        let mut command = Command::new("sh");
        command.args(["-c", "read x; echo words; exit 9"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let source = std::os::fd::IntoRawFd::into_raw_fd(child.stdout.take().unwrap());
        prepare(Pid(child.id().cast_signed()), Some(source));
        drop(child.stdin.take());
        panic!("in our own code");
    }

    #[test]
    fn a_panic_after_the_end_prints_nothing_and_keeps_the_status() {
        let output = alone("panics_after_the_end");
        assert_eq!((output.status.code(), output.stderr), (Some(7), Vec::new()));
    }

    #[test]
    fn after_a_panic_the_command_is_followed_to_its_end() {
        let output = alone("panics_while_the_command_runs");
        assert_eq!((output.status.code(), output.stderr), (Some(9), b"words\n".to_vec()));
    }
}
