//! Paths that a file may have and a Unix socket may not, told by programs that count, that say only that a name is too long, or that cut
//! the path and do not find the rest.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

const NEEDS: &[Need] = &[
    Need::Root,
    Need::Program("python3"),
    Need::Program("curl"),
    Need::Program("nc"),
    Need::Program("ssh-agent"),
    Need::Program("redis-cli"),
    Need::Program("ssh"),
];

#[test]
fn too_long_a_path_is_counted_whatever_the_program_says_of_it() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"long="$LAB/$(printf 'd%.0s' $(seq 100))"; mkdir "$long"; echo "$long" >runs/long
            bind='import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])'
            explained agent ssh-agent -a "$long/s.sock" true
            explained curl curl -sS --unix-socket "$long/s.sock" http://localhost/
            explained python python3 -c "$bind" "$long/s.sock"
            explained cut redis-cli -s "$long/s.sock" ping
            explained vague nc -lU "$long/s.sock"
            # As long a file is none of a socket's business.
            explained twin python3 -c 'import sys; open(sys.argv[1])' "$long/s.sock"
            explained twin.name touch "$LAB/$(printf 'n%.0s' $(seq 300))"
            explained twin.short redis-cli -s "$LAB/s.sock" ping"#,
        );
        let long = std::fs::read_to_string(lab.path("runs/long")).expect("the script kept it");
        let socket = std::path::Path::new(long.trim()).join("s.sock");
        scene.each(&["agent", "curl", "python", "cut"]).assert_only("socket-path-too-long", &socket, Verified);
        scene.run("vague").assert_only("socket-path-too-long", &socket, Likely);
        scene.each(&["twin", "twin.name", "twin.short"]).assert_does_not_name("socket-path-too-long");
    });
}

#[test]
fn too_long_a_path_is_found_where_a_message_counts_without_a_path_or_calls_it_a_file_s() {
    let needs = [Need::Root, Need::Program("socat"), Need::Program("ruby"), Need::Program("php"), Need::Program("nc")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"long="$LAB/$(printf 'd%.0s' $(seq 100))"; mkdir "$long"; echo "$long" >runs/long
            explained connect nc -U "$long/s.sock"
            explained logger logger -u "$long/s.sock" text
            explained socat socat - "UNIX-CONNECT:$long/s.sock"
            explained ruby ruby -rsocket -e 'UNIXServer.new(ARGV[0])' "$long/s.sock"
            explained redis redis-server --unixsocket "$long/s.sock" --port 0 --logfile /dev/stderr"#,
        );
        let long = std::fs::read_to_string(lab.path("runs/long")).expect("the script kept it");
        let socket = std::path::Path::new(long.trim()).join("s.sock");
        scene.each(&["connect", "logger", "socat", "ruby", "redis"]).assert_about("socket-path-too-long", &socket);
    });
}

#[test]
fn a_socket_file_beside_a_refused_port_is_not_blamed() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"inside=$(enter --net); $inside ip link set lo up
            explained_in ssh "$inside" ssh -o BatchMode=yes -o ControlPath="$LAB/none.sock" -p 2222 127.0.0.1 true
            explained_in curl "$inside" curl -sS --unix-socket "$LAB/none.sock" http://localhost/"#,
        );
        scene.run("ssh").assert_silent();
        scene.run("curl").assert_only("socket-missing", lab.path("none.sock"), Verified);
    });
}
