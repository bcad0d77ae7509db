//! File descriptors: those we were given, whose descriptions are shared with others and stay untouched, and our own.

pub use super::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Standard input.
pub const STDIN: RawFd = 0;
/// Standard output.
pub const STDOUT: RawFd = 1;
/// Standard error.
pub const STDERR: RawFd = 2;

/// −1 becomes the errno.
pub(super) fn checked(result: libc::c_int) -> Result<libc::c_int, Errno> {
    if result < 0 { Err(Errno::last()) } else { Ok(result) }
}

fn counted(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| Errno::last())
}

/// What `fstat(2)` says of an open file, as far as two descriptors are compared by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Device and inode number.
    file: (u64, u64),
    /// Whether it is a character device: a terminal, /dev/null.
    pub character_device: bool,
    /// Whether it is a regular file.
    pub regular: bool,
    /// Whether another process is at its other end.
    pub pipe_or_socket: bool,
    /// Bytes in a regular file.
    pub length: u64,
}

/// Which file a descriptor leads to.
///
/// # Errors
/// EBADF when it is closed.
pub fn identity(fd: RawFd) -> Result<Identity, Errno> {
    // SAFETY: all-zero bytes are a valid `stat`, a struct of integers.
    let mut found: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `found` is a `stat` that outlives the call.
    checked(unsafe { libc::fstat(fd, &raw mut found) })?;
    let is = |kind| found.st_mode & libc::S_IFMT == kind;
    let (character_device, regular) = (is(libc::S_IFCHR), is(libc::S_IFREG));
    let pipe_or_socket = is(libc::S_IFIFO) || is(libc::S_IFSOCK);
    let length = u64::try_from(found.st_size).unwrap_or(0);
    Ok(Identity { file: (found.st_dev, found.st_ino), character_device, regular, pipe_or_socket, length })
}

/// Whether a descriptor is open and can be written to.
#[must_use]
pub fn is_writable(fd: RawFd) -> bool {
    // SAFETY: F_GETFL takes no argument.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    flags >= 0 && flags & libc::O_PATH == 0 && matches!(flags & libc::O_ACCMODE, libc::O_WRONLY | libc::O_RDWR)
}

/// A pipe of our own: the end to read and the end to write. Both close on exec, and neither is one of 0, 1 and 2, which a
/// caller may have left closed and which must stay so for the child.
///
/// # Errors
/// Those of `pipe2(2)` and of `fcntl(2)` with `F_DUPFD_CLOEXEC`.
pub fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let mut ends = [-1; 2];
    // SAFETY: the array has the two elements that pipe2 fills in.
    checked(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    // SAFETY: pipe2 has just opened both, and nobody else knows of them.
    let [read, write] = ends.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    Ok((above_standard(read)?, above_standard(write)?))
}

/// Two ends of our own that keep messages apart. Both close on exec.
///
/// # Errors
/// Those of `socketpair(2)`.
pub fn socket_pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    let mut ends = [-1; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: the array has the two elements that socketpair fills in.
    checked(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) })?;
    // SAFETY: socketpair has just opened both, and nobody else knows of them.
    let [one, other] = ends.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    Ok((above_standard(one)?, above_standard(other)?))
}

/// Sends one message, without SIGPIPE where the other end is gone.
///
/// # Errors
/// Those of `send(2)`.
pub fn send(socket: BorrowedFd, message: &[u8]) -> Result<usize, Errno> {
    let flags = libc::MSG_NOSIGNAL;
    // SAFETY: the pointer and the length are one slice's.
    counted(unsafe { libc::send(socket.as_raw_fd(), message.as_ptr().cast(), message.len(), flags) })
}

/// The same description under a number that is none of 0, 1 and 2.
fn above_standard(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    if fd.as_raw_fd() > STDERR { Ok(fd) } else { duplicate(fd.as_raw_fd()) }
}

