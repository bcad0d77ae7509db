//! A name is longer than its filesystem takes, or a path longer than the kernel does (ENAMETOOLONG). Both count bytes, not letters.

use super::refused;
use super::{Case, Cause, Evidence, Fix, Suspect, Verdict};
use crate::probe::walk::{LONGEST_PATH, Obstacle, Why};
use crate::sys::errno::Errno;
use std::path::Path;

const ID: &str = "name-too-long";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/name-too-long.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    refused::suspects(case, ID, &[Errno::ENAMETOOLONG], |_, obstacle| {
        matches!(obstacle.why, Why::NameTooLong { .. } | Why::PathTooLong { .. }).then(|| obstacle.at.clone())
    })
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may have too long a name", |_, obstacle| {
        let (headline, fact) = numbers(case, obstacle)?;
        let mut finding = refused::found(case, suspect, headline.clone(), format!("{headline}."));
        finding.evidence.push(fact);
        finding
            .fixes
            .push(Fix::lasting("shorten it, or work in a directory with a shorter path or on another filesystem"));
        Some(Verdict::Found(Box::new(finding)))
    })
}

fn numbers(case: &Case, obstacle: &Obstacle) -> Option<(String, Evidence)> {
    match obstacle.why {
        Why::PathTooLong { length } => {
            let headline = format!("the path has {length} bytes, and the kernel takes {LONGEST_PATH}");
            Some((
                headline,
                Evidence::probe("the limit is PATH_MAX, 4096 with the final NUL").check("getconf PATH_MAX /"),
            ))
        }
        Why::NameTooLong { length } => {
            let parent = obstacle.at.parent().unwrap_or(Path::new("/"));
            let fstype = case.mounts.holding(parent).map_or("its filesystem", |mount| mount.fstype.as_str());
            let limit = case.machine.longest_name(parent).ok()?;
            let headline = format!("a name of {length} bytes is longer than the {limit} that {fstype} takes");
            let check = format!("getconf NAME_MAX {}", case.quoted(parent));
            let letters = obstacle.at.file_name().unwrap_or_default().to_string_lossy().chars().count();
            let text = format!(
                "names in {} have at most {limit} bytes; this one has {length} in {letters} letters",
                parent.display()
            );
            Some((headline, Evidence::probe(text).check(check)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";

    fn stage(limit: u64) -> Stage {
        let mut stage = Stage::new(TABLE);
        let name = "\u{e9}".repeat(150);
        stage.knows(&format!("stat /home/u/{name}"), Err::<crate::machine::Stat, _>(Errno::ENAMETOOLONG.into()));
        stage.knows("longest-name /home/u", Ok(limit)).clue(Errno::ENAMETOOLONG, Operation::Create, &name);
        stage
    }

    #[test]
    fn bytes_are_counted_and_not_letters() {
        let path = format!("/home/u/{}", "\u{e9}".repeat(150));
        let finding = stage(255).finding(&CAUSE, &path);
        assert_eq!(finding.headline, "a name of 300 bytes is longer than the 255 that ext4 takes");
        assert!(finding.evidence[0].text.contains("300 in 150 letters"), "{finding:?}");
    }

    #[test]
    fn a_whole_path_has_a_limit_too() {
        let mut stage = Stage::new(TABLE);
        let path = "/abcdefghi".repeat(410);
        stage.clue(Errno::ENAMETOOLONG, Operation::Read, &path);
        assert_eq!(stage.finding(&CAUSE, &path).headline, "the path has 4100 bytes, and the kernel takes 4095");
    }

    #[test]
    fn a_short_name_is_silence() {
        let mut stage = Stage::new(TABLE);
        stage.missing("/home/u/x").clue(Errno::ENAMETOOLONG, Operation::Create, "x").assert_silent(&CAUSE);
    }
}
