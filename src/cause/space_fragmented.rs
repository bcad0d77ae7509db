//! An xfs has free blocks and makes no more inodes, because no free blocks lie together for a chunk of them: new files are
//! refused with ENOSPC while both `df` and `df -i` show room.

use super::room::{self, Room};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Suspect, Verdict};
use crate::clue::Operation;
use crate::machine::FreeExtents;
use crate::text::size;

const ID: &str = "space-fragmented";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/space-fragmented.md"),
    suspects,
    covers: &["blocks-exhausted", "inodes-exhausted"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let fits = |suspect: &Suspect| {
        let mount = suspect.subject.path().and_then(|point| case.mounts.at(point));
        mount.is_some_and(|mount| mount.fstype == "xfs") && makes_an_inode(case, suspect)
    };
    room::suspects(case, ID).into_iter().filter(fits).collect()
}

/// Whether the failed work may have needed a new inode; more data in a file that is there needs none.
fn makes_an_inode(case: &Case, suspect: &Suspect) -> bool {
    use Operation::{Create, Mkdir, Symlink, Write};
    let operation = suspect.clue.and_then(|index| case.clues[index].operation);
    matches!(operation, None | Some(Create | Mkdir | Symlink | Write))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(room) = Room::of(case, suspect) else { return Verdict::Unknown("the mount is gone".into()) };
    let Some(space) = room.now else { return Verdict::Unknown("its counters cannot be read".into()) };
    if room::is_full(&space) || space.inodes_free == 0 {
        return Verdict::RuledOut("it has no room at all".into());
    }
    match case.machine.xfs_free_extents(room.point()) {
        Err(why) => Verdict::Unknown(format!("its free extents cannot be read: {why}")),
        Ok(free) if !free.complete => {
            Verdict::RuledOut(format!("{} lie together, new inodes need {}", size(free.longest), size(free.needed)))
        }
        Ok(free) if !is_said(case, suspect) && free.fitting > 0 => {
            Verdict::RuledOut(format!("{} in pieces that are long enough for new inodes", size(free.fitting)))
        }
        Ok(free) if !is_said(case, suspect) && free.spare_inodes.is_some_and(|spare| spare > 0) => {
            Verdict::RuledOut("it has inodes that need no new blocks".into())
        }
        Ok(free) => Verdict::Found(Box::new(found(case, suspect, &room, free))),
    }
}

fn found(case: &Case, suspect: &Suspect, room: &Room, free: FreeExtents) -> Finding {
    let point = case.quoted(room.point());
    let device = case.quoted(room.mount.source.as_ref());
    let pieces = match free.fitting {
        0 => format!("the longest run of free blocks is {}", size(free.longest)),
        fitting => {
            format!("only {} of it is in longer pieces, which the filesystem may hold back for itself", size(fitting))
        }
    };
    let fact = format!("new inodes need {} in one piece, and {pieces}", size(free.needed));
    let check = case.as_root(&format!("xfs_db -r -c 'freesp -s' {device}"));
    let counters = room.now.map(|space| format!("{}; {}", room::bytes_free(&space), room::inodes_free(&space)));
    let counters =
        counters.map(|text| Evidence::probe(format!("{}: {text}", room.name())).check(format!("df -h {point}")));
    Finding {
        confidence: confidence(case, suspect, free),
        seen: Some(Seen::Now),
        headline: format!("the free space of {} is too scattered for new files", room.point().display()),
        summary: format!("{} has room, but {fact}.", room.name()),
        evidence: std::iter::once(Evidence::probe(fact).check(check)).chain(counters).collect(),
        fixes: fixes(case, room),
    }
}

/// Without one piece that is long enough no inode can be made; with a few, the errno is a part of the proof. What a command that gave no
/// reason was to make cannot have been made where no inode is left either.
fn confidence(case: &Case, suspect: &Suspect, free: FreeExtents) -> Confidence {
    match (is_said(case, suspect), free.fitting) {
        (true, 0) => Confidence::Verified,
        (true, _) => Confidence::Likely,
        (false, 0) if case.mode == Mode::Run && free.spare_inodes == Some(0) => Confidence::Likely,
        (false, _) => Confidence::Possible,
    }
}

