//! Logs that the output names (`A complete log of this run can be found in: …`): what failed is often said there alone. A rule
//! tells which file it is, and which part of it is about the failure.

use super::convention::by_convention;
use super::draft::Draft;
use super::reader::Reader;
use super::{Heard, Said};
use crate::clue::Clue;
use crate::clue::library::Library;
use crate::clue::library::rule::Ready;
use crate::clue::lines::page::Page;
use crate::clue::search::pattern::Pattern;
use crate::clue::written::Compiled;
use crate::transcript::Transcript;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Logs that are read of one run.
const MOST_LOGS: usize = 4;
/// Clues that are taken of one log.
const MOST_CLUES: usize = 16;

/// A log that a line of the output names.
pub(in crate::clue) struct NamedLog<'r> {
    pub file: PathBuf,
    rule: &'r Ready,
    /// The line that names it.
    said: Range<u64>,
}

impl Library {
    /// What failed, by what was said and by the logs that it names, as far as `open` gives their text.
    #[must_use]
    pub fn clues_with_logs(&self, said: &Said, mut open: impl FnMut(&Path) -> Option<Transcript>) -> Heard {
        let reader = Reader::new(self, said.surroundings.locale().as_deref());
        let page = reader.page(said.transcript);
        let drafts = reader.drafts(&page, said);
        let mut logs = reader.logs(&page, &drafts, said);
        let known = drafts.iter().map(|draft| page.line(draft.line).span.clone()).collect();
        let mut clues = reader.clues(&page, drafts, said.command);
        logs.truncate(MOST_LOGS);
        for log in logs {
            if let Some(transcript) = open(&log.file) {
                clues.extend(reader.clues_of_log(&log, &transcript, said));
            }
        }
        Heard { clues, known }
    }
}

impl<'l> Reader<'l> {
    /// The logs that the output names, each once.
    pub(in crate::clue) fn logs(&self, page: &Page, drafts: &[Draft], said: &Said) -> Vec<NamedLog<'l>> {
        let mut logs: Vec<NamedLog> = Vec::new();
        for draft in drafts {
            let rule = self.rule(draft.rule);
            let Some(file) = rule.log_file(draft, said) else { continue };
            if logs.iter().all(|known| known.file != file) {
                logs.push(NamedLog { file, rule, said: page.line(draft.line).span.clone() });
            }
        }
        logs
    }

    /// What failed by a log. Its clues stand where the output names it.
    fn clues_of_log(&self, log: &NamedLog, transcript: &Transcript, said: &Said) -> Vec<Clue> {
        let page = self.page(transcript);
        let part = log.rule.part(&page);
        let mut drafts = self.drafts(&page, &Said { transcript, ..*said });
        drafts.retain(|draft| part.contains(&draft.line));
        let mut clues = self.clues(&page, drafts, said.command);
        clues.truncate(MOST_CLUES);
        for clue in &mut clues {
            clue.said = log.said.clone();
            clue.log = Some(log.file.clone());
        }
        clues
    }
}

impl Ready {
    /// The file that a message names, by the rule's field.
    pub(in crate::clue) fn log_file(&self, draft: &Draft, said: &Said) -> Option<PathBuf> {
        let template = self.says.log.as_ref()?;
        let captured = draft.path.as_deref().map_or(".".into(), Path::to_string_lossy);
        let subject = draft.subject.as_deref().unwrap_or_default();
        let name = template.file.replace("{path}", &captured).replace("{subject}", subject);
        match name.as_bytes() {
            [b'~' | b'$', ..] => by_convention(&name, said),
            [] => None,
            _ => Some(said.surroundings.cwd.join(name.strip_prefix("./").unwrap_or(&name))),
        }
    }

    /// The lines that are about the failure: from the last that matches `log-from` to the last that matches `log-to`.
    fn part(&self, page: &Page) -> Range<usize> {
        let last = |pattern: &Option<Pattern>, before: usize| {
            let pattern = pattern.as_ref()?;
            (0..before).rev().find(|line| page.capture(*line, pattern).is_some())
        };
        let end = last(&self.log_to, page.len()).map_or(page.len(), |line| line + 1);
        last(&self.log_from, end).unwrap_or(0)..end
    }
}

impl Compiled {
    /// Whether a rule only names a log: its message tells of no failure.
    pub(in crate::clue) fn is_pointer(&self) -> bool {
        self.log.is_some() && self.errno.is_none() && self.suspects.is_empty() && !self.vague && !self.handled
    }
}
