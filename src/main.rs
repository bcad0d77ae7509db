//! `explain COMMAND…`: parse, run, explain, end as the child ended.
//!
//! The program has the C library's `main` and not Rust's: before that one runs, the standard library opens /dev/null over
//! closed descriptors and ignores SIGPIPE, and the command would notice both.
#![no_main]
#![expect(unsafe_code, reason = "a name that is not mangled, by which the C library calls main; no block is unsafe")]

#[cfg(target_arch = "x86_64")]
mod entry;

use explain::cli::{self, Action, Options};
use explain::report::ReportFile;
use explain::run::early;
use explain::sys::argv::Argv;
use explain::sys::memory::Allocator;
use explain::{
    Failed, Saved, after_failure, distrust, exit, replay, rule_schema, run, saved, tell_cause, test_rules, trust,
};
use std::ffi::{OsStr, OsString, c_int};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Called by the C library with what the kernel laid out.
#[unsafe(no_mangle)]
pub extern "C" fn main(_count: c_int, arguments: Argv) -> c_int {
    early::follow_whatever_happens();
    let arguments = arguments.skip(1);
    match arguments.first() {
        // Almost every run: no option is read, and nothing is allocated before the command has started.
        Some(word) if !word.to_bytes().starts_with(b"-") => run_and_explain(&Options::default(), arguments),
        _ => act(arguments),
    }
}

fn act(arguments: Argv) -> c_int {
    let words = owned(arguments);
    let (options, action) = match cli::parse(&words) {
        Ok(parsed) => parsed,
        Err(error) => return refused(&error),
    };
    match &action {
        Action::Run(command) => run_and_explain(&options, arguments.skip(words.len() - command.len())),
        Action::Cause(id) => tell_cause(id),
        Action::Log { files, outcome, command, against } => {
            saved(&options, &Saved { files, outcome: outcome.as_ref(), command, against: against.as_deref() })
        }
        Action::Replay(report) => replay(&options, report),
        Action::TestRules(directory) => test_rules(directory),
        Action::RuleSchema => rule_schema(),
        Action::Trust(directory) => trust(directory),
        Action::Distrust(directory) => distrust(directory),
    }
}

fn run_and_explain(options: &Options, command: Argv) -> c_int {
    let file = options.report.as_deref().map(ReportFile::new);
    let Some(ran) = run::run(command, options.capture.into()) else { exit::end_as_decided() };
    let outcome = ran.outcome.clone();
    after_failure(options, &owned(command), Failed { ran: *ran, file });
    exit::end_as_the_child(&outcome)
}

fn owned(words: Argv) -> Vec<OsString> {
    words.words().map(OsStr::to_owned).collect()
}

/// Help and version are answers; anything else is explain's own failure.
fn refused(error: &clap::Error) -> c_int {
    let _ = error.print();
    if error.use_stderr() { exit::OWN_FAILURE } else { 0 }
}
