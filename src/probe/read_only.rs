//! Why a mount takes no writes: the errno is the same for an option, a damaged filesystem, a locked device and a container's
//! sandbox, and the right answer to one of them harms in another.

use super::device::{self, Device};
use super::fstab::{self, Line};
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
    /// A line of fstab(5) asks for it.
    Fstab(Line),
    /// `ro` on the kernel's command line, and nothing mounted the root filesystem anew since.
    KernelCommandLine,
    /// A read-only snapshot or subvolume of a btrfs that is mounted read-write.
    Subvolume,
    /// The filesystem takes writes, this mount of it does not, and the process runs in a container.
    Container,
    /// Likewise, and the process is in a service whose unit has such settings.
    Unit(UnitSetting),
    /// Likewise, without one of these.
    BindMount,
    /// The filesystem was mounted read-only, nothing says by whom.
    Option {
        /// The fstab line that wants something else.
        unlike: Option<Line>,
    },
}

/// A setting of a service that makes a part of its file tree read-only, systemd.exec(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitSetting {
    /// The unit's name.
    pub unit: String,
    /// The file.
    pub file: PathBuf,
    /// Line in the file, from 1.
    pub line: usize,
    /// The setting as it is written.
    pub setting: String,
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
    match fstab::line_for(machine, &mount.point) {
        Some(line) if line.is_read_only() => Reason::Fstab(line),
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

fn of_mount(machine: &Machine) -> Reason {
    if is_container(machine) {
        return Reason::Container;
    }
    unit_setting(machine).map_or(Reason::BindMount, Reason::Unit)
}

/// Docker and Podman leave a file in their containers; systemd-nspawn, LXC and Podman set a variable.
fn is_container(machine: &Machine) -> bool {
    let marks = ["/.dockerenv", "/run/.containerenv"];
    machine.surroundings().var("container").is_some() || marks.iter().any(|mark| machine.stat(mark.as_ref()).is_ok())
}

/// Where unit files lie, the ones that win first: systemd.unit(5).
const UNIT_DIRECTORIES: &[&str] = &[
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// Settings that make parts of the tree read-only.
const SETTINGS: &[&str] = &[
    "ProtectSystem=",
    "ProtectHome=",
    "ReadOnlyPaths=",
    "BindReadOnlyPaths=",
    "DynamicUser=",
    "ProtectKernelTunables=",
];

fn unit_setting(machine: &Machine) -> Option<UnitSetting> {
    let unit = unit(machine)?;
    let fragment = UNIT_DIRECTORIES
        .iter()
        .map(|directory| Path::new(directory).join(&unit))
        .find_map(|file| setting_in(machine, &unit, file));
    let drop_ins = UNIT_DIRECTORIES.iter().map(|directory| Path::new(directory).join(format!("{unit}.d")));
    let dropped = drop_ins.filter_map(|directory| Some((machine.list(&directory).ok()?, directory))).find_map(
        |(listing, directory)| {
            listing.entries.iter().find_map(|entry| setting_in(machine, &unit, directory.join(&entry.name)))
        },
    );
    dropped.or(fragment)
}

/// The service that the process runs in, from its cgroup (`/proc/self/cgroup`, cgroups(7)).
fn unit(machine: &Machine) -> Option<String> {
    let groups = machine.read(Path::new("/proc/self/cgroup")).ok()?;
    let groups = groups.lossy();
    let mut names = groups.lines().filter_map(|line| line.rsplit('/').next());
    names.find(|name| Path::new(name).extension().is_some_and(|kind| kind == "service")).map(str::to_owned)
}

fn setting_in(machine: &Machine, unit: &str, file: PathBuf) -> Option<UnitSetting> {
    let text = machine.read(&file).ok()?;
    let text = text.lossy();
    let (index, setting) =
        text.lines().enumerate().find(|(_, line)| SETTINGS.iter().any(|name| line.starts_with(name)))?;
    Some(UnitSetting { unit: unit.to_owned(), line: index + 1, setting: setting.trim().to_owned(), file })
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
