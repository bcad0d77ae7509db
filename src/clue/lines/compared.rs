//! What a test wanted to see. A test of how a program deals with a full disk has the kernel's words in it, and shows them when it fails
//! for whatever reason. What it wanted is no message; what it got may be one.

use crate::clue::written::ERRNO_BEGIN;

/// Words before the value that was wanted.
const WANTED: &[&str] = &["equal", "expect", "expected", "expecting", "match", "want", "wanted", "wants"];
/// Words before the value that was met, or before what was not wanted.
const MET: &[&str] =
    &["actual", "actually", "but", "failed", "got", "nil", "no", "none", "not", "received", "unexpected", "was"];
/// Lines above a difference in which its signs are told.
const LEGEND: usize = 14;
/// Operators and words between two values that an assertion of Python compared.
const BETWEEN: &[&str] = &[" != ", " == ", " not found in ", " unexpectedly found in ", " is not "];

/// Whether the words for an errno stand behind a word for what was wanted: `got "ok", want "x: read-only file system"`. `text` is in
/// normal form.
pub fn is_wanted(text: &[u8]) -> bool {
    let Some(errno) = memchr::memchr(ERRNO_BEGIN, text) else { return false };
    let before = String::from_utf8_lossy(&text[..errno]).to_lowercase();
    let mut telling = words_of(&before).filter(|(word, _)| WANTED.contains(word) || MET.contains(word)).peekable();
    let mut was_met = false;
    while let Some((word, behind)) = telling.next() {
        if telling.peek().is_none() {
            // A file may be called so: `cp: cannot create 'want': ...`.
            let value = behind.trim_start_matches([':', '=', ' ']);
            let is_quoted = value.len() < behind.len() && value.starts_with(['"', '\'']);
            return WANTED.contains(&word) && (was_met || is_quoted);
        }
        was_met |= MET.contains(&word);
    }
    false
}

/// Whether the words for an errno are those of a value that a test met: `got "x: read-only file system", want "ok"`, `but was: "…"`. `text` is
/// in normal form.
pub fn is_met(text: &[u8]) -> bool {
    let Some(errno) = memchr::memchr(ERRNO_BEGIN, text) else { return false };
    let (before, behind) = (String::from_utf8_lossy(&text[..errno]), String::from_utf8_lossy(&text[errno..]));
    let is_word = |(word, _): (&str, &str)| WANTED.contains(&word) || word == "wantErr";
    let before = before.trim_start().to_lowercase();
    let is_named = [
        "but: was ",
        "but was: ",
        "but was:<",
        "actual: ",
        "received message: ",
        "expected ok, got",
        "failed asserting that '",
    ];
    // `#          got: 'x'` of Test::More, `  Which is: "x"` of Google Test.
    let label = before.trim_start_matches(|sign: char| !sign.is_alphanumeric());
    let is_labelled = ["got: ", "but got: ", "received: ", "which is: "].iter().any(|words| label.starts_with(words));
    words_of(&behind).any(is_word)
        || is_labelled
        || is_named.iter().any(|words| before.contains(words))
        || is_comparison(text)
}

/// The words of a text, each with what stands behind it.
fn words_of(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_end = |letter: char| !letter.is_alphanumeric();
    let mut rest = text;
    std::iter::from_fn(move || {
        let word = rest.trim_start_matches(is_end);
        let end = word.find(is_end).unwrap_or(word.len());
        rest = &word[end..];
        (end > 0).then_some((&word[..end], rest))
    })
}

/// Which sides of a difference were wanted.
#[derive(PartialEq)]
enum Wanted {
    /// That with this sign.
    Sign(u8),
    /// One of the two, and nobody knows which.
    Either,
}

/// Whether a line is on that side of a difference which was wanted, or may be; `above` are the lines before it, the nearest first, and
/// `below` is the next one.
pub fn is_wanted_in_difference<'a>(line: &[u8], above: impl Iterator<Item = &'a [u8]>, below: Option<&[u8]>) -> bool {
    let Some(sign) = of_pytest(line).first().filter(|byte| matches!(byte, b'-' | b'+')) else { return false };
    if is_replaced(line, below) {
        return true;
    }
    let legend = above.take(LEGEND).find_map(legend);
    legend.is_some_and(|wanted| wanted == Wanted::Either || wanted == Wanted::Sign(*sign))
}

/// Whether a line is one of a difference between two texts, which its head tells: those of `diff` in all of its forms and of git.
pub fn is_of_patch<'a>(line: &[u8], above: impl Iterator<Item = &'a [u8]>) -> bool {
    let Some(sign) = line.first().filter(|first| b"-+<>! ".contains(first)) else { return false };
    let is_head = |above: &[u8]| match sign {
        b'<' | b'>' => is_command_of_diff(above),
        b'!' => above.starts_with(b"*** ") || above.starts_with(b"--- "),
        _ => above.starts_with(b"@@ ") || above.starts_with(b"*** ") && above.ends_with(b" ****"),
    };
    above
        .take(LEGEND)
        .take_while(|above| above.first().is_some_and(|first| b"-+<>! @*0123456789".contains(first)))
        .any(is_head)
}

/// `2d1`, `3,4c5`
fn is_command_of_diff(line: &[u8]) -> bool {
    let is_place = |byte: &u8| byte.is_ascii_digit() || *byte == b',';
    let letters = line.iter().filter(|byte| !is_place(byte)).count();
    letters == 1
        && line.len() >= 3
        && line.first().is_some_and(u8::is_ascii_digit)
        && line.iter().any(|byte| b"acd".contains(byte))
}

