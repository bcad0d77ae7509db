//! The rules that are there: those of `rules/`, which are part of the program, and those of files that the user names.

use crate::clue::language::verbs::Verbs;
use crate::clue::written::{Benign, Embedded, Fallback, Fault, Source, schema};
use crate::clue::{Clue, Shown};
use crate::command_line::launched;
use crate::machine::{RuleFile, RulePlace, rule_files};
use exits::Exits;
use rule::{Rule, known_errno};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod exits;
mod outline;
pub mod rule;

/// What the build made of `rules/`: an [`Embedded`].
static EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));

/// What must be silent for the rules of `rules/`, by their ids.
static SILENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/silent.bin"));

/// The same, read.
pub(in crate::clue) fn silent() -> Vec<(&'static str, &'static str)> {
    postcard::from_bytes(SILENT).unwrap_or_default()
}

/// All rules.
#[derive(Debug, Default)]
pub struct Library {
    pub(in crate::clue) rules: Vec<Rule>,
    pub(in crate::clue) verbs: Verbs,
    /// The first that fits counts.
    pub(in crate::clue) fallbacks: Vec<Fallback>,
    pub(in crate::clue) exits: Exits,
    /// Exit statuses and fallbacks of files, as they are written.
    pub(in crate::clue) written_benign: Vec<(schema::Benign, Arc<Source>)>,
    pub(in crate::clue) written_exits: Vec<(schema::Exit, Arc<Source>)>,
    pub(in crate::clue) written_fallbacks: Vec<(schema::Fallback, Arc<Source>)>,
    /// Rules in whose place later ones of the same id stand.
    pub(in crate::clue) replaced: Vec<Rule>,
    /// Whether files added verbs.
    has_verbs: bool,
    /// Places of the rules, once there are rules of files.
    by_id: HashMap<String, usize>,
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
        let mut library = Self::embedded();
        let faults = library.add_paths(paths);
        (library, faults)
    }

    /// The built-in rules and those of files that were read already, of which later ones win by id. What such a rule says beside its id
    /// and patterns is read when a line needs it.
    #[must_use]
    pub fn with_texts(texts: impl IntoIterator<Item = (PathBuf, String)>) -> (Self, Vec<Fault>) {
        let mut library = Self::embedded();
        let faults = texts.into_iter().flat_map(|(file, text)| library.add_at_a_glance(&file, text)).collect();
        (library, faults)
    }

    /// The rules of files and directories alone, with the verbs and fallbacks that are part of the program.
    #[must_use]
    pub fn only(paths: &[PathBuf]) -> (Self, Vec<Fault>) {
        let mut library = Self { rules: Vec::new(), exits: Exits::default(), ..Self::embedded() };
        let faults = library.add_paths(paths);
        (library, faults)
    }

    /// Whether files added nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
            && self.written_benign.is_empty()
            && self.written_exits.is_empty()
            && self.written_fallbacks.is_empty()
            && !self.has_verbs
    }

    /// The rules, in the order of their files.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What makes an exit status an answer and no failure.
    #[must_use]
    pub fn benign(&self, command: &[impl AsRef<OsStr>], status: i32) -> Option<&Benign> {
        self.exits.benign(command, status)
    }

    /// What an exit status tells of the failure, for when the program said nothing.
    #[must_use]
    pub fn of_status(&self, command: &[impl AsRef<OsStr>], status: i32) -> Option<Clue> {
        self.exits.clue(command, status)
    }

    /// Marks what the program did not say itself where its exit status tells that a server answered with an error: it may be what that one
    /// answered.
    pub fn mark_answers(&self, command: &[impl AsRef<OsStr>], status: i32, clues: &mut [Clue]) {
        if !self.exits.is_answered(command, status) {
            return;
        }
        let program = launched(command).first().and_then(|program| Path::new(program).file_name()).unwrap_or_default();
        let program = program.to_string_lossy();
        let is_own = |clue: &Clue| clue.line.strip_prefix(&*program).is_some_and(|rest| rest.starts_with([':', ' ']));
        for clue in clues.iter_mut().filter(|clue| !is_own(clue)) {
            clue.shown = Shown::Value;
        }
    }

    /// What is part of the program. The build has written it, so that it can be read; else there would be no rule.
    fn embedded() -> Self {
        let Embedded { files, rules, benign, exits, fallbacks, verbs: known } =
            postcard::from_bytes(EMBEDDED).unwrap_or_default();
        let sources: Vec<_> = files.iter().map(|name| Source::new(&Path::new("rules").join(name), "")).collect();
        let rules = rules.into_iter().filter_map(|entry| {
            let source = sources.get(entry.file)?;
            Some(Rule::embedded(entry, source))
        });
        let mut verbs = Verbs::default();
        verbs.extend(known);
        let exits = Exits { benign, telling: exits };
        let mut library = Self { rules: rules.collect(), verbs, exits, ..Self::default() };
        library.put_fallbacks(fallbacks);
        library
    }

    fn add_paths(&mut self, paths: &[PathBuf]) -> Vec<Fault> {
        let mut faults = Vec::new();
        for path in paths {
            match rule_files(path) {
                Ok(RulePlace { files, .. }) => faults.extend(files.into_iter().flat_map(|file| self.add_file(file))),
                Err(error) => faults.push(Fault::unread(path, &error)),
            }
        }
        faults
    }

    fn add_file(&mut self, RuleFile { file, read }: RuleFile) -> Vec<Fault> {
        let text =
            read.map_err(|error| Fault::unread(&file, &error)).and_then(|(_, bytes)| Source::text_of(&file, bytes));
        text.map_or_else(|fault| vec![fault], |text| self.add(&Source::new(&file, text)))
    }

    /// The same as [`Self::add`], sooner where the file is sound and holds rules alone.
    fn add_at_a_glance(&mut self, file: &Path, text: String) -> Vec<Fault> {
        let source = Source::new(file, text);
        let Some(rules) = Rule::at_a_glance(&source) else { return self.add(&source) };
        for rule in rules {
            self.put(rule);
        }
        Vec::new()
    }

    /// Adds what a file holds. What is not of the schema or not sound is left out, entry by entry.
    fn add(&mut self, source: &Arc<Source>) -> Vec<Fault> {
        let (parsed, mut faults) = source.parse();
        self.exits.add(&parsed);
        for rule in parsed.rule {
            faults.extend(Rule::new(rule, source).map(|rule| self.put(rule)).err());
        }
        let mut fallbacks = Vec::new();
        for fallback in parsed.fallback {
            let known = known_errno(&fallback.errno, source);
            faults.extend(known.as_ref().err().cloned());
            if known.is_ok() {
                fallbacks.push((&fallback).into());
                self.written_fallbacks.push((fallback, Arc::clone(source)));
            }
        }
        self.put_fallbacks(fallbacks);
        self.written_benign.extend(parsed.benign.into_iter().map(|benign| (benign, Arc::clone(source))));
        self.written_exits.extend(parsed.exit.into_iter().map(|exit| (exit, Arc::clone(source))));
        self.has_verbs |= !parsed.verbs.is_empty();
        self.verbs.extend(parsed.verbs);
        faults
    }

    /// Puts the fallbacks of a file before those of earlier files, and of one file those for some operations before those for all.
    fn put_fallbacks(&mut self, mut of_file: Vec<Fallback>) {
        of_file.sort_by_key(|fallback| fallback.operations.is_empty());
        self.fallbacks.splice(..0, of_file);
    }

    fn put(&mut self, rule: Rule) {
        if self.by_id.is_empty() {
            self.by_id = self.rules.iter().enumerate().map(|(index, rule)| (rule.id().to_owned(), index)).collect();
        }
        let id = rule.id().to_owned();
        if let Some(known) = self.by_id.get(&id) {
            self.replaced.push(std::mem::replace(&mut self.rules[*known], rule));
        } else {
            self.by_id.insert(id, self.rules.len());
            self.rules.push(rule);
        }
    }
}
