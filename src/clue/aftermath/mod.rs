//! What a command said after a message. Programs meet errors all the time that they deal with: a file that need not be there, a cache that
//! may not be written. What ends such a program is what it says last, and where that has a reason of its own, the message is not why.
//!
//! Most that follows a message follows from it: `make: *** [all] Error 1`, `could not load app.conf`. So what repeats a word of the message,
//! is said by the same program, or tells only that something failed leaves the message as it is.

use crate::clue::Clue;
use crate::clue::lines::exception::is_own_fault;
use crate::clue::lines::line::clean;
use crate::text::has_name;
use crate::transcript::Transcript;
use reading::{goes_with, has, has_errno, is_doubtful, is_general, is_statement};
use std::ops::Range;

mod behind;
mod reading;

pub use behind::is_left_behind;
pub use reading::{is_marked, is_of_status, is_of_test, is_of_usage, misses_something, only_says_that_it_failed};

/// Statements before a message that are looked at.
const NEAR: usize = 12;

/// What the output after a message says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aftermath {
    /// Nothing that speaks against it.
    Open,
    /// It ends with a line that may follow from the message, or may not.
    Doubtful(String),
    /// It ends with an error that has another reason.
    Otherwise(String),
    /// It ends with an exception for what the program itself did wrong, with a word of what the message is about.
    Raised(String),
    /// The next line tells what is done in place of what failed, and that is not the end.
    DealtWith(String),
}

/// What is left out for a failure, which is no other way: rsync of a directory that it could not make.
const LEFT_OUT: &[&str] = &["from this failed directory"];
/// Words for going on in another way.
const INSTEAD: &[&str] = &[
    "using default",
    "using the default",
    "using in-memory",
    "using built-in",
    "using a fallback",
    "using fallback",
    "falling back",
    "continuing without",
    "continuing anyway",
    "proceeding without",
    "trying the next",
    "trying next",
    "skipping",
    "ignoring",
];

impl Aftermath {
    /// What was said after a message of the output; nothing after one of a log, which is read apart.
    #[must_use]
    pub fn of(transcript: &Transcript, clue: &Clue) -> Self {
        if clue.said.end == 0 || clue.log.is_some() {
            return Self::Open;
        }
        match Self::behind(transcript, clue) {
            Self::Open => Self::before(transcript, clue),
            other => other,
        }
    }

    /// What was said before: a program that is at its end cleans up, and does not always find what it cleans away.
    fn before(transcript: &Transcript, clue: &Clue) -> Self {
        let before = lines(transcript, 0..clue.said.start);
        let statements = before.iter().rev().filter(|line| is_statement(line)).take(NEAR);
        let mut errors = statements.filter(|line| is_marked(line)).map(|line| judged(line, clue));
        errors.find(|judged| matches!(judged, Self::Otherwise(_))).map_or(Self::Open, Self::doubted)
    }

    fn behind(transcript: &Transcript, clue: &Clue) -> Self {
        let mut after = lines(transcript, clue.said.end..u64::MAX);
        if is_set_in(transcript, clue) {
            // A line of a trace: what the trace ends with is the message.
            let end = after.iter().position(|line| is_statement(line) || is_of_test(line));
            after.drain(..end.map_or(0, |end| end + usize::from(!is_of_test(&after[end]))));
        }
        let again = after.iter().rposition(|line| repeats(line, clue)).map_or(0, |last| last + 1);
        let after = &after[again..];
        let next = after.iter().position(|line| !line.starts_with(char::is_whitespace));
        let is_instead = |line: &String| has(line, INSTEAD) && !has(line, LEFT_OUT);
        if let Some(instead) = next.filter(|next| is_instead(&after[*next])) {
            let goes_on = after[instead + 1..].iter().any(|line| is_statement(line));
            let line = after[instead].clone();
            return if goes_on { Self::DealtWith(line) } else { Self::Otherwise(line) };
        }
        let chain = Chain::of(after);
        let errors = || after.iter().filter(|line| is_statement(line) && is_marked(line) || is_of_test(line));
        // Make ends with a line of its own for each recipe that failed, and tests with how many did; why stands before.
        let ending = errors()
            .rfind(|line| !line.contains(": *** [") && !is_count_of_tests(line))
            .or_else(|| errors().next_back());
        match ending {
            _ if chain == Chain::Root => Self::Open,
            Some(error) if chain == Chain::Handled && !is_own_fault(error) => judged(error, clue).doubted(),
            Some(error) => judged(error, clue),
            None => {
                after.iter().rfind(|line| is_statement(line)).map_or(Self::Open, |last| judged(last, clue).doubted())
            }
        }
    }

