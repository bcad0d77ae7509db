//! The first line of a script ends in a carriage return, as editors and checkouts of Windows write lines. For the kernel it
//! belongs to the name of the interpreter, and a program of that name is not there; no message shows it.

use super::exec::{self, Kind, Start, first_line, verified};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Subject, Suspect, Verdict};
use crate::command_line;
use crate::machine::Executable;
use crate::probe::programs::{Refusal, Shebang};
use crate::sys::errno::Errno;
use crate::text::shell_word;
use std::path::Path;

const KIND: Kind = Kind { id: "crlf-shebang", answers: &[Errno::ENOENT] };

pub const CAUSE: Cause = Cause {
    id: KIND.id,
    page: include_str!("../../docs/causes/crlf-shebang.md"),
    suspects,
    covers: &["command-not-found", "text-encoding"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let mut suspects = exec::suspects(case, KIND);
    // `env` shows the name that it looked for and not the script that asked for it.
    let told = case.clues.iter().position(|clue| clue.errno == Some(Errno::ENOENT) && shows_a_return(&clue.line));
    let scripts =
        command_line::paths_of(case.command).filter(|path| path.as_os_str().as_encoded_bytes().contains(&b'/'));
    suspects.extend(scripts.filter_map(|path| {
        Some(Suspect { subject: Subject::Path(exec::file_of(case, path)?), clue: Some(told?), touched: true })
    }));
    suspects
}

fn shows_a_return(line: &str) -> bool {
    ["\\r'", "\\r\u{2019}", "^M"].iter().any(|mark| line.contains(mark))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let verdict = exec::check(case, suspect, KIND.id, |start| match &start.obstacle.refusal {
        Refusal::CarriageReturn(shebang) => Some(told(start, shebang)),
        _ => None,
    });
    match verdict {
        // The message shows the very name that this script asks for.
        Verdict::Found(finding) if asks_as_said(case, suspect) => {
            Verdict::Found(Box::new(Finding { confidence: Confidence::Verified, ..*finding }))
        }
        verdict => verdict,
    }
}

/// Whether a message shows the name, with the return, that the first line of this script asks `env` for.
fn asks_as_said(case: &Case, suspect: &Suspect) -> bool {
    let script = suspect.subject.path().map(|path| case.machine.executable(path));
    let Some(Ok(Executable::Script { line: first, .. })) = script else { return false };
    let wanted = Shebang::parse(&first.0).and_then(|shebang| shebang.argument);
    let Some(name) = wanted.map(|name| format!("{}\\r", name.to_string_lossy().trim_end())) else { return false };
    case.clues.iter().any(|clue| shows_a_return(&clue.line) && clue.line.contains(&name))
}

fn told(start: &Start, shebang: &Shebang) -> Finding {
    let script = start.file();
    let last = shebang.argument.clone().unwrap_or_else(|| shebang.interpreter.clone().into());
    let headline = format!("the #! line of {} ends in a carriage return", script.display());
    let summary = format!(
        "The lines of {} end as on Windows (CR LF), so that its first line asks for a program named '{}\\r'.",
        script.display(),
        last.display()
    );
    let evidence = Evidence::probe("the kernel takes the CR before the line feed for a part of the name")
        .check(first_line(script));
    let evidence = std::iter::once(evidence).chain(start.way()).collect();
    Finding { evidence, fixes: fixes(start.case, script), ..verified(headline, summary) }
}

fn fixes(case: &Case, script: &Path) -> Vec<Fix> {
    let now = Fix::now(format!(r"sed -i 's/\r$//' {}", shell_word(script)), "takes the CR from every line of it");
    let in_repository = script.ancestors().skip(1).any(|above| case.machine.stat(&above.join(".git")).is_ok());
    let name = script.extension().map(|extension| format!("*.{}", extension.display()));
    let name = name.unwrap_or_else(|| script.file_name().unwrap_or_default().display().to_string());
    let lasting = Fix::lasting(format!(
        "in the repository's .gitattributes, `{name} text eol=lf` keeps checkouts from adding it"
    ));
    std::iter::once(now).chain(in_repository.then_some(lasting)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Confidence;
    use crate::cause::stage::Stage;
    use crate::clue::Operation;
    use crate::machine::{Executable, Kind as File};
    use crate::outcome::Outcome;
    use crate::text::Bytes;

    fn stage(line: &str) -> Stage {
        let mut stage = Stage::new("22 1 8:1 / / rw - ext4 /dev/sda1 rw");
        stage.stat("/home/u/deploy.sh", File::Regular, |_| {}).directory("/bin").stat("/bin/sh", File::Regular, |_| {});
        let elf = crate::machine::Elf { bits: 64, machine: 62, ..Default::default() };
        stage.knows("executable /bin/sh", Ok(Executable::Elf(Box::new(elf))));
        stage.knows(
            "executable /home/u/deploy.sh",
            Ok(Executable::Script { line: Bytes(line.into()), length: Some(line.len()) }),
        );
        stage
    }

    #[test]
    fn a_message_that_denies_the_script_leads_to_its_carriage_return() {
        let mut stage = stage("#!/bin/sh\r");
        stage.clue(Errno::ENOENT, Operation::Execute, "./deploy.sh");
        let finding = stage.finding(&CAUSE, "/home/u/deploy.sh");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.fixes[0].command.as_deref(), Some(r"sed -i 's/\r$//' /home/u/deploy.sh"));
    }

    #[test]
    fn a_script_that_was_not_started_is_named_without_a_message() {
        let mut stage = stage("#!/bin/sh -e\r");
        stage.command = vec!["/home/u/deploy.sh".into()];
        stage.outcome = Outcome::NotStarted { errno: "ENOENT".into() };
        assert!(stage.finding(&CAUSE, "/home/u/deploy.sh").summary.contains(r"'-e\r'"));
    }

    #[test]
    fn a_line_that_ends_as_it_should_is_not_it() {
        let mut stage = stage("#!/bin/sh");
        stage.clue(Errno::ENOENT, Operation::Execute, "./deploy.sh");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_script_that_failed_for_another_reason_is_not_looked_at() {
        let mut stage = stage("#!/bin/sh\r");
        stage.clue(Errno::ENOSPC, Operation::Write, "/tmp/x");
        assert!(stage.verdicts(&CAUSE).is_empty());
    }
}
