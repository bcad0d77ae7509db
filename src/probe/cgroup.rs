//! Control groups that limit processes or memory: the own one and those above it, cgroups(7),
//! `Documentation/admin-guide/cgroup-v2.rst` and `cgroup-v1/` of the kernel.

use crate::machine::Machine;
use std::path::{Path, PathBuf};

/// A control group with a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its directory.
    pub directory: PathBuf,
    /// The file there that holds the limit.
    pub file: &'static str,
    /// The limit: processes and threads, or bytes.
    pub most: u64,
    /// What it has now.
    pub current: Option<u64>,
}

impl Group {
    /// The file that holds the limit.
    #[must_use]
    pub fn limit_file(&self) -> PathBuf {
        self.directory.join(self.file)
    }

    /// The unit of systemd that the group belongs to, where it does.
    #[must_use]
    pub fn unit(&self) -> Option<String> {
        let name = self.directory.file_name()?.to_string_lossy().into_owned();
        let kind = name.rsplit_once('.')?.1;
        ["service", "scope", "slice"].contains(&kind).then_some(name)
    }
}

/// Files of a controller: the limit, and what there is.
struct Files {
    controller: &'static str,
    first: [&'static str; 2],
    second: [&'static str; 2],
}

const PIDS: Files =
    Files { controller: "pids", first: ["pids.max", "pids.current"], second: ["pids.max", "pids.current"] };
const MEMORY: Files = Files {
    controller: "memory",
    first: ["memory.limit_in_bytes", "memory.usage_in_bytes"],
    second: ["memory.max", "memory.current"],
};

/// Version 1 writes "no limit" as the largest number of pages, in bytes.
const NO_LIMIT: u64 = 1 << 60;

/// Groups that limit processes and threads, the own first; empty where there are none or they cannot be found.
#[must_use]
pub fn of_processes(machine: &Machine) -> Vec<Group> {
    limited(machine, &PIDS)
}

/// Groups that limit memory in bytes, likewise.
#[must_use]
pub fn of_memory(machine: &Machine) -> Vec<Group> {
    limited(machine, &MEMORY)
}

/// The own group of the memory controller.
#[must_use]
pub fn own_of_memory(machine: &Machine) -> Option<PathBuf> {
    directories(machine, MEMORY.controller).map(|found| found.own)
}

/// The name of that group as the kernel's log has it; in a container that hides it, `/`.
#[must_use]
pub fn own_name_of_memory(machine: &Machine) -> Option<String> {
    let groups = machine.read(Path::new("/proc/self/cgroup")).ok()?;
    let text = groups.lossy();
    let first = text.lines().find_map(|line| path_of(line, MEMORY.controller));
    first.or_else(|| text.lines().find_map(|line| line.strip_prefix("0::"))).map(str::to_owned)
}

/// The path of a `ID:CONTROLLERS:PATH` line of version 1 that has the controller.
fn path_of<'a>(line: &'a str, controller: &str) -> Option<&'a str> {
    let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
    controllers.split(',').any(|name| name == controller).then_some(path)
}

fn limited(machine: &Machine, files: &Files) -> Vec<Group> {
    let Some(found) = directories(machine, files.controller) else { return Vec::new() };
    let [limit, current] = if found.is_first_version { files.first } else { files.second };
    let within = found.own.ancestors().take_while(|directory| directory.starts_with(&found.top));
    within.filter_map(|directory| group(machine, directory, limit, current)).collect()
}

fn group(machine: &Machine, directory: &Path, limit: &'static str, current: &str) -> Option<Group> {
    let number = |name: &str| {
        let bytes = machine.read(&directory.join(name)).ok()?;
        bytes.lossy().trim().parse::<u64>().ok()
    };
    let most = number(limit).filter(|most| *most < NO_LIMIT)?;
    Some(Group { directory: directory.to_owned(), file: limit, most, current: number(current) })
}

struct Directories {
    /// The own group.
    own: PathBuf,
    /// The mount point that it is below.
    top: PathBuf,
    is_first_version: bool,
}

/// A container often sees its own group as the root of the mount, and the path still as the host has it.
fn directories(machine: &Machine, controller: &str) -> Option<Directories> {
    let groups = machine.read(Path::new("/proc/self/cgroup")).ok()?;
    let text = groups.lossy();
    let mounts = &machine.mounts().0;
    let first = text.lines().find_map(|line| path_of(line, controller));
    let mount = match first {
        Some(_) => mounts.iter().find(|mount| mount.fstype == "cgroup" && mount.option(controller).is_some())?,
        None => mounts.iter().find(|mount| mount.fstype == "cgroup2")?,
    };
    let path = Path::new(first.or_else(|| text.lines().find_map(|line| line.strip_prefix("0::")))?);
    let rest = path.strip_prefix(&mount.root).or_else(|_| path.strip_prefix("/")).unwrap_or(path);
    Some(Directories { own: mount.point.join(rest), top: mount.point.clone(), is_first_version: first.is_some() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Record, Surroundings};
    use crate::text::Bytes;

    fn machine(mounts: &str, files: &[(&str, &str)]) -> Machine {
        let mut record = Record::default();
        record.put("mounts", &Ok(Bytes(mounts.into())));
        for (path, text) in files {
            record.put(&format!("read {path}"), &Ok(Bytes((*text).into())));
        }
        Machine::played(Surroundings::default(), record)
    }

    #[test]
    fn the_own_group_and_those_above_it_are_found_in_version_two() {
        let machine = machine(
            "30 21 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            &[
                ("/proc/self/cgroup", "0::/user.slice/session.scope\n"),
                ("/sys/fs/cgroup/user.slice/session.scope/pids.max", "max\n"),
                ("/sys/fs/cgroup/user.slice/pids.max", "100\n"),
                ("/sys/fs/cgroup/user.slice/pids.current", "99\n"),
            ],
        );
        let directory = "/sys/fs/cgroup/user.slice".into();
        assert_eq!(of_processes(&machine), [Group { directory, file: "pids.max", most: 100, current: Some(99) }]);
    }

    #[test]
    fn the_own_group_of_version_one_is_found_in_a_container() {
        let machine = machine(
            "30 21 0:27 /docker/x /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
            &[("/proc/self/cgroup", "8:pids:/docker/x\n0::/\n"), ("/sys/fs/cgroup/pids/pids.max", "20\n")],
        );
        assert_eq!(of_processes(&machine).first().map(|group| group.most), Some(20));
    }

    #[test]
    fn without_a_limit_there_is_no_group() {
        let mounts = "30 21 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(of_processes(&machine(mounts, &[("/proc/self/cgroup", "0::/\n")])), []);
        assert_eq!(of_processes(&machine("", &[])), []);
    }

    #[test]
    fn version_one_has_other_names_for_memory_and_a_number_for_no_limit() {
        let mounts = "30 21 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        let files = [
            ("/proc/self/cgroup", "4:memory:/a/b\n0::/\n"),
            ("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n"),
            ("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "67108864\n"),
        ];
        let groups = of_memory(&machine(mounts, &files));
        assert_eq!(groups.iter().map(|group| group.most).collect::<Vec<_>>(), [64 << 20]);
        assert_eq!(groups[0].limit_file(), Path::new("/sys/fs/cgroup/memory/a/memory.limit_in_bytes"));
    }
}
