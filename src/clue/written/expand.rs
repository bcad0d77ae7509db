//! Placeholders of a pattern and what they stand for; docs/rules.md has the table.

use super::{ERRNO_BEGIN, ERRNO_END, TWIN};
use std::collections::HashMap;
use std::fmt::Write;

/// Groups that a pattern may capture.
pub const GROUPS: &[&str] =
    &["errno", "errno_name", "errno_number", "operation", "other", "path", "program", "subject"];

/// The names of the groups of an expanded pattern that are not in [`GROUPS`], without the number of a twin.
pub fn unknown_groups(expanded: &str) -> impl Iterator<Item = &str> {
    let names = expanded.split("(?<").skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once('>')?;
        Some(name.split_once(TWIN).map_or(name, |(name, _)| name))
    });
    names.filter(|name| !GROUPS.contains(name))
}

/// Puts in what placeholders stand for. What is not ASCII becomes its bytes, since patterns match bytes.
pub fn expand(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() * 2);
    let mut names = Names::default();
    let mut in_class = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\\' => escape_length(rest),
            '{' if !in_class && rest[1..].starts_with(|c: char| c.is_ascii_lowercase()) => {
                let end = rest.find('}').ok_or("has a placeholder without }")?;
                out.push_str(&placeholder(&rest[1..end], &mut names)?);
                rest = &rest[end + 1..];
                continue;
            }
            '(' if rest.starts_with("(?<") && !in_class => {
                let end = rest.find('>').ok_or("has a group whose name does not end")?;
                let _ = write!(out, "(?<{}>", names.next(&rest[3..end]));
                rest = &rest[end + 1..];
                continue;
            }
            _ => first.len_utf8(),
        };
        in_class = match first {
            '[' => true,
            ']' => false,
            _ => in_class,
        };
        if first.is_ascii() {
            out.push_str(&rest[..length]);
        } else if in_class {
            return Err(format!("has {first} in a class, where only ASCII can be: write (?:a|b)"));
        } else {
            let bytes = first.to_string().bytes().fold(String::new(), |mut bytes, byte| {
                let _ = write!(bytes, "\\x{byte:02X}");
                bytes
            });
            let _ = write!(out, "(?:{bytes})");
        }
        rest = &rest[length..];
    }
    Ok(out)
}

/// Length of an escape: `\n`, `\x{41}`, `\p{L}`.
fn escape_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    let Some((at, kind)) = chars.next() else { return text.len() };
    let end = at + kind.len_utf8();
    match (kind, text[end..].starts_with('{')) {
        ('x' | 'u' | 'p' | 'P', true) => text[end..].find('}').map_or(text.len(), |close| end + close + 1),
        _ => end,
    }
}

/// Numbers groups of one name.
#[derive(Default)]
struct Names(HashMap<String, usize>);

impl Names {
    fn next(&mut self, name: &str) -> String {
        let count = self.0.entry(name.to_owned()).or_default();
        *count += 1;
        if *count == 1 { name.to_owned() } else { format!("{name}{TWIN}{count}") }
    }
}

/// `{kind}` or `{kind:detail}`: docs/rules.md has the table.
fn placeholder(inner: &str, names: &mut Names) -> Result<String, String> {
    let (kind, detail) = inner.split_once(':').unwrap_or((inner, ""));
    let (begin, end) = (char::from(ERRNO_BEGIN), char::from(ERRNO_END));
    let captures = |default: &'static str| if detail.is_empty() { default } else { detail };
    let one_of = |any: &'static str| if detail.is_empty() { any } else { detail };
    let (group, before, inside, after) = match kind {
        "errno" => ("errno", begin.to_string(), one_of("[A-Z0-9]+"), end.to_string()),
        "errno_name" => ("errno_name", String::new(), one_of("E[A-Z0-9]{2,14}"), r"\b".to_owned()),
        "errno_number" => ("errno_number", "-?".to_owned(), one_of("[0-9]{1,3}"), r"\b".to_owned()),
        "words" => return Ok(format!("{begin}(?:{}){end}", one_of("[A-Z0-9]+"))),
        "path" => (captures("path"), String::new(), r"[^\s'].*?", String::new()),
        "absolute" => (captures("path"), String::new(), r#"/[^\s'",;:()<>]*"#, String::new()),
        "quoted" => (captures("path"), r#"['"]"#.to_owned(), ".+?", r#"['"]"#.to_owned()),
        "word" => (captures("subject"), String::new(), r#"[^\s'",;:()]+"#, String::new()),
        "number" => (captures("subject"), String::new(), "[0-9]+", String::new()),
        "program" => ("program", String::new(), "[A-Za-z0-9_./~][A-Za-z0-9_./+@~-]*", String::new()),
        "operation" => ("operation", String::new(), "[A-Za-z][A-Za-z' _/-]*?", String::new()),
        _ => return Err(format!("has an unknown placeholder {{{kind}}}")),
    };
    Ok(format!("{before}(?<{}>{inside}){after}", names.next(group)))
}
