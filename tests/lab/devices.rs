//! Devices that are not there, clocks that are behind, programs that are in use.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const DEVICES: &[Need] =
    &[Need::Root, Need::Program("bindfs"), Need::Program("python3"), Need::Program("script"), Need::Program("ip")];
const CLOCKS: &[Need] = &[
    Need::Root,
    Need::Program("make"),
    Need::Program("openssl"),
    Need::Program("curl"),
    Need::Program("perl"),
    Need::Program("python3"),
    Need::Program("ip"),
];
const PROGRAMS: &[Need] =
    &[Need::Root, Need::Program("python3"), Need::Program("node"), Need::Program("xargs"), Need::Program("curl")];

/// A `/dev` of a container: few devices, and no more.
pub const SMALL_DEV: &str = r"mkdir small; mount -t tmpfs dev small
    for name in null zero random urandom tty; do : >small/$name; mount --bind /dev/$name small/$name; done
    mkdir small/shm; mount --move small /dev
";

#[test]
fn a_device_that_a_container_was_not_given_is_named() {
    scenario(DEVICES, |lab| {
        let scene = lab.play(&format!(
            r#"{SMALL_DEV} mkdir mnt
            explained shell sh -c ': </dev/kvm'
            explained fuse bindfs /usr mnt
            explained loop losetup -f
            explained tun ip tuntap add dev t0 mode tun
            explained script script -qec true /dev/null
            explained python python3 -c 'import pty; pty.openpty()'
            explained twin sh -c ': </dev/null; cat nowhere'
            explained twin.python python3 -c 'raise OSError("out of ideas")'
            mknod /dev/strange b 240 7; explained unbacked dd if=/dev/strange of=/dev/null count=1
            umount /dev/null; rm /dev/null; echo text >/dev/null
            explained regular python3 -c 'import fcntl, termios; raise OSError(25, "Inappropriate ioctl for device", "/dev/null")'"#
        ));
        for (run, device) in [
            ("shell", "/dev/kvm"),
            ("fuse", "/dev/fuse"),
            ("loop", "/dev/loop-control"),
            ("tun", "/dev/net/tun"),
            ("script", "/dev/ptmx"),
            ("python", "/dev/ptmx"),
            ("unbacked", "/dev/strange"),
            ("regular", "/dev/null"),
        ] {
            scene.run(run).assert_first("device-missing", device, Confidence::Verified);
        }
        for run in ["twin", "twin.python"] {
            scene.run(run).assert_does_not_name("device-missing");
        }
    });
}

