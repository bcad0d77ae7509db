//! A line as a person would see it: without colours, titles and other control sequences; what is too long loses its middle.
//! Bytes that are not UTF-8 stay as they are: they may be part of a path.

use super::copied::restored;
use std::ops::Range;

/// Bytes of a line that are kept: its head and its tail, where path and errno are.
pub const HEAD: usize = 4 << 10;
pub const TAIL: usize = 2 << 10;

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

/// Where a line belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The number of the job whose label the line has.
    pub job: Option<usize>,
    /// The step, from 1; 0 before any.
    pub step: usize,
    /// Where the text behind the label begins.
    pub body: usize,
    /// Whether it shows the command of a step and its environment, and is nothing that was said.
    pub is_command: bool,
    /// Whether the log says that what it is of ended well.
    pub is_of_success: bool,
}

impl Line {
    /// The text behind the label of its job.
    pub fn body(&self) -> &[u8] {
        &self.text[self.place.body..]
    }
}

/// Its head and its tail, where it is long.
pub fn shortened(raw: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if raw.len() <= HEAD + TAIL {
        return raw.into();
    }
    [&raw[..HEAD], b" ... ", &raw[raw.len() - TAIL..]].concat().into()
}

/// Without control sequences (ECMA-48), control characters and what copying left of them.
pub fn clean(raw: &[u8]) -> Vec<u8> {
    if !raw.iter().any(|byte| is_control(*byte)) {
        return restored(raw.to_vec());
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = if byte == 0x1b { after_escape(tail) } else { tail };
        if !is_control(byte) {
            out.push(byte);
        }
    }
    restored(out)
}

/// Where a state of a line ends that is written over or left: the lengths of what stands before each movement of the cursor to another line or
/// to the first column (ECMA-48: CHA, CUP, CNL, CPL, CUU, ED), and of the movement.
pub fn movements(raw: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    memchr::memmem::find_iter(raw, b"\x1b[").filter_map(|start| {
        let parameters = raw[start + 2..].iter().take_while(|byte| (0x20..=0x3f).contains(*byte)).count();
        let end = start + 2 + parameters;
        let moves = raw.get(end).is_some_and(|last| b"AEFGHJf".contains(last));
        moves.then_some(start..end + 1)
    })
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
