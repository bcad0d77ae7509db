//! Whether a message can be why a script ended as it did. The status of `a; b` is that of `b`, whatever `a` met, and `a || true` has gone on
//! after it on purpose. The command line has the script, so this is known and need not be guessed from the output.

use super::course::Course;
use super::viewers::{only_show, only_shows};
use super::{Script, ScriptFile, Step, is_shell};
use crate::clue::Clue;
use crate::command_line::{is_make, launched, words_in};
use crate::text::has_name;
use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Bytes of a script that are looked at.
const LONGEST: usize = 256 << 10;
/// Commands behind `||` that pass over what failed.
pub(super) const PASSING: &[&str] = &[":", "echo", "printf", "true"];
/// Commands that end a script, or make it fail.
pub(super) const ENDING: &[&str] = &["die", "exit", "false", "kill", "return"];
/// Commands that only say that something failed before.
pub(super) const SAYING: &[&str] = &["cat", "echo", "printf", "sleep"];
/// Commands that look at something or fail on purpose, and start no other program.
pub(super) const LEAVES: &[&str] = &["[", "[[", "cmp", "diff", "egrep", "false", "fgrep", "grep", "jq", "test"];

/// What a script makes of the command that said a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Its failure may be that of the script.
    Counts,
    /// The script goes on after it, and another command decides, which may fail because of it.
    BeforeOther,
    /// The script goes on after it, and a command decides that has nothing to do with it.
    BeforeLeaf,
    /// Nothing of it can have said the message: its commands show what others wrote.
    Shown,
    /// The script passes over its failure on purpose.
    PassedOver,
}

impl Standing {
    /// Where the command that said a message stands in the script behind `-c` of a command line.
    #[must_use]
    pub fn of(command: &[OsString], clue: &Clue) -> Self {
        match Script::of(command) {
            Some(script) => Self::within(&script, clue),
            None if only_shows(command, clue) => Self::Shown,
            None => Self::Counts,
        }
    }

    /// Where it stands in the text of a script that the command line runs.
    #[must_use]
    pub fn of_text(text: &[u8], file: &ScriptFile, clue: &Clue) -> Self {
        let text = &text[..text.len().min(LONGEST)];
        let Some(script) = Script::of_text(text, file) else { return Self::Counts };
        // A shell begins its words with the name of the file.
        let is_of_shell =
            clue.line.strip_prefix(&*file.path.to_string_lossy()).is_some_and(|rest| rest.starts_with(':'));
        match Self::within(&script, clue) {
            Self::Shown if is_of_shell || is_of_reader(text, clue) => Self::Counts,
            standing => standing,
        }
    }

    /// Where it stands in a text that alone decides how the command ends. What nothing of the text can have said was met before: where the
    /// text only looks, or ends by itself, that is no reason.
    #[must_use]
    pub fn of_line(script: &Script, clue: &Clue) -> Self {
        let Some(steps) = script.steps() else { return Self::Counts };
        match steps.iter().any(|step| says(step, clue)) {
            true => Self::within(script, clue),
            false if steps.iter().all(is_silent) && !is_of_shell_itself(clue) => Self::BeforeLeaf,
            false => Self::Counts,
        }
    }

    fn within(script: &Script, clue: &Clue) -> Self {
        let Some(steps) = script.steps().filter(|_| clue.log.is_none()) else { return Self::Counts };
        if only_show(&steps, clue) {
            return Self::Shown;
        }
        let by = |says: &dyn Fn(&Step) -> bool| -> Vec<usize> {
            (0..steps.len()).filter(|index| says(&steps[*index])).collect()
        };
        let mut sayers = by(&|step| says(step, clue));
        if clue.program.is_none() && sayers.is_empty() {
            // Whoever it is, it is a program that says something of what it does.
            sayers = by(&|step| !is_silent(step));
        }
        // Of two that run the same program that one which has the path itself.
        let is_given_it = |index: &&usize| clue.path.as_deref().is_some_and(|path| has_word(&steps[**index], path));
        let is_known = sayers.iter().any(|index| is_given_it(&index));
        let course = Course::of(script, &steps, is_named(script, clue));
        let standings =
            sayers.iter().filter(|index| !is_known || is_given_it(index)).map(|index| course.standing(*index));
        standings.min_by_key(|standing| *standing as u8).unwrap_or(Self::Counts)
    }
}

