//! A transcript made ready: its lines, and their normal form where it is asked for.

use super::compared::{is_of_patch, is_wanted, is_wanted_in_difference};
use super::frame::is_source;
use super::jobs::{Failed, of_same_job};
use super::level::{is_harmless, is_of_kernel, is_warning};
use super::line::Line;
use super::lines;
use super::margin::Margin;
use super::prefix::{self, is_quotation, starts};
use super::shown::{self, Shown, is_markup, is_rejected, is_source_of_place};
use super::trace::within_commands;
use crate::clue::language::errno_words::Words;
use crate::clue::language::normal::Normal;
use crate::clue::search::pattern::Pattern;
use crate::clue::written::{ERRNO_BEGIN, TWIN};
use crate::transcript::Transcript;
use regex_automata::util::captures::Captures;
use regex_automata::{Input, Span};
use std::cell::OnceCell;

/// Lines that a rule may look at before and after its message: Node.js shows ten of a stack and then the fields of the error.
const NEAR: usize = 14;

/// Lines of a usage text that are one.
const USAGE: usize = 200;

/// Headings of a manual page, man-pages(7).
const MANUAL: &[&str] = &[
    "DESCRIPTION",
    "DIAGNOSTICS",
    "ENVIRONMENT",
    "ERRORS",
    "EXAMPLE",
    "EXAMPLES",
    "EXIT CODES",
    "EXIT STATUS",
    "FILES",
    "NOTES",
    "OPTIONS",
    "RETURN VALUE",
    "SYNOPSIS",
];

/// Alternatives of a pattern that may capture the same.
const TWINS: usize = 9;

pub struct Page<'a> {
    words: &'a Words,
    lines: Vec<Line>,
    /// Of those that were asked for: almost all lines of an output are no message.
    normals: Vec<OnceCell<Box<Normal>>>,
    failed: Failed,
    /// How many lines that concern the failure follow each line in the same log.
    behind: OnceCell<Vec<u32>>,
    /// Where each log begins, where there are several.
    logs: Vec<u64>,
    margin: OnceCell<Margin>,
    /// Of each line whether it stands within the quotation of a command that a shell shows.
    within_commands: OnceCell<Vec<bool>>,
}

