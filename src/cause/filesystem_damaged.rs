//! A filesystem or the disk below it is damaged: the errno says so (EUCLEAN, EBADMSG) or says that reading failed (EIO), and the error
//! counters of the filesystem or the kernel's log have its device.

use super::refused;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::command_line;
use crate::machine::Machine;
use crate::probe::device::{self, Device};
use crate::probe::ext::is_ext;
use crate::probe::read_only::names;
use crate::sys::errno::Errno;
use crate::sys::mounts::Mount;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ID: &str = "filesystem-damaged";
/// A message of the kernel that is younger is about what the command has just met.
const RECENT: Duration = Duration::from_secs(5);
/// Words of the kernel's messages about damage: of the block layer, ext4, XFS and btrfs.
const WORDS: &[&str] = &["I/O error", "EXT4-fs error", "corruption", "Corruption", "csum failed"];

/// Words by which it says that a filesystem was mounted or unmounted, which begin with a small or a large letter.
const MOUNTS: &[&str] = &["ounted filesystem", "ount of filesystem", "nmounting ", "ounting V"];
/// How a filesystem's own messages begin, and its type.
const SPEAKERS: &[(&str, &str)] = &[("EXT4-fs", "ext"), ("XFS (", "xfs"), ("BTRFS", "btrfs")];

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/filesystem-damaged.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let spoken = refused::messages(case).filter(|(_, clue)| is_about(clue));
    let suspects = |(index, clue): (usize, &Clue)| {
        let mounts = paths(case, clue).into_iter().filter_map(|path| mount_of(case, path));
        let points: BTreeSet<PathBuf> = mounts.map(|mount| mount.point.clone()).collect();
        points.into_iter().map(move |point| Suspect { subject: Subject::Path(point), clue: Some(index), touched: true })
    };
    spoken.flat_map(suspects).collect()
}

/// What a message is about: the path that it names, or what the command line names where it names none.
fn paths<'a>(case: &'a Case, clue: &'a Clue) -> Vec<&'a Path> {
    match &clue.path {
        Some(path) => vec![path],
        None if case.mode == Mode::Log => Vec::new(),
        None => command_line::paths_of(case.command).filter(|path| path.components().count() > 1).collect(),
    }
}

/// The mount of a path; what is damaged may not even be walked.
fn mount_of<'a>(case: &Case<'a>, path: &Path) -> Option<&'a Mount> {
    case.mount_of(path).or_else(|| case.mounts.holding(&case.surroundings().cwd.join(path)))
}

fn is_about(clue: &Clue) -> bool {
    clue.errno.map_or_else(|| clue.suspects(ID), |errno| matches!(errno, Errno::EIO) || is_damage(errno))
}

/// Whether only a damaged filesystem answers so.
fn is_damage(errno: Errno) -> bool {
    matches!(errno, Errno::EUCLEAN | Errno::EBADMSG)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(mount) = suspect.subject.path().and_then(|point| case.mounts.at(point)) else {
        return Verdict::Unknown("the mount is gone".into());
    };
    let device = device::below(case.machine, mount).ok();
    let signs = device.as_ref().map(|device| signs(case.machine, mount, device)).unwrap_or_default();
    let says_damage = suspect.clue.and_then(|index| case.clues[index].errno).is_some_and(is_damage);
    let is_fresh = device.as_ref().is_some_and(|device| is_told_just_now(case.machine, mount, device));
    let is_named = suspect.clue.is_some_and(|index| case.clues[index].path.is_some());
    let confidence = match (says_damage || is_fresh, signs.is_empty()) {
        (true, false) if case.mode == Mode::Run && is_named => Confidence::Verified,
        (_, false) => Confidence::Likely,
        _ if case.mode == Mode::Log => Confidence::Possible,
        _ => return Verdict::Unknown("neither error counters nor the kernel's log show damage".into()),
    };
    Verdict::Found(Box::new(found(case, mount, device.as_ref(), signs, confidence)))
}

/// What the machine has on record about the filesystem and its device.
fn signs(machine: &Machine, mount: &Mount, device: &Device) -> Vec<Evidence> {
    let counted = if is_ext(mount) { counted_by_ext4(machine, device) } else { counted_by_btrfs(machine, device) };
    counted.into_iter().chain(said_by_kernel(machine, mount, device)).collect()
}

/// Errors since the last check, kept in the superblock, `Documentation/ABI/testing/sysfs-fs-ext4`.
fn counted_by_ext4(machine: &Machine, device: &Device) -> Option<Evidence> {
    let file = PathBuf::from(format!("/sys/fs/ext4/{}/errors_count", device.name));
    let count: u64 = machine.read(&file).ok()?.lossy().trim().parse().ok()?;
    let text = format!("{} is {count}: errors since the last check", file.display());
    (count > 0).then(|| Evidence::probe(text).check(format!("cat {}", file.display())))
}

