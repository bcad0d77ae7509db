//! What permissions refuse where the message does not say so: no errno, no path, or the words of something else.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

#[test]
fn a_file_that_could_not_be_opened_for_an_untold_reason_is_walked_to() {
    let needs = [Need::Root, Need::Program("sqlite3"), Need::Program("curl"), Need::Program("perl")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"echo x >secret; chmod 600 secret; mkdir closed; touch closed/x; chmod 700 closed; echo x >open; sqlite3 open.db 'create table t(a)'
            explained_as 4001 sqlite sqlite3 secret .tables
            explained_as 4001 new sqlite3 closed/new.db 'create table t(a)'
            explained_as 4001 curl curl -sS "file://$LAB/secret"
            explained_as 4001 perl perl -e 'open F, "<", "./secret" or die "cannot open ./secret"'
            explained_as 4001 readelf readelf -h secret
            explained_as 4001 unnamed perl -e 'open F, "<", shift or die "cannot open: $!\n"' secret
            explained_as 4001 twin perl -e 'open F, "<", "./open" or die; die "cannot open ./open\n"'
            explained_as 4001 table sqlite3 open.db 'select * from nothing'"#,
        );
        scene.each(&["sqlite", "curl", "perl", "readelf", "unnamed"]).assert_only(
            "permission-denied",
            lab.path("secret"),
            Likely,
        );
        scene.run("new").assert_only("permission-denied", lab.path("closed"), Likely);
        scene.each(&["twin", "table"]).assert_silent();
    });
}