impl<'a> Page<'a> {
    pub fn of(transcript: &Transcript, words: &'a Words) -> Self {
        let (lines, failed) = lines(transcript);
        let normals = lines.iter().map(|_| OnceCell::new()).collect();
        let logs = transcript.files.iter().map(|file| file.offset).collect();
        Self {
            words,
            lines,
            normals,
            failed,
            behind: OnceCell::new(),
            logs,
            margin: OnceCell::new(),
            within_commands: OnceCell::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn line(&self, index: usize) -> &Line {
        &self.lines[index]
    }

    /// Whether a line may be about the failure: it is not of a job or step that others failed beside.
    pub fn concerns(&self, line: usize) -> bool {
        self.failed.concerns(self.lines[line].place)
    }

    /// How many lines that concern the failure follow a line in its log.
    pub fn lines_behind(&self, line: usize) -> usize {
        self.behind.get_or_init(|| self.count_behind())[line] as usize
    }

    /// What the last lines say, up to so many of each log.
    pub fn last(&self, count: usize) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter(move |line| self.lines_behind(*line) < count).map(|line| self.lines[line].body())
    }

    fn count_behind(&self) -> Vec<u32> {
        let mut counts = vec![0; self.lines.len()];
        let mut logs = self.logs.iter().rev().peekable();
        let mut behind = 0;
        for (at, line) in self.lines.iter().enumerate().rev() {
            while logs.next_if(|begin| **begin > line.span.start).is_some() {
                behind = 0;
            }
            counts[at] = behind;
            behind += u32::from(!line.joined && self.failed.concerns(line.place));
        }
        counts
    }

    /// What a line says behind the label of its job.
    pub fn body(&self, line: usize) -> &[u8] {
        self.lines[line].body()
    }

    /// What the next lines of the same job say, or those before.
    pub fn of_same_job(&self, line: usize, forward: bool) -> impl Iterator<Item = &[u8]> {
        of_same_job(&self.lines, line, forward).map(|other| self.lines[other].body())
    }

    /// What the last lines of the log say that has a line, up to so many.
    pub fn log_end(&self, line: usize, count: usize) -> impl Iterator<Item = &[u8]> {
        let behind = &self.lines[line + 1..self.end_of_log(line)];
        behind[behind.len().saturating_sub(count)..].iter().map(Line::body)
    }

    /// The number behind the last line of the log that has a line.
    fn end_of_log(&self, line: usize) -> usize {
        let next = self.logs.iter().find(|begin| **begin > self.lines[line].span.start).copied().unwrap_or(u64::MAX);
        line + self.lines[line..].partition_point(|other| other.span.start < next)
    }

    /// Whether the log that has a line ends with lines that are no failure to the program that says them: most of its last ones, up to so many.
    pub fn ends_harmless(&self, line: usize, count: usize) -> bool {
        let end = self.end_of_log(line);
        let last = end.saturating_sub(count).max(line + 1)..end;
        last.len() == count && last.filter(|other| self.is_harmless(*other)).count() * 2 > count
    }

    fn normal(&self, index: usize) -> &Normal {
        self.normals[index].get_or_init(|| Normal::of(&self.lines[index].text, self.words).into())
    }

    /// Whether a line is no failure to the program that says it, as that tells.
    pub fn is_harmless(&self, line: usize) -> bool {
        is_harmless(&self.normal(line).text, self.lines[line].place.body)
    }

    /// Whether a line is a warning to the program that says it.
    pub fn is_warning(&self, line: usize) -> bool {
        is_warning(&self.normal(line).text, self.lines[line].place.body)
    }

    /// Whether a line is one of the kernel's log.
    pub fn is_of_kernel(&self, line: usize) -> bool {
        is_of_kernel(&self.normal(line).text)
    }

    /// Whether a line only quotes a message.
    pub fn is_quotation(&self, line: usize) -> bool {
        let body = self.lines[line].place.body;
        let quotes =
            |normal: &Normal| is_quotation(&normal.text, body) || is_wanted(&normal.text) || is_rejected(&normal.text);
        let quotes = match self.normals[line].get() {
            Some(normal) => quotes(normal),
            // It is not kept: most lines of a long log are not asked for anything else.
            None => quotes(&Normal::of(&self.lines[line].text, self.words)),
        };
        quotes
            || self.is_within_command(line)
            || self.is_usage(line)
            || self.is_expected(line)
            || self.is_wanted_in_difference(line)
            || self.is_source(line)
            || self.is_of_page(line)
            || self.is_joined_with_quotation(line)
    }

    fn has_errno(&self, line: usize) -> bool {
        self.normal(line).text.contains(&ERRNO_BEGIN)
    }

    /// Whether the words for an errno stand in a line that is a quotation by itself and was joined with others.
    fn is_joined_with_quotation(&self, line: usize) -> bool {
        let Line { joined, span, .. } = &self.lines[line];
        let behind = (line + 1..self.len()).take_while(|piece| self.lines[*piece].span.start < span.end);
        *joined
            && behind
                .filter(|piece| !self.lines[*piece].joined && self.has_errno(*piece))
                .any(|piece| self.is_quotation(piece))
    }

    /// How a line has its message; what a record says is in it as the line has it that was written.
    pub fn shown(&self, line: usize) -> Shown {
        let begin = self.lines[line].span.start;
        let is_written = |other: &usize| !self.lines[*other].joined;
        let written = (line..self.len()).take_while(|other| self.lines[*other].span.start <= begin).find(is_written);
        shown::shown(self, written.unwrap_or(line))
    }

    /// A line in normal form.
    pub fn normal_text(&self, line: usize) -> &[u8] {
        &self.normal(line).text
    }

    fn is_of_page(&self, line: usize) -> bool {
        is_markup(&self.normal(line).text, self.of_same_job(line, false).take(NEAR))
    }

    fn is_within_command(&self, line: usize) -> bool {
        self.within_commands.get_or_init(|| within_commands(&self.lines))[line]
    }

    fn is_source(&self, line: usize) -> bool {
        let near = |forward| of_same_job(&self.lines, line, forward).map(|near| self.lines[near].body());
        let body = self.lines[line].body();
        let is_of_place = || is_source_of_place(body, near(false).next(), near(true).next());
        is_source(body, near(false), near(true)) || self.has_errno(line) && is_of_place()
    }

    fn is_wanted_in_difference(&self, line: usize) -> bool {
        let below = self.of_same_job(line, true).next();
        let (line, above) = (self.lines[line].body(), || self.of_same_job(line, false));
        is_wanted_in_difference(line, above(), below) || is_of_patch(line, above())
    }

    /// Whether a line belongs to the text that a program shows on how it is used: set in below `usage:`, or below a heading there, or below one
    /// of a manual page.
    fn is_usage(&self, line: usize) -> bool {
        let text = |line: usize| &self.lines[line].text;
        let is_set_in = |line: usize| text(line).first().is_some_and(u8::is_ascii_whitespace);
        let begins = |line: usize| text(line).get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"usage:"));
        let is_of_manual = |line: usize| MANUAL.iter().any(|heading| text(line) == heading.as_bytes());
        let above = (0..line)
            .rev()
            .take(USAGE)
            .find(|above| begins(*above) || !is_set_in(*above) && !text(*above).ends_with(b":"));
        is_set_in(line) && above.is_some_and(|above| begins(above) || is_of_manual(above))
    }

    /// Whether a line is what Python's doctest wanted: set in below `Expected:`.
    fn is_expected(&self, line: usize) -> bool {
        let is_set_in = |line: usize| self.lines[line].text.first().is_some_and(u8::is_ascii_whitespace);
        let heading = (0..line).rev().take(USAGE).find(|above| !is_set_in(*above));
        is_set_in(line) && heading.is_some_and(|above| self.lines[above].text.trim_ascii_end() == b"Expected:")
    }

    /// What a pattern captures in a line, behind whichever prefix it matches first.
    pub fn capture<'p>(&'p self, line: usize, pattern: &Pattern) -> Option<Found<'p>> {
        let normal = self.normal(line);
        let regex = pattern.regex_for(&normal.text, normal.pairs())?;
        self.starts(line, normal).into_iter().find_map(|start| {
            let mut captures = regex.create_captures();
            regex.search_captures(&Input::new(&normal.text[start..]), &mut captures);
            captures.is_match().then_some(Found { normal, line: &self.lines[line].text, start, captures })
        })
    }

    fn margin(&self) -> &Margin {
        self.margin.get_or_init(|| Margin::of(&self.lines))
    }

    /// Where a message may begin: behind prefixes, and behind the label of a job and prefixes.
    fn starts(&self, line: usize, normal: &Normal) -> Vec<usize> {
        let mut starts = starts(&normal.text);
        if let Some(margin) = self.margin().end(&normal.text).filter(|end| !starts.contains(end)) {
            starts.extend(prefix::starts(&normal.text[margin..]).into_iter().map(|start| margin + start));
        }
        let Line { text, place, .. } = &self.lines[line];
        let label = normal.text.get(..place.body).filter(|label| place.body > 0 && **label == text[..place.body]);
        if let Some(label) = label.filter(|label| !starts.contains(&label.len())) {
            starts.extend(prefix::starts(&normal.text[label.len()..]).into_iter().map(|start| label.len() + start));
        }
        starts
    }

    /// The nearest other line that matches, of the same job, the lines after before the lines before; lines as they were written before joined ones,
    /// in which a value would go on into the next line.
    pub fn near<'p>(&'p self, line: usize, pattern: &Pattern) -> Option<Found<'p>> {
        let after = of_same_job(&self.lines, line, true).take(NEAR).map(Some).chain(std::iter::repeat(None));
        let before = of_same_job(&self.lines, line, false).take(NEAR).map(Some).chain(std::iter::repeat(None));
        let others = after.zip(before).take(NEAR).flat_map(|(after, before)| [after, before]).flatten();
        let (joined, plain): (Vec<usize>, Vec<usize>) = others.partition(|other| self.lines[*other].joined);
        plain.into_iter().chain(joined).find_map(|other| self.capture(other, pattern))
    }
}

