//! Commands that run others as another user: whose rights counted then.

use super::case::Case;
use crate::machine::Identity;
use crate::probe::walk::Who;
use std::path::Path;

/// The user that the command line changes to, where it names one that this machine knows.
#[must_use]
pub fn of_command(case: &Case) -> Option<Who> {
    let words: Vec<String> = case.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let name = named(&words)?;
    let login = case.machine.login(&name).ok()?;
    let groups = case.machine.groups().unwrap_or_default().into_iter();
    let groups = groups.filter(|group| group.members.contains(&login.name)).map(|group| group.gid).collect();
    let identity = Identity { uid: login.uid, gid: login.gid, groups, capabilities: 0 };
    (login.uid != 0).then(|| Who::of(case.machine, identity))
}

fn named(words: &[String]) -> Option<String> {
    let (program, arguments) = words.split_first()?;
    match Path::new(program).file_name()?.to_str()? {
        "sudo" | "doas" | "runuser" | "setpriv" => of_option(arguments),
        "su" => arguments.iter().find(|word| !word.starts_with('-')).cloned(),
        "gosu" | "su-exec" | "setuidgid" => {
            arguments.first().map(|word| word.split(':').next().unwrap_or(word).to_owned())
        }
        _ => None,
    }
}

/// The value of the option that names a user, before the first word that is neither an option nor its value.
fn of_option(arguments: &[String]) -> Option<String> {
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-u" | "--user" | "--reuid" | "-U" => return rest.next().cloned(),
            "-g" | "--group" | "--regid" | "-C" | "-D" | "-h" | "-p" | "-T" | "--groups" => drop(rest.next()),
            word if word.starts_with("--user=") || word.starts_with("--reuid=") => {
                return word.split_once('=').map(|(_, name)| name.to_owned());
            }
            word if word.starts_with("-u") && !word.starts_with("--") => return Some(word[2..].to_owned()),
            word if word.starts_with('-') => {}
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<String> {
        named(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
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
