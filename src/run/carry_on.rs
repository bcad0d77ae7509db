//! What is left to do when we ourselves fail while the command runs: no memory, a fault in our own code. The command goes on,
//! its stderr is passed on and its end is ours; nothing is watched or explained. No step allocates, and all of it may run in a
//! signal handler.

use crate::exit;
use crate::sys::fd::{self, STDERR};
use crate::sys::poll::{self, For};
use crate::sys::process::{self, Change, Pid};
use crate::sys::signal::Mask;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// The pipe to read; −1 where there is none.
static SOURCE: AtomicI32 = AtomicI32::new(-1);
/// The child; 0 while there is none.
static CHILD: AtomicI32 = AtomicI32::new(0);

/// How often the child is asked, since nobody may be left to tell of its end.
const PERIOD: Duration = Duration::from_millis(10);

/// Says what is to be carried on with.
pub fn prepare(child: Pid, source: Option<RawFd>) {
    SOURCE.store(source.unwrap_or(-1), Ordering::SeqCst);
    CHILD.store(child.0, Ordering::SeqCst);
}

/// Goes on with the least that the command needs, to its end.
pub fn carry_on() -> ! {
    if exit::is_decided() || CHILD.load(Ordering::SeqCst) == 0 {
        exit::end_as_decided();
    }
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