/// A match, and the way back to the line as it was written.
pub struct Found<'p> {
    normal: &'p Normal,
    line: &'p [u8],
    start: usize,
    captures: Captures,
}

impl Found<'_> {
    /// The group of this name, in whichever alternative it is.
    fn group(&self, name: &str) -> Option<Span> {
        let twins = (2..=TWINS).map(|number| format!("{name}{TWIN}{number}"));
        self.captures
            .get_group_by_name(name)
            .or_else(|| twins.into_iter().find_map(|twin| self.captures.get_group_by_name(&twin)))
    }

    /// A group in normal form: for errno names and numbers.
    pub fn plain(&self, group: &str) -> Option<&str> {
        let place = self.group(group)?;
        std::str::from_utf8(&self.normal.text[place.start + self.start..place.end + self.start]).ok()
    }

    /// Whether the pattern says by an empty group that there is none of this name in the message.
    pub fn denies(&self, group: &str) -> bool {
        self.group(group).is_some_and(|found| found.is_empty())
    }

    /// A group as the program wrote it, without the punctuation of the sentence around it.
    pub fn written(&self, group: &str) -> Option<&[u8]> {
        let place = self.group(group)?;
        let place = self.normal.original(place.start + self.start..place.end + self.start);
        let behind = self.line.get(place.end).copied();
        self.line.get(place).map(|bytes| without_punctuation(bytes, behind)).filter(|bytes| !bytes.is_empty())
    }
}

