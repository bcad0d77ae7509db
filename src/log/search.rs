//! Which lines of a text a rule may read, searched on all processors.

use crate::clue::{LineKind, Reader, Skim, time};
use std::collections::HashMap;
use std::num::NonZero;
use std::ops::Range;
use std::panic::resume_unwind;
use std::thread::{self, available_parallelism};

/// Threads that search at most.
const MOST_THREADS: usize = 4;
/// Bytes that are kept of a line without an end before and behind a key: so few that none of them is left out when it is read.
const BEFORE_KEY: usize = 2 << 10;
const BEHIND_KEY: usize = 3 << 10;

/// The telling lines of a text from a place on, in order: each processor searches whole lines of its own.
pub fn telling_lines(reader: &Reader, skim: &Skim, text: &[u8], from: usize) -> Vec<(LineKind, Range<usize>)> {
    let mut shares = shares(text, from, available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS));
    let last = shares.pop().unwrap_or(from..text.len());
    thread::scope(|scope| {
        let begin = |share: Range<usize>| {
            let search = move || of_share(reader, skim, &text[..share.end], share.start);
            (thread::Builder::new().spawn_scoped(scope, search), search)
        };
        let others: Vec<_> = shares.into_iter().map(begin).collect();
        let own = of_share(reader, skim, text, last.start);
        let found = others.into_iter().map(|(thread, search)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // No process or memory is left for a thread.
            Err(_) => search(),
        });
        found.chain([own]).flatten().collect()
    })
}

/// Parts of a text from a place on, as many at most and about as long as each other, each but the last with the end of a line.
fn shares(text: &[u8], from: usize, most: usize) -> Vec<Range<usize>> {
    let length = (text.len() - from) / most;
    let ends = (1..most).filter_map(|share| {
        let about = from + share * length;
        memchr::memrchr(b'\n', &text[about - length..about]).map(|newline| about - length + newline + 1)
    });
    let ends: Vec<usize> = ends.chain([text.len()]).collect();
    let begins = [from].into_iter().chain(ends.iter().copied());
    begins.zip(&ends).map(|(begin, end)| begin..*end).collect()
}

/// The telling lines of a text from a place on.
fn of_share(reader: &Reader, skim: &Skim, text: &[u8], mut from: usize) -> Vec<(LineKind, Range<usize>)> {
    let mut found = Vec::new();
    // What was asked before: a log that says one thing over and over says little else.
    let mut kinds = HashMap::new();
    while let Some(key) = skim.find(text, from) {
        let line = line_around(text, key, text.len());
        from = line.end.max(from + 1).min(text.len());
        let said = &text[line.clone()];
        let kind = kinds.entry(&said[time(said)..]).or_insert_with(|| reader.tells(said));
        found.extend(kind.map(|kind| (kind, line)));
    }
    found
}

/// The line that holds a place, or what of a long one is near it.
fn line_around(text: &[u8], at: usize, limit: usize) -> Range<usize> {
    let reach = at.saturating_sub(BEFORE_KEY);
    let start = memchr::memrchr2(b'\n', b'\r', &text[reach..at]).map_or(reach, |end| reach + end + 1);
    let reach = limit.min(at + BEHIND_KEY);
    let end = memchr::memchr2(b'\n', b'\r', &text[at..reach]).map_or(reach, |end| at + end + 1);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clue::Library;

    #[test]
    fn several_threads_find_what_one_finds() {
        let library = Library::builtin();
        let reader = Reader::new(&library, None);
        let skim = reader.skim();
        for (line_end, lines) in [("\n", 4000), ("\r", 4000), ("\n", 3), ("", 4000)] {
            let text: String = (0..lines)
                .map(|line| match line % 100 {
                    0 => format!("tar: a/{line}: Cannot mkdir: No space left on device{line_end}"),
                    _ => format!("[{line}/4000] gcc -c part{line}.c{line_end}"),
                })
                .collect();
            let one = of_share(&reader, &skim, text.as_bytes(), 0);
            assert!(!one.is_empty());
            assert_eq!(telling_lines(&reader, &skim, text.as_bytes(), 0), one, "{line_end:?} {lines}");
        }
    }

    #[test]
    fn each_share_is_of_whole_lines_and_none_is_left_out() {
        for (text, from, ends) in
            [("a\nb\nc\nd\n", 2, &[4, 8][..]), ("abcdefgh", 0, &[8]), ("", 0, &[0]), ("a", 1, &[1])]
        {
            let shares = shares(text.as_bytes(), from, 2);
            assert_eq!(shares.iter().map(|share| share.end).collect::<Vec<_>>(), ends, "{text:?}");
            assert!(shares[0].start == from && shares.windows(2).all(|pair| pair[0].end == pair[1].start), "{text:?}");
        }
    }
}
