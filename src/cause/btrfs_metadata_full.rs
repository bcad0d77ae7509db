//! A btrfs has room for data and none for metadata, and no unallocated room to make more of it: new names are refused with
//! ENOSPC while `btrfs filesystem usage` shows gigabytes free.

use super::room::{self, Lack, Measure, Room};
use super::{Case, Cause, Evidence, Finding, Fix, Suspect, Verdict};
use crate::probe::btrfs::{self, Allocation};
use crate::text::size;

const ID: &str = "btrfs-metadata-full";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/btrfs-metadata-full.md"),
    suspects,
    covers: &["blocks-exhausted"],
    check,
};

/// The kernel itself calls nothing available when no chunk can be added and little more than the reserve of the metadata is
/// left: `btrfs_statfs` of `fs/btrfs/super.c`.
const NOTHING_AVAILABLE: Measure = Measure { is_lacking: room::is_full, lowest: |place| place.fewest_blocks };

/// Room in data chunks that makes it no common full disk, in bytes.
const ROOM_FOR_DATA: u64 = 1 << 20;

/// What the kernel keeps free beyond the reserve before it says that nothing is available (`SZ_4M` of `btrfs_statfs`), in bytes.
const MARGIN: u64 = 4 << 20;

fn suspects(case: &Case) -> Vec<Suspect> {
    let is_btrfs = |suspect: &Suspect| {
        let mount = suspect.subject.path().and_then(|point| case.mounts.at(point));
        mount.is_some_and(|mount| mount.fstype == "btrfs")
    };
    room::suspects(case, ID).into_iter().filter(is_btrfs).collect()
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(room) = Room::of(case, suspect) else { return Verdict::Unknown("the mount is gone".into()) };
    let allocation = match btrfs::allocation(case.machine, room.point()) {
        Ok(allocation) => allocation,
        Err(why) => return Verdict::Unknown(format!("its chunks cannot be read: {why}")),
    };
    match room.lack(NOTHING_AVAILABLE).filter(|_| is_full(&allocation)) {
        Some(lack) => Verdict::Found(Box::new(found(case, suspect, &room, &(lack, allocation)))),
        None => Verdict::RuledOut(format!("metadata: {}", left(&allocation))),
    }
}

fn is_full(allocation: &Allocation) -> bool {
    let metadata = allocation.metadata.free() <= allocation.reserve.saturating_add(MARGIN);
    metadata && allocation.data.free() >= ROOM_FOR_DATA && allocation.unallocated < allocation.reserve.max(2 * MARGIN)
}

/// `17.8 MiB of 27.0 MiB used, 5.5 MiB reserved, 1.0 MiB unallocated`.
fn left(allocation: &Allocation) -> String {
    let Allocation { metadata, reserve, unallocated, .. } = allocation;
    format!(
        "{} of {} used, {} reserved, {} unallocated",
        size(metadata.used),
        size(metadata.total),
        size(*reserve),
        size(*unallocated)
    )
}

fn found(case: &Case, suspect: &Suspect, room: &Room, (lack, allocation): &(Lack, Allocation)) -> Finding {
    let point = room.point().display();
    let check = case.as_root(&format!("btrfs filesystem usage {}", case.quoted(room.point())));
    let data = format!("data: {} of {} used", size(allocation.data.used), size(allocation.data.total));
    let free = size(allocation.data.free());
    let mut evidence = vec![
        Evidence::probe(format!("metadata: {}", left(allocation))).check(check),
        Evidence::probe(format!("{data}, which metadata cannot use")),
    ];
    evidence.extend(room::moment(case, lack));
    Finding {
        confidence: room::confidence(case, suspect, lack),
        seen: Some(lack.seen),
        headline: format!("{point} has no room for more metadata, though {free} for data"),
        summary: format!(
            "{} {} no room for more metadata and no part of its devices is unallocated, so no file can be made although {free} of its data chunks is free.",
            room.name(),
            room::has(lack),
        ),
        evidence,
        fixes: fixes(case, room, allocation),
    }
}

