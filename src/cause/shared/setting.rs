//! Causes of the surroundings (variables, system files) that a message suspects by name and that one look settles.

use super::refused;
use super::tried::tried;
use crate::cause::{Case, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::probe::walk::{Attempt, walk};
use crate::sys::errno::Errno;
use crate::text::capital;
use std::path::Path;

/// A suspect of each clue that suspects the cause, or is one that `also` does; `subject` says what it is about. Of a run those alone
/// that may be why it failed: perl warns of a missing locale and goes on, make of a file of the future.
pub fn suspects(
    case: &Case,
    id: &str,
    also: fn(&Case, &Clue) -> bool,
    subject: fn(&Case, &Clue) -> Subject,
) -> Vec<Suspect> {
    let messages: Vec<(usize, &Clue)> = match case.mode {
        Mode::Run => refused::messages(case).collect(),
        Mode::Log => case.clues.iter().enumerate().collect(),
    };
    let spoken = messages.into_iter().filter(|(_, clue)| clue.suspects(id) || also(case, clue));
    spoken.map(|(index, clue)| Suspect { subject: subject(case, clue), clue: Some(index), touched: true }).collect()
}

/// What is so, and of which the message does not say that it is why.
pub fn less_sure(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Found(mut finding) => {
            finding.confidence = finding.confidence.min(Confidence::Likely);
            Verdict::Found(finding)
        }
        other => other,
    }
}

/// No clue but those whose rule names the cause.
pub fn nothing_else(_: &Case, _: &Clue) -> bool {
    false
}

/// What is wrong, as the machine shows it.
pub struct Wrong {
    /// In a few words, for the first line.
    pub headline: String,
    /// A fact without a full stop.
    pub fact: String,
    /// A command that shows it.
    pub check: String,
    /// What to do.
    pub fixes: Vec<Fix>,
}

/// The verdict: proven by what was found; else refuted by `fine`, or of a saved log as possible as the text makes it.
pub fn verdict(case: &Case, wrong: Option<Wrong>, fine: &str, may_be: &str) -> Verdict {
    match wrong {
        Some(wrong) => Verdict::Found(Box::new(found(case, wrong))),
        None if case.mode == Mode::Log => Verdict::Found(Box::new(possible(may_be, fine))),
        None => Verdict::RuledOut(fine.to_owned()),
    }
}

fn found(case: &Case, wrong: Wrong) -> Finding {
    // A log may be another machine's, whose settings this one's do not prove.
    let is_run = case.mode == Mode::Run;
    Finding {
        confidence: if is_run { Confidence::Verified } else { Confidence::Likely },
        seen: Some(Seen::Now),
        headline: wrong.headline,
        summary: format!("{}.", capital(&wrong.fact)),
        evidence: vec![Evidence::probe(wrong.fact).check(wrong.check)],
        fixes: wrong.fixes,
    }
}

fn possible(may_be: &str, fine: &str) -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: may_be.to_owned(),
        summary: format!("The output suggests that {may_be}; here, {fine}."),
        evidence: vec![Evidence::output(format!("the output suggests it; here, {fine}"))],
        fixes: Vec::new(),
    }
}

/// Why nothing can be made in a directory, where that is why a suspect's message was written: the component that refuses, and the words
/// of its errno. What the message names must be refused there too: a file that is merely missing says nothing of its directory.
#[must_use]
pub fn unusable(case: &Case, suspect: &Suspect, directory: &Path) -> Option<String> {
    let path = directory.join("explain");
    let attempt = Attempt { operation: Operation::Create, path: &path, other: None };
    // A file of that name that is there already is as good.
    let obstacle = walk(case.machine, attempt).ok()?.obstacle.filter(|obstacle| obstacle.errno() != Errno::EEXIST)?;
    // Nobody can make anything in a directory that is missing, whatever was made first.
    let is_missing = case.machine.stat(directory).is_err_and(|unknown| unknown.is_missing());
    let is_on_the_way = |path: &Path| directory.starts_with(path) || path.starts_with(directory);
    let is_refused_there = |clue: &Clue| {
        clue.path.as_deref().is_none_or(|path| is_missing && is_on_the_way(path))
            || tried(case, clue).is_some_and(|tried| tried.obstacle().map(|it| &it.at) == Some(&obstacle.at))
    };
    let is_why = suspect.clue.is_none_or(|index| is_refused_there(&case.clues[index]));
    is_why.then(|| format!("{}: {}", obstacle.at.display(), obstacle.errno().desc()))
}
