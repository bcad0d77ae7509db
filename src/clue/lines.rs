//! From bytes that were meant for a terminal to lines that can be matched.
//!
//! Colours, titles and other control sequences go; each state of a progress bar (between carriage returns) is a line of its
//! own; what is too long loses its middle; a message that was wrapped at a width is offered a second time as one line.
//! Bytes that are not UTF-8 stay as they are: they may be part of a path.

use super::jobs::{Failed, Place, assign, of_same_job};
use crate::transcript::Transcript;
use std::ops::Range;

/// Bytes of a line that are kept: its head and its tail, where path and errno are.
const HEAD: usize = 4 << 10;
const TAIL: usize = 2 << 10;
/// Lines of a wrapped message that are joined at most.
const JOINED: usize = 8;
/// Shorter lines were not broken by a width.
const WRAP_WIDTH: usize = 58;

/// One line, clean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its bytes, without control characters but tabs.
    pub text: Vec<u8>,
    /// Where it stands in all that was written.
    pub span: Range<u64>,
    /// Whether it is a wrapped message put together, which stands before its first line.
    pub joined: bool,
    /// The job and step that it is of.
    pub place: Place,
}

/// The lines of a transcript in order; wrapped messages stand joined before their first line. And what the log says failed.
#[must_use]
pub fn lines(transcript: &Transcript) -> (Vec<Line>, Failed) {
    let mut physical: Vec<Line> = transcript.parts.iter().flat_map(|part| split(part.offset, &part.bytes.0)).collect();
    let failed = assign(&mut physical);
    let mut out = Vec::with_capacity(physical.len() + physical.len() / 4);
    let mut covered = vec![false; physical.len()];
    for (index, line) in physical.iter().enumerate() {
        if !covered[index]
            && let Some((joined, pieces)) = unwrapped(&physical, index)
        {
            out.push(joined);
            for piece in pieces {
                covered[piece] = true;
            }
        }
        out.push(line.clone());
    }
    (out, failed)
}

fn split(offset: u64, bytes: &[u8]) -> impl Iterator<Item = Line> + '_ {
    let mut start = 0;
    let ends = memchr::memchr2_iter(b'\n', b'\r', bytes).chain([bytes.len()]);
    ends.filter_map(move |end| {
        let raw = start..end;
        start = end + 1;
        let mut text = clean(&shortened(bytes.get(raw.clone())?));
        // Blanks at the end mean nothing, and a message ends at its last word.
        text.truncate(text.trim_ascii_end().len());
        (!text.is_empty()).then(|| Line {
            text,
            span: offset + raw.start as u64..offset + raw.end as u64,
            ..Line::default()
        })
    })
}

pub fn shortened(raw: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if raw.len() <= HEAD + TAIL {
        return raw.into();
    }
    [&raw[..HEAD], b" ... ", &raw[raw.len() - TAIL..]].concat().into()
}

/// Without control sequences (ECMA-48) and control characters.
pub fn clean(raw: &[u8]) -> Vec<u8> {
    if !raw.iter().any(|byte| is_control(*byte)) {
        return raw.to_vec();
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = if byte == 0x1b { after_escape(tail) } else { tail };
        if !is_control(byte) {
            out.push(byte);
        }
    }
    out
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 && byte != b'\t' || byte == 0x7f
}

/// What follows the sequence that ESC began.
fn after_escape(rest: &[u8]) -> &[u8] {
    let Some((&kind, tail)) = rest.split_first() else { return rest };
    match kind {
        b'[' => from(tail, tail.iter().position(|byte| (0x40..=0x7e).contains(byte)).map(|end| end + 1)),
        b']' | b'P' | b'_' | b'^' | b'X' => after_string(tail),
        0x20..=0x2f => from(tail, tail.iter().position(|byte| (0x30..=0x7e).contains(byte)).map(|end| end + 1)),
        _ => tail,
    }
}

