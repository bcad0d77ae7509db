//! The rules that are there: those of `rules/`, which are part of the program, and those of files that the user names.

use super::pattern::{GROUPS, Pattern};
use super::schema::{self, Benign, File};
use super::{Operation, verbs::Verbs};
use crate::sys::errno::{Errno, by_name};
use aho_corasick::AhoCorasick;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use toml::Spanned;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/rules.rs"));
}

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

/// A rule, ready to match.
#[derive(Debug)]
pub struct Rule {
    /// What the file says.
    pub text: schema::Rule,
    /// The file.
    pub file: PathBuf,
    /// Offset of each line's end in the file, to tell lines of errors.
    line_ends: Rc<[usize]>,
    pub(super) patterns: Vec<Pattern>,
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

/// All rules.
#[derive(Debug, Default)]
pub struct Library {
    pub(super) rules: Vec<Rule>,
    pub(super) verbs: Verbs,
    pub(super) fallbacks: Vec<Fallback>,
    benign: Vec<Benign>,
    by_id: HashMap<String, usize>,
    /// The literals of all patterns, and which rule each belongs to.
    pub(super) needles: Option<AhoCorasick>,
    pub(super) owners: Vec<Vec<usize>>,
}

impl Library {
    /// The rules that are part of the program.
    #[must_use]
    pub fn builtin() -> Self {
        Self::with(&[]).0
    }

    /// The same, and those of files and directories that the user names; a later rule replaces an earlier one of the
    /// same id. What is wrong is left out and told.
    #[must_use]
    pub fn with(paths: &[PathBuf]) -> (Self, Vec<Fault>) {
        let mut library = Self::default();
        let mut faults = Vec::new();
        for (name, text) in embedded::FILES {
            faults.extend(library.add(&Path::new("rules").join(name), text));
        }
        faults.extend(library.add_paths(paths));
        library.index();
        (library, faults)
    }

    /// The rules of files and directories alone.
    #[must_use]
    pub fn only(paths: &[PathBuf]) -> (Self, Vec<Fault>) {
        let mut library = Self::default();
        let faults = library.add_paths(paths);
        library.index();
        (library, faults)
    }

    /// The rules, in the order of their files.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What an exit status means where it is an answer and no failure.
    #[must_use]
    pub fn benign(&self, command: &[impl AsRef<OsStr>], status: i32) -> Option<&str> {
        let (first, arguments) = command.split_first()?;
        let program = first.as_ref().as_bytes().rsplit(|byte| *byte == b'/').next()?;
        let given = |wanted: &String| arguments.iter().any(|argument| argument.as_ref() == OsStr::new(wanted));
        let holds = |benign: &&Benign| {
            benign.program.as_bytes() == program
                && benign.status.contains(&status)
                && (benign.arguments.is_empty() || benign.arguments.iter().any(given))
        };
        self.benign.iter().rev().find(holds).map(|benign| benign.meaning.as_str())
    }

    /// The table of benign exits.
    #[must_use]
    pub fn benign_exits(&self) -> &[Benign] {
        &self.benign
    }

    fn add_paths(&mut self, paths: &[PathBuf]) -> Vec<Fault> {
        let mut faults = Vec::new();
        for file in paths.iter().flat_map(|path| files(path)) {
            match read(&file) {
                Ok(text) => faults.extend(self.add(&file, &text)),
                Err(error) => faults.push(Fault { file, line: None, text: format!("cannot be read: {error}") }),
            }
        }
        faults
    }

