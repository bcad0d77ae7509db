//! The watch while the command runs.
//!
//! It begins when the child has been made, beside the child's own start: `execve(2)` and the loading of a program take
//! several times as long as the first look, so what is seen is still what was there before, and nobody waits for it. No
//! descriptor is kept on anything that is watched, or it could not be unmounted.

use super::counters::Sources;
use super::pace::{self, Ration};
use super::{Moment, Place, Sample, Watched, places};
use crate::sys::argv::Argv;
use crate::sys::busy;
use crate::sys::family;
use crate::sys::fs::{Filesystem, Space, space_of};
use crate::sys::mounts::{self, Mounts, Outline, Row};
use crate::sys::process;
use std::ffi::CString;
use std::mem;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Paths of one message that are looked at.
const PATHS_OF_A_MESSAGE: usize = 8;
/// Bytes of one message that are searched for paths and words.
const BYTES_OF_A_MESSAGE: usize = 4 << 10;
/// A read of so many bytes is no message but part of a flood …
const FLOOD: usize = 4 << 10;
/// … of which each so manieth is searched for words: what ends a flood is mostly shorter.
const ONE_OF_A_FLOOD: u32 = 16;
/// Directories that are remembered as looked at; later ones are passed over.
const DIRECTORIES: usize = 64;
/// A mount table is taken for true this long.
const TABLE_LASTS: Duration = Duration::from_millis(100);
/// The first look of the timer comes when the child is this old.
const FIRST_LOOK: Duration = Duration::from_millis(1);
/// Kernel counters are first read when the child is this old: none that ends sooner has been killed for memory.
const COUNTERS_AFTER: Duration = Duration::from_millis(2);
/// A limit on CPU time is one of whole seconds, getrlimit(2): a child that is younger has used none up …
const BUSY_AFTER: Duration = Duration::from_millis(50);
/// … and one that has set itself a limit is found in time when it is asked for this often: soon while scripts set limits, and once for each
/// second that a limit may have.
const LIMITS_LAST: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];
/// As long as scripts set limits, seen from their beginning.
const LIMITS_SET: Duration = Duration::from_secs(2);
/// Words in whose company inotify is looked at.
const OF_INOTIFY: &[&[u8]] = &[b"inotify", b"ENOSPC", b"No space left", b"EMFILE", b"watch"];
/// Words in whose company the kernel's locks are looked at.
const OF_LOCKS: &[&[u8]] = &[b"lock", b"Lock", b"LOCK", b"EAGAIN", b"unavailable", b"busy", b"already", b"nother "];
/// Words in whose company the command's processes are looked at: EMFILE, ENFILE, EAGAIN, ENOMEM and what programs make of them, and what a
/// shell says of a program that a signal ended, while the shell that has set its limits may still be there.
const OF_LIMITS: &[&[u8]] = &[
    b"EMFILE",
    b"ENFILE",
    b"EAGAIN",
    b"ENOMEM",
    b"oo many",
    b"unavailable",
    b"emory",
    b"alloc",
    b"fork",
    b"thread",
    b"mmap",
    b"Killed",
    b"egmentation",
    b"limit exceeded",
];

/// The watch of one run.
pub struct Watch {
    clock: Instant,
    watched: Watched,
    /// What a relative path of a message is taken to begin with.
    cwd: PathBuf,
    /// One for each place of `watched`.
    eyes: Vec<Eye>,
    /// The text of the mount table.
    mounts: Vec<u8>,
    mounts_read: Instant,
    sources: Option<Sources>,
    due: Instant,
    last_look: Instant,
    /// The last look because of words; the timer's looks keep no words from being heard.
    last_heard: Option<Instant>,
    cost: Duration,
    directories: Vec<PathBuf>,
    /// Whether a limit on CPU time was found.
    limits_cpu_time: bool,
    /// When it was last asked for.
    limits_asked: Option<Instant>,
    at_busiest: Ration,
    at_inotify: Ration,
    at_limits: Ration,
    at_family: Ration,
    at_locks: Ration,
    /// Full reads since the last one that was none.
    floods: u32,
}

/// What looks at one place.
struct Eye {
    point: CString,
    filesystem: Filesystem,
    last: Space,
    changed: Instant,
}

impl Watch {
    /// Begins; `clock` is when the child was started.
    #[must_use]
    pub fn begin(command: Argv, clock: Instant) -> Self {
        // A working directory without a name any more has nothing that can be asked by path.
        let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let mut watch = Self {
            clock,
            watched: Watched::default(),
            cwd,
            eyes: Vec::new(),
            mounts: mount_table(),
            mounts_read: clock,
            sources: None,
            due: clock + FIRST_LOOK,
            last_look: clock,
            last_heard: None,
            cost: Duration::ZERO,
            directories: Vec::new(),
            limits_cpu_time: false,
            limits_asked: None,
            at_busiest: Ration::default(),
            at_inotify: Ration::default(),
            at_limits: Ration::default(),
            at_family: Ration::default(),
            at_locks: Ration::default(),
            floods: 0,
        };
        let table = mem::take(&mut watch.mounts);
        let mounts = Outline::of(&table);
        for (role, path) in places::wanted(&watch.cwd, command.words(), &mounts) {
            watch.join(&role, &path, None, &mounts);
        }
        watch.mounts = table;
        watch
    }

