//! What is missing (ENOENT) would lie on a filesystem that `/etc/fstab` names and that is not mounted: a disk that is not plugged in, a
//! server that did not answer at boot, `noauto`.

use super::refused;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::probe::origin::fstab::{self, Entry};
use crate::probe::walk::Why;
use crate::sys::errno::Errno;
use std::path::Path;

const ID: &str = "not-mounted";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/not-mounted.md"),
    suspects,
    covers: &["missing-path"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    if case.mode == Mode::Log {
        return Vec::new();
    }
    let spoken = refused::messages(case).filter(|(_, clue)| clue.errno == Some(Errno::ENOENT));
    let suspect = |(index, clue): (usize, &Clue)| {
        let entry = entry(case, clue)?;
        Some(Suspect {
            subject: Subject::Path(entry.point),
            clue: Some(index),
            touched: !refused::is_superseded(case, index),
        })
    };
    spoken.filter_map(suspect).filter(|suspect| suspect.touched).collect()
}

/// The line of fstab(5) whose mount point is on the way to the first component that is missing, and which is not mounted.
fn entry(case: &Case, clue: &Clue) -> Option<Entry> {
    let tried = refused::tried(case, clue)?;
    let missing = tried.obstacle().filter(|obstacle| matches!(obstacle.why, Why::Missing { .. }))?;
    let is_on_the_way = |entry: &Entry| entry.point != Path::new("/") && missing.at.starts_with(&entry.point);
    let is_mounted = |entry: &Entry| case.mounts.at(&entry.point).is_some();
    fstab::entries(case.machine).into_iter().rfind(|entry| is_on_the_way(entry) && !is_mounted(entry))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let entry = suspect.clue.and_then(|index| entry(case, &case.clues[index]));
    match entry {
        Some(entry) => Verdict::Found(Box::new(found(case, &entry))),
        None => Verdict::RuledOut("all that /etc/fstab names there is mounted".into()),
    }
}

fn found(case: &Case, entry: &Entry) -> Finding {
    let (point, line) = (entry.point.display(), &entry.line);
    let is_optional = entry.options.split(',').any(|option| matches!(option.trim(), "noauto" | "nofail"));
    // What is in the directory itself may be what is used in place of the mount.
    let is_empty = case
        .machine
        .list(&entry.point)
        .map_or_else(|unknown| unknown.is_missing(), |listing| listing.entries.is_empty());
    let confidence = if is_empty && !is_optional { Confidence::Verified } else { Confidence::Likely };
    let check = format!("findmnt --fstab --target {0}; findmnt {0}", case.quoted(&entry.point));
    Finding {
        confidence,
        seen: Some(Seen::Now),
        headline: format!("{point} is not mounted"),
        summary: format!("{line} names {} for {point}, and nothing is mounted there.", entry.source),
        evidence: vec![
            Evidence::probe(format!("{line}: {}", line.text)).check(check),
            Evidence::probe(format!("no mount at {point} in /proc/self/mountinfo")),
        ],
        fixes: fixes(case, entry),
    }
}

fn fixes(case: &Case, entry: &Entry) -> Vec<Fix> {
    let point = case.quoted(&entry.point);
    let is_users = entry.options.split(',').any(|option| matches!(option.trim(), "user" | "users"));
    let mount = format!("mount {point}");
    let mount = if is_users { mount } else { case.as_root(&mount) };
    let mut fixes = Vec::new();
    if case.machine.stat(&entry.point).is_err_and(|unknown| unknown.is_missing()) {
        fixes.push(Fix::now(case.as_root(&format!("mkdir -p {point}")), "makes the directory to mount it on"));
    }
    fixes.push(Fix::now(mount, "mounts it as its line says, or tells why it cannot"));
    if entry.options.split(',').any(|option| option.trim() == "noauto") {
        fixes.push(Fix::lasting(format!("{}: without noauto it is mounted at boot", entry.line)));
    }
    fixes
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;

    fn stage(fstab: &str, more: &str) -> Stage {
        let mut stage = Stage::new(&format!("21 1 254:0 / / rw - ext4 /dev/vda rw\n{more}"));
        stage.directory("/data").missing("/data/set").names("/data", &[]).file("/etc/fstab", fstab);
        stage
    }

    const LINE: &str = "/dev/vda / ext4 rw 0 1\nUUID=7 /data ext4 defaults 0 2\n";

    #[test]
    fn the_line_that_names_it_is_told_with_the_command_that_mounts_it() {
        let mut stage = stage(LINE, "");
        let finding = stage.clue(Errno::ENOENT, Operation::Read, "/data/set/x").finding(&CAUSE, "/data");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.summary.starts_with("/etc/fstab line 2 names UUID=7 for /data"), "{finding:?}");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo mount /data"));
    }

    #[test]
    fn one_that_need_not_be_there_is_likely() {
        let mut stage = stage("UUID=7 /data ext4 noauto,users 0 2\n", "");
        let finding = stage.clue(Errno::ENOENT, Operation::Read, "/data/set/x").finding(&CAUSE, "/data");
        assert_eq!(
            (finding.confidence, finding.fixes[0].command.as_deref()),
            (Confidence::Likely, Some("mount /data"))
        );
    }

    #[test]
    fn a_directory_with_files_of_its_own_makes_it_likely() {
        let mut stage = stage(LINE, "");
        stage.names("/data", &["other"]).clue(Errno::ENOENT, Operation::Read, "/data/set/x");
        assert_eq!(stage.finding(&CAUSE, "/data").confidence, Confidence::Likely);
    }

    #[test]
    fn what_is_mounted_is_silence() {
        let mut stage = stage(LINE, "40 21 254:16 / /data rw - ext4 /dev/vdb rw\n");
        stage.clue(Errno::ENOENT, Operation::Read, "/data/set/x").assert_silent(&CAUSE);
    }

    #[test]
    fn what_is_missing_elsewhere_is_silence() {
        let mut stage = stage(LINE, "");
        stage.missing("/home/u/x").clue(Errno::ENOENT, Operation::Read, "/home/u/x").assert_silent(&CAUSE);
    }

    #[test]
    fn a_file_that_is_there_is_silence() {
        let mut stage = stage(LINE, "");
        stage.directory("/data/set").clue(Errno::ENOENT, Operation::Read, "/data/set").assert_silent(&CAUSE);
    }
}
