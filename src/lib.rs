//! `explain COMMAND…` runs a command as if nothing were in between; when it fails, it says why, from the state of the machine.
//!
//! The way of the data: [`cli`] turns what was typed into an action; [`run`] starts the command, relays its stderr and
//! [`watch`]es the machine; on failure [`clue`] reads the [`transcript`] with the rules; [`diagnose`] lets every [`cause`]
//! suspect and check, through [`probe`]s, which ask the [`machine`]; [`report`] alone makes words of the findings.
//! Arrows point one way: report → diagnose → cause → probe → machine → sys, and run → sys.

pub mod cause;
pub mod cli;
pub mod clue;
pub mod command_line;
pub mod diagnose;
pub mod exit;
mod explain;
pub mod log;
pub mod machine;
pub mod outcome;
pub mod own_rules;
pub mod probe;
pub mod report;
mod rule_commands;
pub mod run;
pub mod sys;
pub mod text;
pub mod transcript;
pub mod watch;

pub use explain::{Failed, Saved, after_failure, cause as tell_cause, own_failure, replay, saved};
pub use rule_commands::{distrust, rule_schema, test_rules, trust};
