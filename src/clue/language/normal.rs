//! A line as rules see it: errno words of any language are one sentinel, quotation marks of any language are `'`, and colons,
//! commas and full stops are those of ASCII.
//!
//! Patterns so stay small and need no translation. What a pattern captures is taken from the line itself, not from this form.

use super::errno_words::Words;
use crate::clue::search::pairs::Pairs;
use crate::clue::written::{ERRNO_BEGIN, ERRNO_END};
use crate::sys::errno::name;
use std::cell::OnceCell;
use std::ops::Range;

/// Quotation marks that become `'`, with the no-break spaces that French puts inside.
const QUOTES: &[&str] = &[
    "«\u{a0}",
    "«\u{202f}",
    "« ",
    "«",
    "\u{a0}»",
    "\u{202f}»",
    " »",
    "»",
    "‘",
    "’",
    "‚",
    "‛",
    "“",
    "”",
    "„",
    "‟",
    "‹",
    "›",
    "「",
    "」",
    "『",
    "』",
    "`",
];

/// Punctuation of Chinese and Japanese and of French typography, with what stands in its place.
const PUNCTUATION: &[(&str, &str)] = &[
    ("：", ": "),
    ("\u{a0}:", ":"),
    ("\u{202f}:", ":"),
    ("，", ", "),
    ("；", "; "),
    ("。", "."),
    ("（", " ("),
    ("）", ")"),
];

/// A line in normal form.
pub struct Normal {
    /// What patterns are matched against.
    pub text: Vec<u8>,
    pairs: OnceCell<Pairs>,
    /// Places that are not the same in the line, in order: (here, there).
    edits: Vec<(Range<usize>, Range<usize>)>,
    /// The guillemet that opened the quotation which is open: « in most languages, » in German.
    open: Option<char>,
}

impl Normal {
    /// The normal form of a line.
    #[must_use]
    pub fn of(line: &[u8], words: &Words) -> Self {
        let mut normal =
            Self { text: Vec::with_capacity(line.len()), pairs: OnceCell::new(), edits: Vec::new(), open: None };
        let mut done = 0;
        for (place, errno) in words.find(line) {
            normal.copy(line, done..place.start);
            let sentinel = [&[ERRNO_BEGIN], name(errno).as_bytes(), &[ERRNO_END]].concat();
            normal.replace(&sentinel, place.clone());
            done = place.end;
        }
        normal.copy(line, done..line.len());
        normal
    }

    /// Which bytes of the text stand side by side.
    pub fn pairs(&self) -> &Pairs {
        self.pairs.get_or_init(|| Pairs::of(&self.text))
    }

    /// The place in the line of a place here; what touches a replaced word takes the whole word.
    #[must_use]
    pub fn original(&self, place: Range<usize>) -> Range<usize> {
        self.there(place.start, false)..self.there(place.end, true)
    }

    fn there(&self, position: usize, is_end: bool) -> usize {
        let before =
            self.edits.iter().take_while(|(here, _)| here.start < position || !is_end && here.start == position).last();
        let Some((here, there)) = before else { return position };
        match position < here.end {
            true if is_end => there.end,
            true => there.start,
            false => there.end + (position - here.end),
        }
    }

    fn copy(&mut self, line: &[u8], place: Range<usize>) {
        let mut at = place.start;
        while at < place.end {
            let rest = &line[at..place.end];
            if let Some((length, with)) = escaped(rest) {
                self.replace(with, at..at + length);
                at += length;
                continue;
            }
            let may_be_one = rest[0] == b'`' || rest[0] == b' ' || !rest[0].is_ascii();
            let mark = if may_be_one { mark(rest, self.open) } else { None };
            match mark {
                Some((mark, with)) => self.replace(with.as_bytes(), at..at + mark.len()),
                None => self.text.push(rest[0]),
            }
            if let Some(guillemet) = mark.and_then(|(mark, _)| mark.chars().find(|sign| matches!(sign, '«' | '»'))) {
                self.open = self.open.xor(Some(guillemet));
            }
            at += mark.map_or(1, |(mark, _)| mark.len());
        }
    }

