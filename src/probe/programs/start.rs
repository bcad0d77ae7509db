//! What stops a file from being started, asked in the order of the kernel: the file, its `#!` line, its machine, its loader;
//! then its libraries, as the loader asks.

use super::interpreter::Shebang;
use super::library::{self, Resolution};
use super::{Lookup, existing, foreign_format, is_foreign, lookup};
use crate::machine::{Elf, Executable, Kind, Machine, Stat};
use crate::sys::errno::Errno;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Scripts that may interpret scripts, `exec_binprm` of the kernel's `fs/exec.c`.
const NESTED: usize = 5;

/// What stands in the way, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Obstacle {
    /// The file that stops it: the program, or one that is to interpret it.
    pub file: PathBuf,
    /// Scripts on the way there, the first is the program; empty where the program itself stops it.
    pub scripts: Vec<PathBuf>,
    /// What is wrong with it.
    pub refusal: Refusal,
}

/// What is wrong with a file that is to be executed.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// A regular file without any execute bit.
    NoExecuteBit(Stat),
    /// The `#!` line ends in a carriage return.
    CarriageReturn(Shebang),
    /// The `#!` line names what is not there, or what cannot interpret.
    Interpreter(Shebang, Unfit),
    /// No file that can be executed: nothing in it, or text without `#!`.
    NoFormat {
        /// Whether the file has no bytes at all.
        is_empty: bool,
        /// Whether a byte order mark hides its `#!`.
        is_marked: bool,
        /// Its first line.
        line: String,
    },
    /// A program of another machine, without a handler that takes it.
    Machine(Box<Elf>),
    /// A file of another system.
    System(&'static str),
    /// The loader that it names is missing.
    Loader(Box<Elf>, PathBuf),
    /// Its loader does not find, or does not take, a library.
    Libraries(Box<Resolution>),
}

/// Why a `#!` line leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// There is no such file.
    Missing(PathBuf),
    /// `env` finds no such program in `PATH`.
    NotInPath(OsString),
    /// `env` is given a program with its arguments as one word.
    OneWord(OsString),
    /// It is a directory, or something else that cannot be executed.
    NoFile(PathBuf),
    /// It has no execute bit.
    NoExecuteBit(PathBuf),
    /// The name goes on behind what the kernel reads.
    Cut(PathBuf),
    /// The kernel does not follow so many scripts.
    TooDeep,
}

impl Obstacle {
    /// What `execve(2)` answers; none where the program is started and fails then, as the loader does for want of a library.
    #[must_use]
    pub fn answer(&self) -> Option<Errno> {
        match &self.refusal {
            Refusal::NoExecuteBit(_) => Some(Errno::EACCES),
            Refusal::CarriageReturn(_) | Refusal::Loader(..) => Some(Errno::ENOENT),
            Refusal::Interpreter(_, unfit) => unfit.answer(),
            Refusal::NoFormat { .. } | Refusal::Machine(_) | Refusal::System(_) => Some(Errno::ENOEXEC),
            Refusal::Libraries(_) => None,
        }
    }
}

impl Unfit {
    /// What `execve(2)` answers; none where `env` is started and fails then.
    fn answer(&self) -> Option<Errno> {
        match self {
            Self::Missing(_) | Self::Cut(_) => Some(Errno::ENOENT),
            Self::NoFile(_) | Self::NoExecuteBit(_) => Some(Errno::EACCES),
            Self::TooDeep => Some(Errno::ELOOP),
            Self::NotInPath(_) | Self::OneWord(_) => None,
        }
    }
}

/// Why a file cannot be started; none where nothing is in the way or where that is not known.
#[must_use]
pub fn obstacle(machine: &Machine, program: &Path) -> Option<Obstacle> {
    let mut scripts: Vec<PathBuf> = Vec::new();
    let mut file = existing(machine, program)?;
    loop {
        let at = |refusal| Some(Obstacle { file: file.clone(), scripts: scripts.clone(), refusal });
        let found = machine.stat(&file).ok()?;
        if found.kind != Kind::Regular {
            return None;
        }
        if found.mode & 0o111 == 0 {
            return at(Refusal::NoExecuteBit(found));
        }
        let line = match machine.executable(&file).ok()? {
            Executable::Script { line, .. } => line,
            program => return refused(machine, &file, program).and_then(at),
        };
        let Some(shebang) = Shebang::parse(&line.0) else {
            return at(Refusal::NoFormat { is_empty: false, is_marked: false, line: line.lossy().into_owned() });
        };
        match interpreter(machine, &shebang, scripts.len()) {
            Ok(next) => scripts.push(std::mem::replace(&mut file, next)),
            Err(refusal) => return refusal.and_then(at),
        }
    }
}

