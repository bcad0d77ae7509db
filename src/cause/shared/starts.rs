//! Programs that a text on the command line starts (`perl -e 'system("./tool") …'`). Where such a program says only that something failed, and one
//! of those that it starts cannot be started, that is likely what failed.

use super::exec::{file_of, is_certain_stop};
use crate::cause::{Case, Subject, Suspect};
use crate::command_line;
use crate::probe::programs::obstacle;
use crate::sys::errno::Errno;
use std::ffi::OsStr;

/// What starts programs, in the languages that take a text as argument.
const CALLS: &[&str] = &["exec", "popen", "Popen", "spawn", "subprocess", "system", "qx", "`"];
/// The same where the program's name follows.
const CALLS_BY_NAME: &[&str] = &[
    "system(",
    "exec(",
    "execvp(",
    "execlp(",
    "execFile(",
    "execFileSync(",
    "execSync(",
    "spawn(",
    "spawnSync(",
    "popen(",
    "Popen(",
    "run(",
    "call(",
    "check_call(",
    "check_output(",
    "execute(",
];
/// Words that a shell does by itself.
const OF_SHELLS: &[&str] = &[
    "cd", "command", "eval", "exec", "exit", "export", "for", "if", "read", "set", "source", "test", "trap", "type",
    "ulimit", "umask", "wait", "while",
];

/// The files among them that something stops.
#[must_use]
pub fn stopped(case: &Case) -> Vec<Suspect> {
    let named = texts(case).flat_map(|text| command_line::words_in(text).skip(1)).filter_map(command_line::path_in);
    let files = named.filter(|path| path.as_os_str().as_encoded_bytes().contains(&b'/'));
    let files = files.filter_map(|path| file_of(case, path)).filter(|file| {
        let met = obstacle(case.machine, file);
        // Most languages hand to a shell what the kernel has no format for, as execvp(3) does.
        met.is_some_and(|met| met.answer() != Some(Errno::ENOEXEC) && is_certain_stop(case, &met))
    });
    files.map(|file| Suspect { subject: Subject::Path(file), clue: None, touched: true }).collect()
}

/// The names among them that are looked for in `PATH`.
pub fn names<'a>(case: &'a Case) -> impl Iterator<Item = &'a str> {
    let texts = texts(case).filter_map(OsStr::to_str);
    texts.flat_map(|text| {
        CALLS_BY_NAME
            .iter()
            .flat_map(move |call| text.match_indices(call))
            .filter_map(|(at, call)| name(&text[at + call.len()..]))
    })
}

fn texts<'a>(case: &'a Case) -> impl Iterator<Item = &'a OsStr> {
    let texts = case.command.iter().skip(1).map(std::ffi::OsString::as_os_str);
    texts.filter(|text| {
        CALLS.iter().any(|call| memchr::memmem::find(text.as_encoded_bytes(), call.as_bytes()).is_some())
    })
}

/// The first word of the first argument, where that is a text.
fn name(arguments: &str) -> Option<&str> {
    let text = arguments.trim_start_matches(['[', ' ']).strip_prefix(['"', '\''])?;
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.' | '+'))?;
    let is_whole = text[end..].starts_with(['"', '\'', ' ']);
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic()) && !OF_SHELLS.contains(&&text[..end]);
    (is_whole && is_name).then_some(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn the_first_word_of_a_text_is_a_program_s_name() {
        assert_eq!(name("\"frob -v x\") or die"), Some("frob"));
        assert_eq!(name("['frob', 'x'])"), Some("frob"));
        assert_eq!(["$cmd)", "\"$cmd x\")", "'cd x && y')", "\"a/b\")", "'/x y')", "'x=1 y')"].map(name), [None; 6]);
    }
}
