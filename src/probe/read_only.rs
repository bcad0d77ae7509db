//! Why a mount takes no writes: the errno is the same for an option, a damaged filesystem, a locked device and a container's
//! sandbox, and the right answer to one of them harms in another.

use super::device::{self, Device};
use super::origin::container::{Container, container};
use super::origin::{self, Said, Setting, unit};
use crate::machine::{KernelMessage, Machine};
use crate::sys::mounts::Mount;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why, with what tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The type of the filesystem has no writes (`squashfs`, `iso9660`).
    Image,
    /// An overlay without an upper directory.
    NoUpperLayer,
    /// The block device refuses writes.
    Device(Device),
    /// The kernel stopped writing when it met an error.
    Error {
        /// The device.
        device: Device,
        /// What the kernel wrote, and how long ago.
        message: Option<(KernelMessage, Duration)>,
    },
    /// The line of fstab(5) or of a mount unit that made the mount asks for it.
    Said(Said),
    /// `ro` on the kernel's command line, and nothing mounted the root filesystem anew since.
    KernelCommandLine,
    /// A read-only snapshot or subvolume of a btrfs that is mounted read-write.
    Subvolume,
    /// The filesystem takes writes, this mount of it does not, and the process runs in a container.
    Container(Container),
    /// Likewise, and the process is in this service, whose unit has a setting that makes parts of the tree read-only.
    Service(String, Setting),
    /// Likewise, without one of these.
    BindMount,
    /// The filesystem was mounted read-only, nothing says by whom.
    Option {
        /// The line that wants something else.
        unlike: Option<Said>,
    },
}

/// Filesystems that are images: made once, never written.
const IMAGES: &[&str] = &["cramfs", "erofs", "iso9660", "romfs", "squashfs"];

/// Words by which the kernel says that it stops writing: ext4, btrfs, f2fs, `VFS` of FAT and others.
const STOPS: &[&str] = &["Remounting filesystem read-only", "forced readonly", "Filesystem has been set read-only"];

/// Words by which it says that a filesystem was mounted, or mounted again with other options.
const MOUNTS: &[&str] = &["mounted filesystem", "mount of filesystem", "re-mounted"];

/// Whether a mount takes no writes at all; a read-only subvolume is another matter.
#[must_use]
pub fn is_read_only(mount: &Mount) -> bool {
    has(&mount.options, "ro") || is_filesystem_read_only(mount)
}

/// Whether the filesystem itself takes no writes, wherever it is mounted.
#[must_use]
pub fn is_filesystem_read_only(mount: &Mount) -> bool {
    has(&mount.super_options, "ro") || has(&mount.super_options, "emergency_ro")
}

fn has(options: &[String], name: &str) -> bool {
    options.iter().any(|option| option == name)
}

/// Why `directory`, which exists below `mount`, takes no writes; none where it does.
#[must_use]
pub fn reason(machine: &Machine, mount: &Mount, directory: &Path) -> Option<Reason> {
    if is_filesystem_read_only(mount) {
        return Some(of_filesystem(machine, mount));
    }
    if has(&mount.options, "ro") {
        return Some(of_mount(machine));
    }
    let in_read_only_subvolume = || machine.btrfs_subvolume(directory).is_ok_and(|subvolume| subvolume.read_only);
    (mount.fstype == "btrfs" && in_read_only_subvolume()).then_some(Reason::Subvolume)
}

fn of_filesystem(machine: &Machine, mount: &Mount) -> Reason {
    if IMAGES.contains(&mount.fstype.as_str()) {
        return Reason::Image;
    }
    if mount.fstype == "overlay" && mount.option("upperdir").is_none() {
        return Reason::NoUpperLayer;
    }
    let device = device::below(machine, mount).ok();
    if let Some(error) = device.as_ref().and_then(|device| stopped(machine, mount, device)) {
        return error;
    }
    if let Some(device) = device.as_ref().filter(|device| device.is_read_only(machine) == Ok(true)) {
        return Reason::Device(device.clone());
    }
    match origin::of_mount(machine, mount).options {
        Some(said) if asks_for_it(&said) => Reason::Said(said),
        _ if mount.point == Path::new("/") && boots_read_only(machine) => Reason::KernelCommandLine,
        unlike => device
            .filter(|device| counted_errors(machine, mount, device))
            .map_or(Reason::Option { unlike }, |device| Reason::Error { device, message: None }),
    }
}

