//! Configuration files of the system: which file and line says what.

use crate::machine::{Kind, Machine};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A line of a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The file, as an administrator names it (links not followed).
    pub file: PathBuf,
    /// Number of the line, from 1.
    pub number: usize,
    /// The line, without blanks at its ends.
    pub text: String,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} line {}", self.file.display(), self.number)
    }
}

/// One `Key=value` of a file in systemd's syntax, systemd.syntax(7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The section without its brackets.
    pub section: String,
    /// The key.
    pub key: String,
    /// The value; empty where the line takes back what was set before.
    pub value: String,
    /// Where it is said.
    pub line: Line,
}

/// The lines of a file that are neither empty nor comments; none where it cannot be read.
#[must_use]
pub fn lines(machine: &Machine, file: &Path, comments: &[char]) -> Vec<Line> {
    let Ok(bytes) = machine.read(file) else { return Vec::new() };
    let text = bytes.lossy();
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let said = numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with(comments));
    said.map(|(number, text)| Line { file: file.to_owned(), number, text: text.to_owned() }).collect()
}

/// The settings of a file in systemd's syntax, in order; a backslash at its end joins a line with the next.
#[must_use]
pub fn settings(machine: &Machine, file: &Path) -> Vec<Setting> {
    let mut found = Vec::new();
    let mut section = String::new();
    for line in joined(lines(machine, file, &['#', ';'])) {
        if let Some(name) = line.text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = line.text.split_once('=') {
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            found.push(Setting { section: section.clone(), key, value, line });
        }
    }
    found
}

fn joined(lines: Vec<Line>) -> Vec<Line> {
    let mut whole: Vec<Line> = Vec::new();
    for line in lines {
        match whole.last_mut() {
            Some(before) if before.text.ends_with('\\') => {
                before.text.pop();
                before.text = format!("{} {}", before.text.trim_end(), line.text);
            }
            _ => whole.push(line),
        }
    }
    whole
}

/// What a setting is: the last value, where none after it is empty, systemd.syntax(7).
#[must_use]
pub fn last<'a>(settings: &'a [Setting], section: &str, key: &str) -> Option<&'a Setting> {
    let last = settings.iter().rfind(|setting| setting.section == section && setting.key == key)?;
    (!last.value.is_empty()).then_some(last)
}

/// The files with this suffix in some directories, in the order in which they are read: by name, wherever they are; of two
/// with one name, the one in the earlier directory counts (sysctl.d(5), systemd.unit(5)).
#[must_use]
pub fn fragments(machine: &Machine, directories: &[PathBuf], suffix: &str) -> Vec<PathBuf> {
    let mut by_name: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for directory in directories {
        for entry in machine.list(directory).map(|listing| listing.entries).unwrap_or_default() {
            if entry.name.to_string_lossy().ends_with(suffix) && entry.kind != Some(Kind::Directory) {
                let path = directory.join(&entry.name);
                by_name.entry(entry.name.into_os_string()).or_insert(path);
            }
        }
    }
    by_name.into_values().collect()
}

/// Whether systemd is the init of this machine, `sd_booted(3)`.
#[must_use]
pub fn has_systemd(machine: &Machine) -> bool {
    machine.stat(Path::new("/run/systemd/system")).is_ok_and(|found| found.kind == Kind::Directory)
}
