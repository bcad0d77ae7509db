//! In a sticky directory such as /tmp only the owner of an entry, or of the directory, may remove or rename it (EPERM).

use super::refused::{self, listed, user};
use super::{Case, Cause, Evidence, Fix, Suspect, Verdict};
use crate::machine::Stat;
use crate::probe::walk::{Obstacle, Why};
use crate::sys::errno::Errno;

const ID: &str = "sticky-directory";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/sticky-directory.md"),
    suspects,
    covers: &["permission-denied"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    refused::suspects(case, ID, &[Errno::EPERM, Errno::EACCES], |_, obstacle| {
        sticky(obstacle).and_then(|_| obstacle.at.parent().map(Into::into))
    })
}

fn sticky(obstacle: &Obstacle) -> Option<(&Stat, &Stat)> {
    match &obstacle.why {
        Why::Sticky { directory, entry } => Some((directory, entry)),
        _ => None,
    }
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may be a sticky directory", |tried, obstacle| {
        let (directory, entry) = sticky(obstacle)?;
        let at = obstacle.at.parent()?;
        let (shown, who) = (at.display(), user(case, &tried.who));
        let owners = [entry, directory].map(|stat| case.machine.user(stat.uid));
        let headline = format!("{shown} is sticky, and {} belongs to {}", obstacle.at.display(), owners[0]);
        let summary = format!(
            "{shown} is sticky: {} may be removed by {} or {} alone, not by {who}.",
            obstacle.at.display(),
            owners[0],
            owners[1]
        );
        let mut finding = refused::found(case, suspect, headline, summary);
        finding.evidence = vec![listed(case, at, directory), listed(case, &obstacle.at, entry)];
        finding.evidence.push(Evidence::probe(format!("{who} owns neither and has no CAP_FOWNER")));
        finding.fixes.push(Fix::lasting(format!("let {} remove it, or use a name of one's own", owners[0])));
        Some(Verdict::Found(Box::new(finding)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::Kind;

    fn stage(owner: u32) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage
            .stat("/tmp", Kind::Directory, |stat| stat.mode = 0o1777)
            .stat("/tmp/x", Kind::Regular, |stat| stat.uid = owner);
        stage.clue(Errno::EPERM, Operation::Remove, "/tmp/x");
        stage
    }

    #[test]
    fn the_three_owners_are_told() {
        let finding = stage(1001).finding(&CAUSE, "/tmp");
        assert_eq!(finding.headline, "/tmp is sticky, and /tmp/x belongs to 1001");
        assert!(finding.evidence[0].text.starts_with("/tmp is drwxrwxrwt"), "{finding:?}");
    }

    #[test]
    fn what_the_user_owns_is_silence() {
        stage(1000).assert_silent(&CAUSE);
    }

    #[test]
    fn root_may_remove_it() {
        stage(1001).by_root().assert_silent(&CAUSE);
    }
}
