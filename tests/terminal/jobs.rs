//! The command as a job: keys that signal, stops, the background, and what is typed ahead.

use crate::screen::{Key, Line, Make, Prompt, Resize, Shows, Terminal, Text, assert_same, has, prefixes};

#[test]
fn a_question_is_answered_after_a_stop() {
    assert_same(
        &[],
        &[
            Line("$W sh -c 'echo rea\"\"dy; read x; echo got $x; exit 7'"),
            Shows("ready"),
            Key("C-z"),
            Shows("Stopped"),
            Line("clear; echo clea\"\"red"),
            Shows("cleared"),
            Line("fg; echo rc=$?"),
            Shows("sh -c"),
            Line("word"),
            Shows("got word"),
            Shows("rc=7"),
        ],
    );
}

#[test]
fn a_command_that_was_started_in_the_background_comes_to_the_foreground() {
    assert_same(
        &[],
        &[
            Line("$W sh -c 'read x; echo got $x; exit 2' &"),
            Line("until jobs | grep -q Stopped; do sleep 0.05; done; clear; echo it stopped"),
            Shows("it stopped"),
            Prompt,
            Line("fg; echo rc=$?"),
            Shows("sh -c"),
            Line("word"),
            Shows("got word"),
            Shows("rc=2"),
        ],
    );
}

#[test]
fn a_background_command_is_stopped_by_tostop_when_it_writes() {
    assert_same(
        &[],
        &[
            Line("stty tostop; $W sh -c 'echo ready; until test -e go; do sleep 0.05; done; echo written; exit 3'"),
            Shows("ready"),
            Key("C-z"),
            Shows("Stopped"),
            Prompt,
            Line(
                "clear; bg; touch go; until jobs | grep -q Stopped; do sleep 0.05; done; fg; echo rc=$?; stty -tostop",
            ),
            Shows("written"),
            Shows("rc=3"),
        ],
    );
}

#[test]
fn what_is_typed_ahead_is_for_the_next_program() {
    assert_same(
        &[],
        &[
            Line("$W sh -c 'echo ready; until test -e go; do sleep 0.05; done'; read x; echo got $x"),
            Shows("ready"),
            Line("word"),
            Shows("word"),
            Make("go"),
            Shows("got word"),
        ],
    );
}

#[test]
fn what_is_typed_before_the_command_starts_is_shown_once() {
    let begin = Line("echo begun; until test -e go; do sleep 0.05; done; $W sh -c 'head -n 2 >f'; cat f; echo rc=$?");
    assert_same(
        &[],
        &[begin, Shows("begun"), Line("whole line"), Line("another"), Shows("another"), Make("go"), Shows("rc=0")],
    );
    let begin = Line(
        "echo begun; until test -e go; do sleep 0.05; done; $W sh -c 'echo ready; read x; echo read $x'; echo rc=$?",
    );
    let then = [Shows("ready"), Line(" two"), Shows("read one two"), Shows("rc=0")];
    assert_same(&[], &[&[begin, Shows("begun"), Text("one"), Shows("one"), Make("go")], &then[..]].concat());
}

#[test]
fn an_interrupt_ends_the_script_around_the_command() {
    assert_same(
        &[],
        &[
            Line("echo 'for i in 1 2; do $W sh -c \"echo round $i; exec sleep 99\"; done' >script"),
            Prompt,
            Line("clear; bash script"),
            Shows("round 1"),
            Key("C-c"),
            Prompt,
            Line("echo rc=$?"),
            Shows("rc=130"),
        ],
    );
}

#[test]
fn an_interrupt_that_the_command_survives_does_not_end_the_script_around_it() {
    assert_same(
        &[],
        &[
            Line(
                "echo '$W perl -e '\\''$|=1; $SIG{INT}=sub{print \"told\\n\"; exit 5}; print \"ready\\n\"; sleep 100'\\''; echo rc=$?' >script",
            ),
            Prompt,
            Line("clear; bash script"),
            Shows("ready"),
            Key("C-c"),
            Shows("told"),
            Shows("rc=5"),
        ],
    );
}

