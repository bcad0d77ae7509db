//! A rule's pattern: a regular expression with placeholders, checked, and the literals without which it cannot match.

use super::Key;
use super::expand::{GROUPS, expand, unknown_groups};
use super::literal::{is_of_words, key, needles, needs_words, spelled_out, spellings};
use super::step::{Step, steps};
use serde::{Deserialize, Serialize};

/// A pattern that is known to be sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// The regular expression, with what its placeholders stand for.
    pub expanded: String,
    /// What is in everything that matches, in order.
    pub steps: Vec<Step>,
    /// At least one of them is in everything that matches: what the rule is looked up by, which the program has from the build.
    #[serde(skip)]
    needles: Vec<Vec<u8>>,
    /// Everything that matches also holds words for an errno.
    pub needs_words: bool,
    /// How much of the message it spells out, in bytes.
    pub spelled_out: usize,
    /// Small letters stand for large ones too. Then the steps and what it is looked up by are in small letters.
    pub folds: bool,
}

/// Whether small letters of a pattern stand for large ones too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Each letter stands for itself.
    Kept,
    /// They do.
    Folded,
}

impl Form {
    /// Reads a pattern as a rule file has it.
    ///
    /// # Errors
    /// What is wrong with it, as a fragment.
    pub fn parse(text: &str, case: Case) -> Result<Self, String> {
        let form = Self::beside(text, case)?;
        if form.needles.is_empty() {
            return Err("needs a literal of two letters or {errno} that every match holds".into());
        }
        Ok(form)
    }

    /// Reads a pattern for lines beside a message: few are asked, so it needs no literal.
    ///
    /// # Errors
    /// What is wrong with it, as a fragment.
    pub fn beside(text: &str, case: Case) -> Result<Self, String> {
        let expanded = expand(text)?;
        let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(&expanded);
        let hir = hir.map_err(|error| format!("is no regular expression: {}", reason(&error)))?;
        let (needles, needs_words) = (needles(&hir).unwrap_or_default(), needs_words(&hir));
        let spelled_out = spelled_out(&hir);
        if let Some(name) = unknown_groups(&expanded).next() {
            return Err(format!("captures {name}, which is none of {}", GROUPS.join(", ")));
        }
        let form = Self { steps: steps(&hir), expanded, needles, needs_words, spelled_out, folds: false };
        Ok(if case == Case::Folded { form.folded() } else { form })
    }

    fn folded(mut self) -> Self {
        self.expanded.insert_str(0, "(?i)");
        self.steps.iter_mut().for_each(Step::fold);
        self.needles.iter_mut().for_each(|needle| needle.make_ascii_lowercase());
        Self { folds: true, ..self }
    }

    /// What a line holds in every case, as the program wrote it: one of these.
    pub fn keys(&self) -> impl Iterator<Item = Key<Vec<u8>>> {
        self.needles.iter().flat_map(|needle| {
            let with_words = self.needs_words || is_of_words(needle);
            spellings(key(needle)).into_iter().map(move |text| Key { text, with_words })
        })
    }
}

fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Form {
        Form::parse(text, Case::Kept).unwrap_or_else(|error| panic!("{text} {error}"))
    }

    #[test]
    fn the_longest_literal_that_a_match_must_hold_is_the_needle() {
        assert_eq!(parse("^a.*exited with code {number}$").needles, [b"exited with code ".to_vec()]);
        assert_eq!(parse("(?:npm ERR!|npm error) x?").needles, [b"npm ERR!".to_vec(), b"npm error".to_vec()]);
        assert_eq!(parse(r"^\S+: {errno}$").needles, [b": \x01".to_vec()]);
    }

    #[test]
    fn the_key_of_a_literal_is_what_programs_write_of_it() {
        let keys = |text: &str| {
            parse(text).keys().map(|key| String::from_utf8_lossy(&key.text).into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(keys("^a.*exited with code {number}$"), ["exited with code"]);
        assert_eq!(keys("(?:npm ERR!|npm error) x?"), ["npm ERR!", "npm error"]);
        assert_eq!(keys(r"^\S+: {errno:ENOSPC|EDQUOT}$"), ["", ""]);
        assert_eq!(keys(r"{words:ENOENT} while waiting"), ["while waiting"]);
        assert_eq!(keys(r"^.{errno}|x{words:EIO}y"), ["", ""]);
        assert_eq!(keys("I can't 'open'"), ["I can't", "I can\u{2019}t"]);
    }

    #[test]
    fn what_never_matches_without_words_for_an_errno_is_known() {
        for (text, needs_words) in [
            ("^tar: {path}: Cannot open: {errno}$", true),
            ("(?:cannot open {errno}|cannot stat {words:EIO})", true),
            ("(?:cannot open|cannot stat {words:EIO})", false),
            ("cannot open(?:: {errno})?", false),
            ("cannot open {errno_name}", false),
        ] {
            assert_eq!(parse(text).needs_words, needs_words, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, error) in [
            (".*", "needs a literal of two letters or {errno} that every match holds"),
            ("failed {nothing}", "has an unknown placeholder {nothing}"),
            ("failed (", "is no regular expression: unclosed group"),
            ("failed [‘]", "has ‘ in a class, where only ASCII can be: write (?:a|b)"),
            (
                "failed (?<colour>x)",
                "captures colour, which is none of errno, errno_name, errno_number, operation, other, path, program, subject",
            ),
        ] {
            assert_eq!(Form::parse(text, Case::Kept).map(|_| ()), Err(error.to_owned()), "{text}");
        }
    }
}