    /// Adds what a file holds. A file that is not of the schema adds nothing; a rule that is not sound is left out.
    fn add(&mut self, file: &Path, text: &str) -> Vec<Fault> {
        let parsed: File = match toml::from_str(text) {
            Ok(parsed) => parsed,
            Err(error) => {
                let line = error.span().map(|span| line_of(text, &span));
                return vec![Fault { file: file.into(), line, text: error.message().replace('\n', " ") }];
            }
        };
        let mut faults = Vec::new();
        let mut keep = |fault: Result<(), (Range<usize>, String)>| {
            faults.extend(fault.err().map(|(span, what)| Fault {
                file: file.into(),
                line: Some(line_of(text, &span)),
                text: what,
            }));
        };
        let line_ends: Rc<[usize]> = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
        for rule in parsed.rule {
            keep(Rule::new(rule, file, Rc::clone(&line_ends)).map(|rule| self.put(rule)));
        }
        for fallback in parsed.fallback {
            keep(Fallback::new(fallback).map(|fallback| self.fallbacks.push(fallback)));
        }
        self.benign.extend(parsed.benign);
        self.verbs.extend(parsed.verbs);
        faults
    }

    fn put(&mut self, rule: Rule) {
        let id = rule.id().to_owned();
        if let Some(known) = self.by_id.get(&id) {
            self.rules[*known] = rule;
        } else {
            self.by_id.insert(id, self.rules.len());
            self.rules.push(rule);
        }
    }

    /// Gathers the literals of all rules, each once, with the rules that hold it.
    fn index(&mut self) {
        let mut owners: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        for (index, rule) in self.rules.iter().enumerate() {
            for needle in rule.patterns.iter().flat_map(|pattern| &pattern.needles) {
                owners.entry(needle).or_default().push(index);
            }
        }
        self.needles = AhoCorasick::new(owners.keys()).ok();
        self.owners = owners.into_values().collect();
    }
}

impl Rule {
    /// The stable name.
    #[must_use]
    pub fn id(&self) -> &str {
        self.text.id.get_ref()
    }

    /// The patterns as the file has them, those of lines near the message too.
    pub(super) fn all_patterns(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.text.pattern.iter().chain(&self.text.patterns).chain(self.text.near.iter().map(|near| &near.pattern))
    }

    fn new(text: schema::Rule, file: &Path, line_ends: Rc<[usize]>) -> Result<Self, (Range<usize>, String)> {
        let patterns = text.pattern.iter().chain(&text.patterns).map(sound).collect::<Result<Vec<_>, _>>()?;
        if patterns.is_empty() {
            return Err((text.id.span(), format!("rule {} has no pattern", text.id.get_ref())));
        }
        let near =
            text.near.iter().map(|near| Ok((sound(&near.pattern)?, near.required))).collect::<Result<Vec<_>, _>>()?;
        let errno = text.errno.as_ref().map(errno).transpose()?;
        Ok(Self { patterns, near, errno, file: file.into(), line_ends, text })
    }
}

impl Fallback {
    fn new(text: schema::Fallback) -> Result<Self, (Range<usize>, String)> {
        let suspects = text.suspects.into_iter().map(Spanned::into_inner).collect();
        Ok(Self { errno: errno(&text.errno)?, operations: text.operations, suspects })
    }
}

fn sound(text: &Spanned<String>) -> Result<Pattern, (Range<usize>, String)> {
    let fault = |what: String| (text.span(), format!("pattern {what}"));
    let pattern = Pattern::parse(text.get_ref()).map_err(fault)?;
    if let Some(name) = pattern.unknown_groups().next() {
        return Err(fault(format!("captures {name}, which is none of {}", GROUPS.join(", "))));
    }
    Ok(pattern)
}

fn errno(name: &Spanned<String>) -> Result<Errno, (Range<usize>, String)> {
    by_name(name.get_ref()).ok_or_else(|| (name.span(), format!("errno {} is not known", name.get_ref())))
}

/// The line of a rule's file, from 1.
pub(super) fn line_in(rule: &Rule, span: &Range<usize>) -> usize {
    1 + rule.line_ends.partition_point(|end| *end < span.start)
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    text.as_bytes()[..span.start.min(text.len())].split(|byte| *byte == b'\n').count()
}

#[expect(clippy::disallowed_methods, reason = "rule files are configuration, not the machine that is examined")]
fn read(file: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(file)
}

/// The file itself, or the `*.toml` files of a directory by name.
#[expect(clippy::disallowed_methods, reason = "rule files are configuration, not the machine that is examined")]
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_owned()] };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}
