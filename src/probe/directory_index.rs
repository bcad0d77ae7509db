//! How many names a directory can hold where that is limited: by the index of ext4, or by the count of its links.

/// Size in bytes that a directory of an ext4 without `large_dir` has when its index is full to the last entry: the blocks that
/// a root and its nodes can point to, `fs/ext4/namei.c` of the kernel. Nodes are split in halves, so a directory is refused
/// names from about half of that size on.
#[must_use]
pub fn largest_directory(block_size: u64) -> u64 {
    let in_root = block_size.saturating_sub(ROOT_HEAD) / ENTRY;
    let in_node = block_size.saturating_sub(NODE_HEAD) / ENTRY;
    (1 + in_root + in_root * in_node) * block_size
}

/// `struct dx_entry`: a hash and a block.
const ENTRY: u64 = 8;
/// The entries `.` and `..` and `struct dx_root_info`.
const ROOT_HEAD: u64 = 32;
/// `struct fake_dirent` of a node.
const NODE_HEAD: u64 = 8;

/// Links that an inode can have (`*_LINK_MAX` of the filesystems' headers), where making directories can reach that. ext4 with
/// `dir_nlink` stops counting instead, and shows 1.
#[must_use]
pub fn most_links(fstype: &str) -> Option<u64> {
    match fstype {
        "ext2" | "nilfs2" => Some(32_000),
        "ext3" | "ext4" => Some(65_000),
        "jfs" => Some(65_535),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::largest_directory;

    #[test]
    fn larger_blocks_hold_far_larger_directories() {
        assert_eq!([1024, 4096].map(|size| largest_directory(size) >> 20), [15, 1016]);
    }
}
