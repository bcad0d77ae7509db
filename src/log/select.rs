//! What is kept of a log that is too long to be kept whole: its beginning, its end, and, between them, lines that a rule may
//! read with the lines around them. Of those the first ones and the last ones: the first failure is the root, and the last is
//! what the log ended with.

use crate::clue::Reader;
use crate::text::Bytes;
use crate::transcript::{Part, Transcript};
use std::collections::VecDeque;
use std::ops::Range;

/// Bytes of the beginning and of the end.
const HEAD: usize = 1 << 20;
const TAIL: usize = 512 << 10;
/// Bytes of the first telling lines and of the last ones.
const FIRST: usize = 512 << 10;
const LAST: usize = 512 << 10;
/// Lines that are kept before and behind a telling one, and bytes of them on either side.
const LINES: usize = 12;
const AROUND: usize = 4 << 10;
/// Zero bytes in a hundred from which on it is no text.
const NOT_TEXT: u64 = 10;

/// Takes a log piece by piece.
pub struct Selection<'a> {
    reader: &'a Reader<'a>,
    head: Vec<u8>,
    /// What is not searched yet, with what was searched last before it.
    window: Vec<u8>,
    /// Where the window begins in all that was written.
    offset: u64,
    /// Bytes of the window that were searched.
    searched: usize,
    /// Telling lines, and how far what is kept of them reaches.
    first: Telling,
    last: Telling,
    kept_to: u64,
    written: u64,
    zeros: u64,
    log_begin: u64,
}

/// Parts in order, and their bytes.
#[derive(Default)]
struct Telling {
    parts: VecDeque<Part>,
    bytes: usize,
}

impl<'a> Selection<'a> {
    /// Nothing yet.
    pub fn new(reader: &'a Reader<'a>) -> Self {
        Self {
            reader,
            head: Vec::new(),
            window: Vec::new(),
            offset: 0,
            searched: 0,
            first: Telling::default(),
            last: Telling::default(),
            kept_to: 0,
            written: 0,
            zeros: 0,
            log_begin: 0,
        }
    }

    /// All bytes so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Whether what the log holds so far is no text.
    pub fn is_no_text(&self) -> bool {
        self.zeros * 100 > (self.written - self.log_begin) * NOT_TEXT
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.zeros += memchr::memchr_iter(0, bytes).count() as u64;
        self.written += bytes.len() as u64;
        let (first, rest) = bytes.split_at(bytes.len().min(HEAD - self.head.len()));
        self.head.extend_from_slice(first);
        if rest.is_empty() {
            return;
        }
        if self.window.is_empty() {
            self.begin_window();
        }
        self.window.extend_from_slice(rest);
        if self.window.len() > 2 * TAIL {
            self.search(self.window.len() - TAIL);
            self.drop_searched();
        }
    }

    /// Begins a log; the last line of the one before is no beginning of its first.
    pub fn begin_log(&mut self) {
        if self.last_byte().is_some_and(|byte| byte != b'\n') {
            self.push(b"\n");
        }
        (self.log_begin, self.zeros) = (self.written, 0);
    }

    fn last_byte(&self) -> Option<u8> {
        self.window.last().or(self.head.last()).copied()
    }

    /// What was kept.
    pub fn finish(self) -> Transcript {
        let Self { head, first, last, window, offset, kept_to, written, .. } = self;
        let mut transcript = Transcript { bytes: written, ..Transcript::default() };
        transcript.append(Part { offset: 0, bytes: Bytes(head) });
        for part in first.parts.into_iter().chain(last.parts) {
            transcript.append(part);
        }
        let kept = usize::try_from(kept_to.saturating_sub(offset)).unwrap_or(0).min(window.len());
        transcript.append(Part { offset: offset + kept as u64, bytes: Bytes(window[kept..].to_vec()) });
        transcript
    }

    /// The window begins with the last lines of the beginning, which may be near a telling line behind it.
    fn begin_window(&mut self) {
        self.offset = self.head.len() as u64;
        self.kept_to = self.offset;
    }

    /// Searches the window up to about there, to the end of a line where there is one.
    fn search(&mut self, limit: usize) {
        let begin = self.searched;
        let end = memchr::memrchr(b'\n', &self.window[begin..limit]).map_or(limit, |newline| begin + newline + 1);
        let mut lines: Vec<Range<usize>> = Vec::new();
        let window = &self.window;
        self.reader.find_keys(&window[begin..end], |at| {
            if !lines.last().is_some_and(|line| line.contains(&(begin + at))) {
                lines.push(line_around(window, begin + at, end));
            }
        });
        lines.sort_unstable_by_key(|line| line.start);
        lines.dedup();
        for line in lines {
            if self.reader.may_tell(&self.window[line.clone()]) {
                self.keep(&line);
            }
        }
        self.searched = end;
    }

    /// Keeps a telling line with what is around it.
    fn keep(&mut self, line: &Range<usize>) {
        let around = around(&self.window, line);
        let already = usize::try_from(self.kept_to.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let new = around.start.max(already)..around.end;
        if new.is_empty() {
            return;
        }
        let part = Part { offset: self.offset + new.start as u64, bytes: Bytes(self.window[new.clone()].to_vec()) };
        self.kept_to = self.offset + new.end as u64;
        if self.first.bytes < FIRST {
            self.first.push(part);
        } else {
            self.last.push(part);
            self.last.shrink(LAST);
        }
    }

    /// Drops what was searched, but for a piece that may be near what comes.
    fn drop_searched(&mut self) {
        let drop = self.searched.saturating_sub(AROUND);
        self.window.drain(..drop);
        self.offset += drop as u64;
        self.searched -= drop;
    }
}

impl Telling {
    fn push(&mut self, part: Part) {
        self.bytes += part.bytes.0.len();
        self.parts.push_back(part);
    }

    fn shrink(&mut self, limit: usize) {
        while self.bytes > limit
            && let Some(part) = self.parts.pop_front()
        {
            self.bytes -= part.bytes.0.len();
        }
    }
}

/// The line that holds a place, or what of a long one is near it.
fn line_around(text: &[u8], at: usize, limit: usize) -> Range<usize> {
    let reach = at.saturating_sub(AROUND);
    let start = memchr::memrchr2(b'\n', b'\r', &text[reach..at]).map_or(reach, |end| reach + end + 1);
    let reach = limit.min(at + AROUND);
    let end = memchr::memchr2(b'\n', b'\r', &text[at..reach]).map_or(reach, |end| at + end + 1);
    start..end
}

/// A line with the lines before and behind it.
fn around(text: &[u8], line: &Range<usize>) -> Range<usize> {
    let reach = line.start.saturating_sub(AROUND);
    let before = memchr::memrchr_iter(b'\n', &text[reach..line.start]).nth(LINES);
    let start = before.map_or(reach, |newline| reach + newline + 1);
    let reach = text.len().min(line.end + AROUND);
    let behind = memchr::memchr_iter(b'\n', &text[line.end..reach]).nth(LINES - 1);
    start..behind.map_or(reach, |newline| line.end + newline + 1)
}
