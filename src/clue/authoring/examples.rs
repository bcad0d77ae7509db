//! The examples of a library, run: every `fires` must fire and read what it says, no `silent` may fire.

use crate::clue::Operation;
use crate::clue::library::rule::Rule;
use crate::clue::library::{Library, silent};
use crate::clue::matcher::Said;
use crate::clue::matcher::draft::Draft;
use crate::clue::matcher::reader::Reader;
use crate::clue::written::schema::{self, Benign, Example};
use crate::clue::written::{Fault, Source};
use crate::machine::Surroundings;
use crate::sys::errno::name;
use crate::sys::locale::Locale;
use crate::text::Bytes;
use crate::transcript::Transcript;
use std::ffi::OsString;
use std::ops::Range;
use std::path::Path;

/// What the examples of a library showed.
#[derive(Debug, Default)]
pub struct Tested {
    /// Rules whose examples were run.
    pub rules: usize,
    /// Examples that were run.
    pub examples: usize,
    /// Examples that do not hold.
    pub failures: Vec<Fault>,
    /// Rules that fire in what another rule's example says must be silent for that one, and examples that cannot be run here: not wrong,
    /// worth a look.
    pub warnings: Vec<Fault>,
}

impl Library {
    /// Runs the examples of all rules.
    #[must_use]
    pub fn test(&self) -> Tested {
        let bench = |reader| Bench { reader, surroundings: surroundings() };
        let (of_forms, of_words) = (bench(Reader::new(self, None)), bench(Reader::loose(self, None)));
        let mut tested = Tested { rules: self.rules.len(), ..Tested::default() };
        for (index, rule) in self.rules.iter().enumerate() {
            let Some(text) = rule.written() else { continue };
            let subject = Subject { index, rule, text };
            let bench = if rule.is_loose { &of_words } else { &of_forms };
            tested.examples += text.fires.len() + text.silent.len();
            tested.failures.extend(bench.failures(subject));
            tested.failures.extend(bench.deaf_patterns(subject));
            tested.warnings.extend(bench.warnings(subject));
            tested.warnings.extend(subject.not_run());
        }
        for bench in [&of_forms, &of_words] {
            tested.warnings.extend(self.noisy(bench));
        }
        for (benign, source) in &self.written_benign {
            tested.examples += benign.fires.len() + benign.silent.len();
            tested.failures.extend(self.wrong_exits(benign, source));
        }
        for (exit, source) in &self.written_exits {
            tested.examples += exit.fires.len();
            tested.failures.extend(self.untold_exits(exit, source));
        }
        tested
    }

    /// Rules with causes that fire in what must be silent for a rule that is part of the program, and no rule of these files.
    fn noisy(&self, bench: &Bench) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (id, output) in silent() {
            if self.rules.iter().any(|rule| rule.id() == id) {
                continue;
            }
            for draft in bench.drafts(output, &[]) {
                let rule = &self.rules[draft.rule];
                let Some(text) = rule.written().filter(|text| !text.suspects.is_empty()) else { continue };
                let what = format!("{} fires in what must be silent for the built-in {id}: {output:?}", rule.id());
                faults.push(rule.source.fault(&text.id.span(), what));
            }
        }
        faults
    }

    fn untold_exits<'a>(&'a self, exit: &'a schema::Exit, source: &'a Source) -> impl Iterator<Item = Fault> + 'a {
        exit.fires.iter().filter_map(move |line| {
            let words: Vec<&str> = line.get_ref().split_whitespace().collect();
            let tells = |status: &i32| {
                let is_failure = self.benign(&words, *status).is_none();
                is_failure && self.of_status(&words, *status).is_some_and(|clue| clue.operation == exit.operation)
            };
            let is_told = exit.status.iter().all(|status| tells(status.get_ref()));
            (!is_told).then(|| source.fault(&line.span(), format!("{}: tells nothing", line.get_ref())))
        })
    }

    fn wrong_exits<'a>(&'a self, benign: &'a Benign, source: &'a Source) -> impl Iterator<Item = Fault> + 'a {
        let fires = benign.fires.iter().map(|line| (line, true));
        let examples = fires.chain(benign.silent.iter().map(|line| (line, false)));
        examples.filter_map(move |(line, expected)| {
            let words: Vec<&str> = line.get_ref().split_whitespace().collect();
            let holds = benign.status.iter().all(|status| self.benign(&words, *status.get_ref()).is_some() == expected);
            let what = if expected { "is not benign" } else { "is benign" };
            (!holds).then(|| source.fault(&line.span(), format!("{}: {what}", line.get_ref())))
        })
    }
}

/// The places that conventions lead to when examples are run.
fn surroundings() -> Surroundings {
    let env = [("HOME", "/home/u"), ("TMPDIR", "/tmp")].map(|(name, value)| (name.to_owned(), Bytes(value.into())));
    Surroundings { env: env.into(), ..Surroundings::default() }
}

/// A rule whose examples are run.
#[derive(Clone, Copy)]
struct Subject<'a> {
    index: usize,
    rule: &'a Rule,
    text: &'a schema::Rule,
}

impl<'a> Subject<'a> {
    /// Examples in a locale that this machine does not have.
    fn not_run(self) -> impl Iterator<Item = Fault> + 'a {
        let Self { rule, text, .. } = self;
        let is_absent = |locale: &&str| Locale::named(locale).is_none();
        text.fires.iter().filter_map(move |example| {
            let locale = example.locale.as_deref().filter(is_absent)?;
            let what = format!("{}: this example was not run: there is no locale {locale} here", rule.id());
            Some(rule.source.fault(&example.text.span(), what))
        })
    }
}

