//! What was typed. Flags alone, no subcommands: whatever follows the options is somebody's command, and its own options are
//! not ours to read.

use crate::outcome::Outcome;
use crate::run::capture::Wish;
use clap::{CommandFactory, Parser, ValueEnum};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Runs a command as if nothing were in between; when it fails, says why, from the state of the machine.
#[derive(Clone, Debug, Default, Parser)]
#[command(
    name = "explain",
    version,
    override_usage = "explain [OPTIONS] [--] COMMAND [ARG]...\n       explain --log FILE... --status N [--command CMD]\n       explain --replay REPORT"
)]
#[command(
    after_help = "The exit status is the command's own: 125 when explain itself cannot work, 126 and 127 as the shell has them."
)]
pub struct Options {
    /// No report on stderr
    #[arg(short, long)]
    pub quiet: bool,
    /// Also what was checked and ruled out
    #[arg(short, long)]
    pub verbose: bool,
    /// Write the report as JSON on failure (FILE may be /dev/fd/N)
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// How the report is written: text or json
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub format: Format,
    /// When colours are used: auto, always or never
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub color: Color,
    /// How the command's stderr is read: auto, pty, pipe or none
    #[arg(long, value_enum, value_name = "WAY", default_value = "auto", hide_possible_values = true)]
    pub capture: Capture,
    /// A rule file or a directory of rule files, beside those that are found (see docs/rules.md)
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Explain saved output against the machine as it is, or as --replay REPORT has it (- is standard input; gzip and zstd too)
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["cause", "test_rules", "trust", "distrust"])]
    pub log: Vec<PathBuf>,
    /// With --log: the exit status that the command had
    #[arg(long, value_name = "N", requires = "log", value_parser = clap::value_parser!(i32).range(0..=255))]
    pub status: Option<i32>,
    /// With --log: the command that was run
    #[arg(long, value_name = "CMD", requires = "log")]
    pub command: Option<OsString>,
    /// Repeat a report's diagnosis from the state that it recorded
    #[arg(long, value_name = "REPORT", group = "action")]
    pub replay: Option<PathBuf>,
    /// What a cause is, how it is checked and fixed; without ID, which causes there are
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "", group = "action")]
    pub cause: Option<String>,
    /// Run the examples of a rule directory
    #[arg(long, value_name = "DIR", group = "action")]
    pub test_rules: Option<PathBuf>,
    /// Print the JSON Schema of rule files, for editors
    #[arg(long, group = "action")]
    pub rule_schema: bool,
    /// Trust the rules of the project in DIR (default: here) as they are now
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".", group = "action")]
    pub trust: Option<PathBuf>,
    /// Trust them no longer
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".", group = "action")]
    pub distrust: Option<PathBuf>,
}

/// How the report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How the command's stderr is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Capture {
    /// The best way that changes nothing for the command.
    #[default]
    Auto,
    /// Through a terminal of the command's own, where stderr is a terminal.
    Pty,
    /// Through a pipe.
    Pipe,
    /// Not at all: the report knows no text.
    None,
}

