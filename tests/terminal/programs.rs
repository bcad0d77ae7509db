//! Programs, one by one: what a person does with them, and what must come of it.

use crate::screen::{Key, Line, Prompt, Shows, Text, assert_same};

#[test]
fn less_pages_searches_and_leaves() {
    assert_same(
        &["less"],
        &[Line("seq 500 >f; $W less f; echo rc=$?"), Shows("39"), Line("/250"), Shows("288"), Text("q"), Shows("rc=0")],
    );
}

#[test]
fn less_at_the_end_of_a_pipe_reads_keys() {
    assert_same(&["less"], &[Line("seq 500 | $W less; echo rc=$?"), Shows("39"), Text("q"), Shows("rc=0")]);
}

#[test]
fn a_pager_behind_the_command_reads_keys() {
    assert_same(
        &["less"],
        &[Line("$W seq 500 | less; echo rc=$?"), Shows("39"), Text("G"), Shows("500"), Text("q"), Shows("rc=0")],
    );
}

#[test]
fn man_pages() {
    assert_same(
        &["man", "groff", "less"],
        &[
            Line("(echo .TH TOOL 1; echo .SH NAME; for i in $(seq 90); do echo word $i; echo .PP; done) >tool.1"),
            Prompt,
            Line("MANPAGER=less $W man ./tool.1; echo rc=$?"),
            Shows("word 5"),
            Text("q"),
            Shows("rc=0"),
        ],
    );
}

const REPOSITORY: &str = "export GIT_AUTHOR_DATE=2000-01-01T00:00:00Z GIT_COMMITTER_DATE=2000-01-01T00:00:00Z GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a; git init -q r; cd r; git config advice.addEmptyPathspec false; clear";

#[test]
fn git_log_uses_its_pager() {
    assert_same(
        &["git", "less"],
        &[
            Line(REPOSITORY),
            Prompt,
            Line(
                "for i in $(seq 60); do git commit -q --allow-empty -m change$i; done; $W git log --oneline; echo rc=$?",
            ),
            Shows("change40"),
            Text("q"),
            Shows("rc=0"),
            Prompt,
            Line("cp ../before .; clear"),
        ],
    );
}

#[test]
fn git_add_asks_for_each_hunk() {
    assert_same(
        &["git"],
        &[
            Line(REPOSITORY),
            Prompt,
            Line("echo one >f; git add f; git commit -qm one; echo two >>f; $W git add -p; echo rc=$?"),
            Shows("Stage this hunk"),
            Line("y"),
            Shows("rc=0"),
            Prompt,
            Line("git diff --cached --stat; cp ../before ."),
            Shows("1 insertion"),
        ],
    );
}

#[test]
fn vim_edits_and_writes() {
    assert_same(
        &["vim"],
        &[
            Line("$W vim -u NONE -N new; echo rc=$?; cat new"),
            Shows("~"),
            Text("ihello"),
            Shows("hello"),
            Key("Escape"),
            Line(":wq"),
            Shows("rc=0"),
            Shows("hello"),
        ],
    );
}

#[test]
fn vim_is_suspended_and_brought_back() {
    assert_same(
        &["vim"],
        &[
            Line("$W vim -u NONE -N new; echo rc=$?"),
            Shows("~"),
            Text("ihello"),
            Shows("hello"),
            Key("Escape"),
            Key("C-z"),
            Shows("Stopped"),
            Prompt,
            Line("fg"),
            Shows("~"),
            Line(":wq"),
            Prompt,
            Line("cat new"),
            Shows("hello"),
        ],
    );
}

#[test]
fn nano_edits_and_writes() {
    assert_same(
        &["nano"],
        &[
            Line("$W nano -I new; echo rc=$?; cat new"),
            Shows("Exit"),
            Text("hello"),
            Shows("hello"),
            Key("C-o"),
            Shows("File Name"),
            Key("Enter"),
            Shows("Wrote"),
            Key("C-x"),
            Shows("rc=0"),
        ],
    );
}

#[test]
fn top_runs_until_it_is_left() {
    assert_same(&["top"], &[Line("$W top; clear; echo rc=$?"), Shows("PID"), Text("q"), Shows("rc=0")]);
}

#[test]
fn htop_runs_until_it_is_left() {
    assert_same(&["htop"], &[Line("$W htop; clear; echo rc=$?"), Shows("PID"), Text("q"), Shows("rc=0")]);
}

/// Types a line that starts fzf with the numbers to 30, and chooses one.
#[track_caller]
fn assert_chooses(line: &'static str) {
    let choice = [Line(line), Shows("30/30"), Text("17"), Shows("1/30"), Key("Enter"), Shows("rc=0")];
    assert_same(&["fzf"], &choice);
}

#[test]
fn fzf_lets_choose() {
    assert_chooses("seq 30 >f; FZF_DEFAULT_COMMAND='cat f' $W fzf; echo rc=$?");
}

#[test]
fn dialog_asks() {
    assert_same(
        &["dialog"],
        &[
            Line("$W dialog --yesno Sure? 8 30; s=$?; clear; echo rc=$s"),
            Shows("Sure?"),
            Key("Tab"),
            Key("Enter"),
            Shows("rc=1"),
        ],
    );
}

