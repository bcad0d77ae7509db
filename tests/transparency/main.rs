//! Nothing but the words after a failure may change: every test runs a command bare and behind `explain`, and compares.
//!
//! Children synchronise on facts (a line in a FIFO, a state in /proc), and every run has a deadline, so that a wrapper that
//! hangs is a failure and not a hang.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]
#![expect(clippy::disallowed_methods, reason = "the tests run commands and look at the machine themselves")]

mod broken_machine;
mod descriptors;
mod endless;
mod fault_injection;
mod harness;
mod job_control;
mod output;
mod processes;
mod scarcity;
mod signals;
#[path = "../skipped/mod.rs"]
mod skipped;
mod status;
mod system_calls;
