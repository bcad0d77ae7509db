//! Kernel parameters: their values in `/proc/sys`, and whether they can be changed from here.

use crate::machine::{Answer, Machine, Unknown};
use std::path::{Path, PathBuf};

/// The file of a parameter: `fs.inotify.max_user_watches` is `/proc/sys/fs/inotify/max_user_watches`.
#[must_use]
pub fn path(key: &str) -> PathBuf {
    Path::new("/proc/sys").join(key.replace('.', "/"))
}

/// The numbers that a parameter holds; most hold one, `kernel.sem` holds four.
///
/// # Errors
/// Those of reading it; [`Unknown::Unsupported`] where it holds something else.
pub fn numbers(machine: &Machine, key: &str) -> Answer<Vec<u64>> {
    let bytes = machine.read(&path(key))?;
    let text = bytes.lossy();
    let numbers: Result<Vec<u64>, _> = text.split_whitespace().map(str::parse).collect();
    numbers.map_err(|_| Unknown::Unsupported(format!("{key} is no number: {}", text.trim())))
}

/// The number that a parameter holds.
///
/// # Errors
/// As [`numbers`].
pub fn number(machine: &Machine, key: &str) -> Answer<u64> {
    let numbers = numbers(machine, key)?;
    numbers.first().copied().ok_or_else(|| Unknown::Unsupported(format!("{key} is empty")))
}

/// Whether root can change it from here: not where `/proc/sys` is read-only, as in most containers, and in a user namespace
/// only what is its own (`user_namespaces(7)`).
#[must_use]
pub fn is_changeable(machine: &Machine, key: &str) -> bool {
    let is_own = super::namespaces::user_is_initial(machine) || key.starts_with("user.");
    is_own && !is_read_only(machine, key)
}

fn is_read_only(machine: &Machine, key: &str) -> bool {
    machine.mounts().holding(&path(key)).is_some_and(|mount| mount.options.iter().any(|option| option == "ro"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Record, Surroundings};
    use crate::text::Bytes;

    #[test]
    fn a_parameter_that_holds_words_is_no_number() {
        let mut record = Record::default();
        record.put("read /proc/sys/kernel/sem", &Ok(Bytes(b"32000\t1024000000\t500\t32000\n".to_vec())));
        record.put("read /proc/sys/kernel/hostname", &Ok(Bytes(b"box\n".to_vec())));
        let machine = Machine::played(Surroundings::default(), record);
        assert_eq!(numbers(&machine, "kernel.sem").map(|numbers| numbers[3]), Ok(32000));
        assert!(matches!(number(&machine, "kernel.hostname"), Err(Unknown::Unsupported(_))));
    }
}
