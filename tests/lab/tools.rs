//! Tools whose own words name no variable, no socket or no reason: tmux, ssh-add, Vim, Node.js, curl; and what they
//! said of failures that were dealt with.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

#[test]
fn the_directory_of_tmuxs_sockets_is_named() {
    scenario(&[Need::Root, Need::Program("tmux")], |lab| {
        let scene = lab.play(
            r#"mkdir ro open; mount -t tmpfs -o ro lab ro; mkdir -m 777 open/tmux-0; chmod 777 open/tmux-0
            export TMUX_TMPDIR="$LAB/ro"; explained ro tmux new -d
            export TMUX_TMPDIR="$LAB/open"; explained open tmux new -d"#,
        );
        scene.run("ro").assert_first("read-only-filesystem", lab.path("ro"), Verified);
        scene.run("open").assert_first("insecure-permissions", lab.path("open/tmux-0"), Verified);
    });
}

#[test]
fn an_agent_that_is_gone_is_named_by_its_socket_and_one_that_nobody_started_by_its_variable() {
    scenario(&[Need::Root, Need::Program("ssh-add")], |lab| {
        let scene = lab.play(
            r#"export SSH_AUTH_SOCK="$LAB/agent"
            explained gone ssh-add -l
            unset SSH_AUTH_SOCK; explained unset ssh-add -l"#,
        );
        scene.run("gone").assert_first("socket-missing", lab.path("agent"), Verified);
        scene.run("unset").assert_first("socket-missing", "SSH_AUTH_SOCK", Verified);
    });
}

#[test]
fn a_file_that_vim_cannot_open_for_writing_is_explained_by_the_walk_to_it() {
    scenario(&[Need::Root, Need::Program("vim")], |lab| {
        let scene = lab.play(
            r"mkdir ro; mount -t tmpfs -o ro lab ro; echo x >mine
            explained ro vim -V1 -es -u NONE -c 'normal ihello' -c 'w! ro/x' -c cq
            explained_as 4001 owner vim -V1 -es -u NONE -i NONE -n -c 'normal ihello' -c 'w! mine' -c cq
            explained twin vim -V1 -es -u NONE -c 'edit mine' -c cq",
        );
        scene.run("ro").assert_first("read-only-filesystem", lab.path("ro"), Verified);
        scene.run("owner").assert_first("permission-denied", lab.path("mine"), Likely);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_directory_that_node_calls_missing_because_its_parent_takes_none_is_read_only() {
    scenario(&[Need::Root, Need::Program("node")], |lab| {
        let scene = lab.play(
            r#"mkdir ro; mount -t tmpfs -o ro lab ro
            explained ro node -e 'require("fs").mkdirSync("ro/a/b", { recursive: true })'
            explained missing node -e 'require("fs").mkdirSync("none/a/b")'"#,
        );
        scene.run("ro").assert_first("read-only-filesystem", lab.path("ro"), Verified);
        scene.run("missing").assert_first("missing-path", lab.path("none"), Verified);
    });
}

#[test]
fn what_curl_may_not_send_is_named() {
    scenario(&[Need::Root, Need::Program("curl")], |lab| {
        let scene = lab.play(
            r"echo x >closed; chmod 600 closed; echo x >open
            explained_as 4001 closed curl -sS -T closed http://127.0.0.1:1/
            explained_as 4001 twin curl -sS -T open http://127.0.0.1:1/",
        );
        scene.run("closed").assert_first("permission-denied", lab.path("closed"), Likely);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_failure_that_was_passed_over_and_followed_by_work_is_no_cause() {
    let needs = [Need::Root, Need::Program("tmux"), Need::Program("ssh-add"), Need::Program("curl")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir ro; mount -t tmpfs -o ro lab ro; export TMUX_TMPDIR="$LAB/ro" SSH_AUTH_SOCK="$LAB/agent"
            for tool in 'tmux new -d' 'ssh-add -l' 'curl -sS -o ro/x file:///etc/hostname'; do
                name=${tool%% *}
                explained "$name" sh -c "$tool || true; for n in \$(seq 20); do echo line \$n >&2; done; exit 3"
            done
            explained webpack sh -c 'echo "<w> [webpack.cache.PackFileCacheStrategy] Caching failed for pack: Error: EROFS: read-only file system, mkdir '\''$LAB/ro/.cache'\''" >&2
                echo "ERROR in ./src/index.js 1:1" >&2; exit 1'"#,
        );
        scene.each(&["tmux", "ssh-add", "curl", "webpack"]).assert_silent();
    });
}