/// Whether a program may be what a command line ends with. Of the script behind `-c` it has to be in the last command: what that is not
/// given was not started at its end, and `exit 126` is a status that the script chose.
#[must_use]
pub fn may_end_with(command: &[OsString], program: &Path) -> bool {
    let Some(script) = Script::of(command) else { return true };
    let Some(steps) = script.steps() else { return true };
    let chooses = |step: &&Step| {
        let mut words = step.words();
        words.next() == Some("exit")
            && words.next().is_some_and(|status| status.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let last = steps.last().filter(|last| !chooses(last));
    let ends =
        last.and_then(|last| if last.words().next() == Some("exit") { steps.iter().rev().nth(1) } else { Some(last) });
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    ends.is_some_and(|step| has_name(&String::from_utf8_lossy(step.text), &name))
}

/// Whether a command of a script may have said a message: it is the program that the message names, or what the shell itself says is
/// about a path of it.
fn says(step: &Step, clue: &Clue) -> bool {
    let Some(program) = clue.program.as_deref().or_else(|| speaker(&clue.line)) else { return false };
    if !is_shell(OsStr::new(program)) {
        // What `echo` is given are words about anything.
        let is_quoted = step.words().next().is_some_and(|first| SAYING.contains(&first) && first != program);
        return !is_quoted && step.words().any(|word| word == program);
    }
    let name = clue.path.as_deref().and_then(Path::file_name);
    match name {
        Some(name) => has_name(&String::from_utf8_lossy(step.text), &name.to_string_lossy()),
        None => builtin(&clue.line).is_some_and(|builtin| step.words().next() == Some(builtin)),
    }
}

/// The command of the shell itself that could not do its work: `bash: line 3: echo: write error: …`, `sh: 3: printf: …`.
fn builtin(line: &str) -> Option<&str> {
    let mut parts = line.split(": ").skip(1);
    let is_place = |part: &str| part.strip_prefix("line ").unwrap_or(part).bytes().all(|byte| byte.is_ascii_digit());
    let name = parts.find(|part| !is_place(part))?;
    (parts.next().is_some() && !name.contains(char::is_whitespace)).then_some(name)
}

/// Whether what runs the commands says that it could not go on itself: `/bin/sh: 1: Cannot fork`, `make: /bin/sh: Resource temporarily
/// unavailable`.
fn is_of_shell_itself(clue: &Clue) -> bool {
    let speaker = clue.program.as_deref().or_else(|| speaker(&clue.line)).map(OsStr::new);
    clue.path.is_none() && speaker.is_none_or(is_shell) || speaker.is_some_and(is_make)
}

/// Whether what reads a script says it: a shell, or a program of its first line.
fn is_of_reader(text: &[u8], clue: &Clue) -> bool {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let speaker = clue.program.as_deref().or_else(|| speaker(&clue.line));
    speaker.is_some_and(|speaker| is_shell(OsStr::new(speaker)) || has_name(&String::from_utf8_lossy(first), speaker))
}

/// Whether a program says it that starts the one which a command line is about: `sudo`, `timeout`.
#[must_use]
pub fn is_of_launcher(command: &[OsString], clue: &Clue) -> bool {
    let launchers = &command[..command.len() - launched(command).len()];
    let speaker = clue.program.as_deref().or_else(|| speaker(&clue.line)).map(OsStr::new);
    launchers.iter().any(|word| speaker.is_some() && Path::new(word).file_name() == speaker)
}

/// The word before the first colon of a line, where programs have their name.
pub(super) fn speaker(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(": ")?;
    (!name.is_empty() && !name.contains(char::is_whitespace)).then_some(name)
}

/// Whether a command says nothing of its own while it works.
fn is_silent(step: &Step) -> bool {
    let known = |word: &str| [LEAVES, SAYING, ENDING, PASSING].iter().any(|known| known.contains(&word));
    step.words().next().is_none_or(known)
}

/// Whether a command has a path as a word.
fn has_word(step: &Step, path: &Path) -> bool {
    words_in(OsStr::from_bytes(step.text)).any(|word| word == path.as_os_str())
}

/// Whether the script itself names what a message is about; if not, a program found it on its way (`find`, `du`).
fn is_named(script: &Script, clue: &Clue) -> bool {
    let name = clue.path.as_deref().and_then(Path::file_name);
    // What a variable stands for may be the path.
    let expands = memchr::memchr2(b'$', b'`', script.text).is_some();
    let text = String::from_utf8_lossy(script.text);
    expands || name.is_none_or(|name| has_name(&text, &name.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(script: &str, program: &str, path: &str) -> Standing {
        let command = ["sh", "-c", script].map(OsString::from);
        let clue = Clue { program: Some(program.into()), path: Some(path.into()), ..Clue::default() };
        Standing::of(&command, &clue)
    }

    #[test]
    fn the_last_command_of_a_script_counts_and_so_does_what_leads_to_its_end() {
        for script in [
            "touch ro/x",
            "make; touch ro/x",
            "touch ro/x && make",
            "touch ro/x || exit 3",
            "touch ro/x || { echo failed; exit 3; }",
            "set -e; touch ro/x; false",
            "touch ro/x; exit $?",
            "touch ro/x; exit 3",
            "if ! touch ro/x; then echo failed; exit 3; fi",
            "touch ro/x; echo error: it failed; exit 3",
            "touch ro/x; cat ro/x",
            "for f in 1 2; do touch ro/x; done",
            "cat ro/x | grep y",
            "f() { touch ro/x; }; f; false",
        ] {
            assert_eq!(standing(script, "touch", "ro/x"), Standing::Counts, "{script}");
        }
        assert_eq!(standing(". ro/x; false", "sh", "ro/x"), Standing::Counts);
    }

    #[test]
    fn what_a_script_goes_on_after_is_told_by_what_decides() {
        for (script, expected) in [
            ("touch ro/x || true; make", Standing::PassedOver),
            ("set -e; touch ro/x || :; make", Standing::PassedOver),
            ("touch ro/x && make || echo no; make", Standing::PassedOver),
            ("for d in ro; do touch $d/x || true; make; done", Standing::PassedOver),
            ("touch ro/x; make; echo no >&2; exit 3", Standing::BeforeOther),
            ("touch ro/x; false", Standing::BeforeLeaf),
            ("/bin/touch ro/x; grep a b", Standing::BeforeLeaf),
            ("touch ro/x; make all", Standing::BeforeOther),
            ("if touch ro/x; then a; fi; make", Standing::BeforeOther),
            ("touch ro/x || touch x; exit 7", Standing::BeforeOther),
            ("touch ro/x || make x", Standing::BeforeOther),
            ("for d in ro; do if touch $d/x; then break; fi; done; exit 3", Standing::BeforeOther),
        ] {
            assert_eq!(standing(script, "touch", "ro/x"), expected, "{script}");
        }
        assert_eq!(standing("echo a >ro/x || true; b", "sh", "ro/x"), Standing::PassedOver);
    }

    #[test]
    fn a_command_of_the_shell_itself_is_found_by_its_name() {
        let standing = |script: &str, line: &str| {
            let command = ["bash", "-c", script].map(OsString::from);
            let clue = Clue { program: Some("bash".into()), line: line.into(), ..Clue::default() };
            Standing::of(&command, &clue)
        };
        let full = "bash: line 1: echo: write error: No space left on device";
        assert_eq!(standing("echo x >$out || true; exit 7", full), Standing::PassedOver);
        assert_eq!(standing("echo x >$out", full), Standing::Counts);
        assert_eq!(standing("echo x >$out || true; exit 7", "bash: fork: Cannot allocate memory"), Standing::Counts);
    }

    #[test]
    fn a_program_ends_a_script_where_its_last_command_has_it() {
        let ends = |words: &[&str]| {
            let command: Vec<OsString> = words.iter().map(OsString::from).collect();
            may_end_with(&command, Path::new("/w/tool"))
        };
        for script in ["./tool", "a; exec ./tool x", "a && timeout 5 /w/tool", "./tool; exit $?", "f() { ./tool; }; f"]
        {
            assert!(ends(&["sh", "-c", script]), "{script}");
        }
        for script in ["ls ./tool; exit 126", "./tool.sh", "./tool; a", "./tool || exit 126", "exit 126"] {
            assert!(!ends(&["sh", "-c", script]), "{script}");
        }
        assert!(ends(&["env", "./tool"]));
    }

    #[test]
    fn names_count_as_a_whole() {
        // What decides has a name that only begins alike, or the name as a pattern.
        assert_eq!(standing("touch ro/x; cat ro/x.bak", "touch", "ro/x"), Standing::BeforeOther);
        assert_eq!(standing("touch ro/x; grep ro list", "touch", "ro/x"), Standing::BeforeLeaf);
        assert_eq!(standing("touch ro/x; grep a ro/x", "touch", "ro/x"), Standing::Counts);
        // What the shell says of a file is no message about another that begins alike.
        assert_eq!(standing("cat <lib.old; false", "sh", "lib"), Standing::Counts);
    }

    #[test]
    fn a_message_of_nobody_is_that_of_a_program_that_says_something() {
        let standing = |script: &str| {
            let command = ["sh", "-c", script].map(OsString::from);
            Standing::of(&command, &Clue::default())
        };
        assert_eq!(standing("clear; false"), Standing::BeforeLeaf);
        assert_eq!(standing("a && clear; [ 1 = 2 ]"), Standing::BeforeLeaf);
        let of_tput = Clue { line: "tput: unknown terminal".into(), ..Clue::default() };
        let command = ["sh", "-c", "tput bold; make"].map(OsString::from);
        assert_eq!(Standing::of(&command, &of_tput), Standing::BeforeOther);
        for script in ["clear; make", "clear", "clear; exit 3", "set -e; clear; false", "clear && make"] {
            assert_eq!(standing(script), Standing::Counts, "{script}");
        }
    }

    #[test]
    fn what_a_program_came_across_is_no_reason_of_a_status_that_another_decides() {
        for script in ["find / -name a | grep -q b", "find / -name a; exit 3", "find /; false"] {
            assert_eq!(standing(script, "find", "/lost+found"), Standing::BeforeLeaf, "{script}");
        }
        assert_eq!(standing("echo \"docker: $1\"; exit 1", "docker", "/run/s"), Standing::Counts);
        assert_eq!(standing("find $1 -name a; exit 1", "find", "/run/s"), Standing::Counts);
        assert_eq!(standing("find / -name a", "find", "/lost+found"), Standing::Counts);
    }
}
