//! The rules that a project brings along. Whoever wrote the project wrote them, so they count only after the user has read and
//! trusted them, and only as they were then.

use super::trust::Store;
use super::{OwnRules, Place, Reader};
use crate::clue::Fault;
use crate::machine::{Machine, RulePlace};
use crate::text::said;
use std::path::{Path, PathBuf};

/// Adds the project's rules where they are trusted; else says in a word that they are there.
pub(super) fn add(reader: &Reader, own: &mut OwnRules) {
    let machine = reader.machine;
    let Ok(Some(rules)) = machine.project_rules(&machine.surroundings().cwd) else { return };
    let Ok(found) = machine.rule_files(&rules) else { return };
    if found.files.is_empty() {
        return;
    }
    let store = Store::of(machine.surroundings());
    let is_trusted = |store: &Store| store.trusts(&rules, &found.files, machine, &reader.believed);
    if store.as_ref().is_some_and(is_trusted) {
        return reader.add_files(&Place::trusted(rules), found.files, own);
    }
    // Rules of a stranger, as they can lie above a directory in /tmp, are not recommended to anybody.
    if found.ownership.is_some_and(|ownership| reader.believed.doubt(ownership).is_none()) {
        own.untrusted = Some(untrusted(&rules, store.is_some_and(|store| store.knows(&rules))));
    }
}

fn untrusted(rules: &Path, was_trusted: bool) -> String {
    let why = if was_trusted { "have changed since they were trusted" } else { "are not trusted" };
    format!("{} not used: they {why} (read them, then: explain --trust)", rules.display())
}

/// A project whose rules are to be trusted or not.
pub struct Project {
    /// The directory of its rules.
    pub rules: PathBuf,
    found: RulePlace,
    store: Store,
}

impl Project {
    /// The project that a directory belongs to.
    ///
    /// # Errors
    /// Why there is none, or no place to keep trust, as text for the user.
    pub fn of(machine: &Machine, directory: &Path) -> Result<Self, String> {
        let unread = |error| format!("{}: {error}", directory.display());
        #[expect(clippy::disallowed_methods, reason = "what the user names is named as the kernel names it")]
        let whole = std::fs::canonicalize(directory).map_err(|error| unread(error.into()))?;
        let rules = machine.project_rules(&whole).map_err(unread)?;
        let rules =
            rules.ok_or_else(|| format!("no .explain/rules in {} or above it in its project", whole.display()))?;
        let found = machine.rule_files(&rules).map_err(|error| format!("{}: {error}", rules.display()))?;
        let store =
            Store::of(machine.surroundings()).ok_or("neither HOME nor XDG_STATE_HOME says where to keep trust")?;
        Ok(Self { rules, found, store })
    }

    /// Trusts the rules as they are; the files are returned.
    ///
    /// # Errors
    /// Why trust cannot be kept.
    pub fn trust(&self) -> Result<Vec<&Path>, String> {
        if self.found.files.is_empty() {
            return Err(format!("{} holds no rule file", self.rules.display()));
        }
        self.store.trust(&self.rules, &self.found.files).map_err(|error| self.unkept(&error))?;
        Ok(self.found.files.iter().map(|file| file.file.as_path()).collect())
    }

    /// Takes back trust; whether there was any.
    ///
    /// # Errors
    /// Why it cannot be taken back.
    pub fn distrust(&self) -> Result<bool, String> {
        self.store.distrust(&self.rules).map_err(|error| self.unkept(&error))
    }

    /// What is wrong with the rules.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let texts: Vec<(PathBuf, String)> = self.found.files.iter().filter_map(super::lossy).collect();
        crate::clue::Library::with_texts(texts).1
    }

    fn unkept(&self, error: &std::io::Error) -> String {
        format!("cannot keep whether {} is trusted: {}", self.rules.display(), said(error))
    }
}
