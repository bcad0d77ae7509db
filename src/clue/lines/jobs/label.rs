//! Labels: what stands before a line to tell which job has written it.

use std::ops::Range;

/// Bytes that a label has at most.
const LONGEST: usize = 80;

/// Words in brackets that say how bad something is, or that everything is written behind, not who says it.
const LEVELS: &[&[u8]] = &[
    b"error",
    b"warning",
    b"warn",
    b"info",
    b"debug",
    b"trace",
    b"notice",
    b"fatal",
    b"crit",
    b"emerg",
    b"stderr",
    b"stdout",
    b"ok",
    b"failed",
    b"pipeline",
    b"container",
];

/// Reads a label at the beginning of a text: where it stands, and where the text behind it begins.
type Form = fn(&[u8]) -> Option<(Range<usize>, usize)>;

/// Labels that are some wherever they stand on more than one line.
const STRICT: &[Form] = &[build_step, of_pod, in_brackets, of_gh, of_compose, of_task];

/// Forms that other lines have too: they are labels only where the log tells the end of a job by such a name.
pub const LOOSE: &[Form] = &[in_any_brackets, before_colon, before_angle, of_cloud_build];

/// The label of a line, and where the text behind it begins: of the forms that are always some, and of the loose ones at these places.
pub fn label(text: &[u8], loose: &[usize]) -> Option<(Range<usize>, usize)> {
    let at = time(text);
    let forms = STRICT.iter().chain(loose.iter().map(|form| &LOOSE[*form]));
    let mut labels = forms.filter_map(|form| form(&text[at..]));
    let (label, body) = labels.find(|(label, _)| label.len() <= LONGEST)?;
    Some((at + label.start..at + label.end, at + body))
}

/// `BuildKit`: `#12 3.456 text`.
fn build_step(text: &[u8]) -> Option<(Range<usize>, usize)> {
    let digits = run(text.strip_prefix(b"#")?, |byte| byte.is_ascii_digit());
    let end = 1 + digits;
    let label = (digits > 0 && text.get(end) == Some(&b' ')).then_some(0..end)?;
    let number = run(&text[end + 1..], |byte| byte.is_ascii_digit() || byte == b'.');
    let is_time = number > 0 && text.get(end + 1 + number) == Some(&b' ');
    Some((label, end + 1 + if is_time { number + 1 } else { 0 }))
}

/// concurrently, npm-run-all, branches of Jenkins: `[name] text`; Drone, Woodpecker: `[name:L12:34s] text`, where line and time are no part of
/// the name; `TeamCity`: `[Step 4/6] text`. A level is no name.
fn in_brackets(text: &[u8]) -> Option<(Range<usize>, usize)> {
    let inside = text.strip_prefix(b"[")?;
    let of_team_city = inside.strip_prefix(b"Step ").map_or(0, |number| {
        let number = run(number, |byte| byte.is_ascii_digit() || byte == b'/');
        if number > 0 { number + b"Step ".len() } else { 0 }
    });
    let plain = run(inside, |byte| byte.is_ascii_alphanumeric() || b"_.:@-".contains(&byte));
    let end = 1 + of_team_city.max(plain);
    let name = without_counter(&text[1..end]);
    let is_level = LEVELS.iter().any(|level| name.eq_ignore_ascii_case(level));
    (!name.is_empty() && !is_level && text[end..].starts_with(b"] ")).then_some((1..1 + name.len(), end + 2))
}

/// `kubectl logs --prefix`: `[pod/name/container] text`.
fn of_pod(text: &[u8]) -> Option<(Range<usize>, usize)> {
    let end = memchr::memchr(b']', text.strip_prefix(b"[pod/")?)? + b"[pod/".len();
    text[end..].starts_with(b"] ").then_some((1..end, end + 2))
}

