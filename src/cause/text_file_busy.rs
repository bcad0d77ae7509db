//! ETXTBSY: a program that is being executed cannot be written to, and a file that is open for writing cannot be executed, execve(2).

use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, holder};
use crate::clue::{Operation, may_end_with};
use crate::command_line;
use crate::machine::{Program, Use, User};
use crate::outcome::Outcome;
use crate::probe::holders::is_open_for_writing;
use crate::probe::programs::has_execute_bit;
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

const ID: &str = "text-file-busy";

/// Files of a command line whose users are asked for, each with a look at all processes.
const CANDIDATES: usize = 4;

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/text-file-busy.md"), suspects, covers: &["busy"], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let spoken = case.clues.iter().enumerate();
    let spoken = spoken.filter(|(_, clue)| clue.suspects(ID) || clue.errno == Some(Errno::ETXTBSY));
    let named = spoken.flat_map(|(index, clue)| match &clue.path {
        Some(path) => file(case, path).map(|file| suspect(file, Some(index), true)).into_iter().collect(),
        None => of_command(case, Some(index)),
    });
    let unheard = case.clues.is_empty() && case.outcome == &Outcome::Exited { code: 126 };
    named.chain(if unheard { started(case) } else { Vec::new() }).collect()
}

/// What the command line starts, of which nobody heard anything: that alone can have ended with 126. A script that chooses its status
/// itself starts nothing at its end.
fn started(case: &Case) -> Vec<Suspect> {
    let mut suspects = of_command(case, None);
    suspects.retain(|suspect| suspect.subject.path().is_some_and(|file| may_end_with(case.command, file)));
    suspects
}

/// What the command line names with a slash or in a script, where the words name nothing.
fn of_command(case: &Case, clue: Option<usize>) -> Vec<Suspect> {
    let files = command_line::paths_of(case.command).filter_map(|path| file(case, path));
    files.take(CANDIDATES).map(|file| suspect(file, clue, false)).collect()
}

fn file(case: &Case, path: &Path) -> Option<PathBuf> {
    case.resolve(path).filter(|found| found.missing.as_os_str().is_empty()).map(|found| found.existing)
}

fn suspect(file: PathBuf, clue: Option<usize>, touched: bool) -> Suspect {
    Suspect { subject: Subject::Path(file), clue, touched }
}

/// Which of the two sides keeps the other out.
#[derive(Clone, Copy)]
enum Side {
    Executes,
    Writes,
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(path) = suspect.subject.path() else { return Verdict::Unknown("no file is named".into()) };
    if !suspect.touched && has_execute_bit(case.machine, path) != Some(true) {
        return Verdict::RuledOut(format!("{} is no program", path.display()));
    }
    let users = match case.machine.users_of(path) {
        Ok(users) => users,
        Err(unknown) => return Verdict::Unknown(unknown.to_string()),
    };
    let met = |user: &User| {
        let side = side(case, user).filter(|side| refuses(case, suspect, *side))?;
        Some((user.program.clone(), side))
    };
    match users.processes.iter().find_map(met) {
        Some((program, side)) => {
            if let Some(later) = holder::came_later(case, &program) {
                return Verdict::RuledOut(later);
            }
            let finding = found(case, path, &program, side);
            // What only the command line names is in use, and may not be what the words are about.
            let confidence = if suspect.touched { holder::most_sure(case) } else { Confidence::Likely };
            Verdict::Found(Box::new(Finding { confidence, ..finding }))
        }
        None if case.mode == Mode::Log => Verdict::Found(Box::new(said(path))),
        None => match crate::probe::holders::unseen(&users.coverage) {
            None => Verdict::RuledOut("no process executes it or has it open for writing now".into()),
            Some(why) => Verdict::Unknown(why),
        },
    }
}

/// Whether it is the side that keeps the failed work out. Of a message without the errno it is known by what was tried: another writer
/// keeps nobody from writing.
fn refuses(case: &Case, suspect: &Suspect, side: Side) -> bool {
    let clue = suspect.clue.map(|index| &case.clues[index]);
    let Some(clue) = clue else { return matches!(side, Side::Writes) };
    match (clue.errno, side) {
        (None, Side::Writes) => clue.operation == Some(Operation::Execute),
        (None, Side::Executes) => matches!(clue.operation, Some(Operation::Write | Operation::Create)),
        (Some(_), _) => true,
    }
}

fn side(case: &Case, user: &User) -> Option<Side> {
    user.uses.iter().find_map(|usage| match usage {
        Use::Program => Some(Side::Executes),
        Use::Open(descriptor) if is_open_for_writing(case.machine, user.program.pid, *descriptor) => Some(Side::Writes),
        _ => None,
    })
}

