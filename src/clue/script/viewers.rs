//! Programs that show what others wrote: files, logs, histories, what a server answered. Where a command line has nothing but such programs,
//! hardly a message in its output is its own: it was met by another program, at another time or in another place, however true it is here.

use super::standing::speaker;
use super::{Joint, Step, end_of_group, is_shell};
use crate::clue::Clue;
use crate::command_line::{launched, words_in};
use crate::text::has_name;
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A program that shows what others wrote.
struct Viewer {
    name: &'static str,
    /// Words of which one must be there for that; none: it does nothing else.
    verbs: &'static [&'static str],
    /// How lines of its own begin, beside its name.
    heads: &'static [&'static str],
}

impl Viewer {
    const fn of(name: &'static str) -> Self {
        Self { name, verbs: &[], heads: &[] }
    }
}

const OF_GIT: &[&str] = &["error:", "fatal:", "warning:"];
const OF_ENGINES: &[&str] =
    &["Cannot connect", "Error", "Got permission denied", "Unable to", "error", "permission denied while"];
const OF_JOURNAL: &[&str] = &["Cannot", "Failed to", "Hint:", "No journal"];

/// Programs that write what they read, and complain of what they are given alone.
const READERS: &[&str] = &[
    "[",
    "[[",
    "bat",
    "batcat",
    "bzcat",
    "cat",
    "cmp",
    "colordiff",
    "comm",
    "cut",
    "diff",
    "echo",
    "egrep",
    "fgrep",
    "grep",
    "head",
    "hexdump",
    "less",
    "more",
    "nl",
    "od",
    "paste",
    "printf",
    "rev",
    "strings",
    "tac",
    "tail",
    "test",
    "tr",
    "uniq",
    "wc",
    "xxd",
    "xzcat",
    "zcat",
    "zgrep",
    "zless",
    "zstdcat",
];

/// Other programs that show, by their manual pages.
const VIEWERS: &[Viewer] = &[
    Viewer::of("ag"),
    Viewer::of("awk"),
    Viewer::of("column"),
    Viewer { name: "curl", verbs: &[], heads: &["Warning:"] },
    Viewer::of("dmesg"),
    Viewer { name: "docker", verbs: &["logs"], heads: OF_ENGINES },
    Viewer { name: "docker-compose", verbs: &["logs"], heads: OF_ENGINES },
    Viewer::of("fmt"),
    Viewer::of("fold"),
    Viewer::of("gawk"),
    Viewer { name: "git", verbs: &["blame", "diff", "grep", "log", "show"], heads: OF_GIT },
    Viewer { name: "hg", verbs: &["annotate", "cat", "diff", "log"], heads: &["abort:"] },
    Viewer { name: "journalctl", verbs: &[], heads: OF_JOURNAL },
    Viewer::of("jq"),
    Viewer { name: "kubectl", verbs: &["describe", "logs"], heads: OF_ENGINES },
    Viewer::of("man"),
    Viewer::of("mawk"),
    Viewer { name: "nerdctl", verbs: &["logs"], heads: OF_ENGINES },
    Viewer { name: "oc", verbs: &["describe", "logs"], heads: OF_ENGINES },
    Viewer { name: "podman", verbs: &["logs"], heads: OF_ENGINES },
    Viewer::of("rg"),
    Viewer::of("sed"),
    Viewer::of("sort"),
    Viewer { name: "svn", verbs: &["blame", "cat", "diff", "log"], heads: &[] },
    Viewer { name: "systemctl", verbs: &["status"], heads: &["Failed to"] },
    Viewer::of("yq"),
];

/// Names by which some of them speak that have another.
const SPEAKERS: &[&str] = &["bzip2", "gzip", "xz", "zstd"];

/// Operands among which the verb of a program is: behind the value of an option, or `compose`.
const VERB: usize = 2;

/// Commands of a shell that start no program.
const BUILTINS: &[&str] = &[
    ":", "break", "cd", "continue", "exit", "export", "false", "kill", "local", "read", "return", "set", "shift",
    "shopt", "sleep", "true", "umask", "unset", "wait",
];

