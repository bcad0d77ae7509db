//! Messages inside of records: a line of a log may be an object of JSON, a service message of `TeamCity` or a list of `name="value"`. What
//! such a record says is offered as lines of its own, without the quotation.

use super::json;
use super::line::Line;

/// Lines before and after a field in which its object tells how bad it is.
const AROUND: usize = 20;

/// Fields of logfmt that hold what was said: logrus, Go's slog and kit, Prometheus, Grafana.
const FIELDS: [&str; 4] = ["msg=\"", "err=\"", "error=\"", "message=\""];
const LEVELS: [&str; 3] = ["level=", "lvl=", "severity="];
const HARMLESS: [&str; 4] = ["trace", "debug", "info", "notice"];

/// What the record says that a line is or is a part of.
pub fn messages(lines: &[Line], at: usize) -> Vec<String> {
    let body = lines[at].body();
    if body.starts_with(b"##teamcity[") {
        return of_team_city(body);
    }
    let of_object = json::messages(body);
    if !of_object.is_empty() {
        return of_object;
    }
    if memchr::memmem::find(body, b"=\"").is_some() {
        let of_logfmt = of_logfmt(body);
        return if of_logfmt.is_empty() { json::of_quotation(body) } else { of_logfmt };
    }
    let of_field = json::message_of_field(body);
    let of_record = if of_field.is_empty() { json::of_quotation(body) } else { of_field };
    if of_record.is_empty() || is_harmless(lines, at) { Vec::new() } else { of_record }
}

/// Whether a field next to one, of the same object, tells that it is no failure.
fn is_harmless(lines: &[Line], at: usize) -> bool {
    let is_field = |line: &&Line| line.body().trim_ascii_start().starts_with(b"\"");
    let behind = lines[at..].iter().take(AROUND).take_while(is_field);
    let before = lines[..at].iter().rev().take(AROUND).take_while(is_field);
    behind.chain(before).any(|line| json::is_harmless_field(line.body()))
}

/// `##teamcity[message text='…' status='ERROR']` and what the build's problem is; a bar escapes (`TeamCity`, Service Messages).
fn of_team_city(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let is_told = ["message ", "buildProblem "].iter().any(|kind| text["##teamcity[".len()..].starts_with(kind));
    let values = [" text='", " errorDetails='", " description='"].iter().filter_map(|name| {
        let (_, value) = text.split_once(name).filter(|_| is_told)?;
        Some(unescaped(value))
    });
    values
        .flat_map(|value| value.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| !line.is_empty())
        .collect()
}

/// A value up to the mark that ends it.
fn unescaped(value: &str) -> String {
    let mut out = String::new();
    let mut letters = value.chars();
    while let Some(letter) = letters.next().filter(|letter| *letter != '\'') {
        match letter {
            '|' => out.extend(letters.next().map(|escaped| if escaped == 'n' { '\n' } else { escaped })),
            _ => out.push(letter),
        }
    }
    out
}

/// `level=error msg="listen tcp :80: bind: address already in use"`
fn of_logfmt(body: &[u8]) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(body) else { return Vec::new() };
    let level = |name: &&str| text.split_once(*name).map(|(_, level)| level.trim_start_matches('"'));
    let Some(level) = LEVELS.iter().find_map(level) else { return Vec::new() };
    if HARMLESS.iter().any(|harmless| level.starts_with(harmless)) {
        return Vec::new();
    }
    let value = |name: &&str| {
        let at = text.match_indices(*name).find(|(at, _)| *at == 0 || text.as_bytes()[at - 1] == b' ')?.0 + name.len();
        let is_end = |(end, _): &(usize, &str)| text.as_bytes()[at + end - 1] != b'\\';
        let end = text[at..].match_indices('"').find(is_end)?.0;
        serde_json::from_str::<String>(&format!("\"{}\"", &text[at..at + end])).ok()
    };
    FIELDS.iter().filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(log: &str, at: usize) -> Vec<String> {
        let line = |text: &str| Line { text: text.into(), ..Line::default() };
        messages(&log.lines().map(line).collect::<Vec<_>>(), at)
    }

    #[test]
    fn a_service_message_says_its_text_without_the_escapes() {
        let line = "##teamcity[message text='tar: |'a|': gone|ntar: exiting |[1|]' status='ERROR']";
        assert_eq!(said(line, 0), ["tar: 'a': gone", "tar: exiting [1]"]);
        assert_eq!(said("##teamcity[testFailed name='a' message='x']", 0), Vec::<String>::new());
    }

    #[test]
    fn a_list_of_names_and_values_says_its_message_unless_it_is_harmless() {
        let line = r#"time="2024-05-06" level=error msg="open \"x\": gone" err="no"#;
        assert_eq!(said(line, 0), [r#"open "x": gone"#]);
        assert_eq!(said(r#"level=warn msg="a" error="b""#, 0), ["a", "b"]);
        for harmless in [r#"level=info msg="a""#, r#"a="b" msg="c""#] {
            assert_eq!(said(harmless, 0), Vec::<String>::new(), "{harmless}");
        }
    }

    #[test]
    fn an_object_over_several_lines_says_its_fields_unless_it_is_harmless() {
        let object = |level: &str| format!("{{\n  \"level\": \"{level}\",\n  \"msg\": \"x\"\n}}");
        assert_eq!(said(&object("error"), 2), ["x"]);
        assert_eq!(said(&object("info"), 2), Vec::<String>::new());
    }
}
