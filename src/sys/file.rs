//! Small files of the kernel, read with as few calls as can be.

use super::errno::Errno;
use super::fd;
use std::ffi::CString;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Bytes that are read of one file.
const LIMIT: usize = 16 << 20;

/// Contents of a file of /proc or of a cgroup, up to 16 MiB: a mount table of 10,000 lines has one or two. It opens the file: nothing else must be asked for here.
///
/// # Errors
/// Those of `open(2)` and `read(2)`.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>, Errno> {
    let path = CString::new(path.as_ref().as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the path is a C string.
    let opened = fd::checked(unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NOCTTY) })?;
    // SAFETY: open has just opened it.
    let file = unsafe { OwnedFd::from_raw_fd(opened) };
    let mut bytes = vec![0; 8 << 10];
    let mut length = 0;
    loop {
        match fd::read(file.as_fd(), &mut bytes[length..])? {
            0 => break,
            count => length += count,
        }
        if length == bytes.len() {
            if length >= LIMIT {
                break;
            }
            bytes.resize(length * 2, 0);
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}
