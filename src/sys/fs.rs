//! Counters and attributes of filesystems and files.

use super::errno::Errno;
use super::raw::call;
use nix::NixPath;
use serde::{Deserialize, Serialize};
use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

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

/// A filesystem's type and id (`f_type`, `f_fsid` of `statfs(2)`): another one means that something else is mounted there now.
pub type Filesystem = (i64, u64);

/// [`space`] and which filesystem it was, without an allocation: for who asks often.
///
/// # Errors
/// Those of `statfs(2)`.
pub fn space_of(path: &CStr) -> Result<(Space, Filesystem), Errno> {
    // SAFETY: all-zero bytes are a valid `statfs`, a struct of integers.
    let mut found: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path is a C string, and `found` outlives the call.
    Errno::result(unsafe { libc::statfs(path.as_ptr(), &raw mut found) })?;
    let space = Space {
        block_size: unit(&found),
        blocks: found.f_blocks,
        blocks_free: found.f_bfree,
        blocks_available: found.f_bavail,
        inodes: found.f_files,
        inodes_free: found.f_ffree,
    };
    // SAFETY: an fsid is two integers, 64 bits in all.
    let id = unsafe { std::mem::transmute::<libc::fsid_t, u64>(found.f_fsid) };
    Ok((space, (found.f_type, id)))
}

/// Bytes in one of the blocks that are counted: `f_frsize`, and `f_bsize` where a filesystem leaves that out.
fn unit(found: &libc::statfs) -> u64 {
    let unit = if found.f_frsize > 0 { found.f_frsize } else { found.f_bsize };
    u64::try_from(unit).unwrap_or(0)
}

/// Bytes that users without the reserve can still write to the filesystem of an open file, `fstatfs(2)`; none where it counts no blocks.
/// It may be asked before the C library has been set up (see `src/run/early.rs`).
#[must_use]
pub fn bytes_available(fd: RawFd) -> Option<u64> {
    let mut found = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: `found` is a `statfs` that outlives the call.
    unsafe { call!(libc::SYS_fstatfs, fd, found.as_mut_ptr()) }.ok()?;
    // SAFETY: the call has filled it in.
    let found = unsafe { &*found.as_ptr() };
    (found.f_blocks > 0).then(|| found.f_bavail.saturating_mul(unit(found)))
}

/// Where a symbolic link points.
///
/// # Errors
/// EINVAL when it is none; others of `readlink(2)`.
pub fn link_target(path: &Path) -> Result<PathBuf, Errno> {
    let mut target = [MaybeUninit::<u8>::uninit(); LONGEST_LINK];
    // SAFETY: the path is a C string, and the buffer has the length that is told.
    let length =
        path.with_nix_path(|path| unsafe { libc::readlink(path.as_ptr(), target.as_mut_ptr().cast(), target.len()) })?;
    let length = usize::try_from(Errno::result(length)?).unwrap_or(0);
    // SAFETY: readlink has written so many bytes, readlink(2).
    let written = unsafe { std::slice::from_raw_parts(target.as_ptr().cast::<u8>(), length) };
    Ok(PathBuf::from(OsStr::from_bytes(written)))
}

/// Bytes of a link's target at most, `PATH_MAX`.
const LONGEST_LINK: usize = 4096;
