//! What the kernel looks at when it is told to execute a file: its first bytes, and for ELF its tables. The file itself is
//! not kept, so that a report stays small and carries nobody's program.

use super::elf::{self, Elf};
use super::{Answer, Machine, Unknown};
use crate::sys::errno::Errno;
use crate::text::Bytes;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Bytes that the kernel reads of a file to find out how to run it: `BINPRM_BUF_SIZE` of `include/uapi/linux/binfmts.h`, 256 since Linux 5.1.
pub const KERNEL_READS: usize = 256;

/// Bytes in which the end of the first line is looked for.
const LOOK: usize = 4096;
/// Bytes that are kept of the first line: more than the kernel reads, so that what it cut off can be told.
const LINE: usize = 2 * KERNEL_READS;

/// A file by what the kernel can make of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "kebab-case")]
pub enum Executable {
    /// Nothing in it.
    Empty,
    /// `#!` and the program that is to run it, execve(2).
    Script {
        /// The first line without its newline, at most 512 bytes of it.
        line: Bytes,
        /// Whether the line ends within the bytes that were looked at, and how long it is.
        length: Option<usize>,
    },
    /// A program or library of this or another machine.
    Elf(Box<Elf>),
    /// Text without `#!`.
    Text {
        /// The first line, at most 80 bytes of it.
        line: Bytes,
        /// Whether a byte order mark stands before a `#!`, so that the kernel does not see it.
        marked: bool,
    },
    /// Something else.
    Other {
        /// The first 16 bytes.
        head: Bytes,
    },
}

/// A library in the loader's cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cached {
    /// Where it was when `ldconfig` ran.
    #[serde(with = "crate::text::path")]
    pub path: PathBuf,
}

impl Machine {
    /// What the kernel would make of a file if it were executed. Links are followed; anything but a regular file is not opened.
    ///
    /// # Errors
    /// Those of `stat(2)` and `open(2)`; EACCES for what is no regular file, as `execve(2)` has it.
    pub fn executable(&self, path: &Path) -> Answer<Executable> {
        self.ask_path("executable", path, executable)
    }

    /// Up to 16 bytes of a program or library at an offset of the file: one instruction.
    ///
    /// # Errors
    /// As [`Machine::executable`]; [`Unknown::TimedOut`] on a mount that may never answer.
    pub fn code(&self, path: &Path, offset: u64) -> Answer<Bytes> {
        let may_block = self.may_block(path);
        self.ask(&format!("code {} {offset}", path.display()), || {
            use std::os::unix::fs::FileExt;
            if may_block {
                return Err(Unknown::TimedOut);
            }
            let mut code = vec![0; 16];
            let length = open(path)?.read_at(&mut code, offset)?;
            code.truncate(length);
            Ok(Bytes(code))
        })
    }

    /// Where the cache of the loader (`/etc/ld.so.cache`, ld.so(8)) says that a library is, best first; other architectures included.
    ///
    /// # Errors
    /// Those of reading the file; [`Unknown::Unsupported`] where it has another form.
    pub fn cached_library(&self, soname: &str) -> Answer<Vec<Cached>> {
        self.ask(&format!("library-cache {soname}"), || {
            let cache = super::files::read(Path::new("/etc/ld.so.cache"))?;
            lookup(&cache.0, soname)
                .ok_or_else(|| Unknown::Unsupported("the loader's cache has an unknown form".into()))
        })
    }

    /// The name that the kernel gives its machine, as `uname -m` prints it.
    ///
    /// # Errors
    /// None in practice.
    pub fn architecture(&self) -> Answer<String> {
        self.ask("architecture", || Ok(nix::sys::utsname::uname()?.machine().to_string_lossy().into_owned()))
    }
}

fn open(path: &Path) -> Answer<File> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let is_regular = |path: &Path| std::fs::metadata(path).map(|found| found.is_file());
    if !is_regular(path)? {
        return Err(Unknown::Errno(Errno::EACCES));
    }
    // It may be something else by now: a FIFO or device must not make us wait.
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC)
        .open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(Unknown::Errno(Errno::EACCES)) }
}

fn executable(path: &Path) -> Answer<Executable> {
    let mut file = open(path)?;
    let mut head = Vec::with_capacity(LOOK);
    file.by_ref().take(LOOK as u64).read_to_end(&mut head)?;
    match &head[..] {
        [] => Ok(Executable::Empty),
        [0x7f, b'E', b'L', b'F', ..] => {
            elf::read(file).map_or_else(|_| Ok(other(&head)), |facts| Ok(Executable::Elf(Box::new(facts))))
        }
        [b'#', b'!', ..] => Ok(script(&head)),
        _ if head.contains(&0) => Ok(other(&head)),
        _ => Ok(text(&head)),
    }
}

