//! Rules of one's own: which places are read, which one wins, and that nothing in them costs a command its run.

use super::{file, stderr, text};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A home, a configuration and a directory besides, all without rules.
pub struct Homes {
    root: TempDir,
}

impl Homes {
    pub fn new() -> Self {
        Self { root: tempfile::tempdir().expect("a directory") }
    }

    pub fn path(&self, name: &str) -> String {
        text(&self.root.path().join(name)).to_owned()
    }

    /// Puts a rule file there that names this cause for `frob: lost it`.
    pub fn rule(&self, place: &str, cause: &str) {
        self.write(place, &rule("frob", cause));
    }

    pub fn write(&self, place: &str, content: &str) {
        let file = self.root.path().join(place);
        std::fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
        std::fs::write(file, content).expect("a file");
    }

    pub fn allow(&self, place: &str, mode: u32) {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.root.path().join(place), permissions).expect("a mode");
    }

    /// explain with this home and nothing else of the caller's settings.
    pub fn explain(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_explain"));
        command.args(arguments).env("LC_ALL", "C").env("HOME", self.path("home")).stdin(Stdio::null());
        command.env_remove("EXPLAIN_RULES").env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
        command.current_dir(self.root.path());
        command
    }
}

pub fn rule(id: &str, cause: &str) -> String {
    format!(
        "[[rule]]\nid = \"{id}\"\npattern = '^{id}: lost it$'\nsuspects = [\"{cause}\"]\nsource = \"run\"\n\
         fires = [{{ text = \"{id}: lost it\" }}]\nsilent = [\"{id}: lost its way\"]\n"
    )
}

pub fn run(mut command: Command) -> Output {
    command.output().expect("explain starts")
}

/// The first cause that is named for `frob: lost it` by a saved log.
#[track_caller]
fn named(homes: &Homes, options: &[&str], variables: &[(&str, String)]) -> String {
    let (_directory, log) = file("log", b"frob: lost it\n");
    let log = ["--log", text(&log), "--status", "1", "--format", "json"];
    let output = run({
        let mut command = homes.explain(&[options, &log].concat());
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command
    });
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report on stdout");
    format!("{} {}", report["causes"][0]["id"].as_str().unwrap_or("nothing"), report["notes"])
}

#[test]
fn the_later_place_wins() {
    let homes = Homes::new();
    assert_eq!(named(&homes, &[], &[]), "nothing null");
    homes.rule("home/.config/explain/rules/a.toml", "not-mounted");
    assert_eq!(named(&homes, &[], &[]), "not-mounted null");
    homes.rule("config/explain/rules/a.toml", "stale-lock");
    let config = ("XDG_CONFIG_HOME", homes.path("config"));
    assert_eq!(named(&homes, &[], std::slice::from_ref(&config)), "stale-lock null");
    homes.rule("first/a.toml", "text-encoding");
    homes.rule("second/a.toml", "busy");
    let own = ("EXPLAIN_RULES", format!("{}::{}", homes.path("first"), homes.path("second")));
    assert_eq!(named(&homes, &[], &[config.clone(), own.clone()]), "busy null");
    homes.rule("third/a.toml", "is-a-directory");
    assert_eq!(named(&homes, &["--rules", &homes.path("third")], &[config, own]), "is-a-directory null");
}

#[test]
fn rules_that_everybody_can_write_are_left_out_unless_they_are_named() {
    let homes = Homes::new();
    homes.rule("shared/a.toml", "busy");
    let own = [("EXPLAIN_RULES", homes.path("shared"))];
    homes.allow("shared/a.toml", 0o666);
    let told = named(&homes, &[], &own);
    assert!(told.starts_with("nothing") && told.contains("everybody may write to it"), "{told}");
    homes.allow("shared/a.toml", 0o644);
    homes.allow("shared", 0o777);
    let told = named(&homes, &[], &own);
    assert!(told.starts_with("nothing") && told.contains("shared: left out: everybody"), "{told}");
    assert_eq!(named(&homes, &["--rules", &homes.path("shared")], &[]), "busy null");
}

#[test]
fn a_directory_of_the_variable_that_is_not_there_or_relative_is_told() {
    let homes = Homes::new();
    let told = named(&homes, &[], &[("EXPLAIN_RULES", "rules:/no/such/rules".to_owned())]);
    assert!(told.contains("rules: left out: EXPLAIN_RULES takes absolute paths"), "{told}");
    assert!(told.contains("/no/such/rules: cannot be read"), "{told}");
}

#[test]
fn one_broken_rule_does_not_take_the_others_with_it() {
    let homes = Homes::new();
    let broken = rule("frib", "busy").replace("pattern =", "pattren =");
    homes.write("home/.config/explain/rules/a.toml", &(broken + &rule("frob", "busy")));
    let told = named(&homes, &[], &[]);
    assert!(told.starts_with("busy") && told.contains("a.toml:3: unknown field `pattren`"), "{told}");
}

