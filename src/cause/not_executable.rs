//! A file that is to be executed has no execute bit for anybody: not even root may run it then (execve(2), EACCES).

use super::exec::{self, Kind, Start, verified};
use super::shared::other_user;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::machine::{Executable, Stat};
use crate::outcome::Outcome;
use crate::probe::programs::{Refusal, Shebang};
use crate::probe::walk::{Attempt, walk};
use crate::sys::errno::Errno;
use crate::text::shell_word;
use std::path::Path;

const KIND: Kind = Kind { id: "not-executable", answers: &[Errno::EACCES] };

pub const CAUSE: Cause =
    Cause { id: KIND.id, page: include_str!("../../docs/causes/not-executable.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let mut suspects = exec::suspects(case, KIND);
    suspects.retain(|suspect| !suspect.clue.is_some_and(|index| is_of_interpreter(&case.clues[index])));
    let unsaid = case.clues.iter().enumerate().filter(|(_, clue)| may_be_refused_start(clue));
    for (index, clue) in unsaid {
        let file = clue.path.as_deref().and_then(|path| exec::file_of(case, path));
        let file = file.filter(|file| could_only_be_executed(case, file));
        suspects.extend(file.map(|file| Suspect { subject: Subject::Path(file), clue: Some(index), touched: true }));
    }
    suspects
}

/// Whether the interpreter of a script was refused: a shell asks whether the script has its x bit before it says so (bash 5.2,
/// `execute_cmd.c`, `shell_execve`).
fn is_of_interpreter(clue: &Clue) -> bool {
    clue.suspects.first().is_some_and(|first| first == "missing-interpreter")
}

/// Whether a shell may have said it: `bash: ./x: Permission denied` stands for a program and for a redirection.
fn may_be_refused_start(clue: &Clue) -> bool {
    let says = clue.program.as_deref();
    clue.errno == Some(Errno::EACCES) && clue.operation.is_none() && says.is_none_or(may_start_files)
}

/// Whether a file that a program names may be one that it starts: a shell's, a launcher's, or a script's, which has an extension. What
/// other programs name, they open.
fn may_start_files(program: &str) -> bool {
    const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "busybox", "csh", "tcsh"];
    const LAUNCHERS: &[&str] = &[
        "make", "gmake", "ninja", "env", "xargs", "find", "nohup", "nice", "timeout", "time", "setsid", "strace",
        "sudo", "doas", "su", "exec",
    ];
    SHELLS.contains(&program) || LAUNCHERS.contains(&program) || program.contains(['.', '/'])
}

/// Whether the file can be read and written by the child, so that only its execution can have been refused.
fn could_only_be_executed(case: &Case, file: &Path) -> bool {
    let stat = case.resolve(file).and_then(|resolved| case.machine.stat(&resolved.existing).ok());
    stat.is_some_and(|stat| stat.mode & 0o111 == 0 && (is_refused_by_shell(case) || may_read_and_write(case, &stat)))
}

/// 126 is what a shell answers where it found a command and could not start it.
fn is_refused_by_shell(case: &Case) -> bool {
    case.outcome == &Outcome::Exited { code: 126 }
}

/// Whether the message leaves open that the file was only to be read or written: a shell says of `. ./x`, whose file it may not read,
/// and of `> ./x` what it says of `./x`.
fn may_be_opened(case: &Case, clue: &Clue) -> bool {
    let Some(path) = clue.path.as_deref().filter(|_| clue.operation == Some(Operation::Execute)) else { return false };
    [Operation::Read, Operation::Write].into_iter().any(|operation| {
        let walked = walk(case.machine, Attempt { operation, path, other: None });
        walked.is_ok_and(|walked| walked.obstacle.is_some())
    })
}

