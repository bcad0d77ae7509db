//! EBUSY: something uses what is to be unmounted, removed, renamed or opened alone. The message never says who; the machine does.

use super::refused;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, holder};
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::machine::{Kind, Program, User};
use crate::probe::holders::{duration, named, unseen};
use crate::sys::errno::Errno;
use crate::sys::mounts::Mount;
use nix::sys::stat::{major, minor};
use std::path::{Path, PathBuf};

const ID: &str = "busy";
/// Holders that are told.
const HOLDERS: usize = 3;

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/busy.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let spoken = refused::messages(case).filter(|(_, clue)| is_about(clue));
    let suspect = |(index, clue): (usize, &Clue)| {
        places(case, clue).into_iter().map(move |place| Suspect {
            subject: Subject::Path(place),
            clue: Some(index),
            touched: true,
        })
    };
    spoken.flat_map(suspect).collect()
}

fn is_about(clue: &Clue) -> bool {
    clue.errno.map_or_else(|| clue.suspects(ID), |errno| errno == Errno::EBUSY)
}

/// What a message names; where it names nothing, the one path of the command line that is in use.
fn places(case: &Case, clue: &Clue) -> Vec<PathBuf> {
    if names_a_path(clue) {
        let paths = [&clue.path, &clue.other_path].into_iter().flatten();
        return paths.filter_map(|path| existing(case, path)).collect();
    }
    if case.mode == Mode::Log || clue.errno != Some(Errno::EBUSY) {
        return Vec::new();
    }
    let is_unmount = clue.operation == Some(Operation::Mount);
    let mut places: Vec<PathBuf> =
        command_line::paths_of(case.command).filter_map(|path| existing(case, path)).collect();
    places.sort();
    places.dedup();
    places.retain(|place| hold(case, place, is_unmount).is_ok());
    if places.len() == 1 { places } else { Vec::new() }
}

fn names_a_path(clue: &Clue) -> bool {
    clue.path.is_some() || clue.other_path.is_some()
}

/// Where a path leads; in a log also where there is no such file.
fn existing(case: &Case, path: &Path) -> Option<PathBuf> {
    let found = case.resolve(path).filter(|found| found.missing.as_os_str().is_empty()).map(|found| found.existing);
    found.or_else(|| (case.mode == Mode::Log).then(|| refused::absolute(case, path)))
}

/// What uses it.
enum Hold<'a> {
    /// It is a mount point itself, and was to be removed or renamed.
    Mounted(&'a Mount),
    /// Mounts that lie on the one to be unmounted.
    Below(Vec<&'a Mount>),
    /// The device is mounted.
    Device(&'a Mount),
    /// Processes.
    Processes(Vec<User>),
    /// The kernel, in its own words: swap, a loop device.
    Kernel(Vec<String>),
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(path) = suspect.subject.path() else { return Verdict::Unknown("no path".into()) };
    let is_unmount = suspect.clue.is_some_and(|index| case.clues[index].operation == Some(Operation::Mount));
    match hold(case, path, is_unmount) {
        Ok(hold) => {
            if let Some(later) = all_later(case, &hold) {
                return Verdict::RuledOut(later);
            }
            let mut finding = found(case, path, &hold);
            if !suspect.clue.is_some_and(|index| names_a_path(&case.clues[index])) {
                finding.confidence = finding.confidence.min(Confidence::Likely);
            }
            Verdict::Found(Box::new(finding))
        }
        Err(_) if case.mode == Mode::Log && suspect.clue.is_some() => Verdict::Found(Box::new(possible(path))),
        Err(Some(why)) => Verdict::Unknown(why),
        Err(None) => Verdict::RuledOut("nobody uses it now".into()),
    }
}

/// Why nobody of them is what a saved log speaks of.
fn all_later(case: &Case, hold: &Hold) -> Option<String> {
    let Hold::Processes(users) = hold else { return None };
    let later: Option<Vec<String>> = users.iter().map(|user| holder::came_later(case, &user.program)).collect();
    later?.into_iter().next()
}

/// Who holds it; else why that could not be seen, where not all could.
fn hold<'a>(case: &Case<'a>, path: &Path, is_unmount: bool) -> Result<Hold<'a>, Option<String>> {
    if let Some(mount) = case.mounts.at(path) {
        return if is_unmount { of_mount(case, mount) } else { Ok(Hold::Mounted(mount)) };
    }
    let stat = case.machine.stat(path).map_err(|unknown| Some(unknown.to_string()))?;
    let numbers = (major(stat.represents), minor(stat.represents));
    let is_it = |mount: &&Mount| (u64::from(mount.device.0), u64::from(mount.device.1)) == numbers;
    if let Some(mount) = case.mounts.0.iter().find(is_it).filter(|_| stat.kind == Kind::BlockDevice) {
        return Ok(Hold::Device(mount));
    }
    // Directories and files are in nobody's way by being open: only a device, and what the network keeps for its last user.
    let is_held_by_use = matches!(stat.kind, Kind::BlockDevice | Kind::CharacterDevice) || is_silly_renamed(path);
    let users = case.machine.users_of(path).map_err(|unknown| Some(unknown.to_string()))?;
    if !users.kernel.is_empty() {
        return Ok(Hold::Kernel(users.kernel));
    }
    if is_held_by_use && !users.processes.is_empty() {
        return Ok(Hold::Processes(users.processes));
    }
    Err(unseen(&users.coverage).filter(|_| is_held_by_use))
}