/// What stops a file that is no script.
fn refused(machine: &Machine, file: &Path, program: Executable) -> Option<Refusal> {
    match program {
        Executable::Empty => Some(Refusal::NoFormat { is_empty: true, is_marked: false, line: String::new() }),
        Executable::Text { line, marked } => {
            Some(Refusal::NoFormat { is_empty: false, is_marked: marked, line: line.lossy().into_owned() })
        }
        Executable::Other { head } => foreign_format(&head.0).map(Refusal::System),
        Executable::Elf(elf) => refused_elf(machine, file, elf),
        Executable::Script { .. } => None,
    }
}

fn refused_elf(machine: &Machine, file: &Path, elf: Box<Elf>) -> Option<Refusal> {
    if is_foreign(machine, &elf) {
        return Some(Refusal::Machine(elf));
    }
    if let Some(loader) = &elf.loader {
        let loader = machine.surroundings().cwd.join(loader);
        if is_missing(machine, &loader) {
            return Some(Refusal::Loader(elf, loader));
        }
    }
    let is_native = super::runs_here(machine, &elf) != Some(false);
    let resolution =
        if is_native && elf.loader.is_some() { library::libraries(machine, file, &elf) } else { return None };
    let is_stopped = !resolution.is_unsure && !resolution.missing.is_empty() || !resolution.too_old.is_empty();
    is_stopped.then(|| Refusal::Libraries(Box::new(resolution)))
}

fn is_missing(machine: &Machine, path: &Path) -> bool {
    let resolved = crate::probe::path::resolve(machine, machine.mounts(), path);
    resolved.is_ok_and(|resolved| !resolved.missing.as_os_str().is_empty())
}

/// The file that a `#!` line leads to, through `env` to the program that it looks for; else what is wrong, where that is known.
fn interpreter(machine: &Machine, shebang: &Shebang, depth: usize) -> Result<PathBuf, Option<Refusal>> {
    let unfit = |unfit| Err(Some(Refusal::Interpreter(shebang.clone(), unfit)));
    if shebang.carriage_return {
        return Err(Some(Refusal::CarriageReturn(shebang.clone())));
    }
    let written = machine.surroundings().cwd.join(&shebang.interpreter);
    if shebang.cut {
        return unfit(Unfit::Cut(written));
    }
    if is_missing(machine, &written) {
        return unfit(Unfit::Missing(written));
    }
    let file = existing(machine, &written).ok_or(None)?;
    let found = machine.stat(&file).map_err(|_| None)?;
    if found.kind != Kind::Regular {
        return unfit(Unfit::NoFile(written));
    }
    if found.mode & 0o111 == 0 {
        return unfit(Unfit::NoExecuteBit(written));
    }
    if depth >= NESTED {
        return unfit(Unfit::TooDeep);
    }
    let Some(name) = shebang.looked_up() else { return Ok(file) };
    looked_up(machine, shebang, &name).map_or_else(unfit, |found| existing(machine, &found).ok_or(None))
}

/// The program that `env` finds.
fn looked_up(machine: &Machine, shebang: &Shebang, name: &OsString) -> Result<PathBuf, Unfit> {
    let path = Path::new(name);
    if path.components().count() > 1 {
        let file = machine.surroundings().cwd.join(path);
        return if is_missing(machine, &file) { Err(Unfit::Missing(file)) } else { Ok(file) };
    }
    match lookup(machine, name) {
        Lookup::Found(file) => Ok(file),
        Lookup::Refused(file) => Err(Unfit::NoExecuteBit(file)),
        Lookup::Nowhere if shebang.is_one_word() => Err(Unfit::OneWord(name.clone())),
        Lookup::Nowhere => Err(Unfit::NotInPath(name.clone())),
    }
}
