//! What the command was given and what it used: sizes of its environment, time and memory of its processes.

use super::{Answer, Machine, Unknown};
use crate::sys::usage::{ChildUsage, of_children};
use serde::{Deserialize, Serialize};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How large the environment is; no value of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentSize {
    /// Variables.
    pub variables: u64,
    /// Bytes of all `NAME=value`, with the zero byte behind each.
    pub bytes: u64,
    /// The names of the largest with their bytes, largest first, at most three.
    pub largest: Vec<(String, u64)>,
}

/// How much room the names of a directory take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamesSize {
    /// Names that begin and end so.
    pub names: u64,
    /// Bytes of them, without separators.
    pub bytes: u64,
    /// Whether the time was over before all names were read: then there may be more.
    pub cut: bool,
}

/// Time for reading one directory.
const BUDGET: Duration = Duration::from_secs(1);

/// Names that are read between two looks at the clock.
const BATCH: usize = 1024;

impl Machine {
    /// How large the environment is that the command was started with.
    ///
    /// # Errors
    /// Past the deadline nothing is asked.
    pub fn environment_size(&self) -> Answer<EnvironmentSize> {
        self.ask("environment size", || Ok(environment_size()))
    }

    /// What the command's processes used, those that were waited for.
    ///
    /// # Errors
    /// Those of `getrusage(2)`.
    pub fn child_usage(&self) -> Answer<ChildUsage> {
        self.ask("child usage", || of_children().map_err(Unknown::from))
    }

    /// How much room the names in a directory take that begin and end so; hidden names do not count, as in a shell's `*`.
    ///
    /// # Errors
    /// Those of `opendir(3)`; [`Unknown::Unsupported`] where it may block.
    pub fn names_size(&self, directory: &Path, begin: &str, end: &str) -> Answer<NamesSize> {
        let may_block = self.may_block(directory);
        self.ask_slowly(&format!("names {begin}*{end} {}", directory.display()), || {
            if may_block {
                return Err(Unknown::Unsupported("it lies on a network mount".into()));
            }
            names_size(directory, begin, end, Instant::now() + BUDGET)
        })
    }
}

fn environment_size() -> EnvironmentSize {
    let mut sizes: Vec<(String, u64)> = std::env::vars_os()
        .map(|(name, value)| {
            (name.to_string_lossy().into_owned(), (name.as_bytes().len() + value.as_bytes().len() + 2) as u64)
        })
        .collect();
    let (variables, bytes) = (sizes.len() as u64, sizes.iter().map(|(_, bytes)| bytes).sum());
    sizes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    sizes.truncate(3);
    EnvironmentSize { variables, bytes, largest: sizes }
}

fn names_size(directory: &Path, begin: &str, end: &str, until: Instant) -> Answer<NamesSize> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let entries = std::fs::read_dir(directory)?;
    let mut size = NamesSize::default();
    for (index, entry) in entries.flatten().enumerate() {
        if index % BATCH == 0 && Instant::now() >= until {
            size.cut = true;
            break;
        }
        let name = entry.file_name();
        let name = name.as_bytes();
        let is_hidden = name.starts_with(b".") && !begin.starts_with('.');
        if !is_hidden && name.starts_with(begin.as_bytes()) && name.ends_with(end.as_bytes()) {
            size.names += 1;
            size.bytes += name.len() as u64;
        }
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_measured_by_beginning_and_end() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a.txt", "abc.txt", "b.txt", ".a.txt"] {
            std::fs::write(root.path().join(name), "").unwrap();
        }
        let soon = Instant::now() + Duration::from_secs(5);
        assert_eq!(names_size(root.path(), "a", ".txt", soon), Ok(NamesSize { names: 2, bytes: 12, cut: false }));
        assert_eq!(names_size(root.path(), "", "", soon), Ok(NamesSize { names: 3, bytes: 17, cut: false }));
    }

    #[test]
    fn an_environment_is_measured_without_its_values() {
        let size = environment_size();
        let path = size.largest.iter().all(|(name, bytes)| (name.len() as u64) < *bytes && !name.contains('='));
        assert!(path && size.bytes > size.variables, "{size:?}");
    }
}
