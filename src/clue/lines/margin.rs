//! What the lines of a log have in common at their beginning: the name of a job, a number of the line, a time in a form of its own. Who writes
//! such a margin nobody knows them all; but where most lines begin with the same form, a message begins behind it.

use super::line::Line;
use std::collections::HashMap;

/// Lines that are compared, of the beginning of a log and of its end.
const SAMPLE: usize = 200;
/// Fewer lines have nothing in common but by chance, and so many in a hundred must have it.
const LEAST_LINES: usize = 4;
const LEAST_SHARE: usize = 60;
/// Bytes of a line that are compared.
const LONGEST: usize = 80;
/// Signs of which a margin has one: words alone are what a program says.
const SIGNS: &[u8] = b"0|>[]()<#*";

/// The form of the margin; empty where there is none.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Margin {
    form: Vec<u8>,
}

/// A line up to a place, with each number as one digit and each gap as one blank.
struct Form {
    text: Vec<u8>,
    /// Where blanks end: bytes of the form, and of the line.
    ends: Vec<(usize, usize)>,
}

impl Form {
    fn of(line: &[u8]) -> Self {
        let mut form = Self { text: Vec::new(), ends: Vec::new() };
        let begin = line.len() - line.trim_ascii_start().len();
        for (at, byte) in line.iter().enumerate().take(begin + LONGEST).skip(begin) {
            let sign = match byte {
                b'0'..=b'9' => b'0',
                b'\t' => b' ',
                other => *other,
            };
            if form.text.last() == Some(&b' ') && sign != b' ' {
                form.ends.push((form.text.len(), at));
            }
            let is_more = matches!(sign, b'0' | b' ') && form.text.last() == Some(&sign);
            if !is_more {
                form.text.push(sign);
            }
        }
        form
    }
}

impl Margin {
    /// What most lines begin with.
    pub fn of(lines: &[Line]) -> Self {
        let written = || lines.iter().filter(|line| !line.joined);
        let tail = written().count().saturating_sub(SAMPLE).max(SAMPLE);
        let sample: Vec<Form> =
            written().take(SAMPLE).chain(written().skip(tail)).map(|line| Form::of(&line.text)).collect();
        if sample.len() < LEAST_LINES {
            return Self::default();
        }
        let mut counts: HashMap<&[u8], usize> = HashMap::new();
        for form in &sample {
            for (end, _) in &form.ends {
                *counts.entry(&form.text[..*end]).or_default() += 1;
            }
        }
        let least = LEAST_LINES.max(sample.len() * LEAST_SHARE / 100);
        let common =
            counts.into_iter().filter(|(form, count)| *count >= least && form.iter().any(|sign| SIGNS.contains(sign)));
        Self { form: common.map(|(form, _)| form.to_vec()).max_by_key(Vec::len).unwrap_or_default() }
    }

    /// Where a line begins behind the margin, where it has it.
    pub fn end(&self, line: &[u8]) -> Option<usize> {
        if self.form.is_empty() {
            return None;
        }
        let form = Form::of(line);
        let end = form.ends.iter().find(|(end, _)| *end == self.form.len())?;
        form.text.starts_with(&self.form).then_some(end.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind<'t>(log: &[&'t str]) -> Vec<Option<&'t str>> {
        let lines: Vec<Line> =
            log.iter().map(|text| Line { text: text.as_bytes().to_vec(), ..Line::default() }).collect();
        let margin = Margin::of(&lines);
        log.iter().map(|text| margin.end(text.as_bytes()).map(|end| &text[end..])).collect()
    }

    #[test]
    fn what_most_lines_begin_with_is_their_margin() {
        for prefixes in [
            ["[CI/build]   | "; 5],
            ["  9 ", " 10 ", " 11 ", " 99 ", "100 "],
            ["hello-2.1 "; 5],
            ["0|web  | "; 5],
            ["07h08m09s <a> ", "07h08m10s <a> ", "07h08m11s <a> ", "07h08m12s <a> ", "7h08m09s <a> "],
        ] {
            let said = ["cc -c a.c", "ld a.o", "cp: x: gone", "make: *** 1", "the end"];
            let log: Vec<String> = prefixes.iter().zip(said).map(|(prefix, said)| format!("{prefix}{said}")).collect();
            let log: Vec<&str> = log.iter().map(String::as_str).collect();
            assert_eq!(behind(&log), said.map(Some), "{prefixes:?}");
        }
    }

    #[test]
    fn words_are_no_margin_and_neither_is_what_few_lines_have() {
        let same = ["cp: cannot stat a", "cp: cannot stat b", "cp: cannot stat c", "cp: cannot stat d"];
        assert_eq!(behind(&same), [None; 4]);
        assert_eq!(behind(&["1 a", "2 b", "3 c"]), [None; 3]);
        assert_eq!(behind(&["1 | a", "b c", "d e", "f g", "h i", "1 | j"]), [None; 6]);
    }
}
