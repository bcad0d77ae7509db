//! What ext filesystems keep back: of the blocks that statfs(2) calls free, root may not use all either.

use super::device;
use crate::machine::Machine;
use crate::sys::fs::Space;
use crate::sys::mounts::Mount;
use std::path::PathBuf;

/// Whether it is ext2, ext3 or ext4: the filesystems that count their reserve for root as free and not as available.
#[must_use]
pub fn is_ext(mount: &Mount) -> bool {
    matches!(mount.fstype.as_str(), "ext2" | "ext3" | "ext4")
}

/// Bytes that root can still write: what is free, without the clusters that ext4 keeps for its own tables.
#[must_use]
pub fn free_for_root(machine: &Machine, mount: &Mount, space: &Space) -> u64 {
    let kept = kept_for_tables(machine, mount).unwrap_or_else(|| usually_kept(space));
    space.blocks_free.saturating_sub(kept).saturating_mul(space.block_size)
}

/// `reserved_clusters` of `/sys/fs/ext4` (`Documentation/ABI/testing/sysfs-fs-ext4`); a cluster is a block without `bigalloc`.
fn kept_for_tables(machine: &Machine, mount: &Mount) -> Option<u64> {
    let device = device::below(machine, mount).ok()?;
    let clusters = machine.read(&PathBuf::from(format!("/sys/fs/ext4/{}/reserved_clusters", device.name))).ok()?;
    clusters.lossy().trim().parse().ok()
}

/// 2 %, and at most 4096: `ext4_calculate_resv_clusters` of the kernel's `fs/ext4/super.c`.
fn usually_kept(space: &Space) -> u64 {
    (space.blocks / 50).min(4096)
}
