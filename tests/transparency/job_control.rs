//! A real shell's job control on a real terminal, by tmux: each scene is played bare and behind explain.

use crate::harness::{EXPLAIN, has, scratch, until};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// An interactive bash in a terminal of its own.
struct Terminal {
    socket: String,
    directory: TempDir,
}

impl Terminal {
    fn open(shell: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let socket = format!("explain-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let terminal = Self { socket, directory: scratch() };
        let directory = terminal.directory.path().to_str().unwrap().to_owned();
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "40", "-c", &directory, shell]);
        terminal
    }

    fn shell() -> Self {
        let terminal = Self::open("env PS1='$ ' bash --norc --noprofile -i");
        terminal.until_shows("$");
        terminal
    }

    fn tmux(&self, words: &[&str]) -> String {
        let done = Command::new("tmux").args(["-L", &self.socket]).args(words).output().unwrap();
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    fn type_line(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.press("Enter");
    }

    fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// What stands on the screen, without what was typed: the lines that begin with the prompt.
    fn screen(&self) -> String {
        let all = self.tmux(&["capture-pane", "-p", "-J"]);
        all.lines()
            .map(str::trim_end)
            .filter(|line| *line == "$" || !line.starts_with("$ "))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[track_caller]
    fn until_shows(&self, text: &str) {
        let mut last = String::new();
        until(text, || {
            last = self.screen();
            last.contains(text)
        });
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// Plays a scene bare and behind explain; `$W` stands for the prefix. What is waited for must not be in a line that is typed, nor on the
/// screen from before: hence words in two pieces.
fn play(scene: impl Fn(&Terminal)) {
    if !has("tmux") {
        return;
    }
    for prefix in ["", EXPLAIN] {
        let terminal = Terminal::shell();
        terminal.type_line(&format!("W='{prefix}'; clear"));
        scene(&terminal);
    }
}

#[test]
fn one_press_of_interrupt_is_one_signal() {
    play(|terminal| {
        let count = "$SIG{INT} = sub { $n++ }; $| = 1; print \"ready$ARGV[0]\\n\"; sleep 1 until $n; select undef, undef, undef, 0.3; print \"N=$n\\n\"; exit 5";
        std::fs::write(terminal.directory.path().join("count"), count).unwrap();
        for round in 0..3 {
            terminal.type_line(&format!("clear; $W perl count {round}; echo rc{round}=$?"));
            terminal.until_shows(&format!("ready{round}"));
            terminal.press("C-c");
            terminal.until_shows(&format!("rc{round}=5"));
            assert!(terminal.screen().contains("N=1\n"), "{}", terminal.screen());
        }
    });
}

#[test]
fn an_interrupt_ends_the_command_and_the_loop_around_it() {
    play(|terminal| {
        terminal.type_line("for i in 1 2 3; do echo round $i; $W sleep 60; done; echo rc=$?");
        terminal.until_shows("round 1");
        until("sleep runs", || terminal.tmux(&["display-message", "-p", "#{pane_current_command}"]).trim() != "bash");
        terminal.press("C-c");
        terminal.type_line("echo after");
        terminal.until_shows("after");
        assert!(!terminal.screen().contains("round 2"), "{}", terminal.screen());
    });
}

#[test]
fn a_job_is_stopped_and_brought_back_to_the_foreground() {
    play(|terminal| {
        terminal.type_line("$W sh -c 'echo rea\"\"dy; read x; echo got $x; exit 7'; echo rc=$?");
        terminal.until_shows("ready");
        terminal.press("C-z");
        terminal.until_shows("Stopped");
        terminal.type_line("clear; echo clea\"\"red");
        terminal.until_shows("cleared");
        terminal.type_line("fg; echo rc=$?");
        terminal.until_shows("sh -c");
        terminal.type_line("word");
        terminal.until_shows("got word");
        terminal.until_shows("rc=7");
    });
}

#[test]
fn a_stopped_job_goes_on_in_the_background() {
    play(|terminal| {
        terminal.type_line("$W sh -c 'echo rea\"\"dy; until [ -e go ]; do sleep 0.1; done; echo done >f; exit 3'");
        terminal.until_shows("ready");
        terminal.press("C-z");
        terminal.until_shows("Stopped");
        terminal.type_line("clear; bg; touch go; wait %1; echo rc=$?; cat f");
        terminal.until_shows("rc=3\ndone");
    });
}

#[test]
fn a_background_job_that_reads_the_terminal_is_stopped() {
    play(|terminal| {
        terminal.type_line("$W sh -c 'read x; echo got $x; exit 2' &");
        terminal.type_line("until jobs | grep -q Stopped; do sleep 0.05; done; clear; echo clea\"\"red");
        terminal.until_shows("cleared");
        terminal.type_line("fg; echo rc=$?");
        terminal.until_shows("sh -c");
        terminal.type_line("word");
        terminal.until_shows("got word");
        terminal.until_shows("rc=2");
    });
}

#[test]
fn a_question_on_the_terminal_is_answered() {
    play(|terminal| {
        terminal.type_line(
            "$W bash -c 'read -rsp \"Password: \" x </dev/tty 2>/dev/tty; echo; echo got $x; exit 4'; echo rc=$?",
        );
        terminal.until_shows("Password:");
        terminal.type_line("secret");
        terminal.until_shows("got secret");
        terminal.until_shows("rc=4");
    });
}

#[test]
fn a_new_window_size_reaches_the_command() {
    play(|terminal| {
        terminal.type_line(
            "$W bash -c 'trap \"stty size\" WINCH; echo rea\"\"dy; for i in $(seq 300); do sleep 0.1; done'",
        );
        terminal.until_shows("ready");
        terminal.tmux(&["resize-window", "-x", "90", "-y", "30"]);
        terminal.until_shows("30 90");
    });
}

#[test]
fn the_terminal_is_left_as_it_was() {
    play(|terminal| {
        terminal.type_line("stty -a >before; $W sh -c 'exit 3'; $W sh -c 'kill -TERM $$'; stty -a >after; cmp before after && echo same");
        terminal.until_shows("same");
    });
}

#[test]
fn a_hangup_reaches_the_command_when_we_lead_the_session() {
    if !has("tmux") {
        return;
    }
    for prefix in ["", EXPLAIN] {
        let terminal = Terminal::open(&format!(
            "exec {prefix} sh -c 'trap \"echo hup >f; exit\" HUP; echo rea\"\"dy; while :; do sleep 0.05; done'"
        ));
        terminal.until_shows("ready");
        terminal.tmux(&["kill-server"]);
        let told = terminal.directory.path().join("f");
        until("the hangup was told", || std::fs::read_to_string(&told).is_ok_and(|text| text == "hup\n"));
    }
}
