//! A filesystem has no block left for more data: writes answer ENOSPC, and a store into a mapping of tmpfs dies of SIGBUS (mmap(2)).

use super::room::{self, Measure, ONE_WRITE, Room};
use super::shortage::{self, Resource};
use super::{Case, Cause, Evidence, Suspect, Verdict};
use crate::outcome::Outcome;
use crate::probe::ext;
use crate::probe::usage::By;
use crate::text::size;

const ID: &str = "blocks-exhausted";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/blocks-exhausted.md"), suspects, covers: &[], check };

const BLOCKS: Resource = Resource {
    by: By::Bytes,
    measure: Measure { is_lacking: room::is_full, lowest: |place| place.fewest_blocks },
    state: "full",
    left: |space| format!("{} of {} free", size(space.bytes_available()), size(space.bytes())),
    aside: |_| String::new(),
    check: "df -h",
    option: "size",
    enough: |space| format!("{}m", (space.bytes().saturating_mul(2) >> 20).max(64)),
};

fn suspects(case: &Case) -> Vec<Suspect> {
    room::suspects(case, ID)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    if let Some(kept) = reserve(case, suspect) {
        return Verdict::RuledOut(format!("{} are left for root", size(kept)));
    }
    let mut verdict = shortage::check(case, suspect, &BLOCKS);
    if let (Verdict::Found(finding), Outcome::Signaled { signal: libc::SIGBUS, .. }) = (&mut verdict, case.outcome) {
        let why = "SIGBUS is how the kernel refuses memory that is mapped to a file without a block for it, mmap(2)";
        finding.evidence.push(Evidence::probe(why));
    }
    verdict
}

/// Bytes that an ext filesystem without available blocks still keeps for root: then `reserved-blocks` is the fault, or none is.
fn reserve(case: &Case, suspect: &Suspect) -> Option<u64> {
    let room = Room::of(case, suspect).filter(|room| ext::is_ext(room.mount))?;
    let lack = room.lack(BLOCKS.measure)?;
    let kept = ext::free_for_root(case.machine, room.mount, &lack.space);
    (kept >= ONE_WRITE).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::cause::Confidence;
    use crate::clue::Operation;
    use crate::sys::errno::Errno;
    use crate::sys::fs::Space;

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n30 21 0:27 / /tmp rw - tmpfs tmpfs rw\n";

    fn space(blocks_free: u64, blocks_available: u64) -> Space {
        Space { block_size: 4096, blocks: 262_144, blocks_free, blocks_available, inodes: 1000, inodes_free: 900 }
    }

    fn stage(tmp: Space, root: Space) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.space("/", root).space("/tmp", tmp).missing("/tmp/new").missing("/new");
        stage
    }

    const ROOMY: (u64, u64) = (100_000, 90_000);

    #[test]
    fn a_filesystem_hardly_larger_than_a_write_is_not_full_while_half_of_it_is_left() {
        let tiny = |available| Space { blocks: 16, ..space(available, available) };
        assert!(!room::is_full(&tiny(16)) && !room::is_full(&tiny(8)) && room::is_full(&tiny(2)));
    }

    #[test]
    fn a_write_to_a_full_filesystem_is_verified_and_the_remount_doubles_it() {
        let mut stage = stage(space(3, 3), space(ROOMY.0, ROOMY.1));
        let finding = stage.clue(Errno::ENOSPC, Operation::Write, "/tmp/new").finding(&CAUSE, "/tmp");
        assert_eq!((finding.confidence, finding.headline.as_str()), (Confidence::Verified, "/tmp is full"));
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo mount -o remount,size=2048m /tmp"));
    }

    #[test]
    fn a_bus_error_beside_a_full_tmpfs_is_explained() {
        let mut stage = stage(space(0, 0), space(ROOMY.0, ROOMY.1));
        stage.outcome = Outcome::Signaled { signal: libc::SIGBUS, name: "SIGBUS".into() };
        let finding = stage.finding(&CAUSE, "/tmp");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.evidence.iter().any(|fact| fact.text.contains("SIGBUS")), "{finding:?}");
    }

    #[test]
    fn a_bus_error_on_a_roomy_machine_is_silence() {
        let mut stage = stage(space(900, 900), space(ROOMY.0, ROOMY.1));
        stage.outcome = Outcome::Signaled { signal: libc::SIGBUS, name: "SIGBUS".into() };
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn what_is_kept_for_root_is_not_a_full_disk() {
        let mut stage = stage(space(900, 900), space(12_000, 0));
        stage.clue(Errno::ENOSPC, Operation::Write, "/new").assert_silent(&CAUSE);
    }

    #[test]
    fn an_inotify_watch_that_is_refused_is_no_full_disk() {
        let mut stage = stage(space(0, 0), space(0, 0));
        stage.clue(Errno::ENOSPC, Operation::Watch, "/tmp/new").assert_silent(&CAUSE);
    }
}