    /// When the next look is due.
    #[must_use]
    pub fn due_in(&self) -> Duration {
        self.due.saturating_duration_since(Instant::now())
    }

    /// The timer's look.
    pub fn tick(&mut self) {
        if self.sources.is_none() && self.clock.elapsed() >= COUNTERS_AFTER {
            self.read_counters_before();
        }
        self.look(None);
        self.look_at_the_busiest();
    }

    /// The child wrote these bytes; with them it has written `said` in all. The first words after a silence are always
    /// looked at; a flood is not slowed by more than a twentieth.
    pub fn heard(&mut self, bytes: &[u8], said: u64) {
        let is_flood = bytes.len() >= FLOOD;
        let bytes = &bytes[bytes.len().saturating_sub(BYTES_OF_A_MESSAGE)..];
        self.floods = if is_flood { self.floods + 1 } else { 0 };
        if self.floods % ONE_OF_A_FLOOD > 1 {
            return;
        }
        // First of all what takes microseconds: whoever says this may be about to remove what it made.
        let is_due = self.last_heard.is_none_or(|last| last.elapsed() >= self.cost * 20);
        if is_due {
            self.look(Some(said));
            self.last_heard = Some(self.last_look);
        }
        // It may also be about to end, and with it goes what it holds. Who writes without end is not.
        if has_any(bytes, OF_LIMITS) || is_due && !is_flood && self.is_a_limit_near() {
            self.look_at_family(said);
        }
        if has_any(bytes, OF_LOCKS) {
            self.look_at_locks(said);
        }
        if !is_due {
            return;
        }
        for path in places::paths_in(bytes, PATHS_OF_A_MESSAGE) {
            self.join_named(path, said);
        }
        if has_any(bytes, OF_INOTIFY) {
            self.look_at_inotify(said);
        }
    }

    /// The last look, when the child has failed.
    pub fn look_at_the_end(&mut self) {
        self.look(None);
        let sources = self.sources.get_or_insert_with(|| Sources::find(&Mounts::parse(&self.mounts)));
        self.watched.after = sources.read();
    }

    /// What was seen.
    #[must_use]
    pub fn finish(self) -> Watched {
        self.watched
    }

    fn moment(&self, said: Option<u64>) -> Moment {
        Moment { at_ms: u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX), said }
    }

    fn look(&mut self, said: Option<u64>) {
        let (begun, moment) = (Instant::now(), self.moment(said));
        for (place, eye) in self.watched.places.iter_mut().zip(&mut self.eyes) {
            if let Some(space) = eye.look(begun) {
                place.see(Sample { moment, space });
            }
        }
        self.watched.samples += 1;
        self.last_look = Instant::now();
        self.cost = self.last_look - begun;
        let reach = self.eyes.iter().filter_map(|eye| pace::reach(&eye.last, begun - eye.changed)).min();
        self.due = self.last_look + pace::next(begun - self.clock, reach, self.cost);
    }

    /// Watches the filesystem of a path too.
    fn join(&mut self, role: &str, path: &Path, said: Option<u64>, mounts: &Outline) {
        let Some(point) = places::watchable(mounts, path).map(Row::point) else { return };
        if let Some(known) = self.watched.places.iter_mut().find(|place| place.point == point) {
            if !known.roles.iter().any(|known| known == role) {
                known.roles.push(role.to_owned());
            }
            return;
        }
        let Some((eye, space)) = CString::new(point.as_os_str().as_bytes()).ok().and_then(Eye::open) else {
            return;
        };
        let first = Sample { moment: self.moment(said), space };
        self.watched.places.push(Place::new(point.to_owned(), role, first));
        self.eyes.push(eye);
    }

    /// The same for a path that was said, once a directory.
    fn join_named(&mut self, path: &Path, said: u64) {
        let directory = path.parent().unwrap_or(path);
        if self.directories.len() == DIRECTORIES || self.directories.iter().any(|known| known == directory) {
            return;
        }
        self.directories.push(directory.to_owned());
        if self.mounts_read.elapsed() > TABLE_LASTS {
            self.mounts = mount_table();
            self.mounts_read = Instant::now();
        }
        let table = mem::take(&mut self.mounts);
        self.join(Place::NAMED_ON_STDERR, &self.cwd.join(path), Some(said), &Outline::of(&table));
        self.mounts = table;
    }

    fn read_counters_before(&mut self) {
        let sources = Sources::find(&Mounts::parse(&self.mounts));
        self.watched.before = sources.read();
        self.sources = Some(sources);
    }

    /// Whether the command may have come to a limit of which it says nothing.
    fn is_a_limit_near(&mut self) -> bool {
        let begun = Instant::now();
        if !self.at_limits.grants(begun) {
            return false;
        }
        let is_near = family::may_be_at_a_limit();
        self.at_limits.spend(begun);
        is_near
    }

    fn look_at_family(&mut self, said: u64) {
        let begun = Instant::now();
        if !self.at_family.grants(begun) {
            return;
        }
        if self.sources.is_none() {
            self.read_counters_before();
        }
        let groups = self.sources.as_ref().map(Sources::processes).unwrap_or_default();
        let moment = self.moment(Some(said));
        self.watched.look_at_family(moment, groups);
        self.at_family.spend(begun);
    }

    fn look_at_the_busiest(&mut self) {
        let begun = Instant::now();
        if begun - self.clock < BUSY_AFTER || !self.at_busiest.grants(begun) || !self.finds_cpu_limit(begun) {
            return;
        }
        let moment = self.moment(None);
        self.watched.look_at_the_busiest(moment);
        self.at_busiest.spend(begun);
    }

    /// Whether CPU time has a limit: of explain itself, and so of what it starts, or of a process that has set one.
    fn finds_cpu_limit(&mut self, now: Instant) -> bool {
        let [soon, later] = LIMITS_LAST;
        let lasts = if now - self.clock < LIMITS_SET { soon } else { later };
        let is_due = self.limits_asked.is_none_or(|asked| now - asked >= lasts);
        if !self.limits_cpu_time && is_due {
            self.limits_asked = Some(now);
            self.limits_cpu_time = process::limits_cpu_time() || busy::is_limited();
        }
        self.limits_cpu_time
    }

    fn look_at_locks(&mut self, said: u64) {
        let begun = Instant::now();
        if !self.at_locks.grants(begun) {
            return;
        }
        let moment = self.moment(Some(said));
        self.watched.look_at_locks(moment);
        self.at_locks.spend(begun);
    }

    fn look_at_inotify(&mut self, said: u64) {
        let begun = Instant::now();
        if !self.at_inotify.grants(begun) {
            return;
        }
        let moment = self.moment(Some(said));
        self.watched.look_at_inotify(moment);
        self.at_inotify.spend(begun);
    }
}

