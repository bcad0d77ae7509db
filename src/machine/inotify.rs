//! What inotify has left for the own user, who holds it, and how much a tree would need.

use super::{Answer, Machine, Unknown};
use crate::sys::inotify::{self, Census, Trial};
use crate::sys::mounts::Mounts;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How many directories a tree has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directories {
    /// The root of the tree included.
    pub count: u64,
    /// Whether the time was over before the tree was seen: then there are more.
    pub cut: bool,
}

/// Time for looking through all processes, and for counting a tree.
const BUDGET: Duration = Duration::from_millis(100);

impl Machine {
    /// Whether the kernel grants the own user one more inotify instance and watch.
    ///
    /// # Errors
    /// As [`Machine::time_left`] has it: past the deadline nothing is asked.
    pub fn inotify_trial(&self) -> Answer<Trial> {
        self.ask("inotify trial", || Ok(inotify::trial()))
    }

    /// Which processes hold inotify instances.
    ///
    /// # Errors
    /// Past the deadline nothing is asked.
    pub fn inotify_census(&self) -> Answer<Census> {
        let until = Instant::now() + self.time_left().min(BUDGET);
        self.ask("inotify census", || Ok(inotify::census(until)))
    }

    /// How many directories there are at and below `path`, without those on other mounts. Links are not followed.
    ///
    /// # Errors
    /// Where the path is on a mount that may block.
    pub fn directories(&self, path: &Path) -> Answer<Directories> {
        let may_block = self.may_block(path);
        let until = Instant::now() + self.time_left().min(BUDGET);
        self.ask(&format!("directories {}", path.display()), || {
            if may_block {
                return Err(Unknown::Unsupported("it lies on a network mount".into()));
            }
            Ok(count(path, self.mounts(), until))
        })
    }
}

fn count(path: &Path, mounts: &Mounts, until: Instant) -> Directories {
    let mut waiting = vec![path.to_owned()];
    let mut count = 0;
    while let Some(directory) = waiting.pop() {
        if Instant::now() >= until {
            return Directories { count: count + waiting.len() as u64 + 1, cut: true };
        }
        count += 1;
        waiting.extend(below(&directory).into_iter().filter(|path| mounts.at(path).is_none()));
    }
    Directories { count, cut: false }
}

/// The directories in a directory; none where it may not be read.
fn below(directory: &Path) -> Vec<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let directories = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_counted_and_files_and_links_are_not() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("a/b")).unwrap();
        std::fs::write(root.path().join("file"), "").unwrap();
        std::os::unix::fs::symlink("/usr", root.path().join("link")).unwrap();
        let soon = Instant::now() + Duration::from_secs(5);
        assert_eq!(count(root.path(), &Mounts::default(), soon), Directories { count: 3, cut: false });
        assert!(count(root.path(), &Mounts::default(), Instant::now()).cut);
    }
}
