//! Processes and what they have open. `/proc` is walked once an explanation; every question is answered from that walk
//! with what concerns it alone, so that a report does not carry the process table.

use super::{Answer, Machine, Unknown, crew, files};
use crate::sys::errno::Errno;
use crate::sys::mounts::{Mount, Mounts};
use crate::sys::procfs::{self, OpenFile, Process};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A process, by what a person knows it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Process id.
    pub pid: u32,
    /// Its effective user.
    pub uid: u32,
    /// The first words of its command line, up to the first option; `comm` where it has none (`proc_pid_comm(5)`).
    pub command: String,
    /// Seconds since it was started.
    pub age: u64,
    /// Whether we are its descendant: ending it would end us.
    pub ancestor: bool,
}

impl Program {
    /// Whether it is a program of one of these names, or a part of one: `git-remote-https` is a part of git.
    #[must_use]
    pub fn is_one_of(&self, names: &[&str]) -> bool {
        let own = self.command.split(' ').next().unwrap_or_default();
        names.iter().any(|name| own.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
    }
}

/// How far a search of the processes saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Processes that were seen.
    pub processes: u64,
    /// Of those, the ones whose files we may not see.
    pub unreadable: u64,
    /// Whether `/proc` hides the processes of others (`hidepid`, proc(5)).
    pub hidden: bool,
    /// Whether time ran out.
    pub cut: bool,
    /// Whether this is a PID namespace of its own, so that processes outside are not seen.
    pub nested: bool,
}

impl Coverage {
    /// Whether every process that this machine shows was looked through.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unreadable == 0 && !self.hidden && !self.cut
    }
}

/// How a process uses a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// It is the working directory.
    WorkingDirectory,
    /// It is the root directory.
    Root,
    /// It is the program itself.
    Program,
    /// It is open, with this descriptor.
    Open(u32),
    /// It is mapped into memory: a library, a database.
    Mapped,
    /// A socket is bound to it.
    Socket,
}

/// A process that uses something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Who.
    pub program: Program,
    /// How, each way once; of many descriptors the first ones.
    pub uses: Vec<Use>,
    /// One of the paths that it uses, as it sees it.
    #[serde(with = "crate::text::path")]
    pub path: PathBuf,
}

/// Who uses a path or anything below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    /// The processes, by their number.
    pub processes: Vec<User>,
    /// What the kernel itself uses: mounts, loop devices, swap; one sentence fragment each.
    pub kernel: Vec<String>,
    /// How far that was seen.
    pub coverage: Coverage,
}

/// A file without a name that a process holds open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedFile {
    /// Who holds it; others may hold it too.
    pub program: Program,
    /// How: a descriptor, or mapped.
    pub by: Use,
    /// The name that it had.
    #[serde(with = "crate::text::path")]
    pub path: PathBuf,
    /// Bytes that it occupies.
    pub bytes: u64,
}

/// Files without a name on a filesystem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// The largest ones, each once.
    pub files: Vec<DeletedFile>,
    /// How many there are.
    pub inodes: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// How far that was seen.
    pub coverage: Coverage,
}

/// Time that the walk of `/proc` may take.
const BUDGET: Duration = Duration::from_secs(1);

/// Files and processes that are named one by one.
const NAMED: usize = 20;

/// Descriptors that are told of one process.
const DESCRIPTORS: usize = 4;

/// The end of a link to a file without a name, `proc_pid_fd(5)`.
const GONE: &[u8] = b" (deleted)";

/// Inode number of the first PID namespace (`PROC_PID_INIT_INO`, `include/linux/proc_ns.h`).
const FIRST_PID_NAMESPACE: &[u8] = b"pid:[4026531836]";

/// All processes as they were seen once.
#[derive(Debug)]
pub(super) struct Seen {
    processes: Vec<SeenProcess>,
    cut: bool,
}

#[derive(Debug, Default)]
struct SeenProcess {
    pid: u32,
    readable: bool,
    /// Which mount table its paths are of.
    mounts: Vec<u8>,
    links: Vec<(Use, Vec<u8>)>,
    gone: Vec<(Use, Vec<u8>, OpenFile)>,
}

