//! A rule's pattern: a regular expression with placeholders, and the literals without which it cannot match.
//!
//! The literals of all rules go into one automaton, so that a regex is compiled and run only where it has a chance.

use super::normal::{ERRNO_BEGIN, ERRNO_END};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::OnceLock;

/// Bytes that a compiled pattern may take.
const SIZE_LIMIT: usize = 256 << 10;
/// Alternatives that a set of literals may have.
const MOST_NEEDLES: usize = 32;
/// What a literal must weigh: two letters, or a sentinel.
const LEAST_WEIGHT: usize = 8;

/// Between the name of a group and its number, where alternatives capture the same: regexes cannot have a name twice.
pub const TWIN: &str = "__";

/// Groups that a pattern may capture.
pub const GROUPS: &[&str] =
    &["errno", "errno_name", "errno_number", "operation", "other", "path", "program", "subject"];

/// A pattern that is known to be sound; compiled when it is first needed.
#[derive(Debug)]
pub struct Pattern {
    expanded: String,
    /// At least one of them is in everything that matches.
    pub needles: Vec<Vec<u8>>,
    regex: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Reads a pattern as a rule file has it.
    ///
    /// # Errors
    /// What is wrong with it, as a fragment.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expanded = expand(text)?;
        let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(&expanded);
        let hir = hir.map_err(|error| format!("is no regular expression: {}", reason(&error)))?;
        let needles = needles(&hir).filter(|set| weight(set) >= LEAST_WEIGHT);
        let needles = needles.ok_or("needs a literal of two letters or {errno} that every match holds")?;
        Ok(Self { expanded, needles, regex: OnceLock::new() })
    }

    /// The compiled pattern; none where it is too large, which the rules' tests find.
    pub fn regex(&self) -> Option<&Regex> {
        self.regex
            .get_or_init(|| RegexBuilder::new(&self.expanded).unicode(false).size_limit(SIZE_LIMIT).build().ok())
            .as_ref()
    }

    /// The names of its groups, without the number that tells groups of one name apart.
    fn groups(&self) -> impl Iterator<Item = &str> {
        self.expanded.split("(?<").skip(1).filter_map(|rest| {
            let (name, _) = rest.split_once('>')?;
            Some(name.split_once(TWIN).map_or(name, |(name, _)| name))
        })
    }

    /// The names of its groups that are not in [`GROUPS`].
    pub fn unknown_groups(&self) -> impl Iterator<Item = &str> {
        self.groups().filter(|name| !GROUPS.contains(name))
    }
}

fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        _ => error.to_string(),
    }
}

/// Puts in what placeholders stand for. What is not ASCII becomes its bytes, since patterns match bytes.
fn expand(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() * 2);
    let mut names = Names::default();
    let mut in_class = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\\' => escape_length(rest),
            '{' if !in_class && rest[1..].starts_with(|c: char| c.is_ascii_lowercase()) => {
                let end = rest.find('}').ok_or("has a placeholder without }")?;
                out.push_str(&placeholder(&rest[1..end], &mut names)?);
                rest = &rest[end + 1..];
                continue;
            }
            '(' if rest.starts_with("(?<") && !in_class => {
                let end = rest.find('>').ok_or("has a group whose name does not end")?;
                let _ = write!(out, "(?<{}>", names.next(&rest[3..end]));
                rest = &rest[end + 1..];
                continue;
            }
            _ => first.len_utf8(),
        };
        in_class = match first {
            '[' => true,
            ']' => false,
            _ => in_class,
        };
        if first.is_ascii() {
            out.push_str(&rest[..length]);
        } else if in_class {
            return Err(format!("has {first} in a class, where only ASCII can be: write (?:a|b)"));
        } else {
            let bytes = first.to_string().bytes().fold(String::new(), |mut bytes, byte| {
                let _ = write!(bytes, "\\x{byte:02X}");
                bytes
            });
            let _ = write!(out, "(?:{bytes})");
        }
        rest = &rest[length..];
    }
    Ok(out)
}

/// Length of an escape: `\n`, `\x{41}`, `\p{L}`.
fn escape_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    let Some((at, kind)) = chars.next() else { return text.len() };
    let end = at + kind.len_utf8();
    match (kind, text[end..].starts_with('{')) {
        ('x' | 'u' | 'p' | 'P', true) => text[end..].find('}').map_or(text.len(), |close| end + close + 1),
        _ => end,
    }
}

/// Numbers groups of one name.
#[derive(Default)]
struct Names(HashMap<String, usize>);

