//! Which filesystems a failure for want of room concerns, and when they had none: what the causes of space have in common.

use crate::cause::refused::tried;
use crate::cause::{Case, Confidence, Evidence, Mode, Seen, Subject, Suspect};
use crate::clue::{Clue, Operation};
use crate::outcome::Outcome;
use crate::sys::errno::Errno;
use crate::sys::fs::Space;
use crate::sys::mounts::Mount;
use crate::text::{grouped, size};
use crate::watch::{Place, Sample};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What programs write at a time, in bytes: the buffer of coreutils' `cp` and `cat`. Less than this is as good as nothing.
pub const ONE_WRITE: u64 = 128 << 10;

/// Bytes that programs write to stderr at a time, at most, when they report a failure.
const ONE_MESSAGE: u64 = 1024;

/// Bytes of a failure that is reported line by line, such as a list of callers.
const LONGEST_MESSAGE: u64 = 4 * ONE_MESSAGE;

/// The filesystems that may have lacked what the cause `id` is about: those that a clue of want of room names by path; where
/// it names none, or the command said nothing, those that programs use without saying so; and whatever came to its end while
/// the command ran.
#[must_use]
pub fn suspects(case: &Case, id: &str) -> Vec<Suspect> {
    let mut suspects = Vec::new();
    for (index, clue) in case.clues.iter().enumerate().filter(|(_, clue)| wants_room(case, clue, id)) {
        let named = points_named(case, clue);
        if named.is_empty() {
            suspects.extend(usual_points(case).into_iter().map(|point| suspect(point, Some(index), false)));
        }
        suspects.extend(named.into_iter().map(|point| suspect(point, Some(index), true)));
    }
    if says_nothing(case) {
        suspects.extend(usual_points(case).into_iter().map(|point| suspect(point, None, false)));
    }
    let ended = case.watched.places.iter().filter(|place| came_to_an_end(place, case.watched.written));
    suspects.extend(ended.map(|place| suspect(place.point.clone(), None, true)));
    suspects
}

/// Whether the command failed without a word or a telling status, or by the signal that a full tmpfs answers a mapping with.
#[must_use]
pub fn says_nothing(case: &Case) -> bool {
    case.transcript.bytes == 0 && case.clues.is_empty() || is_bus_error(case.outcome)
}

/// SIGBUS, as the kernel or a shell tells it.
fn is_bus_error(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Signaled { signal: libc::SIGBUS, .. } | Outcome::Exited { code: 135 })
}

/// Whether hardly a block is left: less than programs write at a time, and no half of a filesystem that is hardly larger than that.
#[must_use]
pub fn is_full(space: &Space) -> bool {
    space.blocks > 0 && space.bytes_available() < ONE_WRITE.min(space.bytes() / 2)
}

/// Whether there was room before the command and, at some time, none while it ran, and it may be the command that used it up: `written` is what it wrote.
fn came_to_an_end(place: &Place, written: Option<u64>) -> bool {
    let (before, inodes, blocks) = (place.before.space, place.fewest_inodes.space, place.fewest_blocks.space);
    let ran_out_of_inodes = before.inodes_free > 0 && inodes.counts_inodes() && inodes.inodes_free == 0;
    let ran_full = !is_full(&before) && is_full(&blocks);
    ran_out_of_inodes || ran_full && place.may_be_filled_by(written)
}

fn suspect(point: PathBuf, clue: Option<usize>, touched: bool) -> Suspect {
    Suspect { subject: Subject::Path(point), clue, touched }
}

/// Whether a clue speaks of want of room: its rule says so, or the errno does and the operation takes some. A vague one may
/// mean it, where the machine at the failure can be asked.
fn wants_room(case: &Case, clue: &Clue, id: &str) -> bool {
    let takes = clue.operation.is_none_or(Operation::takes_space);
    let is_hidden = || id == "inodes-exhausted" && misses_what_it_made(case, clue);
    clue.suspects(id) || clue.errno == Some(Errno::ENOSPC) && takes || may_mean_room(case, clue) || is_hidden()
}

