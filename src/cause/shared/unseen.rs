//! A lack between two looks. A program that takes away what it could not finish (`csplit`, `sort`, `git clone`) may have done so before
//! anybody looked, and then the state is that of a filesystem with room. Its words are the kernel's answer all the same, and little room
//! is told from much: what cannot be used up and given back so quickly was not what lacked.

use super::room::{self, Room};
use super::shortage::{self, Resource};
use crate::cause::{Case, Confidence, Evidence, Finding, Mode, Seen, Suspect};
use crate::clue::{Clue, Operation};
use crate::machine::Kind;
use crate::probe::usage::By;
use crate::sys::errno::Errno;
use crate::sys::fs::Space;
use crate::watch::{self, Unseen};
use std::path::{Path, PathBuf};

/// What speaks for a lack at a suspect that lacks nothing now and lacked nothing at any look: the kernel told of one there, and of all
/// that the command may have filled this alone is so small that it can have been full and empty again between two looks.
#[must_use]
pub fn finding(case: &Case, suspect: &Suspect, room: &Room, resource: &Resource) -> Option<Finding> {
    let clue = &case.clues[suspect.clue?];
    if case.mode != Mode::Run || clue.errno != Some(Errno::ENOSPC) || is_otherwise(room, case, resource.by) {
        return None;
    }
    let unseen = watch::unseen(case.watched);
    let free = room.now?;
    if !passes(&free, resource.by, &unseen) || !is_the_only_one(case, clue, room, &unseen) {
        return None;
    }
    let confidence = weight(clue, resource.by, passes(&free, other(resource.by), &unseen))?;
    let program = clue.program.clone().unwrap_or_else(|| case.program());
    let (point, left) = (room.point().display(), (resource.left)(&free));
    let told =
        format!("{program} was told that there was no room, and what it had used was gone before anybody looked");
    let aside = (resource.aside)(&free);
    let although = if aside.is_empty() { String::new() } else { format!("; {aside}") };
    let now = format!("{} has {left}{although}", room.name());
    Some(Finding {
        confidence,
        seen: Some(Seen::During),
        headline: format!("{point} was {} for a time", resource.state),
        summary: format!("{} has {left}, which can be used up and given back unseen; {told}.", room.name()),
        evidence: vec![
            Evidence::probe(now).check(format!("{} {}", resource.check, case.quoted(room.point()))),
            Evidence::output(told),
        ],
        fixes: shortage::more(case, room.mount, &free, resource),
    })
}

fn other(by: By) -> By {
    match by {
        By::Bytes => By::Inodes,
        By::Inodes => By::Bytes,
    }
}

/// Whether so little of it is free that it can be gone and back unseen.
fn passes(space: &Space, by: By, unseen: &Unseen) -> bool {
    match by {
        By::Bytes => (1..=unseen.bytes).contains(&space.bytes_available()),
        By::Inodes => space.counts_inodes() && (1..=unseen.inodes).contains(&space.inodes_free),
    }
}

/// Whether something else is known to lack, or may be: the other resource, metadata of a btrfs, the blocks that are kept from this user.
fn is_otherwise(room: &Room, case: &Case, by: By) -> bool {
    let has_reserve = room.now.is_some_and(|now| now.blocks_free > now.blocks_available);
    let is_reserved = has_reserve && !case.surroundings().types_as_root();
    let seen = room.place.into_iter().flat_map(|place| [place.fewest_inodes.space, place.fewest_blocks.space]);
    let lacks_other = |space: Space| match by {
        By::Bytes => space.counts_inodes() && space.inodes_free == 0,
        By::Inodes => room::is_full(&space),
    };
    room.mount.fstype == "btrfs" || is_reserved || room.now.into_iter().chain(seen).any(lacks_other)
}

/// How sure it is. What makes a name takes hardly a block. Writing takes no inode, but what is copied is made as well: it is the words that
/// decide only where the other resource is as small (`both`), and words that do not say which it was leave both.
fn weight(clue: &Clue, by: By, both: bool) -> Option<Confidence> {
    let makes_a_name =
        clue.operation.map(|operation| matches!(operation, Operation::Create | Operation::Mkdir | Operation::Symlink));
    match (makes_a_name, by) {
        (Some(true), By::Bytes) => None,
        (Some(false), By::Inodes) if both => None,
        (None, _) if both => Some(Confidence::Possible),
        _ => Some(Confidence::Likely),
    }
}

/// Whether no other filesystem comes into question: of those that the words name, or else of those that the command line or any of its
/// messages does.
fn is_the_only_one(case: &Case, clue: &Clue, room: &Room, unseen: &Unseen) -> bool {
    let paths = || [&clue.path, &clue.other_path].into_iter().flatten();
    let points =
        if paths().next().is_some() { points_of(case, paths().map(PathBuf::as_path)) } else { points_told(case) };
    let is_small = |point: &Path| {
        let space = case.machine.space(point);
        space.is_ok_and(|space| passes(&space, By::Bytes, unseen) || passes(&space, By::Inodes, unseen))
    };
    let mut small = points.into_iter().filter(|point| is_small(point)).peekable();
    small.peek().is_some() && small.all(|point| point == room.point())
}

