//! What an operation asks of the last name of a path and of its directory, in the order in which the kernel asks: `do_open`,
//! `may_open`, `may_create`, `may_delete`, `may_linkat` and `vfs_rename` of `fs/namei.c`, `setattr_prepare` of `fs/attr.c`.

use super::access::{self, Access};
use super::obstacle::Why;
use super::steps::{Steps, is_on};
use super::who::Who;
use super::{Attempt, OVERFLOW, PROTECTED_FIFOS, PROTECTED_HARDLINKS, PROTECTED_REGULAR, Reached, Stop};
use crate::clue::Operation;
use crate::machine::{Identity, InodeFlags, Kind, Machine, Stat, Unknown};
use crate::sys::mounts::Mount;
use std::path::Path;

/// Whether an operation acts on what a link at the end of a path points to, and not on the link.
pub(super) fn follows(operation: Operation) -> bool {
    use Operation::{Link, Mkdir, Remove, Rename, Symlink};
    !matches!(operation, Mkdir | Remove | Rename | Link | Symlink | Operation::Bind)
}

/// Whether an operation opens with `O_CREAT`.
pub(super) fn makes(operation: Operation) -> bool {
    matches!(operation, Operation::Create | Operation::Lock)
}

/// The end of a walk.
pub(super) struct Last<'a> {
    pub machine: &'a Machine,
    pub who: &'a Who,
    pub attempt: Attempt<'a>,
}

/// What is done with a file once it is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// A file that is there, without emptying it.
    Existing,
    /// `O_CREAT | O_TRUNC`.
    Making,
}

