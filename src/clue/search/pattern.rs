//! A rule's pattern, compiled when it is first needed: of all rules a failure needs a few.

use super::pairs::Pairs;
use crate::clue::written::Form;
use crate::clue::written::step::Step;
use memchr::memmem;
use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;
use std::borrow::Cow;
use std::sync::OnceLock;

/// Bytes that a compiled pattern may take.
const SIZE_LIMIT: usize = 256 << 10;

/// A pattern that is known to be sound.
#[derive(Debug)]
pub struct Pattern {
    form: Form,
    /// What the pairs of a text must hold.
    pairs: OnceLock<Pairs>,
    regex: OnceLock<Option<Regex>>,
}

impl From<Form> for Pattern {
    fn from(form: Form) -> Self {
        Self { form, pairs: OnceLock::new(), regex: OnceLock::new() }
    }
}

impl Pattern {
    /// The compiled pattern, for a text in normal form, with its pairs, in which it has a chance; none where it is too large, which the
    /// rules' tests find.
    pub fn regex_for(&self, text: &[u8], pairs: &Pairs) -> Option<&Regex> {
        self.has_chance(text, pairs).then(|| self.compiled()).flatten()
    }

    /// Whether a text in normal form, with its pairs, holds what every match does.
    pub fn has_chance(&self, text: &[u8], pairs: &Pairs) -> bool {
        if !pairs.hold(self.pairs.get_or_init(|| Pairs::of_all(&self.form.steps))) {
            return false;
        }
        let text: Cow<[u8]> = if self.form.folds { text.to_ascii_lowercase().into() } else { text.into() };
        end_of_all(&self.form.steps, &text, pairs, 0).is_some()
    }

    /// Whether it takes more room than a pattern may, so that it cannot be asked.
    pub fn is_too_large(&self) -> bool {
        self.compiled().is_none()
    }

    fn compiled(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| compiled(&self.form.expanded)).as_ref()
    }

    /// How much of the message it spells out, in bytes.
    pub fn spelled_out(&self) -> usize {
        self.form.spelled_out
    }
}

/// Where the shortest beginning of a text ends in which these parts stand from a place on, one behind the other; a match ends there or
/// later.
fn end_of_all(steps: &[Step], text: &[u8], pairs: &Pairs, from: usize) -> Option<usize> {
    steps.iter().try_fold(from, |from, step| end(step, text, pairs, from))
}

fn end(step: &Step, text: &[u8], pairs: &Pairs, from: usize) -> Option<usize> {
    let rest = &text[from..];
    match step {
        Step::Text(part) if !pairs.may_hold(part) => None,
        Step::Text(part) => memmem::find(rest, part).map(|at| from + at + part.len()),
        Step::Byte(ranges) => {
            let is_in = |byte: &u8| ranges.iter().any(|(first, last)| (first..=last).contains(&byte));
            rest.iter().position(is_in).map(|at| from + at + 1)
        }
        Step::OneOf(ways) => ways.iter().filter_map(|steps| end_of_all(steps, text, pairs, from)).min(),
    }
}

/// A regex of bytes that is made quickly: of its engines those alone that need no automaton of their own. It is asked of a few short
/// lines, so that making it is what costs; its time is linear all the same.
pub fn compiled(expanded: &str) -> Option<Regex> {
    let engines = Config::new().hybrid(false).dfa(false).onepass(false).auto_prefilter(false);
    let limits = engines.utf8_empty(false).nfa_size_limit(Some(SIZE_LIMIT));
    let bytes = syntax::Config::new().unicode(false).utf8(false);
    Regex::builder().configure(limits).syntax(bytes).build(expanded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clue::written::Case;

    fn reads(pattern: &Pattern, text: &str) -> bool {
        let text = text.as_bytes();
        pattern.regex_for(text, &Pairs::of(text)).is_some_and(|regex| regex.is_match(text))
    }

    fn matches(pattern: &str, text: &str) -> bool {
        reads(&Pattern::from(Form::parse(pattern, Case::Kept).unwrap()), text)
    }

    #[test]
    fn letters_outside_ascii_match_as_their_bytes() {
        assert!(matches("périphérique ‘?x", "périphérique ‘x"));
    }

    #[test]
    fn small_letters_of_a_folded_pattern_stand_for_large_ones() {
        for pattern in ["no (?:free )?space", "cap_[a-z]+", "[B-D]isk [A-F]ull"] {
            let pattern = Pattern::from(Form::parse(pattern, Case::Folded).unwrap());
            let reads = |text: &str| reads(&pattern, text);
            assert!(reads("NO SPACE, CAP_SYS, Disk Full") && reads("no space, cap_sys, disk full"));
            assert!(!reads("nothing of it"));
        }
    }

    #[test]
    fn alternatives_may_capture_the_same() {
        assert!(matches("cannot open {quoted}|cannot stat {quoted}", "cannot stat 'x'"));
    }

    #[test]
    fn a_text_has_a_chance_that_holds_the_parts_of_a_match_in_order() {
        for (pattern, text, has_chance) in [
            ("cannot (?:open|read) '[^']+'", "tar: cannot open 'x'", true),
            ("cannot (?:open|read) '[^']+'", "tar: open cannot 'x'", false),
            ("cannot (?:open|read) '[^']+'", "tar: cannot open x", false),
            ("cannot (?:open|read) '[^']+'", "tar: cannot stat 'x'", false),
            ("(?:no )?such file", "such file", true),
            ("[^\\x00-\\x7f]: failed", "plain: failed", false),
            ("[^\\x00-\\x7f]: failed", "é: failed", true),
            ("[a-z]+ [0-9]failed", "failed", true),
            // The shorter of two ways leaves room for what follows.
            ("(?:ab.*cd|a)cd", "acd", true),
            ("(?:aXb|a)Xb", "aXb", true),
        ] {
            let pattern_read = Pattern::from(Form::beside(pattern, Case::Kept).unwrap());
            assert_eq!(
                pattern_read.has_chance(text.as_bytes(), &Pairs::of(text.as_bytes())),
                has_chance,
                "{pattern} in {text}"
            );
        }
    }
}
