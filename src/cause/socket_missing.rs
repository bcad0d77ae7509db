//! connect(2) fails: there is no socket file (ENOENT), or nobody listens on it or on the port (ECONNREFUSED), unix(7), ip(7).

use super::shared::{refused_port, service};
use super::spoken::leads_with;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, refused};
use crate::clue::{Clue, Operation};
use crate::machine::Kind;
use crate::sys::errno::Errno;
use crate::text::capital;
use std::path::{Path, PathBuf};

const ID: &str = "socket-missing";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/socket-missing.md"),
    suspects,
    covers: &["missing-path"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let told: Vec<(usize, &Clue)> = match case.mode {
        Mode::Run => refused::messages(case).collect(),
        Mode::Log => case.clues.iter().enumerate().collect(),
    };
    let spoken = told.into_iter().filter(|(_, clue)| clue.suspects(ID) || is_refused(clue));
    spoken.flat_map(|(index, clue)| of_clue(case, index, clue)).collect()
}

/// The file that the message names; else the socket files of the command line, which curl and mysql do not repeat; else the port.
fn of_clue(case: &Case, index: usize, clue: &Clue) -> Vec<Suspect> {
    let named = named_file(case, clue).map_or_else(|| files_of_command(case, clue), |path| vec![path]);
    let files = named.into_iter().map(|path| Subject::Path(case.surroundings().cwd.join(path)));
    let mut subjects: Vec<Subject> = files.collect();
    if subjects.is_empty() {
        subjects.extend(unset(case, clue).map(|variable| Subject::Name(variable.to_owned())));
    }
    if subjects.is_empty() {
        subjects.extend(refused_port::refused(clue).map(|port| Subject::Name(port.to_string())));
    }
    subjects.into_iter().map(|subject| Suspect { subject, clue: Some(index), touched: true }).collect()
}

/// The variable that a rule names as what leads to the socket, where it is not set: `SSH_AUTH_SOCK`.
fn unset<'a>(case: &Case, clue: &'a Clue) -> Option<&'a str> {
    let name = clue.subject.as_deref().filter(|_| case.mode == Mode::Run && clue.path.is_none())?;
    let is_variable = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') && name.contains('_');
    (is_variable && case.surroundings().var(name).is_none_or(|value| value.is_empty())).then_some(name)
}

fn is_refused(clue: &Clue) -> bool {
    clue.errno == Some(Errno::ECONNREFUSED) || is_connect(clue) && clue.errno == Some(Errno::ENOENT)
}

fn is_connect(clue: &Clue) -> bool {
    clue.operation == Some(Operation::Connect)
}

/// The file that the message names. `ssh: connect to host x port 22: …` names none, though it has the form of a message that does: a name
/// without a slash is one where a socket of that name lies there.
fn named_file(case: &Case, clue: &Clue) -> Option<PathBuf> {
    let path = socket_path(clue)?;
    let is_called_so = path.extension().is_some_and(|ending| ending == "sock" || ending == "socket");
    let is_a_path = is_called_so || path.as_os_str().as_encoded_bytes().contains(&b'/');
    (is_a_path || is_socket(case, &path)).then_some(path)
}

fn is_socket(case: &Case, path: &Path) -> bool {
    let found = case.resolve(path).filter(|found| found.missing.as_os_str().is_empty());
    found.is_some_and(|found| case.machine.stat(&found.existing).is_ok_and(|stat| stat.kind == Kind::Socket))
}

/// Words of the command line that are socket files, or have the name of one: `--unix-socket PATH`, `--socket=PATH`, `-S PATH`. Asked only
/// where a connection failed. A message that names a port is about a file only where an option says so: curl writes of the host that it
/// asks through a socket, and ssh, which is given a control socket, of the host that refused.
fn files_of_command(case: &Case, clue: &Clue) -> Vec<PathBuf> {
    if !is_connect(clue) && !clue.suspects(ID) {
        return Vec::new();
    }
    let is_of_port = names_a_port(clue);
    let words = case.command.windows(2).map(|pair| [&pair[0], &pair[1]].map(|word| word.to_string_lossy()));
    let values = words.map(|[before, word]| match word.rsplit_once('=') {
        Some((option, value)) => (option.to_owned(), value.to_owned()),
        None => (before.into_owned(), word.into_owned()),
    });
    let is_meant = |option: &str| !is_of_port || option.starts_with('-') && option.contains("socket");
    let values = values.filter(|(option, value)| is_meant(option) && !value.contains("://"));
    let paths = values.map(|(_, value)| PathBuf::from(value));
    paths.filter(|path| has_the_name_of_a_socket(path) || is_socket(case, path)).collect()
}