impl Last<'_> {
    pub(super) fn judge(&self, reached: &Reached) -> Result<(), Stop> {
        match self.attempt.operation {
            Operation::Read | Operation::Watch => self.read(reached),
            Operation::Write => self.write(reached, Opening::Existing),
            Operation::Create | Operation::Lock => self.create(reached),
            Operation::Mkdir | Operation::Symlink | Operation::Bind => self.make(reached),
            Operation::Remove => self.remove(reached),
            Operation::Rename => self.rename(reached),
            Operation::Link => self.link(reached),
            Operation::Attribute => self.attribute(reached),
            Operation::Chdir => self.chdir(reached),
            Operation::Execute => self.execute(reached),
            Operation::Connect => self.connect(reached),
            Operation::Stat
            | Operation::Fork
            | Operation::Memory
            | Operation::Mount
            | Operation::WatchInstance
            | Operation::Namespace
            | Operation::Key
            | Operation::Ipc => existing(reached).map(|_| ()),
        }
    }

    fn read(&self, reached: &Reached) -> Result<(), Stop> {
        let stat = existing(reached)?;
        self.device(&reached.at, stat)?;
        self.allowed(&reached.at, stat, Access::READ)
    }

    fn write(&self, reached: &Reached, opening: Opening) -> Result<(), Stop> {
        let stat = existing(reached)?;
        let (at, is_regular) = (&reached.at, stat.kind == Kind::Regular);
        if stat.kind == Kind::Directory {
            return Err(Stop::at(at, Why::IsADirectory));
        }
        if is_regular && (opening == Opening::Making || self.filesystem_is_read_only(at)) {
            self.writable(at)?;
        }
        self.device(at, stat)?;
        if self.flags(at, stat).immutable {
            return Err(Stop::at(at, Why::Immutable));
        }
        self.allowed(at, stat, Access::WRITE)?;
        if self.flags(at, stat).append_only {
            return Err(Stop::at(at, Why::AppendOnly));
        }
        if is_regular { self.writable(at) } else { Ok(()) }
    }

    fn create(&self, reached: &Reached) -> Result<(), Stop> {
        let Some(stat) = &reached.stat else {
            return self.entry(&reached.directory, &reached.directory_stat);
        };
        if stat.kind == Kind::Directory {
            return Err(Stop::at(&reached.at, Why::IsADirectory));
        }
        self.not_protected(reached, stat)?;
        self.write(reached, Opening::Making)
    }

    fn make(&self, reached: &Reached) -> Result<(), Stop> {
        if let Some(stat) = &reached.stat {
            return Err(Stop::at(&reached.at, Why::Exists(stat.kind)));
        }
        self.entry(&reached.directory, &reached.directory_stat)
    }

    /// A new entry in a directory, `may_create`.
    fn entry(&self, directory: &Path, stat: &Stat) -> Result<(), Stop> {
        self.writable(directory)?;
        self.changeable(directory, stat)
    }

    /// Entries of a directory may be made and removed, but for what their own state refuses.
    fn changeable(&self, directory: &Path, stat: &Stat) -> Result<(), Stop> {
        if self.flags(directory, stat).immutable {
            return Err(Stop::at(directory, Why::Immutable));
        }
        self.allowed(directory, stat, Access::CHANGE)
    }

    fn remove(&self, reached: &Reached) -> Result<(), Stop> {
        self.writable(&reached.directory)?;
        let stat = existing(reached)?;
        self.removable(reached, stat)?;
        if self.machine.mounts().at(&reached.at).is_some() {
            return Err(Stop::at(&reached.at, Why::MountPoint));
        }
        self.empty(&reached.at, stat)
    }

    fn empty(&self, at: &Path, stat: &Stat) -> Result<(), Stop> {
        let has_entries = || self.machine.list(at).is_ok_and(|listing| !listing.entries.is_empty());
        if stat.kind == Kind::Directory && has_entries() { Err(Stop::at(at, Why::NotEmpty)) } else { Ok(()) }
    }

    /// `may_delete`.
    fn removable(&self, reached: &Reached, stat: &Stat) -> Result<(), Stop> {
        let (directory, at) = (&reached.directory_stat, &reached.at);
        self.changeable(&reached.directory, directory)?;
        if self.flags(&reached.directory, directory).append_only {
            return Err(Stop::at(&reached.directory, Why::AppendOnly));
        }
        let is_free = directory.mode & 0o1000 == 0 || self.who.owns(stat) || self.who.owns(directory);
        if !is_free && !self.who.has_over(Identity::FOWNER, stat) {
            let (directory, entry) = (directory.clone(), stat.clone());
            return Err(Stop::at(at, Why::Sticky { directory, entry }));
        }
        self.unflagged(at, stat)
    }

    fn unflagged(&self, at: &Path, stat: &Stat) -> Result<(), Stop> {
        match self.flags(at, stat) {
            flags if flags.append_only => Err(Stop::at(at, Why::AppendOnly)),
            flags if flags.immutable => Err(Stop::at(at, Why::Immutable)),
            _ => Ok(()),
        }
    }

    fn rename(&self, reached: &Reached) -> Result<(), Stop> {
        let target = self.other()?;
        self.same_mount(&reached.directory, target.as_ref())?;
        self.writable(&reached.directory)?;
        let stat = existing(reached)?;
        // Two names of one file: `vfs_rename` has nothing to do and asks nothing.
        let is_same = |other: &Stat| (other.device, other.inode) == (stat.device, stat.inode);
        if target.as_ref().and_then(|target| target.stat.as_ref()).is_some_and(is_same) {
            return Ok(());
        }
        self.removable(reached, stat)?;
        let Some(target) = target else { return Ok(()) };
        match &target.stat {
            Some(replaced) => self.replaceable(&target, replaced, stat)?,
            None => self.changeable(&target.directory, &target.directory_stat)?,
        }
        // Its entry `..` changes.
        if stat.kind == Kind::Directory && target.directory != reached.directory {
            self.allowed(&reached.at, stat, Access::WRITE)?;
        }
        target.stat.as_ref().map_or(Ok(()), |replaced| self.empty(&target.at, replaced))
    }

    fn replaceable(&self, target: &Reached, replaced: &Stat, by: &Stat) -> Result<(), Stop> {
        self.removable(target, replaced)?;
        match (by.kind == Kind::Directory, replaced.kind == Kind::Directory) {
            (true, false) => Err(Stop::at(&target.at, Why::NotADirectory(replaced.kind))),
            (false, true) => Err(Stop::at(&target.at, Why::IsADirectory)),
            _ => Ok(()),
        }
    }

    fn link(&self, reached: &Reached) -> Result<(), Stop> {
        let stat = existing(reached)?;
        let target = self.other()?;
        if let Some((target, found)) = target.as_ref().and_then(|target| Some((target, target.stat.as_ref()?))) {
            return Err(Stop::at(&target.at, Why::Exists(found.kind)));
        }
        if let Some(target) = &target {
            self.writable(&target.directory)?;
        }
        self.same_mount(&reached.at, target.as_ref())?;
        self.linkable(&reached.at, stat)?;
        if let Some(target) = &target {
            self.changeable(&target.directory, &target.directory_stat)?;
        }
        self.unflagged(&reached.at, stat)?;
        if stat.kind == Kind::Directory { Err(Stop::at(&reached.at, Why::DirectoryLink)) } else { Ok(()) }
    }

    /// `may_linkat`: what a user may neither read and write nor owns must not get another name.
    fn linkable(&self, at: &Path, stat: &Stat) -> Result<(), Stop> {
        if !is_on(self.machine, PROTECTED_HARDLINKS, 1) || self.is_owner(stat) {
            return Ok(());
        }
        let is_set_id = stat.mode & 0o4000 != 0 || stat.mode & 0o2010 == 0o2010;
        let is_plain = stat.kind == Kind::Regular && !is_set_id;
        if is_plain && self.allowed(at, stat, Access::READ.and(Access::WRITE)).is_ok() {
            return Ok(());
        }
        Err(Stop::at(at, Why::Protected { sysctl: PROTECTED_HARDLINKS, stat: stat.clone() }))
    }

    fn attribute(&self, reached: &Reached) -> Result<(), Stop> {
        let stat = existing(reached)?;
        self.writable(&reached.at)?;
        self.unflagged(&reached.at, stat)?;
        if self.is_owner(stat) { Ok(()) } else { Err(Stop::at(&reached.at, Why::NotOwner(stat.clone()))) }
    }

    fn chdir(&self, reached: &Reached) -> Result<(), Stop> {
        let stat = existing(reached)?;
        if stat.kind != Kind::Directory {
            return Err(Stop::at(&reached.at, Why::NotADirectory(stat.kind)));
        }
        self.allowed(&reached.at, stat, Access::SEARCH)
    }

    fn execute(&self, reached: &Reached) -> Result<(), Stop> {
        let stat = existing(reached)?;
        if stat.kind != Kind::Regular {
            return Err(Stop::at(&reached.at, Why::NotAProgram(stat.kind)));
        }
        if self.mount(&reached.at).is_some_and(|mount| has(&mount.options, "noexec")) {
            return Err(self.at_mount(&reached.at, Why::NoExec));
        }
        self.allowed(&reached.at, stat, Access::EXECUTE)
    }

    fn connect(&self, reached: &Reached) -> Result<(), Stop> {
        let stat = existing(reached)?;
        if self.flags(&reached.at, stat).immutable {
            return Err(Stop::at(&reached.at, Why::Immutable));
        }
        self.allowed(&reached.at, stat, Access::WRITE)?;
        match stat.kind {
            Kind::Socket => Ok(()),
            kind => Err(Stop::at(&reached.at, Why::NotASocket(kind))),
        }
    }

    /// Where the other path of the attempt leads, its last link not followed.
    fn other(&self) -> Result<Option<Reached>, Stop> {
        self.attempt.other.map(|path| Steps::new(self.machine, self.who, false).go(path)).transpose()
    }

    /// Whether the directory of the target is on the mount of what is moved from there or linked; a file that something is mounted on is
    /// on a mount of its own.
    fn same_mount(&self, from: &Path, target: Option<&Reached>) -> Result<(), Stop> {
        let mount = |at: &Path| self.mount(at).map(|mount| mount.id);
        match target {
            Some(target) if mount(&target.directory) != mount(from) => Err(Stop::at(&target.at, Why::CrossDevice)),
            _ => Ok(()),
        }
    }

    fn is_owner(&self, stat: &Stat) -> bool {
        self.who.owns(stat) || self.who.has_over(Identity::FOWNER, stat)
    }

    fn allowed(&self, at: &Path, stat: &Stat, access: Access) -> Result<(), Stop> {
        match access::refusal(self.machine, self.who, at, stat, access) {
            Some(refusal) => Err(Stop::at(at, Why::Refused(refusal))),
            None => Ok(()),
        }
    }

    /// Links and special files have none.
    fn flags(&self, at: &Path, stat: &Stat) -> InodeFlags {
        let has_flags = matches!(stat.kind, Kind::Regular | Kind::Directory);
        if has_flags { self.machine.inode_flags(at).unwrap_or_default() } else { InodeFlags::default() }
    }

    fn mount(&self, at: &Path) -> Option<&Mount> {
        self.machine.mounts().holding(at)
    }

    fn filesystem_is_read_only(&self, at: &Path) -> bool {
        self.mount(at).is_some_and(|mount| has(&mount.super_options, "ro"))
    }

    fn writable(&self, at: &Path) -> Result<(), Stop> {
        let is_read_only = |mount: &Mount| has(&mount.options, "ro") || has(&mount.super_options, "ro");
        if self.mount(at).is_some_and(is_read_only) { Err(self.at_mount(at, Why::ReadOnly)) } else { Ok(()) }
    }

    fn device(&self, at: &Path, stat: &Stat) -> Result<(), Stop> {
        let is_device = matches!(stat.kind, Kind::CharacterDevice | Kind::BlockDevice);
        let refuses = |mount: &Mount| has(&mount.options, "nodev");
        if is_device && self.mount(at).is_some_and(refuses) { Err(self.at_mount(at, Why::NoDev)) } else { Ok(()) }
    }

    fn at_mount(&self, at: &Path, why: Why) -> Stop {
        Stop::at(self.mount(at).map_or(at, |mount| &mount.point), why)
    }

    /// `may_create_in_sticky`: an open that would make a file does not open what others left in a shared directory. It holds for root too.
    fn not_protected(&self, reached: &Reached, stat: &Stat) -> Result<(), Stop> {
        let directory = &reached.directory_stat;
        let is_sticky = directory.mode & 0o1000 != 0;
        // Owners without an id in this user namespace all look alike, and may be different ones.
        if is_sticky && stat.uid == OVERFLOW && directory.uid == OVERFLOW && self.who.is_mapped() && !reached.is_itself
        {
            return Err(Stop::Unknown(Unknown::Unsupported("the owners have no ids in this user namespace".into())));
        }
        if !is_sticky || stat.uid == directory.uid || self.who.owns(stat) || reached.is_itself {
            return Ok(());
        }
        let (sysctl, kind_matters) = match stat.kind {
            Kind::Fifo => (PROTECTED_FIFOS, true),
            Kind::Regular => (PROTECTED_REGULAR, true),
            _ => (PROTECTED_REGULAR, false),
        };
        let refuses = match directory.mode {
            mode if mode & 0o002 != 0 => !kind_matters || is_on(self.machine, sysctl, 1),
            mode if mode & 0o020 != 0 => kind_matters && is_on(self.machine, sysctl, 2),
            _ => false,
        };
        if refuses { Err(Stop::at(&reached.at, Why::Protected { sysctl, stat: stat.clone() })) } else { Ok(()) }
    }
}

/// What the last name is, or that it is missing.
fn existing(reached: &Reached) -> Result<&Stat, Stop> {
    let missing = || Why::Missing { rest: std::path::PathBuf::new(), through: reached.through.clone() };
    reached.stat.as_ref().ok_or_else(|| Stop::at(&reached.at, missing()))
}

fn has(options: &[String], name: &str) -> bool {
    options.iter().any(|option| option == name)
}
