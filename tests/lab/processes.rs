//! Processes and threads up to the limit of a user and of a control group.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Program("python3"), Need::Program("perl")];

/// Starts children until it is refused, says so and lives on for a moment.
const FORK: &str = r#"while (1) { my $p = fork; if (!defined $p) { warn "cannot fork: $!\n"; sleep 1; exit 1 } if (!$p) { sleep 2; exit } }"#;

/// Starts threads until it is refused.
const THREADS: &str = r"
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(1,)).start()
";

#[test]
fn a_user_with_as_many_processes_as_allowed_is_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"chmod 1777 runs
            few="prlimit --nproc=20 $(identity 54397)"
            explained_in perl "$few" perl -e '{FORK}'
            explained_in threads "$few" python3 -c '{THREADS}'"#
        ));
        for run in ["perl", "threads"] {
            scene.run(run).assert_first("process-limit", "20", Confidence::Verified);
        }
    });
}

#[test]
fn a_control_group_with_as_many_as_allowed_is_named() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Program("perl"), Need::Group("pids")], |lab| {
        let scene = lab.play(&format!(
            r#"group pids pids.max 20
            explained_in perl "$inside" perl -e '{FORK}'
            while [ "$(cat "$GROUP/pids.current")" -gt 0 ]; do sleep 0.1; done
            explained_in shell "$inside" sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do sleep 1 & done; wait'
            while [ "$(cat "$GROUP/pids.current")" -gt 0 ]; do sleep 0.1; done"#
        ));
        for run in ["perl", "shell"] {
            scene.run(run).assert_first("process-limit", "20", Confidence::Verified);
        }
    });
}

#[test]
fn processes_that_may_still_be_made_are_silence() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Group("pids")], |lab| {
        let scene = lab.play(
            r#"group pids pids.max 50
            explained_in missing "$inside" sh -c 'sleep 0.1 & wait; cat /nowhere'
            explained_in lock "$inside" sh -c 'exec 9>lock; flock 9; flock -n lock true || { echo "flock: Resource temporarily unavailable" >&2; exit 1; }'"#,
        );
        for run in ["missing", "lock"] {
            scene.run(run).assert_does_not_name("process-limit");
        }
    });
}