impl From<Capture> for Wish {
    fn from(asked: Capture) -> Self {
        match asked {
            Capture::Auto => Self::Auto,
            Capture::Pty => Self::Pty,
            Capture::Pipe => Self::Pipe,
            Capture::None => Self::None,
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Run a command.
    Run(Vec<OsString>),
    /// Explain saved output.
    Log {
        /// Where it is; `-` is standard input.
        files: Vec<PathBuf>,
        /// How the command ended; none where a report tells.
        outcome: Option<Outcome>,
        /// The command, where it is known.
        command: Vec<OsString>,
        /// The report that tells of the machine, where it is not this one.
        against: Option<PathBuf>,
    },
    /// Repeat a report's diagnosis.
    Replay(PathBuf),
    /// Tell what a cause is; with no id, which there are.
    Cause(String),
    /// Run the examples of a rule directory.
    TestRules(PathBuf),
    /// Tell what a rule file may hold.
    RuleSchema,
    /// Use the rules of a project from now on.
    Trust(PathBuf),
    /// Use them no longer.
    Distrust(PathBuf),
}

/// Reads the arguments after the program's own name.
///
/// # Errors
/// What is wrong with them, as text for the terminal; help and version come this way too.
pub fn parse(arguments: &[OsString]) -> Result<(Options, Action), clap::Error> {
    let (own, command) = split(arguments);
    let options = Options::try_parse_from(std::iter::once(OsString::from("explain")).chain(own.iter().cloned()))?;
    let action = action(&options, command)?;
    Ok((options, action))
}

/// Where the options end and the command begins: at `--`, or at the first word that is no option and no option's value. `--log` takes all
/// words up to the next option, as a shell makes them of `*.log`.
fn split(arguments: &[OsString]) -> (&[OsString], &[OsString]) {
    let mut at = 0;
    while let Some(word) = arguments.get(at) {
        let bytes = word.as_bytes();
        if bytes == b"--" {
            return (&arguments[..at], &arguments[at + 1..]);
        }
        if !is_option(word) {
            break;
        }
        at += 1 + usize::from(takes_next(word));
        if bytes == b"--log" {
            at += arguments.iter().skip(at).take_while(|word| !is_option(word)).count();
        }
    }
    arguments.split_at(at.min(arguments.len()))
}

fn is_option(word: &OsStr) -> bool {
    word.as_bytes().starts_with(b"-") && word != "-"
}

/// Whether an option's value is the next word.
fn takes_next(word: &OsStr) -> bool {
    let Some(name) = word.to_str().and_then(|word| word.strip_prefix("--")) else { return false };
    let known = Options::command();
    known.get_arguments().any(|argument| argument.get_long() == Some(name) && argument.get_action().takes_values())
}

fn action(options: &Options, command: &[OsString]) -> Result<Action, clap::Error> {
    let asked = if !options.log.is_empty() {
        Some(log(options)?)
    } else if let Some(file) = &options.replay {
        Some(Action::Replay(file.clone()))
    } else if let Some(id) = &options.cause {
        Some(Action::Cause(id.clone()))
    } else if options.rule_schema {
        Some(Action::RuleSchema)
    } else if let Some(directory) = &options.trust {
        Some(Action::Trust(directory.clone()))
    } else if let Some(directory) = &options.distrust {
        Some(Action::Distrust(directory.clone()))
    } else {
        options.test_rules.clone().map(Action::TestRules)
    };
    match (asked, command) {
        (None, []) => Err(wrong("no command was given")),
        (None, command) => Ok(Action::Run(command.to_vec())),
        (Some(action), []) => Ok(action),
        (Some(_), [word, ..]) => Err(wrong(&format!("a command ({}) does not go with this option", word.display()))),
    }
}

fn log(options: &Options) -> Result<Action, clap::Error> {
    if options.status.is_none() && options.replay.is_none() {
        return Err(wrong("--log needs --status N, the exit status that the command had"));
    }
    Ok(Action::Log {
        files: options.log.clone(),
        outcome: options.status.map(|code| Outcome::Exited { code }),
        command: options.command.iter().flat_map(|line| words(line)).collect(),
        against: options.replay.clone(),
    })
}

fn wrong(message: &str) -> clap::Error {
    Options::command().error(clap::error::ErrorKind::ValueValidation, message)
}

/// The words of a command line as it was typed; quotes keep words together, nothing is expanded.
fn words(line: &OsStr) -> Vec<OsString> {
    use std::os::unix::ffi::OsStringExt;
    let (mut words, mut word, mut quote) = (Vec::new(), None::<Vec<u8>>, None);
    for &byte in line.as_bytes() {
        match (byte, quote) {
            (b'\'' | b'"', None) => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (byte, Some(open)) if byte == open => quote = None,
            (b' ' | b'\t' | b'\n', None) => words.extend(word.take()),
            (byte, _) => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words.into_iter().map(OsString::from_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<(Options, Action), clap::Error> {
        parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    fn runs(line: &str) -> Vec<String> {
        match parsed(line).unwrap().1 {
            Action::Run(command) => command.into_iter().map(|word| word.into_string().unwrap()).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_of_the_command_are_left_alone() {
        assert_eq!(runs("ls --report x -q"), ["ls", "--report", "x", "-q"]);
        assert_eq!(runs("-q --report x -- -odd -v"), ["-odd", "-v"]);
        assert_eq!(runs("--report=x ls"), ["ls"]);
        assert_eq!(runs("help"), ["help"]);
    }

    #[test]
    fn an_unknown_option_is_no_command() {
        assert!(parsed("--bogus ls").unwrap_err().to_string().contains("--bogus"));
    }

    #[test]
    fn a_missing_command_is_said() {
        assert!(parsed("-q").unwrap_err().to_string().contains("no command"));
    }

    #[test]
    fn a_log_needs_its_status_and_takes_no_command() {
        assert!(parsed("--log x").is_err());
        assert!(parsed("--log x --status 1 ls").is_err());
        assert!(parsed("--log x --status 1 --cause y").is_err());
        assert!(matches!(
            parsed("--log x --status 2 --command ls").unwrap().1,
            Action::Log { outcome: Some(Outcome::Exited { code: 2 }), .. }
        ));
    }

    #[test]
    fn logs_may_be_several_and_judged_against_a_report() {
        let action = parsed("--log a --log b --replay r").unwrap().1;
        let Action::Log { files, outcome: None, against: Some(_), .. } = action else { panic!("{action:?}") };
        assert_eq!(files, [PathBuf::from("a"), PathBuf::from("b")]);
        for line in ["--log a b - --status 1", "--status 1 --log a b -", "--log a --status 1 --log b -"] {
            let Action::Log { files, .. } = parsed(line).unwrap().1 else { panic!("{line}") };
            assert_eq!(files, ["a", "b", "-"].map(PathBuf::from), "{line}");
        }
    }

    #[test]
    fn quotes_keep_the_words_of_a_command_line_together() {
        assert_eq!(words(OsStr::new("sh -c 'a b' \"\"")), ["sh", "-c", "a b", ""].map(OsString::from));
    }
}
