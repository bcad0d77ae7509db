//! What the processes of the command use of what is limited for each process, read while they run: they are gone when it has failed.

use super::file;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// One process and what it uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Process id.
    pub pid: u32,
    /// Its name (`comm`, at most 15 bytes).
    pub command: String,
    /// Text of its `/proc/PID/limits` (`proc_pid_limits(5)`).
    pub limits: String,
    /// Descriptors that are open.
    pub descriptors: u64,
    /// What the first of them are, by kind: `socket`, `pipe`, `anon_inode:[eventpoll]`, or the directory of a file; most first.
    pub kinds: Vec<(String, u64)>,
    /// Address space, in bytes (`VmSize`).
    pub size: u64,
    /// Private writable memory, in bytes (`VmData`), which `RLIMIT_DATA` bounds.
    pub data: u64,
    /// Locked memory, in bytes (`VmLck`).
    pub locked: u64,
    /// Mappings; 0 where they were not counted.
    pub maps: u64,
}

/// The processes of the command, and those of its user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// The process with the most descriptors.
    pub descriptors: Option<Usage>,
    /// The process with the most address space, where it is another.
    pub memory: Option<Usage>,
    /// Processes of the command.
    pub members: u64,
    /// Threads of all processes of the own user, which `RLIMIT_NPROC` bounds.
    pub user_threads: u64,
    /// Threads of all processes that can be seen.
    pub threads: u64,
    /// Processes of the command with other limits than explain itself has, as far as they were looked at; one for each set of limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confined: Vec<Confined>,
    /// Whether the time was over before all processes were seen.
    pub cut: bool,
}

/// A process that a script, or a program, gave limits of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confined {
    /// Process id.
    pub pid: u32,
    /// Its name (`comm`, at most 15 bytes).
    pub command: String,
    /// Text of its `/proc/PID/limits` (`proc_pid_limits(5)`).
    pub limits: String,
}

/// Descriptors whose kind is looked at.
const KINDS_OF: usize = 4096;
/// Kinds that are told.
const KINDS: usize = 4;
/// Mappings are counted for a process with more address space than this, in bytes: counting takes time, and few have many.
const MANY_MAPS: u64 = 256 << 20;

/// Longest time of a look that only asks whether there is reason for another.
pub(super) const GLANCE: Duration = Duration::from_millis(2);
/// Processes that it goes through.
const GLANCED_AT: usize = 16;
/// Sets of limits that are told, and processes whose limits are read for them.
const CONFINED: usize = 4;
const CONFINED_OF: usize = 32;
/// Bytes of a page where they are smallest: what is larger only makes one look.
const PAGE: u64 = 4096;

/// Looks at all processes until the deadline: the command's own first, because they may be about to end.
#[must_use]
pub fn look(deadline: Instant) -> Family {
    let own = std::process::id();
    let pids: Vec<u32> = names(Path::new("/proc")).iter().filter_map(|name| name.parse().ok()).collect();
    // Numbers rise, but for the rare time when they begin anew: who was made later has a larger one.
    let (younger, older): (Vec<u32>, Vec<u32>) = pids.into_iter().partition(|pid| *pid > own);
    let mut all: Vec<Stat> = Vec::with_capacity(younger.len());
    let mut cut = add(&mut all, younger, deadline);
    let members = descendants(&all, own);
    // First what is gone soonest: a shell ends when it has said how its program ended.
    let confined = confined(&members);
    let descriptors = members.iter().max_by_key(|stat| descriptors(stat.pid));
    let memory = members
        .iter()
        .max_by_key(|stat| stat.size)
        .filter(|largest| descriptors.is_none_or(|other| other.pid != largest.pid));
    let mut family = Family {
        descriptors: descriptors.map(|stat| usage(stat)),
        memory: memory.map(|stat| usage(stat)),
        members: members.len() as u64,
        confined,
        ..Family::default()
    };
    cut |= add(&mut all, older, deadline);
    family.cut = cut;
    let user = nix::unistd::getuid().as_raw();
    family.user_threads = all.iter().filter(|stat| stat.uid == user).map(|stat| stat.threads).sum();
    family.threads = all.iter().map(|stat| stat.threads).sum();
    family
}

/// Whether a process of the command may have used up what it may have of descriptors, address space or processes. It costs a few reads of
/// small files and is no more than a reason to look properly.
#[must_use]
pub fn may_be_at_a_limit() -> bool {
    let deadline = Instant::now() + GLANCE;
    glanced_at(deadline).any(is_at_a_limit)
}

