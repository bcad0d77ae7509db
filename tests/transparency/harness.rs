//! Running a script twice, and a command whose pid is known.

use crate::skipped::skip;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program under test.
pub const EXPLAIN: &str = env!("CARGO_BIN_EXE_explain");

/// For a script that mounts over directories in a namespace of its own and then runs `"$@"`: the program may lie in one of them, and
/// is put in the place of `false`.
pub const KEEP_PROGRAM: &str =
    r#"case "$1" in /*) mount --bind "$1" /bin/false && shift && set -- /bin/false "$@";; esac; "#;

/// A run that is not over by then hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// What a run showed.
#[derive(PartialEq, Eq)]
pub struct Seen {
    /// How it ended.
    pub status: ExitStatus,
    /// All of its stdout.
    pub stdout: Vec<u8>,
    /// All of its stderr.
    pub stderr: Vec<u8>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(4000)]).into_owned();
        write!(f, "{}\n--- stdout\n{}\n--- stderr\n{}", self.status, text(&self.stdout), text(&self.stderr))
    }
}

/// Runs a bash script in an empty directory of its own, once with `$W` empty and once with `$W` as `explain --quiet --`,
/// and asserts that nothing differs. Returns what both showed.
#[track_caller]
pub fn assert_same(script: &str) -> Seen {
    let bare = bash("", script);
    let wrapped = bash(&format!("{EXPLAIN} --quiet --"), script);
    assert!(wrapped == bare, "script: {script}\n\nbare: {bare:?}\n\nwrapped: {wrapped:?}");
    wrapped
}

/// The script behind `explain` alone, for what the bare command cannot be asked.
pub fn wrapped(script: &str) -> Seen {
    bash(&format!("{EXPLAIN} --quiet --"), script)
}

/// Asserts that a command ends in the same way, by the same signal if it was one.
#[track_caller]
pub fn assert_same_end(command: &[&str]) -> ExitStatus {
    let bare = seen(program(command));
    let behind: Vec<&str> = [EXPLAIN, "--quiet", "--"].iter().chain(command).copied().collect();
    let wrapped = seen(program(&behind));
    assert!(wrapped == bare, "command: {command:?}\n\nbare: {bare:?}\n\nwrapped: {wrapped:?}");
    wrapped.status
}

fn program(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

fn bash(prefix: &str, script: &str) -> Seen {
    let directory = scratch();
    let mut command = Command::new("bash");
    // `exit $?` keeps bash from becoming the last command of the script itself.
    command.arg("-c").arg(format!("W='{prefix}'\n{script}\nexit $?")).current_dir(directory.path());
    seen(command)
}

/// A directory for one run, which other users may enter.
pub fn scratch() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::Builder::new().prefix("explain-transparency-").tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

/// Runs to the end, or kills it at the deadline.
#[track_caller]
pub fn seen(mut command: Command) -> Seen {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let [stdout, stderr] = [drained(child.stdout.take().unwrap()), drained(child.stderr.take().unwrap())];
    let status = wait(&mut child);
    Seen { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

fn drained(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

#[track_caller]
fn wait(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if begun.elapsed() > DEADLINE {
            child.kill().unwrap();
            panic!("it hangs");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A command that runs, and says lines on its stdout when it is ready for something.
pub struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    /// Starts it.
    pub fn start(command: &[&str]) -> Self {
        Self::of(program(command))
    }

    /// Starts it in a process group of its own, which is not orphaned: in one that is, the kernel drops SIGTSTP (setpgid(2)).
    pub fn start_in_own_group(command: &[&str]) -> Self {
        let mut command = program(command);
        command.process_group(0);
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Its next line; empty at the end.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Waits for a line.
    #[track_caller]
    pub fn expect(&mut self, line: &str) {
        assert_eq!(self.line(), line);
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it, and nobody else, a signal.
    pub fn signal(&self, signal: i32) {
        kill(self.pid(), signal);
    }

    /// Waits for its end and returns what was still on its stdout.
    #[track_caller]
    pub fn finish(mut self) -> (ExitStatus, String) {
        let status = wait(&mut self.child);
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        (status, rest)
    }
}

/// Sends a signal by the shell's own kill.
pub fn kill(pid: u32, signal: i32) {
    let sent = Command::new("bash").args(["-c", &format!("kill -{signal} {pid}")]).status().unwrap();
    assert!(sent.success());
}

/// The letter of a process's state in `/proc/PID/stat`; none when it is gone.
pub fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.trim_start().chars().next()
}

/// Waits until something is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < DEADLINE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Skips the test that runs in this thread.
#[track_caller]
pub fn skip_this(reason: &str, is_avoidable: bool) {
    skip(std::thread::current().name().unwrap_or("a test"), reason, is_avoidable);
}

/// Whether a program is there; says so by name where it is not.
pub fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap().status.success();
    if !found {
        skip_this(&format!("{program} is not installed"), true);
    }
    found
}

/// Whether we are root; says so where we are not.
pub fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        skip_this("needs root", true);
    }
    root
}

/// The signal that ended it.
pub fn signal_of(status: ExitStatus) -> Option<i32> {
    status.signal()
}
