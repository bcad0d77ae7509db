//! Lines of files of settings: which one is it that sets something?

use crate::machine::Machine;
use std::path::{Path, PathBuf};

/// A line of a file of settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The file.
    pub file: PathBuf,
    /// Counted from 1.
    pub number: usize,
    /// The line without blanks around it.
    pub text: String,
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.number)
    }
}

/// The last line of a file with `word` that does it.
#[must_use]
pub fn last_line(machine: &Machine, file: &Path, word: &str, does: impl Fn(&str) -> bool) -> Option<Setting> {
    let lines = machine.lines_with(word, file).ok()?;
    let line = lines.into_iter().rfind(|line| does(&line.text))?;
    Some(Setting { file: file.to_owned(), number: line.number, text: line.text })
}

/// Files of a directory with this ending, in order.
#[must_use]
pub fn files_below(machine: &Machine, directory: &str, ending: &str) -> Vec<PathBuf> {
    let directory = Path::new(directory);
    let entries = machine.list(directory).unwrap_or_default().entries;
    let files = entries.iter().map(|entry| directory.join(&entry.name));
    files.filter(|file| file.extension().is_some_and(|kind| kind == ending)).collect()
}
