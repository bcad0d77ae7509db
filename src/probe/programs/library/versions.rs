//! Symbol versions that a program needs and a library lacks, `DT_VERNEED` and `DT_VERDEF` of the LSB's symbol versioning.

use crate::machine::{Elf, Versions};
use std::path::{Path, PathBuf};

/// A symbol version that a library lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooOld {
    /// The version, such as `GLIBC_2.38`.
    pub version: String,
    /// The library as it was found.
    pub library: PathBuf,
    /// The newest version of the same family that it has, such as `GLIBC_2.36`.
    pub newest: Option<String>,
    /// The program or library that needs it.
    pub by: PathBuf,
}

/// The versions that objects need and the libraries they load lack.
pub fn lacking(loaded: &[(PathBuf, Elf)]) -> Vec<TooOld> {
    let library = |name: &str| {
        let is_called = |(path, elf): &&(PathBuf, Elf)| {
            elf.soname.as_deref() == Some(name) || path.file_name().is_some_and(|file| file == name)
        };
        loaded.iter().skip(1).find(is_called)
    };
    let of = |by: &PathBuf, needs: &Versions| {
        let (path, elf) = library(&needs.library)?;
        let names = needs.names.iter();
        Some(names.filter_map(|version| too_old(elf, path, version, by)).collect::<Vec<_>>())
    };
    let wants = loaded.iter().flat_map(|(by, elf)| elf.needs.iter().filter_map(move |needs| of(by, needs)));
    wants.flatten().collect()
}

/// Whether a library lacks a version. One without any versions is taken, as the loader does with a warning.
#[must_use]
pub fn too_old(library: &Elf, path: &Path, version: &str, by: &Path) -> Option<TooOld> {
    if library.damage.is_some() || library.defines.is_empty() || library.defines.iter().any(|name| name == version) {
        return None;
    }
    let family = version.split_once('_').map_or(version, |(family, _)| family);
    let newest =
        library.defines.iter().filter_map(|name| Some((numbers(name.strip_prefix(family)?.strip_prefix('_')?)?, name)));
    let newest = newest.max().map(|(_, name)| name.clone());
    Some(TooOld { version: version.to_owned(), library: path.to_owned(), newest, by: by.to_owned() })
}

/// `2.34` as numbers; none for names such as `PRIVATE`.
fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(defines: &[&str]) -> Elf {
        Elf { defines: defines.iter().map(|name| (*name).to_owned()).collect(), ..Elf::default() }
    }

    #[test]
    fn the_newest_version_is_the_highest_number_of_the_family() {
        let libc = library(&["libc.so.6", "GLIBC_2.2.5", "GLIBC_2.36", "GLIBC_2.9", "GLIBC_PRIVATE"]);
        let lack = too_old(&libc, Path::new("/lib/libc.so.6"), "GLIBC_2.38", Path::new("/t/tool")).unwrap();
        assert_eq!(lack.newest.as_deref(), Some("GLIBC_2.36"));
        assert_eq!(too_old(&libc, Path::new("/l"), "GLIBC_2.9", Path::new("/t")), None);
    }

    #[test]
    fn a_library_without_versions_lacks_none() {
        assert_eq!(too_old(&library(&[]), Path::new("/l"), "V_1", Path::new("/t")), None);
    }
}
