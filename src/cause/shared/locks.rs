//! What the causes about locks have in common: which message speaks of which lock file.

use crate::cause::{Case, Mode, Subject, Suspect};
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::machine::{HeldLock, Kind, Stat};
use crate::probe::lock::{LockState, Written, lock_state};
use crate::sys::errno::Errno;
use crate::text::has_name;
use crate::watch::LockSample;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The lock files that messages speak of; where a message names none, those that the command's words name and others have locked. `id`
/// is the cause that asks.
pub fn suspects(case: &Case, id: &str) -> Vec<Suspect> {
    let spoken = case.clues.iter().enumerate().filter(|(_, clue)| clue.suspects(id) || is_about_a_lock(clue));
    let suspect = |path: PathBuf, index, touched| Suspect { subject: Subject::Path(path), clue: Some(index), touched };
    let of_clue = |(index, clue): (usize, &Clue)| match &clue.path {
        Some(path) => vec![suspect(place(case, path), index, true)],
        None => unnamed(case, clue).into_iter().map(|(path, touched)| suspect(path, index, touched)).collect(),
    };
    spoken.flat_map(of_clue).collect()
}

/// Files that a message about a lock without a name may mean: those that the command's words name; else, where it says that it is about a
/// lock, what others have locked below the working directory.
fn unnamed(case: &Case, clue: &Clue) -> Vec<(PathBuf, bool)> {
    let is_other_call = clue.operation.is_some_and(|operation| operation != Operation::Lock);
    if case.mode == Mode::Log || is_other_call {
        return Vec::new();
    }
    let named = files_of_command(case);
    if !named.is_empty() || !says_lock(clue) {
        return named.into_iter().map(|path| (path, true)).collect();
    }
    let below = case.machine.locked_below(&case.surroundings().cwd).unwrap_or_default();
    let below = below.into_iter().map(|path| PathBuf::from(OsString::from_vec(path.0)));
    let told = told(clue).map(|told| told.pid);
    let below: Vec<PathBuf> = below.filter(|path| told.is_none() || holder(case, path) == told).collect();
    let meant: Vec<PathBuf> = below.iter().filter(|path| is_spoken_of(case, clue, path)).cloned().collect();
    let is_about_them = || are_held_by_another(case, &below) || !clue.loose && speaks_of_a_file(clue);
    let is_any = meant.is_empty() && have_one_holder(case, &below) && is_about_them();
    let meant = if is_any { below } else { meant };
    meant.into_iter().map(|path| (path, false)).collect()
}

/// Whether the message, or a program text of the command line, has the name of a file: `cannot lock data: …`.
fn is_spoken_of(case: &Case, clue: &Clue, path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    has_name(&clue.line, name) || case.command.iter().skip(1).any(|word| has_name(&word.to_string_lossy(), name))
}

/// Whether a message speaks of what lies in a file: seats and orders are locked too, in a table somewhere.
fn speaks_of_a_file(clue: &Clue) -> bool {
    const FILES: &[&str] = &[
        "archive",
        "cache",
        "catalog",
        "database",
        "db",
        "directory",
        "environment",
        "file",
        "filelock",
        "files",
        "flock",
        "folder",
        "index",
        "journal",
        "keyring",
        "ledger",
        "lockfile",
        "repository",
        "sqlite",
        "state",
        "storage",
        "store",
        "workspace",
    ];
    let line = clue.line.to_lowercase();
    let mut words = line.split(|letter: char| !letter.is_ascii_alphabetic());
    words.any(|word| FILES.contains(&word)) || clue.errno.is_some()
}

/// Whether there is one file, or one process has all of them locked: of the locks of several, or of some that are not seen, nothing tells
/// which the message means.
fn have_one_holder(case: &Case, paths: &[PathBuf]) -> bool {
    let is_held_alike =
        |pair: &[PathBuf]| holder(case, &pair[0]).is_some_and(|first| holder(case, &pair[1]) == Some(first));
    paths.windows(2).all(is_held_alike)
}

/// Whether another run of the same program has files locked: words alone need not be about these.
fn are_held_by_another(case: &Case, paths: &[PathBuf]) -> bool {
    let name = command_line::launched(case.command).first().and_then(|program| Path::new(program).file_name());
    let is_same = |pid: u32| {
        case.machine
            .program(pid)
            .is_ok_and(|program| name.is_some_and(|name| program.is_one_of(&[&name.to_string_lossy()])))
    };
    paths.first().and_then(|path| holder(case, path)).is_some_and(is_same)
}

/// The process that has a file locked.
fn holder(case: &Case, path: &Path) -> Option<u32> {
    match lock_state(case.machine, path, None) {
        LockState::Held { by, .. } => Some(by.pid),
        _ => None,
    }
}