/// Whether NFS kept a removed file under such a name because somebody has it open (`fs/nfs/unlink.c`).
fn is_silly_renamed(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".nfs"))
}

/// What keeps a mount from being unmounted: mounts on it, processes in it, loop devices and swap on its files.
fn of_mount<'a>(case: &Case<'a>, mount: &'a Mount) -> Result<Hold<'a>, Option<String>> {
    let below: Vec<&Mount> = case.mounts.0.iter().filter(|other| lies_on(case, other, mount)).collect();
    if !below.is_empty() {
        return Ok(Hold::Below(below));
    }
    let users = case.machine.users_of(&mount.point).map_err(|unknown| Some(unknown.to_string()))?;
    // Who reaches the same files through another mount does not hold this one.
    let mut processes = users.processes;
    processes.retain(|user| user.path.starts_with(&mount.point));
    if !processes.is_empty() {
        return Ok(Hold::Processes(processes));
    }
    let own = format!(" is mounted at {}", mount.point.display());
    let kernel: Vec<String> = users.kernel.into_iter().filter(|user| !user.ends_with(&own)).collect();
    if kernel.is_empty() { Err(unseen(&users.coverage)) } else { Ok(Hold::Kernel(kernel)) }
}

fn lies_on(case: &Case, other: &Mount, mount: &Mount) -> bool {
    let parent = |one: &&Mount| case.mounts.0.iter().find(|parent| parent.id == one.parent);
    other.id != mount.id
        && std::iter::successors(parent(&other), parent).take(case.mounts.0.len()).any(|above| above.id == mount.id)
}

fn found(case: &Case, path: &Path, hold: &Hold) -> Finding {
    let at = path.display();
    let (headline, summary) = words(path, hold);
    // That a device is open elsewhere may be allowed.
    let is_sure = !matches!(hold, Hold::Processes(_)) || case.mounts.at(path).is_some() || is_silly_renamed(path);
    let confidence = if is_sure && case.mode == Mode::Run { Confidence::Verified } else { Confidence::Likely };
    Finding {
        confidence,
        seen: Some(Seen::Now),
        headline: format!("{at} is in use: {headline}"),
        summary,
        evidence: evidence(case, path, hold),
        fixes: fixes(case, path, hold),
    }
}

