//! The libraries of a program, found as the loader finds them: ld.so(8) for glibc, `ldso/dynlink.c` for musl.

use super::existing;
use crate::machine::{Elf, Executable, Machine, Unknown, Versions};
use crate::probe::path::resolve;
use std::cell::Cell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Objects that one program may have before the search is given up.
const OBJECTS: usize = 400;

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

/// Which loader it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loader {
    Glibc,
    Musl,
}

struct Object {
    path: PathBuf,
    elf: Elf,
    /// Whose need loaded it: an index.
    parent: Option<usize>,
}

/// The directory names that Debian puts between `lib` and a library (multiarch), by machine and class.
fn triplet(elf: &Elf) -> Option<&'static str> {
    Some(match (elf.machine, elf.bits) {
        (62, 64) => "x86_64-linux-gnu",
        (62, _) => "x86_64-linux-gnux32",
        (3, _) => "i386-linux-gnu",
        (183, _) => "aarch64-linux-gnu",
        (40, _) => "arm-linux-gnueabihf",
        (243, 64) => "riscv64-linux-gnu",
        (21, _) => "powerpc64le-linux-gnu",
        (22, _) => "s390x-linux-gnu",
        _ => return None,
    })
}

/// The directories that are searched for every program of this kind, ld.so(8).
fn default_directories(machine: &Machine, elf: &Elf) -> Vec<PathBuf> {
    let multiarch = triplet(elf).map(|triplet| Path::new("/usr/lib").join(triplet));
    let of = |names: &[&str]| names.iter().map(PathBuf::from).collect();
    match multiarch.filter(|directory| existing(machine, directory).is_some()) {
        Some(directory) => {
            vec![Path::new("/lib").join(triplet(elf).unwrap_or_default()), directory, "/lib".into(), "/usr/lib".into()]
        }
        None if elf.bits == 64 => of(&["/lib64", "/usr/lib64", "/lib", "/usr/lib"]),
        None => of(&["/lib", "/usr/lib"]),
    }
}

/// Every directory that libraries of this kind are kept in, also those that are not searched.
fn places(machine: &Machine, elf: &Elf, program: &Path) -> Vec<PathBuf> {
    let mut places = default_directories(machine, elf);
    places.extend(configured(machine));
    places.extend(["/usr/local/lib", "/usr/local/lib64", "/usr/lib64", "/opt/lib"].map(PathBuf::from));
    if let Some(directory) = program.parent() {
        places.extend(["", "lib", "../lib", "../lib64", "libs"].map(|below| directory.join(below)));
    }
    places
}