fn may_read_and_write(case: &Case, stat: &Stat) -> bool {
    if other_user::of_command(case).is_some() {
        return false;
    }
    let identity = &case.surroundings().identity;
    let is_member = identity.gid == stat.gid || identity.groups.contains(&stat.gid);
    let class = match () {
        () if identity.uid == stat.uid => stat.mode >> 6,
        () if is_member => stat.mode >> 3,
        () => stat.mode,
    };
    identity.uid == 0 || class & 0o6 == 0o6
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let said = suspect.clue.map(|index| &case.clues[index]);
    let written =
        said.and_then(|clue| clue.path.as_deref()).filter(|path| command_line::is_redirected_to(case.command, path));
    if let Some(path) = written {
        return Verdict::RuledOut(format!("{} was to be written", path.display()));
    }
    let is_open = said.is_some_and(|clue| !exec::is_start(clue) && !clue.vague);
    let is_start = said.is_none_or(|clue| exec::is_start(clue) && !may_be_opened(case, clue));
    let is_sure = is_start || is_refused_by_shell(case);
    exec::check(case, suspect, KIND.id, |start| match &start.obstacle.refusal {
        Refusal::NoExecuteBit(stat) if start.obstacle.scripts.is_empty() => {
            if is_open && !is_refused_by_shell(case) && !is_only_to_be_started(start) {
                return None;
            }
            let finding = told(start, stat);
            Some(if is_sure { finding } else { Finding { confidence: Confidence::Likely, ..finding } })
        }
        _ => None,
    })
}

/// Whether a file that a message names without saying what was tried is more likely one to be started than one to be read: it is a
/// program, and it can be read.
fn is_only_to_be_started(start: &Start) -> bool {
    let attempt = Attempt { operation: Operation::Read, path: start.program, other: None };
    let is_readable = walk(start.case.machine, attempt).is_ok_and(|walked| walked.obstacle.is_none());
    let is_script = start.program.extension().is_some_and(|end| end == "sh");
    is_readable
        && match start.case.machine.executable(&start.obstacle.file) {
            Ok(Executable::Elf(_) | Executable::Script { .. }) => true,
            Ok(Executable::Text { .. }) => is_script,
            _ => false,
        }
}

fn told(start: &Start, found: &Stat) -> Finding {
    let file = start.program;
    let word = shell_word(file);
    let headline = format!("{} has no execute permission", file.display());
    let summary = format!("{} has mode {:04o}: nobody may execute it, not even root.", file.display(), found.mode);
    let fact = format!("its mode is {:04o}, without any x", found.mode);
    let mut fixes = Vec::new();
    if is_program(start) {
        fixes.push(Fix::now(own(start.case, found, &format!("chmod +x {word}")), "lets it be executed"));
    }
    fixes.extend(by_interpreter(start));
    fixes.extend(in_repository(start.case, file));
    Finding {
        evidence: vec![Evidence::probe(fact).check(format!("stat -c %A {word}"))],
        fixes,
        ..verified(headline, summary)
    }
}

/// Whether there is something in it to be executed. A text without `#!` may be a script for the shell, where its name says so; other
/// files were meant as an argument, and get no x.
fn is_program(start: &Start) -> bool {
    match start.case.machine.executable(&start.obstacle.file) {
        Ok(Executable::Elf(_) | Executable::Script { .. }) | Err(_) => true,
        Ok(Executable::Text { .. }) => {
            start.program.extension().is_none_or(|end| end == "sh") && !is_of_system(start.program)
        }
        Ok(Executable::Empty | Executable::Other { .. }) => false,
    }
}

fn is_of_system(file: &Path) -> bool {
    ["/etc", "/proc", "/sys", "/var"].iter().any(|top| file.starts_with(top))
}

/// A command that the file's owner may type.
fn own(case: &Case, stat: &Stat, command: &str) -> String {
    if case.surroundings().identity.uid == stat.uid { command.to_owned() } else { case.as_root(command) }
}

/// A script can be given to its interpreter, which only reads it.
fn by_interpreter(start: &Start) -> Option<Fix> {
    let Ok(Executable::Script { line, .. }) = start.case.machine.executable(&start.obstacle.file) else { return None };
    let shebang = Shebang::parse(&line.0)?;
    let interpreter = shebang.looked_up().unwrap_or_else(|| shebang.interpreter.clone().into());
    let is_plain = !shebang.carriage_return && !shebang.is_one_word();
    let command = format!("{} {}", shell_word(interpreter), shell_word(start.program));
    is_plain.then(|| Fix::now(command, "runs it as it is"))
}

