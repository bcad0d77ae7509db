//! What a line holds if a pattern is to match, told without reading the pattern as a regular expression. Most patterns are text with
//! placeholders between, which cannot be wrong. Of ten thousand rules a failure needs a few: the others are never read further.

use super::Key;
use super::expand::GROUPS;
use super::literal::{key, spellings, weight_of};

/// Signs that mean something in a regular expression, and themselves behind a backslash.
const SIGNS: &[u8] = br"\.+*?()|[]{}^$";
/// Placeholders that stand for words for an errno, and others.
const WORDS: &[&str] = &["errno", "words"];
const PLACEHOLDERS: &[&str] =
    &["absolute", "errno_name", "errno_number", "number", "operation", "path", "program", "quoted", "word"];
/// Placeholders and groups that a pattern may have at most.
const MOST_GROUPS: usize = 9;
/// Bytes that it may have at most.
const LONGEST: usize = 2 << 10;
/// What a key must weigh to be looked for: three letters.
const LEAST_WEIGHT: usize = 12;

/// The keys of a pattern that is text, placeholders and groups of the form `(?<path>[^:]+)`; none of any other, which may be wrong.
pub fn keys(pattern: &str) -> Option<Vec<Key<Vec<u8>>>> {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let pattern = pattern.strip_suffix('$').filter(|rest| !rest.ends_with('\\')).unwrap_or(pattern);
    let mut glance = Glance { rest: pattern.as_bytes(), runs: vec![Vec::new()], with_words: false };
    if pattern.len() > LONGEST {
        return None;
    }
    while !glance.rest.is_empty() {
        glance.step()?;
    }
    glance.keys()
}

struct Glance<'t> {
    rest: &'t [u8],
    /// Text without a gap.
    runs: Vec<Vec<u8>>,
    with_words: bool,
}

impl Glance<'_> {
    fn step(&mut self) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        match first {
            b'\\' => {
                let (sign, rest) = rest.split_first().filter(|(sign, _)| SIGNS.contains(sign))?;
                self.text(*sign, rest)
            }
            b'{' => self.placeholder(rest),
            b'(' => self.group(rest),
            sign if SIGNS.contains(sign) => None,
            byte if byte.is_ascii_graphic() || *byte == b' ' => self.text(*byte, rest),
            _ => None,
        }
    }

    fn text(&mut self, byte: u8, rest: &[u8]) -> Option<()> {
        self.rest = &self.rest[self.rest.len() - rest.len()..];
        self.runs.last_mut()?.push(byte);
        Some(())
    }

    /// Ends the text before something else, behind which the given rest comes.
    fn gap(&mut self, rest: &[u8]) -> Option<()> {
        self.rest = &self.rest[self.rest.len() - rest.len()..];
        self.runs.push(Vec::new());
        (self.runs.len() <= MOST_GROUPS).then_some(())
    }

    fn placeholder(&mut self, inner: &[u8]) -> Option<()> {
        let end = memchr(b'}', inner)?;
        let name = std::str::from_utf8(&inner[..end]).ok()?;
        let is_of_words = WORDS.contains(&name);
        self.with_words |= is_of_words;
        (is_of_words || PLACEHOLDERS.contains(&name)).then_some(())?;
        self.gap(&inner[end + 1..])
    }

    /// `?<path>[^:]+)`, with any one sign of text in the class.
    fn group(&mut self, inner: &[u8]) -> Option<()> {
        let inner = inner.strip_prefix(b"?<")?;
        let end = memchr(b'>', inner)?;
        let name = std::str::from_utf8(&inner[..end]).ok()?;
        let class = inner[end + 1..].strip_prefix(b"[^")?;
        let (sign, rest) = class.split_first()?;
        let rest = rest.strip_prefix(b"]+")?;
        let rest = rest.strip_prefix(b"?").unwrap_or(rest).strip_prefix(b")")?;
        let is_text = sign.is_ascii_alphanumeric() || b" ,:;'\"/=<>".contains(sign);
        (is_text && GROUPS.contains(&name)).then_some(())?;
        self.gap(rest)
    }

    fn keys(self) -> Option<Vec<Key<Vec<u8>>>> {
        let with_words = self.with_words;
        let best = self.runs.iter().map(|run| key(run)).max_by_key(|key| weight_of(key))?;
        if weight_of(best) >= LEAST_WEIGHT {
            return Some(spellings(best).into_iter().map(|text| Key { text, with_words }).collect());
        }
        with_words.then(|| vec![Key { text: Vec::new(), with_words }])
    }
}

fn memchr(byte: u8, bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|other| *other == byte)
}

#[cfg(test)]
mod tests {
    use super::super::Form;
    use super::*;

    fn shown(pattern: &str) -> Option<Vec<(String, bool)>> {
        let keys = keys(pattern)?.into_iter();
        Some(keys.map(|key| (String::from_utf8_lossy(&key.text).into_owned(), key.with_words)).collect())
    }

    #[test]
    fn the_rarest_text_is_the_key() {
        let key = |text: &str, with_words| Some(vec![(text.to_owned(), with_words)]);
        assert_eq!(shown("^tool7: (?<path>[^:]+): part 49 was lost: {errno}$"), key("part 49 was lost", true));
        assert_eq!(shown("cannot frob {quoted}"), key("cannot frob", false));
        assert_eq!(shown(r"^ab: {errno}\.$"), key("", true));
    }

    #[test]
    fn what_may_be_wrong_or_means_more_is_read_as_a_whole() {
        for pattern in [
            "lost it?",
            "lost (it|them)",
            "lost {nothing}",
            "lost (?<colour>[^:]+)",
            "lost [",
            "ab",
            r"lost \d",
            "lost {path",
        ] {
            assert_eq!(shown(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn what_is_told_at_a_glance_is_sound() {
        let pieces = [
            "lost it",
            "can't ",
            ": ",
            "'",
            r"\.",
            r"\(",
            "{errno}",
            "{path}",
            "{quoted}",
            "(?<path>[^:]+)",
            "(?<other>[^']+?)",
            "{words}",
            "{number}",
            "$",
            "^",
            "`",
            "}",
            "-",
            "&&",
            "~",
            "#",
            "/",
            r"\\",
            "é",
            "{errno_name}",
            "{operation}",
        ];
        let (mut state, mut told) = (9_u64, 0);
        for _ in 0..6000 {
            let mut pattern = String::new();
            for _ in 0..6 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                pattern += pieces[usize::try_from(state >> 33).unwrap() % pieces.len()];
            }
            if let Some(keys) = keys(&pattern) {
                told += 1;
                let form = Form::parse(&pattern).unwrap_or_else(|error| panic!("{pattern} {error}"));
                assert!(keys.iter().all(|key| !key.with_words || form.needs_words), "{pattern}");
            }
        }
        assert!(told > 500, "{told}");
    }
}
