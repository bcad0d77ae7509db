//! Messages that a line shows as something that it is about: a value that was read or compared, the text of an exception, what a server
//! answered. They were said somewhere, and what they say may well be so on this machine; why the command failed is another question.

use super::compared::is_met;
use super::exception::is_own_fault;
use super::frame::is_marks;
use super::page::Page;
use crate::clue::search::pattern::compiled;
use crate::clue::written::ERRNO_BEGIN;
use regex_automata::meta::Regex;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// How a line has a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shown {
    /// As what it says itself.
    #[default]
    Said,
    /// As what another one said, which may be the reason that is handed on.
    Retold,
    /// As a value that the line tells something else of.
    Value,
}

/// Lines above in which a server's status, a heading or an opened quotation is looked for.
const ABOVE: usize = 24;

/// Lines of an output below the words that introduce it.
const INTRODUCED: usize = 5;

/// Words for a value that a program could not take, before the value; none is said of a failure.
const REJECTED: &[&str] = &[
    "assertion '",
    "cannot use",
    "invalid argument",
    "invalid character",
    "invalid date",
    "invalid float",
    "invalid int",
    "invalid integer",
    "invalid literal",
    "invalid number",
    "invalid numeric",
    "invalid option",
    "invalid syntax",
    "invalid value",
    "input string",
    "key not found",
    "keyerror",
    "not found in",
    "not valid json",
    "parsing '",
    "pathspec",
    "syntax error",
    "unexpected token",
];

/// What programs say of their data alone: jq of what stands at a place of it, bash of an arithmetic expression.
const OF_DATA: &[&[u8]] = &[b"jq: error (at ", b"syntax error in expression"];

/// Words of an exception that tells of a text which it could not take.
const OF_TEXTS: &[&str] =
    &["bad ", "decod", "expect", "invalid", "malformed", "pars", "unexpected", "unhandled", "unknown", "unsupported"];
/// Exceptions that tell of what a program itself did wrong and hand on reasons as well.
const OF_ARGUMENTS: &[&str] =
    &["IllegalArgumentException", "IllegalStateException", "InvalidArgumentException", "UnexpectedValueException"];

/// A failure that a server answered with: `HTTP 403`, `"code": 500`, `answered 404:`.
static STATUS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(
        r#"(?:HTTP(?:/[0-9.]+)?|[Ss]tatus(?:[ _]?[Cc]ode)?|"code"|[Ee]rror code|answered|responded with|returned error)"?[ :=(]{1,3}"?[45][0-9]{2}(?:[^0-9.]|$)"#,
    )
});

/// The heading of what a test wrote before it failed, by pytest, Jest, Gradle and `VSTest`.
const CAPTURED: &[&[u8]] = &[
    b" Captured std",
    b" Captured log",
    b"console.error",
    b"console.log",
    b"console.warn",
    b" STANDARD_ERR",
    b" STANDARD_OUT",
    b"Standard Error Messages:",
    b"Standard Output Messages:",
];

/// Commands that only compare, as Bats names the one at which a test failed.
const COMPARING: &[&[u8]] = &[b"`[ ", b"`[[ ", b"`assert", b"`false'", b"`refute"];

/// How a line has its message.
pub fn shown(page: &Page, line: usize) -> Shown {
    let text = page.normal_text(line);
    let above = || page.of_same_job(line, false).take(ABOVE);
    match () {
        () if is_met(text) || is_answer(text, above) || is_captured(above) || is_within_value(above) => Shown::Value,
        () => of_exception(text, above().next()).unwrap_or_else(|| {
            let is_retold = enclosed(text).is_some() || is_of_assertion(above());
            if is_retold { Shown::Retold } else { Shown::Said }
        }),
    }
}

/// Whether a line only tells that it could not take a value, which has the words for an errno in it.
pub fn is_rejected(text: &[u8]) -> bool {
    if OF_DATA.iter().any(|words| {
        text.starts_with(words)
            || memchr::memmem::find(text, words).is_some_and(|at| at > 0 && text[..at].ends_with(b" : "))
    }) {
        return true;
    }
    let Some(begin) = enclosed(text) else { return false };
    let before = String::from_utf8_lossy(&text[..=begin]).to_lowercase();
    REJECTED.iter().any(|words| before.contains(words))
}