fn names_a_port(clue: &Clue) -> bool {
    clue.subject.as_deref().is_some_and(|subject| refused_port::place(subject).is_some())
        || clue.line.contains(" port ")
}

fn has_the_name_of_a_socket(path: &Path) -> bool {
    let is_a_path = path.as_os_str().as_encoded_bytes().contains(&b'/');
    is_a_path && path.extension().is_some_and(|end| matches!(end.to_str(), Some("sock" | "socket")))
}

/// The path, which programs also write as `unix:///run/x.sock` and `unix:/run/x.sock`; an address of another kind is none.
fn socket_path(clue: &Clue) -> Option<PathBuf> {
    let written = clue
        .path
        .clone()
        .or_else(|| clue.subject.as_ref().filter(|subject| subject.contains('/')).map(PathBuf::from))
        .or_else(|| socket_of_display(clue))?;
    let Some(text) = written.to_str() else { return Some(written) };
    let text = text.strip_prefix("unix:").unwrap_or(text);
    // A sentence may end behind it.
    let text = text.strip_prefix("//").unwrap_or(text).trim_end_matches('.');
    (!text.contains("://")).then(|| text.into())
}

/// The socket of a display of this machine: `:99`, `:0.0`, X(7). A host before the colon is another way to a server.
fn socket_of_display(clue: &Clue) -> Option<PathBuf> {
    let number = clue.subject.as_deref()?.strip_prefix(':')?.split('.').next()?.parse::<u32>().ok()?;
    clue.line.to_ascii_lowercase().contains("display").then(|| format!("/tmp/.X11-unix/X{number}").into())
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let path = match &suspect.subject {
        Subject::Path(path) => path,
        Subject::Name(port) => {
            let Ok(port) = port.parse() else { return Verdict::Found(Box::new(not_set(port))) };
            let host = suspect.clue.and_then(|index| refused_port::host(&case.clues[index]));
            return refused_port::check(case, host.as_deref(), port);
        }
    };
    let Some(found) = case.resolve(path) else { return Verdict::Unknown("the path cannot be walked".into()) };
    if !found.missing.as_os_str().is_empty() {
        return Verdict::Found(Box::new(missing(case, path, &found.existing, &found.missing)));
    }
    match case.machine.stat(&found.existing).map(|stat| stat.kind) {
        Ok(Kind::Socket) => listened(case, suspect, path, &found.existing),
        Ok(_) if is_said_to_be_socket(case, suspect, path) => Verdict::Found(Box::new(no_socket(case, path))),
        Ok(_) => Verdict::Unknown(format!("{} is no socket, and nothing says that it should be one", path.display())),
        Err(unknown) => Verdict::Unknown(unknown.to_string()),
    }
}

/// Whether the message speaks of a socket, or it or the command names this file. A path that a rule assumes may be the wrong one.
fn is_said_to_be_socket(case: &Case, suspect: &Suspect, path: &Path) -> bool {
    let Some(name) = path.file_name().map(|name| name.to_string_lossy()) else { return false };
    let line = suspect.clue.map_or("", |index| case.clues[index].line.as_str());
    let names_it = |text: &str| text.contains(&*name);
    line.to_ascii_lowercase().contains("socket")
        || names_it(line)
        || case.command.iter().any(|word| names_it(&word.to_string_lossy()))
}

fn listened(case: &Case, suspect: &Suspect, path: &Path, real: &Path) -> Verdict {
    let bound = match case.machine.bound_socket(real) {
        Ok(bound) => bound,
        Err(unknown) => return Verdict::Unknown(unknown.to_string()),
    };
    let is_refused = suspect.clue.is_some_and(|index| case.clues[index].errno == Some(Errno::ECONNREFUSED));
    match bound {
        Some(bound) if bound.listening => {
            let who = bound.holders.first().map_or_else(|| "a process".into(), crate::probe::holders::named);
            Verdict::RuledOut(format!("{who} listens on it"))
        }
        // Another network namespace may have it, whose sockets are not listed here.
        // Unless the message itself is that nobody answers there.
        _ if case.mode == Mode::Run && !is_refused && !tells_of_no_answer(case, suspect, path) => {
            Verdict::Unknown("nobody in this network namespace listens on it".into())
        }
        _ => Verdict::Found(Box::new(abandoned(case, path, is_refused))),
    }
}

