//! The first line of a script names a program that is not there. The kernel answers ENOENT, so that the script itself seems to
//! be missing, which it is not.

use super::exec::{self, Kind, Start, first_line, verified};
use super::{Case, Cause, Evidence, Finding, Fix, Suspect, Verdict};
use crate::machine::KERNEL_READS;
use crate::probe::programs::{Lookup, Refusal, Shebang, Unfit, lookup, near, offering_command};
use crate::sys::errno::Errno;
use crate::text::shell_word;
use std::ffi::OsStr;
use std::path::Path;

const KIND: Kind = Kind {
    id: "missing-interpreter",
    answers: &[Errno::ENOENT, Errno::ENOTDIR, Errno::EACCES, Errno::ENOEXEC, Errno::ELOOP, Errno::ENAMETOOLONG],
};

pub const CAUSE: Cause =
    Cause { id: KIND.id, page: include_str!("../../docs/causes/missing-interpreter.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    exec::suspects(case, KIND)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    exec::check(case, suspect, KIND.id, |start| match &start.obstacle.refusal {
        Refusal::Interpreter(shebang, unfit) => Some(told(start, shebang, unfit)),
        _ => None,
    })
}

fn told(start: &Start, shebang: &Shebang, unfit: &Unfit) -> Finding {
    let script = start.file();
    let name = script.display();
    let why = reason(unfit);
    let headline = format!("the #! line of {name} {why}");
    let summary = format!("{name} is there; its first line {why}, and so the kernel cannot start it.");
    let line = format!("its first line asks for {}", words(shebang));
    let mut evidence = vec![Evidence::probe(line).check(first_line(script))];
    evidence.extend(detail(start, shebang, unfit));
    evidence.extend(start.way());
    Finding { evidence, fixes: fixes(start, shebang, unfit), ..verified(headline, summary) }
}

fn reason(unfit: &Unfit) -> String {
    match unfit {
        Unfit::Missing(file) => format!("names {}, which is not there", file.display()),
        Unfit::NotInPath(name) => format!("looks for {}, which is in no directory of PATH", name.display()),
        Unfit::OneWord(name) => format!("makes env look for one program named '{}'", name.display()),
        Unfit::NoFile(file) => format!("names {}, which is no file that can be executed", file.display()),
        Unfit::NoExecuteBit(file) => format!("names {}, which has no execute permission", file.display()),
        Unfit::Cut(_) => format!("is longer than the {KERNEL_READS} bytes that the kernel reads"),
        Unfit::TooDeep => "leads through more scripts than the kernel follows".into(),
    }
}

fn words(shebang: &Shebang) -> String {
    let argument = shebang.argument.as_ref().map(|argument| format!(" {}", argument.display())).unwrap_or_default();
    format!("{}{argument}", shebang.interpreter.display())
}

fn detail(start: &Start, shebang: &Shebang, unfit: &Unfit) -> Option<Evidence> {
    match unfit {
        Unfit::Missing(_) if shebang.is_relative() => {
            let cwd = &start.case.surroundings().cwd;
            let text = format!(
                "{} is looked for below the working directory, {}",
                shebang.interpreter.display(),
                cwd.display()
            );
            Some(Evidence::probe(text).check("pwd"))
        }
        Unfit::Missing(file) => {
            Some(Evidence::probe(deepest(start.case, file)).check(format!("ls -ld {}", shell_word(file))))
        }
        Unfit::NotInPath(name) => {
            Some(Evidence::probe("PATH has no such program").check(format!("command -v {}", shell_word(name))))
        }
        Unfit::OneWord(_) => {
            Some(Evidence::probe("the kernel passes all that stands behind the interpreter as one word"))
        }
        Unfit::NoFile(file) | Unfit::NoExecuteBit(file) => {
            Some(Evidence::probe("it is there and cannot be executed").check(format!("ls -ld {}", shell_word(file))))
        }
        Unfit::Cut(file) => Some(Evidence::probe(format!("the name has {} bytes", file.as_os_str().len()))),
        Unfit::TooDeep => None,
    }
}

/// The part of a path that is missing: a whole environment is often gone, not its `python` alone.
fn deepest(case: &Case, file: &Path) -> String {
    let existing = case.resolve(file).map(|resolved| resolved.existing);
    match existing.filter(|existing| Some(existing.as_path()) != file.parent()) {
        Some(existing) => format!("of its path only {} is there", existing.display()),
        None => "its directory is there, it is not".into(),
    }
}

fn fixes(start: &Start, shebang: &Shebang, unfit: &Unfit) -> Vec<Fix> {
    let (case, script) = (start.case, shell_word(start.file()));
    let wanted = match unfit {
        Unfit::Missing(file) => file.file_name(),
        Unfit::NotInPath(name) => Some(name.as_os_str()),
        Unfit::OneWord(_) => {
            let command = format!("sed -i '1s|env |env -S |' {script}");
            return vec![Fix::lasting("tells env to split the words (coreutils 8.30 or later)").command(command)];
        }
        Unfit::Cut(_) => {
            return vec![Fix::lasting(
                "make the environment anew in a directory with a shorter path: the kernel's limit cannot be changed",
            )];
        }
        Unfit::NoExecuteBit(file) => {
            return vec![Fix::now(
                case.as_root(&format!("chmod +x {}", shell_word(file))),
                "lets the interpreter be executed",
            )];
        }
        Unfit::NoFile(_) | Unfit::TooDeep => None,
    };
    let Some(wanted) = wanted else { return Vec::new() };
    let mut fixes: Vec<Fix> = other(start, shebang, wanted).into_iter().collect();
    fixes.extend(offering_command(case.machine, wanted).iter().find_map(|offer| exec::install(case, &offer.package)));
    fixes.extend(environment(start, shebang));
    fixes
}

