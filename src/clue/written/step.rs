//! The parts that every match of a pattern holds, one behind the other. They are looked for in a text before the pattern is compiled, which
//! takes a hundred times as long: a text that lacks one cannot match. A text that has them all may still not match; then the regex decides.

use regex_syntax::hir::{Class, ClassBytes, Hir, HirKind};
use serde::{Deserialize, Serialize};

/// Bytes that a class may have at most: one that has more is in every line.
const MOST_BYTES: usize = 128;

/// A part of a match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// This text.
    Text(Vec<u8>),
    /// A byte from one of these ranges, both ends included.
    Byte(Vec<(u8, u8)>),
    /// The parts of one of these, in order.
    OneOf(Vec<Vec<Step>>),
}

impl Step {
    /// Writes it in small letters, for a text that has no others.
    pub fn fold(&mut self) {
        match self {
            Self::Text(text) => text.make_ascii_lowercase(),
            Self::Byte(ranges) => {
                let large = ranges.iter().filter_map(|(first, last)| {
                    let (first, last) = ((*first).max(b'A'), (*last).min(b'Z'));
                    (first <= last).then(|| (first.to_ascii_lowercase(), last.to_ascii_lowercase()))
                });
                let small: Vec<_> = large.collect();
                ranges.extend(small);
            }
            Self::OneOf(ways) => ways.iter_mut().flatten().for_each(Self::fold),
        }
    }
}

/// The parts that every match of a pattern has, in order.
pub fn steps(hir: &Hir) -> Vec<Step> {
    match hir.kind() {
        HirKind::Literal(literal) => of_text(&literal.0),
        HirKind::Class(Class::Bytes(class)) => of_class(class),
        HirKind::Capture(capture) => steps(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => steps(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().flat_map(steps).collect(),
        HirKind::Alternation(branches) => {
            let branches: Vec<_> = branches.iter().map(steps).collect();
            if branches.iter().any(Vec::is_empty) { Vec::new() } else { vec![Step::OneOf(branches)] }
        }
        _ => Vec::new(),
    }
}

/// A blank alone is in every line.
fn of_text(text: &[u8]) -> Vec<Step> {
    if text.trim_ascii().is_empty() { Vec::new() } else { vec![Step::Text(text.to_vec())] }
}

/// A class that has small letters, digits or blanks is in every line too.
fn of_class(class: &ClassBytes) -> Vec<Step> {
    let has = |byte: u8| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&byte));
    let is_common = b"aeinorst0123456789 ".iter().any(|byte| has(*byte));
    let bytes: usize = class.ranges().iter().map(regex_syntax::hir::ClassBytesRange::len).sum();
    if is_common || bytes > MOST_BYTES {
        return Vec::new();
    }
    vec![Step::Byte(class.ranges().iter().map(|range| (range.start(), range.end())).collect())]
}
