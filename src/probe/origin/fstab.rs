//! Lines of `/etc/fstab`, fstab(5).

use super::config::{Line, lines};
use crate::machine::Machine;
use std::path::{Path, PathBuf};

/// The file.
pub const FILE: &str = "/etc/fstab";

/// One line, by its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is mounted.
    pub source: String,
    /// Where.
    pub point: PathBuf,
    /// Type of the filesystem.
    pub fstype: String,
    /// Options, parted by commas.
    pub options: String,
    /// The line itself.
    pub line: Line,
}

/// All lines that mount something.
#[must_use]
pub fn entries(machine: &Machine) -> Vec<Entry> {
    lines(machine, Path::new(FILE), &['#']).into_iter().filter_map(entry).collect()
}

/// The line for a mount point; the last one, which lies above the others.
#[must_use]
pub fn of_point(machine: &Machine, point: &Path) -> Option<Entry> {
    entries(machine).into_iter().rfind(|entry| entry.point == point)
}

fn entry(line: Line) -> Option<Entry> {
    let mut fields = line.text.split_whitespace();
    let (source, point, fstype) = (fields.next()?, fields.next()?, fields.next()?);
    let options = fields.next().unwrap_or("defaults").to_owned();
    let trimmed = unescaped(point);
    let trimmed = trimmed.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(&trimmed);
    Some(Entry { source: source.to_owned(), point: trimmed.into(), fstype: fstype.to_owned(), options, line })
}

/// Blanks in a field are written `\040` and `\011`.
fn unescaped(field: &str) -> String {
    field.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
}

impl Entry {
    /// The line with these options set in place of their old values.
    #[must_use]
    pub fn with_options(&self, wanted: &[(&str, &str)]) -> String {
        let options = super::with_options(&self.options, wanted);
        let rest: Vec<&str> = self.line.text.split_whitespace().skip(4).collect();
        let point = self.line.text.split_whitespace().nth(1).unwrap_or_default();
        [&[self.source.as_str(), point, &self.fstype, &options], &rest[..]].concat().join(" ")
    }
}
