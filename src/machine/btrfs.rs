//! Which subvolume of which btrfs a directory is in.

use super::{Answer, Machine};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A subvolume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subvolume {
    /// UUID of its filesystem: the name of its directory in `/sys/fs/btrfs`.
    pub filesystem: String,
    /// Its id, which is the id of its quota group too (`0/ID`).
    pub id: u64,
    /// Whether it is a read-only snapshot or was set to be read-only.
    pub read_only: bool,
}

impl Machine {
    /// The subvolume that a directory is in.
    ///
    /// # Errors
    /// ENOTTY on another filesystem; EACCES where the directory may not be read; those of `open(2)`.
    pub fn btrfs_subvolume(&self, directory: &Path) -> Answer<Subvolume> {
        self.ask_path("btrfs-subvolume", directory, |directory| {
            let directory = super::files::open_directory(directory)?;
            let found = crate::sys::btrfs::subvolume(&directory)?;
            let filesystem = crate::sys::btrfs::filesystem(&directory)?;
            Ok(Subvolume { filesystem, id: found.id, read_only: found.read_only })
        })
    }
}
