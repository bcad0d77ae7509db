//! Drops errnos of an output that lists errors. Many different ones are no failure but text about failures: what `errno -l` prints, a page of a manual, a log that was shown.

use super::Clue;
use crate::sys::errno::Errno;

/// Different errnos that one command hardly meets.
const MANY: usize = 8;

/// Leaves out what has an errno where the output has many different ones.
pub fn without_error_list(clues: &mut Vec<Clue>) {
    let mut errnos: Vec<Errno> = clues.iter().filter_map(|clue| clue.errno).collect();
    errnos.sort_unstable_by_key(|errno| *errno as i32);
    errnos.dedup();
    if errnos.len() >= MANY {
        clues.retain(|clue| clue.errno.is_none());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::errno::by_number;

    fn left(errnos: impl Iterator<Item = i32>) -> usize {
        let mut clues: Vec<Clue> = errnos.map(|number| Clue { errno: by_number(number), ..Clue::default() }).collect();
        without_error_list(&mut clues);
        clues.len()
    }

    #[test]
    fn a_list_of_errors_is_no_failure() {
        assert_eq!(left(1..40), 0);
    }

    #[test]
    fn a_few_errors_and_one_that_is_said_often_stay() {
        assert_eq!(left(1..5), 4);
        assert_eq!(left([13; 40].into_iter()), 40);
    }
}