/// The directories of `/etc/ld.so.conf` and what it includes, which `ldconfig` reads (ldconfig(8)) and the loader does not.
#[must_use]
pub fn configured(machine: &Machine) -> Vec<PathBuf> {
    let read = |file: &Path| machine.read(file).map(|text| text.lossy().into_owned()).unwrap_or_default();
    let mut text = read(Path::new("/etc/ld.so.conf"));
    let included = Path::new("/etc/ld.so.conf.d");
    for entry in machine.list(included).unwrap_or_default().entries {
        if entry.name.extension().is_some_and(|extension| extension == "conf") {
            text += &read(&included.join(entry.name));
            text.push('\n');
        }
    }
    text.lines().map(str::trim).filter(|line| line.starts_with('/')).map(PathBuf::from).collect()
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

/// Finds the libraries of a program and theirs, as its loader would.
#[must_use]
pub fn libraries(machine: &Machine, program: &Path, elf: &Elf) -> Resolution {
    let is_musl = elf.loader.as_deref().is_some_and(|loader| loader.contains("ld-musl"));
    let mut search = Search {
        machine,
        loader: if is_musl { Loader::Musl } else { Loader::Glibc },
        library_path: if is_secure(machine, program) { Vec::new() } else { library_path(machine) },
        defaults: Vec::new(),
        objects: vec![Object { path: program.to_owned(), elf: elf.clone(), parent: None }],
        missing: Vec::new(),
        is_unsure: Cell::new(false),
    };
    search.defaults = search.defaults();
    search.run();
    let loaded: Vec<(PathBuf, Elf)> = search.objects.into_iter().map(|object| (object.path, object.elf)).collect();
    let too_old = if is_musl { Vec::new() } else { lacking(&loaded) };
    Resolution { missing: search.missing, too_old, loaded, is_unsure: search.is_unsure.get() }
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
    let native = super::machines::native(machine)?;
    let loads = Elf { needed: vec![library.to_owned()], loader: super::machines::loader_here(machine), ..native };
    let resolution = libraries(machine, Path::new("/"), &loads);
    // What the library itself needs is another matter.
    let missing = resolution.missing.into_iter().find(|missing| missing.library == library);
    missing.filter(|_| !resolution.is_unsure)
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

fn library_path(machine: &Machine) -> Vec<PathBuf> {
    let value = machine.surroundings().var("LD_LIBRARY_PATH").unwrap_or_default();
    let cwd = &machine.surroundings().cwd;
    let elements = value.as_encoded_bytes().split(|byte| matches!(byte, b':' | b';'));
    // An empty element is the working directory, ld.so(8).
    let is_set = !value.is_empty();
    elements.filter(|_| is_set).map(|element| cwd.join(String::from_utf8_lossy(element).as_ref())).collect()
}

struct Search<'a> {
    machine: &'a Machine,
    loader: Loader,
    library_path: Vec<PathBuf>,
    defaults: Vec<PathBuf>,
    objects: Vec<Object>,
    missing: Vec<Needed>,
    is_unsure: Cell<bool>,
}

enum Place {
    Found(PathBuf, Box<Elf>),
    Nowhere(Needed),
}

impl Search<'_> {
    fn program(&self) -> &Elf {
        &self.objects[0].elf
    }

    fn defaults(&self) -> Vec<PathBuf> {
        match self.loader {
            Loader::Glibc => default_directories(self.machine, self.program()),
            Loader::Musl => self.musl_directories(),
        }
    }

    /// The file beside the loader that lists them, `/etc/ld-musl-ARCH.path`, or what is built in.
    fn musl_directories(&self) -> Vec<PathBuf> {
        let name = self.program().loader.as_deref().and_then(|loader| loader.rsplit('/').next()).unwrap_or_default();
        let file = Path::new("/etc").join(name.replace(".so.1", ".path"));
        let listed = self.machine.read(&file).map(|text| text.lossy().into_owned());
        let listed = listed.unwrap_or_else(|_| "/lib:/usr/local/lib:/usr/lib".into());
        listed.split([':', '\n']).map(str::trim).filter(|place| !place.is_empty()).map(PathBuf::from).collect()
    }

    fn run(&mut self) {
        let mut todo: VecDeque<usize> = [0].into();
        while let Some(index) = todo.pop_front() {
            for name in self.objects[index].elf.needed.clone() {
                if self.is_there(&name) || self.objects.len() >= OBJECTS {
                    continue;
                }
                match self.find(&name, index) {
                    Place::Found(path, elf) => {
                        todo.push_back(self.objects.len());
                        self.objects.push(Object { path, elf: *elf, parent: Some(index) });
                    }
                    Place::Nowhere(needed) => self.missing.push(needed),
                }
            }
        }
    }

    /// Whether an object of that name is loaded, known to be missing, or part of the loader itself.
    fn is_there(&self, name: &str) -> bool {
        let is_called = |object: &Object| {
            object.elf.soname.as_deref() == Some(name) || object.path.file_name().is_some_and(|file| file == name)
        };
        self.objects.iter().skip(1).any(is_called)
            || self.missing.iter().any(|missing| missing.library == name)
            || self.program().loader.as_deref().and_then(|loader| loader.rsplit('/').next()) == Some(name)
            || self.loader == Loader::Musl && is_built_into_musl(name)
            || name.starts_with("linux-vdso")
            || name.starts_with("linux-gate")
    }

    fn find(&self, name: &str, index: usize) -> Place {
        let mut needed = Needed {
            library: name.to_owned(),
            by: self.objects[index].path.clone(),
            searched: Vec::new(),
            foreign: Vec::new(),
        };
        if name.contains('/') {
            let file = self.machine.surroundings().cwd.join(name);
            return self.matching(&file, &mut needed).map_or(Place::Nowhere(needed), |elf| Place::Found(file, elf));
        }
        let before = self.before_the_cache(index);
        let found = self.in_directories(before, name, &mut needed).or_else(|| self.in_the_cache(name, &mut needed));
        let has_defaults = !self.objects[index].elf.no_default_directories;
        let found = found.or_else(|| {
            let defaults = if has_defaults { self.defaults.clone() } else { Vec::new() };
            self.in_directories(defaults, name, &mut needed)
        });
        found.map_or(Place::Nowhere(needed), |(path, elf)| Place::Found(path, elf))
    }

    /// RPATH of the object and of those that loaded it, `LD_LIBRARY_PATH`, RUNPATH; musl makes no difference between the two.
    fn before_the_cache(&self, index: usize) -> Vec<PathBuf> {
        let chain = std::iter::successors(Some(index), |index| self.objects[*index].parent);
        let objects: Vec<&Object> = chain.map(|index| &self.objects[index]).collect();
        if self.loader == Loader::Musl {
            let own = objects
                .iter()
                .flat_map(|object| self.expanded(object, object.elf.runpath.as_ref().or(object.elf.rpath.as_ref())));
            return self.library_path.iter().cloned().chain(own).collect();
        }
        let asking = &self.objects[index];
        let mut directories = Vec::new();
        if asking.elf.runpath.is_none() {
            let inheriting = objects.iter().filter(|object| object.elf.runpath.is_none());
            directories.extend(inheriting.flat_map(|object| self.expanded(object, object.elf.rpath.as_ref())));
        }
        directories.extend(self.library_path.iter().cloned());
        directories.extend(self.expanded(asking, asking.elf.runpath.as_ref()));
        directories
    }

    /// The directories of an RPATH or RUNPATH, with `$ORIGIN`, `$LIB` and `$PLATFORM` put in.
    fn expanded(&self, object: &Object, path: Option<&String>) -> Vec<PathBuf> {
        let Some(path) = path else { return Vec::new() };
        let real = existing(self.machine, &object.path).unwrap_or_else(|| object.path.clone());
        let origin = real.parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
        let put = |text: &str, name: &str, value: &str| {
            text.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value)
        };
        let platform = self.machine.architecture().unwrap_or_default();
        let lib = triplet(&object.elf).map_or_else(|| "lib".to_owned(), |triplet| format!("lib/{triplet}"));
        let elements = path.split(':').filter(|element| !element.is_empty());
        let mut directories = Vec::new();
        for element in elements {
            let element = put(&put(element, "ORIGIN", &origin), "PLATFORM", &platform);
            let spellings = if element.contains("LIB") {
                vec![put(&element, "LIB", &lib), put(&element, "LIB", "lib64")]
            } else {
                vec![element]
            };
            directories.extend(spellings.into_iter().map(|element| self.machine.surroundings().cwd.join(element)));
        }
        directories
    }

    fn in_directories(
        &self,
        directories: Vec<PathBuf>,
        name: &str,
        needed: &mut Needed,
    ) -> Option<(PathBuf, Box<Elf>)> {
        for directory in directories {
            if needed.searched.contains(&directory) {
                continue;
            }
            needed.searched.push(directory.clone());
            let levels = ["", "glibc-hwcaps/x86-64-v4", "glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v2"];
            for level in levels {
                let below = directory.join(level);
                if !level.is_empty() && existing(self.machine, &directory.join("glibc-hwcaps")).is_none() {
                    break;
                }
                let file = below.join(name);
                if let Some(elf) = self.matching(&file, needed) {
                    return Some((file, elf));
                }
            }
        }
        None
    }

    fn in_the_cache(&self, name: &str, needed: &mut Needed) -> Option<(PathBuf, Box<Elf>)> {
        if self.loader == Loader::Musl {
            return None;
        }
        let cached = match self.machine.cached_library(name) {
            Ok(cached) => cached,
            Err(unknown) => {
                // Without a cache the loader goes on to the default directories.
                self.is_unsure.set(self.is_unsure.get() || !unknown.is_missing());
                return None;
            }
        };
        cached.into_iter().find_map(|cached| self.matching(&cached.path, needed).map(|elf| (cached.path, elf)))
    }

    /// The facts of a file that the loader would take; one that it would not is noted.
    fn matching(&self, file: &Path, needed: &mut Needed) -> Option<Box<Elf>> {
        let found = resolve(self.machine, self.machine.mounts(), file).and_then(|resolved| {
            let is_there = resolved.missing.as_os_str().is_empty();
            if is_there {
                self.machine.executable(&resolved.existing).map(|program| Some((resolved.existing, program)))
            } else {
                Ok(None)
            }
        });
        match found {
            Ok(Some((_, Executable::Elf(elf)))) if fits(self.program(), &elf) => return Some(elf),
            Ok(Some((real, _))) if !needed.foreign.contains(&real) => needed.foreign.push(real),
            Ok(_) | Err(Unknown::Errno(_)) => {}
            Err(_) => self.is_unsure.set(true),
        }
        None
    }
}

/// Names that musl's loader takes for itself, `load_library` of its `ldso/dynlink.c`.
fn is_built_into_musl(name: &str) -> bool {
    let stem = name.strip_prefix("lib").and_then(|rest| rest.split('.').next());
    stem.is_some_and(|stem| ["c", "pthread", "rt", "m", "dl", "util", "xnet"].contains(&stem)) && name.contains('.')
}

fn lacking(loaded: &[(PathBuf, Elf)]) -> Vec<TooOld> {
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

    #[test]
    fn the_c_library_is_part_of_the_loader_of_musl() {
        let names = ["libc.musl-x86_64.so.1", "libm.so.6", "libcurl.so.4", "libz.so.1"];
        assert_eq!(names.map(is_built_into_musl), [true, true, false, false]);
    }
}
