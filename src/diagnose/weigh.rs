//! How sure a finding is in the light of what the command did after the message: what the output says then, and what the script that it runs
//! goes on to. What is so on the machine need not be why the command failed.

use crate::cause::{Case, Confidence, Finding, Mode, Suspect, Verdict, is_related};
use crate::clue::{
    Aftermath, Clue, Operation, Shown, Standing, is_of_status, is_of_test, is_own_fault, misses_something,
};
use crate::command_line;
use crate::outcome::Outcome;
use crate::sys::errno::Errno;
use std::path::Path;

/// A verdict in the light of what the command said after the message: what is so and was dealt with is not why it failed. That a file is
/// not there is mostly dealt with; that something is refused or used up mostly is not, and stays likely.
pub fn weighed(case: &Case, id: &str, suspect: &Suspect, verdict: Verdict) -> Verdict {
    let Verdict::Found(mut finding) = verdict else { return verdict };
    let Some(clue) = suspect.clue.map(|index| &case.clues[index]) else {
        if is_unspoken(case, id) && ends_otherwise(case) {
            finding.confidence = Confidence::Possible;
        }
        return Verdict::Found(finding);
    };
    if clue.vague {
        return Verdict::Found(finding);
    }
    if clue.passing {
        finding.confidence = Confidence::Possible;
        let is_run = case.mode == Mode::Run;
        let in_passing = || Verdict::RuledOut("programs say so in passing and go on".to_owned());
        return if is_run { in_passing() } else { Verdict::Found(finding) };
    }
    match clue.shown {
        Shown::Said => {}
        Shown::Retold => lower(&mut finding),
        Shown::Value => finding.confidence = Confidence::Possible,
    }
    if clue.loose && !names(case, clue, suspect) {
        // Words may be about anything that their line does not name.
        lower(&mut finding);
    }
    let aftermath = Aftermath::of(case.transcript, clue);
    if let Some(reason) = passed_over(case, suspect, &aftermath, &mut finding) {
        return Verdict::RuledOut(reason);
    }
    let is_probe = is_ordinary_probe(case, id, clue);
    let went_on = |line: String| Verdict::RuledOut(format!("the command went on after it: {line}"));
    match (aftermath, case.mode) {
        (Aftermath::DealtWith(line), Mode::Run) => return went_on(line),
        (Aftermath::Otherwise(line), Mode::Run) if is_probe => return went_on(line),
        // A program that fails of its own fault had dealt with what it met before, or that has led to it: nobody can tell.
        (Aftermath::Otherwise(line) | Aftermath::Raised(line), Mode::Run)
            if is_own_fault(&line) || is_of_test(&line) && !is_of_status(&line) =>
        {
            finding.confidence = Confidence::Possible;
        }
        (Aftermath::Otherwise(_) | Aftermath::Raised(_) | Aftermath::DealtWith(_), _) => lower(&mut finding),
        (Aftermath::Doubtful(_), _) if is_probe => lower(&mut finding),
        (Aftermath::Doubtful(_) | Aftermath::Open, _) => {}
    }
    Verdict::Found(finding)
}

/// Whether a message names the path that is suspected, or one on the way to it or below it.
fn names(case: &Case, clue: &Clue, suspect: &Suspect) -> bool {
    let Some(subject) = suspect.subject.path() else { return false };
    let real = |path: &Path| case.resolve(path).map(|found| found.existing.join(found.missing));
    let paths = [&clue.path, &clue.other_path].into_iter().flatten();
    let mut named = paths.flat_map(|path| [Some(case.surroundings().cwd.join(path)), real(path)]).flatten();
    named.any(|path| path.starts_with(subject) || subject.starts_with(&path))
}

/// Whether no message speaks of a cause: the state of the machine alone suggests it.
fn is_unspoken(case: &Case, id: &str) -> bool {
    !case.clues.iter().any(|clue| clue.vague || clue.suspects(id))
}

/// Whether the command ended by itself and told a reason: then what it never spoke of is hardly why. A signal is no end of its own.
fn ends_otherwise(case: &Case) -> bool {
    let is_own = matches!(case.outcome, Outcome::Exited { code: ..=125 });
    case.mode == Mode::Run && is_own && Aftermath::ending(case.transcript).is_some()
}

/// Why a message is none of what ended the script that the command line has; where it may be, the finding is made as sure as the script
/// lets it be.
fn passed_over(case: &Case, suspect: &Suspect, aftermath: &Aftermath, finding: &mut Finding) -> Option<String> {
    let clue = &case.clues[suspect.clue?];
    let standing = case.standing(clue);
    let later = failed_later(case, clue, suspect)
        .filter(|_| matches!(standing, Standing::BeforeLeaf | Standing::BeforeOther | Standing::Shown));
    if let Some(later) = later {
        return Some(format!("the script went on after it, and failed at: {}", later.line));
    }
    match (standing, aftermath) {
        (Standing::Counts, Aftermath::Doubtful(line)) if is_of_child(case, clue) => {
            // What the program says last has nothing of the message, and need not have anything to do with it.
            let confidence = if misses_something(line) { Confidence::Likely } else { Confidence::Possible };
            finding.confidence = finding.confidence.min(confidence);
        }
        (Standing::Counts, _) => return None,
        (Standing::PassedOver, _) => return Some("the script passes over it".to_owned()),
        (Standing::BeforeLeaf | Standing::BeforeOther, Aftermath::Otherwise(line)) => {
            return Some(format!("the script went on after it, and ended with: {line}"));
        }
        (Standing::BeforeLeaf | Standing::Shown, _) => finding.confidence = Confidence::Possible,
        (Standing::BeforeOther, _) => lower(finding),
    }
    None
}

/// What the command met later with an errno, on a path that has nothing to do with that of this message or with what is suspected.
fn failed_later<'a>(case: &'a Case, clue: &Clue, suspect: &Suspect) -> Option<&'a Clue> {
    let later = case.clues.iter().filter(|later| later.said.start >= clue.said.end && later.errno.is_some());
    let is_other = |later: &Clue| later.errno != clue.errno || !names(case, later, suspect);
    later.into_iter().find(|later| later.path.is_some() && !is_related(case, clue, later) && is_other(later))
}

/// Whether a message is that of a program which the text of another language has started: that one goes on or not as it likes.
fn is_of_child(case: &Case, clue: &Clue) -> bool {
    const INTERPRETERS: &[&str] = &["node", "perl", "php", "python", "ruby"];
    let first = command_line::launched(case.command).first().map(Path::new).and_then(Path::file_name);
    let shebang = case.interpreter();
    let name = shebang.as_deref().map_or_else(|| first.unwrap_or_default().to_string_lossy(), Into::into);
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    INTERPRETERS.contains(&name) && clue.program.as_deref().is_some_and(|program| !program.starts_with(name))
}

/// What is so and may be why, and is not proven to be.
pub fn lower(finding: &mut Finding) {
    finding.confidence = finding.confidence.min(Confidence::Likely);
}

/// Whether programs try this as a matter of course and go on where it fails: files and commands that need not be there, directories that may be
/// there already.
fn is_ordinary_probe(case: &Case, id: &str, clue: &Clue) -> bool {
    let is_command = id == "command-not-found" || clue.operation == Some(Operation::Execute);
    let is_told_by_status = is_command && matches!(case.outcome, Outcome::Exited { code: 126 | 127 });
    let is_there = matches!(id, "already-exists" | "directory-not-empty");
    (clue.errno == Some(Errno::ENOENT) || is_there || id == "command-not-found") && !is_told_by_status
}
