//! The libraries of real programs, found by explain and by the loader itself: the two must agree, file by file.
#![expect(clippy::disallowed_methods, reason = "tests run the loader, which is the oracle")]

mod skipped;

use explain::machine::{Executable, Machine, Surroundings};
use explain::probe::programs::libraries;
use skipped::skip;
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

/// Directories that hold a library or not, and how a program and its library lead there.
struct Layout {
    /// Where `libdeep.so.1` is; the program needs `libnear.so.1`, which needs it.
    deep: &'static str,
    /// Search paths of the program and of `libnear.so.1`, each an RPATH or a RUNPATH.
    paths: [(&'static str, bool); 2],
    /// `LD_LIBRARY_PATH`.
    environment: &'static str,
}

fn gcc(directory: &Path, arguments: &[&str]) {
    let output = Command::new("gcc").args(arguments).current_dir(directory).output().expect("gcc starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

impl Layout {
    fn build(&self, directory: &Path) -> PathBuf {
        for below in ["a", "b", "c"] {
            std::fs::create_dir_all(directory.join(below)).expect("a directory");
        }
        let write = |name: &str, text: &str| std::fs::write(directory.join(name), text).expect("a source file");
        write("deep.c", "int deep(void) { return 0; }");
        write("near.c", "int deep(void); int near(void) { return deep(); }");
        write("main.c", "int near(void); int main(void) { return near(); }");
        let option = |(path, is_runpath): (&str, bool)| {
            let tags = if is_runpath { "--enable-new-dtags" } else { "--disable-new-dtags" };
            if path.is_empty() { "-Wl,--as-needed".to_owned() } else { format!("-Wl,{tags},-rpath,{path}") }
        };
        let [main, near] = self.paths.map(option);
        let deep = format!("{}/libdeep.so.1", self.deep);
        gcc(directory, &["-shared", "-fPIC", "deep.c", "-o", &deep, "-Wl,-soname,libdeep.so.1"]);
        gcc(
            directory,
            &["-shared", "-fPIC", "near.c", &deep, "-o", "b/libnear.so.1", "-Wl,-soname,libnear.so.1", &near],
        );
        let link = format!("-Wl,-rpath-link,{}", self.deep);
        gcc(directory, &["main.c", "b/libnear.so.1", "-o", "tool", &link, &main]);
        directory.join("tool")
    }
}

#[test]
fn search_paths_of_a_program_and_of_its_library_are_followed_as_the_loader_follows_them() {
    if Command::new("gcc").arg("--version").output().is_err() {
        let test = "search_paths_of_a_program_and_of_its_library_are_followed_as_the_loader_follows_them";
        return skip(test, "gcc is not installed", true);
    }
    let paths = ["", "$ORIGIN/b", "$ORIGIN/b:$ORIGIN/a", "$ORIGIN/../a:${ORIGIN}/c"];
    let environments = ["", "a:b", "c"];
    let mut outcomes = BTreeSet::new();
    for number in 0..48 {
        let layout = Layout {
            deep: ["a", "c"][number % 2],
            paths: [(paths[number / 2 % 4], number % 3 == 0), (paths[number / 3 % 4], number % 5 < 2)],
            environment: environments[number / 16],
        };
        let directory = tempfile::tempdir().expect("a directory");
        let program = layout.build(directory.path());
        let ran =
            Command::new(&program).current_dir(directory.path()).env("LD_LIBRARY_PATH", layout.environment).output();
        let is_started = ran.expect("the program starts").status.success();
        let mut surroundings = Surroundings { cwd: directory.path().into(), ..Surroundings::of_this_process(None) };
        let environment = explain::text::Bytes(layout.environment.into());
        surroundings.env.insert("LD_LIBRARY_PATH".into(), environment);
        let machine = Machine::live(surroundings, Instant::now() + Duration::from_secs(60));
        let Ok(Executable::Elf(elf)) = machine.executable(&program) else { panic!("no ELF file") };
        let resolution = libraries(&machine, &program, &elf);
        let description = format!("{:?} {:?} {}", layout.paths, layout.environment, layout.deep);
        assert_eq!(resolution.missing.is_empty(), is_started, "{description}: {:#?}", resolution.missing);
        outcomes.insert(is_started);
    }
    assert_eq!(outcomes.len(), 2, "all programs ended alike");
}
