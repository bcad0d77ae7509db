//! The literals without which a pattern cannot match: those of all rules are looked for in one pass, and a regex is compiled
//! and run only where it has a chance.

use super::{ERRNO_BEGIN, ERRNO_END};
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind};

/// Alternatives that a set of literals may have.
const MOST_NEEDLES: usize = 32;
/// What a literal must weigh: two letters, or a sentinel.
const LEAST_WEIGHT: usize = 8;
/// Words of this length are preferred to a longer run with other bytes.
const WORDS: usize = 8;

/// Literals of which every match of a pattern holds one, in normal form; none where there is no such set.
pub fn needles(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    best(hir).filter(|set| weight(set) >= LEAST_WEIGHT)
}

fn best(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => best(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => best(&repetition.sub),
        HirKind::Concat(parts) => {
            best_of_parts(parts).into_iter().max_by_key(|set| (weight(set), std::cmp::Reverse(set.len())))
        }
        HirKind::Alternation(branches) => {
            let sets: Option<Vec<_>> = branches.iter().map(best).collect();
            sets.map(|sets| sets.concat()).filter(|set| set.len() <= MOST_NEEDLES)
        }
        _ => None,
    }
}

/// Where a part of a pattern stands, seen from the sentinel before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    /// Right behind the beginning of a sentinel: an errno's name begins here.
    AtName,
    Inside,
}

/// The sets of parts that follow each other. The name inside of a sentinel is nothing that a program wrote, so it keeps the
/// beginning of the sentinel, by which [`key`] tells; what stands farther inside is left out.
fn best_of_parts(parts: &[Hir]) -> Vec<Vec<Vec<u8>>> {
    let mut sets = Vec::new();
    let mut place = Place::Outside;
    for part in parts {
        let is_end = matches!(part.kind(), HirKind::Literal(literal) if literal.0.contains(&ERRNO_END));
        sets.extend(match place {
            _ if is_end => best(part),
            Place::Outside => best(part),
            Place::AtName => names(part),
            Place::Inside => None,
        });
        place = behind(part, place);
    }
    sets
}

/// What an errno's name begins with, each behind the beginning of the sentinel.
fn names(part: &Hir) -> Option<Vec<Vec<u8>>> {
    let begins = Extractor::new().extract(part);
    let names = begins.literals()?.iter().map(|name| [&[ERRNO_BEGIN], name.as_bytes()].concat());
    Some(names.collect::<Vec<_>>()).filter(|set| !set.is_empty() && set.len() <= MOST_NEEDLES)
}

/// The place behind a part.
fn behind(part: &Hir, place: Place) -> Place {
    let HirKind::Literal(literal) = part.kind() else {
        return if place == Place::Outside { place } else { Place::Inside };
    };
    match literal.0.iter().rposition(|byte| matches!(*byte, ERRNO_BEGIN | ERRNO_END)) {
        Some(at) if literal.0[at] == ERRNO_END => Place::Outside,
        Some(at) if at + 1 == literal.0.len() => Place::AtName,
        None if place == Place::Outside => Place::Outside,
        _ => Place::Inside,
    }
}

/// How rare the commonest literal of a set is.
fn weight(set: &[Vec<u8>]) -> usize {
    let of_byte = |byte: &u8| match *byte {
        ERRNO_BEGIN => 8,
        byte if byte.is_ascii_alphanumeric() || !byte.is_ascii() => 4,
        b' ' => 0,
        _ => 1,
    };
    set.iter().map(|literal| literal.iter().map(of_byte).sum()).min().unwrap_or(0)
}

/// The part of a literal that a line holds as the program wrote it: words and the blanks between them where they are long enough,
/// since colours begin and end at other signs. Empty for a literal that needs words for an errno.
pub fn key(needle: &[u8]) -> &[u8] {
    let longest = |is_inside: fn(u8) -> bool| {
        let runs = written(needle).flat_map(move |text| text.split(move |byte| !is_inside(*byte)));
        runs.map(<[u8]>::trim_ascii).max_by_key(|run| run.len()).unwrap_or_default()
    };
    let words = longest(|byte| byte.is_ascii_alphanumeric() || byte == b' ' || !byte.is_ascii());
    if words.len() >= WORDS {
        return words;
    }
    if needle.contains(&ERRNO_BEGIN) { &[] } else { longest(|byte| byte != b'\'') }
}

/// The parts of a literal that are no sentinel.
fn written(needle: &[u8]) -> impl Iterator<Item = &[u8]> {
    let behind_name = match needle.iter().position(|byte| matches!(*byte, ERRNO_BEGIN | ERRNO_END)) {
        Some(at) if needle[at] == ERRNO_END => at + 1,
        _ => 0,
    };
    let parts = needle[behind_name..].split(|byte| *byte == ERRNO_BEGIN).enumerate();
    parts.filter_map(|(index, part)| {
        if index == 0 {
            return Some(part);
        }
        part.iter().position(|byte| *byte == ERRNO_END).map(|end| &part[end + 1..])
    })
}