#[test]
fn a_shell_that_may_not_enter_or_read_is_not_taken_for_one_that_writes_or_executes() {
    scenario(&[Need::Root, Need::Program("bash")], |lab| {
        let scene = lab.play(
            "mkdir -m 700 closed; echo x >secret; chmod 600 secret
            explained_as 4001 bash bash -c 'cd closed'
            explained_as 4001 dash sh -c 'cd closed'
            explained_as 4001 source bash -c '. ./secret'
            explained twin bash -c 'cd closed; false'",
        );
        scene.run("bash").assert_only("permission-denied", lab.path("closed"), Verified);
        scene.run("dash").assert_only("permission-denied", lab.path("closed"), Likely);
        scene.run("source").assert_first("permission-denied", lab.path("secret"), Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_directory_that_a_tool_could_not_make_is_not_called_missing() {
    scenario(&[Need::Root, Need::Program("opam"), Need::Program("python3")], |lab| {
        let scene = lab.play(
            "mkdir shut
            explained_as 4001 opam opam init --bare --no-setup --disable-sandboxing --root shut/opam http://127.0.0.1:1/
            explained_as 4001 python python3 shut/../secret.py
            echo x >secret.py; chmod 600 secret.py
            explained_as 4001 script python3 secret.py",
        );
        scene.run("opam").assert_only("permission-denied", lab.path("shut"), Likely);
        scene.run("script").assert_first("permission-denied", lab.path("secret.py"), Verified);
        scene.run("python").assert_silent();
    });
}

#[test]
fn a_message_next_to_a_warning_is_read_for_itself() {
    scenario(&[Need::Root, Need::Program("gpg")], |lab| {
        let scene = lab.play(
            "mkdir -m 700 closed; mkdir -m 700 own; chown 4001 own
            explained_as 4001 gpg gpg --batch --homedir closed -k
            explained_as 4001 twin gpg --batch --homedir own -k nobody@example.org",
        );
        scene.run("gpg").assert_first("permission-denied", lab.path("closed"), Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn an_attribute_that_holds_for_root_is_found_behind_a_database_a_temporary_file_and_a_download() {
    let needs = [
        Need::Root,
        Need::Filesystem("ext4"),
        Need::Program("chattr"),
        Need::Program("sqlite3"),
        Need::Program("curl"),
    ];
    scenario(&needs, |lab| {
        let scene = lab.play(
            "loop_mount ext4 16M $LAB/d; cd d; echo x >file; echo x >page; mkdir dir; sqlite3 db 'create table t(a)'; chattr +i file page db dir
            explained sqlite sqlite3 db 'insert into t values(1)'
            explained sed sed -i s/x/y/ file
            explained curl curl -sSo page file:///etc/hostname
            explained git git init -q dir/repository
            explained twin sqlite3 db 'insert into nothing values(1)'
            explained read grep y file
            chattr -i file page db dir",
        );
        for (run, name) in [("sqlite", "db"), ("curl", "page")] {
            scene.run(run).assert_only("immutable-file", lab.path("d").join(name), Likely);
        }
        for (run, name) in [("sed", "file"), ("git", "dir")] {
            scene.run(run).assert_only("immutable-file", lab.path("d").join(name), Verified);
        }
        scene.each(&["twin", "read"]).assert_silent();
    });
}

#[test]
fn a_sticky_directory_is_found_behind_what_names_a_temporary_file_or_no_reason() {
    scenario(&[Need::Root, Need::Program("perl"), Need::Program("tar")], |lab| {
        let scene = lab.play(
            r#"mkdir -m 1777 shared; echo x >shared/x; chmod 666 shared/x; echo x >shared/own; chown 4001 shared/own
            explained_as 4001 sed sed -i s/x/y/ shared/x
            explained_as 4001 perl perl -e 'unlink "shared/x" or die "cannot remove shared/x\n"'
            explained_as 4001 tar sh -c 'cd shared; tar -cf /dev/null --remove-files x'
            explained_as 4001 twin sh -c 'sed -i s/x/y/ shared/own; exit 3'
            explained_as 4001 other sed -i s/x/y/ shared/none"#,
        );
        scene.run("sed").assert_only("sticky-directory", lab.path("shared"), Verified);
        scene.run("perl").assert_only("sticky-directory", lab.path("shared"), Likely);
        scene.each(&["twin", "other"]).assert_silent();
    });
}

#[test]
fn a_group_that_would_grant_it_is_told_where_no_path_or_no_reason_is() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Program("perl")], |lab| {
        let scene = lab.play(
            r#"cp /etc/group group; echo 'engine:x:4100:' >>group; mount --bind group /etc/group
            python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind("engine.sock"); s.listen(); time.sleep(60)' &
            until [ -S engine.sock ]; do sleep 0.02; done
            chgrp 4100 engine.sock; chmod 660 engine.sock; echo x >log; chgrp 4100 log; chmod 640 log; echo x >public
            explained_as 4001 python python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("engine.sock")'
            explained_as 4001 perl perl -e 'open F, "./log" or die "cannot open ./log\n"'
            explained_as 4001 cat cat log
            explained_as 4001 twin perl -e 'open F, "./public" or die; die "cannot open ./public\n"'
            kill $!"#,
        );
        scene.run("python").assert_only("not-in-group", lab.path("engine.sock"), Likely);
        scene.run("perl").assert_only("not-in-group", lab.path("log"), Likely);
        scene.run("cat").assert_only("not-in-group", lab.path("log"), Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn git_that_fails_unheard_in_the_repository_of_another_user_is_explained() {
    scenario(&[Need::Root, Need::Program("git"), Need::Program("python3"), Need::Program("node")], |lab| {
        let scene = lab.play(
            r#"export GIT_CONFIG_NOSYSTEM=1; mkdir own foreign; git -C own init -q; git -C foreign init -q; chown -R 4002:4002 foreign; cd foreign
            explained python python3 -c 'import subprocess; subprocess.run(["git", "status"], stderr=subprocess.DEVNULL, check=True)'
            explained node node -e 'require("child_process").execSync("git describe 2>/dev/null")'
            explained make sh -c 'printf "all:\n\t@git describe\n" >M; make -f M'
            cd ../own
            explained twin python3 -c 'import subprocess; subprocess.run(["git", "describe"], stderr=subprocess.DEVNULL, check=True)'"#,
        );
        scene.each(&["python", "node", "make"]).assert_first("dubious-ownership", lab.path("foreign"), Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_protected_file_is_found_behind_a_download_that_tells_nothing() {
    scenario(&[Need::Root, Need::Program("curl")], |lab| {
        let scene = lab.play(
            r"mkdir -m 1777 shared; echo x >shared/x; chown 4001 shared/x; chmod 666 shared/x
            set_for_all fs/protected_regular 2
            explained curl curl -sSo shared/x file:///etc/hostname
            explained dd dd if=/dev/null of=shared/x
            explained twin grep nothing shared/x",
        );
        scene.run("curl").assert_only("protected-file", lab.path("shared/x"), Likely);
        scene.run("dd").assert_only("protected-file", lab.path("shared/x"), Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn an_id_without_a_mapping_is_found_where_a_tool_says_invalid_argument() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"mkdir -m 777 out; echo x >file; cp "$EXPLAIN" explain
            mapped() { name=$1; shift; bare $name setpriv --reuid 4001 --regid 4001 --clear-groups unshare --user --map-root-user \
                "$LAB/explain" --report "$LAB/runs/$name.json" -- "$@"; }
            mapped chown chown 5002 out
            mapped python python3 -c 'import os; os.chown("out", 5002, 0)'
            mapped install install -o 5002 file out/h
            mapped setpriv setpriv --reuid 5002 true
            mapped twin dd if=file of=out/x bs=0"#,
        );
        scene.each(&["chown", "python", "install", "setpriv"]).assert_only("unmapped-id", "5002", Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_capability_is_told_where_the_words_are_those_of_a_file() {
    scenario(&[Need::Root, Need::Program("ip")], |lab| {
        let scene = lab.play(
            "explained_as 4001 nice sh -c 'nice -n -5 true; exit 1'
            explained_as 4001 ip ip link set lo down
            explained_as 4001 chroot chroot / true
            explained_as 4001 twin sh -c 'nice -n 5 true; exit 1'",
        );
        scene.run("nice").assert_only("missing-capability", "CAP_SYS_NICE", Verified);
        scene.run("ip").assert_only("missing-capability", "CAP_NET_ADMIN", Verified);
        scene.run("chroot").assert_only("missing-capability", "CAP_SYS_CHROOT", Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn an_owner_that_sudo_refuses_is_not_told_as_a_mode() {
    scenario(&[Need::Root, Need::Program("sudo"), Need::Program("ssh-keygen")], |lab| {
        let scene = lab.play(
            "echo 'x ALL=(ALL) ALL' >sudoers; chmod 440 sudoers; chown 4001 sudoers; mount --bind sudoers /etc/sudoers
            explained sudo sudo -n true
            umount /etc/sudoers; ssh-keygen -q -t ed25519 -N '' -f key; chmod 644 key
            explained key ssh-keygen -y -f key
            chmod 600 key; echo broken >key
            explained twin ssh-keygen -y -f key",
        );
        let sudo = scene.run("sudo");
        let found = sudo.assert_first("insecure-permissions", "/etc/sudoers", Verified);
        assert!(found.summary.contains("belongs to"), "{sudo}");
        scene.run("key").assert_first("insecure-permissions", lab.path("key"), Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_low_port_is_told_where_only_the_command_line_has_it() {
    let needs = [Need::Root, Need::Program("nc"), Need::Program("python3"), Need::Program("node")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"bind='import socket, sys; socket.socket().bind(("127.0.0.1", int(sys.argv[1])))'
            explained_as 4001 nc timeout 20 nc -l -p 80
            explained_as 4001 python timeout 20 python3 -c "$bind" 80
            explained_as 4001 node timeout 20 node -e 'require("http").createServer().listen(80, "127.0.0.1")'
            explained_as 4001 twin timeout 20 nc 127.0.0.1 -z 80
            explained_as 4001 twin.file timeout 20 python3 -c 'open("/etc/shadow")' 80
            explained root timeout 20 python3 -c 'import socket; socket.socket().bind(("203.0.113.1", 80))'"#,
        );
        for (run, confidence) in [("nc", Likely), ("python", Likely), ("node", Verified)] {
            scene.run(run).assert_only("privileged-port", "80", confidence);
        }
        scene.each(&["twin", "twin.file", "root"]).assert_does_not_name("privileged-port");
    });
}

#[test]
fn a_capability_is_told_where_only_the_command_line_has_the_call() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"explained_as 4001 setuid python3 -c 'import os; os.setuid(0)'
            explained_as 4001 chroot python3 -c 'import os; os.chroot("/")'
            explained_as 4001 raw python3 -c 'import socket as s; s.socket(s.AF_INET, s.SOCK_RAW, 1)'
            explained_as 4001 twin python3 -c 'import os; os.kill(1, 15)'
            explained_as 4001 twin.file python3 -c 'import os; os.setuid(4001); open("nowhere")'"#,
        );
        for (run, capability) in [("setuid", "CAP_SETUID"), ("chroot", "CAP_SYS_CHROOT"), ("raw", "CAP_NET_RAW")] {
            scene.run(run).assert_only("missing-capability", capability, Likely);
        }
        scene.each(&["twin", "twin.file"]).assert_silent();
    });
}

#[test]
fn a_secret_that_is_open_to_others_is_found_where_the_message_has_no_mode() {
    scenario(&[Need::Root, Need::Program("ssh-keygen"), Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"ssh-keygen -q -t ed25519 -N '' -f key; chmod 644 key
            printf 'machine x login y password z\n' >home/.netrc; chmod 644 home/.netrc
            read='import netrc; netrc.netrc().authenticators("x")'
            explained key sh -c 'ssh-keygen -y -f key 2>&1 >/dev/null | tail -n 1 >&2; exit 255'
            explained netrc python3 -c "$read"
            chmod 600 key home/.netrc
            explained twin sh -c 'ssh-keygen -y -f key; echo "Load key \"key\": bad permissions" >&2; exit 255'
            echo broken >>home/.netrc; explained twin.netrc python3 -c "$read""#,
        );
        scene.run("key").assert_only("insecure-permissions", lab.path("key"), Verified);
        scene.run("netrc").assert_only("insecure-permissions", lab.path("home/.netrc"), Verified);
        scene.each(&["twin", "twin.netrc"]).assert_silent();
    });
}

#[test]
fn a_tree_that_root_left_in_a_home_directory_is_found_behind_vague_words() {
    scenario(&[Need::Root, Need::Program("sqlite3"), Need::Program("curl"), Need::Program("perl")], |lab| {
        let scene = lab.play(
            r#"mkdir -p h/.cache/left h/.cache/own; chown 4001 h h/.cache h/.cache/own; HOME=$LAB/h; export HOME
            explained_as 4001 clear touch h/.cache/left/x
            explained_as 4001 sqlite sqlite3 h/.cache/left/x.db 'create table t(a)'
            explained_as 4001 curl curl -sSo h/.cache/left/x file:///etc/hostname
            explained_as 4001 perl perl -e 'open F, ">", "h/.cache/left/x" or die "cannot write h/.cache/left/x\n"'
            explained_as 4001 twin sqlite3 h/.cache/own/x.db 'select * from nothing'
            explained_as 4001 twin.curl curl -sSo h/.cache/own/x file:///nowhere
            explained_as 4001 twin.perl perl -e 'open F, ">", "h/.cache/own/x" or die; die "cannot write h/.cache/own/x\n"'"#,
        );
        scene.run("clear").assert_only("foreign-owner", lab.path("h/.cache/left"), Verified);
        scene.each(&["sqlite", "curl", "perl"]).assert_only("foreign-owner", lab.path("h/.cache/left"), Likely);
        scene.each(&["twin", "twin.curl", "twin.perl"]).assert_silent();
    });
}
