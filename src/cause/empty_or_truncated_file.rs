//! A file is empty, filled with zero bytes, or ends before its own format does: a crash, a full disk, or a download that broke off.

use super::refused::{self, listed};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::machine::{Form, Kind};
use crate::text::size;
use crate::words;
use std::path::{Path, PathBuf};

const ID: &str = "empty-or-truncated-file";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/empty-or-truncated-file.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let named = case.clues.iter().enumerate().filter(|(_, clue)| clue.suspects(ID));
    named.flat_map(|(index, clue)| files(case, clue).into_iter().map(move |file| suspect(file, index))).collect()
}

fn suspect(file: PathBuf, index: usize) -> Suspect {
    Suspect { subject: Subject::Path(file), clue: Some(index), touched: true }
}

/// The file of a message; where it names none, the files that the command line names; in a log whatever the text has.
pub(super) fn files(case: &Case, clue: &Clue) -> Vec<PathBuf> {
    let is_file = |path: &PathBuf| case.machine.stat(path).is_ok_and(|stat| stat.kind == Kind::Regular);
    let real = |path: &Path| {
        case.resolve(path).filter(|place| place.missing.as_os_str().is_empty()).map(|place| place.existing)
    };
    let of_clue = clue.path.as_deref().and_then(real).filter(is_file);
    if let Some(file) = of_clue {
        return vec![file];
    }
    let mut named: Vec<PathBuf> = words::paths_of(case.command).filter_map(real).filter(is_file).collect();
    named.dedup();
    if named.is_empty() && case.mode == Mode::Log {
        let path = clue.path.as_ref().map_or_else(|| "-".into(), |path| refused::absolute(case, path));
        return vec![path];
    }
    named
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(file) = suspect.subject.path() else { return Verdict::Unknown("no path".into()) };
    if is_meant_empty(case, file) {
        return Verdict::RuledOut("files of this kind have no bytes of their own".to_owned());
    }
    let form = match case.machine.form(file) {
        Ok(form) => form,
        Err(_) if case.mode == Mode::Log => return refused::verdict(case, suspect, "may be empty or cut", |_, _| None),
        Err(unknown) => return Verdict::Unknown(unknown.to_string()),
    };
    match state(&form) {
        Some((what, confidence)) => Verdict::Found(Box::new(found(case, suspect, file, &what, confidence))),
        None if case.mode == Mode::Log => refused::verdict(case, suspect, "may be empty or cut", |_, _| None),
        None => Verdict::RuledOut(format!("{} is not empty and shows no sign of an early end", size(form.size))),
    }
}

/// Whether a file is empty on healthy machines: the kernel makes its text when it is read, or its name says all there is to say.
fn is_meant_empty(case: &Case, file: &Path) -> bool {
    const MARKERS: &[&str] = &["__init__.py", "py.typed"];
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let is_marker = MARKERS.contains(&&*name) || name.starts_with('.') && name.ends_with("keep");
    is_marker
        || case.mounts.holding(file).is_some_and(|mount| {
            matches!(&*mount.fstype, "proc" | "sysfs" | "cgroup" | "cgroup2" | "debugfs" | "tracefs")
        })
}

/// What is wrong with it.
fn state(form: &Form) -> Option<(String, Confidence)> {
    match &form.archive {
        _ if form.size == 0 => Some(("is empty".into(), Confidence::Verified)),
        _ if form.zeros => Some((format!("holds {} of zero bytes", size(form.size)), Confidence::Verified)),
        Some((name, false)) => {
            Some((format!("is cut: {} of a {name} file without its end", size(form.size)), Confidence::Verified))
        }
        _ if form.promised.is_some() => form.promised.as_ref().map(|(name, bytes)| {
            let (there, wanted) = (lengths(form.size, *bytes), size(*bytes));
            (format!("is cut: {there} of the {wanted} that its {name} header promises"), Confidence::Verified)
        }),
        // What a server or proxy sends in place of the file.
        _ if form.html => Some(("is an HTML page".into(), Confidence::Likely)),
        _ => None,
    }
}

