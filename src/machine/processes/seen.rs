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
    /// Walks `/proc` three times, each slower than the one before and seldomer what is looked for: directories and programs, descriptors,
    /// mappings. So of more processes than there is time for, the likeliest holders are seen.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn now() -> Answer<Self> {
        let mut pids = procfs::all()?;
        if pids.is_empty() {
            return Err(Unknown::Unsupported("/proc is not mounted".into()));
        }
        // What was started last is likelier to be what the user works with than what runs since the machine was started.
        pids.sort_unstable_by_key(|pid| std::cmp::Reverse(*pid));
        let deadline = Instant::now() + BUDGET;
        let (processes, mut is_whole) = crew::over(pids, deadline, |pid| seen_process(*pid));
        let mut processes: BTreeMap<u32, SeenProcess> =
            processes.into_iter().flatten().map(|process| (process.pid, process)).collect();
        let readable = processes.values().rev().filter(|process| process.readable);
        let readable: Vec<u32> = readable.map(|process| process.pid).collect();
        let looks: [fn(&u32) -> Held; 2] = [|pid| descriptors(*pid), |pid| mappings(*pid)];
        for look in looks {
            let (held, has_all) = crew::over(readable.clone(), deadline, look);
            is_whole &= has_all;
            for Held { pid, links, gone } in held {
                let Some(process) = processes.get_mut(&pid) else { continue };
                process.links.extend(links);
                process.gone.extend(gone);
            }
        }
        Ok(Self { processes: processes.into_values().collect(), cut: !is_whole })
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
        // Who it is takes several reads: of the few alone that use it.
        let path = path?;
        Some(User { program: program(self.pid).ok()?, uses, path })
    }
}

/// Where one process is and what it runs; none where it has ended. A thread of the kernel has nothing.
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
    Some(seen)
}

/// What a process has open, or mapped.
#[derive(Debug, Default)]
struct Held {
    pid: u32,
    links: Vec<(Use, Vec<u8>)>,
    gone: Vec<(Use, Vec<u8>, OpenFile)>,
}

/// Files and sockets that are open, `proc_pid_fd(5)`.
fn descriptors(pid: u32) -> Held {
    let mut held = Held { pid, ..Held::default() };
    let Ok(process) = Process::open(pid) else { return held };
    let _ended = process.descriptors(|number, link| {
        if link.starts_with(b"/") || link.starts_with(b"socket:") {
            held.gone.extend(gone(&process, Use::Open(number), &format!("fd/{number}"), &link));
            held.links.push((Use::Open(number), link));
        }
    });
    held
}

/// Files that are mapped, `proc_pid_maps(5)`: a descriptor may be closed as soon as the mapping is there.
fn mappings(pid: u32) -> Held {
    let mut mappings = Held { pid, ..Held::default() };
    let maps = files::read(Path::new(&format!("/proc/{pid}/maps")));
    let (Ok(process), Ok(maps)) = (Process::open(pid), maps) else { return mappings };
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
    mappings
}

/// A file that has no name any more, where a link is to one.
fn gone(process: &Process, usage: Use, name: &str, link: &[u8]) -> Option<(Use, Vec<u8>, OpenFile)> {
    let name = CString::new(name).ok().filter(|_| link.ends_with(GONE))?;
    let file = process.open_file(&name).ok().filter(|file| file.links == 0)?;
    Some((usage, link.to_vec(), file))
}
