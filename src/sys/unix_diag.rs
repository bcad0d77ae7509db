//! The kernel's list of unix sockets with the file that each is bound to, by device and inode: `sock_diag(7)`, `unix_diag`.
//!
//! The list in `/proc/net/unix` has the path that bind(2) was given, which may be relative, may be another name of the file, and may be
//! that of a file which was replaced since.

use super::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};
use std::os::fd::AsRawFd;

/// A unix socket that is bound to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundSocket {
    /// Inode number of the socket, as in `socket:[4711]`.
    pub inode: u64,
    /// Whether it waits for connections, or is of a kind that needs no waiting (datagrams).
    pub listening: bool,
    /// Major and minor number of the filesystem that the file is on.
    pub device: (u32, u32),
    /// The lower 32 bits of the file's inode number: the kernel tells no more.
    pub file: u32,
}

/// `SOCK_DIAG_BY_FAMILY`, `NLMSG_ERROR` and `NLMSG_DONE` (`linux/sock_diag.h`, `linux/netlink.h`).
const BY_FAMILY: u16 = 20;
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;
/// `UDIAG_SHOW_VFS`: tell the file. Its attribute is `UNIX_DIAG_VFS` (`linux/unix_diag.h`).
const SHOW_FILE: u32 = 2;
const FILE: u16 = 1;
/// Lengths of `struct nlmsghdr` and `struct unix_diag_msg`.
const HEADER: usize = 16;
const MESSAGE: usize = 16;

/// All sockets of this network namespace that are bound to files.
///
/// # Errors
/// Those of socket(2), send(2) and recv(2); where the kernel has no `unix_diag`, ENOENT.
pub fn bound() -> Result<Vec<BoundSocket>, Errno> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Netlink, SockType::Datagram, flags, SockProtocol::NetlinkSockDiag)?;
    send(socket.as_raw_fd(), &request(), MsgFlags::empty())?;
    let mut buffer = vec![0; 64 << 10];
    let mut sockets = Vec::new();
    loop {
        // The answer is there when send(2) returns; it comes in parts.
        let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        if read(&buffer[..length], &mut sockets)? {
            return Ok(sockets);
        }
    }
}

/// `struct nlmsghdr` and `struct unix_diag_req`: every state, and the file of each.
fn request() -> Vec<u8> {
    const LENGTH: u32 = 16 + 24;
    let mut request = Vec::new();
    request.extend(LENGTH.to_ne_bytes());
    request.extend(BY_FAMILY.to_ne_bytes());
    request.extend(DUMP.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([u8::try_from(libc::AF_UNIX).unwrap_or_default(), 0, 0, 0]);
    request.extend(u32::MAX.to_ne_bytes());
    request.extend([0; 4]);
    request.extend(SHOW_FILE.to_ne_bytes());
    request.extend([0; 8]);
    request
}

/// Reads the messages of one part; true where it is the last.
fn read(mut part: &[u8], sockets: &mut Vec<BoundSocket>) -> Result<bool, Errno> {
    while let (Some(length), Some(kind)) = (number(part, 0), half(part, 4)) {
        let length = usize::try_from(length).unwrap_or(0);
        match (kind, part.get(HEADER..length)) {
            (DONE, _) => return Ok(true),
            (ERROR, Some(body)) => {
                let code = number(body, 0).map_or(libc::EPROTO, |code| code.cast_signed().wrapping_neg());
                return Err(Errno::from_raw(code));
            }
            (_, None) => return Err(Errno::EPROTO),
            (_, Some(body)) => sockets.extend(socket_of(body)),
        }
        part = part.get(aligned(length)..).unwrap_or_default();
    }
    Ok(false)
}

/// `struct unix_diag_msg` (family, type, state, padding, inode, cookie) and its attributes; none without a file.
fn socket_of(body: &[u8]) -> Option<BoundSocket> {
    /// `TCP_LISTEN`, also of unix sockets.
    const LISTENING: u8 = 10;
    let (kind, state) = (*body.get(1)?, *body.get(2)?);
    let inode = number(body, 4)?;
    let mut attributes = body.get(MESSAGE..)?;
    while let (Some(length), Some(name)) = (half(attributes, 0), half(attributes, 2)) {
        if name == FILE {
            let (file, device) = (number(attributes, 4)?, number(attributes, 8)?);
            let is_datagram = i32::from(kind) == libc::SOCK_DGRAM;
            // The kernel's own `dev_t`: 12 bits of major and 20 of minor number (`linux/kdev_t.h`).
            let device = (device >> 20, device & 0xf_ffff);
            return Some(BoundSocket {
                inode: inode.into(),
                listening: state == LISTENING || is_datagram,
                device,
                file,
            });
        }
        attributes = attributes.get(aligned(usize::from(length).max(4))..)?;
    }
    None
}

/// Messages and attributes begin at multiples of four.
fn aligned(length: usize) -> usize {
    length.max(1).next_multiple_of(4)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test of what is below the door")]
    fn a_socket_is_found_by_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let file = std::fs::symlink_metadata(&path).unwrap().ino();
        let found = bound().unwrap();
        assert!(found.iter().any(|socket| u64::from(socket.file) == file && socket.listening), "{found:?}");
    }

    #[test]
    fn an_answer_that_is_cut_anywhere_is_read_without_panic() {
        let mut answer = Vec::new();
        for (bytes, part) in [(40_u32, BY_FAMILY), (16, DONE)].map(|(length, kind)| (length, kind)) {
            answer.extend(bytes.to_ne_bytes());
            answer.extend(part.to_ne_bytes());
            answer.resize(answer.len() + usize::try_from(bytes).unwrap() - 6, 1);
        }
        for end in 0..answer.len() {
            let _ = read(&answer[..end], &mut Vec::new());
        }
    }
}
