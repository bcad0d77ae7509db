//! Who listens where: ports and socket files, from the tables in `/proc/net` (`proc_pid_net(5)`), with the processes that hold them.

use super::{Answer, Machine, Program, files};
use crate::sys::unix_diag;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a socket on a port does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SocketState {
    /// It waits for connections; for UDP, it is bound.
    Listening,
    /// It is one end of a connection.
    Connected,
    /// The connection has ended and the port is kept for a minute, tcp(7).
    TimeWait,
}

/// A socket that has a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortSocket {
    /// `tcp`, `tcp6`, `udp`, `udp6`.
    pub protocol: String,
    /// The address that it is bound to, as a person writes it; `0.0.0.0` and `::` are all.
    pub address: String,
    /// What it does.
    pub state: SocketState,
    /// Who owns it.
    pub uid: u32,
    /// Inode of the socket; 0 where no process has it (`TimeWait`).
    pub inode: u64,
    /// The processes that have it, as far as they can be seen.
    pub holders: Vec<Program>,
}

/// A socket file, unix(7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundSocket {
    /// Whether it accepts connections (or is a datagram socket, which needs no listening).
    pub listening: bool,
    /// The processes that have it, as far as they can be seen.
    pub holders: Vec<Program>,
}

/// Sockets that are told of one port.
const TOLD: usize = 16;

impl Machine {
    /// The sockets that have a local port in this network namespace, listeners first.
    ///
    /// # Errors
    /// Where none of the tables can be read.
    pub fn port_sockets(&self, port: u16) -> Answer<Vec<PortSocket>> {
        self.ask_slowly(&format!("port {port}"), || {
            let tables = ["tcp", "tcp6", "udp", "udp6"].map(|protocol| (protocol, table(protocol)));
            if let [(_, Err(unknown)), (_, Err(_)), (_, Err(_)), (_, Err(_))] = tables {
                return Err(unknown);
            }
            let mut sockets: Vec<PortSocket> = tables
                .iter()
                .filter_map(|(protocol, table)| Some((protocol, table.as_ref().ok()?)))
                .flat_map(|(protocol, table)| table.lines().skip(1).filter_map(|line| socket(protocol, line, port)))
                .collect();
            sockets.sort_by_key(|socket| socket.state as u8);
            sockets.truncate(TOLD);
            for socket in &mut sockets {
                socket.holders = self.holders_of_socket(socket.inode);
            }
            Ok(sockets)
        })
    }

    /// The socket that is bound to a file in this network namespace, by whatever name; none where no socket is, whatever file lies there.
    ///
    /// # Errors
    /// Those of `lstat(2)`, and where the kernel's list cannot be read.
    pub fn bound_socket(&self, path: &Path) -> Answer<Option<BoundSocket>> {
        let file = self.stat(path)?;
        // btrfs and overlayfs have other device numbers in stat(2) than in the list.
        let mut devices = vec![(libc::major(file.device), libc::minor(file.device))];
        devices.extend(self.mounts().holding(path).map(|mount| mount.device));
        self.ask_slowly(&format!("socket {}", path.display()), || {
            let found = match unix_diag::bound() {
                Ok(sockets) => by_file(&sockets, &devices, file.inode),
                Err(_) => by_name(path)?,
            };
            Ok(found.map(|(listening, inode)| BoundSocket { listening, holders: self.holders_of_socket(inode) }))
        })
    }

    fn holders_of_socket(&self, inode: u64) -> Vec<Program> {
        if inode == 0 { Vec::new() } else { self.holders_of(&format!("socket:[{inode}]")).unwrap_or_default() }
    }
}

fn table(name: &str) -> Answer<String> {
    files::read(Path::new(&format!("/proc/self/net/{name}"))).map(|table| table.lossy().into_owned())
}

