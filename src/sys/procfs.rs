//! What processes have open, as `/proc` shows it, without opening any of it.

use super::directory::{BATCH, Directory};
use super::errno::Errno;
use nix::fcntl::readlinkat;
use std::ffi::{CStr, CString, OsString};
use std::os::unix::ffi::OsStringExt;

/// The directory of a process in `/proc`, open: what is read through it belongs to one process, though its number be given anew.
pub struct Process(Directory);

/// Counters of an open file, `statx(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFile {
    /// Device (`st_dev`).
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Names that it still has.
    pub links: u32,
    /// Bytes that it occupies.
    pub occupied: u64,
}

impl Process {
    /// The process of a number.
    ///
    /// # Errors
    /// Those of `openat(2)`; ENOENT when it has ended.
    pub fn open(pid: u32) -> Result<Self, Errno> {
        let path = CString::new(format!("/proc/{pid}")).map_err(|_| Errno::EINVAL)?;
        Directory::open(nix::fcntl::AT_FDCWD, &path).map(Self)
    }

    /// A link of the process: `cwd`, `root`, `exe`, `ns/mnt`, `fd/3`.
    ///
    /// # Errors
    /// Those of `readlinkat(2)`; EACCES for processes of others.
    pub fn link(&self, name: &CStr) -> Result<Vec<u8>, Errno> {
        readlinkat(&self.0, name).map(OsString::into_vec)
    }

    /// Calls `each` with the number and the target of every descriptor.
    ///
    /// # Errors
    /// Those of opening the directory; a descriptor that is closed meanwhile is passed over.
    pub fn descriptors(&self, mut each: impl FnMut(u32, Vec<u8>)) -> Result<(), Errno> {
        let directory = Directory::open(&self.0, c"fd")?;
        let mut buffer = vec![0; BATCH / 16];
        while let Some(entries) = directory.next(&mut buffer)? {
            for entry in entries {
                let number = entry.name.to_str().ok().and_then(|name| name.parse().ok());
                let target = readlinkat(&directory, entry.name).map(OsString::into_vec);
                if let (Some(number), Ok(target)) = (number, target) {
                    each(number, target);
                }
            }
        }
        Ok(())
    }

    /// What a descriptor or mapping (`fd/3`, `map_files/…`) refers to. No server is asked: what the kernel has cached is answered.
    ///
    /// # Errors
    /// Those of `statx(2)`.
    pub fn open_file(&self, name: &CStr) -> Result<OpenFile, Errno> {
        use std::os::fd::{AsFd, AsRawFd};
        let flags = libc::AT_NO_AUTOMOUNT | libc::AT_STATX_DONT_SYNC;
        let mask = libc::STATX_BASIC_STATS;
        // SAFETY: all zeroes is a value of the plain structure.
        let mut found: libc::statx = unsafe { std::mem::zeroed() };
        // SAFETY: the descriptor is open, the name ends in a zero byte, and the kernel writes one `struct statx` to `found`.
        let answer = unsafe { libc::statx(self.0.as_fd().as_raw_fd(), name.as_ptr(), flags, mask, &raw mut found) };
        Errno::result(answer)?;
        Ok(OpenFile {
            device: libc::makedev(found.stx_dev_major, found.stx_dev_minor),
            inode: found.stx_ino,
            links: found.stx_nlink,
            occupied: found.stx_blocks.saturating_mul(512),
        })
    }
}

/// The numbers of all processes that `/proc` shows.
///
/// # Errors
/// Those of opening `/proc`.
pub fn all() -> Result<Vec<u32>, Errno> {
    let directory = Directory::open(nix::fcntl::AT_FDCWD, c"/proc")?;
    let mut buffer = vec![0; BATCH];
    let mut pids = Vec::new();
    while let Some(entries) = directory.next(&mut buffer)? {
        pids.extend(entries.filter_map(|entry| entry.name.to_str().ok()?.parse::<u32>().ok()));
    }
    Ok(pids)
}
