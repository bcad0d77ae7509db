//! The script of a command line, behind `sh -c` or in a file, taken apart into the commands that it runs: which of them it goes on after, and which decides how it ends.
//! Only what is plain is taken apart; of a script with a here-document, a function, a trap or a `case` nothing is said.

use crate::command_line::launched;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

mod chdir;
mod course;
pub mod directory;
pub mod recipe;
pub mod standing;
mod viewers;

/// Shells that take a script behind `-c`.
const SHELLS: &[&str] = &["ash", "bash", "busybox", "dash", "fish", "ksh", "mksh", "sh", "zsh"];
/// Words of scripts that are not taken apart: what runs later, elsewhere or by a text that is made up.
const INTRICATE: &[&[u8]] = &[b"case", b"eval", b"function", b"select", b"trap"];
/// Words that begin a command of several, and those that end one (POSIX shell, 2.9.4).
const OPENING: &[&[u8]] = &[b"for", b"if", b"until", b"while", b"{"];
const CLOSING: &[&[u8]] = &[b"done", b"fi", b"}"];
/// Words behind which a command stands, and those of them behind which its failure is an answer.
const LEADING: &[&[u8]] = &[b"!", b"do", b"elif", b"else", b"if", b"then", b"until", b"while", b"{"];
const ASKING: &[&[u8]] = &[b"!", b"elif", b"if", b"until", b"while"];

/// A script, and whether it ends at the first command that fails.
pub struct Script<'a> {
    /// Its text.
    pub text: &'a [u8],
    /// `set -e`, or `-e` before the script.
    pub stops_at_failure: bool,
}

/// A file that a command line runs as a script, as far as the words of it tell.
pub struct ScriptFile {
    /// As it is named.
    pub path: PathBuf,
    /// Whether a shell is named before it; else its first line tells what reads it.
    pub is_behind_shell: bool,
    /// `sh -e FILE`
    pub stops_at_failure: bool,
}

impl ScriptFile {
    /// The file that a command line runs: `sh -e FILE`, `./FILE`.
    #[must_use]
    pub fn of(command: &[OsString]) -> Option<Self> {
        let command = launched(command);
        let first = command.first()?;
        let of = |path: &OsString, is_behind_shell, stops_at_failure| {
            Some(Self { path: path.into(), is_behind_shell, stops_at_failure })
        };
        if !is_shell(first) {
            return of(first, false, false).filter(|file| file.path.components().count() > 1);
        }
        let options = command[1..].iter().take_while(|word| word.as_bytes().starts_with(b"-"));
        let has = |letter| {
            options.clone().any(|word| !word.as_bytes().starts_with(b"--") && word.as_bytes().contains(letter))
        };
        let file = command.get(1 + options.clone().count()).filter(|_| !has(&b'c') && !has(&b's'))?;
        of(file, true, has(&b'e'))
    }
}

/// Whether a script sets `-e` itself.
fn stops_itself(text: &[u8]) -> bool {
    let mut behind = memchr::memmem::find_iter(text, b"set -").map(|at| &text[at + 5..]);
    let first = |rest: &[u8]| rest.split(u8::is_ascii_whitespace).next().is_some_and(|word| word.contains(&b'e'));
    behind.any(first) || memchr::memmem::find(text, b"errexit").is_some()
}

/// What stands between a command and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// `;`, the end of a line, or the end of the script.
    Next,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
}

/// One command of a script, with its arguments and redirections.
#[derive(Debug)]
pub struct Step<'a> {
    /// Its text.
    pub text: &'a [u8],
    /// Which statement of the script it is part of, counted from 0: `a; b && c` has two.
    pub statement: usize,
    /// How many groups, loops and conditions it is in.
    pub depth: usize,
    /// Whether its status is an answer: `if step`, `! step`.
    pub is_asked: bool,
    /// What stands behind it.
    pub joint: Joint,
}

impl<'a> Step<'a> {
    /// Its words without directories and quotation marks, those that set variables or only start the command left out.
    fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        const STARTERS: &[&str] = &["builtin", "command", "env", "sudo", "time"];
        let text = std::str::from_utf8(self.text).unwrap_or_default();
        let names = text.split_ascii_whitespace().map(|word| {
            let word = word.trim_matches(['"', '\'']);
            word.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(word)
        });
        names.skip_while(|word| STARTERS.contains(word) || word.contains('='))
    }

    /// The name of its program, if that is one of these.
    fn is_one_of(&self, programs: &[&str]) -> bool {
        self.words().next().is_some_and(|word| programs.contains(&word))
    }
}

/// Whether a word is the name of a shell.
#[must_use]
pub fn is_shell(word: &OsStr) -> bool {
    let name = Path::new(word).file_name();
    name.is_some_and(|name| SHELLS.iter().any(|shell| name == OsStr::new(shell)))
}

