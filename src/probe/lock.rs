//! Whether a lock is held, and by whom; or left behind by a process that is gone.
//!
//! There are two kinds of lock files. Of the first the kernel knows: flock(2) and fcntl(2) locks end with their process, and the
//! file means nothing. Of the second the file itself is the lock (git's `index.lock`, pacman's `db.lck`, pid files):
//! it outlives a process that is killed.

use super::holders::{is_open_for_writing, named, unseen};
use super::lock_names::{Ground, LockName};
use crate::machine::{Answer, Coverage, Kind, LockKind, Machine, Program, Stat, Use, User};
use std::path::{Path, PathBuf};

/// What a lock file is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockState {
    /// A living process has it; `how` says what shows that: `it holds a flock on it`.
    Held {
        /// Who; the first one where there are several.
        by: Program,
        /// What shows it, as a clause whose subject is the process.
        how: String,
    },
    /// The kernel has a lock on it whose process cannot be seen from here.
    HeldUnseen,
    /// It exists, and nobody can have it; the clauses say why.
    Stale(Vec<String>),
    /// It is there and does not lock anything now, or it is not there.
    Free,
    /// It cannot be told, and why.
    Unknown(String),
}

/// A file in which a number is the process that has the lock is never longer.
const PID_FILE: u64 = 4096;

/// What a lock file is, which must be absolute and without links in its directories. `told` is a process that the message names.
#[must_use]
pub fn lock_state(machine: &Machine, path: &Path, told: Option<&Written>) -> LockState {
    let found = match machine.stat(path) {
        Ok(found) => found,
        Err(unknown) if unknown.is_missing() => return LockState::Free,
        Err(unknown) => return LockState::Unknown(unknown.to_string()),
    };
    match known_by_kernel(machine, path, &found) {
        Ok(Some(held)) => return held,
        Ok(None) => {}
        Err(unknown) => return LockState::Unknown(unknown.to_string()),
    }
    let lock = Lock { machine, path, found: &found };
    if let Some(written) = lock.written_pid() {
        return lock.by_pid(&written);
    }
    match told {
        Some(told) => lock.by_message(told),
        None => lock.by_being_there(),
    }
}

/// Locks of the kernel, and sockets that are bound.
fn known_by_kernel(machine: &Machine, path: &Path, found: &Stat) -> Answer<Option<LockState>> {
    if found.kind == Kind::Socket {
        let bound = machine.bound_socket(path)?;
        let by = bound.and_then(|bound| bound.holders.into_iter().next());
        return Ok(by.map(|by| LockState::Held { by, how: "it listens there".into() }));
    }
    if found.kind != Kind::Regular {
        return Ok(None);
    }
    let locks = machine.locks_on(path)?;
    let held = locks.holders.into_iter().next().map(|holder| LockState::Held {
        by: holder.program,
        how: format!("it holds {} on it", lock_name(holder.kind)),
    });
    Ok(held.or((locks.unseen > 0).then_some(LockState::HeldUnseen)))
}

fn lock_name(kind: LockKind) -> &'static str {
    match kind {
        LockKind::Flock => "a flock(2) lock",
        LockKind::Posix | LockKind::OpenFile => "an fcntl(2) lock",
        LockKind::Lease => "a lease",
    }
}

struct Lock<'a> {
    machine: &'a Machine,
    path: &'a Path,
    found: &'a Stat,
}

/// A process that a lock file or a message names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its number.
    pub pid: u32,
    /// Where it runs; this machine where nothing is said.
    pub host: Option<String>,
}

