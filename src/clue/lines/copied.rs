//! What copying leaves in a line: escape characters that were lost or written out, entities of HTML, blanks without a width and the marks that a
//! forum puts around code. A log reaches a person through a web page as often as from a file.

/// How the escape character is written where it cannot be shown: caret notation, escapes of JSON, C, shells and rsyslog, the picture of the
/// character and the sign for one that could not be read.
const ESCAPES: &[&[u8]] = &[
    b"\\u001b",
    b"\\u001B",
    b"\\x1b",
    b"\\x1B",
    b"\\033",
    b"\\e",
    b"^[",
    b"#033",
    "\u{241b}".as_bytes(),
    "\u{fffd}".as_bytes(),
];
/// Parameters of the sequences that end a colour or a weight (ECMA-48, SGR): they tell a lost sequence from words in brackets.
const ENDS: &[&[u8]] = &[b"0", b"0;", b"0;0", b"22", b"39", b"39;49", b"49"];
/// Entities, with the sign that each stands for.
const ENTITIES: &[(&[u8], &[u8])] = &[
    (b"&amp;", b"&"),
    (b"&apos;", b"'"),
    (b"&gt;", b">"),
    (b"&lt;", b"<"),
    (b"&nbsp;", b" "),
    (b"&quot;", b"\""),
    (b"&#34;", b"\""),
    (b"&#39;", b"'"),
    (b"&#039;", b"'"),
    (b"&#x27;", b"'"),
    (b"&#x2F;", b"/"),
];
/// Signs without a width and blanks that do not break, which stand before a line that was copied.
const BLANKS: &[&str] = &["\u{a0}", "\u{200b}", "\u{200c}", "\u{200d}", "\u{2060}", "\u{feff}"];
/// Marks around a line that is shown as code or in bold.
const MARKS: &[&[u8]] = &[b"**", b"`"];

/// A line without what copying left in it.
pub fn restored(text: Vec<u8>) -> Vec<u8> {
    let mut text = text;
    if has_colour(&text) {
        text = without_colours(&text);
    }
    if memchr::memchr(b'&', &text).is_some_and(|at| ENTITIES.iter().any(|(name, _)| has(&text[at..], name))) {
        text = without_entities(&text);
    }
    let start = text.len() - without_blanks(&text).len();
    text.drain(..start);
    let marks = MARKS.iter().find(|mark| text.starts_with(mark) && text.ends_with(mark) && text.len() > 2 * mark.len());
    if let Some(mark) = marks {
        text.truncate(text.len() - mark.len());
        text.drain(..mark.len());
    }
    text
}

fn has(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

fn without_blanks(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let Some(rest) = BLANKS.iter().find_map(|blank| text.strip_prefix(blank.as_bytes())) {
        text = rest;
    }
    text
}

/// Whether a line has a colour of which the escape character is gone or written out.
fn has_colour(text: &[u8]) -> bool {
    memchr::memchr_iter(b'[', text).any(|at| {
        sequence(&text[at..]).is_some_and(|length| {
            let parameters = &text[at + 1..at + length - 1];
            ENDS.contains(&parameters) || escape_before(&text[..at]) > 0
        })
    })
}

/// Bytes of the sequence that a text begins with: `[31;1m`.
fn sequence(text: &[u8]) -> Option<usize> {
    let parameters = text[1..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    text.get(1 + parameters).is_some_and(|last| matches!(last, b'm' | b'K')).then_some(parameters + 2)
}

/// Bytes of an escape character, as it is written out, at the end of a text.
fn escape_before(text: &[u8]) -> usize {
    ESCAPES.iter().find(|escape| text.ends_with(escape)).map_or(0, |escape| escape.len())
}

/// Without `[31;1m`, and what stands there for the escape character.
fn without_colours(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'[', rest) {
        out.extend_from_slice(&rest[..at]);
        let length = sequence(&rest[at..]);
        match length {
            Some(_) => out.truncate(out.len() - escape_before(&out)),
            None => out.push(b'['),
        }
        rest = &rest[at + length.unwrap_or(1)..];
    }
    out.extend_from_slice(rest);
    out
}

fn without_entities(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'&', rest) {
        out.extend_from_slice(&rest[..at]);
        let entity = ENTITIES.iter().find(|(name, _)| rest[at..].starts_with(name));
        let (length, sign) = entity.map_or((1, &b"&"[..]), |(name, sign)| (name.len(), sign));
        out.extend_from_slice(sign);
        rest = &rest[at + length..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        String::from_utf8(restored(text.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn colours_are_removed_however_their_escape_is_written() {
        for text in [
            "[31;1mcp: x: gone[0m",
            "[31mcp: x: gone[39m",
            r"\u001b[31mcp: x: gone\u001b[0m",
            r"\x1b[31mcp: x: gone\x1b[0m",
            r"\033[0;31mcp: x: gone\033[0m",
            r"\e[31mcp: x: gone\e[0m",
            "^[[31mcp: x: gone^[[0m",
            "#033[31mcp: x: gone#033[0m",
            "\u{241b}[31mcp: x: gone\u{241b}[0m",
            "\u{fffd}[31mcp: x: gone\u{fffd}[0m",
        ] {
            assert_eq!(read(text), "cp: x: gone", "{text}");
        }
    }

    #[test]
    fn entities_blanks_and_marks_are_removed() {
        assert_eq!(read("cp: &#39;a&#39; &gt; &quot;b&amp;c&quot;"), "cp: 'a' > \"b&c\"");
        assert_eq!(read("\u{200b}\u{a0}cp: x"), "cp: x");
        assert_eq!((read("**cp: x**"), read("`cp: x`")), ("cp: x".into(), "cp: x".into()));
    }

    #[test]
    fn other_text_stays() {
        for text in
            ["took [5m 3s]", "[1/2] a", "a && b;", "x?a=1&lt=2", "make: `all' is up to date", "**", "a [39] b", "[2m"]
        {
            assert_eq!(read(text), text);
        }
    }
}
