//! What is asked about rules themselves, without a command that failed. Every result is an exit status.

use crate::clue::{Fault, Library};
use crate::explain::{PROBES, own_failure, say};
use crate::machine::{Machine, Surroundings};
use crate::own_rules::Project;
use crate::report::safe;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Instant;

/// `--test-rules`: runs the examples of a rule directory.
#[must_use]
pub fn test_rules(directory: &Path) -> i32 {
    let (library, faults) = Library::only(&[directory.to_owned()]);
    let tested = library.test();
    if !tested.warnings.is_empty() {
        let _ = writeln!(io::stderr(), "explain: {}", lines(&tested.warnings));
    }
    let wrong: Vec<_> = faults.into_iter().chain(tested.failures).collect();
    if !wrong.is_empty() {
        return own_failure(&lines(&wrong));
    }
    say(&format!("{} examples of {} rules hold\n", tested.examples, tested.rules))
}

/// `--trust`: from now on the rules of the project count, as they are.
#[must_use]
pub fn trust(directory: &Path) -> i32 {
    let project = match project(directory) {
        Ok(project) => project,
        Err(error) => return own_failure(&error),
    };
    let files = match project.trust() {
        Ok(files) => files,
        Err(error) => return own_failure(&safe(&error)),
    };
    let mut text = String::from("trusted until they change:\n");
    for file in files {
        let _ = writeln!(text, "  {}", safe(&file.to_string_lossy()));
    }
    let faults = project.faults();
    if !faults.is_empty() {
        let _ = writeln!(io::stderr(), "explain: {}", lines(&faults));
    }
    say(&text)
}

/// `--distrust`: the rules of the project count no longer.
#[must_use]
pub fn distrust(directory: &Path) -> i32 {
    let project = match project(directory) {
        Ok(project) => project,
        Err(error) => return own_failure(&error),
    };
    let rules = safe(&project.rules.to_string_lossy());
    match project.distrust() {
        Ok(true) => say(&format!("{rules} is not trusted any more\n")),
        Ok(false) => say(&format!("{rules} was not trusted\n")),
        Err(error) => own_failure(&safe(&error)),
    }
}

fn project(directory: &Path) -> Result<Project, String> {
    let machine = Machine::live(Surroundings::of_this_process(None), Instant::now() + PROBES);
    Project::of(&machine, directory).map_err(|error| safe(&error))
}

fn lines(faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(|fault| safe(&fault.to_string())).collect();
    lines.join("\nexplain: ")
}
