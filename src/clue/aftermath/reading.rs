//! How a line reads that a program wrote before or after a message: as an error with a reason of its own, or as one that may follow from
//! the message. Nothing here asks the machine; it only keeps a claim from being surer than the output lets it be.

use crate::clue::Clue;
use crate::clue::lines::exception::is_own_fault;
use crate::clue::lines::jobs::time;
use crate::text::has_name;
use std::path::PathBuf;

/// Lines that tell where more is to be read, or what else could be done.
const ASIDES: &[&str] = &[
    "notice",
    "hint",
    "info",
    "note",
    "warn",
    "debug",
    "help",
    "see",
    "try",
    "usage",
    "tip",
    "node.js v",
    "traceback",
    "stack trace",
    // Node.js and Ruby, of a file that they were to load.
    "require stack",
    "did you mean",
];

/// Words of lines that only tell that something failed.
const GENERAL: &[&str] = &[
    "fail",
    "exit",
    "abort",
    "***",
    "status",
    "terminated",
    "stopp",
    "interrupt",
    "previous",
    "gave up",
    "giving up",
    "unsuccessful",
    "incomplete",
    "return",
    "did not",
    "not created",
    "not installed",
    "not built",
    "not completed",
    "quit",
    "command",
    "subprocess",
    "dumped",
    "killed",
    "due to",
    "because",
    "caused by",
    "compiled with",
    "errors occurred",
    "error occurred",
    "encountered",
    "complete log",
    "went wrong",
    "internal server error",
    "unexpected error",
    "unknown error",
];

/// Words of lines that miss something: perhaps what the message is about.
const MISSING: &[&str] = &[
    "could not",
    "couldn't",
    "cannot",
    "can't",
    "can not",
    "unable",
    "not found",
    "missing",
    "no such",
    "not exist",
    "available",
    "not readable",
    "not writable",
    "undefined",
    "null",
    "none",
];

/// Words of a program that could not do what it wanted.
const UNABLE: &[&str] = &["could not", "couldn't", "cannot", "can't", "can not", "unable"];

/// Words of lines that tell a reason: what they look for is not there.
const ABSENT: &[&str] =
    &["not found", "missing", "no such", "not exist", "undefined", "null", "none", "invalid", "unknown"];

/// What a program could not do with a text: its reason is in the text.
const OF_TEXTS: &[&str] = &["parse", "decode", "deserialize", "convert", "validate", "interpret", "compile"];

/// Words that begin an error.
const MARKS: &[&str] = &["error", "fatal", "panic", "critical", "crit", "e", "bug", "err!", "assertion"];

/// Words of a program that was called wrongly (getopt(3), clap, argparse, Go's flag and pflag): whatever it met before, it ends for that.
const OF_USAGE: &[&str] = &[
    "arguments are required: ",
    "expected one argument",
    "flag provided but not defined",
    "illegal option",
    "invalid choice: ",
    "invalid int value: ",
    "invalid option --",
    "invalid value '",
    "no such option",
    "unexpected argument '",
    "unknown command \"",
    "unknown flag",
    "unknown option",
    "unknown shorthand flag",
    "unrecognised option",
    "unrecognized argument",
    "unrecognized option",
];

/// Bytes of a name below which a line has it by chance: `x` is not a function.
const SHORTEST_NAME: usize = 3;

/// Parts of paths that tell nothing.
const COMMON: &[&str] = &["home", "root", "local", "share", "this", "that"];

/// Words of what a program itself found wrong with its own values, or with a text that it reads: they have `fail` in them and a reason.
const OF_VALUES: &[&str] = &[
    "assertion failed",
    "assertion `",
    "panicked at",
    "syntax error",
    "parse error",
    "tests failed",
    "test failed",
    // make(1), of its makefile.
    "*** no rule to make target",
    "*** missing separator",
    "*** no targets",
];

/// Whether a line is an error that says nothing but that something failed.
pub fn is_general(line: &str) -> bool {
    (has(line, GENERAL) || is_error_number(line) || is_count(line)) && !has(line, OF_VALUES) && !compares(line)
}

/// `1 error generated.`, `Found 2 errors`: how a compiler ends.
fn is_count(line: &str) -> bool {
    let line = line.trim();
    let (count, rest) = line.strip_prefix("Found ").unwrap_or(line).split_once(' ').unwrap_or_default();
    count.parse::<u32>().is_ok() && (rest.starts_with("error") || rest.starts_with("warning"))
}

/// Whether a line has a value beside the one that was wanted: `check 2 failed: expected 4, got 5`.
fn compares(line: &str) -> bool {
    has(line, &["expected "]) && has(line, &[" got", " but ", "actual", " found", "received"])
}

