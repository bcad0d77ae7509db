//! What a scenario needs of the machine, and what becomes of it where that is missing: a skip is said by name, never silent.

use super::has_program;
use crate::skipped::skip;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One thing that a scenario cannot do without.
pub enum Need {
    /// Root, with the right to make mount and pid namespaces.
    Root,
    /// A program in the usual directories.
    Program(&'static str),
    /// A file that a package brings.
    File(&'static str),
    /// A filesystem that can be made in a file and mounted: the kernel's part, loop devices and `mkfs`.
    Filesystem(&'static str),
    /// A locale as `locale -a` lists it.
    Locale(&'static str),
    /// A control group with this controller, in either version.
    Group(&'static str),
}

/// Why a need is not met.
pub struct Missing {
    /// In words.
    pub reason: String,
    /// Whether root on Debian could change that.
    pub avoidable: bool,
}

/// Whether every need is met; says by name what is skipped, and panics where that must not be.
pub fn met(scenario: &str, needs: &[Need]) -> bool {
    let Some(missing) = missing(needs) else { return true };
    skip(scenario, &missing.reason, missing.avoidable);
    false
}

/// The first need that is not met.
pub fn missing(needs: &[Need]) -> Option<Missing> {
    needs.iter().find_map(Need::missing)
}

impl Need {
    fn missing(&self) -> Option<Missing> {
        match self {
            Self::Root => root_missing(),
            Self::Program(name) => program_missing(name),
            Self::File(path) => {
                let reason = format!("{path} is not installed");
                (!Path::new(path).exists()).then_some(Missing { reason, avoidable: true })
            }
            Self::Filesystem(name) => program_missing(&format!("mkfs.{name}")).or_else(|| filesystem_missing(name)),
            Self::Locale(name) => locale_missing(name),
            Self::Group(controller) => group_missing(controller),
        }
    }
}

fn root_missing() -> Option<Missing> {
    if !nix::unistd::geteuid().is_root() {
        return Some(Missing { reason: "needs root".into(), avoidable: true });
    }
    let tried = Command::new("unshare").args(["--mount", "--pid", "--fork", "--mount-proc", "true"]).output();
    match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Some(Missing { reason: format!("no namespace of its own: {}", said.trim()), avoidable: false })
        }
        Err(error) => Some(Missing { reason: format!("unshare cannot be run: {error}"), avoidable: true }),
    }
}

fn program_missing(name: &str) -> Option<Missing> {
    let reason = format!("{name} is not installed");
    (!has_program(name)).then_some(Missing { reason, avoidable: true })
}

/// The directory below which groups with a controller can be made: version 1 has one for each controller.
fn groups(controller: &str) -> Option<PathBuf> {
    let first = Path::new("/sys/fs/cgroup").join(controller);
    let enabled = std::fs::read_to_string("/sys/fs/cgroup/cgroup.subtree_control").unwrap_or_default();
    let second = enabled.split_whitespace().any(|name| name == controller).then(|| PathBuf::from("/sys/fs/cgroup"));
    if first.is_dir() { Some(first) } else { second }
}

fn group_missing(controller: &str) -> Option<Missing> {
    let missing = |reason| Some(Missing { reason, avoidable: false });
    let Some(groups) = groups(controller) else {
        return missing(format!("no {controller} controller of control groups"));
    };
    let tried = groups.join(format!("explain-need-{}", std::process::id()));
    if let Err(error) = std::fs::create_dir(&tried) {
        return missing(format!("no control group can be made: {error}"));
    }
    // Nobody is in it: it goes at once.
    std::fs::remove_dir(&tried).err().and_then(|error| missing(format!("a control group stays: {error}")))
}

fn locale_missing(name: &str) -> Option<Missing> {
    let listed = Command::new("locale").arg("-a").output();
    let is_there = listed.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).lines().any(|line| line == name));
    (!is_there).then(|| Missing { reason: format!("the locale {name} is not installed"), avoidable: true })
}

fn filesystem_missing(name: &str) -> Option<Missing> {
    if !Path::new("/dev/loop-control").exists() {
        return Some(Missing { reason: "no loop devices".into(), avoidable: false });
    }
    let reason = format!("the kernel has no {name}");
    (!kernel_has(name)).then_some(Missing { reason, avoidable: false })
}

/// Whether the kernel has a filesystem, by `/proc/filesystems` (`proc_filesystems(5)`) or by a module that can be loaded.
pub fn kernel_has(name: &str) -> bool {
    let listed = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    listed.lines().any(|line| line.split_whitespace().last() == Some(name))
        || Command::new("modprobe").args(["--quiet", name]).status().is_ok_and(|status| status.success())
}
