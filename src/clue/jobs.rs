//! Whose line it is. Logs of builds hold jobs that write at the same time, each line behind the job's label, and steps that follow
//! each other. What another job or step says is no reason for the failure of this one.

use super::line::{Line, Place};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A label is one from this number of lines on: what merely looks like one stands on a line alone.
const LEAST_LINES: usize = 2;
/// Bytes that a label has at most.
const LONGEST: usize = 80;
/// Lines of other jobs that may stand between two lines of one.
const BETWEEN: usize = 200;

/// Words in brackets that say how bad something is, not who says it.
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
];
/// Sections of GitLab's runner (gitlab-runner 16, common/build.go); those of the script itself come inside of them.
const SECTIONS: &[&str] = &[
    "prepare_executor",
    "prepare_script",
    "get_sources",
    "restore_cache",
    "download_artifacts",
    "step_script",
    "build_script",
    "after_script",
    "archive_cache",
    "upload_artifacts",
    "cleanup_file_variables",
];
/// Beginnings of a step: GitHub Actions, Azure Pipelines, Jenkins, docker build, nx.
const STEPS: &[&str] =
    &["##[group]Run ", "Post job cleanup.", "##[section]Starting: ", "[Pipeline] { (", "Step ", "> nx run "];
/// Words of an end that failed, before its status; see [`said_of_failure`].
const ENDS: &[&str] = &[
    "##[error]Process completed with exit code ",
    "##[error]Bash exited with code '",
    "failed with exit code ",
    "did not complete successfully: exit code: ",
    "script returned exit code ",
    "exited with code ",
    "command finished with error",
];

/// Text that begins a step or ends a job, for a log of which only a part is kept.
pub const MARKS: &[&str] = &[
    "##[group]Run ",
    "Post job cleanup.",
    "##[section]Starting",
    "[Pipeline] { (",
    "> nx run ",
    "section_start:",
    "##[error]",
    "failed with exit code",
    "did not complete successfully",
    "returned exit code",
    "exited with code",
    "command finished with error",
    "Job failed: ",
    "Failed in branch",
];

/// Jobs and steps that failed, as the log says; empty where it says nothing of any.
#[derive(Debug, Default)]
pub struct Failed {
    lanes: HashSet<usize>,
    steps: HashSet<usize>,
}

impl Failed {
    /// Whether a line may be about the failure: it is not of a job or step that others failed beside.
    pub fn concerns(&self, place: Place) -> bool {
        let lane = place.lane.is_none_or(|lane| self.lanes.is_empty() || self.lanes.contains(&lane));
        lane && (place.step == 0 || self.steps.is_empty() || self.steps.contains(&place.step))
    }
}

/// Finds out where every line belongs, and what failed.
pub fn assign(lines: &mut [Line]) -> Failed {
    let known = lanes(lines);
    let mut failed = Failed::default();
    let (mut step, mut script) = (0, 0);
    for line in lines {
        line.place = Place::default();
        if let Some((label, body)) = label(&line.text)
            && let Some(lane) = known.get(&line.text[label])
        {
            line.place = Place { lane: Some(*lane), step: 0, body };
        }
        let said = &line.text[line.place.body.max(time(&line.text))..];
        if begins_step(said) {
            step += 1;
        }
        if section(said).is_some_and(|name| name == b"step_script" || name == b"build_script") {
            script = step;
        }
        line.place.step = step;
        match end(said) {
            Some(End::Own) => {
                failed.lanes.extend(line.place.lane);
                failed.steps.extend(Some(step).filter(|step| *step > 0 && line.place.lane.is_none()));
            }
            Some(End::Of(name)) => failed.lanes.extend(known.get(name)),
            Some(End::Script) => failed.steps.extend(Some(script).filter(|step| *step > 0)),
            None => {}
        }
    }
    failed
}

/// The lines of the same job after a line, or before it.
pub fn of_same_job(lines: &[Line], from: usize, forward: bool) -> impl Iterator<Item = usize> {
    let lane = lines[from].place.lane;
    let behind = (from + 1..lines.len()).take(BETWEEN).filter(move |_| forward);
    let before = (0..from).rev().take(BETWEEN).filter(move |_| !forward);
    behind.chain(before).filter(move |other| lane.is_none() || lines[*other].place.lane == lane)
}

