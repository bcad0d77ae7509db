//! Drops clues of what another machine or a container said: behind ssh, `docker exec` or kubectl, by the other side of rsync, by a database
//! server, by a task of Ansible. Its words come through the same stderr, but its files, users and programs are not those of this machine:
//! nothing here can prove them.

use super::{Clue, Operation};
use crate::command_line::launched;
use crate::sys::errno::Errno;
use crate::transcript::{Part, Transcript};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// A program that runs another one where this machine's state says nothing.
struct Carrier {
    name: &'static str,
    /// Words of which one must be there for that; none: it does nothing else.
    verbs: &'static [&'static str],
}

/// Carriers, by their manual pages.
const CARRIERS: &[Carrier] = &[
    Carrier { name: "adb", verbs: &["exec-out", "push", "shell"] },
    Carrier { name: "buildah", verbs: &["run"] },
    Carrier { name: "docker", verbs: &["exec", "run"] },
    Carrier { name: "docker-compose", verbs: &["exec", "run"] },
    Carrier { name: "flyctl", verbs: &["ssh"] },
    Carrier { name: "gcloud", verbs: &["ssh"] },
    Carrier { name: "heroku", verbs: &["run"] },
    Carrier { name: "incus", verbs: &["exec", "shell"] },
    Carrier { name: "kubectl", verbs: &["debug", "exec", "run"] },
    Carrier { name: "lxc", verbs: &["exec", "shell"] },
    Carrier { name: "lxc-attach", verbs: &[] },
    Carrier { name: "machinectl", verbs: &["shell"] },
    Carrier { name: "mosh", verbs: &[] },
    Carrier { name: "multipass", verbs: &["exec", "shell"] },
    Carrier { name: "nerdctl", verbs: &["exec", "run"] },
    Carrier { name: "nomad", verbs: &["exec"] },
    Carrier { name: "oc", verbs: &["debug", "exec", "rsh", "run"] },
    Carrier { name: "podman", verbs: &["exec", "run"] },
    Carrier { name: "podman-compose", verbs: &["exec", "run"] },
    Carrier { name: "slogin", verbs: &[] },
    Carrier { name: "ssh", verbs: &[] },
    Carrier { name: "vagrant", verbs: &["ssh"] },
];
/// Programs that copy between machines: an operand `host:path` is the other side's.
const COPIERS: &[&str] = &["rsync", "scp", "sftp"];
/// Clients of a server that opens files as a user of its own.
const CLIENTS: &[&str] = &["mariadb", "mysql", "mysqldump", "pg_dump", "pg_restore", "psql"];
/// Names of this machine.
const HERE: &[&str] = &["127.0.0.1", "::1", "[::1]", "localhost"];
/// Words of what starts a container's first process.
const OF_CONTAINER: &[&str] = &["OCI runtime", "container process"];

/// What Ansible writes before the name of the machine whose task failed.
const OF_TASKS: &[&str] = &["failed: [", "fatal: ["];

/// Leaves out what another machine or a container said.
pub fn without_remote(command: &[OsString], transcript: &Transcript, clues: &mut Vec<Clue>) {
    clues.retain(|clue| !is_of_windows(clue) && !is_of_remote_task(&written(transcript, clue)));
    let words: Vec<&str> = launched(command).iter().filter_map(|word| word.to_str()).collect();
    let Some((name, arguments)) = words.split_first() else { return };
    let name = name.rsplit('/').next().unwrap_or(name);
    if is_carried(name, arguments) {
        clues.retain(|clue| !is_of_carried(name, clue) || is_started_here(arguments, clue));
    } else if COPIERS.contains(&name) {
        let there = Operands::of(arguments);
        clues.retain(|clue| !there.are_meant(name, clue));
    } else if CLIENTS.contains(&name) {
        clues.retain(|clue| !is_of_server(clue));
    }
}

/// The whole line in which a message stands: a record in it may be read as a line of its own.
fn written(transcript: &Transcript, clue: &Clue) -> String {
    let of_part = |part: &Part| {
        let at = usize::try_from(clue.said.start.checked_sub(part.offset)?).ok()?;
        let before = part.bytes.0.get(..at)?;
        let begin = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let line = part.bytes.0[begin..].split(|byte| *byte == b'\n').next()?;
        Some(String::from_utf8_lossy(line).into_owned())
    };
    transcript.parts.iter().rev().find_map(of_part).unwrap_or_else(|| clue.line.clone())
}

/// Whether Windows answered, or was asked of a file on one of its drives, which no walk here finds.
fn is_of_windows(clue: &Clue) -> bool {
    let is_of_path =
        matches!(clue.errno, Some(Errno::ENOENT | Errno::EACCES | Errno::EPERM | Errno::EBUSY | Errno::EEXIST));
    let is_path_of_here = clue.path.as_deref().is_some_and(Path::is_absolute);
    clue.line.contains("[WinError ") || is_of_path && !is_path_of_here && names_drive(&clue.line)
}

