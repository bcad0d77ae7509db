//! Programs that live on a terminal, each played twice by the same keys: bare, and behind explain with a terminal of its own.
//! What stands on the screen at the end, the exit status and the terminal's modes must be the same.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]
#![expect(clippy::disallowed_methods, reason = "the tests run commands and look at the machine themselves")]

mod broken_machine;
mod builds;
mod ends;
mod jobs;
mod passwords;
mod programs;
mod screen;
#[path = "../skipped/mod.rs"]
mod skipped;
mod windows;
