//! What is missing (ENOENT) would lie on a filesystem that `/etc/fstab` or a mount unit names and that is not mounted: a disk that is not
//! plugged in, a server that did not answer at boot, `noauto`.

use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use super::{refused, setting};
use crate::clue::Clue;
use crate::command_line;
use crate::probe::origin::config::has_systemd;
use crate::probe::origin::{fstab, unit};
use crate::probe::walk::Why;
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

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
    let spoken = refused::messages(case).filter(|(_, clue)| is_about(clue));
    let suspect = |(index, clue): (usize, &Clue)| {
        let wanted = wanted(case, clue)?;
        Some(Suspect {
            subject: Subject::Path(wanted.point),
            clue: Some(index),
            touched: !refused::is_superseded(case, index),
        })
    };
    spoken.filter_map(suspect).filter(|suspect| suspect.touched).collect()
}

/// ENOENT, or a message without an errno about a path: whether that is missing is seen.
fn is_about(clue: &Clue) -> bool {
    match clue.errno {
        Some(errno) => errno == Errno::ENOENT,
        None => clue.path.is_some(),
    }
}

/// A mount that the machine's configuration wants.
struct Wanted {
    /// Where.
    point: PathBuf,
    /// What.
    source: String,
    /// Which line or file says so: `/etc/fstab line 2`.
    by: String,
    /// The line, or the unit's `What=`.
    said: String,
    /// Options, parted by commas.
    options: String,
    /// The unit's name, where it is a unit.
    unit: Option<String>,
}

impl Wanted {
    fn has(&self, option: &str) -> bool {
        self.options.split(',').any(|known| known.trim() == option)
    }
}

/// The mount nearest above the first component that is missing that is wanted and is not there.
fn wanted(case: &Case, clue: &Clue) -> Option<Wanted> {
    let Some(tried) = refused::tried(case, clue) else { return unnamed(case, clue) };
    let missing = tried.obstacle().filter(|obstacle| matches!(obstacle.why, Why::Missing { .. }))?;
    wanted_above(case, &missing.at)
}

/// The same for what the command line names, where a message has the errno and no path.
fn unnamed(case: &Case, clue: &Clue) -> Option<Wanted> {
    let is_unnamed = clue.path.is_none() && clue.errno.is_some();
    let has_slash = |path: &&Path| path.as_os_str().as_encoded_bytes().contains(&b'/');
    let paths = command_line::paths_of(case.command).filter(|path| is_unnamed && has_slash(path));
    let mut missing = paths.filter_map(|path| case.resolve(path)).filter(|found| !found.missing.as_os_str().is_empty());
    missing.find_map(|found| wanted_above(case, &found.existing.join(found.missing)))
}

fn wanted_above(case: &Case, missing: &Path) -> Option<Wanted> {
    let above = missing.ancestors().filter(|point| *point != Path::new("/"));
    let mut unmounted = above.take_while(|point| case.mounts.at(point).is_none());
    let lines = fstab::entries(case.machine);
    let units = has_systemd(case.machine);
    unmounted.find_map(|point| {
        let line = lines.iter().rfind(|entry| entry.point == point).map(of_line);
        line.or_else(|| units.then(|| of_unit(case, point)).flatten())
    })
}

fn of_line(entry: &fstab::Entry) -> Wanted {
    Wanted {
        point: entry.point.clone(),
        source: entry.source.clone(),
        by: entry.line.to_string(),
        said: entry.line.text.clone(),
        options: entry.options.clone(),
        unit: None,
    }
}

/// systemd.mount(5): `What=`, `Options=`. A unit without `[Install]` is mounted for who asks alone.
fn of_unit(case: &Case, point: &Path) -> Option<Wanted> {
    let unit = unit::of_mount_point(case.machine, point)?;
    let value = |section: &str, key: &str| unit.setting(section, key).map(|setting| setting.value.clone());
    let source = value("Mount", "What")?;
    let mut options = value("Mount", "Options").unwrap_or_default();
    if value("Install", "WantedBy").or_else(|| value("Install", "RequiredBy")).is_none() {
        options.push_str(",noauto");
    }
    Some(Wanted {
        point: point.to_owned(),
        said: format!("What={source}"),
        source,
        by: unit.file.display().to_string(),
        options,
        unit: Some(unit.name),
    })
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let clue = suspect.clue.map(|index| &case.clues[index]);
    match clue.and_then(|clue| wanted(case, clue)) {
        Some(wanted) => {
            let verdict = Verdict::Found(Box::new(found(case, &wanted)));
            let is_named = clue.is_some_and(|clue| clue.path.is_some());
            if is_named { verdict } else { setting::less_sure(verdict) }
        }
        None => Verdict::RuledOut("all that is to be mounted there is mounted".into()),
    }
}

fn found(case: &Case, wanted: &Wanted) -> Finding {
    let point = wanted.point.display();
    let is_optional = wanted.has("noauto") || wanted.has("nofail");
    // What is in the directory itself may be what is used in place of the mount.
    let is_empty = case
        .machine
        .list(&wanted.point)
        .map_or_else(|unknown| unknown.is_missing(), |listing| listing.entries.is_empty());
    let confidence = if is_empty && !is_optional { Confidence::Verified } else { Confidence::Likely };
    Finding {
        confidence,
        seen: Some(Seen::Now),
        headline: format!("{point} is not mounted"),
        summary: format!("{} names {} for {point}, and nothing is mounted there.", wanted.by, wanted.source),
        evidence: vec![
            Evidence::probe(format!("{}: {}", wanted.by, wanted.said)).check(shown_by(case, wanted)),
            Evidence::probe(format!("no mount at {point} in /proc/self/mountinfo")),
        ],
        fixes: fixes(case, wanted),
    }
}

fn shown_by(case: &Case, wanted: &Wanted) -> String {
    let point = case.quoted(&wanted.point);
    match &wanted.unit {
        Some(unit) => format!("systemctl status {}; findmnt {point}", crate::text::shell_word(unit)),
        None => format!("findmnt --fstab --target {point}; findmnt {point}"),
    }
}

fn fixes(case: &Case, wanted: &Wanted) -> Vec<Fix> {
    let point = case.quoted(&wanted.point);
    let mount = match &wanted.unit {
        Some(unit) => case.as_root(&format!("systemctl start {}", crate::text::shell_word(unit))),
        None if wanted.has("user") || wanted.has("users") => format!("mount {point}"),
        None => case.as_root(&format!("mount {point}")),
    };
    let mut fixes = Vec::new();
    if wanted.unit.is_none() && case.machine.stat(&wanted.point).is_err_and(|unknown| unknown.is_missing()) {
        fixes.push(Fix::now(case.as_root(&format!("mkdir -p {point}")), "makes the directory to mount it on"));
    }
    fixes.push(Fix::now(mount, "mounts it as it is written there, or tells why it cannot"));
    if wanted.unit.is_none() && wanted.has("noauto") {
        fixes.push(Fix::lasting(format!("{}: without noauto it is mounted at boot", wanted.by)));
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
