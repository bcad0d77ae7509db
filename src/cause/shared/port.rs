//! Port numbers: in what a command says, and in how it was called.

use crate::cause::Case;
use crate::clue::Clue;

/// The port that a message names.
pub fn of_clue(clue: &Clue) -> Option<u16> {
    clue.subject.as_deref().and_then(number).or_else(|| in_line(&clue.line))
}

/// The numbers of the command line that may be ports, in order.
pub fn of_command(case: &Case) -> Vec<u16> {
    case.command.iter().skip(1).filter_map(|word| number(&word.to_string_lossy())).collect()
}

/// `8080`, `:8080`, `127.0.0.1:8080`, `[::]:8080`, `:::8080`, `tcp://host:8080/`.
fn number(text: &str) -> Option<u16> {
    let text = text.trim().trim_end_matches('/');
    let last = text.rsplit([':', '=']).next()?;
    last.parse().ok().filter(|port| *port > 0)
}

/// The port of an address, or the number behind the word "port", in a message. Times and places in sources have colons too.
fn in_line(line: &str) -> Option<u16> {
    let words = line
        .split([' ', '\'', '"', ',', ')', '('])
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter(|word| !word.is_empty());
    let addressed = words.clone().find_map(of_address);
    let mut after_port = words.skip_while(|word| !word.eq_ignore_ascii_case("port")).skip(1);
    addressed.or_else(|| after_port.next()?.parse().ok())
}

fn of_address(word: &str) -> Option<u16> {
    let word = word.rsplit("//").next()?;
    let (host, port) = word.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_host = matches!(host, "" | "*" | "localhost" | ":" | "::") || host.parse::<std::net::IpAddr>().is_ok();
    port.parse().ok().filter(|port| is_host && *port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_from_messages() {
        let known = [
            ("Error: listen EADDRINUSE: address already in use :::3000", Some(3000)),
            ("listen tcp 127.0.0.1:8080: bind: address already in use", Some(8080)),
            ("bind() to [::]:80 failed (98: Address already in use)", Some(80)),
            ("Port 5000 is in use by another program.", Some(5000)),
            ("at Server.setupListenHandle (net.js:1318:16) 12:34:56", None),
            ("OSError: [Errno 98] Address already in use", None),
        ];
        for (line, port) in known {
            assert_eq!(in_line(line), port, "{line}");
        }
    }
}
