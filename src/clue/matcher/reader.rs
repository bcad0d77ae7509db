//! A library made ready to read output in one locale: its rules, the words for errnos, and the sieve that holds the keys of both. It finds which
//! rules are to be asked about which lines, in one pass over the output.

use crate::clue::aftermath::is_marked;
use crate::clue::language::errno_words::Words;
use crate::clue::language::normal::Normal;
use crate::clue::library::Library;
use crate::clue::library::rule::Ready;
use crate::clue::lines::jobs::MARKS;
use crate::clue::lines::line::{clean, shortened};
use crate::clue::lines::page::Page;
use crate::clue::lines::prefix::is_quotation;
use crate::clue::search::sieve::{Owner, Sieve};
use crate::clue::search::skim::Skim;
use crate::clue::written::Key;
use crate::transcript::Transcript;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{HashMap, VecDeque};

/// Lines of a kind that are asked at the beginning of an output, and at its end.
const OF_A_KIND: usize = 100;

/// Lines from the end in which words are looked for: what a program ends with, and the trace that it shows then.
pub const LAST: usize = 40;
/// Lines of an output from which on it is a whole log, of many programs; words are then looked for in fewer, and only where a line calls
/// itself an error.
const WHOLE_LOG: usize = 60;
const LAST_OF_LOG: usize = 12;

/// Whether words are looked for in a line: it stands at the end, and is not what a program calls information or a warning.
fn is_heard(page: &Page, line: usize) -> bool {
    let is_log = page.len() > WHOLE_LOG;
    let last = if is_log { LAST_OF_LOG } else { LAST };
    let is_error = || !is_log || is_marked(&String::from_utf8_lossy(page.body(line)));
    let is_less = || page.is_harmless(line) || page.is_warning(line) || is_of_warning(page, line);
    page.lines_behind(line) < last && !is_less() && is_error()
}

/// Whether a line is set in below a warning, and goes on with it.
fn is_of_warning(page: &Page, line: usize) -> bool {
    let text = |line: usize| &*page.line(line).text;
    let is_set_in = |line: usize| text(line).first().is_some_and(u8::is_ascii_whitespace);
    let is_less = |line: usize| {
        page.is_harmless(line) || page.is_warning(line) || memchr::memmem::find(text(line), b"warning: ").is_some()
    };
    is_set_in(line) && (0..line).rev().take(LAST_OF_LOG).find(|above| !is_set_in(*above)).is_some_and(is_less)
}

/// Reads output with the rules of a library: those of forms, or those of words.
pub struct Reader<'l> {
    pub(in crate::clue) library: &'l Library,
    /// Whether the rules are those of words.
    pub(in crate::clue) is_loose: bool,
    words: Words,
    sieve: Sieve<'l>,
    /// Rules that need words for an errno and no other text that is sure.
    of_errnos: Vec<usize>,
}

/// A reader of every language of which somebody has the catalogue, made where one is wanted: a saved log does not tell which it is in, and
/// what is left out of a long one cannot be read again.
pub struct AnyReader<'l> {
    library: &'l Library,
    catalogues: fn() -> Vec<Vec<u8>>,
    reader: OnceCell<Reader<'l>>,
}

impl<'l> AnyReader<'l> {
    /// `catalogues` reads those of the C library.
    #[must_use]
    pub fn new(library: &'l Library, catalogues: fn() -> Vec<Vec<u8>>) -> Self {
        Self { library, catalogues, reader: OnceCell::new() }
    }

    /// The reader.
    pub fn get(&self) -> &Reader<'l> {
        self.reader.get_or_init(|| Reader::with_words(self.library, Words::translated(&(self.catalogues)())))
    }
}

/// Why a line of a log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineKind {
    /// It begins or ends a step.
    Step,
    /// A rule, by its place in the library, may read it as a message with an errno, by its number. Lines of which both are the same
    /// are of one kind.
    Message(usize, Option<i32>),
}

/// Whose keys a line holds.
#[derive(Default)]
struct Owners {
    rules: Vec<usize>,
    /// The first words for an errno, by their place among the words.
    words: Option<usize>,
    is_mark: bool,
}

/// Lines and rules that are asked: of those with the same rule and the same words for an errno the first and the last ones.
#[derive(Default)]
struct Asked {
    lines: Vec<(usize, usize)>,
    kinds: HashMap<(usize, Option<usize>), Kind>,
}

#[derive(Default)]
struct Kind {
    seen: usize,
    last: VecDeque<usize>,
}

impl Asked {
    /// Adds a line and a rule. One that takes back what was said before is asked of every line.
    fn add(&mut self, line: usize, rule: usize, words: Option<usize>, takes_back: impl Fn() -> bool) {
        let kind = self.kinds.entry((rule, words)).or_default();
        kind.seen += 1;
        if kind.seen <= OF_A_KIND || takes_back() {
            return self.lines.push((line, rule));
        }
        kind.last.push_back(line);
        if kind.last.len() > OF_A_KIND {
            kind.last.pop_front();
        }
    }

    fn in_order(mut self) -> Vec<(usize, usize)> {
        let last =
            self.kinds.into_iter().flat_map(|((rule, _), kind)| kind.last.into_iter().map(move |line| (line, rule)));
        self.lines.extend(last);
        self.lines.sort_unstable();
        self.lines
    }
}

impl<'l> Reader<'l> {
    /// The rules with the words of a locale.
    #[must_use]
    pub fn new(library: &'l Library, locale: Option<&str>) -> Self {
        Self::with_words(library, Words::new(locale))
    }

