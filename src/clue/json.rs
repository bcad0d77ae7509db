//! Messages in lines of JSON: what servers and container runtimes log is a string of an object, with its quotation marks escaped
//! and more fields behind it, so that a pattern with `^` or `$` would not know it. They are offered as lines of their own.

use super::prefix::starts;
use serde_json::{Map, Value};

/// Fields that hold what was said, in the order in which they are read: Go's zap and zerolog, logrus, pino, Elastic Common Schema,
/// `MongoDB`, docker's json-file, ansible.
const MESSAGES: [&str; 10] =
    ["msg", "message", "log", "error", "err", "errmsg", "error.message", "exception", "stderr", "attr"];
/// Fields that hold how bad it is.
const LEVELS: [&str; 5] = ["level", "log.level", "severity", "lvl", "s"];
/// Levels of what is no failure.
const HARMLESS: [&str; 7] = ["trace", "debug", "info", "information", "notice", "i", "d"];
/// Objects within objects that are looked into.
const DEPTH: usize = 3;

/// What an object says failed, in the order of its fields' names above. Nothing where the line is no whole object, or one of a level
/// that is no failure.
pub fn messages(line: &[u8]) -> Vec<String> {
    let Some(object) = object_in(line.trim_ascii()) else { return Vec::new() };
    if LEVELS.iter().any(|level| object.get(*level).is_some_and(is_harmless)) {
        return Vec::new();
    }
    said(&object, DEPTH)
}

/// The object at the end of a line, behind the prefixes that a log puts before it.
fn object_in(line: &[u8]) -> Option<Map<String, Value>> {
    if !line.ends_with(b"}") || !memchr::memchr(b'{', line).is_some_and(|at| line[at + 1..].starts_with(b"\"")) {
        return None;
    }
    let start = starts(line).into_iter().find(|start| line[*start..].starts_with(b"{"))?;
    serde_json::from_slice(&line[start..]).ok()
}

fn is_harmless(level: &Value) -> bool {
    level.as_str().is_some_and(|level| HARMLESS.iter().any(|harmless| level.eq_ignore_ascii_case(harmless)))
}

fn said(object: &Map<String, Value>, depth: usize) -> Vec<String> {
    let of = |value: &Value| match value {
        Value::String(text) => text.lines().map(str::to_owned).collect(),
        Value::Object(inner) if depth > 0 => said(inner, depth - 1),
        _ => Vec::new(),
    };
    MESSAGES.iter().filter_map(|field| object.get(*field)).flat_map(of).filter(|text| !text.trim().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_in_an_object_is_read_without_its_quotation() {
        for (line, said) in [
            (r#"{"level":"error","ts":1.5,"msg":"bash: \"x\": gone"}"#, vec!["bash: \"x\": gone"]),
            (r#"{"level":"error","msg":"failed","error":"open x"}"#, vec!["failed", "open x"]),
            (r#"{"log":"a\nb\n","stream":"stderr"}"#, vec!["a", "b"]),
            (r#"{"s":"E","msg":"DBException","attr":{"error":{"errmsg":"no file"}}}"#, vec!["DBException", "no file"]),
            (r#"{"log.level":"ERROR","message":"x"}"#, vec!["x"]),
            (r#"2024-05-06T07:08:09.123456789Z stderr F {"level":"error","msg":"x"}"#, vec!["x"]),
        ] {
            assert_eq!(messages(line.as_bytes()), said, "{line}");
        }
    }

    #[test]
    fn what_is_no_failure_or_no_object_says_nothing() {
        for line in [r#"{"level":"info","msg":"x"}"#, r#"{"s":"I","msg":"x"}"#, r#"{"msg":"x""#, "{ x }", "x", ""] {
            assert_eq!(messages(line.as_bytes()), Vec::<String>::new(), "{line}");
        }
    }
}
