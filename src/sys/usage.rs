//! What children that have ended used, getrusage(2).

use super::errno::Errno;
use serde::{Deserialize, Serialize};

/// What the command and those of its processes that it waited for used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildUsage {
    /// CPU time in user and kernel mode of all of them, in milliseconds.
    pub cpu_ms: u64,
    /// The most memory that one of them had resident, in bytes.
    pub peak_memory: u64,
}

/// What all children used that have ended and were waited for.
///
/// # Errors
/// Those of `getrusage(2)`.
pub fn of_children() -> Result<ChildUsage, Errno> {
    // SAFETY: all-zero bytes are a valid `rusage`, a struct of integers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` outlives the call.
    Errno::result(unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) })?;
    let milliseconds = |time: libc::timeval| {
        u64::try_from(time.tv_sec).unwrap_or(0) * 1000 + u64::try_from(time.tv_usec).unwrap_or(0) / 1000
    };
    Ok(ChildUsage {
        cpu_ms: milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime),
        peak_memory: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
    })
}
