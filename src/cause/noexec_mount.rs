//! What is to be executed, or mapped to be executed, lies on a mount with `noexec`: everybody is refused, root too, and whatever the
//! permissions are. Programs that unpack libraries into a temporary directory meet it there.

use super::exec::{self, Kind};
use super::mount_option::{self, Forbids};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::machine::Executable;
use crate::outcome::Outcome;
use crate::probe::programs::Shebang;
use crate::probe::walk::{Attempt, Why, walk};
use crate::sys::errno::Errno;
use crate::sys::mounts::Mount;
use crate::text::shell_word;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const KIND: Kind = Kind { id: "noexec-mount", answers: &[Errno::EACCES] };

/// Scripts and loaders on the way to what the kernel executes in the end.
const DEPTH: usize = 5;

pub const CAUSE: Cause =
    Cause { id: KIND.id, page: include_str!("../../docs/causes/noexec-mount.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let files = files(case);
    let forbidden = files.iter().filter_map(|file| {
        let found = found(case, file)?;
        Some(Suspect { subject: Subject::Path(found.mount.point.clone()), ..file.clone() })
    });
    let forbidden: Vec<Suspect> = forbidden.collect();
    if forbidden.is_empty() && case.mode == Mode::Log { said(case, files) } else { forbidden }
}

/// The files that may have been refused, each with its clue.
fn files(case: &Case) -> Vec<Suspect> {
    let mut files = exec::suspects(case, KIND);
    files.retain(|file| file.clue.is_none_or(|index| !is_map(&case.clues[index])));
    let maps = case.clues.iter().enumerate().filter(|(_, clue)| is_map(clue));
    files.extend(maps.filter_map(|(index, clue)| {
        let (file, _) = library(case, clue)?;
        Some(Suspect { subject: Subject::Path(file), clue: Some(index), touched: true })
    }));
    files
}

/// What a saved log is about, where its rule names this cause before others.
fn said(case: &Case, suspects: Vec<Suspect>) -> Vec<Suspect> {
    let names_it = |suspect: &Suspect| {
        let clue = suspect.clue.map(|index| &case.clues[index]);
        clue.is_some_and(|clue| clue.suspects.first().is_some_and(|first| first == KIND.id))
    };
    suspects.into_iter().filter(names_it).collect()
}

/// Whether the loader could not map a library, or a program could not load one.
fn is_map(clue: &Clue) -> bool {
    clue.operation == Some(Operation::Memory) && clue.suspects(KIND.id)
}

/// What is refused, where it lies, and how sure that is.
struct Found<'a> {
    mount: &'a Mount,
    file: PathBuf,
    confidence: Confidence,
}

fn found<'a>(case: &Case<'a>, suspect: &Suspect) -> Option<Found<'a>> {
    let file = suspect.subject.path()?;
    let clue = suspect.clue.map(|index| &case.clues[index]);
    match clue.filter(|clue| is_map(clue)) {
        Some(clue) => mapped(case, clue, file),
        None => started(case, clue, file),
    }
}

/// A library on such a mount. That it was told to be refused when it was mapped leaves no other way; that it could not be loaded does.
fn mapped<'a>(case: &Case<'a>, clue: &Clue, file: &Path) -> Option<Found<'a>> {
    let mount = case.mount_of(file).filter(|mount| mount_option::has(mount, "noexec"))?;
    let is_named = library(case, clue).is_some_and(|(_, is_named)| is_named);
    let is_sure = is_named && clue.line.contains("failed to map segment");
    let confidence = if is_sure { Confidence::Verified } else { Confidence::Likely };
    Some(Found { mount, file: file.to_owned(), confidence })
}

/// The library that a message is about, and whether it is known to be that one: the file that it names; the file of the name that it has,
/// where the loader is told to look for it; else the directory that programs unpack into.
fn library(case: &Case, clue: &Clue) -> Option<(PathBuf, bool)> {
    let cwd = &case.surroundings().cwd;
    let Some(name) = &clue.subject else { return Some((cwd.join(clue.path.as_ref()?), true)) };
    let told = case.surroundings().var("LD_LIBRARY_PATH").unwrap_or_default();
    let directories = told.as_bytes().split(|byte| matches!(byte, b':' | b';')).map(OsStr::from_bytes);
    let mut files = directories.map(|directory| cwd.join(directory).join(name));
    let beside = files.find(|file| case.machine.stat(file).is_ok());
    Some(beside.map_or_else(|| (case.surroundings().tmpdir(), false), |file| (file, true)))
}

