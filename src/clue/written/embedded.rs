//! The form in which the program carries `rules/`: what every failure needs is read at once, and a rule itself only when a line
//! holds one of its keys.

use super::{Key, Operation};
use serde::{Deserialize, Serialize};

/// The files of `rules/`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Embedded<'a> {
    /// Their names.
    #[serde(borrow)]
    pub files: Vec<&'a str>,
    /// Their rules in order.
    pub rules: Vec<Entry<'a>>,
    /// Exit statuses that are an answer.
    pub benign: Vec<Benign>,
    /// Exit statuses that tell what failed.
    pub exits: Vec<Exit>,
    /// Causes that an errno suggests.
    pub fallbacks: Vec<Fallback>,
    /// What programs call an operation.
    pub verbs: Vec<(&'a str, Operation)>,
}

/// What is known of a rule before it is read.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// Its id.
    pub id: &'a str,
    /// Which of the files it is in.
    pub file: usize,
    /// Whether its patterns are words of a message in any form.
    pub is_loose: bool,
    /// See [`super::Compiled::keys`].
    #[serde(borrow)]
    pub keys: Vec<Key<&'a [u8]>>,
    /// A [`super::Compiled`], encoded.
    pub rule: &'a [u8],
}

/// Exit statuses of a program that are an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Benign {
    /// The last component of the command's first word.
    pub program: String,
    /// The statuses.
    pub status: Vec<i32>,
    /// What they mean, as a fragment.
    pub meaning: String,
    /// Arguments of which one must be there; empty: whatever the arguments are.
    pub arguments: Vec<String>,
    /// It is an answer only where the output tells of no failure.
    pub quiet: bool,
    /// Names of errnos that such an output may have all the same.
    pub answers: Vec<String>,
}

/// Exit statuses by which a program tells what failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The last component of the command's first word.
    pub program: String,
    /// The statuses.
    pub status: Vec<i32>,
    /// Arguments of which one must be there; empty: whatever the arguments are.
    pub arguments: Vec<String>,
    /// What was tried.
    pub operation: Option<Operation>,
    /// Options whose value is the path that it was tried on.
    pub option: Vec<String>,
    /// Ids of causes, the likeliest first.
    pub suspects: Vec<String>,
    /// The status tells that something failed and not what.
    pub vague: bool,
    /// A server answered with an error, which the output may show.
    pub answered: bool,
}

/// Causes that an errno suggests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallback {
    /// The errno's name.
    pub errno: String,
    /// What was tried; empty: whatever it was.
    pub operations: Vec<Operation>,
    /// Ids of causes, the likeliest first.
    pub suspects: Vec<String>,
}

impl From<&super::schema::Benign> for Benign {
    fn from(text: &super::schema::Benign) -> Self {
        let super::schema::Benign { program, status, meaning, arguments, quiet, answers, .. } = text.clone();
        let status = status.into_iter().map(toml::Spanned::into_inner).collect();
        Self { program, status, meaning, arguments, quiet, answers }
    }
}

impl From<&super::schema::Exit> for Exit {
    fn from(text: &super::schema::Exit) -> Self {
        let super::schema::Exit { program, status, arguments, operation, option, suspects, vague, answered, .. } =
            text.clone();
        let status = status.into_iter().map(toml::Spanned::into_inner).collect();
        let suspects = suspects.into_iter().map(toml::Spanned::into_inner).collect();
        Self { program, status, arguments, operation, option, suspects, vague, answered }
    }
}

impl From<&super::schema::Fallback> for Fallback {
    fn from(text: &super::schema::Fallback) -> Self {
        let super::schema::Fallback { errno, operations, suspects } = text.clone();
        let suspects = suspects.into_iter().map(toml::Spanned::into_inner).collect();
        Self { errno: errno.into_inner(), operations, suspects }
    }
}
