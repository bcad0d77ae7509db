//! Programs in use, devices and mounts that are not there, and mounts whose server has ended, met by tools that name no path or no
//! reason; each beside a twin that fails another way while the same is wrong.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

const LANGUAGES: &[Need] = &[
    Need::Root,
    Need::Program("perl"),
    Need::Program("php"),
    Need::Program("ruby"),
    Need::Program("strace"),
    Need::Program("python3"),
    Need::Program("rsync"),
    Need::Program("strip"),
];

#[test]
fn a_program_that_is_executed_is_found_behind_words_without_its_name() {
    scenario(LANGUAGES, |lab| {
        let scene = lab.play(
            r#"cp /bin/sleep server; ./server 600 & holder=$!
            until [ "$(cat /proc/$holder/comm)" = server ]; do sleep 0.02; done; head -c 9000 /dev/urandom >new
            explained strip strip server
            explained rsync rsync --inplace --ignore-times new server
            explained ruby ruby -e 'File.write("server", "x")'
            explained perl perl -e 'open F, ">", "server" or die "cannot update: $!\n"'
            explained twin.strip strip none
            explained twin.ruby ruby -e 'File.write("none/server", "x")'
            explained twin.perl perl -e 'open F, ">", "none/x" or die "cannot update server\n"' server
            kill $holder"#,
        );
        for run in ["strip", "rsync", "ruby"] {
            scene.run(run).assert_only("text-file-busy", lab.path("server"), Verified);
        }
        scene.run("perl").assert_only("text-file-busy", lab.path("server"), Likely);
        for run in ["twin.strip", "twin.ruby", "twin.perl"] {
            scene.run(run).assert_does_not_name("text-file-busy");
        }
    });
}

#[test]
fn a_program_that_is_being_written_is_found_behind_words_without_its_name() {
    scenario(LANGUAGES, |lab| {
        let scene = lab.play(
            r#"cp /bin/true tool; sleep 600 >>tool & holder=$!
            until [ "$(cat /proc/$holder/comm)" = sleep ]; do sleep 0.02; done
            explained ruby ruby -e 'system("./tool", exception: true)'
            explained php php -r 'exec("./tool", $said, $status); exit($status);'
            explained perl perl -e 'exec "./tool" or die "could not run: $!\n"'
            explained python python3 -c 'import os; os.execv("./tool", ["tool"])'
            explained strace strace -o /dev/null ./tool
            explained unheard sh -c './tool >/dev/null 2>&1'
            explained twin.perl perl -e 'exec "./none" or die "could not run: $!\n"' ./tool
            explained twin.strace strace -o /dev/null ./none
            explained twin.php php -r 'is_file("tool"); exit(3);'
            kill $holder"#,
        );
        for run in ["ruby", "php"] {
            scene.run(run).assert_only("text-file-busy", lab.path("tool"), Verified);
        }
        for run in ["perl", "python", "strace", "unheard"] {
            scene.run(run).assert_only("text-file-busy", lab.path("tool"), Likely);
        }
        for run in ["twin.perl", "twin.strace", "twin.php"] {
            scene.run(run).assert_does_not_name("text-file-busy");
        }
    });
}

#[test]
fn a_mount_that_fstab_wants_is_found_by_the_command_line() {
    scenario(LANGUAGES, |lab| {
        let scene = lab.play(
            r#"mkdir data; echo "UUID=1234 $LAB/data ext4 defaults 0 2" >table; mount --bind table /etc/fstab
            explained ruby ruby -e 'File.read("data/set/x")'
            explained rsync rsync -a data/set/ copy/
            explained script data/set/run.sh
            explained perl perl -e 'open F, "<", "data/set/x" or die "cannot read: $!\n"'
            explained python python3 -c 'import sys
try: open("data/set/x")
except OSError as error: sys.exit("no settings: " + error.strerror)'
            explained twin.perl perl -e 'open F, "<", "none/x" or die "cannot read: $!\n"'
            explained twin.ruby ruby -e 'File.read("none/x")'
            explained twin.said perl -e 'die "cannot read it\n"' data/set/x
            mount -t tmpfs here data; explained mounted perl -e 'open F, "<", "data/set/x" or die "cannot read: $!\n"'"#,
        );
        for run in ["ruby", "rsync", "script"] {
            scene.run(run).assert_only("not-mounted", lab.path("data"), Verified);
        }
        for run in ["perl", "python"] {
            scene.run(run).assert_only("not-mounted", lab.path("data"), Likely);
        }
        for run in ["twin.perl", "twin.ruby", "twin.said", "mounted"] {
            scene.run(run).assert_does_not_name("not-mounted");
        }
    });
}

