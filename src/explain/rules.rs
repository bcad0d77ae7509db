//! The rules that an explanation reads output with.

use crate::cause;
use crate::cli::Options;
use crate::clue::{Clue, Fault, Library};
use crate::machine::Machine;
use crate::own_rules::{self, OwnRules};
use std::collections::BTreeSet;

/// Notes on rules that are told of one failure.
const NOTES: usize = 5;

/// All rules, and what is to be told of those that are not part of the program.
pub struct Rules {
    pub library: Library,
    /// What was left out.
    faults: Vec<Fault>,
    /// That the project has rules which nobody trusted.
    untrusted: Option<String>,
    /// An explanation was asked for, and does not come unbidden behind a failure.
    is_asked: bool,
}

impl Rules {
    /// The rules of the machine, the user, the project and the command line, beside those that are part of the program.
    pub fn all(options: &Options, machine: &Machine, is_asked: bool) -> Self {
        let OwnRules { texts, mut faults, untrusted } = own_rules::gather(machine, &options.rules);
        let (library, broken) = Library::with_texts(texts);
        faults.extend(broken);
        Self { library, faults, untrusted, is_asked }
    }

    /// One line each; of many the first ones. That there are rules nobody trusted is told beside an explanation, and to who asked for one.
    pub fn notes(&self, clues: &[Clue], is_explained: bool) -> Vec<String> {
        let unknown = self.unknown_causes(clues);
        let mut notes: Vec<String> = self.faults.iter().chain(&unknown).take(NOTES).map(ToString::to_string).collect();
        let more = (self.faults.len() + unknown.len()).saturating_sub(NOTES);
        if more > 0 {
            notes.push(format!("{more} more faults in rules; --test-rules DIR tells those of a directory"));
        }
        notes.extend(self.untrusted.clone().filter(|_| is_explained || self.is_asked));
        notes
    }

    /// Causes that do not exist, of the rules that have read something: the others are not read as far as that.
    fn unknown_causes(&self, clues: &[Clue]) -> Vec<Fault> {
        let names_none = |clue: &&Clue| clue.suspects.iter().any(|id| cause::by_id(id).is_none());
        let rules: BTreeSet<&str> = clues.iter().filter(names_none).map(|clue| clue.rule.as_str()).collect();
        rules.into_iter().flat_map(|rule| self.library.unknown_causes(rule, cause::instead_of)).collect()
    }
}
