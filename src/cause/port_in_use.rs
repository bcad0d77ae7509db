//! bind(2) answers EADDRINUSE: a socket has the port.

use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, holder, port};
use crate::clue::Clue;
use crate::machine::{PortSocket, Program, SocketState};
use crate::sys::errno::Errno;

const ID: &str = "port-in-use";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/port-in-use.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let spoken = case.clues.iter().enumerate();
    let spoken = spoken
        .filter(|(_, clue)| (clue.suspects(ID) || clue.errno == Some(Errno::EADDRINUSE)) && !names_a_file(case, clue));
    let mut suspects: Vec<Suspect> = spoken.flat_map(|(index, clue)| of_clue(case, index, clue)).collect();
    suspects.extend(port::of_silent_server(case).map(|port| Suspect {
        subject: Subject::Name(port.to_string()),
        clue: None,
        touched: false,
    }));
    suspects
}

/// Whether the address that is taken is a file's, unix(7): then it is there. What else stands in its place is a host, or a word.
fn names_a_file(case: &Case, clue: &Clue) -> bool {
    let Some(path) = &clue.path else { return false };
    case.mode == Mode::Log || case.resolve(path).is_some_and(|found| found.missing.as_os_str().is_empty())
}

/// The port that the message names; else the one that was announced before, or the numbers of the command line that may be one.
fn of_clue(case: &Case, index: usize, clue: &Clue) -> Vec<Suspect> {
    let told = port::of_clue(clue);
    let touched = told.is_some();
    let known = told.or_else(|| port::announced(case, clue));
    let ports = known.map_or_else(|| port::of_command(case), |port| vec![port]);
    let suspect = |port: u16| Suspect { subject: Subject::Name(port.to_string()), clue: Some(index), touched };
    ports.into_iter().map(suspect).collect()
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(port) = suspect.subject.to_string().parse().ok() else {
        return Verdict::Unknown("no port is known".into());
    };
    let sockets = match case.machine.port_sockets(port) {
        Ok(sockets) => sockets,
        Err(unknown) => return Verdict::Unknown(unknown.to_string()),
    };
    match sockets.first() {
        Some(socket) if suspect.clue.is_none() && !was_there_before(case, socket) => {
            Verdict::RuledOut("who listens there was not there before the command".into())
        }
        Some(socket) => {
            let later = came_later(case, socket).map(|later| said(port, &later));
            Verdict::Found(Box::new(later.unwrap_or_else(|| found(case, suspect, socket))))
        }
        None if case.mode == Mode::Log => Verdict::Found(Box::new(said(port, &format!("nothing has port {port} now")))),
        None => Verdict::RuledOut(format!("nothing has port {port} now")),
    }
}

/// Why a socket is not what a saved log speaks of: all who have it were started later.
fn came_later(case: &Case, socket: &PortSocket) -> Option<String> {
    let later: Option<Vec<String>> = socket.holders.iter().map(|holder| holder::came_later(case, holder)).collect();
    later?.into_iter().next()
}

/// Whether another program listened on a port when the command began: what the command left behind may listen there too.
fn was_there_before(case: &Case, socket: &PortSocket) -> bool {
    let lasted_ms = case.watched.places.iter().map(|place| place.after.moment.at_ms).max().unwrap_or(0);
    let is_older = |program: &Program| program.age.saturating_mul(1000) > lasted_ms;
    socket.state == SocketState::Listening && !socket.holders.is_empty() && socket.holders.iter().all(is_older)
}

fn found(case: &Case, suspect: &Suspect, socket: &PortSocket) -> Finding {
    let port = suspect.subject.to_string();
    let is_listener = socket.state == SocketState::Listening;
    let who = socket.holders.first().map_or_else(|| whose(case, socket), holder::named);
    let state = match socket.state {
        SocketState::Listening => format!("{who} listens on {} ({})", address(socket, &port), socket.protocol),
        SocketState::Connected => format!("{who} has a connection from port {port}"),
        SocketState::TimeWait => {
            format!("a connection of port {port} has just ended (TIME_WAIT), which keeps it for a minute")
        }
    };
    let mut evidence = vec![Evidence::probe(state.clone()).check(case.as_root(&format!("ss -Hanp 'sport = :{port}'")))];
    if let Some(program) = socket.holders.first() {
        let started = crate::probe::holders::duration(program.age);
        let text = format!("it was started {started} ago and belongs to {}", case.machine.user(program.uid));
        evidence.push(Evidence::probe(text).check(format!("ps -o pid,user,etime,args -p {}", program.pid)));
    }
    Finding {
        confidence: if is_listener && suspect.touched { holder::most_sure(case) } else { Confidence::Likely },
        seen: Some(Seen::Now),
        headline: match socket.state {
            SocketState::TimeWait => format!("port {port} is kept for a connection that has just ended"),
            _ => format!("port {port} is taken by {who}"),
        },
        summary: format!("Port {port} cannot be bound: {state}."),
        evidence,
        fixes: fixes(case, socket),
    }
}

fn address(socket: &PortSocket, port: &str) -> String {
    if socket.address.contains(':') {
        format!("[{}]:{port}", socket.address)
    } else {
        format!("{}:{port}", socket.address)
    }
}

fn whose(case: &Case, socket: &PortSocket) -> String {
    format!("a process of {}", case.machine.user(socket.uid))
}

fn fixes(case: &Case, socket: &PortSocket) -> Vec<Fix> {
    match (socket.state, socket.holders.first()) {
        (SocketState::TimeWait, _) => vec![Fix::now("sleep 60", "after that the port is free")],
        (_, Some(program)) => holder::stop(case, program).into_iter().collect(),
        (_, None) => Vec::new(),
    }
}

