//! What permissions refuse, behind tools that say it in their own words: interpreters, archivers, servers, network tools.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

#[test]
fn a_file_that_may_not_be_read_is_named_behind_the_words_of_interpreters_and_libraries() {
    let needs = [
        Need::Root,
        Need::Program("jq"),
        Need::Program("lua"),
        Need::Program("tclsh"),
        Need::Program("openssl"),
        Need::Program("socat"),
        Need::Program("gdb"),
    ];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"echo x >secret; chmod 600 secret; echo 'puts 1' >own.tcl
            explained_as 4001 jq jq . secret
            explained_as 4001 lua lua -e 'assert(io.open("secret"))'
            explained_as 4001 tcl tclsh secret
            explained_as 4001 openssl openssl x509 -in secret
            explained_as 4001 socat socat - FILE:secret
            explained_as 4001 gdb gdb -batch secret
            explained_as 4001 twin.lua lua -e 'assert(io.open("none"))'
            explained_as 4001 twin.openssl openssl x509 -in own.tcl
            explained_as 4001 twin.gdb gdb -batch none"#,
        );
        scene.each(&["jq", "lua", "tcl", "openssl", "socat"]).assert_only(
            "permission-denied",
            lab.path("secret"),
            Verified,
        );
        scene.run("gdb").assert_first("permission-denied", lab.path("secret"), Likely);
        scene.each(&["twin.lua", "twin.openssl", "twin.gdb"]).assert_silent();
    });
}

#[test]
fn a_command_that_only_a_closed_directory_of_path_could_have_is_no_matter_of_the_working_directory() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r#"mkdir -m 700 closed; PATH="$LAB/closed:$PATH"; export PATH; chmod 755 .
            explained_as 4001 env env no-such-command
            explained_as 4001 timeout timeout 5 no-such-command
            explained_as 4001 twin timeout 5 cat none"#,
        );
        scene.each(&["env", "timeout"]).assert_only("command-not-found", "no-such-command", Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_sticky_directory_is_found_behind_interpreters_links_and_words_of_their_own() {
    scenario(&[Need::Root, Need::Program("lua"), Need::Program("tclsh"), Need::Program("find")], |lab| {
        let scene = lab.play(
            r#"mkdir -m 1777 shared; echo x >shared/x; chmod 666 shared/x; echo x >shared/own; chown 4001 shared/own
            echo 'file delete shared/x' >delete.tcl; echo 'file delete shared/own; error done' >own.tcl
            explained_as 4001 lua lua -e 'assert(os.remove("shared/x"))'
            explained_as 4001 tcl tclsh delete.tcl
            explained_as 4001 ln ln -sf /etc/hostname shared/x
            explained_as 4001 find find shared -name x -delete
            explained_as 4001 twin tclsh own.tcl
            explained_as 4001 twin.read lua -e 'assert(io.open("shared/x")); error("done")'"#,
        );
        scene.each(&["lua", "tcl", "ln", "find"]).assert_only("sticky-directory", lab.path("shared"), Verified);
        scene.each(&["twin", "twin.read"]).assert_silent();
    });
}

#[test]
fn a_file_of_another_user_gets_no_link_and_is_not_written_to_and_nobody_says_it_should_be_executable() {
    scenario(&[Need::Root, Need::Program("wget"), Need::Program("python3"), Need::Program("tee")], |lab| {
        let scene = lab.play(
            r#"mkdir -m 1777 shared; echo x >shared/x; chown 4002 shared/x; chmod 644 shared/x; echo x >mine; chmod 644 mine
            echo x >shared/open; chown 4002 shared/open; chmod 666 shared/open
            set_for_all fs/protected_regular 2 fs/protected_hardlinks 1
            explained_as 4001 link python3 -c 'import os; os.link("shared/x", "shared/y")'
            explained wget wget -q -O shared/open http://127.0.0.1:1/
            explained tee sh -c 'echo x | tee shared/open'
            explained_as 4001 twin python3 -c 'import os; os.rename("shared/x", "shared/y")'"#,
        );
        scene.run("link").assert_only("protected-file", lab.path("shared/x"), Verified);
        for run in ["wget", "tee"] {
            let run = scene.run(run);
            run.assert_first("protected-file", lab.path("shared/open"), Verified);
            run.assert_does_not_name("not-executable");
        }
        scene.run("twin").assert_only("sticky-directory", lab.path("shared"), Verified);
    });
}

#[test]
fn a_capability_is_named_for_limits_attributes_groups_and_the_namespaces_of_others() {
    scenario(&[Need::Root, Need::Program("chattr"), Need::Program("capsh"), Need::Program("nsenter")], |lab| {
        let scene = lab.play(
            r"echo x >own; chown 4001 own
            explained_as 4001 chattr chattr +i own
            explained_as 4001 capsh capsh --user=root
            explained_as 4001 nsenter nsenter -t 1 -m true
            explained_as 4001 bash bash -c 'ulimit -n 10; ulimit -n 99999999'
            explained_as 4001 python python3 -c 'import os; os.nice(-5)'
            explained_as 4001 runuser runuser -u root true
            explained_as 4001 sysctl sysctl -w kernel.panic=1
            explained_as 4001 twin chattr +d own none
            explained_as 4001 twin.nice python3 -c 'import os; os.nice(5); raise SystemExit(3)'
            explained_as 4001 twin.limit bash -c 'ulimit -n 10; exit 3'
            explained twin.root nsenter -t 99999999 -m true",
        );
        for (run, capability, confidence) in [
            ("chattr", "CAP_LINUX_IMMUTABLE", Verified),
            ("capsh", "CAP_SETGID", Verified),
            ("nsenter", "CAP_SYS_PTRACE", Verified),
            ("bash", "CAP_SYS_RESOURCE", Verified),
            ("python", "CAP_SYS_NICE", Likely),
            ("runuser", "root", Verified),
            ("sysctl", "root", Verified),
        ] {
            scene.run(run).assert_first("missing-capability", capability, confidence);
        }
        scene.each(&["twin", "twin.nice", "twin.limit", "twin.root"]).assert_does_not_name("missing-capability");
    });
}

#[test]
fn a_low_port_is_read_from_an_address_in_braces_or_in_a_program_text() {
    scenario(&[Need::Root, Need::Program("socat"), Need::Program("perl")], |lab| {
        let scene = lab.play(
            r#"listen='use IO::Socket::INET; IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1:83") or die "cannot listen: $!\n"'
            explained_as 4001 socat timeout 20 socat TCP-LISTEN:81,bind=127.0.0.1 -
            explained_as 4001 perl timeout 20 perl -e "$listen"
            explained_as 4001 twin timeout 20 socat - TCP:127.0.0.1:81"#,
        );
        scene.run("socat").assert_only("privileged-port", "81", Verified);
        scene.run("perl").assert_only("privileged-port", "83", Likely);
        scene.run("twin").assert_does_not_name("privileged-port");
    });
}