/// Whether a line has a path such as `C:\x`.
fn names_drive(line: &str) -> bool {
    line.match_indices(":\\").any(|(colon, _)| {
        let mut before = line[..colon].chars().rev();
        before.next().is_some_and(|drive| drive.is_ascii_alphabetic())
            && !before.next().is_some_and(char::is_alphanumeric)
    })
}

/// Whether a line is Ansible's of a task that failed on another machine.
fn is_of_remote_task(line: &str) -> bool {
    let host = OF_TASKS.iter().find_map(|words| line.strip_prefix(words)?.split([']', ' ']).next());
    host.is_some_and(|host| !HERE.contains(&host))
}

fn is_carried(name: &str, arguments: &[&str]) -> bool {
    let Some(carrier) = CARRIERS.iter().find(|carrier| carrier.name == name) else { return false };
    let has_verb = carrier.verbs.is_empty() || arguments.iter().any(|word| carrier.verbs.contains(word));
    has_verb && !arguments.iter().any(|word| HERE.contains(&host(word)))
}

/// The host of `user@host`.
fn host(word: &str) -> &str {
    word.rsplit_once('@').map_or(word, |(_, host)| host)
}

/// Whether a program said it that the carrier started: it has another name, or is the one that could not be started there.
fn is_of_carried(carrier: &str, clue: &Clue) -> bool {
    let is_other = clue.program.as_deref().is_some_and(|program| !program.starts_with(carrier));
    is_other && !is_of_carrier(carrier, clue) || OF_CONTAINER.iter().any(|word| clue.line.contains(word))
}

/// Whether a command of this machine said it, which ssh starts for itself: `ProxyCommand`, `LocalCommand` … of `ssh_config`(5).
fn is_started_here(arguments: &[&str], clue: &Clue) -> bool {
    let name = clue.path.as_deref().and_then(Path::file_name).and_then(OsStr::to_str);
    let names =
        |word: &&str| word.split_once("Command").is_some_and(|(_, own)| name.is_some_and(|name| own.contains(name)));
    arguments.iter().any(names)
}

/// Whether the line begins with the carrier's name, whatever a rule took for the program.
fn is_of_carrier(carrier: &str, clue: &Clue) -> bool {
    clue.line.strip_prefix(carrier).is_some_and(|rest| rest.starts_with([':', '[']))
}

/// What a server's user may not do is nothing that this command's user proves.
fn is_of_server(clue: &Clue) -> bool {
    let is_refused = matches!(clue.errno, Some(Errno::EACCES | Errno::EPERM));
    let is_answered = clue.operation != Some(Operation::Connect);
    is_refused && is_answered && clue.line.contains("ERROR")
}

/// The operands of a copy that are on the other machine.
struct Operands {
    paths: Vec<PathBuf>,
    /// Whether the last operand is one of them: then it is written to.
    is_written: bool,
}

impl Operands {
    fn of(arguments: &[&str]) -> Self {
        let there = |word: &&&str| !word.starts_with('-') && remote_path(word).is_some();
        let paths = arguments.iter().filter(there).filter_map(|word| remote_path(word)).map(PathBuf::from).collect();
        Self { paths, is_written: arguments.last().as_ref().is_some_and(there) }
    }

    /// Whether a message of a copier is about the other side.
    fn are_meant(&self, copier: &str, clue: &Clue) -> bool {
        let line = clue.line.as_str();
        match copier {
            // It names files of its own side as local ones.
            "sftp" => line.contains("remote ") || line.starts_with("Couldn't") && !line.contains("local"),
            _ if self.paths.is_empty() => false,
            "rsync" if is_of_role(line, self.is_written) => true,
            _ => line.contains("remote ") || line.contains("dest ") || self.has(clue.path.as_deref()),
        }
    }

    fn has(&self, path: Option<&Path>) -> bool {
        let is_below = |path: &Path, there: &Path| !there.as_os_str().is_empty() && path.starts_with(there);
        path.is_some_and(|path| self.paths.iter().any(|there| is_below(path, there)))
    }
}

/// Whether rsync says that the process on the other machine met it: what receives and generates is where the files go.
fn is_of_role(line: &str, is_written: bool) -> bool {
    let roles: &[&str] =
        if is_written { &["[Receiver]", "[generator]", "[receiver]"] } else { &["[Sender]", "[sender]"] };
    roles.iter().any(|role| line.contains(role))
}

