//! What permissions and owners refuse, behind tools that say it in words of their own, each beside the same tool failing for another
//! reason while the same state is at hand.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

fn needs(programs: &[&'static str]) -> Vec<Need> {
    std::iter::once(Need::Root).chain(programs.iter().copied().map(Need::Program)).collect()
}

#[test]
fn a_group_s_socket_is_found_behind_curl_and_readers_beside_are_not_refused() {
    scenario(&needs(&["python3", "curl", "ruby", "socat", "openssl", "tclsh"]), |lab| {
        let scene = lab.play(
            r#"cp /etc/group group; echo 'engine:x:4100:' >>group; mount --bind group /etc/group
            python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind("engine.sock"); s.listen(); open("ready", "w"); time.sleep(600)' &
            until [ -e ready ]; do sleep 0.02; done
            chgrp 4100 engine.sock; chmod 660 engine.sock; echo x >log; chgrp 4100 log; chmod 640 log; echo x >plain
            explained_as 4001 curl curl -sS --unix-socket engine.sock http://engine/
            explained_as 4001 quiet curl -s --unix-socket engine.sock http://engine/
            explained_as 4001 ruby ruby -rsocket -e 'UNIXSocket.new("engine.sock")'
            explained_as 4001 socat socat - UNIX-CONNECT:engine.sock
            explained_as 4001 openssl openssl x509 -in log
            explained_as 4001 tcl tclsh log
            explained_as 4001 twin.curl curl -sS http://127.0.0.1:1/engine.sock
            explained_as 4001 twin.openssl openssl x509 -in plain
            explained_as 4001 twin.tcl tclsh plain
            explained_as 4001 twin.ruby ruby -rsocket -e 'File.stat("engine.sock"); abort "no engine.conf was given"'"#,
        );
        scene.each(&["curl", "quiet"]).assert_only("not-in-group", lab.path("engine.sock"), Likely);
        scene.each(&["ruby", "socat"]).assert_only("not-in-group", lab.path("engine.sock"), Verified);
        scene.each(&["openssl", "tcl"]).assert_about("not-in-group", lab.path("log"));
        scene.each(&["twin.curl", "twin.openssl", "twin.tcl", "twin.ruby"]).assert_silent();
    });
}

#[test]
fn a_protected_file_is_found_where_a_tool_only_says_that_it_could_not_write() {
    scenario(&needs(&["sqlite3", "perl", "node", "php"]), |lab| {
        let scene = lab.play(
            r#"mkdir -m 1777 shared; for name in x db; do sqlite3 shared/$name 'create table t(a)'; chown 4001 shared/$name; chmod 666 shared/$name; done
            sqlite3 own.db 'create table t(a)'; echo x >own
            set_for_all fs/protected_regular 2
            explained sqlite sqlite3 shared/db 'insert into t values(1)'
            explained perl perl -e 'open F, ">", "shared/x" or die "cannot write shared/x\n"'
            explained node node -e 'try { require("fs").writeFileSync("shared/x", "") } catch { console.error("Could not save shared/x"); process.exit(1) }'
            explained php php -r 'if (@file_put_contents("shared/x", "a") === false) { fwrite(STDERR, "Unable to write to shared/x\n"); exit(1); }'
            explained twin.sqlite sqlite3 shared/db 'select * from nothing'
            explained twin.own sqlite3 own.db 'insert into nothing values(1)'
            explained twin.perl perl -e 'open F, ">", "own" or die; die "cannot write own\n"' shared/x
            explained twin.node node -e 'try { require("fs").writeFileSync("none/x", "") } catch { console.error("Could not save none/x"); process.exit(1) }'"#,
        );
        scene.run("sqlite").assert_only("protected-file", lab.path("shared/db"), Likely);
        scene.each(&["perl", "node", "php"]).assert_only("protected-file", lab.path("shared/x"), Likely);
        scene.each(&["twin.sqlite", "twin.own", "twin.perl", "twin.node"]).assert_does_not_name("protected-file");
    });
}

#[test]
fn failures_beside_the_files_of_another_user_in_one_s_home_have_other_reasons() {
    scenario(&needs(&["node", "ruby", "php", "cmake", "rsync", "lua"]), |lab| {
        let scene = lab.play(
            r#"mkdir -p h/project/build h/project/own; chown 4001 h h/project h/project/own; export HOME="$LAB/h"; cd h/project
            echo '{"a":' >bad.json; echo 'cmake_minimum_required(VERSION 3.10)' >CMakeLists.txt; echo 'project(a NONE)' >>CMakeLists.txt; mkdir broken; echo 'nonsense(' >broken/CMakeLists.txt
            explained_as 4001 cmake cmake -S . -B build
            explained_as 4001 php php -r 'if (!@mkdir("build/x")) { fwrite(STDERR, "Failed to create directory build/x\n"); exit(1); }'
            explained_as 4001 ruby ruby -rpstore -e 'PStore.new("build/s").transaction { |s| s[1] = 1 }'
            explained_as 4001 twin.cmake cmake -S broken -B own
            explained_as 4001 twin.node node -e 'JSON.parse(require("fs").readFileSync("bad.json"))' build
            explained_as 4001 twin.ruby ruby -rpstore -e 'PStore.new("own/s").transaction { |s| raise "no such record" }'
            explained_as 4001 twin.rsync rsync none build/
            explained_as 4001 twin.lua lua -e 'assert(io.open("own/x", "w")); error("nothing to do")'"#,
        );
        scene.run("cmake").assert_only("foreign-owner", lab.path("h/project/build"), Likely);
        scene.run("php").assert_only("foreign-owner", lab.path("h/project/build"), Likely);
        scene.run("ruby").assert_only("foreign-owner", lab.path("h/project/build"), Verified);
        scene.each(&["twin.cmake", "twin.node", "twin.ruby", "twin.rsync", "twin.lua"]).assert_silent();
    });
}

#[test]
fn a_version_that_git_does_not_tell_is_a_matter_of_the_owner_only_where_the_owner_is_another() {
    scenario(&needs(&["git", "perl", "ruby", "php", "make"]), |lab| {
        let scene = lab.play(
            r#"export GIT_CONFIG_NOSYSTEM=1; mkdir own foreign foreign/sub; git -C own init -q; git -C foreign init -q; chown -R 4002:4002 foreign
            describe='my $v = `git describe 2>/dev/null`; die "cannot determine the version\n" if $?'
            printf 'all:\n\t@git describe 2>/dev/null || { echo "unable to find the version" >&2; exit 1; }\n' >M
            cd foreign/sub
            explained perl perl -e "$describe"
            explained ruby ruby -e '`git describe 2>/dev/null`; abort "no version" unless $?.success?'
            explained php php -r 'exec("git describe 2>/dev/null", $out, $status); if ($status) { fwrite(STDERR, "could not get the git revision\n"); exit(1); }'
            explained make make -f "$LAB/M"
            explained twin.other perl -e 'die "cannot determine the version\n"'
            cd ../../own
            explained twin.perl perl -e "$describe"
            explained twin.ruby ruby -e '`git describe 2>/dev/null`; abort "no version" unless $?.success?'
            explained twin.make make -f "$LAB/M""#,
        );
        scene.each(&["perl", "ruby", "php"]).assert_only("dubious-ownership", lab.path("foreign"), Likely);
        scene.each(&["twin.other", "twin.perl", "twin.ruby", "twin.make"]).assert_silent();
    });
}

#[test]
fn what_is_too_open_is_told_from_what_is_only_beside_it() {
    scenario(&needs(&["logrotate", "tmux", "ssh-add", "ssh-keygen"]), |lab| {
        let scene = lab.play(
            r#"mkdir -m 777 logs; echo x >logs/a.log; mkdir -m 755 quiet; echo x >quiet/a.log
            printf '%s/logs/*.log {\n rotate 1\n}\n' "$LAB" >open.conf; printf '%s/quiet/*.log {\n rotate none\n}\n' "$LAB" >wrong.conf
            mkdir -p -m 755 open/tmux-0; chmod 777 open/tmux-0; ssh-keygen -q -t ed25519 -N '' -f key; chmod 644 key; cp key.pub other; chmod 600 other
            explained logrotate logrotate -f -s state open.conf
            explained_in tmux "env TMUX_TMPDIR=$LAB/open" tmux new -d
            explained agent ssh-agent -a one.sock sh -c 'ssh-add key'
            explained twin.logrotate logrotate -f -s state wrong.conf
            explained_in twin.tmux "env TMUX_TMPDIR=$LAB" tmux attach -t none
            explained twin.agent ssh-agent -a two.sock sh -c 'ssh-add other'"#,
        );
        scene.run("logrotate").assert_only("insecure-permissions", lab.path("logs"), Verified);
        scene.run("tmux").assert_only("insecure-permissions", lab.path("open/tmux-0"), Verified);
        scene.run("agent").assert_only("insecure-permissions", lab.path("key"), Verified);
        scene.each(&["twin.logrotate", "twin.tmux", "twin.agent"]).assert_does_not_name("insecure-permissions");
    });
}

#[test]
fn an_id_without_a_mapping_is_told_from_what_else_fails_in_such_a_namespace() {
    scenario(&needs(&["cpio", "rsync", "ruby", "php", "setfacl", "perl"]), |lab| {
        let scene = lab.play(
            r#"mkdir -m 777 out; mkdir in; echo x >in/f; chown 5002:5002 in/f; echo x >mine; chown 4001:4001 mine; cp "$EXPLAIN" explain
            (cd in; echo f | cpio -o -H newc >../all.cpio 2>/dev/null)
            mapped() { name=$1; shift; bare $name setpriv --reuid 4001 --regid 4001 --clear-groups unshare --user --map-root-user \
                "$LAB/explain" --report "$LAB/runs/$name.json" -- "$@"; }
            mapped cpio sh -c 'cd out; cpio -idm <../all.cpio'
            mapped rsync rsync --chown=5002:5002 mine out/r
            mapped ruby ruby -e 'File.chown(5002, nil, "mine")'
            mapped php php -r 'chown("mine", 5002) or exit(1);'
            mapped acl setfacl -m u:5002:r mine
            mapped python python3 -c 'import os; os.setresuid(5002, 5002, 5002)'
            mapped twin.cpio sh -c 'cd out; cpio -idm <../mine'
            mapped twin.rsync rsync none out/
            mapped twin.ruby ruby -e 'File.chown(0, nil, "mine"); File.open("none")'
            mapped twin.php php -r 'chown("mine", 0) or exit(1); exit(2);'
            mapped twin.perl perl -e 'chown 0, 0, "mine" or die "chown: $!\n"; sysseek(STDIN, -1, 9) or die "Invalid argument\n"'"#,
        );
        scene.each(&["cpio", "rsync", "ruby", "php", "acl", "python"]).assert_only("unmapped-id", "5002", Verified);
        scene
            .each(&["twin.cpio", "twin.rsync", "twin.ruby", "twin.php", "twin.perl"])
            .assert_does_not_name("unmapped-id");
    });
}
