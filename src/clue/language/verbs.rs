//! What programs call an operation: `cannot create directory` and `mkdir` are one.

use crate::clue::Operation;
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

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

/// Words that may stand between a verb of starting and the program: `execute child process`. Behind others a program is no object of the
/// verb: `start conversion processing`.
const OF_PROGRAMS: &[&str] = &[
    "a",
    "an",
    "app",
    "application",
    "binary",
    "child",
    "command",
    "executable",
    "external",
    "file",
    "helper",
    "hook",
    "interpreter",
    "process",
    "program",
    "script",
    "server",
    "service",
    "shell",
    "subprocess",
    "the",
    "tool",
];

/// What ends the words of a phrase: punctuation, quotation marks and the first character of a path.
const ENDS: &[char] = &[':', ',', '\'', '"', '`', '‘', '’', '“', '”', '«', '/', '(', '['];

/// What opens a quotation.
const QUOTES: &[char] = &['\'', '"', '`', '‘', '“', '«'];

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
        let (end, operation) = ends.into_iter().find_map(|end| Some((end, *self.0.get(&phrase[..end])?)))?;
        let is_of_programs = || phrase[end..].split_ascii_whitespace().all(|word| OF_PROGRAMS.contains(&word));
        (operation != Operation::Execute || is_of_programs()).then_some(operation)
    }

    /// The operation of the first phrase of failure in a line: `cannot create`, `failed to open`. What was to be started stands right behind the
    /// verb: of `failed to execute script 'main': …: '/etc/x.conf'` nobody executed the latter, which is the path of the message.
    #[must_use]
    pub fn operation_in(&self, line: &str, path: Option<&Path>) -> Option<Operation> {
        let line = line.to_lowercase();
        let path = path.map(|path| path.to_string_lossy().to_lowercase());
        let mut phrases: Vec<usize> =
            FAILED.iter().flat_map(|words| line.match_indices(words)).map(|(at, _)| at).collect();
        phrases.sort_unstable();
        phrases.into_iter().find_map(|at| {
            let rest = &line[at..];
            let (own, behind) = rest.split_at(rest.find(ENDS).unwrap_or(rest.len()));
            let object = behind.trim_start_matches(QUOTES);
            let is_object = || path.as_deref().is_some_and(|path| object.starts_with(path));
            let operation = self.operation(own).filter(|operation| *operation != Operation::Execute || is_object());
            operation.or_else(|| self.operation(&rest.replace([':', ',', '\'', '"', '`'], " ")))
        })
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

    #[test]
    fn a_phrase_in_a_line_ends_where_its_object_begins() {
        let mut verbs = Verbs::default();
        verbs.extend([("execute", Operation::Execute), ("create", Operation::Create)]);
        let line = "E: Failed to execute child process “/srv/A.sh”: Failed to execve: Permission denied";
        assert_eq!(verbs.operation_in(line, Some(Path::new("/srv/A.sh"))), Some(Operation::Execute));
        assert_eq!(verbs.operation_in("could not create \"x\": read-only", None), Some(Operation::Create));
        let script = "Failed to execute script 'main': Permission denied: 'a.conf'";
        assert_eq!(verbs.operation_in(script, Some(Path::new("a.conf"))), None);
        assert_eq!(verbs.operation_in("failed to execute the query: Permission denied", None), None);
    }

    #[test]
    fn only_programs_are_started_by_a_verb_with_an_object() {
        let mut verbs = Verbs::default();
        verbs.extend([("start", Operation::Execute)]);
        assert_eq!(verbs.operation("failed to start the child process"), Some(Operation::Execute));
        assert_eq!(verbs.operation("failed to start conversion"), None);
    }
}