/// A name without the number of the line and the seconds since the start.
fn without_counter(name: &[u8]) -> &[u8] {
    let is_counter = |part: &[u8]| {
        let digits = part.strip_prefix(b"L").unwrap_or(part);
        let digits = digits.strip_suffix(b"s").unwrap_or(digits);
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    };
    let mut name = name;
    while let Some(colon) = memchr::memrchr(b':', name).filter(|colon| is_counter(&name[colon + 1..])) {
        name = &name[..colon];
    }
    name
}

/// `gh run view --log`: job, step and time, with tabs between.
fn of_gh(text: &[u8]) -> Option<(Range<usize>, usize)> {
    let mut tabs = memchr::memchr_iter(b'\t', &text[..text.len().min(2 * LONGEST)]);
    let second = tabs.next().and(tabs.next())?;
    let body = &text[second + 1..];
    (body.starts_with(b"20") && time(body) > 0).then_some((0..second, second + 1 + time(body)))
}

/// docker compose, foreman: `name-1  | text`.
fn of_compose(text: &[u8]) -> Option<(Range<usize>, usize)> {
    let end = run(text, |byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    let blanks = run(&text[end..], |byte| byte == b' ');
    let bar = end + blanks;
    (end > 0 && blanks > 0 && text[bar..].starts_with(b"| ")).then_some((0..end, bar + 2))
}

/// turbo, lerna, pnpm: `package:task: text`.
fn of_task(text: &[u8]) -> Option<(Range<usize>, usize)> {
    let package = run(text, |byte| byte.is_ascii_alphanumeric() || b"_.@/-".contains(&byte));
    let task = text
        .get(package + 1..)
        .filter(|task| text[package] == b':' && task[..].first().is_some_and(u8::is_ascii_alphabetic))?;
    let end = package + 1 + run(task, |byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    (package > 0 && text[end..].starts_with(b": ")).then_some((0..end, end + 2))
}

/// Branches of Jenkins whose name has blanks or more: `[Unit tests (5.0)] text`.
fn in_any_brackets(text: &[u8]) -> Option<(Range<usize>, usize)> {
    let end = 1 + memchr::memchr(b']', text.strip_prefix(b"[")?)?;
    (end > 1 && text[end..].starts_with(b"] ")).then_some((1..end, end + 2))
}

/// lerna: `@x/api: text`; pnpm: `packages/api build: text`, and `packages/api build$ command`.
fn before_colon(text: &[u8]) -> Option<(Range<usize>, usize)> {
    let word = |text: &[u8]| run(text, |byte| byte.is_ascii_alphanumeric() || b"_.@/:-".contains(&byte));
    let package = word(text);
    let has_task = text.get(package) == Some(&b' ') && !text[..package].ends_with(b":");
    let end = package + if has_task { 1 + word(&text[package + 1..]) } else { 0 };
    // The colon behind the name was taken for a part of it.
    let end = if text[..end].ends_with(b":") { end - 1 } else { end };
    let behind = &text[end..];
    let is_label = end > 0 && (behind.starts_with(b": ") || behind.starts_with(b"$ "));
    is_label.then_some((0..end, end + 2))
}

/// `nix build -L`: `name> text`.
fn before_angle(text: &[u8]) -> Option<(Range<usize>, usize)> {
    let end = run(text, |byte| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte));
    (end > 0 && text[end..].starts_with(b"> ")).then_some((0..end, end + 2))
}

/// Google Cloud Build: `Step #1 - "build": text`, `Step #1: text`.
fn of_cloud_build(text: &[u8]) -> Option<(Range<usize>, usize)> {
    let number = text.strip_prefix(b"Step #")?;
    let end = b"Step #".len() + run(number, |byte| byte.is_ascii_digit());
    let rest = &text[end..];
    let colon = if rest.starts_with(b" - ") { memchr::memmem::find(rest, b": ")? } else { 0 };
    rest[colon..].starts_with(b": ").then_some((0..end, end + colon + 2))
}

/// Bytes of the times at the beginning of a line: `2024-05-06T07:08:09.1Z `, `2024-05-06 07:08:09,123 `, `[07:08:09] `; with what runners put
/// behind one: GitLab's number and kind of a stream (`00O `), `TeamCity`'s level.
#[must_use]
pub fn time(text: &[u8]) -> usize {
    let mut at = 0;
    for _ in 0..2 {
        let word = run(&text[at..], |byte| matches!(byte, b'0'..=b':' | b'+'..=b'/' | b'T' | b'Z' | b'[' | b']'));
        let stamp = &text[at..at + word];
        let digits = stamp.iter().filter(|byte| byte.is_ascii_digit()).count();
        let has_sign = stamp.iter().any(|byte| matches!(byte, b':' | b'-' | b'/'));
        // TeamCity: a step in brackets stands right behind the time.
        let stamp = stamp.strip_suffix(b"[").filter(|stamp| stamp.ends_with(b"]")).unwrap_or(stamp);
        let behind = &text[at + stamp.len()..];
        let Some(gap) = after_time(stamp, behind).filter(|_| digits >= 4 && has_sign) else { break };
        at += stamp.len() + gap;
    }
    at
}

/// Bytes between a time and the text.
fn after_time(stamp: &[u8], behind: &[u8]) -> Option<usize> {
    match behind {
        [b' ', b'0'..=b'9' | b'a'..=b'f', b'0'..=b'9' | b'a'..=b'f', b'O' | b'E', b' ' | b'+', ..] => Some(5),
        [b' ' | b'E' | b'W' | b'i', b':', b'\t', b' ', ..] if stamp.ends_with(b"]") => Some(4),
        [b' ', ..] => Some(1),
        [b'[', ..] if stamp.ends_with(b"]") => Some(0),
        _ => None,
    }
}

fn run(text: &[u8], is_inside: impl Fn(u8) -> bool) -> usize {
    text.iter().take(2 * LONGEST).take_while(|byte| is_inside(**byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split<'t>(text: &'t str, loose: &[usize]) -> Option<(&'t str, &'t str)> {
        label(text.as_bytes(), loose).map(|(label, body)| (&text[label], &text[body..]))
    }

    #[test]
    fn a_label_is_told_from_what_is_said() {
        for (text, name) in [
            ("#12 3.456 x", "#12"),
            ("[api] x", "api"),
            ("[build:12] x", "build"),
            ("[build:L12:34s] x", "build"),
            ("[build:web] x", "build:web"),
            ("[18:56:06][Step 4/6] x", "Step 4/6"),
            ("[18:56:07]W:\t [Step 4/6] x", "Step 4/6"),
            ("2024-05-06T07:08:09.123456Z 01E [api] x", "api"),
            ("web-1  | x", "web-1"),
            ("[pod/web-1/app] x", "pod/web-1/app"),
            ("07:08:09 web.1  | x", "web.1"),
            ("@x/api:build: x", "@x/api:build"),
        ] {
            assert_eq!(split(text, &[]), Some((name, "x")), "{text}");
        }
    }

    #[test]
    fn a_loose_label_is_one_where_it_is_asked_for() {
        let all: Vec<usize> = (0..LOOSE.len()).collect();
        for (text, name) in [
            ("[Unit tests (5.0)] x", "Unit tests (5.0)"),
            ("[git/node1/libx] x", "git/node1/libx"),
            ("@x/api: x", "@x/api"),
            ("packages/api build: x", "packages/api build"),
            ("packages/api build$ x", "packages/api build"),
            ("liburcu> x", "liburcu"),
            ("Step #1 - \"build\": x", "Step #1"),
            ("Step #1: x", "Step #1"),
        ] {
            assert_eq!(split(text, &all), Some((name, "x")), "{text}");
            assert_eq!(split(text, &[]), None, "{text}");
        }
    }

    #[test]
    fn levels_and_places_are_no_labels() {
        for line in ["[ERROR] x", "[Container] x", "a.c:12: x", "error: x", "[1/4] x", "x"] {
            assert_eq!(split(line, &[]), None, "{line}");
        }
    }
}