/// The path of `host:path`, `user@host:path` and of a URL's; a colon behind a slash is part of a file's name.
fn remote_path(word: &str) -> Option<&str> {
    if let Some((_, rest)) = word.split_once("://") {
        let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
        return (!HERE.contains(&host(authority))).then(|| &rest[authority.len()..]);
    }
    let (place, path) = word.split_once(':')?;
    let is_host = !place.is_empty() && !place.contains('/') && !HERE.contains(&host(place));
    is_host.then(|| path.trim_start_matches(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stays(command: &str, program: &str, line: &str) -> bool {
        let command: Vec<OsString> = command.split(' ').map(OsString::from).collect();
        let path = line.split([' ', '"', '\'', ':']).find(|word| word.starts_with('/')).map(PathBuf::from);
        let program = (!program.is_empty()).then(|| program.to_owned());
        let clue = Clue { program, path, line: line.to_owned(), errno: Some(Errno::EACCES), ..Clue::default() };
        let mut clues = vec![clue];
        without_remote(&command, &Transcript::whole(line.as_bytes().to_vec()), &mut clues);
        !clues.is_empty()
    }

    #[test]
    fn what_windows_said_is_left_out() {
        for line in [
            "open C:\\Users\\a: Permission denied",
            "unlink 'd:\\\\a'",
            "PermissionError: [WinError 5] Access is denied: 'x'",
        ] {
            assert!(!stays("", "", line), "{line}");
        }
        for line in ["open /srv/C:\\a: Permission denied", "error:\\nPermission denied", "Error:\\ Permission denied"] {
            assert!(stays("", "", line), "{line}");
        }
    }

    #[test]
    fn what_another_machine_or_a_container_said_is_left_out() {
        for (command, program, line) in [
            ("ssh host cat /etc/x", "cat", "cat: /etc/x: Permission denied"),
            ("timeout 9 ssh -p 22 ann@host x", "bash", "bash: line 1: /etc/x: Permission denied"),
            ("docker exec c mkdir /etc/x", "mkdir", "mkdir: cannot create directory '/etc/x': Permission denied"),
            ("docker run i x", "", "docker: OCI runtime create failed: exec: \"x\": executable file not found"),
            ("kubectl exec pod -- cat /etc/x", "cat", "cat: /etc/x: Permission denied"),
            ("scp host:/etc/x .", "scp", "scp: /etc/x: Permission denied"),
            ("scp a host:/etc/x", "scp", "scp: dest open \"/etc/x\": Permission denied"),
            ("sftp host", "", "remote open(\"/etc/x\"): Permission denied"),
            ("rsync -a a host:/etc/x", "rsync", "rsync: [Receiver] mkdir \"/etc/x\" failed: Permission denied (13)"),
            (
                "rsync host::mod/etc .",
                "rsync",
                "rsync: [sender] link_stat \"/x\" (in mod) failed: Permission denied (13)",
            ),
            (
                "ansible-playbook a",
                "touch",
                "fatal: [web1]: FAILED! => {\"stderr\": \"touch: cannot touch '/etc/x': x\"}",
            ),
            ("psql -f a", "", "ERROR:  could not open file \"/etc/x\" for reading: Permission denied"),
        ] {
            assert!(!stays(command, program, line), "{command}: {line}");
        }
    }

    #[test]
    fn a_socket_that_a_client_may_not_open_is_of_this_machine() {
        let line = "ERROR 2002 (HY000): Can't connect to local server through socket '/run/x.sock' (13)";
        let said = |operation| Clue { operation, line: line.into(), errno: Some(Errno::EACCES), ..Clue::default() };
        let mut clues = vec![said(Some(Operation::Connect)), said(None)];
        without_remote(&["mariadb".into()], &Transcript::whole(line.into()), &mut clues);
        assert_eq!(clues.len(), 1);
    }

    #[test]
    fn what_this_machine_said_stays() {
        for (command, program, line) in [
            ("ssh host cat /etc/x", "ssh", "ssh: Could not open /x: Permission denied"),
            ("ssh host true", "", "Load key \"/root/.ssh/id\": Permission denied"),
            ("ssh -o ProxyCommand=./x host true", "bash", "bash: line 1: /etc/x: cannot execute"),
            ("ssh localhost cat /etc/x", "cat", "cat: /etc/x: Permission denied"),
            ("ssh ann@127.0.0.1 cat /etc/x", "cat", "cat: /etc/x: Permission denied"),
            ("docker build .", "docker", "docker: open /x: permission denied"),
            ("docker ps", "", "Got permission denied while trying to connect to /var/run/docker.sock"),
            ("scp /a/x host:", "scp", "scp: /a/x: Permission denied"),
            ("scp /a/x host:/etc/x", "scp", "scp: open local \"/a/x\": Permission denied"),
            ("scp /a:b/x /etc", "scp", "scp: /a: Permission denied"),
            ("rsync -a a /etc/x", "rsync", "rsync: [Receiver] mkdir \"/etc/x\" failed: Permission denied (13)"),
            ("rsync -a host:/srv /etc/x", "rsync", "rsync: [Receiver] mkdir \"/etc/x\" failed: Permission denied (13)"),
            ("sftp host", "", "Couldn't open local file \"/etc/x\" for writing: Permission denied"),
            ("psql -f /x", "psql", "psql: error: /x: Permission denied"),
            ("cat /etc/x", "cat", "cat: /etc/x: Permission denied"),
            (
                "ansible-playbook a",
                "touch",
                "fatal: [localhost]: FAILED! => {\"stderr\": \"touch: cannot touch '/etc/x': x\"}",
            ),
        ] {
            assert!(stays(command, program, line), "{command}: {line}");
        }
    }
}
