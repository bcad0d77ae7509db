//! A rule's pattern, compiled when it is first needed: of all rules a failure needs a few.

use super::written::Form;
use memchr::memmem::Finder;
use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;
use std::cell::OnceCell;

/// Bytes that a compiled pattern may take.
const SIZE_LIMIT: usize = 256 << 10;

/// A pattern that is known to be sound.
#[derive(Debug)]
pub struct Pattern {
    form: Form,
    needles: Vec<Finder<'static>>,
    regex: OnceCell<Option<Regex>>,
}

impl From<Form> for Pattern {
    fn from(form: Form) -> Self {
        let needles = form.needles.iter().map(|needle| Finder::new(needle).into_owned()).collect();
        Self { form, needles, regex: OnceCell::new() }
    }
}

impl Pattern {
    /// The compiled pattern, for a text in normal form in which it has a chance; none where it is too large, which the rules'
    /// tests find.
    pub fn regex_for(&self, text: &[u8]) -> Option<&Regex> {
        self.has_chance(text).then(|| self.compiled()).flatten()
    }

    /// Whether a text in normal form holds one of the literals.
    pub fn has_chance(&self, text: &[u8]) -> bool {
        self.needles.is_empty() || self.needles.iter().any(|needle| needle.find(text).is_some())
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

    fn matches(pattern: &str, text: &str) -> bool {
        let pattern = Pattern::from(Form::parse(pattern).unwrap());
        pattern.regex_for(text.as_bytes()).is_some_and(|regex| regex.is_match(text.as_bytes()))
    }

    #[test]
    fn letters_outside_ascii_match_as_their_bytes() {
        assert!(matches("périphérique ‘?x", "périphérique ‘x"));
    }

    #[test]
    fn alternatives_may_capture_the_same() {
        assert!(matches("cannot open {quoted}|cannot stat {quoted}", "cannot stat 'x'"));
    }
}