/// Where the quotation begins that has a whole message in it: the words for an errno and something before them.
fn enclosed(text: &[u8]) -> Option<usize> {
    let errno = memchr::memchr(ERRNO_BEGIN, text)?;
    let mut open: Option<(usize, u8)> = None;
    for (at, byte) in text[..errno].iter().copied().enumerate() {
        let before = at.checked_sub(1).map(|before| text[before]);
        let next = text.get(at + 1);
        match open {
            Some((_, mark))
                if byte == mark && next.is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'/') =>
            {
                open = None;
            }
            None if matches!(byte, b'"' | b'\'') && before.is_none_or(|before| b" ([{<=:,\"".contains(&before)) => {
                open = Some((at, byte));
            }
            _ => {}
        }
    }
    let (begin, mark) = open?;
    let is_message = text[begin + 1..errno].contains(&b' ');
    let is_end = |end: usize| text.get(end + 1).is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'/');
    let is_closed = memchr::memchr_iter(mark, &text[errno..]).any(|end| is_end(errno + end));
    (is_message && is_closed).then_some(begin)
}

/// How an exception of the program's own has a message; none where the line is no such exception. Its name may be all that the line `above`
/// has, as `RSpec` tells it.
fn of_exception(text: &[u8], above: Option<&[u8]>) -> Option<Shown> {
    let errno = memchr::memchr(ERRNO_BEGIN, text)?;
    let name = above.map(<[u8]>::trim_ascii_start).filter(|line| line.ends_with(b"Error:") && !line.contains(&b' '));
    let line = [name.unwrap_or_default(), text.trim_ascii_start()].join(&b' ');
    let line = String::from_utf8_lossy(&line);
    let said = line.trim_start();
    let said = said.strip_prefix("E ").map_or(said, str::trim_start);
    let said = said.split_once(" - ").filter(|(head, _)| head.starts_with("FAILED ")).map_or(said, |(_, said)| said);
    let before = String::from_utf8_lossy(&text[..errno]);
    let is_of_arguments = OF_ARGUMENTS.iter().any(|name| before.contains(name));
    if !is_own_fault(said) && !is_of_arguments {
        return None;
    }
    let before = before.split_once("Exception: ").or_else(|| before.split_once("Error: ")).map_or(&*before, |(_, b)| b);
    let before = before.to_lowercase();
    let is_of_text = OF_TEXTS.iter().any(|words| before.contains(words));
    if is_of_text { Some(Shown::Value) } else { (!is_of_arguments).then_some(Shown::Retold) }
}

/// Whether a line is part of what a server answered.
fn is_answer<'a, I: Iterator<Item = &'a [u8]>>(text: &[u8], above: impl Fn() -> I) -> bool {
    let is_status = |text: &[u8]| STATUS.as_ref().is_some_and(|status| status.is_match(text));
    let said = &text[..memchr::memchr(ERRNO_BEGIN, text).unwrap_or(text.len())];
    if is_status(said) {
        return true;
    }
    // What goes on below: an object, an element or a line that was opened.
    let is_set_in = text.first().is_some_and(|first| first.is_ascii_whitespace() || *first == b'<');
    is_set_in && above().take_while(|line| !line.is_empty()).any(is_status)
}

/// Whether a line is of what a test wrote before it failed.
fn is_captured<'a, I: Iterator<Item = &'a [u8]>>(above: impl Fn() -> I) -> bool {
    let is_heading = |line: &[u8]| CAPTURED.iter().any(|words| memchr::memmem::find(line, words).is_some());
    let is_rule = |line: &[u8]| line.starts_with(b"---") || line.starts_with(b"===") || line.starts_with(b"___");
    let is_failed = |line: &[u8]| line.ends_with(b"' failed");
    let is_compared = |line: &[u8]| {
        let command = line.trim_ascii_start();
        let command = command.strip_prefix(b"#").unwrap_or(command).trim_ascii_start();
        is_failed(line) && COMPARING.iter().any(|words| command.starts_with(words))
    };
    let mut headings = above().filter(|line| is_rule(line) || is_heading(line) || is_failed(line));
    headings.next().is_some_and(|heading| is_heading(heading) || is_compared(heading))
}

