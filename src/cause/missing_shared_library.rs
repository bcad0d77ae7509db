//! The loader finds a library nowhere that the program, or another library, needs. Its message names the library alone: not where
//! it was looked for, and not that a file of that name lies in a directory which is not searched.

use super::exec::{self, verified};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Subject, Suspect, Verdict, refused};
use crate::clue::Clue;
use crate::machine::Elf;
use crate::probe::programs::{
    Needed, Obstacle, Refusal, bits_and_machine, configured, copies, native, nowhere, obstacle, offering_library,
    other_versions,
};
use crate::text::shell_word;
use std::path::{Path, PathBuf};

const ID: &str = "missing-shared-library";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/missing-shared-library.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let named = case.clues.iter().enumerate().filter(|(_, clue)| clue.suspects(ID) && !refused::is_warning(clue));
    let named = named.filter_map(|(index, clue)| {
        let subject =
            program(case, clue).map(Subject::Path).or_else(|| library(clue).map(|name| Subject::Name(name.to_owned())));
        Some(Suspect { subject: subject?, clue: Some(index), touched: true })
    });
    named.chain(exec::unsaid(case)).collect()
}

/// The program that the loader's message begins with.
fn program(case: &Case, clue: &Clue) -> Option<PathBuf> {
    let name = clue.path.as_deref().or(clue.program.as_deref().map(Path::new))?;
    exec::file_of(case, name).filter(|file| case.machine.stat(file).is_ok())
}

fn library(clue: &Clue) -> Option<&str> {
    clue.subject.as_deref().filter(|library| library.contains(".so"))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    if let Some(program) = suspect.subject.path()
        && let Some(finding) = obstacle(case.machine, program).and_then(|obstacle| of_program(case, program, &obstacle))
    {
        return Verdict::Found(Box::new(exec::as_sure_as_said(case, suspect, finding)));
    }
    let Some(clue) = suspect.clue.map(|index| &case.clues[index]) else {
        return Verdict::RuledOut("its libraries are found".into());
    };
    let Some(name) = library(clue) else { return Verdict::Unknown("the message names no library".into()) };
    if name.contains('/') && case.machine.stat(&refused::absolute(case, Path::new(name))).is_ok() {
        return Verdict::RuledOut(format!("{name} is there"));
    }
    match nowhere(case.machine, name) {
        Some(needed) => Verdict::Found(Box::new(of_name(case, &needed))),
        None if case.mode == Mode::Log => Verdict::Found(Box::new(said(clue, name))),
        None => Verdict::RuledOut(format!("{name} is found now")),
    }
}

fn of_program(case: &Case, program: &Path, obstacle: &Obstacle) -> Option<Finding> {
    let Refusal::Libraries(resolution) = &obstacle.refusal else { return None };
    let needed = resolution.missing.first()?;
    let (file, elf) = resolution.loaded.first()?;
    let lack = Lack { case, needed, elf, program: file };
    let mut evidence =
        vec![Evidence::probe(format!("{} needs {}", needed.by.display(), needed.library)).check(needs(&needed.by))];
    evidence.extend(lack.evidence());
    let others: Vec<&str> = resolution.missing.iter().skip(1).map(|other| other.library.as_str()).collect();
    if !others.is_empty() {
        evidence.push(Evidence::probe(format!("also missing: {}", others.join(", "))));
    }
    let headline = format!("{} is missing, which {} needs", needed.library, needed.by.display());
    let summary = format!(
        "{} cannot start: {} needs {}, and no directory that is searched has it.",
        program.display(),
        needed.by.display(),
        needed.library
    );
    Some(Finding { evidence, fixes: lack.fixes(), ..verified(headline, summary) })
}

fn needs(file: &Path) -> String {
    format!("readelf -d {} | grep -E 'NEEDED|R.*PATH'", shell_word(file))
}

