//! Tools that no rule names, or that say in words of their own what others say too: contents that are not understood, settings that hold the
//! port, addresses of socat, and messages of which a word or a number was once taken for what it is not.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

#[test]
fn wide_text_is_told_where_a_reader_only_finds_an_error_in_it() {
    let needs = [Need::Root, Need::Program("jq"), Need::Program("sqlite3"), Need::Program("tclsh")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"wide() { printf '%s\n' "$2" | iconv -t UTF-16 >"$1"; }
            wide a.json '{"a":1}'; wide a.sql 'select 1;'; wide a.tcl 'puts 1'
            printf '{"a":1,}\r\n' >returns.json; printf '\357\273\277select 1 from;\n' >marked.sql
            explained jq jq . a.json
            explained sqlite sqlite3 :memory: '.read a.sql'
            explained tcl tclsh a.tcl
            explained twin.jq jq . returns.json
            explained twin.sqlite sqlite3 :memory: '.read marked.sql'
            type_fix jq ^iconv; explained after jq . a.json"#,
        );
        for (run, file) in [("jq", "a.json"), ("sqlite", "a.sql"), ("tcl", "a.tcl")] {
            scene.run(run).assert_first("text-encoding", lab.path(file), Likely);
        }
        scene.each(&["twin.jq", "twin.sqlite"]).assert_silent();
        assert_eq!(scene.run("after").status, 0, "{}", scene.script);
    });
}

#[test]
fn a_locale_is_that_of_the_program_text_and_perl_s_advice_names_no_command() {
    let needs = [Need::Root, Need::Program("perl"), Need::Program("python3")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"export LC_ALL=C
            explained python python3 -c 'import locale; locale.setlocale(locale.LC_ALL, "qq_QQ.UTF-8")'
            explained twin python3 -c 'import locale; locale.setlocale(locale.LC_ALL, "C")
raise SystemExit("qq_QQ.UTF-8 is no greeting")'
            explained perl env LC_ALL=xx_YY.UTF-8 perl -e 'die "no such thing\n"'"#,
        );
        scene.run("python").assert_only("locale-missing", "qq_QQ.UTF-8", Likely);
        scene.each(&["twin", "perl"]).assert_silent();
    });
}

#[test]
fn a_device_without_anything_behind_it_is_told_wherever_it_lies() {
    let needs = [Need::Root, Need::Program("lua5.4"), Need::Program("dd")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir image; mount -t tmpfs -o dev lab image; mknod image/sdb b 240 77; mkfifo image/pipe
            explained dd dd if=image/sdb of=/dev/null
            explained lua lua5.4 -e 'assert(io.open("image/sdb"))'
            explained twin dd if=image/sdc of=/dev/null
            explained twin.pipe dd if=/dev/zero of=image/pipe oflag=nonblock"#,
        );
        scene.each(&["dd", "lua"]).assert_only("device-missing", lab.path("image/sdb"), Verified);
        scene.each(&["twin", "twin.pipe"]).assert_does_not_name("device-missing");
    });
}

#[test]
fn a_port_of_the_settings_is_tried_and_a_line_of_a_source_file_is_none() {
    let needs = [Need::Root, Need::Program("python3"), Need::Program("tclsh")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"cat >frobd <<'PYTHON'
import re, socket, sys
port = int(re.search(r"(?m)^Port (\d+)", open(sys.argv[1]).read()).group(1))
try:
    socket.socket().bind(("", port))
except OSError as error:
    sys.exit({"vague": "frobd: Could not create listening sockets.",
              "coded": f"frobd: net.c:104 in make_socket: bind(): {error.strerror}"}[sys.argv[2]])
sys.exit("frobd: net.c:104 in main: no such zone")
PYTHON
            printf '# the web\nPort 81\n' >low.conf; printf 'Port 0\n' >any.conf
            echo 'socket -server x -myaddr 127.0.0.1 81' >low.tcl
            chmod 644 *.conf low.tcl frobd
            explained_as nobody vague python3 frobd low.conf vague
            explained_as nobody coded python3 frobd low.conf coded
            explained_as nobody tcl tclsh low.tcl
            explained_as nobody twin python3 frobd any.conf vague"#,
        );
        scene.each(&["vague", "coded", "tcl"]).assert_only("privileged-port", "81", Likely);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn what_a_command_was_making_is_not_what_it_could_not_read() {
    let needs = [Need::Root, Need::Program("python3")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"head -c 3000 /bin/sh >old; echo patch >patch; : >none
            cat >join <<'PYTHON'
import sys
open(sys.argv[3], "w")
sys.exit(sys.argv[4] if len(sys.argv) > 4 else "join: unexpected end of input")
PYTHON
            explained made python3 join ./old ./patch ./new
            explained other python3 join ./patch ./old ./new 'join: ./old: not in patch format, bad magic number'
            explained read python3 join ./patch ./none ./new"#,
        );
        scene.each(&["made", "other"]).assert_silent();
        scene.run("read").assert_only("empty-or-truncated-file", lab.path("none"), Likely);
    });
}

#[test]
fn the_file_of_an_address_of_socat_is_where_it_wrote() {
    let needs = [Need::Root, Need::Program("socat"), Need::Filesystem("btrfs")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"loop_mount btrfs 256M "$LAB/pool"; btrfs quota enable pool
            btrfs -q subvolume create pool/small; btrfs qgroup limit 4M pool/small
            head -c 9M /dev/zero >big; sync
            explained socat socat -u OPEN:big CREATE:pool/small/copy"#,
        );
        scene.run("socat").assert_first("quota-exceeded", lab.path("pool/small"), Likely);
    });
}

#[test]
fn a_request_of_the_network_is_not_about_the_file_that_it_was_read_from() {
    let needs = [Need::Root, Need::Program("ip"), Need::Program("python3")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            "echo 'link add lo type dummy' >batch
            explained batch ip -batch batch
            explained socket python3 -c 'import socket; socket.socket(type=socket.SOCK_DGRAM).listen()'",
        );
        scene.each(&["batch", "socket"]).assert_silent();
    });
}
