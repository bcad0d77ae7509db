//! A failure and its explanation: from what the command wrote and how it ended, over clues and a diagnosis, to a report.

use super::PROBES;
use super::rules::Rules;
use crate::cause::{Case, Mode};
use crate::clue::{self, Clue, Heard, Library, Operation, Said};
use crate::diagnose::{Diagnosis, diagnose};
use crate::machine::{Machine, catalogues};
use crate::outcome::Outcome;
use crate::probe::sought;
use crate::report::{Report, Span};
use crate::sys::errno::name;
use crate::transcript::Transcript;
use crate::watch::Watched;
use std::ffi::OsString;
use std::path::Path;
use std::time::Instant;

/// What a failure left behind, before anything is asked.
pub struct Failure<'a> {
    pub mode: Mode,
    pub command: &'a [OsString],
    pub outcome: &'a Outcome,
    pub transcript: &'a Transcript,
    pub captured: bool,
    pub watched: &'a Watched,
    pub span: Span,
}

impl Failure<'_> {
    /// Reads the output with the rules, diagnoses what it says and puts the result into a report.
    pub fn explain(&self, machine: &Machine, rules: &Rules) -> Report {
        machine.allow_until(Instant::now() + PROBES);
        let Some(heard) = self.heard(machine, &rules.library) else {
            return self.reported(&self.case(machine, &[]), Diagnosis::default());
        };
        let mut clues = heard.clues;
        let mut diagnosis = diagnose(&self.case(machine, &clues));
        if diagnosis.found.is_empty() && matches!(self.end(&rules.library), End::Failure) {
            let in_words = rules.library.clues_in_words(&self.said(machine), &heard.known);
            if !in_words.is_empty() {
                clues.extend(self.settled(machine, in_words));
                diagnosis = diagnose(&self.case(machine, &clues));
            }
        }
        let mut report = self.reported(&self.case(machine, &clues), diagnosis);
        report.notes = rules.notes(&clues, !report.causes.is_empty());
        report
    }

    fn case<'a>(&'a self, machine: &'a Machine, clues: &'a [Clue]) -> Case<'a> {
        Case {
            machine,
            mode: self.mode,
            command: self.command,
            outcome: self.outcome,
            transcript: self.transcript,
            watched: self.watched,
            clues,
            mounts: machine.mounts(),
        }
    }

    fn reported(&self, case: &Case, diagnosis: Diagnosis) -> Report {
        let mut report = Report::of(case, self.span, diagnosis);
        report.stderr.captured = self.captured;
        report
    }

    fn said<'a>(&'a self, machine: &'a Machine) -> Said<'a> {
        let Self { transcript, command, .. } = *self;
        Said { transcript, command, surroundings: machine.surroundings(), machine: Some(machine) }
    }

    /// What the rules of forms read; none where the command did not fail.
    fn heard(&self, machine: &Machine, library: &Library) -> Option<Heard> {
        match self.end(library) {
            End::Failure => Some(self.clues(machine, library)),
            End::AnswerUnlessTold(answers) => {
                let is_told = |heard: &Heard| heard.clues.iter().any(|clue| is_telling(clue, answers));
                Some(self.clues(machine, library)).filter(is_told)
            }
            End::NoFailure => self.waited_for(machine, library),
        }
    }

    fn clues(&self, machine: &Machine, library: &Library) -> Heard {
        let said = self.said(machine);
        let log = |file: &Path| match self.mode {
            Mode::Run => machine.log(file, self.span.started).ok(),
            // Nobody knows when the command ran, and so which state of the log is that of its run.
            Mode::Log => None,
        };
        let Heard { clues: mut read, known } = library.clues_with_logs(&said, log);
        if self.mode == Mode::Log && read.iter().all(|clue| clue.vague || clue.passing || clue.live) {
            let translated = library.clues_in_any_language(&said, &catalogues::of_libc());
            read = if translated.is_empty() { read } else { translated };
        }
        let mut read = self.settled(machine, read);
        if let Outcome::Exited { code } = self.outcome {
            library.mark_answers(self.command, *code, &mut read);
            let of_status = library.of_status(self.command, *code).filter(|_| !self.has_told(&read));
            read.extend(of_status);
        }
        let clues = Clue::of_outcome(self.outcome, self.command).into_iter().chain(read).collect();
        Heard { clues, known }
    }

    /// The clues that count, with the paths that are meant.
    fn settled(&self, machine: &Machine, mut read: Vec<Clue>) -> Vec<Clue> {
        read.retain(|clue| self.mode == Mode::Run || !(clue.live || clue.left_behind));
        clue::without_graphics_memory(&mut read);
        clue::under_directory_option(self.command, &mut read);
        clue::under_changed_directory(self.command, &mut read);
        sought::settle(machine, &mut read);
        if self.mode == Mode::Run {
            sought::forget_unsettled(&mut read);
            clue::without_remote(self.command, self.transcript, &mut read);
            clue::without_error_list(&mut read);
        }
        read
    }

    /// Whether a reason was told. What no rule reads is one too: the exit status stands for another then, as behind `ssh -q`.
    fn has_told(&self, read: &[Clue]) -> bool {
        if read.is_empty() { !self.transcript.is_blank() } else { !read.iter().all(|clue| clue.passing) }
    }

    /// What a command said that it waited for until `timeout` ended it (124, coreutils): a deadline is an answer, a lock is why there was no other.
    fn waited_for(&self, machine: &Machine, library: &Library) -> Option<Heard> {
        let is_ended = matches!(self.outcome, Outcome::Exited { code: 124 });
        let mut heard = if is_ended { self.clues(machine, library) } else { Heard::default() };
        heard.clues.retain(|clue| clue.operation == Some(Operation::Lock));
        (!heard.clues.is_empty()).then_some(heard)
    }

    /// What the end of the command means.
    pub fn end<'l>(&self, library: &'l Library) -> End<'l> {
        match self.outcome {
            Outcome::Exited { code: 0 | 130 | 141 }
            | Outcome::Signaled { signal: libc::SIGINT | libc::SIGPIPE | libc::SIGHUP, .. } => End::NoFailure,
            Outcome::Exited { code } => match library.benign(self.command, *code) {
                Some(benign) if benign.quiet => End::AnswerUnlessTold(&benign.answers),
                Some(_) => End::NoFailure,
                None => End::Failure,
            },
            Outcome::Signaled { .. } | Outcome::NotStarted { .. } => End::Failure,
        }
    }
}

/// What the end of a command means.
pub enum End<'l> {
    /// The work failed.
    Failure,
    /// The answer "no", of a program that ends so as well when it failed; with the errnos that the answer may have.
    AnswerUnlessTold(&'l [String]),
    /// The answer "no", a person's ^C, a reader that left.
    NoFailure,
}

/// Whether a message tells of a failure, and not only that there was one, nor with one of these errnos the answer.
fn is_telling(clue: &Clue, answers: &[String]) -> bool {
    let tells = clue.errno.is_some() || !clue.suspects.is_empty();
    let is_answer = clue.errno.is_some_and(|errno| answers.contains(&name(errno)));
    tells && !is_answer && !(clue.vague || clue.passing || clue.live)
}
