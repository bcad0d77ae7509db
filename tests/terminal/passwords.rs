//! Programs that ask for a password, on a machine whose accounts are a test's own (`accounts.sh`): the question, no echo, ^C at
//! it, and the status.

use crate::screen::{Clear, EXPLAIN, Key, Line, Prompt, Shows, Step, assert_same_in, has, skip};

/// Plays the steps in a shell of a user of that machine. The program lies in its home, where that user can reach it.
#[track_caller]
pub fn assert_same_as(user: &str, needs: &[&str], steps: &[Step]) {
    if !nix::unistd::geteuid().is_root() {
        return skip("needs root");
    }
    if !["unshare", "setpriv", "perl"].into_iter().all(has) {
        return;
    }
    let accounts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal/accounts.sh");
    let shell = format!("unshare -m sh {accounts} {EXPLAIN} {user}");
    assert_same_in(&shell, &[String::new(), "./explain --quiet --".to_owned()], needs, steps);
}

/// After another line: types one that asks, answers with ^C, and looks at the status.
fn interrupted(line: &'static str, question: &'static str) -> [Step; 8] {
    let status = "echo interrupted=$?";
    [Prompt, Clear, Line(line), Shows(question), Key("C-c"), Prompt, Line(status), Shows("interrupted=")]
}

#[test]
fn sudo_asks_for_the_password() {
    assert_same_as(
        "guest",
        &["sudo"],
        &[
            &[
                Line("$W sudo sh -c 'id -u; exit 7'; echo rc=$?"),
                Shows("password for guest:"),
                Line("wrong"),
                Shows("try again"),
                Line("secret"),
                Shows("rc=7"),
            ],
            &interrupted("$W sudo true", "password for guest:")[..],
        ]
        .concat(),
    );
}

#[test]
fn sudo_within_the_command_asks_for_the_password() {
    assert_same_as(
        "guest",
        &["sudo"],
        &[
            &[
                Line("$W sh -c 'sudo id -u; exit 7'; echo rc=$?"),
                Shows("password for guest:"),
                Line("secret"),
                Shows("rc=7"),
            ],
            &interrupted("$W sh -c 'sudo true; exit 7'", "password for guest:")[..],
        ]
        .concat(),
    );
}

#[test]
fn a_script_in_the_middle_of_a_pipeline_asks_by_sudo() {
    assert_same_as(
        "guest",
        &["sudo"],
        &[Line("$W sh -c 'sudo id -u' | cat; echo rc=$?"), Shows("password for guest:"), Line("secret"), Shows("rc=0")],
    );
}

#[test]
fn ssh_asks_for_the_password() {
    assert_same_as(
        "root",
        &["ssh", "sshd"],
        &[
            &[
                Line("$W ssh -F client guest@nowhere 'echo inside; exit 7'; echo rc=$?"),
                Shows("password:"),
                Line("wrong"),
                Shows("try again"),
                Line("secret"),
                Shows("inside"),
                Shows("rc=7"),
            ],
            &interrupted("$W ssh -F client guest@nowhere true", "password:")[..],
        ]
        .concat(),
    );
}

#[test]
fn a_session_by_ssh_has_a_terminal_of_the_right_size() {
    assert_same_as(
        "root",
        &["ssh", "sshd"],
        &[
            Line("$W ssh -F client -t guest@nowhere 'stty size; read x; echo got $x; exit 3'; echo rc=$?"),
            Shows("password:"),
            Line("secret"),
            Shows("40 100"),
            Line("word"),
            Shows("got word"),
            Shows("rc=3"),
        ],
    );
}

#[test]
fn su_lets_in_who_knows_the_password() {
    assert_same_as(
        "guest",
        &["su"],
        &[
            Line("$W su other -c 'id -un; exit 3'; echo rc=$?"),
            Shows("Password:"),
            Line("secret"),
            Shows("rc=3"),
            Prompt,
            Clear,
            Line("$W sh -c \"su other -c 'id -un; exit 4'\"; echo rc=$?"),
            Shows("Password:"),
            Line("secret"),
            Shows("rc=4"),
        ],
    );
}

#[test]
fn passwd_asks_three_times() {
    assert_same_as(
        "guest",
        &["passwd"],
        &[
            Line("$W passwd; echo rc=$?"),
            Shows("Current password:"),
            Line("secret"),
            Shows("New password:"),
            Line("another-secret-9"),
            Shows("Retype"),
            Line("another-secret-9"),
            Shows("rc=0"),
        ],
    );
}
