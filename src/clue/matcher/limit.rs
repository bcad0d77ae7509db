//! How many clues of one output are kept: so few that each can be checked on the machine, and of every kind some.

use crate::clue::Clue;
use std::collections::{HashMap, HashSet};

/// Clues that are kept: the first and the last ones of a long log.
const FIRST: usize = 48;
const LAST: usize = 16;
/// The same for clues that a rule has with one errno, so that what is said often leaves room for what is said once.
const FIRST_OF_A_KIND: usize = 12;
const LAST_OF_A_KIND: usize = 4;

/// The clues that are kept, in their order: each failure once, and of a long log the first and the last ones.
pub fn limited(mut clues: Vec<Clue>) -> Vec<Clue> {
    distinct(&mut clues);
    if clues.len() > FIRST + LAST {
        clues.retain(|clue| !clue.left_behind);
    }
    if clues.len() > FIRST + LAST {
        clues = few_of_a_kind(clues);
    }
    if clues.len() > FIRST + LAST {
        clues.drain(FIRST..clues.len() - LAST);
    }
    clues
}

/// Of each kind of clue the first and the last ones.
fn few_of_a_kind(clues: Vec<Clue>) -> Vec<Clue> {
    let kind = |clue: &Clue| (clue.rule.clone(), clue.errno.map(|errno| errno as i32));
    let mut left = HashMap::<_, usize>::new();
    for clue in &clues {
        *left.entry(kind(clue)).or_default() += 1;
    }
    let mut seen = HashMap::<_, usize>::new();
    let mut is_kept = |clue: &Clue| {
        let (seen, left) = (seen.entry(kind(clue)).or_default(), left.entry(kind(clue)).or_default());
        (*seen, *left) = (*seen + 1, left.saturating_sub(1));
        *seen <= FIRST_OF_A_KIND || *left < LAST_OF_A_KIND
    };
    clues.into_iter().filter(|clue| is_kept(clue)).collect()
}

/// The same failure once, where it was said first; what was said in passing may be said again and count.
fn distinct(clues: &mut Vec<Clue>) {
    let mut seen = HashSet::new();
    clues.retain(|clue| {
        let errno = clue.errno.map(|errno| errno as i32);
        seen.insert((
            clue.rule.clone(),
            clue.passing,
            errno,
            clue.operation,
            clue.path.clone(),
            clue.other_path.clone(),
            clue.subject.clone(),
        ))
    });
}
