//! `explain COMMAND…`: parse, run, explain, end as the child ended.

use explain::cli::{self, Action, Options};
use explain::clue::Library;
use explain::{after_failure, exit, log, own_failure, replay, run, tell_cause};
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (options, action) = match cli::parse(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return ExitCode::from(refused(&error)),
    };
    let status = match &action {
        Action::Run(command) => run_and_explain(&options, command),
        Action::Cause(id) => tell_cause(id),
        Action::Log { file, outcome, command } => log(&options, file, outcome, command, &Library::builtin()),
        Action::Replay(report) => replay(&options, report, &Library::builtin()),
        Action::TestRules(directory) => own_failure(&format!("{}: no rules", directory.display())),
    };
    ExitCode::from(u8::try_from(status).unwrap_or(1))
}

fn run_and_explain(options: &Options, command: &[OsString]) -> i32 {
    let ran = run::run(command);
    if !ran.outcome.is_success() {
        after_failure(options, command, ran, &Library::builtin());
    }
    0
}

/// Help and version are answers; anything else is explain's own failure.
fn refused(error: &clap::Error) -> u8 {
    let _ = error.print();
    if error.use_stderr() { u8::try_from(exit::OWN_FAILURE).unwrap_or(1) } else { 0 }
}
