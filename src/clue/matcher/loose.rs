//! Messages in a form that no rule knows. Programs without number say in words of their own what everybody understands: that a place is
//! not writable, that something is locked, that there is no room. Where the rules of forms leave a failure unexplained, the words alone are
//! looked for in the last lines, beside whatever path these name. They only suggest: what the machine does not show is not claimed.

use super::Said;
use super::reader::{LAST, Reader};
use crate::clue::library::Library;
use crate::clue::lines::page::Page;
use crate::clue::{Aftermath, Clue, is_comparison, is_of_usage};
use crate::transcript::Transcript;
use std::ops::Range;

/// What lines have that tell of a request to a server: what stands behind is a place of that server.
const OF_REQUESTS: &[&str] = &["DELETE /", "GET /", "HEAD /", "PATCH /", "POST /", "PUT /"];

/// What lines have that show a test: its name, what it wanted and what it got.
const OF_TESTS: &[&str] = &[
    "(Failed)",
    "Comparison",
    "REQUIRE",
    "_test.",
    "assert",
    "expected",
    "pytest.",
    "test_",
    "tests/",
    " want",
    " \u{203a} ",
];

/// Words of sentences that stand where the name of a program may.
const NO_NAMES: &[&str] = &[
    "all", "also", "an", "and", "any", "are", "be", "been", "but", "has", "have", "if", "is", "it", "no", "none",
    "not", "one", "or", "properly", "still", "that", "the", "them", "they", "this", "was", "were", "which", "you",
];

impl Library {
    /// What may have failed, by words at the end of an output. `known` is where lines stand that a rule of forms knows.
    #[must_use]
    pub fn clues_in_words(&self, said: &Said, known: &[Range<u64>]) -> Vec<Clue> {
        let reader = Reader::loose(self, said.surroundings.locale().as_deref());
        let page = reader.page(said.transcript);
        let is_known = |line: usize| known.iter().any(|known| overlap(known, &page.line(line).span));
        if page.last(LAST).any(|line| is_of_usage(&String::from_utf8_lossy(line))) {
            // The program was called wrongly, and what else it says is how it is called.
            return Vec::new();
        }
        let mut drafts = reader.drafts(&page, said);
        drafts.retain(|draft| !is_known(draft.line) && !is_shown(&page, draft.line));
        let mut clues = reader.clues(&page, drafts, said.command);
        let is_message = |clue: &Clue| !is_of_test(&clue.line) && !is_of_request(&clue.line) && !is_of_sentence(clue);
        clues.retain(|clue| is_message(clue) && ends_it(said.transcript, clue));
        clues
    }
}

/// Whether a line shows a test, in which the words of anything may be.
fn is_of_test(line: &str) -> bool {
    OF_TESTS.iter().any(|words| line.contains(words)) || is_comparison(line.as_bytes())
}

/// Whether what was taken for a name is a word that the sentence needs.
fn is_of_sentence(clue: &Clue) -> bool {
    clue.subject.as_deref().is_some_and(|subject| NO_NAMES.contains(&subject.to_ascii_lowercase().as_str()))
}

/// Whether a line tells of a request to a server.
fn is_of_request(line: &str) -> bool {
    OF_REQUESTS.iter().any(|words| line.contains(words))
}

/// Whether the words of a line are somebody else's: those of a source, of a finding about one, or of the help for an option.
fn is_shown(page: &Page, line: usize) -> bool {
    is_source(page, line) || is_finding(page.line(line).body()) || is_option(page.line(line).body())
}

/// Whether a line is what a compiler or a linter finds at a place of a source: `a.py:3:1: E501 line too long`.
fn is_finding(line: &[u8]) -> bool {
    let head = &line[..memchr::memmem::find(line, b": ").unwrap_or(0)];
    let mut parts = head.rsplit(|byte| *byte == b':');
    let mut is_number = || parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    is_number() && is_number() && parts.next().is_some_and(|file| file.contains(&b'.') || file.ends_with(b">"))
}

/// Whether a line describes an option, set in as programs do that tell how they are used.
fn is_option(line: &[u8]) -> bool {
    let option = line.trim_ascii_start();
    option.len() < line.len() && matches!(option, [b'-', next, ..] if next.is_ascii_alphabetic() || *next == b'-')
}