#[test]
fn a_password_is_asked_without_echo() {
    assert_same(
        &["python3"],
        &[
            Line("$W python3 -c 'import getpass; print(len(getpass.getpass()))'; echo rc=$?"),
            Shows("Password:"),
            Line("secret"),
            Shows("6"),
            Shows("rc=0"),
            Prompt,
            Line("clear; $W bash -c 'read -rsp \"Secret: \" x; echo; echo got $x'; echo rc=$?"),
            Shows("Secret:"),
            Line("word"),
            Shows("got word"),
            Shows("rc=0"),
        ],
    );
}

#[test]
fn su_asks_for_the_password() {
    assert_same(
        &["setpriv", "su"],
        &[
            Line("$W setpriv --reuid=65534 --clear-groups su root -c true; echo rc=$?"),
            Shows("Password:"),
            Line("wrong"),
            Shows("rc=1"),
        ],
    );
}

#[test]
fn a_shell_inside_has_job_control_of_its_own() {
    assert_same(
        &[],
        &[
            Line("$W bash --norc --noprofile -i; echo outer=$?"),
            Prompt,
            Line("clear; sh -c 'echo first; exec sleep 100'"),
            Shows("first"),
            Key("C-c"),
            Prompt,
            Line("echo status $?; sh -c 'echo second; exec sleep 100'"),
            Shows("status 130"),
            Shows("second"),
            Key("C-z"),
            Shows("Stopped"),
            Prompt,
            Line("bg; jobs"),
            Shows("Running"),
            Prompt,
            Line("kill %1; wait; clear"),
            Prompt,
            Line("exit 9"),
            Shows("outer=9"),
        ],
    );
}

#[test]
fn python_answers() {
    assert_same(
        &["python3"],
        &[Line("$W python3 -q; echo rc=$?"), Shows(">>>"), Line("6*7"), Shows("42"), Line("exit(3)"), Shows("rc=3")],
    );
}

#[test]
fn node_answers() {
    assert_same(
        &["node"],
        &[Line("$W node; echo rc=$?"), Shows(">"), Line("6*7"), Shows("42"), Line("process.exit(3)"), Shows("rc=3")],
    );
}

#[test]
fn gdb_runs_a_program() {
    assert_same(
        &["gdb"],
        &[
            Line("$W gdb -q -nx -ex 'set confirm off' -ex 'print 6*7' /bin/cat; echo rc=$?"),
            Shows("= 42"),
            Line("quit 4"),
            Shows("rc=4"),
        ],
    );
}

#[test]
fn progress_is_drawn_over_itself() {
    assert_same(
        &[],
        &[
            Line(
                "$W bash -c 'for i in 1 2 3; do printf \"\\r%s of 3\" $i >&2; sleep 0.05; done; echo >&2; exit 3'; echo rc=$?",
            ),
            Shows("3 of 3"),
            Shows("rc=3"),
        ],
    );
}

#[test]
fn the_command_sees_a_terminal_of_the_right_size() {
    assert_same(
        &[],
        &[
            Line("$W sh -c 'test -t 0 && test -t 1 && test -t 2 && stty size && stty -a | md5sum; exit 7'; echo rc=$?"),
            Shows("40 100"),
            Shows("rc=7"),
        ],
    );
}

#[test]
fn what_the_command_does_to_the_terminal_stays() {
    assert_same(
        &[],
        &[
            Line("$W sh -c 'stty -ixon cols 90'; stty -a | grep -oE -- '-ixon|columns [0-9]+'; stty ixon cols 100"),
            Shows("columns 90"),
            Shows("-ixon"),
        ],
    );
}

#[test]
fn git_commit_asks_an_editor() {
    assert_same(
        &["git", "vim"],
        &[
            Line(REPOSITORY),
            Prompt,
            Line("GIT_EDITOR='vim -u NONE -N' $W git commit --allow-empty; echo rc=$?"),
            Shows("~"),
            Text("imessage"),
            Shows("message"),
            Key("Escape"),
            Line(":wq"),
            Shows("rc=0"),
            Prompt,
            Line("git log --format=%s; cp ../before ."),
            Shows("message"),
        ],
    );
}

#[test]
fn fzf_in_a_pipeline_lets_choose() {
    assert_chooses("seq 30 | $W fzf | cat -n; echo rc=$?");
}

#[test]
fn a_prompt_with_a_history_answers() {
    assert_same(
        &["sqlite3"],
        &[
            Line("$W sqlite3 db; echo rc=$?"),
            Shows("sqlite>"),
            Line("select 6*7; "),
            Shows("42"),
            Key("Up"),
            Shows("select 6*7;"),
            Key("Enter"),
            Line(".exit 4"),
            Shows("rc=4"),
        ],
    );
}

#[test]
fn a_debugger_in_the_language_answers() {
    assert_same(
        &["python3"],
        &[
            Line("printf 'x=1\\nprint(x+41)\\n' >p.py; $W python3 -m pdb p.py; echo rc=$?"),
            Shows("(Pdb)"),
            Line("n"),
            Shows("print(x+41)"),
            Line("p x + 6"),
            Shows("7"),
            Line("q"),
            Shows("rc="),
        ],
    );
}

#[test]
fn a_shell_in_namespaces_of_its_own_has_job_control() {
    assert_same(
        &["unshare"],
        &[
            Line("$W unshare -Urpf --mount-proc bash --norc --noprofile -i; echo rc=$?"),
            Prompt,
            Line("clear; echo id $$; sh -c 'echo first; exec sleep 100'"),
            Shows("first"),
            Key("C-c"),
            Prompt,
            Line("exit 3"),
            Shows("rc=3"),
        ],
    );
}