#[test]
fn a_cause_that_does_not_exist_is_told_where_the_rule_has_fired() {
    let homes = Homes::new();
    homes.write("rules/a.toml", &(rule("frib", "bisy") + &rule("frob", "bisy")));
    let output = run(homes.explain(&["--rules", "rules", "sh", "-c", "echo 'frob: lost it' >&2; exit 3"]));
    let told = "explain: rules/a.toml:11: frob: suspects: no cause has the id bisy (near ones: busy)\n";
    assert_eq!((output.status.code(), stderr(&output)), (Some(3), format!("frob: lost it\n{told}")));
}

#[test]
fn who_asks_for_all_sees_which_rule_has_read_what() {
    let homes = Homes::new();
    homes.rule("rules/a.toml", "busy");
    let output = run(homes.explain(&["-v", "--rules", "rules", "sh", "-c", "echo 'frob: lost it' >&2; exit 3"]));
    assert!(stderr(&output).contains("  read by the rule frob: suspects busy\n"), "{output:?}");
}

#[test]
fn names_that_a_shell_does_not_list_are_no_rule_files() {
    let homes = Homes::new();
    homes.rule("home/.config/explain/rules/.a.toml", "busy");
    std::os::unix::fs::symlink("u@host.1", homes.path("home/.config/explain/rules/.#a.toml")).expect("a link");
    assert_eq!(named(&homes, &[], &[]), "nothing null");
}

#[test]
fn a_run_that_succeeds_opens_no_rule_file() {
    let homes = Homes::new();
    homes.write("home/.config/explain/rules/a.toml", "no rule");
    let rules = homes.path("home/.config/explain/rules/a.toml");
    let before = read_at(&rules);
    let output = run(homes.explain(&["--rules", &rules, "true"]));
    assert_eq!((output.status.code(), stderr(&output), read_at(&rules)), (Some(0), String::new(), before));
    let output = run(homes.explain(&["sh", "-c", "exit 3"]));
    assert!(stderr(&output).contains("a.toml:1: "), "{}", stderr(&output));
}

fn read_at(path: &str) -> std::time::SystemTime {
    Path::new(path).metadata().and_then(|found| found.accessed()).expect("a time")
}

#[test]
fn what_is_quiet_says_nothing_of_rules_either() {
    let homes = Homes::new();
    homes.write("home/.config/explain/rules/a.toml", "no rule");
    let output = run(homes.explain(&["-q", "sh", "-c", "exit 3"]));
    assert_eq!((output.status.code(), stderr(&output)), (Some(3), String::new()));
}

#[test]
fn an_answer_of_the_command_is_no_occasion_to_tell_of_rules() {
    let homes = Homes::new();
    homes.write("home/.config/explain/rules/a.toml", "no rule");
    let output = run(homes.explain(&["grep", "nothing", "/dev/null"]));
    assert_eq!((output.status.code(), stderr(&output)), (Some(1), String::new()));
}

#[test]
fn names_of_files_cannot_speak_to_the_terminal() {
    let homes = Homes::new();
    homes.write("home/.config/explain/rules/\u{1b}]0;title\u{7}.toml", "no rule");
    let said = stderr(&run(homes.explain(&["sh", "-c", "exit 3"])));
    assert!(said.contains(r"\u{1b}]0;title\u{7}.toml:1") && !said.contains('\u{1b}'), "{said}");
}

#[test]
fn a_rule_names_a_place_by_any_variable_of_the_command() {
    let rule = r#"[[rule]]
id = "app-store"
pattern = '''^app: the store cannot be opened$'''
operation = "read"
path = "${APP_STORE}/db"
suspects = ["missing-path"]
source = "made"
fires = [{ text = "app: the store cannot be opened" }]
silent = ["app: ready"]
"#;
    let directory = tempfile::tempdir().expect("a directory");
    let rules = directory.path().join("app.toml");
    std::fs::write(&rules, rule).expect("a rule");
    let script = "echo 'app: the store cannot be opened' >&2; exit 3";
    let arguments = ["--rules", text(&rules), "--format", "json", "--report", "/dev/stdout", "sh", "-c", script];
    let named = |variable: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_explain")).args(arguments).env("APP_STORE", variable).output();
        let report: serde_json::Value =
            serde_json::from_slice(&output.expect("explain runs").stdout).expect("a report");
        report["causes"][0]["subject"].as_str().map(str::to_owned)
    };
    let store = directory.path().join("store");
    assert_eq!(named(text(&store)).as_deref(), Some(text(&store)));
    assert_eq!(named("a secret"), None);
}
