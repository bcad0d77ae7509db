//! The state that decides is on another machine: a server's disk, its quota, its hooks. Nothing here can be checked, and nothing
//! here is claimed.

use super::setting;
use super::{Case, Cause, Confidence, Evidence, Finding, Mode, Subject, Suspect, Verdict};

const ID: &str = "remote-side";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/remote-side.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    setting::suspects(case, ID, setting::nothing_else, |_, clue| {
        Subject::Name(clue.subject.clone().unwrap_or_else(|| "-".into()))
    })
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    if case.mode == Mode::Run {
        return Verdict::Unknown("what decides is on another machine".into());
    }
    let host = match &suspect.subject {
        Subject::Name(name) if name != "-" => name.clone(),
        _ => "the server".to_owned(),
    };
    Verdict::Found(Box::new(Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("the reason may be on {host}, and not here"),
        summary: format!("The message is from {host} or about it; what decides there cannot be seen from here."),
        evidence: vec![Evidence::output("the message is another machine's")],
        fixes: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n";

    fn stage(mode: Mode) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.mode = mode;
        stage.add(|clue| (clue.suspects, clue.subject) = (vec![ID.to_owned()], Some("git.example".into())));
        stage
    }

    #[test]
    fn of_a_saved_log_the_other_machine_is_possible() {
        let verdicts = stage(Mode::Log).verdicts(&CAUSE);
        assert!(
            matches!(&verdicts[0].1, Verdict::Found(finding) if finding.headline.contains("git.example")),
            "{verdicts:?}"
        );
    }

    #[test]
    fn of_a_run_nothing_is_claimed() {
        stage(Mode::Run).assert_silent(&CAUSE);
    }
}
