//! Which line of a makefile failed. Make tells it (`make: *** [Makefile:12: all] Error 1`), and goes on after whatever a recipe passed over: what an
//! earlier line met is no reason for the end of a line that has nothing to do with it.

use super::Script;
use super::standing::Standing;
use crate::clue::Clue;
use crate::clue::aftermath::lines;
use crate::command_line::{is_make, launched};
use crate::transcript::Transcript;
use std::ffi::OsString;
use std::path::PathBuf;

/// A line of a recipe that failed.
#[derive(Debug, PartialEq, Eq)]
pub struct Recipe {
    /// As make names it.
    pub makefile: PathBuf,
    /// From 1.
    pub line: usize,
}

impl Recipe {
    /// The lines that failed behind a message, where the command is make; none where a make below it failed, whose directory nobody
    /// knows.
    #[must_use]
    pub fn failed(command: &[OsString], transcript: &Transcript, clue: &Clue) -> Vec<Self> {
        if !launched(command).first().is_some_and(|program| is_make(program)) {
            return Vec::new();
        }
        let after = lines(transcript, clue.said.end..u64::MAX);
        let ends: Vec<&str> = after.iter().filter_map(|line| line.split_once(": *** [")).map(|(_, end)| end).collect();
        let is_below = after.iter().any(|line| line.contains("]: *** ["));
        let recipes: Option<Vec<Self>> = ends.into_iter().map(Self::told).collect();
        recipes.filter(|_| !is_below).unwrap_or_default()
    }

    /// `Makefile:12: all] Error 1`
    fn told(end: &str) -> Option<Self> {
        let (makefile, rest) = end.split_once(':')?;
        let (line, _) = rest.split_once(':')?;
        Some(Self { makefile: makefile.into(), line: line.parse().ok()? })
    }

    /// Where the command that said a message stands in this line: nowhere, and then the line failed of itself, or in it.
    #[must_use]
    pub fn standing(&self, makefile: &[u8], clue: &Clue) -> Standing {
        let Some(text) = self.text(makefile) else { return Standing::Counts };
        Standing::of_line(&Script { text: &text, stops_at_failure: false }, clue)
    }

    /// The commands of the line, with those that it goes on in. None where variables of make or another mode may hide some.
    fn text(&self, makefile: &[u8]) -> Option<Vec<u8>> {
        let lines: Vec<&[u8]> = makefile.split(|byte| *byte == b'\n').collect();
        let goes_on = |line: usize| lines.get(line).is_some_and(|text| text.ends_with(b"\\"));
        let at = self.line.checked_sub(1)?;
        let first = (0..at).rev().take_while(|before| goes_on(*before)).last().unwrap_or(at);
        let last = (at..lines.len()).find(|line| !goes_on(*line))?;
        let text = lines[first..=last].join(&b'\n');
        let is_plain = !has(makefile, b".ONESHELL") && !has(&text, b"$(") && !has(&text, b"${");
        let is_prefix = |byte: &u8| matches!(byte, b'\t' | b' ' | b'@' | b'-' | b'+');
        let begin = text.iter().position(|byte| !is_prefix(byte))?;
        is_plain.then(|| text[begin..].to_vec())
    }
}

fn has(text: &[u8], words: &[u8]) -> bool {
    memchr::memmem::find(text, words).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAKEFILE: &[u8] = b"all:\n\t@touch ro/x; exit 0\n\t@exit 3\n\ndiff: a\n\t@echo x >ro/stamp || :\n\t@diff a \\\n\t  b >/dev/null\n\nrun:\n\t-touch ro/x\n\t$(RUN) x\n";

    fn standing(end: &str, program: &str, path: &str) -> Vec<Standing> {
        let transcript = Transcript::whole(format!("it failed\n{end}\n").into_bytes());
        let clue = Clue { program: Some(program.into()), path: Some(path.into()), said: 0..9, ..Clue::default() };
        let recipes = Recipe::failed(&["make".into(), "-j2".into()], &transcript, &clue);
        recipes.iter().map(|recipe| recipe.standing(MAKEFILE, &clue)).collect()
    }

    #[test]
    fn a_line_that_failed_of_itself_is_told_from_one_that_has_the_message() {
        assert_eq!(standing("make: *** [Makefile:3: all] Error 3", "touch", "ro/x"), [Standing::BeforeLeaf]);
        assert_eq!(standing("make: *** [Makefile:7: diff] Error 1", "sh", "ro/stamp"), [Standing::BeforeLeaf]);
        assert_eq!(standing("make: *** [Makefile:8: diff] Error 1", "sh", "ro/stamp"), [Standing::BeforeLeaf]);
        let of_shell = Clue { program: Some("sh".into()), line: "sh: 1: Cannot fork".into(), ..Clue::default() };
        let of_make = Clue { program: Some("make".into()), path: Some("/bin/sh".into()), ..Clue::default() };
        let recipe = Recipe { makefile: "Makefile".into(), line: 3 };
        assert_eq!([&of_shell, &of_make].map(|clue| recipe.standing(MAKEFILE, clue)), [Standing::Counts; 2]);
        for end in ["make: *** [Makefile:12: run] Error 1", "make: *** [Makefile:11: run] Error 1"] {
            assert_eq!(standing(end, "touch", "ro/x"), [Standing::Counts], "{end}");
        }
    }

    #[test]
    fn what_make_does_not_tell_is_not_judged() {
        for end in [
            "make[1]: *** [Makefile:3: all] Error 3\nmake: *** [Makefile:1: sub] Error 2",
            "make: *** No rule to make target 'x'.  Stop.",
            "make: *** [all] Error 1",
        ] {
            assert_eq!(standing(end, "touch", "ro/x"), [], "{end}");
        }
    }
}
