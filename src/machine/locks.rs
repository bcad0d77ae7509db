//! Who holds a lock on a file: the kernel's list of locks, `proc_locks(5)`, and the descriptors that carry them.

use super::{Answer, Coverage, Machine, Program, Use, files};
use crate::sys::lock_table::{Line, LockKind, line};
use crate::text::Bytes;
use serde::{Deserialize, Serialize};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

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

    /// Files below a directory on which others hold locks that shut out everybody else.
    ///
    /// # Errors
    /// Those of reading `/proc`.
    pub fn locked_below(&self, directory: &Path) -> Answer<Vec<Bytes>> {
        self.ask_slowly(&format!("locked below {}", directory.display()), || {
            let table = files::read(Path::new("/proc/locks"))?;
            let locked =
                table.lossy().lines().filter_map(line).filter(|line| line.exclusive).map(|line| line.file.2).collect();
            let files = self.open_below(directory, &locked)?;
            Ok(files.into_iter().map(|path| Bytes(path.into_os_string().into_vec())).collect())
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
