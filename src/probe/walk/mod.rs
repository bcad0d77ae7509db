//! What a system call on a path would meet, step by step as the kernel resolves it (`path_resolution(7)`), for the rights of the
//! process that failed: the first component that refuses, and why. A randomised test compares it with the real calls.

mod access;
mod last;
mod obstacle;
mod steps;
mod who;

pub use access::{Access, Class, Refusal};
pub use obstacle::{Link, Obstacle, Why};
pub use who::{OVERFLOW, Who};

use crate::clue::Operation;
use crate::machine::{Answer, Machine, Stat, Unknown};
use std::path::{Path, PathBuf};

/// Links to files of others in sticky directories are not followed, `proc_sys_fs(5)`.
pub const PROTECTED_SYMLINKS: &str = "fs/protected_symlinks";
/// No hard links to files of others that the user may not read and write.
pub const PROTECTED_HARDLINKS: &str = "fs/protected_hardlinks";
/// Files of others in sticky directories are not opened with `O_CREAT`.
pub const PROTECTED_REGULAR: &str = "fs/protected_regular";
/// FIFOs of others in sticky directories are not opened with `O_CREAT`.
pub const PROTECTED_FIFOS: &str = "fs/protected_fifos";

/// Bytes of a path that the kernel takes, `PATH_MAX` without the final NUL.
pub const LONGEST_PATH: usize = 4095;

/// What was tried.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// What.
    pub operation: Operation,
    /// On which path; a relative one from the child's working directory.
    pub path: &'a Path,
    /// The new name of a rename or hard link.
    pub other: Option<&'a Path>,
}

/// How far it came.
#[derive(Clone, Debug)]
pub struct Walked {
    /// The deepest place that was reached, absolute and without links.
    pub at: PathBuf,
    /// The file that the path names, where it exists and was reached.
    pub stat: Option<Stat>,
    /// The links that were followed.
    pub links: Vec<Link>,
    /// What refuses; none where the operation would be done.
    pub obstacle: Option<Obstacle>,
}

/// Walks with the rights of the child.
///
/// # Errors
/// A component that cannot be looked at, or lies where the text of links does not lead (`/proc/PID/fd`).
pub fn walk(machine: &Machine, attempt: Attempt) -> Answer<Walked> {
    walk_as(machine, &Who::of_child(machine), attempt)
}

/// Walks with the rights of somebody else; the components are looked at with our own.
///
/// # Errors
/// As [`walk`].
pub fn walk_as(machine: &Machine, who: &Who, attempt: Attempt) -> Answer<Walked> {
    let follow = last::follows(attempt.operation);
    let mut steps = steps::Steps::new(machine, who, follow);
    if last::makes(attempt.operation) {
        steps = steps.that_makes();
    }
    let mut walked = Walked { at: PathBuf::from("/"), stat: None, links: Vec::new(), obstacle: None };
    let met = steps.go(attempt.path).and_then(|reached| {
        walked.at.clone_from(&reached.at);
        walked.stat.clone_from(&reached.stat);
        last::Last { machine, who, attempt }.judge(&reached)
    });
    walked.links = std::mem::take(&mut steps.links);
    match met {
        Ok(()) => {}
        Err(Stop::Met(obstacle)) => {
            if walked.stat.is_none() {
                walked.at.clone_from(&steps.directory);
            }
            walked.obstacle = Some(*obstacle);
        }
        Err(Stop::Unknown(unknown)) => return Err(unknown),
    }
    Ok(walked)
}

/// Why a walk ends early.
enum Stop {
    Met(Box<Obstacle>),
    Unknown(Unknown),
}

impl Stop {
    fn at(at: &Path, why: Why) -> Self {
        Self::Met(Box::new(Obstacle { at: at.to_owned(), why }))
    }
}

/// Where the last component lies and what it is.
struct Reached {
    /// The directory that has it.
    directory: PathBuf,
    directory_stat: Stat,
    /// Its own place.
    at: PathBuf,
    /// What it is; none where it is missing.
    stat: Option<Stat>,
    /// The link whose target it is, where the last component of the path is one.
    through: Option<Link>,
    /// Whether the path ends in `.`, `..` or is `/`, so that it names no entry.
    is_itself: bool,
}