#[test]
fn a_flood_is_interrupted() {
    assert_same(&[], &[Line("$W yes"), Shows("y"), Key("C-c"), Prompt, Line("clear; echo after"), Shows("after")]);
}

#[test]
fn an_ignored_signal_stays_ignored() {
    assert_same(
        &[],
        &[
            Line("(trap '' INT; $W sh -c 'echo ready; sleep 1; echo through; exit 4'; echo rc=$?)"),
            Shows("ready"),
            Key("C-c"),
            Shows("through"),
            Shows("rc=4"),
        ],
    );
}

#[test]
fn the_shell_ends_the_whole_job() {
    assert_same(
        &[],
        &[
            Line("$W sh -c 'sleep 100 & echo $! >pid; echo ready; wait'"),
            Shows("ready"),
            Key("C-z"),
            Shows("Stopped"),
            Prompt,
            Line("bg; kill %1; wait; clear; while kill -0 $(cat pid) 2>/dev/null; do sleep 0.05; done; echo gone"),
            Shows("gone"),
        ],
    );
}

#[test]
fn explain_within_explain_is_usable() {
    assert_same(
        &[],
        &[
            Line("$W $W sh -c 'echo ready; read x; echo got $x; exit 6'; echo rc=$?"),
            Shows("ready"),
            Line("word"),
            Shows("got word"),
            Shows("rc=6"),
            Prompt,
            Line("$W sh -c '$W sh -c \"echo inside; read x; echo again \\$x; exit 6\"'; echo rc=$?"),
            Shows("inside"),
            Text("word"),
            Key("Enter"),
            Shows("again word"),
        ],
    );
}

#[test]
fn a_new_window_size_reaches_the_command() {
    if !has("tmux") {
        return;
    }
    for prefix in prefixes() {
        let terminal = Terminal::shell(&prefix);
        terminal.play(&[
            Line("$W bash -c 'trap \"stty size\" WINCH; echo ready; for i in $(seq 300); do sleep 0.1; done'"),
            Shows("ready"),
        ]);
        terminal.resize(90, 30);
        terminal.until_shows("30 90");
    }
}

/// With stderr in a file the command stays in the caller's group, on the caller's own terminal.
#[test]
fn a_command_whose_errors_go_to_a_file_is_interrupted_once() {
    assert_same(
        &["perl"],
        &[
            Line(
                "$W perl -e '$|=1; $SIG{INT}=sub{$n++}; print \"ready\\n\"; sleep 1 until $n; select undef, undef, undef, 0.3; print \"N=$n\\n\"; exit 5' 2>log; echo rc=$?",
            ),
            Shows("ready"),
            Key("C-c"),
            Shows("N=1"),
            Shows("rc=5"),
        ],
    );
}

#[test]
fn a_command_whose_errors_go_to_a_file_is_a_job_like_any_other() {
    assert_same(
        &[],
        &[
            Line(
                "$W sh -c 'echo ready; echo words >&2; until test -e go; do sleep 0.05; done; read x; echo got $x; exit 7' 2>log",
            ),
            Shows("ready"),
            Key("C-z"),
            Shows("Stopped"),
            Prompt,
            Line("bg; clear; touch go; until jobs | grep -q Stopped; do sleep 0.05; done; clear; echo it waits"),
            Shows("it waits"),
            Prompt,
            Line("fg; echo rc=$?; cat log"),
            Shows("sh -c"),
            Line("word"),
            Shows("got word"),
            Shows("rc=7"),
            Shows("words"),
        ],
    );
}

#[test]
fn a_command_whose_errors_go_to_a_file_is_told_of_a_new_window_size() {
    assert_same(
        &[],
        &[
            Line(
                "$W bash -c 'trap \"stty size; exit 3\" WINCH; echo ready; while :; do sleep 0.05; done' 2>log; echo rc=$?",
            ),
            Shows("ready"),
            Resize(90, 30),
            Shows("30 90"),
            Shows("rc=3"),
            Resize(100, 40),
            Prompt,
        ],
    );
}
