//! What was seen of the machine before and while the child ran. Tools clean up before they exit, so the state after a
//! failure is not the state at the failure: the lowest marks are taken on a timer and whenever stderr speaks.

mod counters;
mod ongoing;
mod pace;
mod places;

pub use ongoing::Watch;
pub use pace::Unseen;

use crate::sys::busy::{self, Busy};
use crate::sys::family::{self, Family};
use crate::sys::fs::Space;
use crate::sys::inotify::{self, Census, Trial};
use crate::sys::lock_table::{self, HeldLock};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// When a sample was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since the child was started.
    pub at_ms: u64,
    /// Bytes that the child had written to stderr by then, where the sample was taken because it wrote.
    pub said: Option<u64>,
}

/// One reading of a filesystem's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    pub moment: Moment,
    /// What `statfs(2)` said.
    pub space: Space,
}

/// A watched mount point and the marks that were seen there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The mount point.
    #[serde(with = "crate::text::path")]
    pub point: PathBuf,
    /// Why it is watched: `working directory`, `TMPDIR`, `/tmp`, `named on stderr`.
    pub roles: Vec<String>,
    /// The first reading.
    pub before: Sample,
    /// The reading with the fewest free inodes (`f_ffree`).
    pub fewest_inodes: Sample,
    /// The reading with the fewest available blocks (`f_bavail`).
    pub fewest_blocks: Sample,
    /// The last reading, when the child had ended.
    pub after: Sample,
}

impl Place {
    /// The role of what a word of the command names.
    pub(crate) const NAMED_BY_THE_COMMAND: &str = "named by the command";

    /// The role of what was named on stderr.
    pub(crate) const NAMED_ON_STDERR: &str = "named on stderr";

    /// Whether a message of the command names it or something on it.
    #[must_use]
    pub fn is_named_on_stderr(&self) -> bool {
        self.roles.iter().any(|role| role == Self::NAMED_ON_STDERR)
    }

    /// Whether a word of the command names it or something on it.
    #[must_use]
    pub fn is_named_by_the_command(&self) -> bool {
        self.roles.iter().any(|role| role == Self::NAMED_BY_THE_COMMAND)
    }

    /// Bytes of a filesystem that go with a file or directory beside what is written to it: its inode, its blocks that are not full.
    const BESIDE_A_FILE: u64 = 8 << 10;
    /// How much more than what is written goes at most: blocks that are set aside, xfs(5) `allocsize`.
    const AT_MOST: u64 = 4;

    /// Whether one who wrote so many bytes can have taken the room that went meanwhile. Who does not tell may have; so may anybody where
    /// files are not counted, since such a filesystem takes room in pieces of its own size.
    #[must_use]
    pub fn may_be_filled_by(&self, written: Option<u64>) -> bool {
        let (before, lowest) = (&self.before.space, &self.fewest_blocks.space);
        let Some(written) = written.filter(|_| before.counts_inodes()) else { return true };
        let gone = before.bytes_available().saturating_sub(lowest.bytes_available());
        let files = before.inodes_free.saturating_sub(self.fewest_inodes.space.inodes_free);
        let taken = written.saturating_add(files.saturating_mul(Self::BESIDE_A_FILE));
        taken.saturating_mul(Self::AT_MOST) >= gone
    }
}

/// Counters of the kernel that only rise; a difference between two readings is what happened meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// `oom_kill` of `/proc/vmstat`: processes that the whole machine's OOM killer ended.
    pub oom_kill: Option<u64>,
    /// `oom_kill` of the own memory cgroup (`memory.events`, or `memory.oom_control` of version 1).
    pub cgroup_oom_kill: Option<u64>,
    /// `max` of the own pids cgroup's `pids.events`: forks that its limit refused.
    pub cgroup_pids_max: Option<u64>,
}

/// All that the watch saw. `Default` is a run that was not watched (`--log`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// The watched filesystems, by mount point.
    pub places: Vec<Place>,
    /// Counters before the child did anything.
    pub before: Counters,
    /// Counters when it had ended.
    pub after: Counters,
    /// Readings taken while it ran.
    pub samples: u64,
    /// Bytes that the command and those that it waited for gave to `write(2)` and its like; none where the kernel does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<u64>,
    /// The most telling look at inotify, taken when stderr spoke of want; none when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inotify: Option<InotifySample>,
    /// The most telling look at the command's processes, taken when stderr spoke of limits; none when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<FamilySample>,
    /// The process that was seen with the most CPU time; none where that has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busiest: Option<BusySample>,
    /// The locks that others held when stderr last spoke of one; none when it did not, or nobody held one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locks: Option<LockSample>,
}

/// What the busiest process had used at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusySample {
    /// When.
    pub moment: Moment,
    /// Who, and how much.
    pub process: Busy,
}

