//! Who fills a filesystem: the few directories or files that a person should look at.
//!
//! A list of the largest directories names `/`, `/home`, `/home/u`, … one inside the other. What helps is the deepest
//! directory that still holds most of it; and in a scratch directory, the one that a program made for itself.

use crate::machine::{Answer, Branch, Machine, TreeUsage};
use crate::sys::mounts::Mount;
use std::path::{Path, PathBuf};

/// Which of the two a filesystem ran out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Files and directories.
    Inodes,
    /// Bytes.
    Bytes,
}

impl By {
    /// The number that counts.
    #[must_use]
    pub fn of(self, eater: &Eater) -> u64 {
        self.pick(eater.inodes, eater.bytes)
    }

    fn branch(self, branch: &Branch) -> u64 {
        self.pick(branch.inodes, branch.bytes)
    }

    fn pick(self, inodes: u64, bytes: u64) -> u64 {
        match self {
            Self::Inodes => inodes,
            Self::Bytes => bytes,
        }
    }
}

/// A directory or large file that holds much of a filesystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eater {
    /// Absolute path.
    pub path: PathBuf,
    /// Files and directories below it, itself included, without those of the eaters before it.
    pub inodes: u64,
    /// Bytes that they occupy, likewise.
    pub bytes: u64,
    /// Owner.
    pub uid: u32,
    /// Last change of the directory or file itself, seconds since the epoch.
    pub modified: i64,
    /// Whether it is a directory.
    pub directory: bool,
    /// Whether it lies directly in a directory for temporary files: one program's own, to be removed as a whole.
    pub scratch: bool,
}

/// Who fills a filesystem, and how far that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eaters {
    /// The largest first, at most three.
    pub list: Vec<Eater>,
    /// Files and directories seen on the whole filesystem.
    pub inodes: u64,
    /// Bytes seen on the whole filesystem.
    pub bytes: u64,
    /// Directories that could not be read.
    pub unreadable: u64,
    /// Whether time or memory ran out: every number is then a lower bound.
    pub cut: bool,
}

/// How many are named.
const MOST: usize = 3;

/// Who holds less than this share of the whole, in hundredths, is not named.
const WORTH_NAMING: u64 = 5;

/// A child with this share of its parent, in hundredths, is looked at instead of it.
const MOST_OF_IT: u64 = 66;

/// The same next to the root, where directories are halls of many owners (`/usr`, `/home`).
const PART_OF_A_HALL: u64 = 25;
const HALLS: usize = 1;

/// Directories where programs make one of their own.
const SCRATCH: &[&str] = &["/tmp", "/var/tmp", "/dev/shm", "/run"];

/// Who fills the filesystem that is mounted at `point`.
///
/// # Errors
/// Those of [`Machine::tree_usage`].
pub fn eaters(machine: &Machine, point: &Path, by: By) -> Answer<Eaters> {
    let usage = machine.tree_usage(point)?;
    let TreeUsage { inodes, bytes, branches, unreadable, cut } = usage;
    let whole = branches.first().map_or(0, |root| by.branch(root));
    let mut search = Search { by, scratch: scratch(machine, point), whole, left: branches, taken: Vec::new() };
    let mut list: Vec<Eater> = (0..MOST).map_while(|_| search.next()).collect();
    list.sort_by_key(|eater| std::cmp::Reverse(by.of(eater)));
    Ok(Eaters { list, inodes, bytes, unreadable, cut })
}

fn scratch(machine: &Machine, point: &Path) -> Vec<PathBuf> {
    let mut scratch: Vec<PathBuf> = SCRATCH.iter().map(PathBuf::from).collect();
    scratch.push(machine.surroundings().tmpdir());
    if machine.mounts().at(point).is_some_and(Mount::is_tmpfs) {
        scratch.push(point.to_owned());
    }
    scratch
}

struct Search {
    by: By,
    scratch: Vec<PathBuf>,
    whole: u64,
    /// Branches without what was named already.
    left: Vec<Branch>,
    taken: Vec<PathBuf>,
}

impl Search {
    fn next(&mut self) -> Option<Eater> {
        let found = self.descend().filter(|found| self.is_worth_naming(found))?.clone();
        self.take(&found);
        let Branch { path, inodes, bytes, uid, modified, directory } = found;
        let scratch = path.parent().is_some_and(|parent| self.is_scratch(parent));
        Some(Eater { path, inodes, bytes, uid, modified, directory, scratch })
    }

    /// What is left of a directory in which something was named already must be much to be named too.
    fn is_worth_naming(&self, found: &Branch) -> bool {
        let is_rest = self.taken.iter().any(|taken| taken.starts_with(&found.path));
        let share = if is_rest { PART_OF_A_HALL } else { WORTH_NAMING };
        self.by.branch(found).saturating_mul(100) >= self.whole.saturating_mul(share)
    }