/// Whether a line says that something could not be done, and nothing of why.
#[must_use]
pub fn only_says_that_it_failed(line: &str) -> bool {
    let is_refusal = has(line, UNABLE) || is_general(line);
    is_refusal && !has(line, ABSENT) && !has(line, OF_TEXTS) && !is_own_fault(line)
}

/// Whether a line speaks of what the message speaks of: the same words of a path, or the same program.
pub fn goes_with(line: &str, clue: &Clue) -> bool {
    shares_a_word(line, clue) || is_by_same_program(line, clue)
}

/// Whether a line may follow from something that is missing, or does not call itself an error.
pub fn is_doubtful(line: &str) -> bool {
    has(line, MISSING) || !is_marked(line)
}

/// `Error 2`, as make counts.
fn is_error_number(line: &str) -> bool {
    let behind = line.split("rror ").nth(1);
    behind.and_then(|rest| rest.chars().next()).is_some_and(|first| first.is_ascii_digit())
}

/// Whether a line says something itself, and does not go on with a line before it.
pub fn is_statement(line: &str) -> bool {
    let begins = line.trim_start_matches(['[', '-', '*', ' ']).to_lowercase();
    let is_aside = ASIDES.iter().any(|word| begins.starts_with(word));
    let is_chain = line.starts_with("During handling of") || line.starts_with("The above exception");
    let goes_on = line.starts_with(char::is_whitespace) || is_chain || is_listed(line);
    line.contains(char::is_alphanumeric) && !is_aside && !goes_on
}

/// Whether a line is one of a list below a message: the files that led to it (`- /srv/app/index.js`), or the calls (`#0 {main}`).
fn is_listed(line: &str) -> bool {
    let is_call = line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
    is_call || line.starts_with("- /")
}

/// Whether a line holds one of these words, which are in small letters, whatever its own are.
pub fn has(line: &str, words: &[&str]) -> bool {
    let line = line.to_lowercase();
    words.iter().any(|word| line.contains(word))
}

/// Whether a line calls itself an error, or is an exception.
pub fn is_marked(line: &str) -> bool {
    let first = line.split([':', ' ']).next().unwrap_or_default();
    let is_exception = first.ends_with("Error") || first.ends_with("Exception");
    let mut words =
        line.split_whitespace().take(4).map(|word| word.trim_matches(['[', ']', '(', ')', ':', '*']).to_lowercase());
    is_exception
        || is_own_fault(line)
        || is_of_usage(line)
        || line.contains(": *** ")
        || words.any(|word| MARKS.contains(&&*word) || word.starts_with("error["))
}

/// Whether a line says that the program was called wrongly.
pub fn is_of_usage(line: &str) -> bool {
    has(line, OF_USAGE)
}

/// How lines begin that tell what a test found, behind blanks and the marks `E` of pytest and `#` of TAP: those of Bats, Catch2, `ExUnit`, Jest,
/// minitest, `PHPUnit`, Python, `RSpec`, Rust, shUnit2 and `Test::More`.
const OF_TESTS: &[&str] = &[
    "ASSERT:",
    "Assertion with ",
    "CHECK( ",
    "Expected objects to be ",
    "Expected: ",
    "Failed asserting that ",
    "Failed test '",
    "Failed test at ",
    "Failure/Error: expect(",
    "Failure/Error: it(",
    "REQUIRE( ",
    "`[ ",
    "`[[ ",
    "assert ",
    "assertion `",
    "assertion failed: ",
    "expect(received)",
];

/// Words in such lines of Google Test, test-unit, `XCTest` and xUnit.
const WITHIN_TESTS: &[&str] = &["() Failure", "> but was:", "> expected but was", ": XCTAssert"];

