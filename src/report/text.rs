//! The report as a person reads it: the answer first, then the proof, then what to type; at most about a screen.

use super::{Explained, Report, Style, safe};
use crate::cause::{Confidence, Fix, Mode};
use crate::text::shell_word;
use std::fmt::Write;

/// Causes after the first that are told in one line each.
const FURTHER: usize = 3;
/// Facts that are shown of the first cause.
const FACTS: usize = 7;
/// Columns of the labels `now`, `lasting`, `check`.
const LABEL: usize = 9;
/// Columns that a command may take before its remark goes to the next line.
const COMMAND: usize = 44;
/// Characters of the command in the first line.
const TITLE: usize = 48;

/// The whole text; empty when there is nothing to say.
pub fn render(report: &Report, style: Style) -> String {
    let mut out = String::new();
    if let Some((first, further)) = report.causes.split_first() {
        out += &headline(report, first, style);
        out += &facts(report, first, style);
        out += &advice(first, style);
        out += &also(further, style);
    }
    if style.verbose {
        out += &ruled_out(report, style);
    }
    out
}

fn headline(report: &Report, first: &Explained, style: Style) -> String {
    let hedge = match first.confidence {
        Confidence::Verified => "",
        Confidence::Likely => "probably ",
        Confidence::Possible => "perhaps ",
    };
    let failed = format!("{} failed ({}): {hedge}", title(report), report.outcome);
    format!("{} {failed}{}\n", style.speaker("explain:"), style.answer(&safe(&first.headline)))
}

/// One line for a failure whose own words were not read, when nothing else is known of it.
pub fn unread(report: &Report, style: Style) -> String {
    let failed = format!("{} failed ({})", title(report), report.outcome);
    let why = "its words on the terminal were not read, and nothing else explains it (--capture pty reads them)";
    format!("{} {failed}: {why}\n", style.speaker("explain:"))
}

/// The command as it was typed, shortened.
fn title(report: &Report) -> String {
    let words: Vec<String> = report.argv().iter().map(shell_word).collect();
    let line = if words.is_empty() { "the command".to_owned() } else { safe(&words.join(" ")) };
    match line.char_indices().nth(TITLE) {
        Some((at, _)) => format!("{}…", line[..at].trim_end()),
        None => line,
    }
}

fn facts(report: &Report, first: &Explained, style: Style) -> String {
    let mut out = String::from("\n");
    for fact in first.evidence.iter().take(FACTS) {
        out += &paragraph(&safe(&fact.text), "  ", style.width);
    }
    if let Some(log) = &first.said_in {
        out += &paragraph(&format!("said in {}", safe(log)), "  ", style.width);
    }
    if report.mode == Mode::Log {
        out += &paragraph(
            &format!("the command was not watched: this is the machine {}", known_by(report)),
            "  ",
            style.width,
        );
    }
    out
}

/// How the machine of a log is known.
fn known_by(report: &Report) -> String {
    report.machine.recorded_in.as_ref().map_or("as it is now".to_owned(), |file| format!("as {} has it", safe(file)))
}

fn advice(first: &Explained, style: Style) -> String {
    let mut out = String::from("\n");
    for (label, lasting) in [("now", false), ("lasting", true)] {
        let mut label = label;
        for fix in first.fixes.iter().filter(|fix| fix.lasting == lasting) {
            out += &one_fix(label, fix, style);
            label = "";
        }
    }
    if let Some(check) = first.evidence.iter().find_map(|fact| fact.check.as_deref()) {
        let _ = writeln!(out, "  {}{}", style.aside(&format!("{:LABEL$}", "check")), style.command(&safe(check)));
    }
    if out == "\n" { String::new() } else { out }
}

/// A command is never wrapped, since it is there to be copied; its remark stands beside it or below.
fn one_fix(label: &str, fix: &Fix, style: Style) -> String {
    let label = style.aside(&format!("{label:LABEL$}"));
    let indent = " ".repeat(2 + LABEL);
    let remark = safe(&fix.text);
    let Some(command) = fix.command.as_deref().map(safe) else {
        return paragraph(&remark, &indent, style.width).replacen(&indent, &format!("  {label}"), 1);
    };
    let columns = textwrap::core::display_width(&command);
    let beside =
        columns <= COMMAND && indent.len() + COMMAND + 2 + textwrap::core::display_width(&remark) <= style.width;
    let gap = " ".repeat(COMMAND.saturating_sub(columns) + 2);
    match (remark.is_empty(), beside) {
        (true, _) => format!("  {label}{}\n", style.command(&command)),
        (false, true) => format!("  {label}{}{gap}{}\n", style.command(&command), style.aside(&remark)),
        (false, false) => {
            format!("  {label}{}\n{}", style.command(&command), paragraph(&remark, &format!("{indent}  "), style.width))
        }
    }
}

fn also(further: &[Explained], style: Style) -> String {
    let mut out = String::new();
    for cause in further.iter().take(FURTHER) {
        let hedge = match cause.confidence {
            Confidence::Verified => "also",
            Confidence::Likely => "probably also",
            Confidence::Possible => "perhaps",
        };
        out += &paragraph(&format!("{hedge}: {}", safe(&cause.summary)), "  ", style.width);
    }
    if out.is_empty() { out } else { format!("\n{out}") }
}

fn ruled_out(report: &Report, style: Style) -> String {
    let mut out = String::new();
    for refuted in &report.ruled_out {
        let line = format!("not {} of {}: {}", refuted.id, safe(&refuted.subject), safe(&refuted.text));
        out += &style.aside(&paragraph(&line, "  ", style.width));
    }
    match (out.is_empty(), report.causes.is_empty()) {
        (true, true) => format!("explain: nothing was suspected\n{}", read(report, style)),
        (true, false) => String::new(),
        (false, true) => format!("\n{}{out}", read(report, style)),
        (false, false) => format!("\n{out}"),
    }
}

/// What the rules have read, where nothing came of it: who writes a rule sees whether it fired, and what it lacks.
fn read(report: &Report, style: Style) -> String {
    let mut out = String::new();
    for read in report.read.iter().take(FACTS) {
        out += &style.aside(&paragraph(&safe(read), "  ", style.width));
    }
    out
}

fn paragraph(text: &str, indent: &str, width: usize) -> String {
    let further = format!("{indent}  ");
    let options =
        textwrap::Options::new(width.max(40)).initial_indent(indent).subsequent_indent(&further).break_words(false);
    textwrap::fill(text, options.word_splitter(textwrap::WordSplitter::NoHyphenation)) + "\n"
}
