//! Where a program keeps what its message does not name: below HOME, in a variable, behind an option of the command.

use super::Said;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// `~/.npm`, `$TMPDIR`, `${OPAMROOT:-~/.opam}/log`, and `${-D:-/var/lib/postgresql}` for the value of an option; a default may
/// hold another: `${GOCACHE:-${XDG_CACHE_HOME:-~/.cache}/go}`. None where the variable is not set to an absolute path or the option not
/// given. A path that begins with none of them is relative: `target` is the working directory's.
pub fn by_convention(text: &str, said: &Said) -> Option<PathBuf> {
    let mut out = OsString::new();
    let mut rest = text;
    if let Some(tail) = rest.strip_prefix('~') {
        out.push(said.surroundings.directory("HOME")?);
        rest = tail;
    } else if let Some(tail) = rest.strip_prefix("${") {
        let (inner, tail) = tail.split_at_checked(closing_brace(tail)?)?;
        let (name, default) = inner.split_once(":-").unwrap_or((inner, ""));
        let default = || Some(default).filter(|text| !text.is_empty()).and_then(|text| by_convention(text, said));
        let value = if name.starts_with('-') { option(name, said.command) } else { variable(name, said) };
        out.push(value.or_else(default)?);
        rest = &tail[1..];
    } else if let Some(tail) = rest.strip_prefix('$') {
        let end = tail.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(tail.len());
        let is_tmpdir = &tail[..end] == "TMPDIR";
        out.push(if is_tmpdir { said.surroundings.tmpdir() } else { variable(&tail[..end], said)? });
        rest = &tail[end..];
    }
    out.push(rest);
    Some(PathBuf::from(out)).filter(|path| !path.as_os_str().is_empty())
}

/// A variable of the command's environment that names a directory: one that is always kept, or one that a rule alone asks for.
fn variable(name: &str, said: &Said) -> Option<PathBuf> {
    said.surroundings.directory(name).or_else(|| said.machine?.variable(name, said.command))
}

/// The value of an option: `-D DIR`, `-DDIR`, `--datadir DIR`, `--datadir=DIR`.
fn option(name: &str, command: &[OsString]) -> Option<PathBuf> {
    let is_long = name.starts_with("--");
    command.iter().enumerate().find_map(|(index, word)| {
        let glued = word.as_bytes().strip_prefix(name.as_bytes())?;
        match glued {
            [] => command.get(index + 1).map(PathBuf::from),
            [b'=', value @ ..] if is_long => Some(PathBuf::from(OsStr::from_bytes(value))),
            value if !is_long => Some(PathBuf::from(OsStr::from_bytes(value))),
            _ => None,
        }
    })
}

/// Where the brace closes that was opened just before the text.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    text.bytes().position(|byte| {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        open == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Machine, Record, Surroundings};
    use crate::text::Bytes;
    use crate::transcript::Transcript;

    fn meant(text: &str, command: &str) -> Option<PathBuf> {
        let env = [("HOME", "/home/u"), ("GOPATH", "/go")].map(|(name, value)| (name.to_owned(), Bytes(value.into())));
        let surroundings = Surroundings { env: env.into(), ..Surroundings::default() };
        let command: Vec<OsString> = command.split(' ').map(OsString::from).collect();
        let mut record = Record::default();
        record.put("variable APP_DATA", &Ok(Some(PathBuf::from("/srv/app"))));
        let machine = Machine::played(Surroundings::default(), record);
        let transcript = Transcript::whole(Vec::new());
        let (surroundings, machine) = (&surroundings, Some(&machine));
        by_convention(text, &Said { transcript: &transcript, command: &command, surroundings, machine })
    }

    #[test]
    fn a_convention_names_home_variables_and_defaults_in_defaults() {
        for (text, path) in [
            ("~/.npm", Some("/home/u/.npm")),
            ("$GOPATH/pkg", Some("/go/pkg")),
            ("$GOCACHE", None),
            ("${GOCACHE}", None),
            ("${GOCACHE:-${XDG_CACHE_HOME:-~/.cache}/go-build}", Some("/home/u/.cache/go-build")),
            ("${GOPATH:-~/go}/pkg/mod", Some("/go/pkg/mod")),
            ("${GOPATH}", Some("/go")),
            ("${GOPATH}/pkg", Some("/go/pkg")),
            ("$HOME/.npm", Some("/home/u/.npm")),
            ("${HOME}/.npm", Some("/home/u/.npm")),
            ("$APP_DATA/log", Some("/srv/app/log")),
            ("${APP_DATA:-/var/lib/app}/log", Some("/srv/app/log")),
            ("${APP_CACHE:-/var/cache/app}", Some("/var/cache/app")),
            ("$APP_CACHE", None),
            ("target", Some("target")),
            ("${unclosed", None),
        ] {
            assert_eq!(meant(text, "x"), path.map(PathBuf::from), "{text}");
        }
    }

    #[test]
    fn a_convention_names_an_option_of_the_command() {
        for (text, command, path) in [
            ("${-D:-${PGDATA:-/var/lib/postgresql}}", "postgres -D /srv/pg", Some("/srv/pg")),
            ("${-D:-/var/lib/postgresql}/base", "pg_ctl -D/srv/pg start", Some("/srv/pg/base")),
            ("${-D:-/var/lib/postgresql}", "postgres --port 5432", Some("/var/lib/postgresql")),
            ("${--datadir}", "sudo mariadbd --datadir=/srv/my", Some("/srv/my")),
            ("${--datadir}", "mariadbd --datadir /srv/my", Some("/srv/my")),
            ("${--data}", "mariadbd --datadir=/srv/my", None),
            ("${-D}", "postgres -D", None),
        ] {
            assert_eq!(meant(text, command), path.map(PathBuf::from), "{text} of {command}");
        }
    }
}
