//! A question and its answer: known, or unknown and why.

use super::{Door, Machine};
use crate::sys::errno::{self, Errno};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a mount that may be dead is waited for when explain itself wants something of it.
const PATIENCE: Duration = Duration::from_millis(100);

/// What the machine answered.
pub type Answer<T> = Result<T, Unknown>;

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// The kernel refused the question with this errno; ENOENT is an answer too, and often the one that was wanted.
    Errno(#[serde(with = "errno::as_name")] Errno),
    /// No answer within the deadline, as from a dead network mount.
    TimedOut,
    /// The record that is played back does not have it.
    NotRecorded,
    /// It cannot be asked here, or the answer was not understood.
    Unsupported(String),
}

impl Unknown {
    /// Whether the answer is that the thing does not exist.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Errno(Errno::ENOENT | Errno::ENOTDIR))
    }
}

impl From<Errno> for Unknown {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<std::io::Error> for Unknown {
    fn from(error: std::io::Error) -> Self {
        error
            .raw_os_error()
            .map_or_else(|| Self::Unsupported(error.to_string()), |raw| Self::Errno(Errno::from_raw(raw)))
    }
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Errno(errno) => f.write_str(errno.desc()),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::NotRecorded => f.write_str("not recorded"),
            Self::Unsupported(why) => f.write_str(why),
        }
    }
}

impl Machine {
    /// Asks once; the same key is answered from the record from then on. `live` may use the kernel, and runs at most once.
    ///
    /// # Errors
    /// Whatever `live` could not learn, [`Unknown::TimedOut`] past the deadline, [`Unknown::NotRecorded`] on a played machine.
    pub(super) fn ask<T, F>(&self, key: &str, live: F) -> Answer<T>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> Answer<T>,
    {
        if let Some(answer) = self.record.borrow().get(key) {
            return answer;
        }
        let Door::Live(ref time) = self.door else { return Err(Unknown::NotRecorded) };
        if time.is_over() {
            return Err(Unknown::TimedOut);
        }
        let answer = live();
        self.record.borrow_mut().put(key, &answer);
        answer
    }

    /// Asks what has a time budget of its own, such as a walk of a tree: the deadline of the other questions moves by the time it takes.
    ///
    /// # Errors
    /// As [`Machine::ask`], but for the deadline.
    pub(super) fn ask_slowly<T, F>(&self, key: &str, live: F) -> Answer<T>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> Answer<T>,
    {
        if let Some(answer) = self.record.borrow().get(key) {
            return answer;
        }
        let Door::Live(_) = self.door else { return Err(Unknown::NotRecorded) };
        let begun = Instant::now();
        let answer = live();
        self.move_deadline(begun.elapsed());
        self.record.borrow_mut().put(key, &answer);
        answer
    }

    /// Asks what explain itself is set up by and what is no state of the machine. A mount that may be dead is not waited for long, and
    /// takes nothing of the other questions' time.
    ///
    /// # Errors
    /// Whatever `live` could not learn; [`Unknown::TimedOut`] from a dead network mount.
    pub(super) fn ask_for_ourselves<T>(&self, path: &Path, live: fn(&Path) -> Answer<T>) -> Answer<T>
    where
        T: Send + 'static,
    {
        if !self.may_block(path) {
            return live(path);
        }
        let begun = Instant::now();
        let answer = aside(self.time_left().min(PATIENCE), path, live);
        self.move_deadline(begun.elapsed());
        answer
    }

    /// Gives the questions to come the time that something else has taken.
    fn move_deadline(&self, by: Duration) {
        if let Door::Live(ref time) = self.door {
            time.deadline.set(time.deadline.get() + by);
        }
    }

    /// Asks about a path: at once where it lies on a local filesystem, and by a thread that is left behind at the deadline
    /// where the answer may never come (a dead network mount).
    ///
    /// # Errors
    /// As [`Machine::ask`]; where a thread is needed and none can be had, [`Unknown::Unsupported`].
    pub(super) fn ask_path<T>(&self, question: &str, path: &Path, live: fn(&Path) -> Answer<T>) -> Answer<T>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let may_block = self.may_block(path);
        let left = self.time_left();
        self.ask(&format!("{question} {}", path.display()), || {
            if may_block { aside(left, path, live) } else { live(path) }
        })
    }

    /// Time until probes stop asking; nothing on a played machine.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        match self.door {
            Door::Live(ref time) => time.deadline.get().saturating_duration_since(Instant::now()),
            Door::Played => Duration::ZERO,
        }
    }
}

/// Asks in a thread that is left behind at the deadline.
pub(super) fn aside<T: Send + 'static>(
    left: Duration,
    path: &Path,
    live: impl FnOnce(&Path) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let path = path.to_owned();
    std::thread::Builder::new()
        .spawn(move || drop(sender.send(live(&path))))
        .map_err(|error| Unknown::Unsupported(format!("no thread: {error}")))?;
    receiver.recv_timeout(left).unwrap_or(Err(Unknown::TimedOut))
}
