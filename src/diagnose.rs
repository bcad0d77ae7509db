//! Clues × causes → ranked findings.
//!
//! The order, each step deciding among those that the steps before leave equal: how sure; whether it was said in passing; whether the failed work touched
//! the subject; whether it was seen; which clue came first, because the first failure explains the later ones; which
//! suspect the rule calls likelier. Of what only may be, the likelier suspect comes before the earlier clue, so that what one message
//! may mean does not crowd out the others. What is general is dropped where something specific is verified for the same subject, or for the
//! same message.

mod weigh;

use crate::cause::{self, Case, Cause, Confidence, Evidence, Finding, Mode, Subject, Suspect, Verdict};
use crate::clue::{Clue, Standing};
use crate::outcome::Outcome;
use weigh::{lower, weighed};

/// What was found and what was refuted.
#[derive(Default)]
pub struct Diagnosis {
    /// What explains the failure, best first.
    pub found: Vec<Diagnosed>,
    /// Suspects that the state of the machine refutes, with the value that does.
    pub ruled_out: Vec<Refuted>,
}

/// A suspect after its check.
pub struct Diagnosed {
    /// Which cause.
    pub cause: &'static Cause,
    /// Who was suspected and from where.
    pub suspect: Suspect,
    /// What the check found.
    pub finding: Finding,
}

/// A suspect that is not it.
pub struct Refuted {
    /// Which cause.
    pub cause: &'static Cause,
    /// Who was suspected.
    pub suspect: Suspect,
    /// The value that refutes it, or why it could not be checked.
    pub text: String,
}

/// Lets every cause suspect, checks each suspect once, and ranks what is left.
#[must_use]
pub fn diagnose(case: &Case) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    for cause in likeliest_first(case) {
        for suspect in distinct(case, (cause.suspects)(case)) {
            match weighed(case, cause.id, &suspect, (cause.check)(case, &suspect)) {
                Verdict::Found(mut finding) => {
                    finding.evidence.extend(quotation(case, &suspect));
                    diagnosis.found.push(Diagnosed { cause, suspect, finding: *finding });
                }
                Verdict::RuledOut(text) | Verdict::Unknown(text) if is_suggested(case, cause.id, &suspect) => {
                    diagnosis.ruled_out.push(Refuted { cause, suspect, text });
                }
                Verdict::RuledOut(_) | Verdict::Unknown(_) => {}
            }
        }
    }
    drop_covered(case, &mut diagnosis);
    believe_status(case, &mut diagnosis.found);
    if case.mode == Mode::Log {
        let said = said(case, &diagnosis.found);
        diagnosis.found.extend(said);
    }
    if case.mode == Mode::Run {
        drop_unconfirmed(&mut diagnosis);
    }
    diagnosis.found.sort_by_cached_key(|diagnosed| rank(case, diagnosed));
    keep_few_guesses(&mut diagnosis.found);
    diagnosis
}

/// The causes, those that the clues name before others: where time runs out, what is left unasked is what nothing suggested.
fn likeliest_first(case: &Case) -> Vec<&'static Cause> {
    let mut causes = cause::ALL.to_vec();
    causes.sort_by_cached_key(|cause| likeliest_place(cause, case.clues));
    causes
}

/// The place that a cause has among the suspects of the message that makes it likeliest.
fn likeliest_place(cause: &Cause, clues: &[Clue]) -> usize {
    let in_clue = |clue: &Clue| clue.suspects.iter().position(|id| id == cause.id);
    clues.iter().filter_map(in_clue).min().unwrap_or(usize::MAX)
}

/// Whether anything said made one ask: what is refuted and was never suggested is no answer to a question.
fn is_suggested(case: &Case, id: &str, suspect: &Suspect) -> bool {
    suspect.clue.is_none_or(|index| case.clues[index].vague || case.clues[index].suspects(id))
}

