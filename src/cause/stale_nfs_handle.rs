//! A file or directory on a network filesystem was removed or exported anew on the server: ESTALE, nfs(5).

use super::setting::{self, Wrong};
use super::{Case, Cause, Fix, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::command_line;
use crate::machine::Unknown;
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

const ID: &str = "stale-nfs-handle";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/stale-nfs-handle.md"),
    suspects,
    covers: &["missing-path"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    setting::suspects(case, ID, says_so, |case, clue| {
        let path = clue.path.clone().or_else(|| of_command(case)).unwrap_or_default();
        Subject::Path(case.surroundings().cwd.join(path))
    })
}

/// The path of the command line that answers so; else it may be the working directory.
fn of_command(case: &Case) -> Option<PathBuf> {
    let paths = command_line::paths_of(case.command).filter(|path| path.as_os_str().as_encoded_bytes().contains(&b'/'));
    paths.map(|path| case.surroundings().cwd.join(path)).find(|path| is_stale(case, path))
}

fn is_stale(case: &Case, path: &Path) -> bool {
    case.machine.stat(path) == Err(Unknown::Errno(Errno::ESTALE))
}

/// The errno, or a message without one about a path that answers so.
fn says_so(case: &Case, clue: &Clue) -> bool {
    let answers_so = |path: &PathBuf| is_stale(case, &case.surroundings().cwd.join(path));
    clue.errno.map_or_else(|| clue.path.as_ref().is_some_and(answers_so), |errno| errno == Errno::ESTALE)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(path) = suspect.subject.path() else { return Verdict::Unknown("no path is named".into()) };
    let shown = path.display();
    let wrong = is_stale(case, path).then(|| {
        let point = case.mounts.holding(path).map(|mount| case.quoted(&mount.point)).unwrap_or_default();
        Wrong {
            headline: format!("the server no longer knows {shown}"),
            fact: format!("{shown} answers \"Stale file handle\": it was removed or exported anew on the server"),
            check: format!("stat {}", case.quoted(path)),
            fixes: vec![
                Fix::now("cd /", "leave the directory and enter it again, where it is the working directory"),
                Fix::now(case.as_root(&format!("umount -l {point} && mount {point}")), "mounts it anew"),
            ],
        }
    });
    setting::verdict(case, wrong, &format!("{shown} answers"), &format!("the server no longer knew {shown}"))
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::{Kind, Stat};

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n40 21 0:50 / /mnt/nfs rw - nfs4 server:/x rw\n";

    #[test]
    fn a_path_that_answers_so_still_is_verified() {
        let mut stage = Stage::new(TABLE);
        stage.knows("stat /mnt/nfs/a", Err::<Stat, _>(Unknown::Errno(Errno::ESTALE)));
        let finding = stage.clue(Errno::ESTALE, Operation::Read, "/mnt/nfs/a").finding(&CAUSE, "/mnt/nfs/a");
        assert!(
            finding.fixes[1].command.as_deref().is_some_and(|command| command.contains("mount /mnt/nfs")),
            "{finding:?}"
        );
    }

    #[test]
    fn a_message_without_a_reason_is_about_a_path_that_answers_so() {
        let mut stage = Stage::new(TABLE);
        stage.knows("stat /mnt/nfs/a", Err::<Stat, _>(Unknown::Errno(Errno::ESTALE)));
        stage.add(|clue| (clue.operation, clue.path) = (Some(Operation::Read), Some("/mnt/nfs/a".into())));
        stage.finding(&CAUSE, "/mnt/nfs/a");
    }

    #[test]
    fn a_path_that_answers_again_is_silence() {
        let mut stage = Stage::new(TABLE);
        stage.stat("/mnt/nfs/a", Kind::Regular, |_| {});
        stage.clue(Errno::ESTALE, Operation::Read, "/mnt/nfs/a").assert_silent(&CAUSE);
    }
}