/// Whether a rule knows the message for one of a daemon that does not answer at this path.
fn tells_of_no_answer(case: &Case, suspect: &Suspect, path: &Path) -> bool {
    let Some(clue) = suspect.clue.map(|index| &case.clues[index]) else { return false };
    let is_named = socket_path(clue).is_some_and(|named| case.surroundings().cwd.join(named) == path);
    is_named && clue.errno.is_none() && leads_with(clue, ID)
}

/// No variable leads to the socket: its server was not started, or in another session.
fn not_set(variable: &str) -> Finding {
    let fact = format!("{variable} is not set, which would lead to the socket");
    let start =
        (variable == "SSH_AUTH_SOCK").then(|| Fix::now("eval \"$(ssh-agent -s)\"", "starts an agent for this shell"));
    Finding {
        confidence: Confidence::Verified,
        seen: Some(Seen::Now),
        headline: format!("{variable} is not set"),
        summary: format!("{fact}: its server was not started, or for another session."),
        evidence: vec![Evidence::probe(fact).check(format!("echo \"${variable}\""))],
        fixes: start.into_iter().collect(),
    }
}

fn finding(case: &Case, path: &Path, headline: String, fact: String) -> Finding {
    Finding {
        // On another machine than the log's it proves nothing that a service is not there.
        confidence: if case.mode == Mode::Log { Confidence::Possible } else { Confidence::Verified },
        seen: (case.mode == Mode::Run).then_some(Seen::Now),
        headline,
        summary: format!("{}.", capital(&fact)),
        evidence: vec![Evidence::probe(fact).check(format!("ss -xlp | grep -F {}", case.quoted(path)))],
        fixes: fixes(case, path),
    }
}

fn missing(case: &Case, path: &Path, existing: &Path, missing: &Path) -> Finding {
    let shown = path.display();
    let first = existing.join(missing.components().next().map_or_else(PathBuf::new, |part| part.as_os_str().into()));
    let fact = if missing.components().count() > 1 {
        format!(
            "{} is missing already: the program that makes the socket does not run, or makes it elsewhere",
            first.display()
        )
    } else {
        let name = missing.display();
        format!("{} has no {name}: the program that makes it does not run, or makes it elsewhere", existing.display())
    };
    let summary = format!("There is no socket {shown}; {fact}.");
    Finding { summary, ..finding(case, path, format!("there is no socket {shown}"), fact) }
}

fn no_socket(case: &Case, path: &Path) -> Finding {
    let fact = format!("{} is there and is no socket", path.display());
    finding(case, path, format!("{} is no socket", path.display()), fact)
}

fn abandoned(case: &Case, path: &Path, is_refused: bool) -> Finding {
    let fact = if is_refused {
        format!("{} is there and nobody listens on it: the process that made it has ended", path.display())
    } else {
        format!("{} is there, and nobody in this network namespace listens on it", path.display())
    };
    let mut finding = finding(case, path, format!("nobody listens on {}", path.display()), fact);
    if !is_refused {
        finding.confidence = if case.mode == Mode::Run { Confidence::Likely } else { Confidence::Possible };
    }
    finding
}