/// Whether a line is the source that a trace of Python shows below its place.
fn is_source(page: &Page, line: usize) -> bool {
    let above = line.checked_sub(1).map(|above| page.line(above).body().trim_ascii_start());
    above.is_some_and(|above| above.starts_with(b"File \"") && memchr::memmem::find(above, b"\", line ").is_some())
}

/// Whether an output may end because of a message: the program did not go on to end otherwise.
fn ends_it(transcript: &Transcript, clue: &Clue) -> bool {
    matches!(Aftermath::of(transcript, clue), Aftermath::Open | Aftermath::Doubtful(_))
}

/// Whether two places have a byte in common.
fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Surroundings;
    use std::path::Path;

    fn heard(output: &str) -> Vec<Clue> {
        let (transcript, surroundings) = (Transcript::whole(output.as_bytes().to_vec()), Surroundings::default());
        let said = Said { transcript: &transcript, command: &[], surroundings: &surroundings, machine: None };
        let library = Library::builtin();
        library.clues_in_words(&said, &library.clues_with_logs(&said, |_| None).known)
    }

    #[test]
    fn words_are_read_with_the_path_that_their_line_names() {
        let clues = heard("starting\nFrob: The store at /data/x Is Not Writable, giving up\n");
        let [clue] = &clues[..] else { panic!("{clues:?}") };
        assert!(clue.loose && clue.suspects("permission-denied"), "{clue:?}");
        assert_eq!(clue.path.as_deref(), Some(Path::new("/data/x")));
    }

    #[test]
    fn what_a_test_shows_and_what_was_dealt_with_is_not_read() {
        for output in [
            "FAILED tests/test_io.py::test_x - assert PermissionError(13, 'unwriteable /data/x') is None\n",
            "disk_test.go:12: got err \"disk full\", want nil\n",
            "FROB-17 <unwriteable> /data/x\nusing the default /srv\nready\nTypeError: 3 is no list\n",
        ] {
            assert!(heard(output).is_empty(), "{output}");
        }
    }

    #[test]
    fn words_of_a_sentence_are_no_names() {
        for line in ["    are supported and not installed on your system.\n", "frob: which is not installed\n"] {
            assert!(heard(line).is_empty(), "{line}");
        }
        assert_eq!(heard("frob: gizmo is not installed\n").len(), 1);
    }

    #[test]
    fn lines_that_a_rule_of_forms_knows_are_not_read_again() {
        assert!(heard("cp: cannot create regular file '/srv/a': Permission denied\n").is_empty());
        assert!(
            heard("rm: cannot remove 'x': Permission denied\nmake: [Makefile:3: clean] Error 1 (ignored)\n").is_empty()
        );
    }

    #[test]
    fn what_a_trace_or_an_assertion_shows_is_no_message() {
        let source = "  File \"t.py\", line 3, in test\n    f(\"ok\", \"x: Read-only file system: '/ro/x'\")\n";
        let compared = "AssertionError: 'ok' != \"[Errno 30] Read-only file system: '/ro/x'\"\n";
        assert!(heard(source).is_empty() && heard(compared).is_empty());
    }

    #[test]
    fn what_more_than_a_screen_was_written_after_is_not_read() {
        let message = "FROB-17 <unwriteable> /data/x\n";
        assert_eq!(heard(&format!("{message}{}", "working\n".repeat(30))).len(), 1);
        assert!(heard(&format!("{message}{}", "working\n".repeat(50))).is_empty());
    }

    #[test]
    fn in_a_whole_log_only_errors_at_its_very_end_are_read() {
        let log = |last: &str| format!("{}{last}", "working\n".repeat(80));
        assert_eq!(heard(&log("error: store /data/x is unwriteable\ndone\n")).len(), 1);
        assert!(heard(&log("store /data/x is unwriteable\ndone\n")).is_empty());
        assert!(heard(&log(&format!("error: store /data/x is unwriteable\n{}", "working\n".repeat(12)))).is_empty());
    }

    #[test]
    fn information_is_not_read() {
        for line in [
            "INFO: the store /data/x is unwriteable\n",
            "10 verbose cwd /data/x\n",
            "frob: warning: look at these:\n\tthe store /data/x is unwriteable\n",
        ] {
            assert!(heard(line).is_empty(), "{line}");
        }
    }
}
