//! Where the script of a command line was when it named a file: `sh -c 'cd out && cp a b'` means `out/a`. A script is read for its `cd`
//! commands alone; one that is not plain makes the place unknown rather than wrong.

use super::Script;
use crate::clue::Operation;
use crate::text::is_of_a_path;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How programs in other languages change to a directory, or start others in one.
const CALLS: &[&str] = &["chdir", "cwd=", "cwd:"];

/// Where a relative path of a message lies.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// In the directory in which the command was started.
    Same,
    /// In this one, which may be relative to that.
    Below(PathBuf),
    /// It cannot be told.
    Unknown,
}

/// Whether the command line has a script that changes the directory.
pub fn may_change(command: &[OsString]) -> bool {
    calls(command) || Script::of(command).is_some_and(|script| !changes(script.text).is_empty())
}

/// Where a path lies that a message of the command names. One to which it could not change is named from where it still was.
pub fn place_of(command: &[OsString], path: &Path, operation: Option<Operation>) -> Place {
    if calls(command) {
        return Place::Unknown;
    }
    let Some(Script { text: script, .. }) = Script::of(command) else { return Place::Same };
    // What the script itself names was named after the changes before that; what it does not, at its end.
    let named = last_named(script, path).unwrap_or(script.len());
    let mut before: Vec<Change> = changes(script).into_iter().take_while(|change| change.at < named).collect();
    if operation == Some(Operation::Chdir) {
        before.pop();
    }
    if before.is_empty() {
        return Place::Same;
    }
    // A subshell comes back, and which of its lines was the last nobody tells.
    let is_plain = !script.iter().any(|byte| matches!(byte, b'(' | b'`'));
    let directories = before.iter().map(|change| change.directory.as_deref().filter(|_| is_plain));
    let directory: Option<PathBuf> = directories.collect();
    directory.map_or(Place::Unknown, Place::Below)
}

/// Where a script names a path last, as a word of its own: `r/.git/hooks` does not name `.git/hooks`.
fn last_named(script: &[u8], path: &Path) -> Option<usize> {
    let is_whole = |at: &usize| at.checked_sub(1).is_none_or(|before| !is_of_a_path(script[before]));
    memchr::memmem::rfind_iter(script, path.as_os_str().as_bytes()).find(is_whole)
}

/// Whether an argument is a program text of another language that may change the directory.
fn calls(command: &[OsString]) -> bool {
    let is_call =
        |word: &OsString| CALLS.iter().any(|call| memchr::memmem::find(word.as_bytes(), call.as_bytes()).is_some());
    command.iter().skip(1).any(is_call)
}

/// A `cd` of a script.
struct Change {
    /// Its offset.
    at: usize,
    /// Where to, unless an expansion decides that.
    directory: Option<PathBuf>,
}

fn changes(script: &[u8]) -> Vec<Change> {
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b';' | b'&' | b'|' | b'(' | b')' | b'{');
    let starts = (0..script.len()).filter(|at| *at == 0 || is_end(&script[at - 1]));
    let operands = |at: usize| {
        let rest = [&b"cd"[..], b"pushd", b"popd"].into_iter().find_map(|verb| script[at..].strip_prefix(verb))?;
        rest.first().is_none_or(&is_end).then_some((at, rest))
    };
    // The verb comes first: what stands before a place is looked at where there is one, or blanks would be passed over from each of their ends.
    let changes = starts.filter_map(operands).filter(|(at, _)| is_a_command(&script[..*at]));
    changes.map(|(at, rest)| Change { at, directory: directory(rest) }).collect()
}

/// Whether what follows these bytes is the name of a command: `echo cd` has none.
fn is_a_command(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let is_behind = |word: &&[u8]| before.ends_with(word);
    let words: [&[u8]; 11] = [b";", b"&", b"|", b"(", b"{", b"do", b"then", b"else", b"if", b"!", b"\n"];
    before.is_empty() || words.iter().any(is_behind)
}

/// The plain word behind `cd`.
fn directory(rest: &[u8]) -> Option<PathBuf> {
    let line = rest.split(|byte| matches!(byte, b'\n' | b';' | b'&' | b'|' | b')')).next()?;
    let word = line.trim_ascii();
    let word = word.strip_prefix(b"-- ").unwrap_or(word);
    let quoted = [b"'", b"\""].into_iter().find_map(|mark| word.strip_prefix(mark)?.strip_suffix(mark));
    let is_plain =
        |byte: &u8| !matches!(byte, b'$' | b'`' | b'*' | b'?' | b'[' | b'\\' | b'\'' | b'"' | b'<' | b'>' | b'{');
    let plain = quoted.unwrap_or(word);
    let is_one = quoted.is_some() || !plain.contains(&b' ');
    let is_known = !plain.is_empty() && is_one && plain.iter().all(is_plain) && !matches!(plain[0], b'-' | b'~' | b'+');
    is_known.then(|| PathBuf::from(OsStr::from_bytes(plain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(words: &[&str], path: &str) -> Place {
        let command: Vec<OsString> = words.iter().map(OsString::from).collect();
        if may_change(&command) { place_of(&command, Path::new(path), None) } else { Place::Same }
    }

    #[test]
    fn a_path_lies_where_the_script_went_before_it_was_named() {
        let below = |directory: &str| Place::Below(directory.into());
        for (script, directory) in [
            ("cd out && cp a b", "out"),
            ("cd /usr; cd lib\ncp a b", "/usr/lib"),
            ("cp x y; cd 'the out' || exit 1; make", "the out"),
            ("set -e; cd -- out; make", "out"),
            ("touch out/a; cd out; make", "out"),
        ] {
            assert_eq!(place(&["sudo", "bash", "-ec", script], "a"), below(directory), "{script}");
        }
        assert_eq!(place(&["sh", "-c", "cp a b; cd out"], "a"), Place::Same);
    }

    #[test]
    fn a_place_that_cannot_be_told_is_unknown() {
        for script in [
            "cd $X; cp a b",
            "(cd out; make); cp a b",
            "cd; cp a b",
            "for d in *; do cd $d; make; done",
            "pushd out; popd; cp a b",
        ] {
            assert_eq!(place(&["sh", "-c", script], "a"), Place::Unknown, "{script}");
        }
        assert_eq!(place(&["python3", "-c", "import os; os.chdir(x); open('a')"], "a"), Place::Unknown);
    }

    #[test]
    fn a_directory_that_was_not_entered_is_named_from_where_the_script_still_was() {
        let place = |script: &str, path| {
            place_of(&["sh", "-c", script].map(OsString::from), Path::new(path), Some(Operation::Chdir))
        };
        assert_eq!([place("cd out && make", "out"), place("cd $1", "out")], [Place::Same, Place::Same]);
        assert_eq!(place("cd a; cd b; make", "b"), Place::Below("a".into()));
    }

    #[test]
    fn a_script_that_stays_and_words_that_are_no_script_change_nothing() {
        for words in [
            &["sh", "-c", "echo cd out; cp a b"][..],
            &["sh", "-c", "cdrecord x; cp a b"],
            &["sh", "cd", "a"],
            &["grep", "cd out", "a"],
        ] {
            assert_eq!(place(words, "a"), Place::Same, "{words:?}");
        }
    }
}
