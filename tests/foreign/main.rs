//! Test suites of other projects judge whether explain is in the way: `tests/foreign/run` compares which of their tests fail
//! behind `env` and behind `explain --quiet`. Those that take longer, or have to be fetched, are run by hand (CONTRIBUTING.md).
#![expect(clippy::disallowed_methods, reason = "the tests run commands")]

use std::process::Command;

#[path = "../skipped/mod.rs"]
mod skipped;

#[test]
fn of_pythons_own_tests_the_same_fail_behind_explain_as_behind_env() {
    for (need, command) in
        [("Python's test suite", "/usr/bin/python3 -c 'import test.test_subprocess'"), ("a C compiler", "cc --version")]
    {
        if !Command::new("sh").args(["-c", command]).output().unwrap().status.success() {
            return skipped::skip("foreign", &format!("{need} is not installed"), true);
        }
    }
    let done = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/run"))
        .arg("cpython")
        .env("EXPLAIN", env!("CARGO_BIN_EXE_explain"))
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}
