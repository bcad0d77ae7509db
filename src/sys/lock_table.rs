//! The kernel's list of file locks, `proc_locks(5)`, as lines and as what is known of their holders.
//!
//! A lock is gone as soon as its holder lets go, which may be before the command that met it has ended. So the watch reads the list when the
//! command speaks of a lock.

use super::file;
use super::procfs::Process;
use serde::{Deserialize, Serialize};
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Instant;

/// The call that made a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockKind {
    /// `flock(2)`.
    Flock,
    /// `fcntl(2)` `F_SETLK`, of a process.
    Posix,
    /// `fcntl(2)` `F_OFD_SETLK`, of an open file description.
    OpenFile,
    /// `fcntl(2)` `F_SETLEASE`.
    Lease,
}

impl LockKind {
    /// As `proc_locks(5)` writes it.
    fn of(word: &str) -> Option<Self> {
        match word {
            "FLOCK" => Some(Self::Flock),
            "POSIX" => Some(Self::Posix),
            "OFDLCK" => Some(Self::OpenFile),
            "LEASE" => Some(Self::Lease),
            _ => None,
        }
    }
}

/// One line: `1: POSIX  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`. With an arrow after the number it is a request that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The call.
    pub kind: LockKind,
    /// Whether it shuts out readers too.
    pub exclusive: bool,
    /// Who took it; −1 for a lock of an open file description. The process may have ended and left the lock to a child.
    pub pid: i64,
    /// Major and minor number of the filesystem's own device, and the inode number.
    pub file: (u32, u32, u64),
}

/// Reads a line; none for a request that waits.
#[must_use]
pub fn line(text: &str) -> Option<Line> {
    let mut fields = text.split_ascii_whitespace().skip(1);
    let kind = LockKind::of(fields.next()?)?;
    let exclusive = fields.nth(1)? == "WRITE";
    let pid = fields.next()?.parse().ok()?;
    let mut file = fields.next()?.split(':');
    let mut device = || u32::from_str_radix(file.next()?, 16).ok();
    let (major, minor) = (device()?, device()?);
    Some(Line { kind, exclusive, pid, file: (major, minor, file.next()?.parse().ok()?) })
}

/// A lock that somebody held at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLock {
    /// The file, as its holder calls it.
    #[serde(with = "crate::text::path")]
    pub path: PathBuf,
    /// Inode number of the file.
    pub inode: u64,
    /// Who held it.
    pub pid: u32,
    /// Its name (`comm`, at most 15 bytes).
    pub command: String,
    /// The call that made it.
    pub kind: LockKind,
}

/// Locks that are kept of one look.
const KEPT: usize = 64;
/// Locks that are looked at whatever the time: on a busy machine it may be over before the first.
const ALWAYS: usize = 16;

/// The locks whose holder can be seen, until the deadline; shared ones shut out nobody who only reads and are left out.
#[must_use]
pub fn look(deadline: Instant) -> Vec<HeldLock> {
    let Ok(table) = file::read("/proc/locks") else { return Vec::new() };
    let table = String::from_utf8_lossy(&table);
    let exclusive = table.lines().filter_map(line).filter(|line| line.exclusive);
    let in_time = exclusive.enumerate().take_while(|(index, _)| *index < ALWAYS || Instant::now() < deadline);
    in_time.filter_map(|(_, line)| held(&line)).take(KEPT).collect()
}

fn held(line: &Line) -> Option<HeldLock> {
    let pid = u32::try_from(line.pid).ok().filter(|pid| *pid > 0)?;
    let process = Process::open(pid).ok()?;
    let mut found = None;
    let _ended = process.descriptors(|number, link| {
        let is_it = || {
            let name = CString::new(format!("fd/{number}")).ok()?;
            process.open_file(&name).ok().filter(|file| file.inode == line.file.2)
        };
        if found.is_none() && link.starts_with(b"/") && is_it().is_some() {
            found = Some(PathBuf::from(OsString::from_vec(link)));
        }
    });
    let command = file::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command).trim().to_owned();
    Some(HeldLock { path: found?, inode: line.file.2, pid, command, kind: line.kind })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_line_of_the_kernel_s_list_is_read() {
        let read = line("12: POSIX  ADVISORY  WRITE 4711 fe:00:1234 0 EOF").unwrap();
        assert_eq!(read, Line { kind: LockKind::Posix, exclusive: true, pid: 4711, file: (254, 0, 1234) });
        assert_eq!(line("3: OFDLCK ADVISORY  READ -1 00:1b:9 0 EOF").unwrap().pid, -1);
    }

    #[test]
    fn a_request_that_waits_is_no_lock() {
        assert_eq!(line("12: -> POSIX  ADVISORY  WRITE 4711 fe:00:1234 0 EOF"), None);
    }

    #[test]
    fn a_lock_of_this_process_is_seen_with_its_path() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().lock().unwrap();
        let path = file.path().canonicalize().unwrap();
        let seen = look(Instant::now() + Duration::from_secs(5));
        let own = seen.iter().find(|lock| lock.path == path).unwrap();
        assert_eq!((own.pid, own.kind), (std::process::id(), LockKind::Flock));
    }
}