fn said(port: u16, now: &str) -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("port {port} may have been taken"),
        summary: format!("The output says that port {port} was in use; {now}."),
        evidence: vec![Evidence::probe(now).check(format!("ss -Hanp 'sport = :{port}'"))],
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::outcome::Outcome;

    fn socket(state: SocketState, holders: Vec<Program>) -> PortSocket {
        PortSocket { protocol: "tcp".into(), address: "0.0.0.0".into(), state, uid: 1000, inode: 7, holders }
    }

    fn server(ancestor: bool) -> Program {
        Program { pid: 4711, uid: 1000, command: "python3 app.py".into(), age: 7200, ancestor }
    }

    fn stage(sockets: Vec<PortSocket>) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw - ext4 /dev/vda rw\n");
        stage.knows("port 8080", Ok(sockets));
        stage.add(|clue| {
            clue.errno = Some(Errno::EADDRINUSE);
            clue.line = "12:34:56 listen tcp :8080: bind: address already in use".into();
        });
        stage
    }

    #[test]
    fn the_listener_is_named() {
        let finding = stage(vec![socket(SocketState::Listening, vec![server(false)])]).finding(&CAUSE, "8080");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.headline, "port 8080 is taken by python3 app.py (pid 4711)");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("kill 4711"));
    }

    #[test]
    fn who_listens_since_a_log_was_written_is_not_its_reason() {
        let of = |age: u64| {
            let mut stage = stage(vec![socket(SocketState::Listening, vec![server(false)])]);
            stage.mode = Mode::Log;
            stage.knows("log age", Ok(age)).finding(&CAUSE, "8080").confidence
        };
        assert_eq!([5, 7000, 9000].map(of), [Confidence::Verified, Confidence::Likely, Confidence::Possible]);
    }

    #[test]
    fn what_we_descend_from_is_not_to_be_ended() {
        let stage = stage(vec![socket(SocketState::Listening, vec![server(true)])]);
        assert_eq!(stage.finding(&CAUSE, "8080").fixes, []);
    }

    #[test]
    fn a_connection_that_has_just_ended_is_told_apart() {
        let finding = stage(vec![socket(SocketState::TimeWait, vec![])]).finding(&CAUSE, "8080");
        assert_eq!((finding.confidence, finding.fixes[0].command.as_deref()), (Confidence::Likely, Some("sleep 60")));
    }

    #[test]
    fn a_free_port_is_silence() {
        stage(vec![]).assert_silent(&CAUSE);
    }

    #[test]
    fn a_saved_log_that_names_a_port_makes_it_possible_only() {
        let mut stage = stage(vec![]);
        stage.mode = Mode::Log;
        assert_eq!(stage.finding(&CAUSE, "8080").confidence, Confidence::Possible);
    }

    /// A command that failed without a word on stderr.
    fn silent(command: &str, age: u64) -> Stage {
        let mut stage = stage(vec![socket(SocketState::Listening, vec![Program { age, ..server(false) }])]);
        stage.clues.clear();
        stage.outcome = Outcome::Exited { code: 1 };
        stage.command = command.split(' ').map(Into::into).collect();
        stage
    }

    #[test]
    fn a_server_that_tells_nothing_on_stderr_has_a_port_that_another_has() {
        for command in [
            "redis-server --port 8080",
            "timeout 9 mongod --dbpath x --port=8080",
            "java -jar app.jar --server.port=8080",
        ] {
            assert_eq!(silent(command, 60).finding(&CAUSE, "8080").confidence, Confidence::Likely, "{command}");
        }
    }

    #[test]
    fn clients_and_what_the_server_left_behind_are_silence() {
        for command in ["curl -s http://localhost:8080/", "mysql --port 8080", "find . -size 8080", "redis-cli -p 8080"]
        {
            silent(command, 60).assert_silent(&CAUSE);
        }
        silent("redis-server --port 8080", 0).assert_silent(&CAUSE);
        let mut speaks = silent("redis-server --port 8080", 60);
        speaks.said = Some("*** FATAL CONFIG FILE ERROR ***\n");
        speaks.assert_silent(&CAUSE);
    }

    #[test]
    fn a_port_that_was_announced_is_likely_the_one_that_is_taken() {
        let mut stage = stage(vec![socket(SocketState::Listening, vec![server(false)])]);
        let announced = "1795388934: Opening ipv4 listen socket on port 8080.\n";
        stage.said =
            Some("1795388934: Opening ipv4 listen socket on port 8080.\n1795388934: Error: Address already in use\n");
        stage.clues[0].said = announced.len() as u64..announced.len() as u64 + 44;
        stage.clues[0].line = "1795388934: Error: Address already in use".into();
        assert_eq!(stage.finding(&CAUSE, "8080").confidence, Confidence::Likely);
    }

    #[test]
    fn a_socket_file_is_not_a_port() {
        let mut stage = stage(vec![socket(SocketState::Listening, vec![server(false)])]);
        stage.directory("/run").stat("/run/x.sock", crate::machine::Kind::Socket, |_| {});
        stage.clues[0].path = Some("/run/x.sock".into());
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn an_address_that_was_read_as_a_name_is_no_file() {
        let mut stage = stage(vec![socket(SocketState::Listening, vec![server(false)])]);
        stage.missing("/home/u/127.0.0.1:8080");
        stage.clues[0].path = Some("127.0.0.1:8080".into());
        stage.finding(&CAUSE, "8080");
    }
}
