//! Port numbers: in what a command says, and in how it was called.

use crate::cause::{Case, Mode};
use crate::clue::Clue;
use crate::command_line::launched;
use crate::outcome::Outcome;
use std::ffi::OsStr;
use std::path::Path;

/// Lines before a message that may announce the port.
const ANNOUNCED: usize = 12;

/// The port that a message names.
pub fn of_clue(clue: &Clue) -> Option<u16> {
    // An address in the line is plainer than a number that a rule read: that may be the first of the address itself.
    let is_port = |subject: &&str| !begins_address(&clue.line, subject) && !is_place_in_source(&clue.line, subject);
    let read = || clue.subject.as_deref().filter(is_port).and_then(number);
    vnc_display(&clue.line).or_else(|| addressed(&clue.line)).or_else(read).or_else(|| behind_port(&clue.line))
}

/// The port of a display that QEMU was to serve: `-vnc :1` is 5901, qemu(1).
fn vnc_display(line: &str) -> Option<u16> {
    const FIRST: u16 = 5900;
    let address = line.split_once("-vnc ")?.1.split([',', ' ']).next()?.trim_end_matches(':');
    address.rsplit_once(':')?.1.parse::<u16>().ok()?.checked_add(FIRST)
}

/// Whether a number stands in a line as the beginning of an address alone: the 127 of `127.0.0.1`.
fn begins_address(line: &str, number: &str) -> bool {
    let goes_on =
        |rest: &str| rest.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let mut places = line.match_indices(number).peekable();
    places.peek().is_some() && places.all(|(at, _)| goes_on(&line[at + number.len()..]))
}

/// Whether a number is that of a line in a source file, with which programs begin what they say for their authors: `net.c:104 in listen:`.
fn is_place_in_source(line: &str, subject: &str) -> bool {
    const ENDINGS: [&str; 14] =
        [".c", ".cc", ".cpp", ".cxx", ".go", ".h", ".hpp", ".java", ".js", ".lua", ".py", ".rb", ".rs", ".ts"];
    let number = subject.rsplit(':').next().unwrap_or(subject);
    let mut places = line.match_indices(number).filter_map(|(at, _)| line[..at].strip_suffix(':'));
    places.any(|before| ENDINGS.iter().any(|ending| before.ends_with(ending)))
}

/// The port that the line before a message names: servers tell where they are going to listen, and then that they cannot.
pub fn announced(case: &Case, clue: &Clue) -> Option<u16> {
    let part = case.transcript.parts.iter().rfind(|part| part.offset <= clue.said.start)?;
    let end = usize::try_from(clue.said.start - part.offset).ok()?;
    let before = String::from_utf8_lossy(part.bytes.0.get(..end)?);
    let is_announcement = |line: &&str| {
        let line = line.to_lowercase();
        ["listen", "bind", "port", "serv"].iter().any(|word| line.contains(word))
    };
    let mut near = before.lines().rev().take(ANNOUNCED).filter(is_announcement);
    near.find_map(|line| addressed(line).or_else(|| behind_port(line)))
}

/// The numbers that may be ports, in order: of the command line, where the time of `timeout` and the priority of `nice` are none; else of a
/// program text that it names (`tclsh server.tcl`); else of `PORT`, which servers on Heroku's model listen on.
pub fn of_command(case: &Case) -> Vec<u16> {
    let words = || launched(case.command).iter().skip(1);
    let port = |word: &OsStr| {
        let text = word.to_string_lossy();
        number(&text).or_else(|| in_program(&text))
    };
    let told: Vec<u16> = words().filter_map(|word| port(word)).collect();
    if !told.is_empty() {
        return told;
    }
    let in_file = words().find_map(|word| in_program_file(case, Path::new(word)));
    let variable = || number(&case.surroundings().var("PORT")?.to_string_lossy());
    in_file.or_else(variable).into_iter().collect()
}

/// The port of a program text: an address, or the arguments of a call that listens.
fn in_program(text: &str) -> Option<u16> {
    addressed(text).or_else(|| passed(text)).or_else(|| listened_on(text))
}

fn in_program_file(case: &Case, file: &Path) -> Option<u16> {
    file.extension()?;
    let path = case.surroundings().cwd.join(file);
    let port = case.machine.judge_script("listens on", &path, |text| {
        let text = String::from_utf8_lossy(text);
        in_program(&text).or_else(|| configured(&text))
    });
    port.ok().flatten()
}

