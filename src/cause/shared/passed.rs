//! A lack that has passed, and that no reading of the watch caught: programs that cannot finish a file take it away again (`rsync`,
//! `fallocate`, `git clone`), and on a loaded machine that is done before anybody looks. What they were to write is still there to be
//! measured, and so is how far the room went down.

use super::room::{self, Lack, Room};
use super::shortage::{self, Resource};
use crate::cause::{Case, Confidence, Evidence, Finding, Seen, Suspect};
use crate::command_line;
use crate::probe::usage::By;
use crate::sys::errno::Errno;
use crate::sys::fs::Space;
use crate::text::{grouped, size};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Programs that write as many bytes as the files have that they are given.
const COPIERS: &[&str] = &["cp", "mv", "install", "rsync", "scp"];
/// What has to be gone of the room that there was, in hundredths, before the command is held for what used it up.
const MUCH: u64 = 25;

/// What speaks for a lack at a suspect that lacks nothing now: the kernel's answer was told there, and what was to be written does not
/// fit, or much of the room was gone for a time.
#[must_use]
pub fn finding(case: &Case, suspect: &Suspect, room: &Room, resource: &Resource) -> Option<Finding> {
    let clue = &case.clues[suspect.clue?];
    let is_here = suspect.touched || room.place.is_some_and(crate::watch::Place::is_named_by_the_command);
    if clue.errno != Some(Errno::ENOSPC) || !is_here {
        return None;
    }
    too_much(case, room, resource).or_else(|| went_down(case, room, resource))
}

/// More bytes than are free were to be written.
fn too_much(case: &Case, room: &Room, resource: &Resource) -> Option<Finding> {
    let free = room.now.filter(|_| resource.by == By::Bytes)?.bytes_available();
    let needed = demand(case, room).filter(|needed| *needed > free)?;
    let (point, needed, left) = (room.point().display(), size(needed), size(free));
    let fact = format!("{} has {left} free, and {needed} were to be written", room.name());
    Some(Finding {
        confidence: Confidence::Verified,
        seen: Some(Seen::Now),
        headline: format!("{point} is too full for {needed}: {left} are free"),
        summary: format!("{fact}; what was written was removed again."),
        evidence: vec![Evidence::probe(fact).check(format!("{} {}", resource.check, case.quoted(room.point())))],
        fixes: shortage::more(case, room.mount, &room.now?, resource),
    })
}

/// Bytes that the command line says are to be written: what is copied, or the length that is asked for, without what lies there already.
fn demand(case: &Case, room: &Room) -> Option<u64> {
    let program = Path::new(case.command.first()?).file_name()?;
    if program == "fallocate" {
        let there: u64 = named(case).filter(|path| is_on(case, room, path)).map(|path| occupied(case, path)).sum();
        return length(case.command.iter().map(|word| word.as_bytes())).map(|bytes| bytes.saturating_sub(there));
    }
    COPIERS
        .iter()
        .any(|copier| program == OsStr::new(copier))
        .then(|| named(case).filter(|path| !is_on(case, room, path)).map(|path| occupied(case, path)).sum())
}

fn named<'a>(case: &'a Case) -> impl Iterator<Item = &'a Path> {
    command_line::paths_of(case.command)
}

fn is_on(case: &Case, room: &Room, path: &Path) -> bool {
    case.mount_of(path).is_some_and(|mount| mount.point == room.mount.point)
}

/// What a file or a tree occupies; holes are copied as such.
fn occupied(case: &Case, path: &Path) -> u64 {
    let path = case.surroundings().cwd.join(path);
    match case.machine.stat(&path) {
        Ok(stat) if stat.kind == crate::machine::Kind::Regular => stat.occupied.min(stat.size),
        Ok(stat) if stat.kind == crate::machine::Kind::Directory => {
            case.machine.tree_usage(&path).map_or(0, |usage| usage.bytes)
        }
        _ => 0,
    }
}

/// The value of `-l`, `-l3M` or `--length=3M`, fallocate(1).
fn length<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Option<u64> {
    loop {
        let word = words.next()?;
        let glued = word.strip_prefix(b"--length=").or_else(|| word.strip_prefix(b"-l"));
        match glued {
            Some([]) => return bytes(words.next()?),
            Some(value) if value.first().is_some_and(u8::is_ascii_digit) => return bytes(value),
            None if word == b"--length" => return bytes(words.next()?),
            _ => {}
        }
    }
}

/// `3000000`, `3M`, `3MiB` and, by thousands, `3MB`.
fn bytes(written: &[u8]) -> Option<u64> {
    let digits = written.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number: u64 = std::str::from_utf8(&written[..digits]).ok()?.parse().ok()?;
    let (unit, rest) = written[digits..].split_first().map_or((b' ', &b""[..]), |(unit, rest)| (*unit, rest));
    let power = b" KMGTPE".iter().position(|known| *known == unit.to_ascii_uppercase())?;
    let base: u64 = if rest == b"B" { 1000 } else { 1024 };
    number.checked_mul(base.checked_pow(u32::try_from(power).ok()?)?)
}

/// Much of the room that there was before was gone for a time, and is there again.
fn went_down(case: &Case, room: &Room, resource: &Resource) -> Option<Finding> {
    let (place, now) = (room.place?, room.now?);
    let free = |space: &Space| match resource.by {
        By::Bytes => space.bytes_available(),
        By::Inodes => space.inodes_free,
    };
    let sample = (resource.measure.lowest)(place);
    let (before, lowest) = (free(&place.before.space), free(&sample.space));
    let is_much = room::percent(before.saturating_sub(lowest), before) >= MUCH;
    let is_back = free(&now).saturating_sub(lowest) >= before.saturating_sub(lowest) / 2;
    let is_nearly_all = room::percent(lowest, before) <= MUCH;
    (is_much && (is_back || is_nearly_all)).then(|| {
        let (before, left) = match resource.by {
            By::Bytes => (size(before), size(lowest)),
            By::Inodes => (grouped(before), grouped(lowest)),
        };
        let of_what = if resource.by == By::Bytes { "" } else { " inodes" };
        let fact = format!("{} had {before}{of_what} free before, and {left} at the lowest that was seen", room.name());
        let lack = Lack { seen: Seen::During, space: sample.space, sample: Some(sample), came: true };
        let mut evidence = vec![Evidence::sample(fact.clone())];
        evidence.extend(room::moment(case, &lack));
        let now = (resource.left)(&now);
        evidence.push(Evidence::probe(format!("now it has {now}: what used it is gone")));
        Finding {
            confidence: Confidence::Likely,
            seen: Some(Seen::During),
            headline: format!("{} was {} for a time", room.point().display(), resource.state),
            summary: format!("{fact}; the command used it and gave it back."),
            evidence,
            fixes: shortage::more(case, room.mount, &sample.space, resource),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_util_linux_writes_them() {
        let read = |words: &[&str]| length(words.iter().map(|word| word.as_bytes()));
        assert_eq!(read(&["fallocate", "-l", "3M", "f"]), Some(3 << 20));
        assert_eq!(read(&["fallocate", "-l3KiB", "f"]), Some(3 << 10));
        assert_eq!(read(&["fallocate", "--length=2MB", "f"]), Some(2_000_000));
        assert_eq!(read(&["fallocate", "--length", "17", "f"]), Some(17));
        assert_eq!([read(&["fallocate", "-d", "f"]), read(&["fallocate", "-l", "x"])], [None, None]);
    }
}
