//! Logs as build servers, runners and process managers write them, shortened, in the form of real ones. What other jobs and steps said in
//! them is about `/elsewhere`.

use super::log::{explained, named};
use super::text;
use std::path::Path;

/// The log, and the cause that the failed step has.
const LOGS: &[(&str, &str)] = &[
    ("act", "blocks-exhausted"),
    ("ansible", "blocks-exhausted"),
    ("ansible-pretty", "read-only-filesystem"),
    ("azure", "blocks-exhausted"),
    ("bazel", "blocks-exhausted"),
    ("bitbake", "blocks-exhausted"),
    ("buildkit", "blocks-exhausted"),
    ("buildkite", "not-in-group"),
    ("circleci", "blocks-exhausted"),
    ("cloud-build", "blocks-exhausted"),
    ("codebuild", "read-only-filesystem"),
    ("compose", "read-only-filesystem"),
    ("concourse", "inodes-exhausted"),
    ("copied", "read-only-filesystem"),
    ("copr", "missing-path"),
    ("drone", "blocks-exhausted"),
    ("earthly", "blocks-exhausted"),
    ("foreman", "port-in-use"),
    ("github-actions", "blocks-exhausted"),
    ("github-script", "missing-path"),
    ("gitlab", "read-only-filesystem"),
    ("gitlab-copied", "missing-path"),
    ("heroku", "privileged-port"),
    ("jenkins-branches", "blocks-exhausted"),
    ("jenkins-freestyle", "not-executable"),
    ("jenkins-stages", "open-files-limit"),
    ("journal", "port-in-use"),
    ("journal-json", "read-only-filesystem"),
    ("kernel-build", "missing-path"),
    ("kubectl-prefix", "port-in-use"),
    ("kubernetes", "permission-denied"),
    ("lerna", "blocks-exhausted"),
    ("logcat", "blocks-exhausted"),
    ("logfmt", "read-only-filesystem"),
    ("makepkg", "blocks-exhausted"),
    ("nix", "blocks-exhausted"),
    ("nix-reason", "permission-denied"),
    ("npm-json", "permission-denied"),
    ("nx", "blocks-exhausted"),
    ("obs", "read-only-filesystem"),
    ("pnpm", "blocks-exhausted"),
    ("rpmbuild", "not-executable"),
    ("supervisord", "permission-denied"),
    ("syslog", "blocks-exhausted"),
    ("taskcluster", "blocks-exhausted"),
    ("teamcity", "blocks-exhausted"),
    ("teamcity-messages", "blocks-exhausted"),
    ("terminal", "blocks-exhausted"),
    ("travis", "blocks-exhausted"),
    ("turbo", "permission-denied"),
    ("woodpecker", "read-only-filesystem"),
];

/// Those in which a program tells of `/elsewhere` by the way, as information: that may come last.
const REMARKS: &[&str] = &["copr", "journal-json", "kubectl-prefix", "supervisord", "taskcluster"];

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/ci"))
}

#[test]
fn the_step_that_failed_is_found_in_the_logs_of_build_servers() {
    let mut wrong = Vec::new();
    for (log, cause) in LOGS {
        let report = explained(&["--log", text(&directory().join(log).with_extension("log"))]);
        let named = named(&report);
        let causes = report["causes"].as_array().expect("causes");
        let counted = causes.iter().take(if REMARKS.contains(log) { 1 } else { causes.len() });
        let is_elsewhere = counted.into_iter().any(|cause| cause.to_string().contains("/elsewhere"));
        if !named.iter().take(3).any(|id| id == cause) || is_elsewhere {
            wrong.push(format!("{log}: {cause} is not among the first of {named:?}, or: {}", report["causes"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_log_of_a_build_server_has_its_cause() {
    let files = std::fs::read_dir(directory()).expect("the directory");
    let mut names: Vec<String> =
        files.flatten().filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    assert_eq!(names, LOGS.iter().map(|(log, _)| *log).collect::<Vec<_>>());
}
