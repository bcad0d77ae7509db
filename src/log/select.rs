//! What is kept of a log that is too long to be kept whole: its beginning, its end, and, between them, lines that a rule may
//! read with the lines around them. Of those the first ones and the last ones: the first failure is the root, and the last is
//! what the log ended with.

use super::search::telling_lines;
use super::telling::Telling;
use crate::clue::{AnyReader, LineKind, Skim};
use crate::text::Bytes;
use crate::transcript::{Part, Transcript};
use std::ops::Range;

/// Bytes of the beginning and of the end.
const HEAD: usize = 1 << 20;
const TAIL: usize = 512 << 10;
/// Lines of both: short ones take more room ready to be read than in the log.
const HEAD_LINES: usize = 40_000;
const TAIL_LINES: usize = 20_000;
/// Bytes that are searched at once, by several threads: so many that it pays to begin them.
const AT_ONCE: usize = 2 << 20;
/// Lines that are kept before and behind a telling one, and bytes of them on either side.
const LINES: usize = 12;
const AROUND: usize = 4 << 10;
/// Bytes that are searched again where a line goes on: more than a key has.
const LONGEST_KEY: usize = 256;
/// Bytes of a piece that are looked at to tell whether it is text, and those in a hundred that no text has from which on it is none: of
/// random bytes there are nine.
const LOOKED_AT: usize = 4 << 10;
const NOT_TEXT: u64 = 5;

/// Takes a log piece by piece.
pub struct Selection<'a, 'l> {
    reader: &'a AnyReader<'l>,
    /// Made when a log is too long to be kept whole.
    skim: Option<Skim<'a>>,
    head: Vec<u8>,
    head_lines: usize,
    /// What is not searched yet, with what was searched last before it.
    window: Vec<u8>,
    /// Where the window begins in all that was written.
    offset: u64,
    /// Bytes of the window that were searched.
    searched: usize,
    telling: Telling,
    written: u64,
    /// Bytes of the log that were looked at, and those of them that no text has.
    looked_at: u64,
    odd: u64,
}

impl<'a, 'l> Selection<'a, 'l> {
    /// Nothing yet.
    pub fn new(reader: &'a AnyReader<'l>) -> Self {
        Self {
            reader,
            skim: None,
            head: Vec::new(),
            head_lines: 0,
            window: Vec::new(),
            offset: 0,
            searched: 0,
            telling: Telling::default(),
            written: 0,
            looked_at: 0,
            odd: 0,
        }
    }

    /// All bytes so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Whether what the log holds so far is no text.
    pub fn is_no_text(&self) -> bool {
        self.odd * 100 > self.looked_at * NOT_TEXT
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let piece = &bytes[..bytes.len().min(LOOKED_AT)];
        self.looked_at += piece.len() as u64;
        self.odd += piece.iter().filter(|byte| is_odd(**byte)).count() as u64;
        self.written += bytes.len() as u64;
        let (first, rest) = bytes.split_at(self.room_in_head(bytes));
        self.head.extend_from_slice(first);
        self.head_lines += memchr::memchr_iter(b'\n', first).count();
        if rest.is_empty() {
            return;
        }
        if self.offset == 0 {
            self.begin_window();
        }
        self.window.extend_from_slice(rest);
        if self.window.len() > TAIL + AT_ONCE {
            self.search(self.window.len() - TAIL);
            self.drop_searched();
        }
    }

    /// How many of these bytes belong to the beginning.
    fn room_in_head(&self, bytes: &[u8]) -> usize {
        if self.offset > 0 {
            return 0;
        }
        let last = (HEAD_LINES - self.head_lines).checked_sub(1);
        let by_lines = last.map_or(Some(0), |last| Some(memchr::memchr_iter(b'\n', bytes).nth(last)? + 1));
        bytes.len().min(HEAD - self.head.len()).min(by_lines.unwrap_or(usize::MAX))
    }

    /// Begins a log; the last line of the one before is no beginning of its first.
    pub fn begin_log(&mut self) {
        if self.last_byte().is_some_and(|byte| byte != b'\n') {
            self.push(b"\n");
        }
        (self.looked_at, self.odd) = (0, 0);
    }

    fn last_byte(&self) -> Option<u8> {
        self.window.last().or(self.head.last()).copied()
    }

