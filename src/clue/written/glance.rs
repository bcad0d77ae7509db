//! The keys of a pattern, found without parsing it as a regular expression. Of ten thousand rules of one's own a failure needs a few; for the
//! others this is all that is ever done.
//!
//! A small part of the syntax is read: text with placeholders, groups, classes and repetitions between. Whatever is not of it, or may be wrong,
//! has no answer here; then [`super::Form`] parses the pattern, and it alone tells what is wrong. Of every pattern that has an answer two things
//! hold, which a test shows with random ones: `Form` finds it sound, and each text that it matches holds one of the keys. The keys need not be
//! those that `Form` would choose. The time is linear in the length of the pattern.

use super::Key;
use super::expand::GROUPS;
use super::literal::{key, spellings, weight_of};

/// Signs that mean something in a regular expression, and themselves behind a backslash.
const SIGNS: &[u8] = br"\.+*?()|[]{}^$";
/// Classes and anchors that are a letter behind a backslash. Of the classes those in small letters may stand in brackets, where what they
/// leave out is never nothing.
const CLASSES: &[u8] = b"sdwSDW";
const SMALL_CLASSES: &[u8] = b"sdw";
/// Other signs that stand for themselves in brackets.
const IN_BRACKETS: &[u8] = b" _,:;'\"/=<>.()!?*+@%#|{}$`^";
/// Signs that stand for themselves in brackets unless they stand twice.
const SINGLE_IN_BRACKETS: &[u8] = b"~&";
/// Escapes for bytes that no line holds but between its parts.
const BLANKS: &[u8] = b"nrt";
/// Placeholders that stand for words for an errno, and others; those that capture under another name where one stands behind a colon.
const WORDS: &[&str] = &["errno", "words"];
const PLACEHOLDERS: &[&str] =
    &["absolute", "errno_name", "errno_number", "number", "operation", "path", "program", "quoted", "word"];
const CAPTURES: &[&str] = &["absolute", "number", "path", "quoted", "word"];
/// Branches of a pattern and of a group, and groups in each other, that a pattern may have.
const MOST_BRANCHES: usize = 8;
const MOST_IN_GROUP: usize = 40;
const DEEPEST: usize = 8;
/// Keys of the branches of one group.
const MOST_KEYS: usize = 12;
/// Times that a part may be repeated by number.
const MOST_TIMES: usize = 99;
/// Bytes that it may have at most.
const LONGEST: usize = 2 << 10;
/// What a key must weigh to be looked for: three letters.
const LEAST_WEIGHT: usize = 12;

/// The keys of a pattern that is text, placeholders, groups and classes; none of any other, which may be wrong.
pub fn keys(pattern: &str) -> Option<Vec<Key<Vec<u8>>>> {
    let mut glance = Glance { rest: pattern.as_bytes() };
    if pattern.len() > LONGEST {
        return None;
    }
    let branches = glance.branches(0)?;
    let with_words = branches.iter().all(|branch| branch.with_words);
    let mut keys = Vec::with_capacity(branches.len());
    for Branch { keys: of_branch, weight, .. } in branches {
        match weight {
            LEAST_WEIGHT.. => {
                let texts = of_branch.iter().flat_map(|key| spellings(key));
                keys.extend(texts.map(|text| Key { text, with_words }));
            }
            _ if with_words => keys.push(Key { text: Vec::new(), with_words }),
            _ => return None,
        }
    }
    glance.rest.is_empty().then_some(keys)
}

/// Whether a pattern for lines beside a message, which needs no key, is of that form and so cannot be wrong.
pub fn is_sound(pattern: &str) -> bool {
    let mut glance = Glance { rest: pattern.as_bytes() };
    pattern.len() <= LONGEST && glance.branches(0).is_some() && glance.rest.is_empty()
}

/// What is known of one way to match.
#[derive(Default)]
struct Branch {
    /// Text without a gap, up to where the reading is.
    run: Vec<u8>,
    /// The best part of the text before; of a group that is needed, that of each of its branches.
    keys: Vec<Vec<u8>>,
    weight: usize,
    /// There are words for an errno.
    with_words: bool,
}

impl Branch {
    /// Ends the text before something else.
    fn gap(&mut self) {
        // One text is better than several.
        let least = if self.keys.len() > 1 { 0 } else { self.weight };
        // A part of it weighs no more.
        if weight_of(&self.run) >= least.max(LEAST_WEIGHT) {
            let part = key(&self.run);
            let weight = weight_of(part);
            if weight >= least.max(1) {
                (self.keys, self.weight) = (vec![part.to_vec()], weight);
            }
        }
        self.run.clear();
    }