/// Counters of each device, `fs/btrfs/sysfs.c`; `btrfs device stats` shows the same.
fn counted_by_btrfs(machine: &Machine, device: &Device) -> Option<Evidence> {
    let all = Path::new("/sys/fs/btrfs");
    let listing = machine.list(all).ok()?;
    let filesystems = listing.entries.iter().map(|entry| all.join(&entry.name));
    let own = filesystems.into_iter().find(|own| machine.stat(&own.join("devices").join(&device.name)).is_ok())?;
    let devices = machine.list(&own.join("devinfo")).ok()?;
    devices.entries.iter().find_map(|entry| {
        let file = own.join("devinfo").join(&entry.name).join("error_stats");
        let stats = machine.read(&file).ok()?;
        let counted = stats
            .lossy()
            .lines()
            .find(|line| line.rsplit(' ').next().is_some_and(|count| count.parse().is_ok_and(|count: u64| count > 0)))?
            .to_owned();
        Some(Evidence::probe(format!("{}: {counted}", file.display())).check(format!("cat {}", file.display())))
    })
}

/// The kernel's last message about errors of the device, and its age. One from before the last mount is about what was on it then: a loop
/// device or a disk may hold another filesystem since. So is one of another type of filesystem.
fn last_message(machine: &Machine, mount: &Mount, device: &Device) -> Option<(String, Duration)> {
    let words: Vec<&str> = WORDS.iter().chain(MOUNTS).copied().collect();
    let log = machine.kernel_log(&words).ok()?;
    let message = log.messages.iter().rev().find(|message| names(&message.text, &device.name))?;
    let is_of_mounting = MOUNTS.iter().any(|word| message.text.contains(word));
    let speaker = SPEAKERS.iter().find(|(speaker, _)| message.text.contains(speaker));
    let is_of_another = speaker.is_some_and(|(_, fstype)| !mount.fstype.starts_with(fstype));
    (!is_of_mounting && !is_of_another).then(|| (message.text.clone(), log.age(message)))
}

/// Whether the kernel told of an error when the command met EIO: then it is the same error.
fn is_told_just_now(machine: &Machine, mount: &Mount, device: &Device) -> bool {
    last_message(machine, mount, device).is_some_and(|(_, age)| age < RECENT)
}

fn said_by_kernel(machine: &Machine, mount: &Mount, device: &Device) -> Option<Evidence> {
    let (text, age) = last_message(machine, mount, device)?;
    let age = humantime::format_duration(Duration::from_secs(age.as_secs()));
    let check = format!("dmesg -T | grep -w {}", crate::text::shell_word(&device.name));
    Some(Evidence::probe(format!("the kernel's log, {age} ago: {text}")).check(check))
}

fn found(case: &Case, mount: &Mount, device: Option<&Device>, signs: Vec<Evidence>, confidence: Confidence) -> Finding {
    let point = mount.point.display();
    let on = device.map_or_else(String::new, |device| format!(" on {}", device.node.display()));
    let (may, seen) = if signs.is_empty() { ("may be damaged", None) } else { ("has met errors", Some(Seen::Now)) };
    Finding {
        confidence,
        seen,
        headline: format!("the filesystem at {point} {may}"),
        summary: format!("The {} at {point}{on} {may}: what is on it may be lost or wrong.", mount.fstype),
        evidence: signs,
        fixes: device.map(|device| fixes(case, mount, device)).unwrap_or_default(),
    }
}

