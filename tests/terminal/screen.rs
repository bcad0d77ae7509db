//! A terminal with a shell, by tmux: keys go in, the screen comes out, and nothing waits for longer than a deadline.

use crate::skipped;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program under test.
pub const EXPLAIN: &str = env!("CARGO_BIN_EXE_explain");

/// A shell that reads nothing of the user's.
const BASH: &str = "bash --norc --noprofile -i";

/// What has not happened by then does not happen.
const DEADLINE: Duration = Duration::from_secs(60);

/// What a person does, and sees.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Waits until it stands on the screen.
    Shows(&'static str),
    /// Presses a key, by tmux's name for it.
    Key(&'static str),
    /// Types it.
    Text(&'static str),
    /// Types it and presses Enter.
    Line(&'static str),
    /// Waits for a shell that waits for a line.
    Prompt,
    /// Makes an empty file, for which a program waits.
    Make(&'static str),
    /// Gives the window so many columns and rows.
    Resize(u16, u16),
    /// At the prompt: clears the screen.
    Clear,
    /// Compares the whole screen with the bare command's.
    Look,
}
pub use Step::{Clear, Key, Line, Look, Make, Prompt, Resize, Shows, Text};

/// A terminal of its own, in an empty directory.
pub struct Terminal {
    /// Where tmux has its socket, which it leaves behind.
    server: TempDir,
    directory: TempDir,
    /// What the bare command showed at each look, in order; filled by it, and used up by the one behind explain.
    looks: RefCell<VecDeque<String>>,
    is_compared: bool,
}

impl Terminal {
    /// With this program as its only one.
    pub fn of(command: &str) -> Self {
        let temporary = || tempfile::Builder::new().prefix("explain-terminal-").tempdir().unwrap();
        let (server, directory) = (temporary(), temporary());
        let terminal = Self { server, directory, looks: RefCell::default(), is_compared: false };
        let place = terminal.place();
        // Cargo shows no progress and no colours where a CI job says so, and a person's terminal has neither variable.
        let command = format!("env -u TMUX -u CI -u CARGO_TERM_COLOR HOME={place} LC_ALL=C.UTF-8 PS1='$ ' {command}");
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "40", "-c", &place, &command]);
        terminal
    }

    /// With an interactive bash, where `$W` is the prefix.
    pub fn shell(prefix: &str) -> Self {
        Self::shell_of(BASH, prefix)
    }

    /// With the interactive bash that a command comes to.
    pub fn shell_of(command: &str, prefix: &str) -> Self {
        let terminal = Self::of(command);
        terminal.until_shows("$");
        terminal.play(&[Line("stty -a >before; export PS1; echo $((40 + 2))"), Shows("42"), Prompt]);
        terminal.line(&format!("export W='{prefix}'"));
        terminal.clear();
        terminal
    }

    fn tmux(&self, words: &[&str]) -> String {
        let done = Command::new("tmux").arg("-S").arg(self.server.path().join("socket")).args(words).output().unwrap();
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// Does one after the other.
    #[track_caller]
    pub fn play(&self, steps: &[Step]) {
        for step in steps {
            match step {
                Shows(text) => self.until_shows(text),
                Key(name) => drop(self.tmux(&["send-keys", name])),
                Text(text) => drop(self.tmux(&["send-keys", "-l", text])),
                Line(text) => self.line(text),
                Prompt => self.until("the prompt", |screen| screen.lines().last() == Some("$")),
                Make(file) => std::fs::write(self.directory().join(file), "").unwrap(),
                Resize(columns, rows) => self.resize(*columns, *rows),
                Clear => self.clear(),
                Look => self.look(),
            }
        }
    }

    /// Types a line, and Enter once it stands there; a question without echo shows nothing.
    pub fn line(&self, text: &str) {
        let (before, begun) = (self.screen(), Instant::now());
        self.tmux(&["send-keys", "-l", text]);
        while self.screen() == before && begun.elapsed() < Duration::from_secs(1) {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.tmux(&["send-keys", "Enter"]);
    }

    #[track_caller]
    fn clear(&self) {
        self.line("clear");
        self.until("the screen is clear", |screen| screen == "$");
    }

    /// Keeps what a bare command shows, and waits until the other shows the same.
    #[track_caller]
    fn look(&self) {
        if !self.is_compared {
            return self.looks.borrow_mut().push_back(self.steady());
        }
        let expected = self.looks.borrow_mut().pop_front().unwrap();
        self.until(&format!("the bare command's screen:\n{expected}\ninstead of:"), |_| self.colours() == expected);
    }

    /// The screen once nothing has changed on it for a while.
    fn steady(&self) -> String {
        let mut last = self.colours();
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let now = self.colours();
            if now == last {
                return now;
            }
            last = now;
        }
    }

    /// Gives the window another size, and waits until the terminal has it: tmux collects what comes fast.
    #[track_caller]
    pub fn resize(&self, columns: u16, rows: u16) {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
        let device = self.tmux(&["display-message", "-p", "#{pane_tty}"]);
        self.until("another size", |_| {
            let size = Command::new("stty").args(["-F", device.trim(), "size"]).output().unwrap().stdout;
            String::from_utf8_lossy(&size).trim() == format!("{rows} {columns}")
        });
    }

    /// Takes the terminal away.
    pub fn hang_up(&self) {
        self.tmux(&["kill-server"]);
    }

    /// What stands on the screen, without the empty lines at its end.
    pub fn screen(&self) -> String {
        self.captured(&[])
    }

    /// The same with its colours, as escape sequences. The directory's own name is the same in every terminal.
    fn colours(&self) -> String {
        self.captured(&["-e"]).replace(&self.place(), "/directory")
    }

    fn captured(&self, how: &[&str]) -> String {
        let text = self.tmux(&[&["capture-pane", "-p", "-J"], how].concat());
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// Waits until something stands there, in a line that was not typed at the shell's prompt.
    #[track_caller]
    pub fn until_shows(&self, text: &str) {
        self.until(text, |screen| {
            screen.lines().any(|line| (line == "$" || !line.starts_with("$ ")) && line.contains(text))
        });
    }

    #[track_caller]
    fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return;
            }
            assert!(begun.elapsed() < DEADLINE, "in vain: {what}\n{screen}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The directory in which it runs.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn place(&self) -> String {
        self.directory.path().to_str().unwrap().to_owned()
    }

    /// A number that a program leaves in a file.
    #[track_caller]
    pub fn number_in(&self, file: &str) -> u32 {
        let path = self.directory.path().join(file);
        let mut number = None;
        until(file, || {
            number = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
            number.is_some()
        });
        number.unwrap()
    }

    /// At the shell's prompt: whether the modes are those of before.
    #[track_caller]
    pub fn assert_is_as_before(&self) {
        self.line("clear; stty -a >after; cmp before after && echo as before");
        self.until_shows("as before");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.hang_up();
        // A shell that hangs up still writes its history.
        let begun = Instant::now();
        for place in [&self.server, &self.directory] {
            while std::fs::remove_dir_all(place.path()).is_err() && place.path().exists() && begun.elapsed() < DEADLINE
            {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

/// Waits until something is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < DEADLINE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The prefixes that are compared: none, and explain with a terminal of the command's own. The explanation itself would be
/// the difference.
pub fn prefixes() -> [String; 2] {
    [String::new(), format!("{EXPLAIN} --quiet --")]
}

/// Plays the same steps bare and behind explain, and asserts that the same stands on the screen, in the same colours, and
/// that the terminal is as it was.
#[track_caller]
pub fn assert_same(needs: &[&str], steps: &[Step]) {
    assert_same_in(BASH, &prefixes(), needs, steps);
}

/// The same in the shell that a command comes to.
#[track_caller]
pub fn assert_same_in(shell: &str, prefixes: &[String; 2], needs: &[&str], steps: &[Step]) {
    if !needs.iter().chain(&["tmux"]).all(|program| has(program)) {
        return;
    }
    let mut looks = VecDeque::new();
    let [bare, wrapped] = [0, 1].map(|which| {
        let mut terminal = Terminal::shell_of(shell, &prefixes[which]);
        terminal.looks = RefCell::new(std::mem::take(&mut looks));
        terminal.is_compared = which == 1;
        terminal.play(steps);
        terminal.play(&[Prompt]);
        let screen = terminal.colours();
        terminal.assert_is_as_before();
        looks = terminal.looks.take();
        screen
    });
    assert!(bare == wrapped, "bare:\n{bare}\n\nbehind explain:\n{wrapped}");
}

/// Whether a program is there; says so by name where it is not.
pub fn has(program: &str) -> bool {
    let found =
        Command::new("sh").args(["-c", &format!("command -v {program} >/dev/null")]).status().unwrap().success();
    if !found {
        skip(&format!("{program} is not installed"));
    }
    found
}

/// Skips the test that runs in this thread, for want of something that root on Debian could have.
#[track_caller]
pub fn skip(reason: &str) {
    skipped::skip(std::thread::current().name().unwrap_or("a test"), reason, true);
}
