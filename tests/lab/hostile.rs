//! A machine in a state that nobody expects: everything gets an answer, or none, and nothing hangs.

use super::harness::{Need, Scene, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Program("python3"), Need::Program("git")];

/// A number that the script told behind some words.
fn number(scene: &Scene, words: &str) -> f64 {
    let line = scene.script.lines().find_map(|line| line.strip_prefix(&format!("{words} "))).expect("it was told");
    line.trim().parse().expect("a number")
}

#[test]
fn a_directory_of_very_many_entries_is_explained() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"mkdir many few; mount -t tmpfs -o nr_inodes=200010 lab many
            python3 -c 'import os
for index in range(200_000): os.close(os.open(f"many/entry-{index}", os.O_CREAT | os.O_WRONLY))'
            timed() { name=$1; shift; begun=$(date +%s%N); explained "$name" "$@"; echo "took $name $((($(date +%s%N) - begun) / 1000000))"; }
            timed few cat few/entry
            timed many cat many/entry
            # The last inodes.
            python3 -c 'import os
index = 0
try:
    while True: os.mkdir(f"many/last-{index}"); index += 1
except OSError: pass'
            explained full mkdir many/one-more
            explained remove rmdir many"#,
        );
        assert_eq!(scene.run("many").status, 1);
        scene.run("full").assert_first("inodes-exhausted", lab.path("many"), Confidence::Verified);
        // A listing of 200,000 names takes its time; the answer does not wait for more than its budget.
        let (few, many) = (number(&scene, "took few"), number(&scene, "took many"));
        assert!(many < few.max(50.0) * 40.0, "{many} ms with 200,000 entries, {few} ms with none");
        scene.run("remove").assert_names("busy");
    });
}

/// Time depends on what else the machine does, so questions to the kernel are counted. Some are asked of each process and each mount.
#[test]
fn an_ordinary_failure_is_explained_with_few_questions_to_the_kernel() {
    scenario(&[Need::Root, Need::Program("strace"), Need::Program("git")], |lab| {
        let scene = lab.play(
            r#"counted() {
                name=$1; shift
                strace -f -c -U calls -o calls "$@" >/dev/null 2>&1 || true
                echo "counted $name $(awk '$2 == "total" { print $1 }' calls)"
            }
            echo "counted there $(($(ls -d /proc/[0-9]* | wc -l) + $(wc -l </proc/self/mountinfo)))"
            counted cat "$EXPLAIN" -- cat /nowhere
            counted git "$EXPLAIN" -- git -C /nowhere status
            counted vague "$EXPLAIN" -- sh -c 'echo "error: failed" >&2; exit 1'"#,
        );
        let there = number(&scene, "counted there");
        for run in ["cat", "git", "vague"] {
            let calls = number(&scene, &format!("counted {run}"));
            assert!(calls > 100.0 && calls < 3000.0 + 30.0 * there, "{run}: {calls}, {there} processes and mounts");
        }
    });
}

#[test]
fn paths_up_to_and_beyond_the_longest_are_explained() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"long=$(python3 -c 'print("d/" * 2047 + "x")'); longer=$(python3 -c 'print("d/" * 2048 + "x")')
            wide=$(python3 -c 'print("n" * 256)')
            explained long cat "$long"
            explained longer cat "$longer"
            explained wide cat "$wide"
            explained git git -C "$longer" status"#,
        );
        scene.run("wide").assert_names("name-too-long");
        for run in ["long", "longer", "git"] {
            assert_ne!(scene.run(run).status, 0);
        }
    });
}

#[test]
fn a_mount_table_of_ten_thousand_lines_is_read() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"mkdir from points; mount -t tmpfs lab points
            python3 -c 'import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for index in range(10_000):
    os.mkdir(f"points/{index}")
    if libc.mount(b"from", f"points/{index}".encode(), None, 4096, None): raise OSError(ctypes.get_errno(), "mount")'
            wc -l </proc/self/mountinfo
            mount -o remount,bind,ro points/9999
            explained readonly touch points/9999/file
            explained busy rmdir points/5000
            explained missing cat points/7000/file"#,
        );
        scene.run("readonly").assert_first("read-only-filesystem", lab.path("points/9999"), Confidence::Verified);
        scene.run("busy").assert_first("busy", lab.path("points/5000"), Confidence::Verified);
        assert_eq!(scene.run("missing").status, 1);
    });
}

#[test]
fn thousands_of_processes_are_looked_through_in_time_or_said_to_be_cut() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"python3 -c 'import os, signal
for _ in range(3000):
    if os.fork() == 0: signal.pause()
