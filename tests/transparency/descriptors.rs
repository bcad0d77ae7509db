//! Descriptors that the command is given, and how long ours stay open.

use crate::harness::{assert_same, wrapped};

#[test]
fn closed_standard_descriptors_stay_closed() {
    for closed in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        assert_same(&format!(
            "export OUT=$PWD/out; $W sh -c 'set -- /proc/$$/fd/*; echo \"$@\" | tr -dc \"0-9/ \" | sed \"s,/*[0-9]*/,,g\" >$OUT; exit 3' {closed}; echo $?; cat out"
        ));
    }
}

#[test]
fn other_descriptors_are_given_on_and_none_of_ours_is() {
    assert_same(
        "exec 7</dev/null 23>x 9<>y; $W sh -c 'for i in /proc/$$/fd/*; do echo ${i##*/}; done; readlink /proc/$$/fd/7 /proc/$$/fd/23 | sed s,.*/,,; cat /proc/$$/fdinfo/23 | grep flags'",
    );
}

#[test]
fn a_jobserver_reaches_the_makes_below() {
    assert_same(
        "printf 'all: a b\\na:\\n\\t+@%s make -s -f sub\\nb:\\n\\t@echo b\\n' \"$W\" >m; printf 'x:\\n\\t@echo x\\n' >sub; $W make -sj2 -f m 2>&1 | sort",
    );
}

#[test]
fn stdout_and_stderr_of_one_file_keep_their_order() {
    let talk = "i=0; while [ $i -lt 500 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";
    assert_same(&format!("$W sh -c '{talk}' >log 2>&1; cat log; : >log; $W sh -c '{talk}' >>log 2>&1; cat log"));
    assert_same(&format!("$W sh -c '{talk}' 2>&1 | cat"));
}

#[test]
fn no_byte_of_stdin_is_taken_that_the_command_did_not_read() {
    assert_same("printf 'a\\nb\\nc\\n' | { $W sh -c 'read x; echo got $x'; cat; }");
    assert_same("printf 'a\\nb\\nc\\n' >f; { $W sh -c 'read x; echo got $x'; cat; } <f; printf x | $W cat");
}

#[test]
fn whoever_writes_to_a_stdin_that_the_command_has_closed_learns_so() {
    assert_same("mkfifo f; (yes 2>/dev/null; echo ended >f) | $W sh -c 'exec <&-; read line <f; echo $line'");
}

#[test]
fn whoever_reads_a_stdout_that_the_command_has_closed_learns_so() {
    assert_same("mkfifo f; $W sh -c 'exec >&-; read line <f; echo $line >&2' | (cat; echo end >f)");
}

#[test]
fn whoever_reads_a_stderr_that_the_command_has_closed_is_waited_for_and_no_harm_comes() {
    assert_same("$W sh -c 'echo x >&2; exec 2>&-; sleep 0.1; exit 5' 2>&1; echo $?");
}

#[test]
fn a_description_that_does_not_block_loses_nothing_and_stays_so() {
    let set = r"use Fcntl; fcntl(STDERR, F_SETFL, O_NONBLOCK | fcntl(STDERR, F_GETFL, 0)); exec @ARGV";
    let seen = wrapped(&format!(
        "(perl -e '{set}' $W perl -e 'print STDERR \"x\" x 400000'; grep flags /proc/$BASHPID/fdinfo/2 >flags) 2>&1 >/dev/null | (sleep 0.2; wc -c); cat flags"
    ));
    let text = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert!(text.starts_with("400000\n") && text.contains("04001"), "{text}");
}

#[test]
fn stdin_and_stdout_are_the_very_files_of_the_caller() {
    assert_same(
        "echo hello >in; $W sh -c 'readlink /proc/$$/fd/0 /proc/$$/fd/1; read x; echo $x' <in >out; sed s,/.*/,, out",
    );
}
