//! The working directory was removed while the shell was in it: it has no name, and every relative path fails (ENOENT).

use super::refused;
use super::{Case, Cause, Evidence, Fix, Mode, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::sys::errno::Errno;
use std::path::PathBuf;

const ID: &str = "deleted-working-directory";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/deleted-working-directory.md"),
    suspects,
    covers: &[],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let told = refused::messages(case).find(|(_, clue)| needs_it(clue) || is_on_its_way(case, clue));
    let said = told.filter(|(_, clue)| case.mode == Mode::Run || clue.suspects(ID));
    if said.is_none() && (case.mode == Mode::Log || !is_gone(case) || !case.clues.iter().all(|clue| clue.vague)) {
        return Vec::new();
    }
    let (clue, touched) = (said.map(|(index, _)| index), said.is_some());
    vec![Suspect { subject: Subject::Path(name(case)), clue, touched }]
}

/// Whether a message is of the kind that a missing working directory makes.
fn needs_it(clue: &Clue) -> bool {
    let line = clue.line.as_str();
    let says = ["getcwd", "uv_cwd", "current directory", "working directory"].iter().any(|word| line.contains(word));
    let is_relative = clue.path.as_ref().is_none_or(|path| path.is_relative());
    clue.suspects.first().is_some_and(|first| first == ID) || clue.errno == Some(Errno::ENOENT) && (says || is_relative)
}

/// Whether a message without a reason is about a relative path, of which none leads anywhere without the directory.
fn is_on_its_way(case: &Case, clue: &Clue) -> bool {
    let names_it = clue.path.as_ref().is_some_and(|path| path.is_relative());
    case.mode == Mode::Run && clue.errno.is_none() && names_it && is_gone(case)
}

fn is_gone(case: &Case) -> bool {
    let cwd = &case.surroundings().cwd;
    cwd.as_os_str().is_empty() || case.machine.stat(cwd).is_err_and(|unknown| unknown.is_missing())
}

/// What it was called, as far as anybody remembers.
fn name(case: &Case) -> PathBuf {
    let cwd = &case.surroundings().cwd;
    if cwd.as_os_str().is_empty() {
        case.surroundings().directory("PWD").unwrap_or_else(|| ".".into())
    } else {
        cwd.clone()
    }
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let name = name(case);
    let shown = name.display();
    if case.mode == Mode::Log {
        return refused::verdict(case, suspect, "may have been removed while a process was in it", |_, _| None);
    }
    if !is_gone(case) {
        return Verdict::RuledOut(format!("{shown} is there"));
    }
    let headline = format!("the working directory, {shown}, was removed");
    let summary = format!("The working directory, {shown}, has been removed: relative paths lead nowhere.");
    let mut finding = refused::found(case, suspect, headline, summary);
    finding.evidence.push(Evidence::probe("the kernel calls it deleted").check("readlink /proc/$$/cwd"));
    let is_back = name.is_absolute() && case.machine.stat(&name).is_ok();
    if is_back {
        finding.evidence.push(Evidence::probe(format!("another directory has the name {shown} now")));
        finding.fixes.push(Fix::now(format!("cd {}", case.quoted(&name)), "enters the new one"));
    } else {
        finding
            .fixes
            .push(Fix::now("cd", "leaves it for the home directory; then call the command again where its files are"));
    }
    Verdict::Found(Box::new(finding))
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";

    fn stage() -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.surroundings.cwd = PathBuf::new();
        stage.surroundings.env.insert("PWD".into(), crate::text::Bytes(b"/home/u/build".into()));
        stage
    }

    #[test]
    fn a_relative_path_in_a_removed_directory_is_explained() {
        let mut stage = stage();
        stage.missing("/home/u/build").clue(Errno::ENOENT, Operation::Create, "x");
        assert_eq!(stage.finding(&CAUSE, "/home/u/build").fixes[0].command.as_deref(), Some("cd"));
    }

    #[test]
    fn a_new_directory_of_the_name_is_entered() {
        let mut stage = stage();
        stage.directory("/home/u/build").clue(Errno::ENOENT, Operation::Chdir, "");
        assert_eq!(stage.finding(&CAUSE, "/home/u/build").fixes[0].command.as_deref(), Some("cd /home/u/build"));
    }

    #[test]
    fn a_working_directory_that_is_there_is_silence() {
        let mut stage = Stage::new(TABLE);
        stage.missing("/home/u/x").clue(Errno::ENOENT, Operation::Read, "x").assert_silent(&CAUSE);
    }

    #[test]
    fn a_relative_path_without_a_reason_is_explained_and_no_more_than_likely() {
        let of = |path: &str| {
            let mut stage = stage();
            stage.missing("/home/u/build").add(|clue| clue.path = Some(path.into()));
            stage
        };
        let finding = of("x.db").finding(&CAUSE, "/home/u/build");
        assert_eq!(finding.confidence, crate::cause::Confidence::Likely);
        of("/srv/x.db").assert_silent(&CAUSE);
    }

    #[test]
    fn an_absolute_path_has_nothing_to_do_with_it() {
        let mut stage = stage();
        stage.clue(Errno::EACCES, Operation::Read, "/etc/shadow").assert_silent(&CAUSE);
    }
}