impl Machine {
    /// Who uses a path or anything below it, which must be absolute and without links. Processes in other mount namespaces
    /// count by the place in the filesystem, whatever path it has there.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn users_of(&self, path: &Path) -> Answer<Users> {
        self.ask_slowly(&format!("users {}", path.display()), || {
            let seen = self.seen()?;
            let kernel = self.kernel_users(path);
            let sockets = bound_sockets(path);
            Ok(Users { processes: self.users(seen, path, &sockets), kernel, coverage: self.coverage(seen) })
        })
    }

    /// Files below a directory that other processes have open, each once, as far as their inode number is one of these.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub(super) fn open_below(&self, directory: &Path, inodes: &BTreeSet<u64>) -> Answer<Vec<PathBuf>> {
        let others = self.seen()?.processes.iter().filter(|process| process.pid != std::process::id());
        let open = others.flat_map(|process| &process.links).filter(|(usage, _)| matches!(usage, Use::Open(_)));
        let below = open.filter(|(_, link)| is_below(link, directory) && !link.ends_with(GONE));
        let files: BTreeSet<PathBuf> = below.map(|(_, link)| OsString::from_vec(link.clone()).into()).collect();
        let is_one = |path: &PathBuf| self.stat(path).is_ok_and(|stat| inodes.contains(&stat.inode));
        Ok(files.into_iter().filter(is_one).take(NAMED).collect())
    }

    /// Files without a name that still take room on the filesystem that is mounted at `point`, and who holds them.
    ///
    /// # Errors
    /// Those of `lstat(2)` for the point, and where there is no `/proc`.
    pub fn deleted_files(&self, point: &Path) -> Answer<Deleted> {
        let device = self.stat(point)?.device;
        self.ask_slowly(&format!("deleted {}", point.display()), || {
            let seen = self.seen()?;
            Ok(deleted(seen, device, self.coverage(seen)))
        })
    }

    /// The process of a number, where it lives.
    ///
    /// # Errors
    /// ENOENT where there is none.
    pub fn program(&self, pid: u32) -> Answer<Program> {
        self.ask(&format!("program {pid}"), || program(pid))
    }

    /// The processes with one of these names whose files we may not see.
    ///
    /// # Errors
    /// As [`Machine::users_of`].
    pub fn closed_programs(&self, names: &[&str]) -> Answer<Vec<Program>> {
        self.ask_slowly(&format!("closed {}", names.join(",")), || {
            let closed = self.seen()?.processes.iter().filter(|process| !process.readable);
            let programs = closed.filter_map(|process| program(process.pid).ok());
            Ok(programs.filter(|program| program.is_one_of(names)).collect())
        })
    }

    /// Who has a descriptor with this target, such as `socket:[4711]`.
    ///
    /// # Errors
    /// As [`Machine::users_of`].
    pub fn holders_of(&self, target: &str) -> Answer<Vec<Program>> {
        self.ask_slowly(&format!("holders {target}"), || {
            let has_it = |process: &&SeenProcess| process.links.iter().any(|(_, link)| link == target.as_bytes());
            Ok(self.seen()?.processes.iter().filter(has_it).filter_map(|process| program(process.pid).ok()).collect())
        })
    }

    fn seen(&self) -> Answer<&Seen> {
        if let Some(seen) = self.processes.get() {
            return Ok(seen);
        }
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
        Ok(self.processes.get_or_init(|| Seen { processes, cut: !has_links || !has_mappings }))
    }

    fn coverage(&self, seen: &Seen) -> Coverage {
        let unreadable = seen.processes.iter().filter(|process| !process.readable).count();
        let nested = Process::open(std::process::id()).and_then(|own| own.link(c"ns/pid"));
        Coverage {
            processes: seen.processes.len() as u64,
            unreadable: unreadable as u64,
            hidden: self.hides_processes(),
            cut: seen.cut,
            nested: nested.is_ok_and(|namespace| namespace != FIRST_PID_NAMESPACE),
        }
    }

    /// Whether `/proc` is mounted so that processes of others do not appear; root and members of its `gid=` see them.
    fn hides_processes(&self) -> bool {
        const SYS_PTRACE: u32 = 19;
        let identity = &self.surroundings().identity;
        let Some(proc) = self.mounts().at(Path::new("/proc")) else { return false };
        let is_allowed = proc
            .option("gid")
            .and_then(|gid| gid.parse().ok())
            .is_some_and(|gid| gid == identity.gid || identity.groups.contains(&gid));
        let hides = |value: &str| matches!(value, "2" | "4" | "invisible" | "ptraceable");
        proc.option("hidepid").is_some_and(hides) && !is_allowed && !identity.has(SYS_PTRACE)
    }

    fn users(&self, seen: &Seen, path: &Path, sockets: &BTreeSet<Vec<u8>>) -> Vec<User> {
        let place = Place::of(self.mounts(), path);
        let mut tables: BTreeMap<&[u8], Vec<PathBuf>> = BTreeMap::new();
        let others = seen.processes.iter().filter(|process| process.pid != std::process::id() && process.readable);
        let users = others.filter_map(|process| {
            let names = tables.entry(&process.mounts).or_insert_with(|| names(place.as_ref(), process.pid, path));
            process.user(names, sockets)
        });
        users.take(NAMED).collect()
    }

    /// What uses it without being a process.
    fn kernel_users(&self, path: &Path) -> Vec<String> {
        let mut users = Vec::new();
        for mount in &self.mounts().0 {
            if mount.point.starts_with(path) {
                users.push(format!("{} is mounted at {}", mount.source.to_string_lossy(), mount.point.display()));
            }
            let layers = ["upperdir", "workdir", "lowerdir"].iter().filter_map(|option| mount.option(option));
            if layers.flat_map(|layers| layers.split(':')).any(|layer| Path::new(layer).starts_with(path)) {
                users.push(format!("the overlay at {} has a layer there", mount.point.display()));
            }
        }
        users.extend(loop_devices(path));
        users.extend(swap_files(path));
        users
    }
}

