//! An ext filesystem has free blocks, and all of them are kept for root (mke2fs(8), `-m`): others are answered ENOSPC.

use super::room::{self, Lack, Measure, ONE_WRITE, Room};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Suspect, Verdict};
use crate::machine::Identity;
use crate::probe::ext;
use crate::sys::fs::Space;
use crate::sys::mounts::Mount;
use crate::text::size;

const ID: &str = "reserved-blocks";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/reserved-blocks.md"),
    suspects,
    covers: &["blocks-exhausted"],
    check,
};

const BEYOND_THE_RESERVE: Measure = Measure { is_lacking: room::is_full, lowest: |place| place.fewest_blocks };

fn suspects(case: &Case) -> Vec<Suspect> {
    room::suspects(case, ID)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(room) = Room::of(case, suspect) else { return Verdict::Unknown("the mount is gone".into()) };
    if !ext::is_ext(room.mount) {
        return Verdict::RuledOut(format!("{} keeps no reserve", room.mount.fstype));
    }
    let Some(counters) = room.counters(BEYOND_THE_RESERVE) else {
        return Verdict::Unknown("its counters cannot be read".into());
    };
    match room.lack(BEYOND_THE_RESERVE) {
        Some(lack) => judged(case, suspect, &room, &lack),
        None if room::only_said(case, suspect) && names_it(case, suspect) => {
            Verdict::Found(Box::new(said(&room, &counters)))
        }
        None => Verdict::RuledOut(format!("{} free beyond the reserve", size(counters.bytes_available()))),
    }
}

fn names_it(case: &Case, suspect: &Suspect) -> bool {
    suspect.clue.is_some_and(|index| case.clues[index].suspects(ID))
}

fn judged(case: &Case, suspect: &Suspect, room: &Room, lack: &Lack) -> Verdict {
    let confidence = room::confidence(case, suspect, lack);
    let kept = ext::free_for_root(case.machine, room.mount, &lack.space);
    if kept < ONE_WRITE {
        return Verdict::RuledOut(format!("{} free, for root too", size(kept)));
    }
    let moment = room::moment(case, lack);
    match may_use_it(case, room.mount) {
        None => {
            let mut finding = found(case, room, lack, confidence);
            finding.evidence.extend(moment);
            Verdict::Found(Box::new(finding))
        }
        Some(_) if suspect.touched && confidence == Confidence::Verified => {
            let mut finding = found(case, room, lack, Confidence::Likely);
            let text = "the command itself may use the reserve; a part of it that runs as another user may not";
            finding.evidence.extend(moment.into_iter().chain([Evidence::probe(text)]));
            Verdict::Found(Box::new(finding))
        }
        Some(why) => Verdict::RuledOut(format!("{} free, and the command may use the reserve: {why}", size(kept))),
    }
}

/// Why the child may use the reserve, as `ext4_has_free_clusters` of the kernel's `fs/ext4/balloc.c` decides it.
fn may_use_it(case: &Case, mount: &Mount) -> Option<&'static str> {
    if in_a_user_namespace(case) {
        return None;
    }
    let identity = &case.surroundings().identity;
    let number = |name| mount.option(name).and_then(|value| value.parse::<u32>().ok()).unwrap_or(0);
    let group = number("resgid");
    if identity.uid == number("resuid") {
        return Some("its user is the one that the reserve is kept for");
    }
    if group != 0 && (identity.gid == group || identity.groups.contains(&group)) {
        return Some("its group is the one that the reserve is kept for");
    }
    identity.has(Identity::SYS_RESOURCE).then_some("it has CAP_SYS_RESOURCE")
}

/// Whether the child's ids and capabilities count in its own user namespace alone: a map that is not the whole one,
/// `user_namespaces(7)`.
fn in_a_user_namespace(case: &Case) -> bool {
    let map = case.machine.read("/proc/self/uid_map".as_ref());
    map.is_ok_and(|map| !map.lossy().split_whitespace().eq(["0", "0", "4294967295"]))
}

fn found(case: &Case, room: &Room, lack: &Lack, confidence: Confidence) -> Finding {
    let point = room.point();
    let left =
        format!("{} of {}", size(ext::free_for_root(case.machine, room.mount, &lack.space)), size(lack.space.bytes()));
    let fact = format!("{} has {left} free and {} available", room.name(), size(lack.space.bytes_available()));
    let check = format!("stat -f -c 'free %f available %a of %b blocks of %S bytes' {}", case.quoted(point));
    let evidence = vec![Evidence::probe(fact).check(check), Evidence::probe(keepers(case, room.mount))];
    Finding {
        confidence,
        seen: Some(lack.seen),
        headline: format!("{} {} full but for the part that is kept for root", point.display(), room::verb(lack)),
        summary: format!(
            "{} {} {left} free, all of it in the reserve, which {} may not use.",
            room.name(),
            room::has(lack),
            user(case)
        ),
        evidence,
        fixes: fixes(case, room, &lack.space),
    }
}

fn user(case: &Case) -> String {
    format!("the user {}", case.user(case.surroundings().identity.uid))
}

/// Whom the reserve is kept for: root, and what the mount options `resuid` and `resgid` name (ext4(5)).
fn keepers(case: &Case, mount: &Mount) -> String {
    let name = |id: &str| case.machine.user_name(id.parse().unwrap_or(u32::MAX)).unwrap_or_else(|_| id.to_owned());
    let user = mount.option("resuid").map(|id| format!(" and the user {}", name(id))).unwrap_or_default();
    let group = mount.option("resgid").map(|id| format!(" and the group {id}")).unwrap_or_default();
    format!("the reserve of an ext filesystem is for root{user}{group}, 5 % where mkfs was told nothing else")
}

