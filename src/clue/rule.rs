//! A rule that is sound, where it was written, and what can be wrong with one.

use super::Operation;
use super::pattern::{GROUPS, Pattern};
use super::schema;
use crate::sys::errno::{Errno, by_name};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use toml::Spanned;

/// What is wrong with a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; none where the file could not be read.
    pub line: Option<usize>,
    /// What is wrong, with the field's name.
    pub text: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.text)
    }
}

/// A file of rules, kept to tell where something is wrong.
#[derive(Debug)]
pub(super) struct Source {
    file: PathBuf,
    line_ends: Vec<usize>,
}

impl Source {
    pub fn new(file: &Path, text: &str) -> Rc<Self> {
        Rc::new(Self { file: file.into(), line_ends: memchr::memchr_iter(b'\n', text.as_bytes()).collect() })
    }

    /// What is wrong at an offset of the file.
    pub fn fault(&self, span: &Range<usize>, text: String) -> Fault {
        let line = 1 + self.line_ends.partition_point(|end| *end < span.start);
        Fault { file: self.file.clone(), line: Some(line), text }
    }
}

/// A rule, ready to match.
#[derive(Debug)]
pub struct Rule {
    /// What the file says.
    pub text: schema::Rule,
    pub(super) source: Rc<Source>,
    pub(super) patterns: Vec<Pattern>,
    /// Lines near the message, and whether they are required.
    pub(super) near: Vec<(Pattern, bool)>,
    pub(super) errno: Option<Errno>,
}

/// Causes that an errno suggests.
#[derive(Debug)]
pub(super) struct Fallback {
    pub errno: Errno,
    pub operations: Vec<Operation>,
    pub suspects: Vec<String>,
}

impl Rule {
    /// The stable name.
    #[must_use]
    pub fn id(&self) -> &str {
        self.text.id.get_ref()
    }

    /// The file that it is from.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.source.file
    }

    /// The patterns as the file has them, those of lines near the message too.
    pub(super) fn all_patterns(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.text.pattern.iter().chain(&self.text.patterns).chain(self.text.near.iter().map(|near| &near.pattern))
    }

    /// Checks what a file says.
    ///
    /// # Errors
    /// What is wrong and where.
    pub(super) fn new(text: schema::Rule, source: &Rc<Source>) -> Result<Self, Fault> {
        let parse = |pattern: &Spanned<String>| sound(pattern, source);
        let patterns = text.pattern.iter().chain(&text.patterns).map(parse).collect::<Result<Vec<_>, _>>()?;
        if patterns.is_empty() {
            return Err(source.fault(&text.id.span(), format!("rule {} has no pattern", text.id.get_ref())));
        }
        let near = text.near.iter().map(|near| Ok((parse(&near.pattern)?, near.required)));
        let near = near.collect::<Result<Vec<_>, _>>()?;
        let errno = text.errno.as_ref().map(|name| errno(name, source)).transpose()?;
        Ok(Self { patterns, near, errno, source: Rc::clone(source), text })
    }
}

impl Fallback {
    /// Checks what a file says.
    ///
    /// # Errors
    /// What is wrong and where.
    pub fn new(text: schema::Fallback, source: &Source) -> Result<Self, Fault> {
        let suspects = text.suspects.into_iter().map(Spanned::into_inner).collect();
        Ok(Self { errno: errno(&text.errno, source)?, operations: text.operations, suspects })
    }
}

fn sound(text: &Spanned<String>, source: &Source) -> Result<Pattern, Fault> {
    let fault = |what: String| source.fault(&text.span(), format!("pattern {what}"));
    let pattern = Pattern::parse(text.get_ref()).map_err(fault)?;
    if let Some(name) = pattern.unknown_groups().next() {
        return Err(fault(format!("captures {name}, which is none of {}", GROUPS.join(", "))));
    }
    Ok(pattern)
}

fn errno(name: &Spanned<String>, source: &Source) -> Result<Errno, Fault> {
    let unknown = || source.fault(&name.span(), format!("errno {} is not known", name.get_ref()));
    by_name(name.get_ref()).ok_or_else(unknown)
}