/// The error that made the kernel stop, by its own word for that state (ext4 since Linux 6.15) or by its log.
fn stopped(machine: &Machine, mount: &Mount, device: &Device) -> Option<Reason> {
    let message = stop_message(machine, device);
    let is_stopped = has(&mount.super_options, "emergency_ro") || message.is_some();
    is_stopped.then(|| Reason::Error { device: device.clone(), message })
}

/// The kernel's message, unless the device was mounted anew since: then it is about an earlier mount, or about another disk.
fn stop_message(machine: &Machine, device: &Device) -> Option<(KernelMessage, Duration)> {
    let words: Vec<&str> = STOPS.iter().chain(MOUNTS).copied().collect();
    let log = machine.kernel_log(&words).ok()?;
    let last = log.messages.iter().rev().find(|message| names(&message.text, &device.name))?;
    let stops = STOPS.iter().any(|word| last.text.contains(word));
    stops.then(|| (last.clone(), log.age(last)))
}

/// Whether ext4 counted errors and was told to stop at the first: what is left of it when the log is out of reach.
fn counted_errors(machine: &Machine, mount: &Mount, device: &Device) -> bool {
    let count = machine.read(&PathBuf::from(format!("/sys/fs/ext4/{}/errors_count", device.name)));
    count.is_ok_and(|count| count.lossy().trim() != "0") && mount.option("errors") == Some("remount-ro")
}

/// Whether a message is about this device: `(loop1)` or `(device loop1 …`, and not `loop10`.
#[must_use]
pub fn names(message: &str, device: &str) -> bool {
    let is_name = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    message.match_indices(device).any(|(at, _)| {
        let bytes = message.as_bytes();
        let before = at.checked_sub(1).map(|before| bytes[before]);
        !is_name(before) && !is_name(bytes.get(at + device.len()).copied().filter(|byte| *byte != b'-'))
    })
}

fn boots_read_only(machine: &Machine) -> bool {
    let line = machine.read(Path::new("/proc/cmdline"));
    line.is_ok_and(|line| line.lossy().split_whitespace().any(|word| word == "ro"))
}

/// The last of `ro` and `rw` counts, mount(8).
fn asks_for_it(said: &Said) -> bool {
    said.options.split(',').map(str::trim).rfind(|option| matches!(*option, "ro" | "rw")) == Some("ro")
}

fn of_mount(machine: &Machine) -> Reason {
    let container = || container(machine).filter(|_| has_layered_root(machine)).map(Reason::Container);
    service(machine).or_else(container).unwrap_or(Reason::BindMount)
}

/// Whether the root filesystem is one that container runtimes make: layers, or a directory of another filesystem. Virtual
/// machines that were made of container images keep the marks of a container and make their mounts themselves.
fn has_layered_root(machine: &Machine) -> bool {
    let root = machine.mounts().at(Path::new("/"));
    root.is_some_and(|root| root.fstype == "overlay" || root.root != Path::new("/"))
}

/// Settings of a service that make parts of the tree read-only, systemd.exec(5).
const SETTINGS: &[&str] =
    &["ProtectSystem", "ReadOnlyPaths", "BindReadOnlyPaths", "ProtectHome", "DynamicUser", "ProtectKernelTunables"];

fn service(machine: &Machine) -> Option<Reason> {
    let name = service_name(machine)?;
    let unit = unit::of_name(machine, &name)?;
    let is_on = |setting: &&Setting| !matches!(setting.value.as_str(), "no" | "false" | "off" | "0");
    let setting = SETTINGS.iter().find_map(|key| unit.setting("Service", key).filter(is_on))?;
    Some(Reason::Service(name, setting.clone()))
}

/// The service that the process runs in, from its cgroup (`/proc/self/cgroup`, cgroups(7)).
fn service_name(machine: &Machine) -> Option<String> {
    let groups = machine.read(Path::new("/proc/self/cgroup")).ok()?;
    let groups = groups.lossy();
    let mut names = groups.lines().filter_map(|line| line.rsplit('/').next());
    names.find(|name| Path::new(name).extension().is_some_and(|kind| kind == "service")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_message_names_a_device_as_a_whole_word() {
        assert!(names("EXT4-fs (loop1): Remounting filesystem read-only", "loop1"));
        assert!(names("BTRFS info (device dm-0 state EA): forced readonly", "dm-0"));
        assert!(names("EXT4-fs error (device loop0-8)", "loop0"));
        assert!(!names("EXT4-fs (loop10): Remounting filesystem read-only", "loop1"));
        assert!(!names("EXT4-fs (xloop1): Remounting filesystem read-only", "loop1"));
    }
}
