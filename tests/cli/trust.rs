//! The rules of a project count when the user has trusted them, and only as they were then.

use super::own_rules::{Homes, rule, run};
use super::{assert_refused, file, stderr, text};
use std::process::Output;

/// A home, and a project with a rule that names a cause for `frob: lost it`.
fn project() -> Homes {
    let homes = Homes::new();
    homes.write("project/.git/HEAD", "");
    homes.write("project/src/main.c", "");
    homes.rule("project/.explain/rules/a.toml", "stale-lock");
    homes
}

fn explain(homes: &Homes, directory: &str, arguments: &[&str]) -> Output {
    let mut command = homes.explain(arguments);
    command.current_dir(homes.path(directory));
    run(command)
}

/// What is said of `frob: lost it` and beside it.
fn explained(homes: &Homes, directory: &str) -> String {
    let (_directory, log) = file("log", b"frob: lost it\n");
    let output = explain(homes, directory, &["--log", text(&log), "--status", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output)
}

#[track_caller]
fn answer(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Asserts that no rule explained it, and that the rules which nobody trusts are told to who asked.
#[track_caller]
fn assert_unused(said: &str) {
    assert!(said.starts_with("explain: no cause found\n") && said.ends_with("explain --trust)\n"), "{said}");
}

#[test]
fn rules_of_a_project_count_from_anywhere_in_it_once_they_are_trusted() {
    let homes = project();
    assert_unused(&explained(&homes, "project/src"));
    let said = answer(&explain(&homes, "project/src", &["--trust"]));
    assert!(said.contains("project/.explain/rules/a.toml"), "{said}");
    assert!(explained(&homes, "project/src").contains("stale lock"));
    assert!(explained(&homes, "project").contains("stale lock"));
    assert_eq!(explained(&homes, "."), "explain: no cause found\n");
}

#[test]
fn rules_that_change_are_not_trusted_any_more() {
    let homes = project();
    answer(&explain(&homes, ".", &["--trust", "project"]));
    homes.write("project/.explain/rules/b.toml", &rule("frib", "busy"));
    assert_unused(&explained(&homes, "project"));
    answer(&explain(&homes, ".", &["--trust", "project"]));
    assert!(explained(&homes, "project").contains("stale lock"));
    homes.rule("project/.explain/rules/a.toml", "busy");
    assert_unused(&explained(&homes, "project"));
}

#[test]
fn trust_is_taken_back() {
    let homes = project();
    answer(&explain(&homes, "project", &["--trust"]));
    assert!(answer(&explain(&homes, "project", &["--distrust"])).contains("is not trusted any more"));
    assert_unused(&explained(&homes, "project"));
    assert!(answer(&explain(&homes, "project", &["--distrust"])).contains("was not trusted"));
}

#[test]
fn untrusted_rules_are_mentioned_beside_an_explanation_and_to_who_asks() {
    let homes = project();
    homes.write("home/.config/explain/rules/a.toml", &rule("frob", "busy"));
    let said = explained(&homes, "project");
    assert!(said.ends_with("are not trusted (read them, then: explain --trust)\n"), "{said}");
    answer(&explain(&homes, "project", &["--trust"]));
    homes.rule("project/.explain/rules/a.toml", "text-encoding");
    let said = explained(&homes, "project");
    assert!(said.ends_with("have changed since they were trusted (read them, then: explain --trust)\n"), "{said}");
    for command in ["exit 0", "exit 3"] {
        assert_eq!(stderr(&explain(&homes, "project", &["sh", "-c", command])), "");
    }
    assert!(stderr(&explain(&homes, "project", &["-v", "sh", "-c", "exit 3"])).contains("explain --trust"));
}

#[test]
fn trust_that_others_can_give_does_not_count() {
    let homes = project();
    answer(&explain(&homes, "project", &["--trust"]));
    homes.allow("home/.local/state/explain/trusted", 0o777);
    assert_unused(&explained(&homes, "project"));
    homes.allow("home/.local/state/explain/trusted", 0o700);
    assert!(explained(&homes, "project").contains("stale lock"));
}

#[test]
fn rules_that_strangers_put_above_a_directory_are_not_recommended() {
    let homes = Homes::new();
    homes.rule("shared/.explain/rules/a.toml", "stale-lock");
    homes.write("shared/mine/x", "");
    homes.rule("home/.config/explain/rules/a.toml", "busy");
    assert!(explained(&homes, "shared/mine").contains("explain --trust"));
    homes.allow("shared/.explain/rules", 0o777);
    assert!(!explained(&homes, "shared/mine").contains("explain --trust"));
}

#[test]
fn a_project_without_rules_has_nothing_to_trust() {
    let homes = Homes::new();
    homes.write("project/.git/HEAD", "");
    homes.rule(".explain/rules/a.toml", "busy");
    assert_refused(&explain(&homes, "project", &["--trust"]), &["no .explain/rules in ", "project"]);
    assert_refused(&explain(&homes, ".", &["--trust", "no/such"]), &["no/such", "No such file"]);
    homes.write("empty/.explain/rules/README", "");
    assert_refused(&explain(&homes, "empty", &["--trust"]), &["empty/.explain/rules holds no rule file"]);
}

#[test]
fn trust_that_cannot_be_kept_is_told() {
    let homes = project();
    homes.write("home/.local/state", "a file in the way");
    assert_refused(
        &explain(&homes, "project", &["--trust"]),
        &["cannot keep", "project/.explain/rules", "Not a directory"],
    );
}
