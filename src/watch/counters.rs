//! Reading the kernel's counters: `/proc/vmstat` and the events of the own cgroup, cgroups(7).

use super::Counters;
use crate::sys::file;
use crate::sys::mounts::{Mount, Mounts};
use std::path::{Path, PathBuf};

/// Where the own cgroup's counters are.
#[derive(Default)]
pub struct Sources {
    memory: Option<PathBuf>,
    pids: Option<PathBuf>,
}

impl Sources {
    /// Finds them in the mount table, for both versions of cgroups.
    pub fn find(mounts: &Mounts) -> Self {
        let Ok(groups) = file::read("/proc/self/cgroup") else { return Self::default() };
        let groups = String::from_utf8_lossy(&groups);
        let of = |controller: &str| groups.lines().find_map(|line| group_of(line, controller, mounts));
        let (first, second) = (("memory.oom_control", "memory"), ("pids.events", "pids"));
        Self {
            memory: second_version(&groups, mounts, "memory.events").or_else(|| Some(of(first.1)?.join(first.0))),
            pids: second_version(&groups, mounts, "pids.events").or_else(|| Some(of(second.1)?.join(second.0))),
        }
    }

    /// Processes in the own pids cgroup and in each above it, by directory (`pids.current`).
    pub fn processes(&self) -> Vec<(String, u64)> {
        let own = self.pids.as_deref().and_then(Path::parent);
        let count = |group: &Path| {
            let text = file::read(group.join("pids.current")).ok()?;
            let count = std::str::from_utf8(&text).ok()?.trim().parse().ok()?;
            Some((group.to_string_lossy().into_owned(), count))
        };
        own.into_iter().flat_map(Path::ancestors).map_while(count).collect()
    }

    /// Reads them all.
    pub fn read(&self) -> Counters {
        let number = |path: Option<&PathBuf>, name: &str| value(&file::read(path?).ok()?, name);
        Counters {
            oom_kill: file::read("/proc/vmstat").ok().and_then(|text| value(&text, "oom_kill")),
            cgroup_oom_kill: number(self.memory.as_ref(), "oom_kill"),
            cgroup_pids_max: number(self.pids.as_ref(), "max"),
        }
    }
}

/// The directory of a `ID:CONTROLLERS:PATH` line of version 1.
fn group_of(line: &str, controller: &str, mounts: &Mounts) -> Option<PathBuf> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    if !controllers.split(',').any(|name| name == controller) {
        return None;
    }
    let mount = mounts.0.iter().find(|mount| mount.fstype == "cgroup" && mount.option(controller).is_some())?;
    Some(below(mount, path))
}

/// A file of the group of version 2, where that version has the controller.
fn second_version(groups: &str, mounts: &Mounts, name: &str) -> Option<PathBuf> {
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mount = mounts.0.iter().find(|mount| mount.fstype == "cgroup2")?;
    let found = below(mount, path).join(name);
    file::read(&found).is_ok().then_some(found)
}

/// A container often sees its own group as the root of the mount, and the path still as the host has it.
fn below(mount: &Mount, path: &str) -> PathBuf {
    let path = Path::new(path);
    let rest = path.strip_prefix(&mount.root).or_else(|_| path.strip_prefix("/")).unwrap_or(path);
    mount.point.join(rest)
}

/// The number behind a name at the beginning of a line.
fn value(text: &[u8], name: &str) -> Option<u64> {
    text.split(|byte| *byte == b'\n').find_map(|line| {
        let number = line.strip_prefix(name.as_bytes())?.strip_prefix(b" ")?;
        std::str::from_utf8(number).ok()?.trim().parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_the_number_behind_its_whole_name() {
        let text = b"oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
        assert_eq!((value(text, "oom_kill"), value(text, "max")), (Some(3), None));
    }

    #[test]
    fn a_group_is_found_below_its_mount_in_a_container_too() {
        let mounts = Mounts::parse(
            b"30 21 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n31 21 0:28 /docker/x /cg/memory rw - cgroup cgroup rw,memory\n",
        );
        assert_eq!(group_of("4:pids:/a/b", "pids", &mounts), Some("/sys/fs/cgroup/pids/a/b".into()));
        assert_eq!(group_of("5:memory:/docker/x/y", "memory", &mounts), Some("/cg/memory/y".into()));
        assert_eq!(group_of("5:cpu,cpuacct:/", "memory", &mounts), None);
    }
}
