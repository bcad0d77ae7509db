//! What the causes of paths and permissions have in common: from a message that names a path to what refuses there.

use super::case::{Case, Mode};
use super::finding::{Confidence, Evidence, Finding, Seen, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::command_line;
use crate::machine::{Kind, Stat};
use crate::probe::walk::{Obstacle, Who};
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

pub use super::tried::{Tried, names_new_first, of_suspect, tried};

/// Lines after which a message is taken for one that the command lived on with.
const LINES_AFTER: usize = 12;
/// Messages that are looked into for one cause.
const MESSAGES: usize = 32;

/// Suspects of a cause whose errno is one of these: what `subject` makes of the obstacle. In a saved log also what the text
/// names and this machine does not have.
#[must_use]
pub fn suspects(
    case: &Case,
    id: &str,
    errnos: &[Errno],
    subject: fn(&Tried, &Obstacle) -> Option<PathBuf>,
) -> Vec<Suspect> {
    let of_clue = |(index, clue): (usize, &Clue)| {
        let touched = !is_superseded(case, index);
        let of_tried = |tried: &Tried| {
            let subject = Subject::Path(subject(tried, tried.obstacle()?)?);
            Some(Suspect { subject, clue: Some(index), touched })
        };
        let found = tried(case, clue).as_ref().and_then(of_tried);
        found.or_else(|| said(case, id, index, clue))
    };
    messages(case).filter(|(_, clue)| concerns(clue, id, errnos)).take(MESSAGES).filter_map(of_clue).collect()
}

/// What a log names although nothing of it is seen here.
fn said(case: &Case, id: &str, index: usize, clue: &Clue) -> Option<Suspect> {
    let path = clue.path.as_ref().filter(|_| case.mode == Mode::Log && clue.suspects(id))?;
    Some(Suspect { subject: Subject::Path(absolute(case, path)), clue: Some(index), touched: true })
}

/// The verdict on a suspect of [`suspects`]: what `judge` makes of the obstacle. Where a log names what this machine does not have, it is
/// as possible as the text makes it.
pub fn verdict(
    case: &Case,
    suspect: &Suspect,
    may_be: &str,
    judge: impl Fn(&Tried, &Obstacle) -> Option<Verdict>,
) -> Verdict {
    let tried = of_suspect(case, suspect);
    let judged = tried.as_ref().and_then(|tried| judge(tried, tried.obstacle()?));
    match judged {
        Some(verdict) => verdict,
        None if case.mode == Mode::Log => Verdict::Found(Box::new(possible(&named(case, suspect), may_be))),
        None => Verdict::RuledOut("it is not so now".into()),
    }
}

/// Whether a message calls standard input by one of the names that programs have for it.
#[must_use]
pub fn is_standard_input(path: &Path) -> bool {
    const NAMES: &[&str] = &["-", "stdin", "<stdin>", "(stdin)", "standard input", "(standard input)"];
    NAMES.iter().any(|name| path.as_os_str() == *name)
}

/// What a suspect is about, in words: `-` is what a program read that is no file.
fn named(case: &Case, suspect: &Suspect) -> String {
    let subject = suspect.subject.to_string();
    let path = suspect.clue.and_then(|index| case.clues[index].path.as_deref());
    match (subject.as_str(), path) {
        ("-", Some(path)) if is_standard_input(path) => "standard input".to_owned(),
        ("-", _) => "what was read".to_owned(),
        _ => subject,
    }
}

fn possible(subject: &str, may_be: &str) -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("{subject} {may_be}"),
        summary: format!("The output says that {subject} {may_be}; here it is not so, or cannot be seen."),
        evidence: Vec::new(),
        fixes: Vec::new(),
    }
}

/// What is so now, and how sure it is the reason: proven where the message names the path and has the errno that is met there.
#[must_use]
pub fn found(case: &Case, suspect: &Suspect, headline: String, summary: String) -> Finding {
    let clue = suspect.clue.map(|index| &case.clues[index]);
    let said = clue.filter(|clue| clue.path.is_some()).and_then(|clue| clue.errno);
    let met = || of_suspect(case, suspect).and_then(|tried| Some(tried.obstacle()?.errno()));
    let is_proven = said.is_some_and(|said| met().is_none_or(|met| met == said))
        && !clue.is_some_and(|clue| may_lie_elsewhere(case, clue) || is_warning(clue));
    let confidence = if is_proven { Confidence::Verified } else { Confidence::Likely };
    Finding { confidence, seen: Some(Seen::Now), headline, summary, evidence: Vec::new(), fixes: Vec::new() }
}

