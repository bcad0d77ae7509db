//! From component to component: search permission, links, lengths; everything up to the last name of a path.

use super::access::{self, Access};
use super::obstacle::{Link, Why};
use super::who::Who;
use super::{LONGEST_PATH, PROTECTED_SYMLINKS, Reached, Stop};
use crate::machine::{Kind, Machine, Stat, Unknown};
use crate::sys::errno::Errno;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Links that the kernel follows before it answers ELOOP, `path_resolution(7)`.
const LINKS: usize = 40;

/// A walk on its way.
pub(super) struct Steps<'a> {
    machine: &'a Machine,
    who: &'a Who,
    /// Whether a link in the last component is followed.
    follow: bool,
    /// Whether a missing last component is made, so that it must not end in a slash.
    makes: bool,
    /// Whether the path ends in a slash, or a link at its end does.
    slash: bool,
    /// Where it is.
    pub directory: PathBuf,
    stat: Option<Stat>,
    todo: VecDeque<Step>,
    /// The links that were followed.
    pub links: Vec<Link>,
}

/// One name of a path, and the link that it stands in.
struct Step {
    name: OsString,
    link: Option<usize>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(machine: &'a Machine, who: &'a Who, follow: bool) -> Self {
        let (todo, links) = (VecDeque::new(), Vec::new());
        let directory = PathBuf::from("/");
        Self { machine, who, follow, makes: false, slash: false, directory, stat: None, todo, links }
    }

    /// The walk of an open with `O_CREAT`.
    pub(super) fn that_makes(self) -> Self {
        Self { makes: true, ..self }
    }

    /// Goes as far as the last name of the path, which may be missing.
    pub(super) fn go(&mut self, path: &Path) -> Result<Reached, Stop> {
        self.begin(path)?;
        while let Some(step) = self.todo.pop_front() {
            self.search()?;
            if step.name == "." {
                continue;
            }
            if step.name == ".." {
                let above = self.directory.parent().unwrap_or(Path::new("/")).to_owned();
                self.enter(above)?;
                continue;
            }
            if let Some(reached) = self.step(&step)? {
                return Ok(reached);
            }
        }
        self.itself()
    }

    fn begin(&mut self, path: &Path) -> Result<(), Stop> {
        let length = path.as_os_str().len();
        if length == 0 {
            return Err(Stop::at(path, Why::Empty));
        }
        if length > LONGEST_PATH {
            return Err(Stop::at(path, Why::PathTooLong { length }));
        }
        let start = if path.is_absolute() { Path::new("/") } else { &self.machine.surroundings().cwd };
        let has_start = !start.as_os_str().is_empty();
        if !has_start || self.machine.stat(start).is_err_and(|unknown| unknown.is_missing()) {
            return Err(Stop::at(path, Why::NoWorkingDirectory));
        }
        // A working directory whose name leads through what may not be searched fails here: what is in it cannot be asked for by name.
        self.enter(start.to_owned())?;
        self.todo = names(path, None);
        self.slash = path.as_os_str().as_bytes().ends_with(b"/");
        Ok(())
    }

    fn enter(&mut self, directory: PathBuf) -> Result<(), Stop> {
        self.stat = Some(self.machine.stat(&directory).or_else(|unknown| assumed(&directory, unknown))?);
        self.directory = directory;
        Ok(())
    }

    /// Whether the directory where it is lets it look for a name.
    fn search(&self) -> Result<(), Stop> {
        let Some(stat) = &self.stat else { return Ok(()) };
        match access::refusal(self.machine, self.who, &self.directory, stat, Access::SEARCH) {
            Some(refusal) => Err(Stop::at(&self.directory, Why::Refused(refusal))),
            None => Ok(()),
        }
    }

    /// One name further; the last name ends the walk.
    fn step(&mut self, step: &Step) -> Result<Option<Reached>, Stop> {
        let next = self.directory.join(&step.name);
        let is_last = self.todo.is_empty();
        // `open_last_lookups` asks nothing of a last name with a slash that it might have to make, be it a link or not there.
        if is_last && self.slash && self.makes {
            return Err(Stop::at(&next, Why::IsADirectory));
        }
        match self.machine.stat(&next) {
            Ok(stat) if stat.kind == Kind::Symlink && (!is_last || self.follow || self.slash) => {
                self.follow(&next, &stat, is_last)?;
                Ok(None)
            }
            Ok(stat) if stat.kind != Kind::Directory && (!is_last || self.slash) => {
                Err(Stop::at(&next, Why::NotADirectory(stat.kind)))
            }
            Ok(stat) if is_last => Ok(Some(self.reached(next, Some(stat), step))),
            Ok(stat) => {
                (self.directory, self.stat) = (next, Some(stat));
                Ok(None)
            }
            Err(Unknown::Errno(Errno::ENOENT)) if is_last => Ok(Some(self.reached(next, None, step))),
            Err(Unknown::Errno(Errno::ENOENT)) => Err(self.missing(&next, step)),
            Err(unknown) => Err(self.refused(&next, unknown)),
        }
    }

    fn missing(&self, at: &Path, step: &Step) -> Stop {
        let rest = self.todo.iter().map(|step| &step.name).collect();
        let through = step.link.map(|index| self.links[index].clone());
        Stop::at(at, Why::Missing { rest, through })
    }

