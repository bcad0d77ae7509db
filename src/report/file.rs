//! Where `--report` writes. A name is opened when there is a report to write, so that a run that succeeds leaves no file; a
//! descriptor (`/dev/fd/N`) is kept from before the run, since our own standard files are let go of while the command runs.

use super::{Report, safe};
use crate::sys::fd;
use crate::sys::signal::{self, Disposition};
use crate::text::said;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

/// How long a place may take to answer: a slow server is waited for, one that is gone is not.
const PATIENCE: Duration = Duration::from_secs(5);

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

    /// Writes the report as JSON. A thread does it, and is left behind where the place does not answer: the command has ended, and
    /// whoever waits for it must not wait for a dead mount.
    ///
    /// # Errors
    /// Why it could not be opened or written, with its name.
    pub fn write(self, report: &Report) -> Result<(), String> {
        let name = safe(&self.name.to_string_lossy());
        let told = |error: io::Error| format!("cannot write the report to {name}: {}", said(&error));
        let json = report.to_json().map_err(io::Error::other).map_err(told)?;
        // A limit on file sizes is an error to tell, not a signal to die by (setrlimit(2)).
        let _ = signal::dispose(libc::SIGXFSZ, Disposition::Ignore);
        self.put_patiently(json).map_err(told)
    }

    fn put_patiently(self, json: String) -> io::Result<()> {
        let (sender, receiver) = mpsc::channel();
        let work = Arc::new(Mutex::new(Some(move || self.put(&json))));
        let theirs = Arc::clone(&work);
        let put = move || drop(taken(&theirs).map(|put| sender.send(put())));
        // Without a thread to be had, somebody has to do it.
        if std::thread::Builder::new().name("report".into()).spawn(put).is_err() {
            return taken(&work).map_or(Ok(()), |put| put());
        }
        let no_answer = || Err(io::Error::other(format!("no answer within {} seconds", PATIENCE.as_secs())));
        receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| no_answer())
    }

    fn put(self, json: &str) -> io::Result<()> {
        let Self { name, open } = self;
        if let Some(open) = open {
            return File::from(open).write_all(json.as_bytes());
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(name)?;
        file.write_all(json.as_bytes()).inspect_err(|_| {
            // Half a report reads as a broken one. What is no regular file has no length to set.
            let _ = file.set_len(0);
        })
    }
}

fn taken<T>(work: &Mutex<Option<T>>) -> Option<T> {
    work.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The descriptor that a name means.
fn number(name: &Path) -> Option<RawFd> {
    match name.to_str()? {
        "/dev/stdout" => Some(fd::STDOUT),
        "/dev/stderr" => Some(fd::STDERR),
        name => ["/dev/fd/", "/proc/self/fd/"].iter().find_map(|prefix| name.strip_prefix(prefix))?.parse().ok(),
    }
}
