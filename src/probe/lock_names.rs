//! What is known of lock files by their names: who makes them, where those work, and how the maker itself takes one back. A file that
//! is the lock by being there does not tell any of it.

use std::path::{Path, PathBuf};

/// Where those who make a lock are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// In the directory of the lock, or in the working tree of its repository.
    Here,
    /// Anywhere: they make it in a directory that they do not enter.
    Anywhere,
}

/// A kind of lock file.
#[derive(Debug)]
pub struct LockName {
    /// What its path ends with.
    pub end: &'static str,
    /// The programs that make it; none where many do.
    pub makers: &'static [&'static str],
    /// Where these are looked for.
    pub ground: Ground,
    /// The command that takes it back, with how many directories its argument is above the lock; none where the file is removed.
    pub release: Option<(&'static str, usize)>,
    /// Whether it is a file of data that has the lock within: being there says nothing.
    pub within: bool,
}

/// Programs that change `/etc/passwd` and its relatives, lckpwdf(3) and shadow's lib/commonio.c.
const SHADOW: &[&str] =
    &["chage", "chpasswd", "groupadd", "groupdel", "groupmod", "passwd", "useradd", "userdel", "usermod", "vipw"];

const SUBVERSION: &[&str] = &["svn", "svnversion", "kdesvn", "rabbitvcs", "git-svn"];

/// A lock that goes when its file is removed.
const fn file(end: &'static str, makers: &'static [&'static str]) -> LockName {
    LockName { end, makers, ground: Ground::Here, release: None, within: false }
}

/// The first that fits counts.
const LOCK_NAMES: &[LockName] = &[
    file("index.lock", &["git"]),
    file("HEAD.lock", &["git"]),
    file("config.lock", &["git"]),
    file("shallow.lock", &["git"]),
    file("packed-refs.lock", &["git"]),
    file("FETCH_HEAD.lock", &["git"]),
    file("gc.pid.lock", &["git"]),
    file("postmaster.pid", &["postgres", "postmaster"]),
    file("passwd.lock", SHADOW),
    file("shadow.lock", SHADOW),
    file("group.lock", SHADOW),
    file("db.lck", &["pacman", "pamac", "packagekitd", "yay", "paru"]),
    // subversion/libsvn_wc/wc-metadata.sql: a row of WC_LOCK, which `svn cleanup` takes back.
    LockName {
        end: ".svn/wc.db",
        makers: SUBVERSION,
        ground: Ground::Here,
        release: Some(("svn cleanup", 2)),
        within: true,
    },
    // borg/locking.py: a directory, in which the name of a file tells the process.
    LockName {
        end: "lock.exclusive",
        makers: &["borg"],
        ground: Ground::Anywhere,
        release: Some(("borg break-lock", 1)),
        within: false,
    },
    // restic's layout_default.go; others have a directory of that name too, so that only a message tells whose lock it is.
    LockName {
        end: "/locks",
        makers: &[],
        ground: Ground::Anywhere,
        release: Some(("restic unlock -r", 1)),
        within: false,
    },
    file(".pid", &[]),
    file("-lock", &[]),
    file("SingletonLock", &[]),
    file("lockfile", &[]),
    file(".lck", &[]),
];

/// R's `tools:::.install_packages`: a directory `00LOCK` or `00LOCK-PACKAGE` in the library.
const R_LOCK: LockName = LockName {
    end: "00LOCK",
    makers: &["R", "Rscript", "rsession"],
    ground: Ground::Anywhere,
    release: Some(("rm -r", 0)),
    within: false,
};

/// Any file below `.git` that ends so.
const GIT_LOCK: LockName = file(".lock", &["git"]);

impl LockName {
    /// What is known of a lock by its path.
    #[must_use]
    pub fn of(path: &Path) -> Option<&'static Self> {
        let name = path.file_name()?.to_string_lossy().into_owned();
        if path.components().any(|part| part.as_os_str() == ".git") && name.ends_with(GIT_LOCK.end) {
            return Some(&GIT_LOCK);
        }
        if name == R_LOCK.end || name.starts_with("00LOCK-") {
            return Some(&R_LOCK);
        }
        let path = path.to_string_lossy();
        LOCK_NAMES.iter().find(|known| path.ends_with(known.end))
    }

    /// The command that takes a lock back and the path that it is given.
    #[must_use]
    pub fn release_of(&self, path: &Path) -> Option<(&'static str, PathBuf)> {
        let (command, above) = self.release?;
        Some((command, path.ancestors().nth(above)?.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_known_by_its_name() {
        for (path, makers) in [
            ("/r/.git/refs/heads/main.lock", Some("git")),
            ("/lib/R/00LOCK-dplyr", Some("R")),
            ("/wc/.svn/wc.db", Some("svn")),
            ("/wc/other.db", None),
            ("/etc/passwd.lock", Some("chage")),
        ] {
            let known = LockName::of(Path::new(path));
            assert_eq!(known.and_then(|known| known.makers.first().copied()), makers, "{path}");
        }
    }

    #[test]
    fn a_lock_within_data_is_taken_back_by_its_program_alone() {
        let path = Path::new("/wc/.svn/wc.db");
        let release = LockName::of(path).and_then(|known| known.release_of(path));
        assert_eq!(release, Some(("svn cleanup", "/wc".into())));
    }
}
