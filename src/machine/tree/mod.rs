//! Who fills a filesystem: one walk of its tree, on all cores, within a budget of time and memory.
//!
//! The walk stays on one filesystem and on one mount, follows no link and opens nothing but directories. Directories near
//! the root, and as many as memory allows, keep a total of their own; deeper ones are added to the nearest that does.

mod totals;
mod walk;

use super::{Answer, Machine};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;
use walk::Walk;

/// Time that one walk may take.
pub const BUDGET: Duration = Duration::from_secs(2);

/// What a tree holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeUsage {
    /// Files and directories seen, the root included, each hard-linked file once.
    pub inodes: u64,
    /// Bytes that they occupy (`st_blocks` × 512).
    pub bytes: u64,
    /// The root first, then the branches that hold much of it, in the order of their paths.
    pub branches: Vec<Branch>,
    /// Directories that could not be read.
    pub unreadable: u64,
    /// Whether time or memory ended the walk before the tree did: every number is then a lower bound.
    pub cut: bool,
}

/// A directory with all that is below it, or a large file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Absolute path.
    #[serde(with = "crate::text::path")]
    pub path: PathBuf,
    /// Files and directories in it, itself included.
    pub inodes: u64,
    /// Bytes that they occupy.
    pub bytes: u64,
    /// Owner.
    pub uid: u32,
    /// Last change of the directory or file itself, seconds since the epoch.
    pub modified: i64,
    /// Whether it is a directory.
    pub directory: bool,
}

impl Machine {
    /// What the filesystem holds that is mounted at `point`, by directory. Takes up to `BUDGET`, whatever time the other
    /// probes have left.
    ///
    /// # Errors
    /// Those of `open(2)` for the point itself.
    pub fn tree_usage(&self, point: &Path) -> Answer<TreeUsage> {
        let inner = self.mounts().0.iter().map(|mount| mount.point.clone());
        let covered = inner.filter(|inner| inner != point && inner.starts_with(point)).collect();
        self.ask_slowly(&format!("tree {}", point.display()), || {
            let walk = Walk::begin(point, covered, BUDGET)?;
            walk.run(&|entries| self.progress(point, entries));
            Ok(walk.usage())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Surroundings;
    use crate::sys::errno::Errno;
    use std::collections::HashSet;
    use std::fs::{File, create_dir_all, hard_link};
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::time::Instant;

    fn usage(point: &Path) -> TreeUsage {
        Machine::live(Surroundings::default(), Instant::now()).tree_usage(point).unwrap()
    }

    fn held(usage: &TreeUsage, path: &Path) -> Option<u64> {
        usage.branches.iter().find(|branch| branch.path == path).map(|branch| branch.inodes)
    }

    #[test]
    fn every_directory_is_counted_with_what_is_below_it() {
        let root = tempfile::tempdir().unwrap();
        create_dir_all(root.path().join("a/b/c")).unwrap();
        for index in 0..300 {
            File::create(root.path().join(format!("a/b/{index}"))).unwrap();
        }
        let usage = usage(root.path());
        assert_eq!((304, false, 0), (usage.inodes, usage.cut, usage.unreadable));
        let paths = ["", "a", "a/b"].map(|path| held(&usage, &root.path().join(path)));
        assert_eq!(paths, [Some(304), Some(303), Some(302)]);
    }

    #[test]
    fn a_file_with_many_names_counts_once() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("one"), [7; 8192]).unwrap();
        hard_link(root.path().join("one"), root.path().join("two")).unwrap();
        let occupied = |path: &Path| path.symlink_metadata().unwrap().blocks() * 512;
        assert_eq!((2, occupied(root.path()) + occupied(&root.path().join("one"))), {
            let usage = usage(root.path());
            (usage.inodes, usage.bytes)
        });
    }

    #[test]
    fn links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        symlink("/usr", root.path().join("link")).unwrap();
        assert_eq!(usage(root.path()).inodes, 2);
    }

    #[test]
    fn a_large_file_is_named() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("core"), vec![7; 3 << 20]).unwrap();
        let usage = usage(root.path());
        let file = usage.branches.iter().find(|branch| !branch.directory).unwrap();
        assert_eq!((root.path().join("core"), true), (file.path.clone(), file.bytes >= 3 << 20));
    }

    #[test]
    fn a_point_that_is_no_directory_is_unknown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let machine = Machine::live(Surroundings::default(), Instant::now());
        assert_eq!(machine.tree_usage(file.path()), Err(Errno::ENOTDIR.into()));
    }

    #[test]
    fn a_walk_without_time_says_that_it_was_cut() {
        let root = tempfile::tempdir().unwrap();
        create_dir_all(root.path().join("a/b")).unwrap();
        let walk = Walk::begin(root.path(), HashSet::new(), Duration::ZERO).unwrap();
        walk.run(&|_| {});
        assert!(walk.usage().cut);
    }
}
