//! No directory of `PATH` has a command of this name. The shell has said so; what it does not say is that a near name is there,
//! that the command is in a directory which `PATH` lacks, or which package has it.

use super::exec::{self, is_plain_name, verified};
use super::spoken::tells_no_reason;
use super::starts;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Subject, Suspect, Verdict};
use crate::clue::{Clue, is_shell};
use crate::command_line;
use crate::machine::Unknown;
use crate::outcome::Outcome;
use crate::probe::programs::{
    Lookup, Offer, Refusal, Unfit, directories, has_execute_bit, lookup, near, obstacle, offering_command,
};
use crate::sys::errno::Errno;
use crate::text::shell_word;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

const ID: &str = "command-not-found";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/command-not-found.md"), suspects, covers: &[], check };

/// Words of bash and ksh that dash and other plain shells take for commands.
const OF_BASH: &[&str] =
    &["[[", "source", "declare", "typeset", "pushd", "popd", "shopt", "mapfile", "readarray", "function", "let"];

/// Directories that often hold commands and are often not in `PATH`; those below the home directory have none before them.
const ELSEWHERE: &[&str] = &[
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/usr/games",
    "/snap/bin",
    "/usr/local/go/bin",
    "/usr/lib/git-core",
    ".local/bin",
    ".cargo/bin",
    "go/bin",
    "bin",
    ".npm-global/bin",
];

fn suspects(case: &Case) -> Vec<Suspect> {
    let command = case.command.first().filter(|_| is_not_started(case)).cloned();
    let command = command.filter(|name| is_name(name)).map(|name| suspect(&name, None));
    let named = case.clues.iter().enumerate().filter(|(_, clue)| is_about(clue));
    let named = named.filter_map(|(index, clue)| name(clue).map(|name| suspect(&name, Some(index))));
    let started = starts::names(case).filter(|_| tells_no_reason(case)).map(|name| suspect(OsStr::new(name), None));
    command.into_iter().chain(named).chain(started).collect()
}

/// execvp(3) answers EACCES where it found nothing and a directory of `PATH` may not be searched.
fn is_not_started(case: &Case) -> bool {
    let Outcome::NotStarted { errno } = case.outcome else { return false };
    matches!(errno.as_str(), "ENOENT" | "EACCES")
}

fn suspect(name: &OsStr, clue: Option<usize>) -> Suspect {
    Suspect { subject: Subject::Name(name.to_string_lossy().into_owned()), clue, touched: true }
}

fn is_about(clue: &Clue) -> bool {
    let is_open = exec::is_start(clue) && matches!(clue.errno, None | Some(Errno::ENOENT | Errno::EACCES));
    clue.suspects(ID) || is_open && !exec::is_of_loader(clue)
}

fn name(clue: &Clue) -> Option<OsString> {
    let path = clue.path.as_ref().map(|path| path.as_os_str().to_owned());
    let name = path.or_else(|| clue.subject.clone().map(OsString::from)).filter(|name| is_name(name));
    // `make: getcwd: …` names a call where it names commands elsewhere.
    name.filter(|name| name != "getcwd")
}

/// Whether it is looked for in `PATH`: it has no slash. A byte order mark before it is the script's, and so is a carriage return behind it,
/// as `env` and bash show it.
fn is_name(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    !bytes.is_empty()
        && !bytes.starts_with("\u{feff}".as_bytes())
        && !bytes.ends_with(br"\r")
        && bytes.len() < 256
        && !bytes.iter().any(|byte| *byte == b'/' || byte.is_ascii_control() || *byte == b' ')
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let name = OsString::from(suspect.subject.to_string());
    match lookup(case.machine, &name) {
        Lookup::Nowhere if is_wanted_by_script(case, &name) => {
            Verdict::RuledOut("a script asks for it: missing-interpreter tells which".into())
        }
        Lookup::Nowhere if is_given_script(case, &name) => {
            Verdict::RuledOut("a shell was given it as its script, which is there".into())
        }
        Lookup::Nowhere if is_any_name(case, suspect, &name) => {
            Verdict::RuledOut("nothing tells that it is the name of a program".into())
        }
        Lookup::Nowhere => {
            let closed = closed(case, &name);
            if closed.is_empty() && is_refused(case, suspect) {
                return Verdict::RuledOut("no directory of PATH is closed".into());
            }
            Verdict::Found(Box::new(told(case, suspect, &name, &closed)))
        }
        Lookup::Found(file) => Verdict::RuledOut(format!("{} is in PATH now", file.display())),
        Lookup::Refused(file) => Verdict::RuledOut(format!("{} is in PATH and may not be executed", file.display())),
    }
}

