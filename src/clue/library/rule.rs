//! A rule of the library: its name and keys, and, once a line holds one of them, what it reads.

use super::outline::{Outline, Says, outline};
use crate::clue::search::pattern::Pattern;
use crate::clue::written::{Compiled, Entry, Fault, Key, Source, schema};
use crate::sys::errno::{Errno, by_name};
use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use toml::Spanned;

/// A key that is part of the program, or that a file has.
type RuleKey = Key<Cow<'static, [u8]>>;

/// A rule that is sound.
#[derive(Debug)]
pub struct Rule {
    id: Cow<'static, str>,
    pub(in crate::clue) source: Arc<Source>,
    /// Whether its patterns are words of a message in any form, read where nothing else explains the failure.
    pub(in crate::clue) is_loose: bool,
    /// See [`Compiled::keys`].
    pub(in crate::clue) keys: Vec<RuleKey>,
    body: Body,
    ready: OnceLock<Box<Ready>>,
}

#[derive(Debug)]
enum Body {
    /// A [`Compiled`] that is part of the program, encoded.
    Embedded(&'static [u8]),
    /// What a file says.
    Written(Box<schema::Rule>),
    /// Where its file says it: sound, and read when it is needed.
    At(Range<usize>),
}

/// A rule, ready to match.
#[derive(Debug, Default)]
pub struct Ready {
    pub says: Compiled,
    pub patterns: Vec<Pattern>,
    /// Lines that are another message.
    pub unless: Vec<Pattern>,
    /// Lines near the message, and whether they are required.
    pub near: Vec<(Pattern, bool)>,
    pub errno: Option<Errno>,
    /// The line where the part of the log begins that is about the failure, and the one where it ends.
    pub log_from: Option<Pattern>,
    pub log_to: Option<Pattern>,
}

impl Rule {
    /// One that is part of the program.
    pub(in crate::clue) fn embedded(entry: Entry<'static>, source: &Arc<Source>) -> Self {
        Self {
            id: entry.id.into(),
            source: Arc::clone(source),
            is_loose: entry.is_loose,
            keys: entry.keys.into_iter().map(rule_key).collect(),
            body: Body::Embedded(entry.rule),
            ready: OnceLock::new(),
        }
    }

    /// Checks what a file says.
    ///
    /// # Errors
    /// What is wrong and where.
    pub(in crate::clue) fn new(text: schema::Rule, source: &Arc<Source>) -> Result<Self, Fault> {
        let keys = Compiled::keys_of(&text, source)?;
        text.errno.as_ref().map(|name| known_errno(name, source)).transpose()?;
        Ok(Self {
            id: text.id.get_ref().clone().into(),
            source: Arc::clone(source),
            is_loose: text.loose,
            keys: keys.into_iter().map(rule_key).collect(),
            body: Body::Written(Box::new(text)),
            ready: OnceLock::new(),
        })
    }

    /// The rules of a file that holds nothing else and is sound. None of any other file, which has to be read as a whole to tell what is
    /// wrong with it.
    pub(in crate::clue) fn at_a_glance(source: &Arc<Source>) -> Option<Vec<Self>> {
        outline(&source.text)?.into_iter().map(|outline| Self::outlined(outline, source)).collect()
    }

    fn outlined(outline: Outline, source: &Arc<Source>) -> Option<Self> {
        let Outline { place, says } = outline;
        let read = || {
            let Self { id, is_loose, keys, .. } = Self::new(source.rule_at(&place)?, source).ok()?;
            Some((id, is_loose, keys))
        };
        let glanced = says.and_then(id_and_keys).map(|(id, keys)| (id, false, keys));
        let (id, is_loose, keys) = glanced.or_else(read)?;
        Some(Self { id, source: Arc::clone(source), is_loose, keys, body: Body::At(place), ready: OnceLock::new() })
    }

    /// The stable name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The file that it is from.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.source.file
    }

    /// What the file says, examples and source included; none for a rule that is part of the program, and for one that was taken from its
    /// file at a glance.
    #[must_use]
    pub fn written(&self) -> Option<&schema::Rule> {
        match &self.body {
            Body::Embedded(_) | Body::At(_) => None,
            Body::Written(text) => Some(text),
        }
    }

    /// The causes that its file names; none for a rule that is part of the program.
    pub(in crate::clue) fn suspects(&self) -> Vec<Spanned<String>> {
        let (text, start) = match &self.body {
            Body::Embedded(_) => return Vec::new(),
            Body::Written(text) => return text.suspects.clone(),
            Body::At(place) => (self.source.rule_at(place), place.start),
        };
        let in_file =
            |id: Spanned<String>| Spanned::new(id.span().start + start..id.span().end + start, id.into_inner());
        text.into_iter().flat_map(|text| text.suspects).map(in_file).collect()
    }

    /// What it reads.
    pub(in crate::clue) fn ready(&self) -> &Ready {
        self.ready.get_or_init(|| {
            let compiled = match &self.body {
                // The build has written it, and the rules' tests read each: one that cannot be read matches nothing.
                Body::Embedded(bytes) => postcard::from_bytes(bytes).unwrap_or_default(),
                // It was found sound when it was added.
                Body::Written(text) => Compiled::new(text, &self.source).unwrap_or_default(),
                Body::At(place) => {
                    let text = self.source.rule_at(place);
                    text.and_then(|text| Compiled::new(&text, &self.source).ok()).unwrap_or_default()
                }
            };
            Box::new(Ready::from(compiled))
        })
    }
}

impl From<Compiled> for Ready {
    fn from(mut says: Compiled) -> Self {
        Self {
            patterns: std::mem::take(&mut says.patterns).into_iter().map(Pattern::from).collect(),
            unless: std::mem::take(&mut says.unless).into_iter().map(Pattern::from).collect(),
            near: std::mem::take(&mut says.near).into_iter().map(|(form, required)| (form.into(), required)).collect(),
            errno: says.errno.as_deref().and_then(by_name),
            log_from: says.log.as_mut().and_then(|log| log.from.take()).map(Pattern::from),
            log_to: says.log.as_mut().and_then(|log| log.to.take()).map(Pattern::from),
            says,
        }
    }
}

/// What is known of a rule in which nothing can be wrong.
fn id_and_keys(says: Says) -> Option<(Cow<'static, str>, Vec<RuleKey>)> {
    let keys = Compiled::keys_at_a_glance(says.patterns.iter().map(AsRef::as_ref))?;
    let is_sound = says.errno.is_none_or(|name| by_name(&name).is_some())
        && says.beside.iter().all(|pattern| Compiled::is_sound_beside(pattern));
    is_sound.then(|| (says.id.into_owned().into(), keys.into_iter().map(rule_key).collect()))
}

fn rule_key(key: Key<impl Into<Cow<'static, [u8]>>>) -> RuleKey {
    Key { text: key.text.into(), with_words: key.with_words }
}

/// The errno that a file names.
///
/// # Errors
/// That there is none of the name, and where it is written.
pub(in crate::clue) fn known_errno(name: &Spanned<String>, source: &Source) -> Result<Errno, Fault> {
    let unknown = || source.fault(&name.span(), format!("errno {} is not known", name.get_ref()));
    by_name(name.get_ref()).ok_or_else(unknown)
}
