//! Files of rules: read with bounds, regular files alone, and not waited for longer than the other questions. They set explain itself
//! up and are no state of the machine, so they do not travel in a report.

use super::{Answer, Machine, Unknown};
use crate::sys::errno::Errno;
use std::fs::{File, Metadata, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes of one file.
const FILE_LIMIT: u64 = 8 << 20;
/// Bytes of all files of a directory.
const TOTAL_LIMIT: usize = 32 << 20;
/// Files of a directory.
const MOST_FILES: usize = 1000;

/// Who may change a file or directory, inode(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
}

impl From<&Metadata> for Ownership {
    fn from(found: &Metadata) -> Self {
        Self { uid: found.uid(), gid: found.gid(), mode: found.mode() & 0o7777 }
    }
}

/// One file of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFile {
    /// Its name.
    pub file: PathBuf,
    /// Who may change it, and its bytes.
    pub read: Answer<(Ownership, Vec<u8>)>,
}

/// The rule files of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulePlace {
    /// Who may change the directory; none where the place is a file.
    pub ownership: Option<Ownership>,
    /// Its `*.toml` files by name, or the one file.
    pub files: Vec<RuleFile>,
}

impl Machine {
    /// The `*.toml` files of a directory, links followed; or the one file that the path names.
    ///
    /// # Errors
    /// Those of `opendir(3)`; [`Unknown::TimedOut`] from a dead network mount; [`Unknown::Unsupported`] where there is too much.
    /// What is wrong with one file stands in its place.
    pub fn rule_files(&self, place: &Path) -> Answer<RulePlace> {
        self.ask_for_ourselves(place, rule_files)
    }
}

/// The same, waited for as long as it takes.
///
/// # Errors
/// As [`Machine::rule_files`].
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn rule_files(place: &Path) -> Answer<RulePlace> {
    let found = std::fs::metadata(place)?;
    if !found.is_dir() {
        return Ok(RulePlace { ownership: None, files: vec![read(place.to_owned())] });
    }
    let mut names: Vec<PathBuf> = std::fs::read_dir(place)?.flatten().map(|entry| entry.path()).collect();
    names.retain(|name| is_rule_file(name));
    names.sort();
    if names.len() > MOST_FILES {
        return Err(Unknown::Unsupported(format!(
            "it holds {} rule files, and {MOST_FILES} are the most",
            names.len()
        )));
    }
    let mut total = 0;
    let mut files = Vec::with_capacity(names.len());
    for file in names.into_iter().map(read) {
        total += file.read.as_ref().map_or(0, |(_, bytes)| bytes.len());
        if total > TOTAL_LIMIT {
            return Err(Unknown::Unsupported(format!("it holds more than {} MiB of rules", TOTAL_LIMIT >> 20)));
        }
        files.push(file);
    }
    Ok(RulePlace { ownership: Some(Ownership::from(&found)), files })
}

/// As a shell's `*.toml` has them: hidden names are those of editors that lock a file or keep it (`.#frob.toml`).
fn is_rule_file(name: &Path) -> bool {
    let is_hidden = name.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !is_hidden && name.extension().is_some_and(|extension| extension == "toml")
}

fn read(file: PathBuf) -> RuleFile {
    let read = open(&file).and_then(contents);
    RuleFile { file, read }
}

/// Looks before it opens: some devices act when they are opened. Should it become another file meanwhile, a FIFO is not waited for
/// and no terminal becomes ours.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn open(file: &Path) -> Answer<File> {
    is_regular(&std::fs::metadata(file)?)?;
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    Ok(OpenOptions::new().read(true).custom_flags(flags).open(file)?)
}

fn is_regular(found: &Metadata) -> Answer<()> {
    match found.file_type() {
        kind if kind.is_file() => Ok(()),
        kind if kind.is_dir() => Err(Unknown::Errno(Errno::EISDIR)),
        _ => Err(Unknown::Unsupported("it is no regular file".into())),
    }
}

fn contents(file: File) -> Answer<(Ownership, Vec<u8>)> {
    let found = file.metadata()?;
    is_regular(&found)?;
    let mut bytes = Vec::new();
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(Unknown::Unsupported(format!("it is larger than {} MiB", FILE_LIMIT >> 20)));
    }
    Ok((Ownership::from(&found), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(place: &RulePlace) -> Vec<String> {
        place.files.iter().map(|file| file.file.file_name().unwrap_or_default().display().to_string()).collect()
    }

    #[test]
    fn rule_files_are_read_by_name_and_nothing_else_is() {
        let root = tempfile::tempdir().unwrap();
        for name in ["b.toml", "a.toml", "a.toml~", ".#a.toml", ".toml", "README"] {
            std::fs::write(root.path().join(name), name).unwrap();
        }
        let place = rule_files(root.path()).unwrap();
        assert_eq!(names(&place), ["a.toml", "b.toml"]);
        assert_eq!(place.files[0].read.as_ref().unwrap().1, b"a.toml");
    }

    #[test]
    fn what_is_no_regular_file_is_not_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let fifo = root.path().join("fifo.toml");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::fs::create_dir(root.path().join("directory.toml")).unwrap();
        let place = rule_files(root.path()).unwrap();
        let told: Vec<_> = place.files.iter().map(|file| file.read.as_ref().unwrap_err().to_string()).collect();
        assert_eq!(told, ["Is a directory", "it is no regular file"]);
    }

    #[test]
    fn a_file_without_end_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("large.toml");
        File::create(&file).unwrap().set_len(FILE_LIMIT + 1).unwrap();
        let read = &rule_files(&file).unwrap().files[0].read;
        assert_eq!(read, &Err(Unknown::Unsupported("it is larger than 8 MiB".into())));
    }
}
