//! What can be wrong with a machine: one file a cause, which says when it is suspected, how it is verified, how it reads
//! and how it is fixed. The list below is the registry; a test proves that it and the directory agree.

mod case;
mod finding;
mod rlimit;
pub mod room;
mod shortage;
#[cfg(test)]
mod stage;

pub use case::{Case, Mode};
pub use finding::{Confidence, Evidence, EvidenceKind, Finding, Fix, Seen, Subject, Suspect, Verdict};

/// One thing that can be wrong.
pub struct Cause {
    /// The stable name.
    pub id: &'static str,
    /// Its page: what it is, how it is checked and fixed.
    pub page: &'static str,
    /// Whom it suspects, from the clues and what was watched. Text suggests: nothing is asked of the machine but where a path leads.
    pub suspects: fn(&Case) -> Vec<Suspect>,
    /// Causes that are no fault of their own where this one is verified for the same subject: the general below the specific.
    pub covers: &'static [&'static str],
    /// What the machine says of a suspect.
    pub check: fn(&Case, &Suspect) -> Verdict,
}

macro_rules! causes {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        /// Every cause there is.
        pub static ALL: &[&Cause] = &[$(&$name::CAUSE),*];
    };
}

causes! {
    blocks_exhausted,
    file_size_limit,
    inodes_exhausted,
    reserved_blocks,
}

/// The cause of an id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Cause> {
    ALL.iter().find(|cause| cause.id == id).copied()
}

/// Ids that are nearly the one that was asked for, the nearest first.
#[must_use]
pub fn near(id: &str) -> Vec<&'static str> {
    let mut near: Vec<_> = ALL.iter().map(|cause| (strsim::damerau_levenshtein(id, cause.id), cause.id)).collect();
    near.retain(|(distance, known)| *distance <= known.len() / 3 || known.split('-').any(|word| word == id));
    near.sort_unstable();
    near.into_iter().map(|(_, id)| id).take(5).collect()
}
