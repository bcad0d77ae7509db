//! A connection to a port of this machine that was refused: nobody listens there. The message says as much; what it does not say is told: who
//! listens on another address, and which service is to listen there.

use super::service;
use crate::cause::{Case, Confidence, Evidence, Finding, Fix, Mode, Seen, Verdict};
use crate::clue::Clue;
use crate::machine::{PortSocket, SocketState};
use crate::probe::holders::named;
use crate::sys::errno::Errno;

/// The port of this machine that refused: `127.0.0.1:6379`, `localhost port 22`. None where the message names another machine.
pub fn refused(clue: &Clue) -> Option<u16> {
    if clue.errno != Some(Errno::ECONNREFUSED) {
        return None;
    }
    let (_, port) = place(clue.subject.as_deref()?)?;
    is_this_machine(&host(clue)?).then_some(port)
}

/// The host that a message names.
pub fn host(clue: &Clue) -> Option<String> {
    let (host, _) = place(clue.subject.as_deref()?)?;
    if host.is_empty() { host_of_line(&clue.line) } else { Some(host.to_owned()) }
}

/// Host and port of `host:port`, `[host]:port`, `host port 22`; libpq has the host elsewhere.
pub fn place(subject: &str) -> Option<(&str, u16)> {
    let (host, port) = subject.rsplit_once("port ").or_else(|| subject.rsplit_once(':'))?;
    Some((host.trim().trim_start_matches('[').trim_end_matches(']'), port.trim().parse().ok()?))
}

/// `connection to server at "localhost" (::1), port 5432 failed`.
fn host_of_line(line: &str) -> Option<String> {
    line.split_once(" at \"")?.1.split('"').next().map(str::to_owned)
}

/// Whether a host is this machine by its name alone: a name is not asked of the network.
pub fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host == "::1" || host == "0.0.0.0" || host.starts_with("127.")
}

/// What is known of a port that refused at the address of this machine that was asked for.
pub fn check(case: &Case, host: Option<&str>, port: u16) -> Verdict {
    if case.mode == Mode::Log {
        return Verdict::Unknown("the log may be another machine's".into());
    }
    let sockets = match case.machine.port_sockets(port) {
        Ok(sockets) => sockets,
        Err(unknown) => return Verdict::Unknown(unknown.to_string()),
    };
    let listener =
        sockets.iter().find(|socket| socket.state == SocketState::Listening && socket.protocol.starts_with("tcp"));
    match (listener, service::of_port(port)) {
        // A server that was started meanwhile.
        (Some(listener), _) if is_for_all(&listener.address) || host == Some(&*listener.address) => {
            Verdict::RuledOut(format!("{} listens on it now", who(listener)))
        }
        (Some(listener), _) => Verdict::Found(Box::new(elsewhere(port, listener))),
        (None, Some(service)) => Verdict::Found(Box::new(nobody(case, port, service))),
        (None, None) => Verdict::Unknown(format!("nobody listens on port {port}, as the message says")),
    }
}

fn is_for_all(address: &str) -> bool {
    matches!(address, "0.0.0.0" | "::")
}

fn who(socket: &PortSocket) -> String {
    socket.holders.first().map_or_else(|| "a process".to_owned(), named)
}

/// Another address: `localhost` is two addresses, and a server of one of them refuses at the other.
fn elsewhere(port: u16, listener: &PortSocket) -> Finding {
    let fact = format!("{} listens on {} port {port} alone", who(listener), listener.address);
    Finding {
        confidence: Confidence::Likely,
        seen: Some(Seen::Now),
        headline: format!("port {port} is served on {} and on no other address", listener.address),
        summary: format!("The connection was refused at an address of this machine where nobody listens; {fact}."),
        evidence: vec![Evidence::probe(fact).check(format!("ss -Hltnp 'sport = :{port}'"))],
        fixes: vec![Fix {
            text: format!(
                "connect to {}, or let the server listen on the address that was asked for",
                listener.address
            ),
            command: None,
            lasting: false,
        }],
    }
}

fn nobody(case: &Case, port: u16, service: &str) -> Finding {
    let fact = format!("nobody listens on port {port} of this machine, where {service} listens by convention");
    let start = service::start(case, service);
    Finding {
        confidence: Confidence::Verified,
        seen: Some(Seen::Now),
        headline: format!("nobody listens on port {port}: {service} does not run here"),
        summary: format!("The connection was refused: {fact}."),
        evidence: vec![Evidence::probe(fact).check(format!("ss -Hltnp 'sport = :{port}'"))],
        fixes: start.map(|start| Fix::now(start, "starts what listens there")).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_read_in_every_form() {
        for (subject, host, port) in [
            ("127.0.0.1:6379", "127.0.0.1", 6379),
            ("localhost port 22", "localhost", 22),
            ("[::1]:80", "::1", 80),
            ("port 5432", "", 5432),
        ] {
            assert_eq!(place(subject), Some((host, port)), "{subject}");
        }
        assert_eq!(place("example.org"), None);
    }

    #[test]
    fn only_this_machine_is_asked() {
        assert!(is_this_machine("127.0.0.53") && is_this_machine("localhost"));
        assert!(!is_this_machine("db.example") && !is_this_machine("10.0.0.1"));
    }
}