impl<'a> Script<'a> {
    /// The script behind `-c` of a shell, which may stand behind `sudo`, `env` or `timeout`.
    #[must_use]
    pub fn of(command: &'a [OsString]) -> Option<Self> {
        let words = &command[command.iter().position(|word| is_shell(word))? + 1..];
        let options = words.iter().take_while(|word| word.as_bytes().starts_with(b"-")).count();
        let clusters = || words[..options].iter().map(|word| word.as_bytes()).filter(|word| !word.starts_with(b"--"));
        let is_given = clusters().any(|word| word.ends_with(b"c"));
        let text = words.get(options).filter(|_| is_given)?.as_bytes();
        let is_set = clusters().any(|word| word.contains(&b'e'));
        Some(Self { text, stops_at_failure: is_set || stops_itself(text) })
    }

    /// The script in a file; `options` are those of the shell that reads it.
    #[must_use]
    pub fn of_text(text: &'a [u8], options: &ScriptFile) -> Option<Self> {
        let first = text.split(|byte| *byte == b'\n').next().filter(|first| first.starts_with(b"#!"));
        let mut words = first.unwrap_or_default()[first.map_or(0, |_| 2)..].split(u8::is_ascii_whitespace);
        let is_for_shell = words.any(|word| is_shell(OsStr::from_bytes(word)));
        let is_set = words.any(|word| word.starts_with(b"-") && word.contains(&b'e'));
        let is_read = options.is_behind_shell || is_for_shell;
        let stops_at_failure = options.stops_at_failure || is_set || stops_itself(text);
        is_read.then_some(Self { text, stops_at_failure })
    }

    /// Whether a pipe fails where any of its commands does.
    #[must_use]
    pub fn has_pipefail(&self) -> bool {
        memchr::memmem::find(self.text, b"pipefail").is_some()
    }

    /// The commands in their order; none where the script is not plain.
    #[must_use]
    pub fn steps(&self) -> Option<Vec<Step<'a>>> {
        let mut steps = Steps::default();
        let mut at = 0;
        let mut begin = 0;
        while at < self.text.len() {
            let (length, end) = self.token(at)?;
            if let Some(end) = end {
                steps.add(&self.text[begin..at], end)?;
                begin = at + length;
            }
            at += length;
        }
        steps.add(&self.text[begin..], End::Joint(Joint::Next))?;
        (steps.depth == 0).then_some(steps.found)
    }

    /// How many bytes go together at an offset, and what they end. None where they lead out of what is plain.
    fn token(&self, at: usize) -> Option<(usize, Option<End>)> {
        let rest = &self.text[at..];
        let before = at.checked_sub(1).map_or(b'\n', |before| self.text[before]);
        let joint = |length, joint| Some((length, Some(End::Joint(joint))));
        match rest {
            [b'<', b'<', ..] | [b'(', b')', ..] => None,
            [b'\\', ..] => Some((rest.len().min(2), None)),
            [b'\'', inside @ ..] => Some((memchr::memchr(b'\'', inside)? + 2, None)),
            [b'"', inside @ ..] => Some((end_of_quoted(inside)? + 2, None)),
            [b'`', inside @ ..] => Some((memchr::memchr(b'`', inside)? + 2, None)),
            [b'$', b'(', inside @ ..] => Some((end_of_group(inside)? + 3, None)),
            [b'#', ..] if before.is_ascii_whitespace() || before == b';' => {
                Some((memchr::memchr(b'\n', rest).unwrap_or(rest.len()), None))
            }
            [b'&', b'&', ..] => joint(2, Joint::And),
            [b'|', b'|', ..] => joint(2, Joint::Or),
            [b'|', b'&', ..] => joint(2, Joint::Pipe),
            [b'|', ..] if before != b'>' => joint(1, Joint::Pipe),
            [b'&', b'>', ..] => Some((2, None)),
            [b'&', ..] if !matches!(before, b'>' | b'<') => joint(1, Joint::Next),
            [b';' | b'\n', ..] => joint(1, Joint::Next),
            [b'(', ..] => Some((1, Some(End::Opens))),
            [b')', ..] => Some((1, Some(End::Closes))),
            _ => Some((1, None)),
        }
    }
}

/// What ends the text of a command.
#[derive(Clone, Copy)]
enum End {
    Joint(Joint),
    Opens,
    Closes,
}

/// Commands as they are found.
#[derive(Default)]
struct Steps<'a> {
    found: Vec<Step<'a>>,
    statement: usize,
    depth: usize,
}

impl<'a> Steps<'a> {
    fn add(&mut self, text: &'a [u8], end: End) -> Option<()> {
        let (text, is_asked) = self.led(text.trim_ascii())?;
        let joint = if let End::Joint(joint) = end { joint } else { Joint::Next };
        if !text.is_empty() {
            self.found.push(Step { text, statement: self.statement, depth: self.depth, is_asked, joint });
        } else if let (End::Joint(joint), Some(last)) = (end, self.found.last_mut()) {
            // What stands behind a group stands behind its last command.
            last.joint = joint;
        }
        match end {
            End::Opens => self.depth += 1,
            End::Closes => self.depth = self.depth.checked_sub(1)?,
            End::Joint(Joint::Next) if self.depth == 0 => {
                self.statement = self.found.last().map_or(0, |last| last.statement + 1);
            }
            End::Joint(_) => {}
        }
        Some(())
    }

