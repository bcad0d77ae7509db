//! What is typed wrongly gets a clear answer and 125, and never costs the command its run.
#![expect(
    clippy::disallowed_methods,
    reason = "tests run commands and read what they left; the one door is the product's rule"
)]

mod ci;
mod log;
mod own_rules;
mod test_rules;
mod trust;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

fn explain(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_explain"));
    command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null());
    command.output().expect("explain starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asserts that explain refused with 125, wrote nothing to stdout, and named each of the words.
#[track_caller]
fn assert_refused(output: &Output, words: &[&str]) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(125), "{said}");
    assert!(output.stdout.is_empty(), "stdout: {}", String::from_utf8_lossy(&output.stdout));
    for word in words {
        assert!(said.contains(word), "`{word}` is not named: {said}");
    }
}

fn file(name: &str, content: &[u8]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(name);
    std::fs::write(&path, content).expect("a file");
    (directory, path)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

#[test]
fn an_unknown_option_is_named() {
    assert_refused(&explain(&["--no-such-option", "true"]), &["--no-such-option"]);
}

#[test]
fn a_misspelt_option_is_told_with_the_near_one() {
    assert_refused(&explain(&["--repot", "x", "true"]), &["--repot", "--report"]);
}

#[test]
fn a_missing_command_is_said() {
    assert_refused(&explain(&[]), &["command"]);
    assert_refused(&explain(&["--quiet"]), &["command"]);
    assert_refused(&explain(&["--"]), &["command"]);
}

#[test]
fn an_option_without_its_value_is_named() {
    assert_refused(&explain(&["--report"]), &["--report"]);
}

#[test]
fn a_value_that_an_option_does_not_take_is_named_with_those_it_takes() {
    assert_refused(&explain(&["--format", "xml", "true"]), &["xml", "json"]);
    assert_refused(&explain(&["--log", "/dev/null", "--status", "many"]), &["many", "--status"]);
    assert_refused(&explain(&["--log", "/dev/null", "--status", "256"]), &["256"]);
}

#[test]
fn options_of_the_command_are_the_commands() {
    let output = explain(&["sh", "-c", "echo \"$@\"; exit 3", "sh", "--report", "--help", "-q"]);
    assert_eq!((output.status.code(), &*output.stdout), (Some(3), &b"--report --help -q\n"[..]));
}

#[test]
fn help_and_version_go_to_stdout() {
    for option in ["--help", "-h", "--version", "-V"] {
        let output = explain(&[option]);
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{option}");
        assert!(!output.stdout.is_empty(), "{option}");
    }
    let help = explain(&["--help"]);
    let help = String::from_utf8_lossy(&help.stdout);
    for option in [
        "--report",
        "--format",
        "--color",
        "--log",
        "--replay",
        "--cause",
        "--test-rules",
        "--trust",
        "--distrust",
        "125",
    ] {
        assert!(help.contains(option), "{option} is not in the help: {help}");
    }
}

#[test]
fn a_report_that_cannot_be_written_costs_the_command_nothing() {
    let output =
        explain(&["--report", "/no/such/directory/report.json", "sh", "-c", "echo ran; echo broken >&2; exit 3"]);
    assert_eq!((output.status.code(), &*output.stdout), (Some(3), &b"ran\n"[..]));
    let said = stderr(&output);
    assert!(said.starts_with("broken\n"), "{said}");
    assert!(said.contains("/no/such/directory/report.json: No such file or directory"), "{said}");
}

#[test]
fn a_report_on_a_full_device_costs_the_command_nothing() {
    let output = explain(&["--report", "/dev/full", "sh", "-c", "exit 3"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("/dev/full: No space left on device"), "{}", stderr(&output));
}

#[test]
fn a_report_that_is_not_needed_is_not_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let report = directory.path().join("report.json");
    let output = explain(&["--report", text(&report), "true"]);
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    assert!(!report.exists());
}

#[test]
fn a_report_may_go_to_a_descriptor() {
    let output = explain(&["--report", "/dev/fd/1", "sh", "-c", "exit 3"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report on stdout");
    assert_eq!((&report["schema"], &report["outcome"]["code"]), (&"explain/1".into(), &3.into()));
}

#[test]
fn a_command_that_does_not_exist_ends_as_in_the_shell() {
    assert_eq!(explain(&["no-such-command-anywhere"]).status.code(), Some(127));
    assert_eq!(explain(&["/etc/passwd"]).status.code(), Some(126));
}

#[test]
fn a_missing_log_is_named() {
    let output = explain(&["--log", "/no/such/log", "--status", "1"]);
    assert_refused(&output, &["/no/such/log", "No such file or directory"]);
}

#[test]
fn a_log_that_is_a_directory_is_named() {
    assert_refused(&explain(&["--log", "/etc", "--status", "1"]), &["/etc", "Is a directory"]);
}

#[test]
fn a_log_without_its_status_is_refused() {
    assert_refused(&explain(&["--log", "/dev/null"]), &["--status"]);
}

#[test]
fn an_empty_log_names_no_cause() {
    let output = explain(&["--log", "/dev/null", "--status", "1", "--format", "json"]);
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report on stdout");
    assert_eq!(report["causes"], serde_json::json!([]));
}

#[test]
fn a_log_of_bytes_that_are_no_text_names_no_cause() {
    let noise: Vec<u8> = (0..200_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let (_directory, log) = file("noise", &noise);
    let output = explain(&["--log", text(&log), "--status", "1", "--format", "json"]);
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report on stdout");
    assert_eq!((&report["causes"], &report["stderr"]["bytes"]), (&serde_json::json!([]), &200_000.into()));
}

#[test]
fn a_report_that_is_none_is_refused_with_its_place() {
    assert_refused(&explain(&["--replay", "/no/such/report"]), &["/no/such/report", "No such file or directory"]);
    let (_directory, broken) = file("broken.json", b"{\"schema\": \"explain/1\",\n  oops");
    assert_refused(&explain(&["--replay", text(&broken)]), &["broken.json", "line 2"]);
    let (_directory, foreign) = file("foreign.json", b"{\"schema\": \"other/9\"}");
    assert_refused(&explain(&["--replay", text(&foreign)]), &["foreign.json", "other/9"]);
}

#[test]
fn an_unknown_cause_is_told_with_near_ones() {
    assert_refused(&explain(&["--cause", "inode-exhausted"]), &["inode-exhausted", "inodes-exhausted"]);
}

#[test]
fn without_an_id_all_causes_are_listed() {
    let output = explain(&["--cause"]);
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!((output.status.code(), listed.lines().count()), (Some(0), explain::cause::ALL.len()));
    assert!(listed.contains("\nbusy                        Something uses what is to be unmounted"), "{listed}");
}

#[test]
fn a_cause_has_a_page() {
    let output = explain(&["--cause", "inodes-exhausted"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("df -i"));
}

/// A rule file whose pattern and further lines are given; line 3 is the pattern, line 7 the first further line.
fn rule_file(pattern: &str, further: &str) -> (TempDir, PathBuf) {
    let rule = format!(
        "[[rule]]\nid = \"a-tool\"\npattern = '{pattern}'\nsource = \"a-tool 1.0\"\nsilent = [\"all is well\"]\n\
         fires = [{{ text = \"a-tool: lost x\" }}]\n{further}\n"
    );
    file("a-tool.toml", rule.as_bytes())
}

/// Asserts that a command under these rules ends as without them: nothing is said of a success, and of a failure what is wrong with
/// the rules, behind the command's own words.
#[track_caller]
fn assert_left_out(rules: &str, words: &[&str]) {
    let good = explain(&["--rules", rules, "sh", "-c", "echo fine"]);
    assert_eq!((good.status.code(), &*good.stdout, stderr(&good)), (Some(0), &b"fine\n"[..], String::new()));
    let bad = explain(&["--rules", rules, "sh", "-c", "echo broken >&2; exit 3"]);
    let said = stderr(&bad);
    assert_eq!(bad.status.code(), Some(3), "{said}");
    assert!(said.starts_with("broken\nexplain: "), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is not named: {said}");
    }
}

#[test]
fn a_rule_with_a_broken_pattern_is_left_out_and_told_by_file_line_and_field() {
    let (_directory, rules) = rule_file("a-tool: lost (", "");
    assert_left_out(text(&rules), &["a-tool.toml:3", "pattern"]);
}

#[test]
fn a_rule_with_an_unknown_field_is_left_out_and_told_by_file_line_and_field() {
    let (_directory, rules) = rule_file("a-tool: lost x", "colour = \"red\"");
    assert_left_out(text(&rules), &["a-tool.toml:7", "colour"]);
}

#[test]
fn rules_that_cannot_be_read_are_told() {
    assert_left_out("/no/such/rules", &["/no/such/rules: cannot be read: No such file or directory"]);
    assert_left_out("/dev/null", &["/dev/null: cannot be read: it is no regular file"]);
}

#[test]
fn a_rule_file_whose_examples_hold_passes() {
    let (_directory, rules) = rule_file("a-tool: lost x", "");
    let output = explain(&["--test-rules", text(&rules)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}
