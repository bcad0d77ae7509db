//! A library made ready for one locale: its rules, the words for errnos, and the sieve that holds the keys of both.

use super::errno_words::Words;
use super::jobs::MARKS;
use super::library::Library;
use super::line::{clean, shortened};
use super::normal::Normal;
use super::page::Page;
use super::prefix::is_quotation;
use super::rule::Ready;
use super::sieve::{Owner, Sieve};
use crate::transcript::Transcript;
use std::borrow::Cow;

/// Reads output with the rules of a library.
pub struct Reader<'l> {
    pub(super) library: &'l Library,
    words: Words,
    sieve: Sieve<'l>,
    /// Rules that need words for an errno.
    of_errnos: Vec<usize>,
}

impl<'l> Reader<'l> {
    /// The rules with the words of a locale.
    #[must_use]
    pub fn new(library: &'l Library, locale: Option<&str>) -> Self {
        let words = Words::new(locale);
        let keys = || {
            let rules = library.rules.iter().enumerate();
            rules.flat_map(|(index, rule)| rule.keys.iter().map(move |key| (&**key, index)))
        };
        let of_rules = keys().filter(|(key, _)| !key.is_empty());
        let of_rules = of_rules.map(|(key, index)| (Cow::Borrowed(key), Owner::Rule(index)));
        let marks = MARKS.iter().map(|mark| (Cow::Borrowed(mark.as_bytes()), Owner::Mark));
        let of_words = words.all().enumerate().map(|(index, words)| (Cow::Owned(words.to_vec()), Owner::Words(index)));
        Self {
            sieve: Sieve::new(of_rules.chain(of_words).chain(marks)),
            of_errnos: keys().filter(|(key, _)| key.is_empty()).map(|(_, index)| index).collect(),
            library,
            words,
        }
    }

    /// A transcript, ready to be asked.
    pub(super) fn page<'a>(&'a self, transcript: &Transcript) -> Page<'a> {
        Page::of(transcript, &self.words)
    }

    /// The words for errnos.
    pub(super) fn words(&self) -> &Words {
        &self.words
    }

    /// The id of a rule, by its place in the library.
    pub(super) fn id(&self, rule: usize) -> &'l str {
        self.library.rules[rule].id()
    }

    /// A rule, by its place in the library.
    pub(super) fn rule(&self, rule: usize) -> &'l Ready {
        self.library.rules[rule].ready()
    }

    /// Lines and rules of which the line holds a key, in the order of the lines. Lines that only quote a message have none.
    pub(super) fn candidates(&self, page: &Page) -> Vec<(usize, usize)> {
        let mut candidates = Vec::new();
        for line in 0..page.len() {
            let (rules, _) = self.owners_in(&page.line(line).text);
            if !rules.is_empty() && page.concerns(line) && !page.is_quotation(line) {
                candidates.extend(rules.into_iter().map(|rule| (line, rule)));
            }
        }
        candidates
    }

    /// Calls back with each place of a text at which a key stands, of a rule or of words for an errno.
    pub fn find_keys(&self, text: &[u8], mut found: impl FnMut(usize)) {
        self.sieve.find(text, |at, _| found(at));
    }

    /// Whether a line, as it was written, may be one that a rule reads, or begins or ends a step. No regex is asked.
    #[must_use]
    pub fn may_tell(&self, line: &[u8]) -> bool {
        let text = clean(&shortened(line));
        let (rules, is_mark) = self.owners_in(&text);
        if is_mark || rules.is_empty() {
            return is_mark;
        }
        let normal = Normal::of(&text, &self.words);
        let has_chance = |rule: &usize| {
            self.library.rules[*rule].ready().patterns.iter().any(|pattern| pattern.has_chance(&normal.text))
        };
        rules.iter().any(has_chance) && !is_quotation(&normal.text)
    }

    /// Rules of which a line holds a key, in their order, and whether it begins or ends a step.
    fn owners_in(&self, line: &[u8]) -> (Vec<usize>, bool) {
        let (mut rules, mut has_errno, mut is_mark) = (Vec::new(), false, false);
        self.sieve.find(line, |_, owner| match owner {
            Owner::Words(_) => has_errno = true,
            Owner::Rule(rule) => rules.push(rule),
            Owner::Mark => is_mark = true,
        });
        if has_errno {
            rules.extend_from_slice(&self.of_errnos);
        }
        rules.sort_unstable();
        rules.dedup();
        (rules, is_mark)
    }
}
