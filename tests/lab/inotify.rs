//! inotify's limits of a user, reached inside a user namespace of its own, so that no other program feels it.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Program("inotifywait"), Need::Program("node"), Need::Program("python3")];

/// A tree of six directories, and the way into a user namespace: `limit watches 3` sets its limits.
const TREE: &str = r#"mkdir -p tree/a/b/c tree/d/e
    inside=$(enter --user --map-root-user)
    limit() { $inside sh -c "echo $2 >/proc/sys/user/max_inotify_$1"; }
"#;

/// Watches the directories of the tree and says no more than the errno's words.
const VAGUE: &str = r#"
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init()
for path, _, _ in os.walk("tree"):
    if libc.inotify_add_watch(fd, path.encode(), 2) < 0:
        words = os.strerror(ctypes.get_errno())
        os.write(2, f"error: {words}\n".encode())
        time.sleep(0.3)
        exit(1)
"#;

#[test]
fn a_tree_that_needs_more_watches_than_there_are_is_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{TREE} limit watches 3
            explained_in inotifywait "$inside" inotifywait -r -t 1 tree
            explained_in node "$inside" node -e 'for (const d of ["a", "a/b", "a/b/c", "d"]) fs.watch("tree/" + d)'"#
        ));
        for run in ["inotifywait", "node"] {
            let run = scene.run(run);
            run.assert_first("inotify-watches-exhausted", "root", Confidence::Verified);
            run.assert_does_not_name("blocks-exhausted");
        }
    });
}

#[test]
fn words_that_name_no_watch_are_seen_through_while_the_command_runs() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!("{TREE} limit watches 3; explained_in vague \"$inside\" python3 -c '{VAGUE}'"));
        scene.run("vague").assert_first("inotify-watches-exhausted", "root", Confidence::Likely);
    });
}

#[test]
fn the_process_that_holds_the_watches_is_named_and_a_raised_limit_helps() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{TREE} limit watches 5
            $inside inotifywait -q -m tree tree/a tree/d tree/a/b tree/d/e >/dev/null 2>&1 &
            until grep -q 'inotify wd:5' /proc/$!/fdinfo/*; do sleep 0.02; done
            explained_in before "$inside" inotifywait -t 1 tree
            $inside sh -c "$(fix_of before sysctl)"
            explained_in after "$inside" inotifywait -t 1 tree"#
        ));
        let before = scene.run("before");
        let found = before.assert_first("inotify-watches-exhausted", "root", Confidence::Verified);
        assert!(found.evidence.iter().any(|fact| fact.text.contains("inotifywait (pid")), "{before}");
        assert_eq!(
            scene.run("after").status,
            2,
            "inotifywait ends with 2 when nothing happened in time{}",
            scene.run("after")
        );
    });
}

#[test]
fn want_of_instances_is_told_from_want_of_descriptors() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{TREE} limit instances 0
            explained_in inotifywait "$inside" inotifywait -t 1 tree
            explained_in node "$inside" node -e 'fs.watch("tree")'
            limit instances 100
            explained_in descriptors "$inside" prlimit --nofile=3 inotifywait -t 1 tree"#
        ));
        for run in ["inotifywait", "node"] {
            scene.run(run).assert_first("inotify-instances-exhausted", "root", Confidence::Verified);
        }
        let descriptors = scene.run("descriptors");
        let found = descriptors.report.iter().flat_map(|report| &report.causes);
        let sure =
            found.filter(|found| found.id == "inotify-instances-exhausted" && found.confidence != Confidence::Possible);
        assert_eq!(sure.count(), 0, "{descriptors}");
    });
}

#[test]
fn a_full_disk_is_silence_even_where_watches_are_out() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"mkdir full; mount -t tmpfs -o size=1m lab full
            {TREE} limit watches 0; limit instances 0
            explained_in write "$inside" dd if=/dev/zero of=full/big bs=1k count=2000
            explained_in missing "$inside" ls /nowhere
            limit watches 1000; limit instances 100
            explained_in gone "$inside" inotifywait -t 1 /nowhere"#
        ));
        for run in ["write", "missing", "gone"] {
            scene.run(run).assert_does_not_name("inotify-watches-exhausted");
            scene.run(run).assert_does_not_name("inotify-instances-exhausted");
        }
    });
}
