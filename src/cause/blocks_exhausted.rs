//! A filesystem has no block left for more data: writes answer ENOSPC, and a store into a mapping of tmpfs dies of SIGBUS (mmap(2)).

use super::room::{self, Lack, Measure, ONE_WRITE, Room};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Suspect, Verdict};
use crate::machine::Identity;
use crate::outcome::Outcome;
use crate::sys::fs::Space;
use crate::text::size;

const ID: &str = "blocks-exhausted";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/blocks-exhausted.md"), suspects, covers: &[], check };

const BLOCKS: Measure =
    Measure { is_lacking: |space| space.blocks > 0 && space.bytes_available() < ONE_WRITE, lowest: |place| place.fewest_blocks };

fn suspects(case: &Case) -> Vec<Suspect> {
    room::suspects(case, ID)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(room) = Room::of(case, suspect) else { return Verdict::Unknown("the mount is gone".into()) };
    let Some(counters) = room.counters(BLOCKS) else { return Verdict::Unknown("its counters cannot be read".into()) };
    match room.lack(BLOCKS) {
        Some(lack) if is_reserve(case, &room, &lack.space) => Verdict::RuledOut("what is left of it is the reserve".into()),
        Some(lack) => Verdict::Found(Box::new(found(case, suspect, &room, &lack))),
        None if room::only_said(case, suspect) => Verdict::Found(Box::new(said(&room, &counters))),
        None => Verdict::RuledOut(free(&counters)),
    }
}

/// Whether there are free blocks that only the privileged may use (mke2fs(8), -m): then the reserve is the fault, or none is.
fn is_reserve(case: &Case, room: &Room, space: &Space) -> bool {
    let _ = case.surroundings().identity.has(Identity::SYS_RESOURCE);
    room.mount.fstype.starts_with("ext") && space.blocks_free.saturating_mul(space.block_size) >= ONE_WRITE
}

/// `1019.0 MiB of 1.0 GiB free`.
fn free(space: &Space) -> String {
    format!("{} of {} free", size(space.bytes_available()), size(space.bytes()))
}

fn found(case: &Case, suspect: &Suspect, room: &Room, lack: &Lack) -> Finding {
    let point = room.point().display();
    let fact = format!("{} has {}", room.name(), free(&lack.space));
    let mut evidence = vec![Evidence::probe(fact).check(format!("df -h {}", case.quoted(room.point())))];
    if matches!(case.outcome, Outcome::Signaled { signal: libc::SIGBUS, .. }) {
        evidence.push(Evidence::probe("SIGBUS is how the kernel refuses a page of a mapped file that has no block"));
    }
    evidence.extend(room::moment(case, lack));
    evidence.extend(recovered(room, lack));
    Finding {
        confidence: room::confidence(case, suspect, lack),
        seen: Some(lack.seen),
        headline: format!("{point} {} full", room::verb(lack)),
        summary: format!("{} {} no room for more data: {}.", room.name(), room::has(lack), free(&lack.space)),
        evidence,
        fixes: fixes(case, room, lack),
    }
}

/// What is free again, where the command cleaned up behind itself.
fn recovered(room: &Room, lack: &Lack) -> Option<Evidence> {
    let now = room.now.filter(|now| !(BLOCKS.is_lacking)(now) && lack.sample.is_some())?;
    Some(Evidence::probe(format!("now it has {}: what used it was removed", free(&now))))
}

fn fixes(case: &Case, room: &Room, lack: &Lack) -> Vec<Fix> {
    let mut fixes = Vec::new();
    if room.mount.is_tmpfs() {
        let wanted = (lack.space.bytes().saturating_mul(2) >> 20).max(64);
        let remount = format!("mount -o remount,size={wanted}m {}", case.quoted(room.point()));
        fixes.push(Fix::now(case.as_root(&remount), "until the next boot; it is memory and swap"));
    }
    fixes
}

fn said(room: &Room, counters: &Space) -> Finding {
    let point = room.point().display();
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("{point} may have been full"),
        summary: format!("The output speaks of want of room; {} has {} now.", room.name(), free(counters)),
        evidence: vec![Evidence::probe(format!("{} has {} now", room.name(), free(counters))).check("df -h")],
        fixes: Vec::new(),
    }
}
