//! How a btrfs has divided its devices between data and metadata: one can be full while the other has room.

use crate::machine::{Answer, Machine, Unknown};
use std::path::{Path, PathBuf};

/// Chunks of one kind, in bytes, each byte counted once however often it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunks {
    /// Size of all chunks.
    pub total: u64,
    /// Used in them.
    pub used: u64,
}

impl Chunks {
    /// Bytes that are free in the chunks.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.total.saturating_sub(self.used)
    }
}

/// The division, from `/sys/fs/btrfs/UUID/allocation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Contents of files.
    pub data: Chunks,
    /// Names, attributes, small files, checksums.
    pub metadata: Chunks,
    /// Metadata that is kept for emergencies such as removing files, in bytes.
    pub reserve: u64,
    /// Bytes of the devices that no chunk has.
    pub unallocated: u64,
}

/// The division of the filesystem that a directory is on.
///
/// # Errors
/// Where the directory may not be read or `/sys` does not tell; ENOENT for a filesystem that mixes data and metadata.
pub fn allocation(machine: &Machine, directory: &Path) -> Answer<Allocation> {
    let root = PathBuf::from("/sys/fs/btrfs").join(machine.btrfs_subvolume(directory)?.filesystem);
    let number = |name: &str| number(machine, &root.join("allocation").join(name));
    let chunks = |kind: &str| -> Answer<Chunks> {
        Ok(Chunks { total: number(&format!("{kind}/total_bytes"))?, used: number(&format!("{kind}/bytes_used"))? })
    };
    let mut allocated = 0_u64;
    for kind in ["data", "metadata", "system"] {
        allocated = allocated.saturating_add(number(&format!("{kind}/disk_total"))?);
    }
    Ok(Allocation {
        data: chunks("data")?,
        metadata: chunks("metadata")?,
        reserve: number("global_rsv_size")?,
        unallocated: size_of_devices(machine, &root.join("devices"))?.saturating_sub(allocated),
    })
}

/// `size` of a device is in units of 512 bytes, whatever its sectors are.
fn size_of_devices(machine: &Machine, devices: &Path) -> Answer<u64> {
    let entries = machine.list(devices)?.entries;
    let sizes: Answer<Vec<u64>> =
        entries.iter().map(|entry| number(machine, &devices.join(&entry.name).join("size"))).collect();
    Ok(sizes?.into_iter().sum::<u64>().saturating_mul(512))
}

fn number(machine: &Machine, file: &Path) -> Answer<u64> {
    let text = machine.read(file)?;
    text.lossy().trim().parse().map_err(|_| Unknown::Unsupported(format!("{} holds no number", file.display())))
}
