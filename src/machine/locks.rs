//! Who holds a lock on a file: the kernel's list of locks, `proc_locks(5)`, and the descriptors that carry them.

use super::{Answer, Coverage, Machine, Program, Use, files};
use serde::{Deserialize, Serialize};
use std::path::Path;

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

/// A process that holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Who.
    pub program: Program,
    /// What kind of lock.
    pub kind: LockKind,
    /// Whether it shuts out readers too.
    pub exclusive: bool,
}

/// The locks on one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locks {
    /// Those whose process is known.
    pub holders: Vec<LockHolder>,
    /// Locks whose process is not seen: in another PID namespace, of another user, or on another machine.
    pub unseen: u64,
    /// How far the processes were seen.
    pub coverage: Coverage,
}

impl Locks {
    /// Whether there is none at all.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.holders.is_empty() && self.unseen == 0
    }
}

/// One line: `1: POSIX  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`. With an arrow after the number it is a request that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    kind: LockKind,
    exclusive: bool,
    pid: i64,
    /// Major and minor number of the filesystem's own device, and the inode number.
    file: (u32, u32, u64),
}

fn line(text: &str) -> Option<Line> {
    let mut fields = text.split_ascii_whitespace().skip(1);
    let kind = LockKind::of(fields.next()?)?;
    let exclusive = fields.nth(1)? == "WRITE";
    let pid = fields.next()?.parse().ok()?;
    let mut file = fields.next()?.split(':');
    let mut device = || u32::from_str_radix(file.next()?, 16).ok();
    let (major, minor) = (device()?, device()?);
    Some(Line { kind, exclusive, pid, file: (major, minor, file.next()?.parse().ok()?) })
}

impl Machine {
    /// Who holds a lock on a file, which must be absolute and without links.
    ///
    /// # Errors
    /// Those of `lstat(2)`, and of reading `/proc/locks`.
    pub fn locks_on(&self, path: &Path) -> Answer<Locks> {
        let found = self.stat(path)?;
        let users = self.users_of(path)?;
        // btrfs and overlayfs have other device numbers in stat(2) than in the list.
        let mut devices = vec![(libc::major(found.device), libc::minor(found.device))];
        devices.extend(self.mounts().holding(path).map(|mount| mount.device));
        let is_there = |line: &Line| devices.iter().any(|(major, minor)| line.file == (*major, *minor, found.inode));
        self.ask_slowly(&format!("locks {}", path.display()), || {
            let table = files::read(Path::new("/proc/locks"))?;
            let table: Vec<Line> = table.lossy().lines().filter_map(line).filter(is_there).collect();
            let mut locks = Locks { holders: Vec::new(), unseen: 0, coverage: users.coverage };
            for user in &users.processes {
                let of_descriptors = user.uses.iter().filter_map(|usage| descriptor_locks(user.program.pid, usage));
                locks.add(&user.program, of_descriptors.flatten());
            }
            self.add_by_number(&mut locks, &table);
            Ok(locks)
        })
    }

    /// Locks that no descriptor showed, by the process that took them: it may have ended and left the lock to a child.
    fn add_by_number(&self, locks: &mut Locks, table: &[Line]) {
        let seen = locks.holders.len();
        for lock in table.iter().skip(if seen > 0 { table.len() } else { 0 }) {
            let program = u32::try_from(lock.pid).ok().filter(|pid| *pid > 0).and_then(|pid| self.program(pid).ok());
            match program {
                Some(program) => locks.add(&program, std::iter::once(lock.clone())),
                None => locks.unseen += 1,
            }
        }
    }
}

impl Locks {
    fn add(&mut self, program: &Program, lines: impl Iterator<Item = Line>) {
        for Line { kind, exclusive, .. } in lines {
            let holder = LockHolder { program: program.clone(), kind, exclusive };
            if !self.holders.contains(&holder) {
                self.holders.push(holder);
            }
        }
    }
}

/// The locks that a descriptor carries, `proc_pid_fdinfo(5)`.
fn descriptor_locks(pid: u32, usage: &Use) -> Option<Vec<Line>> {
    let Use::Open(descriptor) = usage else { return None };
    let info = files::read(Path::new(&format!("/proc/{pid}/fdinfo/{descriptor}"))).ok()?;
    let text = info.lossy();
    Some(text.lines().filter_map(|text| line(text.strip_prefix("lock:")?)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
