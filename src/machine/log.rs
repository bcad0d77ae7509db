//! A log that the command's output names, read as more of its output: what it wrote in this run, and not without end.
//!
//! The output may name any file, and root can read any. So the file must be a regular one that was changed since the command was
//! started; and what root reads must be root's or that of the user under whom the command ran.

use super::ask::aside;
use super::{Answer, Machine, Unknown};
use crate::transcript::{Recorder, Transcript};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Bytes that are read, from the end; of these the transcript keeps its first and last part and the telling lines between them.
const READ_LIMIT: u64 = 4 << 20;
/// By how much the time of a file may lag behind the clock: a tick of the kernel (`current_time`, fs/inode.c) at 100 Hz, and some.
const LAG: Duration = Duration::from_millis(20);

/// What is kept of the time of a saved log.
const LOG_AGE: &str = "log age";

/// Which logs are those of a run.
#[derive(Clone, Copy)]
struct Wanted {
    since: SystemTime,
    /// Whose files they may be; none: anybody's.
    owners: Option<[u32; 2]>,
}

impl Machine {
    /// Keeps when the saved output that is explained was last written; none where it came from a pipe.
    pub fn keep_log_time(&self, written: Option<SystemTime>) {
        let age = |written: SystemTime| written.elapsed().unwrap_or_default().as_secs();
        let unknown = || Unknown::Unsupported("nobody knows when the log was written".to_owned());
        let _ = self.ask_slowly(LOG_AGE, || written.map(age).ok_or_else(unknown));
    }

    /// Seconds since the saved output was last written.
    ///
    /// # Errors
    /// [`Unknown::Unsupported`] where nobody knows; [`Unknown::NotRecorded`] where the state is that of another time than now.
    pub fn log_age(&self) -> Answer<u64> {
        self.ask(LOG_AGE, || Err(Unknown::Unsupported("there is no log".to_owned())))
    }

    /// The end of a log that a command wrote which was started at this time.
    ///
    /// # Errors
    /// Those of `open(2)` and `read(2)`; [`Unknown::Unsupported`] where it is no log of the run.
    pub fn log(&self, file: &Path, since: SystemTime) -> Answer<Transcript> {
        let (may_block, left) = (self.may_block(file), self.time_left());
        let identity = &self.surroundings().identity;
        let caller = self.surroundings().caller.unwrap_or(identity.uid);
        let wanted = Wanted { since, owners: (caller == 0).then_some([0, identity.uid]) };
        self.ask(&format!("log {}", file.display()), || {
            if may_block { aside(left, file, move |file| log(file, wanted)) } else { log(file, wanted) }
        })
    }
}

fn log(path: &Path, wanted: Wanted) -> Answer<Transcript> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    wanted.check(&std::fs::symlink_metadata(path)?)?;
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
    wanted.check(&found)?;
    let skipped = found.len().saturating_sub(READ_LIMIT);
    file.seek(SeekFrom::Start(skipped))?;
    read(file)
}

fn read(file: File) -> Answer<Transcript> {
    let mut recorder = Recorder::default();
    let mut file = file.take(READ_LIMIT);
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(recorder.finish()),
            count => recorder.push(&buffer[..count]),
        }
    }
}

impl Wanted {
    fn check(&self, found: &Metadata) -> Answer<()> {
        let no = |why: &str| Err(Unknown::Unsupported(why.to_owned()));
        if !found.is_file() {
            return no("it is no regular file");
        }
        if !self.is_of_the_run(found) {
            return no("it was not written in this run");
        }
        match self.owners {
            Some(owners) if !owners.contains(&found.uid()) => no("it is somebody else's"),
            _ => Ok(()),
        }
    }

    /// Some filesystems keep whole seconds.
    fn is_of_the_run(&self, found: &Metadata) -> bool {
        let since = self.since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().saturating_sub(LAG);
        let (seconds, nanoseconds) = (found.mtime(), found.mtime_nsec());
        let earliest = (since.as_secs().cast_signed(), i64::from(since.subsec_nanos()));
        (seconds, nanoseconds) >= earliest || nanoseconds == 0 && seconds >= earliest.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const ANYBODY: Wanted = Wanted { since: SystemTime::UNIX_EPOCH, owners: None };

    fn written(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("x.log");
        std::fs::write(&file, text).unwrap();
        (directory, file)
    }

    #[test]
    fn a_log_of_the_run_is_read() {
        let (_directory, file) = written(b"one\ntwo\n");
        let since = SystemTime::now() - Duration::from_millis(5);
        assert_eq!(log(&file, Wanted { since, ..ANYBODY }), Ok(Transcript::whole(b"one\ntwo\n".to_vec())));
    }

    #[test]
    fn an_older_file_is_no_log_of_the_run() {
        let (_directory, file) = written(b"one\n");
        let old = SystemTime::now() - Duration::from_secs(60);
        File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
        let since = SystemTime::now();
        let told = log(&file, Wanted { since, ..ANYBODY });
        assert_eq!(told, Err(Unknown::Unsupported("it was not written in this run".into())));
    }

    #[test]
    fn what_is_somebody_elses_or_no_regular_file_is_not_read() {
        let (directory, file) = written(b"one\n");
        let uid = File::open(&file).unwrap().metadata().unwrap().uid();
        let told = log(&file, Wanted { owners: Some([uid + 1, uid + 2]), ..ANYBODY });
        assert_eq!(told, Err(Unknown::Unsupported("it is somebody else's".into())));
        let link = directory.path().join("link.log");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for other in [directory.path(), &link, Path::new("/dev/null")] {
            assert_eq!(log(other, ANYBODY), Err(Unknown::Unsupported("it is no regular file".into())));
        }
    }

    #[test]
    fn of_a_long_log_the_end_is_read() {
        let (_directory, file) = written(&b"a line of a log\n".repeat(1 << 20));
        let transcript = log(&file, ANYBODY).unwrap();
        assert_eq!(transcript.bytes, READ_LIMIT);
        assert!(transcript.parts.iter().map(|part| part.bytes.0.len()).sum::<usize>() < 300 << 10);
    }
}