fn found(case: &Case, path: &Path, program: &Program, side: Side) -> Finding {
    let (who, shown) = (holder::named(program), path.display());
    let (does, consequence) = match side {
        Side::Executes => ("is executing it", "nobody can write to it"),
        Side::Writes => ("has it open for writing", "nobody can execute it"),
    };
    let fact = format!("{who}, started {} ago, {does}", crate::probe::holders::duration(program.age));
    Finding {
        confidence: Confidence::Verified,
        seen: Some(Seen::Now),
        headline: format!("{shown} is in use: {who} {does}"),
        summary: format!("{who} {does}, so {consequence}."),
        evidence: vec![Evidence::probe(fact).check(case.as_root(&format!("fuser -v {}", case.quoted(path))))],
        fixes: fixes(case, path, program, side),
    }
}

fn fixes(case: &Case, path: &Path, program: &Program, side: Side) -> Vec<Fix> {
    match side {
        Side::Writes => holder::fixes(case, program, "wait until it has written it, then run the command again"),
        Side::Executes => {
            let quoted = case.quoted(path);
            let replace = format!("mv NEW {quoted}");
            let mut fixes =
                vec![Fix::now(replace, "a new file that is moved there is allowed; the process keeps the old one")];
            fixes.extend(holder::stop(case, program));
            fixes
        }
    }
}

fn said(path: &Path) -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("{} may have been in use", path.display()),
        summary: format!(
            "The output says that {} was busy; no process executes it or writes to it now.",
            path.display()
        ),
        evidence: vec![Evidence::probe(format!(
            "no process executes {} or has it open for writing now",
            path.display()
        ))],
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::{Coverage, Kind, Users};

    fn stage(uses: Vec<Use>, unreadable: u64) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw - ext4 /dev/vda rw\n");
        let program = Program { pid: 4711, uid: 1000, command: "server".into(), age: 60, ancestor: false };
        let held = |uses| User { program, uses, path: "/srv/server".into() };
        let processes = (!uses.is_empty()).then_some(uses).map(held).into_iter().collect();
        let coverage = Coverage { unreadable, ..Coverage::default() };
        stage
            .directory("/srv")
            .stat("/srv/server", Kind::Regular, |_| {})
            .knows("users /srv/server", Ok(Users { processes, kernel: Vec::new(), coverage }));
        stage.clue(Errno::ETXTBSY, Operation::Create, "/srv/server");
        stage
    }

    #[test]
    fn the_process_that_executes_it_is_named() {
        let finding = stage(vec![Use::Program], 0).finding(&CAUSE, "/srv/server");
        assert_eq!(finding.headline, "/srv/server is in use: server (pid 4711) is executing it");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("mv NEW /srv/server"));
    }

    #[test]
    fn the_process_that_writes_it_is_named() {
        let mut stage = stage(vec![Use::Open(3)], 0);
        stage.file("/proc/4711/fdinfo/3", "pos:\t0\nflags:\t0100001\n");
        assert!(stage.finding(&CAUSE, "/srv/server").headline.ends_with("has it open for writing"));
    }

    #[test]
    fn a_reader_is_silence() {
        let mut stage = stage(vec![Use::Open(3)], 0);
        stage.file("/proc/4711/fdinfo/3", "pos:\t0\nflags:\t0100000\n").assert_silent(&CAUSE);
    }

    #[test]
    fn a_script_that_chooses_the_status_of_a_refused_start_starts_nothing() {
        let mut stage = stage(vec![Use::Open(3)], 0);
        stage.file("/proc/4711/fdinfo/3", "pos:\t0\nflags:\t0100001\n");
        stage.clues.clear();
        stage.outcome = Outcome::Exited { code: 126 };
        stage.stat("/srv/server", Kind::Regular, |stat| stat.mode = 0o100_755);
        let found = |stage: &mut Stage, script: &str| {
            stage.command = ["sh", "-c", script].map(Into::into).into();
            stage.found(&CAUSE)
        };
        assert_eq!(found(&mut stage, "/srv/server 2>&-"), ["/srv/server"]);
        assert_eq!(found(&mut stage, "ls /srv/server; exit 126"), [""; 0]);
    }

    #[test]
    fn a_file_that_nobody_has_is_silence() {
        stage(vec![], 0).assert_silent(&CAUSE);
        stage(vec![], 5).assert_silent(&CAUSE);
    }
}