    /// Takes what a group holds in every case.
    fn take(&mut self, group: Group) {
        self.gap();
        self.with_words |= group.with_words;
        if self.weight < LEAST_WEIGHT && group.weight >= LEAST_WEIGHT {
            (self.keys, self.weight) = (group.keys, group.weight);
        }
    }
}

/// What is known of alternatives of which one matches.
struct Group {
    keys: Vec<Vec<u8>>,
    /// The least of the branches; 0 where one has no key, or they have too many.
    weight: usize,
    with_words: bool,
}

impl Group {
    fn of(branches: Vec<Branch>) -> Self {
        let with_words = branches.iter().all(|branch| branch.with_words);
        let weight = branches.iter().map(|branch| branch.weight).min().unwrap_or(0);
        let count: usize = branches.iter().map(|branch| branch.keys.len()).sum();
        if weight < LEAST_WEIGHT || count > MOST_KEYS {
            return Self { keys: Vec::new(), weight: 0, with_words };
        }
        Self { keys: branches.into_iter().flat_map(|branch| branch.keys).collect(), weight, with_words }
    }
}

/// A part of a pattern that may be repeated or left out.
enum Part {
    Text(u8),
    Words,
    Group(Group),
    Other,
}

/// How often a part is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    Once,
    Several,
    PerhapsNone,
}

/// Whether a byte stands for itself wherever it is.
fn is_plain(byte: u8) -> bool {
    const PLAIN: [bool; 256] = plain();
    PLAIN[usize::from(byte)]
}

const fn plain() -> [bool; 256] {
    let mut plain = [false; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        plain[byte as usize] = true;
        byte += 1;
    }
    let mut at = 0;
    while at < SIGNS.len() {
        plain[SIGNS[at] as usize] = false;
        at += 1;
    }
    plain
}

/// A pattern on the way of its reading, a recursive descent.
struct Glance<'t> {
    rest: &'t [u8],
}

