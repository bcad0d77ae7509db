//! `--test-rules` speaks as compilers do: file, line, what is wrong in which field; then a summary; then its status.

use super::own_rules::{Homes, rule, run};
use super::{assert_refused, stderr};

/// The status, what was said on stdout and on stderr, of a test of one file `rules/own.toml`.
fn tested(text: &str) -> (i32, String, String) {
    let homes = Homes::new();
    homes.write("rules/own.toml", text);
    let output = run(homes.explain(&["--test-rules", "rules"]));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap_or(-1), said, stderr(&output))
}

#[track_caller]
fn assert_told(text: &str, status: i32, told: &str, summary: &str) {
    let (ended, said, complaints) = tested(text);
    assert!(complaints.contains(told), "`{told}` is not in: {complaints}");
    assert_eq!((ended, said.as_str()), (status, summary), "{complaints}");
}

#[test]
fn rules_that_hold_are_counted() {
    assert_eq!(tested(&rule("frob", "busy")), (0, "1 rule, 2 examples, 0 errors, 0 warnings\n".into(), String::new()));
}

#[test]
fn an_example_that_does_not_hold_is_told_with_its_line() {
    let text = rule("frob", "busy").replace("text = \"frob: lost it\"", "text = \"frob: found it\"");
    assert_told(
        &text,
        1,
        "rules/own.toml:6: error: frob: does not fire in",
        "1 rule, 2 examples, 1 error, 0 warnings\n",
    );
    let text = rule("frob", "busy").replace("frob: lost its way", "frob: lost it");
    assert_told(&text, 1, "rules/own.toml:7: error: frob: fires in", "1 rule, 2 examples, 1 error, 0 warnings\n");
}

#[test]
fn a_cause_that_does_not_exist_is_told_with_near_ones() {
    let told = "rules/own.toml:4: error: frob: suspects: no cause has the id stale-locks (near ones: stale-lock";
    assert_told(&rule("frob", "stale-locks"), 1, told, "1 rule, 2 examples, 1 error, 0 warnings\n");
}

#[test]
fn an_id_that_is_given_twice_is_a_warning() {
    let told = "rules/own.toml:2: warning: frob: id: a later rule has it too, and this one does not count";
    assert_told(&rule("frob", "busy").repeat(2), 0, told, "1 rule, 2 examples, 0 errors, 1 warning\n");
}

#[test]
fn an_example_without_a_field_is_told_how_to_write_it() {
    let text = rule("frob", "busy").replace("{ text = \"frob: lost it\" }", "\"frob: lost it\"");
    let told = "expected a table, as { text = \"…\" } in `fires`";
    assert_told(&text, 1, told, "0 rules, 0 examples, 1 error, 0 warnings\n");
}

#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    let homes = Homes::new();
    homes.write("rules/own.toml", &rule("frob", "busy"));
    let made = std::process::Command::new("mkfifo").arg(homes.path("rules/pipe.toml")).status();
    assert!(made.expect("mkfifo").success());
    let output = run(homes.explain(&["--test-rules", "rules"]));
    assert!(stderr(&output).contains("pipe.toml: error: cannot be read: it is no regular file"), "{output:?}");
}

#[test]
fn a_field_of_another_kind_is_told_with_its_name() {
    let text = rule("frob", "busy") + "vague = \"yes\"\n" + &rule("frib", "busy");
    let told = "rules/own.toml:8: error: invalid type: string \"yes\", expected a boolean in `vague`";
    assert_told(&text, 1, told, "1 rule, 2 examples, 1 error, 0 warnings\n");
}

#[test]
fn a_pattern_that_would_be_asked_of_every_line_is_refused() {
    let text = rule("frob", "busy").replace("^frob: lost it$", "^.*$");
    let told = "rules/own.toml:3: error: pattern needs a literal of two letters or {errno}";
    assert_told(&text, 1, told, "0 rules, 0 examples, 1 error, 0 warnings\n");
}

#[test]
fn a_pattern_that_is_too_large_is_told() {
    let text = rule("frob", "busy").replace("^frob: lost it$", "^frob: lost it(?:[a-z]{900}){90}?");
    let (status, _, told) = tested(&text);
    assert!(status == 1 && told.contains("own.toml:2: error: frob: pattern: it is too large"), "{told}");
}

#[test]
fn an_id_that_a_built_in_rule_has_is_a_warning() {
    let text = rule("frob", "busy").replace("id = \"frob\"", "id = \"c-perror\"");
    let told = "rules/own.toml:2: warning: c-perror: id: a built-in rule has it too";
    assert_told(&text, 0, told, "1 rule, 2 examples, 0 errors, 1 warning\n");
}

#[test]
fn a_rule_without_examples_is_a_warning() {
    let text = rule("frob", "busy");
    let at = text.find("fires").unwrap_or_default();
    let text = text[..at].to_owned() + "fires = []\nsilent = []\n";
    assert_told(
        &text,
        0,
        "rules/own.toml:2: warning: frob: fires: there is no",
        "1 rule, 0 examples, 0 errors, 2 warnings\n",
    );
}

#[test]
fn a_rule_that_fires_in_what_is_silent_for_another_is_a_warning() {
    let text = rule("frob", "busy") + &rule("frib", "busy").replace("frib: lost its way", "frob: lost it");
    let told = "rules/own.toml:14: warning: frob fires in what must be silent for frib";
    assert_told(&text, 0, told, "2 rules, 4 examples, 0 errors, 1 warning\n");
}

#[test]
fn what_cannot_be_tested_is_refused() {
    let homes = Homes::new();
    homes.write("empty/README", "");
    assert_refused(&run(homes.explain(&["--test-rules", "empty"])), &["empty holds no rules"]);
    assert_refused(&run(homes.explain(&["--test-rules", "no/such"])), &["no/such: error: cannot be read"]);
}

#[test]
fn the_schema_is_printed_for_editors() {
    let output = run(Homes::new().explain(&["--rule-schema"]));
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a schema");
    assert!(schema["definitions"]["Rule"]["properties"]["pattern"]["description"].is_string(), "{schema}");
}
