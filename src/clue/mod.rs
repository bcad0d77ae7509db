//! From what a program said to what failed: rules read the transcript and yield clues.
//!
//! The folders, each of which uses those above it alone:
//!
//! | folder | what is in it |
//! | --- | --- |
//! | `written` | a rule file as it is written: its schema, its patterns, and their *keys*, texts of which a line must hold one if a rule is to match |
//! | `search` | which of ten thousand keys a text holds (`sieve` for a line, `skim` for gigabytes), and patterns that are compiled when they are needed |
//! | `language` | one form for a message in any language: words for an errno, quotation marks, verbs |
//! | `library` | the rules that are there, of the program and of files, each read no further than needed |
//! | `lines` | output taken apart: lines, what stands before a message, records, the jobs of a log; a `Page` is a transcript ready to be asked about |
//! | `aftermath` | whether a message can be why the command failed, by what was said after it |
//! | `script` | the same by the script of the command line: `a || true` goes on after `a` on purpose |
//! | `matcher` | rules and lines become clues; a `Draft` is what one rule reads in one line |
//! | `authoring` | what writers of rules ask: whether examples hold, what is odd |
//!
//! `remote`, `graphics` and `error_list` drop clues that nothing on this machine can prove.
//!
//! A rule of *forms* knows how a message is built. A *loose* rule, one of *words*, knows what is said in any form, and is asked where no rule of
//! forms explains the failure. What else a rule may be (`vague`, `passing`, `handled`, `live`) is told in `docs/rules.md`.

use crate::outcome::Outcome;
use crate::sys::errno::{Errno, by_name};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::ops::Range;
use std::path::PathBuf;

mod aftermath;
mod authoring;
mod error_list;
mod graphics;
mod language;
mod library;
mod lines;
mod matcher;
pub mod operation;
mod remote;
mod script;
mod search;
mod written;

pub(crate) use aftermath::is_of_usage;
pub use aftermath::{Aftermath, is_of_status, is_of_test, misses_something, only_says_that_it_failed};
pub use authoring::{Origin, Reviewed, Tested};
pub use error_list::without_error_list;
pub use graphics::without_graphics_memory;
pub use library::Library;
pub use library::rule::Rule;
pub use lines::compared::is_comparison;
pub use lines::exception::is_own_fault;
pub use lines::jobs::time;
pub use lines::shown::Shown;
pub use matcher::reader::{AnyReader, LineKind, Reader};
pub use matcher::sought::{Sought, SoughtPath};
pub use matcher::{Heard, Said};
pub use operation::Operation;
pub use remote::without_remote;
pub(crate) use script::Script;
pub use script::directory::{under_changed_directory, under_directory_option};
pub use script::recipe::Recipe;
pub use script::standing::{Standing, is_of_launcher, may_end_with};
pub use script::{ScriptFile, is_shell};
pub use search::skim::Skim;
pub use written::{Fault, Source};

/// One observed failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is told by itself, and any may stand with another")]
pub struct Clue {
    /// The errno that the program reported, where it did.
    #[serde(with = "errno_name", default, skip_serializing_if = "Option::is_none")]
    pub errno: Option<Errno>,
    /// What was tried, where the message tells.
    pub operation: Option<Operation>,
    /// The path that it was tried on, as the program wrote it (it may be relative to the child's working directory).
    #[serde(with = "optional_path", default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The other end of a rename or link.
    #[serde(with = "optional_path", default, skip_serializing_if = "Option::is_none")]
    pub other_path: Option<PathBuf>,
    /// Another subject: a port, a host, a library, a limit, as the rule's `subject` capture has it.
    pub subject: Option<String>,
    /// The program that said so, where the message tells.
    pub program: Option<String>,
    /// Causes that the rule suspects by name, the likeliest first, beside those that suspect themselves from errno and operation.
    pub suspects: Vec<String>,
    /// Whether the message says that something failed and not what: then the watched places are judged.
    pub vague: bool,
    /// Whether programs say so on many runs and go on: of a run it explains nothing, of a log less than anything else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passing: bool,
    /// Whether it counts of a command that ran alone: a saved log with it may be of anything.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live: bool,
    /// Whether so much was written after it that it is hardly why a saved log ends as it does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_behind: bool,
    /// Whether words alone speak of it, in a message whose form no rule knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub loose: bool,
    /// How its line has the message.
    #[serde(default)]
    pub shown: Shown,
    /// Which rule found it, or `outcome` where the child's end did.
    pub rule: String,
    /// Where in the transcript (offsets into all that was written); empty for a clue of the outcome.
    pub said: Range<u64>,
    /// The line as it can be shown: without control sequences, shortened.
    pub line: String,
    /// The log that has the line, where it is not in the output itself; then `said` is where the output names the log.
    #[serde(with = "optional_path", default, skip_serializing_if = "Option::is_none")]
    pub log: Option<PathBuf>,
    /// Where the path was looked for, if not in the working directory: then the machine tells which path is meant.
    #[serde(skip)]
    pub sought: Option<Sought>,
}

impl Clue {
    /// What was read, for people: by which rule, and what it tells.
    #[must_use]
    pub fn told(&self) -> String {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let parts = [
            ("errno", self.errno.map(crate::sys::errno::name)),
            (
                "operation",
                self.operation.and_then(|operation| Some(serde_json::to_value(operation).ok()?.as_str()?.to_owned())),
            ),
            ("path", path(&self.path)),
            ("other", path(&self.other_path)),
            ("subject", self.subject.clone()),
            ("program", self.program.clone()),
            ("suspects", Some(self.suspects.join(", ")).filter(|suspects| !suspects.is_empty())),
        ];
        let parts = parts.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
        format!("read by the rule {}: {}", self.rule, parts.collect::<Vec<_>>().join("; "))
    }

    /// What the end of a command that could not be started says: the errno of execve(2), and the program where it was named by path.
    #[must_use]
    pub fn of_outcome(outcome: &Outcome, command: &[OsString]) -> Option<Self> {
        let Outcome::NotStarted { errno } = outcome else { return None };
        let path = command.first().map(PathBuf::from).filter(|path| path.components().count() > 1);
        Some(Self {
            errno: by_name(errno),
            operation: Some(Operation::Execute),
            path,
            other_path: None,
            subject: None,
            program: None,
            suspects: Vec::new(),
            vague: false,
            passing: false,
            live: false,
            left_behind: false,
            loose: false,
            shown: Shown::Said,
            rule: "outcome".into(),
            said: 0..0,
            line: String::new(),
            log: None,
            sought: None,
        })
    }

    /// Whether a rule of the clue names this cause.
    #[must_use]
    pub fn suspects(&self, cause: &str) -> bool {
        self.suspects.iter().any(|id| id == cause)
    }
}

mod errno_name {
    use crate::sys::errno::{Errno, as_name, name};
    use serde::{Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "serde passes a reference")]
    pub fn serialize<S: Serializer>(errno: &Option<Errno>, serializer: S) -> Result<S::Ok, S::Error> {
        match errno {
            Some(errno) => serializer.serialize_str(&name(*errno)),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Errno>, D::Error> {
        as_name::deserialize(deserializer).map(Some)
    }
}

mod optional_path {
    use crate::text::path;
    use serde::{Deserializer, Serializer};
    use std::path::PathBuf;

    #[expect(clippy::ref_option, reason = "serde passes a reference")]
    pub fn serialize<S: Serializer>(value: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => path::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
        path::deserialize(deserializer).map(Some)
    }
}
