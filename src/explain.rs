//! After the run: from what was seen to what is said. Nothing here runs when the command succeeds.

use crate::cause::{self, Case, Mode};
use crate::cli::{Capture, Color, Format, Options};
use crate::clue::{self, AnyReader, Clue, Fault, Heard, Library, Operation, Said};
use crate::diagnose::{Diagnosis, diagnose};
use crate::exit;
use crate::log;
use crate::machine::{Machine, OnProgress, Surroundings, catalogues};
use crate::outcome::Outcome;
use crate::own_rules::{self, OwnRules};
use crate::probe::sought;
use crate::report::{self, Progress, Report, ReportFile, Span, Style, safe};
use crate::run::Ran;
use crate::sys::errno::name;
use crate::sys::fd;
use crate::transcript::Transcript;
use crate::watch::Watched;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Time that all probes of one explanation have; those that walk trees have a budget of their own.
pub(crate) const PROBES: Duration = Duration::from_millis(300);

/// Notes on rules that are told of one failure.
const NOTES: usize = 5;

/// What a failure left behind, before anything is asked.
struct Failure<'a> {
    mode: Mode,
    command: &'a [OsString],
    outcome: &'a Outcome,
    transcript: &'a Transcript,
    captured: bool,
    watched: &'a Watched,
    span: Span,
}

impl Failure<'_> {
    fn explain(&self, machine: &Machine, rules: &Rules) -> Report {
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
        report.notes = rules.notes(!report.causes.is_empty());
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
        if let (false, Outcome::Exited { code }) = (self.has_told(&read), self.outcome) {
            read.extend(library.of_status(self.command, *code));
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

    fn end<'l>(&self, library: &'l Library) -> End<'l> {
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
enum End<'l> {
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

/// A run that failed, and what was made ready for it before it began.
pub struct Failed {
    /// What it left behind.
    pub ran: Ran,
    /// Where the report goes.
    pub file: Option<ReportFile>,
}

/// The machine keeps it, and its line on the terminal goes when the machine does.
fn progress() -> OnProgress {
    let progress = Progress::new();
    Box::new(move |place, entries| progress.show(place, entries))
}

/// Rules that are part of the program and one's own, and what is to be told of these.
struct Rules {
    library: Library,
    /// What was left out.
    faults: Vec<Fault>,
    /// That the project has rules which nobody trusted.
    untrusted: Option<String>,
}

impl Rules {
    fn all(options: &Options, machine: &Machine) -> Self {
        let OwnRules { texts, mut faults, untrusted } = own_rules::gather(machine, &options.rules);
        let (library, broken) = Library::with_texts(texts);
        faults.extend(broken);
        Self { library, faults, untrusted }
    }

    /// One line each; of many the first ones. That there are rules nobody trusted is told beside an explanation alone.
    fn notes(&self, is_explained: bool) -> Vec<String> {
        let mut notes: Vec<String> = self.faults.iter().take(NOTES).map(ToString::to_string).collect();
        if self.faults.len() > NOTES {
            let more = self.faults.len() - NOTES;
            notes.push(format!("{more} more faults in rules; --test-rules DIR tells those of a directory"));
        }
        notes.extend(self.untrusted.clone().filter(|_| is_explained));
        notes
    }
}

/// Explains the command that just failed, on stderr and in the report file, as the options say.
pub fn after_failure(options: &Options, command: &[OsString], failed: Failed) {
    if !options.quiet {
        say_instead_of_panicking();
    }
    let Failed { ran, file } = failed;
    let machine = Machine::live(
        Surroundings::of_child(ran.status.as_deref(), ran.limits).changed_by(command),
        Instant::now() + PROBES,
    );
    let rules = Rules::all(options, &machine);
    let span = Span { started: ran.started, duration: ran.duration };
    let failure = Failure {
        mode: Mode::Run,
        command,
        outcome: &ran.outcome,
        transcript: &ran.transcript,
        captured: ran.captured,
        watched: &ran.watched,
        span,
    };
    let is_missed = !ran.captured && !matches!(options.capture, Capture::None) && io::stderr().is_terminal();
    let is_missed = is_missed
        && !matches!(ran.outcome, Outcome::NotStarted { .. })
        && matches!(failure.end(&rules.library), End::Failure);
    let machine = if options.quiet { machine } else { machine.with_progress(progress()) };
    let report = failure.explain(&machine, &rules);
    drop(machine);
    if let Some(Err(message)) = file.map(|file| file.write(&report)) {
        let _ = writeln!(io::stderr(), "explain: {message}");
    }
    if !options.quiet {
        let style = Style::of(options, &io::stderr());
        let is_repeated = matches!(options.format, Format::Text) && !options.verbose && report.is_told_already();
        let text = match rendered(&report, options, style) {
            _ if is_repeated => String::new(),
            text if text.is_empty() && is_missed => report.unread(style),
            text => text,
        };
        let text = text + &told(&report, options, style);
        let _ = io::stderr().write_all(text.as_bytes());
    }
    // The process ends: to take the rules apart would cost a tenth of the explanation.
    std::mem::forget(rules);
}

/// From now on a panic is one line, and the end is that of the command. The stream of the standard library is not used: its lock
/// may be held.
fn say_instead_of_panicking() {
    std::panic::set_hook(Box::new(|fault| {
        let place = fault.location().map(ToString::to_string).unwrap_or_default();
        let _ = fd::write(fd::STDERR, format!("explain: no explanation: a fault of its own at {place}\n").as_bytes());
        exit::end_as_decided()
    }));
}

/// Output that is already there, and what is known of how it came about.
pub struct Saved<'a> {
    /// The logs; `-` is standard input.
    pub files: &'a [PathBuf],
    /// How the command ended; none where a report tells.
    pub outcome: Option<&'a Outcome>,
    /// The command and its arguments; empty where nobody told.
    pub command: &'a [OsString],
    /// The report that tells of the machine, where it is not this one.
    pub against: Option<&'a Path>,
}

