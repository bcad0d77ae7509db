//! A file was wanted and a directory is there (EISDIR, and EACCES of `execve(2)`): container engines make one where a file that they were to mount is missing.

use super::refused::{self, listed};
use super::{Case, Cause, Evidence, Fix, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::machine::Kind;
use crate::probe::walk::{Obstacle, Why};
use crate::sys::errno::Errno;
use std::path::Path;

const ID: &str = "is-a-directory";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/is-a-directory.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let mut suspects = refused::suspects(case, ID, &[Errno::EISDIR, Errno::EACCES], |_, obstacle| {
        is_it(obstacle).then(|| obstacle.at.clone())
    });
    suspects.retain(|suspect| suspect.clue.is_none_or(|index| may_mean_it(&case.clues[index])));
    suspects
}

/// EACCES is about a directory only where it was to be executed.
fn may_mean_it(clue: &Clue) -> bool {
    (clue.errno != Some(Errno::EACCES) || clue.operation == Some(Operation::Execute)) && !is_of_making_one(clue)
}

/// Whether a message without a reason is that a directory could not be made: that one is there is not why.
fn is_of_making_one(clue: &Clue) -> bool {
    let path = clue.path.as_ref().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let makes = clue.operation == Some(Operation::Mkdir)
        || clue.operation == Some(Operation::Create) && clue.line.replace(&path, "").contains("director");
    clue.errno.is_none() && makes
}

fn is_it(obstacle: &Obstacle) -> bool {
    matches!(obstacle.why, Why::IsADirectory | Why::NotAProgram(Kind::Directory))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may be a directory where a file is wanted", |_, obstacle| {
        if !is_it(obstacle) {
            return None;
        }
        let at = obstacle.at.display();
        let entries = case.machine.list(&obstacle.at).map(|listing| listing.entries.len()).ok();
        let holds = match entries {
            Some(0) => "an empty directory".to_owned(),
            Some(1) => "a directory with one entry".to_owned(),
            Some(count) => format!("a directory with {} entries", crate::text::grouped(count as u64)),
            None => "a directory".to_owned(),
        };
        let summary = format!("{at} is {holds}, and a file was wanted.");
        let mut finding = refused::found(case, suspect, format!("{at} is {holds}, not a file"), summary);
        finding.evidence.extend(case.machine.stat(&obstacle.at).ok().map(|stat| listed(case, &obstacle.at, &stat)));
        finding
            .evidence
            .push(Evidence::probe(format!("it is {holds}")).check(format!("ls -la {}", case.quoted(&obstacle.at))));
        finding.fixes = fix(case, suspect, &obstacle.at, entries).into_iter().collect();
        Some(Verdict::Found(Box::new(finding)))
    })
}

/// A command that reads was given the wrong path, and the directory is to stay, unless nobody has put anything into it.
fn fix(case: &Case, suspect: &Suspect, at: &Path, entries: Option<usize>) -> Option<Fix> {
    let operation = suspect.clue.and_then(|index| case.clues[index].operation);
    if case.surroundings().cwd.starts_with(at) || refused::must_stay(case, at) {
        return None;
    }
    if entries == Some(0) {
        return Some(Fix::now(format!("rmdir {}", case.quoted(at)), "removes it, if it was made by mistake"));
    }
    let command = refused::moved_aside(case, at).filter(|_| operation.is_none_or(Operation::takes_space));
    command.map(|command| Fix::now(command, "makes room for the file, if one belongs there"))
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";

    #[test]
    fn an_empty_directory_is_removed_with_rmdir() {
        let mut stage = Stage::new(TABLE);
        stage.directory("/srv/app.conf").names("/srv/app.conf", &[]).clue(
            Errno::EISDIR,
            Operation::Read,
            "/srv/app.conf",
        );
        let finding = stage.finding(&CAUSE, "/srv/app.conf");
        assert_eq!(finding.headline, "/srv/app.conf is an empty directory, not a file");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("rmdir /srv/app.conf"));
    }

    #[test]
    fn that_a_directory_could_not_be_made_is_not_that_it_is_there() {
        let mut stage = Stage::new(TABLE);
        stage.directory("/srv/app").names("/srv/app", &[]).add(|clue| {
            (clue.path, clue.operation) = (Some("/srv/app".into()), Some(Operation::Create));
            (clue.line, clue.suspects) = ("failed to create /srv/app directory".into(), vec![ID.into()]);
        });
        stage.assert_silent(&CAUSE);
        stage.clues[0].line = "failed to create /srv/app".into();
        assert_eq!(stage.found(&CAUSE), ["/srv/app"]);
    }

    #[test]
    fn a_directory_that_was_to_be_read_stays() {
        let mut stage = Stage::new(TABLE);
        stage.names("/srv", &["data"]).directory("/srv").clue(Errno::EISDIR, Operation::Read, "/srv");
        assert_eq!(stage.finding(&CAUSE, "/srv").fixes, []);
    }

    #[test]
    fn a_directory_is_refused_where_it_was_to_be_executed_and_for_nothing_else() {
        let found = |operation| {
            let mut stage = Stage::new(TABLE);
            stage.names("/srv", &["data"]).directory("/srv").clue(Errno::EACCES, operation, "/srv");
            stage.found(&CAUSE)
        };
        assert_eq!([Operation::Execute, Operation::Read].map(found), [vec!["/srv".to_owned()], vec![]]);
    }

    #[test]
    fn a_file_is_silence() {
        let mut stage = Stage::new(TABLE);
        stage.stat("/srv", Kind::Regular, |stat| stat.uid = 1000);
        stage.clue(Errno::EISDIR, Operation::Write, "/srv").assert_silent(&CAUSE);
    }
}
