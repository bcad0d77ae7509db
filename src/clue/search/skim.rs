//! Where in a long log the next key stands, at the speed at which the log is read.
//!
//! [`super::sieve`] looks at every place of a line and tells which rules have a chance. Of a gigabyte hardly a line in a hundred is
//! worth that. To find those, every second place is enough: of each key two neighbouring grams are marked in a table of bits, one of
//! which begins at such a place wherever the key stands (sampling of q-grams: Sutinen and Tarhio, ESA 1995). A key that is too short
//! for two grams is marked with every byte that may stand beside it.

use super::gram::{GRAM, hash, is_at, rarity};
use aho_corasick::AhoCorasick;

/// Places of which one is looked at.
const STRIDE: usize = 2;
/// Bytes in which four grams begin at such places.
const BLOCK: usize = GRAM + 3 * STRIDE;
/// Bits of the table for each marked gram at least, so that a few places in a hundred are compared in vain.
const BITS_A_MARK: usize = 16;
/// Words that the table may have: its size is known where it is looked up, which so takes a third of the instructions.
const SMALL: usize = 1 << 14;
const MIDDLE: usize = 1 << 16;
const LARGE: usize = 1 << 18;
/// Words that the output of builds is full of, whose letters are rare: grams of theirs are a last resort.
const OF_BUILDS: &[&[u8]] = &[
    b"-o build",
    b"-wall",
    b"built",
    b"compil",
    b"download",
    b"example",
    b"exclude",
    b" http",
    b"include",
    b"loading",
    b"unused",
    b"variable",
    b"warning",
];
/// What stands behind the end of a text: a byte that no key holds.
const NOTHING: u8 = b'\n';

/// All keys, ready to be looked for.
pub struct Skim<'a> {
    /// [`SMALL`], [`MIDDLE`] or [`LARGE`].
    table: Vec<u32>,
    /// Bits of a hash that are not used for the buckets.
    bucket_shift: u32,
    /// Where the marks of each bucket begin.
    buckets: Vec<u32>,
    marks: Vec<Mark>,
    keys: Vec<(&'a [u8], bool)>,
    /// Keys that are too short to be marked, whose case matters. No built-in rule has one.
    short: Option<AhoCorasick>,
}

/// A gram that is looked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    hash: u32,
    /// Of which key.
    key: u32,
    /// Bytes from one before the key to the gram.
    at: u32,
}

impl<'a> Skim<'a> {
    /// A skim for keys, each with whether its case does not matter.
    pub fn new(keys: impl Iterator<Item = (&'a [u8], bool)>) -> Self {
        let (keys, short): (Vec<_>, Vec<_>) = keys.partition(|(key, _)| key.len() >= GRAM - 1);
        let mut marks: Vec<Mark> = (0..).zip(&keys).flat_map(|(index, (key, _))| marks(index, key)).collect();
        marks.sort_unstable();
        marks.dedup();
        let has_room = |words: &usize| marks.len() * BITS_A_MARK <= words * 32;
        let words = [SMALL, MIDDLE].into_iter().find(has_room).unwrap_or(LARGE);
        let buckets = marks.len().next_power_of_two().max(2);
        let mut skim = Self {
            table: vec![0; words],
            bucket_shift: 32 - buckets.trailing_zeros(),
            buckets: Vec::new(),
            short: AhoCorasick::new(short.iter().map(|(key, _)| key)).ok().filter(|_| !short.is_empty()),
            marks,
            keys,
        };
        for mark in &skim.marks {
            skim.table[word_of(mark.hash, words)] |= 1 << bit_of(mark.hash, words);
        }
        let bucket = |mark: &Mark| (mark.hash >> skim.bucket_shift) as usize;
        let first_of = |wanted| skim.marks.partition_point(|mark| bucket(mark) < wanted);
        skim.buckets = (0..=buckets).map(|wanted| u32::try_from(first_of(wanted)).unwrap_or(u32::MAX)).collect();
        skim
    }

    /// Whether keys are looked for that make it slow.
    #[must_use]
    pub fn has_short_keys(&self) -> bool {
        self.short.is_some()
    }

    /// Where a key stands at or behind a place: the first one that is found, which is the leftmost or one in its neighbourhood.
    #[must_use]
    pub fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        let marked = self.find_marked(text, from).or_else(|| self.find_at_the_end(text, from));
        let Some(short) = &self.short else { return marked };
        let nearer = &text[from..marked.unwrap_or(text.len()).max(from)];
        short.find(nearer).map(|found| from + found.start()).or(marked)
    }

