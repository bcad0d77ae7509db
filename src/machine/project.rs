//! The rules of a project: the nearest `.explain/rules` from a directory upwards, no further than its repository or its filesystem.

use super::rule_files::Ownership;
use super::{Answer, Machine};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where a project keeps its rules.
const RULES: &str = ".explain/rules";
/// What stands in the topmost directory of a repository: of git a directory, or a file in a worktree or submodule.
const REPOSITORY: &[&str] = &[".git", ".hg", ".jj", ".svn", ".bzr", "_darcs", ".fslckout"];

impl Machine {
    /// The directory of a project's rules; none where it has none. It does not travel in a report.
    ///
    /// # Errors
    /// Those of `stat(2)` for the directory itself; [`super::Unknown::TimedOut`] from a dead network mount.
    pub fn project_rules(&self, from: &Path) -> Answer<Option<PathBuf>> {
        self.ask_for_ourselves(from, nearest)
    }

    /// Who may change a file or directory; links are not followed. It does not travel in a report.
    ///
    /// # Errors
    /// Those of `lstat(2)`; [`super::Unknown::TimedOut`] from a dead network mount.
    pub fn ownership(&self, path: &Path) -> Answer<Ownership> {
        self.ask_for_ourselves(path, ownership)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn ownership(path: &Path) -> Answer<Ownership> {
    Ok(Ownership::from(&std::fs::symlink_metadata(path)?))
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn nearest(from: &Path) -> Answer<Option<PathBuf>> {
    let device = std::fs::metadata(from)?.dev();
    for directory in from.ancestors() {
        if std::fs::symlink_metadata(directory).map_or(true, |found| found.dev() != device) {
            break;
        }
        let rules = directory.join(RULES);
        if std::fs::metadata(&rules).is_ok_and(|found| found.is_dir()) {
            return Ok(Some(rules));
        }
        if REPOSITORY.iter().any(|mark| std::fs::symlink_metadata(directory.join(mark)).is_ok()) {
            break;
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(directories: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for directory in directories {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        root
    }

    #[test]
    fn the_nearest_rules_upwards_are_the_projects() {
        let root = tree(&["a/b/c", "a/.explain/rules", ".explain/rules"]);
        let found = |from: &str| nearest(&root.path().join(from)).unwrap();
        assert_eq!(found("a/b/c"), Some(root.path().join("a/.explain/rules")));
        assert_eq!(found("."), Some(root.path().join("./.explain/rules")));
    }

    #[test]
    fn what_lies_above_the_repository_is_not_the_projects() {
        let root = tree(&["a/b", "a/.git", ".explain/rules"]);
        assert_eq!(nearest(&root.path().join("a/b")), Ok(None));
        std::fs::create_dir_all(root.path().join("a/.explain/rules")).unwrap();
        assert_eq!(nearest(&root.path().join("a/b")), Ok(Some(root.path().join("a/.explain/rules"))));
    }

    #[test]
    fn a_directory_that_is_gone_has_no_project() {
        assert!(nearest(Path::new("/no/such/directory")).unwrap_err().is_missing());
    }
}