    /// The error that the output ends with, where that tells a reason: what no message spoke of is hardly behind it.
    #[must_use]
    pub fn ending(transcript: &Transcript) -> Option<String> {
        let lines = lines(transcript, 0..u64::MAX);
        let last = lines.into_iter().rfind(|line| is_statement(line) && is_marked(line))?;
        (is_own_fault(&last) || !is_general(&last) && !is_doubtful(&last)).then_some(last)
    }

    fn doubted(self) -> Self {
        match self {
            Self::Otherwise(line) | Self::Raised(line) => Self::Doubtful(line),
            other => other,
        }
    }
}

/// How Python joins two exceptions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chain {
    None,
    /// The first is why the second was raised.
    Root,
    /// The second came while the first was handled.
    Handled,
}

impl Chain {
    fn of(after: &[String]) -> Self {
        let has = |words: &str| after.iter().any(|line| line.starts_with(words));
        match () {
            () if has("The above exception was the direct cause") => Self::Root,
            () if has("During handling of the above exception") => Self::Handled,
            () => Self::None,
        }
    }
}

/// The lines between two offsets, without control sequences and without empty ones.
pub fn lines(transcript: &Transcript, place: Range<u64>) -> Vec<String> {
    let within = transcript.parts.iter().map(|part| {
        let bytes = &part.bytes.0;
        let at =
            |offset: u64| usize::try_from(offset.saturating_sub(part.offset)).unwrap_or(usize::MAX).min(bytes.len());
        &bytes[at(place.start)..at(place.end)]
    });
    let lines = within.flat_map(|bytes| bytes.split(|byte| matches!(byte, b'\n' | b'\r')));
    let mut lines: Vec<String> = lines
        .map(|line| String::from_utf8_lossy(&clean(line)).trim_end().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    // The text of a program that Node.js shows above a mark is no word of it.
    let quoted = |lines: &[String], at: usize| lines.get(at + 1).is_some_and(|next| is_mark(next));
    let kept: Vec<bool> = (0..lines.len()).map(|at| !quoted(&lines, at)).collect();
    let mut kept = kept.into_iter();
    lines.retain(|_| kept.next().unwrap_or(true));
    lines
}

/// Whether a line only marks a place in the line above it.
fn is_mark(line: &str) -> bool {
    let marks = line.trim_start();
    !marks.is_empty() && marks.len() < line.len() && marks.chars().all(|letter| matches!(letter, '^' | '~'))
}

/// Whether the line of a message begins with blanks.
fn is_set_in(transcript: &Transcript, clue: &Clue) -> bool {
    let begin = transcript.parts.iter().find_map(|part| {
        let at = usize::try_from(clue.said.start.checked_sub(part.offset)?).ok()?;
        part.bytes.0.get(at)
    });
    begin.is_some_and(u8::is_ascii_whitespace)
}

/// Whether a line tells of the same path again, as programs do that sum up at their end. An exception of the program's own may have the
/// path in its words for any reason, and so may what a test compares.
fn repeats(line: &str, clue: &Clue) -> bool {
    let path = clue.path.as_ref().map(|path| path.to_string_lossy());
    let is_own = is_comparison(line) || is_own_fault(line) && !has_errno(line, clue);
    path.is_some_and(|path| path.len() > 3 && has_name(line, &path)) && !is_own
}

/// Whether what a line says of a message may be that a test compared it.
fn is_comparison(line: &str) -> bool {
    line.starts_with("AssertionError") || line.contains("but was")
}

/// Whether a line only tells how many tests failed: `[ERROR] Tests run: 2, Failures: 1`.
fn is_count_of_tests(line: &str) -> bool {
    has(line, &["tests run: ", "failures:", "failed tests:"])
}

/// What another line says of a message.
fn judged(line: &str, clue: &Clue) -> Aftermath {
    let otherwise = Aftermath::Otherwise(line.to_owned());
    match () {
        // What an assertion compares may well have the words of the message.
        () if is_comparison(line) || is_of_usage(line) => otherwise,
        () if is_of_test(line) => {
            if has_errno(line, clue) {
                Aftermath::Open
            } else {
                otherwise
            }
        }
        () if is_own_fault(line) && has_errno(line, clue) => Aftermath::Open,
        () if is_own_fault(line) && goes_with(line, clue) => Aftermath::Raised(line.to_owned()),
        () if is_own_fault(line) => otherwise,
        () if goes_with(line, clue) => Aftermath::Open,
        () if is_general(line) => Aftermath::Open,
        () if is_doubtful(line) => Aftermath::Doubtful(line.to_owned()),
        () => otherwise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(message: &str, path: &str, rest: &str) -> Aftermath {
        let clue = Clue {
            said: 0..message.len() as u64,
            line: message.to_owned(),
            path: Some(path.into()),
            ..Clue::default()
        };
        Aftermath::of(&Transcript::whole(format!("{message}\n{rest}").into_bytes()), &clue)
    }

    const CAT: (&str, &str) = ("cat: /etc/none/a.ini: No such file or directory", "/etc/none/a.ini");
    const OPEN: (&str, &str) =
        ("FileNotFoundError: [Errno 2] No such file or directory: '/etc/none/a.ini'", "/etc/none/a.ini");
    const CHAIN: &str = "\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"p.py\", line 4, in <module>\n";

    #[test]
    fn an_error_with_a_reason_of_its_own_ends_it_otherwise() {
        for rest in [
            "configure: error: zlib is required\n",
            "building\nFATAL: schema version 7 is too new\n",
            "json.decoder.JSONDecodeError: Expecting property name: line 1\n",
            "error[E0308]: mismatched types\n --> src/main.rs:1:1\n",
            "cat: unrecognized option '--a.ini'\n",
        ] {
            assert!(matches!(after(CAT.0, CAT.1, rest), Aftermath::Otherwise(_)), "{rest}");
        }
        let handled = format!("{CHAIN}KeyError: 'PORT'\n");
        assert!(matches!(after(OPEN.0, OPEN.1, &handled), Aftermath::Otherwise(_)));
    }

    #[test]
    fn what_follows_from_a_message_leaves_it_the_reason() {
        for rest in [
            "",
            "make: *** [Makefile:2: all] Error 1\n",
            "cat: write error\n",
            "install: error: a.ini is not there\n",
            "Error: Process completed with exit code 1.\n",
            "[notice] A new release of pip is available\n",
            "subprocess.CalledProcessError: Command 'x' returned non-zero exit status 1.\n",
            "error: bad\nsummary: /etc/none/a.ini: No such file or directory\n",
            "    at Object.openSync (node:fs:601:3)\n\nNode.js v18.19.0\n",
        ] {
            assert_eq!(after(CAT.0, CAT.1, rest), Aftermath::Open, "{rest}");
        }
        let cause = "\nThe above exception was the direct cause of the following exception:\n\nKeyError: 'PORT'\n";
        assert_eq!(after(OPEN.0, OPEN.1, cause), Aftermath::Open);
    }

    #[test]
    fn what_may_follow_from_a_message_is_doubtful() {
        let handled = format!("{CHAIN}RuntimeError: bad set-up\n");
        for rest in ["setup: error: cannot go on\n", "the port must be a number\n", &handled] {
            assert!(matches!(after(OPEN.0, OPEN.1, rest), Aftermath::Doubtful(_)), "{rest}");
        }
    }

    #[test]
    fn an_output_ends_with_a_reason_or_without_one() {
        let ending = |text: &str| Aftermath::ending(&Transcript::whole(text.as_bytes().to_vec()));
        assert_eq!(
            ending("a\nZeroDivisionError: division by zero\n").as_deref(),
            Some("ZeroDivisionError: division by zero")
        );
        assert!(ending("x.c:1:1: error: expected ';'\nmake: *** [all] Error 1\n").is_none());
        assert!(["", "error: cannot go on\n", "it stopped\n"].into_iter().all(|text| ending(text).is_none()));
    }

    #[test]
    fn what_is_done_instead_is_dealt_with() {
        for rest in
            ["INFO  using defaults\nFATAL: x\n", "using in-memory cache\nready\n", "Falling back to polling\nx\n"]
        {
            assert!(matches!(after(CAT.0, CAT.1, rest), Aftermath::DealtWith(_)), "{rest}");
        }
        assert!(matches!(after(CAT.0, CAT.1, "INFO  using defaults\n"), Aftermath::Otherwise(_)));
        let left_out = "*** Skipping any contents from this failed directory ***\n";
        assert_eq!(after(CAT.0, CAT.1, left_out), Aftermath::Open);
    }

    #[test]
    fn what_follows_an_error_with_a_reason_of_its_own_is_doubtful() {
        let said = |before: &str| {
            let clue = Clue {
                said: before.len() as u64..(before.len() + CAT.0.len()) as u64,
                line: CAT.0.to_owned(),
                path: Some(CAT.1.into()),
                ..Clue::default()
            };
            Aftermath::of(&Transcript::whole(format!("{before}{}\n", CAT.0).into_bytes()), &clue)
        };
        assert!(matches!(said("error: 3 is not 4\n"), Aftermath::Doubtful(_)));
        for before in ["", "compiling\n", "error: build failed\n", "error: a.ini is needed\n", "error: cannot start\n"]
        {
            assert_eq!(said(before), Aftermath::Open, "{before}");
        }
    }

    #[test]
    fn what_a_test_found_afterwards_is_another_reason() {
        let logged = "    x_test.go:7: open /etc/none/a.ini: no such file or directory";
        let found = after(logged, CAT.1, "    x_test.go:8: 2 != 3\n--- FAIL: TestX (0.00s)\nFAIL\n");
        assert!(matches!(found, Aftermath::Otherwise(_)));
        let compared = "org.junit.ComparisonFailure: expected:<ok> but was:<cat: /etc/none/a.ini: no>\n";
        assert!(matches!(after(CAT.0, CAT.1, compared), Aftermath::Otherwise(_)));
        let counted =
            "[ERROR]   ATest.eq:12 expected:<ok> but was:<cat: /etc/none/a.ini>\n[ERROR] Tests run: 2, Failures: 1\n";
        assert!(matches!(after(CAT.0, CAT.1, counted), Aftermath::Otherwise(_)));
        for rest in ["    x_test.go:8: 2 != 3\n", "#   Failed test 'own'\n", "Expected: 1\n  Actual: 2\n"] {
            assert!(matches!(after(CAT.0, CAT.1, rest), Aftermath::Otherwise(_)), "{rest}");
        }
        for rest in ["--- FAIL: TestX (0.00s)\n", "\t/srv/x_test.go:6 +0x51\n"] {
            assert_eq!(after(CAT.0, CAT.1, rest), Aftermath::Open, "{rest}");
        }
    }

    #[test]
    fn what_a_trace_ends_with_is_the_message_of_its_lines() {
        let line = "    raise OSError('out of pty devices')";
        assert_eq!(after(line, "/dev/ptmx", "OSError: out of pty devices\n"), Aftermath::Open);
    }

    #[test]
    fn an_exception_of_the_program_is_no_summary_though_it_has_the_name() {
        const WRITE: (&str, &str) = ("EROFS: read-only file system, open 'ro/cache.json'", "ro/cache.json");
        let shown = "[eval]:1\nwrite('ro/cache.json').map(f)\n                      ^\n\n";
        let clue = |rest: &str| {
            let clue = Clue {
                said: 0..WRITE.0.len() as u64,
                line: WRITE.0.to_owned(),
                path: Some(WRITE.1.into()),
                errno: Some(crate::sys::errno::Errno::EROFS),
                ..Clue::default()
            };
            Aftermath::of(&Transcript::whole(format!("{}\n{rest}", WRITE.0).into_bytes()), &clue)
        };
        for rest in ["TypeError: f is not a function\n    at [eval]:1:3\n", "AssertionError: 2 != 3\n"] {
            assert!(matches!(clue(&format!("{shown}{rest}")), Aftermath::Otherwise(_)), "{rest}");
        }
        for rest in ["TypeError: ro/cache.json is not a function\n", "KeyError: 'cache.json'\n"] {
            assert!(matches!(clue(&format!("{shown}{rest}")), Aftermath::Raised(_)), "{rest}");
        }
        assert_eq!(clue("ValueError: EROFS: read-only file system, open 'ro/cache.json'\n"), Aftermath::Open);
        assert_eq!(clue("Error: EROFS: read-only file system, open 'ro/cache.json'\n"), Aftermath::Open);
    }

    #[test]
    fn a_time_before_a_message_is_no_program() {
        let (first, last) =
            ("2024/01/01 00:00:00 open /a/b.yml: no such file", "2024/01/01 00:00:00 panic: index out of range\n");
        assert!(matches!(after(first, "/a/b.yml", last), Aftermath::Otherwise(_)));
    }

    #[test]
    fn an_assertion_that_quotes_a_message_has_a_reason_of_its_own() {
        let compared = format!("{CHAIN}AssertionError: 'denied' not found in \"{}\"\n", OPEN.0);
        assert!(matches!(after(OPEN.0, OPEN.1, &compared), Aftermath::Otherwise(_)));
    }
}