    fn find_marked(&self, text: &[u8], from: usize) -> Option<usize> {
        match self.table.len() {
            SMALL => self.find_in::<SMALL>(text, from),
            MIDDLE => self.find_in::<MIDDLE>(text, from),
            _ => self.find_in::<LARGE>(text, from),
        }
    }

    /// The same with the words of the table, of which there are so many.
    fn find_in<const WORDS: usize>(&self, text: &[u8], from: usize) -> Option<usize> {
        let table: &[u32; WORDS] = self.table.first_chunk()?;
        // The lowest bit tells; the others are what stands beside it.
        let marked = |hash: u32| table[word_of(hash, WORDS)] >> bit_of(hash, WORDS);
        let is_marked = |hash: u32| marked(hash) & 1 != 0;
        let mut at = from;
        // One branch for a block: almost all of them hold nothing.
        while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
            let hashes = [hash(block), hash(&block[2..]), hash(&block[4..]), hash(&block[6..])];
            if (marked(hashes[0]) | marked(hashes[1]) | marked(hashes[2]) | marked(hashes[3])) & 1 != 0 {
                let mut places = (at..).step_by(STRIDE).zip(hashes).filter(|(_, hash)| is_marked(*hash));
                let found = places.find_map(|(at, hash)| self.compare(text, at, hash));
                if found.is_some() {
                    return found;
                }
            }
            at += hashes.len() * STRIDE;
        }
        let grams = text.get(at..)?.windows(GRAM).step_by(STRIDE).map(hash).enumerate();
        let mut marked = grams.filter(|(_, hash)| is_marked(*hash));
        marked.find_map(|(index, hash)| self.compare(text, at + index * STRIDE, hash))
    }

    /// The same for grams that the end of the text cuts.
    fn find_at_the_end(&self, text: &[u8], from: usize) -> Option<usize> {
        let first_cut = (text.len() + 1).saturating_sub(GRAM).max(from);
        let mut places = (first_cut..text.len()).filter(|at| (at - from).is_multiple_of(STRIDE));
        places.find_map(|at| {
            let mut gram = [NOTHING; GRAM];
            gram[..text.len() - at].copy_from_slice(&text[at..]);
            self.compare(text, at, hash(&gram))
        })
    }

    /// The beginning of a key of which a gram with this hash stands at a place.
    #[cold]
    fn compare(&self, text: &[u8], at: usize, hash: u32) -> Option<usize> {
        let bucket = (hash >> self.bucket_shift) as usize;
        let marks = &self.marks[self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize];
        marks.iter().filter(|mark| mark.hash == hash).find_map(|mark| {
            let start = (at + 1).checked_sub(mark.at as usize)?;
            let (key, any_case) = &self.keys[mark.key as usize];
            is_at(text, start, key, *any_case).then_some(start)
        })
    }
}

/// The word of a table of so many that has the bit for a hash.
#[inline]
fn word_of(hash: u32, words: usize) -> usize {
    (hash >> (u32::BITS - words.ilog2())) as usize
}

/// The bit in that word: the next bits of the hash.
#[inline]
fn bit_of(hash: u32, words: usize) -> u32 {
    hash >> (u32::BITS - words.ilog2() - u32::BITS.ilog2()) & (u32::BITS - 1)
}

/// The grams of which one stands at a place that is looked at, wherever the key begins.
fn marks(key: u32, text: &[u8]) -> Vec<Mark> {
    let mark = |gram: [u8; GRAM], at: u32| Mark { hash: hash(&gram), key, at };
    match *text {
        // Beginning at a place that is looked at, with any byte behind; and right behind one.
        [a, b, c] => any_byte().flat_map(|any| [mark([a, b, c, any], 1), mark([any, a, b, c], 0)]).collect(),
        [a, b, c, d] => any_byte().map(|any| mark([any, a, b, c], 0)).chain([mark([a, b, c, d], 1)]).collect(),
        _ => {
            let at = rarest(text);
            (at..at + STRIDE)
                .filter_map(|at| Some(mark(*text[at..].first_chunk()?, u32::try_from(at).ok()? + 1)))
                .collect()
        }
    }
}

