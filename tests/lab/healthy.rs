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