    /// A text behind the words of the language that lead it, and whether one of them asks for its status.
    fn led(&mut self, mut text: &'a [u8]) -> Option<(&'a [u8], bool)> {
        let mut is_asked = false;
        loop {
            let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
            let word = &text[..end];
            if INTRICATE.contains(&word) {
                return None;
            }
            self.depth += usize::from(OPENING.contains(&word));
            if CLOSING.contains(&word) {
                self.depth = self.depth.checked_sub(1)?;
            } else if word == b"for" || text.starts_with(b"#") {
                return Some((b"", is_asked));
            } else if !LEADING.contains(&word) {
                return Some((text, is_asked));
            }
            is_asked |= ASKING.contains(&word);
            text = text[end..].trim_ascii_start();
        }
    }
}

/// The offset of the quotation mark that ends a text.
fn end_of_quoted(inside: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match inside.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The offset of the bracket that ends a command whose output is a word.
fn end_of_group(inside: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    inside.iter().position(|byte| {
        let ends = *byte == b')' && depth == 0;
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Option<Vec<String>> {
        let script = Script { text: text.as_bytes(), stops_at_failure: false };
        let told = |step: &Step| {
            let text = String::from_utf8_lossy(step.text);
            format!("{}{} {text} {:?}", step.statement, if step.is_asked { "?" } else { "" }, step.joint)
        };
        script.steps().map(|steps| steps.iter().map(told).collect())
    }

    #[test]
    fn a_script_is_taken_apart_into_its_commands() {
        for (text, told) in [
            ("a b; c", &["0 a b Next", "1 c Next"][..]),
            (
                "a && b || true\n\nc | d 2>&1; # e; f",
                &["0 a And", "0 b Or", "0 true Next", "1 c Pipe", "1 d 2>&1 Next"],
            ),
            ("if a; then b; fi; c", &["0? a Next", "0 b Next", "1 c Next"]),
            ("for x in 1 2; do a $x; done || b", &["0 a $x Or", "0 b Next"]),
            ("(a; b) || c; { d; }", &["0 a Next", "0 b Or", "0 c Next", "1 d Next"]),
            ("! a 'x; y' \"z; $(b; c)\"; d & e", &["0? a 'x; y' \"z; $(b; c)\" Next", "1 d Next", "2 e Next"]),
        ] {
            assert_eq!(steps(text).as_deref().unwrap_or_default(), told, "{text}");
        }
    }

    #[test]
    fn a_script_that_is_not_plain_is_left_alone() {
        for text in
            ["cat <<E\nE", "f() { a; }; f", "trap a EXIT; b", "a 'b", "a )", "case $x in y) z;; esac", "if a; then b"]
        {
            assert_eq!(steps(text), None, "{text}");
        }
    }

    #[test]
    fn a_script_that_ends_at_a_failure_says_so_before_it_or_in_it() {
        let stops = |words: &[&str]| {
            let command: Vec<OsString> = words.iter().map(OsString::from).collect();
            Script::of(&command).map(|script| script.stops_at_failure)
        };
        assert_eq!(stops(&["sudo", "bash", "-euc", "a; b"]), Some(true));
        assert_eq!(stops(&["sh", "-c", "set -ue; a"]), Some(true));
        assert_eq!(stops(&["/bin/sh", "-c", "set -x; a"]), Some(false));
        assert_eq!((stops(&["sh", "a.sh"]), stops(&["cat", "-c", "a"])), (None, None));
    }

    #[test]
    fn a_script_in_a_file_is_what_a_shell_reads() {
        let stops = |words: &[&str], text: &str| {
            let command: Vec<OsString> = words.iter().map(OsString::from).collect();
            let file = ScriptFile::of(&command)?;
            Script::of_text(text.as_bytes(), &file).map(|script| script.stops_at_failure)
        };
        assert_eq!(stops(&["timeout", "5", "sh", "-ex", "a.sh"], "a\n"), Some(true));
        assert_eq!(stops(&["bash", "a.sh", "-e"], "a\nset -u\n"), Some(false));
        assert_eq!(stops(&["./a", "-e"], "#!/usr/bin/env bash\na\n"), Some(false));
        assert_eq!(stops(&["./a"], "#!/bin/sh -e\na\n"), Some(true));
        assert_eq!(stops(&["./a"], "#!/usr/bin/python3\na\n"), None);
        assert_eq!((stops(&["sh", "-c", "a"], ""), stops(&["make", "a"], "")), (None, None));
    }
}
