//! File descriptors: those we were given, whose descriptions are shared with others and stay untouched, and our own.

use super::raw::{call, int};
use std::mem::MaybeUninit;

pub use super::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

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

/// What `fstat(2)` says of an open file, as far as two descriptors are compared by it. It is no longer than what is moved without the C
/// library (see `src/run/early.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Device and inode number.
    file: (u64, u64),
    /// Of which kind it is.
    pub kind: Kind,
    /// Bytes in a regular file.
    pub length: u64,
}

/// Kinds of open files, as far as they are told apart here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// /dev/null.
    Null,
    /// A terminal, or another device of bytes.
    CharacterDevice,
    /// A regular file.
    Regular,
    /// A pipe.
    Pipe,
    /// A socket.
    Socket,
    /// Anything else.
    Other,
}

impl Kind {
    fn of(found: &libc::stat) -> Self {
        match found.st_mode & libc::S_IFMT {
            // Device 1, 3 of null(4).
            libc::S_IFCHR if found.st_rdev == libc::makedev(1, 3) => Self::Null,
            libc::S_IFCHR => Self::CharacterDevice,
            libc::S_IFREG => Self::Regular,
            libc::S_IFIFO => Self::Pipe,
            libc::S_IFSOCK => Self::Socket,
            _ => Self::Other,
        }
    }
}

/// Which file a descriptor leads to.
///
/// # Errors
/// EBADF when it is closed.
pub fn identity(fd: RawFd) -> Result<Identity, Errno> {
    let mut found = MaybeUninit::<libc::stat>::uninit();
    let (path, place) = (c"".as_ptr(), found.as_mut_ptr());
    // SAFETY: the path is a C string, and `found` a `stat` that outlives the call.
    unsafe { call!(libc::SYS_newfstatat, fd, path, place, libc::AT_EMPTY_PATH) }?;
    // SAFETY: the call has filled it in.
    let found = unsafe { &*found.as_ptr() };
    let length = u64::try_from(found.st_size).unwrap_or(0);
    Ok(Identity { file: (found.st_dev, found.st_ino), kind: Kind::of(found), length })
}

/// How a descriptor's file was opened: the flags of `fcntl(2)`, `F_GETFL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening(libc::c_int);

impl Opening {
    /// How the file behind a descriptor was opened.
    ///
    /// # Errors
    /// EBADF when it is closed.
    pub fn of(fd: RawFd) -> Result<Self, Errno> {
        // SAFETY: F_GETFL takes no argument.
        unsafe { call!(libc::SYS_fcntl, fd, libc::F_GETFL) }.map(|flags| Self(int(flags)))
    }

    /// Whether it can be written to.
    #[must_use]
    pub fn is_for_writing(self) -> bool {
        self.0 & libc::O_PATH == 0 && matches!(self.0 & libc::O_ACCMODE, libc::O_WRONLY | libc::O_RDWR)
    }

    /// Whether every write goes to the end of the file, `O_APPEND`.
    #[must_use]
    pub fn appends(self) -> bool {
        self.0 & libc::O_APPEND != 0
    }

    /// Whether a pipe keeps its writes apart, `O_DIRECT` of pipe(2).
    #[must_use]
    pub fn is_of_packets(self) -> bool {
        self.0 & libc::O_DIRECT != 0
    }
}

/// Whether a socket carries bytes in a stream and not messages that stay apart, `SO_TYPE` of socket(7).
#[must_use]
pub fn is_stream(socket: RawFd) -> bool {
    let mut kind: libc::c_int = 0;
    let mut length: libc::socklen_t = 4;
    let (kind_place, length_place) = (&raw mut kind, &raw mut length);
    // SAFETY: the kernel fills in one int, of the length that it is told, and its length.
    let asked =
        unsafe { call!(libc::SYS_getsockopt, socket, libc::SOL_SOCKET, libc::SO_TYPE, kind_place, length_place) };
    asked.is_ok() && kind == libc::SOCK_STREAM
}

/// Whether nobody is left to read what is written to a pipe or socket: `POLLERR` or `POLLHUP` of poll(2).
#[must_use]
pub fn has_lost_its_reader(fd: RawFd) -> bool {
    let mut polled = libc::pollfd { fd, events: 0, revents: 0 };
    let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: one pollfd and a time, both ours, and no mask.
    let asked = unsafe { call!(libc::SYS_ppoll, (&raw mut polled), 1, (&raw const at_once), 0, 0) };
    asked.is_ok() && polled.revents & (libc::POLLERR | libc::POLLHUP) != 0
}

/// Where in its file a descriptor stands, `lseek(2)`.
///
/// # Errors
/// ESPIPE where it has no place.
pub fn position(fd: RawFd) -> Result<u64, Errno> {
    // SAFETY: numbers alone are passed.
    unsafe { call!(libc::SYS_lseek, fd, 0, libc::SEEK_CUR) }.map(|place| place as u64)
}