/// A command line of which all commands only show, as it is asked about a message.
struct Shows<'a> {
    steps: &'a [Step<'a>],
    /// Whether a shell puts other words in the place of variables and patterns.
    is_expanded: bool,
}

/// Whether the commands of a script only show what others wrote, and a message is none of theirs.
pub fn only_show(steps: &[Step], clue: &Clue) -> bool {
    let shown = Shows { steps, is_expanded: true };
    is_written(clue) && steps.iter().all(shows) && steps.iter().any(reads) && !shown.has_said(clue)
}

/// Whether the program that a command line starts only shows what others wrote, and a message is none of its own.
pub fn only_shows(command: &[OsString], clue: &Clue) -> bool {
    let command = launched(command);
    if !is_written(clue)
        || !command
            .first()
            .is_some_and(|program| is_viewer(&name(program), || command[1..].iter().map(|word| text(word))))
    {
        return false;
    }
    let line = command.iter().map(|word| word.as_bytes()).collect::<Vec<_>>().join(&b' ');
    let step = Step { text: &line, statement: 0, depth: 0, is_asked: false, joint: Joint::Next };
    !Shows { steps: &[step], is_expanded: false }.has_said(clue)
}

/// Whether a line of the output has the message: how a command ended is told by nobody else.
fn is_written(clue: &Clue) -> bool {
    !clue.line.is_empty() && clue.log.is_none()
}

fn text(word: &OsString) -> Cow<'_, str> {
    word.to_string_lossy()
}

fn name(program: &OsStr) -> Cow<'_, str> {
    Path::new(program).file_name().map(OsStr::to_string_lossy).unwrap_or_default()
}

/// Whether a program shows what others wrote, as it is called.
fn is_viewer<T: AsRef<str>, I: Iterator<Item = T>>(name: &str, arguments: impl Fn() -> I) -> bool {
    let has_verb = |viewer: &Viewer| {
        let mut operands = arguments().filter(|word| !word.as_ref().starts_with('-')).take(VERB);
        viewer.verbs.is_empty() || operands.any(|word| viewer.verbs.contains(&word.as_ref()))
    };
    READERS.contains(&name) || viewer(name).is_some_and(has_verb)
}

fn viewer(name: &str) -> Option<&'static Viewer> {
    VIEWERS.iter().find(|viewer| viewer.name == name)
}

/// Whether a command of a script shows what others wrote, or nothing, and so do those whose output is a word of it.
fn shows(step: &Step) -> bool {
    let first = step.words().next().filter(|_| !is_assignment(step.text));
    let is_one = first.is_none_or(|first| {
        is_redirection(first) || BUILTINS.contains(&first) || is_viewer(first, || step.words().skip(1))
    });
    let inner = memchr::memmem::find_iter(step.text, b"$(").map(|at| &step.text[at + 2..]);
    let names = inner.map(|text| text.split(|byte| b" )|;&<>\n".contains(byte)).next().unwrap_or_default());
    is_one
        && !step.text.contains(&b'`')
        && names.into_iter().all(|name| str::from_utf8(name).is_ok_and(|name| is_viewer(name, || [""].into_iter())))
}

/// Whether a command only gives a variable what others write: `x=$(cat log)`.
fn is_assignment(text: &[u8]) -> bool {
    let name = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let value = text[name..].strip_prefix(b"=").unwrap_or_default().trim_ascii_end();
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    value.starts_with(b"$(") && end_of_group(&value[2..]) == Some(value.len() - 3)
}

/// Whether a name is one of a viewer, or that by which another name of it speaks.
fn is_known(name: &str) -> bool {
    READERS.contains(&name) || SPEAKERS.contains(&name) || viewer(name).is_some()
}

/// Whether a command shows anything but words of its own: what the script itself says with `echo` may be what it found.
fn reads(step: &Step) -> bool {
    let is_own = |first: &str| matches!(first, "[" | "[[" | "echo" | "printf" | "test");
    let has_shown = |first: &str| first == "read" || !is_own(first) && !BUILTINS.contains(&first);
    memchr::memmem::find(step.text, b"$(").is_some() || step.words().next().is_some_and(has_shown)
}

