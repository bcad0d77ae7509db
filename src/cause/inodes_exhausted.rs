//! A filesystem has bytes left and no inode: every new file, directory and symbolic link is refused with ENOSPC (inode(7), tmpfs(5)).

use super::room::{self, Lack, Measure, Room};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Suspect, Verdict};
use crate::sys::fs::Space;
use crate::text::grouped;

const ID: &str = "inodes-exhausted";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/inodes-exhausted.md"), suspects, covers: &[], check };

const INODES: Measure =
    Measure { is_lacking: |space| space.counts_inodes() && space.inodes_free == 0, lowest: |place| place.fewest_inodes };

fn suspects(case: &Case) -> Vec<Suspect> {
    room::suspects(case, ID)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(room) = Room::of(case, suspect) else { return Verdict::Unknown("the mount is gone".into()) };
    let Some(counters) = room.counters(INODES) else { return Verdict::Unknown("its counters cannot be read".into()) };
    match room.lack(INODES) {
        Some(lack) => Verdict::Found(Box::new(found(case, suspect, &room, &lack))),
        None if room::only_said(case, suspect) => Verdict::Found(Box::new(said(&room, &counters))),
        None if !counters.counts_inodes() => Verdict::RuledOut(format!("{} does not count inodes", room.mount.fstype)),
        None => Verdict::RuledOut(room::inodes_free(&counters)),
    }
}

fn found(case: &Case, suspect: &Suspect, room: &Room, lack: &Lack) -> Finding {
    let point = room.point().display();
    let fact = format!("{} has {}; {}", room.name(), room::inodes_free(&lack.space), room::bytes_free(&lack.space));
    let mut evidence = vec![Evidence::probe(fact).check(format!("df -i {}", case.quoted(room.point())))];
    evidence.extend(room::moment(case, lack));
    if let Some(recovered) = recovered(room, lack) {
        evidence.push(recovered);
    }
    Finding {
        confidence: room::confidence(case, suspect, lack),
        seen: Some(lack.seen),
        headline: format!("{point} {} out of inodes", room::verb(lack)),
        summary: format!(
            "{} {} no free inode (all {} are used) although {}.",
            room.name(),
            room::has(lack),
            grouped(lack.space.inodes),
            room::bytes_free(&lack.space)
        ),
        evidence,
        fixes: fixes(case, room, lack),
    }
}

/// What is free again, where the command cleaned up behind itself.
fn recovered(room: &Room, lack: &Lack) -> Option<Evidence> {
    let now = room.now.filter(|now| now.inodes_free > 0 && lack.sample.is_some())?;
    Some(Evidence::probe(format!("now it has {}: what used them was removed", room::inodes_free(&now))))
}

fn fixes(case: &Case, room: &Room, lack: &Lack) -> Vec<Fix> {
    let mut fixes = Vec::new();
    if room.mount.is_tmpfs() {
        fixes.push(Fix::now(
            case.as_root(&format!("mount -o remount,nr_inodes={} {}", wanted(&lack.space), case.quoted(room.point()))),
            "until the next boot",
        ));
    }
    fixes
}

/// Enough inodes for four times what there was, at least a million: an inode of a tmpfs costs memory only when it is used.
fn wanted(space: &Space) -> String {
    let millions = (space.inodes.saturating_mul(4) >> 20).max(1);
    format!("{millions}m")
}

fn said(room: &Room, counters: &Space) -> Finding {
    let point = room.point().display();
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("{point} may have been out of inodes"),
        summary: format!("The output speaks of want of room; {} has {} now.", room.name(), room::inodes_free(counters)),
        evidence: vec![Evidence::probe(format!("{} has {} now", room.name(), room::inodes_free(counters))).check("df -i")],
        fixes: Vec::new(),
    }
}
