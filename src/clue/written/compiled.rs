//! A rule as matching needs it: checked, expanded, without examples. This is what the program carries of `rules/`.

use super::{Case, Fault, Form, Operation, Source, glance, schema};
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// Text that a line holds if a rule is to read it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key<T> {
    /// The text, as the program wrote it; empty where only words for an errno are sure.
    pub text: T,
    /// The line holds words for an errno too.
    pub with_words: bool,
}

/// What a rule reads and says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the file, and any may stand with another")]
pub struct Compiled {
    /// Forms of the message.
    pub patterns: Vec<Form>,
    /// Forms of lines that are another message.
    pub unless: Vec<Form>,
    /// Forms of lines near it, and whether they are required.
    pub near: Vec<(Form, bool)>,
    /// Programs of the command line that it is for; empty: all.
    pub commands: Vec<String>,
    /// Who says so, where the message does not tell.
    pub program: Option<String>,
    /// What was tried, where the message does not tell.
    pub operation: Option<Operation>,
    /// The errno's name, where the message does not tell.
    pub errno: Option<String>,
    /// The path by convention, where the message does not tell.
    pub path: Option<String>,
    /// The directories in which the path was looked for.
    pub looked_in: Vec<String>,
    /// The forms of the path that were tried there; empty: the path as it is.
    pub looked_for: Vec<String>,
    /// Another subject, where the message does not tell.
    pub subject: Option<String>,
    /// Ids of causes, the likeliest first.
    pub suspects: Vec<String>,
    /// The message tells that something failed and not what.
    pub vague: bool,
    /// The message tells that the failure before it was expected or dealt with.
    pub handled: bool,
    /// Programs say so on many runs and go on.
    pub passing: bool,
    /// It counts of a command that ran alone.
    pub live: bool,
    /// The log to which it points.
    pub log: Option<Log>,
}

/// A log to which a message points.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// Its name, with `{path}` and `{subject}` for what the message names.
    pub file: String,
    /// The line from which on it is about the failure.
    pub from: Option<Form>,
    /// The line up to which it is.
    pub to: Option<Form>,
}

fn beside(pattern: &Spanned<String>, source: &Source) -> Result<Form, Fault> {
    Form::beside(pattern.get_ref(), Case::Kept).map_err(|what| source.fault(&pattern.span(), format!("pattern {what}")))
}

fn texts(written: &[Spanned<String>]) -> Vec<String> {
    written.iter().map(|text| text.get_ref().clone()).collect()
}

impl Log {
    fn new(rule: &schema::Rule, source: &Source) -> Result<Option<Self>, Fault> {
        let part = rule.log_from.as_ref().or(rule.log_to.as_ref());
        match (&rule.log, part) {
            (None, Some(part)) => Err(source.fault(&part.span(), "log-from and log-to need log".to_owned())),
            (None, None) => Ok(None),
            (Some(file), _) => Ok(Some(Self {
                file: file.get_ref().clone(),
                from: rule.log_from.as_ref().map(|from| beside(from, source)).transpose()?,
                to: rule.log_to.as_ref().map(|to| beside(to, source)).transpose()?,
            })),
        }
    }
}

impl Compiled {
    /// Checks what a file says.
    ///
    /// # Errors
    /// What is wrong and where.
    pub fn new(rule: &schema::Rule, source: &Source) -> Result<Self, Fault> {
        let case = if rule.loose { Case::Folded } else { Case::Kept };
        let sound = |pattern: &Spanned<String>, read: fn(&str, Case) -> Result<Form, String>| {
            read(pattern.get_ref(), case).map_err(|what| source.fault(&pattern.span(), format!("pattern {what}")))
        };
        let parse = |pattern| sound(pattern, Form::parse);
        let patterns = rule.pattern.iter().chain(&rule.patterns).map(parse).collect::<Result<Vec<_>, _>>()?;
        if patterns.is_empty() {
            return Err(source.fault(&rule.id.span(), format!("rule {} has no pattern", rule.id.get_ref())));
        }
        let log = Log::new(rule, source)?;
        let unless = rule.unless.iter().map(|pattern| sound(pattern, Form::beside));
        let near = rule.near.iter().map(|near| Ok((sound(&near.pattern, Form::beside)?, near.required)));
        Ok(Self {
            patterns,
            unless: unless.collect::<Result<_, _>>()?,
            near: near.collect::<Result<_, _>>()?,
            commands: rule.commands.clone(),
            program: rule.program.clone(),
            operation: rule.operation,
            errno: rule.errno.as_ref().map(|errno| errno.get_ref().clone()),
            path: rule.path.as_ref().map(|path| path.get_ref().clone()),
            looked_in: texts(&rule.looked_in),
            looked_for: texts(&rule.looked_for),
            subject: rule.subject.clone(),
            suspects: texts(&rule.suspects),
            vague: rule.vague,
            handled: rule.handled,
            passing: rule.passing,
            live: rule.live,
            log,
        })
    }

    /// What a line holds of the message in every case, as the program wrote it: one of these, each once. A rule of which that can be told
    /// at a glance is sound, and is not checked further.
    ///
    /// # Errors
    /// What is wrong with another and where.
    pub fn keys_of(rule: &schema::Rule, source: &Source) -> Result<Vec<Key<Vec<u8>>>, Fault> {
        let patterns = rule.pattern.iter().chain(&rule.patterns).map(|pattern| pattern.get_ref().as_str());
        let is_plain = !rule.loose
            && rule.near.is_empty()
            && rule.unless.is_empty()
            && rule.log.is_none()
            && rule.log_from.is_none()
            && rule.log_to.is_none();
        match Self::keys_at_a_glance(patterns).filter(|keys| is_plain && !keys.is_empty()) {
            Some(keys) => Ok(keys),
            None => Ok(Self::new(rule, source)?.keys()),
        }
    }

    /// The same of patterns that are sound, where that can be told without reading them as regular expressions.
    pub fn keys_at_a_glance<'p>(patterns: impl Iterator<Item = &'p str>) -> Option<Vec<Key<Vec<u8>>>> {
        let mut keys = Vec::new();
        for pattern in patterns {
            keys.append(&mut glance::keys(pattern)?);
        }
        Some(keys)
    }

    /// Whether a pattern for lines beside a message is sound, as far as that can be told so.
    #[must_use]
    pub fn is_sound_beside(pattern: &str) -> bool {
        glance::is_sound(pattern)
    }

    /// The same of a rule that was checked.
    #[must_use]
    pub fn keys(&self) -> Vec<Key<Vec<u8>>> {
        let mut keys: Vec<Key<Vec<u8>>> = self.patterns.iter().flat_map(Form::keys).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