/// Whether a word is where a loop reads or writes: `done <log`.
fn is_redirection(word: &str) -> bool {
    word.trim_start_matches(|letter: char| letter.is_ascii_digit()).starts_with(['<', '>'])
}

impl Shows<'_> {
    /// Whether one of the commands, or the shell, may have said a message: of what others wrote it is known alone where the line begins with the
    /// name of another program or an exception, and readers complain of what they are given alone.
    fn has_said(&self, clue: &Clue) -> bool {
        let speaker = clue.program.as_deref().or_else(|| speaker(&clue.line));
        let name = |speaker: &str| speaker.split(':').next().unwrap_or_default().trim_start_matches('-').to_owned();
        let is_of_shell = speaker.is_some_and(|speaker| is_shell(OsStr::new(&name(speaker))));
        let is_step = |speaker: &str| self.steps.iter().any(|step| has_name(&text_of(step), speaker));
        match speaker {
            Some(speaker) if clue.path.is_none() && is_known(speaker) => true,
            Some(speaker) if is_of_shell || READERS.contains(&speaker) && is_step(speaker) => {
                clue.path.is_none() || self.may_name(clue)
            }
            Some(speaker) if viewer(speaker).is_some() && is_step(speaker) => true,
            _ => speaker.is_none() || self.names(clue) || self.begins(&clue.line),
        }
    }

    /// Whether a line begins as those of one of the programs do.
    fn begins(&self, line: &str) -> bool {
        let viewers = self.steps.iter().filter_map(|step| viewer(step.words().next()?));
        viewers.flat_map(|viewer| viewer.heads).any(|head| line.starts_with(head))
    }

    /// Whether the path of a message is one that the commands are given, or may be.
    fn may_name(&self, clue: &Clue) -> bool {
        let is_relative = clue.path.as_deref().is_some_and(Path::is_relative);
        is_relative || self.names(clue) || self.is_expanded && self.steps.iter().any(|step| expands(given(step)))
    }

    /// Whether a word of the commands is the path of a message, or a directory above it.
    fn names(&self, clue: &Clue) -> bool {
        let Some(path) = clue.path.as_deref() else { return false };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_above = |word: &OsStr| word.len() > 1 && Path::new(word).is_absolute() && path.starts_with(word);
        let is_named = |words: &[u8]| {
            has_name(&String::from_utf8_lossy(words), &name) || words_in(OsStr::from_bytes(words)).any(is_above)
        };
        self.steps.iter().any(|step| is_named(given(step)))
    }
}

/// What a command is given to work on: what `echo` writes is about anything, but for where the shell writes it.
fn given<'a>(step: &Step<'a>) -> &'a [u8] {
    let is_text = step.words().next().is_some_and(|first| matches!(first, "echo" | "printf"));
    let is_run = memchr::memmem::find(step.text, b"$(").is_some();
    let begin = if is_text && !is_run { memchr::memchr(b'>', step.text).unwrap_or(step.text.len()) } else { 0 };
    &step.text[begin..]
}

/// Whether a shell puts other words in the place of some.
fn expands(words: &[u8]) -> bool {
    let is_variable =
        |at: usize| words.get(at + 1).is_some_and(|next| next.is_ascii_alphanumeric() || b"{@*".contains(next));
    words.contains(&b'*') || memchr::memchr_iter(b'$', words).any(is_variable)
}

