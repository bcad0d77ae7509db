//! A file cannot be renamed or hard-linked from one mount to another (EXDEV), also where both show the same filesystem; overlayfs says the
//! same of directories that come from a lower layer, btrfs of its subvolumes.

use super::refused;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::machine::{Kind, Stat};
use crate::sys::errno::Errno;
use crate::sys::mounts::Mount;
use std::path::{Path, PathBuf};

const ID: &str = "cross-device";
/// Whether overlays move directories of a lower layer where no option says so, `Documentation/filesystems/overlayfs.rst`.
const REDIRECT: &str = "/sys/module/overlay/parameters/redirect_dir";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/cross-device.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let spoken = refused::messages(case).filter(|(_, clue)| is_about(clue));
    let suspect = |(index, clue): (usize, &Clue)| {
        let subject = match ends(case, clue) {
            Some((from, to)) => format!("{} and {}", from.display(), to.display()),
            None => clue.path.as_ref().filter(|_| case.mode == Mode::Log)?.display().to_string(),
        };
        Some(Suspect { subject: Subject::Name(subject), clue: Some(index), touched: true })
    };
    spoken.filter_map(suspect).collect()
}

fn is_about(clue: &Clue) -> bool {
    clue.errno.map_or_else(|| clue.suspects(ID), |errno| errno == Errno::EXDEV)
}

fn ends(case: &Case, clue: &Clue) -> Option<(PathBuf, PathBuf)> {
    let path = |path: &Option<PathBuf>| Some(refused::absolute(case, path.as_deref()?));
    path(&clue.path).zip(path(&clue.other_path)).or_else(|| ends_of_command(case, clue))
}

/// Whether a message names both ends itself.
fn names_both(clue: &Clue) -> bool {
    clue.path.is_some() && clue.other_path.is_some()
}

/// The one pair of paths of the command line that cannot be moved or linked, where a message names one end of it or none.
fn ends_of_command(case: &Case, clue: &Clue) -> Option<(PathBuf, PathBuf)> {
    if case.mode == Mode::Log || clue.errno != Some(Errno::EXDEV) {
        return None;
    }
    let absolute = command_line::paths_of(case.command).map(|path| (path, refused::absolute(case, path)));
    let is_path =
        |(path, absolute): &(&Path, PathBuf)| path.components().count() > 1 || status(case, absolute).is_some();
    let mut paths: Vec<PathBuf> = absolute.filter(is_path).map(|(_, absolute)| absolute).collect();
    paths.dedup();
    let told = [&clue.path, &clue.other_path].into_iter().flatten().next().map(|path| refused::absolute(case, path));
    let is_about = |from: &PathBuf, to: &PathBuf| told.as_ref().is_none_or(|told| [from, to].contains(&told));
    let pairs = paths.iter().enumerate().flat_map(|(at, from)| paths[at + 1..].iter().map(move |to| (from, to)));
    let mut apart = pairs
        .filter(|(from, to)| from != to && is_about(from, to) && status(case, from).is_some())
        .map(|(from, to)| (from.clone(), to.clone()))
        .filter(|ends| reason(case, ends).is_some());
    apart.next().filter(|_| apart.next().is_none())
}

/// What a later message says of want of room or of a read-only mount: what cannot be renamed is copied, by Python's `shutil.move` as by mv, and then
/// only the copy has failed.
fn failed_copy<'a>(case: &Case<'a>, index: usize) -> Option<&'a str> {
    let is_met = |clue: &&Clue| {
        matches!(clue.errno, Some(Errno::ENOSPC | Errno::EDQUOT | Errno::EROFS | Errno::EFBIG | Errno::EIO))
    };
    Some(&case.clues[index + 1..].iter().find(is_met)?.line)
}

/// Why the kernel moves nothing from one end to the other.
enum Reason<'a> {
    Mounts(&'a Mount, &'a Mount),
    Overlay { mount: &'a Mount, is_sure: bool },
    Subvolumes(&'a Mount),
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let clue = suspect.clue.map(|index| &case.clues[index]);
    if let Some(line) = suspect.clue.and_then(|index| failed_copy(case, index)) {
        return Verdict::RuledOut(format!("it was copied instead, and that failed: {line}"));
    }
    let ends = clue.and_then(|clue| ends(case, clue));
    let reason = ends.as_ref().and_then(|ends| reason(case, ends));
    match ends.zip(reason) {
        Some((ends, reason)) => {
            let mut finding = found(case, &ends, &reason);
            if !clue.is_some_and(names_both) {
                finding.confidence = finding.confidence.min(Confidence::Likely);
            }
            Verdict::Found(Box::new(finding))
        }
        None if case.mode == Mode::Log => Verdict::Found(Box::new(possible(&suspect.subject))),
        None => Verdict::RuledOut("both lie on one mount here".into()),
    }
}

fn reason<'a>(case: &Case<'a>, (from, to): &(PathBuf, PathBuf)) -> Option<Reason<'a>> {
    let (first, second) = (mount_of_name(case, from)?, mount_of_name(case, to)?);
    if first.id != second.id {
        return Some(Reason::Mounts(first, second));
    }
    let is_directory =
        || [from, to].iter().any(|path| status(case, path).is_some_and(|stat| stat.kind == Kind::Directory));
    if first.fstype == "overlay" && first.option("redirect_dir") != Some("on") && is_directory() {
        let is_off = first.option("redirect_dir").is_some() || is_off_by_default(case);
        return Some(Reason::Overlay { mount: first, is_sure: is_off });
    }
    let device = |path: &Path| Some(status(case, path.parent()?)?.device);
    let is_apart = first.fstype == "btrfs" && device(from)? != device(to)?;
    is_apart.then_some(Reason::Subvolumes(first))
}

