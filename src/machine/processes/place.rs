//! A path as other processes see it: in another mount namespace the same place may have another name.

use crate::machine::files;
use crate::sys::mounts::{Mount, Mounts};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A path as the place in a filesystem that it means, the same from every mount table.
pub struct Place {
    device: (u32, u32),
    inside: PathBuf,
}

impl Place {
    /// The place of a path in these mounts.
    pub fn of(mounts: &Mounts, path: &Path) -> Option<Self> {
        let mount = mounts.holding(path)?;
        Some(Self { device: mount.device, inside: mount.root.join(path.strip_prefix(&mount.point).ok()?) })
    }
}

/// Every path that leads a process there, or to a part of what is there.
pub fn names(place: Option<&Place>, pid: u32, path: &Path) -> Vec<PathBuf> {
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

/// Whether a link of `/proc` leads to a path or below it.
pub fn is_below(link: &[u8], name: &Path) -> bool {
    let name = name.as_os_str().as_bytes();
    link.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest[0] == b'/' || name == b"/")
}

#[cfg(test)]
mod tests {
    use super::*;

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