open("ready", "w"); signal.pause()' &
            until [ -e ready ]; do sleep 0.1; done
            mkdir mnt; mount -t tmpfs lab mnt
            sleep 600 >mnt/open & holder=$!
            until [ "$(cat /proc/$holder/comm)" = sleep ]; do sleep 0.02; done
            explained busy umount mnt
            export GIT_CONFIG_NOSYSTEM=1; git init -q repo; : >repo/.git/index.lock
            explained lock git -C repo add ."#,
        );
        scene.run("busy").assert_first("busy", lab.path("mnt"), Confidence::Verified);
        // Who was not seen may have it: then it is not said to be stale.
        assert_eq!(scene.run("lock").status, 128);
    });
}

#[test]
fn processes_that_end_while_they_are_looked_at_are_passed_over() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"python3 -c 'import os
while True:
    child = os.fork()
    if child == 0: os._exit(0)
    os.waitpid(child, 0)' &
            mkdir mnt; mount -t tmpfs lab mnt; sleep 600 >mnt/open &
            until [ -e mnt/open ]; do sleep 0.02; done
            for run in 1 2 3 4 5; do explained "busy.$run" umount mnt; done"#,
        );
        for run in 1..=5 {
            scene.run(&format!("busy.{run}")).assert_first("busy", lab.path("mnt"), Confidence::Verified);
        }
    });
}

#[test]
fn what_is_no_file_under_a_name_is_neither_opened_nor_waited_for() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"mkfifo fifo; mknod null c 1 3; mknod strange b 240 7
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
            chmod 777 fifo socket null strange
            # Who opens it, wakes this writer.
            sh -c 'echo woken >fifo; echo woken >woken' & writer=$!
            export GIT_CONFIG_NOSYSTEM=1; git init -q repo
            for node in fifo socket null strange; do
                explained "run.$node" "./$node"
                explained "below.$node" python3 -c 'import sys; open(sys.argv[1] + "/x")' "$node"
                explained_in "home.$node" "env HOME=$LAB/$node" git config --global user.name a
                explained_in "tmp.$node" "env TMPDIR=$LAB/$node" mktemp
                cp -a "$node" repo/.git/index.lock; explained "lock.$node" git -C repo add .; rm repo/.git/index.lock
                echo "echo \"json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0): $LAB/$node\" >&2; exit 1" >say
                explained "said.$node" sh say
            done
            mkfifo resolv; mount --bind resolv /etc/resolv.conf
            explained resolver sh -c 'echo "curl: (6) Could not resolve host: a.example" >&2; exit 6'
            mkfifo table; mount --bind table /etc/fstab
            explained fstab cat nowhere/at/all
            kill -0 $writer; [ ! -e woken ]"#,
        );
        for node in ["fifo", "socket", "null", "strange"] {
            for run in ["run", "below", "home", "tmp", "lock", "said"] {
                assert_ne!(scene.run(&format!("{run}.{node}")).status, 0);
            }
            scene.run(&format!("tmp.{node}")).assert_first("tmpdir-unusable", lab.path(node), Confidence::Verified);
            scene.run(&format!("home.{node}")).assert_first("home-unusable", lab.path(node), Confidence::Verified);
        }
    });
}

/// Names that a shell or a terminal would take for something else: the advice has to work when it is typed as it is printed.
#[test]
fn advice_for_odd_names_can_be_typed_as_it_is_printed() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r##"python3 - "$EXPLAIN" <<'PYTHON'
import json, os, subprocess, sys
NAMES = [b"a b", b"it's", b'do"ub', b"new\nline", b"-dash", b"esc\x1b[31m", b"$(touch pwned)", b"a;b", b"a\\b", b"tab\tx", b"*", b"~", b"\n", b"end\n", b"bad\xff"]
USER = ["setpriv", "--reuid", "4001", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]
def explained(words, user=[]):
    report = os.environ["LAB"] + ("/runs/odd.user.json" if user else "/runs/odd.json")
    run = subprocess.run([*user, sys.argv[1], "--report", report, "--", *words], capture_output=True)
    assert b"\x1b" not in run.stderr, run.stderr
    return json.load(open(report))["causes"][0]
def typed(found, words):
    fix = next(fix["command"] for fix in found["fixes"] if words in (fix.get("command") or ""))
    subprocess.run(["bash", "-euc", fix], check=True)
for name in NAMES:
    directory = b"odd/" + name
    os.makedirs(directory + b"/locked"); os.chmod("odd", 0o755); os.chmod(directory, 0o755); os.chmod(directory + b"/locked", 0o700)
    open(directory + b"/tool", "w").write("#!/bin/sh\n")
    typed(explained([directory + b"/tool"]), "chmod")
    assert os.access(directory + b"/tool", os.X_OK), name
    found = explained(["touch", directory + b"/locked/x"], USER)
    assert found["subject"].endswith("/locked"), (name, found)
    subprocess.run(["bash", "-euc", found["evidence"][0]["check"]], check=True, stdout=subprocess.DEVNULL)
assert not os.path.exists("pwned")
print("all typed")
PYTHON"##,
        );
        assert!(scene.script.contains("all typed"), "{}", scene.script);
    });
}