/// Whether a line is the text that a test gives an assertion for when it fails: below the place of it, by minitest and `RSpec`.
fn is_of_assertion<'a>(mut above: impl Iterator<Item = &'a [u8]>) -> bool {
    let Some(first) = above.next() else { return false };
    let is_of_minitest = first.ends_with(b"]:") && above.next().is_some_and(|line| line.ends_with(b" Failure:"));
    let said = first.trim_ascii_start();
    is_of_minitest || said.starts_with(b"Failure/Error: ") && memchr::memmem::find(said, b"expect(").is_some()
}

/// Whether a line is of a value over several lines, of which the quotation was opened behind the word for it, or of an output that is told to
/// be another one.
fn is_within_value<'a, I: Iterator<Item = &'a [u8]>>(above: impl Fn() -> I) -> bool {
    const VALUES: &[&str] = &["received", "expected", "actual", "got"];
    const OTHERWISE: &[&str] = &["differ", "expected", "mismatch", "not in output", "assertion failed"];
    let lower = |line: &[u8]| String::from_utf8_lossy(line).trim().to_lowercase();
    let opens = |line: &str| {
        let (name, value) = line.split_once(':').unwrap_or_default();
        let value = value.trim_start();
        VALUES.iter().any(|word| name.starts_with(word)) && value.starts_with('"') && value.matches('"').count() == 1
    };
    let ends = |line: &str| line.ends_with('"') && line.matches('"').count() == 1;
    let introduces = |line: &str| line.ends_with(':') && OTHERWISE.iter().any(|words| line.contains(words));
    if above().take(INTRODUCED).map(lower).any(|line| introduces(&line)) {
        return true;
    }
    let mut lines = above().map(lower);
    lines.by_ref().find(|line| opens(line) || ends(line)).is_some_and(|line| opens(&line))
}

/// Whether a line is the source that a compiler or an interpreter shows: below it stand marks for a place in it, or above it the place of a
/// call that Python tells.
pub fn is_source_of_place(line: &[u8], above: Option<&[u8]>, below: Option<&[u8]>) -> bool {
    let is_place = |above: &[u8]| {
        let above = above.trim_ascii_start();
        above.starts_with(b"File \"") && memchr::memmem::find(above, b"\", line ").is_some()
    };
    let is_set_in = line.first().is_some_and(u8::is_ascii_whitespace);
    below.is_some_and(is_marks) || is_set_in && above.is_some_and(is_place)
}