/// The first of the command's processes, each before those that it has started, until the deadline.
pub(super) fn glanced_at(deadline: Instant) -> impl Iterator<Item = u32> {
    let mut left = children(std::process::id());
    let next = move || {
        let pid = left.pop().filter(|_| Instant::now() < deadline)?;
        left.extend(children(pid));
        Some(pid)
    };
    std::iter::from_fn(next).take(GLANCED_AT)
}

fn is_at_a_limit(pid: u32) -> bool {
    let text = |name: &str| {
        file::read(format!("/proc/{pid}/{name}")).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let Ok(limits) = text("limits") else { return false };
    let soft = |name: &str| -> Option<u64> {
        limits.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
    };
    let pages = || text("statm").ok()?.split_whitespace().next()?.parse::<u64>().ok();
    // All threads of the machine: who may have more than there are has not used up his own.
    let threads = || file::read("/proc/loadavg").ok().and_then(|text| total_threads(&String::from_utf8_lossy(&text)));
    soft("Max open files").is_some_and(|soft| descriptors(pid) >= soft)
        || soft("Max address space").is_some_and(|soft| pages().is_some_and(|pages| pages * PAGE >= soft / 100 * 75))
        || soft("Max processes").is_some_and(|soft| threads().is_some_and(|threads| threads >= soft))
}

/// The second number of `1/412`, the fourth field of `/proc/loadavg` (`proc_loadavg(5)`): processes and threads that exist.
fn total_threads(loadavg: &str) -> Option<u64> {
    loadavg.split_whitespace().nth(3)?.split_once('/')?.1.parse().ok()
}

/// Children of a process's main thread (`proc_pid_task(5)`); none where the kernel does not tell.
fn children(pid: u32) -> Vec<u32> {
    let text = file::read(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    String::from_utf8_lossy(&text).split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Adds what is known of these processes, and tells whether the time was over before all were asked.
fn add(all: &mut Vec<Stat>, pids: Vec<u32>, deadline: Instant) -> bool {
    for pid in pids {
        if Instant::now() >= deadline {
            return true;
        }
        all.extend(stat(pid));
    }
    false
}

/// The few facts of `/proc/PID/stat` (`proc_pid_stat(5)`).
struct Stat {
    pid: u32,
    parent: u32,
    uid: u32,
    command: String,
    threads: u64,
    size: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = file::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let (head, tail) = text.rsplit_once(')')?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    Some(Stat {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        uid: owner(pid)?,
        command: head.split_once('(')?.1.to_owned(),
        threads: fields.get(17)?.parse().ok()?,
        size: fields.get(20)?.parse().ok()?,
    })
}

#[expect(clippy::disallowed_methods, reason = "below the door: the watch asks it while the command runs")]
fn owner(pid: u32) -> Option<u32> {
    std::fs::metadata(format!("/proc/{pid}")).ok().map(|found| found.uid())
}

/// Everyone below a process, without it.
fn descendants(all: &[Stat], root: u32) -> Vec<&Stat> {
    let mut known = BTreeSet::from([root]);
    let mut found: Vec<&Stat> = Vec::new();
    loop {
        let before = found.len();
        for stat in all {
            if known.contains(&stat.parent) && known.insert(stat.pid) {
                found.push(stat);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// Those whose limits are not the own ones, one for each set of limits.
fn confined(members: &[&Stat]) -> Vec<Confined> {
    let limits = |pid: &str| {
        let text = file::read(format!("/proc/{pid}/limits")).ok().filter(|text| !text.is_empty());
        text.map(|text| String::from_utf8_lossy(&text).into_owned())
    };
    let own = limits("self");
    let mut found: Vec<Confined> = Vec::new();
    for stat in members.iter().take(CONFINED_OF) {
        let Some(limits) = limits(&stat.pid.to_string()).filter(|limits| Some(limits) != own.as_ref()) else {
            continue;
        };
        if found.len() < CONFINED && found.iter().all(|known| known.limits != limits) {
            found.push(Confined { pid: stat.pid, command: stat.command.clone(), limits });
        }
    }
    found
}

/// Since Linux 6.2 the size of the directory is the number of descriptors.
#[expect(clippy::disallowed_methods, reason = "below the door: the watch asks it while the command runs")]
fn descriptors(pid: u32) -> u64 {
    let directory = PathBuf::from(format!("/proc/{pid}/fd"));
    let size = std::fs::metadata(&directory).map_or(0, |found| found.len());
    if size > 0 { size } else { names(&directory).len() as u64 }
}

fn usage(stat: &Stat) -> Usage {
    let pid = stat.pid;
    let text = |name: &str| {
        let bytes = file::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let status = text("status");
    let kibibytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').split_whitespace().next()?.parse::<u64>().ok()
    };
    let bytes = |name: &str| kibibytes(name).unwrap_or(0).saturating_mul(1024);
    Usage {
        pid,
        command: stat.command.clone(),
        limits: text("limits"),
        descriptors: descriptors(pid),
        kinds: kinds(pid),
        size: stat.size,
        data: bytes("VmData"),
        locked: bytes("VmLck"),
        maps: if stat.size > MANY_MAPS { maps(pid) } else { 0 },
    }
}

fn kinds(pid: u32) -> Vec<(String, u64)> {
    let directory = PathBuf::from(format!("/proc/{pid}/fd"));
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for name in names(&directory).iter().take(KINDS_OF) {
        if let Ok(target) = nix::fcntl::readlink(&directory.join(name)) {
            *counts.entry(kind(&target.to_string_lossy())).or_default() += 1;
        }
    }
    let mut kinds: Vec<(String, u64)> = counts.into_iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    kinds.truncate(KINDS);
    kinds
}

/// `socket:[123]` as `socket`, `/var/log/a` as `/var/log/`.
fn kind(target: &str) -> String {
    match target.split_once(':') {
        _ if target.starts_with('/') => format!("{}/", target.rsplit_once('/').map_or("", |(directory, _)| directory)),
        Some((kind @ ("socket" | "pipe"), _)) => kind.to_owned(),
        _ => target.to_owned(),
    }
}

/// Lines of `/proc/PID/maps`.
fn maps(pid: u32) -> u64 {
    use std::io::Read;
    let Ok(mut file) = std::fs::File::open(format!("/proc/{pid}/maps")) else { return 0 };
    let mut buffer = vec![0; 64 << 10];
    let mut lines = 0;
    while let Ok(length @ 1..) = file.read(&mut buffer) {
        lines += memchr::memchr_iter(b'\n', &buffer[..length]).count() as u64;
    }
    lines
}

/// Names in a directory of `/proc`; none where it may not be read or is gone.
#[expect(clippy::disallowed_methods, reason = "below the door: the watch asks it while the command runs")]
fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threads_of_the_machine_are_the_second_number_of_the_fourth_field() {
        assert_eq!(total_threads("0.20 0.18 0.12 1/412 11206\n"), Some(412));
        assert_eq!(total_threads("0.20 0.18"), None);
    }

    #[test]
    fn a_child_is_a_member_and_its_use_is_known() {
        const LOOKS: usize = 100;
        let mut child = spawn();
        let is_known = |family: &Family| {
            let usage = family.descriptors.clone().unwrap_or_default();
            usage.descriptors >= 3 && usage.size > 0 && usage.limits.contains("Max open files")
        };
        // A child of another test, which ends while it is looked at, may have more descriptors.
        let looks = std::iter::repeat_with(|| look(Instant::now() + Duration::from_secs(10)));
        let family = looks.take(LOOKS).find(is_known);
        child.kill().unwrap();
        child.wait().unwrap();
        let family = family.unwrap();
        assert!(family.members >= 1 && family.user_threads >= 2);
    }

    #[expect(clippy::disallowed_methods, reason = "a test needs a child")]
    fn spawn() -> std::process::Child {
        std::process::Command::new("sleep").arg("60").spawn().unwrap()
    }

    #[test]
    fn descendants_are_found_in_any_order_and_strangers_are_not() {
        let stat = |pid, parent| Stat { pid, parent, uid: 0, command: String::new(), threads: 1, size: 0 };
        let all = [stat(9, 7), stat(7, 5), stat(6, 1), stat(5, 1)];
        let found: Vec<u32> = descendants(&all, 5).iter().map(|stat| stat.pid).collect();
        assert_eq!(found, [7, 9]);
    }

    #[test]
    fn descriptors_are_told_by_kind_and_files_by_directory() {
        let kinds = ["socket:[123]", "pipe:[5]", "anon_inode:[eventpoll]", "/var/log/a:b", "/x"].map(kind);
        assert_eq!(kinds, ["socket", "pipe", "anon_inode:[eventpoll]", "/var/log/", "/"]);
    }

    #[test]
    fn a_look_without_time_says_that_it_was_cut() {
        assert!(look(Instant::now()).cut);
    }
}
