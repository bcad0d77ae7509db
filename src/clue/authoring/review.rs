//! What is odd about a user's own rules though they can be read: causes, placeholders and statuses that do not exist, ids that are taken or given
//! twice, no examples.

use super::Origin;
use crate::clue::library::Library;
use crate::clue::library::rule::Rule;
use crate::clue::written::{Fault, Source, schema};
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
            reviewed.failures.extend(unknown_causes(&rule.source, rule.id(), &text.suspects, &near));
            reviewed.failures.extend(rule.nameless(text));
            reviewed.failures.extend(rule.unknown_placeholders(text));
            reviewed.failures.extend(rule.too_large(text));
            reviewed.warnings.extend(rule.shadow(text, builtin));
            reviewed.warnings.extend(rule.lacks(text));
        }
        for (benign, source) in &self.written_benign {
            reviewed.failures.extend(odd_statuses(source, &benign.program, &benign.status));
        }
        for (exit, source) in &self.written_exits {
            reviewed.failures.extend(odd_statuses(source, &exit.program, &exit.status));
            reviewed.failures.extend(unknown_causes(source, &exit.program, &exit.suspects, &near));
        }
        for (fallback, source) in &self.written_fallbacks {
            reviewed.failures.extend(unknown_causes(source, fallback.errno.get_ref(), &fallback.suspects, &near));
        }
        reviewed.warnings.extend(self.replaced.iter().filter_map(Rule::is_replaced));
        reviewed
    }

    /// Causes that a rule of a file names and that do not exist; `near` as above.
    #[must_use]
    pub fn unknown_causes(&self, rule: &str, near: impl Fn(&str) -> Option<Vec<&'static str>>) -> Vec<Fault> {
        let named = self.rules().iter().filter(|known| known.id() == rule);
        named.flat_map(|rule| unknown_causes(&rule.source, rule.id(), &rule.suspects(), &near)).collect()
    }
}

/// Suspects that are no causes, with ids that are like theirs.
fn unknown_causes(
    source: &Source,
    of: &str,
    suspects: &[Spanned<String>],
    near: impl Fn(&str) -> Option<Vec<&'static str>>,
) -> Vec<Fault> {
    let unknown = suspects.iter().filter_map(|id| Some((id, near(id.get_ref())?)));
    let told = unknown.map(|(id, near)| {
        let hint = if near.is_empty() {
            "explain --cause lists all".to_owned()
        } else {
            format!("near ones: {}", near.join(", "))
        };
        source.fault(&id.span(), format!("{of}: suspects: no cause has the id {} ({hint})", id.get_ref()))
    });
    told.collect()
}

/// Statuses with which no program fails.
fn odd_statuses<'a>(source: &'a Source, of: &'a str, written: &'a [Spanned<i32>]) -> impl Iterator<Item = Fault> + 'a {
    let odd = written.iter().filter(|status| !(1..=255).contains(status.get_ref()));
    odd.map(move |status| {
        let what = format!("{of}: status: {} is none of a failure, which are 1 to 255", status.get_ref());
        source.fault(&status.span(), what)
    })
}

/// Names in braces that a field does not know; what follows a `$` is a variable or an option.
fn unknown_names<'a>(text: &'a str, known: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let braces = text.match_indices('{').filter(|(at, _)| !text[..*at].ends_with('$'));
    let names = braces.filter_map(|(at, _)| text[at + 1..].split_once('}').map(|(name, _)| name));
    names.filter(|name| !known.contains(name))
}

impl Rule {
    fn fault_at(&self, place: &Spanned<String>, text: &str) -> Fault {
        self.source.fault(&place.span(), format!("{}: {text}", self.id()))
    }

    fn nameless(&self, text: &schema::Rule) -> Option<Fault> {
        let id = text.id.get_ref();
        let is_odd = id.is_empty() || id.contains(char::is_whitespace);
        is_odd.then(|| self.fault_at(&text.id, "id: it needs to be a name without blanks"))
    }

    fn unknown_placeholders(&self, text: &schema::Rule) -> Vec<Fault> {
        const OF_PLACES: &[&str] = &["other", "subject", "named", "script"];
        const OF_FORMS: &[&str] = &["path", "other", "subject", "dots"];
        let fields = text.path.iter().map(|path| ("path", path, &["path"][..]));
        let fields = fields.chain(text.log.iter().map(|log| ("log", log, &["path", "subject"][..])));
        let fields = fields.chain(text.looked_in.iter().map(|place| ("looked-in", place, OF_PLACES)));
        let fields = fields.chain(text.looked_for.iter().map(|form| ("looked-for", form, OF_FORMS)));
        let unknown = fields.flat_map(|(field, place, known)| {
            unknown_names(place.get_ref(), known).map(move |name| (field, place, known, name))
        });
        let told = unknown.map(|(field, place, known, name)| {
            self.fault_at(place, &format!("{field} has an unknown placeholder {{{name}}}, known: {}", known.join(", ")))
        });
        told.collect()
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
            (!Origin::of(&text.source).is_named(), "source: it names no file, manual page, run or address"),
        ];
        let lacking = lacking.into_iter().filter(|(lacks, _)| *lacks);
        lacking.map(|(_, what)| self.fault_at(&text.id, what)).collect()
    }
}