/// Whether a line is within the text of a page of a server: between `<html` and its end, or an element of XML.
pub fn is_markup<'a>(text: &[u8], mut above: impl Iterator<Item = &'a [u8]>) -> bool {
    let behind = memchr::memchr(ERRNO_BEGIN, text).map_or(&b""[..], |errno| &text[errno..]);
    if memchr::memmem::find(behind, b"</").is_some() {
        return true;
    }
    let has = |line: &[u8], words: &[u8]| memchr::memmem::find(line, words).is_some();
    above.find(|line| has(line, b"<html") || has(line, b"</html")).is_some_and(|line| !has(line, b"</html"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clue::language::errno_words::Words;
    use crate::transcript::Transcript;

    fn of_last(output: &str) -> (bool, Shown) {
        let words = Words::new(None);
        let page = Page::of(&Transcript::whole(output.as_bytes().to_vec()), &words);
        let line = (0..page.len()).rfind(|line| page.normal_text(*line).contains(&ERRNO_BEGIN)).unwrap();
        (page.is_quotation(line), shown(&page, line))
    }

    #[test]
    fn a_value_that_could_not_be_taken_is_no_message() {
        for line in [
            "ValueError: invalid literal for int() with base 10: 'cat: /x: Permission denied'",
            "jq: error (at y:1): Invalid numeric literal at line 1, column 4 (while parsing 'cat: /x: Permission denied')",
            "date: invalid date ‘cat: /x: Permission denied’",
            "jq: error (at y.json:1): cat: /x: Permission denied",
            "bash: line 1: cat: /x: Permission denied : syntax error in expression (error token is \": /x\")",
            "x.json:1: parser error : Start tag expected, '<' not found\ncat: /x: Permission denied\n^",
            "KeyError: 'cat: /x: Permission denied'",
            "d: d.c:2: main: Assertion `!\"cat: /x: Permission denied\"' failed.",
            "./y.go:2:13: cannot use \"open /x: permission denied\" (untyped string constant) as int value",
            "Exception in thread \"main\" java.lang.NumberFormatException: For input string: \"cat: /x: Permission denied\"",
        ] {
            assert!(of_last(line).0, "{line}");
        }
    }

    #[test]
    fn source_and_pages_are_no_messages() {
        for text in [
            "B.java:1: error: incompatible types\nint f() { return \"cat: /x: Permission denied\"; }\n             ^\n",
            "a.ts:1:7 - error TS2322: no\n\n1 const x: number = \"cat: /x: Permission denied\";\n        ~\n",
            "  File \"t.py\", line 3, in f\n    g(\"cat: /x: Permission denied\")\nTypeError: x\n",
            "<Error><Message>cat: /x: Permission denied</Message></Error>\n",
            "<html><body>\n<pre>OSError\nOSError: [Errno 13] Permission denied: '/x'\n</pre></body></html>\n",
        ] {
            assert!(of_last(text).0, "{text}");
        }
    }

    #[test]
    fn what_a_test_met_and_a_server_answered_is_a_value() {
        for text in [
            "    x_test.go:4: got \"open /x: permission denied\", want \"ok\"\n",
            "    x_test.go:6: Parse() error = open /x: permission denied, wantErr nil\n",
            "HTTP 403: cat: /x: Permission denied\n",
            "Error: server answered 403: {\"error\": \"open /x: Permission denied\"}\n",
            "{\n  \"code\": 403,\n  \"message\": \"open /x: Permission denied\",\n",
            "ValueError: cannot parse line 3: cat: /x: Permission denied\n",
            "    Received string:    \"x\n    cat: /x: Permission denied\n    y\"\n",
            "FAIL: output differs; got:\nstart\ncat: /x: Permission denied\n",
            "---- Captured stderr call ----\ncat: /x: Permission denied\n",
            "ATest > eq() STANDARD_ERR\n    cat: /x: Permission denied\n",
            "#   `[ \"$output\" = ok ]' failed\n# cat: /x: Permission denied\n",
            "     got: cat: /x: Permission denied\n",
            "Failed asserting that 'cat: /x: Permission denied' contains \"ok\".\n",
            "org.junit.ComparisonFailure: expected:<[ok]> but was:<[cat: /x: Permission denied]>\n",
            "     ArgumentError:\n       bad line: cat: /x: Permission denied\n",
            "** (ArgumentError) bad line: cat: /x: Permission denied\n",
        ] {
            assert_eq!(of_last(text), (false, Shown::Value), "{text}");
        }
    }

    #[test]
    fn what_may_be_handed_on_is_retold() {
        for line in [
            "  1) Failure:\nT#test_msg [t.rb:8]:\ntouch: cannot touch '/x': Permission denied",
            "     Failure/Error: it(\"x\") { expect(out).to be_empty, out }\n\n       touch: cannot touch '/x': Permission denied",
            "AssertionError: touch: cannot touch '/x': Permission denied",
            "E       AssertionError: touch: cannot touch '/x': Permission denied",
            "error: \"EACCES: permission denied, open '/x'\"",
            "worker said 'cat: /x: Permission denied'.",
        ] {
            assert_eq!(of_last(line), (false, Shown::Retold), "{line}");
        }
    }

    #[test]
    fn messages_stay() {
        for line in [
            "touch: cannot touch '/x': Permission denied",
            "PermissionError: [Errno 13] Permission denied: '/x'",
            "OSError: (13, 'Permission denied')",
            "open \"/x\": permission denied",
            "    x_test.go:7: open /x: permission denied",
            "can't open '/x': Permission denied",
            "Finished in 0.001219s, 820.3789 runs/s, 0.0000 assertions/s.\n\n  1) Error:\nT#test_open:\nErrno::EROFS: Read-only file system @ rb_sysopen - /x",
            "test failed, output:\ntouch: cannot touch '/x': Permission denied",
            "Exception in thread \"main\" java.io.FileNotFoundException: /x (Permission denied)",
            "sh: 1: cannot create /x/'a': Permission denied",
            "#   `touch /x' failed\n# touch: cannot touch '/x': Permission denied",
            "     Failure/Error: File.write(\"/x\", \"a\")\n     Errno::EACCES:\n       Permission denied @ rb_sysopen - /x",
        ] {
            assert_eq!(of_last(line), (false, Shown::Said), "{line}");
        }
    }
}