impl Eye {
    fn open(point: CString) -> Option<(Self, Space)> {
        let (space, filesystem) = space_of(&point).ok()?;
        let counts_something = space.blocks > 0 || space.counts_inodes();
        counts_something.then(|| (Self { point, filesystem, last: space, changed: Instant::now() }, space))
    }

    /// The counters now; nothing where another filesystem lies there.
    fn look(&mut self, now: Instant) -> Option<Space> {
        let (space, filesystem) = space_of(&self.point).ok()?;
        if filesystem != self.filesystem {
            return None;
        }
        if space != self.last {
            self.changed = now;
            self.last = space;
        }
        Some(space)
    }
}

impl Place {
    fn new(point: PathBuf, role: &str, first: Sample) -> Self {
        Self {
            point,
            roles: vec![role.to_owned()],
            before: first,
            fewest_inodes: first,
            fewest_blocks: first,
            after: first,
        }
    }

    fn see(&mut self, sample: Sample) {
        lower(&mut self.fewest_inodes, sample, |space| space.inodes_free);
        lower(&mut self.fewest_blocks, sample, |space| space.blocks_available);
        self.after = sample;
    }
}

/// Keeps the first moment of the lowest mark, unless stderr spoke at a later one: then it is known what was said of it.
fn lower(mark: &mut Sample, sample: Sample, left: fn(&Space) -> u64) {
    let (before, now) = (left(&mark.space), left(&sample.space));
    let spoken = mark.moment.said.is_none() && sample.moment.said.is_some();
    if now < before || now == before && spoken {
        *mark = sample;
    }
}

fn has_any(bytes: &[u8], words: &[&[u8]]) -> bool {
    words.iter().any(|word| memchr::memmem::find(bytes, word).is_some())
}

fn mount_table() -> Vec<u8> {
    mounts::table().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_ms: u64, said: Option<u64>, inodes_free: u64) -> Sample {
        let space = Space { block_size: 4096, blocks: 9, blocks_free: 9, blocks_available: 9, inodes: 9, inodes_free };
        Sample { moment: Moment { at_ms, said }, space }
    }

    #[test]
    fn the_lowest_mark_keeps_its_first_moment() {
        let mut place = Place::new("/x".into(), "cwd", sample(0, None, 5));
        for (at_ms, left) in [(1, 2), (2, 0), (3, 0), (4, 7)] {
            place.see(sample(at_ms, None, left));
        }
        assert_eq!((place.fewest_inodes.moment.at_ms, place.after.space.inodes_free), (2, 7));
    }

    #[test]
    fn a_moment_at_which_stderr_spoke_is_preferred() {
        let mut place = Place::new("/x".into(), "cwd", sample(0, None, 5));
        for (at_ms, said, left) in [(1, None, 0), (2, Some(30), 0), (3, Some(60), 0), (4, Some(90), 1)] {
            place.see(sample(at_ms, said, left));
        }
        assert_eq!(place.fewest_inodes.moment, Moment { at_ms: 2, said: Some(30) });
    }
}
