//! Messages in JSON: what servers and container runtimes log is a string of an object, with its quotation marks escaped and more fields
//! behind it, so that a pattern with `^` or `$` would not know it. They are offered as lines of their own. So are the fields of an object
//! that was printed over several lines, each in its place.

use super::prefix::starts;
use serde_json::{Map, Value};

/// Fields that hold what was said, in the order in which they are read: Go's zap and zerolog, logrus, pino, Elastic Common Schema,
/// `MongoDB`, docker's json-file, ansible, Google's Cloud Logging, journalctl -o json, Serilog, Drone, AWS Lambda.
const MESSAGES: [&str; 25] = [
    "msg",
    "message",
    "Message",
    "log",
    "error",
    "err",
    "errmsg",
    "error.message",
    "exception",
    "summary",
    "detail",
    "stderr",
    "module_stderr",
    "module_stdout",
    "attr",
    "textPayload",
    "MESSAGE",
    "@m",
    "@mt",
    "out",
    "output",
    "error_message",
    "errorMessage",
    "stderr_lines",
    "reason",
];
/// Fields that hold how bad it is.
const LEVELS: [&str; 7] = ["level", "log.level", "severity", "lvl", "s", "@l", "PRIORITY"];
/// Levels of what is no failure.
const HARMLESS: [&str; 10] = ["trace", "debug", "info", "information", "notice", "i", "d", "5", "6", "7"];
/// The same as numbers: trace, debug and info of Bunyan and pino.
const HARMLESS_NUMBERS: [u64; 3] = [10, 20, 30];
/// Objects within objects that are looked into.
const DEPTH: usize = 3;
/// Objects in a list that are looked into: Azure's and Google's errors hold further ones.
const OF_A_LIST: usize = 4;
/// What stands between the words of a log and the object behind them: ansible, and loggers that write their fields as an object.
const BEFORE_OBJECT: [&[u8]; 4] = [b" => {\"", b"\t{\"", b": {\"", b" {\""];

/// What an object says failed, in the order of its fields' names above. Nothing where the line is no whole object, or one of a level
/// that is no failure.
pub fn messages(line: &[u8]) -> Vec<String> {
    let Some(object) = object_in(line.trim_ascii()) else { return Vec::new() };
    if LEVELS.iter().any(|level| object.get(*level).is_some_and(is_harmless)) {
        return Vec::new();
    }
    said(&object, DEPTH)
}

/// What a text says that a program shows with its quotation: `output: "a\nb"`, `b'a\nb'` of Python, or an entry of a list on a line of its
/// own. A quotation of one line is read where it stands, unless it is all that there is.
pub fn of_quotation(line: &[u8]) -> Vec<String> {
    let Ok(line) = std::str::from_utf8(line) else { return Vec::new() };
    let line = line.trim();
    let line = line.strip_suffix(',').unwrap_or(line);
    let Some(mark) = line.chars().next_back().filter(|mark| matches!(mark, '"' | '\'')) else { return Vec::new() };
    let begins = |at: &usize| *at == 0 || line[..*at].ends_with([' ', '=', ':', '(', '[', 'b']);
    let Some(start) = line.match_indices(mark).map(|(at, _)| at).find(begins) else { return Vec::new() };
    let inside = line.get(start + 1..line.len() - 1).unwrap_or_default();
    if !(inside.contains("\\n") || start == 0 && mark == '"') {
        return Vec::new();
    }
    // Python escapes the mark that it does not need to.
    let text = if mark == '"' { inside.to_owned() } else { inside.replace("\\'", "'").replace('"', "\\\"") };
    serde_json::from_str::<String>(&format!("\"{text}\"")).map(|text| lines_of(&text)).unwrap_or_default()
}

/// What the field that stands on a line says, where the object goes on over several lines.
pub fn message_of_field(line: &[u8]) -> Vec<String> {
    let Some((name, value)) = field(line) else { return Vec::new() };
    if MESSAGES.contains(&name) { lines_of(&value) } else { Vec::new() }
}

/// Whether a field tells that the object which it is of is no failure.
pub fn is_harmless_field(line: &[u8]) -> bool {
    let value = |(name, value)| LEVELS.contains(&name).then_some(value);
    field(line).and_then(value).is_some_and(|level| is_harmless(&Value::String(level)))
}

/// `"name": "text",`
fn field(line: &[u8]) -> Option<(&str, String)> {
    let line = std::str::from_utf8(line).ok()?.trim();
    let (name, value) = line.strip_prefix('"')?.split_once("\": \"")?;
    let text = value.strip_suffix(',').unwrap_or(value).strip_suffix('"')?;
    serde_json::from_str(&format!("\"{text}\"")).ok().map(|value| (name, value))
}

