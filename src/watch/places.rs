//! Which filesystems are watched: those that the command was told of, and those that programs use without saying so.
//!
//! A path becomes a mount by the table alone. Symbolic links are followed on mounts that answer for certain; nothing of a
//! network mount is ever touched, so a dead one cannot keep us.

use crate::command_line::{glued_in, path_in, words_of};
use crate::sys::errno::Errno;
use crate::sys::fs::link_target;
use crate::sys::mounts::{Row, Table};
use crate::text::is_of_a_path;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Variables whose directories programs write to.
const VARIABLES: &[&str] = &[
    "TMPDIR",
    "TMP",
    "TEMP",
    "HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
];
/// Directories that programs write to unasked.
const USUAL: &[&str] = &["/tmp", "/var/tmp", "/dev/shm", "/run"];
/// Words of a command line that are looked at.
const WORDS: usize = 64;
/// Links that the kernel follows before it answers ELOOP, `path_resolution(7)`.
const LINKS: usize = 40;

/// Directories with the reason why they matter, the likeliest first. A word without a slash that is no mount point lies on
/// the filesystem of the working directory, or is no path at all; a script behind `sh -c` is none as a whole.
pub fn wanted(
    cwd: &Path,
    command: impl Iterator<Item = &'static OsStr>,
    mounts: &Table<impl Row>,
) -> Vec<(Cow<'static, str>, PathBuf)> {
    let mut wanted = vec![(Cow::Borrowed("working directory"), cwd.to_owned())];
    wanted.extend(VARIABLES.iter().filter_map(|name| Some(((*name).into(), directory(name)?))));
    wanted.extend(USUAL.iter().map(|path| ((*path).into(), PathBuf::from(path))));
    let paths = words_of(command).take(WORDS).filter_map(|word| path_in(word).or_else(|| glued_in(word)));
    let named = paths.map(|path| (path.as_os_str().as_bytes().contains(&b'/'), cwd.join(path)));
    let mounted = named.filter(|(has_slash, path)| *has_slash || mounts.at(path).is_some());
    wanted.extend(mounted.map(|(_, path)| (super::Place::NAMED_BY_THE_COMMAND.into(), path)));
    wanted
}

#[expect(
    clippy::disallowed_methods,
    reason = "the child is given our own environment, and there is no machine to ask yet"
)]
fn directory(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The mount that holds a path, if it can be watched: it holds files, can be written to, and answers for certain.
pub fn watchable<'a, R: Row>(mounts: &'a Table<R>, path: &Path) -> Option<&'a R> {
    let path = followed(mounts, path);
    let mount = mounts.holding(&path)?;
    (!mount.is_pseudo() && !mounts.may_block(&path) && !mount.is_read_only()).then_some(mount)
}

/// The path without links, as far as it exists and may be asked.
fn followed<R: Row>(mounts: &Table<R>, path: &Path) -> PathBuf {
    let mut done = PathBuf::from("/");
    let mut rest = Cow::Borrowed(path);
    for _ in 0..LINKS {
        match to_next_link(mounts, &mut done, &rest) {
            Some(target) => rest = Cow::Owned(target),
            None => return done,
        }
    }
    done.join(rest)
}

/// Walks on from `done`, which has no links: to the next one, and returns what it and the names behind it mean; or to the end.
fn to_next_link<R: Row>(mounts: &Table<R>, done: &mut PathBuf, path: &Path) -> Option<PathBuf> {
    let mut names = path.components();
    while let Some(name) = names.next() {
        match name {
            Component::Normal(name) => done.push(name),
            Component::ParentDir => drop(done.pop()),
            Component::RootDir => done.push("/"),
            Component::CurDir | Component::Prefix(_) => {}
        }
        if !matches!(name, Component::Normal(_)) {
            continue;
        }
        let answer = if may_be_asked(mounts, done) { link_target(done) } else { Err(Errno::EAGAIN) };
        match answer {
            Ok(target) => {
                done.pop();
                return Some(target.join(names.as_path()));
            }
            // No link: the usual answer.
            Err(Errno::EINVAL) => {}
            Err(_) => {
                done.push(names.as_path());
                return None;
            }
        }
    }
    None
}

fn may_be_asked<R: Row>(mounts: &Table<R>, path: &Path) -> bool {
    !(mounts.0.is_empty() || mounts.0.iter().any(Row::may_block) && mounts.may_block(path))
}

/// Paths in what a program said, at most `limit`: words with a slash. A relative one may be none (`and/or`).
pub fn paths_in(said: &[u8], limit: usize) -> impl Iterator<Item = &Path> {
    let mut seen = 0;
    let words = memchr::memchr_iter(b'/', said).filter_map(move |at| {
        let before = said.get(seen..at)?;
        let start = at - before.iter().rev().take_while(|byte| is_of_a_path(**byte)).count();
        let length = said[at..].iter().position(|byte| !is_of_a_path(*byte)).unwrap_or(said.len() - at);
        seen = at + length;
        Some(Path::new(OsStr::from_bytes(&said[start..seen])))
    });
    words.filter(|path| path.as_os_str().len() > 1).take(limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mounts::Mounts;

    #[test]
    fn paths_are_found_in_sentences() {
        let said = b"tar: /tmp/a/b: Cannot open; see 'file:///usr/x' or and/or (/var/y), \"/z\"";
        let found: Vec<&Path> = paths_in(said, 9).collect();
        assert_eq!(found, ["/tmp/a/b", "///usr/x", "and/or", "/var/y", "/z"].map(Path::new));
        let made: Vec<&Path> = paths_in(b"make: *** [mk:2: it/o] Error 1; see x/ and /", 9).collect();
        assert_eq!(made, ["it/o", "x/"].map(Path::new));
    }

    #[test]
    fn a_script_names_what_its_words_name_and_is_no_path_itself() {
        let mounts = Mounts::parse(b"21 1 254:0 / / rw - ext4 /dev/vda rw\n");
        let named = |command: &[&'static str]| -> Vec<PathBuf> {
            let words = command.iter().map(|word| OsStr::new(*word)).collect::<Vec<_>>();
            let wanted = wanted(Path::new("/w"), words.into_iter(), &mounts).into_iter();
            wanted.filter(|(role, _)| role == "named by the command").map(|(_, path)| path).collect()
        };
        assert_eq!(named(&["sh", "-c", "cat /a/b; false"]), [Path::new("/a/b")]);
        assert_eq!(named(&["cat", "/my dir/b"])[0], Path::new("/my dir/b"));
    }

    #[test]
    fn what_may_never_answer_is_not_watched() {
        let mounts = Mounts::parse(
            b"21 1 254:0 / / rw - ext4 /dev/vda rw\n30 21 0:27 / /mnt/far rw - nfs4 host:/x rw\n31 21 0:28 / /proc rw - proc proc rw\n\
              32 21 7:1 / /snap/x ro - squashfs /dev/loop1 ro\n",
        );
        let watched = |path: &str| watchable(&mounts, Path::new(path)).map(|mount| mount.id);
        assert_eq!(["/nonexistent/x", "/mnt/far/a", "/proc/1", "/snap/x/y"].map(watched), [Some(21), None, None, None]);
    }
}
