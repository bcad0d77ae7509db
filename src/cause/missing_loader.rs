//! The loader that a program names (`PT_INTERP`) is missing: the program is for another C library or another bitness. The kernel
//! answers ENOENT, so that the program itself seems to be missing, which it is not.

use super::exec::{self, Kind, Start, verified};
use super::{Case, Cause, Evidence, Finding, Fix, Suspect, Verdict};
use crate::machine::Elf;
use crate::probe::programs::{Refusal, bits_and_machine, owning};
use crate::sys::errno::Errno;
use crate::text::shell_word;
use std::path::Path;

const KIND: Kind = Kind { id: "missing-loader", answers: &[Errno::ENOENT, Errno::ENOTDIR, Errno::ELIBBAD] };

pub const CAUSE: Cause =
    Cause { id: KIND.id, page: include_str!("../../docs/causes/missing-loader.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    exec::suspects(case, KIND)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    exec::check(case, suspect, KIND.id, |start| match &start.obstacle.refusal {
        Refusal::Loader(elf, loader) => Some(told(start, elf, loader)),
        _ => None,
    })
}

fn told(start: &Start, elf: &Elf, loader: &Path) -> Finding {
    let file = start.file();
    let headline = format!("{} needs the loader {}, which is not there", file.display(), loader.display());
    let summary = format!(
        "{} is there and is a program for {}; the loader that it names, {}, is not.",
        file.display(),
        bits_and_machine(elf),
        loader.display()
    );
    let named = format!("its ELF header (PT_INTERP) names {}", loader.display());
    let missing = format!("{} does not exist", loader.display());
    let mut evidence = vec![
        Evidence::probe(named).check(format!("readelf -l {} | grep interpreter", shell_word(file))),
        Evidence::probe(missing).check(format!("ls -l {}", shell_word(loader))),
    ];
    evidence.extend(flavour(loader).map(Evidence::probe));
    evidence.extend(start.way());
    Finding { evidence, fixes: fixes(start.case, elf, loader), ..verified(headline, summary) }
}

/// Whose loader it is, where its name tells.
fn flavour(loader: &Path) -> Option<&'static str> {
    let name = loader.file_name()?.to_str()?;
    match name {
        _ if loader.starts_with("/nix/store") => {
            Some("programs of Nix keep their loader in the store, which is not here")
        }
        _ if name.starts_with("ld-musl-") => Some("that is the loader of musl, as on Alpine Linux"),
        "ld-linux-armhf.so.3" => Some("that is the loader of glibc for 32-bit ARM with hardware floating point"),
        "ld-linux.so.2" => Some("that is the loader of glibc for 32-bit x86"),
        _ if name.starts_with("ld-linux") || name.starts_with("ld64") => {
            Some("that is the loader of glibc, which most distributions have and Alpine Linux has not")
        }
        _ => None,
    }
}

fn fixes(case: &Case, elf: &Elf, loader: &Path) -> Vec<Fix> {
    let name = loader.file_name().unwrap_or_default().to_string_lossy();
    let mut fixes = Vec::new();
    if let Some(owned) = owning(case.machine, loader) {
        let command = case.as_root(&format!("apt install --reinstall {}", owned.package));
        fixes.push(Fix::now(command, format!("brings it back: the package {} had it", owned.package)));
    }
    fixes.extend(packages(case, elf, &name));
    if case.machine.stat(Path::new("/etc/alpine-release")).is_ok() && name.starts_with("ld-linux") {
        fixes.push(Fix::now(case.as_root("apk add gcompat"), "brings a glibc loader that serves many programs"));
    }
    fixes.push(Fix::lasting("take a build for this system's C library, or a static one"));
    fixes
}

/// What Debian calls the packages that have such a loader.
fn packages(case: &Case, elf: &Elf, loader: &str) -> Option<Fix> {
    if loader.starts_with("ld-musl-") {
        return exec::install(case, "musl");
    }
    let is_here = case.machine.architecture().ok()?;
    let foreign = match (is_here.as_str(), elf.machine) {
        ("x86_64", 3) => "i386",
        ("aarch64", 40) => "armhf",
        _ => return None,
    };
    let fix = exec::install(case, &format!("libc6:{foreign}"))?;
    let command = format!(
        "{} && {} && {}",
        case.as_root(&format!("dpkg --add-architecture {foreign}")),
        case.as_root("apt update"),
        fix.command?
    );
    Some(Fix::now(command, "installs the C library for 32-bit programs"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::stage::Stage;
    use crate::cause::{Confidence, Mode};
    use crate::clue::Operation;
    use crate::machine::{Executable, Kind as File};
    use crate::outcome::Outcome;

    fn stage(loader: &str) -> Stage {
        let mut stage = Stage::new("22 1 8:1 / / rw - ext4 /dev/sda1 rw");
        let elf = Elf { bits: 64, machine: 62, loader: Some(loader.into()), ..Elf::default() };
        stage
            .stat("/home/u/tool", File::Regular, |_| {})
            .knows("executable /home/u/tool", Ok(Executable::Elf(Box::new(elf))));
        stage.knows("architecture", Ok("x86_64")).directory("/lib").missing("/lib/ld-musl-x86_64.so.1");
        stage
    }

    #[test]
    fn a_program_of_another_c_library_is_named_though_the_message_denies_it() {
        let mut stage = stage("/lib/ld-musl-x86_64.so.1");
        stage.clue(Errno::ENOENT, Operation::Execute, "./tool");
        let finding = stage.finding(&CAUSE, "/home/u/tool");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.evidence.iter().any(|evidence| evidence.text.contains("Alpine")));
    }

    #[test]
    fn no_such_file_of_a_program_that_is_there_needs_no_word_of_execution() {
        let mut stage = stage("/lib/ld-musl-x86_64.so.1");
        stage.add(|clue| (clue.errno, clue.path) = (Some(Errno::ENOENT), Some("./tool".into())));
        assert_eq!(stage.finding(&CAUSE, "/home/u/tool").confidence, Confidence::Verified);
    }

    #[test]
    fn a_loader_that_is_there_is_not_it() {
        let mut stage = stage("/lib/ld-musl-x86_64.so.1");
        stage.stat("/lib/ld-musl-x86_64.so.1", File::Regular, |_| {});
        stage.clue(Errno::ENOENT, Operation::Execute, "./tool");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_program_that_ran_is_not_looked_at() {
        let mut stage = stage("/lib/ld-musl-x86_64.so.1");
        stage.command = vec!["/home/u/tool".into()];
        stage.outcome = Outcome::Exited { code: 127 };
        assert!(stage.verdicts(&CAUSE).is_empty());
    }

    #[test]
    fn a_log_of_another_machine_without_the_program_is_no_proof() {
        let mut stage = stage("/lib/ld-musl-x86_64.so.1");
        stage.mode = Mode::Log;
        stage.missing("/home/u/tool");
        stage.clue(Errno::ENOENT, Operation::Execute, "./tool");
        stage.assert_silent(&CAUSE);
    }
}