/// `--log`: explains output that is already there against this machine as it is, or as a report recorded it. The result is an exit
/// status.
#[must_use]
pub fn saved(options: &Options, saved: &Saved) -> i32 {
    let recorded = match saved.against.map(recorded).transpose() {
        Ok(recorded) => recorded,
        Err(error) => return own_failure(&error),
    };
    let here = Machine::live(Surroundings::of_this_process(None), Instant::now() + PROBES);
    let rules = Rules::all(options, &here);
    let machine = recorded.as_ref().map_or(here, played);
    let reader = AnyReader::new(&rules.library, catalogues::of_libc);
    let (transcript, notes) = match log::read(saved.files, &reader) {
        Ok(read) => read,
        Err(error) => return own_failure(&safe(&error)),
    };
    let argv = recorded.as_ref().map(Report::argv).filter(|_| saved.command.is_empty());
    let outcome = saved.outcome.or(recorded.as_ref().map(|report| &report.outcome));
    let failure = Failure {
        mode: Mode::Log,
        command: argv.as_deref().unwrap_or(saved.command),
        outcome: outcome.unwrap_or(&Outcome::Exited { code: 1 }),
        transcript: &transcript,
        captured: true,
        watched: &recorded.as_ref().map(|report| report.machine.watched.clone()).unwrap_or_default(),
        span: Span { started: SystemTime::now(), duration: Duration::ZERO },
    };
    let mut report = failure.explain(&machine, &rules);
    report.notes.splice(0..0, notes);
    report.machine.recorded_in = saved.against.map(|file| file.display().to_string());
    answer(options, &report)
}

/// `--replay`: repeats a report's diagnosis from the state that it recorded. The result is an exit status.
#[must_use]
pub fn replay(options: &Options, file: &Path) -> i32 {
    let recorded = match recorded(file) {
        Ok(report) => report,
        Err(error) => return own_failure(&error),
    };
    let here = Machine::live(Surroundings::of_this_process(None), Instant::now() + PROBES);
    let rules = Rules::all(options, &here);
    let failure = Failure {
        mode: recorded.mode,
        command: &recorded.argv(),
        outcome: &recorded.outcome,
        transcript: &recorded.stderr.transcript(),
        captured: recorded.stderr.captured,
        watched: &recorded.machine.watched,
        span: recorded.span(),
    };
    let mut report = failure.explain(&played(&recorded), &rules);
    report.machine.recorded_in.clone_from(&recorded.machine.recorded_in);
    answer(options, &report)
}

/// The report in a file, compressed or not.
fn recorded(file: &Path) -> Result<Report, String> {
    let mut bytes = Vec::new();
    let read = log::open(file).and_then(|mut report| report.read_to_end(&mut bytes));
    let read = read.map_err(|error| error.to_string()).and_then(|_| report::read(&bytes));
    read.map_err(|error| format!("{}: {error}", safe(&file.to_string_lossy())))
}

/// The machine that a report tells of.
fn played(report: &Report) -> Machine {
    Machine::played(report.machine.surroundings.clone(), report.machine.answers.clone())
}

/// `--cause`: what a cause is, how it is checked and fixed. The result is an exit status.
#[must_use]
pub fn cause(id: &str) -> i32 {
    let Some(cause) = cause::by_id(id) else {
        let near = cause::near(id).join(", ");
        let hint = if near.is_empty() { String::new() } else { format!("; near ones: {near}") };
        return own_failure(&format!("no cause has the id {}{hint}", safe(id)));
    };
    say(cause.page)
}

/// Where the answer was asked for, it is given on stdout, also that there is none.
fn answer(options: &Options, report: &Report) -> i32 {
    if let Some(Err(message)) = options.report.as_deref().map(|file| ReportFile::new(file).write(report)) {
        return own_failure(&message);
    }
    let text = rendered(report, options, Style::of(options, &io::stdout()));
    let notes = told(report, options, Style::of(options, &io::stderr()));
    let _ = io::stderr().write_all(notes.as_bytes());
    if text.is_empty() { say("explain: no cause found\n") } else { say(&text) }
}

/// Notes as lines; a report for programs has them in a field.
fn told(report: &Report, options: &Options, style: Style) -> String {
    match options.format {
        Format::Text => report.notes_to_text(style),
        Format::Json => String::new(),
    }
}

fn rendered(report: &Report, options: &Options, style: Style) -> String {
    match options.format {
        Format::Text => report.to_text(style),
        Format::Json => report.to_json().unwrap_or_default(),
    }
}

/// Says what went wrong in explain itself.
#[must_use]
pub fn own_failure(message: &str) -> i32 {
    let _ = writeln!(io::stderr(), "explain: {message}");
    exit::OWN_FAILURE
}

/// Says it on stdout; the result is an exit status.
pub(crate) fn say(text: &str) -> i32 {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Ok(()) => 0,
        Err(error) => own_failure(&format!("cannot write to stdout: {error}")),
    }
}

impl Style {
    /// How the options and the place where the text goes want it.
    fn of(options: &Options, place: &(impl IsTerminal + std::os::fd::AsFd)) -> Self {
        let color = match options.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => place.is_terminal() && !is_set("NO_COLOR"),
        };
        Self { color, width: crate::sys::terminal::width(place).unwrap_or(100), verbose: options.verbose }
    }
}

#[expect(clippy::disallowed_methods, reason = "a setting of explain itself, not state of the machine")]
fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}
