//! The one place where data becomes text for a terminal: the child's output, file names and argv may hold anything, and a
//! terminal obeys what it reads.

use std::fmt::Write;

/// The text with everything that a terminal would obey, or that would change the order of what is read, shown as an escape.
#[must_use]
pub fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\t' => out.push(' '),
            char if char.is_control() || reorders(char) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    out
}

/// Unicode's explicit directional marks, embeddings, overrides and isolates (UAX #9), and line separators.
fn reorders(char: char) -> bool {
    matches!(char, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn what_a_terminal_obeys_is_shown_instead() {
        assert_eq!(safe("a\u{1b}[31mb\u{7}\r\nc"), r"a\u{1b}[31mb\u{7}\u{d}\u{a}c");
        assert_eq!(safe("x\u{202e}y\u{9b}"), r"x\u{202e}y\u{9b}");
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        assert_eq!(safe("Auf dem Gerät ist kein Platz — 日本"), "Auf dem Gerät ist kein Platz — 日本");
    }
}
