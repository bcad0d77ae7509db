//! What is asked about rules themselves, without a command that failed. Every result is an exit status.

use crate::cause;
use crate::clue::{Fault, Library};
use crate::exit;
use crate::explain::{PROBES, own_failure, say};
use crate::machine::{Machine, Surroundings};
use crate::own_rules::Project;
use crate::report::safe;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Instant;

/// `--test-rules`: runs the examples of a rule directory and says what is odd about its rules, in the form of compilers. It ends with
/// 1 where something is wrong, with 125 where nothing could be tested.
#[must_use]
pub fn test_rules(directory: &Path) -> i32 {
    let (library, faults) = Library::only(&[directory.to_owned()]);
    if library.is_empty() && faults.is_empty() {
        return own_failure(&format!("{} holds no rules", safe(&directory.to_string_lossy())));
    }
    let tested = library.test();
    let reviewed = library.review(&Library::builtin(), cause::instead_of);
    let is_unread = library.is_empty() && faults.iter().any(|fault| fault.line.is_none());
    let errors: Vec<Fault> = faults.into_iter().chain(tested.failures).chain(reviewed.failures).collect();
    let warnings: Vec<Fault> = tested.warnings.into_iter().chain(reviewed.warnings).collect();
    let _ = io::stderr().write_all((told("error", &errors) + &told("warning", &warnings)).as_bytes());
    if is_unread {
        return exit::OWN_FAILURE;
    }
    let summary = [
        counted(tested.rules, "rule"),
        counted(tested.examples, "example"),
        counted(errors.len(), "error"),
        counted(warnings.len(), "warning"),
    ];
    match say(&(summary.join(", ") + "\n")) {
        0 if !errors.is_empty() => exit::RULES_FAIL,
        status => status,
    }
}

/// `--rule-schema`: what an editor needs to know of rule files.
#[must_use]
pub fn rule_schema() -> i32 {
    say(include_str!("../docs/rule.schema.json"))
}

/// `FILE:LINE: error: what`, a line each.
fn told(kind: &str, faults: &[Fault]) -> String {
    let line = |fault: &Fault| {
        let place = fault.line.map_or_else(String::new, |line| format!(":{line}"));
        safe(&format!("{}{place}: {kind}: {}", fault.file.display(), fault.text)) + "\n"
    };
    faults.iter().map(line).collect()
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
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
