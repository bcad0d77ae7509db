//! Which rules of projects the user trusts: a file for each content, named by its hash, as direnv has it. Rules that change in any
//! way have another hash, and so nobody's trust.

use super::Believed;
use crate::machine::{Machine, RuleFile, Surroundings};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Where trust is kept, for one user.
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// `$XDG_STATE_HOME/explain/trusted`, by default below `~/.local/state` (XDG Base Directory Specification); none without a home.
    pub fn of(surroundings: &Surroundings) -> Option<Self> {
        let of_home = || surroundings.directory("HOME").map(|home| home.join(".local/state"));
        let state = surroundings.directory("XDG_STATE_HOME").or_else(of_home)?;
        Some(Self { directory: state.join("explain/trusted") })
    }

    /// Whether exactly these rules are trusted, by somebody whose word is taken.
    pub fn trusts(&self, rules: &Path, files: &[RuleFile], machine: &Machine, believed: &Believed) -> bool {
        let is_sound = |path: &Path| machine.ownership(path).is_ok_and(|ownership| believed.doubt(ownership).is_none());
        let Some(name) = fingerprint(rules, files) else { return false };
        is_sound(&self.directory) && is_sound(&self.directory.join(name))
    }

    /// Trusts these rules as they are, and no longer as they were.
    ///
    /// # Errors
    /// Those of `mkdir(2)`, `open(2)` and `write(2)`; where a file of the rules cannot be read, there is nothing to trust.
    pub fn trust(&self, rules: &Path, files: &[RuleFile]) -> io::Result<()> {
        let unread = || io::Error::other("not all of the rules can be read");
        let name = fingerprint(rules, files).ok_or_else(unread)?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        self.distrust(rules)?;
        fs::write(self.directory.join(name), rules.as_os_str().as_bytes())
    }

    /// Takes back all trust in the rules of a directory; whether there was any.
    ///
    /// # Errors
    /// Those of `unlink(2)`.
    pub fn distrust(&self, rules: &Path) -> io::Result<bool> {
        let mut trusted = false;
        for entry in self.entries(rules) {
            fs::remove_file(entry)?;
            trusted = true;
        }
        Ok(trusted)
    }

    /// Whether rules of this directory were trusted as they were at some time.
    pub fn knows(&self, rules: &Path) -> bool {
        !self.entries(rules).is_empty()
    }

    #[expect(clippy::disallowed_methods, reason = "state of explain itself, not of the machine that is examined")]
    fn entries(&self, rules: &Path) -> Vec<PathBuf> {
        let about = |entry: &PathBuf| fs::read(entry).is_ok_and(|bytes| bytes == rules.as_os_str().as_bytes());
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(about).collect()
    }
}

/// The hash of a directory's name and of its files' names and contents, each with its length before it, so that nothing can be
/// moved from one to the other. None where a file could not be read.
fn fingerprint(rules: &Path, files: &[RuleFile]) -> Option<String> {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(rules.as_os_str().as_bytes());
    for RuleFile { file, read } in files {
        add(file.file_name()?.as_bytes());
        add(&read.as_ref().ok()?.1);
    }
    let digits = |mut text: String, byte: &u8| {
        let _ = write!(text, "{byte:02x}");
        text
    };
    Some(hash.finalize().iter().fold(String::new(), digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Ownership, Unknown};

    fn file(name: &str, text: &str) -> RuleFile {
        let ownership = Ownership { uid: 0, gid: 0, mode: 0o644 };
        RuleFile { file: Path::new("/p/.explain/rules").join(name), read: Ok((ownership, text.into())) }
    }

    #[test]
    fn any_change_is_another_fingerprint() {
        let rules = Path::new("/p/.explain/rules");
        let all = [
            fingerprint(rules, &[file("a.toml", "x"), file("b.toml", "y")]),
            fingerprint(rules, &[file("a.toml", "x"), file("b.toml", "z")]),
            fingerprint(rules, &[file("a.toml", "x"), file("c.toml", "y")]),
            fingerprint(rules, &[file("a.toml", "xb.tomly")]),
            fingerprint(rules, &[file("a.toml", "x")]),
            fingerprint(Path::new("/q/.explain/rules"), &[file("a.toml", "x")]),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().flatten().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(all[0], fingerprint(rules, &[file("a.toml", "x"), file("b.toml", "y")]));
    }

    #[test]
    fn rules_that_cannot_be_read_have_none() {
        let unread = RuleFile { file: "/p/.explain/rules/a.toml".into(), read: Err(Unknown::TimedOut) };
        assert_eq!(fingerprint(Path::new("/p"), &[unread]), None);
    }

    #[test]
    fn trust_is_taken_back_by_directory() {
        let root = tempfile::tempdir().unwrap();
        let store = Store { directory: root.path().join("explain/trusted") };
        let rules = Path::new("/p/.explain/rules");
        assert!(!store.knows(rules));
        store.trust(rules, &[file("a.toml", "x")]).unwrap();
        store.trust(rules, &[file("a.toml", "y")]).unwrap();
        assert_eq!((store.knows(rules), store.entries(rules).len()), (true, 1));
        assert_eq!((store.distrust(rules).unwrap(), store.distrust(rules).unwrap()), (true, false));
    }
}
