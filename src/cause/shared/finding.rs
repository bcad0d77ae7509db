//! Suspects before their check and findings after it.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What a fault is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A mount point, file or directory.
    Path(PathBuf),
    /// A number, a user, a kind of object; `-` where the fault has no subject.
    Name(String),
}

impl Subject {
    /// The path, where it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Name(_) => None,
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A cause with a subject, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// What it is about.
    pub subject: Subject,
    /// Index into the case's clues of the clue that led here; none where only the watch did.
    pub clue: Option<usize>,
    /// Whether the failed work is known to have needed the subject: the clue names it, or the run used it up.
    pub touched: bool,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// The text says so and the machine neither proves nor refutes it.
    Possible,
    /// The machine's state fits and a part of the proof is missing.
    Likely,
    /// The state of the machine proves it.
    Verified,
}

/// When the fault was there to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// While the command ran.
    During,
    /// It is so now.
    Now,
}

/// Where a piece of evidence is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// The machine was asked.
    Probe,
    /// The watch saw it while the command ran.
    Sample,
    /// A system call failed so.
    Call,
    /// The command said so.
    Output,
}

/// One fact, and how a person can see it too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it is from.
    pub kind: EvidenceKind,
    /// The fact: value and place, a fragment without a full stop.
    pub text: String,
    /// A command that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}

impl Evidence {
    /// A fact that the machine told.
    #[must_use]
    pub fn probe(text: impl Into<String>) -> Self {
        Self { kind: EvidenceKind::Probe, text: text.into(), check: None }
    }

    /// A fact that the watch saw.
    #[must_use]
    pub fn sample(text: impl Into<String>) -> Self {
        Self { kind: EvidenceKind::Sample, text: text.into(), check: None }
    }

    /// What the command said.
    #[must_use]
    pub fn output(text: impl Into<String>) -> Self {
        Self { kind: EvidenceKind::Output, text: text.into(), check: None }
    }

    /// The same with the command that shows it.
    #[must_use]
    pub fn check(self, command: impl Into<String>) -> Self {
        Self { check: Some(command.into()), ..self }
    }
}

/// Something to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// What it does or where it goes: `frees 41,203 inodes`, `until the next boot`.
    pub text: String,
    /// The command to type, where there is one; shell-quoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Whether it outlives a reboot.
    pub lasting: bool,
}

impl Fix {
    /// Something to type now.
    #[must_use]
    pub fn now(command: impl Into<String>, text: impl Into<String>) -> Self {
        Self { text: text.into(), command: Some(command.into()), lasting: false }
    }

    /// Something that lasts, said in words.
    #[must_use]
    pub fn lasting(text: impl Into<String>) -> Self {
        Self { text: text.into(), command: None, lasting: true }
    }

    /// The same with a command.
    #[must_use]
    pub fn command(self, command: impl Into<String>) -> Self {
        Self { command: Some(command.into()), ..self }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How sure.
    pub confidence: Confidence,
    /// When it was so; none where only the text says so.
    pub seen: Option<Seen>,
    /// The fault in a few words, for the first line of the report: `/tmp is out of inodes`.
    pub headline: String,
    /// One sentence that stands alone.
    pub summary: String,
    /// The proof.
    pub evidence: Vec<Evidence>,
    /// What to do, safest first.
    pub fixes: Vec<Fix>,
}

/// The end of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is so, or may be.
    Found(Box<Finding>),
    /// The state refutes it; the text is the value that does: `1019 MiB of 1 GiB free`.
    RuledOut(String),
    /// The state could not be learned, and why.
    Unknown(String),
}