struct Bench<'a> {
    reader: Reader<'a>,
    surroundings: Surroundings,
}

impl Bench<'_> {
    fn failures<'a>(&'a self, subject: Subject<'a>) -> impl Iterator<Item = Fault> + 'a {
        let Subject { index, rule, text } = subject;
        let fault = |span: Range<usize>, text: String| rule.source.fault(&span, text);
        let fires = text.fires.iter().filter_map(move |example| {
            let drafts = self.drafts_in(example.locale.as_deref(), example.text.get_ref(), &text.commands)?;
            let wrong = match drafts.into_iter().find(|draft| draft.rule == index) {
                None => "does not fire".to_owned(),
                Some(draft) => self.difference(&draft, example)?,
            };
            Some(fault(example.text.span(), format!("{}: {wrong} in {:?}", rule.id(), example.text.get_ref())))
        });
        let silent = text.silent.iter().filter_map(move |output| {
            let fires = self.drafts(output.get_ref(), &text.commands).iter().any(|draft| draft.rule == index);
            fires.then(|| fault(output.span(), format!("{}: fires in {:?}", rule.id(), output.get_ref())))
        });
        fires.chain(silent)
    }

    /// Patterns with words that stand for an errno: such words are replaced before any pattern is asked.
    fn deaf_patterns<'a>(&'a self, subject: Subject<'a>) -> impl Iterator<Item = Fault> + 'a {
        let Subject { rule, text, .. } = subject;
        let patterns = text.pattern.iter().chain(&text.patterns).chain(text.near.iter().map(|near| &near.pattern));
        patterns.filter_map(move |pattern| {
            let (place, errno) = self.reader.words().find(pattern.get_ref().as_bytes()).next()?;
            let words = &pattern.get_ref()[place];
            let text = format!(
                "{}: {words:?} in a pattern never matches: write {{errno}} or {{words:{}}}",
                rule.id(),
                name(errno)
            );
            Some(rule.source.fault(&pattern.span(), text))
        })
    }

    /// Other rules with causes of their own that fire in this rule's silent examples.
    fn warnings<'a>(&'a self, subject: Subject<'a>) -> impl Iterator<Item = Fault> + 'a {
        let Subject { index, rule, text } = subject;
        let others = move |draft: &Draft| draft.rule != index && !self.reader.rule(draft.rule).says.suspects.is_empty();
        text.silent.iter().flat_map(move |output| {
            let drafts = self.drafts(output.get_ref(), &text.commands).into_iter().filter(others);
            drafts.map(move |draft| {
                let other = self.reader.id(draft.rule);
                let what = format!("{other} fires in what must be silent for {}: {:?}", rule.id(), output.get_ref());
                rule.source.fault(&output.span(), what)
            })
        })
    }

    fn drafts(&self, output: &str, commands: &[String]) -> Vec<Draft> {
        self.drafts_by(&self.reader, output, commands)
    }

    /// The same with the words of a locale; none where it is not installed.
    fn drafts_in(&self, locale: Option<&str>, output: &str, commands: &[String]) -> Option<Vec<Draft>> {
        let Some(locale) = locale else { return Some(self.drafts(output, commands)) };
        Locale::named(locale)?;
        let new = if self.reader.is_loose { Reader::loose } else { Reader::new };
        Some(self.drafts_by(&new(self.reader.library, Some(locale)), output, commands))
    }

    fn drafts_by(&self, reader: &Reader, output: &str, commands: &[String]) -> Vec<Draft> {
        let transcript = Transcript::whole(output.as_bytes().to_vec());
        let command: Vec<OsString> = commands.first().map(OsString::from).into_iter().collect();
        let said = Said { transcript: &transcript, command: &command, surroundings: &self.surroundings, machine: None };
        reader.drafts(&reader.page(&transcript), &said)
    }

    /// The first thing that was read otherwise than the example says.
    fn difference(&self, draft: &Draft, example: &Example) -> Option<String> {
        let operation = |operation: Operation| format!("{operation:?}");
        let transcript = Transcript::default();
        let said = Said { transcript: &transcript, command: &[], surroundings: &self.surroundings, machine: None };
        let log = || self.reader.rule(draft.rule).log_file(draft, &said);
        let read = [
            ("errno", draft.errno.map(name), example.errno.clone()),
            ("operation", draft.operation.map(operation), example.operation.map(operation)),
            ("path", shown(draft.path.as_deref().or(draft.assumed.as_deref())), example.path.clone()),
            ("other", shown(draft.other.as_deref()), example.other.clone()),
            ("subject", draft.subject.clone(), example.subject.clone()),
            ("program", draft.speaker().map(str::to_owned), example.program.clone()),
            ("log", example.log.as_ref().and_then(|_| shown(log().as_deref())), example.log.clone()),
        ];
        let mut wrong = read.into_iter().filter(|(_, found, wanted)| wanted.is_some() && found != wanted);
        wrong.next().map(|(field, found, wanted)| {
            let found = found.as_deref().unwrap_or("nothing");
            format!("reads {field} {found} and not {}", wanted.as_deref().unwrap_or_default())
        })
    }
}

fn shown(path: Option<&Path>) -> Option<String> {
    path.map(|path| path.to_string_lossy().into_owned())
}
