//! A program was linked with a newer library than the one that is here: it needs symbol versions that this one does not define.

use super::exec::{self, verified};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::machine::{Elf, Executable};
use crate::probe::programs::{Refusal, TooOld, obstacle, too_old};
use crate::text::shell_word;
use std::path::{Path, PathBuf};

const ID: &str = "library-too-old";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/library-too-old.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let named = case.clues.iter().enumerate().filter(|(_, clue)| clue.suspects(ID));
    let named = named.filter_map(|(index, clue)| {
        let subject = needer(case, clue)?;
        Some(Suspect { subject: Subject::Path(subject), clue: Some(index), touched: true })
    });
    named.chain(exec::unsaid(case)).collect()
}

/// The file that needs the version: the message names it behind "required by".
fn needer(case: &Case, clue: &Clue) -> Option<PathBuf> {
    let command = case.command.first().map(Path::new);
    let started = clue.path.as_deref().filter(|_| exec::is_start(clue) && clue.subject.is_none());
    exec::file_of(case, clue.other_path.as_deref().or(started).or(command)?)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(program) = suspect.subject.path() else { return Verdict::Unknown("it has no path".into()) };
    let clue = suspect.clue.map(|index| &case.clues[index]);
    let lacks =
        clue.and_then(|clue| as_said(case, program, clue)).map_or_else(|| of_program(case, program), |lack| vec![lack]);
    match (lacks.is_empty(), clue) {
        (false, _) => Verdict::Found(Box::new(exec::as_sure_as_said(case, suspect, told(case, program, &lacks)))),
        (true, Some(clue)) if case.mode == Mode::Log => Verdict::Found(Box::new(said(clue, program))),
        (true, _) => Verdict::RuledOut("the libraries here have every version that it needs".into()),
    }
}

/// What the libraries that the program would be given lack.
fn of_program(case: &Case, program: &Path) -> Vec<TooOld> {
    match obstacle(case.machine, program).map(|obstacle| obstacle.refusal) {
        Some(Refusal::Libraries(resolution)) => resolution.too_old,
        _ => Vec::new(),
    }
}

/// The lack that a message names, where the file needs that version and the library has it not.
fn as_said(case: &Case, by: &Path, clue: &Clue) -> Option<TooOld> {
    let (library, version) = (clue.path.as_deref()?, clue.subject.as_deref()?);
    let needs = elf(case, by)?.needs.iter().any(|needs| needs.names.iter().any(|name| name == version));
    let found = elf(case, library).filter(|_| needs)?;
    too_old(&found, library, version, by)
}

fn elf(case: &Case, file: &Path) -> Option<Elf> {
    let real = case.resolve(file).filter(|resolved| resolved.missing.as_os_str().is_empty())?.existing;
    match case.machine.executable(&real) {
        Ok(Executable::Elf(elf)) => Some(*elf),
        _ => None,
    }
}

fn told(case: &Case, program: &Path, lacks: &[TooOld]) -> Finding {
    // The highest version tells how new a library has to be.
    let lack = lacks.iter().max_by_key(|lack| (lack.version.len(), &lack.version)).unwrap_or(&lacks[0]);
    let newest = lack.newest.as_ref().map(|newest| format!(", which ends at {newest}")).unwrap_or_default();
    let headline = format!("{} needs {} of {}{newest}", lack.by.display(), lack.version, lack.library.display());
    let summary = format!(
        "{} was built for a newer {} than the one that is here: it needs {}{newest}.",
        lack.by.display(),
        lack.library.file_name().unwrap_or_default().display(),
        lack.version
    );
    let mut evidence = vec![
        Evidence::probe(format!("{} needs {}", lack.by.display(), versions(lacks, lack))).check(format!(
            "readelf -V {} | grep -F {}",
            shell_word(&lack.by),
            shell_word(&lack.version)
        )),
        Evidence::probe(format!("{} does not define it{newest}", lack.library.display())).check(format!(
            "readelf -V {} | grep -F {}",
            shell_word(&lack.library),
            shell_word(&lack.version)
        )),
    ];
    evidence.extend(
        system(case).map(|system| Evidence::probe(format!("this system is {system}")).check("cat /etc/os-release")),
    );
    Finding { evidence, fixes: fixes(case, program, lack), ..verified(headline, summary) }
}

/// The versions that one library lacks for one file.
fn versions(lacks: &[TooOld], of: &TooOld) -> String {
    let same = lacks.iter().filter(|lack| (&lack.by, &lack.library) == (&of.by, &of.library));
    let mut names: Vec<&str> = same.map(|lack| lack.version.as_str()).collect();
    names.dedup();
    names.join(", ")
}

