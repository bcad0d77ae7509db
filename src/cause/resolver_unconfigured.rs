//! Names cannot be resolved because nobody is there to be asked: `/etc/resolv.conf` is missing, dangling or names no server,
//! or one on this machine that does not run, resolv.conf(5).

use super::setting::{self, Wrong};
use super::shared::hosts;
use super::{Case, Cause, Fix, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::machine::{SocketState, Unknown};
use crate::probe::origin::config::has_systemd;
use crate::probe::path::{Resolved, resolve};
use crate::sys::errno::Errno;
use std::path::Path;

const ID: &str = "resolver-unconfigured";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/resolver-unconfigured.md"), suspects, covers: &[], check };

const FILE: &str = "/etc/resolv.conf";
/// The port of name servers.
const DOMAIN: u16 = 53;

fn suspects(case: &Case) -> Vec<Suspect> {
    setting::suspects(case, ID, setting::nothing_else, |_, _| Subject::Path(FILE.into()))
}

/// Whether a proxy is there to look names up, and nothing says that it was not asked.
fn is_left_to_proxy(case: &Case, suspect: &Suspect) -> bool {
    const VARIABLES: &[&str] = &["http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"];
    let is_set = VARIABLES.iter().any(|name| case.surroundings().var(name).is_some_and(|value| !value.is_empty()));
    let is_untold = |clue: &Clue| clue.line.is_empty() && clue.suspects("proxy-misconfigured");
    is_set && suspect.clue.is_some_and(|index| is_untold(&case.clues[index]))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    if is_left_to_proxy(case, suspect) {
        return Verdict::RuledOut("a proxy is set, which looks names up itself".into());
    }
    let is_untold = suspect.clue.is_some_and(|index| case.clues[index].line.is_empty());
    if is_untold && hosts::need_no_name_server(case) {
        return Verdict::RuledOut("the hosts of the command need no name server".into());
    }
    let found = match resolve(case.machine, case.mounts, Path::new(FILE)) {
        Err(unknown) if unknown != Unknown::Errno(Errno::ELOOP) => {
            return Verdict::Unknown(format!("{FILE}: {unknown}"));
        }
        found => found.ok(),
    };
    let fact = match contents(case, found) {
        Err(fact) => Some(fact),
        Ok(text) => unanswered(case, &text),
    };
    let wrong = fact.map(|fact| Wrong {
        headline: "no name server that is configured can be asked".to_owned(),
        fact,
        check: format!("cat {FILE}"),
        fixes: fixes(case),
    });
    setting::verdict(case, wrong, &format!("{FILE} names a server"), "no name server was configured")
}

fn fixes(case: &Case) -> Vec<Fix> {
    if no_route(case).is_some() {
        return vec![Fix::lasting(
            "start it where there is a network, or give the sandbox or container one; or fetch beforehand",
        )];
    }
    let restart = has_systemd(case.machine).then(|| {
        Fix::now(case.as_root("systemctl restart systemd-resolved"), "where systemd-resolved writes the file")
    });
    let line =
        format!("a line `nameserver ADDRESS` in {FILE}, or what writes it (NetworkManager, the container's --dns)");
    restart.into_iter().chain([Fix::lasting(line)]).collect()
}

/// The file's text, or what is wrong with the file.
fn contents(case: &Case, found: Option<Resolved>) -> Result<String, String> {
    let Some(found) = found else { return Err(format!("{FILE} leads in a circle")) };
    if !found.missing.as_os_str().is_empty() {
        let target = case.machine.read_link(Path::new(FILE));
        return Err(target.map_or_else(
            |_| format!("{FILE} does not exist"),
            |target| format!("{FILE} is a link to {}, which does not exist", target.display()),
        ));
    }
    // What cannot be read is not known to be wrong.
    let text = case
        .machine
        .read(&found.existing)
        .map_or_else(|_| "nameserver unknown".to_owned(), |text| text.lossy().into_owned());
    Ok(text)
}

/// Why nobody answers, where that can be seen from here. Without a line the server is this machine, resolv.conf(5).
fn unanswered(case: &Case, text: &str) -> Option<String> {
    let servers: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"))
        .filter_map(|rest| rest.split_whitespace().next())
        .collect();
    let is_local = |server: &&str| server.starts_with("127.") || *server == "::1";
    if !servers.iter().all(is_local) {
        return no_route(case).map(|fact| format!("{FILE} names {}, and {fact}", servers.join(" and ")));
    }
    let sockets = case.machine.port_sockets(DOMAIN).ok()?;
    let listens = sockets.iter().any(|socket| socket.state == SocketState::Listening);
    if listens {
        return None;
    }
    Some(if servers.is_empty() {
        format!("{FILE} names no server, and nobody listens on port {DOMAIN} of this machine")
    } else {
        format!("{FILE} names {} alone, and nobody listens on port {DOMAIN} of this machine", servers.join(" and "))
    })
}

/// Whether no packet can leave: no route in `/proc/net/route`, and in `/proc/net/ipv6_route` those of the loopback interface alone
/// (`proc_pid_net(5)`). So it is in the sandboxes of builds.
fn no_route(case: &Case) -> Option<String> {
    let table = |name: &str| case.machine.read(Path::new(&format!("/proc/self/net/{name}")));
    let fourth = table("route").ok()?.lossy().lines().skip(1).count();
    let sixth = match table("ipv6_route") {
        Ok(table) => table.lossy().lines().filter(|line| !line.trim_end().ends_with(" lo")).count(),
        Err(unknown) if unknown.is_missing() => 0,
        Err(_) => return None,
    };
    (fourth + sixth == 0).then(|| {
        "there is no route to any other machine: this network namespace has the loopback interface alone".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::{Kind, PortSocket};

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n";

    fn stage(text: &str) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.directory("/etc").stat(FILE, Kind::Regular, |_| {}).file(FILE, text);
        stage.knows("port 53", Ok(Vec::<PortSocket>::new()));
        stage.add(|clue| clue.suspects = vec![ID.to_owned()]);
        stage
    }

    #[test]
    fn a_file_without_a_server_is_told() {
        assert!(stage("search lan\n").finding(&CAUSE, FILE).summary.contains("names no server"));
    }

    #[test]
    fn without_a_line_a_server_of_this_machine_is_asked() {
        let listener = PortSocket {
            protocol: "udp".into(),
            address: "127.0.0.1".into(),
            state: SocketState::Listening,
            uid: 0,
            inode: 7,
            holders: Vec::new(),
        };
        let mut stage = stage("search lan\n");
        stage.knows("port 53", Ok(vec![listener])).assert_silent(&CAUSE);
    }

    #[test]
    fn a_namespace_without_a_route_is_told() {
        const HEAD: &str = "Iface Destination Gateway Flags\n";
        let mut stage = stage("nameserver 9.9.9.9\n");
        stage
            .file("/proc/self/net/route", HEAD)
            .file("/proc/self/net/ipv6_route", "0 00 0 00 0 ffffffff 1 0 00200200 lo\n");
        assert!(stage.finding(&CAUSE, FILE).summary.contains("no route"));
        stage.file("/proc/self/net/route", &format!("{HEAD}eth0 00000000 0100000A 0003\n")).assert_silent(&CAUSE);
    }

    #[test]
    fn a_local_server_that_does_not_run_is_told() {
        assert!(stage("nameserver 127.0.0.53\n").finding(&CAUSE, FILE).summary.contains("nobody listens"));
    }

    #[test]
    fn a_server_elsewhere_is_silence() {
        stage("nameserver 9.9.9.9\nnameserver 127.0.0.1\n").assert_silent(&CAUSE);
    }

    #[test]
    fn a_missing_file_is_told() {
        let mut stage = stage("");
        stage.missing(FILE);
        assert!(stage.finding(&CAUSE, FILE).summary.contains("does not exist"));
    }
}
