//! Exit statuses that programs document: some are an answer and no failure, some tell what failed where nothing was said.

use crate::clue::Clue;
use crate::clue::written::{Benign, Exit, schema};
use crate::command_line::launched;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What is known of exit statuses; later entries count before earlier ones.
#[derive(Debug, Default)]
pub struct Exits {
    pub benign: Vec<Benign>,
    pub telling: Vec<Exit>,
}

impl Exits {
    pub(in crate::clue) fn add(&mut self, file: &schema::File) {
        self.benign.extend(file.benign.iter().map(Benign::from));
        self.telling.extend(file.exit.iter().map(Exit::from));
    }

    pub(in crate::clue) fn benign(&self, command: &[impl AsRef<OsStr>], status: i32) -> Option<&Benign> {
        let holds = |benign: &&Benign| {
            is_of(&benign.program, &benign.status, command, status) && has_one(&benign.arguments, command)
        };
        self.benign.iter().rev().find(holds)
    }

    pub(in crate::clue) fn clue(&self, command: &[impl AsRef<OsStr>], status: i32) -> Option<Clue> {
        let exit = self.telling(command, status)?;
        Some(Clue {
            operation: exit.operation,
            path: value_of(&exit.option, command),
            program: Some(exit.program.clone()),
            suspects: exit.suspects.clone(),
            vague: exit.vague,
            rule: "exit".into(),
            ..Clue::default()
        })
    }

    fn telling(&self, command: &[impl AsRef<OsStr>], status: i32) -> Option<&Exit> {
        let holds =
            |exit: &&Exit| is_of(&exit.program, &exit.status, command, status) && has_one(&exit.arguments, command);
        self.telling.iter().rev().find(holds)
    }

    /// Whether a status tells that a server answered with an error.
    pub(in crate::clue) fn is_answered(&self, command: &[impl AsRef<OsStr>], status: i32) -> bool {
        self.telling(command, status).is_some_and(|exit| exit.answered)
    }
}

/// Whether a status is a known one of the program that the command line starts, itself or by another that ends as it does.
fn is_of(program: &str, known: &[i32], command: &[impl AsRef<OsStr>], status: i32) -> bool {
    let is_first = |command: &[_]| {
        let first = command.first().map(AsRef::<OsStr>::as_ref).map(OsStr::as_bytes);
        first.and_then(|first| first.rsplit(|byte| *byte == b'/').next()) == Some(program.as_bytes())
    };
    known.contains(&status) && (is_first(command) || is_first(launched(command)))
}

/// Whether one of the arguments is given, all words of it; none are wanted: whatever is.
fn has_one(wanted: &[String], command: &[impl AsRef<OsStr>]) -> bool {
    let has = |word: &str| command.iter().skip(1).any(|given| gives(given.as_ref().as_bytes(), word.as_bytes()));
    wanted.is_empty() || wanted.iter().any(|words| words.split(' ').all(has))
}

/// Whether a word is an argument, or short options in one word of which it is one: `-re` gives `-e`.
fn gives(word: &[u8], argument: &[u8]) -> bool {
    /// More letters in one word are a long option with one dash (`-detailed-exitcode`) or an option with its value.
    const CLUSTER: usize = 5;
    match (word, argument) {
        ([b'-', letters @ ..], [b'-', letter]) if letters.len() <= CLUSTER => {
            letters.iter().all(u8::is_ascii_alphanumeric) && letters.contains(letter)
        }
        _ => word == argument,
    }
}

/// The value of the first option that is given: `-o FILE`, `-oFILE`, `--output FILE`, `--output=FILE`. `-` is a stream and no path.
fn value_of(options: &[String], command: &[impl AsRef<OsStr>]) -> Option<PathBuf> {
    let words = command.iter().map(|word| word.as_ref().as_bytes());
    let mut pairs = words.clone().zip(words.skip(1).map(Some).chain([None])).skip(1);
    let value = pairs.find_map(|(word, next)| {
        let option = options.iter().find(|option| word.starts_with(option.as_bytes()))?;
        match &word[option.len()..] {
            [] => next,
            [b'=', value @ ..] if option.starts_with("--") => Some(value),
            glued if !option.starts_with("--") => Some(glued),
            _ => None,
        }
    })?;
    (value != b"-").then(|| PathBuf::from(OsStr::from_bytes(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(command: &str) -> Option<PathBuf> {
        let words: Vec<&str> = command.split(' ').collect();
        value_of(&["-o".into(), "--output".into()], &words)
    }

    #[test]
    fn the_path_is_the_value_of_an_option() {
        for command in ["curl -s -o x/y u", "curl -ox/y u", "curl --output x/y u", "curl --output=x/y u"] {
            assert_eq!(path_of(command), Some("x/y".into()), "{command}");
        }
    }

    #[test]
    fn a_status_is_that_of_the_program_behind_a_launcher() {
        let of = |words: &[&str]| is_of("grep", &[1], words, 1);
        assert!(of(&["timeout", "5", "grep", "x"]) && !of(&["timeout", "5", "make", "grep"]));
    }

    #[test]
    fn a_short_option_is_given_among_others() {
        for (word, argument) in [("-e", "-e"), ("-re", "-e"), ("--check", "--check"), ("-check", "-check")] {
            assert!(gives(word.as_bytes(), argument.as_bytes()), "{word}");
        }
        for (word, argument) in
            [("--e", "-e"), ("-style=e", "-e"), ("-detailed-exitcode", "-e"), ("e", "-e"), ("--checks", "--check")]
        {
            assert!(!gives(word.as_bytes(), argument.as_bytes()), "{word}");
        }
    }

    #[test]
    fn a_stream_another_option_and_a_missing_value_are_no_path() {
        for command in ["curl -o - u", "curl --output-dir x u", "curl u -o", "-o x"] {
            assert_eq!(path_of(command), None, "{command}");
        }
    }
}