    fn descend(&self) -> Option<&Branch> {
        let mut here = self.left.first()?;
        let mut depth = 0;
        while let Some(child) = self.worth_entering(here, depth) {
            here = child;
            depth += 1;
        }
        (self.by.branch(here) > 0).then_some(here)
    }

    /// The child to look at instead of its parent, where one holds enough of it.
    fn worth_entering(&self, here: &Branch, depth: usize) -> Option<&Branch> {
        // A filesystem may be mounted in a scratch directory; its root is nobody's unit.
        if depth > 0 && here.path.parent().is_some_and(|parent| self.is_scratch(parent)) {
            return None;
        }
        let children = || self.left.iter().filter(|branch| branch.path.parent() == Some(&here.path));
        let child = children().max_by_key(|branch| self.by.branch(branch))?;
        let (all, held) = (self.by.branch(here), self.by.branch(child));
        let rest = all.saturating_sub(children().map(|branch| self.by.branch(branch)).sum());
        let share = match depth {
            _ if self.is_scratch(&here.path) => 0,
            0..=HALLS => PART_OF_A_HALL,
            _ => MOST_OF_IT,
        };
        (held > rest && held.saturating_mul(100) >= all.saturating_mul(share)).then_some(child)
    }

    /// Takes what was named from all that contains it, and everything below it.
    fn take(&mut self, found: &Branch) {
        self.taken.push(found.path.clone());
        self.left.retain(|branch| branch.path == found.path || !branch.path.starts_with(&found.path));
        for branch in self.left.iter_mut().filter(|branch| found.path.starts_with(&branch.path)) {
            branch.inodes = branch.inodes.saturating_sub(found.inodes);
            branch.bytes = branch.bytes.saturating_sub(found.bytes);
        }
    }

    fn is_scratch(&self, path: &Path) -> bool {
        self.scratch.iter().any(|scratch| scratch == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Record, Surroundings};

    /// A machine whose walk of `/` saw these directories with this many inodes.
    fn with_tree(branches: &[(&str, u64)]) -> Machine {
        let branch = |(path, inodes): &(&str, u64)| Branch {
            path: path.into(),
            inodes: *inodes,
            bytes: inodes * 4096,
            uid: 0,
            modified: 0,
            directory: true,
        };
        let branches: Vec<Branch> = branches.iter().map(branch).collect();
        let root = branches[0].clone();
        let usage = TreeUsage { inodes: root.inodes, bytes: root.bytes, branches, unreadable: 0, cut: false };
        let mut record = Record::default();
        record.put(&format!("tree {}", root.path.display()), &Ok(usage));
        Machine::played(Surroundings::default(), record)
    }

    fn named(branches: &[(&str, u64)]) -> Vec<(String, u64)> {
        let found = eaters(&with_tree(branches), Path::new(branches[0].0), By::Inodes).unwrap();
        found.list.into_iter().map(|eater| (eater.path.display().to_string(), eater.inodes)).collect()
    }

    #[test]
    fn the_deepest_directory_that_holds_most_is_named() {
        let tree =
            [("/", 1000), ("/var", 900), ("/var/spool", 890), ("/var/spool/mqueue", 880), ("/var/spool/mqueue/a", 300)];
        assert_eq!(named(&tree)[0], ("/var/spool/mqueue".into(), 880));
    }

    #[test]
    fn a_filesystem_that_is_mounted_in_a_scratch_directory_is_entered() {
        assert_eq!(named(&[("/tmp/x", 1000), ("/tmp/x/a", 900)])[0], ("/tmp/x/a".into(), 900));
    }

    #[test]
    fn a_directory_whose_own_files_are_the_most_is_named_itself() {
        assert_eq!(named(&[("/srv", 1000), ("/srv/a", 100)])[0], ("/srv".into(), 1000));
    }

    #[test]
    fn what_was_named_is_not_counted_again() {
        let tree = [("/", 1000), ("/home", 550), ("/home/u", 540), ("/usr", 400), ("/usr/lib", 390)];
        assert_eq!(named(&tree), [("/home/u".into(), 540), ("/usr/lib".into(), 390)]);
    }

    #[test]
    fn in_a_scratch_directory_the_unit_is_the_first_level() {
        let tree = [("/tmp", 1000), ("/tmp/opam-1", 930), ("/tmp/opam-1/packages", 920), ("/tmp/x", 60)];
        assert_eq!(named(&tree), [("/tmp/opam-1".into(), 930), ("/tmp/x".into(), 60)]);
    }

    #[test]
    fn a_scratch_directory_with_many_small_entries_is_named_itself() {
        assert_eq!(named(&[("/tmp", 1000), ("/tmp/a", 10), ("/tmp/b", 10)]), [("/tmp".into(), 1000)]);
    }

    #[test]
    fn an_empty_filesystem_names_its_root_alone() {
        assert_eq!(named(&[("/srv", 1)]), [("/srv".into(), 1)]);
    }
}
