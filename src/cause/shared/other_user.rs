//! Commands that run others as another user: whose rights counted then.

use super::case::Case;
use crate::clue::Script;
use crate::command_line;
use crate::machine::{Group, Identity};
use crate::probe::walk::Who;
use std::ffi::OsString;
use std::path::Path;

/// The user that the command line changes to, itself or behind what starts it (`timeout 9 runuser -u ann -- cp a b`).
#[must_use]
pub fn of_command(case: &Case) -> Option<Who> {
    let words = texts(case.command);
    let before = case.command.len() - command_line::launched(case.command).len();
    who(case, &(0..=before).find_map(|at| named(words.get(at..)?))?)
}

/// The user that root's script in the command line changes to somewhere: `sh -c 'step; su ann -c work'`. What refuses is hardly what root
/// does itself.
#[must_use]
pub fn of_script(case: &Case) -> Option<Who> {
    let script = Script::of(case.command).filter(|_| case.surroundings().identity.uid == 0)?;
    let text = String::from_utf8_lossy(script.text).into_owned();
    let words: Vec<String> = text.split_whitespace().map(|word| word.trim_matches(QUOTES).to_owned()).collect();
    who(case, &(0..words.len()).find_map(|at| named(&words[at..]))?)
}

/// What stands around a word of a script.
const QUOTES: &[char] = &['"', '\'', ';', '(', ')'];

fn texts(command: &[OsString]) -> Vec<String> {
    command.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// A user of whom a command line tells.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    /// The name, or the number.
    user: String,
    /// The group where one is told, by name or number.
    group: Option<String>,
}

/// Somebody whom this machine knows, or a number, which need not be anybody's.
fn who(case: &Case, named: &Named) -> Option<Who> {
    let login = case.machine.login(&named.user);
    let of_login = login.as_ref().map(|login| (login.uid, login.gid)).ok();
    let own = case.surroundings().identity.gid;
    let (uid, usual) = of_login.or_else(|| Some((named.user.parse().ok()?, own)))?;
    let known = case.machine.groups().unwrap_or_default();
    let is_told = |group: &&Group| named.group.as_ref() == Some(&group.name);
    let of_name = || known.iter().find(is_told).map(|group| group.gid);
    let told = named.group.as_ref().and_then(|group| group.parse().ok()).or_else(of_name);
    let is_member = |group: &&Group| login.as_ref().is_ok_and(|login| group.members.contains(&login.name));
    let groups = known.iter().filter(is_member).map(|group| group.gid).collect();
    let identity = Identity { uid, gid: told.unwrap_or(usual), groups, capabilities: 0 };
    (uid != 0).then(|| Who::of(case.machine, identity))
}

fn named(words: &[String]) -> Option<Named> {
    let (program, arguments) = words.split_first()?;
    match Path::new(program).file_name()?.to_str()? {
        "sudo" | "doas" | "runuser" | "setpriv" => of_options(arguments),
        "su" => arguments.iter().find(|word| !word.starts_with('-')).map(|user| pair(user)),
        "gosu" | "su-exec" | "setuidgid" => arguments.first().map(|word| pair(word)),
        _ => None,
    }
}

/// `USER` or `USER:GROUP`.
fn pair(word: &str) -> Named {
    let (user, group) = word.split_once(':').map_or((word, None), |(user, group)| (user, Some(group)));
    Named { user: user.to_owned(), group: group.map(str::to_owned) }
}

/// The values of the options that name a user and a group, before the first word that is neither an option nor its value.
fn of_options(arguments: &[String]) -> Option<Named> {
    let (mut user, mut group) = (None, None);
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-u" | "--user" | "--reuid" | "-U" => user = rest.next().cloned(),
            "-g" | "--group" | "--regid" => group = rest.next().cloned(),
            "-C" | "-D" | "-h" | "-p" | "-T" | "--groups" => drop(rest.next()),
            word if word.starts_with("--user=") || word.starts_with("--reuid=") => user = value(word),
            word if word.starts_with("--group=") || word.starts_with("--regid=") => group = value(word),
            word if word.starts_with("-u") && !word.starts_with("--") => user = Some(word[2..].to_owned()),
            word if word.starts_with('-') => {}
            _ => break,
        }
    }
    user.map(|user| Named { user, group })
}

fn value(option: &str) -> Option<String> {
    option.split_once('=').map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<String> {
        told(line).map(|named| named.user)
    }

    fn told(line: &str) -> Option<Named> {
        named(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_group_of_each_command_is_read() {
        for line in ["sudo -u ann -g web id", "setpriv --reuid=ann --regid=web id", "gosu ann:web id"] {
            assert_eq!(told(line).and_then(|named| named.group).as_deref(), Some("web"), "{line}");
        }
        assert_eq!(told("su ann").and_then(|named| named.group), None);
    }

    #[test]
    fn the_user_of_each_command_is_read() {
        for line in [
            "sudo -u postgres psql",
            "/usr/bin/sudo -n --user=postgres psql -u x",
            "su - postgres -c psql",
            "gosu postgres:x psql",
            "setpriv --regid 5 --reuid=postgres psql",
            "runuser -upostgres -- psql",
        ] {
            assert_eq!(of(line).as_deref(), Some("postgres"), "{line}");
        }
    }

    #[test]
    fn what_belongs_to_the_command_is_not_read() {
        for line in ["sudo psql -u x", "psql -u x", "sudo -n true", "gosu"] {
            assert_eq!(of(line), None, "{line}");
        }
    }
}