/// Whether a line tells of what a test found: `x_test.go:8: 2 != 3` of Go, `a.cc:8: Failure` of Google Test, `E       assert 1 == 2` of pytest.
#[must_use]
pub fn is_of_test(line: &str) -> bool {
    let said = line.trim_start();
    let place = said.split_once("_test.go:").map_or("", |(_, rest)| rest);
    let is_of_go =
        line.len() > said.len() && place.split_once(": ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    let marked = said.trim_start_matches('#').trim_start();
    let marked = marked.strip_prefix("E  ").map_or(marked, str::trim_start);
    is_of_go
        || OF_TESTS.iter().any(|words| marked.starts_with(words))
        || WITHIN_TESTS.iter().any(|words| said.contains(words))
        || said.strip_suffix(": Failure").is_some_and(|place| place.ends_with(|last: char| last.is_ascii_digit()))
}

/// Whether a line of a test is about how another program ended: a message of that one may well be why.
#[must_use]
pub fn is_of_status(line: &str) -> bool {
    has(line, &["status", "success", "returncode", "exit_code", "exitcode", "exit code"])
}

/// Whether a line has the kernel's words for the errno of a message, or its name.
pub fn has_errno(line: &str, clue: &Clue) -> bool {
    let Some(errno) = clue.errno else { return false };
    let words = errno.desc().to_lowercase();
    line.to_lowercase().contains(&words) || line.contains(&crate::sys::errno::name(errno))
}

/// Whether a line tells of something that it could not do or does not have, as may follow from what failed before.
#[must_use]
pub fn misses_something(line: &str) -> bool {
    has(line, MISSING)
}

/// Whether a line names a part of what the message is about, behind the name of the program that says it.
fn shares_a_word(line: &str, clue: &Clue) -> bool {
    let paths = || [&clue.path, &clue.other_path].into_iter().flatten();
    let told = paths().map(|path| path.to_string_lossy().into_owned());
    let told =
        told.chain(clue.subject.clone()).chain(clue.program.clone()).collect::<Vec<_>>().join(" ").to_lowercase();
    let said = line.split_once(": ").map_or(line, |(_, said)| said).to_lowercase();
    let is_named = |path: &PathBuf| path.file_name().is_some_and(|name| is_named(line, &name.to_string_lossy()));
    paths().any(is_named) || words(&told).any(|told| words(&said).any(|said| is_same_word(told, said)))
}

/// Whether a line has a name, which is long enough to be no word by chance.
fn is_named(line: &str, name: &str) -> bool {
    name.len() >= SHORTEST_NAME && has_name(line, name)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| word.len() > 3 && !COMMON.contains(word))
}

/// Whether two words are the same but for an ending: `config` and `configs`.
fn is_same_word(one: &str, other: &str) -> bool {
    one.len().abs_diff(other.len()) <= 3 && (one.starts_with(other) || other.starts_with(one))
}

/// Whether both lines begin with the same name of a program; the time and the word for an error are no names.
fn is_by_same_program(line: &str, clue: &Clue) -> bool {
    let first = |line: &str| {
        let said = line.get(time(line.as_bytes())..).unwrap_or(line);
        let word = said.split_whitespace().next().unwrap_or_default();
        word.split(['[', ':']).next().unwrap_or_default().to_lowercase()
    };
    let (name, other) = (first(line), first(&clue.line));
    !name.is_empty() && name == other && !MARKS.contains(&&*name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_counts_go_on_with_a_message() {
        assert!(
            ["- /srv/app/index.js", "#0 {main}", "Require stack:", "Did you mean?  foo"]
                .iter()
                .all(|line| !is_statement(line))
        );
        assert!(["1 error", "2 errors generated.", "1 error and 2 warnings"].iter().all(|line| is_general(line)));
        assert!(is_statement("# a heading") && !is_general("12 monkeys errored"));
        assert!(is_general("Error: Internal Server Error") && !is_general("Error: schema 7 is too new"));
    }

    #[test]
    fn what_a_test_found_is_known_of_many_frameworks() {
        for line in [
            "    x_test.go:8: 2 != 3",
            "#   Failed test 'own'",
            "#   `[ 1 = 2 ]' failed",
            "   `[ 1 = 2 ]' failed",
            "E       assert 1 == 2",
            "/src/a.cc:8: Failure",
            "/src/A.swift:7: error: -[X.A testOwn] : XCTAssertEqual failed: (\"1\") is not equal to (\"2\")",
            "   Assert.Equal() Failure: Values differ",
            "Failed asserting that 2 is identical to 1.",
            "     Assertion with == failed",
            "     Failure/Error: expect(1).to eq 2",
            "assertion `left == right` failed",
            "ASSERT:expected:<1> but was:<2>",
            "expect(received).toBe(expected) // Object.is equality",
        ] {
            assert!(is_of_test(line), "{line}");
        }
        for line in [
            "FAILED test_a.py::test_open - PermissionError: [Errno 13] Permission denied: '/x'",
            "     Failure/Error: File.write(\"/x\", \"x\")",
            "   `touch /x' failed",
            "--- FAIL: TestX (0.00s)",
            "error: asserted",
            "Failure: /x could not be opened",
        ] {
            assert!(!is_of_test(line), "{line}");
        }
    }

    #[test]
    fn a_text_that_could_not_be_read_is_a_reason() {
        assert!(only_says_that_it_failed("could not start the worker"));
        assert!(!only_says_that_it_failed("could not parse the value 3x of size"));
    }
}
