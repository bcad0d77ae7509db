//! The immutable or the append-only attribute (chattr(1)): not even root may change, remove or rename it (EPERM).

use super::refused;
use super::{Case, Cause, Evidence, Fix, Suspect, Verdict};
use crate::probe::walk::{Obstacle, Why};
use crate::sys::errno::Errno;

const ID: &str = "immutable-file";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/immutable-file.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    refused::suspects(case, ID, &[Errno::EPERM, Errno::EACCES], |_, obstacle| {
        attribute(obstacle).map(|_| obstacle.at.clone())
    })
}

/// The attribute's word and letter.
fn attribute(obstacle: &Obstacle) -> Option<(&'static str, char)> {
    match obstacle.why {
        Why::Immutable => Some(("immutable", 'i')),
        Why::AppendOnly => Some(("append-only", 'a')),
        _ => None,
    }
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may be immutable", |_, obstacle| {
        let (word, letter) = attribute(obstacle)?;
        let (at, quoted) = (obstacle.at.display(), case.quoted(&obstacle.at));
        let headline = format!("{at} is {word} (chattr +{letter})");
        let summary = format!("{at} has the {word} attribute, which holds for root too.");
        let mut finding = refused::found(case, suspect, headline, summary);
        let text = format!("it has the attribute {letter}, which no mode shows");
        finding.evidence.push(Evidence::probe(text).check(format!("lsattr -d {quoted}")));
        let command = case.as_root(&format!("chattr -{letter} {quoted}"));
        finding.fixes.push(Fix::lasting("takes it away; somebody, or a tool, set it on purpose").command(command));
        Some(Verdict::Found(Box::new(finding)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::{InodeFlags, Kind};

    fn stage(path: &str, flags: InodeFlags) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n").by_root();
        stage.directory("/srv").stat("/srv/x", Kind::Regular, |_| {}).knows(&format!("flags {path}"), Ok(flags));
        stage
    }

    #[test]
    fn root_is_told_of_an_immutable_file() {
        let mut stage = stage("/srv/x", InodeFlags { immutable: true, append_only: false });
        let finding = stage.clue(Errno::EPERM, Operation::Remove, "/srv/x").finding(&CAUSE, "/srv/x");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("chattr -i /srv/x"));
    }

    #[test]
    fn a_directory_that_only_grows_keeps_its_names() {
        let mut stage = stage("/srv", InodeFlags { immutable: false, append_only: true });
        let finding = stage.clue(Errno::EPERM, Operation::Remove, "/srv/x").finding(&CAUSE, "/srv");
        assert_eq!(finding.headline, "/srv is append-only (chattr +a)");
    }

    #[test]
    fn a_message_without_a_reason_that_suspects_the_modes_may_mean_it() {
        let mut stage = stage("/srv/x", InodeFlags { immutable: true, append_only: false });
        stage.add(|clue| {
            (clue.operation, clue.path) = (Some(Operation::Write), Some("/srv/x".into()));
            clue.suspects = vec!["permission-denied".into()];
        });
        assert_eq!(stage.finding(&CAUSE, "/srv/x").confidence, crate::cause::Confidence::Likely);
        stage.clues[0].suspects = vec!["port-in-use".into()];
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn what_is_not_there_and_refused_was_to_be_made() {
        let mut stage = stage("/srv", InodeFlags { immutable: true, append_only: false });
        stage.missing("/srv/new").clue(Errno::EPERM, Operation::Read, "");
        stage.clues[0].path = None;
        stage.command = ["zsyncmake", "-o", "/srv/new"].map(Into::into).into();
        stage.missing("/home/u/-o");
        assert_eq!(stage.found(&CAUSE), ["/srv"]);
    }

    #[test]
    fn a_file_without_attributes_is_silence() {
        let mut stage = stage("/srv/x", InodeFlags::default());
        stage.clue(Errno::EPERM, Operation::Remove, "/srv/x").assert_silent(&CAUSE);
    }

    #[test]
    fn an_append_only_directory_takes_new_names() {
        let mut stage = stage("/srv", InodeFlags { immutable: false, append_only: true });
        stage.missing("/srv/y").clue(Errno::EPERM, Operation::Create, "/srv/y").assert_silent(&CAUSE);
    }
}
