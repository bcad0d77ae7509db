//! A machine that cannot give the command a terminal of its own, or forbids a part of it: the command runs on, with the
//! caller's terminal if need be.

use crate::passwords::assert_same_as;
use crate::screen::{Clear, EXPLAIN, Line, Make, Prompt, Shows, Terminal, assert_same, has, prefixes};

#[test]
fn with_few_descriptors_the_command_runs() {
    assert_same(
        &[],
        &[
            Line("for n in $(seq 3 16); do (ulimit -n $n; $W sh -c 'echo $1; exit 5' s $n); echo rc=$?; done"),
            Shows("16"),
            Prompt,
        ],
    );
}

#[test]
fn with_little_address_space_the_command_runs() {
    let own = std::fs::metadata(EXPLAIN).unwrap().len() >> 10;
    let line = format!(
        "for k in $(seq 1000 3000 22000); do (ulimit -v $(({own} + k)); $W sh -c 'test -t 2; echo $1 $?; exit 5' s $k); echo rc=$?; done"
    );
    assert_same(&[], &[Line(line.leak()), Shows("22000"), Prompt]);
}

#[test]
fn on_a_stack_that_is_too_small_for_us_the_command_runs() {
    assert_same(
        &[],
        &[
            Line(
                "for s in 64 128 200 256; do (ulimit -s $s; $W sh -c 'test -t 2; echo $1 $?; exit 5' s $s); echo rc=$?; done",
            ),
            Shows("256"),
            Prompt,
        ],
    );
}

#[test]
fn with_few_process_slots_the_command_runs() {
    assert_same_as(
        "root",
        &["setpriv"],
        &[
            Line(
                "for n in 1 2 3 4; do setpriv --reuid 6433$n --regid 6433$n --clear-groups bash -c \"ulimit -u $n; exec $W sh -c 'echo $n; exit 5'\"; echo rc=$?; done",
            ),
            Shows("4"),
            Prompt,
        ],
    );
}

#[test]
fn without_dev_pts_and_dev_tty_the_command_runs() {
    for place in ["/dev/pts", "/dev"] {
        let line =
            format!("unshare -m bash -c 'mount -t tmpfs none {place}; $W sh -c \"echo out; exit 5\"'; echo rc=$?");
        assert_same_as("root", &[], &[Line(line.leak()), Shows("rc=5")]);
    }
}

#[test]
fn in_a_directory_that_is_gone_the_command_runs() {
    assert_same(
        &[],
        &[Line("mkdir d; cd d; rmdir ../d; $W sh -c 'echo out; exit 5'; echo rc=$?; cd ..; clear"), Prompt],
    );
}

/// What `dev.tty.legacy_tiocsti=0` is to a user: nothing can be put back into a terminal as if it had been typed.
const FORBIDS_TO_TYPE: &str = "/usr/bin/python3 forbid_typing.py bash --norc --noprofile -i";

/// docs/terminal.md says what is lost, and this that nothing else is.
#[test]
fn where_nothing_can_be_put_back_what_was_typed_ahead_is_lost_and_the_rest_is_well() {
    if !["tmux", "/usr/bin/python3"].into_iter().all(has) {
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal/forbid_typing.py");
    for prefix in prefixes() {
        let terminal = Terminal::shell_of(&FORBIDS_TO_TYPE.replace("forbid_typing.py", script), &prefix);
        terminal.play(&[
            Line("$W sh -c 'echo ready; until test -e go; do sleep 0.05; done; read x; echo read $x; exit 3'; echo rc=$?"),
            Shows("ready"),
            Line("first"),
            Line("second"),
            Make("go"),
            Shows("read first"),
            Shows("rc=3"),
        ]);
        if prefix.contains(EXPLAIN) {
            terminal.play(&[Prompt]);
        } else {
            terminal.play(&[Shows("second: command not found"), Prompt]);
        }
        terminal.play(&[Clear, Line("$W sh -c 'read x; echo again $x'"), Line("word"), Shows("again word"), Prompt]);
        terminal.assert_is_as_before();
    }
}