/// The port of a line of settings: `Port 88`, `listen: 8080`, `"http_port" = 80`.
fn configured(text: &str) -> Option<u16> {
    let is_parting = |letter: char| letter.is_whitespace() || "=:,;\"'".contains(letter);
    let names_it = |name: &str| {
        let name = name.to_ascii_lowercase();
        matches!(&*name, "port" | "listen") || [".port", "_port", "-port"].iter().any(|ending| name.ends_with(ending))
    };
    text.lines().find_map(|line| {
        let mut words = line.split(is_parting).filter(|word| !word.is_empty());
        let name = words.next().filter(|name| names_it(name))?;
        words.next().filter(|_| !name.starts_with('#'))?.parse().ok().filter(|port| *port > 0)
    })
}

/// The port on which a server was to listen that failed without a word on stderr: redis, mongod and Spring tell the reason on stdout.
pub fn of_silent_server(case: &Case) -> Option<u16> {
    let has_failed = matches!(case.outcome, Outcome::Exited { code } if *code != 0);
    let is_silent = case.transcript.parts.iter().all(|part| part.bytes.0.is_empty());
    if case.mode != Mode::Run || !has_failed || !is_silent {
        return None;
    }
    let words: Vec<_> = case.command.iter().map(|word| word.to_string_lossy()).collect();
    let kind = words.iter().find_map(|word| ServerKind::of(word));
    let pairs = words.windows(2).map(|pair| (&*pair[0], &*pair[1]));
    let joined = words.iter().filter_map(|word| word.split_once('='));
    let mut settings = joined.chain(pairs).filter(|(option, _)| option.starts_with('-'));
    settings.find_map(|(option, value)| number(value).filter(|_| sets_a_port(option, kind)))
}

/// How plainly a program's name is that of a server.
#[derive(Clone, Copy, PartialEq)]
enum ServerKind {
    /// `redis-server`.
    Server,
    /// `mongod`; `find` ends so too.
    Daemon,
}

impl ServerKind {
    fn of(word: &str) -> Option<Self> {
        let name = word.rsplit('/').next().filter(|_| !word.starts_with('-'))?;
        match () {
            () if name.ends_with("server") => Some(Self::Server),
            () if name.ends_with('d') => Some(Self::Daemon),
            () => None,
        }
    }
}

/// `--port`, `--listen` and `-p` of a server, `--port` of a daemon, `--server.port` of anything.
fn sets_a_port(option: &str, kind: Option<ServerKind>) -> bool {
    let option = option.trim_start_matches('-').to_ascii_lowercase();
    match kind {
        _ if option.contains("server.port") => true,
        Some(ServerKind::Server) => option == "p" || option.contains("port") || option.contains("listen"),
        Some(ServerKind::Daemon) => option.contains("port"),
        None => false,
    }
}

/// `8080`, `:8080`, `127.0.0.1:8080`, `[::]:8080`, `:::8080`, `tcp://host:8080/`.
fn number(text: &str) -> Option<u16> {
    let text = text.trim().trim_end_matches('/');
    let last = text.rsplit([':', '=']).next()?;
    last.parse().ok().filter(|port| *port > 0)
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split([' ', '\'', '"', ',', ')', '(', '{', '}']);
    words.map(|word| word.trim_end_matches(['.', ':'])).filter(|word| !word.is_empty())
}

/// The port of an address in a message. Times and places in sources have colons too.
fn addressed(line: &str) -> Option<u16> {
    words(line).find_map(of_address)
}

/// The port of an address that a program text passes in two values: `("127.0.0.1", 81)`, `('', 80, None)`, `-myaddr 127.0.0.1 80`.
fn passed(text: &str) -> Option<u16> {
    let is_parting = |letter: char| letter.is_whitespace() || matches!(letter, '(' | ')' | ',');
    let values: Vec<&str> = text.split(is_parting).filter(|value| !value.is_empty()).collect();
    values.windows(2).find_map(|pair| {
        let host = pair[0].trim_matches(['"', '\'']);
        let is_quoted = host.len() < pair[0].len();
        let is_host = is_quoted && matches!(host, "" | "localhost" | "::") || host.parse::<std::net::IpAddr>().is_ok();
        pair[1].trim_end_matches(';').parse().ok().filter(|port| is_host && *port > 0)
    })
}

/// The first number that is passed to a call which listens: `gen_tcp:listen(8080, …)`, `new ServerSocket(8080)`, `.listen(8080)`.
fn listened_on(text: &str) -> Option<u16> {
    let is_listening = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["listen", "serversocket", "tcpserver", "tcpserver.new", "httpserver.create"]
            .iter()
            .any(|call| name.ends_with(call))
    };
    let calls = text.match_indices('(').filter(|(at, _)| is_listening(&text[..*at]));
    let mut numbers = calls.filter_map(|(at, _)| {
        let digits: String = text[at + 1..].trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok().filter(|port| *port > 0)
    });
    numbers.next()
}