/// The file of the caller's stderr once more, to be read. It closes on exec.
///
/// # Errors
/// ENOENT without /proc, and those of `open(2)`: EACCES where we may write to it alone.
pub fn stderr_for_reading() -> Result<OwnedFd, Errno> {
    let (path, flags) = (c"/proc/self/fd/2".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
    // SAFETY: the path is a C string.
    above_standard(int(unsafe { call!(libc::SYS_openat, libc::AT_FDCWD, path, flags) }?))
}

/// A pipe of our own: the end to read and the end to write. Both close on exec, and neither is one of 0, 1 and 2, which a
/// caller may have left closed and which must stay so for the child.
///
/// # Errors
/// Those of `pipe2(2)` and of `fcntl(2)` with `F_DUPFD_CLOEXEC`.
pub fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let mut ends = MaybeUninit::<[RawFd; 2]>::uninit();
    // SAFETY: the array has the two elements that pipe2 fills in.
    unsafe { call!(libc::SYS_pipe2, ends.as_mut_ptr(), libc::O_CLOEXEC) }?;
    // SAFETY: it has.
    both_above_standard(unsafe { ends.assume_init() })
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
    both_above_standard(ends)
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

/// Two descriptors that were just opened, under numbers that are none of 0, 1 and 2.
fn both_above_standard(ends: [RawFd; 2]) -> Result<(OwnedFd, OwnedFd), Errno> {
    match (above_standard(ends[0]), above_standard(ends[1])) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Ok(end), Err(errno)) | (Err(errno), Ok(end)) => {
            close(end);
            Err(errno)
        }
        (Err(errno), Err(_)) => Err(errno),
    }
}

/// A description of our own under a number that is none of 0, 1 and 2.
fn above_standard(number: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: it was just opened, and nobody else knows of it.
    let own = unsafe { OwnedFd::from_raw_fd(number) };
    if number > STDERR {
        return Ok(own);
    }
    let higher = duplicate(number);
    close(own);
    higher
}

/// Closes a descriptor of our own, before the C library has been set up too.
pub fn close(own: OwnedFd) {
    // SAFETY: it is ours, and nobody knows of it any more.
    let _ = unsafe { call!(libc::SYS_close, own.into_raw_fd()) };
}

/// The description behind a number that we were given, under a number of our own.
///
/// # Errors
/// EBADF when it is closed.
pub fn duplicate(number: RawFd) -> Result<OwnedFd, Errno> {
    const FIRST_OWN: libc::c_int = 10;
    // SAFETY: numbers alone are passed.
    let own = unsafe { call!(libc::SYS_fcntl, number, libc::F_DUPFD_CLOEXEC, FIRST_OWN) }?;
    // SAFETY: fcntl has just opened it, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(int(own)) })
}

/// Puts a description under another number than its own, without close-on-exec; what was open there is closed.
///
/// # Errors
/// Those of `dup3(2)`.
pub fn put_at(fd: BorrowedFd, number: RawFd) -> Result<(), Errno> {
    // SAFETY: numbers alone are passed.
    unsafe { call!(libc::SYS_dup3, fd.as_raw_fd(), number) }.map(drop)
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

/// Reads what stands at a place of a file.
///
/// # Errors
/// Those of `pread(2)`.
pub fn read_at(file: BorrowedFd, place: u64, buffer: &mut [u8]) -> Result<usize, Errno> {
    let place = libc::off64_t::try_from(place).map_err(|_| Errno::EOVERFLOW)?;
    // SAFETY: the pointer and the length are one buffer's.
    counted(unsafe { libc::pread64(file.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), place) })
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

/// Gives another pipe what is in one, without taking or copying it, `tee(2)`; it never waits.
///
/// # Errors
/// Those of `tee(2)`.
pub fn tee(from: BorrowedFd, to: BorrowedFd, bytes: usize) -> Result<usize, Errno> {
    // SAFETY: numbers alone are passed.
    counted(unsafe { libc::tee(from.as_raw_fd(), to.as_raw_fd(), bytes, libc::SPLICE_F_NONBLOCK) })
}

/// Moves what is in a pipe to another one without copying it, `splice(2)`. It waits for room as a write does.
///
/// # Errors
/// Those of `splice(2)`.
pub fn splice(from: BorrowedFd, to: RawFd, bytes: usize) -> Result<usize, Errno> {
    let here = std::ptr::null_mut();
    // SAFETY: numbers and no offsets are passed.
    counted(unsafe { libc::splice(from.as_raw_fd(), here, to, here, bytes, libc::SPLICE_F_MOVE) })
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
