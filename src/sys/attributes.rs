//! What a file has beside its mode: extended attributes (xattr(7)) and inode flags (statx(2)).

use super::errno::Errno;
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// An extended attribute of the file itself, links not followed; none where it has no such attribute.
///
/// # Errors
/// Those of `lgetxattr(2)`, but for those that say that there is none.
pub fn extended(path: &Path, name: &CStr) -> Result<Option<Vec<u8>>, Errno> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    // The kernel's limit of one value, XATTR_SIZE_MAX.
    let mut value = vec![0_u8; 64 << 10];
    // SAFETY: both strings end in NUL and outlive the call, which writes at most `value.len()` bytes to `value`.
    let read = unsafe { libc::lgetxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    match Errno::result(read) {
        Ok(length) => {
            value.truncate(usize::try_from(length).unwrap_or(0));
            Ok(Some(value))
        }
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// `stx_attributes` of the file itself, those bits alone that its filesystem keeps. Nothing is opened and no automount triggered.
///
/// # Errors
/// Those of `statx(2)`.
pub fn inode_flags(path: &Path) -> Result<u64, Errno> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    let flags = libc::AT_SYMLINK_NOFOLLOW | libc::AT_NO_AUTOMOUNT | libc::AT_STATX_DONT_SYNC;
    // SAFETY: `statx` is plain numbers, for which all bits zero are a value.
    let mut found: libc::statx = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends in NUL, and `found` is a `statx` that lives through the call.
    let done = unsafe { libc::statx(libc::AT_FDCWD, path.as_ptr(), flags, libc::STATX_TYPE, &raw mut found) };
    Errno::result(done)?;
    Ok(found.stx_attributes & found.stx_attributes_mask)
}
