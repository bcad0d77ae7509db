//! Files and directories: looked at, never opened unless they are regular files or directories on a local filesystem.

use super::{Answer, Machine, Unknown};
use crate::sys::errno::Errno;
use crate::sys::fs::Space;
use crate::text::Bytes;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{DirEntryExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The type of a file, inode(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names of inode(7)")]
pub enum Kind {
    Regular,
    Directory,
    Symlink,
    Fifo,
    Socket,
    CharacterDevice,
    BlockDevice,
}

impl Kind {
    fn of(kind: std::fs::FileType) -> Self {
        match kind {
            kind if kind.is_dir() => Self::Directory,
            kind if kind.is_symlink() => Self::Symlink,
            kind if kind.is_fifo() => Self::Fifo,
            kind if kind.is_socket() => Self::Socket,
            kind if kind.is_char_device() => Self::CharacterDevice,
            kind if kind.is_block_device() => Self::BlockDevice,
            _ => Self::Regular,
        }
    }
}

/// Status of a file, inode(7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Device that holds it (`st_dev`).
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Permission bits with set-id and sticky (octal 7777).
    pub mode: u32,
    /// Hard links.
    pub links: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length in bytes.
    pub size: u64,
    /// Bytes that it occupies (`st_blocks` × 512).
    pub occupied: u64,
    /// Last change of the contents, seconds since the epoch.
    pub modified: i64,
    /// For a device file: which device (`st_rdev`).
    pub represents: u64,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name.
    #[serde(with = "crate::text::path")]
    pub name: PathBuf,
    /// Inode number.
    pub inode: u64,
    /// What it is, where the directory says so.
    pub kind: Option<Kind>,
}

/// The names in a directory, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Names, at most [`Listing::LIMIT`].
    pub entries: Vec<Entry>,
    /// Whether there were more.
    pub cut: bool,
}

impl Listing {
    /// Names that are read of one directory.
    pub const LIMIT: usize = 10_000;
}

/// Bytes that are read of one file.
const READ_LIMIT: u64 = 4 << 20;

impl Machine {
    /// Counters of the filesystem that holds `path`.
    ///
    /// # Errors
    /// Those of `statfs(2)`; [`Unknown::TimedOut`] from a dead network mount.
    pub fn space(&self, path: &Path) -> Answer<Space> {
        self.ask_path("space", path, |path| Ok(crate::sys::fs::space(path)?))
    }

    /// Status of the file itself, links not followed.
    ///
    /// # Errors
    /// Those of `lstat(2)`.
    pub fn stat(&self, path: &Path) -> Answer<Stat> {
        self.ask_path("stat", path, stat)
    }

    /// Where a symbolic link points.
    ///
    /// # Errors
    /// Those of `readlink(2)`; EINVAL when it is no link.
    pub fn read_link(&self, path: &Path) -> Answer<PathBuf> {
        let target = self.ask_path("readlink", path, read_link)?;
        Ok(OsString::from_vec(target.0).into())
    }

    /// The names in a directory.
    ///
    /// # Errors
    /// Those of `opendir(3)`.
    pub fn list(&self, path: &Path) -> Answer<Listing> {
        self.ask_path("list", path, list)
    }

    /// Contents of a regular file, up to 4 MiB: for files of the system (`/proc`, `/sys`, `/etc`) and logs, not for what is examined.
    ///
    /// # Errors
    /// Those of `open(2)` and `read(2)`; [`Unknown::Unsupported`] when it is no regular file.
    pub fn read(&self, path: &Path) -> Answer<Bytes> {
        self.ask_path("read", path, read)
    }
}

fn stat(path: &Path) -> Answer<Stat> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let found = std::fs::symlink_metadata(path)?;
    Ok(Stat {
        kind: Kind::of(found.file_type()),
        device: found.dev(),
        inode: found.ino(),
        mode: found.mode() & 0o7777,
        links: found.nlink(),
        uid: found.uid(),
        gid: found.gid(),
        size: found.size(),
        occupied: found.blocks().saturating_mul(512),
        modified: found.mtime(),
        represents: found.rdev(),
    })
}

fn read_link(path: &Path) -> Answer<Bytes> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let target = std::fs::read_link(path)?;
    Ok(Bytes(target.into_os_string().into_vec()))
}

fn list(path: &Path) -> Answer<Listing> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let names = std::fs::read_dir(path)?;
    let mut listing = Listing::default();
    for entry in names {
        let entry = entry?;
        if listing.entries.len() == Listing::LIMIT {
            listing.cut = true;
            break;
        }
        let kind = entry.file_type().ok().map(Kind::of);
        listing.entries.push(Entry { name: entry.file_name().into(), inode: entry.ino(), kind });
    }
    listing.entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listing)
}

/// Opens a directory for the calls that need a descriptor; anything else is refused before it is opened.
pub(super) fn open_directory(path: &Path) -> Answer<std::fs::File> {
    let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    Ok(std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?)
}

pub(super) fn read(path: &Path) -> Answer<Bytes> {
    use std::io::Read;
    // Opening is an act: it wakes who waits to write into a FIFO, and rewinds a tape.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let is_file = std::fs::metadata(path)?.is_file();
    if !is_file {
        return Err(Unknown::Errno(Errno::EINVAL));
    }
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC)
        .open(path)
        .map_err(Unknown::from)?;
    if !file.metadata()?.is_file() {
        return Err(Unknown::Errno(Errno::EINVAL));
    }
    let mut bytes = Vec::new();
    file.take(READ_LIMIT).read_to_end(&mut bytes)?;
    mask_secrets(&mut bytes);
    Ok(Bytes(bytes))
}

/// Words before a value that must not travel in a report: mount.cifs(8) takes them in `/etc/fstab` and unit files.
const SECRETS: &[&str] = &["password=", "password2=", "passwd=", "pass=", "secret=", "token="];

/// Puts `*` over the values of secrets.
fn mask_secrets(bytes: &mut [u8]) {
    for word in SECRETS {
        let found: Vec<usize> = memchr::memmem::find_iter(bytes, word).map(|at| at + word.len()).collect();
        for start in found {
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'"' | b'\'');
            let value = bytes[start..].iter_mut();
            value.take_while(|byte| !is_end(byte)).for_each(|byte| *byte = b'*');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_system_files_do_not_travel() {
        let mut line = b"//srv/x /mnt cifs user=u,password=hunter2,uid=5 0 0".to_vec();
        mask_secrets(&mut line);
        assert_eq!(line, b"//srv/x /mnt cifs user=u,password=*******,uid=5 0 0");
    }
}