/// The mount of the directory that has a name, or will have it.
fn mount_of_name<'a>(case: &Case<'a>, path: &Path) -> Option<&'a Mount> {
    case.mount_of(path.parent()?)
}

fn status(case: &Case, path: &Path) -> Option<Stat> {
    let resolved = case.resolve(path).filter(|resolved| resolved.missing.as_os_str().is_empty())?;
    case.machine.stat(&resolved.existing).ok()
}

fn is_off_by_default(case: &Case) -> bool {
    case.machine.read(Path::new(REDIRECT)).is_ok_and(|value| value.lossy().trim() == "N")
}

fn found(case: &Case, ends: &(PathBuf, PathBuf), reason: &Reason) -> Finding {
    let confidence = match reason {
        Reason::Overlay { is_sure: false, .. } => Confidence::Likely,
        _ if case.mode == Mode::Log => Confidence::Likely,
        _ => Confidence::Verified,
    };
    let (headline, summary) = words(ends, reason);
    Finding {
        confidence,
        seen: Some(Seen::Now),
        headline,
        summary,
        evidence: evidence(case, ends, reason),
        fixes: fixes(case, ends, reason),
    }
}

fn words((from, to): &(PathBuf, PathBuf), reason: &Reason) -> (String, String) {
    let (from, to) = (from.display(), to.display());
    match reason {
        Reason::Mounts(first, second) => {
            let same = if first.device == second.device { ", which show the same filesystem" } else { "" };
            let mounts = format!(
                "{} ({}) and {} ({})",
                first.point.display(),
                first.fstype,
                second.point.display(),
                second.fstype
            );
            let headline = format!("{from} and {to} are on different mounts");
            (
                headline,
                format!(
                    "{from} and {to} are on different mounts, {mounts}{same}: names cannot be moved or linked between them."
                ),
            )
        }
        Reason::Overlay { mount, .. } => {
            let headline =
                format!("the overlay at {} does not rename directories of its lower layers", mount.point.display());
            (
                headline,
                format!(
                    "{from} is a directory of a lower layer of the overlay at {}, which does not rename those (redirect_dir is off).",
                    mount.point.display()
                ),
            )
        }
        Reason::Subvolumes(_) => {
            let headline = format!("{from} and {to} are in different btrfs subvolumes");
            (
                headline,
                format!(
                    "{from} and {to} are in different subvolumes of one btrfs: names cannot be moved or linked between them."
                ),
            )
        }
    }
}

fn evidence(case: &Case, (from, to): &(PathBuf, PathBuf), reason: &Reason) -> Vec<Evidence> {
    let parent = |path: &Path| case.quoted(path.parent().unwrap_or(path));
    let on = |path: &Path, mount: &Mount| {
        let text = format!("{} is on {} ({})", path.display(), mount.point.display(), mount.fstype);
        Evidence::probe(text).check(format!("findmnt -T {}", parent(path)))
    };
    match reason {
        Reason::Mounts(first, second) => vec![on(from, first), on(to, second)],
        Reason::Overlay { mount, is_sure } => {
            let mut evidence = vec![on(from, mount)];
            let default = Evidence::probe(format!("{REDIRECT} is N")).check(format!("cat {REDIRECT}"));
            evidence.extend((*is_sure && mount.option("redirect_dir").is_none()).then_some(default));
            evidence
        }
        Reason::Subvolumes(mount) => {
            let text = format!("their directories on {} have different device numbers", mount.point.display());
            vec![Evidence::probe(text).check(format!("stat -c '%d %n' {} {}", parent(from), parent(to)))]
        }
    }
}

fn fixes(case: &Case, (from, to): &(PathBuf, PathBuf), reason: &Reason) -> Vec<Fix> {
    let tmpdir = case.surroundings().tmpdir();
    let mut fixes = Vec::new();
    if let (Reason::Mounts(..), true, Some(beside)) =
        (reason, from.starts_with(&tmpdir) && !to.starts_with(&tmpdir), to.parent())
    {
        let command = format!("export TMPDIR={}", case.quoted(beside));
        fixes.push(Fix::now(command, "temporary files are then on the mount that they are moved to"));
    }
    let is_link = case.clues.iter().any(|clue| clue.operation == Some(Operation::Link));
    let (from, to) = (case.quoted(from), case.quoted(to));
    if is_link {
        fixes.push(Fix::now(format!("cp -a {from} {to}"), "a copy in the place of a hard link"));
    } else {
        fixes.push(Fix::now(format!("mv -n {from} {to}"), "mv copies and removes where renaming is refused"));
    }
    if matches!(reason, Reason::Overlay { .. }) {
        fixes.push(Fix::lasting("in an image's build, make and rename the directory in the same step; or mount the overlay with redirect_dir=on"));
    }
    fixes
}

