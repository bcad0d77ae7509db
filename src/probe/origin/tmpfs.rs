//! The limits of a RAM filesystem and what the kernel takes where nobody sets them, tmpfs(5).

use super::config::{Line, fragments, last, settings};
use super::{Origin, Said};
use crate::machine::Machine;
use crate::sys::mounts::Mount;
use crate::text::{grouped, size};
use std::path::{Path, PathBuf};

/// A size or number as the kernel and systemd write it: with `k`, `m`, `g`, `t`, or as a percentage of `whole`.
#[must_use]
pub fn parse_size(text: &str, whole: u64) -> Option<u64> {
    let text = text.trim();
    if let Some(percent) = text.strip_suffix('%') {
        return Some(whole / 100 * percent.trim().parse::<u64>().ok()?);
    }
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match text[digits.len()..].bytes().next().map(|letter| letter.to_ascii_lowercase()) {
        None => 0,
        Some(b'k') => 10,
        Some(b'm') => 20,
        Some(b'g') => 30,
        Some(b't') => 40,
        Some(_) => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// RAM that the kernel manages, in bytes (`MemTotal`, `proc_meminfo(5)`).
fn memory(machine: &Machine) -> Option<u64> {
    let meminfo = machine.read(Path::new("/proc/meminfo")).ok()?;
    let text = meminfo.lossy();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

/// A limit of a tmpfs that nobody set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Default {
    /// The limit that is in force.
    limit: u64,
    /// What the kernel would take now.
    now: u64,
    /// RAM of which the limit is half.
    fits: u64,
    memory: u64,
}

impl Origin {
    /// How the kernel came to the limit (`size` or `nr_inodes`) of a tmpfs that its maker does not set, as a clause: `the kernel's default is
    /// half of the RAM: …`. None where the maker sets it, or nothing is known.
    #[must_use]
    pub fn default_says(&self, machine: &Machine, mount: &Mount, name: &str) -> Option<String> {
        let unset = self.options.as_ref().is_none_or(|said| said.option(name).is_none());
        if !mount.is_tmpfs() || !unset || !matches!(self.maker, super::Maker::Unit(_) | super::Maker::Fstab(_)) {
            return None;
        }
        let space = machine.space(&mount.point).ok()?;
        let memory = memory(machine)?;
        let page = space.block_size.max(1);
        match name {
            "nr_inodes" => {
                let default =
                    Default { limit: space.inodes, now: memory / page / 2, fits: space.inodes * 2 * page, memory };
                default.says("one inode for every second page of RAM", &grouped(space.inodes))
            }
            "size" => {
                let default = Default { limit: space.bytes(), now: memory / 2, fits: space.bytes() * 2, memory };
                default.says("half of the RAM", &size(space.bytes()))
            }
            _ => None,
        }
    }
}

impl Default {
    /// The default is taken when the filesystem is mounted, and stays when memory is added or taken later.
    fn says(self, rule: &str, limit: &str) -> Option<String> {
        let is_near = self.limit.abs_diff(self.now) <= self.now / 50;
        let ram = size(self.memory);
        if is_near {
            return Some(format!("the kernel's default is {rule}: {limit} of {ram}"));
        }
        (self.limit < self.now).then(|| {
            let then = size(self.fits);
            format!("the kernel's default is {rule} at the time of the mount: {limit} fits {then}; the machine has {ram} now")
        })
    }
}

/// Where the mount has another limit than its maker was told: that it has, as the end of a sentence.
pub(super) fn contradiction(said: &Said, mount: &Mount, names: &[&str]) -> String {
    let differs = |name: &&&str| {
        let (Some(told), Some(has)) = (said.option(name), mount.option(name)) else { return false };
        // A percentage is of the RAM at the time of the mount, which is not known.
        let (told, has) = (parse_size(told, 0), parse_size(has, 0));
        told.is_some_and(|told| told > 0) && told.zip(has).is_some_and(|(told, has)| told.abs_diff(has) > 65_536)
    };
    let Some(name) = names.iter().filter(|_| mount.is_tmpfs()).find(differs) else { return String::new() };
    let has = mount.option(name).unwrap_or_default();
    format!(", but {name}={has} is in force: it was remounted, or the file changed since")
}

/// What logind.conf says of the size of `/run/user/UID`, logind.conf(5).
pub(super) fn logind(machine: &Machine) -> Option<Said> {
    const DIRECTORIES: [&str; 4] = ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];
    let main = DIRECTORIES.iter().map(|directory| Path::new(directory).join("logind.conf"));
    let main = main.into_iter().find(|file| machine.stat(file).is_ok());
    let drop_ins: Vec<PathBuf> =
        DIRECTORIES.iter().map(|directory| Path::new(directory).join("logind.conf.d")).collect();
    let files = main.into_iter().chain(fragments(machine, &drop_ins, ".conf"));
    let settings: Vec<_> = files.flat_map(|file| settings(machine, &file)).collect();
    let options = [("RuntimeDirectorySize", "size"), ("RuntimeDirectoryInodesMax", "nr_inodes")];
    let said: Vec<(String, Line)> = options
        .iter()
        .filter_map(|(key, option)| {
            let setting = last(&settings, "Login", key)?;
            Some((format!("{option}={}", setting.value), setting.line.clone()))
        })
        .collect();
    let line = said.first()?.1.clone();
    Some(Said { options: said.into_iter().map(|(option, _)| option).collect::<Vec<_>>().join(","), line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_the_kernel_reads_them() {
        let read = |text| parse_size(text, 1000);
        let known = [
            ("1G", Some(1 << 30)),
            ("1048576k", Some(1 << 30)),
            ("50%", Some(500)),
            ("7", Some(7)),
            ("x", None),
            ("1z", None),
        ];
        for (text, bytes) in known {
            assert_eq!(read(text), bytes, "{text}");
        }
    }
}
