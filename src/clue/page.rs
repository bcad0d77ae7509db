//! A transcript made ready: its lines in normal form, and which rules have a chance in which line.

use super::errno_words::Words;
use super::library::Library;
use super::lines::{Line, lines};
use super::normal::Normal;
use super::pattern::TWIN;
use super::prefix::{is_quotation, starts};
use crate::transcript::Transcript;
use regex::bytes::{Captures, Match, Regex};
use std::ops::Range;

/// Lines that a rule may look at before and after its message.
const NEAR: usize = 10;

/// Alternatives of a pattern that may capture the same.
const TWINS: usize = 9;

pub struct Page {
    lines: Vec<Line>,
    normals: Vec<Normal>,
}

impl Page {
    pub fn of(transcript: &Transcript, words: &Words) -> Self {
        let lines = lines(transcript);
        let normals = lines.iter().map(|line| Normal::of(&line.text, words)).collect();
        Self { lines, normals }
    }

    pub fn line(&self, index: usize) -> &Line {
        &self.lines[index]
    }

    /// Lines and rules whose literal is in the line, in the order of the lines. Lines that only quote a message have none.
    pub fn candidates(&self, library: &Library) -> Vec<(usize, usize)> {
        let Some(needles) = &library.needles else { return Vec::new() };
        let mut found = Vec::new();
        for (line, normal) in self.normals.iter().enumerate() {
            let before = found.len();
            for needle in needles.find_overlapping_iter(&normal.text) {
                found.extend(library.owners[needle.pattern().as_usize()].iter().map(|rule| (line, *rule)));
            }
            if found.len() > before && is_quotation(&normal.text) {
                found.truncate(before);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What a pattern captures in a line, behind whichever prefix it matches first.
    pub fn capture<'p>(&'p self, line: usize, regex: &Regex) -> Option<Found<'p>> {
        let normal = &self.normals[line];
        starts(&normal.text).into_iter().find_map(|start| {
            let captures = regex.captures(&normal.text[start..])?;
            Some(Found { normal, line: &self.lines[line].text, start, captures })
        })
    }

    /// The nearest other line that matches, the lines after before the lines before; lines as they were written before joined ones,
    /// in which a value would go on into the next line.
    pub fn near<'p>(&'p self, line: usize, regex: &Regex) -> Option<Found<'p>> {
        let both = |distance| [Some(line + distance), line.checked_sub(distance)];
        let others: Vec<usize> =
            (1..=NEAR).flat_map(both).flatten().filter(|other| *other < self.lines.len()).collect();
        let (joined, plain): (Vec<usize>, Vec<usize>) = others.into_iter().partition(|other| self.lines[*other].joined);
        plain.into_iter().chain(joined).find_map(|other| self.capture(other, regex))
    }
}

/// A match, and the way back to the line as it was written.
pub struct Found<'p> {
    normal: &'p Normal,
    line: &'p [u8],
    start: usize,
    captures: Captures<'p>,
}

impl Found<'_> {
    /// The group of this name, in whichever alternative it is.
    fn group(&self, name: &str) -> Option<Match<'_>> {
        let twins = (2..=TWINS).map(|number| format!("{name}{TWIN}{number}"));
        self.captures.name(name).or_else(|| twins.into_iter().find_map(|twin| self.captures.name(&twin)))
    }

    /// A group in normal form: for errno names and numbers.
    pub fn plain(&self, group: &str) -> Option<&str> {
        std::str::from_utf8(self.group(group)?.as_bytes()).ok()
    }

    /// A group as the program wrote it.
    pub fn written(&self, group: &str) -> Option<&[u8]> {
        let place: Range<usize> = self.group(group)?.range();
        let place = self.normal.original(place.start + self.start..place.end + self.start);
        self.line.get(place).filter(|bytes| !bytes.is_empty())
    }
}
