//! Disk quotas of users, groups and projects, quotactl(2).

use super::errno::Errno;
use std::ffi::CString;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What a limit is about: the `type` of quotactl(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The owner of files.
    User = 0,
    /// Their group.
    Group = 1,
    /// The project that a directory tree was given.
    Project = 2,
}

/// The quota of an id, by the block device of a filesystem.
///
/// # Errors
/// Those of `quotactl(2)`: ESRCH where quotas are off, ENOSYS where the kernel has none, EPERM for others' without `CAP_SYS_ADMIN`.
pub fn by_device(device: &Path, kind: Kind, id: u32) -> Result<libc::dqblk, Errno> {
    let device = CString::new(device.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    let mut found = empty();
    let id = id.cast_signed();
    // SAFETY: the path is a C string and `found` is the struct that Q_GETQUOTA fills; both live through the call.
    let result = unsafe { libc::quotactl(command(kind), device.as_ptr(), id, (&raw mut found).cast()) };
    Errno::result(result).map(|_| found)
}

/// The quota of an id, by an open directory: the way for filesystems without a device (tmpfs), since Linux 5.14.
///
/// # Errors
/// As [`by_device`].
pub fn by_directory(directory: &File, kind: Kind, id: u32) -> Result<libc::dqblk, Errno> {
    let mut found = empty();
    let address = &raw mut found;
    // SAFETY: the descriptor is open and `found` is the struct that Q_GETQUOTA fills; both live through the call.
    let result = unsafe { libc::syscall(libc::SYS_quotactl_fd, directory.as_raw_fd(), command(kind), id, address) };
    Errno::result(result).map(|_| found)
}

fn command(kind: Kind) -> i32 {
    libc::QCMD(libc::Q_GETQUOTA, kind as i32)
}

fn empty() -> libc::dqblk {
    // SAFETY: the struct holds integers alone, for which zeros are values.
    unsafe { std::mem::zeroed() }
}

/// `struct fsxattr` of `linux/fs.h`.
#[repr(C)]
struct Attributes {
    flags: u32,
    extent_size: u32,
    extents: u32,
    project: u32,
    copy_on_write_extent_size: u32,
    rest: [u8; 8],
}

mod call {
    use super::Attributes;
    nix::ioctl_read!(fs_get_xattr, b'X', 31, Attributes);
}

/// The project that an open directory belongs to; 0 where it was given none, `ioctl_xfs_fsgetxattr(2)`.
///
/// # Errors
/// ENOTTY or EOPNOTSUPP on a filesystem without projects.
pub fn project(directory: &File) -> Result<u32, Errno> {
    // SAFETY: the struct holds integers alone, for which zeros are values.
    let mut found: Attributes = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open for the length of the call, and the kernel writes a struct of this layout to `found`.
    unsafe { call::fs_get_xattr(directory.as_raw_fd(), &raw mut found) }?;
    Ok(found.project)
}
