//! Kernel parameters: their values in `/proc/sys`, and the line of `sysctl.d(5)` that sets them at boot.

use super::settings::{Setting, files_below, last_line};
use crate::machine::{Answer, Machine, Unknown};
use std::collections::BTreeMap;
use std::ffi::OsString;
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

/// Directories of `sysctl.d(5)`: a file hides those of its name in the directories behind its own.
const DIRECTORIES: [&str; 5] =
    ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

/// The line that sets a parameter at boot: of the file that is last in the order of names, or of `/etc/sysctl.conf`, which
/// sysctl(8) reads after them.
#[must_use]
pub fn setting(machine: &Machine, key: &str) -> Option<Setting> {
    let mut files: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for file in DIRECTORIES.iter().flat_map(|directory| files_below(machine, directory, "conf")) {
        if let Some(name) = file.file_name() {
            files.entry(name.to_owned()).or_insert(file);
        }
    }
    let word = key.rsplit('.').next().unwrap_or(key);
    let in_order = files.into_values().chain([PathBuf::from("/etc/sysctl.conf")]);
    in_order.filter_map(|file| last_line(machine, &file, word, |line| sets(line, key))).last()
}

/// Whether a line is `key = value`, with slashes for dots and a dash before it as `sysctl.d(5)` allows.
fn sets(line: &str, key: &str) -> bool {
    let Some((name, _)) = line.split_once('=') else { return false };
    name.trim().trim_start_matches('-').replace('/', ".") == key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Entry, Kind, Line, Listing, Record, Surroundings};
    use crate::text::Bytes;

    const KEY: &str = "fs.inotify.max_user_watches";

    fn configured(files: &[(&str, &str, &str)]) -> Machine {
        let mut record = Record::default();
        for directory in DIRECTORIES {
            let here = files.iter().filter(|(place, ..)| *place == directory);
            let entries = here.map(|(_, name, _)| Entry { name: name.into(), inode: 1, kind: Some(Kind::Regular) });
            record.put(&format!("list {directory}"), &Ok(Listing { entries: entries.collect(), cut: false }));
        }
        for (directory, name, text) in files {
            let lines = vec![Line { number: 2, text: (*text).to_owned() }];
            record.put(&format!("lines max_user_watches {directory}/{name}"), &Ok(lines));
        }
        Machine::played(Surroundings::default(), record)
    }

    fn set_by(files: &[(&str, &str, &str)]) -> Option<String> {
        setting(&configured(files), KEY).map(|setting| setting.to_string())
    }

    #[test]
    fn the_last_file_by_name_sets_it() {
        let set = "fs.inotify.max_user_watches = 8192";
        let files = [("/usr/lib/sysctl.d", "50-a.conf", set), ("/etc/sysctl.d", "10-b.conf", set)];
        assert_eq!(set_by(&files).as_deref(), Some("/usr/lib/sysctl.d/50-a.conf:2"));
    }

    #[test]
    fn a_file_in_etc_hides_one_of_its_name() {
        let files = [
            ("/usr/lib/sysctl.d", "50-a.conf", "fs.inotify.max_user_watches=1"),
            ("/etc/sysctl.d", "50-a.conf", "-fs/inotify/max_user_watches=2"),
        ];
        assert_eq!(set_by(&files).as_deref(), Some("/etc/sysctl.d/50-a.conf:2"));
    }

    #[test]
    fn a_comment_or_another_key_sets_nothing() {
        for line in ["#fs.inotify.max_user_watches=1", "; fs.inotify.max_user_watches", "user.max_user_watches=1"] {
            assert_eq!(set_by(&[("/etc/sysctl.d", "a.conf", line)]), None, "{line}");
        }
    }

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
