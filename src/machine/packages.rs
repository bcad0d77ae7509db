//! Which package has a file or a command: from the package manager's own files, read and not run. Only the answer travels in
//! a report, since the files have tens of megabytes.

use super::{Answer, Machine, Unknown};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A file that a package has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// The package's name, without architecture.
    pub package: String,
    /// The file, as the package has it.
    #[serde(with = "crate::text::path")]
    pub file: PathBuf,
}

/// Where dpkg keeps the files of installed packages, dpkg(1).
const INSTALLED: &str = "/var/lib/dpkg/info";
/// Where apt keeps what can be installed, apt-get(8).
const OFFERED: &str = "/var/lib/apt/lists";
/// Files that are told of one search.
const TOLD: usize = 8;
/// Bytes that are searched at a time.
const CHUNK: usize = 1 << 20;

impl Machine {
    /// Files of installed Debian packages whose path ends in this, which begins with a slash: a whole path or `/libz.so.1`.
    ///
    /// # Errors
    /// Where dpkg's lists cannot be read, [`Unknown::TimedOut`] where time ran out before all were.
    pub fn installed_files(&self, ending: &str) -> Answer<Vec<Owned>> {
        self.ask(&format!("installed-files {ending}"), || installed(ending, Instant::now() + self.time_left()))
    }

    /// Those of these package names that the Debian archives known to apt have.
    ///
    /// # Errors
    /// Where there is no such index, [`Unknown::TimedOut`] where time ran out before all of it was read.
    pub fn offered_packages(&self, names: &[String]) -> Answer<Vec<String>> {
        self.ask(&format!("offered-packages {}", names.join(" ")), || {
            let found = indexes("_Packages", Instant::now() + self.time_left(), |block| packages(block, names))?;
            Ok(names.iter().filter(|name| found.contains(name)).cloned().collect())
        })
    }

    /// Packages that have a command of this name, by the index of Ubuntu's `command-not-found` (`cnf/Commands`).
    ///
    /// # Errors
    /// As [`Machine::offered_packages`].
    pub fn packages_with_command(&self, name: &str) -> Answer<Vec<String>> {
        self.ask(&format!("packages-with-command {name}"), || {
            indexes("_Commands-", Instant::now() + self.time_left(), |block| commands(block, name))
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn names(directory: &str) -> Answer<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    Ok(files)
}

fn installed(ending: &str, deadline: Instant) -> Answer<Vec<Owned>> {
    let wanted = format!("{ending}\n");
    let mut owned = Vec::new();
    for list in names(INSTALLED)? {
        if list.extension().is_none_or(|extension| extension != "list") {
            continue;
        }
        if Instant::now() >= deadline {
            return Err(Unknown::TimedOut);
        }
        let Ok(text) = super::files::read(&list) else { continue };
        if let Some(end) = memchr::memmem::find(&text.0, wanted.as_bytes()) {
            let start = memchr::memrchr(b'\n', &text.0[..end]).map_or(0, |newline| newline + 1);
            let file = String::from_utf8_lossy(&text.0[start..end + ending.len()]).into_owned().into();
            owned.push(Owned { package: package_of(&list), file });
        }
        if owned.len() == TOLD {
            break;
        }
    }
    Ok(owned)
}

/// `libc6:amd64.list` is of `libc6`.
fn package_of(list: &Path) -> String {
    let name = list.file_stem().unwrap_or_default().to_string_lossy();
    name.split(':').next().unwrap_or_default().to_owned()
}

/// What `find` finds in the indexes of this kind; each block that it is given ends with a line.
fn indexes(kind: &str, deadline: Instant, find: impl Fn(&[u8]) -> Vec<String>) -> Answer<Vec<String>> {
    let files = names(OFFERED)?;
    let is_wanted = |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().contains(kind));
    let is_plain = |file: &PathBuf| {
        file.extension().is_none_or(|extension| !["lz4", "gz", "xz"].map(Some).contains(&extension.to_str()))
    };
    let files: Vec<PathBuf> = files.into_iter().filter(is_wanted).filter(is_plain).collect();
    if files.is_empty() {
        return Err(Unknown::Unsupported("no such index".into()));
    }
    let mut found = Vec::new();
    for file in files {
        search(&file, deadline, &find, &mut found)?;
    }
    found.sort();
    found.dedup();
    found.truncate(TOLD);
    Ok(found)
}

fn search(file: &Path, deadline: Instant, find: impl Fn(&[u8]) -> Vec<String>, found: &mut Vec<String>) -> Answer<()> {
    let mut file = File::open(file)?;
    let mut held: Vec<u8> = vec![b'\n'];
    loop {
        if Instant::now() >= deadline {
            return Err(Unknown::TimedOut);
        }
        let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut held)?;
        // A block ends with a paragraph, so that what belongs together is seen together.
        let end = if read == 0 { held.len() } else { memchr::memmem::rfind(&held, b"\n\n").map_or(0, |at| at + 1) };
        found.extend(find(&held[..end]));
        held.drain(..end);
        if read == 0 {
            return Ok(());
        }
    }
}

fn packages(block: &[u8], names: &[String]) -> Vec<String> {
    let has = |name: &&String| memchr::memmem::find(block, format!("\nPackage: {name}\n").as_bytes()).is_some();
    names.iter().filter(has).cloned().collect()
}

fn commands(block: &[u8], name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(block, b"\ncommands:") {
        let line = block[at + 10..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        if !line.split(|byte| *byte == b',').any(|word| word.trim_ascii() == name.as_bytes()) {
            continue;
        }
        let start = memchr::memmem::rfind(&block[..=at], b"\n\n").unwrap_or(0);
        let paragraph = String::from_utf8_lossy(&block[start..at]);
        found.extend(paragraph.lines().find_map(|line| line.strip_prefix("name: ")).map(|name| name.trim().to_owned()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_found_by_its_name_alone() {
        let block = b"\nPackage: jq\nVersion: 1.6\n\nPackage: libjq1\nVersion: 1.6\n";
        assert_eq!(packages(block, &["jq".into(), "jq1".into(), "libjq1".into()]), ["jq", "libjq1"]);
    }

    #[test]
    fn a_command_leads_to_the_package_of_its_paragraph() {
        let block = b"suite: jammy\n\nname: ack\nversion: 3\ncommands: ack\n\nname: coreutils\nversion: 8\ncommands: cat,ls, tac\n";
        assert_eq!(commands(block, "tac"), ["coreutils"]);
        assert_eq!(commands(block, "ac"), Vec::<String>::new());
    }

    #[test]
    fn an_index_that_is_longer_than_a_chunk_is_searched_to_its_end() {
        let mut index = tempfile::NamedTempFile::new().unwrap();
        for number in 0..60_000 {
            use std::io::Write;
            write!(index, "Package: p{number}\nVersion: 1\n\n").unwrap();
        }
        let wanted: Vec<String> = ["p0", "p33333", "p59999", "p60000"].map(String::from).into();
        let mut found = Vec::new();
        let deadline = Instant::now() + std::time::Duration::from_secs(60);
        search(index.path(), deadline, |block| packages(block, &wanted), &mut found).unwrap();
        assert_eq!(found, wanted[..3]);
    }
}
