//! A path is written in other upper and lower case than the name on the disk (ENOENT): it worked where the filesystem folds case.

use super::refused;
use super::{Case, Cause, Evidence, Fix, Suspect, Verdict, missing_path};
use crate::probe::near::{self, Difference};
use crate::probe::walk::Obstacle;
use crate::sys::errno::Errno;
use std::path::PathBuf;

const ID: &str = "wrong-case";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/wrong-case.md"), suspects, covers: &["missing-path"], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let mut suspects = refused::suspects(case, ID, &[Errno::ENOENT], |_, obstacle| {
        missing_path::missing(obstacle).map(|_| obstacle.at.clone())
    });
    suspects.retain(|suspect| suspect.touched);
    suspects
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may be written in other upper and lower case", |_, obstacle| {
        let Some(meant) = meant(case, obstacle) else {
            return Some(Verdict::RuledOut("no name there differs in case alone".into()));
        };
        let (at, shown) = (obstacle.at.display(), meant.display());
        let headline = format!("{at} is written {shown} on the disk");
        let summary = format!("{at} does not exist; {shown}, which differs in upper and lower case alone, does.");
        let mut finding = refused::found(case, suspect, headline, summary);
        let check = format!("ls -la {}", case.quoted(meant.parent().unwrap_or(&meant)));
        finding.evidence.push(Evidence::probe(format!("{shown} exists, {at} does not")).check(check));
        finding.fixes.push(Fix { text: format!("write {shown}"), command: None, lasting: true });
        Some(Verdict::Found(Box::new(finding)))
    })
}

fn meant(case: &Case, obstacle: &Obstacle) -> Option<PathBuf> {
    let rest = missing_path::missing(obstacle)?;
    let parent = obstacle.at.parent()?;
    let near = near::name(case.machine, parent, obstacle.at.file_name()?, !rest.as_os_str().is_empty())?;
    (near.difference == Difference::Case).then(|| parent.join(near.name))
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::Kind;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";

    #[test]
    fn a_name_in_other_case_is_found() {
        let mut stage = Stage::new(TABLE);
        stage.directory("/srv").names("/srv", &["README.md"]).missing("/srv/Readme.md");
        stage.clue(Errno::ENOENT, Operation::Read, "/srv/Readme.md");
        assert_eq!(
            stage.finding(&CAUSE, "/srv/Readme.md").headline,
            "/srv/Readme.md is written /srv/README.md on the disk"
        );
    }

    #[test]
    fn a_directory_on_the_way_counts_and_a_file_there_does_not() {
        let mut stage = Stage::new(TABLE);
        stage
            .directory("/srv")
            .kinds("/srv", &[("Data", Kind::Directory), ("DATA", Kind::Regular)])
            .missing("/srv/data");
        stage.clue(Errno::ENOENT, Operation::Read, "/srv/data/x");
        assert!(stage.finding(&CAUSE, "/srv/data").headline.ends_with("/srv/Data on the disk"));
    }

    #[test]
    fn another_name_is_silence() {
        let mut stage = Stage::new(TABLE);
        stage.directory("/srv").names("/srv", &["READ.md"]).missing("/srv/Readme.md");
        stage.clue(Errno::ENOENT, Operation::Read, "/srv/Readme.md").assert_silent(&CAUSE);
    }
}
