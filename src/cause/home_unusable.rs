//! The home directory cannot be used: `HOME` is unset, names a directory that is missing, or one that the user may not write to.

use super::setting::{self, Wrong};
use super::{Case, Cause, Fix, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::machine::Kind;
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

const ID: &str = "home-unusable";
/// Sets the variable to what passwd(5), or what stands in its place, has for the user.
const HOME_OF_DATABASE: &str = "export HOME=\"$(getent passwd \"$(id -u)\" | cut -d: -f6)\"";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/home-unusable.md"),
    suspects,
    covers: &["missing-path", "not-a-directory", "permission-denied"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    setting::suspects(case, ID, lies_there, |case, _| home(case).map_or(Subject::Name("-".into()), Subject::Path))
}

/// Whether a message is about something below a home that may not be there, or about entering or making the home itself that the
/// command line does not name.
fn lies_there(case: &Case, clue: &Clue) -> bool {
    // The state decides where a program tells no errno: what lies in an unusable directory cannot be made.
    let is_refusal = matches!(clue.errno, None | Some(Errno::ENOENT | Errno::EACCES | Errno::ENOTDIR | Errno::EROFS));
    let is_entered = matches!(clue.operation, Some(Operation::Chdir | Operation::Mkdir));
    let is_told = |path: &Path| command_line::is_told(case.command, &case.surroundings().cwd, path, path);
    let lies_there = |home: PathBuf| {
        let Some(path) = &clue.path else { return false };
        let is_below = path.starts_with(&home) && *path != home;
        is_below || (is_entered && *path == home || is_first_missing_of(case, &home, path)) && !is_told(path)
    };
    // Programs are found by PATH, whatever HOME is.
    is_refusal && clue.operation != Some(Operation::Execute) && home(case).is_some_and(lies_there)
}

/// Whether a path is what would have to be made first for a home that is missing.
fn is_first_missing_of(case: &Case, home: &Path, path: &Path) -> bool {
    home != path && home.starts_with(path) && case.machine.stat(path).is_err_and(|unknown| unknown.is_missing())
}

/// What HOME names; none where it is unset or empty. `/` is nobody's home, and everything lies below it.
fn home(case: &Case) -> Option<PathBuf> {
    case.surroundings().var("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(home) = home(case) else { return setting::verdict(case, Some(unset(case)), "", "") };
    let shown = home.display();
    if is_told(case, suspect, &home) {
        return Verdict::RuledOut("the command line names the path itself".to_owned());
    }
    let wrong = setting::unusable(case, suspect, &home).map(|why| Wrong {
        headline: format!("the home directory {shown} cannot be used"),
        fact: format!("HOME={shown} takes no files: {why}"),
        check: format!("ls -ld {}", case.quoted(&home)),
        fixes: fixes(case, &home),
    });
    let verdict =
        setting::verdict(case, wrong, &format!("files can be made in {shown}"), "the home directory was unusable");
    if suspect.clue.is_some_and(|index| is_vague(&case.clues[index])) { setting::less_sure(verdict) } else { verdict }
}

/// Whether a message names no path, and others are likelier to be behind it than a home.
fn is_vague(clue: &Clue) -> bool {
    clue.vague || clue.path.is_none() && clue.suspects.first().is_none_or(|first| first != ID)
}

/// Whether the command line names what the message is about, in a home that is there: then HOME has no part in it. One that is missing was
/// hardly typed.
fn is_told(case: &Case, suspect: &Suspect, home: &Path) -> bool {
    let path = suspect.clue.and_then(|index| case.clues[index].path.as_deref());
    let is_told = path.is_some_and(|path| command_line::is_told(case.command, &case.surroundings().cwd, home, path));
    is_told && case.machine.stat(home).is_ok()
}

fn unset(case: &Case) -> Wrong {
    let fact = if case.surroundings().var("HOME").is_some() { "HOME is empty" } else { "HOME is not set" };
    Wrong {
        headline: fact.to_owned(),
        fact: format!("{fact}, and the command looks for its files there"),
        check: "env | grep ^HOME=".to_owned(),
        fixes: vec![Fix::now(HOME_OF_DATABASE, "the home of the user database")],
    }
}

fn fixes(case: &Case, home: &Path) -> Vec<Fix> {
    let identity = &case.surroundings().identity;
    let login = case.machine.login(&identity.uid.to_string()).ok();
    let mut fixes = Vec::new();
    if login.is_none_or(|login| login.home != home) {
        fixes.push(Fix::now(HOME_OF_DATABASE, "where the variable is another user's"));
    }
    // Of one that is there, this would change the owner.
    if case.machine.stat(home).is_err_and(|error| error.is_missing()) {
        let make = format!("install -d -o {} -g {} {}", identity.uid, identity.gid, case.quoted(home));
        fixes.push(Fix::now(case.as_root(&make), "where the directory was never made"));
    }
    if fixes.is_empty() {
        fixes.extend(for_own_home(case, home));
    }
    fixes
}

/// What helps where the user's own home is there and takes nothing: another directory, and its owner where it is somebody else's.
fn for_own_home(case: &Case, home: &Path) -> Vec<Fix> {
    let identity = &case.surroundings().identity;
    let mut fixes = vec![Fix::now("export HOME=\"$(mktemp -d)\"", "an empty home, for this shell")];
    let is_foreign = case.machine.stat(home).is_ok_and(|stat| stat.uid != identity.uid && stat.kind == Kind::Directory);
    let is_a_person_s = home.components().count() > 2 && identity.uid != 0;
    if is_foreign && is_a_person_s {
        let give = format!("chown {}:{} {}", identity.uid, identity.gid, case.quoted(home));
        let fix = Fix::now(case.as_root(&give), "where the directory is meant to be this user's");
        fixes.push(Fix { lasting: true, ..fix });
    }
    fixes
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::cause::Confidence;
    use crate::machine::Kind;
    use crate::text::Bytes;

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n";

    fn stage(home: Option<&str>) -> Stage {
        let mut stage = Stage::new(TABLE).by_root();
        let home = home.map(|home| ("HOME".to_owned(), Bytes(home.into())));
        stage.surroundings.env.extend(home);
        stage.missing("/home/u/explain").missing("/nonexistent");
        stage
    }

    #[test]
    fn a_home_that_is_missing_is_told() {
        let mut stage = stage(Some("/nonexistent"));
        let finding =
            stage.clue(Errno::ENOENT, Operation::Mkdir, "/nonexistent/.cache").finding(&CAUSE, "/nonexistent");
        assert_eq!(finding.confidence, Confidence::Verified);
    }

    #[test]
    fn a_home_that_could_not_be_entered_is_told_unless_the_command_line_names_it() {
        let mut stage = stage(Some("/nonexistent"));
        stage.clue(Errno::ENOENT, Operation::Chdir, "/nonexistent");
        stage.command = ["sh", "-c", "cd"].map(Into::into).to_vec();
        assert_eq!(stage.found(&CAUSE), ["/nonexistent"]);
        stage.command = ["env", "-C", "/nonexistent", "ls"].map(Into::into).to_vec();
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_home_whose_parent_could_not_be_made_is_told() {
        let mut stage = Stage::new(TABLE);
        stage.surroundings.env.insert("HOME".into(), Bytes("/nonexistent/h".into()));
        stage.missing("/nonexistent").missing("/nonexistent/h").stat("/", Kind::Directory, |stat| stat.uid = 0);
        let finding = stage.clue(Errno::EACCES, Operation::Mkdir, "/nonexistent").finding(&CAUSE, "/nonexistent/h");
        assert_eq!(finding.confidence, Confidence::Verified);
        stage.command = ["mkdir", "/nonexistent"].map(Into::into).to_vec();
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn an_unset_variable_is_told_where_a_message_suspects_it() {
        let mut stage = stage(None);
        stage.add(|clue| clue.suspects = vec![ID.to_owned()]);
        let verdicts = stage.verdicts(&CAUSE);
        assert!(
            matches!(&verdicts[0].1, Verdict::Found(finding) if finding.headline == "HOME is not set"),
            "{verdicts:?}"
        );
    }

    #[test]
    fn a_missing_file_in_a_home_that_takes_none_is_no_fault_of_the_home() {
        let mut stage = Stage::new(TABLE);
        stage.surroundings.env.insert("HOME".into(), Bytes("/usr/sbin".into()));
        stage.directory("/usr").directory("/usr/sbin").missing("/usr/sbin/explain").missing("/usr/sbin/nope");
        stage.clue(Errno::ENOENT, Operation::Read, "/usr/sbin/nope").assert_silent(&CAUSE);
    }

    #[test]
    fn a_home_that_is_there_is_not_given_to_another_user() {
        let mut stage = Stage::new(TABLE);
        stage.surroundings.env.insert("HOME".into(), Bytes("/root".into()));
        stage.stat("/root", Kind::Directory, |stat| (stat.mode, stat.uid) = (0o700, 0));
        let finding = stage.clue(Errno::EACCES, Operation::Create, "/root/.gitconfig").finding(&CAUSE, "/root");
        assert!(finding.fixes.iter().all(|fix| fix.command.as_deref() == Some(HOME_OF_DATABASE)), "{finding:?}");
    }

    #[test]
    fn a_home_that_takes_files_is_silence() {
        stage(Some("/home/u")).clue(Errno::ENOENT, Operation::Read, "/home/u/x").assert_silent(&CAUSE);
    }
}
