//! A terminal with a shell, by tmux: keys go in, the screen comes out, and nothing waits for longer than a deadline.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program under test.
pub const EXPLAIN: &str = env!("CARGO_BIN_EXE_explain");

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
}
pub use Step::{Key, Line, Make, Prompt, Shows, Text};

/// A terminal of its own, in an empty directory.
pub struct Terminal {
    socket: String,
    directory: TempDir,
}

impl Terminal {
    /// With this program as its only one.
    pub fn of(command: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let socket = format!("explain-terminal-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let directory = tempfile::Builder::new().prefix("explain-terminal-").tempdir().unwrap();
        let terminal = Self { socket, directory };
        let place = terminal.directory.path().to_str().unwrap().to_owned();
        let command = format!("env -u TMUX HOME={place} LC_ALL=C.UTF-8 PS1='$ ' {command}");
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "40", "-c", &place, &command]);
        terminal
    }

    /// With an interactive bash, where `$W` is the prefix.
    pub fn shell(prefix: &str) -> Self {
        let terminal = Self::of("bash --norc --noprofile -i");
        terminal.until_shows("$");
        terminal.play(&[Line("stty -a >before; export PS1; echo $((40 + 2))"), Shows("42"), Prompt]);
        terminal.line(&format!("export W='{prefix}'; clear"));
        terminal.until("the screen is clear", |screen| screen == "$");
        terminal
    }

    fn tmux(&self, words: &[&str]) -> String {
        let done = Command::new("tmux").args(["-L", &self.socket]).args(words).output().unwrap();
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

    /// Gives the window another size.
    pub fn resize(&self, columns: &str, rows: &str) {
        self.tmux(&["resize-window", "-x", columns, "-y", rows]);
    }

    /// Takes the terminal away.
    pub fn hang_up(&self) {
        self.tmux(&["kill-server"]);
    }

    /// What stands on the screen, without the empty lines at its end.
    pub fn screen(&self) -> String {
        let lines: Vec<_> =
            self.tmux(&["capture-pane", "-p", "-J"]).lines().map(|line| line.trim_end().to_owned()).collect();
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

/// Plays the same steps bare and behind explain, and asserts that the same stands on the screen and that the terminal is as
/// it was.
#[track_caller]
pub fn assert_same(needs: &[&str], steps: &[Step]) {
    if !needs.iter().chain(&["tmux"]).all(|program| has(program)) {
        return;
    }
    let [bare, wrapped] = prefixes().map(|prefix| {
        let terminal = Terminal::shell(&prefix);
        terminal.play(steps);
        terminal.play(&[Prompt]);
        let screen = terminal.screen();
        terminal.assert_is_as_before();
        screen
    });
    assert!(bare == wrapped, "bare:\n{bare}\n\nbehind explain:\n{wrapped}");
}

/// Whether a program is there; says so by name where it is not.
pub fn has(program: &str) -> bool {
    let found =
        Command::new("sh").args(["-c", &format!("command -v {program} >/dev/null")]).status().unwrap().success();
    if !found {
        skip(program);
    }
    found
}

/// As the other tests report what they could not run, for the summary at the end of tests/run.
fn skip(program: &str) {
    use std::io::Write;
    let line = format!("skipped: terminal: there is no {program}");
    eprintln!("{line}");
    if let Some(file) = std::env::var_os("EXPLAIN_TESTS_SKIPPED")
        && let Ok(mut file) = std::fs::File::options().append(true).open(file)
    {
        let _ = writeln!(file, "{line}");
    }
}
