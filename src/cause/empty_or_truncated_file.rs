//! A file is empty, filled with zero bytes, or ends before its own format does: a crash, a full disk, or a download that broke off.

use super::exec;
use super::refused::{self, listed};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::command_line;
use crate::machine::{Form, Kind};
use crate::outcome::Outcome;
use crate::sys::errno::Errno;
use crate::text::size;
use std::path::{Path, PathBuf};

const ID: &str = "empty-or-truncated-file";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/empty-or-truncated-file.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let named = case.clues.iter().enumerate().filter(|(_, clue)| clue.suspects(ID));
    let told = named.flat_map(|(index, clue)| {
        read_files(case, clue).into_iter().map(move |file| suspect(what_it_refers_to(case, file), Some(index)))
    });
    told.chain(stopped_by(case).map(|file| suspect(file, None))).collect()
}

/// The programs and libraries that the command was or named, where SIGBUS or SIGSEGV ended it, and that are cut: what a loader maps of them and
/// is not there is met by a signal, mmap(2).
fn stopped_by<'a>(case: &'a Case) -> impl Iterator<Item = PathBuf> + 'a {
    let is_stopped = matches!(case.outcome, Outcome::Signaled { signal: libc::SIGBUS | libc::SIGSEGV, .. })
        || matches!(case.outcome, Outcome::Exited { code: 135 | 139 });
    let command = command_line::launched(case.command);
    let program = command.first().and_then(|program| exec::file_of(case, Path::new(program)));
    let named = command_line::paths_of(case.command).map(|path| refused::absolute(case, path));
    let files = program.into_iter().chain(named).filter(move |_| is_stopped && case.mode == Mode::Run);
    let is_cut = |file: &PathBuf| {
        let is_file = case.machine.stat(file).is_ok_and(|stat| stat.kind == Kind::Regular);
        let cut = || case.machine.form(file).ok().and_then(|form| form.promised);
        is_file && cut().is_some_and(|(name, _)| name == "ELF")
    };
    files.filter(is_cut)
}

/// The file of the branch that a `HEAD` of Git names, where that is empty.
fn what_it_refers_to(case: &Case, file: PathBuf) -> PathBuf {
    let branch = || {
        let named = |text: &[u8]| Some(std::str::from_utf8(text).ok()?.strip_prefix("ref: ")?.trim_end().to_owned());
        let branch = file.parent()?.join(case.machine.judge_script("branch", &file, named).ok()??);
        case.machine.stat(&branch).is_ok_and(|stat| stat.size == 0 && stat.kind == Kind::Regular).then_some(branch)
    };
    let branch = if file.ends_with(".git/HEAD") { branch() } else { None };
    branch.unwrap_or(file)
}

/// The files that a message may be about, without the one that the command was making when it failed.
fn read_files(case: &Case, clue: &Clue) -> Vec<PathBuf> {
    let mut files = files(case, clue);
    if clue.path.is_none() && files.len() > 1 && case.mode == Mode::Run {
        // What is written is named behind what is read.
        if let Some(made) = files.iter().rposition(|file| is_new_and_empty(case, file)) {
            files.remove(made);
        }
    }
    files
}

/// Whether a file is empty and was last changed while the command ran, as far as whole seconds tell.
fn is_new_and_empty(case: &Case, file: &Path) -> bool {
    let (Ok(now), Ok(stat)) = (case.machine.now(), case.machine.stat(file)) else { return false };
    let run_time = i64::try_from(case.run_time().as_secs()).unwrap_or(i64::MAX);
    stat.size == 0 && stat.modified >= now.saturating_sub(run_time).saturating_sub(1)
}