impl<'t> Glance<'t> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take(&mut self, sign: u8) -> bool {
        let is_there = self.rest.first() == Some(&sign);
        self.rest = &self.rest[usize::from(is_there)..];
        is_there
    }

    /// Text up to a sign, without what that sign may repeat.
    fn text(&mut self) -> &'t [u8] {
        let length = self.rest.iter().position(|byte| !is_plain(*byte)).unwrap_or(self.rest.len());
        let is_repeated = match &self.rest[length..] {
            [b'?' | b'*' | b'+', ..] => true,
            [b'{', first, ..] => first.is_ascii_digit(),
            _ => false,
        };
        let (text, rest) = self.rest.split_at(length.saturating_sub(usize::from(is_repeated)));
        self.rest = rest;
        text
    }

    /// Takes `^`, `$` or `\b`.
    fn anchor(&mut self) -> bool {
        let is_edge = self.rest.starts_with(br"\b");
        self.rest = &self.rest[if is_edge { 2 } else { 0 }..];
        is_edge || self.take(b'^') || self.take(b'$')
    }

    /// What stands before a sign, which is passed over.
    fn up_to(&mut self, sign: u8) -> Option<&'t str> {
        let end = self.rest.iter().position(|byte| *byte == sign)?;
        let (before, rest) = self.rest.split_at(end);
        self.rest = &rest[1..];
        std::str::from_utf8(before).ok()
    }

    fn branches(&mut self, depth: usize) -> Option<Vec<Branch>> {
        let mut branches = vec![self.branch(depth)?];
        while self.take(b'|') {
            branches.push(self.branch(depth)?);
        }
        let most = if depth == 0 { MOST_BRANCHES } else { MOST_IN_GROUP };
        (branches.len() <= most && depth <= DEEPEST).then_some(branches)
    }

    fn branch(&mut self, depth: usize) -> Option<Branch> {
        let mut branch = Branch::default();
        loop {
            branch.run.extend_from_slice(self.text());
            if matches!(self.rest.first(), None | Some(b'|' | b')')) {
                break;
            }
            if self.anchor() {
                branch.gap();
                continue;
            }
            let part = self.part(depth)?;
            let times = self.times()?;
            let is_text = matches!(part, Part::Text(_));
            match part {
                _ if times == Times::PerhapsNone => {}
                Part::Text(byte) => branch.run.push(byte),
                Part::Words => branch.with_words = true,
                Part::Group(group) => branch.take(group),
                Part::Other => {}
            }
            if times != Times::Once || !is_text {
                branch.gap();
            }
        }
        branch.gap();
        Some(branch)
    }

    /// Takes `?`, `*`, `+` or `{2,3}`, and the sign for as few times as may be.
    fn times(&mut self) -> Option<Times> {
        let times = match self.rest {
            [b'?' | b'*', ..] => Times::PerhapsNone,
            [b'+', ..] => Times::Several,
            [b'{', first, ..] if first.is_ascii_digit() => return self.counted(),
            _ => return Some(Times::Once),
        };
        self.rest = &self.rest[1..];
        self.take(b'?');
        Some(times)
    }

    /// `{2}`, `{2,}` or `{2,3}`.
    fn counted(&mut self) -> Option<Times> {
        let inner = self.up_to(b'}')?.strip_prefix('{')?;
        let (least, most) = inner.split_once(',').unwrap_or((inner, inner));
        let number = |text: &str| text.parse::<usize>().ok().filter(|times| *times <= MOST_TIMES);
        let least = number(least)?;
        let is_sound = most.is_empty() || number(most)? >= least;
        self.take(b'?');
        is_sound.then_some(if least == 0 { Times::PerhapsNone } else { Times::Several })
    }

    fn part(&mut self, depth: usize) -> Option<Part> {
        match self.next()? {
            b'\\' => match self.next()? {
                sign if SIGNS.contains(&sign) || b"'\"/-".contains(&sign) => Some(Part::Text(sign)),
                class if CLASSES.contains(&class) || BLANKS.contains(&class) => Some(Part::Other),
                _ => None,
            },
            b'.' => Some(Part::Other),
            b'{' => self.placeholder(),
            b'(' => self.group(depth),
            b'[' => self.class(),
            byte if !byte.is_ascii() => {
                // The other bytes of the letter.
                let more = self.rest.iter().take_while(|byte| **byte & 0xc0 == 0x80).count();
                self.rest = &self.rest[more..];
                Some(Part::Other)
            }
            byte => is_plain(byte).then_some(Part::Text(byte)),
        }
    }

    fn placeholder(&mut self) -> Option<Part> {
        let inner = self.up_to(b'}')?;
        let (name, detail) = inner.split_once(':').map_or((inner, None), |(name, detail)| (name, Some(detail)));
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        if WORDS.contains(&name) {
            return detail.is_none_or(|names| names.split('|').all(is_name)).then_some(Part::Words);
        }
        if matches!(name, "errno_name" | "errno_number") {
            return detail.is_none_or(|names| names.split('|').all(is_name)).then_some(Part::Other);
        }
        let may_be_called = |group: &str| CAPTURES.contains(&name) && GROUPS.contains(&group);
        (PLACEHOLDERS.contains(&name) && detail.is_none_or(may_be_called)).then_some(Part::Other)
    }

    /// `(…)`, `(?:…)` or `(?<path>…)`.
    fn group(&mut self, depth: usize) -> Option<Part> {
        if self.take(b'?') {
            match self.next()? {
                b':' => {}
                b'<' => GROUPS.contains(&self.up_to(b'>')?).then_some(())?,
                _ => return None,
            }
        }
        let group = Group::of(self.branches(depth + 1)?);
        self.take(b')').then_some(Part::Group(group))
    }

    /// `[…]`, with letters, digits, ranges of them, and signs that mean nothing else there.
    fn class(&mut self) -> Option<Part> {
        self.take(b'^');
        let mut is_empty = true;
        while !self.take(b']') {
            let sign = self.next()?;
            match sign {
                b'\\' => {
                    let escaped = self.next()?;
                    let is_known = |known: &&[u8]| known.contains(&escaped);
                    [SIGNS, SMALL_CLASSES, BLANKS].iter().any(is_known).then_some(())?;
                }
                b'-' => self.rest.starts_with(b"]").then_some(())?,
                from if from.is_ascii_alphanumeric() => {
                    if !self.rest.starts_with(b"-]") && self.take(b'-') {
                        self.next().filter(|to| to.is_ascii_alphanumeric() && from <= *to)?;
                    }
                }
                single if SINGLE_IN_BRACKETS.contains(&single) => {
                    (self.rest.first() != Some(&single)).then_some(())?;
                }
                other => IN_BRACKETS.contains(&other).then_some(())?,
            }
            is_empty = false;
        }
        (!is_empty).then_some(Part::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Case, Form};
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
        assert_eq!(shown(r"^(?:frob|frobd)(?:\[\d+\])?: losts? [a-z_-]+ in (\S+|'.*?')"), key(": lost", false));
        assert_eq!(
            shown("^frob: lost|^knob: {path} gone"),
            Some(vec![("frob: lost".to_owned(), false), ("knob:".to_owned(), false)])
        );
    }

    #[test]
    fn words_for_an_errno_that_need_not_be_there_are_none() {
        for (pattern, with_words) in [
            ("lost it(?:: {errno})?", false),
            ("lost it (?:{errno}|{words})", true),
            ("lost it (?:{errno}|twice)", false),
            ("lost it {errno}|gone", false),
            ("lost it {errno}|gone {errno}", true),
        ] {
            assert!(keys(pattern).unwrap().iter().all(|key| key.with_words == with_words), "{pattern}");
        }
    }

    #[test]
    fn what_may_be_wrong_or_means_more_is_read_as_a_whole() {
        for pattern in [
            "lost {nothing}",
            "lost (?<colour>[^:]+)",
            "lost (?i:it)",
            "lost [",
            "lost []",
            "lost [z-a]",
            "lost [a&&b]",
            "lost (it",
            "lost it)",
            "lost it**",
            "lost it{2,1}",
            "lost it{2}{3}",
            "lost it{,3}",
            "lost [a~~b]",
            "lost ^*",
            "*lost",
            "lost|",
            "ab",
            r"lost \q",
            "lost {path",
        ] {
            assert_eq!(shown(pattern), None, "{pattern}");
        }
    }

    /// Parts of patterns, and text that each matches.
    const PIECES: &[(&str, &str)] = &[
        ("lost it", "lost it"),
        ("can't ", "can't "),
        (": ", ": "),
        ("'", "'"),
        (r"\.", "."),
        (r"\(", "("),
        ("{errno}", "\u{1}ENOSPC\u{2}"),
        ("{path}", "a/b"),
        ("{quoted}", "'q'"),
        ("{quoted:other}", "'q'"),
        ("{word:colour}", "w"),
        ("{errno:EIO|ENOSPC}", "\u{1}EIO\u{2}"),
        ("{words:E[IN]O}", "\u{1}EIO\u{2}"),
        ("(?<path>[^:]+)", "a/b"),
        ("(?<other>[^']+?)", "o"),
        ("{words}", "\u{1}EIO\u{2}"),
        ("{number}", "7"),
        ("$", ""),
        ("^", ""),
        ("`", "`"),
        ("}", "}"),
        ("-", "-"),
        ("&&", "&&"),
        ("#", "#"),
        (r"\\", "\\"),
        ("é", "é"),
        ("{errno_name}", "EIO"),
        ("gone?", "gon"),
        ("gone?", "gone"),
        ("x*", ""),
        ("yes+", "yesss"),
        ("(?:part|piece)", "piece"),
        ("(?:mislaid|dropped)", "dropped"),
        ("(?:[Mm]islaid|dropped by (?:hand|mouse))", "dropped by hand"),
        ("(?:mislaid twice|it)", "it"),
        ("(?:mislaid|dropped)?", ""),
        ("(?:mislaid|dropped)+", "mislaid"),
        ("(?:dropped|{errno})", "\u{1}EIO\u{2}"),
        ("go{2,3}n", "gooon"),
        ("go{0,3}n", "gn"),
        ("{errno_name:EIO|ENOSPC}", "EIO"),
        (r"[^\n~]", "x"),
        (r"\'", "'"),
        ("(?: of {errno})?", ""),
        ("(?:{errno}|{words})", "\u{1}EIO\u{2}"),
        (r"[a-z_.-]+", "a-b"),
        (r"[^\s\]]", "x"),
        (r"\S+", "word"),
        (r"\b", ""),
        (".*?", "anything"),
        ("|", "|"),
        ("(", ""),
        (")", ""),
        ("?", ""),
        ("+", ""),
        ("[a", ""),
        ("]", ""),
    ];

    #[test]
    fn what_is_told_at_a_glance_is_sound() {
        let (mut state, mut told, mut matched) = (9_u64, 0, 0);
        for _ in 0..12_000 {
            let (mut pattern, mut text) = (String::new(), String::new());
            for _ in 0..6 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let (piece, of_text) = PIECES[usize::try_from(state >> 33).unwrap() % PIECES.len()];
                // Of an alternation the last branch is what the text is of.
                text = if piece == "|" { String::new() } else { text + of_text };
                pattern += piece;
            }
            let Some(keys) = keys(&pattern) else { continue };
            told += 1;
            let form = Form::parse(&pattern, Case::Kept).unwrap_or_else(|error| panic!("{pattern} {error}"));
            assert!(keys.iter().all(|key| !key.with_words || form.needs_words), "{pattern}");
            if crate::clue::search::pattern::compiled(&form.expanded).unwrap().is_match(text.as_bytes()) {
                matched += 1;
                let text = text.as_bytes();
                let has = |key: &Key<Vec<u8>>| memchr::memmem::find(text, &key.text).is_some();
                assert!(keys.iter().any(has), "{pattern}: {:?}", shown(&pattern));
            }
        }
        assert!(told > 1000 && matched > 500, "{told}, {matched}");
    }
}
