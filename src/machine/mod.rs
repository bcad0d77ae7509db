//! The only door to the state of the machine: live, and recorded as it is read; or played back from a report.
//!
//! Every question has a key (`stat /tmp`) and a serialisable answer. A live machine asks the kernel once and keeps the
//! answer; a played machine knows what was recorded and nothing else. What is above the door cannot tell them apart.

mod accounts;
mod ask;
mod attributes;
mod btrfs;
pub mod catalogues;
mod confinement;
mod crew;
mod elf;
mod executable;
mod files;
mod form;
mod given;
mod inotify;
mod kernel_log;
mod lines;
mod locks;
mod log;
mod mapper;
mod namespaces;
mod near_names;
mod packages;
mod processes;
mod project;
mod quota;
mod record;
mod rule_files;
mod scripts;
mod sockets;
mod surroundings;
mod tree;
mod xfs;

pub use crate::sys::lock_table::{HeldLock, LockKind};
pub use accounts::{Group, Login};
pub use ask::{Answer, Unknown};
pub use attributes::{AclEntry, AclTag, InodeFlags};
pub use btrfs::Subvolume;
pub use elf::{Elf, Versions};
pub use executable::{Cached, Executable, KERNEL_READS};
pub use files::{Entry, Kind, Listing, Stat};
pub use form::Form;
pub use given::{EnvironmentSize, NamesSize};
pub use inotify::Directories;
pub use kernel_log::{KernelLog, KernelMessage};
pub use lines::Line;
pub use locks::{LockHolder, Locks};
pub use namespaces::NamespaceCensus;
pub use near_names::NearName;
pub use packages::Owned;
pub use processes::{Coverage, Deleted, DeletedFile, Program, Use, User, Users};
pub use quota::{Account, Allowance, Quota};
pub use record::Record;
pub use rule_files::{Ownership, RuleFile, RulePlace, rule_files};
pub use sockets::{BoundSocket, PortSocket, SocketState};
pub use surroundings::{Identity, Surroundings};
pub use tree::{Branch, TreeUsage};
pub use xfs::FreeExtents;

use crate::sys::mounts::{self, Mount, Mounts};
use crate::sys::time;
use std::cell::{Cell, OnceCell, RefCell};
use std::path::Path;
use std::time::{Duration, Instant};

/// The machine that is examined.
pub struct Machine {
    door: Door,
    record: RefCell<Record>,
    surroundings: Surroundings,
    mounts: OnceCell<Mounts>,
    has_mounts_that_may_block: OnceCell<bool>,
    processes: OnceCell<processes::Seen>,
    on_progress: Option<OnProgress>,
}

/// Called with the place that is looked at and the entries seen so far, some times a second, by probes that take more than a second.
pub type OnProgress = Box<dyn Fn(&Path, u64)>;

enum Door {
    /// Questions go to the kernel until the deadline.
    Live(Time),
    /// Answers come from the record alone.
    Played,
}

/// The time that questions have; those that walk trees have a budget of their own.
struct Time {
    /// When probes stop asking.
    deadline: Cell<Instant>,
    /// How long this thread had waited for a processor when that was last asked.
    waited: Cell<Duration>,
    /// The deadline is not moved beyond this for such waiting.
    latest: Cell<Instant>,
}

/// On a machine whose processors are busy, an explanation may take this much longer.
const MOST_WAITING: Duration = Duration::from_secs(3);

impl Time {
    fn until(deadline: Instant) -> Self {
        let waited = Cell::new(time::waited_for_processor());
        Self { deadline: Cell::new(deadline), waited, latest: Cell::new(deadline + MOST_WAITING) }
    }

    /// Whether the deadline has passed. Time in which others had the processor is given back: a build of many jobs fails on a machine that is
    /// busy, and is to be explained all the same.
    fn is_over(&self) -> bool {
        if Instant::now() < self.deadline.get() {
            return false;
        }
        let waited = time::waited_for_processor();
        let more = waited.saturating_sub(self.waited.replace(waited));
        self.deadline.set((self.deadline.get() + more).min(self.latest.get()));
        Instant::now() >= self.deadline.get()
    }
}

impl Machine {
    /// This machine as it is now. Probes that have not begun by the deadline answer [`Unknown::TimedOut`].
    #[must_use]
    pub fn live(surroundings: Surroundings, deadline: Instant) -> Self {
        Self { door: Door::Live(Time::until(deadline)), ..Self::played(surroundings, Record::default()) }
    }

    /// From now on questions have until this deadline. What was done before them, reading rules or a long log, is not taken off.
    pub fn allow_until(&self, deadline: Instant) {
        if let Door::Live(time) = &self.door {
            time.deadline.set(deadline);
            time.latest.set(deadline + MOST_WAITING);
        }
    }

    /// The machine that a report recorded.
    #[must_use]
    pub fn played(surroundings: Surroundings, record: Record) -> Self {
        Self {
            door: Door::Played,
            record: RefCell::new(record),
            surroundings,
            mounts: OnceCell::new(),
            has_mounts_that_may_block: OnceCell::new(),
            processes: OnceCell::new(),
            on_progress: None,
        }
    }

    /// The same, with somebody who is told of long probes.
    #[must_use]
    pub fn with_progress(self, on_progress: OnProgress) -> Self {
        Self { on_progress: Some(on_progress), ..self }
    }

    fn progress(&self, place: &Path, entries: u64) {
        if let Some(on_progress) = &self.on_progress {
            on_progress(place, entries);
        }
    }

    /// What the child was given by its parent: working directory, environment, identity, limits.
    #[must_use]
    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// The mount table that the child saw; empty where it cannot be read.
    #[must_use]
    pub fn mounts(&self) -> &Mounts {
        self.mounts.get_or_init(|| {
            let table = self.ask("mounts", || mounts::table().map(crate::text::Bytes).map_err(Unknown::from));
            table.map(|table| Mounts::parse(&table.0)).unwrap_or_default()
        })
    }

    /// Whether a question about this path may never be answered.
    fn may_block(&self, path: &Path) -> bool {
        // Most machines have no such mount, and a table may have thousands of lines.
        let has_any = *self.has_mounts_that_may_block.get_or_init(|| self.mounts().0.iter().any(Mount::may_block));
        has_any && self.mounts().may_block(path)
    }

    /// What was read so far.
    #[must_use]
    pub fn record(&self) -> Record {
        self.record.borrow().clone()
    }
}