#[test]
fn a_device_is_found_where_the_message_does_not_name_it() {
    let needs =
        [Need::Root, Need::Program("tmux"), Need::Program("perl"), Need::Program("php"), Need::Program("lua5.4")];
    scenario(&needs, |lab| {
        let scene = lab.play(&format!(
            r#"{}ln -s /proc/self/fd /dev/fd
            export TMUX_TMPDIR="$LAB"
            explained tmux tmux new-session -d
            explained php php -r 'fopen("/dev/dri/card0", "r") || exit(1);'
            explained mkfs mkfs.ext4 -q /dev/sdb1
            explained perl perl -e 'open F, "<", "/dev/ppp" or die "no line: $!\n"'
            explained lua lua5.4 -e 'local _, said = io.open("/dev/rtc"); error("no clock: " .. said, 0)'
            explained twin.perl perl -e 'open F, "<", "none" or die "no line: $!\n"' /dev/null
            explained twin.php php -r 'fopen("none", "r") || exit(1);'
            explained twin.said perl -e 'die "no line\n"' /dev/ppp"#,
            crate::devices::SMALL_DEV
        ));
        for (run, device) in [("tmux", "/dev/ptmx"), ("php", "/dev/dri/card0"), ("mkfs", "/dev/sdb1")] {
            scene.run(run).assert_only("device-missing", device, Verified);
        }
        scene.run("perl").assert_only("device-missing", "/dev/ppp", Likely);
        assert_eq!(scene.run("lua").first().subject, "/dev/rtc");
        for run in ["twin.perl", "twin.php", "twin.said"] {
            scene.run(run).assert_does_not_name("device-missing");
        }
    });
}

#[test]
fn a_mount_without_its_server_is_found_behind_files_that_cannot_be_opened() {
    let needs = [
        Need::Root,
        Need::Program("bindfs"),
        Need::Program("sqlite3"),
        Need::Program("curl"),
        Need::Program("perl"),
        Need::Program("node"),
    ];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir source mnt; echo text >source/file; bindfs -f source mnt & server=$!
            until [ -e mnt/file ]; do sleep 0.02; done
            explained alive sqlite3 mnt/none/x.db 'create table t(a)'
            kill -9 $server; wait $server || true
            explained node node -e 'require("fs").readdirSync("mnt")'
            explained find find mnt -name x
            explained sqlite sqlite3 mnt/x.db 'create table t(a)'
            explained curl curl -sS "file://$LAB/mnt/file"
            explained perl perl -e 'opendir D, "mnt" or die "cannot list: $!\n"'
            explained twin.sqlite sqlite3 source/none/x.db 'create table t(a)'
            explained twin.curl curl -sS "file://$LAB/source/none"
            explained twin.perl perl -e 'opendir D, "none" or die "cannot list mnt: $!\n"'"#,
        );
        for run in ["node", "find", "sqlite", "curl"] {
            scene.run(run).assert_only("fuse-disconnected", lab.path("mnt"), Verified);
        }
        scene.run("perl").assert_only("fuse-disconnected", lab.path("mnt"), Likely);
        for run in ["alive", "twin.sqlite", "twin.curl", "twin.perl"] {
            scene.run(run).assert_does_not_name("fuse-disconnected");
        }
    });
}

#[test]
fn a_name_that_a_sticky_directory_keeps_is_found_behind_a_temporary_one() {
    scenario(&[Need::Root, Need::Program("rsync"), Need::Program("patch"), Need::Program("perl")], |lab| {
        let scene = lab.play(
            r#"mkdir shared; chmod 1777 shared; echo x >shared/f; chmod 666 shared/f; chmod 755 .
            printf -- '--- f\n+++ f\n@@ -1 +1 @@\n-x\n+y\n' >change; printf -- '--- f\n+++ f\n@@ -1 +1 @@\n-z\n+y\n' >other
            explained_as nobody perl perl -pi -e 's/x/y/' shared/f
            explained_as nobody rsync rsync --ignore-times /etc/passwd shared/f
            explained_as nobody below patch -d shared -i "$LAB/change" f
            explained_as nobody patch patch -i change shared/f
            explained_as nobody twin.patch patch -r - -i other shared/f
            explained_as nobody twin.rsync rsync /etc/none shared/f
            explained_as nobody twin.perl perl -pi -e 's/x/(/y' shared/f"#,
        );
        for run in ["perl", "rsync", "below", "patch"] {
            scene.run(run).assert_only("sticky-directory", lab.path("shared"), Verified);
        }
        for run in ["twin.patch", "twin.rsync", "twin.perl"] {
            scene.run(run).assert_does_not_name("sticky-directory");
        }
    });
}