/// What a log says, which the user has not seen.
fn quotation(case: &Case, suspect: &Suspect) -> Option<Evidence> {
    let clue = &case.clues[suspect.clue?];
    let log = clue.log.as_ref()?;
    Some(Evidence::output(format!("{} says: {}", log.display(), clue.line)))
}

/// One suspect a subject: what was not said in passing before what was, the touched one before others, what the script does not go on after before
/// what it does, then the one whose clue is first.
fn distinct(case: &Case, suspects: Vec<Suspect>) -> Vec<Suspect> {
    let is_passing = |suspect: &Suspect| suspect.clue.is_some_and(|index| case.clues[index].passing);
    let worth = |suspect: &Suspect| (!is_passing(suspect), suspect.touched);
    let mut out: Vec<Suspect> = Vec::new();
    for suspect in suspects {
        match out.iter_mut().find(|known| known.subject == suspect.subject) {
            Some(known) if worth(&suspect) > worth(known) => *known = suspect,
            Some(known) if worth(&suspect) == worth(known) && counts_more(case, &suspect, known) => *known = suspect,
            Some(_) => {}
            None => out.push(suspect),
        }
    }
    out
}

/// Whether the message of a suspect may be why the script ended, and that of the other is one after which it went on.
fn counts_more(case: &Case, suspect: &Suspect, other: &Suspect) -> bool {
    let goes_on =
        |suspect: &Suspect| suspect.clue.is_some_and(|index| case.standing(&case.clues[index]) != Standing::Counts);
    suspect.clue.is_some() && goes_on(other) && !goes_on(suspect)
}

/// Smaller is better.
fn rank(case: &Case, diagnosed: &Diagnosed) -> impl Ord + use<> {
    let clue = diagnosed.suspect.clue.map(|index| &case.clues[index]);
    let said_at = clue.map_or(u64::MAX, |clue| clue.said.start);
    let likelier =
        clue.and_then(|clue| clue.suspects.iter().position(|id| id == diagnosed.cause.id)).unwrap_or(usize::MAX);
    let sure = std::cmp::Reverse(diagnosed.finding.confidence);
    let is_passing = clue.is_some_and(|clue| clue.passing);
    let is_guess = diagnosed.finding.seen.is_none();
    let guessed = if is_guess { likeliest_place(diagnosed.cause, case.clues) } else { 0 };
    (sure, is_passing, !diagnosed.suspect.touched, is_guess, guessed, said_at, likelier)
}

/// What a specific cause explains, so that the general one is no fault of its own.
struct Covering {
    general: &'static str,
    by: &'static str,
    sure: Confidence,
    subject: Subject,
    /// The message, where it has an errno: what it says of one path is explained once.
    clue: Option<usize>,
}

impl Covering {
    fn covers(&self, case: &Case, diagnosed: &Diagnosed) -> bool {
        let suspect = &diagnosed.suspect;
        let is_same_message = self.clue.is_some() && self.clue == suspect.clue && self.is_about(case, &suspect.subject);
        let is_as_sure = self.sure >= diagnosed.finding.confidence;
        self.general == diagnosed.cause.id && is_as_sure && (self.subject == suspect.subject || is_same_message)
    }

    /// Whether a path lies on the way to the subject or below it; what is no path has no way.
    fn is_about(&self, case: &Case, other: &Subject) -> bool {
        let (Some(own), Some(other)) = (self.subject.path(), other.path()) else { return true };
        let (own, other) = (case.surroundings().cwd.join(own), case.surroundings().cwd.join(other));
        own.starts_with(&other) || other.starts_with(&own)
    }
}

