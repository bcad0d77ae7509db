//! The pids controller: how many processes and threads the own control group and those above it may have,
//! `Documentation/admin-guide/cgroup-v2.rst` ("PID") and `cgroup-v1/pids.rst` of the kernel.

use crate::machine::Machine;
use std::path::{Path, PathBuf};

/// A control group with a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its directory.
    pub directory: PathBuf,
    /// How many it may have (`pids.max`).
    pub most: u64,
    /// How many it has now (`pids.current`).
    pub current: Option<u64>,
}

/// The own group and those above it that have a limit, the own first; empty where there are none or they cannot be found.
#[must_use]
pub fn groups(machine: &Machine) -> Vec<Group> {
    let Some((own, top)) = own_directory(machine) else { return Vec::new() };
    let within = own.ancestors().take_while(|directory| directory.starts_with(&top));
    within.filter_map(|directory| group(machine, directory)).collect()
}

fn group(machine: &Machine, directory: &Path) -> Option<Group> {
    let number = |name: &str| {
        let bytes = machine.read(&directory.join(name)).ok()?;
        bytes.lossy().trim().parse::<u64>().ok()
    };
    Some(Group { directory: directory.to_owned(), most: number("pids.max")?, current: number("pids.current") })
}

/// The directory of the own group, and the mount point that it is below. A container often sees its own group as the root of the
/// mount, and the path still as the host has it.
fn own_directory(machine: &Machine) -> Option<(PathBuf, PathBuf)> {
    let groups = machine.read(Path::new("/proc/self/cgroup")).ok()?;
    let text = groups.lossy();
    let mounts = &machine.mounts().0;
    let first = text.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers.split(',').any(|name| name == "pids").then_some(path)
    });
    let (mount, path) = match first {
        Some(path) => (mounts.iter().find(|mount| mount.fstype == "cgroup" && mount.option("pids").is_some())?, path),
        None => (
            mounts.iter().find(|mount| mount.fstype == "cgroup2")?,
            text.lines().find_map(|line| line.strip_prefix("0::"))?,
        ),
    };
    let path = Path::new(path);
    let rest = path.strip_prefix(&mount.root).or_else(|_| path.strip_prefix("/")).unwrap_or(path);
    Some((mount.point.join(rest), mount.point.clone()))
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
        assert_eq!(groups(&machine), [Group { directory, most: 100, current: Some(99) }]);
    }

    #[test]
    fn the_own_group_of_version_one_is_found_in_a_container() {
        let machine = machine(
            "30 21 0:27 /docker/x /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
            &[("/proc/self/cgroup", "8:pids:/docker/x\n0::/\n"), ("/sys/fs/cgroup/pids/pids.max", "20\n")],
        );
        assert_eq!(groups(&machine).first().map(|group| group.most), Some(20));
    }

    #[test]
    fn without_a_limit_there_is_no_group() {
        let mounts = "30 21 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(groups(&machine(mounts, &[("/proc/self/cgroup", "0::/\n")])), []);
        assert_eq!(groups(&machine("", &[])), []);
    }
}