/// Whether the command itself said on this machine that there was no room.
fn is_said(case: &Case, suspect: &Suspect) -> bool {
    case.mode == Mode::Run && suspect.clue.is_some_and(|index| case.clues[index].errno.is_some())
}

fn fixes(case: &Case, room: &Room) -> Vec<Fix> {
    let point = case.quoted(room.point());
    vec![
        Fix::now(
            format!("find {point} -xdev -type f -size +10M -printf '%s %p\\n' | sort -n | tail"),
            "shows the largest files: removing or moving one frees blocks that lie together",
        ),
        Fix::now(
            case.as_root(&format!("xfs_growfs {point}")),
            "after its device was made larger: what is added lies together",
        ),
        Fix::lasting(
            "keep more of it free; a filesystem made anew has sparse inode chunks, which need a quarter of that",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::Unknown;
    use crate::sys::errno::Errno;
    use crate::sys::fs::Space;

    const ROOMY: Space = Space {
        block_size: 4096,
        blocks: 60000,
        blocks_free: 30000,
        blocks_available: 30000,
        inodes: 150_000,
        inodes_free: 120_000,
    };

    fn stage(longest: u64, complete: bool, operation: Operation) -> Stage {
        let fitting = if longest >= 32 << 10 { longest } else { 0 };
        let mut stage = Stage::new("21 1 254:0 / / rw - ext4 /dev/vda rw\n42 21 254:32 / /data rw - xfs /dev/vdd rw\n");
        stage.missing("/data/new").space("/data", ROOMY).clue(Errno::ENOSPC, operation, "/data/new");
        let free = FreeExtents { longest, needed: 32 << 10, fitting, spare_inodes: Some(0), complete };
        stage.knows("xfs-free-extents /data", Ok::<_, Unknown>(free));
        stage
    }

    #[test]
    fn free_space_in_pieces_smaller_than_a_chunk_of_inodes_is_named() {
        let finding = stage(4096, true, Operation::Create).finding(&CAUSE, "/data");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.summary.contains("4.0 KiB") && finding.summary.contains("32.0 KiB"), "{finding:?}");
    }

    #[test]
    fn a_few_pieces_that_the_filesystem_may_hold_back_make_it_likely() {
        let finding = stage(32 << 10, true, Operation::Create).finding(&CAUSE, "/data");
        assert_eq!(finding.confidence, Confidence::Likely);
    }

    #[test]
    fn plenty_of_long_pieces_is_silence() {
        stage(9 << 20, false, Operation::Create).assert_silent(&CAUSE);
    }

    #[test]
    fn a_search_that_was_cut_claims_nothing() {
        stage(4096, false, Operation::Create).assert_silent(&CAUSE);
    }

    #[test]
    fn where_no_inode_is_left_either_a_message_without_a_reason_is_explained() {
        let without_reason = |spare_inodes| {
            let mut stage = stage(4096, true, Operation::Create);
            (stage.clues[0].errno, stage.clues[0].suspects) = (None, vec![ID.into()]);
            let free = FreeExtents { longest: 4096, needed: 32 << 10, fitting: 0, spare_inodes, complete: true };
            stage.knows("xfs-free-extents /data", Ok::<_, Unknown>(free));
            stage
        };
        assert_eq!(without_reason(Some(0)).finding(&CAUSE, "/data").confidence, Confidence::Likely);
        without_reason(Some(3)).assert_silent(&CAUSE);
    }

    #[test]
    fn a_filesystem_without_a_block_is_not_a_scattered_one() {
        let mut stage = stage(4096, true, Operation::Create);
        stage.space("/data", Space { blocks_free: 0, blocks_available: 0, ..ROOMY }).assert_silent(&CAUSE);
    }

    #[test]
    fn another_name_for_a_file_needs_no_inode() {
        stage(4096, true, Operation::Rename).assert_silent(&CAUSE);
    }
}
