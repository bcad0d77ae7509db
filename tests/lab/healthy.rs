//! Ordinary failures on a healthy machine: a false alarm is worse than silence, so not one byte may be added and no cause named.

use crate::harness::{Need, scenario};

/// Runs a shell command line bare and explained, as root and as another user, in a directory that `setup` has filled, and asserts
/// that explain had nothing to say. `program` must be installed.
#[track_caller]
fn assert_nothing_to_say(program: &'static str, setup: &str, command: &str) {
    scenario(&[Need::Root, Need::Program(program)], |lab| {
        let scene = lab.play(&format!(
            "mount -t tmpfs lab /tmp; mkdir -m 777 work; cd work; export HOME=\"$LAB/work\"
            {setup}
            chmod -R a+rwX .
            bare root.bare {command}
            explained root {command}
            bare user.bare $(identity 65534) {command}
            explained_as 65534 user {command}"
        ));
        for user in ["root", "user"] {
            let (bare, explained) = (scene.run(&format!("{user}.bare")), scene.run(user));
            assert_ne!(bare.status, 0, "the failure does not fail{bare}");
            explained.assert_same_as(&bare);
            explained.assert_silent();
        }
    });
}

#[test]
fn false_is_no_fault_of_the_machine() {
    assert_nothing_to_say("false", "", "false");
}

#[test]
fn a_compile_error_is_no_fault_of_the_machine() {
    assert_nothing_to_say("gcc", "echo 'int main(void) { return missing; }' >a.c", "gcc -c a.c -o a.o");
}

#[test]
fn a_link_error_is_no_fault_of_the_machine() {
    assert_nothing_to_say("gcc", "echo 'int f(void); int main(void) { return f(); }' >a.c", "gcc -save-temps a.c -o a");
}

#[test]
fn a_failing_unit_test_is_no_fault_of_the_machine() {
    let setup = "printf 'import unittest\\nclass T(unittest.TestCase):\\n  def test_sum(self): self.assertEqual(1 + 1, 3)\\n' >t.py";
    assert_nothing_to_say("python3", setup, "python3 -B -m unittest t");
}

#[test]
fn a_python_exception_is_no_fault_of_the_machine() {
    assert_nothing_to_say("python3", "", "python3 -c 'int(\"twelve\")'");
}

#[test]
fn an_exception_of_node_is_no_fault_of_the_machine() {
    assert_nothing_to_say("node", "", "node -e 'undefined.length'");
}

#[test]
fn a_failing_npm_test_is_no_fault_of_the_machine() {
    let setup = r#"echo '{"name": "a", "version": "1.0.0", "scripts": {"test": "exit 1"}}' >package.json"#;
    assert_nothing_to_say("npm", setup, "npm --offline --no-update-notifier test");
}

#[test]
fn grep_without_a_match_is_no_fault_of_the_machine() {
    assert_nothing_to_say("grep", "echo hay >stack", "grep needle stack");
}

#[test]
fn files_that_differ_are_no_fault_of_the_machine() {
    assert_nothing_to_say("diff", "echo a >a; echo b >b", "diff a b");
    assert_nothing_to_say("cmp", "echo a >a; echo b >b", "cmp a b");
}

#[test]
fn an_unknown_git_branch_is_no_fault_of_the_machine() {
    let setup = "git init -q .; git config --system safe.directory '*' 2>&- || :; printf '[safe]\\n directory = *\\n' >.gitconfig";
    assert_nothing_to_say("git", setup, "git checkout no-such-branch");
}

#[test]
fn a_failing_make_target_is_no_fault_of_the_machine() {
    assert_nothing_to_say("make", "printf 'all:\\n\\t@exit 3\\n' >Makefile", "make all");
}

#[test]
fn a_missing_make_rule_is_no_fault_of_the_machine() {
    assert_nothing_to_say("make", "printf 'all:\\n' >Makefile", "make deploy");
}

#[test]
fn a_closed_port_is_no_fault_of_the_machine() {
    assert_nothing_to_say("curl", "", "curl -sS http://127.0.0.1:1/");
}

#[test]
fn a_closed_port_that_a_shell_connects_to_is_no_missing_socket() {
    assert_nothing_to_say("bash", "", "bash -c 'echo >/dev/tcp/127.0.0.1/1'");
}

#[test]
fn an_unknown_encoding_is_no_missing_command() {
    assert_nothing_to_say("iconv", "echo hay >stack", "iconv -f nosuch stack");
}

#[test]
fn a_broken_archive_is_no_fault_of_the_machine() {
    assert_nothing_to_say("tar", "echo 'no archive' >a.tar.gz", "tar xzf a.tar.gz");
}

#[test]
fn a_shell_syntax_error_is_no_fault_of_the_machine() {
    assert_nothing_to_say("sh", "echo 'if then' >script", "sh script");
}

#[test]
fn an_unknown_option_is_no_fault_of_the_machine() {
    assert_nothing_to_say("ls", "", "ls --no-such-option");
}

#[test]
fn a_deadline_of_timeout_is_no_fault_of_the_machine() {
    assert_nothing_to_say("timeout", "", "timeout 0.1 sleep 5");
}

#[test]
fn a_program_that_ends_itself_by_a_signal_is_no_fault_of_the_machine() {
    for signal in ["TERM", "KILL", "BUS", "SEGV", "XFSZ", "XCPU"] {
        assert_nothing_to_say("sh", "ulimit -c 0", &format!("sh -c 'kill -{signal} $$'"));
    }
}

