//! The directory that a command was told to work in: what `tar -C out` calls `a/b` is `out/a/b`, and so is what `sh -c 'cd out; …'` does.
//! Taken from explain's own directory, such a path would be another file, of which nothing is known.

use super::chdir::{self, Place};
use crate::clue::{Clue, Operation};
use crate::sys::errno::Errno;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Programs whose `-C DIR` changes the working directory, by their manual pages: for others it means something else.
const CHANGE_WITH_C: &[&str] =
    &["bsdtar", "cargo", "env", "git", "gmake", "go", "gtar", "make", "meson", "ninja", "npm", "pnpm", "tar"];

/// Programs that call it `-d DIR`.
const CHANGE_WITH_D: &[&str] = &["patch"];

/// Puts the directory before the relative paths of clues.
pub fn under_directory_option(command: &[OsString], clues: &mut [Clue]) {
    let Some(directory) = directory_option(command) else { return };
    for clue in clues {
        let is_start = is_start(clue);
        let sought = clue.sought.iter_mut().flat_map(|sought| &mut sought.paths).map(|sought| &mut sought.path);
        for path in [&mut clue.path, &mut clue.other_path].into_iter().flatten().chain(sought) {
            // The directory itself is named from where the command was.
            let is_elsewhere = *path == directory || is_archive(command, path) || is_start && is_plain_name(path);
            if path.is_relative() && !is_elsewhere {
                *path = directory.join(&*path);
            }
        }
    }
}

/// Puts the directory that a script of the command line changed to before the relative paths of clues. Where it cannot be told, as in
/// `cd "$x"` or a Python program's `os.chdir`, such a path is not known any more.
pub fn under_changed_directory(command: &[OsString], clues: &mut [Clue]) {
    if !chdir::may_change(command) {
        return;
    }
    for clue in clues {
        let operation = clue.operation;
        let is_start = is_start(clue);
        for path in [&mut clue.path, &mut clue.other_path] {
            let Some(relative) = path.as_deref().filter(|path| path.is_relative() && !path.starts_with("~")) else {
                continue;
            };
            if is_start && is_plain_name(relative) {
                continue;
            }
            *path = placed(command, relative, operation);
        }
        for sought in clue.sought.iter_mut().flat_map(|sought| &mut sought.paths) {
            // One of which nobody knows where it lies is asked for nowhere.
            sought.path = placed(command, &sought.path, operation).unwrap_or_default();
        }
    }
}

/// A path from where the script was; none where that cannot be told.
fn placed(command: &[OsString], path: &Path, operation: Option<Operation>) -> Option<PathBuf> {
    match chdir::place_of(command, path, operation) {
        _ if path.is_absolute() => Some(path.to_owned()),
        Place::Same => Some(path.to_owned()),
        Place::Below(directory) => Some(directory.join(path)),
        Place::Unknown => None,
    }
}

/// Whether a program was to be started.
fn is_start(clue: &Clue) -> bool {
    clue.operation == Some(Operation::Execute) || clue.errno == Some(Errno::E2BIG)
}

/// Whether a path has no slash: a command that is called so is looked for in PATH, wherever that is.
fn is_plain_name(path: &Path) -> bool {
    path.components().count() == 1
}

fn directory_option(command: &[OsString]) -> Option<PathBuf> {
    let option_of = |word: &OsString| {
        let name = Path::new(word).file_name()?;
        let is_known = |programs: &[&str]| programs.iter().any(|known| name == OsStr::new(known));
        let letter = is_known(CHANGE_WITH_C).then_some(b"-C");
        letter.or_else(|| is_known(CHANGE_WITH_D).then_some(b"-d"))
    };
    let (program, option) = command.iter().enumerate().find_map(|(at, word)| Some((at, option_of(word)?)))?;
    let words = &command[program + 1..];
    words.iter().enumerate().find_map(|(index, word)| {
        let bytes = word.as_bytes();
        let glued = bytes.strip_prefix(b"--directory=").or_else(|| bytes.strip_prefix(option));
        match glued.filter(|rest| !rest.is_empty()) {
            Some(rest) => Some(PathBuf::from(OsStr::from_bytes(rest))),
            None if bytes == option || bytes == b"--directory" => words.get(index + 1).map(PathBuf::from),
            None => None,
        }
    })
}

/// Whether the path is the archive, which tar opens before it changes the directory: `-f FILE`, `xzf FILE`, `--file=FILE`.
fn is_archive(command: &[OsString], path: &Path) -> bool {
    let follows = command.windows(2).any(|pair| pair[1] == path.as_os_str() && pair[0].as_bytes().ends_with(b"f"));
    follows || command.iter().any(|word| word.as_bytes().strip_prefix(b"--file=") == Some(path.as_os_str().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(command: &str, path: &str) -> PathBuf {
        let words: Vec<OsString> = command.split(' ').map(OsString::from).collect();
        let mut clues = [Clue { path: Some(path.into()), ..Clue::default() }];
        under_directory_option(&words, &mut clues);
        clues[0].path.clone().unwrap()
    }

    #[test]
    fn a_relative_path_is_below_the_directory_that_the_command_changed_to() {
        for command in [
            "tar xf a.tar -C out",
            "sudo tar xf a.tar --directory=out",
            "make -Cout",
            "git -C out status",
            "patch -d out",
        ] {
            assert_eq!(read(command, "a/b"), Path::new("out/a/b"), "{command}");
        }
    }

    #[test]
    fn a_command_that_is_looked_for_in_path_stays() {
        let words = ["timeout", "9", "tar", "xf", "a.tar", "-C", "out"].map(OsString::from);
        let started = |path: &str| {
            let clue = Clue { path: Some(path.into()), operation: Some(Operation::Execute), ..Clue::default() };
            let mut clues = [clue];
            under_directory_option(&words, &mut clues);
            clues[0].path.clone().unwrap()
        };
        assert_eq!([started("tar"), started("bin/x")], ["tar", "out/bin/x"].map(PathBuf::from));
    }

    #[test]
    fn other_paths_stay() {
        assert_eq!(read("tar xf a.tar -C out", "/a/b"), Path::new("/a/b"));
        assert_eq!(read("tar xf a.tar -C out", "a.tar"), Path::new("a.tar"));
        assert_eq!(read("tar --file=a.tar -x -C out", "a.tar"), Path::new("a.tar"));
        assert_eq!(read("grep -C 3 word a/b", "a/b"), Path::new("a/b"));
        assert_eq!(read("make -j2", "a/b"), Path::new("a/b"));
    }
}
