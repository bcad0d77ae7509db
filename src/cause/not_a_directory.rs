//! A path goes on behind something that is no directory (ENOTDIR): the message names the whole path, not the component.

use super::refused::{self, listed};
use super::{Case, Cause, Fix, Suspect, Verdict};
use crate::machine::Kind;
use crate::probe::walk::{Obstacle, Why};
use crate::sys::errno::Errno;

const ID: &str = "not-a-directory";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/not-a-directory.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    refused::suspects(case, ID, &[Errno::ENOTDIR, Errno::ENOENT], |_, obstacle| {
        kind(obstacle).map(|_| obstacle.at.clone())
    })
}

fn kind(obstacle: &Obstacle) -> Option<Kind> {
    match obstacle.why {
        Why::NotADirectory(kind) => Some(kind),
        _ => None,
    }
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may be no directory", |_, obstacle| {
        let what = refused::kind(kind(obstacle)?);
        let at = obstacle.at.display();
        let headline = format!("{at} is {what} and no directory");
        let summary = format!("{at} is {what}, and the path needs a directory there.");
        let mut finding = refused::found(case, suspect, headline, summary);
        if let Ok(stat) = case.machine.stat(&obstacle.at) {
            let holds = if stat.kind == Kind::Regular {
                format!("; it has {}", crate::text::size(stat.size))
            } else {
                String::new()
            };
            let mut fact = listed(case, &obstacle.at, &stat);
            fact.text += &holds;
            finding.evidence.push(fact);
        }
        let room = |command| Fix::now(command, "makes room for a directory, if one belongs there");
        finding.fixes.extend(refused::moved_aside(case, &obstacle.at).map(room));
        Some(Verdict::Found(Box::new(finding)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";

    #[test]
    fn the_component_is_told_with_what_it_is() {
        let mut stage = Stage::new(TABLE);
        stage.stat("/srv", Kind::Regular, |stat| stat.mode = 0o644);
        stage.clue(Errno::ENOTDIR, Operation::Mkdir, "/srv/app/data");
        let finding = stage.finding(&CAUSE, "/srv");
        assert_eq!(finding.headline, "/srv is a regular file and no directory");
        assert!(finding.evidence[0].text.starts_with("/srv is -rw-r--r-- 0 0; it has 4.0 KiB"), "{finding:?}");
    }

    #[test]
    fn what_a_system_needs_where_it_is_is_not_moved_aside() {
        for (at, kind, is_moved) in [
            ("/srv/www/app", Kind::Regular, true),
            ("/srv/www/app", Kind::Fifo, false),
            ("/dev/null", Kind::CharacterDevice, false),
            ("/etc/passwd", Kind::Regular, false),
            ("/srv", Kind::Regular, false),
            ("/var/tmp/x", Kind::Regular, true),
        ] {
            let mut stage = Stage::new(TABLE);
            for above in std::path::Path::new(at).ancestors().skip(1) {
                stage.directory(above.to_str().unwrap());
            }
            stage.stat(at, kind, |stat| stat.mode = 0o644);
            stage.clue(Errno::ENOTDIR, Operation::Mkdir, &format!("{at}/data"));
            assert_eq!(!stage.finding(&CAUSE, at).fixes.is_empty(), is_moved, "{at} {kind:?}");
        }
    }

    #[test]
    fn a_path_of_directories_is_silence() {
        let mut stage = Stage::new(TABLE);
        stage.directory("/srv/app").missing("/srv/app/data");
        stage.clue(Errno::ENOTDIR, Operation::Mkdir, "/srv/app/data").assert_silent(&CAUSE);
    }
}
