//! What the child wrote to stderr, in bounded memory: the first part, the last part, and telling lines between.

use crate::text::Bytes;
use aho_corasick::{Span, packed::Searcher};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// A run of bytes that was kept, and where it began in all that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Bytes written before this part.
    pub offset: u64,
    /// The bytes themselves.
    pub bytes: Bytes,
}

/// What was kept of the child's output, finished: ordered parts that do not overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// All bytes that the child wrote, kept or not.
    pub bytes: u64,
    /// What was kept.
    pub parts: Vec<Part>,
    /// The logs that it was read from, in order, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<LogFile>,
}

/// A log that is a part of a transcript.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// As it was named.
    pub name: String,
    /// Bytes of the logs before it.
    pub offset: u64,
}

impl Transcript {
    /// A transcript of output that is already there, kept whole.
    #[must_use]
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.len() as u64, parts: vec![Part { offset: 0, bytes: Bytes(bytes) }], ..Self::default() }
    }

    /// Adds a part behind the others; one that goes on where the last one ends becomes a piece of it.
    pub fn append(&mut self, part: Part) {
        append(&mut self.parts, part);
    }

    /// The log in which an offset lies, where there are several.
    #[must_use]
    pub fn file_at(&self, offset: u64) -> Option<&str> {
        let before = self.files.iter().take_while(|file| file.offset <= offset);
        before.last().map(|file| file.name.as_str())
    }

    /// Whether nothing was written but blanks.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.parts.iter().all(|part| part.bytes.0.iter().all(u8::is_ascii_whitespace))
    }

    /// Whether these words are in what was kept.
    #[must_use]
    pub fn has(&self, words: &[u8]) -> bool {
        self.parts.iter().any(|part| memchr::memmem::find(&part.bytes.0, words).is_some())
    }
}

/// Bytes of the first part.
const HEAD: usize = 16 << 10;
/// Bytes of the last part, at least; at most twice as many.
const TAIL: usize = 64 << 10;
/// Bytes of telling lines that are kept between them; the first ones, since the first failure is the root.
const TELLING: usize = 64 << 10;
/// Bytes that are kept of one telling line, on either side of the word that makes it one.
const AROUND: usize = 1 << 10;

/// Bytes of one of the two buffers that are filled in turn: so many that the first and the last part fit into both when room is left
/// for a read.
const BUFFER: usize = 144 << 10;
/// Bytes that can be read at once, at least: as many as a pipe holds, pipe(7).
pub const ROOM: usize = 64 << 10;
/// Bytes of a line that go over to the next buffer, at most.
const CARRIED: usize = 4 << 10;

/// Bytes that are searched for telling lines at once …
const SEARCHED_AT_ONCE: u64 = 4 << 20;
/// … and in each millisecond of the run: all of a talkative build, and a small part of a flood, which must not wait for us. It
/// takes about a fiftieth of a core.
const SEARCHED_A_MILLISECOND: u64 = 8 << 10;

/// Words of lines that tell of a failure, in the case in which programs write them. A line that has none is dropped when
/// it leaves the last part; one that has a word for another reason costs a little memory and nothing else.
const WORDS: &[&str] = &[
    "rror",
    "RROR",
    "atal",
    "FATAL",
    "ailed",
    "AILED",
    "ailure",
    "annot ",
    "an't ",
    "o space left",
    "enied",
    "o such",
    "not found",
    "errno",
    "Errno",
    "ENO",
    "EACC",
    "EDQ",
    "EMF",
    "EPERM",
    "EROFS",
    "xception",
    "anic",
    "timed out",
    "efused",
    "ead-only",
    "imit",
    "illed",
];

/// Takes what the child writes and keeps a bounded part of it.
///
/// It is read to where it is kept: two buffers are filled in turn, and when both are full the older one falls out and is filled
/// again. Nothing is copied on the way but the beginning of a line that the next buffer goes on with.
#[derive(Default)]
pub struct Recorder {
    /// The first part, since it has fallen out of the buffers.
    head: Vec<u8>,
    /// The buffer that was filled last.
    before: Buffer,
    /// The one that is being filled.
    now: Buffer,
    /// Where `before` begins in all that was written.
    offset: u64,
    telling: Telling,
}

/// Bytes that are kept in their place.
#[derive(Default)]
struct Buffer {
    bytes: Box<[u8]>,
    filled: usize,
}

impl Buffer {
    fn written(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    fn room(&self) -> usize {
        self.bytes.len() - self.filled
    }
}

impl Recorder {
    /// All bytes so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.offset + (self.before.filled + self.now.filled) as u64
    }

    /// Where the next bytes are to be read to: [`ROOM`] of them at least.
    pub fn room(&mut self) -> &mut [u8] {
        if self.now.room() < ROOM {
            self.turn();
        }
        &mut self.now.bytes[self.now.filled..]
    }

    /// So many bytes were read to the room.
    pub fn fill(&mut self, count: usize) {
        self.now.filled += count;
    }

    /// The bytes that were read last, which are no more than that.
    #[must_use]
    pub fn last(&self, count: usize) -> &[u8] {
        &self.now.written()[self.now.filled - count..]
    }

