//! How many Landlock domains this process is in. The kernel tells it nowhere, and lets nobody into more than sixteen
//! (`landlock_restrict_self(2)`, E2BIG): a thread of its own enters domains until it is refused, and ends.

use super::errno::Errno;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `LANDLOCK_MAX_NUM_LAYERS` of the kernel's `security/landlock/limits.h`.
const LAYERS: u32 = 16;
/// `LANDLOCK_ACCESS_FS_MAKE_BLOCK` of `linux/landlock.h`: what the thread gives up, and would not do.
const MAKE_BLOCK: u64 = 1 << 11;
const SET_NO_NEW_PRIVS: i32 = libc::PR_SET_NO_NEW_PRIVS;

/// `struct landlock_ruleset_attr` of its first version.
#[repr(C)]
struct Attributes {
    handled_access_fs: u64,
}

/// The domains of this process, from its first ancestor that entered one to itself.
///
/// # Errors
/// ENOSYS where the kernel has no Landlock, EOPNOTSUPP where it is switched off, EPERM where a filter forbids the question.
pub fn layers() -> Result<u32, Errno> {
    let ruleset = ruleset()?;
    let thread = std::thread::Builder::new().spawn(move || entered(&ruleset)).map_err(|_| Errno::EAGAIN)?;
    thread.join().unwrap_or(Err(Errno::EIO))
}

fn ruleset() -> Result<OwnedFd, Errno> {
    let attributes = Attributes { handled_access_fs: MAKE_BLOCK };
    // SAFETY: the kernel reads as many bytes from the structure as it is told, and returns a new descriptor or -1.
    let returned = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, &raw const attributes, size_of::<Attributes>(), 0_u32)
    };
    let descriptor = i32::try_from(Errno::result(returned)?).map_err(|_| Errno::EBADF)?;
    // SAFETY: the descriptor is new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Enters domains until the kernel refuses; for a thread that ends then: a domain is never left.
fn entered(ruleset: &OwnedFd) -> Result<u32, Errno> {
    // SAFETY: it changes this thread alone, prctl(2).
    Errno::result(unsafe { libc::prctl(SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
    for entered in 0..=LAYERS {
        // SAFETY: it changes this thread alone, and takes no memory of ours.
        let returned = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0_u32) };
        match Errno::result(returned) {
            Ok(_) => {}
            Err(Errno::E2BIG) => return Ok(LAYERS - entered),
            Err(errno) => return Err(errno),
        }
    }
    Ok(0)
}
