//! Geometry and free extents of an xfs, by calls that need no privilege.

use super::errno::Errno;
use std::fs::File;
use std::os::fd::AsRawFd;

/// `struct xfs_fsop_geom_v1` of `xfs/xfs_fs.h`.
#[repr(C)]
struct Geometry {
    block_size: u32,
    realtime_extent: u32,
    group_blocks: u32,
    rest: [u32; 3],
    inode_size: u32,
    imaxpct: u32,
    blocks: [u64; 4],
    uuid: [u8; 16],
    stripe: [u32; 2],
    version: i32,
    flags: u32,
    sectors: [u32; 3],
}

/// `struct fsmap` of `linux/fsmap.h`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Extent {
    device: u32,
    flags: u32,
    physical: u64,
    owner: u64,
    offset: u64,
    length: u64,
    reserved: [u64; 3],
}

const EXTENTS: usize = 512;

/// `struct fsmap_head`, with room for records behind it.
#[repr(C)]
struct Map {
    head: MapHead,
    records: [Extent; EXTENTS],
}

/// `struct fsmap_head` itself, whose size the call's number encodes.
#[repr(C)]
struct MapHead {
    flags_in: u32,
    flags_out: u32,
    count: u32,
    entries: u32,
    reserved: [u64; 6],
    keys: [Extent; 2],
}

mod call {
    use super::{Geometry, MapHead};
    nix::ioctl_read!(geometry, b'X', 100, Geometry);
    nix::ioctl_readwrite!(map, b'X', 59, MapHead);
}

/// `FMR_OF_SPECIAL_OWNER` and `FMR_OWN_FREE`: a record of free space.
const SPECIAL_OWNER: u32 = 0x10;
const FREE: u64 = 1;
/// `FMR_OF_LAST`: the last record of the filesystem.
const LAST: u32 = 0x20;
/// `XFS_FSOP_GEOM_FLAGS_SPINODES`: chunks of inodes may be sparse.
const SPARSE_INODES: u32 = 1 << 18;

/// Calls that are made at most: half a million records, in some tens of milliseconds.
const CALLS: usize = 1000;

/// Chunks that fit and may yet be refused, because every allocation group holds some blocks back for its own trees: with more
/// than these the search ends.
const HELD_BACK: u64 = 64;

/// The longest free extent, and what new inodes need.
pub struct FreeSpace {
    /// Bytes of the longest free extent, from where inodes may begin in it.
    pub longest: u64,
    /// Bytes that must lie together for new inodes.
    pub needed: u64,
    /// Bytes of all extents that were seen and are long enough.
    pub fitting: u64,
    /// Whether all of the filesystem was looked at.
    pub complete: bool,
}

/// Looks for free extents that new inodes fit into, and stops when there are plenty.
///
/// # Errors
/// ENOTTY on another filesystem or before Linux 4.12.
pub fn free_space(directory: &File) -> Result<FreeSpace, Errno> {
    // SAFETY: the struct holds integers alone, for which zeros are values.
    let mut geometry: Geometry = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open for the length of the call, and the kernel writes a struct of this layout.
    unsafe { call::geometry(directory.as_raw_fd(), &raw mut geometry) }?;
    let mut found = FreeSpace { longest: 0, needed: needed(&geometry), fitting: 0, complete: false };
    let mut map = whole_map();
    for _ in 0..CALLS {
        // SAFETY: the descriptor is open, and `head.count` says how many records there is room for behind the head; the pointer
        // is made from the whole struct, so that the kernel may write those too.
        unsafe { call::map(directory.as_raw_fd(), (&raw mut *map).cast()) }?;
        let records = &map.records[..(map.head.entries as usize).min(EXTENTS)];
        let free = records.iter().filter(|record| record.flags & SPECIAL_OWNER != 0 && record.owner == FREE);
        for length in free.map(|record| usable(record, &geometry)) {
            found.longest = found.longest.max(length);
            found.fitting += if length >= found.needed { length } else { 0 };
        }
        let Some(last) = records.last().copied() else { break };
        found.complete = last.flags & LAST != 0;
        if found.complete || found.fitting > HELD_BACK * found.needed {
            break;
        }
        map.head.keys[0] = last;
    }
    Ok(found)
}

/// 64 inodes, or with sparse chunks those of one cluster: `xfs_ialloc_ag_alloc` of `fs/xfs/libxfs/xfs_ialloc.c`.
fn needed(geometry: &Geometry) -> u64 {
    let clusters = if geometry.flags & SPARSE_INODES == 0 { 2 } else { 1 };
    clusters * cluster(geometry)
}

/// A cluster of inodes, in bytes: 32 of them (`XFS_INODE_BIG_CLUSTER_SIZE`, scaled by the inode's size). Chunks begin at a
/// multiple of it within their allocation group.
fn cluster(geometry: &Geometry) -> u64 {
    (32 * u64::from(geometry.inode_size)).max(u64::from(geometry.block_size)).max(1)
}

/// Bytes of a free extent from the first place in it where a chunk may begin.
fn usable(extent: &Extent, geometry: &Geometry) -> u64 {
    let group = u64::from(geometry.group_blocks) * u64::from(geometry.block_size);
    let in_group = extent.physical.checked_rem(group).unwrap_or(extent.physical);
    let skipped = in_group.next_multiple_of(cluster(geometry)) - in_group;
    extent.length.saturating_sub(skipped)
}

fn whole_map() -> Box<Map> {
    // SAFETY: the struct holds integers alone, for which zeros are values.
    let mut map: Box<Map> = Box::new(unsafe { std::mem::zeroed() });
    map.head.count = u32::try_from(EXTENTS).unwrap_or(0);
    let end = &mut map.head.keys[1];
    (end.device, end.flags) = (u32::MAX, u32::MAX);
    (end.physical, end.owner, end.offset) = (u64::MAX, u64::MAX, u64::MAX);
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structs_have_the_sizes_that_the_kernel_encodes_in_the_calls() {
        assert_eq!((size_of::<Geometry>(), size_of::<MapHead>(), size_of::<Extent>()), (112, 192, 64));
    }
}
