//! A filesystem has bytes left and no inode: every new file, directory and symbolic link is refused with ENOSPC (inode(7), tmpfs(5)).

use super::room::{self, Measure};
use super::shortage::{self, Resource};
use super::{Case, Cause, Suspect, Verdict};
use crate::probe::usage::By;
use crate::sys::fs::Space;

const ID: &str = "inodes-exhausted";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/inodes-exhausted.md"),
    suspects,
    covers: &["missing-path"],
    check,
};

const INODES: Resource = Resource {
    by: By::Inodes,
    measure: Measure {
        is_lacking: |space| space.counts_inodes() && space.inodes_free == 0,
        lowest: |place| place.fewest_inodes,
    },
    state: "out of inodes",
    left: room::inodes_free,
    aside: room::bytes_free,
    check: "df -i",
    option: "nr_inodes",
    enough: more_inodes,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    room::suspects(case, ID)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    shortage::check(case, suspect, &INODES)
}

/// Four times what there was, at least a million: an inode of a tmpfs costs memory only while it is used.
fn more_inodes(space: &Space) -> String {
    let millions = (space.inodes.saturating_mul(4) >> 20).max(1);
    format!("{millions}m")
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::cause::{Confidence, Mode, Seen};
    use crate::clue::Operation;
    use crate::sys::errno::Errno;
    use crate::watch::{Moment, Place, Sample};

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n30 21 0:27 / /tmp rw - tmpfs tmpfs rw,size=1048576k\n\
        31 21 0:28 / /pool rw - btrfs /dev/vdb rw\n32 21 7:0 / /snap/x ro - squashfs /dev/loop0 ro\n";

    fn space(inodes: u64, inodes_free: u64) -> Space {
        Space {
            block_size: 4096,
            blocks: 262_144,
            blocks_free: 243_800,
            blocks_available: 243_800,
            inodes,
            inodes_free,
        }
    }

    fn stage(inodes_free: u64) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.space("/", space(1_000_000, 500_000)).space("/tmp", space(44_492, inodes_free)).missing("/tmp/new");
        stage
    }

    /// /tmp as the watch saw it: free inodes before, at the lowest and after.
    fn watched(stage: &mut Stage, free: [u64; 3]) {
        let sample = |free| Sample { moment: Moment { at_ms: 500, said: None }, space: space(44_492, free) };
        let [before, fewest_inodes, after] = free.map(sample);
        let roles = vec!["TMPDIR".to_owned()];
        let place = Place { point: "/tmp".into(), roles, before, fewest_inodes, fewest_blocks: before, after };
        stage.watched.places.push(place);
    }

    #[test]
    fn a_message_in_several_pieces_is_quoted_by_what_it_leads_to() {
        let mut stage = stage(0);
        watched(&mut stage, [44_000, 0, 0]);
        stage.said = Some("Traceback (most recent call last):\n  File \"a.py\", line 1\nOSError: no space\n");
        stage.watched.places[0].fewest_inodes.moment.said = Some(35);
        stage.clue(Errno::ENOSPC, Operation::Mkdir, "/tmp/new");
        (stage.clues[0].line, stage.clues[0].said) = ("OSError: no space".into(), 58..76);
        let finding = stage.finding(&CAUSE, "/tmp");
        assert!(
            finding.evidence.iter().any(|fact| fact.text == "seen when tool said: OSError: no space"),
            "{finding:?}"
        );
    }

    #[test]
    fn a_named_path_on_a_filesystem_without_inodes_is_verified() {
        let mut stage = stage(0);
        let finding = stage.clue(Errno::ENOSPC, Operation::Mkdir, "/tmp/new").finding(&CAUSE, "/tmp");
        assert_eq!((finding.confidence, finding.seen), (Confidence::Verified, Some(Seen::Now)));
        assert_eq!(finding.headline, "/tmp is out of inodes");
        assert_eq!(finding.evidence[0].text, "/tmp (tmpfs) has 0 of 44,492 inodes free; 93 % of its 1.0 GiB is free");
        assert!(
            finding.fixes.iter().any(|fix| fix.command.as_deref() == Some("sudo mount -o remount,nr_inodes=1m /tmp"))
        );
    }

    #[test]
    fn a_vague_failure_is_explained_by_what_the_run_used_up_although_it_is_free_again() {
        let mut stage = stage(40_000);
        watched(&mut stage, [44_000, 0, 40_000]);
        let finding = stage.vague().finding(&CAUSE, "/tmp");
        assert_eq!((finding.confidence, finding.seen), (Confidence::Verified, Some(Seen::During)));
        assert!(finding.evidence.iter().any(|fact| fact.text.contains("now it has 40,000")), "{finding:?}");
    }

    #[test]
    fn a_silent_failure_beside_a_filesystem_that_was_full_all_along_is_only_possible() {
        let mut stage = stage(0);
        watched(&mut stage, [0, 0, 0]);
        assert_eq!(stage.finding(&CAUSE, "/tmp").confidence, Confidence::Possible);
    }

    #[test]
    fn a_file_in_a_directory_that_could_not_be_made_is_likely() {
        let missing = |stage: &mut Stage| {
            stage.missing("/tmp/out").clue(Errno::ENOENT, Operation::Create, "/tmp/out/a.o");
        };
        let mut full = stage(0);
        missing(&mut full);
        assert_eq!(full.finding(&CAUSE, "/tmp").confidence, Confidence::Likely);
        let mut roomy = stage(5);
        missing(&mut roomy);
        roomy.assert_silent(&CAUSE);
    }

    #[test]
    fn free_inodes_are_silence() {
        stage(5).clue(Errno::ENOSPC, Operation::Create, "/tmp/new").assert_silent(&CAUSE);
    }

    #[test]
    fn another_errno_on_a_full_filesystem_is_silence() {
        stage(0).clue(Errno::EACCES, Operation::Create, "/tmp/new").assert_silent(&CAUSE);
    }

    #[test]
    fn a_filesystem_that_counts_no_inodes_is_silence() {
        let mut stage = stage(10);
        stage.space("/pool", space(0, 0)).missing("/pool/new");
        stage.clue(Errno::ENOSPC, Operation::Create, "/pool/new").assert_silent(&CAUSE);
    }

    #[test]
    fn an_image_that_was_made_full_is_silence() {
        let mut stage = stage(10);
        stage.space("/snap/x", space(100, 0)).missing("/snap/x/new");
        stage.clue(Errno::ENOSPC, Operation::Create, "/snap/x/new").assert_silent(&CAUSE);
    }

    #[test]
    fn a_saved_log_that_speaks_of_room_makes_it_possible_only() {
        let mut stage = stage(10);
        stage.mode = Mode::Log;
        let finding = stage.clue(Errno::ENOSPC, Operation::Create, "/tmp/new").finding(&CAUSE, "/tmp");
        assert_eq!((finding.confidence, finding.seen), (Confidence::Possible, None));
    }
}
