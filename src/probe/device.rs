//! The block device below a filesystem: the kernel's messages and `/sys` call it by a name that the mount table does not have.

use crate::machine::{Answer, Machine, Unknown};
use crate::sys::mounts::Mount;
use nix::sys::stat::{major, minor};
use std::path::{Path, PathBuf};

/// A block device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Major and minor number.
    pub numbers: (u64, u64),
    /// The kernel's name, such as `sda1`, `dm-0`, `loop3`.
    pub name: String,
    /// What the mount table calls it, such as `/dev/mapper/vg-home`.
    pub node: PathBuf,
}

/// The device that a filesystem is on.
///
/// # Errors
/// [`Unknown::Unsupported`] for a filesystem without one (tmpfs, overlay, network); else those of its node or of `/sys`.
pub fn below(machine: &Machine, mount: &Mount) -> Answer<Device> {
    let node = PathBuf::from(&mount.source);
    // Filesystems over several devices (btrfs) show an anonymous number in the table, and a device as their source.
    let numbers = if mount.device.0 == 0 { numbers_of(machine, &node)? } else { widened(mount.device) };
    let place = machine.read_link(&sys(numbers))?;
    let name = place.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| Unknown::Unsupported("no such device in /sys".into()))?;
    Ok(Device { numbers, name, node })
}

fn widened((major, minor): (u32, u32)) -> (u64, u64) {
    (major.into(), minor.into())
}

fn numbers_of(machine: &Machine, node: &Path) -> Answer<(u64, u64)> {
    if !node.starts_with("/dev") {
        return Err(Unknown::Unsupported("it is not on a block device".into()));
    }
    let node = super::path::resolve(machine, machine.mounts(), node)?.existing;
    let represents = machine.stat(&node)?.represents;
    Ok((major(represents), minor(represents)))
}

fn sys((major, minor): (u64, u64)) -> PathBuf {
    format!("/sys/dev/block/{major}:{minor}").into()
}

impl Device {
    /// A file of the device's directory in `/sys` (`Documentation/ABI/stable/sysfs-block`), without white space around.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn attribute(&self, machine: &Machine, name: &str) -> Answer<String> {
        Ok(machine.read(&sys(self.numbers).join(name))?.lossy().trim().to_owned())
    }

    /// Whether the kernel writes nothing to it, as `blockdev --getro` tells.
    ///
    /// # Errors
    /// Where `/sys` does not tell.
    pub fn is_read_only(&self, machine: &Machine) -> Answer<bool> {
        self.attribute(machine, "ro").map(|flag| flag == "1")
    }
}