/// Whether something could not be made for want of a directory on the way: many programs make their directories without a look at
/// whether that went well, and report what they then did not find.
#[must_use]
pub fn misses_what_it_made(case: &Case, clue: &Clue) -> bool {
    let is_on_the_way = |path: &PathBuf| case.resolve(path).is_some_and(|path| path.missing.components().count() > 1);
    case.mode == Mode::Run
        && clue.errno == Some(Errno::ENOENT)
        && clue.operation.is_some_and(Operation::makes)
        && clue.path.as_ref().is_some_and(is_on_the_way)
}

/// Whether a clue says that something failed and not what, on a machine that can be asked how it was.
#[must_use]
pub fn may_mean_room(case: &Case, clue: &Clue) -> bool {
    clue.vague && clue.errno.is_none() && case.mode == Mode::Run && !sums_up(case, clue)
}

/// Whether the program has told a reason before, so that its last words are about that: `tar: Error is not recoverable: exiting now`
/// behind a file that is not there.
fn sums_up(case: &Case, vague: &Clue) -> bool {
    let is_met = |clue: &Clue| {
        let met = tried(case, clue).and_then(|tried| Some(tried.obstacle()?.errno()));
        clue.errno.is_none() || clue.errno == met
    };
    let tells = |clue: &&Clue| !clue.vague && (clue.errno.is_some() || !clue.suspects.is_empty());
    let before = case.clues.iter().filter(|clue| clue.said.end <= vague.said.start && clue.said.end > 0).filter(tells);
    let of_same = before.filter(|clue| clue.program.is_some() && clue.program == vague.program);
    let (mut of_same, mut of_room) = (of_same.clone().peekable(), of_same.clone());
    of_same.peek().is_some() && !of_room.any(speaks_of_room) && of_same.all(is_met)
}

/// Whether a message that is not vague is about want of room.
fn speaks_of_room(clue: &Clue) -> bool {
    clue.errno == Some(Errno::ENOSPC) || clue.suspects("blocks-exhausted") || clue.suspects("inodes-exhausted")
}

/// Mount points of the paths that a clue names. A relative path may mean one below a directory that the command was told to
/// work in (`tar -C`, `make -C`), which the watch knows.
fn points_named(case: &Case, clue: &Clue) -> Vec<PathBuf> {
    let paths = [&clue.path, &clue.other_path].into_iter().flatten();
    let mounts = paths.clone().filter_map(|path| case.mount_of(path)).filter(|mount| can_fill(mount));
    let mut points: Vec<PathBuf> = mounts.map(|mount| mount.point.clone()).collect();
    if paths.clone().any(|path| path.is_relative()) {
        let named = case.watched.places.iter().filter(|place| place.is_named_by_the_command());
        points.extend(named.map(|place| place.point.clone()));
    }
    points
}

/// Mount points that programs use without saying so: the watched ones, or what would have been watched.
fn usual_points(case: &Case) -> Vec<PathBuf> {
    let mut points: Vec<PathBuf> = case.watched.places.iter().map(|place| place.point.clone()).collect();
    if points.is_empty() {
        let surroundings = case.surroundings();
        let home = surroundings.directory("HOME").into_iter();
        let usual = ["/tmp", "/var/tmp", "/dev/shm", "/run"].map(PathBuf::from);
        let paths = [surroundings.cwd.clone(), surroundings.tmpdir()].into_iter().chain(home).chain(usual);
        points.extend(paths.filter_map(|path| case.mount_of(&path)).map(|mount| mount.point.clone()));
        points.sort();
        points.dedup();
    }
    points.retain(|point| case.mounts.at(point).is_some_and(can_fill));
    points
}

/// Whether a filesystem can run out at all: an image that was made full (squashfs, iso9660) has no free block and needs none.
fn can_fill(mount: &Mount) -> bool {
    !mount.is_pseudo() && mount.option("ro").is_none()
}

/// One filesystem as it is and as it was while the command ran.
pub struct Room<'a> {
    /// The mount.
    pub mount: &'a Mount,
    /// Its counters now, where they could be read.
    pub now: Option<Space>,
    /// What the watch saw, where it looked.
    pub place: Option<&'a Place>,
    /// Bytes that the command wrote, wherever to; none where that is not known.
    pub written: Option<u64>,
}

