//! Directories read in bulk, `getdents64(2)`: a tree of millions of entries is walked without an allocation an entry, and
//! without leaving a trace in access times where the kernel lets us.

use super::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, fstat, fstatat};
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Bytes that one `getdents64(2)` may fill: some two thousand entries.
pub const BATCH: usize = 64 << 10;

/// An open directory.
pub struct Directory(OwnedFd);

impl Directory {
    /// Opens a directory, by a path from another one. A link in the last component is refused.
    ///
    /// # Errors
    /// Those of `openat(2)`.
    pub fn open(at: impl AsFd, path: &CStr) -> Result<Self, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        // O_NOATIME is refused for what belongs to others, open(2).
        match openat(&at, path, flags | OFlag::O_NOATIME, Mode::empty()) {
            Err(Errno::EPERM) => openat(&at, path, flags, Mode::empty()),
            opened => opened,
        }
        .map(Self)
    }

    /// Status of the directory itself.
    ///
    /// # Errors
    /// Those of `fstat(2)`.
    pub fn stat(&self) -> Result<FileStat, Errno> {
        fstat(&self.0)
    }

    /// Status of something in it, links not followed, automounts not triggered.
    ///
    /// # Errors
    /// Those of `fstatat(2)`.
    pub fn stat_of(&self, name: &CStr) -> Result<FileStat, Errno> {
        fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW | AtFlags::AT_NO_AUTOMOUNT)
    }

    /// The next entries, without `.` and `..`; none at the end of the directory. `buffer` is room for [`BATCH`] bytes.
    ///
    /// # Errors
    /// Those of `getdents64(2)`; ENOENT when the directory was removed.
    pub fn next<'a>(&self, buffer: &'a mut [u8]) -> Result<Option<Entries<'a>>, Errno> {
        // SAFETY: the descriptor is open, and the kernel writes at most `buffer.len()` bytes to the start of `buffer`.
        let read =
            unsafe { libc::syscall(libc::SYS_getdents64, self.0.as_raw_fd(), buffer.as_mut_ptr(), buffer.len()) };
        let read = usize::try_from(Errno::result(read)?).unwrap_or(0);
        Ok((read > 0).then(|| Entries { rest: &buffer[..read] }))
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// One entry of a directory.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// The name, without a slash.
    pub name: &'a CStr,
    /// `DT_DIR`, `DT_REG`, …; `DT_UNKNOWN` where the filesystem does not tell.
    pub kind: u8,
}

/// Entries of one batch.
pub struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let (entry, length) = record(self.rest)?;
            self.rest = self.rest.get(length..)?;
            if !matches!(entry.name.to_bytes(), b"." | b"..") {
                return Some(entry);
            }
        }
    }
}

/// Reads one `struct linux_dirent64`: inode (8 bytes), offset (8), length of the record (2), type (1), name.
fn record(bytes: &[u8]) -> Option<(Entry<'_>, usize)> {
    let length = usize::from(u16::from_ne_bytes([*bytes.get(16)?, *bytes.get(17)?]));
    let kind = *bytes.get(18)?;
    let name = CStr::from_bytes_until_nul(bytes.get(19..length)?).ok()?;
    Some((Entry { name, kind }, length))
}
