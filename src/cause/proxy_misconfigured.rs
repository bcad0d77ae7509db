//! A proxy variable names something that cannot be a proxy, or one on this machine where nobody listens (curl(1), "Environment").

use super::setting::{self, Wrong};
use super::shared::hosts;
use super::shared::refused_port::{self, is_this_machine, place};
use super::{Case, Cause, Fix, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::command_line;
use crate::machine::SocketState;
use crate::sys::errno::Errno;
use std::ffi::OsStr;
use std::path::Path;

const ID: &str = "proxy-misconfigured";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/proxy-misconfigured.md"),
    suspects,
    covers: &["remote-side", "socket-missing", "resolver-unconfigured"],
    check,
};

/// Variables that name a proxy, as programs read them.
const VARIABLES: &[&str] =
    &["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "ftp_proxy", "FTP_PROXY"];

/// Programs that speak no HTTP and read none of these variables; with a hyphen or underscore at the end, all that begin so.
const WITHOUT: &[&str] = &[
    "createdb",
    "dropdb",
    "ldapsearch",
    "mariadb",
    "mariadb-",
    "mysql",
    "mysqladmin",
    "mysqldump",
    "nc",
    "ncat",
    "netcat",
    "pg_",
    "psql",
    "redis-",
    "scp",
    "sftp",
    "socat",
    "ssh",
    "ssh-",
    "telnet",
    "valkey-",
];

/// Schemes that a proxy can have.
const SCHEMES: &[&str] = &["http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h"];

fn suspects(case: &Case) -> Vec<Suspect> {
    let spoken = setting::suspects(case, ID, is_of_proxy, |_, _| Subject::Name("-".into()));
    let set = distinct(case);
    let of_variable = |suspect: &Suspect| {
        let named = set.iter().map(|name| Suspect { subject: Subject::Name((*name).to_owned()), ..suspect.clone() });
        named.collect::<Vec<_>>()
    };
    let named: Vec<Suspect> = spoken.iter().flat_map(of_variable).collect();
    if named.is_empty() { spoken } else { named }
}

/// Whether a message tells of a refused connection to the very place that a variable names, whatever its rule makes of it.
fn is_of_proxy(case: &Case, clue: &Clue) -> bool {
    let is_there = |name: &&str| value(case, name).is_some_and(|value| says_the_place(clue, &value));
    clue.errno == Some(Errno::ECONNREFUSED) && VARIABLES.iter().any(is_there)
}

/// Whether the line has the host and port of a proxy, in one of the forms that programs have for them.
fn says_the_place(clue: &Clue, value: &str) -> bool {
    let Ok(Address { host, port }) = address(value) else { return false };
    let forms = [format!("{host}:{port}"), format!("{host} port {port}"), format!("\"{host}\" port {port}")];
    forms.iter().any(|form| {
        let mut behind = clue.line.match_indices(form.as_str()).map(|(at, _)| &clue.line[at + form.len()..]);
        behind.any(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// The variables that are set, one of each value: that of the scheme which the command line names before others.
fn distinct(case: &Case) -> Vec<&'static str> {
    let words = || case.command.iter().map(|word| word.to_string_lossy());
    let names_plain = words().any(|word| word.contains("http://")) && !words().any(|word| word.contains("https://"));
    let mut names: Vec<&str> = VARIABLES.iter().copied().filter(|name| value(case, name).is_some()).collect();
    names.sort_by_key(|name| names_plain && !name.eq_ignore_ascii_case("http_proxy"));
    let mut values: Vec<Option<String>> = Vec::new();
    names.retain(|name| {
        let value = value(case, name);
        let is_new = !values.contains(&value);
        values.push(value);
        is_new
    });
    names
}

fn value(case: &Case, name: &str) -> Option<String> {
    case.surroundings().var(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let name = suspect.subject.to_string();
    let Some(value) = value(case, &name) else {
        return setting::verdict(case, None, "no proxy variable is set", "a proxy setting was wrong");
    };
    let clue = suspect.clue.map(|index| &case.clues[index]);
    if let Some(why) = clue.and_then(|clue| another_place(clue, &value)) {
        return Verdict::RuledOut(why);
    }
    if clue.is_some_and(|clue| is_without_proxy(case, clue, &value)) {
        return Verdict::RuledOut("nothing says that what was refused goes by a proxy".to_owned());
    }
    if let Some(hosts) = hosts::exempt_from_proxies(case) {
        return Verdict::RuledOut(format!("no_proxy exempts {hosts}"));
    }
    let wrong = fault(case, &value).map(|why| Wrong {
        headline: format!("{name} names no proxy that works"),
        fact: format!("{name}={value}: {why}"),
        check: "env | grep -i _proxy=".to_owned(),
        fixes: vec![Fix::now(format!("unset {}", same_value(case, &value)), "goes without a proxy in this shell")],
    });
    let verdict =
        setting::verdict(case, wrong, &format!("{name}={value} has the form of a proxy"), "a proxy setting was wrong");
    // Which connection was refused is not told otherwise: it may have been one without a proxy.
    if clue.is_some_and(|clue| names_proxy(clue, &value)) { verdict } else { setting::less_sure(verdict) }
}

/// Every variable that has this value: without one of them, programs read the next.
fn same_value(case: &Case, wanted: &str) -> String {
    let has_it = |name: &&&str| value(case, name).is_some_and(|value| value == wanted);
    VARIABLES.iter().filter(has_it).copied().collect::<Vec<_>>().join(" ")
}

/// Whether the message speaks of a proxy, or of the very place where the proxy should be.
fn names_proxy(clue: &Clue, value: &str) -> bool {
    let line = clue.line.to_ascii_lowercase();
    let told = clue.subject.as_deref().and_then(place).map(|(_, port)| port);
    line.contains("proxy")
        || line.contains("tunnel")
        || says_the_place(clue, value)
        || told.is_some() && told == address(value).ok().map(|address| address.port)
}

/// A connection that was refused at another place did not go to the proxy.
fn another_place(clue: &Clue, value: &str) -> Option<String> {
    let (_, port) = clue.subject.as_deref().and_then(place)?;
    let host = refused_port::host(clue).unwrap_or_default();
    let proxy = address(value).ok()?;
    let is_other_host = !host.is_empty() && is_this_machine(proxy.host) && !is_this_machine(&host);
    let said = format!("{host} port {port}");
    (port != proxy.port || is_other_host)
        .then(|| format!("{} refused, and the proxy is {} port {}", said.trim_start(), proxy.host, proxy.port))
}

/// Whether a connection that failed was hardly one by a proxy: its program reads no such variable, or neither its message nor anything else speaks
/// of HTTP or of the place of the proxy.
fn is_without_proxy(case: &Case, clue: &Clue, value: &str) -> bool {
    let is_of_connection = matches!(clue.errno, Some(Errno::ECONNREFUSED | Errno::ETIMEDOUT)) && !clue.said.is_empty();
    if !is_of_connection {
        return false;
    }
    let speaker = clue.program.as_deref().or_else(|| clue.line.split_once(": ").map(|(speaker, _)| speaker));
    let starts = || case.command.iter().flat_map(|word| command_line::words_in(word)).any(is_without);
    match () {
        () if speaker.is_some_and(|speaker| is_without(OsStr::new(speaker))) => true,
        () if speaks_of_http(case) => false,
        () if names_proxy(clue, value) => starts(),
        () => true,
    }
}

/// Whether a word is the name of a program that goes by no proxy.
fn is_without(word: &OsStr) -> bool {
    let name = Path::new(word).file_name().unwrap_or_default().to_string_lossy();
    WITHOUT.iter().any(|known| name == *known || known.ends_with(['-', '_']) && name.starts_with(known))
}

/// Whether the command line or the output has a word of HTTP.
fn speaks_of_http(case: &Case) -> bool {
    let has = |text: &[u8]| text.windows(4).any(|word| word.eq_ignore_ascii_case(b"http"));
    let output = case.transcript.parts.iter().map(|part| &*part.bytes.0);
    command_line::launched(case.command).iter().map(|word| word.as_encoded_bytes()).chain(output).any(has)
}

/// Where a proxy is said to be.
struct Address<'a> {
    host: &'a str,
    port: u16,
}

fn fault(case: &Case, value: &str) -> Option<String> {
    match address(value) {
        Err(why) => Some(why),
        Ok(Address { host, port }) if is_this_machine(host) => {
            let sockets = case.machine.port_sockets(port).ok()?;
            let listens = sockets.iter().any(|socket| socket.state == SocketState::Listening);
            (!listens).then(|| format!("nobody listens on port {port} of this machine"))
        }
        Ok(_) => None,
    }
}

/// Takes `[scheme://][user@]host[:port][/]` apart.
fn address(value: &str) -> Result<Address<'_>, String> {
    if !value.contains("://") && value.contains(":/") {
        return Err("a scheme ends in ://".to_owned());
    }
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    if !SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(format!("{scheme}:// is no kind of proxy"));
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = match place.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err("it names no host".to_owned());
    }
    let port = match port {
        None | Some("") => 1080,
        Some(port) => port.parse().map_err(|_| format!("{port} is no port"))?,
    };
    Ok(Address { host, port })
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::cause::Confidence;
    use crate::machine::PortSocket;
    use crate::text::Bytes;

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n";

    fn stage(value: &str) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.surroundings.env.insert("https_proxy".into(), Bytes(value.into()));
        stage.knows("port 3128", Ok(Vec::<PortSocket>::new()));
        stage.add(|clue| clue.suspects = vec![ID.to_owned()]);
        stage
    }

    fn summary(value: &str) -> String {
        let verdicts = stage(value).verdicts(&CAUSE);
        let Verdict::Found(finding) = &verdicts[0].1 else { panic!("{verdicts:?}") };
        finding.summary.clone()
    }

    #[test]
    fn a_local_proxy_that_does_not_run_is_told() {
        assert!(summary("http://localhost:3128/").contains("nobody listens on port 3128"));
    }

    #[test]
    fn a_refusal_at_the_place_of_the_proxy_is_of_the_proxy() {
        let confidence = |line: &str| {
            let mut stage = stage("http://127.0.0.1:3128");
            (stage.clues[0].errno, stage.clues[0].line) = (Some(Errno::ECONNREFUSED), line.into());
            stage.clues[0].suspects = vec!["remote-side".into()];
            stage.found(&CAUSE).len()
        };
        assert_eq!(confidence("Failed to open TCP connection to 127.0.0.1:3128 (Connection refused)"), 1);
        assert_eq!(confidence("connect to 127.0.0.1 port 3128 failed: Connection refused"), 1);
        assert_eq!(confidence("connect to 127.0.0.1:31280: Connection refused"), 0);
        assert_eq!(confidence("connect to 127.0.0.1 port 80 failed: Connection refused"), 0);
    }

    #[test]
    fn what_cannot_be_a_proxy_is_told() {
        assert!(summary("ftp://proxy:1").contains("ftp:// is no kind of proxy"));
        assert!(summary("http://proxy:http").contains("http is no port"));
        assert!(summary("http://").contains("names no host"));
        assert!(summary("http:/proxy:3128").contains("ends in ://"));
    }

    #[test]
    fn the_place_that_refused_tells_whether_it_was_the_proxy() {
        let with_subject = |subject: &str| {
            let mut stage = stage("http://127.0.0.1:3128");
            stage.clues[0].subject = Some(subject.into());
            stage
        };
        assert_eq!(with_subject("127.0.0.1 port 3128").finding(&CAUSE, "https_proxy").confidence, Confidence::Verified);
        assert_eq!(stage("http://127.0.0.1:3128").finding(&CAUSE, "https_proxy").confidence, Confidence::Likely);
        with_subject("localhost port 1").assert_silent(&CAUSE);
    }

    #[test]
    fn what_speaks_no_http_went_to_no_proxy() {
        let of = |command: &str, line: &str, subject: Option<&str>| {
            let mut stage = stage("http://127.0.0.1:3128");
            stage.command = command.split(' ').map(Into::into).collect();
            let clue = &mut stage.clues[0];
            (clue.errno, clue.line, clue.subject) = (Some(Errno::ECONNREFUSED), line.into(), subject.map(Into::into));
            clue.said = 0..line.len() as u64;
            stage.found(&CAUSE).first().map(|_| stage.finding(&CAUSE, "https_proxy").confidence)
        };
        let (refused, place) = ("Connection refused", Some("127.0.0.1 port 3128"));
        assert_eq!(of("git fetch", &format!("ssh: connect to host 127.0.0.1 port 3128: {refused}"), place), None);
        assert_eq!(
            of("redis-cli -p 3128", &format!("Could not connect to Redis at 127.0.0.1:3128: {refused}"), place),
            None
        );
        assert_eq!(of("python3 client.py", &format!("ConnectionRefusedError: [Errno 111] {refused}"), None), None);
        assert_eq!(of("tool", &format!("dial 10.0.0.1:3128: {refused}"), Some("10.0.0.1:3128")), None);
        let line = format!("<urlopen error [Errno 111] {refused}>");
        assert_eq!(of("python3 get.py http://a.example/", &line, None), Some(Confidence::Likely));
        assert_eq!(of("tool get", &format!("connect 127.0.0.1:3128: {refused}"), place), Some(Confidence::Verified));
    }

    #[test]
    fn a_proxy_elsewhere_is_silence() {
        stage("http://proxy.example:8080").assert_silent(&CAUSE);
    }
}
