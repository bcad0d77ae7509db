//! Single lines of settings and logs: only those that hold a word are read into the record, since the rest may be private.

use super::{Answer, Machine, Unknown, files};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Counted from 1.
    pub number: usize,
    /// The line without blanks around it; what is not UTF-8 is replaced.
    pub text: String,
}

/// Lines that are kept of one file.
const KEPT: usize = 200;

impl Machine {
    /// The lines of a regular file on a local filesystem that hold `word`, at most 200 of its first 4 MiB.
    ///
    /// # Errors
    /// Those of `open(2)` and `read(2)`; [`Unknown::Unsupported`] where reading it may block.
    pub fn lines_with(&self, word: &str, path: &Path) -> Answer<Vec<Line>> {
        let may_block = self.may_block(path);
        self.ask(&format!("lines {word} {}", path.display()), || {
            if may_block {
                return Err(Unknown::Unsupported("it lies on a network mount".into()));
            }
            files::read(path).map(|bytes| lines(&bytes.lossy(), word))
        })
    }
}

fn lines(text: &str, word: &str) -> Vec<Line> {
    let numbered = text.lines().enumerate().filter(|(_, line)| line.contains(word));
    numbered.take(KEPT).map(|(index, line)| Line { number: index + 1, text: line.trim().to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_with_the_word_are_kept() {
        let kept = lines("TOKEN=1\n  ulimit -f 100\n# none\n", "ulimit");
        assert_eq!(kept, [Line { number: 2, text: "ulimit -f 100".into() }]);
    }
}