/// A library that something loaded while it ran: only its name is known.
fn of_name(case: &Case, needed: &Needed) -> Finding {
    let elf = native(case.machine).unwrap_or_default();
    let lack = Lack { case, needed, elf: &elf, program: Path::new("/") };
    let who = case.program();
    let confidence = if case.mode == Mode::Log { Confidence::Possible } else { Confidence::Verified };
    let headline = format!("{} is missing, which {who} loads", needed.library);
    let summary = format!("{who} loads {}, and no directory that is searched has it.", needed.library);
    Finding { confidence, evidence: lack.evidence(), fixes: lack.fixes(), ..verified(headline, summary) }
}

fn said(clue: &Clue, library: &str) -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        evidence: vec![Evidence::output(clue.line.clone())],
        ..verified(
            format!("{library} was missing where this was written"),
            format!("The output says that {library} could not be loaded; this machine has it."),
        )
    }
}

/// A missing library and for whom.
struct Lack<'a> {
    case: &'a Case<'a>,
    needed: &'a Needed,
    elf: &'a Elf,
    program: &'a Path,
}

impl Lack<'_> {
    fn copies(&self) -> Vec<(PathBuf, bool)> {
        copies(self.case.machine, (self.program, self.elf), self.needed)
    }

    fn evidence(&self) -> Vec<Evidence> {
        let library = &self.needed.library;
        let directories: Vec<String> =
            self.needed.searched.iter().map(|directory| directory.display().to_string()).collect();
        let searched = format!("searched: {} and the loader's cache", directories.join(", "));
        let check = format!("ldconfig -p | grep -F {}", shell_word(library));
        let mut evidence = vec![Evidence::probe(searched).check(check)];
        for file in &self.needed.foreign {
            let text = format!("{} is there and is no library for {}", file.display(), bits_and_machine(self.elf));
            evidence.push(Evidence::probe(text).check(format!("file -L {}", shell_word(file))));
        }
        for (file, fits) in self.copies() {
            let what =
                if fits { "is there, in a directory that is not searched" } else { "is there, for another machine" };
            evidence.push(
                Evidence::probe(format!("{} {what}", file.display())).check(format!("ls -l {}", shell_word(&file))),
            );
        }
        let others: Vec<String> =
            other_versions(self.case.machine, self.needed).iter().map(|file| file.display().to_string()).collect();
        if !others.is_empty() {
            evidence.push(Evidence::probe(format!("instead there is {}", others.join(", "))));
        }
        evidence
    }

    fn fixes(&self) -> Vec<Fix> {
        let copy =
            self.copies().into_iter().find(|(_, fits)| *fits).and_then(|(file, _)| Some(file.parent()?.to_owned()));
        if let Some(directory) = copy {
            return self.use_of(&directory);
        }
        if let Some(owned) = self.owned() {
            let command = self.case.as_root(&format!("apt install --reinstall {}", owned.package));
            return vec![Fix::now(
                command,
                format!("brings it back: {} had it as {}", owned.package, owned.file.display()),
            )];
        }
        let offer = offering_library(self.case.machine, &self.needed.library);
        offer.and_then(|offer| exec::install(self.case, &offer.package)).into_iter().collect()
    }

    /// The installed package that has a library of this name, of which the file is gone.
    fn owned(&self) -> Option<crate::machine::Owned> {
        let ending = format!("/{}", self.needed.library);
        let owned = self.case.machine.installed_files(&ending).unwrap_or_default();
        owned
            .into_iter()
            .find(|owned| self.needed.searched.iter().any(|directory| owned.file.parent() == Some(directory)))
    }

    /// What makes the loader look into a directory.
    fn use_of(&self, directory: &Path) -> Vec<Fix> {
        let word = shell_word(directory);
        if configured(self.case.machine).iter().any(|configured| configured == directory) {
            let text = format!("reads {word} again, which /etc/ld.so.conf names");
            return vec![Fix { lasting: true, ..Fix::now(self.case.as_root("ldconfig"), text) }];
        }
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        let conf = format!("/etc/ld.so.conf.d/{name}.conf");
        let lasting = self.case.as_root(&format!("sh -c 'echo {word} > {conf} && ldconfig'"));
        vec![
            Fix::now(format!("export LD_LIBRARY_PATH={word}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"), "in this shell"),
            Fix::lasting("for every program of this machine").command(lasting),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::stage::Stage;
    use crate::machine::{Cached, Executable, Kind};
    use crate::outcome::Outcome;
    use crate::sys::errno::Errno;

    fn elf(needed: &[&str]) -> Executable {
        let needed = needed.iter().map(|name| (*name).to_owned()).collect();
        Executable::Elf(Box::new(Elf {
            bits: 64,
            machine: 62,
            loader: Some("/lib64/ld.so".into()),
            needed,
            ..Elf::default()
        }))
    }

    /// A machine whose only directory of libraries is /lib64, with a program that needs `libfoo.so.1`.
    fn stage() -> Stage {
        let mut stage = Stage::new("22 1 8:1 / / rw - ext4 /dev/sda1 rw");
        stage.directory("/lib64").stat("/lib64/ld.so", Kind::Regular, |_| {});
        stage.missing("/lib").directory("/usr").missing("/usr/lib").missing("/usr/lib64");
        stage.missing("/lib64/libfoo.so.1").missing("/lib64/glibc-hwcaps").missing("/bin");
        stage.knows("architecture", Ok("x86_64")).knows("library-cache libfoo.so.1", Ok(Vec::<Cached>::new()));
        stage.stat("/home/u/tool", Kind::Regular, |_| {}).knows("executable /home/u/tool", Ok(elf(&["libfoo.so.1"])));
        stage
    }

    fn said(stage: &mut Stage) {
        stage.add(|clue| {
            (clue.path, clue.subject) = (Some("./tool".into()), Some("libfoo.so.1".into()));
            (clue.errno, clue.suspects) = (Some(Errno::ENOENT), vec![ID.into()]);
        });
    }

    #[test]
    fn a_library_that_is_in_no_directory_is_named_with_who_needs_it() {
        let mut stage = stage();
        said(&mut stage);
        let finding = stage.finding(&CAUSE, "/home/u/tool");
        assert_eq!(finding.headline, "libfoo.so.1 is missing, which /home/u/tool needs");
        assert_eq!(finding.confidence, Confidence::Verified);
    }

    #[test]
    fn a_program_that_said_nothing_is_looked_at_by_its_exit_status() {
        let mut stage = stage();
        (stage.command, stage.outcome) = (vec!["./tool".into()], Outcome::Exited { code: 127 });
        assert_eq!(stage.finding(&CAUSE, "/home/u/tool").confidence, Confidence::Verified);
    }

    #[test]
    fn a_file_of_that_name_beside_the_program_is_told_with_the_way_to_it() {
        let mut stage = stage();
        said(&mut stage);
        stage.directory("/home/u/lib").stat("/home/u/lib/libfoo.so.1", Kind::Regular, |_| {});
        stage.knows("executable /home/u/lib/libfoo.so.1", Ok(elf(&[])));
        let command = stage.finding(&CAUSE, "/home/u/tool").fixes[0].command.clone();
        assert_eq!(command.as_deref(), Some("export LD_LIBRARY_PATH=/home/u/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"));
    }

    #[test]
    fn a_library_that_is_found_is_not_it() {
        let mut stage = stage();
        said(&mut stage);
        stage.stat("/lib64/libfoo.so.1", Kind::Regular, |_| {}).knows("executable /lib64/libfoo.so.1", Ok(elf(&[])));
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_place_that_could_not_be_looked_at_proves_nothing() {
        let mut stage = stage();
        said(&mut stage);
        stage.knows("stat /usr/lib64", Err::<crate::machine::Stat, _>(crate::machine::Unknown::TimedOut));
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_library_that_was_loaded_later_is_looked_for_by_its_name() {
        let mut stage = stage();
        said(&mut stage);
        stage.clues[0].path = None;
        let verdicts = stage.verdicts(&CAUSE);
        let [(suspect, Verdict::Found(finding))] = &verdicts[..] else { panic!("{verdicts:#?}") };
        assert_eq!((suspect.subject.to_string().as_str(), finding.confidence), ("libfoo.so.1", Confidence::Verified));
        stage.mode = Mode::Log;
        let verdicts = stage.verdicts(&CAUSE);
        assert!(matches!(&verdicts[..], [(_, Verdict::Found(finding))] if finding.confidence == Confidence::Possible));
    }
}