impl Lock<'_> {
    /// The process that the file names: the first number of a short file, a link such as `host:pid` or `host-pid`, or what is in a
    /// directory that is a lock.
    fn written_pid(&self) -> Option<Written> {
        match self.found.kind {
            Kind::Symlink => written_in_link(&self.machine.read_link(self.path).ok()?.to_string_lossy()),
            Kind::Regular if self.found.size <= PID_FILE => {
                let text = self.machine.read(self.path).ok()?;
                written_in_text(&text.lossy())
            }
            Kind::Directory => {
                let listing = self.machine.list(self.path).ok()?;
                listing.entries.iter().find_map(|entry| written_in_name(&entry.name.to_string_lossy()))
            }
            _ => None,
        }
    }

    fn by_pid(&self, written: &Written) -> LockState {
        if let Some(host) = written.host.as_ref().filter(|host| !self.is_this_host(host)) {
            return LockState::Unknown(format!("a process of another machine has it: {host}"));
        }
        let pid = written.pid;
        match self.machine.program(pid) {
            Ok(program) if self.is_older_than(&program) => {
                self.stale(format!("pid {pid}, which it names, is {} now, which was started after it", program.command))
            }
            Ok(by) => LockState::Held { by, how: "the lock file names it".into() },
            Err(unknown) if unknown.is_missing() => self.stale(format!("pid {pid}, which it names, does not live")),
            Err(unknown) => LockState::Unknown(unknown.to_string()),
        }
    }

    /// What a message tells of a lock that does not: a number without a host is one of a process that may have let go of it.
    fn by_message(&self, told: &Written) -> LockState {
        match self.machine.program(told.pid) {
            Ok(by) if told.host.as_ref().is_none_or(|host| self.is_this_host(host)) => {
                LockState::Held { by, how: "the message names it".into() }
            }
            Err(unknown) if unknown.is_missing() && told.host.as_ref().is_some_and(|host| self.is_this_host(host)) => {
                self.stale(format!("pid {}, which the message names, does not live", told.pid))
            }
            _ => self.by_being_there(),
        }
    }

    fn by_being_there(&self) -> LockState {
        let Some(name) = LockName::of(self.path) else { return LockState::Free };
        let users = match self.machine.users_of(self.path) {
            Ok(users) => users,
            Err(unknown) => return LockState::Unknown(unknown.to_string()),
        };
        let has_it = |user: &&User| user.program.is_one_of(name.makers) || self.writes(user);
        if let Some(user) = users.processes.iter().find(has_it) {
            return LockState::Held { by: user.program.clone(), how: "it has the file open".into() };
        }
        if let Some(reader) = users.processes.first() {
            return LockState::Unknown(format!("{} reads it, and may have it", named(&reader.program)));
        }
        match self.maker_at_work(name) {
            Some(by) if name.ground == Ground::Here => {
                return LockState::Held { by, how: "it works in that directory".into() };
            }
            Some(by) => return LockState::Unknown(format!("{} runs, and may have it", named(&by))),
            None => {}
        }
        if name.makers.is_empty() {
            return LockState::Unknown("it is not known which program makes this file".into());
        }
        match self.machine.closed_programs(name.makers) {
            Ok(closed) if closed.is_empty() => self.stale(self.no_maker(name)),
            Ok(closed) => LockState::Unknown(format!("{} may have it, whose files cannot be seen", named(&closed[0]))),
            Err(unknown) => LockState::Unknown(unknown.to_string()),
        }
    }

    fn no_maker(&self, name: &LockName) -> String {
        match name.ground {
            Ground::Here => format!("no {} works in {}", name.makers[0], self.ground().display()),
            Ground::Anywhere => format!("no {} runs", name.makers[0]),
        }
    }

    /// Whether a process has the file open for writing, as who made it does; an indexer or a backup reads.
    fn writes(&self, user: &User) -> bool {
        user.uses.iter().any(
            |usage| matches!(usage, Use::Open(number) if is_open_for_writing(self.machine, user.program.pid, *number)),
        )
    }

    /// A program that may have made it and has not closed its work, though it closed the file: git while an editor is open.
    fn maker_at_work(&self, name: &LockName) -> Option<Program> {
        let ground = match name.ground {
            Ground::Here => self.ground(),
            Ground::Anywhere => "/".into(),
        };
        let users = self.machine.users_of(&ground).ok()?;
        users.processes.into_iter().map(|user| user.program).find(|program| program.is_one_of(name.makers))
    }

    /// Where its makers work: the working tree of a repository, else the directory of the file.
    fn ground(&self) -> PathBuf {
        let is_kept = |above: &&Path| above.file_name().is_some_and(|name| name == ".git" || name == ".svn");
        let kept = self.path.ancestors().find(is_kept);
        kept.or(Some(self.path)).and_then(Path::parent).unwrap_or(self.path).to_owned()
    }

    /// Stale, unless there is something that cannot be seen from here.
    fn stale(&self, why: String) -> LockState {
        let coverage = match self.machine.users_of(self.path) {
            Ok(users) => users.coverage,
            Err(unknown) => return LockState::Unknown(unknown.to_string()),
        };
        if let Some(why) = self.elsewhere(&coverage) {
            return LockState::Unknown(why);
        }
        let nobody =
            if coverage.is_complete() { "no process has it open or locked" } else { "the kernel has no lock on it" };
        let before_boot = self.is_before_boot().then(|| "it was made before the machine was started".to_owned());
        LockState::Stale([Some(why), Some(nobody.to_owned()), before_boot].into_iter().flatten().collect())
    }

    /// Why somebody may hold it whom this machine does not show.
    fn elsewhere(&self, coverage: &Coverage) -> Option<String> {
        let mount = self.machine.mounts().holding(self.path);
        if mount.is_some_and(crate::sys::mounts::Mount::may_block) {
            return Some("a process of another machine may have it".into());
        }
        if coverage.hidden || coverage.cut {
            return unseen(coverage);
        }
        if coverage.nested && mount.is_some_and(|mount| mount.root != Path::new("/")) {
            return Some("a process outside of this container may have it".into());
        }
        None
    }

    /// Whether the process was started after the file was written, and so has the number of another one.
    fn is_older_than(&self, program: &Program) -> bool {
        const SLACK: i64 = 2;
        self.now().is_some_and(|now| now - i64::try_from(program.age).unwrap_or(i64::MAX) > self.found.modified + SLACK)
    }

    fn is_before_boot(&self) -> bool {
        self.boot().is_some_and(|boot| self.found.modified > 0 && self.found.modified < boot)
    }

    /// Seconds since the epoch, as the kernel counts them: the boot and the time since.
    fn now(&self) -> Option<i64> {
        let uptime = self.machine.read(Path::new("/proc/uptime")).ok()?;
        Some(self.boot()? + uptime.lossy().split('.').next()?.parse::<i64>().ok()?)
    }

    /// `btime` of `/proc/stat`.
    fn boot(&self) -> Option<i64> {
        let stat = self.machine.read(Path::new("/proc/stat")).ok()?;
        stat.lossy().lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
    }

    fn is_this_host(&self, host: &str) -> bool {
        let own = self.machine.read(Path::new("/proc/sys/kernel/hostname")).map(|name| name.lossy().trim().to_owned());
        own.is_ok_and(|own| own == host) || host == "localhost" || host.starts_with("127.")
    }
}