    /// Takes bytes that were read elsewhere.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.room();
            let (now, later) = bytes.split_at(bytes.len().min(room.len()));
            room[..now.len()].copy_from_slice(now);
            self.fill(now.len());
            bytes = later;
        }
    }

    /// What was kept.
    #[must_use]
    pub fn finish(mut self) -> Transcript {
        let (bytes, mut offset) = (self.written(), self.offset);
        let mut last = [self.before.written(), self.now.written()].concat();
        if offset == 0 && last.len() <= HEAD + 2 * TAIL {
            let mut parts = Vec::new();
            append(&mut parts, Part { offset, bytes: Bytes(last) });
            return Transcript { bytes, parts, ..Transcript::default() };
        }
        if offset == 0 {
            self.head = last.drain(..HEAD).collect();
            offset = HEAD as u64;
        }
        if last.len() > 2 * TAIL {
            let falling = end_of_line(&last, last.len() - 2 * TAIL, TAIL);
            self.telling.search(&last[..falling], offset);
            last.drain(..falling);
            offset += falling as u64;
        }
        let mut parts = Vec::new();
        append(&mut parts, Part { offset: 0, bytes: Bytes(self.head) });
        for part in self.telling.parts {
            append(&mut parts, part);
        }
        append(&mut parts, Part { offset, bytes: Bytes(last) });
        Transcript { bytes, parts, ..Transcript::default() }
    }

    /// Makes room: the older buffer falls out, and is the next to be filled. It begins with the line that is not at its end yet, so
    /// that none is torn.
    fn turn(&mut self) {
        self.let_fall();
        self.offset += self.before.filled as u64;
        std::mem::swap(&mut self.before, &mut self.now);
        if self.now.bytes.is_empty() {
            self.now.bytes = vec![0; BUFFER].into();
        }
        let begun = beginning_of_line(self.before.written());
        self.now.filled = begun;
        let rest = self.before.filled - begun;
        self.now.bytes[..begun].copy_from_slice(&self.before.written()[rest..]);
        self.before.filled = rest;
    }

    /// Keeps of what falls out the first part of all, and telling lines.
    fn let_fall(&mut self) {
        let mut falling = self.before.written();
        let mut offset = self.offset;
        if offset == 0 && !falling.is_empty() {
            let (head, rest) = falling.split_at(falling.len().min(HEAD));
            self.head = head.to_vec();
            (offset, falling) = (head.len() as u64, rest);
        }
        self.telling.search(falling, offset);
    }
}

/// Telling lines of what has fallen out.
struct Telling {
    parts: Vec<Part>,
    bytes: usize,
    begun: Instant,
    searched: u64,
    /// Made when the first bytes fall out: output of ordinary length never pays for it.
    words: Option<Searcher>,
}

impl Default for Telling {
    fn default() -> Self {
        Self { parts: Vec::new(), bytes: 0, begun: Instant::now(), searched: 0, words: None }
    }
}

impl Telling {
    /// Keeps the telling lines of these bytes, which began there in all that was written, as far as there is room and time.
    fn search(&mut self, bytes: &[u8], offset: u64) {
        if self.bytes >= TELLING || !self.may_search() {
            return;
        }
        self.searched += bytes.len() as u64;
        if self.words.is_none() {
            self.words = Searcher::new(WORDS);
        }
        // None on a processor for which there is no quick way: there the first and the last part have to do.
        let Some(words) = &self.words else { return };
        let mut from = 0;
        while let Some(word) = words.find_in(bytes, Span { start: from, end: bytes.len() }) {
            let (start, end) = line_around(bytes, from, word.start(), word.end());
            let line = &bytes[start..end];
            if self.bytes + line.len() > TELLING {
                self.bytes = TELLING;
                return;
            }
            self.bytes += line.len();
            append(&mut self.parts, Part { offset: offset + start as u64, bytes: Bytes(line.to_vec()) });
            from = end;
        }
    }

    /// Whether there is time to search what falls out.
    fn may_search(&self) -> bool {
        let age = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.searched < SEARCHED_AT_ONCE.saturating_add(age.saturating_mul(SEARCHED_A_MILLISECOND))
    }
}

/// Bytes of the line at the end that has no newline yet; 0 where it is longer than what is carried, or begins before.
fn beginning_of_line(bytes: &[u8]) -> usize {
    let reach = bytes.len().saturating_sub(CARRIED);
    memchr::memrchr(b'\n', &bytes[reach..]).map_or(0, |newline| bytes.len() - (reach + newline + 1))
}

/// The first end of a line at or behind a place, if it is near; else the place itself.
fn end_of_line(bytes: &[u8], at: usize, near: usize) -> usize {
    let reach = bytes.len().min(at + near);
    memchr::memchr(b'\n', &bytes[at..reach]).map_or(at, |newline| at + newline + 1)
}

