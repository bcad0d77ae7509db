//! What a path meets, where tools tell it in words of their own or not at all: compilers, printers' programs, archivers and clients that
//! are not asked for it elsewhere in the lab. Their twins are in `twins.rs`.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

#[test]
fn a_link_to_nothing_is_found_where_only_the_command_line_has_it() {
    let needs = [Need::Root, Need::Program("make"), Need::Program("rsync"), Need::Program("npm")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"ln -s releases/3 current; ln -s nope key.pem; ln -s gone.mk rules.mk
            explained keygen ssh-keygen -y -f key.pem
            explained perl perl -e 'open F, shift or die "cannot read: $!\n"' key.pem
            explained npm npm --prefix current ls
            explained rsync rsync /etc/passwd current/x
            explained make make -f rules.mk"#,
        );
        scene.each(&["keygen", "perl"]).assert_only("dangling-symlink", lab.path("key.pem"), Likely);
        scene.run("npm").assert_only("dangling-symlink", lab.path("current"), Likely);
        scene.run("rsync").assert_only("dangling-symlink", lab.path("current"), Verified);
        scene.run("make").assert_only("dangling-symlink", lab.path("rules.mk"), Verified);
    });
}

#[test]
fn another_case_is_found_where_a_tool_gives_no_reason_or_no_name() {
    let needs = [Need::Root, Need::Program("sqlite3"), Need::Program("ninja"), Need::Program("sudo")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir -p Data Src; echo '{}' >Data/config.json; printf '#!/bin/sh\n' >Data/Run.sh; chmod +x Data/Run.sh
            explained sqlite sqlite3 data/x.db 'create table t(a)'
            explained perl perl -e 'open F, shift or die "cannot read: $!\n"' data/config.json
            explained ninja ninja -C src
            explained sudo sudo Data/run.sh"#,
        );
        scene.each(&["sqlite", "perl"]).assert_only("wrong-case", lab.path("data"), Likely);
        scene.run("ninja").assert_only("wrong-case", lab.path("src"), Verified);
        scene.run("sudo").assert_only("wrong-case", lab.path("Data/run.sh"), Likely);
    });
}

#[test]
fn a_directory_is_found_where_a_tool_calls_it_refused_or_only_not_opened() {
    scenario(&[Need::Root, Need::Program("gs"), Need::Program("sudo")], |lab| {
        let scene = lab.play(
            r"mkdir out.pdf tool
            explained gs gs -q -dNOPAUSE -dBATCH -sDEVICE=pdfwrite -sOutputFile=out.pdf /dev/null
            explained sudo sudo ./tool
            explained env env ./tool
            explained itself ./tool",
        );
        scene.run("gs").assert_only("is-a-directory", lab.path("out.pdf"), Likely);
        scene.run("sudo").assert_only("is-a-directory", lab.path("tool"), Likely);
        scene.each(&["env", "itself"]).assert_only("is-a-directory", lab.path("tool"), Verified);
    });
}

#[test]
fn too_long_a_name_is_found_behind_printers_archivers_and_tables() {
    let needs = [Need::Root, Need::Program("gs"), Need::Program("mksquashfs"), Need::Program("unzip")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r"long=$(head -c 300 /dev/zero | tr '\0' x); touch a
            explained gs gs -q -dNOPAUSE -dBATCH -sDEVICE=pdfwrite -sOutputFile=$long /dev/null
            explained squash mksquashfs a $long -quiet
            explained unzip unzip -q $long",
        );
        for run in ["gs", "squash", "unzip"] {
            scene.run(run).assert_only("name-too-long", lab.path(&"x".repeat(300)), Likely);
        }
    });
}

#[test]
fn a_working_directory_that_is_gone_is_found_where_no_reason_is_told() {
    let needs = [Need::Root, Need::Program("sqlite3"), Need::Program("gs"), Need::Program("unzip")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir gone; cd gone; rmdir "$LAB/gone"
            explained sqlite sqlite3 x.db 'create table t(a)'
            explained gs gs -q -dNOPAUSE -dBATCH -sDEVICE=pdfwrite -sOutputFile=f /dev/null
            explained unzip unzip -q f
            explained curl curl -sSo f file:///etc/passwd"#,
        );
        scene.each(&["sqlite", "gs", "unzip", "curl"]).assert_only(
            "deleted-working-directory",
            lab.path("gone"),
            Likely,
        );
    });
}

/// A server of files in user space that has forgotten some of them, as one of a network filesystem does.
const STALE: &str = r#"cat >stale.py <<'PYTHON'
import errno, stat, sys
from fusepy import FUSE, FuseOSError, Operations
class Server(Operations):
    def getattr(self, path, handle=None):
        if path == "/": return dict(st_mode=stat.S_IFDIR | 0o755, st_nlink=2)
        if path.startswith("/stale"): raise FuseOSError(errno.ESTALE)
        if path == "/fresh": return dict(st_mode=stat.S_IFREG | 0o644, st_nlink=1, st_size=5)
        raise FuseOSError(errno.ENOENT)
    def readdir(self, path, handle): return [".", "..", "fresh", "stale"]
    def read(self, path, size, offset, handle): return b"text\n"[offset:offset + size]
FUSE(Server(), sys.argv[1], foreground=True, nothreads=True)
PYTHON
    mkdir net; python3 stale.py net 2>server.log &
    until mountpoint -q net; do sleep 0.05; done
"#;

const FUSE: &[Need] = &[
    Need::Root,
    Need::File("/usr/lib/python3/dist-packages/fusepy.py"),
    Need::Program("sqlite3"),
    Need::Program("curl"),
    Need::Program("rsync"),
];

#[test]
fn a_file_that_its_server_has_forgotten_is_named_by_its_mount() {
    scenario(FUSE, |lab| {
        let scene = lab.play(&format!(
            "{STALE}
            explained tar tar -cf x.tar net/stale
            explained rsync rsync net/stale copy
            explained node node -e 'require(\"fs\").readFileSync(\"net/stale\")'"
        ));
        scene.each(&["tar", "rsync", "node"]).assert_only("stale-nfs-handle", lab.path("net/stale"), Verified);
    });
}

#[test]
fn a_file_that_its_server_has_forgotten_is_found_where_no_reason_is_told() {
    scenario(FUSE, |lab| {
        let scene = lab.play(&format!(
            r#"{STALE}
            explained sqlite sqlite3 net/stale .tables
            explained curl curl -sSo copy "file://$LAB/net/stale"
            explained cd sh -c 'cd net/stale && make'"#
        ));
        scene.each(&["sqlite", "curl", "cd"]).assert_only("stale-nfs-handle", lab.path("net/stale"), Verified);
    });
}

#[test]
fn what_a_server_knows_is_silence_though_it_has_forgotten_another_file() {
    scenario(FUSE, |lab| {
        let scene = lab.play(&format!(
            r#"{STALE}
            explained sqlite sqlite3 net/fresh .tables
            explained curl curl -sSo copy "file://$LAB/net/none"
            explained cat cat net/fresh net/none
            explained said perl -e 'die "cannot read it\n"' net/stale
            explained cd sh -c 'cd net && false'"#
        ));
        scene.each(&["sqlite", "curl", "cat", "said", "cd"]).assert_does_not_name("stale-nfs-handle");
    });
}