    /// The kernel does not let us look, although the directory may be searched.
    fn refused(&self, at: &Path, unknown: Unknown) -> Stop {
        let length = at.file_name().map_or(0, OsStr::len);
        match unknown {
            // A path that has grown too long for our own question says nothing about the child's.
            Unknown::Errno(Errno::ENAMETOOLONG) if at.as_os_str().len() <= LONGEST_PATH => {
                Stop::at(at, Why::NameTooLong { length })
            }
            Unknown::Errno(errno) if self.looks_with_its_own_eyes() => Stop::at(at, Why::Unexplained(errno)),
            unknown => Stop::Unknown(unknown),
        }
    }

    /// Whether we may look where the one whose rights are judged may: not for another user, nor for a command that has changed its own.
    fn looks_with_its_own_eyes(&self) -> bool {
        let surroundings = self.machine.surroundings();
        let is_unchanged = surroundings.caller.is_none_or(|caller| caller == surroundings.identity.uid);
        is_unchanged && *self.who.identity() == surroundings.identity
    }

    fn reached(&self, at: PathBuf, stat: Option<Stat>, step: &Step) -> Reached {
        Reached {
            directory: self.directory.clone(),
            directory_stat: self.stat.clone().unwrap_or_else(plain_directory),
            at,
            stat,
            through: step.link.map(|index| self.links[index].clone()),
            is_itself: false,
        }
    }

    fn itself(&mut self) -> Result<Reached, Stop> {
        let above = self.directory.parent().unwrap_or(Path::new("/"));
        let above_stat = self.machine.stat(above).or_else(|unknown| assumed(above, unknown))?;
        Ok(Reached {
            directory: above.to_owned(),
            directory_stat: above_stat,
            at: self.directory.clone(),
            stat: self.stat.clone(),
            through: None,
            is_itself: true,
        })
    }

    fn follow(&mut self, at: &Path, stat: &Stat, is_last: bool) -> Result<(), Stop> {
        if self.links.len() >= LINKS {
            return Err(self.too_many(at));
        }
        if is_last {
            self.protected(at, stat)?;
        }
        let mount = self.machine.mounts().holding(at);
        if mount.is_some_and(|mount| mount.fstype == "proc") {
            return Err(Stop::Unknown(Unknown::Unsupported("a link of /proc leads where no text tells".into())));
        }
        if mount.is_some_and(|mount| mount.option("nosymfollow").is_some()) {
            return Err(Stop::at(at, Why::LinksNotFollowed));
        }
        let target = self.machine.read_link(at).map_err(|unknown| self.refused(at, unknown))?;
        self.take(Link { at: at.to_owned(), target }, is_last)
    }

    /// Goes on with the names of a link's target.
    fn take(&mut self, link: Link, is_last: bool) -> Result<(), Stop> {
        if link.target.is_absolute() {
            self.enter("/".into())?;
        }
        self.slash |= is_last && link.target.as_os_str().as_bytes().ends_with(b"/");
        let mut ahead = names(&link.target, Some(self.links.len()));
        ahead.append(&mut self.todo);
        self.todo = ahead;
        self.links.push(link);
        Ok(())
    }

    fn too_many(&self, at: &Path) -> Stop {
        let repeats = |link: &Link| self.links.iter().filter(|other| other.at == link.at).count() > 1;
        let Some(first) = self.links.iter().position(repeats) else { return Stop::at(at, Why::TooManyLinks) };
        let entry = &self.links[first];
        let again = self.links[first + 1..].iter().position(|link| link.at == entry.at).unwrap_or(0);
        Stop::at(&entry.at, Why::Loop(self.links[first..=first + again].to_vec()))
    }

    /// `may_follow_link` of the kernel's `fs/namei.c`: a link at the end of a path in a sticky directory that all may write to
    /// is followed for its owner, or if the directory's owner made it.
    fn protected(&self, at: &Path, link: &Stat) -> Result<(), Stop> {
        let Some(directory) = &self.stat else { return Ok(()) };
        let is_shared = directory.mode & 0o1002 == 0o1002;
        if !is_shared || self.who.owns(link) || directory.uid == link.uid || !is_on(self.machine, PROTECTED_SYMLINKS, 1)
        {
            return Ok(());
        }
        Err(Stop::at(at, Why::Protected { sysctl: PROTECTED_SYMLINKS, stat: link.clone() }))
    }
}

/// Whether a sysctl is at least this; one that cannot be read is taken for off.
pub(super) fn is_on(machine: &Machine, sysctl: &str, least: u64) -> bool {
    machine.sysctl(sysctl).is_ok_and(|value| value >= least)
}

fn names(path: &Path, link: Option<usize>) -> VecDeque<Step> {
    let parts = path.as_os_str().as_bytes().split(|byte| *byte == b'/').filter(|part| !part.is_empty());
    parts.map(|part| Step { name: OsStr::from_bytes(part).to_owned(), link }).collect()
}

/// A directory that is the root of everything is there, whether or not it was recorded.
fn assumed(directory: &Path, unknown: Unknown) -> Result<Stat, Stop> {
    match unknown {
        Unknown::NotRecorded if directory == Path::new("/") => Ok(plain_directory()),
        unknown => Err(Stop::Unknown(unknown)),
    }
}

fn plain_directory() -> Stat {
    Stat {
        kind: Kind::Directory,
        device: 0,
        inode: 0,
        mode: 0o755,
        links: 2,
        uid: 0,
        gid: 0,
        size: 0,
        occupied: 0,
        modified: 0,
        represents: 0,
    }
}