/// A string (title, hyperlink) ends at BEL or at ESC backslash; one without an end was cut, and what is left may be text.
fn after_string(rest: &[u8]) -> &[u8] {
    match memchr::memchr2(0x07, 0x1b, rest) {
        Some(end) if rest[end] == 0x07 => &rest[end + 1..],
        Some(end) if rest.get(end + 1) == Some(&b'\\') => &rest[end + 2..],
        Some(end) => &rest[end..],
        None => rest,
    }
}

fn from(bytes: &[u8], start: Option<usize>) -> &[u8] {
    start.and_then(|start| bytes.get(start..)).unwrap_or_default()
}

/// The message that begins at a line, put together, and the lines that it goes on in; none where nothing was wrapped. Lines of other jobs that
/// stand between are left out.
fn unwrapped(lines: &[Line], at: usize) -> Option<(Line, Vec<usize>)> {
    let first = &lines[at];
    let mut joined = first.clone();
    let mut pieces = Vec::new();
    for next in of_same_job(lines, at, true).take(JOINED - 1) {
        let more = lines[next].body();
        let fits = joined.text.len() + more.len() < HEAD;
        let last = &lines[pieces.last().copied().unwrap_or(at)];
        if !fits || !goes_on(last.body(), more, indent(first.body())) {
            break;
        }
        joined.text.push(b' ');
        joined.text.extend_from_slice(more.trim_ascii());
        joined.span.end = lines[next].span.end;
        pieces.push(next);
    }
    joined.joined = true;
    (!pieces.is_empty()).then_some((joined, pieces))
}

impl Line {
    /// The text behind the label of its job.
    fn body(&self) -> &[u8] {
        &self.text[self.place.body..]
    }
}

/// Whether a line goes on in the next: it was long enough to be broken, and the next is set deeper or begins small.
fn goes_on(line: &[u8], next: &[u8], margin: usize) -> bool {
    let begins_small =
        || next.trim_ascii_start().first().is_some_and(|byte| byte.is_ascii_lowercase() || *byte == b'/');
    line.len() >= WRAP_WIDTH && (indent(next) >= margin + 2 || indent(next) == margin && begins_small())
}

fn indent(text: &[u8]) -> usize {
    text.len() - text.trim_ascii_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<String> {
        lines(&Transcript::whole(bytes.to_vec()))
            .0
            .iter()
            .map(|line| String::from_utf8_lossy(&line.text).into_owned())
            .collect()
    }

    #[test]
    fn colours_titles_and_links_are_removed() {
        assert_eq!(
            texts(b"\x1b[1;31merror\x1b[0m: no\x1b]0;title\x07 \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\x1b(B end\n"),
            ["error: no link end"]
        );
    }

    #[test]
    fn each_state_of_a_progress_bar_is_a_line() {
        assert_eq!(texts(b" 10%\r 20%\rfailed: x\r\nnext"), [" 10%", " 20%", "failed: x", "next"]);
    }

    #[test]
    fn offsets_count_all_bytes_that_were_written() {
        let mut transcript = Transcript::whole(b"one\ntwo\n".to_vec());
        transcript.parts[0].offset = 100;
        assert_eq!(lines(&transcript).0.iter().map(|line| line.span.clone()).collect::<Vec<_>>(), [100..103, 104..107]);
    }

    #[test]
    fn a_wrapped_message_is_offered_as_one_line_too() {
        let wrapped = "[ERROR] The compilation of ocaml-base-compiler failed at the command that is\n        here \"exited with\n";
        assert_eq!(
            texts(wrapped.as_bytes())[0],
            "[ERROR] The compilation of ocaml-base-compiler failed at the command that is here \"exited with"
        );
    }

    #[test]
    fn a_long_line_keeps_its_head_and_its_tail() {
        let long = [b"cp: ".as_slice(), &vec![b'x'; 1 << 20], b": No space left on device"].concat();
        let text = &texts(&long)[0];
        assert!(text.len() < HEAD + TAIL + 10 && text.starts_with("cp: ") && text.ends_with("on device"));
    }

    #[test]
    fn bytes_that_are_not_text_stay() {
        assert_eq!(lines(&Transcript::whole(b"cat: caf\xe9: gone".to_vec())).0[0].text, b"cat: caf\xe9: gone");
    }
}
