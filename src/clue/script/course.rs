//! What a script does after one of its commands has failed: end, go on on purpose (`|| true`), or go on to commands that decide how it ends.
//!
//! What does not depend on the command that is asked about is found once, when a [`Course`] is made. So all commands of a script are judged in
//! time that is linear in its length: generated scripts have tens of thousands of them.

use super::standing::{ENDING, LEAVES, PASSING, SAYING, Standing};
use super::{Joint, Script, Step};
use crate::command_line::{path_in, words_in};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Commands whose first operand is a pattern or a program and no path.
const PATTERN_FIRST: &[&str] = &["awk", "egrep", "fgrep", "grep", "jq", "sed"];
/// Builtins of POSIX at whose failure a shell ends itself (2.8.1).
const SPECIAL: &[&str] = &[".", ":", "exec", "export", "readonly", "set", "source", "unset"];
/// Words of one command that are compared with those of another.
const MOST_WORDS: usize = 64;

/// The commands of a script, ready to be asked what follows each of them.
pub struct Course<'s, 'a> {
    steps: &'s [Step<'a>],
    stops_at_failure: bool,
    has_pipefail: bool,
    /// Whether the script itself names what the message is about.
    is_named: bool,
    /// The command that decides how the script ends, and the paths that it names.
    last: Option<(&'s Step<'a>, Vec<&'a Path>)>,
    /// Of each command the first one from it on that neither `&&` nor `|` joins to the next.
    chain_ends: Vec<usize>,
    /// The statements that have a command which ends the script.
    ending: HashSet<usize>,
}

impl<'s, 'a> Course<'s, 'a> {
    /// `is_named` tells whether the script itself names what the message is about; if not, a program came across it.
    pub fn of(script: &Script, steps: &'s [Step<'a>], is_named: bool) -> Self {
        let mut chain_ends: Vec<usize> = (0..steps.len()).collect();
        for at in (0..steps.len().saturating_sub(1)).rev() {
            if matches!(steps[at].joint, Joint::And | Joint::Pipe) {
                chain_ends[at] = chain_ends[at + 1];
            }
        }
        Self {
            steps,
            stops_at_failure: script.stops_at_failure,
            has_pipefail: script.has_pipefail(),
            is_named,
            last: deciding(steps, is_named).map(|last| (last, paths(last))),
            chain_ends,
            ending: steps.iter().filter(|step| step.is_one_of(ENDING)).map(|step| step.statement).collect(),
        }
    }

    /// What the script makes of the failure of a command, by its place.
    pub fn standing(&self, index: usize) -> Standing {
        let step = &self.steps[index];
        let is_last = self.last.as_ref().is_none_or(|(last, _)| step.statement >= last.statement);
        match &self.last {
            _ if self.is_passed_over(index) => Standing::PassedOver,
            _ if step.is_one_of(SPECIAL) => Standing::Counts,
            _ if self.is_tried_otherwise(index) => Standing::BeforeOther,
            Some((last, _)) if is_last && self.is_before_leaf_of_pipe(step, last) => Standing::BeforeLeaf,
            _ if is_last && self.is_answered(step) => Standing::BeforeOther,
            Some((last, paths)) if !is_last && (step.is_asked || !self.stops_at_failure) => before(step, last, paths),
            _ => Standing::Counts,
        }
    }

    /// Whether a condition asks for a command's status and the statement around it never ends the script for it.
    fn is_answered(&self, step: &Step) -> bool {
        step.is_asked && !self.ending.contains(&step.statement)
    }

    /// The command behind `||` that is run where this one fails, perhaps behind others that are not.
    fn alternative(&self, index: usize) -> Option<&'s Step<'a>> {
        let or = Some(self.chain_ends[index]).filter(|or| self.steps[*or].joint == Joint::Or)?;
        self.steps.get(or + 1).filter(|next| next.depth == self.steps[index].depth)
    }

    /// Whether a command is followed by `|| true`.
    fn is_passed_over(&self, index: usize) -> bool {
        self.alternative(index).is_some_and(|next| next.joint == Joint::Next && next.is_one_of(PASSING))
    }

    /// Whether another command is run where this one fails, which does not only tell of it: then that one decides.
    fn is_tried_otherwise(&self, index: usize) -> bool {
        let tells = |word: &str| ENDING.contains(&word) || SAYING.contains(&word);
        self.alternative(index).is_some_and(|next| next.words().next().is_some_and(|word| !tells(word)))
    }

    /// Whether the status of a pipe is that of a command at its end which only looks at what a program came across.
    fn is_before_leaf_of_pipe(&self, step: &Step, last: &Step) -> bool {
        !self.is_named && step.joint == Joint::Pipe && !self.has_pipefail && last.is_one_of(LEAVES)
    }
}

/// The command that decides how a script ends. Before `exit 1` that is the one before: a script that has seen a failure says so and ends with
/// a status of its own. What a program only came across is no reason to.
fn deciding<'s, 'a>(steps: &'s [Step<'a>], is_named: bool) -> Option<&'s Step<'a>> {
    let (last, before) = steps.split_last()?;
    if !is_named || !last.is_one_of(&["exit"]) {
        return Some(last);
    }
    before.iter().rev().find(|step| !step.is_one_of(SAYING))
}

/// What becomes of the failure of a command that stands before the one which decides; `paths` are those of the latter.
fn before(step: &Step, last: &Step, paths: &[&Path]) -> Standing {
    let mut words = last.words();
    match (words.next(), words.next()) {
        (Some("exit"), Some(status)) if status.bytes().all(|byte| byte.is_ascii_digit()) => Standing::BeforeLeaf,
        (Some("exit"), _) => Standing::Counts,
        _ if shares_a_path(step, paths) => Standing::Counts,
        _ if last.is_one_of(LEAVES) => Standing::BeforeLeaf,
        _ => Standing::BeforeOther,
    }
}

/// Whether a command has a path that is one of others, above or below.
fn shares_a_path(step: &Step, others: &[&Path]) -> bool {
    let operands = paths(step).into_iter().skip(1);
    operands.into_iter().any(|path| others.iter().any(|other| path.starts_with(other) || other.starts_with(path)))
}

/// The words of a command that may be paths, its program first; what it looks for in files is none.
fn paths<'a>(step: &Step<'a>) -> Vec<&'a Path> {
    let words = words_in(OsStr::from_bytes(step.text)).skip(1).filter_map(path_in);
    let mut paths: Vec<&Path> = words.take(MOST_WORDS).collect();
    if step.is_one_of(PATTERN_FIRST) && paths.len() > 1 {
        paths.remove(1);
    }
    paths.retain(|path| path.as_os_str().len() > 1 && *path != Path::new("/dev/null"));
    paths
}
