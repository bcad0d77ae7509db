//! Which subvolume a directory of a btrfs belongs to, by the calls of `linux/btrfs.h` that need no privilege.

use super::errno::Errno;
use std::fs::File;
use std::os::fd::AsRawFd;

const MAGIC: u8 = 0x94;

/// `struct btrfs_ioctl_timespec`.
#[repr(C)]
struct Timespec {
    seconds: u64,
    nanoseconds: u32,
}

/// `struct btrfs_ioctl_get_subvol_info_args`.
#[repr(C)]
struct SubvolumeInfo {
    treeid: u64,
    name: [u8; 256],
    parent_id: u64,
    dirid: u64,
    generation: u64,
    flags: u64,
    uuids: [[u8; 16]; 3],
    transactions: [u64; 4],
    times: [Timespec; 4],
    reserved: [u64; 8],
}

/// `struct btrfs_ioctl_fs_info_args`.
#[repr(C)]
struct FilesystemInfo {
    max_id: u64,
    num_devices: u64,
    fsid: [u8; 16],
    rest: [u8; 992],
}

/// `BTRFS_ROOT_SUBVOL_RDONLY` of `linux/btrfs_tree.h`.
const READ_ONLY: u64 = 1;

mod call {
    use super::{FilesystemInfo, MAGIC, SubvolumeInfo};
    nix::ioctl_read!(get_subvol_info, MAGIC, 60, SubvolumeInfo);
    nix::ioctl_read!(fs_info, MAGIC, 31, FilesystemInfo);
}

/// A subvolume.
pub struct Subvolume {
    /// Its id, which is the id of its quota group too (`0/ID`).
    pub id: u64,
    /// Whether it is a read-only snapshot or was set to be read-only (`btrfs property set … ro true`).
    pub read_only: bool,
}

/// The subvolume that an open directory is in.
///
/// # Errors
/// ENOTTY on another filesystem; before Linux 4.18 too.
pub fn subvolume(directory: &File) -> Result<Subvolume, Errno> {
    // SAFETY: the struct holds integers alone, for which zeros are values.
    let mut info: SubvolumeInfo = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open for the length of the call, and the kernel writes a struct of this layout to `info`.
    unsafe { call::get_subvol_info(directory.as_raw_fd(), &raw mut info) }?;
    Ok(Subvolume { id: info.treeid, read_only: info.flags & READ_ONLY != 0 })
}

/// The UUID of the filesystem that an open directory is on, as `/sys/fs/btrfs` has it.
///
/// # Errors
/// ENOTTY on another filesystem.
pub fn filesystem(directory: &File) -> Result<String, Errno> {
    // SAFETY: the struct holds integers alone, for which zeros are values.
    let mut info: FilesystemInfo = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open for the length of the call, and the kernel writes a struct of this layout to `info`.
    unsafe { call::fs_info(directory.as_raw_fd(), &raw mut info) }?;
    Ok(uuid(info.fsid))
}

/// Sixteen bytes in the usual form: groups of 8, 4, 4, 4 and 12 digits.
fn uuid(bytes: [u8; 16]) -> String {
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| &digits[group]).join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structs_have_the_sizes_that_the_kernel_encodes_in_the_calls() {
        assert_eq!((size_of::<SubvolumeInfo>(), size_of::<FilesystemInfo>()), (504, 1024));
    }

    #[test]
    fn a_uuid_is_written_in_five_groups() {
        assert_eq!(
            uuid(std::array::from_fn(|index| u8::try_from(index).unwrap())),
            "00010203-0405-0607-0809-0a0b0c0d0e0f"
        );
    }
}
