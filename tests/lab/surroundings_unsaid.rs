//! Surroundings that a program needs and whose want it does not tell, or tells in words of its own: locks, ports, sockets, proxies, name
//! servers, homes, terminals.

use super::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

const PEERS: &[Need] =
    &[Need::Root, Need::Program("ip"), Need::Program("python3"), Need::Program("curl"), Need::Program("socat")];

#[test]
fn flock_says_nothing_and_the_holder_is_named() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Program("flock")], |lab| {
        let scene = lab.play(
            r#"python3 -c 'import fcntl, time
f = open("held", "w"); fcntl.flock(f, fcntl.LOCK_EX); open("ready", "w"); time.sleep(600)' &
            until [ -e ready ]; do sleep 0.02; done; : >free
            explained now flock -n held true
            explained waited flock -w 0.2 held true
            explained twin flock -n free false
            explained order flock -n free sh -c 'exit 1' held"#,
        );
        scene.each(&["now", "waited"]).assert_only("locked-by-process", lab.path("held"), Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_server_that_does_not_say_why_it_does_not_start_has_a_port_that_is_taken() {
    scenario(PEERS, |lab| {
        let scene = lab.play(
            r#"inside=$(enter --net); $inside ip link set lo up
            $inside python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 8080)); open("listens", "w"); time.sleep(600)' &
            until [ -e listens ]; do sleep 0.02; done
            start='import socket, sys
try: socket.create_server(("127.0.0.1", int(sys.argv[1])))
except OSError: sys.exit("cannot start the server")
sys.exit("cannot start the server")'
            explained_in socat "$inside" socat TCP-LISTEN:8080,bind=127.0.0.1 -
            explained_in vague "$inside" python3 -c "$start" 8080
            explained_in twin "$inside" python3 -c "$start" 8081"#,
        );
        scene.run("socat").assert_only("port-in-use", "8080", Verified);
        scene.run("vague").assert_only("port-in-use", "8080", Likely);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_silent_curl_is_explained_by_its_status_and_the_machine() {
    scenario(PEERS, |lab| {
        let scene = lab.play(
            r#"inside=$(enter --net); $inside ip link set lo up
            explained socket curl -s --unix-socket "$LAB/none.sock" http://localhost/
            explained_in proxy "$inside env http_proxy=http://127.0.0.1:3128" curl -s http://none.example/
            explained_in twin.proxy "$inside env no_proxy=localhost http_proxy=http://127.0.0.1:3128" curl -s http://localhost:1/
            : >resolv; mount --bind resolv /etc/resolv.conf
            explained_in names "$inside" curl -s http://none.example/
            explained_in twin "$inside" curl -s http://localhost:1/
            explained socat socat - UNIX-CONNECT:none.sock"#,
        );
        scene.run("socket").assert_only("socket-missing", lab.path("none.sock"), Verified);
        scene.run("socat").assert_only("socket-missing", lab.path("none.sock"), Verified);
        scene.run("proxy").assert_only("proxy-misconfigured", "http_proxy", Likely);
        scene.run("names").assert_only("resolver-unconfigured", "/etc/resolv.conf", Verified);
        scene.each(&["twin", "twin.proxy"]).assert_silent();
    });
}

/// Where no name server and no proxy would be asked, their faults are no reason.
#[test]
fn what_is_on_this_machine_needs_neither_a_proxy_that_is_passed_over_nor_a_name_server() {
    let needs = [Need::Root, Need::Program("ip"), Need::Program("wget"), Need::Program("curl"), Need::Program("ruby")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"inside=$(enter --net); $inside ip link set lo up
            dead="$inside env http_proxy=http://127.0.0.1:3128"; exempt="$dead no_proxy=localhost,.example"
            open='URI.open(ARGV[0])'
            explained_in wget "$dead" wget -q -t 1 http://none.example/
            explained_in ruby "$dead" ruby -ropen-uri -e "$open" http://none.example/
            explained_in twin.wget "$exempt" wget -q -t 1 http://localhost:1/
            explained_in twin.ruby "$exempt" ruby -ropen-uri -e "$open" http://localhost:1/
            : >resolv; mount --bind resolv /etc/resolv.conf
            explained_in names "$inside" wget -q -t 1 http://none.example/
            explained_in twin.names "$inside" wget -q -t 1 http://localhost:1/
            explained_in twin.number "$inside" wget -q -t 1 http://127.0.0.1:1/"#,
        );
        scene.run("wget").assert_only("proxy-misconfigured", "http_proxy", Likely);
        // Its message names the place of the proxy.
        scene.run("ruby").assert_only("proxy-misconfigured", "http_proxy", Verified);
        scene.run("names").assert_only("resolver-unconfigured", "/etc/resolv.conf", Verified);
        scene.each(&["twin.wget", "twin.ruby", "twin.names", "twin.number"]).assert_silent();
    });
}

#[test]
fn pip_behind_a_proxy_or_without_name_servers_is_explained() {
    scenario(&[Need::Root, Need::Program("ip"), Need::File("/usr/lib/python3/dist-packages/pip")], |lab| {
        let scene = lab.play(
            r#"inside=$(enter --net); $inside ip link set lo up; dead=http://127.0.0.1:3128
            pip="/usr/bin/python3 -m pip --no-cache-dir --disable-pip-version-check --retries 1 --trusted-host none.example download --no-deps none"
            explained_in proxy "$inside env http_proxy=$dead https_proxy=$dead" $pip --index-url http://none.example/simple
            explained_in both "$inside env http_proxy=$dead https_proxy=$dead" curl -sS http://none.example/
            : >resolv; mount --bind resolv /etc/resolv.conf
            explained_in names "$inside" $pip --index-url http://none.example/simple
            mkdir simple; explained_in twin "$inside" $pip --no-index --find-links simple"#,
        );
        // Two variables of one value are one fault.
        for run in ["proxy", "both"] {
            let run = scene.run(run);
            let found = run.first();
            assert!(found.id == "proxy-misconfigured" && run.causes().len() == 1, "{run}");
        }
        scene.run("names").assert_only("resolver-unconfigured", "/etc/resolv.conf", Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn settings_that_cannot_be_kept_are_explained_by_the_home() {
    scenario(&[Need::Root, Need::Program("perl"), Need::Program("git")], |lab| {
        let scene = lab.play(
            r#"keep='open(my $f, ">", "$ENV{HOME}/.settings") or die "cannot save the settings\n"; die "cannot save the settings\n"'
            explained_in gone "env HOME=$LAB/gone" perl -e "$keep"
            explained_in twin "env HOME=$LAB/home" perl -e "$keep"
            # The home that the user database has: no other is advised, and somebody who may write there.
            mkdir mine; chmod 755 mine; cp /etc/passwd passwd; echo "mine:x:4001:4001::$LAB/mine:/bin/sh" >>passwd; mount --bind passwd /etc/passwd
            export HOME="$LAB/mine"; explained_as 4001 mine git config --global user.name ann"#,
        );
        scene.run("gone").assert_only("home-unusable", lab.path("gone"), Likely);
        scene.run("twin").assert_silent();
        let mine = scene.run("mine");
        mine.assert_first("foreign-owner", lab.path("mine"), Verified);
        assert!(!mine.assert_names("home-unusable").fixes.is_empty(), "{mine}");
    });
}

#[test]
fn terminals_that_are_wanted_or_unknown_are_told_by_other_words_and_by_a_status() {
    let programs = ["tput", "infocmp", "openssl", "setsid"];
    let needs: Vec<Need> = std::iter::once(Need::Root).chain(programs.map(Need::Program)).collect();
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"strange="env TERM=strange-terminal"
            explained_in status "$strange" tput -S </dev/null
            explained_in infocmp "$strange" infocmp
            explained_in twin "env TERM=xterm" infocmp no-such-type/at-all
            explained password setsid openssl genrsa -aes128 -out key 1024
            explained twin.password setsid openssl genrsa -aes128 -passout pass:abcdef -out no/such/key 1024"#,
        );
        scene.each(&["status", "infocmp"]).assert_only("terminal-unknown", "strange-terminal", Verified);
        scene.run("password").assert_first("no-terminal", "-", Verified);
        scene.run("twin").assert_does_not_name("terminal-unknown");
        scene.run("twin.password").assert_does_not_name("no-terminal");
    });
}
