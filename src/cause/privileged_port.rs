//! A port below `net.ipv4.ip_unprivileged_port_start`, 1024 as a rule, is bound by root or with `CAP_NET_BIND_SERVICE` alone (EACCES).

use super::refused::user;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, port, refused};
use crate::clue::{Clue, Operation};
use crate::machine::Identity;
use crate::probe::walk::Who;
use crate::sys::errno::Errno;
use std::ffi::OsStr;
use std::path::Path;

const ID: &str = "privileged-port";
const SYSCTL: &str = "net/ipv4/ip_unprivileged_port_start";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/privileged-port.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let suspect = |(index, clue): (usize, &Clue)| {
        let port = is_about_binding(case, clue).then(|| port_of(case, clue)).flatten()?;
        Some(Suspect { subject: Subject::Name(port.to_string()), clue: Some(index), touched: true })
    };
    let told = refused::messages(case).filter_map(suspect);
    let untold = port::of_silent_server(case).map(|port| Suspect {
        subject: Subject::Name(port.to_string()),
        clue: None,
        touched: false,
    });
    told.chain(untold).collect()
}

fn is_about_binding(case: &Case, clue: &Clue) -> bool {
    let is_refused = matches!(clue.errno, Some(Errno::EACCES | Errno::EPERM) | None);
    let line = clue.line.to_lowercase();
    let says =
        clue.operation == Some(Operation::Bind) || ["bind", "listen", " port"].iter().any(|word| line.contains(word));
    let is_hinted = || is_to_listen(case) || port::announced(case, clue).is_some();
    let is_meant = says || clue.errno == Some(Errno::EACCES) && clue.operation.is_none() && is_hinted();
    is_refused && is_meant && clue.path.is_none() && (clue.errno.is_some() || clue.suspects(ID))
}

/// Whether the command line speaks of listening: `nc -l`, `--listen`, a program text with `.bind(`.
fn is_to_listen(case: &Case) -> bool {
    let is_netcat = case.command.iter().any(|word| {
        let name = Path::new(word).file_name().and_then(OsStr::to_str);
        name.is_some_and(|name| matches!(name, "nc" | "ncat" | "netcat"))
    });
    case.command.iter().skip(1).any(|word| {
        let word = word.to_string_lossy();
        let is_short = is_netcat && word.starts_with('-') && !word.starts_with("--") && word.contains('l');
        is_short || word.to_lowercase().contains("listen") || word.contains("bind(")
    })
}

/// The port of the message or announced before it; where none tells one, the only one of the command line that it may be.
fn port_of(case: &Case, clue: &Clue) -> Option<u16> {
    let first = case.machine.sysctl(SYSCTL).unwrap_or(0);
    let is_told =
        case.clues.iter().any(|other| other.operation == Some(Operation::Bind) && port::of_clue(other).is_some());
    let of_command = || {
        let mut low = port::of_command(case).into_iter().filter(|port| u64::from(*port) < first);
        low.next_back().filter(|_| !is_told)
    };
    port::of_clue(clue).or_else(|| port::announced(case, clue)).or_else(of_command)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let port: u64 = suspect.subject.to_string().parse().unwrap_or(0);
    let Ok(first) = case.machine.sysctl(SYSCTL) else { return Verdict::Unknown(format!("{SYSCTL} cannot be read")) };
    let who = Who::of_child(case.machine);
    let is_refused = port < first && (!who.identity().has(Identity::NET_BIND_SERVICE) || who.is_mapped());
    if is_refused {
        let is_told = suspect.clue.is_some_and(|index| port::of_clue(&case.clues[index]).is_some());
        let confidence = if is_told { Confidence::Verified } else { Confidence::Likely };
        return Verdict::Found(Box::new(Finding { confidence, ..found(case, &who, port, first) }));
    }
    if case.mode == Mode::Log && port < first {
        return Verdict::Found(Box::new(Finding {
            confidence: Confidence::Possible,
            seen: None,
            ..found(case, &who, port, first)
        }));
    }
    Verdict::RuledOut(format!(
        "{} may bind ports from {first} on, and has CAP_NET_BIND_SERVICE for the others",
        user(case, &who)
    ))
}

fn found(case: &Case, who: &Who, port: u64, first: u64) -> Finding {
    let who = user(case, who);
    let mut fixes = vec![Fix::lasting(format!("let it listen on a port from {first} on, behind a proxy if need be"))];
    fixes.extend(program(case).map(|program| {
        let command = case.as_root(&format!("setcap cap_net_bind_service=+ep {}", case.quoted(&program)));
        Fix::lasting("gives this program the capability").command(command)
    }));
    let command = case.as_root(&format!("sysctl net.ipv4.ip_unprivileged_port_start={port}"));
    fixes.push(Fix::now(command, "lets every user bind it, until the next boot"));
    Finding {
        confidence: Confidence::Verified,
        seen: Some(Seen::Now),
        headline: format!("{who} may not bind port {port}: ports below {first} need a capability"),
        summary: format!("{who} has no CAP_NET_BIND_SERVICE, which ports below {first} need; {port} is one."),
        evidence: vec![
            Evidence::probe(format!("ip_unprivileged_port_start is {first}"))
                .check("sysctl net.ipv4.ip_unprivileged_port_start"),
            Evidence::probe(format!("{who} has no CAP_NET_BIND_SERVICE that counts"))
                .check("grep CapEff /proc/self/status"),
        ],
        fixes,
    }
}