/// Starting the service, where this machine has it.
fn fixes(case: &Case, path: &Path) -> Vec<Fix> {
    let start = service::of_socket(path).and_then(|service| service::start(case, service));
    start.map(|start| Fix::now(start, "starts what makes the socket")).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::{BoundSocket, Program};

    const SOCKET: &str = "/run/x/x.sock";

    fn stage(errno: Errno) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw - ext4 /dev/vda rw\n");
        stage.directory("/run/x").clue(errno, Operation::Connect, SOCKET);
        stage
    }

    #[test]
    fn the_socket_of_a_display_is_known_by_its_number() {
        let mut stage = Stage::new("21 1 254:0 / / rw - ext4 /dev/vda rw\n");
        stage.directory("/tmp/.X11-unix").add(|clue| {
            (clue.subject, clue.line) = (Some(":99.0".into()), "Error: Can't open display: :99.0".into());
            (clue.operation, clue.suspects) = (Some(Operation::Connect), vec![ID.into()]);
        });
        stage.missing("/tmp/.X11-unix/X99").finding(&CAUSE, "/tmp/.X11-unix/X99");
        stage.clues[0].subject = Some("localhost:10.0".into());
        assert!(stage.found(&CAUSE).iter().all(|found| !found.contains("X10")));
    }

    fn with_socket(errno: Errno, bound: Option<BoundSocket>) -> Stage {
        let mut stage = stage(errno);
        stage.stat(SOCKET, Kind::Socket, |_| {}).knows(&format!("socket {SOCKET}"), Ok(bound));
        stage
    }

    #[test]
    fn a_socket_that_is_not_there_is_verified() {
        let finding = stage(Errno::ENOENT).missing(SOCKET).finding(&CAUSE, SOCKET);
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.headline, "there is no socket /run/x/x.sock");
    }

    #[test]
    fn a_missing_directory_is_named() {
        let mut stage = Stage::new("21 1 254:0 / / rw - ext4 /dev/vda rw\n");
        stage.directory("/run").missing("/run/mysqld").clue(
            Errno::ENOENT,
            Operation::Connect,
            "/run/mysqld/mysqld.sock",
        );
        let finding = stage.finding(&CAUSE, "/run/mysqld/mysqld.sock");
        assert!(finding.evidence[0].text.starts_with("/run/mysqld is missing already"), "{finding:?}");
        assert_eq!(finding.fixes, []);
        stage.stat("/etc/init.d/mysql", Kind::Regular, |_| {});
        let finding = stage.finding(&CAUSE, "/run/mysqld/mysqld.sock");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo service mysql start"));
    }

    #[test]
    fn a_socket_that_was_left_behind_and_refuses_is_verified() {
        let finding = with_socket(Errno::ECONNREFUSED, None).finding(&CAUSE, SOCKET);
        assert_eq!(finding.headline, "nobody listens on /run/x/x.sock");
    }

    #[test]
    fn a_socket_with_a_listener_is_silence() {
        let program = Program { pid: 7, uid: 0, command: "xd".into(), age: 1, ancestor: false };
        let bound = BoundSocket { listening: true, holders: vec![program] };
        with_socket(Errno::ECONNREFUSED, Some(bound)).assert_silent(&CAUSE);
    }

    /// A connection that failed on a path that is a file, told in these words.
    fn on_a_file(line: &str) -> Stage {
        let mut stage = stage(Errno::ECONNREFUSED);
        stage.stat(SOCKET, Kind::Regular, |_| {});
        stage.clues[0].line = line.into();
        stage
    }

    #[test]
    fn a_file_that_the_message_names_is_no_socket() {
        let finding = on_a_file("connect to /run/x/x.sock: Connection refused").finding(&CAUSE, SOCKET);
        assert_eq!(finding.headline, "/run/x/x.sock is no socket");
        on_a_file("cannot reach the server's socket: Connection refused").finding(&CAUSE, SOCKET);
    }

    #[test]
    fn a_file_that_only_a_rule_assumed_is_silence() {
        on_a_file("can't connect to the agent: IPC connect call failed").assert_silent(&CAUSE);
    }

    #[test]
    fn a_refusal_by_a_host_is_silence() {
        let mut stage = Stage::new("21 1 254:0 / / rw - ext4 /dev/vda rw\n");
        stage.clue(Errno::ECONNREFUSED, Operation::Connect, "").assert_silent(&CAUSE);
    }

    /// A message about a port, from a command line with a socket file that is not there.
    fn of_port(line: &str, option: &str) -> Stage {
        let mut stage = stage(Errno::ECONNREFUSED);
        stage.clues[0].path = None;
        stage.clues[0].line = line.into();
        stage.command = ["client", option, SOCKET].map(Into::into).into();
        stage
    }

    #[test]
    fn a_message_about_a_port_is_about_a_file_where_an_option_says_so() {
        let mut curl = of_port("curl: (7) Failed to connect to localhost port 80 after 0 ms", "--unix-socket");
        assert_eq!(curl.missing(SOCKET).finding(&CAUSE, SOCKET).confidence, Confidence::Verified);
        let mut ssh = of_port("ssh: connect to host localhost port 22: Connection refused", "-S");
        ssh.missing(SOCKET).assert_silent(&CAUSE);
    }

    #[test]
    fn a_saved_log_about_a_socket_makes_it_possible_only() {
        let mut stage = stage(Errno::ENOENT);
        stage.mode = Mode::Log;
        assert_eq!(stage.missing(SOCKET).finding(&CAUSE, SOCKET).confidence, Confidence::Possible);
    }
}
