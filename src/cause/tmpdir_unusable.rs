//! The directory for temporary files cannot take any: `TMPDIR` (environ(7)) names one that is missing, no directory or closed to
//! the user. Programs report the file that they could not make, or nothing.

use super::setting::{self, Wrong};
use super::{Case, Cause, Fix, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::command_line;
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

const ID: &str = "tmpdir-unusable";
/// Variables of environ(7) and of other systems, in the order in which most programs ask them.
const OF_ALL: [&str; 3] = ["TMPDIR", "TMP", "TEMP"];
/// Variables of single programs (`go help environment`), which count where a message is about a file in their directory.
const OF_PROGRAMS: [&str; 1] = ["GOTMPDIR"];

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/tmpdir-unusable.md"),
    suspects,
    covers: &["missing-path", "not-a-directory", "permission-denied", "read-only-filesystem"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    setting::suspects(case, ID, lies_there, |case, _| Subject::Path(directory(case).1))
}

/// Whether a message is about a file that a variable puts there. What the command line names, it was told to use, and is no temporary file.
fn lies_there(case: &Case, clue: &Clue) -> bool {
    // The state decides where a program tells no errno: what lies in an unusable directory cannot be made.
    let is_refusal = matches!(clue.errno, None | Some(Errno::ENOENT | Errno::EACCES | Errno::ENOTDIR | Errno::EROFS));
    let (variable, directory) = directory(case);
    let absolute = |path: &Path| case.surroundings().cwd.join(path);
    let is_told = |path: &Path| command_line::is_told(case.command, &case.surroundings().cwd, &directory, path);
    let lies_there = |path: &PathBuf| absolute(path).starts_with(&directory) && !is_told(path);
    is_refusal && variable.is_some() && clue.path.as_ref().is_some_and(lies_there)
}

/// The directory, and the variable that names it; `/tmp` where none does.
fn directory(case: &Case) -> (Option<&'static str>, PathBuf) {
    let surroundings = case.surroundings();
    let value = |name: &'static str| surroundings.var(name).filter(|value| !value.is_empty());
    let named = |name| Some((name, surroundings.cwd.join(value(name)?)));
    let is_used = |(_, directory): &(_, PathBuf)| {
        case.clues.iter().filter_map(|clue| clue.path.as_ref()).any(|path| path.starts_with(directory))
    };
    let of_program = OF_PROGRAMS.into_iter().filter_map(named).find(is_used);
    let found = of_program.or_else(|| OF_ALL.into_iter().find_map(named));
    found.map_or((None, "/tmp".into()), |(name, directory)| (Some(name), directory))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let (variable, directory) = directory(case);
    let shown = directory.display();
    let named = variable.map_or_else(|| shown.to_string(), |variable| format!("{variable}={shown}"));
    let wrong = setting::unusable(case, suspect, &directory).map(|why| Wrong {
        headline: format!("no temporary file can be made in {shown}"),
        fact: format!("{named} takes no temporary files: {why}"),
        check: format!("mktemp -p {}", case.quoted(&directory)),
        fixes: fixes(case, variable, &directory),
    });
    setting::verdict(
        case,
        wrong,
        &format!("temporary files can be made in {shown}"),
        "the directory for temporary files was unusable",
    )
}

fn fixes(case: &Case, variable: Option<&str>, directory: &std::path::Path) -> Vec<Fix> {
    let path = case.quoted(directory);
    let is_missing = case.machine.stat(directory).is_err_and(|unknown| unknown.is_missing());
    match variable {
        Some(variable) => {
            let unset = Fix::now(format!("unset {variable}"), "programs use /tmp then");
            let make = is_missing.then(|| Fix::now(format!("mkdir -p {path}"), "makes the directory"));
            [unset].into_iter().chain(make).collect()
        }
        None => vec![Fix::now(case.as_root(&format!("install -d -m 1777 {path}")), "makes it as every system has it")],
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::cause::Confidence;
    use crate::clue::Operation;
    use crate::text::Bytes;

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n";

    fn stage(tmpdir: &str) -> Stage {
        let mut stage = Stage::new(TABLE).by_root();
        stage.surroundings.env.insert("TMPDIR".into(), Bytes(tmpdir.into()));
        stage.directory("/scratch").missing("/scratch/explain").missing("/gone");
        stage
    }

    #[test]
    fn a_variable_that_names_a_missing_directory_is_told() {
        let mut stage = stage("/gone");
        let finding = stage.clue(Errno::ENOENT, Operation::Create, "/gone/cc1.s").finding(&CAUSE, "/gone");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.summary.starts_with("TMPDIR=/gone takes no temporary files"), "{finding:?}");
    }

    #[test]
    fn a_file_that_the_command_line_names_is_no_temporary_one() {
        let mut stage = stage("/gone");
        stage.command = ["tar", "cf", "/gone/x.tar", "a"].map(Into::into).into();
        stage.clue(Errno::ENOENT, Operation::Create, "/gone/x.tar").assert_silent(&CAUSE);
    }

    #[test]
    fn the_variable_of_a_program_is_told_where_the_file_lies_in_its_directory() {
        for (path, expected) in [("/gone", Some("GOTMPDIR=/gone takes")), ("/scratch/a", None)] {
            let mut stage = stage("/scratch");
            stage.surroundings.env.insert("GOTMPDIR".into(), Bytes("/gone".into()));
            stage.clue(Errno::ENOENT, Operation::Stat, path);
            match expected {
                Some(words) => assert!(stage.finding(&CAUSE, "/gone").summary.starts_with(words)),
                None => stage.assert_silent(&CAUSE),
            }
        }
    }

    #[test]
    fn a_directory_that_takes_files_is_silence() {
        stage("/scratch").clue(Errno::ENOENT, Operation::Create, "/scratch/a/b").assert_silent(&CAUSE);
    }

    #[test]
    fn a_file_elsewhere_is_silence() {
        stage("/gone").clue(Errno::ENOENT, Operation::Create, "/home/u/x").assert_silent(&CAUSE);
    }
}
