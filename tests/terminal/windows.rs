//! Full-screen programs whose window gets another size while they run: what they then draw is what they draw without us.

use crate::screen::{Key, Line, Look, Prompt, Resize, Shows, Step, Text, assert_same};

/// Plays a program that is started by a line, shows something, and is left by a step; twice its window changes.
#[track_caller]
fn assert_follows_the_window(program: &'static str, start: &'static [Step], leave: &'static [Step]) {
    let resized = [Look, Resize(70, 20), Look, Resize(100, 40), Look];
    assert_same(&[program], &[start, &resized, leave].concat());
}

#[test]
fn less_follows_the_window() {
    assert_follows_the_window(
        "less",
        &[Line("seq 500 >f; $W less f; clear; echo rc=$?"), Shows("39")],
        &[Text("q"), Shows("rc=0")],
    );
}

#[test]
fn vim_follows_the_window() {
    assert_follows_the_window(
        "vim",
        &[Line("seq 500 >f; $W vim -u NONE -N f; clear; echo rc=$?"), Shows("39")],
        &[Line(":q"), Shows("rc=0")],
    );
}

#[test]
fn nano_follows_the_window() {
    assert_follows_the_window(
        "nano",
        &[Line("seq 500 >f; $W nano -I f; clear; echo rc=$?"), Shows("Exit")],
        &[Key("C-x"), Shows("rc=0")],
    );
}

#[test]
fn fzf_follows_the_window() {
    assert_follows_the_window(
        "fzf",
        &[Line("seq 30 >f; FZF_DEFAULT_COMMAND='cat f' $W fzf; s=$?; clear; echo rc=$s"), Shows("30/30")],
        &[Key("Escape"), Shows("rc=130")],
    );
}

#[test]
fn a_pager_of_git_follows_the_window() {
    assert_follows_the_window(
        "git",
        &[Line("seq 500 >a; seq 2 501 >b; LESS=R $W git diff --no-index a b; s=$?; clear; echo rc=$s"), Shows("---")],
        &[Text("q"), Shows("rc=")],
    );
}

#[test]
fn man_follows_the_window() {
    assert_follows_the_window(
        "man",
        &[
            Line(
                "(echo .TH TOOL 1; for i in $(seq 90); do echo word $i; echo .PP; done) >tool.1; MANPAGER=less $W man ./tool.1; clear; echo rc=$?",
            ),
            Shows("word 5"),
        ],
        &[Text("q"), Shows("rc=0")],
    );
}

#[test]
fn dialog_stays_while_the_window_changes() {
    assert_follows_the_window(
        "dialog",
        &[Line("$W dialog --yesno Sure? 8 30; s=$?; clear; echo rc=$s"), Shows("Sure?")],
        &[Key("Tab"), Key("Enter"), Shows("rc=")],
    );
}

/// What these two show is never the same twice.
#[test]
fn top_and_htop_follow_the_window() {
    assert_same(
        &["top", "htop"],
        &[
            Line("$W top; clear; echo rc=$?"),
            Shows("PID"),
            Resize(70, 30),
            Text("h"),
            Shows("Fields:"),
            Text("q"),
            Shows("PID"),
            Text("q"),
            Shows("rc=0"),
            Prompt,
            Line("clear; $W htop; clear; echo left=$?"),
            Shows("F1Help"),
            // Its last key has room on a wide screen alone.
            Resize(100, 40),
            Shows("F10Quit"),
            Key("F10"),
            Shows("left=0"),
        ],
    );
}

#[test]
fn a_debugger_follows_the_window() {
    assert_same(
        &["gdb"],
        &[
            Line("$W gdb -q -nx -ex 'set confirm off'; echo rc=$?"),
            Shows("(gdb)"),
            Resize(70, 20),
            Line("show width"),
            Shows("is 70"),
            Line("quit 4"),
            Shows("rc=4"),
            Resize(100, 40),
            Prompt,
        ],
    );
}
