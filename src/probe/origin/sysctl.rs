//! Which file sets a sysctl at boot, sysctl.d(5).

use super::config::{Line, fragments, has_systemd, lines};
use crate::machine::Machine;
use std::path::{Path, PathBuf};

/// Directories of settings, the strongest first.
const DIRECTORIES: &[&str] =
    &["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

/// The file of procps; systemd reads it only where a link in sysctl.d names it.
const PROCPS: &str = "/etc/sysctl.conf";

/// A line that sets a sysctl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sysctl {
    /// The value that it sets.
    pub value: String,
    /// Where.
    pub line: Line,
}

/// The line that sets a sysctl in the end, such as `fs.inotify.max_user_watches`; none where no file does, and the value is the kernel's.
#[must_use]
pub fn of_sysctl(machine: &Machine, name: &str) -> Option<Sysctl> {
    let directories: Vec<PathBuf> = DIRECTORIES.iter().map(PathBuf::from).collect();
    let mut files = fragments(machine, &directories, ".conf");
    if !has_systemd(machine) {
        files.push(PROCPS.into());
    }
    let wanted = normal(name);
    let said = files.iter().flat_map(|file| lines(machine, file, &['#', ';'])).filter_map(setting);
    let (exact, by_pattern): (Vec<_>, Vec<_>) =
        said.filter(|(key, _)| matches(key, &wanted)).partition(|(key, _)| *key == wanted);
    // A key that is written out wins over a pattern, wherever they stand.
    exact.into_iter().next_back().or_else(|| by_pattern.into_iter().next_back()).map(|(_, found)| found)
}

/// Where a setting of one's own is read after all that are there.
#[must_use]
pub fn lasting_file(machine: &Machine) -> PathBuf {
    let directories: Vec<PathBuf> = DIRECTORIES.iter().map(PathBuf::from).collect();
    let last = fragments(machine, &directories, ".conf");
    let last = last.last().and_then(|file| file.file_stem()).map(|stem| stem.to_string_lossy().into_owned());
    let name = last
        .filter(|stem| stem.as_str() >= "99-local")
        .map_or_else(|| "99-local".to_owned(), |stem| format!("{stem}z"));
    Path::new("/etc/sysctl.d").join(format!("{name}.conf"))
}

fn setting(line: Line) -> Option<(String, Sysctl)> {
    let (key, value) = line.text.split_once('=')?;
    // A dash before the key: errors do not matter.
    let key = normal(key.trim().trim_start_matches('-'));
    let value = value.trim().to_owned();
    Some((key, Sysctl { value, line }))
}

/// Keys are written with dots or slashes; where the first is a dot, slashes and dots trade places.
fn normal(key: &str) -> String {
    match key.find(['.', '/']) {
        Some(first) if key[first..].starts_with('.') => key.chars().map(traded).collect(),
        _ => key.to_owned(),
    }
}

fn traded(letter: char) -> char {
    match letter {
        '.' => '/',
        '/' => '.',
        other => other,
    }
}

/// Whether a key or pattern (`net/ipv4/conf/*/rp_filter`) names a sysctl.
fn matches(pattern: &str, name: &str) -> bool {
    let (patterns, names): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), name.split('/').collect());
    patterns.len() == names.len() && patterns.iter().zip(names).all(|(pattern, name)| part_matches(pattern, name))
}

fn part_matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail),
    }
}
