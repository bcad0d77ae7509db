//! Clues × causes → ranked findings.

use crate::cause::{self, Case, Cause, Confidence, Finding, Mode, Suspect, Verdict};

/// What was found and what was refuted.
#[derive(Default)]
pub struct Diagnosis {
    /// What explains the failure, best first.
    pub found: Vec<Diagnosed>,
    /// Suspects that the state of the machine refutes, with the value that does.
    pub ruled_out: Vec<Refuted>,
}

/// A suspect after its check.
pub struct Diagnosed {
    /// Which cause.
    pub cause: &'static Cause,
    /// Who was suspected and from where.
    pub suspect: Suspect,
    /// What the check found.
    pub finding: Finding,
}

/// A suspect that is not it.
pub struct Refuted {
    /// Which cause.
    pub cause: &'static Cause,
    /// Who was suspected.
    pub suspect: Suspect,
    /// The value that refutes it, or why it could not be checked.
    pub text: String,
}

/// Lets every cause suspect, checks each suspect once, and ranks what is left.
#[must_use]
pub fn diagnose(case: &Case) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    for cause in cause::ALL {
        for suspect in distinct((cause.suspects)(case)) {
            match (cause.check)(case, &suspect) {
                Verdict::Found(finding) => diagnosis.found.push(Diagnosed { cause, suspect, finding: *finding }),
                Verdict::RuledOut(text) | Verdict::Unknown(text) => diagnosis.ruled_out.push(Refuted { cause, suspect, text }),
            }
        }
    }
    let _ = (Confidence::Possible, Mode::Log);
    diagnosis
}

/// One suspect a subject: the touched one, and the one whose clue is first.
fn distinct(suspects: Vec<Suspect>) -> Vec<Suspect> {
    let mut out: Vec<Suspect> = Vec::new();
    for suspect in suspects {
        match out.iter_mut().find(|known| known.subject == suspect.subject) {
            Some(known) if suspect.touched && !known.touched => *known = suspect,
            Some(_) => {}
            None => out.push(suspect),
        }
    }
    out
}