    /// What was kept.
    pub fn finish(mut self) -> Transcript {
        if let Some(newline) = memchr::memrchr_iter(b'\n', &self.window).nth(TAIL_LINES) {
            self.search(newline.max(self.searched));
            self.window.drain(..=newline);
            self.offset += newline as u64 + 1;
        }
        let Self { head, telling, window, offset, written, .. } = self;
        let mut transcript = Transcript { bytes: written, ..Transcript::default() };
        let last = Part { offset, bytes: Bytes(window) };
        let mut end = 0;
        for part in [Part { offset: 0, bytes: Bytes(head) }].into_iter().chain(telling.into_parts()).chain([last]) {
            let known = usize::try_from(end - part.offset.min(end)).unwrap_or(usize::MAX);
            if let Some(new) = new_bytes(&part.bytes.0, known) {
                end = part.offset + part.bytes.0.len() as u64;
                transcript.append(Part { offset: end - new.len() as u64, bytes: Bytes(new.to_vec()) });
            }
        }
        transcript
    }

    /// The window begins with the line that the beginning would tear.
    fn begin_window(&mut self) {
        let reach = self.head.len().saturating_sub(AROUND);
        let torn = memchr::memrchr(b'\n', &self.head[reach..]).map_or(self.head.len(), |newline| reach + newline + 1);
        self.window = self.head.split_off(torn);
        self.offset = self.head.len() as u64;
    }

    /// Searches the window up to about there, to the end of a line where there is one.
    fn search(&mut self, limit: usize) {
        let newline = memchr::memrchr(b'\n', &self.window[self.searched..limit]);
        let end = newline.map_or(limit, |newline| self.searched + newline + 1);
        let reader = self.reader.get();
        let skim = self.skim.get_or_insert_with(|| reader.skim());
        for (kind, line) in telling_lines(reader, skim, &self.window[..end], self.searched) {
            self.telling.push(kind, part(&self.window, self.offset, kind, &line));
        }
        self.searched = if newline.is_some() { end } else { end.saturating_sub(LONGEST_KEY).max(self.searched) };
    }

    /// Drops what was searched, but for a piece that may be near what comes.
    fn drop_searched(&mut self) {
        let drop = self.searched.saturating_sub(AROUND);
        self.window.drain(..drop);
        self.offset += drop as u64;
        self.searched -= drop;
    }
}

/// Whether text has no such byte: control characters that neither move the cursor nor begin a sequence.
fn is_odd(byte: u8) -> bool {
    matches!(byte, 0..=6 | 0x0e..=0x1a | 0x1c..=0x1f)
}

/// What of a part is not known yet, where its first bytes are. Pieces of a line without an end stay apart, so that each is read as a
/// line.
fn new_bytes(bytes: &[u8], known: usize) -> Option<&[u8]> {
    let is_torn = known > 0 && bytes.get(known - 1).is_some_and(|last| *last != b'\n');
    bytes.get(known + usize::from(is_torn)..).filter(|new| !new.is_empty())
}

/// A telling line as it is kept: a message with the lines around it.
fn part(window: &[u8], offset: u64, kind: LineKind, line: &Range<usize>) -> Part {
    let kept = if kind == LineKind::Step { line.clone() } else { around(window, line) };
    Part { offset: offset + kept.start as u64, bytes: Bytes(window[kept].to_vec()) }
}

/// A line with whole lines before and behind it.
fn around(text: &[u8], line: &Range<usize>) -> Range<usize> {
    let reach = line.start.saturating_sub(AROUND);
    let before = &text[reach..line.start];
    let start = memchr::memrchr_iter(b'\n', before).nth(LINES).or_else(|| memchr::memchr(b'\n', before));
    let behind = &text[line.end..text.len().min(line.end + AROUND)];
    let end = memchr::memchr_iter(b'\n', behind).nth(LINES - 1).or_else(|| memchr::memrchr(b'\n', behind));
    start.map_or(line.start, |newline| reach + newline + 1)..end.map_or(line.end, |newline| line.end + newline + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clue::Library;

    #[test]
    fn of_short_lines_no_more_are_kept_than_can_be_read() {
        let library = Library::builtin();
        let reader = AnyReader::new(&library, Vec::new);
        let mut selection = Selection::new(&reader);
        let middle = "tar: a/b: Cannot mkdir: No space left on device\n";
        for bytes in ["x\n".repeat(100_000), middle.to_owned(), "x\n".repeat(100_000)] {
            for piece in bytes.as_bytes().chunks(1000) {
                selection.push(piece);
            }
        }
        let transcript = selection.finish();
        let kept: Vec<u8> = transcript.parts.iter().flat_map(|part| part.bytes.0.iter().copied()).collect();
        let lines = memchr::memchr_iter(b'\n', &kept).count();
        assert!((HEAD_LINES + TAIL_LINES..HEAD_LINES + TAIL_LINES + 100).contains(&lines), "{lines}");
        assert!(memchr::memmem::find(&kept, middle.as_bytes()).is_some());
    }
}
