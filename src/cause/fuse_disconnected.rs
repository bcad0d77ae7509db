//! The program behind a FUSE mount has ended and the mount is still there: ENOTCONN, "Transport endpoint is not connected", fuse(4).

use super::setting::{self, Wrong};
use super::{Case, Cause, Confidence, Fix, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::machine::Unknown;
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

const ID: &str = "fuse-disconnected";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/fuse-disconnected.md"),
    suspects,
    covers: &["missing-path", "permission-denied"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let spoken =
        setting::suspects(case, ID, says_so, |case, clue| Subject::Path(point(case, clue).unwrap_or_default()));
    let is_elsewhere = |suspect: &Suspect| !suspect.subject.path().is_some_and(|point| is_fuse(case, point));
    let elsewhere = spoken.iter().find(|suspect| is_elsewhere(suspect)).into_iter().flat_map(|suspect| {
        let mounts = case.mounts.0.iter().filter(|mount| mount.fstype.starts_with("fuse"));
        mounts.map(|mount| Suspect { subject: Subject::Path(mount.point.clone()), touched: false, ..suspect.clone() })
    });
    let elsewhere: Vec<Suspect> = elsewhere.collect();
    spoken.into_iter().filter(|suspect| !is_elsewhere(suspect)).chain(elsewhere).collect()
}

fn is_fuse(case: &Case, point: &Path) -> bool {
    case.mounts.at(point).is_some_and(|mount| mount.fstype.starts_with("fuse"))
}

/// The errno, or a message without one about a path on a mount of this kind: the mount answers for itself.
fn says_so(case: &Case, clue: &Clue) -> bool {
    match clue.errno {
        Some(errno) => errno == Errno::ENOTCONN && clue.path.is_some(),
        None => point(case, clue).is_some_and(|point| is_fuse(case, &point)),
    }
}

/// The mount point by the path's text: a mount that answers nothing is not walked into.
fn point(case: &Case, clue: &Clue) -> Option<PathBuf> {
    let path = case.surroundings().cwd.join(clue.path.as_ref()?);
    Some(case.mounts.holding(&path).map_or(path, |mount| mount.point.clone()))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(path) = suspect.subject.path() else { return Verdict::Unknown("no mount is named".into()) };
    let shown = path.display();
    let is_gone = is_fuse(case, path) && case.machine.stat(path) == Err(Unknown::Errno(Errno::ENOTCONN));
    let wrong = is_gone.then(|| Wrong {
        headline: format!("the program behind {shown} has ended"),
        fact: format!("{shown} is mounted and answers \"Transport endpoint is not connected\": the program that serves it has ended"),
        check: format!("stat {}", case.quoted(path)),
        fixes: vec![Fix::now(format!("fusermount3 -u {}", case.quoted(path)), "then mount it again")],
    });
    let mut verdict =
        setting::verdict(case, wrong, &format!("{shown} answers"), &format!("the program behind {shown} had ended"));
    // A name that is relative to where the command went may be on it.
    if let Verdict::Found(finding) = &mut verdict
        && !suspect.touched
    {
        finding.confidence = finding.confidence.min(Confidence::Likely);
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::{Kind, Stat};

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n40 21 0:50 / /mnt/s rw - fuse.sshfs host:/ rw\n";

    #[test]
    fn a_mount_whose_program_has_ended_is_verified() {
        let mut stage = Stage::new(TABLE);
        stage.knows("stat /mnt/s", Err::<Stat, _>(Unknown::Errno(Errno::ENOTCONN)));
        let finding = stage.clue(Errno::ENOTCONN, Operation::Read, "/mnt/s/a/b").finding(&CAUSE, "/mnt/s");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("fusermount3 -u /mnt/s"));
    }

    #[test]
    fn a_mount_that_answers_is_silence() {
        let mut stage = Stage::new(TABLE);
        stage.stat("/mnt/s", Kind::Directory, |_| {});
        stage.clue(Errno::ENOTCONN, Operation::Read, "/mnt/s/a/b").assert_silent(&CAUSE);
    }
}
