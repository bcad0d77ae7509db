//! Code frames: source that a tool shows around the place of its message, with the numbers of the lines before it. A test of how a program deals with a
//! full disk has the kernel's words in its source, and tools show it when the test fails for whatever reason.

/// Lines around the marked one that are looked at.
const AROUND: usize = 6;

/// What stands before a line of source.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gutter {
    /// `12 |`
    Plain,
    /// `> 12 |`, the line that is meant, or `|    ^` below it.
    Marked,
}

/// Whether a line is of such source: it is marked, or one near it is. `near` are the lines above and below, the nearest first.
pub fn is_source<'a>(
    line: &[u8],
    above: impl Iterator<Item = &'a [u8]>,
    below: impl Iterator<Item = &'a [u8]>,
) -> bool {
    let is_marked = |near: &[u8]| gutter(near) == Some(Gutter::Marked);
    match gutter(line) {
        Some(Gutter::Marked) => true,
        Some(Gutter::Plain) => above.take(AROUND).any(is_marked) || below.take(AROUND).any(is_marked),
        None => false,
    }
}

fn gutter(line: &[u8]) -> Option<Gutter> {
    let line = line.trim_ascii_start();
    let (is_marked, rest) = match line.strip_prefix(b">") {
        Some(rest) => (true, rest.trim_ascii_start()),
        None => (false, line),
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let source =
        rest[digits..].trim_ascii_start().strip_prefix(b"|").filter(|rest| rest.is_empty() || rest[0] == b' ')?;
    match digits {
        0 => begins_with_marks(source).then_some(Gutter::Marked),
        _ if is_marked => Some(Gutter::Marked),
        _ => Some(Gutter::Plain),
    }
}

/// Whether a text begins with marks for a place above it: `^^^`, or `---  ^^^ expected u32`.
fn begins_with_marks(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let marks = text.iter().take_while(|byte| b"^~- ".contains(byte)).count();
    text[..marks].contains(&b'^') || text.starts_with(b"--") && memchr::memchr(b'^', text).is_some()
}

/// Whether a line only marks a place in the line above it: `    ^~~~`, or `error here ---^`.
pub fn is_marks(line: &[u8]) -> bool {
    let marks = line.trim_ascii();
    let is_one = |byte: &u8| b"^~-".contains(byte);
    let is_all = marks.iter().all(is_one) && memchr::memchr2(b'^', b'~', marks).is_some();
    is_all || line.starts_with(b" ") && (marks.ends_with(b"---^") || marks.starts_with(b"^---"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_source_in(text: &str, index: usize) -> bool {
        let lines: Vec<&[u8]> = text.lines().map(str::as_bytes).collect();
        is_source(lines[index], lines[..index].iter().rev().copied(), lines[index + 1..].iter().copied())
    }

    #[test]
    fn source_around_a_marked_line_is_told_from_a_message() {
        let of_jest = "  > 2 | throw new Error(\"ENOSPC\")\n      |       ^\n    3 | cp: cannot stat 'x'\n\n  cp: x";
        assert!((0..3).all(|index| is_source_in(of_jest, index)));
        assert!(!is_source_in(of_jest, 4));
        let of_rustc = "3 | fn main() {\n4 | cp()\n  | ^^^^";
        assert!((0..3).all(|index| is_source_in(of_rustc, index)));
    }

    #[test]
    fn services_and_numbered_lines_of_a_log_are_no_source() {
        for text in ["1 | cp: cannot stat 'x'\n2 | done", "web-1  | cp: x", "> cp: x", "| cp: x", "12: cp: x"] {
            assert!(!is_source_in(text, 0), "{text}");
        }
    }
}
