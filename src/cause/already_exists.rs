//! Something has the name that was to be made (EEXIST); what it is and whose decides what to do.

use super::refused::{self, listed};
use super::{Case, Cause, Evidence, Fix, Suspect, Verdict};
use crate::machine::Kind;
use crate::probe::walk::{Obstacle, Why};
use crate::sys::errno::Errno;
use std::path::Path;

const ID: &str = "already-exists";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/already-exists.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    refused::suspects(case, ID, &[Errno::EEXIST], |_, obstacle| kind(obstacle).map(|_| obstacle.at.clone()))
}

fn kind(obstacle: &Obstacle) -> Option<Kind> {
    match obstacle.why {
        Why::Exists(kind) => Some(kind),
        _ => None,
    }
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may be there already", |_, obstacle| {
        let found = kind(obstacle)?;
        let what = refused::kind(found);
        let at = obstacle.at.display();
        let headline = format!("{at} is there already: {what}");
        let mut finding = refused::found(case, suspect, headline, format!("{at} is there already and is {what}."));
        finding.evidence.extend(case.machine.stat(&obstacle.at).ok().map(|stat| listed(case, &obstacle.at, &stat)));
        if found == Kind::Symlink {
            let target = case.machine.read_link(&obstacle.at).ok();
            finding
                .evidence
                .extend(target.map(|target| Evidence::probe(format!("it is a link to {}", target.display()))));
        }
        finding.fixes = fixes(case, &obstacle.at, found);
        Some(Verdict::Found(Box::new(finding)))
    })
}

fn fixes(case: &Case, at: &Path, found: Kind) -> Vec<Fix> {
    let content = format!("mkdir -p {}", case.quoted(at));
    let is_enough = (found == Kind::Directory).then(|| Fix::now(content, "is content with a directory that is there"));
    let keep = refused::moved_aside(case, at).map(|command| Fix::now(command, "keeps it under another name"));
    is_enough.into_iter().chain(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";

    #[test]
    fn a_dangling_link_is_there_too() {
        let mut stage = Stage::new(TABLE);
        stage.directory("/srv").stat("/srv/x", Kind::Symlink, |_| {}).target("/srv/x", "gone");
        let finding = stage.clue(Errno::EEXIST, Operation::Symlink, "/srv/x").finding(&CAUSE, "/srv/x");
        assert_eq!(finding.headline, "/srv/x is there already: a symbolic link");
        assert!(finding.evidence.iter().any(|fact| fact.text == "it is a link to gone"));
    }

    #[test]
    fn a_name_that_is_free_now_is_silence() {
        let mut stage = Stage::new(TABLE);
        stage.directory("/srv").missing("/srv/x").clue(Errno::EEXIST, Operation::Mkdir, "/srv/x").assert_silent(&CAUSE);
    }
}