/// A path as the place in a filesystem that it means, the same from every mount table.
struct Place {
    device: (u32, u32),
    inside: PathBuf,
}

impl Place {
    fn of(mounts: &Mounts, path: &Path) -> Option<Self> {
        let mount = mounts.holding(path)?;
        Some(Self { device: mount.device, inside: mount.root.join(path.strip_prefix(&mount.point).ok()?) })
    }
}

/// Every path that leads a process there, or to a part of what is there.
fn names(place: Option<&Place>, pid: u32, path: &Path) -> Vec<PathBuf> {
    let table = files::read(Path::new(&format!("/proc/{pid}/mountinfo"))).map(|table| Mounts::parse(&table.0));
    let (Some(place), Ok(mounts)) = (place, table) else { return vec![path.to_owned()] };
    let there = mounts.0.iter().filter(|mount| mount.device == place.device);
    let mut names: Vec<PathBuf> = there.filter_map(|mount| place.seen_through(mount)).collect();
    names.sort();
    names.dedup();
    names
}

impl Place {
    fn seen_through(&self, mount: &Mount) -> Option<PathBuf> {
        if mount.root.starts_with(&self.inside) {
            return Some(mount.point.clone());
        }
        let rest = self.inside.strip_prefix(&mount.root).ok()?;
        Some(if rest.as_os_str().is_empty() { mount.point.clone() } else { mount.point.join(rest) })
    }
}