/// Git keeps the execute bit: without it there, the next checkout has it not either.
fn in_repository(case: &Case, file: &Path) -> Option<Fix> {
    let top = file.ancestors().skip(1).find(|above| case.machine.stat(&above.join(".git")).is_ok())?;
    let below = file.strip_prefix(top).ok()?;
    let command = format!("git -C {} update-index --chmod=+x {}", shell_word(top), shell_word(below));
    Some(Fix::lasting("keeps the bit in the repository, for every later checkout").command(command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::stage::Stage;
    use crate::clue::Operation;
    use crate::machine::Kind as File;

    fn stage(mode: u32) -> Stage {
        let mut stage = Stage::new("22 1 8:1 / / rw - ext4 /dev/sda1 rw");
        stage.stat("/home/u/build.sh", File::Regular, |stat| (stat.mode, stat.uid) = (mode, 1000));
        let line = crate::text::Bytes(b"#!/bin/sh -e".to_vec());
        stage.knows("executable /home/u/build.sh", Ok(Executable::Script { line, length: Some(12) }));
        stage
    }

    #[test]
    fn a_file_without_any_x_is_named_with_the_command_that_gives_it() {
        let mut stage = stage(0o644);
        stage.clue(Errno::EACCES, Operation::Execute, "./build.sh");
        let finding = stage.finding(&CAUSE, "/home/u/build.sh");
        assert_eq!(finding.confidence, Confidence::Verified);
        let commands: Vec<_> = finding.fixes.iter().filter_map(|fix| fix.command.as_deref()).collect();
        assert_eq!(commands, ["chmod +x /home/u/build.sh", "/bin/sh /home/u/build.sh"]);
    }

    #[test]
    fn what_is_no_program_is_not_made_one() {
        let mut stage = stage(0o644);
        let text = Executable::Text { line: crate::text::Bytes(b"{".to_vec()), marked: false };
        stage.stat("/home/u/data.json", File::Regular, |stat| (stat.mode, stat.uid) = (0o644, 1000));
        stage.knows("executable /home/u/data.json", Ok(text)).clue(Errno::EACCES, Operation::Execute, "./data.json");
        assert_eq!(stage.finding(&CAUSE, "/home/u/data.json").fixes, []);
    }

    #[test]
    fn a_command_that_was_not_started_is_named_without_a_message() {
        let mut stage = stage(0o644);
        stage.command = vec!["./build.sh".into()];
        stage.outcome = Outcome::NotStarted { errno: "EACCES".into() };
        assert_eq!(stage.finding(&CAUSE, "/home/u/build.sh").confidence, Confidence::Verified);
    }

    #[test]
    fn a_refused_interpreter_says_that_the_script_may_be_executed() {
        let mut stage = stage(0o644);
        stage.command = ["sh", "/home/u/build.sh"].map(Into::into).into();
        stage.add(|clue| {
            (clue.errno, clue.operation) = (Some(Errno::EACCES), Some(Operation::Execute));
            clue.suspects = vec!["missing-interpreter".into(), "noexec-mount".into()];
        });
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn permission_denied_of_a_file_that_can_be_read_and_written_was_its_execution() {
        let mut stage = stage(0o644);
        stage.add(|clue| (clue.errno, clue.path) = (Some(Errno::EACCES), Some("./build.sh".into())));
        assert_eq!(stage.finding(&CAUSE, "/home/u/build.sh").confidence, Confidence::Likely);
    }

    #[test]
    fn permission_denied_of_a_file_that_cannot_be_written_may_be_a_redirection() {
        let mut stage = stage(0o444);
        stage.add(|clue| (clue.errno, clue.path) = (Some(Errno::EACCES), Some("./build.sh".into())));
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn permission_denied_to_a_program_that_reads_was_no_execution() {
        let denied = |program: &str| {
            let mut stage = stage(0o600);
            stage.add(|clue| {
                (clue.errno, clue.path) = (Some(Errno::EACCES), Some("./build.sh".into()));
                clue.program = Some(program.into());
            });
            stage
        };
        denied("cat").assert_silent(&CAUSE);
        assert_eq!(denied("bash").found(&CAUSE), ["/home/u/build.sh"]);
    }

    #[test]
    fn permission_denied_to_another_user_may_be_to_read() {
        let mut stage = stage(0o600).by_root();
        stage.file("/etc/passwd", "ann:x:1001:1001::/home/ann:/bin/sh\n").file("/etc/group", "");
        stage.command = ["runuser", "-u", "ann", "--", "bash", "build.sh"].map(Into::into).into();
        stage.add(|clue| (clue.errno, clue.path) = (Some(Errno::EACCES), Some("./build.sh".into())));
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_file_with_an_x_is_not_it() {
        let mut stage = stage(0o700);
        stage.clue(Errno::EACCES, Operation::Execute, "./build.sh");
        stage.assert_silent(&CAUSE);
    }
}
