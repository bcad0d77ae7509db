//! The libraries of a program, found as the loader finds them: ld.so(8) for glibc, `ldso/dynlink.c` for musl.

mod directories;
mod search;
mod versions;

use super::existing;
use crate::machine::{Elf, Executable, Machine};
pub use directories::configured;
use directories::places;
use search::Search;
use std::path::{Path, PathBuf};
pub use versions::{TooOld, too_old};

/// A library that is in no directory that is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Its name, as `DT_NEEDED` has it.
    pub library: String,
    /// The program or library that needs it.
    pub by: PathBuf,
    /// Directories that were searched, in order; the loader's cache is not among them.
    pub searched: Vec<PathBuf>,
    /// Files of that name in those directories that are for another machine.
    pub foreign: Vec<PathBuf>,
}

/// The libraries of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// Those that are not found.
    pub missing: Vec<Needed>,
    /// Versions that those found lack.
    pub too_old: Vec<TooOld>,
    /// Those that are found, with their facts: the program is the first.
    pub loaded: Vec<(PathBuf, Elf)>,
    /// Whether a place could not be looked at, so that what is missing may be there.
    pub is_unsure: bool,
}

/// Finds the libraries of a program and theirs, as its loader would.
#[must_use]
pub fn libraries(machine: &Machine, program: &Path, elf: &Elf) -> Resolution {
    Search::new(machine, program, elf, !is_secure(machine, program)).resolution()
}

/// Whether the program gets rights that its caller has not: the loader then takes no directories from the environment,
/// ld.so(8) "Secure-execution mode".
fn is_secure(machine: &Machine, program: &Path) -> bool {
    let is_root = machine.surroundings().identity.uid == 0;
    !is_root && machine.stat(program).is_ok_and(|found| found.mode & 0o6000 != 0)
}

/// Looks for a library as the loader does for a program of this machine that brings no directories of its own; none where it is
/// found or where that is not known.
#[must_use]
pub fn nowhere(machine: &Machine, library: &str) -> Option<Needed> {
    let native = crate::probe::programs::machines::native(machine)?;
    let loads = Elf {
        needed: vec![library.to_owned()],
        loader: crate::probe::programs::machines::loader_here(machine),
        ..native
    };
    let resolution = libraries(machine, Path::new("/"), &loads);
    // What the library itself needs is another matter.
    let missing = resolution.missing.into_iter().find(|missing| missing.library == library);
    missing.filter(|_| !resolution.is_unsure)
}

/// Files of a library's name outside of what was searched, with whether they are for the program's machine.
#[must_use]
pub fn copies(machine: &Machine, program: (&Path, &Elf), needed: &Needed) -> Vec<(PathBuf, bool)> {
    let places = places(machine, program.1, program.0);
    let mut copies: Vec<(PathBuf, bool)> = Vec::new();
    for file in places.iter().filter(|place| !needed.searched.contains(place)).map(|place| place.join(&needed.library))
    {
        let Some(file) = existing(machine, &file) else { continue };
        if copies.iter().any(|(known, _)| *known == file) {
            continue;
        }
        if let Ok(Executable::Elf(elf)) = machine.executable(&file) {
            copies.push((file, fits(program.1, &elf)));
        }
    }
    copies
}

fn fits(program: &Elf, library: &Elf) -> bool {
    (program.machine, program.bits, program.big_endian) == (library.machine, library.bits, library.big_endian)
}

/// The versions of a library that are there instead, where it is called `libssl.so.1.1`.
#[must_use]
pub fn other_versions(machine: &Machine, needed: &Needed) -> Vec<PathBuf> {
    let Some((stem, _)) = needed.library.split_once(".so.") else { return Vec::new() };
    let prefix = format!("{stem}.so.");
    let of = |directory: &PathBuf| {
        let names = machine.near_names(directory, &prefix).unwrap_or_default();
        let versions = names.into_iter().filter(|near| near.distance == 0 && near.name != needed.library);
        versions.map(|near| directory.join(near.name)).collect::<Vec<_>>()
    };
    needed.searched.iter().map(of).find(|found| !found.is_empty()).unwrap_or_default()
}
