//! Programs that were told to be quiet: their exit status says what failed, and where.

use super::harness::{Need, scenario};
use explain::cause::Confidence::Verified;

const NEEDS: &[Need] = &[Need::Root, Need::Program("curl"), Need::Program("wget")];

#[test]
fn a_download_that_could_not_be_written_is_explained_without_a_word() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r"mkdir full closed; chmod 711 closed; mount -t tmpfs -o size=64k full full
            explained full curl -s -o full/out file:///bin/sh
            explained_as 4001 refused curl -s -o closed/out file:///etc/hostname",
        );
        scene.run("full").assert_first("blocks-exhausted", lab.path("full"), Verified);
        scene.run("refused").assert_names("permission-denied");
    });
}

#[test]
fn a_server_that_is_not_there_is_no_full_disk() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r"mkdir full; mount -t tmpfs -o size=64k full full; cp /bin/sh full/ 2>/dev/null || true
            explained wget wget -q -t 1 -O full/out http://127.0.0.1:1/
            explained curl curl -s -o full/out http://127.0.0.1:1/",
        );
        scene.run("wget").assert_silent();
        scene.run("curl").assert_silent();
    });
}

#[test]
fn a_status_that_is_an_answer_is_a_failure_where_one_was_told() {
    scenario(&[Need::Root, Need::Program("findmnt"), Need::Program("mountpoint")], |lab| {
        let scene = lab.play(
            r"mkdir closed; mkdir closed/d; touch closed/config; chmod 700 closed
            explained_as 4001 findmnt findmnt -F closed/config
            explained_as 4001 mountpoint mountpoint closed/d",
        );
        for name in ["findmnt", "mountpoint"] {
            scene.run(name).assert_names("permission-denied");
        }
    });
}

#[test]
fn a_status_that_is_an_answer_is_none_of_the_machine() {
    scenario(&[Need::Root, Need::Program("git"), Need::Program("mountpoint"), Need::Program("pkg-config")], |lab| {
        let scene = lab.play(
            r"mkdir d; touch config
            explained git git config --file config user.name
            explained mountpoint mountpoint d
            explained pkg-config pkg-config --exists nothing-of-the-kind",
        );
        scene.each(&["git", "mountpoint", "pkg-config"]).assert_silent();
    });
}

#[test]
fn a_list_of_no_sessions_is_an_answer_and_a_socket_that_refuses_is_none() {
    scenario(&[Need::Root, Need::Program("tmux"), Need::Program("git")], |lab| {
        let scene = lab.play(
            r#"mkdir -m 1777 none; git init -q work; echo b >uns; echo a >>uns
            explained none env TMUX_TMPDIR="$LAB/none" tmux ls
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("none/tmux-0/default")'
            explained left env TMUX_TMPDIR="$LAB/none" tmux ls
            mkdir -p "full/tmux-65534"; chown 65534 full/tmux-65534; chmod 700 full/tmux-65534
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("full/tmux-65534/default")'; chmod 600 full/tmux-65534/default
            explained_as 65534 refused env TMUX_TMPDIR="$LAB/full" tmux ls
            explained sorted sort -c uns
            explained ref git -C work rev-parse --verify nothing"#,
        );
        scene.each(&["none", "left", "sorted", "ref"]).assert_silent();
        scene.run("refused").assert_first("foreign-owner", lab.path("full/tmux-65534/default"), Verified);
    });
}
