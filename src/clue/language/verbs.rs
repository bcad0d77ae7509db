//! What programs call an operation: `cannot create directory` and `mkdir` are one.

use crate::clue::Operation;
use std::borrow::Cow;
use std::collections::HashMap;

/// Words that say that something failed and not what.
const FAILED: &[&str] = &[
    "cannot ",
    "can't ",
    "could not ",
    "couldn't ",
    "failed to ",
    "failed ",
    "unable to ",
    "error while ",
    "error when ",
    "error ",
    "while ",
    "did not ",
    "fatal ",
];

/// The table, from the rules.
#[derive(Debug, Default)]
pub struct Verbs(HashMap<Cow<'static, str>, Operation>);

impl Verbs {
    /// Adds to the table.
    pub fn extend<T: Into<Cow<'static, str>>>(&mut self, verbs: impl IntoIterator<Item = (T, Operation)>) {
        self.0.extend(verbs.into_iter().map(|(verb, operation)| (verb.into(), operation)));
    }

    /// The operation of a phrase: the whole phrase without words of failure, or as many of its first words as are known.
    #[must_use]
    pub fn operation(&self, phrase: &str) -> Option<Operation> {
        let lower = phrase.trim().to_lowercase();
        let mut phrase = lower.as_str();
        while let Some(rest) = FAILED.iter().find_map(|failed| phrase.strip_prefix(failed)) {
            phrase = rest.trim_start();
        }
        let ends = phrase.char_indices().filter(|(_, letter)| *letter == ' ').map(|(at, _)| at);
        let mut ends: Vec<usize> = ends.chain([phrase.len()]).collect();
        ends.reverse();
        ends.into_iter().find_map(|end| self.0.get(&phrase[..end]).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_known_phrase_tells_the_operation() {
        let table = [("create", Operation::Create), ("create directory", Operation::Mkdir)];
        let mut verbs = Verbs::default();
        verbs.extend(table);
        assert_eq!(verbs.operation("cannot create directory"), Some(Operation::Mkdir));
        assert_eq!(verbs.operation("Failed to create regular file"), Some(Operation::Create));
        assert_eq!(verbs.operation("sing"), None);
    }
}
