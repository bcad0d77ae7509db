//! Telling lines of a long log, in bounded room: of each kind the first ones and the last ones. What a log says a thousand times so
//! does not push out what it says once.

use crate::clue::LineKind as Kind;
use crate::transcript::Part;
use std::collections::{BTreeMap, VecDeque};

/// Bytes of the first lines of all kinds, and of the last ones.
const FIRST: usize = 512 << 10;
const LAST: usize = 512 << 10;
/// First lines of a kind, and last ones.
const OF_A_KIND: usize = 8;
/// The same for lines that begin or end a step: which step a line is of depends on them all.
const STEPS: usize = 2000;

/// What is kept.
#[derive(Default)]
pub struct Telling {
    first: Vec<Part>,
    first_bytes: usize,
    last: BTreeMap<Kind, Lines>,
    last_bytes: usize,
}

/// Lines of one kind.
#[derive(Default)]
struct Lines {
    /// How many first ones there are.
    first: usize,
    last: VecDeque<Part>,
}

impl Telling {
    /// Takes a telling line with what is around it.
    pub fn push(&mut self, kind: Kind, part: Part) {
        let lines = self.last.entry(kind).or_default();
        let size = part.bytes.0.len();
        if lines.first < most(kind) && self.first_bytes + size <= FIRST {
            lines.first += 1;
            self.first_bytes += size;
            self.first.push(part);
            return;
        }
        lines.last.push_back(part);
        self.last_bytes += size;
        if lines.last.len() > most(kind) {
            self.drop_oldest(kind);
        }
        while self.last_bytes > LAST
            && let Some(commonest) = self.commonest()
        {
            self.drop_oldest(commonest);
        }
    }

    /// What was kept, in order. Parts may overlap.
    pub fn into_parts(self) -> Vec<Part> {
        let last = self.last.into_values().flat_map(|lines| lines.last);
        let mut parts: Vec<Part> = self.first.into_iter().chain(last).collect();
        parts.sort_by_key(|part| part.offset);
        parts
    }

    /// The kind of which the most last lines are kept.
    fn commonest(&self) -> Option<Kind> {
        let (kind, _) = self.last.iter().max_by_key(|(_, lines)| lines.last.len())?;
        Some(*kind)
    }

    fn drop_oldest(&mut self, kind: Kind) {
        let oldest = self.last.get_mut(&kind).and_then(|lines| lines.last.pop_front());
        self.last_bytes -= oldest.map_or(0, |part| part.bytes.0.len());
    }
}

fn most(kind: Kind) -> usize {
    if kind == Kind::Step { STEPS } else { OF_A_KIND }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Bytes;

    fn part(offset: u64, size: usize) -> Part {
        Part { offset, bytes: Bytes(vec![b'x'; size]) }
    }

    fn rule(number: u32) -> usize {
        number.try_into().unwrap()
    }

    #[test]
    fn what_is_said_once_stays_among_what_is_said_often() {
        let mut telling = Telling::default();
        for offset in 0..100_000u32 {
            let kind =
                if offset == 50_000 { Kind::Message(7, Some(28)) } else { Kind::Message(rule(offset % 5), None) };
            telling.push(kind, part(offset.into(), 3000));
        }
        let offsets: Vec<u64> = telling.into_parts().iter().map(|part| part.offset).collect();
        assert!(offsets.contains(&50_000), "{offsets:?}");
        assert!(offsets.contains(&0) && offsets.contains(&99_999), "{offsets:?}");
    }

    #[test]
    fn room_is_bounded_however_many_kinds_there_are() {
        let mut telling = Telling::default();
        for offset in 0..20_000u32 {
            telling.push(Kind::Message(rule(offset % 700), None), part(offset.into(), 3000));
        }
        let kept: usize = telling.into_parts().iter().map(|part| part.bytes.0.len()).sum();
        assert!(kept <= FIRST + LAST, "{kept}");
    }
}
