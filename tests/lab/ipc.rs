//! System V objects up to their limits, in an IPC namespace of its own.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Program("ipcmk"), Need::Program("perl"), Need::Program("python3")];

/// The way into an IPC namespace where two objects of each kind are allowed: `fill Q`, `fill S 3` and `fill M 100` make them.
const INSIDE: &str = r#"inside=$(enter --ipc)
    $inside sh -c 'cd /proc/sys/kernel; echo 2 >msgmni; echo 2 >shmmni; echo "250 32000 100 2" >sem'
    fill() { $inside ipcmk "-$@"; $inside ipcmk "-$@"; }
"#;

#[test]
fn a_kind_of_which_there_are_enough_is_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{INSIDE} fill Q; fill S 3; fill M 100
            explained_in queue "$inside" ipcmk -Q
            explained_in semaphore "$inside" ipcmk -S 3
            explained_in segment "$inside" ipcmk -M 100"#
        ));
        for (run, kind) in [("queue", "msg"), ("semaphore", "sem"), ("segment", "shm")] {
            scene.run(run).assert_first("ipc-limit", kind, Confidence::Verified);
            scene.run(run).assert_does_not_name("blocks-exhausted");
        }
    });
}

#[test]
fn words_that_name_no_object_are_seen_through() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{INSIDE} fill S 3
            explained_in vague "$inside" perl -e 'semget(0, 3, 0600) // die "cannot start: $!\n"'"#
        ));
        scene.run("vague").assert_first("ipc-limit", "sem", Confidence::Likely);
    });
}

#[test]
fn a_raised_limit_lets_the_command_go_on() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{INSIDE} fill S 3
            explained_in before "$inside" ipcmk -S 3
            $inside sh -c "$(fix_of before sysctl)"
            explained_in after "$inside" ipcmk -S 3"#
        ));
        assert_eq!(scene.run("after").status, 0, "{}", scene.run("before"));
    });
}

#[test]
fn limits_that_are_not_reached_are_silence() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"mkdir full; mount -t tmpfs -o size=1m lab full
            {INSIDE} fill Q
            explained_in disk "$inside" dd if=/dev/zero of=full/big bs=1k count=2000
            explained_in denied "$inside" perl -e 'semget(0, 100000, 0600) // die "semget: $!\n"'
            explained_in missing "$inside" ipcrm -q 77"#
        ));
        for run in ["disk", "denied", "missing"] {
            scene.run(run).assert_does_not_name("ipc-limit");
        }
    });
}