fn words(path: &Path, hold: &Hold) -> (String, String) {
    let at = path.display();
    match hold {
        Hold::Mounted(mount) => (
            format!("{} is mounted there", mount.fstype),
            format!("{at} is a mount point ({}): it cannot be removed or renamed while it is one.", mount.fstype),
        ),
        Hold::Below(mounts) => {
            let first = mounts[0].point.display();
            let more = if mounts.len() > 1 { format!(" and {} more mounts", mounts.len() - 1) } else { String::new() };
            (
                format!("{first}{more} is mounted on it"),
                format!("{first}{more} is mounted below {at}, so that it cannot be unmounted alone."),
            )
        }
        Hold::Device(mount) => (
            format!("it is mounted at {}", mount.point.display()),
            format!("{at} is mounted at {}, so that nothing else may have it.", mount.point.display()),
        ),
        Hold::Processes(users) => {
            let who = named(&users[0].program);
            let more = if users.len() > 1 { format!(" and {} more", users.len() - 1) } else { String::new() };
            (format!("{who}{more}"), format!("{who}{more} uses {at}, among it {}.", users[0].path.display()))
        }
        Hold::Kernel(uses) => (uses[0].clone(), format!("The kernel itself uses {at}: {}.", uses.join("; "))),
    }
}

fn evidence(case: &Case, path: &Path, hold: &Hold) -> Vec<Evidence> {
    let word = case.quoted(path);
    match hold {
        Hold::Mounted(mount) | Hold::Device(mount) => {
            let text = format!(
                "{} is mounted at {} ({})",
                mount.source.to_string_lossy(),
                mount.point.display(),
                mount.fstype
            );
            vec![Evidence::probe(text).check(format!("findmnt {}", case.quoted(&mount.point)))]
        }
        Hold::Below(mounts) => {
            let points: Vec<String> =
                mounts.iter().take(HOLDERS).map(|mount| mount.point.display().to_string()).collect();
            vec![Evidence::probe(format!("mounted on it: {}", points.join(", "))).check(format!("findmnt -R {word}"))]
        }
        Hold::Processes(users) => {
            let option = if case.mounts.at(path).is_some() { "-vm" } else { "-v" };
            let check = case.as_root(&format!("fuser {option} {word}"));
            users
                .iter()
                .take(HOLDERS)
                .map(|user| Evidence::probe(used(&user.program, &user.path)).check(check.clone()))
                .collect()
        }
        Hold::Kernel(uses) => uses.iter().take(HOLDERS).map(Evidence::probe).collect(),
    }
}

fn used(program: &Program, path: &Path) -> String {
    format!("{}, started {} ago, uses {}", named(program), duration(program.age), path.display())
}

fn fixes(case: &Case, path: &Path, hold: &Hold) -> Vec<Fix> {
    let unmount = |options: &str, point: &Path| case.as_root(&format!("umount {options}{}", case.quoted(point)));
    match hold {
        Hold::Mounted(mount) | Hold::Device(mount) => {
            vec![Fix::now(unmount("", &mount.point), "where nothing needs it any more")]
        }
        Hold::Below(_) => vec![Fix::now(unmount("-R ", path), "unmounts what lies on it first")],
        Hold::Processes(users) => {
            let mut fixes: Vec<Fix> = users
                .iter()
                .filter(|user| user.program.ancestor)
                .take(1)
                .map(|_| Fix::now("cd /", "in the shell that runs this command, where its working directory is there"))
                .collect();
            fixes.extend(
                users
                    .iter()
                    .take(HOLDERS)
                    .flat_map(|user| holder::fixes(case, &user.program, "waits until it has ended")),
            );
            fixes
        }
        Hold::Kernel(uses) if uses.iter().any(|user| user.contains("swap")) => {
            vec![Fix::now(
                case.as_root(&format!("swapoff {}", case.quoted(path))),
                "where memory is left for what is in it",
            )]
        }
        Hold::Kernel(_) => Vec::new(),
    }
}

