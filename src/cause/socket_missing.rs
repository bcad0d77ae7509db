//! connect(2) to a socket file fails: there is none (ENOENT), or nobody listens on it (ECONNREFUSED), unix(7).

use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::machine::Kind;
use crate::probe::origin::config::has_systemd;
use crate::probe::origin::unit;
use crate::sys::errno::Errno;
use std::os::unix::ffi::OsStrExt;
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
    let spoken = case.clues.iter().enumerate().filter(|(_, clue)| clue.suspects(ID) || is_refused(clue));
    let named = spoken.filter_map(|(index, clue)| {
        let path = case.surroundings().cwd.join(socket_path(clue)?);
        Some(Suspect { subject: Subject::Path(path), clue: Some(index), touched: true })
    });
    named.collect()
}

fn is_refused(clue: &Clue) -> bool {
    clue.path.is_some()
        && (clue.errno == Some(Errno::ECONNREFUSED) || is_connect(clue) && clue.errno == Some(Errno::ENOENT))
}

fn is_connect(clue: &Clue) -> bool {
    clue.operation == Some(Operation::Connect)
}

/// The path, which programs also write as `unix:///run/x.sock` and `unix:/run/x.sock`. `ssh: connect to host x port 22: Connection
/// refused` names no file, though it has the form of a message that does.
fn socket_path(clue: &Clue) -> Option<PathBuf> {
    let written = clue.path.clone().or_else(|| clue.subject.as_ref().map(PathBuf::from))?;
    if !written.as_os_str().as_bytes().contains(&b'/') {
        return None;
    }
    let text = written.to_str().map(|text| text.strip_prefix("unix:").unwrap_or(text));
    // A sentence may end behind it.
    let text = text.map(|text| text.strip_prefix("//").unwrap_or(text).trim_end_matches('.').to_owned());
    Some(text.map_or(written, PathBuf::from))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(path) = suspect.subject.path() else { return Verdict::Unknown("no socket is named".into()) };
    let Some(found) = case.resolve(path) else { return Verdict::Unknown("the path cannot be walked".into()) };
    if !found.missing.as_os_str().is_empty() {
        return Verdict::Found(Box::new(missing(case, path, &found.existing, &found.missing)));
    }
    match case.machine.stat(&found.existing).map(|stat| stat.kind) {
        Ok(Kind::Socket) => listened(case, suspect, path, &found.existing),
        Ok(_) => Verdict::Found(Box::new(no_socket(case, path))),
        Err(unknown) => Verdict::Unknown(unknown.to_string()),
    }
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
        _ if !is_refused && case.mode == Mode::Run => {
            Verdict::Unknown("nobody in this network namespace listens on it".into())
        }
        _ => Verdict::Found(Box::new(abandoned(case, path, is_refused))),
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

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn missing(case: &Case, path: &Path, existing: &Path, missing: &Path) -> Finding {
    let shown = path.display();
    let first = existing.join(missing.components().next().map_or_else(PathBuf::new, |part| part.as_os_str().into()));
    let fact = if missing.components().count() > 1 {
        format!("there is no socket {shown}: {} is missing already", first.display())
    } else {
        format!("there is no socket {shown}: the program that makes it does not run, or makes it elsewhere")
    };
    finding(case, path, format!("there is no socket {shown}"), fact)
}

fn no_socket(case: &Case, path: &Path) -> Finding {
    let fact = format!("{} is there and is no socket", path.display());
    finding(case, path, format!("{} is no socket", path.display()), fact)
}

fn abandoned(case: &Case, path: &Path, is_refused: bool) -> Finding {
    let fact = format!("{} is there and nobody listens on it: the process that made it has ended", path.display());
    let mut finding = finding(case, path, format!("nobody listens on {}", path.display()), fact);
    if !is_refused {
        finding.confidence = Confidence::Possible;
    }
    finding
}

/// Services by the end of their socket's path: what `systemctl` calls them.
const SERVICES: &[(&str, &str)] = &[
    ("/docker.sock", "docker"),
    ("/containerd.sock", "containerd"),
    ("/podman.sock", "podman.socket"),
    ("/mysqld.sock", "mysql"),
    ("/mysql.sock", "mysqld"),
    (".s.PGSQL.5432", "postgresql"),
    ("/system_bus_socket", "dbus"),
    ("/libvirt-sock", "libvirtd"),
    ("/snapd.socket", "snapd.socket"),
    ("/cups.sock", "cups"),
    ("/avahi-daemon/socket", "avahi-daemon"),
    ("/redis-server.sock", "redis-server"),
];

/// Starting the service, where this machine has it.
fn fixes(case: &Case, path: &Path) -> Vec<Fix> {
    let text = path.to_string_lossy();
    let known = SERVICES.iter().find(|(end, _)| text.ends_with(end)).map(|(_, service)| *service);
    let start = known.and_then(|service| start(case, service));
    start.map(|start| Fix::now(case.as_root(&start), "starts what makes the socket")).into_iter().collect()
}

fn start(case: &Case, service: &str) -> Option<String> {
    if has_systemd(case.machine) {
        let name = if service.contains('.') { service.to_owned() } else { format!("{service}.service") };
        return unit::of_name(case.machine, &name).map(|_| format!("systemctl start {service}"));
    }
    let script = Path::new("/etc/init.d").join(service);
    case.machine.stat(&script).is_ok().then(|| format!("service {service} start"))
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
        assert!(finding.evidence[0].text.ends_with("/run/mysqld is missing already"), "{finding:?}");
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

    #[test]
    fn a_refusal_by_a_host_is_silence() {
        let mut stage = Stage::new("21 1 254:0 / / rw - ext4 /dev/vda rw\n");
        stage.clue(Errno::ECONNREFUSED, Operation::Connect, "").assert_silent(&CAUSE);
        stage.clue(Errno::ECONNREFUSED, Operation::Connect, "connect to host 127.0.0.1 port 1");
        stage.clues[1].suspects = vec![ID.into()];
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_saved_log_about_a_socket_makes_it_possible_only() {
        let mut stage = stage(Errno::ENOENT);
        stage.mode = Mode::Log;
        assert_eq!(stage.missing(SOCKET).finding(&CAUSE, SOCKET).confidence, Confidence::Possible);
    }
}
