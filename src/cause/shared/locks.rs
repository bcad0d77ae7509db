//! What the causes about locks have in common: which message speaks of which lock file.

use crate::cause::{Case, Subject, Suspect};
use crate::clue::{Clue, Operation};
use crate::probe::lock::{LockState, lock_state};
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

/// The lock files that messages speak of. `id` is the cause that asks.
pub fn suspects(case: &Case, id: &str) -> Vec<Suspect> {
    let spoken = case.clues.iter().enumerate().filter(|(_, clue)| clue.suspects(id) || is_about_a_lock(clue));
    let named = spoken.filter_map(|(index, clue)| {
        let path = place(case, clue.path.as_deref()?);
        Some(Suspect { subject: Subject::Path(path), clue: Some(index), touched: true })
    });
    named.collect()
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
        Some(Errno::EAGAIN | Errno::EACCES | Errno::EBUSY) => clue.operation == Some(Operation::Lock),
        _ => false,
    }
}

/// Where a name of a message is; its last component is not followed, as a lock may be a link.
fn place(case: &Case, path: &Path) -> PathBuf {
    let absolute = case.surroundings().cwd.join(path);
    let (Some(above), Some(name)) = (absolute.parent(), absolute.file_name()) else { return absolute };
    case.resolve(above).map_or_else(|| absolute.clone(), |found| found.existing.join(found.missing).join(name))
}

/// What the lock file is now.
pub fn state(case: &Case, suspect: &Suspect) -> Option<LockState> {
    Some(lock_state(case.machine, suspect.subject.path()?, told_pid(case, suspect)))
}

/// The process that the message names.
fn told_pid(case: &Case, suspect: &Suspect) -> Option<u32> {
    case.clues[suspect.clue?].subject.as_ref()?.parse().ok()
}

/// Whether a rule knows the message as one about a lock.
pub fn is_plain(case: &Case, suspect: &Suspect, id: &str) -> bool {
    suspect
        .clue
        .is_some_and(|index| case.clues[index].suspects(id) && case.clues[index].operation == Some(Operation::Lock))
}
