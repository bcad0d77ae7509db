//! One walk of `/proc`: what every process has open or mapped.

use super::place::is_below;
use super::program::{is_of_kernel, program};
use super::{Use, User};
use crate::machine::{Answer, Unknown, crew, files};
use crate::sys::errno::Errno;
use crate::sys::procfs::{self, OpenFile, Process};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Time that the walk of `/proc` may take.
const BUDGET: Duration = Duration::from_secs(1);

/// Descriptors that are told of one process.
const DESCRIPTORS: usize = 4;

/// The end of a link to a file without a name, `proc_pid_fd(5)`.
pub const GONE: &[u8] = b" (deleted)";

/// All processes as they were seen once.
#[derive(Debug)]
pub struct Seen {
    /// By their numbers.
    pub processes: Vec<SeenProcess>,
    /// Whether time ran out.
    pub cut: bool,
}

/// A process, and what it had.
#[derive(Debug, Default)]
pub struct SeenProcess {
    /// Its number.
    pub pid: u32,
    /// Whether we may see what it has open.
    pub readable: bool,
    /// Which mount table its paths are of.
    pub mounts: Vec<u8>,
    /// What it uses, and how.
    pub links: Vec<(Use, Vec<u8>)>,
    /// Files without a name.
    pub gone: Vec<(Use, Vec<u8>, OpenFile)>,
}

impl Seen {
    /// Walks `/proc`.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn now() -> Answer<Self> {
        let pids = procfs::all()?;
        if pids.is_empty() {
            return Err(Unknown::Unsupported("/proc is not mounted".into()));
        }
        let deadline = Instant::now() + BUDGET;
        let (processes, has_links) = crew::over(pids, deadline, |pid| seen_process(*pid));
        let mut processes: Vec<SeenProcess> = processes.into_iter().flatten().collect();
        // Mappings are slow to read and seldom all there is, so they come last.
        let readable = processes.iter().filter(|process| process.readable).map(|process| process.pid).collect();
        let (mapped, has_mappings) = crew::over(readable, deadline, |pid| mappings(*pid));
        let mut mapped: BTreeMap<u32, Mappings> = mapped.into_iter().collect();
        for process in &mut processes {
            let Some(Mappings { links, gone }) = mapped.remove(&process.pid) else { continue };
            process.links.extend(links);
            process.gone.extend(gone);
        }
        processes.sort_by_key(|process| process.pid);
        Ok(Self { processes, cut: !has_links || !has_mappings })
    }
}

impl SeenProcess {
    /// The process as a user of what has one of these names.
    pub fn user(&self, names: &[PathBuf], sockets: &BTreeSet<Vec<u8>>) -> Option<User> {
        let mut uses = Vec::new();
        let mut path = None;
        for (usage, link) in &self.links {
            let plain = link.strip_suffix(GONE).unwrap_or(link);
            let usage = match usage {
                _ if names.iter().any(|name| is_below(plain, name)) => usage.clone(),
                Use::Open(_) if sockets.contains(link) => Use::Socket,
                _ => continue,
            };
            path.get_or_insert_with(|| OsString::from_vec(link.clone()).into());
            let descriptors = uses.iter().filter(|usage| matches!(usage, Use::Open(_))).count();
            if !uses.contains(&usage) && (descriptors < DESCRIPTORS || !matches!(usage, Use::Open(_))) {
                uses.push(usage);
            }
        }
        Some(User { program: program(self.pid).ok()?, uses, path: path? })
    }
}

/// What one process has; none where it has ended. A thread of the kernel has nothing.
fn seen_process(pid: u32) -> Option<SeenProcess> {
    let process = Process::open(pid).ok()?;
    let mut seen = SeenProcess { pid, readable: true, ..SeenProcess::default() };
    for (name, usage) in [(c"cwd", Use::WorkingDirectory), (c"root", Use::Root), (c"exe", Use::Program)] {
        match process.link(name) {
            // Every process has a root, and mostly this one.
            Ok(link) if usage == Use::Root && link == b"/" => {}
            Ok(link) => seen.links.push((usage, link)),
            Err(Errno::EACCES | Errno::EPERM) => seen.readable = false,
            Err(_) => {}
        }
    }
    if !seen.readable {
        return (!is_of_kernel(pid)).then_some(seen);
    }
    seen.mounts = process.link(c"ns/mnt").unwrap_or_default();
    let _ended = process.descriptors(|number, link| {
        if link.starts_with(b"/") || link.starts_with(b"socket:") {
            seen.gone.extend(gone(&process, Use::Open(number), &format!("fd/{number}"), &link));
            seen.links.push((Use::Open(number), link));
        }
    });
    Some(seen)
}

/// What a process has mapped.
#[derive(Debug, Default)]
struct Mappings {
    links: Vec<(Use, Vec<u8>)>,
    gone: Vec<(Use, Vec<u8>, OpenFile)>,
}

/// Files that are mapped, `proc_pid_maps(5)`: a descriptor may be closed as soon as the mapping is there.
fn mappings(pid: u32) -> (u32, Mappings) {
    let mut mappings = Mappings::default();
    let maps = files::read(Path::new(&format!("/proc/{pid}/maps")));
    let (Ok(process), Ok(maps)) = (Process::open(pid), maps) else { return (pid, mappings) };
    let mut known = BTreeSet::new();
    for line in maps.0.split(|byte| *byte == b'\n') {
        let Some(start) = line.iter().position(|byte| *byte == b'/') else { continue };
        let range = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        if known.insert(&line[start..]) {
            let name = format!("map_files/{}", String::from_utf8_lossy(range));
            mappings.gone.extend(gone(&process, Use::Mapped, &name, &line[start..]));
            mappings.links.push((Use::Mapped, line[start..].to_vec()));
        }
    }
    (pid, mappings)
}

/// A file that has no name any more, where a link is to one.
fn gone(process: &Process, usage: Use, name: &str, link: &[u8]) -> Option<(Use, Vec<u8>, OpenFile)> {
    let name = CString::new(name).ok().filter(|_| link.ends_with(GONE))?;
    let file = process.open_file(&name).ok().filter(|file| file.links == 0)?;
    Some((usage, link.to_vec(), file))
}
