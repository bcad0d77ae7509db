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
fn causes_of_exits_and_fallbacks_are_looked_up_too() {
    let text = "[[fallback]]\nerrno = \"EIO\"\nsuspects = [\"bisy\"]\n";
    let told = "rules/own.toml:3: error: EIO: suspects: no cause has the id bisy (near ones: busy)";
    assert_told(text, 1, told, "0 rules, 0 examples, 1 error, 0 warnings\n");
    let text = "[[exit]]\nprogram = \"frob\"\nstatus = [300]\nmeaning = \"m\"\nsuspects = [\"qqq\"]\nsource = \"run\"\nfires = [\"frob\"]\n";
    let (_, _, told) = tested(text);
    assert!(
        told.contains("own.toml:5: error: frob: suspects: no cause has the id qqq (explain --cause lists all)"),
        "{told}"
    );
    assert!(told.contains("own.toml:3: error: frob: status: 300 is none of a failure"), "{told}");
}

#[test]
fn placeholders_that_a_field_does_not_know_are_told() {
    for (field, told) in [
        ("path = \"{pth}.lock\"", "path has an unknown placeholder {pth}, known: path"),
        (
            "looked-in = [\"$HOME\", \"${-I}\", \"{othr}/..\"]",
            "looked-in has an unknown placeholder {othr}, known: other,",
        ),
        ("looked-for = [\"{path}\", \"{name}.js\"]", "looked-for has an unknown placeholder {name}, known: path,"),
        ("log = \"{cwd}/a.log\"", "log has an unknown placeholder {cwd}, known: path, subject"),
    ] {
        let text = rule("frob", "busy") + field + "\n";
        assert_told(&text, 1, &format!("own.toml:8: error: frob: {told}"), "1 rule, 2 examples, 1 error, 0 warnings\n");
    }
}

#[test]
fn an_id_with_blanks_is_none() {
    let text = rule("frob", "busy").replace("id = \"frob\"", "id = \"Frob it\"");
    assert_told(&text, 1, "own.toml:2: error: Frob it: id: it needs", "1 rule, 2 examples, 1 error, 0 warnings\n");
}

#[test]
fn a_source_that_nobody_can_follow_and_an_example_that_is_not_run_are_warnings() {
    let text =
        rule("frob", "busy").replace("\"run\"", "\"from memory\"").replace("it\" }", "it\", locale = \"xx_YY\" }");
    let (status, _, told) = tested(&text);
    assert!(
        told.contains("own.toml:2: warning: frob: source: it names no file, manual page, run or address"),
        "{told}"
    );
    assert!(
        told.contains("own.toml:6: warning: frob: this example was not run: there is no locale xx_YY here"),
        "{told}"
    );
    assert_eq!(status, 0);
}

#[test]
fn a_rule_that_fires_in_what_is_silent_for_a_built_in_one_is_a_warning() {
    // The silent example of tar-entry.
    let text = rule("frob", "busy").replace("^frob: lost it$", "(?:^tar: Exiting with failure|^frob: lost it$)");
    let told = "own.toml:2: warning: frob fires in what must be silent for the built-in tar-entry: \"tar: Exiting";
    let (status, _, complaints) = tested(&text);
    assert!(status == 0 && complaints.contains(told), "{complaints}");
}

#[test]
fn what_a_run_leaves_out_is_left_out_here() {
    let homes = Homes::new();
    homes.write("rules/own.toml", &rule("frob", "busy"));
    homes.write("rules/.own.toml", "no rule");
    std::fs::write(homes.path("rules/latin.toml"), b"# a\n# \xe4\n").expect("a file");
    std::fs::File::create(homes.path("rules/large.toml")).and_then(|file| file.set_len(9 << 20)).expect("a file");
    let told = stderr(&run(homes.explain(&["--test-rules", "rules"])));
    let expected = "rules/large.toml: error: cannot be read: it is larger than 8 MiB\nrules/latin.toml:2: error: left out: this is no UTF-8\n";
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(expected.lines().all(|line| lines.contains(&line)), "{told}");
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
