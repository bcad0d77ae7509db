//! Words, JSON or annotations of the findings: nothing else in the project writes for people or programs.

mod file;
mod json;
mod progress;
mod sanitise;
mod style;
mod text;

pub use file::ReportFile;
pub use json::read;
pub use progress::Progress;
pub use sanitise::safe;
pub use style::Style;

use crate::cause::{Case, Confidence, Evidence, Fix, Mode, Seen};
use crate::clue::Clue;
use crate::diagnose::Diagnosis;
use crate::machine::{Record, Surroundings};
use crate::outcome::Outcome;
use crate::text::Bytes;
use crate::transcript::{LogFile, Part, Transcript};
use crate::watch::Watched;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// The name and version of the report's form.
pub const SCHEMA: &str = "explain/1";

/// Bytes of the output's end that the excerpt shows.
const EXCERPT: usize = 2048;

/// One failure, explained: what `--report` writes and `--replay` reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Whether the command ran under our eyes (`run`) or only its output was there (`log`).
    pub mode: Mode,
    /// The command and its arguments.
    pub command: Vec<Bytes>,
    /// The working directory.
    #[serde(with = "crate::text::path")]
    pub cwd: PathBuf,
    /// How it ended.
    pub outcome: Outcome,
    /// When it was started, RFC 3339.
    pub started: String,
    /// How long it ran, in milliseconds.
    pub duration_ms: u64,
    /// What it wrote to stderr.
    pub stderr: Output,
    /// What explains the failure, best first; empty when nothing can be said.
    pub causes: Vec<Explained>,
    /// What was suspected and is refuted.
    pub ruled_out: Vec<RuledOut>,
    /// What the rules have read, for people who ask for all.
    #[serde(skip)]
    pub read: Vec<String>,
    /// What is to be known of the explanation itself: rules that were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What was read of the machine.
    pub machine: Recorded,
}

/// The output as it was kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Output {
    /// Whether the command's stderr could be read at all; a report without the field is of a time when it always was.
    #[serde(default = "yes")]
    pub captured: bool,
    /// All bytes that were written.
    pub bytes: u64,
    /// The end of it, as text.
    pub excerpt: String,
    /// All that was kept, with offsets.
    pub parts: Vec<Part>,
    /// The logs that it was read from, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<LogFile>,
}

/// One cause with its proof and its fixes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// The stable name of the cause.
    pub id: String,
    /// What it is about.
    pub subject: String,
    /// How sure.
    pub confidence: Confidence,
    /// When it was so; null where only the text says so.
    pub seen: Option<Seen>,
    /// Which of several logs said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_in: Option<String>,
    /// The fault in a few words.
    pub headline: String,
    /// One sentence.
    pub summary: String,
    /// The proof.
    pub evidence: Vec<Evidence>,
    /// What to do, safest first.
    pub fixes: Vec<Fix>,
}

/// A suspect that the state refutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuledOut {
    /// The stable name of the cause.
    pub id: String,
    /// What it would have been about.
    pub subject: String,
    /// The value that refutes it.
    pub text: String,
}

/// What a diagnosis needs to be repeated elsewhere.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Recorded {
    /// What the child was given.
    pub surroundings: Surroundings,
    /// What was seen before and while it ran.
    pub watched: Watched,
    /// Answers of the machine, by question.
    pub answers: Record,
    /// The report that the machine is known from, where a log was judged against another machine than its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_in: Option<String>,
}

/// When a command ran.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// When it was started.
    pub started: SystemTime,
    /// How long it ran.
    pub duration: Duration,
}

