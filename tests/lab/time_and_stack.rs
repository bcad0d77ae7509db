//! CPU time that is used up, and a stack that reached its end.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Program("python3"), Need::Program("gcc")];

#[test]
fn cpu_time_that_is_used_up_is_named_whatever_signal_ends_the_command() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"explained_in kill "prlimit --cpu=1" sh -c 'while :; do :; done'
            explained_in signal "prlimit --cpu=1:9" python3 -c 'while True: pass'
            explained_in below "prlimit --cpu=1" sh -c 'python3 -c "while True: pass"; exit $?'"#,
        );
        for run in ["kill", "signal"] {
            let run = scene.run(run);
            let found = run.assert_names("cpu-time-limit");
            assert!(found.confidence == Confidence::Verified && found.summary.contains("1 s"), "{run}");
        }
        scene.run("below").assert_names("cpu-time-limit");
    });
}

#[test]
fn a_stack_that_reached_its_end_is_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r"cat >deep.c <<-'END'
			int deeper(int level) { volatile char room[4096]; room[0] = level; return deeper(level + 1) + room[0]; }
			int main(void) { return deeper(0); }
			END
            gcc -O0 -w -o deep deep.c
            explained itself ./deep
            explained below sh -c './deep; exit $?'
            explained python python3 -c 'import sys; sys.setrecursionlimit(10 ** 8)
def deeper(): return list(map(lambda _: deeper(), [1]))
deeper()'",
        );
        for run in ["itself", "below", "python"] {
            scene.run(run).assert_names("stack-limit");
        }
    });
}

#[test]
fn other_crashes_and_kills_are_silence() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"cat >null.c <<-'END'
			int main(void) { return *(volatile int *)0; }
			END
            gcc -O0 -w -o null null.c
            explained null ./null
            explained sent sh -c 'kill -SEGV $$'
            explained_in early "prlimit --cpu=100" sh -c 'kill -9 $$'
            explained_in by_hand "prlimit --cpu=100" sh -c 'kill -XCPU $$'
            explained_in failed "prlimit --cpu=100" ls /nowhere"#,
        );
        for run in ["null", "sent", "by_hand", "early", "failed"] {
            scene.run(run).assert_does_not_name("stack-limit");
            scene.run(run).assert_does_not_name("cpu-time-limit");
        }
    });
}