    /// The rules of words, with those for errnos of a locale.
    pub(in crate::clue) fn loose(library: &'l Library, locale: Option<&str>) -> Self {
        Self::of(library, Words::new(locale), true)
    }

    /// The rules with these words for errnos.
    pub(in crate::clue) fn with_words(library: &'l Library, words: Words) -> Self {
        Self::of(library, words, false)
    }

    fn of(library: &'l Library, words: Words, is_loose: bool) -> Self {
        let of_rules = keys(library, is_loose).filter(|(_, key)| !key.text.is_empty()).map(|(rule, key)| {
            let owner = if key.with_words { Owner::RuleWithWords(rule) } else { Owner::Rule(rule) };
            (Cow::Borrowed(&*key.text), owner)
        });
        let marks = MARKS.iter().map(|mark| (Cow::Borrowed(mark.as_bytes()), Owner::Mark));
        let of_words = words.all().enumerate().map(|(index, words)| (Cow::Owned(words.to_vec()), Owner::Words(index)));
        Self {
            sieve: Sieve::new(of_rules.chain(of_words).chain(marks)),
            of_errnos: keys(library, is_loose).filter(|(_, key)| key.text.is_empty()).map(|(rule, _)| rule).collect(),
            library,
            is_loose,
            words,
        }
    }

    /// A transcript, ready to be asked.
    pub(in crate::clue) fn page<'a>(&'a self, transcript: &Transcript) -> Page<'a> {
        Page::of(transcript, &self.words)
    }

    /// The words for errnos.
    pub(in crate::clue) fn words(&self) -> &Words {
        &self.words
    }

    /// The id of a rule, by its place in the library.
    pub(in crate::clue) fn id(&self, rule: usize) -> &'l str {
        self.library.rules[rule].id()
    }

    /// A rule, by its place in the library.
    pub(in crate::clue) fn rule(&self, rule: usize) -> &'l Ready {
        self.library.rules[rule].ready()
    }

    /// Lines and rules of which the line holds a key, in the order of the lines: for rules of words of the last lines. Lines that only
    /// quote a message have none.
    pub(in crate::clue) fn candidates(&self, page: &Page) -> Vec<(usize, usize)> {
        let mut asked = Asked::default();
        let is_read = |line: &usize| !self.is_loose || is_heard(page, *line);
        for line in (0..page.len()).filter(is_read) {
            let Owners { rules, words, .. } = self.owners_in(&page.line(line).text);
            if !rules.is_empty() && page.concerns(line) && !page.is_quotation(line) {
                for rule in rules {
                    asked.add(line, rule, words, || self.rule(rule).says.handled);
                }
            }
        }
        asked.in_order()
    }

    /// What finds the lines of a long log that [`Self::tells`] has to be asked about. A rule that needs words for an errno adds none:
    /// the words themselves are looked for.
    #[must_use]
    pub fn skim(&self) -> Skim<'_> {
        let of_rules =
            keys(self.library, self.is_loose).filter(|(_, key)| !key.with_words).map(|(_, key)| (&*key.text, false));
        let marks = MARKS.iter().map(|mark| (mark.as_bytes(), false));
        Skim::new(of_rules.chain(marks).chain(self.words.all().map(|words| (words, true))))
    }

    /// Whether a line, as it was written, may be one that a rule reads, or begins or ends a step. No regex is asked.
    #[must_use]
    pub fn tells(&self, line: &[u8]) -> Option<LineKind> {
        let text = clean(&shortened(line));
        let Owners { rules, is_mark, .. } = self.owners_in(&text);
        if is_mark || rules.is_empty() {
            return is_mark.then_some(LineKind::Step);
        }
        let normal = Normal::of(&text, &self.words);
        let has_chance = |rule: &usize| {
            let mut patterns = self.library.rules[*rule].ready().patterns.iter();
            patterns.any(|pattern| pattern.has_chance(&normal.text, normal.pairs()))
        };
        let rule = rules.into_iter().find(has_chance).filter(|_| !is_quotation(&normal.text, 0))?;
        let errno = self.words.find(&text).next().map(|(_, errno)| errno as i32);
        Some(LineKind::Message(rule, errno))
    }

    /// Rules of which a line holds a key, in their order, and whether it begins or ends a step.
    fn owners_in(&self, line: &[u8]) -> Owners {
        let (mut owners, mut with_words) = (Owners::default(), Vec::new());
        let small = self.is_loose.then(|| line.to_ascii_lowercase());
        for line in small.as_deref().into_iter().chain([line]) {
            self.sieve.find(line, |_, owner| match owner {
                Owner::Words(words) => owners.words = owners.words.or(Some(words)),
                Owner::Rule(rule) => owners.rules.push(rule),
                Owner::RuleWithWords(rule) => with_words.push(rule),
                Owner::Mark => owners.is_mark = true,
            });
        }
        if owners.words.is_some() {
            owners.rules.extend_from_slice(&with_words);
            owners.rules.extend_from_slice(&self.of_errnos);
        }
        owners.rules.sort_unstable();
        owners.rules.dedup();
        owners
    }
}

/// The keys of all rules of forms, or of words, with the place of the rule.
fn keys(library: &Library, is_loose: bool) -> impl Iterator<Item = (usize, &Key<Cow<'static, [u8]>>)> {
    let rules = library.rules.iter().enumerate().filter(move |(_, rule)| rule.is_loose == is_loose);
    rules.flat_map(|(index, rule)| rule.keys.iter().map(move |key| (index, key)))
}