fn suspect(file: PathBuf, clue: Option<usize>) -> Suspect {
    Suspect { subject: Subject::Path(file), clue, touched: true }
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
    // What a message names and is not there is none of the other files of the command.
    let missing = clue.path.as_deref().filter(|path| real(path).is_none()).and_then(Path::file_name);
    let is_meant = |file: &PathBuf| missing.is_none_or(|name| file.file_name() == Some(name));
    let mut named: Vec<PathBuf> =
        command_line::paths_of(case.command).filter_map(real).filter(is_file).filter(is_meant).collect();
    named.dedup();
    if named.is_empty() && case.mode == Mode::Log {
        let named = clue.path.as_ref().filter(|path| !refused::is_standard_input(path));
        let path = named.map_or_else(|| "-".into(), |path| refused::absolute(case, path));
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
    let may_be_why = |form: &Form| may_be_why(case, suspect, form);
    match state(&form).filter(|_| may_be_why(&form)) {
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

/// Whether what is wrong with a file may be why a message was written. A reader that misses its own mark at the beginning does not come to an
/// end that is missing; and of several files, a program that was cut is none that a reader of other files cares for.
fn may_be_why(case: &Case, suspect: &Suspect, form: &Form) -> bool {
    let cut = match (&form.archive, &form.promised) {
        (Some((name, false)), _) => name,
        (_, Some((name, _))) if form.size > 0 && !form.zeros => name,
        _ => return true,
    };
    let Some(clue) = suspect.clue.map(|index| &case.clues[index]) else { return true };
    let line = clue.line.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| line.contains(word));
    if says(&[&cut.to_ascii_lowercase()]) || clue.errno == Some(Errno::ENOEXEC) {
        return true;
    }
    let wants_another = says(&["magic number", "bad magic", "not a ", "not an ", "no valid "])
        || says(&["not in "]) && says(&[" format"]);
    let is_one_of_many = clue.path.is_none() && read_files(case, clue).len() > 1;
    let is_of_programs = cut == "ELF";
    !wants_another && !(is_of_programs && (is_one_of_many || !says(OF_PROGRAMS)))
}

/// What linkers, loaders and debuggers say of a program or library that ends too early.
const OF_PROGRAMS: &[&str] = &[
    "truncated",
    "too short",
    "file format",
    "file type",
    "section",
    "symbol",
    "object",
    "librar",
    "executable",
    "past end",
    "core",
];

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
    let clue = suspect.clue.map(|index| &case.clues[index]);
    let is_one_of_many = clue.is_some_and(|clue| clue.path.is_none() && read_files(case, clue).len() > 1);
    let confidence = if is_one_of_many || clue.is_none() { confidence.min(Confidence::Likely) } else { confidence };
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
    fn a_program_that_is_cut_is_not_why_a_reader_of_other_files_fails() {
        let cut = || Form { size: 2048, promised: Some(("ELF".into(), 8192)), ..Form::default() };
        for (line, is_why) in [
            ("plzip: x.jar: Bad magic number (file not in lzip format).", false),
            ("lzop: x.jar: not a lzop file", false),
            ("qpdf: x.jar: file is damaged", false),
            ("ld: x.jar: file truncated", true),
            ("readelf: Error: x.jar: Failed to read the ELF header's magic number", true),
        ] {
            let mut stage = stage(cut());
            stage.clues[0].line = line.into();
            assert_eq!(!stage.found(&CAUSE).is_empty(), is_why, "{line}");
        }
    }

    #[test]
    fn what_the_command_was_making_is_not_what_it_read() {
        let mut stage = stage(Form { size: 10, ..Form::default() });
        stage.clues[0].path = None;
        stage.stat("/home/u/out", Kind::Regular, |stat| (stat.modified, stat.size) = (1_000_000, 0));
        stage
            .knows("form /home/u/out", Ok(Form::default()))
            .knows("now", Ok::<_, crate::machine::Unknown>(1_000_000_i64));
        stage.command = ["rdiff", "patch", ".m2/x.jar", "./out"].map(Into::into).into();
        stage.missing("/home/u/patch").assert_silent(&CAUSE);
    }

    #[test]
    fn a_file_that_is_named_and_missing_is_no_other_one_of_the_command() {
        let mut stage = stage(Form::default());
        stage.clues[0].path = Some("/home/u/.git/HEAD".into());
        stage.command = ["git", "log", ".m2/x.jar"].map(Into::into).into();
        stage.missing("/home/u/.git").missing("/home/u/log").assert_silent(&CAUSE);
    }

    #[test]
    fn a_library_that_is_cut_is_likely_why_a_signal_came() {
        let cut = Form { size: 2048, promised: Some(("ELF".into(), 8192)), ..Form::default() };
        let mut stage = stage(cut);
        stage.clues.clear();
        stage.command = ["python3", "-c", "ctypes.CDLL('.m2/x.jar')"].map(Into::into).into();
        stage.assert_silent(&CAUSE);
        stage.outcome = Outcome::Signaled { signal: libc::SIGBUS, name: "SIGBUS".into() };
        assert_eq!(stage.finding(&CAUSE, "/home/u/.m2/x.jar").confidence, Confidence::Likely);
    }

    #[test]
    fn a_branch_that_is_empty_is_found_by_the_head_that_names_it() {
        let mut stage = stage(Form::default());
        stage.clues[0].path = Some("/home/u/.git/HEAD".into());
        stage
            .directory("/home/u/.git/refs/heads")
            .stat("/home/u/.git/HEAD", Kind::Regular, |stat| stat.size = 21)
            .stat("/home/u/.git/refs/heads/main", Kind::Regular, |stat| stat.size = 0)
            .knows("script branch /home/u/.git/HEAD", Ok(Some("refs/heads/main".to_owned())))
            .knows("form /home/u/.git/refs/heads/main", Ok(Form::default()));
        assert_eq!(
            stage.finding(&CAUSE, "/home/u/.git/refs/heads/main").headline,
            "/home/u/.git/refs/heads/main is empty"
        );
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