fn possible(path: &Path) -> Finding {
    let at = path.display();
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("{at} may have been in use"),
        summary: format!("The output says that {at} was in use; here nothing that can be seen uses it."),
        evidence: Vec::new(),
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::{Coverage, Use, Users};

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n40 21 254:16 / /mnt rw - ext4 /dev/vdb rw\n";

    fn users(pid: Option<u32>, path: &str, kernel: &[&str], coverage: Coverage) -> Users {
        let user = |pid| {
            let program = Program { pid, uid: 0, command: "sleep 9".into(), age: 65, ancestor: false };
            User { program, uses: vec![Use::Open(1)], path: path.into() }
        };
        let kernel = kernel.iter().map(|words| (*words).to_owned()).collect();
        Users { processes: pid.into_iter().map(user).collect(), kernel, coverage }
    }

    fn stage(operation: Operation, path: &str, who: Users) -> Stage {
        let mut stage = Stage::new(TABLE).by_root();
        stage.knows(&format!("users {path}"), Ok(who)).clue(Errno::EBUSY, operation, path);
        stage
    }

    fn nobody() -> Users {
        users(None, "", &["/dev/vdb is mounted at /mnt"], Coverage::default())
    }

    #[test]
    fn who_keeps_a_mount_is_named() {
        let mut stage = stage(Operation::Mount, "/mnt", users(Some(7), "/mnt/log", &[], Coverage::default()));
        stage.knows("read /proc/7/cgroup", Ok(crate::text::Bytes(b"0::/user.slice\n".to_vec())));
        let finding = stage.finding(&CAUSE, "/mnt");
        assert_eq!(finding.headline, "/mnt is in use: sleep 9 (pid 7)");
        assert_eq!(finding.confidence, Confidence::Verified);
    }

    #[test]
    fn a_mount_on_the_mount_is_unmounted_with_it() {
        let mut stage = Stage::new(&format!("{TABLE}41 40 0:30 / /mnt/t rw - tmpfs tmpfs rw\n")).by_root();
        let finding = stage.clue(Errno::EBUSY, Operation::Mount, "/mnt").finding(&CAUSE, "/mnt");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("umount -R /mnt"));
    }

    #[test]
    fn a_mount_point_is_neither_removed_nor_renamed() {
        for operation in [Operation::Remove, Operation::Rename] {
            let finding = stage(operation, "/mnt", nobody()).finding(&CAUSE, "/mnt");
            assert_eq!(finding.headline, "/mnt is in use: ext4 is mounted there");
        }
    }

    #[test]
    fn a_mounted_device_is_nobody_elses() {
        let mut stage = stage(Operation::Create, "/dev/vdb", nobody());
        stage.directory("/dev").stat("/dev/vdb", Kind::BlockDevice, |stat| stat.represents = libc::makedev(254, 16));
        assert_eq!(stage.finding(&CAUSE, "/dev/vdb").headline, "/dev/vdb is in use: it is mounted at /mnt");
    }

    #[test]
    fn a_device_that_a_process_has_open_is_likely_kept_by_it() {
        let mut stage =
            stage(Operation::Read, "/dev/ttyUSB0", users(Some(7), "/dev/ttyUSB0", &[], Coverage::default()));
        stage.directory("/dev").stat("/dev/ttyUSB0", Kind::CharacterDevice, |_| {});
        assert_eq!(stage.finding(&CAUSE, "/dev/ttyUSB0").confidence, Confidence::Likely);
    }

    #[test]
    fn a_swap_file_is_the_kernels() {
        let mut stage =
            stage(Operation::Write, "/swap", users(None, "", &["it is used for swap"], Coverage::default()));
        stage.stat("/swap", Kind::Regular, |_| {});
        assert_eq!(stage.finding(&CAUSE, "/swap").fixes[0].command.as_deref(), Some("swapoff /swap"));
    }

    #[test]
    fn a_mount_that_nobody_uses_is_silence() {
        stage(Operation::Mount, "/mnt", nobody()).assert_silent(&CAUSE);
    }

    #[test]
    fn what_cannot_be_seen_is_not_claimed() {
        let hidden = Coverage { unreadable: 2, ..Coverage::default() };
        stage(Operation::Mount, "/mnt", users(None, "", &[], hidden)).assert_silent(&CAUSE);
    }

    #[test]
    fn who_has_an_ordinary_file_open_is_in_nobodys_way() {
        let mut stage = stage(Operation::Remove, "/home/u/x", users(Some(7), "/home/u/x", &[], Coverage::default()));
        stage.stat("/home/u/x", Kind::Regular, |_| {}).assert_silent(&CAUSE);
    }

    #[test]
    fn another_errno_is_silence() {
        let mut stage = stage(Operation::Remove, "/mnt", nobody());
        stage.clues[0].errno = Some(Errno::ENOTEMPTY);
        stage.assert_silent(&CAUSE);
    }
}