/// Programs that stand behind `timeout` or `sudo` are files too, and no locks.
fn files_of_command(case: &Case) -> Vec<PathBuf> {
    const EXECUTE: u32 = 0o111;
    let words = case.command.iter().skip(1).filter(|word| !word.as_encoded_bytes().starts_with(b"-"));
    let resolved = words.filter_map(|word| case.resolve(Path::new(word)));
    let there = resolved.filter(|found| found.missing.as_os_str().is_empty()).map(|found| found.existing);
    let is_plain = |stat: Stat| stat.kind == Kind::Regular && stat.mode & EXECUTE == 0;
    there.filter(|path| case.machine.stat(path).is_ok_and(is_plain)).collect()
}

/// Whether a message says that it is about a lock: EAGAIN has other reasons, and "blocking" and "clock" are other words.
fn says_lock(clue: &Clue) -> bool {
    let line = clue.line.to_lowercase();
    let mut words = line.split(|letter: char| !letter.is_ascii_alphabetic());
    clue.operation == Some(Operation::Lock)
        || words.any(|word| word.starts_with("lock") || matches!(word, "flock" | "lockfile" | "filelock"))
}

/// A call that takes a lock; a lock file that is there already; a socket that somebody is bound to.
fn is_about_a_lock(clue: &Clue) -> bool {
    let looks_like_a_lock = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        [".lock", "-lock", ".lck", ".pid", "lockfile"].iter().any(|end| name.ends_with(end)) || name == "lock"
    };
    match clue.errno {
        Some(Errno::EEXIST) => clue.path.as_deref().is_some_and(looks_like_a_lock),
        Some(Errno::EADDRINUSE) => clue.path.is_some(),
        // Without a call and a path it may be a lock, and only a lock that is there makes it one.
        Some(Errno::EAGAIN) => clue.operation.is_none_or(|operation| operation == Operation::Lock),
        Some(Errno::EACCES | Errno::EBUSY) => clue.operation == Some(Operation::Lock),
        _ => false,
    }
}

/// A name that begins in a directory which the command line names, where it is there and not below the working directory: postgres
/// works in its data directory.
fn among_named(case: &Case, path: &Path) -> Option<PathBuf> {
    let is_there = |path: &PathBuf| case.machine.stat(path).is_ok();
    let cwd = &case.surroundings().cwd;
    if path.is_absolute() || is_there(&cwd.join(path)) {
        return None;
    }
    command_line::paths_of(case.command).map(|directory| cwd.join(directory).join(path)).find(is_there)
}

/// Where a name of a message is; its last component is not followed, as a lock may be a link.
fn place(case: &Case, path: &Path) -> PathBuf {
    let absolute = among_named(case, path).unwrap_or_else(|| case.surroundings().cwd.join(path));
    let (Some(above), Some(name)) = (absolute.parent(), absolute.file_name()) else { return absolute };
    case.resolve(above).map_or_else(|| absolute.clone(), |found| found.existing.join(found.missing).join(name))
}

/// What the lock file is now.
pub fn state(case: &Case, suspect: &Suspect) -> Option<LockState> {
    let told = suspect.clue.and_then(|index| told(&case.clues[index]));
    Some(lock_state(case.machine, suspect.subject.path()?, told.as_ref()))
}

/// The lock that somebody held on the file when the command spoke of it; the file is known by its inode, which is its own as long as it
/// is there.
pub fn held_then<'a>(case: &Case<'a>, path: &Path) -> Option<(&'a LockSample, &'a HeldLock)> {
    let sample = case.watched.locks.as_ref()?;
    let inode = case.machine.stat(path).ok()?.inode;
    let lock = sample.held.iter().find(|lock| lock.inode == inode && lock.path.file_name() == path.file_name())?;
    Some((sample, lock))
}

/// The process that the message names: `PID 1234 on host`.
fn told(clue: &Clue) -> Option<Written> {
    let number = clue.subject.as_ref()?;
    let behind = clue.line.split_once(&format!("{number} on ")).map(|(_, behind)| behind);
    let host = behind.and_then(|behind| behind.split([' ', ',', ')']).next()).filter(|host| !host.is_empty());
    Some(Written { pid: number.parse().ok()?, host: host.map(str::to_owned) })
}

/// Whether a rule knows the message as one about a lock.
pub fn is_plain(case: &Case, suspect: &Suspect, id: &str) -> bool {
    suspect
        .clue
        .is_some_and(|index| case.clues[index].suspects(id) && case.clues[index].operation == Some(Operation::Lock))
}
