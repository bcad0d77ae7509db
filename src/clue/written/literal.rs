//! The literals without which a pattern cannot match. Those of all rules are looked for in one pass over a line, and a regex is compiled and
//! run only where one of its own was found.
//!
//! The extractor of `regex-syntax` finds what a match begins or ends with. Here any part of a pattern will do, and the one is chosen that is
//! rarest in logs.

use super::{ERRNO_BEGIN, ERRNO_END};
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// Alternatives that a set of literals may have.
const MOST_NEEDLES: usize = 32;
/// Bytes of a class of which each is a text of its own.
const BYTES: usize = 4;
/// What a literal must weigh: two letters, or a sentinel.
const LEAST_WEIGHT: usize = 8;
/// Words of this length are preferred to a longer run with other bytes.
const WORDS: usize = 8;
/// What programs say of what they could not do, which a log has less often than the words for what they do.
const OF_FAILURE: &[&[u8]] = &[b"ailed", b"ailure", b"an't", b"annot", b"nable to", b"ould not", b"ouldn't", b"rror"];
/// Words that logs are full of.
const OF_WORK: &[&[u8]] = &[b"irector", b"older", b"onfigur", b"nstall", b"ackage", b"ption", b"ounted"];
/// What words of failure add to a literal's rarity, and words of work take away.
const WORD_WEIGHT: usize = 12;

/// Literals of which every match of a pattern holds one, in normal form; none where there is no such set. Of all such sets the one
/// that lines without the message hold least.
pub fn needles(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    best(hir, Aim::Rare).filter(|set| weight(set) >= LEAST_WEIGHT)
}

/// Length of the longest text without alternatives that a match holds: how much of the message a pattern spells out.
pub fn spelled_out(hir: &Hir) -> usize {
    let plain = best(hir, Aim::Plain).filter(|set| weight(set) >= LEAST_WEIGHT);
    plain.unwrap_or_default().iter().map(Vec::len).max().unwrap_or(0)
}

/// What a set of literals is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// To be looked for: parts that follow each other are joined, and what is rare in logs comes first.
    Rare,
    /// To tell how much of it is text.
    Plain,
}

/// Whether every match of a pattern holds words for an errno.
pub fn needs_words(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => is_of_words(&literal.0),
        HirKind::Capture(capture) => needs_words(&capture.sub),
        HirKind::Repetition(repetition) => repetition.min > 0 && needs_words(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().any(needs_words),
        HirKind::Alternation(branches) => branches.iter().all(needs_words),
        _ => false,
    }
}

/// Whether a literal holds a sentinel, which stands for words for an errno.
pub fn is_of_words(literal: &[u8]) -> bool {
    literal.iter().any(|byte| matches!(*byte, ERRNO_BEGIN | ERRNO_END))
}

fn best(hir: &Hir, aim: Aim) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => best(&capture.sub, aim),
        HirKind::Repetition(repetition) if repetition.min > 0 => best(&repetition.sub, aim),
        HirKind::Concat(parts) => {
            let value = |set: &Vec<Vec<u8>>| match aim {
                Aim::Rare => (rarity(set), weight(set), std::cmp::Reverse(set.len())),
                Aim::Plain => (0, weight(set), std::cmp::Reverse(set.len())),
            };
            best_of_parts(parts, aim).into_iter().max_by_key(value)
        }
        HirKind::Alternation(branches) => {
            let sets: Option<Vec<_>> = branches.iter().map(|branch| best(branch, aim)).collect();
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
fn best_of_parts(parts: &[Hir], aim: Aim) -> Vec<Vec<Vec<u8>>> {
    let mut sets = if aim == Aim::Rare { joined(parts) } else { Vec::new() };
    let mut place = Place::Outside;
    for part in parts {
        let is_end = matches!(part.kind(), HirKind::Literal(literal) if literal.0.contains(&ERRNO_END));
        sets.extend(match place {
            _ if is_end => best(part, aim),
            Place::Outside => best(part, aim),
            Place::AtName => names(part),
            Place::Inside => None,
        });
        place = behind(part, place);
    }
    sets
}

/// What neighbouring parts hold together, where each is one of a few texts: `cannot ` and `open|stat`.
fn joined(parts: &[Hir]) -> Vec<Vec<Vec<u8>>> {
    let mut sets = Vec::new();
    let mut run: Option<Vec<Vec<u8>>> = None;
    for part in parts {
        let texts = texts(part);
        let longer = run.as_ref().zip(texts.as_ref()).and_then(|(run, texts)| product(run, texts));
        if longer.is_none() {
            let before = run.take().unwrap_or_else(|| vec![Vec::new()]);
            sets.push(product(&before, &begins(part)).unwrap_or(before));
        }
        run = longer.or(texts);
    }
    sets.extend(run);
    sets.retain(|set| set.iter().all(|text| !text.is_empty()));
    sets
}

/// Texts of which every match of a part begins with one.
fn begins(hir: &Hir) -> Vec<Vec<u8>> {
    match hir.kind() {
        HirKind::Capture(capture) => begins(&capture.sub),
        HirKind::Concat(parts) => {
            let mut all = vec![Vec::new()];
            for part in parts {
                let Some(longer) = texts(part).and_then(|texts| product(&all, &texts)) else { break };
                all = longer;
            }
            all
        }
        _ => texts(hir).unwrap_or_else(|| vec![Vec::new()]),
    }
}

/// Every text that a part of a pattern matches, where those are few.
fn texts(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let is_few = |texts: &Vec<Vec<u8>>| texts.len() <= MOST_NEEDLES;
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => texts(&capture.sub),
        HirKind::Class(Class::Bytes(class)) if class.ranges().len() <= BYTES => {
            let bytes = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            Some(bytes.take(BYTES + 1).map(|byte| vec![byte]).collect()).filter(|bytes: &Vec<_>| bytes.len() <= BYTES)
        }
        HirKind::Repetition(Repetition { min: 0, max: Some(1), sub, .. }) => {
            texts(sub).map(|texts| [vec![Vec::new()], texts].concat()).filter(is_few)
        }
        HirKind::Concat(parts) => parts.iter().try_fold(vec![Vec::new()], |all, part| product(&all, &texts(part)?)),
        HirKind::Alternation(branches) => {
            let all = branches.iter().map(texts).collect::<Option<Vec<_>>>()?.concat();
            Some(all).filter(is_few)
        }
        _ => None,
    }
}

