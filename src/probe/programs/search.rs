//! From a command's name to a file, as execvp(3) and shells search `PATH`.

use super::existing;
use crate::machine::{Kind, Machine};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What is searched where `PATH` is not set: `_CS_PATH` of confstr(3).
const DEFAULT: &str = "/bin:/usr/bin";
/// Near names that are worth telling.
const NEAR: usize = 3;

/// The end of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The first file of that name that may be executed, as `PATH` leads to it.
    Found(PathBuf),
    /// Files of that name are there, and the first of them may not be executed.
    Refused(PathBuf),
    /// No directory has a file of that name.
    Nowhere,
}

/// The directories of `PATH` in order; an empty element is the working directory, execvp(3).
#[must_use]
pub fn directories(machine: &Machine) -> Vec<PathBuf> {
    let path = machine.surroundings().var("PATH").unwrap_or_else(|| DEFAULT.into());
    let cwd = &machine.surroundings().cwd;
    let mut directories: Vec<PathBuf> = Vec::new();
    for element in path.as_bytes().split(|byte| *byte == b':') {
        let directory = cwd.join(OsStr::from_bytes(element));
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    directories
}

/// Looks for a command's name in `PATH`.
#[must_use]
pub fn lookup(machine: &Machine, name: &OsStr) -> Lookup {
    let mut refused = None;
    for directory in directories(machine) {
        let file = directory.join(name);
        match has_execute_bit(machine, &file) {
            Some(true) => return Lookup::Found(file),
            Some(false) => refused = refused.or(Some(file)),
            None => {}
        }
    }
    refused.map_or(Lookup::Nowhere, Lookup::Refused)
}

/// Whether a regular file has an execute bit; none where it is missing or something else.
#[must_use]
pub fn has_execute_bit(machine: &Machine, file: &Path) -> Option<bool> {
    let found = machine.stat(&existing(machine, file)?).ok()?;
    (found.kind == Kind::Regular).then_some(found.mode & 0o111 != 0)
}

/// Commands of `PATH` whose names are nearly this one, the nearest first.
#[must_use]
pub fn near(machine: &Machine, name: &OsStr) -> Vec<PathBuf> {
    let Some(wanted) = name.to_str() else { return Vec::new() };
    let mut near: Vec<(usize, PathBuf)> = Vec::new();
    for directory in directories(machine) {
        let found = machine.near_names(&directory, wanted).unwrap_or_default();
        near.extend(found.into_iter().map(|found| (found.distance, directory.join(found.name))));
    }
    near.sort_by_key(|(distance, _)| *distance);
    let mut told: Vec<PathBuf> = Vec::new();
    for (_, file) in near {
        let is_told = told.iter().any(|known| known.file_name() == file.file_name());
        if !is_told && has_execute_bit(machine, &file) == Some(true) {
            told.push(file);
        }
        if told.len() == NEAR {
            break;
        }
    }
    told
}
