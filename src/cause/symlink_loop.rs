//! Symbolic links that lead back to themselves (ELOOP): the kernel gives up after 40.

use super::refused;
use super::{Case, Cause, Evidence, Fix, Suspect, Verdict};
use crate::probe::walk::{Link, Obstacle, Why};
use crate::sys::errno::Errno;

const ID: &str = "symlink-loop";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/symlink-loop.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    refused::suspects(case, ID, &[Errno::ELOOP], |_, obstacle| links(obstacle).map(|_| obstacle.at.clone()))
}

fn links(obstacle: &Obstacle) -> Option<&[Link]> {
    match &obstacle.why {
        Why::Loop(links) => Some(links),
        Why::TooManyLinks => Some(&[]),
        _ => None,
    }
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may be a link that leads to itself", |_, obstacle| {
        let links = links(obstacle)?;
        let at = obstacle.at.display();
        let headline = match links.first() {
            Some(first) => format!("{at} is a symbolic link to {} and leads back to itself", first.target.display()),
            None => format!("the path leads through more than 40 symbolic links before {at}"),
        };
        let mut finding = refused::found(case, suspect, headline.clone(), format!("{headline}."));
        let check = format!("namei -l {}", case.quoted(&obstacle.at));
        let facts = links.iter().map(|link| format!("{} is a link to {}", link.at.display(), link.target.display()));
        finding.evidence = facts.map(|fact| Evidence::probe(fact).check(check.clone())).collect();
        if let Some(first) = links.first() {
            let remove = format!("rm {}", case.quoted(&first.at));
            finding.fixes.push(Fix::now(remove, "removes the link, not what it points to; then make it anew"));
        }
        Some(Verdict::Found(Box::new(finding)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::Kind;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";

    #[test]
    fn every_link_of_the_circle_is_told() {
        let mut stage = Stage::new(TABLE);
        stage.directory("/srv").stat("/srv/a", Kind::Symlink, |_| {}).target("/srv/a", "b");
        stage.stat("/srv/b", Kind::Symlink, |_| {}).target("/srv/b", "/srv/a");
        let facts = stage.clue(Errno::ELOOP, Operation::Read, "/srv/a/x").finding(&CAUSE, "/srv/a").evidence;
        let facts: Vec<&str> = facts.iter().map(|fact| fact.text.as_str()).collect();
        assert_eq!(facts, ["/srv/a is a link to b", "/srv/b is a link to /srv/a"]);
    }

    #[test]
    fn a_link_to_its_own_directory_is_a_circle_in_a_path_that_repeats_it() {
        let mut stage = Stage::new(TABLE);
        stage.directory("/srv").stat("/srv/src", Kind::Symlink, |_| {}).target("/srv/src", "../srv");
        let path = format!("/srv{}", "/src".repeat(41));
        assert_eq!(stage.clue(Errno::ELOOP, Operation::Stat, &path).finding(&CAUSE, "/srv/src").evidence.len(), 1);
    }

    #[test]
    fn a_chain_that_ends_is_silence() {
        let mut stage = Stage::new(TABLE);
        stage.directory("/srv").stat("/srv/a", Kind::Symlink, |_| {}).target("/srv/a", "b").directory("/srv/b");
        stage.clue(Errno::ELOOP, Operation::Read, "/srv/a").assert_silent(&CAUSE);
    }
}
