//! What can stand in the way of an operation on a path, and what the kernel answers for it.

use super::access::Refusal;
use crate::machine::{Kind, Stat};
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

/// The first thing that refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The component that refuses, absolute and without links before it.
    pub at: PathBuf,
    /// Why.
    pub why: Why,
}

/// A symbolic link that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it lies.
    pub at: PathBuf,
    /// Where it points, as it says.
    pub target: PathBuf,
}

/// Why a component refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The path has no characters.
    Empty,
    /// It is relative, and the working directory has no name any more.
    NoWorkingDirectory,
    /// The whole path is longer than the kernel takes.
    PathTooLong {
        /// Its bytes.
        length: usize,
    },
    /// The component is longer than its filesystem takes.
    NameTooLong {
        /// Its bytes.
        length: usize,
    },
    /// Nothing has this name.
    Missing {
        /// The components behind it; empty where it is the last.
        rest: PathBuf,
        /// The link that led here, where one did.
        through: Option<Link>,
    },
    /// It must be a directory and is none.
    NotADirectory(Kind),
    /// It must not be a directory and is one.
    IsADirectory,
    /// It must not be there and is.
    Exists(Kind),
    /// A directory that must be empty and is not.
    NotEmpty,
    /// Links that lead to themselves, in the order in which they were followed; the first is where the path enters the loop.
    Loop(Vec<Link>),
    /// More links than the kernel follows, without a loop.
    TooManyLinks,
    /// The mount follows no links (`nosymfollow`).
    LinksNotFollowed,
    /// The permission bits refuse.
    Refused(Box<Refusal>),
    /// The directory is sticky, and neither it nor the entry belongs to the user.
    Sticky {
        /// The directory.
        directory: Stat,
        /// The entry.
        entry: Stat,
    },
    /// A sysctl refuses it: links and files of others in a sticky directory, hard links to files of others.
    Protected {
        /// Such as `fs/protected_regular`.
        sysctl: &'static str,
        /// The file.
        stat: Stat,
    },
    /// The immutable flag is set.
    Immutable,
    /// The append-only flag is set.
    AppendOnly,
    /// Only its owner may do that.
    NotOwner(Stat),
    /// The mount, or its whole filesystem, is read-only.
    ReadOnly,
    /// The mount executes nothing.
    NoExec,
    /// The mount opens no devices.
    NoDev,
    /// Directories have one name.
    DirectoryLink,
    /// The two ends are on different mounts.
    CrossDevice,
    /// A mount point.
    MountPoint,
    /// No program: a directory, device, FIFO or socket.
    NotAProgram(Kind),
    /// The path to connect to is no socket.
    NotASocket(Kind),
    /// The kernel refuses what modes, lists and flags allow: a security module, a server, a filesystem of its own rules.
    Unexplained(Errno),
}

impl Obstacle {
    /// What the path named: the link, where what it leads to is missing, else what refuses itself.
    #[must_use]
    pub fn named(&self) -> &Path {
        match &self.why {
            Why::Missing { through: Some(link), .. } => &link.at,
            _ => &self.at,
        }
    }

    /// What the system call answers.
    #[must_use]
    pub fn errno(&self) -> Errno {
        match &self.why {
            Why::Empty | Why::NoWorkingDirectory | Why::Missing { .. } => Errno::ENOENT,
            Why::PathTooLong { .. } | Why::NameTooLong { .. } => Errno::ENAMETOOLONG,
            Why::NotADirectory(_) => Errno::ENOTDIR,
            Why::IsADirectory => Errno::EISDIR,
            Why::Exists(_) => Errno::EEXIST,
            Why::NotEmpty => Errno::ENOTEMPTY,
            Why::Loop(_) | Why::TooManyLinks | Why::LinksNotFollowed => Errno::ELOOP,
            Why::Protected { sysctl: super::PROTECTED_HARDLINKS, .. } => Errno::EPERM,
            Why::Refused(_) | Why::Protected { .. } | Why::NoExec | Why::NoDev | Why::NotAProgram(_) => Errno::EACCES,
            Why::Sticky { .. } | Why::Immutable | Why::AppendOnly | Why::NotOwner(_) | Why::DirectoryLink => {
                Errno::EPERM
            }
            Why::ReadOnly => Errno::EROFS,
            Why::CrossDevice => Errno::EXDEV,
            Why::MountPoint => Errno::EBUSY,
            Why::NotASocket(_) => Errno::ECONNREFUSED,
            Why::Unexplained(errno) => *errno,
        }
    }
}