/// Words before or behind the name of a program, and what may stand for it.
const OF_PROGRAMS: &[&str] = &["binary", "command", "executable", "program"];
const FOR_PROGRAMS: &[&str] = &["binary", "command", "executable", "program"];
/// Words of a line about the programs of a machine.
const OF_MACHINES: &[&str] =
    &["path", "on the system", "on this system", "on your system", "on the host", "on this host", "on this machine"];

/// Whether words alone, which are said of anything that is missing (`customer not found`), name what neither they nor the machine know as a
/// program.
fn is_any_name(case: &Case, suspect: &Suspect, name: &OsStr) -> bool {
    let Some(clue) = suspect.clue.map(|index| &case.clues[index]).filter(|clue| clue.loose) else { return false };
    let (line, name) = (clue.line.to_lowercase(), name.to_string_lossy().to_lowercase());
    if FOR_PROGRAMS.contains(&&*name) {
        return true;
    }
    let words: Vec<&str> = line
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_+.$".contains(letter)))
        .filter(|word| !word.is_empty())
        .collect();
    let places = (0..words.len()).filter(|at| words[*at] == name);
    let is_beside = |at: usize| {
        let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|at| words.get(at));
        beside.into_iter().any(|word| OF_PROGRAMS.contains(word))
    };
    let is_called_one = places.into_iter().any(is_beside) || OF_MACHINES.iter().any(|words| line.contains(words));
    !is_called_one
        && elsewhere(case, OsStr::new(&name)).is_empty()
        && offering_command(case.machine, OsStr::new(&name)).is_empty()
}

/// Whether the answer was EACCES and not that it is missing.
fn is_refused(case: &Case, suspect: &Suspect) -> bool {
    match suspect.clue {
        Some(index) => case.clues[index].errno == Some(Errno::EACCES),
        None => case.outcome == &Outcome::NotStarted { errno: "EACCES".into() },
    }
}

/// The directories of `PATH` that may not be searched: whether they have it is not known to whoever asked.
fn closed(case: &Case, name: &OsStr) -> Vec<PathBuf> {
    let is_closed =
        |directory: &PathBuf| case.machine.stat(&directory.join(name)) == Err(Unknown::Errno(Errno::EACCES));
    directories(case.machine).into_iter().filter(is_closed).collect()
}

/// Whether `env` looked for it because the first line of the command, or of a script that the command line names, says so.
fn is_wanted_by_script(case: &Case, name: &OsStr) -> bool {
    let has_slash = |path: &&Path| path.as_os_str().as_encoded_bytes().contains(&b'/');
    let command = case.command.first().map(Path::new);
    let scripts = command.into_iter().chain(command_line::paths_of(case.command).filter(has_slash));
    let asks = |file: PathBuf| match obstacle(case.machine, &file)?.refusal {
        Refusal::Interpreter(_, Unfit::NotInPath(wanted)) => Some(wanted),
        // As env shows it.
        Refusal::CarriageReturn(shebang) => Some(format!("{}\\r", shebang.argument?.to_string_lossy()).into()),
        _ => None,
    };
    scripts.filter_map(|script| asks(exec::file_of(case, script)?)).any(|wanted| wanted == name)
}

/// Whether it is the script that a shell was given: ksh says of one that it cannot open that it is not found.
fn is_given_script(case: &Case, name: &OsStr) -> bool {
    let [shell, operands @ ..] = command_line::launched(case.command) else { return false };
    let file = case.machine.surroundings().cwd.join(name);
    let is_there = || case.machine.read_link(&file).is_ok() || case.machine.stat(&file).is_ok();
    is_shell(shell) && operands.iter().any(|operand| operand == name) && is_there()
}