/// A length beside a larger one, in bytes where both would read alike.
fn lengths(there: u64, wanted: u64) -> String {
    if size(there) == size(wanted) { format!("{there} bytes") } else { size(there) }
}

fn found(case: &Case, suspect: &Suspect, file: &Path, what: &str, confidence: Confidence) -> Finding {
    let headline = format!("{} {what}", file.display());
    let mut finding = refused::found(case, suspect, headline.clone(), format!("{headline}."));
    (finding.confidence, finding.seen) = (confidence, Some(Seen::Now));
    finding.evidence.extend(case.machine.stat(file).ok().map(|stat| listed(case, file, &stat)));
    finding.evidence.push(Evidence::probe(format!("it {what}")).check(format!("ls -l {}", case.quoted(file))));
    finding.fixes = fixes(case, file);
    finding
}

fn fixes(case: &Case, file: &Path) -> Vec<Fix> {
    let text = file.to_string_lossy();
    if text.contains("/.git/objects/") {
        let check = Fix::now("git fsck --full", "shows every object that is damaged");
        let again =
            "remove the empty objects (find .git/objects -type f -empty -delete) and fetch them: git fetch origin";
        return vec![check, Fix::lasting(again)];
    }
    let is_cached = ["/.m2/", "/.gradle/", "/.npm/", "/.cache/", "/_cacache/", "/var/cache/"]
        .iter()
        .any(|part| text.contains(part));
    if is_cached {
        return vec![Fix::now(format!("rm {}", case.quoted(file)), "a cache: it is fetched again when it is needed")];
    }
    vec![Fix::lasting("make or fetch it again; look whether the disk was full then")]
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    fn stage(form: Form) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage
            .directory("/home/u/.m2")
            .stat("/home/u/.m2/x.jar", Kind::Regular, |_| {})
            .knows("form /home/u/.m2/x.jar", Ok(form));
        stage.add(|clue| (clue.path, clue.suspects) = (Some(".m2/x.jar".into()), vec![ID.into()]));
        stage
    }

    #[test]
    fn an_archive_without_its_end_is_told() {
        let form = Form { size: 2048, archive: Some(("ZIP".into(), false)), ..Form::default() };
        let finding = stage(form).finding(&CAUSE, "/home/u/.m2/x.jar");
        assert_eq!(finding.headline, "/home/u/.m2/x.jar is cut: 2.0 KiB of a ZIP file without its end");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("rm /home/u/.m2/x.jar"));
    }

    #[test]
    fn the_files_of_the_command_line_are_looked_at() {
        let mut stage = stage(Form::default());
        stage.clues[0].path = None;
        stage.command = ["unzip", "-q", ".m2/x.jar"].map(Into::into).into();
        stage.missing("/home/u/-q");
        assert_eq!(stage.finding(&CAUSE, "/home/u/.m2/x.jar").headline, "/home/u/.m2/x.jar is empty");
    }

    #[test]
    fn a_file_that_is_shorter_than_its_header_says_is_told() {
        let form = |size| Form { size, promised: Some(("SQLite".into(), 8192)), ..Form::default() };
        let headline = |size| stage(form(size)).finding(&CAUSE, "/home/u/.m2/x.jar").headline;
        assert_eq!(headline(4096), "/home/u/.m2/x.jar is cut: 4.0 KiB of the 8.0 KiB that its SQLite header promises");
        assert!(headline(8191).contains("8191 bytes of the 8.0 KiB"));
    }

    #[test]
    fn a_whole_archive_is_silence() {
        let form = Form { size: 2048, archive: Some(("ZIP".into(), true)), ..Form::default() };
        stage(form).assert_silent(&CAUSE);
    }

    #[test]
    fn a_page_in_place_of_an_archive_is_likely() {
        let form = Form { size: 900, html: true, ..Form::default() };
        assert_eq!(stage(form).finding(&CAUSE, "/home/u/.m2/x.jar").confidence, Confidence::Likely);
    }
}
