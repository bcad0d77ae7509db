//! A text without `#!`, or an empty file, is given to execve(2), which answers ENOEXEC. A shell would read it as a script of its
//! own; Python, Go, systemd and others do not.

use super::exec::{self, Kind, Start, first_line, verified};
use super::{Case, Cause, Evidence, Finding, Fix, Suspect, Verdict};
use crate::probe::programs::Refusal;
use crate::sys::errno::Errno;
use crate::text::shell_word;

const KIND: Kind = Kind { id: "missing-shebang", answers: &[Errno::ENOEXEC] };

pub const CAUSE: Cause =
    Cause { id: KIND.id, page: include_str!("../../docs/causes/missing-shebang.md"), suspects, covers: &[], check };

/// Bytes of a first line that are shown.
const SHOWN: usize = 40;

fn suspects(case: &Case) -> Vec<Suspect> {
    exec::suspects(case, KIND)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    exec::check(case, suspect, KIND.id, |start| match &start.obstacle.refusal {
        Refusal::NoFormat { is_empty: true, .. } => Some(empty(start)),
        Refusal::NoFormat { is_marked: true, .. } => Some(marked(start)),
        Refusal::NoFormat { line, .. } => Some(without(start, line)),
        _ => None,
    })
}

fn empty(start: &Start) -> Finding {
    let file = start.file();
    let evidence = Evidence::probe("its size is 0").check(format!("ls -l {}", shell_word(file)));
    let headline = format!("{} is empty", file.display());
    let summary = format!("{} has the permission to be executed and nothing in it.", file.display());
    let fix = Fix::lasting("make or fetch it anew: what wrote it stopped before its first byte");
    Finding { evidence: vec![evidence], fixes: vec![fix], ..verified(headline, summary) }
}

fn marked(start: &Start) -> Finding {
    let file = start.file();
    let headline = format!("a byte order mark hides the #! of {}", file.display());
    let summary = format!(
        "{} begins with a byte order mark (EF BB BF); the kernel looks for #! in the first two bytes.",
        file.display()
    );
    let evidence =
        Evidence::probe("its first three bytes are EF BB BF").check(format!("head -c 5 {} | od -c", shell_word(file)));
    let fix = Fix::now(format!(r"sed -i '1s/^\xEF\xBB\xBF//' {}", shell_word(file)), "takes the mark away");
    Finding { evidence: vec![evidence], fixes: vec![fix], ..verified(headline, summary) }
}

fn without(start: &Start, line: &str) -> Finding {
    let file = start.file();
    let word = shell_word(file);
    let headline = format!("{} has no #! line", file.display());
    let summary = format!("{} is text without #!, which only a shell runs; the kernel does not.", file.display());
    let shown: String = line.chars().take(SHOWN).collect();
    let evidence = Evidence::probe(format!("its first line is: {shown}")).check(first_line(file));
    let fixes = vec![
        Fix::now(format!("sh {word}"), "runs it as a shell script, if it is one"),
        Fix::lasting("a first line that names its interpreter, if that is sh")
            .command(format!(r"sed -i '1i #!/bin/sh' {word}")),
    ];
    Finding { evidence: vec![evidence], fixes, ..verified(headline, summary) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::stage::Stage;
    use crate::clue::Operation;
    use crate::machine::{Executable, Kind as File};
    use crate::text::Bytes;

    fn stage(program: Executable) -> Stage {
        let mut stage = Stage::new("22 1 8:1 / / rw - ext4 /dev/sda1 rw");
        stage.stat("/home/u/run", File::Regular, |_| {}).knows("executable /home/u/run", Ok(program));
        stage.clue(Errno::ENOEXEC, Operation::Execute, "./run");
        stage
    }

    #[test]
    fn text_an_empty_file_and_a_marked_one_are_told_apart() {
        let text = |marked| Executable::Text { line: Bytes(b"echo hello".to_vec()), marked };
        let headlines = [text(false), text(true), Executable::Empty]
            .map(|program| stage(program).finding(&CAUSE, "/home/u/run").headline);
        let told =
            ["/home/u/run has no #! line", "a byte order mark hides the #! of /home/u/run", "/home/u/run is empty"];
        assert_eq!(headlines, told);
    }

    #[test]
    fn what_is_no_text_is_another_matter() {
        stage(Executable::Other { head: Bytes(vec![0x1f, 0x8b]) }).assert_silent(&CAUSE);
    }

    #[test]
    fn text_that_was_not_executed_is_not_looked_at() {
        let mut stage = stage(Executable::Empty);
        (stage.clues[0].errno, stage.clues[0].operation) = (Some(Errno::ENOENT), Some(Operation::Read));
        assert!(stage.verdicts(&CAUSE).is_empty());
    }
}
