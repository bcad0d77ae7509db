//! What one rule reads in one line, and what it takes from the rule itself and from others that read the same line.

use super::Said;
use super::convention::by_convention;
use super::sought::Sought;
use crate::clue::Operation;
use crate::clue::language::kinds::by_kind;
use crate::clue::language::verbs::Verbs;
use crate::clue::library::rule::Ready;
use crate::clue::lines::named::named_paths;
use crate::clue::lines::page::Found;
use crate::sys::errno::{Errno, by_name, by_number};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// What one rule reads in one line.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub line: usize,
    pub rule: usize,
    pub errno: Option<Errno>,
    /// Another rule read the errno in the same line: this one has its causes for a message without one.
    pub lent_errno: bool,
    pub operation: Option<Operation>,
    /// The word for the operation.
    pub verb: Option<String>,
    pub path: Option<PathBuf>,
    /// A rule that reads the line says that programs say so and go on.
    pub passing: bool,
    /// The message names no path: what other rules take for one in it is none.
    pub pathless: bool,
    pub other: Option<PathBuf>,
    pub subject: Option<String>,
    pub program: Option<String>,
    /// The program that the rule is of, for a message that does not name who says it.
    pub usual_program: Option<String>,
    /// The path by the rule's convention, for a message in which no rule reads one.
    pub assumed: Option<PathBuf>,
    /// Where the path was looked for, by a rule that knows.
    pub sought: Option<Sought>,
}

impl Draft {
    /// Takes what a match captured and was open.
    pub fn fill(&mut self, found: &Found, verbs: &Verbs) {
        let text = |group| found.written(group).map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
        self.errno = self.errno.or_else(|| errno(found));
        self.verb = self.verb.take().or_else(|| text("operation"));
        self.operation = self.operation.or_else(|| verbs.operation(&text("operation")?));
        self.path = self.path.take().or_else(|| found.written("path").map(path));
        self.pathless |= found.denies("path");
        self.other = self.other.take().or_else(|| found.written("other").map(path));
        self.subject = self.subject.take().or_else(|| text("subject"));
        self.program = self.program.take().or_else(|| text("program").map(|name| base(&name)));
    }

    /// Takes what a line names and was open, of a message in no known form.
    pub fn fill_from_line(&mut self, line: &[u8], verbs: &Verbs) {
        let mut named = named_paths(line).map(path);
        if self.path.is_none() && !self.pathless {
            self.path = named.next();
        }
        let line = String::from_utf8_lossy(line);
        self.operation = self.operation.or_else(|| verbs.operation_in(&line, self.path.as_deref()));
        if matches!(self.operation, Some(Operation::Rename | Operation::Link)) {
            self.other = self.other.take().or_else(|| named.next());
        }
    }

    /// Takes what another rule read in the same line and was open.
    pub fn fill_open(&mut self, other: &Self) {
        self.passing |= other.passing;
        self.lent_errno |= self.errno.is_none() && other.errno.is_some();
        self.errno = self.errno.or(other.errno);
        self.operation = self.operation.or(other.operation);
        self.program = self.program.take().or_else(|| other.program.clone());
        self.usual_program = self.usual_program.take().or_else(|| other.usual_program.clone());
        // What this rule knows for the name of a call, another may take for the name of a file: `strace: exec: …`.
        let is_verb = |path: &PathBuf| self.verb.as_deref().is_some_and(|verb| path.as_os_str() == verb);
        if self.path.is_none() && !self.pathless && !other.path.as_ref().is_some_and(is_verb) {
            self.path.clone_from(&other.path);
            self.other = self.other.take().or_else(|| other.other.clone());
        }
        if self.path == other.path {
            self.sought = self.sought.take().or_else(|| other.sought.clone());
        }
    }

    /// Who says it, or mostly says so.
    pub fn speaker(&self) -> Option<&str> {
        self.program.as_deref().or(self.usual_program.as_deref())
    }

    /// Takes what the rule itself knows and the message left open.
    pub fn fill_from_rule(&mut self, rule: &Ready, said: &Said) {
        self.errno = self.errno.or(rule.errno);
        self.operation = self.operation.or(rule.says.operation);
        match rule.says.path.as_deref().map(|path| (path, path.strip_prefix("{path}"))) {
            Some((_, Some(tail))) => self.path = self.path.take().map(|path| with_tail(path, tail)),
            Some((path, None)) => self.assumed = by_convention(path, said),
            None => {}
        }
        self.subject = self.subject.take().or_else(|| rule.says.subject.clone());
        self.usual_program.clone_from(&rule.says.program);
        self.sought = Sought::of(&rule.says, self, said);
    }
}

/// What lies at or below a path that a message names: `.git/config` and `.lock`.
fn with_tail(path: PathBuf, tail: &str) -> PathBuf {
    let mut path = path.into_os_string();
    path.push(tail);
    path.into()
}

/// The errno of a match: its number, its name, or its words.
fn errno(found: &Found) -> Option<Errno> {
    let number = || found.plain("errno_number")?.parse().ok().and_then(by_number);
    let named = |group| found.plain(group).and_then(|name| by_name(name).or_else(|| by_kind(name)));
    number().or_else(|| named("errno_name")).or_else(|| named("errno"))
}

/// A path as it was meant: without the quotation that a wide pattern takes with it; shells write an apostrophe in a quoted name as `'\''`,
/// Node.js and Deno a path as an address.
fn path(written: &[u8]) -> PathBuf {
    let written = written.trim_ascii();
    let within = |mark: u8| {
        let inside = written.strip_prefix(&[mark]).and_then(|rest| rest.strip_suffix(&[mark]));
        inside.filter(|inside| !inside.is_empty() && !inside.contains(&mark))
    };
    let written = within(b'\'').or_else(|| within(b'"')).unwrap_or(written);
    let mut path = written.strip_prefix(b"file://").filter(|path| path.starts_with(b"/")).unwrap_or(written).to_vec();
    while let Some(at) = memchr::memmem::find(&path, br"'\''") {
        path.drain(at + 1..at + 4);
    }
    let path = crate::text::unquoted(&path);
    OsString::from_vec(path).into()
}

fn base(program: &str) -> String {
    let name = program.rsplit('/').next().unwrap_or(program);
    if name.is_empty() { program } else { name }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotation_marks_around_a_whole_path_are_none_of_its_name() {
        assert_eq!(path(b"\"a.conf\""), PathBuf::from("a.conf"));
        assert_eq!(path(b"a\"b"), PathBuf::from("a\"b"));
        assert_eq!(path(b"\""), PathBuf::from("\""));
    }
}
