//! The rules that are there: those of `rules/`, which are part of the program, and those of files that the user names.

use super::rule::{Fallback, Fault, Rule, Source};
use super::salvage::salvage;
use super::schema::{Benign, File};
use super::verbs::Verbs;
use aho_corasick::AhoCorasick;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/rules.rs"));
}

/// All rules.
#[derive(Debug, Default)]
pub struct Library {
    pub(super) rules: Vec<Rule>,
    pub(super) verbs: Verbs,
    pub(super) fallbacks: Vec<Fallback>,
    pub(super) benign: Vec<(Benign, Rc<Source>)>,
    by_id: HashMap<String, usize>,
    /// The literals of all patterns.
    pub(super) needles: Option<AhoCorasick>,
    /// Rules that hold each literal.
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
        let mut faults = library.add_builtin();
        faults.extend(library.add_paths(paths));
        library.index();
        (library, faults)
    }

    /// The built-in rules and those of files that were read already, of which later ones win by id.
    #[must_use]
    pub fn with_texts(texts: &[(PathBuf, String)]) -> (Self, Vec<Fault>) {
        let mut library = Self::default();
        let mut faults = library.add_builtin();
        faults.extend(texts.iter().flat_map(|(file, text)| library.add(file, text)));
        library.index();
        (library, faults)
    }

    /// The rules of files and directories alone, with the verbs and fallbacks that are part of the program.
    #[must_use]
    pub fn only(paths: &[PathBuf]) -> (Self, Vec<Fault>) {
        let mut library = Self::default();
        library.add_builtin();
        (library.rules, library.benign, library.by_id) = Default::default();
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
        let mut latest_first = self.benign.iter().rev().map(|(benign, _)| benign);
        latest_first.find(holds).map(|benign| benign.meaning.as_str())
    }

    fn add_builtin(&mut self) -> Vec<Fault> {
        let files = embedded::FILES.iter();
        files.flat_map(|(name, text)| self.add(&Path::new("rules").join(name), text)).collect()
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

    /// Adds what a file holds. What is not of the schema or not sound is left out, entry by entry.
    fn add(&mut self, file: &Path, text: &str) -> Vec<Fault> {
        let source = Source::new(file, text);
        let (parsed, wrong): (File, _) = toml::from_str(text).map_or_else(|_| salvage(text), |file| (file, Vec::new()));
        let mut faults: Vec<Fault> = wrong.into_iter().map(|(place, what)| source.fault(&place, what)).collect();
        for rule in parsed.rule {
            faults.extend(Rule::new(rule, &source).map(|rule| self.put(rule)).err());
        }
        for fallback in parsed.fallback {
            faults.extend(Fallback::new(fallback, &source).map(|fallback| self.fallbacks.push(fallback)).err());
        }
        self.benign.extend(parsed.benign.into_iter().map(|benign| (benign, Rc::clone(&source))));
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
