//! What is wrong with a rule file, and where.

use super::salvage::salvage;
use super::schema;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::OnceLock;

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

impl Fault {
    /// That a file could not be read.
    pub fn unread(file: &Path, why: &dyn std::fmt::Display) -> Self {
        Self { file: file.into(), line: None, text: format!("cannot be read: {why}") }
    }
}

/// A file of rules, kept to tell where something is wrong.
#[derive(Debug)]
pub struct Source {
    /// Its name.
    pub file: PathBuf,
    /// What it holds; nothing for a file that is part of the program.
    pub text: String,
    /// Offsets of the ends of its lines, found when something is wrong with it: ten thousand wrong rules must not cost a count each.
    line_ends: OnceLock<Vec<usize>>,
}

impl Source {
    /// The file of this name with what it holds.
    pub fn new(file: &Path, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { file: file.into(), text: text.into(), line_ends: OnceLock::new() })
    }

    /// The text of a file of this name.
    ///
    /// # Errors
    /// Where it is none.
    pub fn text_of(file: &Path, bytes: Vec<u8>) -> Result<String, Fault> {
        String::from_utf8(bytes).map_err(|error| {
            let end = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..end].split(|byte| *byte == b'\n').count();
            Fault { file: file.into(), line: Some(line), text: "left out: this is no UTF-8".to_owned() }
        })
    }

    /// What the file says that is sound, and what is wrong with the rest.
    pub fn parse(&self) -> (schema::File, Vec<Fault>) {
        let sound = toml::from_str(&self.text).map(|file| (file, Vec::new()));
        let (file, wrong) = sound.unwrap_or_else(|_| salvage(&self.text));
        (file, wrong.into_iter().map(|(place, what)| self.fault(&place, what)).collect())
    }

    /// The rule at a place, where nothing else is there and it is of the schema; a fault in it is told from the place on.
    pub fn rule_at(&self, place: &Range<usize>) -> Option<schema::Rule> {
        let schema::File { mut rule, .. } = toml::from_str(self.text.get(place.clone())?).ok()?;
        rule.pop().filter(|_| rule.is_empty())
    }

    /// What is wrong at an offset of the file.
    pub fn fault(&self, span: &Range<usize>, text: String) -> Fault {
        let ends = self.line_ends.get_or_init(|| self.text.match_indices('\n').map(|(offset, _)| offset).collect());
        let before = ends.partition_point(|end| *end < span.start);
        Fault { file: self.file.clone(), line: Some(before + 1), text }
    }
}
