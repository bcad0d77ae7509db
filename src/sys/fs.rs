//! Counters and attributes of filesystems and files.

use super::errno::Errno;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Counters of one filesystem, from `statfs(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Bytes in one block (`f_frsize`).
    pub block_size: u64,
    /// All blocks.
    pub blocks: u64,
    /// Free blocks, the reserve included.
    pub blocks_free: u64,
    /// Free blocks for users without the reserve.
    pub blocks_available: u64,
    /// All inodes; 0 where the filesystem does not count them.
    pub inodes: u64,
    /// Free inodes.
    pub inodes_free: u64,
}

impl Space {
    /// Bytes that a user without the reserve can still write.
    #[must_use]
    pub fn bytes_available(&self) -> u64 {
        self.blocks_available.saturating_mul(self.block_size)
    }

    /// Size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.blocks.saturating_mul(self.block_size)
    }

    /// Whether the filesystem counts inodes; btrfs and most network filesystems do not.
    #[must_use]
    pub fn counts_inodes(&self) -> bool {
        self.inodes > 0
    }
}

/// The counters of the filesystem that holds `path`. It can block for ever on a dead network mount.
///
/// # Errors
/// Those of `statfs(2)`.
pub fn space(path: &Path) -> Result<Space, Errno> {
    let found = nix::sys::statvfs::statvfs(path)?;
    Ok(Space {
        block_size: found.fragment_size(),
        blocks: found.blocks(),
        blocks_free: found.blocks_free(),
        blocks_available: found.blocks_available(),
        inodes: found.files(),
        inodes_free: found.files_free(),
    })
}