/// A program, or what its first line or its loader leads to, on such a mount.
fn started<'a>(case: &Case<'a>, clue: Option<&Clue>, program: &Path) -> Option<Found<'a>> {
    let is_start = clue.is_none_or(exec::is_start) || case.outcome == &Outcome::Exited { code: 126 };
    if !is_start && !could_only_be_executed(case, program) {
        return None;
    }
    let refused = chain(case, program).into_iter().find_map(|file| {
        let mount = refusing(case, &file)?;
        Some(Found { mount, file, confidence: Confidence::Verified })
    });
    refused.or_else(|| gone(case, clue?, program))
}

/// A program that was made, refused and removed again (`go run`, the tests of a configure script): its mount refuses all, though nobody can
/// ask any more whether something else did too.
fn gone<'a>(case: &Case<'a>, clue: &Clue, program: &Path) -> Option<Found<'a>> {
    let is_told = clue.errno == Some(Errno::EACCES) || clue.suspects.first().is_some_and(|first| first == KIND.id);
    let is_gone = case.machine.stat(program).is_err_and(|unknown| unknown.is_missing());
    let mount = case.mount_of(program).filter(|mount| mount_option::has(mount, "noexec"))?;
    (is_told && is_gone).then(|| Found { mount, file: program.to_owned(), confidence: Confidence::Likely })
}

/// The mount that refuses to execute a file that nothing else on the way refuses.
fn refusing<'a>(case: &Case<'a>, file: &Path) -> Option<&'a Mount> {
    let attempt = Attempt { operation: Operation::Execute, path: file, other: None };
    let obstacle = walk(case.machine, attempt).ok()?.obstacle?;
    if obstacle.why == Why::NoExec { case.mounts.at(&obstacle.at) } else { None }
}

/// Whether opening the file is refused nowhere, so that it was executed when it was refused.
fn could_only_be_executed(case: &Case, file: &Path) -> bool {
    let passes = |operation| {
        let attempt = Attempt { operation, path: file, other: None };
        walk(case.machine, attempt).is_ok_and(|walked| walked.obstacle.is_none())
    };
    passes(Operation::Read) && passes(Operation::Write)
}

/// The files that the kernel opens to execute a program: itself, its interpreters, its loader.
fn chain(case: &Case, program: &Path) -> Vec<PathBuf> {
    let next = |file: &PathBuf| match case.machine.executable(file).ok()? {
        Executable::Script { line, .. } => exec::interpreter(case, &line.0),
        Executable::Elf(elf) => elf.loader.map(|loader| case.surroundings().cwd.join(loader)),
        _ => None,
    };
    std::iter::successors(Some(program.to_owned()), next).take(DEPTH).collect()
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let point = suspect.subject.path().unwrap_or(Path::new("/"));
    let files = files(case).into_iter().filter(|file| file.clue == suspect.clue);
    match files.filter_map(|file| found(case, &file)).find(|found| found.mount.point == point) {
        Some(found) => Verdict::Found(Box::new(Refusal { case, found }.finding())),
        None if case.mode == Mode::Log => Verdict::Found(Box::new(possible(point))),
        None => Verdict::RuledOut(format!("{} executes files now", point.display())),
    }
}

fn possible(file: &Path) -> Finding {
    let file = file.display();
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("{file} may lie on a mount that executes nothing"),
        summary: format!(
            "The output says that {file} was refused as a mount with noexec refuses; here it is not on one."
        ),
        evidence: vec![
            Evidence::probe("no such mount holds it here")
                .check(format!("findmnt -no OPTIONS -T {}", shell_word(file.to_string()))),
        ],
        fixes: Vec::new(),
    }
}

/// A refused file and the words about it.
struct Refusal<'a> {
    case: &'a Case<'a>,
    found: Found<'a>,
}