/// The first line of a pid file is a number, perhaps with a host behind it (`GnuPG`: `      1234\nhost`).
fn written_in_text(text: &str) -> Option<Written> {
    let mut words = text.split_ascii_whitespace();
    let pid = words.next()?.parse().ok().filter(|pid| *pid > 0)?;
    let host = text.lines().nth(1).filter(|_| text.starts_with(' ')).map(str::trim).filter(|host| !host.is_empty());
    Some(Written { pid, host: host.map(str::to_owned) })
}

/// `host:1234` (Mercurial), `host-1234` (Chromium), `127.0.0.1:+1234` (Firefox).
fn written_in_link(target: &str) -> Option<Written> {
    let digits = target.len() - target.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
    let (host, pid) = target.split_at(target.len() - digits);
    let host = host.trim_end_matches('+').strip_suffix([':', '-'])?;
    Some(Written { pid: pid.parse().ok()?, host: Some(host.to_owned()) })
}

/// `host@4711.1234-0` (Borg): host, network card, process and thread.
fn written_in_name(name: &str) -> Option<Written> {
    let (host, rest) = name.split_once('@')?;
    let (pid, thread) = rest.split_once('.')?.1.split_once('-')?;
    thread.parse::<u64>().ok()?;
    Some(Written { pid: pid.parse().ok().filter(|pid| *pid > 0)?, host: Some(host.to_owned()) })
}

/// How a report says who has it.
#[must_use]
pub fn held_in_words(by: &Program, how: &str) -> String {
    format!("{}, started {} ago, has it: {how}", named(by), super::holders::duration(by.age))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_from_a_file() {
        for (text, pid, host) in
            [("1234\n", 1234, None), ("       77\n", 77, None), ("      7\nbuilder\n", 7, Some("builder"))]
        {
            let written = written_in_text(text).unwrap();
            assert_eq!((written.pid, written.host.as_deref()), (pid, host), "{text:?}");
        }
        assert!(written_in_text("ref: refs/heads/main\n").is_none() && written_in_text("").is_none());
    }

    #[test]
    fn a_process_is_read_from_a_link() {
        for (target, host, pid) in
            [("box:12", "box", 12), ("my-box-345", "my-box", 345), ("127.0.1.1:+9", "127.0.1.1", 9)]
        {
            let written = written_in_link(target).unwrap();
            assert_eq!((written.host.as_deref(), written.pid), (Some(host), pid), "{target}");
        }
        assert!(written_in_link("../elsewhere").is_none());
    }

    #[test]
    fn a_process_is_read_from_what_is_in_a_directory() {
        let written = written_in_name("box.example@93124012345.1234-0").unwrap();
        assert_eq!((written.host.as_deref(), written.pid), (Some("box.example"), 1234));
        assert!(written_in_name("mail@host").is_none() && written_in_name("src.rs").is_none());
    }
}
