//! Whether the free space of an xfs lies together well enough for new inodes.

use super::{Answer, Machine};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The longest free extent, and what new inodes need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeExtents {
    /// Bytes of the longest free extent that was seen, from where inodes may begin in it.
    pub longest: u64,
    /// Bytes that must lie together for new inodes.
    pub needed: u64,
    /// Bytes of all extents that were seen and are long enough, in allocation groups that have as much to give.
    pub fitting: u64,
    /// Inodes that can be had without new blocks, where that is known.
    #[serde(default)]
    pub spare_inodes: Option<u64>,
    /// Whether all of the filesystem was looked at; the search ends early where there is plenty.
    pub complete: bool,
}

impl Machine {
    /// The free extents of the xfs that a directory is on.
    ///
    /// # Errors
    /// ENOTTY on another filesystem; those of `open(2)`.
    pub fn xfs_free_extents(&self, directory: &Path) -> Answer<FreeExtents> {
        self.ask_path("xfs-free-extents", directory, |directory| {
            let found = crate::sys::xfs::free_space(&super::files::open_directory(directory)?)?;
            let crate::sys::xfs::FreeSpace { longest, needed, fitting, spare_inodes, complete } = found;
            Ok(FreeExtents { longest, needed, fitting, spare_inodes, complete })
        })
    }
}
