//! What permissions refuse where the message does not say so: no errno, no path, or the words of something else.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

#[test]
fn a_file_that_could_not_be_opened_for_an_untold_reason_is_walked_to() {
    let needs = [Need::Root, Need::Program("sqlite3"), Need::Program("curl"), Need::Program("perl")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"echo x >secret; chmod 600 secret; mkdir closed; touch closed/x; chmod 700 closed; echo x >open; sqlite3 open.db 'create table t(a)'
            explained_as 4001 sqlite sqlite3 secret .tables
            explained_as 4001 new sqlite3 closed/new.db 'create table t(a)'
            explained_as 4001 curl curl -sS "file://$LAB/secret"
            explained_as 4001 perl perl -e 'open F, "<", "./secret" or die "cannot open ./secret"'
            explained_as 4001 unnamed perl -e 'open F, "<", shift or die "cannot open: $!\n"' secret
            explained_as 4001 twin perl -e 'open F, "<", "./open" or die; die "cannot open ./open\n"'
            explained_as 4001 table sqlite3 open.db 'select * from nothing'"#,
        );
        for run in ["sqlite", "curl", "perl", "unnamed"] {
            scene.run(run).assert_only("permission-denied", lab.path("secret"), Likely);
        }
        scene.run("new").assert_only("permission-denied", lab.path("closed"), Likely);
        scene.run("twin").assert_silent();
        scene.run("table").assert_silent();
    });
}

#[test]
fn a_shell_that_may_not_enter_or_read_is_not_taken_for_one_that_writes_or_executes() {
    scenario(&[Need::Root, Need::Program("bash")], |lab| {
        let scene = lab.play(
            "mkdir -m 700 closed; echo x >secret; chmod 600 secret
            explained_as 4001 bash bash -c 'cd closed'
            explained_as 4001 dash sh -c 'cd closed'
            explained_as 4001 source bash -c '. ./secret'
            explained twin bash -c 'cd closed; false'",
        );
        scene.run("bash").assert_only("permission-denied", lab.path("closed"), Verified);
        scene.run("dash").assert_only("permission-denied", lab.path("closed"), Likely);
        scene.run("source").assert_first("permission-denied", lab.path("secret"), Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_directory_that_a_tool_could_not_make_is_not_called_missing() {
    scenario(&[Need::Root, Need::Program("opam"), Need::Program("python3")], |lab| {
        let scene = lab.play(
            "mkdir shut
            explained_as 4001 opam opam init --bare --no-setup --disable-sandboxing --root shut/opam http://127.0.0.1:1/
            explained_as 4001 python python3 shut/../secret.py
            echo x >secret.py; chmod 600 secret.py
            explained_as 4001 script python3 secret.py",
        );
        scene.run("opam").assert_only("permission-denied", lab.path("shut"), Likely);
        scene.run("script").assert_first("permission-denied", lab.path("secret.py"), Verified);
        scene.run("python").assert_silent();
    });
}

#[test]
fn a_message_next_to_a_warning_is_read_for_itself() {
    scenario(&[Need::Root, Need::Program("gpg")], |lab| {
        let scene = lab.play(
            "mkdir -m 700 closed; mkdir -m 700 own; chown 4001 own
            explained_as 4001 gpg gpg --batch --homedir closed -k
            explained_as 4001 twin gpg --batch --homedir own -k nobody@example.org",
        );
        scene.run("gpg").assert_first("permission-denied", lab.path("closed"), Verified);
        scene.run("twin").assert_silent();
    });
}