/// Moves what a specific cause covers, where that is as sure, to the refuted: it is so, and it is not the root.
fn drop_covered(case: &Case, diagnosis: &mut Diagnosis) {
    let seen = diagnosis.found.iter().filter(|diagnosed| diagnosed.finding.seen.is_some());
    let covering: Vec<Covering> = seen
        .flat_map(|Diagnosed { cause, suspect, finding }| {
            let clue = suspect.clue.filter(|index| case.clues[*index].errno.is_some());
            cause.covers.iter().map(move |general| Covering {
                general,
                by: cause.id,
                sure: finding.confidence,
                subject: suspect.subject.clone(),
                clue,
            })
        })
        .collect();
    let by = |diagnosed: &Diagnosed| covering.iter().find(|covering| covering.covers(case, diagnosed));
    for diagnosed in diagnosis.found.extract_if(.., |diagnosed| by(diagnosed).is_some()) {
        let text = format!("{} explains it", by(&diagnosed).map_or("", |covering| covering.by));
        let Diagnosed { cause, suspect, .. } = diagnosed;
        diagnosis.ruled_out.push(Refuted { cause, suspect, text });
    }
}

/// A shell ends with 127 where the last command was not found: what was said before that was not the end.
fn believe_status(case: &Case, found: &mut [Diagnosed]) {
    if case.outcome != &(Outcome::Exited { code: 127 }) {
        return;
    }
    let is_last = |diagnosed: &&Diagnosed| diagnosed.cause.id == "command-not-found";
    let Some(last) = found.iter().filter(is_last).filter_map(|diagnosed| diagnosed.suspect.clue).max() else { return };
    for earlier in found.iter_mut().filter(|diagnosed| diagnosed.suspect.clue.is_some_and(|index| index < last)) {
        lower(&mut earlier.finding);
    }
}

/// Of a saved log, what the rules read in it and no check confirmed: the log may be another machine's.
fn said(case: &Case, found: &[Diagnosed]) -> Vec<Diagnosed> {
    let mut said: Vec<Diagnosed> = Vec::new();
    for (index, clue) in case.clues.iter().enumerate() {
        for cause in clue.suspects.iter().filter_map(|id| cause::by_id(id)) {
            let is_told = |Diagnosed { suspect, finding, .. }: &Diagnosed| {
                suspect.touched || finding.confidence == Confidence::Verified
            };
            let is_known = |diagnosed: &Diagnosed| std::ptr::eq(diagnosed.cause, cause) && is_told(diagnosed);
            if !found.iter().chain(&said).any(is_known) {
                said.push(guess(cause, index, clue));
            }
        }
    }
    said
}

fn guess(cause: &'static Cause, index: usize, clue: &Clue) -> Diagnosed {
    let name = || clue.subject.clone().unwrap_or_else(|| "-".to_owned());
    let subject = clue.path.clone().map_or_else(|| Subject::Name(name()), Subject::Path);
    let title = cause.id.replace('-', " ");
    let finding = Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: title.clone(),
        summary: format!("The output may mean this: {title} (see explain --cause {}).", cause.id),
        evidence: vec![Evidence::output(clue.line.clone())],
        fixes: Vec::new(),
    };
    Diagnosed { cause, suspect: Suspect { subject, clue: Some(index), touched: true }, finding }
}

/// Moves what the text alone says to the refuted: of a command that ran under our eyes, only what was seen is claimed.
fn drop_unconfirmed(diagnosis: &mut Diagnosis) {
    for Diagnosed { cause, suspect, .. } in diagnosis.found.extract_if(.., |diagnosed| diagnosed.finding.seen.is_none())
    {
        diagnosis.ruled_out.push(Refuted { cause, suspect, text: "nothing on this machine confirms it".to_owned() });
    }
}

/// Findings that nothing confirms which are told.
const GUESSES: usize = 3;

/// Of what only may be, the best of each cause says enough, and the likeliest three causes do.
fn keep_few_guesses(found: &mut Vec<Diagnosed>) {
    let mut guessed = Vec::new();
    found.retain(|diagnosed| {
        if diagnosed.finding.confidence != Confidence::Possible {
            return true;
        }
        let is_kept = guessed.len() < GUESSES && !guessed.contains(&diagnosed.cause.id);
        if is_kept {
            guessed.push(diagnosed.cause.id);
        }
        is_kept
    });
}