/// The line, its newline included, that holds a word; a long one is cut to what is near the word.
fn line_around(bytes: &[u8], from: usize, word_start: usize, word_end: usize) -> (usize, usize) {
    let reach = from.max(word_start.saturating_sub(AROUND));
    let start = memchr::memrchr(b'\n', &bytes[reach..word_start]).map_or(reach, |newline| reach + newline + 1);
    let limit = bytes.len().min(word_end + AROUND);
    let end = memchr::memchr(b'\n', &bytes[word_end..limit]).map_or(limit, |newline| word_end + newline + 1);
    (start, end)
}

/// Adds a part; one that goes on where the last one ends becomes a piece of it.
fn append(parts: &mut Vec<Part>, part: Part) {
    if part.bytes.0.is_empty() {
        return;
    }
    match parts.last_mut() {
        Some(last) if last.offset + last.bytes.0.len() as u64 == part.offset => {
            last.bytes.0.extend_from_slice(&part.bytes.0);
        }
        _ => parts.push(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator of its own, so that a failure can be repeated.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % limit
        }
    }

    fn recorded(all: &[u8], random: &mut Random) -> Transcript {
        let mut recorder = Recorder::default();
        let mut rest = all;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(1 + random.below(100_000)));
            recorder.push(now);
            rest = later;
        }
        assert_eq!(recorder.written(), all.len() as u64);
        recorder.finish()
    }

    #[test]
    fn what_is_read_to_the_room_is_kept_like_what_is_pushed() {
        let mut random = Random(11);
        let all: Vec<u8> = (0..700_000).map(|_| b"error \nxyz"[random.below(10)]).collect();
        let (mut read, mut pushed, mut at) = (Recorder::default(), Recorder::default(), 0);
        while at < all.len() {
            let room = read.room();
            let count = (1 + random.below(room.len())).min(all.len() - at);
            room[..count].copy_from_slice(&all[at..at + count]);
            read.fill(count);
            assert!(read.last(count) == &all[at..at + count]);
            pushed.push(&all[at..at + count]);
            at += count;
        }
        assert_sound(&read.finish(), &all);
        assert_sound(&pushed.finish(), &all);
    }

    fn assert_sound(transcript: &Transcript, all: &[u8]) {
        let mut end = 0;
        for (index, part) in transcript.parts.iter().enumerate() {
            let offset = usize::try_from(part.offset).unwrap();
            assert!(index == 0 || offset > end, "parts are ordered, apart and joined where they touch");
            end = offset + part.bytes.0.len();
            assert!(all[offset..end] == part.bytes.0[..], "part {index} holds the bytes that were written there");
        }
        assert_eq!(end, all.len(), "the last byte is kept");
        assert!(all.is_empty() || transcript.parts[0].offset == 0, "the first byte is kept");
        let last = transcript.parts.last().map_or(0, |part| part.bytes.0.len());
        assert!(last >= TAIL.min(all.len()), "the last part is long enough");
        let kept: usize = transcript.parts.iter().map(|part| part.bytes.0.len()).sum();
        assert!(kept <= HEAD + 2 * TAIL + TELLING, "{kept} bytes are too many");
    }

    #[test]
    fn whatever_is_written_a_bounded_part_of_it_is_kept_in_its_place() {
        let mut random = Random(7);
        for round in 0..60 {
            let length = [0, 1, HEAD, HEAD + 1, HEAD + 2 * TAIL, 1 + random.below(900_000)][round % 6];
            let newline_in = 1 + random.below(3000);
            let all: Vec<u8> = (0..length)
                .map(|_| if random.below(newline_in) == 0 { b'\n' } else { b"erno x"[random.below(6)] })
                .collect();
            assert_sound(&recorded(&all, &mut random), &all);
        }
    }

    #[test]
    fn short_output_is_kept_whole() {
        let all = vec![b'x'; HEAD + 2 * TAIL];
        assert_eq!(recorded(&all, &mut Random(1)), Transcript::whole(all));
    }

    #[test]
    fn a_telling_line_between_the_first_and_the_last_part_is_kept() {
        let telling = b"tar: p1: Cannot mkdir: No space left on device\n";
        let mut all = b"extracting one of many\n".repeat(9_000);
        let at = all.len();
        all.extend_from_slice(telling);
        all.extend(b"extracting one of many\n".repeat(20_000));
        let transcript = recorded(&all, &mut Random(2));
        assert_sound(&transcript, &all);
        assert!(transcript.parts.contains(&Part { offset: at as u64, bytes: Bytes(telling.to_vec()) }));
    }

    #[test]
    fn a_line_without_an_end_is_kept_in_part() {
        for byte in [0, b'x', 0xff] {
            let mut all = vec![byte; 3 << 20];
            all[1 << 20..][..13].copy_from_slice(b"os error: 28;");
            let transcript = recorded(&all, &mut Random(3));
            assert_sound(&transcript, &all);
            assert_eq!(transcript.parts.len(), 3, "first, telling and last");
        }
    }

    #[test]
    fn a_flood_of_telling_lines_keeps_the_first_ones() {
        let all = b"error: again\n".repeat(200_000);
        let transcript = recorded(&all, &mut Random(4));
        assert_sound(&transcript, &all);
        let telling = &transcript.parts[transcript.parts.len() - 2];
        assert!(telling.offset <= (HEAD + 13) as u64, "the telling lines go on where the first part ends");
    }
}