impl Report {
    /// Puts a diagnosis into the report's form.
    #[must_use]
    pub fn of(case: &Case, span: Span, diagnosis: Diagnosis) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            mode: case.mode,
            command: case.command.iter().map(|word| Bytes(word.as_encoded_bytes().to_vec())).collect(),
            cwd: case.surroundings().cwd.clone(),
            outcome: case.outcome.clone(),
            started: humantime::format_rfc3339_millis(span.started).to_string(),
            duration_ms: u64::try_from(span.duration.as_millis()).unwrap_or(u64::MAX),
            stderr: Output::of(case.transcript),
            causes: diagnosis.found.into_iter().map(|diagnosed| Explained::of(diagnosed, case)).collect(),
            ruled_out: diagnosis.ruled_out.into_iter().map(RuledOut::of).collect(),
            read: case.clues.iter().map(Clue::told).collect(),
            notes: Vec::new(),
            machine: Recorded {
                surroundings: case.surroundings().clone(),
                watched: case.watched.clone(),
                answers: case.machine.record(),
                recorded_in: None,
            },
        }
    }

    /// The command as it was given.
    #[must_use]
    pub fn argv(&self) -> Vec<OsString> {
        use std::os::unix::ffi::OsStringExt;
        self.command.iter().map(|word| OsString::from_vec(word.0.clone())).collect()
    }

    /// When the command ran.
    #[must_use]
    pub fn span(&self) -> Span {
        let started = humantime::parse_rfc3339(&self.started).unwrap_or(SystemTime::UNIX_EPOCH);
        Span { started, duration: Duration::from_millis(self.duration_ms) }
    }

    /// For programs: one JSON object with a newline at its end.
    ///
    /// # Errors
    /// None in practice: every part has a JSON form.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }

    /// For people, where nothing else is to be said: that the failure's own words are not known here.
    #[must_use]
    pub fn unread(&self, style: Style) -> String {
        text::unread(self, style)
    }

    /// Whether the command's own output has this answer already: another explain ran in it, around a step of a script or the shell
    /// of a make.
    #[must_use]
    pub fn is_told_already(&self) -> bool {
        let Some(first) = self.causes.first() else { return false };
        let headline = safe(&first.headline);
        let lines = self.stderr.parts.iter().flat_map(|part| part.bytes.0.split(|byte| *byte == b'\n'));
        let has = |line: &[u8], words: &str| memchr::memmem::find(line, words.as_bytes()).is_some();
        lines.into_iter().any(|line| has(line, "explain:") && has(line, &headline))
    }

    /// The notes for people, a line each; they come after whatever else is said.
    #[must_use]
    pub fn notes_to_text(&self, style: Style) -> String {
        let line = |note: &String| format!("{} {}\n", style.speaker("explain:"), safe(note));
        self.notes.iter().map(line).collect()
    }

    /// For people; empty when there is nothing to say.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        text::render(self, style)
    }
}

fn yes() -> bool {
    true
}

impl Output {
    fn of(transcript: &Transcript) -> Self {
        let last = transcript.parts.last().map_or(&[][..], |part| &part.bytes.0);
        let from = last.len().saturating_sub(EXCERPT);
        let excerpt = String::from_utf8_lossy(&last[from..]).into_owned();
        Self {
            captured: true,
            bytes: transcript.bytes,
            excerpt,
            parts: transcript.parts.clone(),
            files: transcript.files.clone(),
        }
    }

    /// The transcript that was kept.
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        Transcript { bytes: self.bytes, parts: self.parts.clone(), files: self.files.clone() }
    }
}

impl Explained {
    fn of(diagnosed: crate::diagnose::Diagnosed, case: &Case) -> Self {
        let finding = diagnosed.finding;
        let said = diagnosed.suspect.clue.and_then(|index| case.clues.get(index)).filter(|clue| !clue.said.is_empty());
        Self {
            id: diagnosed.cause.id.to_owned(),
            subject: diagnosed.suspect.subject.to_string(),
            confidence: finding.confidence,
            seen: finding.seen,
            said_in: said.and_then(|clue| case.transcript.file_at(clue.said.start)).map(str::to_owned),
            headline: finding.headline,
            summary: finding.summary,
            evidence: finding.evidence,
            fixes: finding.fixes,
        }
    }
}

impl RuledOut {
    fn of(refuted: crate::diagnose::Refuted) -> Self {
        Self { id: refuted.cause.id.to_owned(), subject: refuted.suspect.subject.to_string(), text: refuted.text }
    }
}
