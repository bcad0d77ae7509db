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
    groups: u32,
    rest: [u32; 2],
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

/// `struct xfs_ag_geometry` of `xfs/xfs_fs.h`: an allocation group.
#[repr(C)]
struct Group {
    number: u32,
    length: u32,
    /// Free blocks beside those that are held back for the group's own trees.
    free_blocks: u32,
    inodes: u32,
    /// Inodes that were made before and are free again.
    inodes_free: u32,
    rest: [u32; 27],
}

mod call {
    use super::{Geometry, Group, MapHead};
    nix::ioctl_read!(geometry, b'X', 100, Geometry);
    nix::ioctl_readwrite!(map, b'X', 59, MapHead);
    nix::ioctl_readwrite!(group, b'X', 61, Group);
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

/// Blocks that every allocation group keeps for its two trees of free space at least (`xfs_alloc_min_freelist`).
const KEPT: u64 = 4;

/// Groups that are asked at most.
const GROUPS: u32 = 4096;

/// The longest free extent, and what new inodes need.
pub struct FreeSpace {
    /// Bytes of the longest free extent, from where inodes may begin in it.
    pub longest: u64,
    /// Bytes that must lie together for new inodes.
    pub needed: u64,
    /// Bytes of all extents that were seen and are long enough, in groups that have as much to give.
    pub fitting: u64,
    /// Inodes that can be had without new blocks; none where the kernel does not tell (before Linux 5.2).
    pub spare_inodes: Option<u64>,
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
    let mut found =
        FreeSpace { longest: 0, needed: needed(&geometry), fitting: 0, spare_inodes: None, complete: false };
    let mut held = Held { directory, number: u64::MAX, free: u64::MAX };
    let mut map = whole_map();
    for _ in 0..CALLS {
        // SAFETY: the descriptor is open, and `head.count` says how many records there is room for behind the head; the pointer
        // is made from the whole struct, so that the kernel may write those too.
        unsafe { call::map(directory.as_raw_fd(), (&raw mut *map).cast()) }?;
        let records = &map.records[..(map.head.entries as usize).min(EXTENTS)];
        let free = records.iter().filter(|record| record.flags & SPECIAL_OWNER != 0 && record.owner == FREE);
        for record in free {
            let length = usable(record, &geometry);
            found.longest = found.longest.max(length);
            let fits = length >= found.needed && held.gives(record, &geometry);
            found.fitting += if fits { length } else { 0 };
        }
        let Some(last) = records.last().copied() else { break };
        found.complete = last.flags & LAST != 0;
        if found.complete || found.fitting > HELD_BACK * found.needed {
            break;
        }
        map.head.keys[0] = last;
    }
    found.spare_inodes = if found.complete { spare_inodes(directory, &geometry) } else { None };
    Ok(found)
}

/// What an allocation group has to give, asked once for all of its extents.
struct Held<'a> {
    directory: &'a File,
    number: u64,
    free: u64,
}

impl Held<'_> {
    /// Whether inodes can be made in a free extent: it and its group must have what the allocator asks for. A kernel that does not tell of
    /// groups may have enough in each.
    fn gives(&mut self, extent: &Extent, geometry: &Geometry) -> bool {
        let block = u64::from(geometry.block_size).max(1);
        let number = extent.physical / (u64::from(geometry.group_blocks) * block).max(1);
        if number != self.number {
            self.number = number;
            let group = u32::try_from(number).ok().and_then(|number| group(self.directory, number));
            self.free = group.map_or(u64::MAX, |group| u64::from(group.free_blocks));
        }
        let asked = asked(geometry);
        extent.length >= asked && self.free >= asked / block + KEPT
    }
}

fn group(directory: &File, number: u32) -> Option<Group> {
    let mut group = Group { number, length: 0, free_blocks: 0, inodes: 0, inodes_free: 0, rest: [0; 27] };
    // SAFETY: the descriptor is open for the length of the call, and the kernel reads and writes a struct of this layout.
    unsafe { call::group(directory.as_raw_fd(), &raw mut group) }.ok()?;
    Some(group)
}

fn spare_inodes(directory: &File, geometry: &Geometry) -> Option<u64> {
    let mut groups = (0..geometry.groups.min(GROUPS + 1)).map(|number| group(directory, number));
    (geometry.groups <= GROUPS)
        .then(|| groups.try_fold(0, |sum, group| Some(sum + u64::from(group?.inodes_free))))
        .flatten()
}

/// What the allocator asks a group for, in bytes: inodes, and as much as may be lost by the place where they may begin
/// (`alignment - 1` blocks, `xfs_alloc_fix_freelist` of `fs/xfs/libxfs/xfs_alloc.c`).
fn asked(geometry: &Geometry) -> u64 {
    needed(geometry) + cluster(geometry) - u64::from(geometry.block_size).min(cluster(geometry))
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
        let sizes = (size_of::<Geometry>(), size_of::<MapHead>(), size_of::<Extent>(), size_of::<Group>());
        assert_eq!(sizes, (112, 192, 64, 128));
    }

    #[test]
    fn the_allocator_asks_for_more_than_inodes_take() {
        // SAFETY: the struct holds integers alone, for which zeros are values.
        let plain: Geometry = unsafe { std::mem::zeroed() };
        let whole = Geometry { block_size: 4096, inode_size: 512, ..plain };
        let blocks = |geometry: &Geometry| asked(geometry) / 4096;
        assert_eq!(blocks(&whole), 11);
        assert_eq!(blocks(&Geometry { flags: SPARSE_INODES, ..whole }), 7);
    }
}
