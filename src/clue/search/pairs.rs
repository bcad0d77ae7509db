//! The pairs of neighbouring bytes in a text, as 512 bits. Another text can stand in it only if all of that one's pairs are there, which is
//! asked in a few instructions: a no is certain, a yes is not.

use crate::clue::written::step::Step;

const WORDS: usize = 8;
/// Bits of a hash that choose a bit.
const SHIFT: u32 = 32 - (WORDS * 64).ilog2();

/// The pairs of a text, as bits of their hashes; the case of letters does not matter (Bloom, CACM 13, 1970, with one hash).
#[derive(Clone, Copy, Debug, Default)]
pub struct Pairs([u64; WORDS]);

impl Pairs {
    /// Those of a text.
    pub fn of(text: &[u8]) -> Self {
        let mut pairs = Self::default();
        for (word, bit) in bits(text) {
            pairs.0[word] |= bit;
        }
        pairs
    }

    /// Whether a text seems to stand in theirs.
    pub fn may_hold(&self, text: &[u8]) -> bool {
        bits(text).all(|(word, bit)| self.0[word] & bit != 0)
    }

    /// Those that every text has in which these parts stand.
    pub fn of_all(steps: &[Step]) -> Self {
        steps.iter().map(Self::of_step).fold(Self::default(), |all, step| all.with(step, |all, step| all | step))
    }

    fn of_step(step: &Step) -> Self {
        match step {
            Step::Text(part) => Self::of(part),
            Step::Byte(_) => Self::default(),
            Step::OneOf(ways) => {
                let ways = ways.iter().map(|steps| Self::of_all(steps));
                ways.reduce(|all, way| all.with(way, |all, way| all & way)).unwrap_or_default()
            }
        }
    }

    fn with(self, other: Self, join: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|word| join(self.0[word], other.0[word])))
    }

    /// Whether all pairs of another text seem to be there.
    pub fn hold(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(there, wanted)| wanted & !there == 0)
    }
}

/// The bit of each pair of a text, with its word.
fn bits(text: &[u8]) -> impl Iterator<Item = (usize, u64)> {
    text.windows(2).map(|pair| {
        let pair = u32::from(pair[0] | 0x20) << 8 | u32::from(pair[1] | 0x20);
        let bit = pair.wrapping_mul(0x9e37_79b1) >> SHIFT;
        (bit as usize / 64, 1 << (bit % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_text_has_no_pairs_but_those_of_the_text() {
        let text = "tar: a/b: Cannot open: No space left on device";
        let pairs = Pairs::of(text.as_bytes());
        for part in ["Cannot open: ", "CANNOT", "e", ""] {
            assert!(pairs.hold(&Pairs::of(part.as_bytes())) && pairs.may_hold(part.as_bytes()), "{part}");
        }
        let other = b"permission denied";
        assert!(!pairs.hold(&Pairs::of(other)) && !pairs.may_hold(other));
    }

    #[test]
    fn of_several_ways_each_must_have_a_pair() {
        let text = |text: &str| Step::Text(text.into());
        let steps = [text("cannot "), Step::OneOf(vec![vec![text("reopen")], vec![text("open"), text("it")]])];
        let wanted = Pairs::of_all(&steps);
        for there in ["cannot reopen", "cannot open what is in it"] {
            assert!(Pairs::of(there.as_bytes()).hold(&wanted), "{there}");
        }
        assert!(!Pairs::of(b"cannot read").hold(&wanted));
    }
}