/// Every byte that a hash tells from the others.
fn any_byte() -> impl Iterator<Item = u8> {
    (0..=u8::MAX).filter(|byte| byte & 0x20 != 0)
}

/// Where the grams begin that are the rarest together; those of words that builds are full of are a last resort.
fn rarest(text: &[u8]) -> usize {
    let rarity = |gram: &[u8]| gram.iter().map(|byte| rarity(*byte)).sum::<usize>();
    let of_both = |window: &[u8]| rarity(&window[..GRAM]).min(rarity(&window[1..]));
    let windows = || text.windows(GRAM + STRIDE - 1).enumerate();
    let best = windows().max_by_key(|(_, window)| of_both(window));
    let other = || windows().filter(|(_, window)| !is_of_builds(window)).max_by_key(|(_, window)| of_both(window));
    let best = best.filter(|(_, window)| !is_of_builds(window)).or_else(other).or(best);
    best.map_or(0, |(at, _)| at)
}

/// Whether one of the two grams of a window stands in a word that builds are full of.
fn is_of_builds(window: &[u8]) -> bool {
    let stands_in = |gram: &[u8]| OF_BUILDS.iter().any(|word| memchr::memmem::find(word, gram).is_some());
    let window = window.to_ascii_lowercase();
    stands_in(&window[..GRAM]) || stands_in(&window[1..])
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

        fn text(&mut self, length: usize, letters: &[u8]) -> Vec<u8> {
            (0..length).map(|_| letters[self.below(letters.len())]).collect()
        }
    }

    /// Every place at which a key stands, told by looking everywhere.
    fn naive(keys: &[(Vec<u8>, bool)], text: &[u8]) -> Vec<usize> {
        let is_key = |rest: &[u8]| {
            keys.iter().any(|(key, any_case)| {
                rest.get(..key.len()).is_some_and(|there| there == key || *any_case && there.eq_ignore_ascii_case(key))
            })
        };
        (0..text.len()).filter(|at| is_key(&text[*at..])).collect()
    }

    #[test]
    fn what_looking_everywhere_finds_is_found_wherever_one_begins() {
        let mut random = Random(5);
        for round in 0..4000 {
            let letters: &[u8] = [b"ab".as_slice(), b"abAB ", b"aA\x00\xe9\n"][round % 3];
            let keys: Vec<(Vec<u8>, bool)> = (0..=random.below(4))
                .map(|_| {
                    let length = 1 + random.below(9);
                    (random.text(length, letters), length > 2 && random.below(3) == 0)
                })
                .collect();
            let skim = Skim::new(keys.iter().map(|(key, any_case)| (key.as_slice(), *any_case)));
            let length = random.below(60);
            let text = random.text(length, letters);
            let from = random.below(text.len() + 1);
            let there: Vec<usize> = naive(&keys, &text).into_iter().filter(|at| *at >= from).collect();
            let found = skim.find(&text, from);
            // What is found first may begin a little before the place, or behind another key near it.
            assert!(found.is_some() || there.is_empty(), "{keys:?} in {text:?} from {from}");
            let longest = keys.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
            if let (Some(found), Some(first)) = (found, there.first()) {
                assert!(naive(&keys, &text).contains(&found) && found <= first + longest, "{keys:?} in {text:?}");
            }
        }
    }

    #[test]
    fn keys_of_three_and_of_four_letters_are_found_at_the_end() {
        for key in ["abc", "abcd"] {
            let skim = Skim::new([(key.as_bytes(), false)].into_iter());
            for before in 0..4 {
                let text = ["x".repeat(before), key.to_owned()].concat();
                assert_eq!(skim.find(text.as_bytes(), 0), Some(before), "{text}");
            }
        }
    }
}