/// The distribution, os-release(5).
fn system(case: &Case) -> Option<String> {
    let text = case.machine.read(Path::new("/etc/os-release")).ok()?;
    let name = text
        .lossy()
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME=").map(|name| name.trim_matches('"').to_owned()))?;
    Some(name)
}

fn fixes(case: &Case, program: &Path, lack: &TooOld) -> Vec<Fix> {
    let mut fixes: Vec<Fix> = newer_copy(case, program, lack).into_iter().collect();
    let name = lack.library.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with("libc.so") || name.starts_with("libm.so") || name.starts_with("ld-") {
        fixes.push(Fix::lasting(
            "take a build for this system or an older one, or a static one; the C library alone cannot be replaced",
        ));
    } else {
        fixes.push(Fix::lasting(format!("install a newer {name}, or take a build for this system")));
    }
    fixes
}

/// `LD_LIBRARY_PATH` often leads to an old copy of a library that the system has newer.
fn newer_copy(case: &Case, program: &Path, lack: &TooOld) -> Option<Fix> {
    let name = lack.library.file_name()?.to_str()?;
    let set = case.surroundings().var("LD_LIBRARY_PATH").filter(|set| !set.is_empty())?;
    let directory = lack.library.parent()?;
    let is_from_there = std::env::split_paths(&set).any(|element| element == directory);
    let cached = case.machine.cached_library(name).unwrap_or_default();
    let other = cached.into_iter().map(|cached| cached.path).filter(|file| *file != lack.library);
    let newer =
        other.into_iter().find(|file| elf(case, file).is_some_and(|elf| elf.defines.contains(&lack.version)))?;
    let text = format!("takes {}, which has it; LD_LIBRARY_PATH leads to the old one", newer.display());
    is_from_there.then(|| Fix::now(format!("env -u LD_LIBRARY_PATH {}", shell_word(program)), text))
}

fn said(clue: &Clue, program: &Path) -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None::<Seen>,
        evidence: vec![Evidence::output(clue.line.clone())],
        ..verified(
            format!("a library was too old for {} where this was written", program.display()),
            format!("The output says that {} needs a newer library than the one that it found.", program.display()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::stage::Stage;
    use crate::machine::{Kind, Versions};

    /// A program that needs a version, a library that defines versions, and the message of the loader.
    fn stage(needs: &str, defines: &[&str]) -> Stage {
        let mut stage = Stage::new("22 1 8:1 / / rw - ext4 /dev/sda1 rw");
        let needs = vec![Versions { library: "libc.so.6".into(), names: vec![needs.into()] }];
        let tool = Elf { bits: 64, machine: 62, needs, ..Elf::default() };
        let defines = defines.iter().map(|name| (*name).to_owned()).collect();
        let libc = Elf { bits: 64, machine: 62, defines, ..Elf::default() };
        stage
            .stat("/home/u/tool", Kind::Regular, |_| {})
            .stat("/lib/libc.so.6", Kind::Regular, |_| {})
            .directory("/lib");
        stage.knows("executable /home/u/tool", Ok(Executable::Elf(Box::new(tool))));
        stage.knows("executable /lib/libc.so.6", Ok(Executable::Elf(Box::new(libc))));
        stage.add(|clue| {
            (clue.path, clue.other_path) = (Some("/lib/libc.so.6".into()), Some("./tool".into()));
            (clue.subject, clue.suspects) = (Some("GLIBC_2.38".into()), vec![ID.into()]);
        });
        stage
    }

    #[test]
    fn a_version_that_the_library_lacks_is_named_with_the_newest_that_it_has() {
        let finding = stage("GLIBC_2.38", &["GLIBC_2.9", "GLIBC_2.36"]).finding(&CAUSE, "/home/u/tool");
        assert_eq!(finding.headline, "/home/u/tool needs GLIBC_2.38 of /lib/libc.so.6, which ends at GLIBC_2.36");
        assert_eq!(finding.confidence, Confidence::Verified);
    }

    #[test]
    fn a_version_that_the_library_has_is_not_it() {
        stage("GLIBC_2.38", &["GLIBC_2.36", "GLIBC_2.38"]).assert_silent(&CAUSE);
    }

    #[test]
    fn a_file_that_does_not_need_the_version_is_not_it() {
        stage("GLIBC_2.30", &["GLIBC_2.36"]).assert_silent(&CAUSE);
    }

    #[test]
    fn a_log_of_another_machine_is_possible_at_most() {
        let mut stage = stage("GLIBC_2.38", &["GLIBC_2.36", "GLIBC_2.38"]);
        stage.mode = Mode::Log;
        assert_eq!(stage.finding(&CAUSE, "/home/u/tool").confidence, Confidence::Possible);
    }
}
