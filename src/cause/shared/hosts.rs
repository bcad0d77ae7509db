//! The hosts that a command line names. A name server or a proxy has no part in a failure where nobody would have asked it.

use super::refused_port::is_this_machine;
use crate::cause::Case;
use std::net::IpAddr;
use std::path::Path;

/// The hosts of the command's addresses, in order: of URLs, and words that are this machine or a number.
pub fn of_command(case: &Case) -> Vec<String> {
    let words: Vec<_> = case.command.iter().skip(1).map(|word| word.to_string_lossy()).collect();
    let parts = words.iter().flat_map(|word| word.split([' ', '\n', '"', '\'', '(', ')', ',', '=']));
    parts.filter_map(|part| host(part)).map(str::to_ascii_lowercase).collect()
}

/// The host of `scheme://[user@]host[:port][/…]`; of a word without a scheme where it can be nothing else.
fn host(part: &str) -> Option<&str> {
    let url = part.split_once("://").map(|(_, rest)| rest);
    let authority = url.unwrap_or(part).split(['/', '?', '#']).next()?;
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let host = match place.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, _)) => host,
        None => place.split(':').next()?,
    };
    let is_plain = || is_this_machine(host) || host.parse::<IpAddr>().is_ok();
    (!host.is_empty() && (url.is_some() || is_plain())).then_some(host)
}

/// Whether the command names hosts and every one is known without a name server: a number, this machine, or a name of `/etc/hosts`.
pub fn need_no_name_server(case: &Case) -> bool {
    let hosts = of_command(case);
    let text = case.machine.read(Path::new("/etc/hosts")).map(|text| text.lossy().into_owned()).unwrap_or_default();
    let is_listed = |host: &str| {
        let mut lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        lines.any(|line| line.split_whitespace().skip(1).any(|name| name.eq_ignore_ascii_case(host)))
    };
    let is_known = |host: &String| is_this_machine(host) || host.parse::<IpAddr>().is_ok() || is_listed(host);
    !hosts.is_empty() && hosts.iter().all(is_known)
}

/// The hosts of the command, where `no_proxy` exempts every one of them (curl(1), "Environment").
pub fn exempt_from_proxies(case: &Case) -> Option<String> {
    let lists = ["no_proxy", "NO_PROXY"].map(|name| case.surroundings().var(name));
    let list = lists.into_iter().flatten().next()?.to_string_lossy().to_ascii_lowercase();
    let is_exempt = |host: &String| list.split([',', ' ']).map(str::trim).any(|entry| covers(entry, host));
    let hosts = of_command(case);
    (!hosts.is_empty() && hosts.iter().all(is_exempt)).then(|| hosts.join(" and "))
}

/// Whether an entry of `no_proxy` is the host, a domain above it, or all.
fn covers(entry: &str, host: &str) -> bool {
    let domain = entry.trim_start_matches("*.").trim_start_matches('.');
    let is_below = || host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    entry == "*" || !domain.is_empty() && is_below()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::stage::Stage;

    #[test]
    fn hosts_are_those_of_urls_and_of_plain_addresses() {
        for (word, expected) in [
            ("http://localhost:1/x", Some("localhost")),
            ("https://u:p@host.example/x?y", Some("host.example")),
            ("[::1]:80", Some("::1")),
            ("127.0.0.1:80/x", Some("127.0.0.1")),
            ("file:///etc/passwd", None),
            ("-sS", None),
            ("example.org", None),
        ] {
            assert_eq!(host(word), expected, "{word}");
        }
    }

    fn stage(command: &str) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw - ext4 /dev/vda rw\n");
        stage.command = command.split(' ').map(Into::into).collect();
        stage.file("/etc/hosts", "127.0.0.1 localhost\n10.0.0.1 build # builder\n");
        stage
    }

    #[test]
    fn numbers_this_machine_and_listed_names_need_no_name_server() {
        for (command, expected) in [
            ("wget -q https://localhost:1/", true),
            ("curl http://build/x http://10.0.0.9/", true),
            ("curl http://builder/", false),
            ("curl -x http://127.0.0.1:3128 http://example.org/", false),
            ("apt-get update", false),
        ] {
            assert_eq!(stage(command).with_case(need_no_name_server), expected, "{command}");
        }
    }

    #[test]
    fn entries_of_no_proxy_are_hosts_and_domains() {
        for (entry, host, expected) in [
            ("localhost", "localhost", true),
            (".example.org", "a.example.org", true),
            ("example.org", "badexample.org", false),
            ("*", "x", true),
            ("", "x", false),
        ] {
            assert_eq!(covers(entry, host), expected, "{entry} {host}");
        }
    }
}
