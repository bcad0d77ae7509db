//! The examples of a library, run: every `fires` must fire and read what it says, no `silent` may fire.

use super::errno_words::Words;
use super::library::Library;
use super::matcher::{Draft, Said};
use super::page::Page;
use super::rule::{Fault, Rule, Source};
use super::schema::{Benign, Example};
use crate::machine::Surroundings;
use crate::sys::errno::name;
use crate::text::Bytes;
use crate::transcript::Transcript;
use std::ffi::OsString;
use std::ops::Range;
use std::path::PathBuf;

/// What the examples of a library showed.
#[derive(Debug, Default)]
pub struct Tested {
    /// Rules whose examples were run.
    pub rules: usize,
    /// Examples that were run.
    pub examples: usize,
    /// Examples that do not hold.
    pub failures: Vec<Fault>,
    /// Rules that fire in what another rule's example says must be silent for that one: not wrong, worth a look.
    pub warnings: Vec<Fault>,
}

impl Library {
    /// Runs the examples of all rules.
    #[must_use]
    pub fn test(&self) -> Tested {
        let bench = Bench { library: self, words: Words::new(None), surroundings: surroundings() };
        let mut tested = Tested { rules: self.rules.len(), ..Tested::default() };
        for (index, rule) in self.rules.iter().enumerate() {
            tested.examples += rule.text.fires.len() + rule.text.silent.len();
            tested.failures.extend(bench.failures(index, rule));
            tested.failures.extend(bench.deaf_patterns(rule));
            tested.warnings.extend(bench.warnings(index, rule));
        }
        for (benign, source) in &self.benign {
            tested.examples += benign.fires.len() + benign.silent.len();
            tested.failures.extend(self.wrong_exits(benign, source));
        }
        tested
    }

    fn wrong_exits<'a>(&'a self, benign: &'a Benign, source: &'a Source) -> impl Iterator<Item = Fault> + 'a {
        let fires = benign.fires.iter().map(|line| (line, true));
        let examples = fires.chain(benign.silent.iter().map(|line| (line, false)));
        examples.filter_map(move |(line, expected)| {
            let words: Vec<&str> = line.get_ref().split_whitespace().collect();
            let holds = benign.status.iter().all(|status| self.benign(&words, *status).is_some() == expected);
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

struct Bench<'a> {
    library: &'a Library,
    words: Words,
    surroundings: Surroundings,
}

impl Bench<'_> {
    fn failures<'a>(&'a self, index: usize, rule: &'a Rule) -> impl Iterator<Item = Fault> + 'a {
        let fault = |span: Range<usize>, text: String| rule.source.fault(&span, text);
        let fires = rule.text.fires.iter().filter_map(move |example| {
            let wrong = match self.drafts(example.text.get_ref(), rule).into_iter().find(|draft| draft.rule == index) {
                None => "does not fire".to_owned(),
                Some(draft) => difference(&draft, example)?,
            };
            Some(fault(example.text.span(), format!("{}: {wrong} in {:?}", rule.id(), example.text.get_ref())))
        });
        let silent = rule.text.silent.iter().filter_map(move |text| {
            let fires = self.drafts(text.get_ref(), rule).iter().any(|draft| draft.rule == index);
            fires.then(|| fault(text.span(), format!("{}: fires in {:?}", rule.id(), text.get_ref())))
        });
        fires.chain(silent)
    }

    /// Patterns with words that stand for an errno: such words are replaced before any pattern is asked.
    fn deaf_patterns<'a>(&'a self, rule: &'a Rule) -> impl Iterator<Item = Fault> + 'a {
        rule.all_patterns().filter_map(move |pattern| {
            let (place, errno) = self.words.find(pattern.get_ref().as_bytes()).next()?;
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
    fn warnings<'a>(&'a self, index: usize, rule: &'a Rule) -> impl Iterator<Item = Fault> + 'a {
        rule.text.silent.iter().flat_map(move |text| {
            let drafts = self.drafts(text.get_ref(), rule).into_iter();
            let others = drafts
                .filter(move |draft| draft.rule != index && !self.library.rules[draft.rule].text.suspects.is_empty());
            others.map(move |draft| {
                let other = self.library.rules[draft.rule].id();
                let what = format!("{other} fires in what must be silent for {}: {:?}", rule.id(), text.get_ref());
                rule.source.fault(&text.span(), what)
            })
        })
    }

    fn drafts(&self, text: &str, rule: &Rule) -> Vec<Draft> {
        let transcript = Transcript::whole(text.as_bytes().to_vec());
        let command: Vec<OsString> = rule.text.commands.first().map(OsString::from).into_iter().collect();
        let said = Said { transcript: &transcript, command: &command, surroundings: &self.surroundings };
        self.library.drafts(&Page::of(&transcript, &self.words), &said)
    }
}

/// The first thing that was read otherwise than the example says.
fn difference(draft: &Draft, example: &Example) -> Option<String> {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
    let read = [
        ("errno", draft.errno.map(name), example.errno.clone()),
        (
            "operation",
            draft.operation.map(|found| format!("{found:?}")),
            example.operation.map(|wanted| format!("{wanted:?}")),
        ),
        ("path", path(&draft.path).or_else(|| path(&draft.assumed)), example.path.clone()),
        ("other", path(&draft.other), example.other.clone()),
        ("subject", draft.subject.clone(), example.subject.clone()),
        ("program", draft.program.clone(), example.program.clone()),
    ];
    let mut wrong = read.into_iter().filter(|(_, found, wanted)| wanted.is_some() && found != wanted);
    wrong.next().map(|(field, found, wanted)| {
        format!(
            "reads {field} {} and not {}",
            found.as_deref().unwrap_or("nothing"),
            wanted.as_deref().unwrap_or_default()
        )
    })
}
