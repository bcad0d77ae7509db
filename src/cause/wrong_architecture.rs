//! A program for another machine: the kernel has no format and no handler for it and answers ENOEXEC.

use super::exec::{self, Kind, Start, verified};
use super::{Case, Cause, Evidence, Finding, Fix, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::machine::{Elf, Executable};
use crate::probe::programs::{Obstacle, Refusal, bits_and_machine, native};
use crate::sys::errno::Errno;
use crate::text::shell_word;
use std::path::Path;

const KIND: Kind = Kind { id: "wrong-architecture", answers: &[Errno::ENOEXEC, Errno::ENOENT] };

pub const CAUSE: Cause =
    Cause { id: KIND.id, page: include_str!("../../docs/causes/wrong-architecture.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let libraries = case.clues.iter().enumerate().filter_map(|(index, clue)| {
        let file = exec::file_of(case, library(clue)?)?;
        Some(Suspect { subject: Subject::Path(file), clue: Some(index), touched: true })
    });
    exec::suspects(case, KIND).into_iter().chain(exec::misread(case)).chain(libraries).collect()
}

/// The library that a message names by its path: of one for another machine the loader says that it cannot be opened, or that its class is
/// wrong (glibc, `elf/dl-load.c`).
fn library(clue: &Clue) -> Option<&Path> {
    let is_told = clue.suspects("missing-shared-library") || clue.suspects(KIND.id);
    let named = clue.subject.as_deref().map(Path::new).into_iter().chain(clue.path.as_deref());
    named.filter(|_| is_told).find(|path| path.components().count() > 1 && is_library(path))
}

fn is_library(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.contains(".so") || name.ends_with(".node")
}

/// The header of a library that no program of this machine can load; libraries need no x bit.
fn foreign_library(case: &Case, file: &Path) -> Option<Box<Elf>> {
    let Ok(Executable::Elf(elf)) = case.machine.executable(file) else { return None };
    let native = native(case.machine).filter(|_| is_library(file) && !elf.has_no_header())?;
    ((native.machine, native.bits) != (elf.machine, elf.bits)).then_some(elf)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let library = suspect.subject.path().and_then(|file| Some((file, foreign_library(case, file)?)));
    if let Some((file, elf)) = library {
        let obstacle = Obstacle { file: file.to_owned(), scripts: Vec::new(), refusal: Refusal::Machine(elf.clone()) };
        return Verdict::Found(Box::new(foreign(&Start { case, program: file, obstacle }, &elf)));
    }
    exec::check(case, suspect, KIND.id, |start| match &start.obstacle.refusal {
        Refusal::Machine(elf) => Some(foreign(start, elf)),
        Refusal::System(what) => Some(other_system(start, what)),
        _ => None,
    })
}

fn foreign(start: &Start, elf: &Elf) -> Finding {
    let file = start.file();
    let (theirs, ours) = (bits_and_machine(elf), start.case.machine.architecture().unwrap_or_default());
    let headline = format!("{} is a program for {theirs}, and this machine is {ours}", file.display());
    let summary =
        format!("{} is built for {theirs}; this machine is {ours} and has no handler for it.", file.display());
    let header =
        Evidence::probe(format!("its ELF header says {theirs}")).check(format!("file -L {}", shell_word(file)));
    let here = Evidence::probe(format!("this machine is {ours}")).check("uname -m");
    let evidence = [header, here].into_iter().chain(start.way()).collect();
    Finding { evidence, fixes: fixes(start.case, elf), ..verified(headline, summary) }
}

fn fixes(case: &Case, elf: &Elf) -> Vec<Fix> {
    if elf.machine == 3 {
        return vec![Fix::lasting("this kernel runs no 32-bit programs: take the build for 64 bits")];
    }
    let take = Fix::lasting("take the build for this machine; one that is built here from source fits");
    let emulate = exec::install(case, "qemu-user-static").map(|fix| {
        let text = "registers emulators (binfmt_misc), so that programs of other machines run, slowly";
        Fix { text: text.into(), lasting: true, ..fix }
    });
    std::iter::once(take).chain(emulate).collect()
}

fn other_system(start: &Start, what: &str) -> Finding {
    let file = start.file();
    let headline = format!("{} is {what}", file.display());
    let summary = format!("{} is {what}: Linux does not run it by itself.", file.display());
    let evidence =
        Evidence::probe("its first bytes say so").check(format!("head -c 16 {} | od -tx1", shell_word(file)));
    let fix = Fix::lasting("take the build for Linux");
    Finding { evidence: vec![evidence], fixes: vec![fix], ..verified(headline, summary) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::stage::Stage;
    use crate::clue::Operation;
    use crate::machine::{Executable, Kind as File, Listing};
    use crate::text::Bytes;

    fn stage(program: Executable) -> Stage {
        let mut stage = Stage::new("22 1 8:1 / / rw - ext4 /dev/sda1 rw");
        stage.stat("/home/u/tool", File::Regular, |_| {}).knows("executable /home/u/tool", Ok(program));
        stage.knows("architecture", Ok("x86_64")).knows("list /proc/sys/fs/binfmt_misc", Ok(Listing::default()));
        stage.clue(Errno::ENOEXEC, Operation::Execute, "./tool");
        stage
    }

    fn elf(machine: u16) -> Executable {
        Executable::Elf(Box::new(Elf { bits: 64, machine, ..Elf::default() }))
    }

    #[test]
    fn a_program_for_another_machine_is_named_with_both() {
        let headline = stage(elf(183)).finding(&CAUSE, "/home/u/tool").headline;
        assert_eq!(headline, "/home/u/tool is a program for ARM (64 bits, aarch64), and this machine is x86_64");
    }

    #[test]
    fn a_program_for_another_system_is_named() {
        let head = Bytes(vec![0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1]);
        assert_eq!(
            stage(Executable::Other { head }).finding(&CAUSE, "/home/u/tool").headline,
            "/home/u/tool is a program for macOS"
        );
    }

    #[test]
    fn a_program_for_this_machine_is_not_it() {
        stage(elf(62)).assert_silent(&CAUSE);
    }

    #[test]
    fn a_machine_that_cannot_be_asked_says_nothing() {
        let mut stage = stage(elf(183));
        stage.knows("architecture", Ok("some-machine-of-the-future"));
        stage.assert_silent(&CAUSE);
    }
}