/// The locks that were held at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockSample {
    /// When.
    pub moment: Moment,
    /// Which, and by whom.
    pub held: Vec<HeldLock>,
}

/// What the command's processes used at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilySample {
    /// When.
    pub moment: Moment,
    /// What they used.
    pub family: Family,
    /// `pids.current` of the own pids cgroup and of those above it, by directory.
    pub groups: Vec<(String, u64)>,
}

/// Who held inotify instances and watches at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InotifySample {
    /// When.
    pub moment: Moment,
    /// Whether one more was to be had.
    pub trial: Trial,
    /// Who held how many.
    pub census: Census,
}

impl Watched {
    /// Longest time that one look at all processes may keep the relay waiting.
    const BUDGET: Duration = Duration::from_millis(10);

    /// Looks at inotify, and keeps the look if one more watch or instance is refused or if nothing was kept before. To be called when
    /// stderr said something like ENOSPC or EMFILE: the watches of the command are gone when it has ended.
    pub fn look_at_inotify(&mut self, moment: Moment) {
        let trial = inotify::trial();
        let is_refused = trial.instance_refused || trial.watch_refused == Some(true);
        if is_refused || self.inotify.is_none() {
            let census = inotify::census(Instant::now() + Self::BUDGET);
            self.inotify = Some(InotifySample { moment, trial, census });
        }
    }

    /// Looks at who holds locks, and keeps the look where somebody does. To be called when stderr spoke of a lock: its holder may let go
    /// before the command has ended.
    pub fn look_at_locks(&mut self, moment: Moment) {
        let held = lock_table::look(Instant::now() + Self::BUDGET);
        if !held.is_empty() {
            self.locks = Some(LockSample { moment, held });
        }
    }

    /// Looks at who uses the most CPU time, and keeps the most that was seen. The kernel ends a process at its limit without a word, and how much
    /// it had used is not told: of a child's children only the sum is (`getrusage(2)`).
    pub fn look_at_the_busiest(&mut self, moment: Moment) {
        let Some(process) = busy::busiest() else { return };
        if self.busiest.as_ref().is_none_or(|kept| process.used_ms > kept.process.used_ms) {
            self.busiest = Some(BusySample { moment, process });
        }
    }

    /// Looks at what the command's processes use, and keeps the look at the most. To be called when stderr said something like
    /// EMFILE, EAGAIN or ENOMEM.
    pub fn look_at_family(&mut self, moment: Moment, groups: Vec<(String, u64)>) {
        let mut family = family::look(Instant::now() + Self::BUDGET);
        // Limits that were seen once are in force, whatever is used of them now.
        let kept = self.family.take();
        for confined in kept.iter().flat_map(|kept| &kept.family.confined) {
            if family.confined.iter().all(|known| known.limits != confined.limits) {
                family.confined.push(confined.clone());
            }
        }
        self.family = Some(match kept {
            Some(kept) if used(&kept.family) > used(&family) => {
                FamilySample { family: Family { confined: family.confined, ..kept.family }, ..kept }
            }
            _ => FamilySample { moment, family, groups },
        });
    }
}

/// What can have been used up and given back between two looks of a run, or in all of one that was short; nothing where nobody looked.
#[must_use]
pub fn unseen(watched: &Watched) -> Unseen {
    let ended = watched.places.iter().map(|place| place.after.moment.at_ms).max();
    pace::unseen(Duration::from_millis(ended.map_or(0, |begun| begun + 1)))
}

/// How much the processes use, for telling which of two looks shows more.
fn used(family: &Family) -> u64 {
    let most = [&family.descriptors, &family.memory].into_iter().flatten();
    most.map(|usage| usage.descriptors + usage.maps + (usage.size >> 20)).sum::<u64>() + family.user_threads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wrote_little_did_not_fill_a_filesystem() {
        let space = |blocks, inodes| Space {
            block_size: 4096,
            blocks: 1000,
            blocks_free: blocks,
            blocks_available: blocks,
            inodes: 1000,
            inodes_free: inodes,
        };
        let sample = |space| Sample { moment: Moment { at_ms: 0, said: None }, space };
        let place = |before, lowest| Place {
            point: "/t".into(),
            roles: Vec::new(),
            before: sample(before),
            fewest_inodes: sample(lowest),
            fewest_blocks: sample(lowest),
            after: sample(lowest),
        };
        let file = place(space(900, 900), space(0, 899));
        assert_eq!(
            [Some(900 << 12), Some(300), None].map(|written| file.may_be_filled_by(written)),
            [true, false, true]
        );
        // Hundreds of directories take a block each, and nothing is written.
        assert!(place(space(900, 900), space(0, 0)).may_be_filled_by(Some(0)));
    }
}