/// The description behind a number that we were given, under a number of our own.
///
/// # Errors
/// EBADF when it is closed.
pub fn duplicate(number: RawFd) -> Result<OwnedFd, Errno> {
    const FIRST_OWN: libc::c_int = 10;
    // SAFETY: numbers alone are passed.
    let own = checked(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, FIRST_OWN) })?;
    // SAFETY: fcntl has just opened it, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(own) })
}

/// Puts a description under another number, without close-on-exec; what was open there is closed.
///
/// # Errors
/// Those of `dup2(2)`.
pub fn put_at(fd: BorrowedFd, number: RawFd) -> Result<(), Errno> {
    // SAFETY: numbers alone are passed.
    checked(unsafe { libc::dup2(fd.as_raw_fd(), number) }).map(drop)
}

/// Puts /dev/null over those of our standard input and output that are open, so that the child alone decides how long
/// the caller's files stay open: `yes | explain sh -c 'exec <&-; sleep 9'` must end `yes` at once.
pub fn let_go_of_stdin_and_stdout() {
    // SAFETY: the path is a C string.
    let null = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
    if null < 0 {
        return;
    }
    for fd in [STDIN, STDOUT] {
        // SAFETY: numbers alone are passed; one that was closed becomes /dev/null in this process alone.
        unsafe { libc::dup2(null, fd) };
    }
    if null > STDERR {
        // SAFETY: it was opened above and is not used again.
        unsafe { libc::close(null) };
    }
}

/// Lets go of the description behind a descriptor of ours, which is /dev/null from now on.
pub fn close_behind(own: BorrowedFd) {
    // SAFETY: the path is a C string.
    let null = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
    if null < 0 {
        return;
    }
    // SAFETY: numbers alone are passed; the number stays ours, whatever is behind it.
    unsafe { libc::dup3(null, own.as_raw_fd(), libc::O_CLOEXEC) };
    // SAFETY: it was opened above and is not used again.
    unsafe { libc::close(null) };
}

/// Reads what is there.
///
/// # Errors
/// Those of `read(2)`.
pub fn read(fd: BorrowedFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    read_number(fd.as_raw_fd(), buffer)
}

/// [`read`] from a number that may have been closed meanwhile.
///
/// # Errors
/// Those of `read(2)`.
pub fn read_number(fd: RawFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the pointer and the length are one buffer's.
    counted(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) })
}

/// Writes as much as fits.
///
/// # Errors
/// Those of `write(2)`.
pub fn write(fd: RawFd, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the pointer and the length are one slice's.
    counted(unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) })
}

/// Bytes that wait in a pipe, `FIONREAD` of `ioctl_pipe(2)`.
///
/// # Errors
/// Those of `ioctl(2)`.
pub fn waiting(fd: BorrowedFd) -> Result<usize, Errno> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int.
    checked(unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONREAD, &raw mut bytes) })?;
    Ok(usize::try_from(bytes).unwrap_or(0))
}

/// Lets a pipe hold more, `F_SETPIPE_SZ` of fcntl(2); it stays as it is where that is refused.
pub fn widen(pipe: BorrowedFd, bytes: libc::c_int) {
    // SAFETY: numbers alone are passed.
    unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETPIPE_SZ, bytes) };
}

/// Closes standard input, output and error: for a process of ours that outlives nothing and must hold nothing of the caller's.
pub fn close_standard() {
    close_from_to(STDIN, STDERR);
}

/// Closes every descriptor but these: for a process that outlives us and must hold nothing of the caller's.
pub fn close_all_but(kept: &mut [RawFd]) {
    kept.sort_unstable();
    let mut from = 0;
    for fd in kept.iter().copied() {
        if from < fd {
            close_from_to(from, fd - 1);
        }
        from = fd + 1;
    }
    close_from_to(from, libc::c_int::MAX);
}

fn close_from_to(from: RawFd, to: RawFd) {
    // SAFETY: numbers alone are passed; the caller says that nobody uses them any more.
    let done = unsafe { libc::syscall(libc::SYS_close_range, from, to, 0) };
    if done < 0 {
        for fd in from..=to.min(1023) {
            // SAFETY: as above, for a kernel before 5.9.
            unsafe { libc::close(fd) };
        }
    }
}