#[test]
fn an_exit_status_above_128_that_a_program_chose_is_no_signal() {
    for status in [135, 137, 153] {
        assert_nothing_to_say("sh", "", &format!("sh -c 'exit {status}'"));
    }
}

#[test]
fn a_log_that_quotes_faults_of_another_time_names_none() {
    let quotes = [
        "FAIL: test_full_disk: expected \"No space left on device\", got \"ok\"",
        "cp: error writing '/tmp/a': No space left on device",
        "tar: ./a: Cannot write: No space left on device",
        "/usr/bin/opam: \"mkdir\" failed on /tmp/opam-1-2: No space left on device",
        "OSError: [Errno 28] No space left on device: '/tmp/a'",
        "Error: ENOSPC: System limit for number of file watchers reached, watch '/tmp'",
        "touch: cannot touch '/tmp/a': Read-only file system",
        "cp: error writing '/tmp/a': Disk quota exceeded",
        "dd: error writing '/tmp/a': File too large",
    ];
    for quote in quotes {
        let setup = format!("cat >log <<'LOG'\n{quote}\nLOG\n");
        assert_nothing_to_say("sh", &setup, "sh -c 'cat log >&2; exit 1'");
    }
}

#[test]
fn a_refused_ssh_key_is_no_fault_of_the_machine() {
    let setup = "echo 'echo \"git@example.org: Permission denied (publickey).\" >&2; exit 255' >ssh";
    assert_nothing_to_say("sh", setup, "sh ssh");
}

/// Words of programs whose subject is none of the machine's, each by itself the end of an output.
const OF_OTHER_THINGS: &[&str] = &[
    // Names of records.
    "Patient not found",
    "Error: Invoice 1234 not found",
    "Error: profile is not installed",
    "error: please install it first",
    "tool hammer is not available",
    // Terminals, terms, homes and locales that are no settings of a process.
    "error: no terminal specified for shipment 12",
    "ReferenceError: terminal is not defined",
    "Please do not close this terminal while the migration runs.",
    "error: unknown term x^2 in the expression",
    "error: no home team for match 7",
    "Error: Unknown locale \"tlh\"",
    // Rights and locks of users of a program.
    "error: this action requires administrator privileges",
    "error: only users with admin rights can delete posts",
    "hadolint: Dockerfile:3 DL3002 warning: Last USER should not be root",
    "error: this seat is locked by another user",
    "Error: Workflow is already running",
    "ConcurrencyError: could not lock row 12",
    "ERROR:root:GET /etc/passwd: permission denied for guest",
    "CODEOWNERS: /etc/passwd is owned by @platform, approval missing",
    "error: failed to create namespace staging: already exists",
    "a.cpp:10:3: error: cannot bind non-const lvalue reference of type int",
    "error: keyring products cannot be shipped",
    // Places of servers and of documents.
    "error: JSON pointer /properties/name not found",
    "error: could not delete /pods/web: timeout",
    "Validation error at /items/0/name: is not writable",
    // Another reason is told, or the path is what was read from.
    "cannot create user from /srv/ro/a.sql: duplicate id 7",
    "error: cannot load /srv/ro/a.sql: unknown key",
    "error executing /srv/rw/a.sql: division by zero",
    "failed to create release from /etc/os-release: bad version",
    "can not modify plan read from /etc/fstab: bad option",
    "/proc/cpuinfo: unsupported format, the file is malformed",
    "error: empty package list in /srv/rw/__init__.py",
    // What is shown and not said.
    "  --terminal      needs a terminal",
    "a.py:9:1: E501 line too long (99 > 79 characters): \"Permission denied: /etc/shadow\"",
    "<stdin>:1:2: error: #error \"cannot open /etc/shadow: Permission denied\"",
    "E       assert \"Permission denied: /etc/shadow\" == \"ok\"",
    "fatal: [web1]: FAILED! => {\"stderr\": \"touch: cannot touch /etc/x: Permission denied\"}",
    "tool: error: argument x: invalid int value: \"/dev/nosuch\"",
    "pattern \"permission denied\" not found in /var/log/app.log",
];

#[test]
fn words_about_other_things_are_no_fault_of_the_machine() {
    let count = OF_OTHER_THINGS.len();
    scenario(&[Need::Root, Need::Program("flock")], |lab| {
        let scene = lab.play(&format!(
            r#"mkdir -p /srv; mount -t tmpfs lab /srv; mkdir /srv/ro /srv/rw; mount -t tmpfs lab /srv/ro; echo 1 >/srv/ro/a.sql
            mount -o remount,ro /srv/ro; echo 1 >/srv/rw/a.sql; : >/srv/rw/__init__.py; cd /srv/rw
            cat >"$LAB/lines" <<'LINES'
{lines}
LINES
            printf '#!/bin/sh\nsed -n "$1p" "%s" >&2\nexit 1\n' "$LAB/lines" >"$LAB/say"; chmod 755 "$LAB/say"
            # A user, a terminal and a lock that have nothing to do with it.
            : >state.db; flock state.db sleep infinity & until ! flock -n state.db true; do sleep 0.02; done
            for number in $(seq {count}); do
                explained_in "root$number" "env -u TERM" "$LAB/say" "$number"
                explained_in "user$number" "env -u TERM HOME=/nonexistent LANG=xx_YY.UTF-8 $(identity 65534)" "$LAB/say" "$number"
            done"#,
            lines = OF_OTHER_THINGS.join("\n"),
        ));
        for number in 1..=count {
            for user in ["root", "user"] {
                scene.run(&format!("{user}{number}")).assert_silent();
            }
        }
    });
}