/// To save the data, then to look at the disk, then to check; never to repair what is mounted.
fn fixes(case: &Case, mount: &Mount, device: &Device) -> Vec<Fix> {
    let (point, node) = (case.quoted(&mount.point), case.quoted(&device.node));
    let mut fixes = vec![Fix::lasting("save what matters from it first; an error of the medium comes back")];
    let is_disk = !["loop", "dm-", "md", "zram", "nbd", "ram"].iter().any(|kind| device.name.starts_with(kind));
    if is_disk {
        fixes.push(Fix::now(
            case.as_root(&format!("smartctl -H {node}")),
            "what the disk says of itself (package smartmontools)",
        ));
    }
    if mount.point == Path::new("/") {
        let text = "boot once with fsck.mode=force on the kernel's command line: a root filesystem is repaired at boot";
        fixes.push(Fix::lasting(text));
        return fixes;
    }
    let repair = match mount.fstype.as_str() {
        "btrfs" => format!("btrfs check --readonly {node}"),
        "xfs" => format!("xfs_repair -n {node}"),
        _ => format!("fsck -f {node}"),
    };
    fixes.push(Fix::now(case.as_root(&format!("umount {point}")), "nothing may use it"));
    fixes.push(Fix::now(case.as_root(&repair), "shows the damage, where it is not mounted"));
    fixes
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::{KernelLog, KernelMessage, Kind, Unknown};

    fn stage(kind: &str) -> Stage {
        let mut stage =
            Stage::new(&format!("21 1 254:0 / / rw - ext4 /dev/vda rw\n40 21 254:16 / /srv rw - {kind} /dev/vdb rw\n"));
        stage.knows("readlink /sys/dev/block/254:16", Ok::<_, Unknown>("../../devices/virtual/block/vdb"));
        stage.stat("/srv/file", Kind::Regular, |_| {}).file("/sys/fs/ext4/vdb/errors_count", "0\n");
        stage
    }

    fn logs(stage: &mut Stage, texts: &[&str], age: u64) {
        let message = |text: &&str| KernelMessage { at_us: 1, level: 3, text: (*text).to_owned() };
        let words: Vec<&str> = WORDS.iter().chain(MOUNTS).copied().collect();
        let log = KernelLog { now_us: age * 1_000_000 + 1, messages: texts.iter().map(message).collect() };
        stage.knows(&format!("kernel-log {}", words.join("|")), Ok(log));
    }

    #[test]
    fn counted_errors_prove_what_the_errno_says() {
        let mut stage = stage("ext4");
        stage.file("/sys/fs/ext4/vdb/errors_count", "3\n").clue(Errno::EUCLEAN, Operation::Read, "/srv/file");
        let finding = stage.finding(&CAUSE, "/srv");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.fixes.iter().any(|fix| fix.command.as_deref() == Some("sudo fsck -f /dev/vdb")), "{finding:?}");
    }

    #[test]
    fn the_kernels_log_of_that_moment_proves_a_failed_read_and_an_older_one_makes_it_likely() {
        for (age, confidence) in [(2, Confidence::Verified), (60, Confidence::Likely)] {
            let mut stage = stage("xfs");
            logs(&mut stage, &["I/O error, dev vdb, sector 8 op 0x0:(READ)"], age);
            let finding = stage.clue(Errno::EIO, Operation::Read, "/srv/file").finding(&CAUSE, "/srv");
            assert_eq!(finding.confidence, confidence);
        }
    }

    #[test]
    fn what_the_device_held_before_is_not_this_filesystem() {
        const ERROR: &str =
            "EXT4-fs error (device vdb): ext4_find_entry:1624: inode #12: checksumming directory block 0";
        for (kind, texts) in [
            ("btrfs", &[ERROR][..]),
            ("ext4", &[ERROR, "EXT4-fs (vdb): mounted filesystem with ordered data mode. Quota mode: none."]),
            ("ext4", &[ERROR, "EXT4-fs (vdb): unmounting filesystem."]),
        ] {
            let mut stage = stage(kind);
            logs(&mut stage, texts, 60);
            stage.clue(Errno::EIO, Operation::Read, "/srv/file").assert_silent(&CAUSE);
        }
    }

    #[test]
    fn counters_of_btrfs_are_read_for_its_device() {
        let mut stage = stage("btrfs");
        stage.kinds("/sys/fs/btrfs", &[("features", Kind::Directory), ("u", Kind::Directory)]);
        stage.missing("/sys/fs/btrfs/features/devices/vdb").stat("/sys/fs/btrfs/u/devices/vdb", Kind::Symlink, |_| {});
        stage.kinds("/sys/fs/btrfs/u/devinfo", &[("1", Kind::Directory)]);
        stage.file("/sys/fs/btrfs/u/devinfo/1/error_stats", "write_errs 0\ncorruption_errs 2\n");
        let finding = stage.clue(Errno::EIO, Operation::Read, "/srv/file").finding(&CAUSE, "/srv");
        assert!(finding.evidence[0].text.ends_with("corruption_errs 2"), "{finding:?}");
    }

    #[test]
    fn a_log_alone_is_possible() {
        let mut stage = stage("ext4");
        stage.mode = Mode::Log;
        stage.clue(Errno::EUCLEAN, Operation::Read, "/srv/file");
        assert_eq!(stage.finding(&CAUSE, "/srv").confidence, Confidence::Possible);
    }

    #[test]
    fn a_failed_read_without_a_trace_of_damage_is_silence() {
        stage("ext4").clue(Errno::EIO, Operation::Read, "/srv/file").assert_silent(&CAUSE);
    }

    #[test]
    fn errors_of_another_device_are_silence() {
        let mut stage = stage("xfs");
        logs(&mut stage, &["I/O error, dev vdbx, sector 8"], 2);
        stage.clue(Errno::EIO, Operation::Read, "/srv/file").assert_silent(&CAUSE);
    }

    #[test]
    fn another_errno_on_a_filesystem_with_counted_errors_is_silence() {
        let mut stage = stage("ext4");
        stage.file("/sys/fs/ext4/vdb/errors_count", "3\n").clue(Errno::ENOENT, Operation::Read, "/srv/file");
        stage.assert_silent(&CAUSE);
    }
}