/// The labels that are some, numbered.
fn lanes(lines: &[Line]) -> HashMap<Vec<u8>, usize> {
    let mut counts: HashMap<&[u8], usize> = HashMap::new();
    for line in lines {
        if let Some((label, _)) = label(&line.text) {
            *counts.entry(&line.text[label]).or_default() += 1;
        }
    }
    let labels = counts.into_iter().filter(|(_, count)| *count >= LEAST_LINES).map(|(label, _)| label.to_vec());
    labels.enumerate().map(|(index, label)| (label, index)).collect()
}

/// The label of a line, and where the text behind it begins.
fn label(text: &[u8]) -> Option<(Range<usize>, usize)> {
    let at = time(text);
    let rest = &text[at..];
    let (label, body) = match rest.first()? {
        b'#' => build_step(rest)?,
        b'[' => in_brackets(rest)?,
        _ => of_gh(rest).or_else(|| of_compose(rest)).or_else(|| of_task(rest))?,
    };
    (label.len() <= LONGEST).then_some((at + label.start..at + label.end, at + body))
}

/// `BuildKit`: `#12 3.456 text`.
fn build_step(text: &[u8]) -> Option<(Range<usize>, usize)> {
    let end = 1 + run(&text[1..], |byte| byte.is_ascii_digit());
    let label = (end > 1 && text.get(end) == Some(&b' ')).then_some(0..end)?;
    let number = run(&text[end + 1..], |byte| byte.is_ascii_digit() || byte == b'.');
    let is_time = number > 0 && text.get(end + 1 + number) == Some(&b' ');
    Some((label, end + 1 + if is_time { number + 1 } else { 0 }))
}

/// concurrently, npm-run-all, branches of Jenkins: `[name] text`. A level is no name.
fn in_brackets(text: &[u8]) -> Option<(Range<usize>, usize)> {
    let end = 1 + run(&text[1..], |byte| byte.is_ascii_alphanumeric() || b"_.:@-".contains(&byte));
    let name = &text[1..end];
    let is_name = !name.is_empty() && text[end..].starts_with(b"] ");
    let is_level = LEVELS.iter().any(|level| name.eq_ignore_ascii_case(level));
    (is_name && !is_level).then_some((1..end, end + 2))
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

/// Bytes of the times at the beginning of a line: `2024-05-06T07:08:09.1Z `, `2024-05-06 07:08:09,123 `, `[07:08:09] `.
pub fn time(text: &[u8]) -> usize {
    let mut at = 0;
    for _ in 0..2 {
        let word = run(&text[at..], |byte| byte.is_ascii_digit() || b"[]-/:.,TZ+".contains(&byte));
        let digits = text[at..at + word].iter().filter(|byte| byte.is_ascii_digit()).count();
        let has_sign = text[at..at + word].iter().any(|byte| matches!(byte, b':' | b'-' | b'/'));
        if digits < 4 || !has_sign || text.get(at + word) != Some(&b' ') {
            break;
        }
        at += word + 1;
    }
    at
}

fn run(text: &[u8], is_inside: impl Fn(u8) -> bool) -> usize {
    text.iter().take(2 * LONGEST).take_while(|byte| is_inside(**byte)).count()
}

fn begins_step(said: &[u8]) -> bool {
    let of_docker =
        |rest: &[u8]| rest.first().is_some_and(u8::is_ascii_digit) && memchr::memmem::find(rest, b" : ").is_some();
    let begins =
        |step: &&str| said.strip_prefix(step.as_bytes()).is_some_and(|rest| **step != *"Step " || of_docker(rest));
    STEPS.iter().any(begins) || section(said).is_some()
}

/// The section of GitLab's runner that begins here: `section_start:1700000000:step_script`.
fn section(said: &[u8]) -> Option<&[u8]> {
    let rest = said.strip_prefix(b"section_start:")?;
    let name = &rest[memchr::memchr(b':', rest)? + 1..];
    SECTIONS.iter().find(|known| name.starts_with(known.as_bytes())).map(|known| known.as_bytes())
}

/// Whose end a line tells.
enum End<'a> {
    /// That of the job and step that the line is of.
    Own,
    /// That of a job by its label.
    Of(&'a [u8]),
    /// That of the script of a job of GitLab, told behind the sections that clean up.
    Script,
}

/// The end that a line tells, where it failed.
fn end(said: &[u8]) -> Option<End<'_>> {
    if said.starts_with(b"ERROR: Job failed: ") {
        return Some(End::Script);
    }
    if let Some(branch) = said.strip_prefix(b"Failed in branch ") {
        return Some(End::Of(branch));
    }
    let (at, words) = ENDS.iter().find_map(|words| Some((memchr::memmem::find(said, words.as_bytes())?, words)))?;
    let status = &said[at + words.len()..];
    if status.first() == Some(&b'0') {
        return None;
    }
    // docker compose tells of a service without its label: `web-1 exited with code 1`.
    let name = said[..at].strip_suffix(b" ").filter(|name| !name.is_empty() && !name.contains(&b' '));
    Some(name.filter(|_| *words == "exited with code ").map_or(End::Own, End::Of))
}