/// One line of `/proc/net/tcp`: number, local address and port, remote ones, state, queues, timer, retransmissions, uid, timeout, inode.
fn socket(protocol: &str, line: &str, port: u16) -> Option<PortSocket> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (address, local) = fields.get(1)?.split_once(':')?;
    if u16::from_str_radix(local, 16).ok()? != port {
        return None;
    }
    let state = match (protocol.starts_with("udp"), *fields.get(3)?) {
        (false, "0A") | (true, "07") => SocketState::Listening,
        (false, "06") => SocketState::TimeWait,
        _ => SocketState::Connected,
    };
    let (uid, inode) = (fields.get(7)?.parse().ok()?, fields.get(9)?.parse().ok()?);
    Some(PortSocket {
        protocol: protocol.to_owned(),
        address: readable(address)?,
        state,
        uid,
        inode,
        holders: Vec::new(),
    })
}

/// An address as the kernel prints it: words of 32 bits in the machine's own byte order.
fn readable(hex: &str) -> Option<String> {
    let words: Vec<[u8; 4]> = hex
        .as_bytes()
        .chunks(8)
        .map(|word| Some(u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?.to_ne_bytes()))
        .collect::<Option<_>>()?;
    match words.concat().as_slice() {
        [a, b, c, d] => Some(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string()),
        bytes => Some(std::net::Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string()),
    }
}

/// Whether it listens, and its inode number.
fn by_file(sockets: &[unix_diag::BoundSocket], devices: &[(u32, u32)], inode: u64) -> Option<(bool, u64)> {
    let is_it = |socket: &&unix_diag::BoundSocket| {
        u64::from(socket.file) == inode & u64::from(u32::MAX) && devices.contains(&socket.device)
    };
    sockets.iter().find(is_it).map(|socket| (socket.listening, socket.inode))
}

/// The same where the kernel tells names alone.
fn by_name(path: &Path) -> Answer<Option<(bool, u64)>> {
    let path = path.to_string_lossy();
    Ok(table("unix")?.lines().find_map(|line| bound(line, &path)))
}

/// One line of `/proc/net/unix`: address, references, protocol, flags, type, state, inode, path.
fn bound(line: &str, path: &str) -> Option<(bool, u64)> {
    /// `__SO_ACCEPTCON` of `include/linux/net.h`.
    const ACCEPTS: u32 = 1 << 16;
    const DATAGRAM: &str = "0002";
    let (fields, name) = line.split_at_checked(line.find('/')?)?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    if name != path {
        return None;
    }
    let flags = u32::from_str_radix(fields.get(3)?, 16).ok()?;
    Some((flags & ACCEPTS != 0 || *fields.get(4)? == DATAGRAM, fields.get(6)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Surroundings;
    use std::time::{Duration, Instant};

    fn machine() -> Machine {
        Machine::live(Surroundings::default(), Instant::now() + Duration::from_secs(10))
    }

    #[test]
    fn a_listener_is_found_with_its_address() {
        for (address, protocol) in [("127.0.0.1:0", "tcp"), ("[::1]:0", "tcp6")] {
            let Ok(listener) = std::net::TcpListener::bind(address) else { continue };
            let local = listener.local_addr().unwrap();
            let found = machine().port_sockets(local.port()).unwrap();
            let expected = (protocol, local.ip().to_string(), SocketState::Listening);
            assert!(
                found.iter().any(|socket| (socket.protocol.as_str(), socket.address.clone(), socket.state) == expected),
                "{found:?}"
            );
            assert_eq!(found[0].holders[0].pid, std::process::id());
        }
    }

    #[test]
    fn a_bound_udp_port_counts_as_taken() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let found = machine().port_sockets(socket.local_addr().unwrap().port()).unwrap();
        assert_eq!((found[0].protocol.as_str(), found[0].state), ("udp", SocketState::Listening));
    }

    #[test]
    fn a_socket_file_is_told_from_what_is_left_of_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap().join("s");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(machine().bound_socket(&path).unwrap().unwrap().listening);
        let other = path.with_file_name("other");
        std::fs::rename(&path, &other).unwrap();
        assert!(machine().bound_socket(&other).unwrap().unwrap().listening, "a name that bind(2) was not given");
        std::fs::rename(&other, &path).unwrap();
        drop(listener);
        assert!(path.exists());
        assert_eq!(machine().bound_socket(&path), Ok(None));
    }
}
