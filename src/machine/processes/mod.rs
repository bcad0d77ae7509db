//! Processes and what they have open. `/proc` is walked once an explanation; every question is answered from that walk
//! with what concerns it alone, so that a report does not carry the process table.

mod kernel;
mod place;
mod program;
mod seen;

use super::{Answer, Machine, files};
use crate::sys::procfs::Process;
use place::{Place, is_below, names};
pub use program::Program;
use program::program;
pub(super) use seen::Seen;
use seen::{GONE, SeenProcess};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

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

/// Files and processes that are named one by one.
const NAMED: usize = 20;

/// Inode number of the first PID namespace (`PROC_PID_INIT_INO`, `include/linux/proc_ns.h`).
const FIRST_PID_NAMESPACE: &[u8] = b"pid:[4026531836]";

impl Machine {
    /// Who uses a path or anything below it, which must be absolute and without links. Processes in other mount namespaces
    /// count by the place in the filesystem, whatever path it has there.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn users_of(&self, path: &Path) -> Answer<Users> {
        self.ask_slowly(&format!("users {}", path.display()), || {
            let seen = self.seen()?;
            let kernel = kernel::users(self, path);
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
        match self.processes.get() {
            Some(seen) => Ok(seen),
            None => Seen::now().map(|seen| self.processes.get_or_init(|| seen)),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Surroundings;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

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
}