/// A time at which the filesystem had nothing left.
#[derive(Clone, Copy)]
pub struct Lack {
    /// When that was.
    pub seen: Seen,
    /// The counters then.
    pub space: Space,
    /// The sample, for a lack that the watch saw.
    pub sample: Option<Sample>,
    /// Whether there was something left when the command began, so that the lack came while it ran and may be its own.
    pub came: bool,
}

/// What a cause of space looks for.
#[derive(Clone, Copy)]
pub struct Measure {
    /// Whether these counters mean that nothing is left.
    pub is_lacking: fn(&Space) -> bool,
    /// The lowest mark of it.
    pub lowest: fn(&Place) -> Sample,
}

impl<'a> Room<'a> {
    /// The filesystem at a suspect's mount point.
    #[must_use]
    pub fn of(case: &Case<'a>, suspect: &Suspect) -> Option<Self> {
        let point = suspect.subject.path()?;
        let mount = case.mounts.at(point)?;
        let (now, place) = (case.machine.space(point).ok(), case.place(point));
        Some(Self { mount, now, place, written: case.watched.written })
    }

    /// When it had nothing left: while the command ran if the watch saw that, or now.
    #[must_use]
    pub fn lack(&self, measure: Measure) -> Option<Lack> {
        let came = self.place.is_some_and(|place| self.came_to_lack(place, measure));
        let during = self.place.map(measure.lowest).filter(|sample| (measure.is_lacking)(&sample.space));
        let seen = during.map(|sample| Lack { seen: Seen::During, space: sample.space, sample: Some(sample), came });
        let now = self.now.filter(measure.is_lacking).map(|space| Lack { seen: Seen::Now, space, sample: None, came });
        match (now, seen) {
            (Some(now), Some(seen)) => Some(Lack { sample: seen.sample, ..now }),
            (now, seen) => now.or(seen),
        }
    }

    /// Whether there was something left before the command, which it may have used up itself.
    fn came_to_lack(&self, place: &Place, measure: Measure) -> bool {
        let ran_full = is_full(&(measure.lowest)(place).space);
        !(measure.is_lacking)(&place.before.space) && (!ran_full || place.may_be_filled_by(self.written))
    }

    /// The counters to speak of when nothing lacks.
    #[must_use]
    pub fn counters(&self, measure: Measure) -> Option<Space> {
        self.now.or_else(|| self.place.map(measure.lowest).map(|sample| sample.space))
    }

    /// The filesystem whose room this is, where it is another: an overlay has that of its upper layer (`ovl_statfs` of
    /// `fs/overlayfs/super.c`). None where the layer cannot be seen from here, as in a container.
    #[must_use]
    pub fn behind(&self, case: &Case<'a>) -> Option<Self> {
        let upper = Some(Path::new(self.mount.option("upperdir")?)).filter(|upper| upper.is_absolute())?;
        let mount = case.mounts.holding(upper).filter(|mount| mount.point != self.mount.point)?;
        let now = case.machine.space(&mount.point).ok()?;
        let same = self.now.is_some_and(|own| own.blocks == now.blocks && own.blocks_free == now.blocks_free);
        same.then(|| Self { mount, now: Some(now), place: case.place(&mount.point), written: self.written })
    }

    /// `/tmp (tmpfs)`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} ({})", self.mount.point.display(), self.mount.fstype)
    }

    /// The mount point.
    #[must_use]
    pub fn point(&self) -> &'a Path {
        &self.mount.point
    }
}

/// How sure a lack is the reason: the failed work was there, or spoke of want of room, or used it up; else it merely is so.
#[must_use]
pub fn confidence(case: &Case, suspect: &Suspect, lack: &Lack) -> Confidence {
    let said = suspect.clue.is_some_and(|index| case.clues[index].errno == Some(Errno::ENOSPC));
    let is_named =
        suspect.subject.path().and_then(|point| case.place(point)).is_some_and(Place::is_named_by_the_command);
    let is_only_read = suspect.clue.is_some_and(|index| is_only_read(&case.clues[index]));
    let is_hidden = suspect.clue.is_some_and(|index| misses_what_it_made(case, &case.clues[index]));
    match () {
        () if is_hidden => Confidence::Likely,
        () if suspect.touched && !is_only_read || said || lack.came || is_bus_error(case.outcome) => {
            Confidence::Verified
        }
        () if is_named && suspect.clue.is_some_and(|index| leads_with_room(&case.clues[index])) => Confidence::Likely,
        () => Confidence::Possible,
    }
}