fn told(case: &Case, suspect: &Suspect, name: &OsStr, closed: &[PathBuf]) -> Finding {
    let shown = name.display();
    let confidence = confidence(case, suspect);
    let count = directories(case.machine).len();
    let is_bash = OF_BASH.iter().any(|word| OsStr::new(word) == name);
    let places = elsewhere(case, name);
    let open = count - closed.len();
    let which = if closed.is_empty() { "of PATH" } else { "of PATH that may be searched" };
    let searched = format!("none of the {open} directories {which} has a file named {shown}");
    let mut evidence =
        vec![Evidence::probe(searched).check(format!("command -v {}; echo \"$PATH\"", shell_word(name)))];
    evidence.extend(closed.iter().map(|directory| {
        let fact = format!("{} is in PATH, and this user may not search it", directory.display());
        Evidence::probe(fact).check(format!("namei -l {}", case.quoted(directory)))
    }));
    evidence.extend(is_bash.then(|| {
        Evidence::probe(format!("{shown} is a word of bash, and {} does not know it", speaker(case, suspect)))
    }));
    evidence.extend(
        places.iter().map(|file| Evidence::probe(format!("{} is there; PATH has not its directory", file.display()))),
    );
    let headline = if is_bash {
        format!("{shown} is a word of bash and no command")
    } else {
        format!("{shown} is in no directory {which}")
    };
    let summary = format!("No directory {which} has a command named {shown}.");
    let fixes = if is_bash { vec![bash()] } else { fixes(case, name, &places) };
    Finding { confidence, evidence, fixes, ..verified(headline, summary) }
}

/// A shell goes on behind a command that is not found: what it said last, or ended by, is what failed.
fn confidence(case: &Case, suspect: &Suspect) -> Confidence {
    let is_same = |later: &Clue| name(later).is_some_and(|name| name.to_string_lossy() == suspect.subject.to_string());
    let is_other = |later: &Clue| later.errno.is_some() && !is_same(later);
    let is_last = suspect.clue.is_none_or(|index| !case.clues[index + 1..].iter().any(is_other));
    match case.mode {
        Mode::Log => Confidence::Possible,
        // Nobody said which it was: a program's text starts it.
        Mode::Run if suspect.clue.is_none() && !is_not_started(case) => Confidence::Likely,
        Mode::Run if is_last || case.outcome == (&Outcome::Exited { code: 127 }) => Confidence::Verified,
        Mode::Run => Confidence::Likely,
    }
}

/// The shell that was asked.
fn speaker(case: &Case, suspect: &Suspect) -> String {
    let said = suspect.clue.and_then(|index| case.clues[index].program.clone());
    said.unwrap_or_else(|| "the shell that runs this".into())
}

fn bash() -> Fix {
    Fix::lasting("run the script with bash, and let its first line be #!/bin/bash")
}

/// Files of that name in directories that `PATH` lacks.
fn elsewhere(case: &Case, name: &OsStr) -> Vec<PathBuf> {
    if !is_plain_name(name) {
        return Vec::new();
    }
    let home = case.surroundings().directory("HOME").unwrap_or_else(|| "/root".into());
    let directories = ELSEWHERE.iter().map(|directory| home.join(directory));
    let cwd = &case.surroundings().cwd;
    let own = ["node_modules/.bin", "venv/bin", ".venv/bin", "bin"].map(|below| cwd.join(below));
    let files = directories.chain(own).chain([cwd.clone()]).map(|directory| directory.join(name));
    let mut files: Vec<PathBuf> = files.filter(|file| has_execute_bit(case.machine, file) == Some(true)).collect();
    files.dedup();
    files
}

fn fixes(case: &Case, name: &OsStr, places: &[PathBuf]) -> Vec<Fix> {
    let mut fixes: Vec<Fix> = places.iter().take(1).flat_map(|file| by_path(file)).collect();
    fixes.extend(offering_command(case.machine, name).iter().take(2).filter_map(|offer| install(case, name, offer)));
    let near = near(case.machine, name);
    fixes.extend(
        near.iter().filter_map(|file| Some(Fix::now(shell_word(file.file_name()?), "a near name that is there"))),
    );
    fixes
}

fn by_path(file: &Path) -> Vec<Fix> {
    let directory = shell_word(file.parent().unwrap_or(Path::new("/")));
    let export = format!("export PATH=\"$PATH\":{directory}");
    vec![
        Fix::now(shell_word(file), "runs it by its path"),
        Fix::lasting("in the shell's start-up file").command(export),
    ]
}