impl Refusal<'_> {
    fn finding(&self) -> Finding {
        let Found { mount, file, confidence } = &self.found;
        // A log may be another machine's.
        let confidence = if self.case.mode == Mode::Log { Confidence::Likely } else { *confidence };
        let (point, file) = (mount.point.display(), file.display());
        Finding {
            confidence,
            seen: Some(Seen::Now),
            headline: format!("{point} is mounted noexec: nothing on it is executed"),
            summary: format!(
                "{file} lies on {point}, which is mounted noexec: the kernel executes nothing there, whatever the permissions."
            ),
            evidence: self.forbids().evidence(),
            fixes: self.fixes(),
        }
    }

    fn forbids(&self) -> Forbids<'_> {
        Forbids { case: self.case, mount: self.found.mount, option: "noexec", opposite: "exec" }
    }

    fn fixes(&self) -> Vec<Fix> {
        let mut fixes: Vec<Fix> = self.by_interpreter().into_iter().collect();
        fixes.extend(self.elsewhere());
        fixes.extend(self.forbids().fixes());
        fixes
    }

    /// A script can be given to its interpreter, which only reads it.
    fn by_interpreter(&self) -> Option<Fix> {
        let file = &self.found.file;
        let Ok(Executable::Script { line, .. }) = self.case.machine.executable(file) else { return None };
        let interpreter = exec::interpreter(self.case, &line.0)?;
        let is_plain =
            Shebang::parse(&line.0).is_some_and(|shebang| !shebang.carriage_return && !shebang.is_one_word());
        let is_free = is_plain && refusing(self.case, &interpreter).is_none();
        let command = format!("{} {}", shell_word(&interpreter), shell_word(file));
        is_free.then(|| Fix::now(command, "its interpreter only reads it"))
    }

    /// Another temporary directory, where this mount holds the one that is used.
    fn elsewhere(&self) -> Option<Fix> {
        let tmpdir = self.case.surroundings().tmpdir();
        let is_there = self.found.file.starts_with(&tmpdir) && self.case.mount_of(&tmpdir) == Some(self.found.mount);
        let home = self.case.surroundings().directory("HOME").filter(|_| is_there)?;
        let is_free = |mount: &Mount| !mount_option::has(mount, "noexec") && !mount_option::has(mount, "ro");
        self.case.mount_of(&home).filter(|mount| is_free(mount))?;
        let directory = shell_word(home.join("tmp"));
        let is_java = self.case.clues.iter().any(|clue| clue.line.contains("UnsatisfiedLinkError"));
        let option = if is_java {
            format!("JAVA_TOOL_OPTIONS=-Djava.io.tmpdir={directory}")
        } else {
            format!("TMPDIR={directory}")
        };
        Some(Fix::now(
            format!("mkdir -p {directory}; export {option}"),
            "temporary files go to a mount that executes them",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::Kind as File;
    use crate::text::Bytes;

    /// `/scratch` with these options, a script on it and one elsewhere.
    fn stage(options: &str) -> Stage {
        let mut stage = Stage::new(&format!(
            "21 1 254:0 / / rw - ext4 /dev/vda rw\n40 21 254:16 / /scratch {options} - ext4 /dev/vdb rw\n"
        ));
        for (file, line) in [("/scratch/s", "#!/bin/sh"), ("/home/u/s", "#!/scratch/sh")] {
            stage.stat(file, File::Regular, |stat| (stat.uid, stat.mode) = (1000, 0o755));
            stage.knows(
                &format!("executable {file}"),
                Ok(Executable::Script { line: Bytes(line.into()), length: Some(9) }),
            );
        }
        stage.directory("/bin").stat("/bin/sh", File::Regular, |_| {}).stat("/scratch/sh", File::Regular, |_| {});
        stage
    }

    fn map_refused(stage: &mut Stage, path: &str, subject: Option<&str>) {
        stage.add(|clue| {
            (clue.operation, clue.path) = (Some(Operation::Memory), Some(path.into()));
            clue.subject = subject.map(str::to_owned);
            clue.suspects = vec![KIND.id.to_owned()];
            clue.line = format!("{path}: failed to map segment from shared object");
        });
    }

    fn commands(finding: &Finding) -> Vec<&str> {
        finding.fixes.iter().filter_map(|fix| fix.command.as_deref()).collect()
    }

    #[test]
    fn a_script_is_given_to_its_interpreter_before_anything_is_remounted() {
        let mut stage = stage("rw,nosuid,noexec");
        let finding = stage.clue(Errno::EACCES, Operation::Execute, "/scratch/s").finding(&CAUSE, "/scratch");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(commands(&finding), ["/bin/sh /scratch/s", "sudo mount -o remount,exec /scratch"]);
    }

    #[test]
    fn a_command_that_was_not_started_is_explained_without_a_message() {
        let mut stage = stage("rw,noexec");
        stage.command = vec!["/scratch/s".into()];
        stage.outcome = Outcome::NotStarted { errno: "EACCES".into() };
        assert_eq!(stage.finding(&CAUSE, "/scratch").confidence, Confidence::Verified);
    }

    #[test]
    fn an_interpreter_on_such_a_mount_stops_a_script_elsewhere() {
        let mut stage = stage("rw,noexec");
        let finding = stage.clue(Errno::EACCES, Operation::Execute, "/home/u/s").finding(&CAUSE, "/scratch");
        assert!(finding.summary.starts_with("/scratch/sh lies on /scratch"), "{finding:?}");
    }

    #[test]
    fn a_file_that_can_be_read_and_written_was_executed_when_it_was_refused() {
        let mut stage = stage("rw,noexec");
        stage.add(|clue| (clue.errno, clue.path) = (Some(Errno::EACCES), Some("/scratch/s".into())));
        assert_eq!(stage.finding(&CAUSE, "/scratch").confidence, Confidence::Verified);
    }

    #[test]
    fn a_library_that_was_unpacked_there_is_sent_elsewhere() {
        let mut stage = stage("rw,noexec");
        stage.surroundings.env.insert("TMPDIR".into(), Bytes(b"/scratch".to_vec()));
        stage.surroundings.env.insert("HOME".into(), Bytes(b"/home/u".to_vec()));
        stage.stat("/scratch/libx.so", File::Regular, |_| {});
        map_refused(&mut stage, "/scratch/libx.so", None);
        let finding = stage.finding(&CAUSE, "/scratch");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(commands(&finding)[0], "mkdir -p /home/u/tmp; export TMPDIR=/home/u/tmp");
    }

    #[test]
    fn a_library_without_its_path_was_likely_unpacked_into_the_temporary_directory() {
        let mut stage = stage("rw,noexec");
        stage.surroundings.env.insert("TMPDIR".into(), Bytes(b"/scratch".to_vec()));
        map_refused(&mut stage, "/home/u/s", Some("libz.so.1"));
        assert_eq!(stage.finding(&CAUSE, "/scratch").confidence, Confidence::Likely);
    }

    #[test]
    fn the_line_of_fstab_is_named_and_what_it_implies() {
        let mut stage = stage("rw,nosuid,nodev,noexec");
        stage.file("/etc/fstab", "/dev/vdb /scratch ext4 users 0 2\n").clue(
            Errno::EACCES,
            Operation::Execute,
            "/scratch/s",
        );
        let finding = stage.finding(&CAUSE, "/scratch");
        assert!(
            finding.evidence.iter().any(|one| one.text == "/etc/fstab line 1 has users, which means noexec too"),
            "{finding:?}"
        );
        assert_eq!(finding.fixes.last().unwrap().text, "/etc/fstab line 1: add exec at the end of the options");
    }

    #[test]
    fn a_log_that_names_it_first_is_possible_where_the_mount_executes() {
        let mut stage = stage("rw");
        stage.mode = Mode::Log;
        map_refused(&mut stage, "/scratch/libx.so", None);
        stage.missing("/scratch/libx.so");
        assert_eq!(stage.finding(&CAUSE, "/scratch/libx.so").confidence, Confidence::Possible);
    }

    #[test]
    fn a_mount_that_executes_is_silence() {
        let mut stage = stage("rw,nosuid,nodev");
        stage.clue(Errno::EACCES, Operation::Execute, "/scratch/s");
        map_refused(&mut stage, "/scratch/s", None);
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_file_that_cannot_be_read_either_is_silence() {
        let mut stage = stage("rw,noexec");
        stage.stat("/scratch/s", File::Regular, |stat| stat.mode = 0o711);
        stage
            .add(|clue| (clue.errno, clue.path) = (Some(Errno::EACCES), Some("/scratch/s".into())))
            .assert_silent(&CAUSE);
    }

    #[test]
    fn a_refused_write_on_such_a_mount_is_silence() {
        stage("rw,noexec").clue(Errno::EACCES, Operation::Create, "/scratch/s").assert_silent(&CAUSE);
    }

    #[test]
    fn a_program_elsewhere_is_silence() {
        let mut stage = stage("rw,noexec");
        stage.clue(Errno::EACCES, Operation::Execute, "/bin/sh").assert_silent(&CAUSE);
    }
}