/// Whether a message is about what a file holds, for which want of room is one reason of several: it may have been cut when it was made.
fn is_only_read(clue: &Clue) -> bool {
    clue.operation == Some(Operation::Read) && clue.errno.is_none() && !clue.vague && !leads_with_room(clue)
}

/// Whether the rule of a message holds want of room for the likeliest: a write that failed, and nothing more.
fn leads_with_room(clue: &Clue) -> bool {
    clue.suspects.first().is_some_and(|first| matches!(&**first, "blocks-exhausted" | "inodes-exhausted"))
}

/// Whether the text names a suspect that this machine does not show, and the log may be another machine's.
#[must_use]
pub fn only_said(case: &Case, suspect: &Suspect) -> bool {
    case.mode == Mode::Log && suspect.clue.is_some()
}

/// `93 % of its 1.0 GiB is free`.
#[must_use]
pub fn bytes_free(space: &Space) -> String {
    format!("{} % of its {} is free", percent(space.blocks_available, space.blocks), size(space.bytes()))
}

/// `0 of 44,492 inodes free`.
#[must_use]
pub fn inodes_free(space: &Space) -> String {
    format!("{} of {} inodes free", grouped(space.inodes_free), grouped(space.inodes))
}

/// A part of a whole in per cent, rounded down.
#[must_use]
pub fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 { 0 } else { u64::try_from(u128::from(part) * 100 / u128::from(whole)).unwrap_or(100) }
}

/// When the lack was seen to have come, in the command's own words where it spoke: `seen when opam said: …`.
#[must_use]
pub fn moment(case: &Case, lack: &Lack) -> Option<Evidence> {
    let moment = lack.sample.filter(|_| lack.came)?.moment;
    let spoken = moment.said.and_then(|offset| words_at(case, offset));
    let text = match spoken {
        Some(line) => format!("seen when {} said: {}", case.program(), shortened(&line)),
        None => format!("seen {} after the start", elapsed(moment.at_ms)),
    };
    Some(Evidence::sample(text))
}

/// Characters of a line that is quoted.
const QUOTED: usize = 120;

fn shortened(line: &str) -> String {
    match line.char_indices().nth(QUOTED) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

/// `86 ms`, `3.2 s`.
#[must_use]
pub fn elapsed(milliseconds: u64) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        _ => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
    }
}

/// The command's words at `offset`: what it said first of a failure, since the later ones follow from it and the last may be advice;
/// or else its last line. A heading or an indented line (`Traceback (most recent call last):`) is part of a message whose end says it.
fn words_at(case: &Case, offset: u64) -> Option<String> {
    let before = first_clue_of(case, offset.saturating_sub(ONE_MESSAGE)..offset);
    let line = case.line_before(offset);
    let goes_on = line.as_ref().is_some_and(|line| line.ends_with(':') || line.starts_with(char::is_whitespace));
    let led_to = || first_clue_of(case, offset..offset + LONGEST_MESSAGE).filter(|_| goes_on);
    before.or_else(led_to).or_else(|| line.map(|line| line.trim_start().to_owned()))
}

fn first_clue_of(case: &Case, words: Range<u64>) -> Option<String> {
    let said = case.clues.iter().find(|clue| !clue.said.is_empty() && words.contains(&clue.said.start))?;
    Some(said.line.clone()).filter(|line| !line.is_empty())
}

/// `is` for what is so now, `was` for what was so while the command ran.
#[must_use]
pub fn verb(lack: &Lack) -> &'static str {
    if lack.seen == Seen::Now { "is" } else { "was" }
}

/// `has` for what is so now, `had` for what was so while the command ran.
#[must_use]
pub fn has(lack: &Lack) -> &'static str {
    if lack.seen == Seen::Now { "has" } else { "had" }
}
