//! Clocks.

use super::errno::Errno;
use super::file;
use super::raw::call;
use nix::time::{ClockId, clock_gettime};
use std::mem::MaybeUninit;
use std::time::Duration;

/// Microseconds of `CLOCK_MONOTONIC`, the clock of the kernel's log (`clock_gettime(2)`).
///
/// # Errors
/// Those of `clock_gettime(2)`.
pub fn monotonic_us() -> Result<u64, Errno> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    let micros = |value: i64| u64::try_from(value).unwrap_or_default();
    Ok(micros(now.tv_sec()) * 1_000_000 + micros(now.tv_nsec()) / 1000)
}

/// The same clock, by a system call: before the C library has been set up nobody knows the kernel's quicker way (`vdso(7)`). Zero
/// where it cannot be read.
#[must_use]
pub fn monotonic_early() -> Duration {
    let mut now = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: `now` outlives the call.
    let read = unsafe { call!(libc::SYS_clock_gettime, libc::CLOCK_MONOTONIC, now.as_mut_ptr()) };
    if read.is_err() {
        return Duration::ZERO;
    }
    // SAFETY: the call has filled it in.
    let now = unsafe { &*now.as_ptr() };
    Duration::new(now.tv_sec.cast_unsigned(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// How long this thread was ready to run and had no processor: the second number of `/proc/thread-self/schedstat`, in nanoseconds
/// (`Documentation/scheduler/sched-stats.rst`). Zero where the kernel does not count it.
#[must_use]
pub fn waited_for_processor() -> Duration {
    let text = file::read("/proc/thread-self/schedstat").unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let waited = text.split_ascii_whitespace().nth(1).and_then(|number| number.parse().ok());
    Duration::from_nanos(waited.unwrap_or(0))
}