/// Whether a relative path that is missing may have been looked for in another directory: the command runs a script that changes it.
/// What refuses in some other way at the very path is hardly there by chance.
fn may_lie_elsewhere(case: &Case, clue: &Clue) -> bool {
    let is_relative = clue.path.as_ref().is_some_and(|path| path.is_relative());
    let is_missing = matches!(clue.errno, Some(Errno::ENOENT | Errno::ENOTDIR));
    let moves =
        |script: &Path| case.machine.script_changes_directory(&case.surroundings().cwd.join(script)) == Ok(true);
    is_relative && is_missing && command_line::scripts_of(case.command).any(moves)
}

/// Whether the errno of a message, or its rule where it has none, speaks of a cause. Programs say ENOENT of what they only failed to open,
/// and curl ECONNREFUSED of a socket file that it only failed to reach.
fn concerns(clue: &Clue, id: &str, errnos: &[Errno]) -> bool {
    let is_unreached = |errno| errno == Errno::ECONNREFUSED && clue.path.is_some();
    let speaks = |errno| errnos.contains(&errno) || errno == Errno::ENOENT || is_unreached(errno);
    clue.errno.map_or_else(|| clue.suspects(id) || is_met_as_well(clue, id), speaks)
}

/// Whether a message without a reason, of which a rule names causes that refuse alike, may be about this one: what refuses at its path tells
/// them apart.
fn is_met_as_well(clue: &Clue, id: &str) -> bool {
    let alike: &[&str] = match id {
        "immutable-file" => &["permission-denied"],
        "symlink-loop" => &["missing-path", "dangling-symlink"],
        _ => &[],
    };
    clue.path.is_some() && alike.iter().any(|other| clue.suspects(other))
}

/// The messages that may be why the command failed: not warnings, and not what it went on after.
pub fn messages<'a>(case: &'a Case) -> impl Iterator<Item = (usize, &'a Clue)> + use<'a> {
    let is_telling = move |(_, clue): &(usize, &Clue)| {
        (!is_warning(clue) || is_how_php_fails(case, clue) || is_all_that_was_said(case, clue))
            && is_near_the_end(case, clue)
    };
    case.clues.iter().enumerate().filter(is_telling)
}

/// Whether a failed command said nothing but this warning, once or again, as `git config` does of a file that it may not read. Python's
/// warnings (`UserWarning:`) are of programs that go on.
fn is_all_that_was_said(case: &Case, clue: &Clue) -> bool {
    let text = case.transcript.parts.iter().flat_map(|part| part.bytes.0.split(|byte| *byte == b'\n'));
    let mut lines = text.map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).peekable();
    let is_same = |line: &[u8]| line == clue.line.as_bytes();
    case.mode == Mode::Run && clue.line.contains("warning: ") && lines.peek().is_some() && lines.all(is_same)
}

/// Whether a line calls itself less than an error. A path in it says nothing of that, whatever its name.
#[must_use]
pub fn is_warning(clue: &Clue) -> bool {
    const WORDS: &[&str] = &[
        "warn",
        "avertissement",
        "atención:",
        "advertencia",
        "警告",
        "предупреждение",
        "ignor",
        "skipping",
        "falling back",
        "fallback",
        "optional",
        "continuing",
        "using default",
        "trying next",
        "trying the next",
        "trying another",
        "not fatal",
        "non-fatal",
        " disabled",
    ];
    let paths = [&clue.path, &clue.other_path].into_iter().flatten();
    let said = paths.fold(clue.line.clone(), |line, path| line.replace(&*path.to_string_lossy(), ""));
    let said = said.to_lowercase();
    let said = without_level_of_php(&said);
    // What is skipped for an error is what was to be done.
    let is_error = said.starts_with("error: ");
    let says = |word: &&str| said.contains(*word) && !(is_error && *word == "skipping");
    WORDS.iter().any(says) || has_low_level(said)
}

/// Whether a line has a level below that of a warning: `info:`, `[debug]`. `getaddrinfo:` and `debugger` are other words.
fn has_low_level(said: &str) -> bool {
    let is_level = |word: &str| {
        let mut places = said.match_indices(word).map(|(at, _)| (&said[..at], &said[at + word.len()..]));
        places.any(|(before, behind)| !before.ends_with(char::is_alphanumeric) && behind.starts_with([':', ']']))
    };
    ["notice", "info", "debug"].into_iter().any(is_level)
}