/// The number behind the word "port".
fn behind_port(line: &str) -> Option<u16> {
    words(line).skip_while(|word| !word.eq_ignore_ascii_case("port")).nth(1)?.parse().ok()
}

/// `127.0.0.1:80`, `[::]:80`, haproxy's `[0.0.0.0:80]`, named's `::1#53`, and `127.0.0.1@53` of NSD and Unbound.
fn of_address(word: &str) -> Option<u16> {
    let word = word.rsplit("//").next()?;
    let word = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
    let (host, port) = word.rsplit_once([':', '#', '@'])?;
    let host = host.strip_prefix("tcp:").or_else(|| host.strip_prefix("udp:")).unwrap_or(host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_host = matches!(host, "" | "*" | "localhost" | ":" | "::") || host.parse::<std::net::IpAddr>().is_ok();
    port.parse().ok().filter(|port| is_host && *port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_two_values_is_read_from_a_program_text() {
        let known = [
            (r#"s = socket.socket(); s.bind(("127.0.0.1", 81))"#, Some(81)),
            ("HTTPServer(('', 80), Handler)", Some(80)),
            (r#"make_server("127.0.0.1",8080,None)"#, Some(8080)),
            ("socket -server x -myaddr 127.0.0.1 8080", Some(8080)),
            (r#"print("a", 81); open("x", 3)"#, None),
        ];
        for (text, port) in known {
            assert_eq!(passed(text), port, "{text}");
        }
    }

    #[test]
    fn a_socket_and_a_display_of_qemu_are_ports() {
        let failed = |place: &str| format!("qemu-system-x86_64: {place}: Failed to find an available port");
        assert_eq!(addressed(&failed("-monitor tcp:127.0.0.1:18080,server,nowait")), Some(18080));
        assert_eq!(vnc_display(&failed("-vnc 127.0.0.1:12180")), Some(18080));
        assert_eq!(vnc_display(&failed("-vnc :0,password=on")), Some(5900));
        assert_eq!(vnc_display(&failed("-vnc unix:/run/vm.sock")), None);
    }

    #[test]
    fn the_first_number_of_an_address_is_no_port() {
        assert!(begins_address("failed to create listening socket for 127.0.0.1: Permission denied", "127"));
        assert!(!begins_address("cannot listen on 127 at 127.0.0.1", "127"));
        assert!(!begins_address("cannot listen on port 81.", "81"));
    }

    #[test]
    fn a_port_is_read_from_a_line_of_settings() {
        let known = [
            ("# Port 80\nPort 88\n", Some(88)),
            ("user: u\nlisten: 8080;", Some(8080)),
            ("  \"http_port\": 9000,", Some(9000)),
            ("support 3\nexport 4", None),
            ("port: auto", None),
        ];
        for (text, port) in known {
            assert_eq!(configured(text), port, "{text}");
        }
    }

    #[test]
    fn a_port_is_read_from_a_call_that_listens() {
        let known = [
            ("{ok,_} = gen_tcp:listen(8080, [])", Some(8080)),
            ("new java.net.ServerSocket(8080, 1, null)", Some(8080)),
            ("createServer().listen( 3000, f)", Some(3000)),
            ("sleep(8080); open(3)", None),
        ];
        for (text, port) in known {
            assert_eq!(listened_on(text), port, "{text}");
        }
    }

    #[test]
    fn ports_are_read_from_messages() {
        let known = [
            ("Error: listen EADDRINUSE: address already in use :::3000", Some(3000)),
            ("listen tcp 127.0.0.1:8080: bind: address already in use", Some(8080)),
            ("bind() to [::]:80 failed (98: Address already in use)", Some(80)),
            ("E bind(5, {AF=2 127.0.0.1:81}, 16): Permission denied", Some(81)),
            ("Port 5000 is in use by another program.", Some(5000)),
            ("cannot bind socket (Address already in use) for [0.0.0.0:8123]", Some(8123)),
            ("binding TCP socket on ::1#53: address in use", Some(53)),
            ("at Server.setupListenHandle (net.js:1318:16) 12:34:56", None),
            ("OSError: [Errno 98] Address already in use", None),
        ];
        for (line, port) in known {
            assert_eq!(addressed(line).or_else(|| behind_port(line)), port, "{line}");
        }
    }
}
