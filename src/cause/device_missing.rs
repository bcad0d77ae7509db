//! A device file is missing, is no device, or has no device behind it: ENOENT, ENXIO and ENODEV of open(2).

use super::setting::{self, Wrong};
use super::{Case, Cause, Fix, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::command_line;
use crate::machine::{Kind, Unknown};
use crate::sys::errno::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const ID: &str = "device-missing";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/device-missing.md"),
    suspects,
    covers: &["missing-path"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let mut suspects = setting::suspects(case, ID, is_of_device, |case, clue| Subject::Path(device(case, clue)));
    let is_meant = |path: &Path| is_device_path(path) && path != Path::new("/dev") || is_device_node(case, path);
    suspects.retain(|suspect| suspect.subject.path().is_some_and(is_meant));
    suspects
}

/// Trees below `/dev` that hold files and no devices: POSIX shared memory (`shm_overview(7)`), message queues (`mq_overview(7)`), huge pages.
const OF_FILES: [&str; 3] = ["/dev/shm", "/dev/mqueue", "/dev/hugepages"];

fn is_device_path(path: &Path) -> bool {
    path.starts_with("/dev") && !OF_FILES.iter().any(|tree| path.starts_with(tree))
}

/// Whether a device is there, wherever it lies: images and chroots have their own.
fn is_device_node(case: &Case, path: &Path) -> bool {
    case.machine.stat(path).is_ok_and(|stat| is_device(stat.kind))
}

/// ENXIO of `/dev/tty` is about the session and not about the device, tty(4).
fn is_of_device(case: &Case, clue: &Clue) -> bool {
    if clue.errno == Some(Errno::ENXIO) && clue.path.as_deref() == Some(Path::new("/dev/tty")) {
        return false;
    }
    let is_refusal = matches!(clue.errno, Some(Errno::ENOENT | Errno::ENXIO | Errno::ENODEV | Errno::ENOTTY));
    let is_it = |path: &PathBuf| {
        let is_unbacked = matches!(clue.errno, Some(Errno::ENXIO | Errno::ENODEV));
        is_device_path(path) || is_unbacked && is_device_node(case, &case.surroundings().cwd.join(path))
    };
    is_refusal && clue.path.as_ref().is_none_or(is_it)
}

/// The device that the command line names and that is not there, where a message has an errno and no path.
fn of_command(case: &Case, clue: &Clue) -> Option<PathBuf> {
    let is_missing = |path: &&Path| case.resolve(path).is_some_and(|found| !found.missing.as_os_str().is_empty());
    let is_it = |path: &&Path| is_missing(path) || clue.errno == Some(Errno::ENOTTY) && is_no_device(case, path);
    let named = command_line::paths_of(case.command).filter(|_| clue.errno.is_some()).map(of_address);
    named.filter(|path| path.starts_with("/dev")).find(is_it).map(Path::to_path_buf)
}

/// The file of an address of socat(1): `/dev/ttyS0,raw`, `OPEN:/dev/ttyS0,raw`.
fn of_address(word: &Path) -> &Path {
    let bytes = word.as_os_str().as_bytes();
    let begin = memchr::memmem::find(bytes, b":/dev/").map_or(0, |colon| colon + 1);
    let file = bytes[begin..].split(|byte| *byte == b',').next().unwrap_or_default();
    if file.starts_with(b"/dev/") { Path::new(OsStr::from_bytes(file)) } else { word }
}

/// Whether a file is there where a device should be: programs that open one with `O_CREAT` make it themselves.
fn is_no_device(case: &Case, path: &Path) -> bool {
    case.machine.stat(path).is_ok_and(|stat| stat.kind == Kind::Regular)
}

/// The device that the message names as its path, or that is its subject: what stands where a path stands may be words.
fn device(case: &Case, clue: &Clue) -> PathBuf {
    let path = clue.path.clone().map(|path| case.surroundings().cwd.join(path));
    let subject = || clue.subject.as_ref().map(PathBuf::from).filter(|subject| subject.starts_with("/dev"));
    let named = path.clone().filter(|path| path.starts_with("/dev")).or_else(subject);
    named.or(path).or_else(|| of_command(case, clue)).unwrap_or_default()
}

fn is_named(clue: &Clue) -> bool {
    clue.path.is_some() || clue.subject.is_some()
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(path) = suspect.subject.path() else { return Verdict::Unknown("no device is named".into()) };
    let errno = suspect.clue.and_then(|index| case.clues[index].errno);
    let fine = format!("{} is a device", path.display());
    let wrong = match case.machine.stat(path) {
        Ok(stat) if is_device(stat.kind) && matches!(errno, Some(Errno::ENXIO | Errno::ENODEV)) => {
            Some(unbacked(case, path))
        }
        Ok(stat) if is_device(stat.kind) => None,
        // A link leads on, as /dev/fd does; a directory holds devices.
        Ok(stat) if stat.kind != Kind::Regular => None,
        Ok(_) => Some(no_device(case, path)),
        Err(unknown) if unknown.is_missing() => Some(missing(case, path)),
        Err(unknown) => return unknown_verdict(&unknown),
    };
    let verdict = setting::verdict(case, wrong, &fine, &format!("the device {} was missing", path.display()));
    let is_named = suspect.clue.is_none_or(|index| is_named(&case.clues[index]));
    let is_told = errno == Some(Errno::ENOTTY) && is_no_device(case, path);
    if is_named || is_told { verdict } else { setting::less_sure(verdict) }
}

fn is_device(kind: Kind) -> bool {
    matches!(kind, Kind::CharacterDevice | Kind::BlockDevice)
}

fn unknown_verdict(unknown: &Unknown) -> Verdict {
    Verdict::Unknown(unknown.to_string())
}

fn missing(case: &Case, path: &Path) -> Wrong {
    let shown = path.display();
    let mut fixes = Vec::new();
    if let Some((_, module)) = MODULES.iter().find(|(device, _)| path == Path::new(device)) {
        fixes.push(Fix::now(case.as_root(&format!("modprobe {module}")), "where the kernel has it as a module"));
    }
    fixes.push(Fix { text: format!("in a container: start it with --device {shown}"), command: None, lasting: true });
    Wrong {
        headline: format!("there is no device {shown}"),
        fact: format!("{shown} does not exist: its driver is not loaded, or this container was not given it"),
        check: format!("ls -l {}", case.quoted(path)),
        fixes,
    }
}

/// Devices whose driver is often a module, and the module.
const MODULES: &[(&str, &str)] = &[
    ("/dev/fuse", "fuse"),
    ("/dev/kvm", "kvm"),
    ("/dev/loop-control", "loop"),
    ("/dev/net/tun", "tun"),
    ("/dev/snd", "snd"),
    ("/dev/vhost-net", "vhost_net"),
    ("/dev/uinput", "uinput"),
];

fn no_device(case: &Case, path: &Path) -> Wrong {
    let shown = path.display();
    Wrong {
        headline: format!("{shown} is an ordinary file, not a device"),
        fact: format!("{shown} is a regular file: somebody wrote to it when the device was not there"),
        check: format!("ls -l {}", case.quoted(path)),
        fixes: vec![Fix::now(
            case.as_root(&format!("rm {}", case.quoted(path))),
            "then make the device anew, as the boot does",
        )],
    }
}

fn unbacked(case: &Case, path: &Path) -> Wrong {
    let shown = path.display();
    Wrong {
        headline: format!("nothing is behind the device {shown}"),
        fact: format!("{shown} is there, and the kernel has no device for its number"),
        check: format!("ls -l {}; cat /proc/devices", case.quoted(path)),
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n22 21 0:5 / /dev rw - devtmpfs udev rw\n";

    #[test]
    fn a_missing_device_is_told_with_its_module() {
        let mut stage = Stage::new(TABLE);
        stage.missing("/dev/kvm");
        let finding = stage.clue(Errno::ENOENT, Operation::Read, "/dev/kvm").finding(&CAUSE, "/dev/kvm");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo modprobe kvm"));
    }

    #[test]
    fn a_regular_file_in_the_place_of_a_device_is_told() {
        let mut stage = Stage::new(TABLE);
        stage.stat("/dev/null", Kind::Regular, |_| {});
        let finding = stage.clue(Errno::ENOTTY, Operation::Read, "/dev/null").finding(&CAUSE, "/dev/null");
        assert!(finding.headline.contains("ordinary file"), "{finding:?}");
    }

    #[test]
    fn a_node_without_a_device_is_told_wherever_it_lies() {
        let mut stage = Stage::new(TABLE);
        stage.stat("/srv/root/dev/sdb", Kind::BlockDevice, |_| {}).stat("/srv/pipe", Kind::Fifo, |_| {});
        let finding =
            stage.clue(Errno::ENXIO, Operation::Read, "/srv/root/dev/sdb").finding(&CAUSE, "/srv/root/dev/sdb");
        assert_eq!(finding.headline, "nothing is behind the device /srv/root/dev/sdb");
        let mut stage = Stage::new(TABLE);
        stage.stat("/srv/pipe", Kind::Fifo, |_| {});
        stage.clue(Errno::ENXIO, Operation::Write, "/srv/pipe").assert_silent(&CAUSE);
    }

    #[test]
    fn a_device_that_is_there_is_silence() {
        let mut stage = Stage::new(TABLE);
        stage.stat("/dev/kvm", Kind::CharacterDevice, |_| {});
        stage.clue(Errno::ENOENT, Operation::Read, "/dev/kvm").assert_silent(&CAUSE);
    }

    #[test]
    fn a_missing_file_of_shared_memory_is_no_device() {
        let mut stage = Stage::new(TABLE);
        stage.missing("/dev/shm/ring");
        stage.clue(Errno::ENOENT, Operation::Read, "/dev/shm/ring").assert_silent(&CAUSE);
    }

    #[test]
    fn a_missing_file_elsewhere_is_silence() {
        let mut stage = Stage::new(TABLE);
        stage.missing("/home/u/dev");
        stage.clue(Errno::ENOENT, Operation::Read, "/home/u/dev").assert_silent(&CAUSE);
    }
}