/// The same program, or nearly the same, at another place.
fn other(start: &Start, shebang: &Shebang, wanted: &OsStr) -> Option<Fix> {
    let found = match lookup(start.case.machine, wanted) {
        Lookup::Found(file) => file,
        _ => near(start.case.machine, wanted).into_iter().next()?,
    };
    let command = format!("{} {}", shell_word(&found), shell_word(start.file()));
    let missing = shebang
        .looked_up()
        .map_or_else(|| shebang.interpreter.display().to_string(), |name| name.display().to_string());
    Some(Fix::now(command, format!("runs it with {}, which is here instead of {missing}", found.display())))
}

/// A Python environment holds its own path in every script: moved or renamed, it has to be made anew.
fn environment(start: &Start, shebang: &Shebang) -> Option<Fix> {
    let top = start.file().parent()?.parent()?;
    let is_environment = start.case.machine.stat(&top.join("pyvenv.cfg")).is_ok();
    let is_elsewhere = !shebang.interpreter.starts_with(top);
    (is_environment && is_elsewhere).then(|| {
        Fix::lasting(format!("make the Python environment {} anew: its scripts name another place", top.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::stage::Stage;
    use crate::cause::{Confidence, Mode};
    use crate::clue::Operation;
    use crate::machine::{Executable, Kind as File};
    use crate::text::Bytes;

    fn stage(line: &str) -> Stage {
        let mut stage = Stage::new("22 1 8:1 / / rw - ext4 /dev/sda1 rw");
        stage.stat("/home/u/tool", File::Regular, |_| {});
        let program = Executable::Script { line: Bytes(line.into()), length: Some(line.len()) };
        stage.knows("executable /home/u/tool", Ok(program));
        stage.clue(Errno::ENOENT, Operation::Execute, "./tool");
        stage
    }

    fn env(stage: &mut Stage) {
        stage.directory("/usr/bin").stat("/usr/bin/env", File::Regular, |_| {}).missing("/usr/bin/python");
        let elf = crate::machine::Elf { bits: 64, machine: 62, ..Default::default() };
        stage.knows("executable /usr/bin/env", Ok(Executable::Elf(Box::new(elf))));
        stage.surroundings.env.insert("PATH".into(), Bytes(b"/usr/bin".to_vec()));
    }

    #[test]
    fn an_interpreter_that_is_not_there_is_named_with_what_is_left_of_its_path() {
        let mut stage = stage("#!/opt/venv/bin/python3");
        stage.directory("/opt").missing("/opt/venv");
        let finding = stage.finding(&CAUSE, "/home/u/tool");
        assert_eq!(finding.headline, "the #! line of /home/u/tool names /opt/venv/bin/python3, which is not there");
        assert!(finding.evidence.iter().any(|evidence| evidence.text == "of its path only /opt is there"));
    }

    #[test]
    fn env_that_finds_nothing_is_named_with_a_near_program() {
        let mut stage = stage("#!/usr/bin/env python");
        env(&mut stage);
        let near = crate::machine::NearName { name: "python3".into(), distance: 0 };
        stage.knows("near-names python /usr/bin", Ok(vec![near])).stat("/usr/bin/python3", File::Regular, |_| {});
        let finding = stage.finding(&CAUSE, "/home/u/tool");
        assert!(
            finding.headline.ends_with("looks for python, which is in no directory of PATH"),
            "{}",
            finding.headline
        );
        assert_eq!(finding.fixes[0].command.as_deref(), Some("/usr/bin/python3 /home/u/tool"));
    }

    #[test]
    fn env_that_is_given_a_program_with_its_arguments_is_told_so() {
        let mut stage = stage("#!/usr/bin/env python -u");
        env(&mut stage);
        stage.missing("/usr/bin/python -u");
        assert!(stage.finding(&CAUSE, "/home/u/tool").headline.contains("one program named 'python -u'"));
    }

    #[test]
    fn an_interpreter_that_is_there_is_not_it() {
        let mut stage = stage("#!/bin/sh");
        stage.directory("/bin").stat("/bin/sh", File::Regular, |_| {});
        let elf = crate::machine::Elf { bits: 64, machine: 62, ..Default::default() };
        stage.knows("executable /bin/sh", Ok(Executable::Elf(Box::new(elf))));
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_script_that_is_not_there_is_another_matter() {
        let mut stage = stage("#!/opt/python");
        stage.missing("/home/u/tool");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_log_that_names_it_is_possible_at_most() {
        let mut stage = stage("");
        stage.mode = Mode::Log;
        stage.missing("/home/u/tool");
        stage.clues[0].suspects = vec![KIND.id.into()];
        assert_eq!(stage.finding(&CAUSE, "/home/u/tool").confidence, Confidence::Possible);
    }
}
