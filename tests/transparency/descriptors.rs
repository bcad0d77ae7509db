//! Descriptors that the command is given, and how long ours stay open.

use crate::harness::{EXPLAIN, assert_same, has, is_root, scratch, seen, wrapped};
use std::process::Command;

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

#[test]
fn a_log_on_a_full_disk_is_met_by_the_command_itself() {
    if is_root() {
        for redirection in ["m/log 2>&1", "/dev/null 2>m/log"] {
            let full = format!(
                "mkdir m; mount -t tmpfs -o size=64k none m; timeout 20 \"$@\" >{redirection}; echo $?; stat -c %s m/log"
            );
            for command in [
                "tee /dev/stderr </etc/passwd",
                "dd if=/dev/zero bs=1k count=300 status=none of=/dev/stderr",
                "bash -c \"yes >&2\"",
            ] {
                assert_same(&format!("unshare -m bash -c '{full}' b $W {command}"));
            }
            let fuller = full.replace("; timeout", "; head -c 70000 /dev/zero >m/fill; timeout");
            assert_same(&format!("unshare -m bash -c '{fuller}' b $W sh -c 'echo words >&2'"));
        }
    }
}

#[test]
fn a_limit_on_the_size_of_a_log_is_met_by_the_command_itself() {
    for blocks in [0, 1, 200] {
        for redirection in [">log 2>&1", "2>log >&2", "2>log"] {
            assert_same(&format!(
                "{{ (ulimit -f {blocks}; $W sh -c 'seq 300000 >&2' {redirection}; echo $?; stat -c %s log); }} 2>/dev/null"
            ));
        }
    }
}

#[test]
fn a_program_that_reads_the_log_it_writes_sees_so() {
    assert_same("echo a >log; $W cat log >>log 2>&1; echo $?; $W grep a log >>log 2>&1; echo $?; cat log");
    assert_same("$W stat -L -c %F /dev/stdout /dev/stderr >log 2>&1; cat log");
}

#[test]
fn two_openings_of_one_file_write_over_each_other() {
    assert_same(
        "$W sh -c 'echo one; echo 2 >&2; echo three' >log 2>log; cat log; : >log; $W sh -c 'echo one; echo 2 >&2; echo three' >log 2>>log; cat log",
    );
    assert_same("printf 0123456789 >log; $W sh -c 'echo one; echo 2 >&2' 1<>log 2>&1; cat log");
    assert_same("$W sh -c 'echo before; : >log; echo after >&2; exit 3' >>log 2>&1; cat log");
}

#[test]
fn what_was_written_to_a_log_is_explained_and_what_stood_there_before_is_not() {
    for redirection in [">log 2>&1", ">>log 2>&1", "1<>log 2>&1"] {
        let mut command = Command::new("bash");
        let script = format!(
            "echo 'cat: /no/before: No such file or directory' >log; {EXPLAIN} sh -c 'echo out; ls /no/such/file; exit 6' {redirection}; echo $?; cat log"
        );
        let directory = scratch();
        command.args(["-c", &script]).current_dir(directory.path());
        let told = seen(command);
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        let explanation = text.split_once("explain:").unwrap_or_else(|| panic!("{redirection}: {text}")).1;
        assert!(
            text.starts_with("6\n") && explanation.contains("/no/such/file") && !explanation.contains("before"),
            "{redirection}: {text}"
        );
    }
}

#[test]
fn what_others_wrote_to_the_same_log_is_not_the_commands() {
    let directory = scratch();
    let script = format!(
        "{{ {EXPLAIN} sh -c 'echo out; sleep 0.3; exit 6' & sleep 0.1; cat /no/such/directory/file; wait $!; echo $?; }} >log 2>&1; cat log"
    );
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(directory.path());
    let told = seen(command);
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(text.contains("/no/such") && text.ends_with("6\n") && !text.contains("explain:"), "{text}");
}

#[test]
fn a_device_that_refuses_bytes_refuses_the_commands() {
    assert_same("$W sh -c 'echo words >&2 || echo refused; exit 3' 2>/dev/full; echo $?");
}

/// Writes three messages to stderr, which is made in perl by what comes before.
fn messages(made: &str) -> String {
    format!(
        "perl -e 'use Socket; use Fcntl; {made}; if (fork) {{ close B; for (1..3) {{ sysread A, $x, 9999; print qq([$x]) }} wait; print $? >> 8 }} \
         else {{ close A; open STDERR, qq(>&B); close B; exec @ARGV }}' \
         $W perl -e 'syswrite STDERR, $_ for qw(aa bbb c); exit 3'"
    )
}

#[test]
fn messages_stay_apart() {
    if has("perl") {
        for kind in ["SOCK_DGRAM", "SOCK_SEQPACKET"] {
            let seen = assert_same(&messages(&format!("socketpair(A, B, AF_UNIX, {kind}, 0)")));
            assert_eq!(seen.stdout, b"[aa][bbb][c]3");
        }
        // 040000 is O_DIRECT, pipe(2).
        let seen = assert_same(&messages("pipe(A, B); fcntl(B, F_SETFL, O_WRONLY | 040000)"));
        assert_eq!(seen.stdout, b"[aa][bbb][c]3");
    }
}

#[test]
fn a_reader_that_is_gone_before_or_while_nothing_is_written_is_missed_at_the_first_word() {
    assert_same(
        "mkfifo p; exec 5<>p 6>p 5<&-; $W sh -c 'trap \"\" PIPE; echo words >&2 || echo refused; exit 3' 2>&6; echo $?",
    );
    assert_same("mkfifo p; exec 5<>p 6>p 5<&-; { $W sh -c 'echo words >&2; exit 3' 2>&6; echo $?; } 2>/dev/null");
    let late = "sh -c 'echo 1; read x <gone; sleep 0.2; echo 2; exit 3'";
    assert_same(&format!(
        "mkfifo gone; $W {late} 2>&1 | {{ head -n 1; exec <&-; echo x >gone; }}; echo ${{PIPESTATUS[0]}}"
    ));
}
