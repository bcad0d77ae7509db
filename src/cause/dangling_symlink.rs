//! A path leads through a symbolic link whose target does not exist (ENOENT): the name is there, and yet the message says that it is not.

use super::refused::{self, Tried};
use super::{Case, Cause, Evidence, Fix, Suspect, Verdict};
use crate::probe::near;
use crate::probe::walk::{Link, Obstacle, Why};
use crate::sys::errno::Errno;
use std::path::Path;

const ID: &str = "dangling-symlink";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/dangling-symlink.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    refused::suspects(case, ID, &[Errno::ENOENT], |_, obstacle| link(obstacle).map(|link| link.at.clone()))
}

fn link(obstacle: &Obstacle) -> Option<&Link> {
    match &obstacle.why {
        Why::Missing { through, .. } => through.as_ref(),
        _ => None,
    }
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may be a link to what does not exist", |tried, obstacle| {
        let link = link(obstacle)?;
        let (at, target, missing) = (link.at.display(), link.target.display(), obstacle.at.display());
        let headline = format!("{at} is a symbolic link to {target}, which does not exist");
        let summary = format!("{at} is a symbolic link to {target}, and {missing} does not exist.");
        let mut finding = refused::found(case, suspect, headline, summary);
        finding.evidence.extend(
            before(tried, link)
                .map(|link| Evidence::probe(format!("{} is a link to {}", link.at.display(), link.target.display()))),
        );
        let check = format!("namei -l {}", case.quoted(&link.at));
        finding.evidence.push(Evidence::probe(format!("the first that is missing is {missing}")).check(check));
        finding.fixes = fixes(case, link, &obstacle.at);
        Some(Verdict::Found(Box::new(finding)))
    })
}

/// The links that led to the one that dangles.
fn before<'a>(tried: &'a Tried, last: &'a Link) -> impl Iterator<Item = &'a Link> {
    tried.walked.links.iter().filter(move |link| *link != last)
}

fn fixes(case: &Case, link: &Link, missing: &Path) -> Vec<Fix> {
    let parent = missing.parent().unwrap_or(Path::new("/"));
    let near = missing.file_name().and_then(|name| near::name(case.machine, parent, name, false));
    let is_the_target = missing.file_name() == link.target.file_name();
    let mut fixes = Vec::new();
    if let Some(near) = near.filter(|_| is_the_target) {
        let target = link.target.with_file_name(near.name);
        let command = format!("ln -sfn {} {}", case.quoted(&target), case.quoted(&link.at));
        fixes.push(Fix {
            text: "points it to the near name that exists".into(),
            command: Some(command),
            lasting: true,
        });
    }
    fixes.push(Fix::lasting(format!("make {} exist, or point the link to what does", missing.display())));
    fixes
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::Kind;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";

    fn stage() -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.directory("/srv").stat("/srv/current", Kind::Symlink, |_| {}).target("/srv/current", "releases/3");
        stage
    }

    #[test]
    fn the_link_is_named_and_where_its_target_ends() {
        let mut stage = stage();
        stage.directory("/srv/releases").names("/srv/releases", &[]).missing("/srv/releases/3");
        stage.clue(Errno::ENOENT, Operation::Read, "/srv/current/app.conf");
        let finding = stage.finding(&CAUSE, "/srv/current");
        assert!(finding.summary.ends_with("and /srv/releases/3 does not exist."), "{finding:?}");
    }

    #[test]
    fn the_near_name_that_exists_is_offered() {
        let mut stage = stage();
        stage.target("/srv/current", "release").names("/srv", &["releases"]).missing("/srv/release");
        stage.clue(Errno::ENOENT, Operation::Read, "/srv/current");
        let finding = stage.finding(&CAUSE, "/srv/current");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("ln -sfn releases /srv/current"));
    }

    #[test]
    fn a_link_to_what_exists_is_silence() {
        let mut stage = stage();
        stage.directory("/srv/releases/3").missing("/srv/releases/3/app.conf");
        stage.clue(Errno::ENOENT, Operation::Read, "/srv/current/app.conf").assert_silent(&CAUSE);
    }

    #[test]
    fn a_link_that_is_removed_is_not_followed() {
        let mut stage = stage();
        stage.clue(Errno::ENOENT, Operation::Remove, "/srv/current").assert_silent(&CAUSE);
    }
}