/// A balance moves data together and gives whole chunks back. It needs some metadata itself, so something goes first.
fn fixes(case: &Case, room: &Room, allocation: &Allocation) -> Vec<Fix> {
    let point = case.quoted(room.point());
    let usage = room::percent(allocation.data.used, allocation.data.total).saturating_add(15).min(95);
    vec![
        Fix::now(
            case.as_root(&format!("btrfs subvolume list -s {point}")),
            "shows snapshots; to remove old ones, or many small files, still works and frees metadata",
        ),
        Fix::now(
            case.as_root(&format!("btrfs balance start -dusage={usage} {point}")),
            "then gives half-empty data chunks back, for metadata to use",
        ),
        Fix::now(
            case.as_root(&format!("btrfs device add DEVICE {point}")),
            "if the balance finds no room: lend it a device, balance, then btrfs device remove",
        ),
        Fix::lasting("keep some of the devices unallocated, with a balance of -dusage=20 now and then"),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::cause::Confidence;
    use crate::clue::Operation;
    use crate::machine::{Entry, Listing, Subvolume, Unknown};
    use crate::sys::errno::Errno;
    use crate::sys::fs::Space;

    const MIB: u64 = 1 << 20;

    /// A btrfs of 200 MiB: available by statfs, metadata used of 27 MiB, data used of 168 MiB.
    fn stage(available: u64, metadata: u64, data: u64) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw - ext4 /dev/vda rw\n41 21 0:40 / /pool rw - btrfs /dev/vdc rw\n");
        let blocks = |mebibytes| mebibytes * 256;
        let space = Space {
            block_size: 4096,
            blocks: blocks(200),
            blocks_free: blocks(90),
            blocks_available: blocks(available),
            inodes: 0,
            inodes_free: 0,
        };
        stage.missing("/pool/new").space("/pool", space);
        let subvolume = Subvolume { filesystem: "f-s".into(), id: 5, read_only: false };
        stage.knows("btrfs-subvolume /pool", Ok::<_, Unknown>(subvolume));
        let device = Entry { name: "vdc".into(), inode: 1, kind: None };
        let devices = Listing { entries: vec![device], cut: false };
        stage.knows("list /sys/fs/btrfs/f-s/devices", Ok::<_, Unknown>(devices));
        stage.file("/sys/fs/btrfs/f-s/devices/vdc/size", "409600\n");
        let files = [
            ("data/total_bytes", 168),
            ("data/bytes_used", data),
            ("data/disk_total", 168),
            ("metadata/total_bytes", 27),
            ("metadata/bytes_used", metadata),
            ("metadata/disk_total", 27),
            ("system/disk_total", 4),
            ("global_rsv_size", 5),
        ];
        for (name, mebibytes) in files {
            stage.file(&format!("/sys/fs/btrfs/f-s/allocation/{name}"), &format!("{}\n", mebibytes * MIB));
        }
        stage.clue(Errno::ENOSPC, Operation::Create, "/pool/new");
        stage
    }

    #[test]
    fn metadata_without_room_beside_data_with_room_is_told_apart_from_a_full_disk() {
        let finding = stage(0, 18, 84).finding(&CAUSE, "/pool");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.headline.contains("84.0 MiB for data"), "{finding:?}");
        assert_eq!(finding.fixes[1].command.as_deref(), Some("sudo btrfs balance start -dusage=65 /pool"));
    }

    #[test]
    fn data_without_room_is_a_common_full_disk() {
        stage(0, 18, 168).assert_silent(&CAUSE);
    }

    #[test]
    fn metadata_with_room_is_silence() {
        stage(80, 10, 84).assert_silent(&CAUSE);
    }

    #[test]
    fn chunks_that_cannot_be_read_are_not_guessed() {
        let mut stage = stage(0, 18, 84);
        let refused = Err::<Subvolume, _>(Unknown::Errno(Errno::EACCES));
        stage.knows("btrfs-subvolume /pool", refused).assert_silent(&CAUSE);
    }
}
