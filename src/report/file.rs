//! Where `--report` writes. A name is opened when there is a report to write, so that a run that succeeds leaves no file; a
//! descriptor (`/dev/fd/N`) is kept from before the run, since our own standard files are let go of while the command runs.

use super::{Report, safe};
use crate::sys::fd;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{OwnedFd, RawFd};
use std::path::{Path, PathBuf};

/// A place for a report.
pub struct ReportFile {
    name: PathBuf,
    open: Option<OwnedFd>,
}

impl ReportFile {
    /// The file of this name, or the descriptor that it means.
    #[must_use]
    pub fn new(name: &Path) -> Self {
        Self { name: name.to_owned(), open: number(name).and_then(|number| fd::duplicate(number).ok()) }
    }

    /// Writes the report as JSON.
    ///
    /// # Errors
    /// Why it could not be opened or written, with its name.
    pub fn write(self, report: &Report) -> Result<(), String> {
        let Self { name, open } = self;
        let named = || OpenOptions::new().write(true).create(true).truncate(true).open(&name);
        let json = report.to_json().map_err(io::Error::other);
        let written =
            open.map_or_else(named, |open| Ok(File::from(open))).and_then(|mut file| file.write_all(json?.as_bytes()));
        written.map_err(|error| format!("cannot write the report to {}: {error}", safe(&name.to_string_lossy())))
    }
}

/// The descriptor that a name means.
fn number(name: &Path) -> Option<RawFd> {
    match name.to_str()? {
        "/dev/stdout" => Some(fd::STDOUT),
        "/dev/stderr" => Some(fd::STDERR),
        name => ["/dev/fd/", "/proc/self/fd/"].iter().find_map(|prefix| name.strip_prefix(prefix))?.parse().ok(),
    }
}