/// What a sentence ends with is no part of a name: `see /run/x.pid.` A name that is quoted, or that the message goes on
/// behind, is taken as it is, and so are `.` and `..`.
fn without_punctuation(name: &[u8], behind: Option<u8>) -> &[u8] {
    if behind.is_some_and(|byte| !byte.is_ascii_whitespace()) {
        return name;
    }
    let end = name.iter().rposition(|byte| !b".,;!?".contains(byte)).map_or(0, |last| last + 1);
    let cut = &name[end..];
    let is_dots = matches!(cut, b"." | b"..") && (end == 0 || name[end - 1] == b'/');
    if is_dots { name } else { &name[..end] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_in_the_text_on_how_a_program_is_used_are_quotations() {
        let manual = "tool: x: Permission denied\nERRORS\n    EACCES\n      open x: Permission denied\ntool: stopped\n  cp: x: Permission denied\n";
        let usage = "usage: tool FILE\n  1  Permission denied\nExamples:\n  cp: cannot stat 'x': Permission denied\ntool: x: Permission denied\n  at y: Permission denied\n";
        let words = Words::new(None);
        let page = Page::of(&Transcript::whole(usage.into()), &words);
        let quoted = (0..page.len()).map(|line| page.is_quotation(line)).collect::<Vec<_>>();
        assert_eq!(quoted, [false, true, false, true, false, false]);
        let page = Page::of(&Transcript::whole(manual.into()), &words);
        let quoted = (0..page.len()).map(|line| page.is_quotation(line)).collect::<Vec<_>>();
        assert_eq!(quoted, [false, false, true, true, false, false]);
    }

    #[test]
    fn what_doctest_wanted_is_a_quotation() {
        let failure = "Expected:\n    cp: x: Permission denied\nGot:\n    cp: y: Permission denied\n";
        let words = Words::new(None);
        let page = Page::of(&Transcript::whole(failure.into()), &words);
        let quoted = (0..page.len()).map(|line| page.is_quotation(line)).collect::<Vec<_>>();
        assert_eq!(quoted[1..4], [true, false, false]);
    }

    #[test]
    fn the_end_of_a_sentence_is_no_part_of_a_name() {
        for (name, behind, meant) in [
            ("/run/docker.sock.", Some(b' '), "/run/docker.sock"),
            ("/tmp/.X0-lock.", None, "/tmp/.X0-lock"),
            ("/srv/a,", Some(b' '), "/srv/a"),
            ("a.", Some(b'\''), "a."),
            ("a.", Some(b':'), "a."),
            ("/srv/..", None, "/srv/.."),
            (".", None, "."),
            ("...", None, ""),
            ("x.conf", None, "x.conf"),
        ] {
            assert_eq!(without_punctuation(name.as_bytes(), behind), meant.as_bytes(), "{name}");
        }
    }
}
