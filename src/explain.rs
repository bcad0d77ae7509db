//! After the run: from what was seen to what is said. Nothing here runs when the command succeeds.

mod failure;
mod output;
mod rules;

pub use output::own_failure;
pub(crate) use output::say;

use crate::cause::{self, Mode};
use crate::cli::{Capture, Format, Options};
use crate::clue::AnyReader;
use crate::exit;
use crate::log;
use crate::machine::{Machine, OnProgress, Surroundings, catalogues};
use crate::outcome::Outcome;
use crate::report::{self, Progress, Report, ReportFile, Span, Style, safe};
use crate::run::Ran;
use crate::sys::fd;
use crate::text::said;
use failure::{End, Failure};
use output::{answer, rendered, told};
use rules::Rules;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Time that all probes of one explanation have; those that walk trees have a budget of their own.
pub(crate) const PROBES: Duration = Duration::from_millis(300);

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
    let rules = Rules::all(options, &machine, options.verbose);
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
    let is_missed = is_missed(options, &failure, &rules);
    let machine = if options.quiet { machine } else { machine.with_progress(progress()) };
    let report = failure.explain(&machine, &rules);
    drop(machine);
    if let Some(Err(message)) = file.map(|file| file.write(&report)) {
        let _ = writeln!(io::stderr(), "explain: {message}");
    }
    if !options.quiet {
        let _ = io::stderr().write_all(shown(&report, options, is_missed).as_bytes());
    }
    // The process ends: to take the rules apart would cost a tenth of the explanation.
    std::mem::forget(rules);
}

/// Whether a person misses the reason of a failure whose own words could not be read.
fn is_missed(options: &Options, failure: &Failure, rules: &Rules) -> bool {
    !failure.captured
        && !matches!(options.capture, Capture::None)
        && io::stderr().is_terminal()
        && !matches!(failure.outcome, Outcome::NotStarted { .. })
        && matches!(failure.end(&rules.library), End::Failure)
}

/// What is shown beside the command's own output, and its notes: not what another explain has said in that output already.
fn shown(report: &Report, options: &Options, is_missed: bool) -> String {
    let style = Style::of(options, &io::stderr());
    let is_repeated = matches!(options.format, Format::Text) && !options.verbose && report.is_told_already();
    let text = match rendered(report, options, style) {
        _ if is_repeated => String::new(),
        text if text.is_empty() && is_missed => report.unread(style),
        text => text,
    };
    text + &told(report, options, style)
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
    let rules = Rules::all(options, &here, true);
    let machine = recorded.as_ref().map_or(here, played);
    let written: Option<Vec<SystemTime>> = saved.files.iter().map(|file| log::written(file)).collect();
    machine.keep_log_time(written.and_then(|times| times.into_iter().max()));
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
    let rules = Rules::all(options, &here, true);
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
    let read = read.map_err(|error| said(&error)).and_then(|_| report::read(&bytes));
    read.map_err(|error| format!("{}: {error}", safe(&file.to_string_lossy())))
}

/// The machine that a report tells of.
fn played(report: &Report) -> Machine {
    Machine::played(report.machine.surroundings.clone(), report.machine.answers.clone())
}

/// `--cause`: what a cause is, how it is checked and fixed; without an id, which there are. The result is an exit status.
#[must_use]
pub fn cause(id: &str) -> i32 {
    if id.is_empty() {
        let lines = cause::ALL.iter().map(|cause| format!("{:28}{}\n", cause.id, cause.in_a_sentence()));
        return say(&lines.collect::<String>());
    }
    let Some(cause) = cause::by_id(id) else {
        let near = cause::near(id).join(", ");
        let hint =
            if near.is_empty() { "; explain --cause lists all".to_owned() } else { format!("; near ones: {near}") };
        return own_failure(&format!("no cause has the id {}{hint}", safe(id)));
    };
    say(cause.page)
}