impl SeenProcess {
    fn user(&self, names: &[PathBuf], sockets: &BTreeSet<Vec<u8>>) -> Option<User> {
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

fn is_below(link: &[u8], name: &Path) -> bool {
    let name = name.as_os_str().as_bytes();
    link.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest[0] == b'/' || name == b"/")
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

/// Whether it is a thread of the kernel (`PF_KTHREAD` of `include/linux/sched.h`, in field 9 of `proc_pid_stat(5)`).
fn is_of_kernel(pid: u32) -> bool {
    const KERNEL_THREAD: u64 = 0x0020_0000;
    let flags = stat_fields(pid).and_then(|fields| fields.get(6)?.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & KERNEL_THREAD != 0)
}

/// Fields of `/proc/PID/stat` from the third on (`state`); the name before them may hold blanks and brackets.
fn stat_fields(pid: u32) -> Option<Vec<String>> {
    let stat = files::read(Path::new(&format!("/proc/{pid}/stat"))).ok()?;
    let text = stat.lossy();
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split_ascii_whitespace().map(str::to_owned).collect())
}

fn program(pid: u32) -> Answer<Program> {
    let status = files::read(Path::new(&format!("/proc/{pid}/status")))?;
    let status = status.lossy();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let uid = field("Uid:").and_then(|uids| uids.split_ascii_whitespace().nth(1)?.parse().ok());
    let command = words(pid).unwrap_or_else(|| field("Name:").unwrap_or_default().to_owned());
    let started = stat_fields(pid).and_then(|fields| fields.get(19)?.parse().ok());
    let age = started.and_then(age).unwrap_or(0);
    Ok(Program { pid, uid: uid.unwrap_or(u32::MAX), command, age, ancestor: is_ancestor(pid) })
}

/// Seconds since a time in ticks since boot. The unit of `/proc` is a hundredth of a second (`USER_HZ`) on every architecture that Rust's
/// standard library runs on.
fn age(started: u64) -> Option<u64> {
    let uptime = files::read(Path::new("/proc/uptime")).ok()?;
    let seconds: u64 = uptime.lossy().split('.').next()?.parse().ok()?;
    Some(seconds.saturating_sub(started / 100))
}

/// The first words of the command line, up to the first that may hold more than a name: secrets are given to programs in options.
fn words(pid: u32) -> Option<String> {
    const WORDS: usize = 3;
    let line = files::read(Path::new(&format!("/proc/{pid}/cmdline"))).ok()?;
    let mut words = line.0.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let program = words.next().filter(|word| !word.is_empty())?;
    let name = program.rsplit('/').next().unwrap_or_default().to_owned();
    let is_name = |word: &std::borrow::Cow<str>| {
        !word.is_empty() && !word.starts_with('-') && !word.contains(['=', ':', '@', '\n'])
    };
    let rest = words.take(WORDS - 1).take_while(is_name).map(std::borrow::Cow::into_owned);
    Some(std::iter::once(name).chain(rest).collect::<Vec<_>>().join(" ").chars().take(80).collect())
}

/// Whether we descend from a process.
fn is_ancestor(pid: u32) -> bool {
    let parent = |pid: &u32| stat_fields(*pid)?.get(1)?.parse::<u32>().ok().filter(|pid| *pid > 0);
    std::iter::successors(parent(&std::process::id()), parent).take(200).any(|ancestor| ancestor == pid)
}

fn deleted(seen: &Seen, device: u64, coverage: Coverage) -> Deleted {
    let mut files: BTreeMap<u64, (u64, u32, &Use, &[u8])> = BTreeMap::new();
    for process in seen.processes.iter().filter(|process| process.pid != std::process::id()) {
        for (usage, path, file) in process.gone.iter().filter(|(_, _, file)| file.device == device) {
            files.entry(file.inode).or_insert((file.occupied, process.pid, usage, path));
        }
    }
    let (inodes, bytes) = (files.len() as u64, files.values().map(|file| file.0).sum());
    let mut files: Vec<_> = files.into_values().collect();
    files.sort_by_key(|file| std::cmp::Reverse(file.0));
    let named = files.into_iter().take(NAMED).filter_map(|(bytes, pid, usage, path)| {
        let path = OsStr::from_bytes(path.strip_suffix(GONE).unwrap_or(path)).into();
        Some(DeletedFile { program: program(pid).ok()?, by: usage.clone(), path, bytes })
    });
    Deleted { files: named.collect(), inodes, bytes, coverage }
}

/// Sockets that are bound to a path or below it, as links to them read: `/proc/net/unix` of unix(7).
fn bound_sockets(path: &Path) -> BTreeSet<Vec<u8>> {
    let Ok(table) = files::read(Path::new("/proc/net/unix")) else { return BTreeSet::new() };
    let sockets = table.0.split(|byte| *byte == b'\n').filter_map(|line| {
        let start = line.iter().position(|byte| *byte == b'/')?;
        let inode = line[..start].split(u8::is_ascii_whitespace).rfind(|field| !field.is_empty())?;
        is_below(&line[start..], path).then(|| [b"socket:[", inode, b"]"].concat())
    });
    sockets.collect()
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn loop_devices(path: &Path) -> Vec<String> {
    let Ok(devices) = std::fs::read_dir("/sys/block") else { return Vec::new() };
    let used =
        devices.flatten().filter(|device| device.file_name().as_bytes().starts_with(b"loop")).filter_map(|device| {
            let file = files::read(&device.path().join("loop/backing_file")).ok()?;
            let file = file.0.strip_suffix(b"\n").unwrap_or(&file.0);
            is_below(file, path).then(|| format!("{} has its data there", device.file_name().to_string_lossy()))
        });
    used.collect()
}

fn swap_files(path: &Path) -> Vec<String> {
    let Ok(table) = files::read(Path::new("/proc/swaps")) else { return Vec::new() };
    let lines = table.0.split(|byte| *byte == b'\n').skip(1);
    let files = lines.filter_map(|line| line.split(|byte| *byte == b' ').next()).filter(|file| is_below(file, path));
    files.map(|file| format!("{} is swap space", String::from_utf8_lossy(file))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Surroundings;
    use std::process::{Child, Command, Stdio};

    /// A process that lives until the test ends.
    struct Sleeper(Child);

    impl Sleeper {
        #[expect(clippy::disallowed_methods, reason = "a process to be found")]
        fn start(script: &str, directory: &Path) -> Self {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("{script}; echo ready; read line")]).current_dir(directory);
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0; 6]).unwrap();
            Self(child)
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            drop(self.0.kill());
            drop(self.0.wait());
        }
    }

    fn machine() -> Machine {
        Machine::live(Surroundings::default(), Instant::now() + Duration::from_secs(10))
    }

    fn directory() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap();
        (directory, path)
    }

    #[test]
    fn a_working_directory_and_an_open_file_below_a_path_are_uses_of_it() {
        let (_kept, path) = directory();
        std::fs::create_dir(path.join("a")).unwrap();
        let sleeper = Sleeper::start("exec 7>file", &path.join("a"));
        let users = machine().users_of(&path).unwrap().processes;
        let found = users.iter().find(|user| user.program.pid == sleeper.0.id()).unwrap();
        assert_eq!(
            (found.uses.as_slice(), found.program.command.as_str()),
            (&[Use::WorkingDirectory, Use::Open(7)][..], "sh")
        );
        assert!(!found.program.ancestor);
    }

    #[test]
    fn a_name_that_only_begins_alike_is_no_use() {
        let (_kept, path) = directory();
        std::fs::create_dir(path.join("abc")).unwrap();
        let _sleeper = Sleeper::start(":", &path.join("abc"));
        assert_eq!(machine().users_of(&path.join("ab")).unwrap().processes, []);
    }

    #[test]
    fn a_file_without_a_name_is_found_with_who_holds_it() {
        let (_kept, path) = directory();
        let sleeper = Sleeper::start("exec 7>gone; head -c 100000 /dev/zero >&7; rm gone", &path);
        let deleted = machine().deleted_files(&path).unwrap();
        let found = deleted.files.iter().find(|file| file.program.pid == sleeper.0.id()).unwrap();
        assert_eq!(
            (path.join("gone"), Use::Open(7), true),
            (found.path.clone(), found.by.clone(), found.bytes >= 100_000)
        );
        assert!(deleted.bytes >= found.bytes && deleted.inodes >= 1);
    }

    #[test]
    fn a_socket_that_is_bound_below_a_path_is_a_use_of_it() {
        let (_kept, path) = directory();
        let socket = path.join("socket");
        let listen = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); print('ready',flush=True); input()";
        let script = format!("exec python3 -c \"{listen}\" {}", socket.display());
        let sleeper = Sleeper::start(&script, Path::new("/"));
        let users = machine().users_of(&path).unwrap().processes;
        let found = users.iter().find(|user| user.program.pid == sleeper.0.id()).unwrap();
        assert_eq!(found.uses, [Use::Socket]);
    }

    #[test]
    fn our_own_ancestors_are_told() {
        let parent = std::os::unix::process::parent_id();
        assert!(machine().program(parent).unwrap().ancestor);
    }

    #[test]
    fn a_process_that_does_not_live_is_missing() {
        assert!(machine().program(u32::MAX >> 1).unwrap_err().is_missing());
    }

    #[test]
    fn a_bind_mount_is_another_name_of_the_same_place() {
        let table = "21 1 254:0 / / rw - ext4 /dev/vda rw\n30 21 254:0 /srv/data /mnt rw - ext4 /dev/vda rw\n\
            31 21 254:0 /srv/data/in/x /in rw - ext4 /dev/vda rw\n32 21 0:9 / /srv/other rw - tmpfs x rw\n";
        let mounts = Mounts::parse(table.as_bytes());
        let place = Place::of(&mounts, Path::new("/srv/data/in")).unwrap();
        let names: Vec<_> = mounts
            .0
            .iter()
            .filter(|mount| mount.device == place.device)
            .filter_map(|mount| place.seen_through(mount))
            .collect();
        assert_eq!(names, ["/srv/data/in", "/mnt/in", "/in"].map(PathBuf::from));
    }
}