/// Each text with each other behind it, where those are few.
fn product(all: &[Vec<u8>], behind: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    let pairs = all.iter().flat_map(|text| behind.iter().map(move |more| [text.as_slice(), more].concat()));
    (all.len() * behind.len() <= MOST_NEEDLES).then(|| pairs.collect())
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

/// How rare the commonest literal of a set is, by what is looked for of it.
fn rarity(set: &[Vec<u8>]) -> usize {
    let has = |text: &[u8], word: &[u8]| text.windows(word.len()).any(|there| there == word);
    let of_literal = |literal: &Vec<u8>| {
        let text = Some(key(literal)).filter(|key| !key.is_empty()).unwrap_or(literal);
        let bonus = |words: &[&[u8]]| if words.iter().any(|word| has(text, word)) { WORD_WEIGHT } else { 0 };
        (weight_of(text) + bonus(OF_FAILURE)).saturating_sub(bonus(OF_WORK))
    };
    set.iter().map(of_literal).min().unwrap_or(0)
}

/// The weight of the lightest literal of a set.
fn weight(set: &[Vec<u8>]) -> usize {
    set.iter().map(|literal| weight_of(literal)).min().unwrap_or(0)
}

/// How much text a literal is: a letter counts for more than another sign.
pub fn weight_of(literal: &[u8]) -> usize {
    let of_byte = |byte: &u8| match *byte {
        ERRNO_BEGIN => 8,
        byte if byte.is_ascii_alphanumeric() || !byte.is_ascii() => 4,
        b' ' => 0,
        _ => 1,
    };
    literal.iter().map(of_byte).sum()
}

/// The part of a literal that a line holds as the program wrote it: words and the blanks between them where they are long enough,
/// since colours begin and end at other signs. Empty for a literal that needs words for an errno.
pub fn key(needle: &[u8]) -> &[u8] {
    let longest = |is_inside: fn(u8) -> bool| {
        let runs = written(needle).flat_map(move |text| runs(text, is_inside));
        runs.map(<[u8]>::trim_ascii).max_by_key(|run| run.len()).unwrap_or_default()
    };
    let words = longest(|byte| byte.is_ascii_alphanumeric() || byte == b' ' || !byte.is_ascii());
    if words.len() >= WORDS {
        return words;
    }
    if needle.contains(&ERRNO_BEGIN) { &[] } else { longest(|byte| byte != b'\'') }
}

/// The runs of bytes that are inside. An apostrophe in a word is, while a quotation mark may be written in many ways.
fn runs(text: &[u8], is_inside: fn(u8) -> bool) -> impl Iterator<Item = &[u8]> {
    let is_letter = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let is_apostrophe = move |at: usize| is_letter(at.checked_sub(1)) && is_letter(Some(at + 1));
    let is_end = move |at: &usize| !(is_inside(text[*at]) || text[*at] == b'\'' && is_apostrophe(*at));
    let ends = (0..text.len()).filter(is_end).chain([text.len()]);
    ends.scan(0, |start, end| Some(&text[std::mem::replace(start, end + 1)..end]))
}

/// A key as it may be written: an apostrophe is also the typographic one.
pub fn spellings(key: &[u8]) -> Vec<Vec<u8>> {
    let typographic: Vec<u8> = key
        .iter()
        .flat_map(|byte| if *byte == b'\'' { "\u{2019}".as_bytes() } else { std::slice::from_ref(byte) })
        .copied()
        .collect();
    if typographic == key { vec![typographic] } else { vec![key.to_vec(), typographic] }
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