fn script(head: &[u8]) -> Executable {
    let end = memchr::memchr(b'\n', head);
    let length = end.or((head.len() < LOOK).then_some(head.len()));
    let line = &head[..length.unwrap_or(head.len()).min(LINE)];
    Executable::Script { line: Bytes(line.into()), length }
}

fn text(head: &[u8]) -> Executable {
    let unmarked = head.strip_prefix(b"\xef\xbb\xbf");
    let line = unmarked.unwrap_or(head).split(|byte| *byte == b'\n').next().unwrap_or_default();
    let marked = unmarked.is_some_and(|rest| rest.starts_with(b"#!"));
    Executable::Text { line: Bytes(line[..line.len().min(80)].into()), marked }
}

fn other(head: &[u8]) -> Executable {
    Executable::Other { head: Bytes(head[..head.len().min(16)].into()) }
}

/// The cache's present form, `sysdeps/generic/dl-cache.h` of glibc; older caches carry it behind the first one.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const HEADER: usize = 48;
const ENTRY: usize = 24;

fn lookup(cache: &[u8], soname: &str) -> Option<Vec<Cached>> {
    let cache = &cache[memchr::memmem::find(cache, MAGIC)?..];
    let number = |at: usize| Some(u32::from_ne_bytes(cache.get(at..at + 4)?.try_into().ok()?) as usize);
    let string = |at: usize| cache.get(number(at)?..)?.split(|byte| *byte == 0).next();
    let entries = number(MAGIC.len())?.min(cache.len() / ENTRY);
    let places = (0..entries).map(|index| HEADER + index * ENTRY);
    let named = places.filter(|at| string(at + 4) == Some(soname.as_bytes()));
    Some(named.filter_map(|at| string(at + 8)).map(cached).collect())
}

fn cached(path: &[u8]) -> Cached {
    use std::os::unix::ffi::OsStrExt;
    Cached { path: std::ffi::OsStr::from_bytes(path).into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Surroundings;
    use std::time::{Duration, Instant};

    fn of(contents: &[u8]) -> Executable {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file.as_file(), contents).unwrap();
        executable(file.path()).unwrap()
    }

    #[test]
    fn files_are_told_apart_by_their_first_bytes() {
        assert_eq!(of(b""), Executable::Empty);
        assert_eq!(of(b"#!/bin/sh\necho"), Executable::Script { line: Bytes(b"#!/bin/sh".to_vec()), length: Some(9) });
        assert_eq!(of(b"echo\n"), Executable::Text { line: Bytes(b"echo".to_vec()), marked: false });
        assert_eq!(
            of(b"\xef\xbb\xbf#!/bin/sh\n"),
            Executable::Text { line: Bytes(b"#!/bin/sh".to_vec()), marked: true }
        );
        assert_eq!(of(b"\x1f\x8b\0"), Executable::Other { head: Bytes(vec![0x1f, 0x8b, 0]) });
        assert_eq!(of(b"\x7fELF"), Executable::Other { head: Bytes(b"\x7fELF".to_vec()) });
    }

    #[test]
    fn a_first_line_without_an_end_is_kept_as_far_as_it_matters() {
        let Executable::Script { line, length } = of(&[b"#!/".as_slice(), "d".repeat(1 << 20).as_bytes()].concat())
        else {
            panic!()
        };
        assert_eq!((line.0.len(), length), (LINE, None));
    }

    #[test]
    fn what_is_no_regular_file_is_not_opened() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for path in [fifo.as_path(), directory.path(), Path::new("/dev/tty")] {
            assert_eq!(executable(path), Err(Unknown::Errno(Errno::EACCES)), "{}", path.display());
        }
    }

    #[test]
    fn the_loader_s_cache_leads_to_the_c_library() {
        let machine = Machine::live(Surroundings::default(), Instant::now() + Duration::from_secs(9));
        let Ok(cached) = machine.cached_library("libc.so.6") else { return };
        assert!(cached.iter().any(|cached| cached.path.ends_with("libc.so.6")), "{cached:?}");
        assert_eq!(machine.cached_library("libnowhere.so.9"), Ok(Vec::new()));
    }

    #[test]
    fn a_cache_that_is_cut_anywhere_gives_an_answer() {
        let mut cache = [MAGIC, &2u32.to_ne_bytes(), &[0; 24], &[1, 0, 0, 0]].concat();
        cache.extend([96u32, 103].iter().flat_map(|number| number.to_ne_bytes()));
        cache.extend([0; 36]);
        cache.extend(b"libz.so\0/lib/libz.so\0");
        for length in 0..=cache.len() {
            let _ = lookup(&cache[..length], "libz.so");
        }
        assert_eq!(lookup(b"ld.so-1.7.0", "libz.so"), None);
    }
}