/// `certify FROM`: a self-signed certificate that is not valid yet, served at `$SERVER`.
const EARLY: &str = r#"inside=$(enter --net); $inside ip link set lo up
    openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost 2>/dev/null
    mkdir -p ca; : >ca/index; echo 01 >ca/serial
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=ca/index\nserial=ca/serial\nnew_certs_dir=ca\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' >ca/conf
    openssl ca -batch -config ca/conf -selfsign -keyfile key.pem -in request.pem -out cert.pem -startdate 20990101000000Z -enddate 20990201000000Z 2>ca/log
    $inside python3 -c 'import http.server, ssl
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8443), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain("cert.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True); open("serves", "w"); server.serve_forever()' 2>tls.log &
    until [ -e serves ]; do sleep 0.02; done
    fetch='import ssl, urllib.request
urllib.request.urlopen("https://localhost:8443/", context=ssl.create_default_context(cafile="cert.pem"))'
"#;

#[test]
fn a_clock_behind_the_machine_s_own_files_is_named() {
    scenario(CLOCKS, |lab| {
        let scene = lab.play(&format!(
            r#"{EARLY}
            explained_in twin.curl "$inside" curl -sS --cacert cert.pem https://localhost:8443/
            explained_in twin.python "$inside" python3 -c "$fetch"
            # The package manager wrote its list in a time that the clock has not reached.
            cp /var/lib/dpkg/status status; touch -d '+30 days' status; mount --bind status /var/lib/dpkg/status
            explained_in curl "$inside" curl -sS --cacert cert.pem https://localhost:8443/
            explained_in python "$inside" python3 -c "$fetch"
            explained_in other "$inside" curl -sS file:///nowhere"#
        ));
        for run in ["curl", "python"] {
            let found = scene.run(run);
            let found = found.assert_names("clock-wrong");
            assert!(found.confidence == Confidence::Verified && found.summary.contains("/var/lib/dpkg/status"));
        }
        for run in ["twin.curl", "twin.python", "other"] {
            scene.run(run).assert_does_not_name("clock-wrong");
        }
    });
}

#[test]
fn a_file_of_the_future_that_stops_a_build_is_named_and_a_warning_of_one_is_not() {
    scenario(CLOCKS, |lab| {
        let scene = lab.play(
            r#"mkdir work; cd work
            # What every script of autoconf and automake does first (AM_SANITY_CHECK).
            cat >configure <<-'END'
			echo timestamp >conftest.file
			if test "$(ls -t configure conftest.file | head -1)" != conftest.file; then
			    echo "configure: error: newly created file is older than distributed files! Check your system clock" >&2; exit 1
			fi
			END
            touch -d '+2 hours' configure Makefile
            explained configure sh configure
            printf 'all: a.o\na.o: a.c\n\tgcc -c a.c\n' >Makefile; echo 'int x=;' >a.c; touch -d '+2 hours' a.c
            explained make make
            tar cf t.tar a.c; explained tar sh -c 'mkdir out; tar xf t.tar -C out; exit 1'"#,
        );
        let configure = scene.run("configure");
        assert!(configure.assert_names("clock-wrong").summary.contains("work/configure"), "{configure}");
        for run in ["make", "tar"] {
            scene.run(run).assert_does_not_name("clock-wrong");
        }
    });
}

#[test]
fn a_program_in_use_names_who_keeps_it_from_being_written_or_executed() {
    scenario(PROGRAMS, |lab| {
        let scene = lab.play(
            r#"cp /bin/sleep server; ./server 600 & holder=$!
            until [ "$(cat /proc/$holder/comm)" = server ]; do sleep 0.02; done
            explained cp cp /bin/true server
            explained shell sh -c 'cat /bin/true >server'
            explained curl curl -s -o server file:///etc/passwd
            explained curl_elsewhere curl -s -o other file:///nowhere/file
            explained twin cp /nowhere server
            kill $holder; wait $holder || true
            explained free cp /nowhere server
            cp /bin/true tool; python3 -c 'import time; f = open("tool", "r+b"); open("opened", "w"); time.sleep(600)' & writer=$!
            until [ -e opened ]; do sleep 0.02; done
            explained run ./tool
            explained xargs sh -c 'echo | xargs ./tool'
            explained python python3 -c 'import subprocess; subprocess.run(["./tool"])'
            explained node node -e 'require("child_process").execFileSync("./tool")'
            kill $writer; wait $writer || true
            explained after ./tool --version; rm tool; explained gone ./tool"#,
        );
        for run in ["cp", "shell", "curl"] {
            let run = scene.run(run);
            let found = run.assert_only("text-file-busy", lab.path("server"), Confidence::Verified);
            assert!(found.summary.contains("server 600"), "{run}");
        }
        for run in ["run", "xargs", "python", "node"] {
            scene.run(run).assert_only("text-file-busy", lab.path("tool"), Confidence::Verified);
        }
        for run in ["twin", "free", "gone", "curl_elsewhere"] {
            scene.run(run).assert_does_not_name("text-file-busy");
        }
        assert_eq!(scene.run("after").status, 0);
    });
}

#[test]
fn a_configure_script_of_the_future_is_named_and_one_of_the_past_is_not() {
    scenario(&[Need::Root, Need::Program("autoconf"), Need::Program("automake"), Need::Program("gcc")], |lab| {
        let scene = lab.play(
            r"mkdir work; cd work; echo 'int main(void) { return 0; }' >a.c
            printf 'AC_INIT([a],[1])\nAM_INIT_AUTOMAKE([foreign])\nAC_PROG_CC\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n' >configure.ac
            printf 'bin_PROGRAMS = a\na_SOURCES = a.c\n' >Makefile.am
            { aclocal; automake --add-missing --copy; autoconf; } >/dev/null 2>&1
            touch -d '+2 days' configure
            explained itself ./configure
            explained shell sh configure
            explained vague sh -c './configure >/dev/null 2>&1 || exit 77'
            touch -d '-1 hour' configure
            explained twin env CC=/nowhere/cc ./configure
            touch -d '+2 days' a.c
            explained twin.make sh -c './configure >/dev/null && make CC=false'",
        );
        for run in ["itself", "shell"] {
            let run = scene.run(run);
            assert!(run.assert_names("clock-wrong").summary.contains("work/configure"), "{run}");
        }
        for run in ["vague", "twin", "twin.make"] {
            scene.run(run).assert_does_not_name("clock-wrong");
        }
    });
}
