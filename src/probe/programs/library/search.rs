//! The search for each library in the order of the loader: the directories of objects and environment, the cache, the defaults.

use super::versions::lacking;
use super::{Needed, Resolution, directories, fits};
use crate::machine::{Elf, Executable, Machine, Unknown};
use crate::probe::path::resolve;
use crate::probe::programs::existing;
use std::cell::Cell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Objects that one program may have before the search is given up.
const OBJECTS: usize = 400;

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

/// One search for all libraries of a program.
pub struct Search<'a> {
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

impl<'a> Search<'a> {
    /// For a program; directories of the environment count where it `trusts` them.
    pub fn new(machine: &'a Machine, program: &Path, elf: &Elf, trusts: bool) -> Self {
        let is_musl = elf.loader.as_deref().is_some_and(|loader| loader.contains("ld-musl"));
        let loader = if is_musl { Loader::Musl } else { Loader::Glibc };
        Self {
            machine,
            loader,
            library_path: if trusts { directories::of_environment(machine) } else { Vec::new() },
            defaults: match loader {
                Loader::Glibc => directories::by_default(machine, elf),
                Loader::Musl => directories::of_musl(machine, elf),
            },
            objects: vec![Object { path: program.to_owned(), elf: elf.clone(), parent: None }],
            missing: Vec::new(),
            is_unsure: Cell::new(false),
        }
    }

    /// What is found, and what is not.
    pub fn resolution(mut self) -> Resolution {
        self.run();
        let loaded: Vec<(PathBuf, Elf)> = self.objects.into_iter().map(|object| (object.path, object.elf)).collect();
        let too_old = if self.loader == Loader::Musl { Vec::new() } else { lacking(&loaded) };
        Resolution { missing: self.missing, too_old, loaded, is_unsure: self.is_unsure.get() }
    }

    fn program(&self) -> &Elf {
        &self.objects[0].elf
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

    fn expanded(&self, object: &Object, path: Option<&String>) -> Vec<PathBuf> {
        directories::expanded(self.machine, (&object.path, &object.elf), path)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_is_part_of_the_loader_of_musl() {
        let names = ["libc.musl-x86_64.so.1", "libm.so.6", "libcurl.so.4", "libz.so.1"];
        assert_eq!(names.map(is_built_into_musl), [true, true, false, false]);
    }
}