/// The object at the end of a line, behind the prefixes that a log puts before it.
fn object_in(line: &[u8]) -> Option<Map<String, Value>> {
    if !line.ends_with(b"}") || !memchr::memchr(b'{', line).is_some_and(|at| line[at + 1..].starts_with(b"\"")) {
        return None;
    }
    let behind = |words: &&[u8]| memchr::memmem::find(line, words).map(|at| at + words.len() - 2);
    let first = starts(line).into_iter().find(|start| line[*start..].starts_with(b"{"));
    let start = first.or_else(|| BEFORE_OBJECT.iter().find_map(behind))?;
    serde_json::from_slice(&line[start..]).ok()
}

fn is_harmless(level: &Value) -> bool {
    level.as_u64().is_some_and(|level| HARMLESS_NUMBERS.contains(&level))
        || level.as_str().is_some_and(|level| HARMLESS.iter().any(|harmless| level.eq_ignore_ascii_case(harmless)))
}

fn said(object: &Map<String, Value>, depth: usize) -> Vec<String> {
    let fields = MESSAGES.iter().filter_map(|field| object.get(*field)).flat_map(|value| of_value(value, depth));
    of_node(object).into_iter().chain(fields).collect()
}

fn of_value(value: &Value, depth: usize) -> Vec<String> {
    match value {
        Value::String(text) => lines_of(text),
        Value::Object(inner) if depth > 0 => said(inner, depth - 1),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).flat_map(lines_of).collect()
        }
        Value::Array(list) if depth > 0 => {
            list.iter().take(OF_A_LIST).flat_map(|value| of_value(value, depth - 1)).collect()
        }
        _ => Vec::new(),
    }
}

/// The fields of an error of Node.js as its message has them (libuv's `uv_err_name`, Node.js 20, lib/internal/errors.js).
fn of_node(object: &Map<String, Value>) -> Option<String> {
    let text = |field: &str| object.get(field).and_then(Value::as_str);
    let (code, call) = (text("code").filter(|code| code.starts_with('E'))?, text("syscall")?);
    let path = text("path").map(|path| format!(" '{path}'")).unwrap_or_default();
    text("message").is_none().then(|| format!("Error: {code}, {call}{path}"))
}

fn lines_of(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).filter(|line| !line.trim().is_empty()).collect()
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
            (r#"{"severity":"ERROR","textPayload":"x"}"#, vec!["x"]),
            (r#"{"MESSAGE":"x","PRIORITY":"3"}"#, vec!["x"]),
            (r#"{"level":50,"msg":"x"}"#, vec!["x"]),
            (r#"{"rc":1,"stderr_lines":["a","b"]}"#, vec!["a", "b"]),
            (r#"2024-05-06T07:08:09.123456789Z stderr F {"level":"error","msg":"x"}"#, vec!["x"]),
            (r#"fatal: [web1]: FAILED! => {"changed": false, "msg": "x"}"#, vec!["x"]),
            (r#"FAILED! => {"module_stderr": "python: y\n", "module_stdout": "", "rc": 2}"#, vec!["python: y"]),
            (r#"{"error":{"code":"BadRequest","details":[],"message":"x"}}"#, vec!["x"]),
            (r#"{"errors":[],"error":[{"message":"x"}]}"#, vec!["x"]),
            (r#"{"errno":-28,"code":"ENOSPC","syscall":"open","path":"/x"}"#, vec!["Error: ENOSPC, open '/x'"]),
        ] {
            assert_eq!(messages(line.as_bytes()), said, "{line}");
        }
    }

    #[test]
    fn a_field_on_a_line_of_its_own_says_what_it_holds() {
        assert_eq!(message_of_field(br#"    "msg": "bash: \"x\": gone\ny","#), ["bash: \"x\": gone", "y"]);
        assert_eq!(message_of_field(br#""summary": "x""#), ["x"]);
        for line in [r#""name": "x""#, r#""msg": {"#, r#""msg": "x" and more"#, "msg: x"] {
            assert_eq!(message_of_field(line.as_bytes()), Vec::<String>::new(), "{line}");
        }
        assert!(is_harmless_field(br#"  "level": "info","#) && !is_harmless_field(br#"  "level": "error","#));
    }

    #[test]
    fn what_is_quoted_with_its_ends_of_lines_is_read() {
        for (line, said) in [
            (r#"FATA[0003] exit status 1, output: "a: \"x\"\nb\n""#, vec!["a: \"x\"", "b"]),
            (r"b'a\nb: \'x\'\n'", vec!["a", "b: 'x'"]),
            (r#"        "cp: x: gone","#, vec!["cp: x: gone"]),
        ] {
            assert_eq!(of_quotation(line.as_bytes()), said, "{line}");
        }
        for line in ["cp: cannot stat 'x'", r#"open "x""#, "'", "x", r#""a" and "b\x""#] {
            assert_eq!(of_quotation(line.as_bytes()), Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn what_is_no_failure_or_no_object_says_nothing() {
        for line in [
            r#"{"level":"info","msg":"x"}"#,
            r#"{"s":"I","msg":"x"}"#,
            r#"{"level":30,"msg":"x"}"#,
            r#"{"msg":"x""#,
            "{ x }",
            "x",
            "",
        ] {
            assert_eq!(messages(line.as_bytes()), Vec::<String>::new(), "{line}");
        }
    }
}
