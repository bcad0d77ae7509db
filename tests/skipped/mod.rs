//! What becomes of a test that this machine cannot run: it is said by name, never silent.

use std::io::Write;

/// Says that a test is skipped and why: to stderr itself, past the capture of the test runner, which hides what passing tests
/// print; and to the file of `tests/run`. Panics where root on Debian could avoid it and `EXPLAIN_TESTS_MUST_RUN` is set.
#[track_caller]
pub fn skip(test: &str, reason: &str, is_avoidable: bool) {
    let is_forbidden = is_avoidable && std::env::var_os("EXPLAIN_TESTS_MUST_RUN").is_some();
    assert!(!is_forbidden, "{test} must run here: {reason}");
    let line = format!("skipped: {test}: {reason}\n");
    std::io::stderr().write_all(line.as_bytes()).expect("stderr takes a line");
    let Some(path) = std::env::var_os("EXPLAIN_TESTS_SKIPPED") else { return };
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("EXPLAIN_TESTS_SKIPPED names a file to append to");
}
