//! How a run ends: statuses, signals, the death of either half, a terminal that goes away, and programs that stay behind.

use crate::screen::{EXPLAIN, Key, Line, Make, Prompt, Shows, Terminal, Text, assert_same, has, prefixes, until};
use std::process::{Command, Stdio};

#[test]
fn statuses_and_signals_come_through() {
    assert_same(
        &[],
        &[
            Line("for i in 0 1 2 125 126 127 128 130 137 255; do $W sh -c \"exit $i\"; echo $i=$?; done"),
            Shows("255=255"),
            Line("clear; for s in TERM KILL HUP USR1 PIPE; do $W sh -c \"kill -$s \\$\\$\"; echo $s=$?; done"),
            Shows("PIPE=141"),
        ],
    );
}

#[test]
fn every_byte_of_a_large_output_comes_through() {
    if !has("script") {
        return;
    }
    let [bare, wrapped] = prefixes().map(|prefix| {
        let line = format!("{prefix} sh -c 'seq 300000; seq 100000 >&2; exit 3'");
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = script.spawn().unwrap();
        // At the end of its own input script types an end of file.
        let input = running.stdin.take();
        let done = running.wait_with_output().unwrap();
        drop(input);
        (done.status.code(), done.stdout)
    });
    assert_eq!(bare.0, Some(3));
    assert!(bare == wrapped, "{:?} {} bytes, {:?} {} bytes", bare.0, bare.1.len(), wrapped.0, wrapped.1.len());
}

#[test]
fn the_terminal_is_usable_after_a_full_screen_program_was_killed() {
    if !has("vim") || !has("tmux") {
        return;
    }
    for prefix in prefixes() {
        let terminal = Terminal::shell(&prefix);
        terminal.play(&[Line("$W sh -c 'echo $$ >pid; exec vim -u NONE'"), Shows("~")]);
        kill(terminal.number_in("pid"), "KILL");
        terminal.until_shows("Killed");
        terminal.assert_is_as_before();
    }
}

/// Both halves: the one that holds the caller's terminal, and the one that leads the command's session.
#[test]
fn the_death_of_either_half_ends_the_command_and_leaves_the_terminal_usable() {
    if !has("tmux") {
        return;
    }
    for half in ["leader", "front"] {
        let terminal = Terminal::shell(&prefixes()[1]);
        terminal.play(&[Line("$W sh -c 'echo $$ >pid; stty raw -echo; echo ready; exec sleep 1000'"), Shows("ready")]);
        let command = terminal.number_in("pid");
        let leader = parent(command).unwrap();
        kill(if half == "leader" { leader } else { parent(leader).unwrap() }, "KILL");
        terminal.until_shows("Killed");
        until("the command is gone", || !is_alive(command));
        until("the leader is gone", || !is_alive(leader));
        terminal.assert_is_as_before();
    }
}

/// Without address space the next thing that is to be kept of the output finds no memory.
#[test]
fn a_fault_of_our_own_leaves_the_command_its_terminal_and_its_status() {
    if !has("tmux") || !has("prlimit") {
        return;
    }
    let terminal = Terminal::shell(&prefixes()[1]);
    terminal.play(&[Line("$W sh -c 'echo $$ >pid; read a; echo got $a; stty size; read b; exit 7'")]);
    let front = parent(parent(terminal.number_in("pid")).unwrap()).unwrap();
    let limited = Command::new("prlimit").args(["--pid", &front.to_string(), "--as=4096"]).status().unwrap();
    assert!(limited.success());
    terminal.play(&[Line("x"), Shows("got x"), Line("y"), Prompt, Line("echo status $?"), Shows("status 7")]);
    terminal.assert_is_as_before();
}

#[test]
fn a_stop_that_cannot_be_caught_is_undone_by_the_shell() {
    if !has("tmux") {
        return;
    }
    let terminal = Terminal::shell(&prefixes()[1]);
    terminal.play(&[Line("$W bash -c 'echo $$ >pid; read -rsn1 -p ready x; echo; echo got $x'"), Shows("ready")]);
    let front = parent(parent(terminal.number_in("pid")).unwrap()).unwrap();
    kill(front, "STOP");
    // One key, without Enter: the terminal must be the command's again.
    terminal.play(&[Shows("Stopped"), Prompt, Line("fg"), Shows("bash -c"), Text("a"), Shows("got a"), Prompt]);
    terminal.assert_is_as_before();
}

#[test]
fn a_program_that_stays_behind_goes_on_writing() {
    assert_same(
        &[],
        &[
            Line("$W sh -c '(until test -e go; do sleep 0.05; done; echo; echo late) & exit 3'; echo rc=$?"),
            Shows("rc=3"),
            Prompt,
            Make("go"),
            Shows("late"),
            Line("clear"),
        ],
    );
}

#[test]
fn the_only_program_of_a_terminal_is_a_shell() {
    if !has("tmux") {
        return;
    }
    for prefix in prefixes() {
        let terminal = Terminal::of(&format!("{prefix} sh -c 'bash --norc --noprofile -i; echo $? >status'"));
        terminal.play(&[
            Shows("$"),
            Line("sh -c 'echo fir\"\"st; exec sleep 100'"),
            Shows("first"),
            Key("C-c"),
            Prompt,
            Line("sh -c 'echo sec\"\"ond; exec sleep 100'"),
            Shows("second"),
            Key("C-z"),
            Shows("Stopped"),
            Prompt,
            Line("clear; echo clea\"\"red"),
            Shows("cleared"),
            Line("fg"),
            Shows("exec sleep"),
            Key("C-c"),
            Prompt,
            Line("exit 7"),
        ]);
        assert_eq!(terminal.number_in("status"), 7);
    }
}

#[test]
fn a_hangup_ends_all_of_the_command() {
    if !has("tmux") {
        return;
    }
    for prefix in prefixes() {
        let terminal = Terminal::shell(&prefix);
        terminal.play(&[Line("$W sh -c 'sleep 1000 & echo $! >pid; echo ready; wait'"), Shows("ready")]);
        let below = terminal.number_in("pid");
        terminal.hang_up();
        until("what the command started is gone", || !is_alive(below));
    }
}

#[test]
fn the_words_on_the_terminal_are_explained() {
    if !has("tmux") {
        return;
    }
    let terminal = Terminal::shell(&format!("{EXPLAIN} --report why.json --"));
    terminal.play(&[Line("$W sh -c 'echo to the terminal >&2; exit 3'; echo rc=$?"), Shows("rc=3")]);
    let report = std::fs::read_to_string(terminal.directory().join("why.json")).unwrap();
    assert!(report.contains("to the terminal") && report.contains("\"captured\": true"), "{report}");
}

#[test]
fn a_command_in_the_background_has_the_terminal_itself_and_its_words_are_not_known() {
    if !has("tmux") {
        return;
    }
    let terminal = Terminal::shell(EXPLAIN);
    terminal.play(&[
        Line("$W sh -c 'test -t 2 && echo a terminal; exit 3' & wait %1; echo rc=$?"),
        Shows("a terminal"),
        Shows("were not read"),
        Shows("rc=3"),
    ]);
}

fn kill(pid: u32, signal: &str) {
    assert!(Command::new("kill").args(["-s", signal, &pid.to_string()]).status().unwrap().success());
}

fn parent(pid: u32) -> Option<u32> {
    stat(pid)?.split_whitespace().nth(1)?.parse().ok()
}

fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| !stat.starts_with('Z'))
}

/// State, parent and what follows, `proc_pid_stat(5)`.
fn stat(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.trim_start().to_owned())
}
