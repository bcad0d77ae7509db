//! How the command ends is how we end.

use crate::harness::{assert_same, assert_same_end, has, signal_of, wrapped};

#[test]
fn every_exit_code_comes_through() {
    let seen = assert_same("for i in $(seq 0 255); do $W sh -c \"exit $i\"; echo $?; done");
    assert!(seen.stdout.ends_with(b"254\n255\n"));
}

#[test]
fn a_death_by_any_signal_is_our_death_by_the_same_signal() {
    // 32 and 33 are the C library's own.
    for signal in (1..=64).filter(|signal| ![19, 20, 21, 22, 32, 33].contains(signal)) {
        let status = assert_same_end(&["sh", "-c", &format!("kill -{signal} $$; exit 3")]);
        assert_eq!(signal_of(status).is_none(), [17, 18, 23, 28].contains(&signal), "signal {signal}: {status}");
    }
}

#[test]
fn an_exit_code_above_128_is_no_signal() {
    let status = assert_same_end(&["sh", "-c", "exit 143"]);
    assert_eq!(signal_of(status), None);
}

#[test]
fn no_core_of_our_own_is_left_beside_the_commands() {
    assert_same("{ ulimit -c unlimited; $W sh -c 'kill -SEGV $$'; ls core* | wc -l; } 2>/dev/null");
}

#[test]
fn a_command_that_is_not_there_is_127_and_said_once() {
    let seen = wrapped("$W no-such-command-anywhere a b; echo $?");
    assert_eq!(seen.stdout, b"127\n");
    let said = String::from_utf8_lossy(&seen.stderr);
    assert_eq!(said.matches("no-such-command-anywhere").count(), 1, "{said}");
    assert_same("$W no-such-command-anywhere 2>/dev/null; echo $?; $W ./no/such/path 2>/dev/null");
}

#[test]
fn a_command_that_cannot_be_executed_is_126() {
    assert_same("$W /etc/passwd 2>/dev/null; echo $?; $W / 2>/dev/null; echo $?; mkdir d; $W ./d 2>/dev/null");
}

#[test]
fn a_script_without_an_interpreter_line_is_run_by_the_shell() {
    assert_same("printf 'echo script $1; exit 7' >s; chmod +x s; $W ./s x");
}

#[test]
fn an_empty_command_name_is_127() {
    let seen = wrapped("$W ''; echo $?");
    assert_eq!(seen.stdout, b"127\n");
}

#[test]
fn wrappers_within_wrappers_pass_on_what_the_innermost_says() {
    assert_same("$W $W sh -c 'echo x >&2; exit 9'; echo $?; $W $W $W sh -c 'kill -TERM $$' 2>/dev/null; echo $?");
    assert_same(
        "timeout 60 $W sh -c 'exit 9'; echo $?; $W timeout 60 sh -c 'exit 9'; echo $?; nohup $W sh -c 'exit 9' 2>&1",
    );
    assert_same("timeout 0.2 $W sleep 60; echo $?; $W timeout 0.2 sleep 60; echo $?; nice -n 3 $W nice");
    assert_same("set -e; $W true; $W sh -c 'exit 4'; echo not reached");
}

#[test]
fn wrappers_of_every_kind_may_stand_on_either_side() {
    let inner = "sh -c 'echo out; echo err >&2; exit 9'";
    for wrapper in [
        "nohup",
        "timeout 60",
        "timeout --foreground 60",
        "setsid -w",
        "nice",
        "env A=1",
        "stdbuf -o0",
        "flock lock",
        "time -p",
        "bash -c '\"$@\"' b",
        "xargs -a /dev/null",
        "strace -o /dev/null",
        "strace -f -o /dev/null",
        "setarch -R",
        "unshare",
        "script -qec",
    ] {
        let program = wrapper.split(' ').next().unwrap();
        if !has(program) {
            continue;
        }
        // The times that `time` prints are never the same; script takes its command as one word.
        match program {
            "time" => assert_same(&format!(
                "{{ time -p $W {inner}; }} 2>/dev/null; echo $?; $W env time -p {inner} 2>/dev/null; echo $?"
            )),
            "script" => assert_same(
                "script -qec \"$W sh -c 'exit 9'\" /dev/null; echo $?; $W script -qec \"sh -c 'exit 9'\" /dev/null; echo $?",
            ),
            _ => assert_same(&format!("{wrapper} $W {inner} 2>&1; echo $?; $W {wrapper} {inner} 2>&1; echo $?")),
        };
    }
}

#[test]
fn a_wrapper_that_loses_its_patience_ends_what_does_not_listen() {
    let deaf = "sh -c 'trap \"\" TERM; echo ready; exec sleep 60'";
    for (before, after) in [
        ("timeout -k 0.2 0.5", ""),
        ("", "timeout -k 0.2 0.5"),
        ("timeout -s INT 0.5", ""),
        ("timeout -s USR1 0.5", ""),
    ] {
        let command = if before.contains("-s") { "sh -c 'echo ready; exec sleep 60'" } else { deaf };
        assert_same(&format!("{{ {before} $W {after} {command}; echo $?; }} 2>/dev/null"));
    }
}
