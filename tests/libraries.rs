//! The libraries of real programs, found by explain and by the loader itself: the two must agree, file by file.
#![expect(clippy::disallowed_methods, reason = "tests run the loader, which is the oracle")]

use explain::machine::{Executable, Machine, Surroundings};
use explain::probe::programs::libraries;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Programs that are compared at most; starting the loader takes a millisecond or two.
const PROGRAMS: usize = 400;

fn machine() -> Machine {
    Machine::live(Surroundings::of_this_process(None), Instant::now() + Duration::from_secs(60))
}

/// What `LOADER --list PROGRAM` finds, links resolved; none where it does not take the program.
fn listed(loader: &str, program: &Path) -> Option<BTreeSet<PathBuf>> {
    let output = Command::new(loader).arg("--list").arg(program).env("LC_ALL", "C").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let paths = text.lines().filter_map(|line| line.split_once(" => ")?.1.split(" (").next().map(PathBuf::from));
    let found = paths.filter(|path| path.is_absolute()).filter_map(|path| path.canonicalize().ok());
    (output.status.success() && !text.contains("not found")).then(|| found.collect())
}

#[test]
fn the_libraries_of_real_programs_are_those_that_the_loader_finds() {
    let names = std::fs::read_dir("/usr/bin").expect("/usr/bin can be listed").flatten().map(|entry| entry.path());
    let mut names: Vec<PathBuf> = names.filter_map(|path| path.canonicalize().ok()).collect();
    names.sort();
    names.dedup();
    let machine = machine();
    let mut compared = 0;
    for program in names {
        let Ok(Executable::Elf(elf)) = machine.executable(&program) else { continue };
        let Some(loader) = elf.loader.clone().filter(|loader| loader.contains("ld-linux")) else { continue };
        let Some(mut wanted) = listed(&loader, &program) else { continue };
        let resolution = libraries(&machine, &program, &elf);
        assert!(
            resolution.missing.is_empty() && resolution.too_old.is_empty(),
            "{}: {resolution:#?}",
            program.display()
        );
        let found = resolution.loaded.iter().skip(1).filter_map(|(path, _)| path.canonicalize().ok());
        let found: BTreeSet<PathBuf> = found.collect();
        // The loader lists itself; it is not looked for.
        wanted.remove(&Path::new(&loader).canonicalize().unwrap_or_default());
        assert_eq!(found, wanted, "{}", program.display());
        compared += 1;
        if compared == PROGRAMS {
            break;
        }
    }
    println!("{compared} programs compared");
}
