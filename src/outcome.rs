//! How the child ended: the one fact that every run has.

use serde::{Deserialize, Serialize};

/// How the command ended, as `waitid(2)` or a failed `execve(2)` told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// It called `exit(2)`; the status is the low eight bits.
    Exited {
        /// 0 to 255.
        code: i32,
    },
    /// A signal ended it.
    Signaled {
        /// The signal's number.
        signal: i32,
        /// The signal's name, such as `SIGKILL` or `SIGRTMIN+3`.
        name: String,
    },
    /// It could not be started: `fork(2)` or `execve(2)` failed.
    NotStarted {
        /// The errno's name, such as `ENOENT`.
        errno: String,
    },
}

impl Outcome {
    /// Whether the command did its work: exit status 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Exited { code: 0 })
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited { code } => write!(f, "exit {code}"),
            Self::Signaled { name, .. } => write!(f, "{name}"),
            Self::NotStarted { errno } => write!(f, "not started: {errno}"),
        }
    }
}
