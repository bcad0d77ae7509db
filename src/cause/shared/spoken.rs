//! How plainly a message speaks of a limit whose errno means other things too: ENOSPC is mostly a full disk, EMFILE mostly a want
//! of descriptors, EDQUOT mostly a quota of a filesystem.

use crate::cause::{Case, Confidence, Mode, Subject, Suspect};
use crate::clue::{Clue, Operation, only_says_that_it_failed};
use crate::sys::errno::Errno;

/// How a clue speaks of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spoken {
    /// It says that something failed and not what.
    Vaguely,
    /// It has the errno alone: neither a call nor a path.
    ByErrno,
    /// It has the errno and the call, or the rule knows the message.
    Plainly,
}

/// What speaks of a limit.
pub struct Speech {
    /// The cause.
    pub id: &'static str,
    /// What the kernel answers.
    pub errno: Errno,
    /// The calls that it answers so for want of this.
    pub operations: &'static [Operation],
}

/// Whether the rule of a clue holds this cause for the likeliest. What follows in its list are guesses, as those of a bare errno are.
pub fn leads_with(clue: &Clue, id: &str) -> bool {
    clue.suspects.first().is_some_and(|first| first == id)
}

/// Whether the command's last words tell that something failed and not what: no message has an errno or a suspect of its own, and the last
/// line only says that something could not be done. A limit that was seen to be used up at that moment is likely why.
#[must_use]
pub fn tells_no_reason(case: &Case) -> bool {
    let is_mute = |clue: &Clue| clue.vague || clue.errno.is_none() && clue.suspects.is_empty();
    let last = case.line_before(u64::MAX);
    case.mode == Mode::Run && case.clues.iter().all(is_mute) && last.is_some_and(|line| only_says_that_it_failed(&line))
}

impl Speech {
    /// How a clue speaks of it, where it does. A path without one of the calls is about a file, and a rule that suspects it after
    /// something else knows less than one that suspects it first.
    pub fn of(&self, clue: &Clue) -> Option<Spoken> {
        let has_errno = clue.errno == Some(self.errno);
        let is_call = clue.operation.is_some_and(|operation| self.operations.contains(&operation));
        let is_about_this = is_call || clue.operation.is_none() && clue.path.is_none();
        match () {
            () if clue.errno.is_some() && !has_errno => None,
            () if leads_with(clue, self.id) || has_errno && is_call => Some(Spoken::Plainly),
            () if (has_errno || clue.suspects(self.id)) && is_about_this => Some(Spoken::ByErrno),
            () if clue.errno.is_none() && clue.vague => Some(Spoken::Vaguely),
            () => None,
        }
    }

    /// How the clue of a suspect speaks of it.
    pub fn of_suspect(&self, case: &Case, suspect: &Suspect) -> Option<Spoken> {
        suspect.clue.and_then(|index| self.of(&case.clues[index]))
    }

    /// One suspect of each name for each clue that speaks of it with an errno at least.
    pub fn suspects(&self, case: &Case, names: &[&str]) -> Vec<Suspect> {
        let spoken = case.clues.iter().enumerate().filter_map(|(index, clue)| Some((index, self.of(clue)?)));
        let told = spoken.filter(|(_, spoken)| *spoken > Spoken::Vaguely);
        told.flat_map(|(index, spoken)| names.iter().map(move |name| spoken.suspect(name, index))).collect()
    }
}

impl Spoken {
    /// A suspect of this name, which the failed work needed where the message speaks plainly.
    pub fn suspect(self, name: &str, clue: usize) -> Suspect {
        Suspect { subject: Subject::Name(name.to_owned()), clue: Some(clue), touched: self == Self::Plainly }
    }

    /// How sure it is that a limit which the machine shows to be reached is the reason.
    pub fn confidence(self) -> Confidence {
        match self {
            Self::Plainly => Confidence::Verified,
            Self::ByErrno => Confidence::Likely,
            Self::Vaguely => Confidence::Possible,
        }
    }
}
