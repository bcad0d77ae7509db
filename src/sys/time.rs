//! Clocks.

use super::errno::Errno;
use nix::time::{ClockId, clock_gettime};

/// Microseconds of `CLOCK_MONOTONIC`, the clock of the kernel's log (`clock_gettime(2)`).
///
/// # Errors
/// Those of `clock_gettime(2)`.
pub fn monotonic_us() -> Result<u64, Errno> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    let micros = |value: i64| u64::try_from(value).unwrap_or_default();
    Ok(micros(now.tv_sec()) * 1_000_000 + micros(now.tv_nsec()) / 1000)
}