/// What PHP says of a call that failed, without its level: `E_WARNING` is its word for that, and `E_NOTICE` for a short write.
fn without_level_of_php(said: &str) -> &str {
    let level = said.strip_prefix("php ").unwrap_or(said);
    let level = level.strip_prefix("warning: ").or_else(|| level.strip_prefix("notice: ")).map(str::trim_start);
    let is_call = |call: &&str| {
        let name = call.split('(').next().unwrap_or_default();
        name.len() < call.len()
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_:\\".contains(c))
    };
    level.filter(is_call).unwrap_or(said)
}

/// PHP calls every refused call a warning; the one after which it said nothing more is why it failed.
fn is_how_php_fails(case: &Case, clue: &Clue) -> bool {
    let is_at_start = clue.line.contains("PHP Startup");
    let is_php = clue.program.as_deref() == Some("php") && !is_at_start;
    is_php && clue.said.end > 0 && lines_after(case, clue) == Some(0)
}

/// Whether little was said after a message. A tool that ends by pointing at its earlier errors stands by all of them.
fn is_near_the_end(case: &Case, clue: &Clue) -> bool {
    clue.said.end == 0 || lines_after(case, clue).is_none_or(|lines| lines <= LINES_AFTER)
}

/// How many lines were said after a message. Those that go on with it (a stack trace, an indented hint) do not count. None where the last
/// of them points at what was said before.
fn lines_after(case: &Case, clue: &Clue) -> Option<usize> {
    let mut lines = 0;
    let mut end = clue.said.end;
    for part in &case.transcript.parts {
        let skipped = usize::try_from(clue.said.end.saturating_sub(part.offset)).unwrap_or(usize::MAX);
        let rest = part.bytes.0.get(skipped..).unwrap_or_default();
        // What was not kept had lines too.
        lines += usize::from(part.offset > end + 4096) * LINES_AFTER;
        let spoken = rest.split(|byte| *byte == b'\n').take_while(|line| !is_usage(line));
        lines += spoken.filter(|line| is_said(line)).take(LINES_AFTER + 1).count();
        if rest.ends_with(b"errors\n") && memchr::memmem::find(rest, b"previous").is_some() {
            return None;
        }
        end = end.max(part.offset + part.bytes.0.len() as u64);
    }
    Some(lines)
}

/// Whether a line begins what a program tells of its use behind every error, however long.
fn is_usage(line: &[u8]) -> bool {
    line.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"usage:"))
}

fn is_said(line: &[u8]) -> bool {
    let is_set_in = line.first().is_none_or(u8::is_ascii_whitespace);
    !is_set_in && line.iter().any(u8::is_ascii_alphanumeric) && !is_frame(line)
}

/// Whether a line that is not set in is a call of a stack trace: `#3 /srv/a.php(12): open()`, `6: (OPEN "x")` of Lisps, and
/// `os.(*File).Write(0xc00, 0x1)` of Go, which has no blank before the arguments.
fn is_frame(line: &[u8]) -> bool {
    let number = line.strip_prefix(b"#").unwrap_or(line);
    let digits = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_numbered = digits > 0 && (line[0] == b'#' || number[digits..].starts_with(b": ("));
    let name = line.iter().position(|byte| *byte == b'(').map_or(&b""[..], |open| &line[..open]);
    let is_call = line.ends_with(b")") && name.contains(&b'.') && !name.contains(&b' ');
    is_numbered || is_call
}

/// Whether the command went on after a message and failed at something else: another errno, or another exception while that of the message
/// was handled, on a path that has nothing to do with it.
#[must_use]
pub fn is_superseded(case: &Case, index: usize) -> bool {
    let clue = &case.clues[index];
    let is_other =
        |later: &Clue| later.errno.is_some_and(|errno| Some(errno) != clue.errno || was_handled(case, clue, later));
    let mut later = case.clues[index + 1..].iter().filter(|later| is_other(later));
    later.any(|later| !is_related(case, clue, later) && !is_warning(later))
}

/// Whether Python says between two messages that the second came while it handled the first.
fn was_handled(case: &Case, clue: &Clue, later: &Clue) -> bool {
    let words = b"During handling of the above exception";
    let said = |at: u64| clue.said.end <= at && at < later.said.start;
    case.transcript
        .parts
        .iter()
        .any(|part| memchr::memmem::find_iter(&part.bytes.0, words).any(|at| said(part.offset + at as u64)))
}

/// Whether one message's path leads to or through the other's, or one has none.
#[must_use]
pub fn is_related(case: &Case, one: &Clue, other: &Clue) -> bool {
    let paths = |clue: &Clue| -> Vec<PathBuf> {
        [&clue.path, &clue.other_path].into_iter().flatten().map(|path| absolute(case, path)).collect()
    };
    let (ones, others) = (paths(one), paths(other));
    let touches = |one: &PathBuf| others.iter().any(|other| one.starts_with(other) || other.starts_with(one));
    ones.is_empty() || others.is_empty() || ones.iter().any(touches)
}

