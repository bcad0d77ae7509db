//! How much memory the machine has, and how much of it is promised, `proc_meminfo(5)`.

use crate::machine::{Answer, Machine, Unknown};
use std::path::Path;

/// Numbers of `/proc/meminfo`, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// All that the kernel manages.
    pub total: u64,
    /// What new programs can have without swapping.
    pub available: u64,
    /// Swap that is free.
    pub swap_free: u64,
    /// What may be promised under strict accounting.
    pub commit_limit: u64,
    /// What is promised.
    pub committed: u64,
}

/// What there is now.
///
/// # Errors
/// Those of reading the file; [`Unknown::Unsupported`] where it lacks a line.
pub fn of_machine(machine: &Machine) -> Answer<Memory> {
    let bytes = machine.read(Path::new("/proc/meminfo"))?;
    let text = bytes.lossy();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes
            .map(|kibibytes| kibibytes.saturating_mul(1024))
            .ok_or_else(|| Unknown::Unsupported(format!("{name} is not told")))
    };
    Ok(Memory {
        total: value("MemTotal")?,
        available: value("MemAvailable")?,
        swap_free: value("SwapFree")?,
        commit_limit: value("CommitLimit")?,
        committed: value("Committed_AS")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Record, Surroundings};
    use crate::text::Bytes;

    #[test]
    fn lines_are_told_apart_by_their_whole_name() {
        let text = "MemTotal:  1000 kB\nMemAvailable:  500 kB\nSwapCached: 7 kB\nSwapFree: 3 kB\nCommitLimit: 600 kB\nCommitted_AS: 9 kB\n";
        let mut record = Record::default();
        record.put("read /proc/meminfo", &Ok(Bytes(text.into())));
        let memory = of_machine(&Machine::played(Surroundings::default(), record)).unwrap();
        assert_eq!((memory.total, memory.swap_free, memory.committed), (1000 << 10, 3 << 10, 9 << 10));
    }

    #[test]
    fn a_kernel_that_does_not_tell_is_unknown() {
        assert!(of_machine(&Machine::played(Surroundings::default(), Record::default())).is_err());
    }
}