    fn replace(&mut self, with: &[u8], place: Range<usize>) {
        let start = self.text.len();
        self.text.extend_from_slice(with);
        self.edits.push((start..self.text.len(), place));
    }
}

/// Bytes of a quoted name that coreutils show as a shell reads them: the quotation is left for `$'\033'` and goes on behind it, or ends with
/// it. Here it is a sign inside of the quotation. The length of it all, and what stands in its place.
fn escaped(text: &[u8]) -> Option<(usize, &'static [u8])> {
    let inside = text.strip_prefix(b"'$'\\")?;
    let end = memchr::memchr(b'\'', inside)? + b"'$'\\'".len();
    Some(if text.get(end) == Some(&b'\'') { (end + 1, b"?") } else { (end, b"?'") })
}

/// The mark that the text begins with, and what stands in its place. A blank is part of a guillemet inside of a quotation only, which is
/// `« x »` in French, and outside of `»x«` in German.
fn mark(text: &[u8], open: Option<char>) -> Option<(&'static str, &'static str)> {
    let is_inside = |mark: &str| match (mark.chars().next(), mark.chars().nth(1)) {
        (Some('«'), Some(_)) => open.is_none(),
        (Some(_), Some('»')) => open == Some('«'),
        _ => true,
    };
    let quotes = QUOTES.iter().filter(|mark| is_inside(mark)).map(|mark| (*mark, "'"));
    let mut marks = quotes.chain(PUNCTUATION.iter().copied());
    marks.find(|(mark, _)| text.starts_with(mark.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(line: &str) -> (Normal, String) {
        let normal = Normal::of(line.as_bytes(), &Words::new(None));
        let text = String::from_utf8_lossy(&normal.text).replace('\x01', "<").replace('\x02', ">");
        (normal, text)
    }

    #[test]
    fn words_and_quotes_of_every_language_take_one_form() {
        assert_eq!(
            normal("mkdir: cannot create directory ‘/x’: No space left on device").1,
            "mkdir: cannot create directory '/x': <ENOSPC>"
        );
        assert_eq!(normal("写入错误：设备").1, "写入错误: 设备");
        assert_eq!(
            normal("impossible de créer «\u{a0}/x\u{a0}»: read-only file system").1,
            "impossible de créer '/x': <EROFS>"
        );
        assert_eq!(
            normal("Öffnen von »/x« nach « /y » und »z« nicht möglich").1,
            "Öffnen von '/x' nach '/y' und 'z' nicht möglich"
        );
    }

    #[test]
    fn bytes_that_a_shell_would_read_stay_inside_of_a_quotation() {
        for (line, text, name) in [
            (r"cat: 'a/b'$'\033''[31m/x': gone", "cat: 'a/b?[31m/x': gone", r"a/b'$'\033''[31m/x"),
            (r"cat: 'a'$'\n': gone", "cat: 'a?': gone", r"a'$'\n'"),
            (r"cat: ''$'\t\303''b': gone", "cat: '?b': gone", r"'$'\t\303''b"),
        ] {
            let (normal, found) = normal(line);
            assert_eq!(found, text);
            let inside = text.find('\'').unwrap() + 1..text.rfind('\'').unwrap();
            assert_eq!(&line[normal.original(inside)], name);
        }
    }

    #[test]
    fn a_place_leads_back_to_the_line() {
        let line = "a ‘No space left on device’ b: File exists, c";
        let (normal, text) = normal(line);
        let at = |part: &str| text.find(part).map(|start| start..start + part.len()).unwrap();
        for (here, there) in [
            ("<ENOSPC>", "No space left on device"),
            ("b: ", "b: "),
            (" c", " c"),
            ("ENOSP", "No space left on device"),
        ] {
            assert_eq!(&line[normal.original(at(here))], there);
        }
    }
}
