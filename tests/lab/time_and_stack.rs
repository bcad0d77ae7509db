//! CPU time that is used up, and a stack that reached its end.

use super::harness::{Need, crash_scenario, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Program("python3"), Need::Program("gcc")];
const LAUNCHERS: &[Need] =
    &[Need::Root, Need::Program("python3"), Need::Program("gcc"), Need::Program("make"), Need::Program("xargs")];

/// Programs that use time or stack without end or crash elsewhere, and a makefile that starts each of them.
const PROGRAMS: &str = r"
    echo 'int main(void) { for (;;); }' >spin.c; gcc -O0 -o spin spin.c
    echo 'int deeper(int n) { volatile char room[4096]; room[0] = n; return deeper(n + 1) + room[0]; } int main(void) { return deeper(0); }' >deep.c
    echo 'int main(void) { return *(volatile int *)0; }' >null.c; gcc -O0 -w -o deep deep.c; gcc -O0 -w -o null null.c
    printf 'spin null: .FORCE\n\t./$@\ncalls: .FORCE\n\t./deep\n.FORCE:\n' >Makefile
    run='import subprocess, sys; subprocess.run(sys.argv[1:], check=True)'
";

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
    crash_scenario(NEEDS, |lab| {
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
    crash_scenario(NEEDS, |lab| {
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

/// Who started the program tells that it was killed, and not why; so does a kill by somebody else.
#[test]
fn cpu_time_that_a_program_below_make_or_python_used_up_is_named() {
    scenario(LAUNCHERS, |lab| {
        let scene = lab.play(&format!(
            r#"{PROGRAMS} few="prlimit --cpu=1"
            explained_in make "$few" make spin
            explained_in python "$few" python3 -c "$run" ./spin
            explained_in xargs "$few" sh -c 'echo | xargs ./spin'
            explained_in twin "$few" sh -c 'for n in 1 2 3; do timeout 0.4 ./spin; done; sh -c "kill -9 \$\$"; exit $?'
            explained_in twin.python "$few" python3 -c "$run" sh -c 'kill -9 $$'
            explained_in twin.make "$few" make null"#
        ));
        for run in ["make", "python", "xargs"] {
            let run = scene.run(run);
            let found = run.assert_only("cpu-time-limit", "1", Confidence::Verified);
            assert!(found.evidence.iter().any(|evidence| evidence.text.contains("spin (pid ")), "{run}");
        }
        scene.each(&["twin", "twin.python", "twin.make"]).assert_silent();
    });
}

#[test]
fn a_stack_of_a_program_below_make_or_python_is_told_from_a_crash_elsewhere() {
    crash_scenario(LAUNCHERS, |lab| {
        let scene = lab.play(&format!(
            r#"{PROGRAMS} few="prlimit --stack=1048576"
            explained_in make "$few" make calls
            explained_in python "$few" python3 -c "$run" ./deep
            explained_in xargs "$few" sh -c 'echo | xargs ./deep'
            explained_in twin "$few" make null
            explained_in twin.python "$few" python3 -c "$run" ./null"#
        ));
        scene.run("make").assert_only("stack-limit", "1048576", Confidence::Likely);
        scene.each(&["python", "xargs"]).assert_only("stack-limit", "1048576", Confidence::Verified);
        scene.each(&["twin", "twin.python"]).assert_silent();
    });
}

/// A compiler handles SIGSEGV itself, for which it needs stack too.
#[test]
fn a_compiler_with_little_stack_is_likely_at_its_end() {
    crash_scenario(LAUNCHERS, |lab| {
        let scene = lab.play(
            r#"python3 -c 'print("int x = " + "(" * 20000 + "1" + ")" * 20000 + ";")' >nested.c
            explained_in gcc "prlimit --stack=262144" gcc -c nested.c
            explained_in sed "prlimit --stack=262144" sed -E "s/$(python3 -c 'print("(" * 20000 + "a" + ")" * 20000)')/x/" nested.c
            explained_in twin "prlimit --stack=262144" gcc -c none.c"#,
        );
        scene.run("gcc").assert_only("stack-limit", "262144", Confidence::Likely);
        scene.run("sed").assert_only("stack-limit", "262144", Confidence::Verified);
        scene.run("twin").assert_silent();
    });
}