/// The mount points of paths that hold files, or would; nothing where one of them is a device, which has room and want of its own (`/dev/full`, a disk).
fn points_of<'a>(case: &Case<'a>, paths: impl Iterator<Item = &'a Path>) -> Vec<PathBuf> {
    let mut points = Vec::new();
    for path in paths {
        let Some(resolved) = case.resolve(path) else { continue };
        match case.machine.stat(&resolved.existing).map(|stat| stat.kind) {
            Ok(Kind::Regular | Kind::Directory) => {
                points.extend(case.mounts.holding(&resolved.existing).map(|mount| mount.point.clone()));
            }
            Ok(Kind::BlockDevice | Kind::CharacterDevice) if !is_a_source(&resolved.existing) => return Vec::new(),
            _ => {}
        }
    }
    points
}

/// Whether a device takes whatever is written, so that it is none that lacked room.
fn is_a_source(device: &Path) -> bool {
    ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty"].map(Path::new).contains(&device)
}

/// What the command line names with a slash, and what its messages name beside the working directory.
fn points_told(case: &Case) -> Vec<PathBuf> {
    // A whole script is a word too, and no path: the directory of a path that is to be written is there.
    let is_near = |path: &Path| case.resolve(path).is_some_and(|found| found.missing.components().count() <= 1);
    let is_path = |path: &&Path| path.as_os_str().as_encoded_bytes().contains(&b'/') && is_near(path);
    let mut points = points_of(case, crate::command_line::paths_of(case.command).filter(is_path));
    let own = case.mount_of(&case.surroundings().cwd).map(|mount| &mount.point);
    let told = case.watched.places.iter().filter(|place| place.is_named_on_stderr() && Some(&place.point) != own);
    points.extend(told.map(|place| place.point.clone()));
    points
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use crate::cause::{Cause, Confidence, Seen, by_id};
    use crate::clue::Operation;
    use crate::machine::Kind;
    use crate::sys::errno::Errno;
    use crate::sys::fs::Space;
    use crate::watch::{Moment, Place, Sample};

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n30 21 0:27 / /small rw - tmpfs tmpfs rw,nr_inodes=9\n";

    fn cause(id: &str) -> &'static Cause {
        by_id(id).unwrap()
    }

    /// A run of 20 ms that saw neither lack on /small, which has so many bytes and inodes.
    fn stage(bytes: u64, inodes: u64) -> Stage {
        let mut stage = Stage::new(TABLE);
        let blocks = bytes / 4096;
        let small = Space {
            block_size: 4096,
            blocks,
            blocks_free: blocks,
            blocks_available: blocks,
            inodes,
            inodes_free: inodes,
        };
        let large = Space { blocks: 1 << 30, blocks_free: 1 << 29, blocks_available: 1 << 29, ..small };
        let large = Space { inodes: 1 << 30, inodes_free: 1 << 29, ..large };
        let seen = Sample { moment: Moment { at_ms: 20, said: None }, space: small };
        let roles = vec![Place::NAMED_BY_THE_COMMAND.to_owned()];
        let place = Place {
            point: "/small".into(),
            roles,
            before: seen,
            fewest_inodes: seen,
            fewest_blocks: seen,
            after: seen,
        };
        stage.watched.places.push(place);
        stage.space("/", large).space("/small", small).missing("/small/new").missing("/home/u/new");
        stage
    }

    #[test]
    fn of_two_resources_that_which_is_scarce_lacked() {
        let mut scarce = stage(1 << 34, 5);
        let finding =
            scarce.clue(Errno::ENOSPC, Operation::Create, "/small/new").finding(cause("inodes-exhausted"), "/small");
        assert_eq!((finding.confidence, finding.seen), (Confidence::Likely, Some(Seen::During)));
        scarce.assert_silent(cause("blocks-exhausted"));
        let mut small = stage(1 << 20, 1 << 30);
        small.clue(Errno::ENOSPC, Operation::Write, "/small/new").finding(cause("blocks-exhausted"), "/small");
        small.assert_silent(cause("inodes-exhausted"));
    }

    #[test]
    fn where_both_are_scarce_what_was_tried_tells_them_apart() {
        let both = |operation| {
            let mut stage = stage(1 << 20, 5);
            stage.add(|clue| {
                (clue.errno, clue.operation, clue.path) = (Some(Errno::ENOSPC), operation, Some("/small/new".into()));
            });
            ["blocks-exhausted", "inodes-exhausted"].map(|id| stage.found(cause(id)).len())
        };
        assert_eq!([both(Some(Operation::Write)), both(Some(Operation::Mkdir)), both(None)], [[1, 0], [0, 1], [1, 1]]);
    }

    #[test]
    fn what_is_large_does_not_fill_and_empty_unseen() {
        stage(1 << 34, 1 << 20)
            .clue(Errno::ENOSPC, Operation::Create, "/small/new")
            .assert_silent(cause("inodes-exhausted"));
        stage(1 << 34, 5)
            .clue(Errno::ENOSPC, Operation::Create, "/home/u/new")
            .assert_silent(cause("inodes-exhausted"));
    }

    #[test]
    fn a_device_that_is_written_to_has_want_of_its_own() {
        let written = |device: &'static str| {
            let mut stage = stage(1 << 34, 5);
            stage.command = ["sh", "-c"].map(Into::into).into();
            stage.command.push(format!("cat /small/new >{device}").into());
            stage.directory("/dev").stat(device, Kind::CharacterDevice, |_| {}).missing("/home/u/cat ");
            stage.add(|clue| (clue.errno, clue.operation) = (Some(Errno::ENOSPC), Some(Operation::Write)));
            stage.found(cause("inodes-exhausted"))
        };
        assert_eq!([written("/dev/full"), written("/dev/null")], [vec![], vec!["/small".to_owned()]]);
    }
}
