//! From a path as it was written to the place in the filesystem that it means.

use crate::machine::{Answer, Kind, Machine, Unknown};
use crate::sys::mounts::{Mount, Mounts};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// Links that the kernel follows before it answers ELOOP, `path_resolution(7)`.
const LINKS: usize = 40;

/// What a path means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The part that exists, absolute and without links.
    pub existing: PathBuf,
    /// What is missing behind it; empty when all of it exists.
    pub missing: PathBuf,
}

/// Follows a path as the kernel does, from the child's working directory. Mounts that may block are not entered.
///
/// # Errors
/// A component that cannot be looked at, too many links, or a mount that may block.
pub fn resolve(machine: &Machine, mounts: &Mounts, path: &Path) -> Answer<Resolved> {
    let mut todo: VecDeque<OsString> = components(&machine.surroundings().cwd.join(path));
    let mut existing = PathBuf::from("/");
    let mut links = 0;
    while let Some(name) = todo.pop_front() {
        if name == ".." {
            existing.pop();
            continue;
        }
        let next = existing.join(&name);
        if mounts.holding(&next).is_some_and(Mount::may_block) {
            return Ok(Resolved { existing: next.join(todo.iter().collect::<PathBuf>()), missing: PathBuf::new() });
        }
        match machine.stat(&next) {
            Ok(found) if found.kind == Kind::Symlink => {
                links += 1;
                if links > LINKS {
                    return Err(Unknown::Errno(crate::sys::errno::Errno::ELOOP));
                }
                let target = machine.read_link(&next)?;
                if target.is_absolute() {
                    existing = PathBuf::from("/");
                }
                let mut ahead = components(&target);
                ahead.append(&mut todo);
                todo = ahead;
            }
            Ok(_) => existing = next,
            Err(unknown) if unknown.is_missing() => {
                let missing = std::iter::once(name).chain(todo).collect();
                return Ok(Resolved { existing, missing });
            }
            Err(unknown) => return Err(unknown),
        }
    }
    Ok(Resolved { existing, missing: PathBuf::new() })
}

fn components(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .collect()
}