/// The program itself, where it is no script: capabilities of an interpreter would be everybody's.
fn program(case: &Case) -> Option<std::path::PathBuf> {
    let word = Path::new(case.command.first()?);
    let path =
        case.resolve(word).filter(|place| word.components().count() > 1 && place.missing.as_os_str().is_empty())?;
    let name = path.existing.file_name()?.to_string_lossy().into_owned();
    let is_shared =
        ["sh", "bash", "dash", "zsh", "env", "java", "perl", "ruby", "node", "nodejs"].contains(&name.as_str());
    (!is_shared && !name.starts_with("python")).then_some(path.existing)
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    fn stage(line: &str) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024\n");
        stage.add(|clue| (clue.errno, clue.line) = (Some(Errno::EACCES), line.into()));
        stage
    }

    #[test]
    fn the_port_is_read_from_the_message() {
        for (line, port) in [
            ("listen tcp 0.0.0.0:80: bind: permission denied", "80"),
            ("nginx: [emerg] bind() to [::]:443 failed (13: Permission denied)", "443"),
            ("Cannot listen on port 25: Permission denied", "25"),
        ] {
            assert_eq!(stage(line).found(&CAUSE), [port], "{line}");
        }
    }

    #[test]
    fn a_line_of_a_source_file_is_no_port() {
        let mut stage = stage("frobd: net.c:104 in listen_on: bind(): Permission denied");
        (stage.clues[0].operation, stage.clues[0].subject) = (Some(Operation::Bind), Some("net.c:104".into()));
        assert!(stage.found(&CAUSE).is_empty());
        stage.command = ["frobd", "-p", "88"].map(Into::into).to_vec();
        assert_eq!(stage.found(&CAUSE), ["88"]);
    }

    #[test]
    fn a_binding_that_names_no_port_is_that_of_the_command() {
        let mut stage = stage("PermissionError: [Errno 13] Permission denied");
        stage.command = ["timeout", "-k", "5", "60", "python3", "-m", "http.server", "80"].map(Into::into).to_vec();
        assert!(stage.found(&CAUSE).is_empty());
        stage.clues[0].operation = Some(Operation::Bind);
        assert_eq!(stage.found(&CAUSE), ["80"]);
        // Another message tells it.
        stage.add(|clue| (clue.operation, clue.line) = (Some(Operation::Bind), "listen :8080".into()));
        assert!(stage.found(&CAUSE).is_empty());
    }

    #[test]
    fn a_listener_that_says_no_word_of_it_is_told_by_its_command_line() {
        let of = |command: &str| {
            let mut stage = stage("nc: Permission denied");
            stage.command = command.split(' ').map(Into::into).collect();
            stage.found(&CAUSE)
        };
        assert_eq!(of("timeout 5 nc -l -p 80"), ["80"]);
        assert_eq!(
            of("perl -MIO::Socket::INET -e IO::Socket::INET->new(LocalPort=>shift,Listen=>1)||die$! 80"),
            ["80"]
        );
        assert!(of("nc example.org 80").is_empty());
    }

    #[test]
    fn a_port_that_was_announced_before_is_meant() {
        let announced = "1795390140: Opening ipv4 listen socket on port 81.\n";
        let mut stage = stage("1795390140: Error: Permission denied");
        stage.said = Some("1795390140: Opening ipv4 listen socket on port 81.\n1795390140: Error: Permission denied\n");
        stage.clues[0].said = announced.len() as u64..announced.len() as u64 + 37;
        assert_eq!(stage.found(&CAUSE), ["81"]);
    }

    #[test]
    fn a_high_port_is_silence() {
        assert!(stage("listen tcp 0.0.0.0:8080: bind: permission denied").found(&CAUSE).is_empty());
    }

    #[test]
    fn root_is_silence() {
        let mut stage = stage("listen tcp 0.0.0.0:80: bind: permission denied").by_root();
        stage.file("/proc/self/uid_map", "0 0 4294967295\n");
        assert!(stage.found(&CAUSE).is_empty());
    }

    #[test]
    fn a_time_is_no_port() {
        assert!(stage("12:30: cat: x: Permission denied").found(&CAUSE).is_empty());
    }
}
