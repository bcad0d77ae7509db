//! What is odd about a user's own rules though they can be read: causes that do not exist, ids that are taken or given twice, no examples.

use crate::clue::library::Library;
use crate::clue::library::rule::Rule;
use crate::clue::written::{Fault, schema};
use toml::Spanned;

/// What a review finds.
#[derive(Debug, Default)]
pub struct Reviewed {
    /// What cannot work.
    pub failures: Vec<Fault>,
    /// What works and may not be meant so.
    pub warnings: Vec<Fault>,
}

impl Library {
    /// Looks at rules of files beside those that are part of the program. `near` yields nothing for the id of a cause, and for other
    /// words the ids that are like them.
    #[must_use]
    pub fn review(&self, builtin: &Self, near: impl Fn(&str) -> Option<Vec<&'static str>>) -> Reviewed {
        let mut reviewed = Reviewed::default();
        for rule in self.rules() {
            let Some(text) = rule.written() else { continue };
            let unknown = text.suspects.iter().filter_map(|id| Some((id, near(id.get_ref())?)));
            reviewed.failures.extend(unknown.map(|(id, near)| rule.unknown_cause(id, &near)));
            reviewed.failures.extend(rule.too_large(text));
            reviewed.warnings.extend(rule.shadow(text, builtin));
            reviewed.warnings.extend(rule.lacks(text));
        }
        reviewed.warnings.extend(self.replaced.iter().filter_map(Rule::is_replaced));
        reviewed
    }
}

impl Rule {
    fn fault_at(&self, place: &Spanned<String>, text: &str) -> Fault {
        self.source.fault(&place.span(), format!("{}: {text}", self.id()))
    }

    fn unknown_cause(&self, id: &Spanned<String>, near: &[&str]) -> Fault {
        let hint =
            if near.is_empty() { "see docs/causes".to_owned() } else { format!("near ones: {}", near.join(", ")) };
        self.fault_at(id, &format!("suspects: no cause has the id {} ({hint})", id.get_ref()))
    }

    fn too_large(&self, text: &schema::Rule) -> Option<Fault> {
        let is_too_large = self.ready().patterns.iter().any(crate::clue::search::pattern::Pattern::is_too_large);
        is_too_large.then(|| self.fault_at(&text.id, "pattern: it is too large when it is compiled, and never matches"))
    }

    /// That it takes the place of a rule which is part of the program.
    fn shadow(&self, text: &schema::Rule, builtin: &Library) -> Option<Fault> {
        let taken = builtin.rules().iter().any(|known| known.id() == self.id());
        taken.then(|| self.fault_at(&text.id, "id: a built-in rule has it too, and does not count beside this one"))
    }

    /// That another rule of the files takes its place.
    fn is_replaced(&self) -> Option<Fault> {
        let text = self.written()?;
        Some(self.fault_at(&text.id, "id: a later rule has it too, and this one does not count"))
    }

    fn lacks(&self, text: &schema::Rule) -> Vec<Fault> {
        let lacking = [
            (text.fires.is_empty(), "fires: there is no output in which it must fire"),
            (text.silent.is_empty(), "silent: there is no output in which it must not fire"),
            (text.source.trim().is_empty(), "source: nobody can tell where the message was seen"),
        ];
        let lacking = lacking.into_iter().filter(|(lacks, _)| *lacks);
        lacking.map(|(_, what)| self.fault_at(&text.id, what)).collect()
    }
}
