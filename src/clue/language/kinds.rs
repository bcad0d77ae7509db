//! The names that languages give to an errno, for programs that print neither its number, its symbol nor its words: `error: AccessDenied`.
//!
//! A rule captures one as `errno_name`, with the names of its own language written out: of themselves these are words of many meanings.

use crate::sys::errno::Errno;

/// Zig's error set (lib/std/posix.zig), Rust's and Deno's `ErrorKind` (library/std/src/io/error.rs), Java's exceptions of
/// `java.nio.file` without `Exception` (sun/nio/fs/UnixException.java). Where two languages have one name for two errnos, the one
/// that is met more often.
const KINDS: &[(&str, Errno)] = &[
    ("AccessDenied", Errno::EACCES),
    ("AddrInUse", Errno::EADDRINUSE),
    ("AddressInUse", Errno::EADDRINUSE),
    ("AlreadyExists", Errno::EEXIST),
    ("ArgumentListTooLong", Errno::E2BIG),
    ("CrossesDevices", Errno::EXDEV),
    ("DeviceBusy", Errno::EBUSY),
    ("DirNotEmpty", Errno::ENOTEMPTY),
    ("DirectoryNotEmpty", Errno::ENOTEMPTY),
    ("DiskQuota", Errno::EDQUOT),
    ("ExecutableFileBusy", Errno::ETXTBSY),
    ("FileAlreadyExists", Errno::EEXIST),
    ("FileBusy", Errno::ETXTBSY),
    ("FileLocksNotSupported", Errno::EOPNOTSUPP),
    ("FileNotFound", Errno::ENOENT),
    ("FileSystemLoop", Errno::ELOOP),
    ("FileTooBig", Errno::EFBIG),
    ("FileTooLarge", Errno::EFBIG),
    ("FilesystemLoop", Errno::ELOOP),
    ("FilesystemQuotaExceeded", Errno::EDQUOT),
    ("InputOutput", Errno::EIO),
    ("InvalidExe", Errno::ENOEXEC),
    ("IsADirectory", Errno::EISDIR),
    ("IsDir", Errno::EISDIR),
    ("LinkQuotaExceeded", Errno::EMLINK),
    ("NameTooLong", Errno::ENAMETOOLONG),
    ("NoDevice", Errno::ENODEV),
    ("NoSpaceLeft", Errno::ENOSPC),
    ("NoSuchFile", Errno::ENOENT),
    ("NotADirectory", Errno::ENOTDIR),
    ("NotDir", Errno::ENOTDIR),
    ("NotDirectory", Errno::ENOTDIR),
    ("NotFound", Errno::ENOENT),
    ("NotSameFileSystem", Errno::EXDEV),
    ("OutOfMemory", Errno::ENOMEM),
    ("PathAlreadyExists", Errno::EEXIST),
    ("PermissionDenied", Errno::EACCES),
    ("ProcessFdQuotaExceeded", Errno::EMFILE),
    ("QuotaExceeded", Errno::EDQUOT),
    ("ReadOnlyFileSystem", Errno::EROFS),
    ("ReadOnlyFilesystem", Errno::EROFS),
    ("RenameAcrossMountPoints", Errno::EXDEV),
    ("ResourceBusy", Errno::EBUSY),
    ("StaleNetworkFileHandle", Errno::ESTALE),
    ("StorageFull", Errno::ENOSPC),
    ("SymLinkLoop", Errno::ELOOP),
    ("SystemFdQuotaExceeded", Errno::ENFILE),
    ("SystemResources", Errno::ENOMEM),
    ("ThreadQuotaExceeded", Errno::EAGAIN),
    ("TooManyLinks", Errno::EMLINK),
];

/// The errno that a language calls so.
pub fn by_kind(name: &str) -> Option<Errno> {
    let at = KINDS.binary_search_by_key(&name, |(kind, _)| kind).ok()?;
    Some(KINDS[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_in_the_order_in_which_they_are_searched() {
        assert!(KINDS.is_sorted_by_key(|(kind, _)| kind));
    }

    #[test]
    fn a_kind_has_the_errno_that_its_language_means() {
        assert_eq!(by_kind("ProcessFdQuotaExceeded"), Some(Errno::EMFILE));
        assert_eq!(by_kind("StorageFull"), Some(Errno::ENOSPC));
        assert_eq!(by_kind("accessdenied"), None);
    }
}
