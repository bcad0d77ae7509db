//! The rules that an explanation reads output with.

use crate::cli::Options;
use crate::clue::{Fault, Library};
use crate::machine::Machine;
use crate::own_rules::{self, OwnRules};

/// Notes on rules that are told of one failure.
const NOTES: usize = 5;

/// All rules, and what is to be told of those that are not part of the program.
pub struct Rules {
    pub library: Library,
    /// What was left out.
    faults: Vec<Fault>,
    /// That the project has rules which nobody trusted.
    untrusted: Option<String>,
}

impl Rules {
    /// The rules of the machine, the user, the project and the command line, beside those that are part of the program.
    pub fn all(options: &Options, machine: &Machine) -> Self {
        let OwnRules { texts, mut faults, untrusted } = own_rules::gather(machine, &options.rules);
        let (library, broken) = Library::with_texts(texts);
        faults.extend(broken);
        Self { library, faults, untrusted }
    }

    /// One line each; of many the first ones. That there are rules nobody trusted is told beside an explanation alone.
    pub fn notes(&self, is_explained: bool) -> Vec<String> {
        let mut notes: Vec<String> = self.faults.iter().take(NOTES).map(ToString::to_string).collect();
        if self.faults.len() > NOTES {
            let more = self.faults.len() - NOTES;
            notes.push(format!("{more} more faults in rules; --test-rules DIR tells those of a directory"));
        }
        notes.extend(self.untrusted.clone().filter(|_| is_explained));
        notes
    }
}