fn install(case: &Case, name: &OsStr, offer: &Offer) -> Option<Fix> {
    let fix = exec::install(case, &offer.package)?;
    let text = if offer.is_listed {
        format!("the package {} has {}", offer.package, name.display())
    } else {
        format!("a package of the name {} can be installed", offer.package)
    };
    Some(Fix { text, lasting: true, ..fix })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::stage::Stage;
    use crate::clue::Operation;
    use crate::machine::{Kind, NearName, Stat};
    use crate::text::Bytes;

    fn stage() -> Stage {
        let mut stage = Stage::new("22 1 8:1 / / rw - ext4 /dev/sda1 rw");
        stage.surroundings.env.insert("PATH".into(), Bytes(b"/usr/bin:/opt/none".to_vec()));
        stage.directory("/usr/bin").missing("/opt").missing("/usr/bin/dokcer");
        stage.clue(Errno::ENOENT, Operation::Execute, "dokcer");
        stage
    }

    fn found(stage: &Stage) -> Option<Finding> {
        stage.verdicts(&CAUSE).into_iter().find_map(|(_, verdict)| match verdict {
            Verdict::Found(finding) => Some(*finding),
            _ => None,
        })
    }

    #[test]
    fn a_near_name_is_offered() {
        let mut stage = stage();
        stage.knows("near-names dokcer /usr/bin", Ok(vec![NearName { name: "docker".into(), distance: 1 }]));
        stage.stat("/usr/bin/docker", Kind::Regular, |_| {});
        let finding = found(&stage).unwrap();
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Verified, "dokcer is in no directory of PATH")
        );
        assert_eq!(finding.fixes[0].command.as_deref(), Some("docker"));
    }

    #[test]
    fn a_directory_that_path_lacks_is_named_first() {
        let mut stage = stage();
        stage.stat("/usr/sbin/dokcer", Kind::Regular, |_| {}).directory("/usr/sbin");
        assert_eq!(found(&stage).unwrap().fixes[0].command.as_deref(), Some("/usr/sbin/dokcer"));
    }

    #[test]
    fn a_command_that_was_not_started_needs_no_message() {
        let mut stage = stage();
        stage.clues.clear();
        (stage.command, stage.outcome) = (vec!["dokcer".into()], Outcome::NotStarted { errno: "ENOENT".into() });
        assert!(found(&stage).is_some());
    }

    #[test]
    fn a_directory_that_may_not_be_searched_is_why_the_answer_is_eacces() {
        let mut stage = stage();
        stage.clues.clear();
        (stage.command, stage.outcome) = (vec!["dokcer".into()], Outcome::NotStarted { errno: "EACCES".into() });
        assert_eq!(found(&stage), None);
        stage.knows::<Stat>("stat /opt/none/dokcer", Err(Unknown::Errno(Errno::EACCES)));
        let finding = found(&stage).unwrap();
        assert_eq!(finding.evidence[1].text, "/opt/none is in PATH, and this user may not search it");
    }

    #[test]
    fn a_command_that_is_there_now_is_not_it() {
        let mut stage = stage();
        stage.stat("/usr/bin/dokcer", Kind::Regular, |_| {});
        assert_eq!(found(&stage), None);
    }

    #[test]
    fn a_script_that_went_on_and_failed_at_something_else_is_not_surely_ended_by_it() {
        let mut stage = stage();
        stage.clue(Errno::ENOSPC, Operation::Write, "/tmp/x");
        assert_eq!(found(&stage).unwrap().confidence, Confidence::Likely);
        stage.outcome = Outcome::Exited { code: 127 };
        assert_eq!(found(&stage).unwrap().confidence, Confidence::Verified);
    }

    #[test]
    fn a_path_is_not_looked_for() {
        let mut stage = stage();
        stage.clues[0].path = Some("./dokcer".into());
        assert!(stage.verdicts(&CAUSE).is_empty());
    }

    #[test]
    fn a_name_that_ends_in_a_carriage_return_is_not_looked_for() {
        let mut stage = stage();
        stage.clues[0].path = Some(r"python3\r".into());
        assert!(stage.verdicts(&CAUSE).is_empty());
    }

    #[test]
    fn a_log_proves_nothing_of_this_machine() {
        let mut stage = stage();
        stage.mode = Mode::Log;
        assert_eq!(found(&stage).unwrap().confidence, Confidence::Possible);
    }
}