fn fixes(case: &Case, room: &Room, space: &Space) -> Vec<Fix> {
    let device = case.quoted(room.mount.source.as_ref());
    let percent = smaller_reserve(space);
    let freed = ext::free_for_root(case.machine, room.mount, space).saturating_sub(space.bytes() / 100 * percent);
    let shrink = case.as_root(&format!("tune2fs -m {percent} {device}"));
    vec![
        Fix::lasting(format!("makes about {} available at once; root keeps {percent} %", size(freed))).command(shrink),
        Fix::now(
            case.as_root(&format!("du -xh --max-depth=2 {} | sort -h | tail", case.quoted(room.point()))),
            "shows what to remove",
        ),
    ]
}

/// The reserve to keep, in per cent: one, where that frees at least half of what is left.
fn smaller_reserve(space: &Space) -> u64 {
    u64::from(room::percent(space.blocks_free, space.blocks) >= 2)
}

fn said(room: &Room, counters: &Space) -> Finding {
    let left = format!("{} has {} available now", room.name(), size(counters.bytes_available()));
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("what was free on {} may have been kept for root", room.point().display()),
        summary: format!("The output speaks of want of room for users; {left}."),
        evidence: vec![Evidence::probe(left).check("df")],
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::Unknown;
    use crate::sys::errno::Errno;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        40 21 254:16 / /srv rw,relatime - ext4 /dev/vdb rw\n\
        41 21 0:40 / /pool rw - btrfs /dev/vdc rw\n";

    /// 1000 MiB with these mebibytes free and available.
    fn space(free: u64, available: u64) -> Space {
        let blocks = |mebibytes| mebibytes * 256;
        Space {
            block_size: 4096,
            blocks: blocks(1000),
            blocks_free: blocks(free),
            blocks_available: blocks(available),
            inodes: 1000,
            inodes_free: 900,
        }
    }

    fn stage(free: u64, available: u64) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.missing("/srv/new").space("/srv", space(free, available)).space("/", space(500, 450));
        stage.file("/etc/passwd", "root:x:0:0::/:\nu:x:1000:1000::/home/u:\n");
        stage.knows("readlink /sys/dev/block/254:16", Ok::<_, Unknown>("../../devices/virtual/block/vdb"));
        stage.file("/sys/fs/ext4/vdb/reserved_clusters", "1024\n");
        stage.file("/proc/self/uid_map", "         0          0 4294967295\n");
        stage.clue(Errno::ENOSPC, Operation::Create, "/srv/new");
        stage
    }

    #[test]
    fn a_user_is_told_that_what_is_free_is_kept_for_root() {
        let finding = stage(50, 0).finding(&CAUSE, "/srv");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(
            finding.summary.contains("46.0 MiB of 1000.0 MiB") && finding.summary.contains("the user u"),
            "{finding:?}"
        );
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo tune2fs -m 1 /dev/vdb"));
        assert!(finding.fixes[0].text.contains("36.0 MiB"), "{finding:?}");
    }

    #[test]
    fn a_small_rest_is_freed_whole() {
        let finding = stage(15, 0).finding(&CAUSE, "/srv");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo tune2fs -m 0 /dev/vdb"));
        assert!(finding.fixes[0].text.contains("11.0 MiB"), "{finding:?}");
    }

    #[test]
    fn root_in_a_user_namespace_is_refused_like_any_user() {
        let mut stage = stage(50, 0);
        stage.surroundings.identity.uid = 0;
        stage.surroundings.identity.capabilities = u64::MAX;
        stage.knows("readlink /sys/dev/block/254:16", Ok::<_, Unknown>("../../devices/virtual/block/vdb"));
        stage.file("/sys/fs/ext4/vdb/reserved_clusters", "1024\n");
        stage.file("/proc/self/uid_map", "0 1000 1\n");
        assert_eq!(stage.finding(&CAUSE, "/srv").confidence, Confidence::Verified);
    }

    #[test]
    fn root_whose_helper_was_refused_is_told_that_a_part_may_run_as_another_user() {
        assert_eq!(stage(50, 0).by_root().finding(&CAUSE, "/srv").confidence, Confidence::Likely);
    }

    #[test]
    fn the_user_of_resuid_may_use_the_reserve() {
        let mut stage = Stage::new(&TABLE.replace("/dev/vdb rw", "/dev/vdb rw,resuid=1000"));
        stage.space("/srv", space(50, 0)).space("/", space(500, 450)).vague();
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn room_for_everybody_is_silence() {
        stage(80, 30).assert_silent(&CAUSE);
    }

    #[test]
    fn no_room_for_root_either_is_not_the_reserve() {
        stage(0, 0).assert_silent(&CAUSE);
    }

    #[test]
    fn what_the_filesystem_keeps_for_its_own_tables_is_not_the_reserve() {
        stage(4, 0).assert_silent(&CAUSE);
    }

    #[test]
    fn a_filesystem_without_a_reserve_is_silence() {
        let mut stage = Stage::new(TABLE);
        stage.missing("/pool/new").space("/pool", space(50, 0));
        stage.clue(Errno::ENOSPC, Operation::Create, "/pool/new").assert_silent(&CAUSE);
    }

    #[test]
    fn a_saved_log_that_only_says_that_a_disk_was_full_names_no_reserve() {
        let mut stage = stage(500, 450);
        stage.mode = crate::cause::Mode::Log;
        stage.assert_silent(&CAUSE);
    }
}
