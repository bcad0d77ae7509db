//! Ports that are taken, ports where nobody listens, and sockets without a server.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const SERVERS: &[Need] = &[
    Need::Root,
    Need::Program("ip"),
    Need::Program("python3"),
    Need::Program("node"),
    Need::Program("nc"),
    Need::Program("ssh"),
];
const CLIENTS: &[Need] = &[
    Need::Root,
    Need::Program("ip"),
    Need::Program("curl"),
    Need::Program("redis-cli"),
    Need::Program("psql"),
    Need::Program("nc"),
    Need::Program("python3"),
];

/// A network namespace of its own: `$inside COMMAND`, and `listen ADDRESS PORT`.
const NETWORK: &str = r#"inside=$(enter --net); $inside ip link set lo up
    listen() {
        $inside python3 -c 'import socket, sys, time
s = socket.create_server((sys.argv[1], int(sys.argv[2])), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
open("listens", "w"); time.sleep(600)' "$1" "$2" &
        until [ -e listens ]; do sleep 0.02; done; rm listens
    }
"#;

#[test]
fn who_has_the_port_is_named() {
    scenario(SERVERS, |lab| {
        let scene = lab.play(&format!(
            r#"{NETWORK} listen 127.0.0.1 8080
            explained_in node "$inside" node -e 'require("http").createServer().listen(8080, "127.0.0.1")'
            explained_in python "$inside" python3 -m http.server --bind 127.0.0.1 8080
            explained_in nc "$inside" nc -l 127.0.0.1 8080
            explained_in twin "$inside" python3 -m http.server --bind 127.0.0.1 no-number
            explained_in elsewhere "$inside" python3 -c 'open("/nowhere/8080")' 8080"#
        ));
        scene.run("node").assert_only("port-in-use", "8080", Confidence::Verified);
        // The message has the errno alone; the command line has the number.
        for run in ["python", "nc"] {
            scene.run(run).assert_only("port-in-use", "8080", Confidence::Likely);
        }
        assert!(scene.run("nc").first().summary.contains("python3"), "{}", scene.run("nc"));
        for run in ["twin", "elsewhere"] {
            scene.run(run).assert_does_not_name("port-in-use");
        }
    });
}

#[test]
fn a_service_that_does_not_run_is_named_by_its_port() {
    scenario(CLIENTS, |lab| {
        let scene = lab.play(&format!(
            r#"{NETWORK}
            explained_in redis "$inside" redis-cli ping
            explained_in psql "$inside" psql -h 127.0.0.1
            explained_in unknown "$inside" curl -sS http://127.0.0.1:8081/
            listen ::1 5432
            explained_in other "$inside" psql -h 127.0.0.1"#
        ));
        scene.run("redis").assert_only("socket-missing", "6379", Confidence::Verified);
        scene.run("psql").assert_only("socket-missing", "5432", Confidence::Verified);
        scene.run("unknown").assert_silent();
        let other = scene.run("other");
        let found = other.assert_only("socket-missing", "5432", Confidence::Likely);
        assert!(found.summary.contains("::1"), "{other}");
    });
}

#[test]
fn a_socket_that_is_not_there_or_that_nobody_serves_is_named() {
    scenario(CLIENTS, |lab| {
        let scene = lab.play(
            r#"leave() { python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$1"; }
            leave left.sock
            explained missing redis-cli -s "$LAB/none.sock" ping
            explained psql psql -h "$LAB/none"
            explained curl curl -sS --unix-socket "$LAB/none.sock" http://localhost/
            explained left nc -U left.sock
            explained left.curl curl -sS --unix-socket left.sock http://localhost/
            explained left.redis redis-cli -s "$LAB/left.sock" ping
            explained twin curl -sS --unix-socket "$LAB/none.sock" file:///nowhere"#,
        );
        for (run, socket) in [("missing", "none.sock"), ("psql", "none/.s.PGSQL.5432"), ("curl", "none.sock")] {
            scene.run(run).assert_only("socket-missing", lab.path(socket), Confidence::Verified);
        }
        for run in ["left", "left.curl", "left.redis"] {
            scene.run(run).assert_only("socket-missing", lab.path("left.sock"), Confidence::Verified);
        }
        scene.run("twin").assert_does_not_name("socket-missing");
    });
}

#[test]
fn a_server_is_found_by_its_file_whatever_name_it_bound() {
    scenario(CLIENTS, |lab| {
        let scene = lab.play(
            r#"python3 -c 'import socket, time
s = socket.socket(socket.AF_UNIX); s.bind("first.sock"); s.listen(); open("ready", "w"); time.sleep(600)' &
            until [ -e ready ]; do sleep 0.02; done
            mv first.sock second.sock; ln second.sock third.sock
            # What refuses is the program, which says so in words of its own.
            echo 'echo "$1: Connection refused" >&2; exit 1' >client
            explained served sh client "$LAB/third.sock"
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("first.sock")'
            explained replaced nc -U "$LAB/first.sock""#,
        );
        scene.run("served").assert_does_not_name("socket-missing");
        scene.run("replaced").assert_only("socket-missing", lab.path("first.sock"), Confidence::Verified);
    });
}

#[test]
fn a_connection_to_another_machine_is_not_said_to_be_about_a_file_here() {
    scenario(CLIENTS, |lab| {
        let scene = lab.play(&format!(
            r#"{NETWORK}
            echo 'echo "Cannot connect to the Docker daemon at tcp://127.0.0.1:9999. Is the docker daemon running?" >&2; exit 1' >docker
            echo 'echo "ssh: connect to host build.example port 22: Connection refused" >&2; exit 255' >ssh
            explained_in docker "$inside" sh docker
            explained_in ssh "$inside" sh ssh"#
        ));
        for run in ["docker", "ssh"] {
            scene.run(run).assert_silent();
        }
    });
}

/// redis tells its reason on stdout, which is not heard.
#[test]
fn a_server_without_a_word_on_stderr_has_a_port_that_another_has_or_that_it_may_not_bind() {
    let needs = [Need::Root, Need::Program("ip"), Need::Program("python3"), Need::Program("redis-server")];
    scenario(&needs, |lab| {
        let scene = lab.play(&format!(
            r#"{NETWORK} listen 127.0.0.1 8080; sleep 2; redis="timeout 20 redis-server --bind 127.0.0.1 --save ''"
            explained_in taken "$inside" $redis --port 8080
            explained_as 4001 low $redis --port 81
            explained_in twin "$inside" $redis --port 8081 --dir /nowhere
            explained_in twin.setting "$inside" $redis --port 8080 --no-such-setting 1
            explained_in twin.client "$inside" timeout 2 redis-cli -p 8080 ping"#
        ));
        scene.run("taken").assert_only("port-in-use", "8080", Confidence::Likely);
        scene.run("low").assert_only("privileged-port", "81", Confidence::Likely);
        scene.each(&["twin", "twin.setting", "twin.client"]).assert_does_not_name("port-in-use");
    });
}

/// What the clients of Docker and Podman say has no errno; the file is there, and nobody in this network namespace serves it.
#[test]
fn a_left_over_socket_file_of_a_daemon_is_likely_the_reason() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Program("ssh-add")], |lab| {
        let scene = lab.play(
            r#"echo 'echo "Cannot connect to the Docker daemon at unix://$1. Is the docker daemon running?" >&2; exit 1' >docker
            python3 -c 'import socket, time
socket.socket(socket.AF_UNIX).bind("left.sock")
s = socket.socket(socket.AF_UNIX); s.bind("served.sock"); s.listen(); open("ready", "w"); time.sleep(600)' &
            until [ -e ready ]; do sleep 0.02; done
            explained docker sh docker "$LAB/left.sock"
            explained_in agent "env SSH_AUTH_SOCK=$LAB/left.sock" ssh-add -l
            explained_in agent.gone "env SSH_AUTH_SOCK=$LAB/gone.sock" ssh-add -l
            explained twin sh docker "$LAB/served.sock"
            explained_in twin.agent "env SSH_AUTH_SOCK=$LAB/left.sock" ssh-add none/key"#,
        );
        scene.run("docker").assert_only("socket-missing", lab.path("left.sock"), Confidence::Likely);
        scene.run("agent").assert_only("socket-missing", lab.path("left.sock"), Confidence::Verified);
        scene.run("agent.gone").assert_only("socket-missing", lab.path("gone.sock"), Confidence::Verified);
        scene.run("twin").assert_silent();
        scene.run("twin.agent").assert_names("socket-missing");
    });
}
