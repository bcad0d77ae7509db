//! Where explanations and errors go: stdout where somebody asked, stderr beside a command, in the format and the colours that the options want.

use crate::cli::{Color, Format, Options};
use crate::exit;
use crate::report::{Report, ReportFile, Style};
use crate::text::said;
use std::io::{self, IsTerminal, Write};

/// Where the answer was asked for, it is given on stdout, also that there is none.
pub fn answer(options: &Options, report: &Report) -> i32 {
    if let Some(Err(message)) = options.report.as_deref().map(|file| ReportFile::new(file).write(report)) {
        return own_failure(&message);
    }
    let text = rendered(report, options, Style::of(options, &io::stdout()));
    let notes = told(report, options, Style::of(options, &io::stderr()));
    let _ = io::stderr().write_all(notes.as_bytes());
    if text.is_empty() { say("explain: no cause found\n") } else { say(&text) }
}

/// Notes as lines; a report for programs has them in a field.
pub fn told(report: &Report, options: &Options, style: Style) -> String {
    match options.format {
        Format::Text => report.notes_to_text(style),
        Format::Json => String::new(),
    }
}

/// The report in the format that the options want.
pub fn rendered(report: &Report, options: &Options, style: Style) -> String {
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
        Err(error) => own_failure(&format!("cannot write to stdout: {}", said(&error))),
    }
}

impl Style {
    /// How the options and the place where the text goes want it.
    pub(super) fn of(options: &Options, place: &(impl IsTerminal + std::os::fd::AsFd)) -> Self {
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
