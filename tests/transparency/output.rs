//! Every byte of stderr, as it comes, whatever the reader does.

use crate::harness::{EXPLAIN, Running, assert_same, signal_of, until, wrapped};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

#[test]
fn binary_output_is_not_touched() {
    assert_same(
        "seed() { perl -e 'srand(7); print pack(\"C*\", map { int rand 256 } 1..300000)'; }; seed >blob; $W sh -c 'cat blob >&2; exit 3' 2>out; cmp blob out && echo same",
    );
}

#[test]
fn a_partial_line_is_not_held_back() {
    assert_same("mkfifo f; $W sh -c 'printf abc >&2; read x <f; echo $x' 2> >(head -c3 >seen; cat seen >f)");
}

#[test]
fn nothing_is_lost_of_many_short_runs() {
    let seen = assert_same("for i in $(seq 200); do $W sh -c 'printf Bingo >&2'; done 2>&1 | wc -c");
    assert_eq!(seen.stdout, b"1000\n");
}

#[test]
fn endless_output_takes_no_more_memory() {
    let seen = wrapped(
        "$W sh -c 'head -c 256M /dev/zero >&2; grep RssAnon /proc/$PPID/status' 2> >(wc -c >count); until [ -s count ]; do sleep 0.01; done; cat count",
    );
    let text = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert!(text.contains("268435456"), "{text}");
    let kibibytes: u64 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kibibytes < 8192, "{text}");
}

#[test]
fn a_reader_that_goes_away_ends_the_writer_as_it_would_have() {
    assert_same("{ $W sh -c 'yes x >&2'; echo $? >st; } 2>&1 | head -c1 >/dev/null; cat st");
    assert_same(
        "{ $W sh -c 'trap \"\" PIPE; yes x >&2 2>/dev/null; echo $? >st'; } 2>&1 | head -c1 >/dev/null; cat st",
    );
}

#[test]
fn a_command_that_is_killed_while_its_reader_sleeps_ends_at_once() {
    // Nobody reads: the pipe to this test is full, and so is the one to the relay.
    let mut child = Command::new(EXPLAIN)
        .args(["sh", "-c", "echo $$; exec yes >&2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    let writer: u32 = line.trim().parse().unwrap();
    until("the writer waits", || {
        std::fs::read_to_string(format!("/proc/{writer}/wchan"))
            .is_ok_and(|place| place.contains("pipe_write") || place.contains("anon_pipe"))
            || std::fs::read_to_string(format!("/proc/{writer}/syscall")).is_ok_and(|call| call.starts_with("1 "))
    });
    crate::harness::kill(child.id(), 15);
    let mut status = None;
    until("we have ended", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(signal_of(status.unwrap()), Some(15));
}

#[test]
fn a_stop_is_seen_while_the_reader_sleeps() {
    let mut command = Command::new(EXPLAIN);
    // In an orphaned process group the kernel drops SIGTSTP.
    command.args(["yes"]).process_group(0).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    crate::harness::kill(child.id(), 20);
    until("we have stopped", || crate::harness::state(child.id()) == Some('T'));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_slow_reader_gets_all_of_it() {
    assert_same("$W sh -c 'head -c 300000 /dev/zero >&2; exit 5' 2>&1 | (sleep 0.3; wc -c)");
}

#[test]
fn what_is_written_last_before_a_death_is_seen() {
    for _ in 0..20 {
        let running = Running::start(&[
            "bash",
            "-c",
            &format!("{EXPLAIN} -q -- sh -c 'echo last words >&2; kill -KILL $$' 2>&1; echo $?"),
        ]);
        assert_eq!(running.finish().1, "last words\n137\n");
    }
}