fn possible(subject: &Subject) -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("{subject} may have been on different mounts"),
        summary: format!(
            "The output says that {subject} was to be moved or linked from one filesystem to another; here nothing shows which."
        ),
        evidence: Vec::new(),
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::text::Bytes;

    const TWO: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n40 21 0:30 / /tmp rw - tmpfs tmpfs rw\n";

    fn stage(table: &str, operation: Operation, from: &str, to: &str) -> Stage {
        let mut stage = Stage::new(table);
        stage.add(|clue| {
            (clue.errno, clue.operation) = (Some(Errno::EXDEV), Some(operation));
            (clue.path, clue.other_path) = (Some(from.into()), Some(to.into()));
        });
        stage
    }

    #[test]
    fn both_mounts_are_named_and_the_way_out() {
        let mut stage = stage(TWO, Operation::Rename, "/tmp/x", "/home/u/x");
        stage.surroundings.env.insert("TMPDIR".into(), Bytes(b"/tmp".to_vec()));
        let finding = stage.finding(&CAUSE, "/tmp/x and /home/u/x");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.summary.contains("/tmp (tmpfs) and / (ext4)"), "{finding:?}");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("export TMPDIR=/home/u"));
    }

    #[test]
    fn two_mounts_of_one_filesystem_count_as_two() {
        let table = "21 1 254:0 / / rw - ext4 /dev/vda rw\n40 21 254:0 /srv /srv rw - ext4 /dev/vda rw\n";
        let finding = stage(table, Operation::Link, "/srv/x", "y").finding(&CAUSE, "/srv/x and /home/u/y");
        assert!(finding.summary.contains("the same filesystem"), "{finding:?}");
    }

    #[test]
    fn an_overlay_that_does_not_move_directories_is_told_apart() {
        let mut stage = stage(
            "21 1 0:50 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/u",
            Operation::Rename,
            "/opt/a",
            "/opt/b",
        );
        stage.directory("/opt/a").missing("/opt/b").file(REDIRECT, "N\n");
        let finding = stage.finding(&CAUSE, "/opt/a and /opt/b");
        assert!(finding.headline.starts_with("the overlay at / does not rename directories"), "{finding:?}");
        assert_eq!(finding.confidence, Confidence::Verified);
    }

    #[test]
    fn subvolumes_are_told_by_their_device_numbers() {
        let mut stage = stage("21 1 0:50 / / rw - btrfs /dev/vda rw", Operation::Rename, "/a/x", "/b/x");
        stage.stat("/a", Kind::Directory, |stat| stat.device = 50).stat("/b", Kind::Directory, |stat| stat.device = 51);
        stage.missing("/a/x").missing("/b/x");
        assert_eq!(stage.finding(&CAUSE, "/a/x and /b/x").confidence, Confidence::Verified);
    }

    #[test]
    fn two_names_on_one_mount_are_silence() {
        let mut stage = stage(TWO, Operation::Rename, "/home/u/x", "/home/u/y");
        stage.missing("/home/u/x").missing("/home/u/y").assert_silent(&CAUSE);
    }

    #[test]
    fn a_file_on_an_overlay_is_silence() {
        let mut stage = stage("21 1 0:50 / / rw - overlay overlay rw", Operation::Rename, "/opt/a", "/opt/b");
        stage.directory("/opt").stat("/opt/a", Kind::Regular, |_| {}).missing("/opt/b").assert_silent(&CAUSE);
    }

    #[test]
    fn an_overlay_that_moves_directories_is_silence() {
        let mut stage =
            stage("21 1 0:50 / / rw - overlay overlay rw,redirect_dir=on", Operation::Rename, "/opt/a", "/opt/b");
        stage.directory("/opt/a").missing("/opt/b").assert_silent(&CAUSE);
    }

    #[test]
    fn another_errno_between_two_mounts_is_silence() {
        let mut stage = stage(TWO, Operation::Rename, "/tmp/x", "/home/u/x");
        stage.clues[0].errno = Some(Errno::EACCES);
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_log_without_the_second_path_is_possible() {
        let mut stage = stage(TWO, Operation::Link, "_build/file", "x");
        (stage.mode, stage.clues[0].other_path) = (Mode::Log, None);
        assert_eq!(stage.finding(&CAUSE, "_build/file").confidence, Confidence::Possible);
        stage.mode = Mode::Run;
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_copy_that_failed_in_its_place_is_the_reason() {
        let mut stage = stage(TWO, Operation::Rename, "/home/u/a", "/tmp/b");
        stage.clue(Errno::ENOSPC, Operation::Write, "/tmp/b").assert_silent(&CAUSE);
    }
}