#[cfg(test)]
mod tests {
    use super::super::lines::lines;
    use super::*;
    use crate::transcript::Transcript;

    /// The lines that concern the failure.
    fn concerned(log: &str) -> Vec<String> {
        let (lines, failed) = lines(&Transcript::whole(log.as_bytes().to_vec()));
        let concerned = lines.iter().filter(|line| failed.concerns(line.place));
        concerned.map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
    }

    #[test]
    fn of_interleaved_jobs_the_one_that_failed_concerns() {
        for log in [
            "#11 0.1 b: x\n#12 0.1 a: x\n#11 0.2 b: y\n#12 ERROR: process \"/bin/sh -c a\" did not complete successfully: exit code: 2\n",
            "db-1   | b: x\nweb-1  | a: x\ndb-1   | b: y\nweb-1  | a: y\nweb-1 exited with code 2\ndb-1 exited with code 0\n",
            "ui:build: b: x\n@x/api:build: a: x\nui:build: b: y\n@x/api:build: ERROR: command finished with error: exit 2\n",
            "[ui] b: x\n[api] a: x\n[ui] b: y\n[api] a: y\n[api] npm run api exited with code 1\n[ui] npm run ui exited with code 0\n",
            "[ui] b: x\n[api] a: x\n[ui] b: y\n[api] a: y\nFailed in branch api\n",
            "t\tui\t2024-05-06T07:08:09.1Z b: x\nt\tapi\t2024-05-06T07:08:09.2Z a: x\nt\tui\t2024-05-06T07:08:09.1Z b: y\nt\tapi\t2024-05-06T07:08:09.3Z ##[error]Process completed with exit code 2.\n",
        ] {
            let text = concerned(log).join("\n");
            assert!(text.contains("a: x") && !text.contains("b: "), "{log}\n{text}");
        }
    }

    #[test]
    fn of_steps_the_one_that_failed_concerns() {
        for log in [
            "2024-05-06T07:08:09.1Z ##[group]Run b\n2024-05-06T07:08:09.1Z b: x\n2024-05-06T07:08:09.1Z ##[group]Run a\n2024-05-06T07:08:09.2Z a: x\n2024-05-06T07:08:09.2Z ##[error]Process completed with exit code 2.\n2024-05-06T07:08:09.3Z Post job cleanup.\n2024-05-06T07:08:09.3Z b: z\n",
            "section_start:1700000000:get_sources\r\x1b[0Kb: x\nsection_start:1700000001:step_script\r\x1b[0K$ a\na: x\nsection_start:1700000002:after_script\r\x1b[0Kb: z\nsection_end:1700000003:after_script\r\x1b[0K\nERROR: Job failed: exit code 1\n",
            "[Pipeline] { (One)\n+ b\nb: x\n[Pipeline] { (Two)\n+ a\na: x\nERROR: script returned exit code 2\n",
        ] {
            let text = concerned(log).join("\n");
            assert!(text.contains("a: x") && !text.contains("b: "), "{log}\n{text}");
        }
    }

    #[test]
    fn where_no_end_is_told_every_line_concerns() {
        for log in [
            "web-1  | a: x\ndb-1   | b: x\n",
            "ERROR:root: x\nsrc/a.c:main: y\n",
            "##[group]Run a\na: x\n##[group]Run b\n",
        ] {
            assert_eq!(concerned(log).len(), log.lines().count(), "{log}");
        }
    }

    #[test]
    fn levels_and_places_are_no_labels() {
        for line in ["[ERROR] x", "a.c:12: x", "error: x", "[1/4] x", "a | b"] {
            let found = label(line.as_bytes()).filter(|(label, _)| &line[label.clone()] != "a");
            assert_eq!(found, None, "{line}");
        }
    }
}
