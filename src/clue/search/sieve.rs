//! Which rules have a chance in a text, in one pass whatever their number.
//!
//! Every rule has keys (see [`crate::clue::written::Compiled::keys`]); words for an errno have some too. Of each key the rarest four
//! neighbouring bytes are marked in a table of bits, by their hash (after Rabin and Karp, IBM J. Res. Dev. 31, 1987). A text is read once: where
//! its next four bytes are marked, the keys that have them are compared.
//!
//! To make the table takes time linear in the number of keys. An automaton (Aho-Corasick) would be asked as
//! quickly and takes longer to make than an output of ordinary length takes to be read.

use super::gram::{GRAM, hash, is_at, rarity};
use aho_corasick::AhoCorasick;
use std::borrow::Cow;

/// Bits of the table for each key, so that a few texts in a hundred are compared in vain.
const BITS_A_KEY: usize = 32;

/// Whom a key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// Words for an errno, in whichever case, by their place among the words.
    Words(usize),
    /// Nobody: text that begins or ends a step of a log.
    Mark,
    /// A rule, by its place in the library.
    Rule(usize),
    /// A rule that reads a line only where words for an errno are in it too.
    RuleWithWords(usize),
}

/// All keys, ready to be looked for.
pub struct Sieve<'a> {
    bits: Vec<u64>,
    /// Bits of a hash that are not used.
    shift: u32,
    /// Keys, each with the hash of its gram.
    slots: Vec<Slot<'a>>,
    /// By the first bits of a hash the last slot that has them; [`NONE`] where no slot has.
    heads: Vec<u32>,
    /// Keys that are shorter than a gram, and whose they are.
    short: Option<AhoCorasick>,
    short_owners: Vec<Owner>,
}

/// No slot.
const NONE: u32 = u32::MAX;

struct Slot<'a> {
    hash: u32,
    /// The slot before it that has the same first bits.
    next: u32,
    key: Cow<'a, [u8]>,
    /// Where the gram stands in the key.
    gram: usize,
    owner: Owner,
}

impl<'a> Sieve<'a> {
    /// A sieve for keys and those they stand for.
    pub fn new(keys: impl Iterator<Item = (Cow<'a, [u8]>, Owner)>) -> Self {
        let (mut slots, mut short) = (Vec::new(), Vec::new());
        for (key, owner) in keys {
            match rarest(&key) {
                Some(gram) => slots.push(Slot { hash: hash(&key[gram..]), next: NONE, key, gram, owner }),
                None => short.push((key, owner)),
            }
        }
        let size = (slots.len() * BITS_A_KEY).next_power_of_two().max(1 << 12);
        let mut sieve = Self {
            bits: vec![0; size / 64],
            shift: 32 - size.trailing_zeros(),
            heads: vec![NONE; slots.len().next_power_of_two().max(2)],
            slots,
            short: AhoCorasick::new(short.iter().map(|(key, _)| key)).ok().filter(|_| !short.is_empty()),
            short_owners: short.into_iter().map(|(_, owner)| owner).collect(),
        };
        sieve.mark();
        sieve
    }

    /// Marks the bit of each key and makes it the first with its hash.
    fn mark(&mut self) {
        let heads_shift = heads_shift(&self.heads);
        for (slot, place) in self.slots.iter_mut().zip(0..) {
            let bit = slot.hash >> self.shift;
            self.bits[bit as usize / 64] |= 1 << (bit % 64);
            slot.next = std::mem::replace(&mut self.heads[(slot.hash >> heads_shift) as usize], place);
        }
    }

    /// Calls back with the place of each key in a text and whom it stands for.
    pub fn find(&self, text: &[u8], mut found: impl FnMut(usize, Owner)) {
        for (at, gram) in text.windows(GRAM).enumerate() {
            let hash = hash(gram);
            let bit = hash >> self.shift;
            if self.bits[bit as usize / 64] & 1 << (bit % 64) != 0 {
                self.compare(text, at, hash, &mut found);
            }
        }
        for short in self.short.iter().flat_map(|short| short.find_overlapping_iter(text)) {
            found(short.start(), self.short_owners[short.pattern().as_usize()]);
        }
    }

    #[cold]
    fn compare(&self, text: &[u8], at: usize, hash: u32, found: &mut impl FnMut(usize, Owner)) {
        let head = self.heads[(hash >> heads_shift(&self.heads)) as usize];
        let slot_at = |place: u32| self.slots.get(place as usize);
        let same_bits = std::iter::successors(slot_at(head), |slot| slot_at(slot.next));
        for slot in same_bits.filter(|slot| slot.hash == hash) {
            let Some(start) = at.checked_sub(slot.gram) else { continue };
            if is_at(text, start, &slot.key, matches!(slot.owner, Owner::Words(_))) {
                found(start, slot.owner);
            }
        }
    }
}

/// Bits of a hash that do not choose a head.
fn heads_shift(heads: &[u32]) -> u32 {
    32 - heads.len().trailing_zeros()
}

/// Where the rarest four bytes of a key begin; none where it has fewer.
fn rarest(key: &[u8]) -> Option<usize> {
    let first = key.get(..GRAM)?.iter().map(|byte| rarity(*byte)).sum::<usize>();
    let (mut best, mut sum) = ((first, 0), first);
    for (at, (gone, come)) in key.iter().zip(&key[GRAM..]).enumerate() {
        sum = sum + rarity(*come) - rarity(*gone);
        // Of those that are as rare as each other the last.
        best = best.max((sum, at + 1));
    }
    Some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(keys: &[(&str, Owner)], text: &str) -> Vec<(usize, Owner)> {
        let mut all = Vec::new();
        Sieve::new(keys.iter().map(|(key, owner)| (key.as_bytes().into(), *owner)))
            .find(text.as_bytes(), |at, owner| all.push((at, owner)));
        all.sort_unstable();
        all
    }

    #[test]
    fn every_key_is_found_wherever_it_stands() {
        let keys = [("exited", Owner::Rule(0)), ("exit", Owner::Rule(1)), ("E:", Owner::Rule(2))];
        assert_eq!(
            found(&keys, "exited, E: exit"),
            [(0, Owner::Rule(0)), (0, Owner::Rule(1)), (8, Owner::Rule(2)), (11, Owner::Rule(1))]
        );
    }

    #[test]
    fn words_for_an_errno_have_no_case_and_other_keys_have() {
        let keys = [("device", Owner::Words(7)), ("Device", Owner::Rule(0))];
        assert_eq!(found(&keys, "no DEVICE"), [(3, Owner::Words(7))]);
    }

    #[test]
    fn a_text_shorter_than_a_key_holds_none() {
        for text in ["", "x", "exite"] {
            assert_eq!(found(&[("exited", Owner::Rule(0))], text), []);
        }
    }
}