/// A path as the child meant it.
#[must_use]
pub fn absolute(case: &Case, path: &Path) -> PathBuf {
    case.surroundings().cwd.join(path)
}

/// What moves a file or directory out of the way under another name; nothing where a system needs it in its place.
#[must_use]
pub fn moved_aside(case: &Case, at: &Path) -> Option<String> {
    let mut aside = at.as_os_str().to_owned();
    aside.push(".aside");
    (!must_stay(case, at)).then(|| format!("mv -n {} {}", case.quoted(at), case.quoted(Path::new(&aside))))
}

/// Directories whose files are the system's; hier(7).
const OF_THE_SYSTEM: &[&str] =
    &["/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/usr", "/var"];

/// Whether something is no file or directory of somebody's own that may be moved or removed: a device, a socket, a mount point, the top of
/// the tree, or what is in the system's directories.
#[must_use]
pub fn must_stay(case: &Case, at: &Path) -> bool {
    let at = absolute(case, at);
    let is_of_the_system = OF_THE_SYSTEM.iter().any(|place| at.starts_with(place)) && !at.starts_with("/var/tmp");
    let is_special =
        case.machine.stat(&at).is_ok_and(|stat| !matches!(stat.kind, Kind::Regular | Kind::Directory | Kind::Symlink));
    let is_top = at.components().count() <= 2;
    is_of_the_system || is_special || is_top || case.mounts.0.iter().any(|mount| mount.point == at)
}

/// `a directory`, `a symbolic link`.
#[must_use]
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Regular => "a regular file",
        Kind::Directory => "a directory",
        Kind::Symlink => "a symbolic link",
        Kind::Fifo => "a FIFO",
        Kind::Socket => "a socket",
        Kind::CharacterDevice => "a character device",
        Kind::BlockDevice => "a block device",
    }
}

/// Type and mode as `ls -l` writes them: `drwxr-x--T`.
#[must_use]
pub fn mode(stat: &Stat) -> String {
    let kind = match stat.kind {
        Kind::Regular => '-',
        Kind::Directory => 'd',
        Kind::Symlink => 'l',
        Kind::Fifo => 'p',
        Kind::Socket => 's',
        Kind::CharacterDevice => 'c',
        Kind::BlockDevice => 'b',
    };
    let mut text = String::from(kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = stat.mode >> shift & 7;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & 1 != 0, stat.mode & special != 0) {
            (true, false) => 'x',
            (false, false) => '-',
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
        });
    }
    text
}

/// `drwx------ root root`, with the command that shows it for every component.
#[must_use]
pub fn listed(case: &Case, at: &Path, stat: &Stat) -> Evidence {
    let (user, group) = (case.machine.user(stat.uid), group(case, stat.gid));
    let text = format!("{} is {} {user} {group}", at.display(), mode(stat));
    Evidence::probe(text).check(format!("namei -l {}", case.quoted(at)))
}

/// The name of a group, or its number.
#[must_use]
pub fn group(case: &Case, gid: u32) -> String {
    case.machine.group(gid).map_or_else(|_| gid.to_string(), |group| group.name)
}

/// `the user u`, or root.
#[must_use]
pub fn user(case: &Case, who: &Who) -> String {
    match who.identity().uid {
        0 => "root".into(),
        uid => format!("the user {}", case.machine.user(uid)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_of_a_stack_trace_go_on_with_its_message() {
        for line in [
            "#12 /srv/a.php(12): open()",
            "6: (OPEN \"ro/x\" :DIRECTION :OUTPUT)",
            "os.(*File).Write(0xc0, {0x1, 0x2})",
        ] {
            assert!(!is_said(line.as_bytes()), "{line}");
        }
        for line in
            ["12: 3 tests ran", "done (3 of 4)", "wrote a.txt (12 bytes)", "# what follows", "2024-01-01 10:00 done"]
        {
            assert!(is_said(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_level_below_an_error_is_a_word_of_its_own() {
        let of = |line: &str| is_warning(&Clue { line: line.into(), ..Clue::default() });
        for line in ["info: no cache", "[debug] no cache", "2024 NOTICE: no cache", "UserWarning: no cache"] {
            assert!(of(line), "{line}");
        }
        for line in [
            "rsync: getaddrinfo: host 873: Temporary failure",
            "Debugger entered--Lisp error: x",
            "no debug symbols: x",
        ] {
            assert!(!of(line), "{line}");
        }
    }
}
