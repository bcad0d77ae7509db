//! What the child wrote to stderr, in bounded memory: the first part, the last part, and telling lines between.

use crate::text::Bytes;
use aho_corasick::AhoCorasick;
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
}

impl Transcript {
    /// A transcript of output that is already there, kept whole.
    #[must_use]
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.len() as u64, parts: vec![Part { offset: 0, bytes: Bytes(bytes) }] }
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

/// Bytes that are searched for telling lines at once …
const SEARCHED_AT_ONCE: u64 = 8 << 20;
/// … and in each millisecond of the run: all of a talkative build, and a small part of a flood, which must not wait for us.
const SEARCHED_A_MILLISECOND: u64 = 32 << 10;

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
pub struct Recorder {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Where the tail begins in all that was written.
    tail_offset: u64,
    telling: Vec<Part>,
    telling_bytes: usize,
    begun: Instant,
    searched: u64,
    /// Built when the first bytes fall out of the tail: output of ordinary length never pays for it.
    words: Option<AhoCorasick>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            head: Vec::new(),
            tail: Vec::new(),
            tail_offset: HEAD as u64,
            telling: Vec::new(),
            telling_bytes: 0,
            begun: Instant::now(),
            searched: 0,
            words: None,
        }
    }
}

impl Recorder {
    /// All bytes so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        if self.head.len() < HEAD { self.head.len() as u64 } else { self.tail_offset + self.tail.len() as u64 }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let (first, mut rest) = bytes.split_at(bytes.len().min(HEAD - self.head.len()));
        self.head.extend_from_slice(first);
        while !rest.is_empty() {
            if self.tail.len() == 2 * TAIL {
                self.drop_oldest();
            }
            let (fits, more) = rest.split_at(rest.len().min(2 * TAIL - self.tail.len()));
            self.tail.extend_from_slice(fits);
            rest = more;
        }
    }

    /// What was kept.
    #[must_use]
    pub fn finish(self) -> Transcript {
        let bytes = self.written();
        let mut parts = Vec::new();
        append(&mut parts, Part { offset: 0, bytes: Bytes(self.head) });
        for part in self.telling {
            append(&mut parts, part);
        }
        append(&mut parts, Part { offset: self.tail_offset, bytes: Bytes(self.tail) });
        Transcript { bytes, parts }
    }

    /// Makes room: half of the tail goes, up to the end of a line where there is one, so that no line is torn.
    fn drop_oldest(&mut self) {
        let falling = memchr::memrchr(b'\n', &self.tail[..TAIL]).map_or(TAIL, |newline| newline + 1);
        if self.telling_bytes < TELLING && self.may_search() {
            self.searched += falling as u64;
            self.keep_telling_lines(falling);
        }
        self.tail.copy_within(falling.., 0);
        self.tail.truncate(self.tail.len() - falling);
        self.tail_offset += falling as u64;
    }

    /// Whether there is time to search what falls out, so that the search takes at most about a tenth of a core.
    fn may_search(&self) -> bool {
        let age = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.searched < SEARCHED_AT_ONCE.saturating_add(age.saturating_mul(SEARCHED_A_MILLISECOND))
    }

    fn keep_telling_lines(&mut self, falling: usize) {
        let words = self
            .words
            .get_or_insert_with(|| AhoCorasick::new(WORDS).expect("a short list of words is a valid automaton"));
        let bytes = &self.tail[..falling];
        let mut from = 0;
        while let Some(word) = words.find(&bytes[from..]) {
            let (start, end) = line_around(bytes, from, from + word.start(), from + word.end());
            let line = &bytes[start..end];
            if self.telling_bytes + line.len() > TELLING {
                self.telling_bytes = TELLING;
                return;
            }
            self.telling_bytes += line.len();
            append(&mut self.telling, Part { offset: self.tail_offset + start as u64, bytes: Bytes(line.to_vec()) });
            from = end;
        }
    }
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
