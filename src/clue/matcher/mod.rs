//! From a transcript to clues.
//!
//! 1. [`Reader::candidates`] finds the lines that hold a key of a rule, in one pass whatever the number of rules.
//! 2. [`Reader::drafts`] asks the patterns of these rules and takes what they capture: a [`Draft`] for each line and rule.
//! 3. `choice` keeps one draft of each message, filled from the others of its line.
//! 4. `conclude` makes clues of them, with the causes to suspect.
//! 5. `limit` keeps a bounded number of these.
//!
//! `loose` does the same with rules of words where no rule of forms explains the failure, and `logs` with the logs that the output names.

use crate::clue::Clue;
use crate::clue::language::errno_words::Words;
use crate::clue::library::Library;
use crate::clue::library::rule::Ready;
use crate::clue::lines::page::Page;
use crate::machine::{Machine, Surroundings};
use crate::transcript::Transcript;
use draft::Draft;
use limit::limited;
use reader::Reader;
use std::ffi::OsString;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;

mod choice;
mod conclude;
mod convention;
pub mod draft;
mod limit;
mod logs;
mod loose;
pub mod reader;
pub mod sought;

/// What was said, by whom and in which surroundings.
#[derive(Clone, Copy)]
pub struct Said<'a> {
    /// What the command wrote.
    pub transcript: &'a Transcript,
    /// The command and its arguments; empty where a log does not tell.
    pub command: &'a [OsString],
    /// What the command was given: its locale, its home, its temporary directory.
    pub surroundings: &'a Surroundings,
    /// What tells a variable that a rule alone names; none where nobody can be asked.
    pub machine: Option<&'a Machine>,
}

/// What the rules read in an output.
#[derive(Debug, Default)]
pub struct Heard {
    /// What failed, in the order of the output; the same failure once.
    pub clues: Vec<Clue>,
    /// Where lines stand that a rule of forms knows, also such as tell of no failure.
    pub known: Vec<Range<u64>>,
}

impl Library {
    /// What failed, by what was said, in the order of the output; the same failure once.
    #[must_use]
    pub fn clues(&self, said: &Said) -> Vec<Clue> {
        self.clues_with_logs(said, |_| None).clues
    }

    /// The same of a log in a language that nobody knows: words for an errno are those of English and of these catalogues of the C library.
    #[must_use]
    pub fn clues_in_any_language(&self, said: &Said, catalogues: &[Vec<u8>]) -> Vec<Clue> {
        let reader = Reader::with_words(self, Words::translated(catalogues));
        let page = reader.page(said.transcript);
        let drafts = reader.drafts(&page, said);
        reader.clues(&page, drafts, said.command)
    }
}

impl Reader<'_> {
    /// What failed, by what the rules read, in the order of the output; the same failure once.
    pub(in crate::clue) fn clues(&self, page: &Page, mut drafts: Vec<Draft>, command: &[OsString]) -> Vec<Clue> {
        drafts.retain(|draft| !self.rule(draft.rule).says.is_pointer());
        let chosen = self.one_a_line(page, &drafts, command);
        limited(chosen.into_iter().map(|draft| self.clue(page, draft)).collect())
    }

    /// What every rule reads in every line, in the order of the lines.
    pub(in crate::clue) fn drafts(&self, page: &Page, said: &Said) -> Vec<Draft> {
        let candidates = self.candidates(page).into_iter();
        candidates.filter_map(|(line, rule)| self.draft(page, line, rule, said)).collect()
    }

    fn draft(&self, page: &Page, line: usize, index: usize, said: &Said) -> Option<Draft> {
        let mut draft = Draft { line, rule: index, ..Draft::default() };
        let rule = self.rule(index);
        if !rule.is_for(said.command) {
            return None;
        }
        let verbs = &self.library.verbs;
        let found = rule.patterns.iter().find_map(|pattern| page.capture(line, pattern))?;
        if rule.unless.iter().any(|pattern| page.capture(line, pattern).is_some()) {
            return None;
        }
        draft.fill(&found, verbs);
        for (pattern, required) in &rule.near {
            match page.near(line, pattern) {
                Some(near) => draft.fill(&near, verbs),
                None if *required => return None,
                None => {}
            }
        }
        draft.passing = rule.says.passing || page.is_harmless(line);
        if self.is_loose {
            draft.fill_from_line(page.body(line), verbs);
        }
        draft.fill_from_rule(rule, said);
        // A program in another language still has a name that tells what it does: mkdir, touch, rm.
        draft.operation = draft.operation.or_else(|| verbs.operation(draft.speaker()?));
        Some(draft)
    }
}

impl Ready {
    /// Whether the command is one that the rule is for, directly or behind `sudo` and the like; a log may not tell.
    fn is_for(&self, command: &[OsString]) -> bool {
        let named = |word: &OsString| {
            let name = word.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            self.says.commands.iter().any(|wanted| wanted.as_bytes() == name)
        };
        self.says.commands.is_empty() || command.is_empty() || command.iter().any(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clue::Operation;

    fn clue(command: &str, output: &str) -> Clue {
        let (transcript, surroundings) = (Transcript::whole(output.as_bytes().to_vec()), Surroundings::default());
        let command: Vec<OsString> = command.split_whitespace().map(OsString::from).collect();
        let said = Said { transcript: &transcript, command: &command, surroundings: &surroundings, machine: None };
        let clues = Library::builtin().clues(&said);
        clues.into_iter().next().unwrap_or_else(|| panic!("nothing is read in {output}"))
    }

    #[test]
    fn a_working_directory_that_is_not_there_was_removed() {
        for output in ["ls: reading directory '.': No such file or directory", "find: ‘..’: No such file or directory"]
        {
            let clue = clue("", output);
            assert_eq!(clue.suspects, ["deleted-working-directory"], "{output}");
        }
        let clue = clue("", "ls: reading directory './a': No such file or directory");
        assert!(!clue.suspects("deleted-working-directory") && clue.suspects("missing-path"), "{clue:?}");
    }

    #[test]
    fn what_is_refused_is_hardly_full_or_read_only() {
        let clue = clue("", "error creating tmpdir: mkdir /run/user/1000: permission denied");
        assert_eq!(clue.suspects.first().map(String::as_str), Some("permission-denied"), "{clue:?}");
    }

    #[test]
    fn a_message_that_names_the_command_is_about_its_start() {
        let output = "./gentype.exe: No such file or directory";
        assert_eq!(clue("./gentype.exe", output).operation, Some(Operation::Execute));
        for other in ["gentype.exe", "cat ./gentype.exe"] {
            assert_eq!(clue(other, output).operation, None, "{other}");
        }
        assert_eq!(clue("./a", "cannot open ./a: No such file or directory").operation, Some(Operation::Read));
    }
}