/// Whether a line is removed from a text, and the next one stands in its place: a difference without a legend.
fn is_replaced(line: &[u8], below: Option<&[u8]>) -> bool {
    let is_side =
        |line: &[u8], sign: u8| matches!(line, [first, next, ..] if *first == sign && next.is_ascii_alphanumeric());
    is_side(line, b'-') && below.is_some_and(|below| is_side(below, b'+'))
}

/// What a line says of the signs of a difference below it: `+ actual - expected`, `--- expected`, an assertion that was shown before.
fn legend(line: &[u8]) -> Option<Wanted> {
    if is_comparison(line) {
        return Some(Wanted::Either);
    }
    let text = line.to_ascii_lowercase();
    let at = memchr::memmem::find(&text, b"expected")?;
    let sign = text[..at].trim_ascii_end().last().filter(|byte| matches!(byte, b'-' | b'+'))?;
    Some(Wanted::Sign(*sign))
}

/// A line without the mark that pytest puts before those of an error.
fn of_pytest(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_start();
    line.strip_prefix(b"E ").map_or(line, <[u8]>::trim_ascii_start)
}

/// Whether a line is an assertion of Python that shows the two values which it compared.
#[must_use]
pub fn is_comparison(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let line = of_pytest(line);
    let compared = line.strip_prefix(b"AssertionError: ").or_else(|| line.strip_prefix(b"assert "));
    let Some(compared) = compared else { return false };
    BETWEEN.iter().any(|between| memchr::memmem::find(compared, between.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERRNO: &str = "\u{1}EROFS\u{2}";

    #[test]
    fn what_was_wanted_is_told_from_what_was_met() {
        for text in [
            "a_test.go:4: got \"ok\", want \"open ../ro/x: ",
            "a_test.go:4: got ok, want open ../ro/x: ",
            "assertion: expected: \"",
            "error: expected 'ok' to equal 'EROFS: ",
            "#     expected: 'touch: cannot touch 'ro/x': ",
            "Expected '/ro/x: ",
        ] {
            assert!(is_wanted(format!("{text}{ERRNO}").as_bytes()), "{text}");
        }
        for text in [
            "a_test.go:5: f() = open ../ro/x: ",
            "unexpected error: open ro/x: ",
            "expected no error, got open ro/x: ",
            "expected nil, got: open ro/x: ",
            "want ok, got \"open ro/x: ",
            "tar: expected an archive in ro/x: ",
            "cp: cannot create 'want/x': ",
            "cp: cannot create 'want': ",
            "tar: expected: Cannot open: ",
            "error: expected to write: but ro/x: ",
            "",
        ] {
            assert!(!is_wanted(format!("{text}{ERRNO}").as_bytes()), "{text}");
        }
        assert!(!is_wanted(b"want \"ok\""));
    }

    #[test]
    fn of_a_difference_the_side_that_was_wanted_is_known_by_its_legend() {
        let is_wanted = |line: &str, above: &[&str]| {
            is_wanted_in_difference(line.as_bytes(), above.iter().map(|line| line.as_bytes()), None)
        };
        let of_node = ["", "    + actual - expected", "    Expected values to be strictly equal:"];
        assert!(is_wanted("    - 'EROFS: x'", &of_node) && !is_wanted("    + 'EROFS: x'", &of_node));
        let of_ruby = ["@@ -1 +1 @@", "+++ actual", "--- expected"];
        assert!(is_wanted("-\"x\"", &of_ruby) && !is_wanted("+\"x\"", &of_ruby));
        let of_python = ["- ok", "AssertionError: 'ok' != \"x\""];
        assert!(is_wanted("+ x", &of_python) && is_wanted("- x", &of_python));
        let of_pytest = ["E         - ok", "E       assert 'x' == 'ok'"];
        assert!(is_wanted("E         + x", &of_pytest) && !is_wanted("E       x", &of_pytest));
        assert!(!is_wanted("- bwrap: x", &["building"]) && !is_wanted("x", &of_node));
    }

    #[test]
    fn a_line_that_another_replaces_is_one_side_of_a_difference() {
        let is_replaced = |line: &str, below: Option<&str>| {
            is_wanted_in_difference(line.as_bytes(), std::iter::empty(), below.map(str::as_bytes))
        };
        assert!(is_replaced("-cp: x", Some("+cp: y")));
        assert!(!is_replaced("-bash: ./x: gone", Some("+ cp x y")) && !is_replaced("-bash: ./x: gone", None));
    }

    #[test]
    fn lines_of_a_patch_are_known_by_its_head() {
        let is = |line: &str, above: &[&str]| is_of_patch(line.as_bytes(), above.iter().map(|line| line.as_bytes()));
        assert!(is("-cp: x", &[" a", "@@ -1,3 +1,2 @@", "+++ b"]) && is(" cp: x", &["@@ -1,3 +1,2 @@"]));
        assert!(is("> cp: x", &["2a3"]) && is("< cp: x", &["< y", "2,3c4"]) && is("! cp: x", &["  a", "*** 1,3 ****"]));
        assert!(!is("> cp: x", &["> make"]) && !is("- cp: x", &["done", "@@ -1 +1 @@"]) && !is("cp: x", &["@@ -1 @@"]));
    }

    #[test]
    fn an_assertion_that_shows_both_values_is_a_comparison() {
        for line in [
            "AssertionError: 'ok' != \"x: gone\"",
            "E       AssertionError: assert 'ok' == 'x'",
            "E       assert 'x: gone' == 'ok'",
        ] {
            assert!(is_comparison(line.as_bytes()), "{line}");
        }
        for line in ["AssertionError: cannot write x: gone", "a == b", "OSError: x != y"] {
            assert!(!is_comparison(line.as_bytes()), "{line}");
        }
    }
}