fn text_of<'a>(step: &Step<'a>) -> Cow<'a, str> {
    String::from_utf8_lossy(step.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clue::Standing;

    fn standing(command: &[&str], line: &str, path: &str) -> Standing {
        let command: Vec<OsString> = command.iter().map(OsString::from).collect();
        let path = (!path.is_empty()).then(|| path.into());
        Standing::of(&command, &Clue { path, line: line.into(), ..Clue::default() })
    }

    fn of_script(script: &str, line: &str, path: &str) -> Standing {
        standing(&["sh", "-c", script], line, path)
    }

    const TOUCH: (&str, &str) = ("touch: cannot touch '/srv/ro/a': Read-only file system", "/srv/ro/a");
    const CAT: (&str, &str) = ("cat: /etc/shadow: Permission denied", "/etc/shadow");

    #[test]
    fn what_viewers_show_is_none_of_their_words() {
        for script in [
            "cat old.log; exit 1",
            "r=$(curl -s -w '%{http_code}' u); echo \"$r\"; exit 1",
            "sed 's/^/  /' old.log; exit 1",
            "set -e; echo checking; tail -n 5 \"$LOG\" >&2; [ 1 = 2 ]",
            "git --no-pager log -p >&2; false",
            "curl -sS --fail-with-body http://host/x >&2",
            "docker logs app; exit 1",
            "grep -rn denied . | false",
            "echo \"mock: $(cat log)\"; exit 1",
            "[ \"$(cat got)\" = ok ] || { echo \"got: $(cat got)\"; exit 1; }",
            "while read -r x; do echo \"$x\"; done <log; exit 1",
        ] {
            assert_eq!(of_script(script, TOUCH.0, TOUCH.1), Standing::Shown, "{script}");
        }
        for script in ["cat old.log; exit 1", "x=$(cat got); echo got: $(cat got); exit 1"] {
            assert_eq!(of_script(script, CAT.0, CAT.1), Standing::Shown, "{script}");
        }
        for command in [
            &["cat", "old.log", "none"][..],
            &["timeout", "9", "curl", "-f", "u"],
            &["git", "--no-pager", "show"],
            &["kubectl", "-n", "x", "logs", "pod"],
        ] {
            assert_eq!(standing(command, TOUCH.0, TOUCH.1), Standing::Shown, "{command:?}");
        }
    }

    #[test]
    fn what_viewers_and_other_programs_say_counts() {
        for (script, (line, path)) in [
            ("cat /etc/shadow; exit 1", CAT),
            ("cd /etc && cat shadow", CAT),
            ("f=/etc/x; cat $f", CAT),
            ("grep -r x /etc", ("grep: /etc/shadow: Permission denied", "/etc/shadow")),
            ("cat log >/srv/ro/a", ("sh: 1: cannot create /srv/ro/a: Read-only file system", "/srv/ro/a")),
            ("less /etc/shadow", ("/etc/shadow: Permission denied", "/etc/shadow")),
            ("git log", ("fatal: detected dubious ownership in repository at '/srv/x'", "/srv/x")),
            ("sort big >out", ("sort: write failed: /tmp/sortA: No space left on device", "/tmp/sortA")),
            ("cat big >out", ("cat: write error: No space left on device", "")),
            ("zcat x.gz >out", ("gzip: stdout: No space left on device", "")),
            ("awk 1 big >out", ("mawk: write failure (No space left on device)", "")),
            ("echo x >/srv/ro/a", ("zsh:1: read-only file system: /srv/ro/a", "/srv/ro/a")),
            ("curl -o $out u", ("Warning: Failed to open the file /srv/ro/a: Read-only file system", "/srv/ro/a")),
            ("cat old.log", ("", "/srv/ro/a")),
            ("jq . a.json", ("parse error: Invalid numeric literal at line 1, column 3", "")),
            ("cat /bin/bash >new", ("File size limit exceeded", "/srv/ro/new")),
            (
                "[ -w /srv/ro ] || { echo 'error: /srv/ro is not writable'; exit 1; }",
                ("error: /srv/ro is not writable", "/srv/ro"),
            ),
            ("echo 'error: not enough space'; exit 1", ("error: not enough space", "")),
            ("touch /srv/ro/a >log 2>&1 || { cat log; exit 1; }", TOUCH),
            ("out=$(make 2>&1); echo \"$out\"; exit 1", TOUCH),
            ("r=$(curl u) make; echo $r", TOUCH),
            ("./build.sh; tail log", TOUCH),
        ] {
            assert_ne!(of_script(script, line, path), Standing::Shown, "{script}");
        }
        assert_eq!(standing(&["cat", "old.log", "/etc/shadow"], CAT.0, CAT.1), Standing::Counts);
        assert_eq!(standing(&["make", "show"], TOUCH.0, TOUCH.1), Standing::Counts);
    }
}