impl Names {
    fn next(&mut self, name: &str) -> String {
        let count = self.0.entry(name.to_owned()).or_default();
        *count += 1;
        if *count == 1 { name.to_owned() } else { format!("{name}{TWIN}{count}") }
    }
}

/// `{kind}` or `{kind:detail}`: docs/rules.md has the table.
fn placeholder(inner: &str, names: &mut Names) -> Result<String, String> {
    let (kind, detail) = inner.split_once(':').unwrap_or((inner, ""));
    let (begin, end) = (char::from(ERRNO_BEGIN), char::from(ERRNO_END));
    let captures = |default: &'static str| if detail.is_empty() { default } else { detail };
    let one_of = |any: &'static str| if detail.is_empty() { any } else { detail };
    let (group, before, inside, after) = match kind {
        "errno" => ("errno", begin.to_string(), one_of("[A-Z0-9]+"), end.to_string()),
        "errno_name" => ("errno_name", String::new(), one_of("E[A-Z0-9]{2,14}"), r"\b".to_owned()),
        "errno_number" => ("errno_number", "-?".to_owned(), one_of("[0-9]{1,3}"), r"\b".to_owned()),
        "words" => return Ok(format!("{begin}(?:{}){end}", one_of("[A-Z0-9]+"))),
        "path" => (captures("path"), String::new(), r"[^\s'].*?", String::new()),
        "absolute" => (captures("path"), String::new(), r#"/[^\s'",;:()<>]*"#, String::new()),
        "quoted" => (captures("path"), r#"['"]"#.to_owned(), ".+?", r#"['"]"#.to_owned()),
        "word" => (captures("subject"), String::new(), r#"[^\s'",;:()]+"#, String::new()),
        "number" => (captures("subject"), String::new(), "[0-9]+", String::new()),
        "program" => ("program", String::new(), "[A-Za-z0-9_./~][A-Za-z0-9_./+@~-]*", String::new()),
        "operation" => ("operation", String::new(), "[A-Za-z][A-Za-z' _/-]*?", String::new()),
        _ => return Err(format!("has an unknown placeholder {{{kind}}}")),
    };
    Ok(format!("{before}(?<{}>{inside}){after}", names.next(group)))
}

/// The best set of literals of which every match holds one.
fn needles(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => needles(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => needles(&repetition.sub),
        HirKind::Concat(parts) => {
            parts.iter().filter_map(needles).max_by_key(|set| (weight(set), std::cmp::Reverse(set.len())))
        }
        HirKind::Alternation(branches) => {
            let sets: Option<Vec<_>> = branches.iter().map(needles).collect();
            sets.map(|sets| sets.concat()).filter(|set| set.len() <= MOST_NEEDLES)
        }
        _ => None,
    }
}

/// How rare the commonest literal of a set is.
fn weight(set: &[Vec<u8>]) -> usize {
    let of_byte = |byte: &u8| match *byte {
        ERRNO_BEGIN => 8,
        byte if byte.is_ascii_alphanumeric() || !byte.is_ascii() => 4,
        b' ' => 0,
        _ => 1,
    };
    set.iter().map(|literal| literal.iter().map(of_byte).sum()).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Pattern {
        Pattern::parse(text).unwrap_or_else(|error| panic!("{text} {error}"))
    }

    #[test]
    fn the_longest_literal_that_a_match_must_hold_is_the_needle() {
        assert_eq!(parse("^a.*exited with code {number}$").needles, [b"exited with code ".to_vec()]);
        assert_eq!(parse("(?:npm ERR!|npm error) x?").needles, [b"npm ERR!".to_vec(), b"npm error".to_vec()]);
        assert_eq!(parse(r"^\S+: {errno}$").needles, [b": \x01".to_vec()]);
    }

    #[test]
    fn letters_outside_ascii_match_as_their_bytes() {
        assert!(parse("périphérique ‘?x").regex().unwrap().is_match("périphérique ‘x".as_bytes()));
    }

    #[test]
    fn alternatives_may_capture_the_same() {
        let pattern = parse("cannot open {quoted}|cannot stat {quoted}");
        assert!(pattern.regex().is_some() && pattern.unknown_groups().next().is_none());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, error) in [
            (".*", "needs a literal of two letters or {errno} that every match holds"),
            ("failed {nothing}", "has an unknown placeholder {nothing}"),
            ("failed (", "is no regular expression: unclosed group"),
            ("failed [‘]", "has ‘ in a class, where only ASCII can be: write (?:a|b)"),
        ] {
            assert_eq!(Pattern::parse(text).map(|_| ()), Err(error.to_owned()), "{text}");
        }
    }
}
