//! Limits that a script sets itself, so that neither explain nor whoever started it has them, and kills for want of memory that are another's.

use super::harness::{Need, crash_scenario, scenario};
use explain::cause::Confidence::{Likely, Verified};

const TOOLS: &[Need] = &[
    Need::Root,
    Need::Program("python3"),
    Need::Program("perl"),
    Need::Program("gcc"),
    Need::Program("make"),
    Need::Program("timeout"),
];

#[test]
fn cpu_time_that_a_script_or_a_makefile_limits_is_named() {
    scenario(TOOLS, |lab| {
        let scene = lab.play(
            r#"echo 'int main(void) { for (;;); }' >spin.c; gcc -O0 -o spin spin.c; printf 'all:\n\tulimit -t 1; ./spin\n' >Makefile
            explained make make
            explained script sh -c '(ulimit -t 1; perl -e "1 while 1"); exit 1'
            explained exec timeout 30 bash -c 'ulimit -t 1; exec ./spin'
            explained soft bash -c 'ulimit -St 1; exec python3 -c "while True: pass"'
            explained twin sh -c 'ulimit -t 100; perl -e "kill 9, \$\$"; exit $?'
            explained twin.passed sh -c 'ulimit -t 1; ./spin || true; cat /nowhere'"#,
        );
        scene.each(&["make", "script", "exec", "soft"]).assert_first("cpu-time-limit", "1", Verified);
        scene.each(&["twin", "twin.passed"]).assert_does_not_name("cpu-time-limit");
    });
}

#[test]
fn descriptors_and_processes_that_a_makefile_limits_are_named_with_its_number() {
    scenario(TOOLS, |lab| {
        let scene = lab.play(
            r#"chmod 1777 runs; user="$(identity 54392)"
            cat >workers.py <<-'END'
			import os, sys, time
			try:
			    for _ in range(30):
			        if os.fork() == 0: time.sleep(1); os._exit(0)
			except OSError as error:
			    sys.stderr.write("%s: %s\n" % (sys.argv[1], error.strerror)); time.sleep(0.3); sys.exit(1)
			END
            printf 'few:\n\tulimit -n 20; python3 -c '"'"'l = [open("/etc/passwd") for _ in range(99)]'"'"'; exit $$?\n' >Makefile
            explained make make few
            explained_in workers "$user" bash -c 'ulimit -u 8; python3 workers.py "cannot start workers"; exit $?'
            while pgrep -u 54392 >/dev/null; do sleep 0.1; done
            explained_in vague "$user" bash -c 'ulimit -u 8; python3 workers.py "nothing is served"; exit $?'
            while pgrep -u 54392 >/dev/null; do sleep 0.1; done
            explained_in twin "$user" bash -c 'ulimit -u 500; python3 -c "import sys; sys.exit(\"cannot start workers: Resource temporarily unavailable\")"; exit $?'
            explained twin.make make none"#,
        );
        scene.run("make").assert_first("open-files-limit", "20", Likely);
        // On a busy machine the processes are not all counted in time.
        let workers = scene.run("workers");
        assert!(workers.first().id == "process-limit" && workers.first().subject == "8", "{workers}");
        scene.run("vague").assert_first("process-limit", "8", Likely);
        scene.each(&["twin", "twin.make"]).assert_silent();
    });
}

/// The shell that set the limit has ended before anybody can look at it.
#[test]
fn a_stack_that_a_makefile_limits_is_told_with_its_number() {
    crash_scenario(TOOLS, |lab| {
        let scene = lab.play(
            r"echo 'int deeper(int n) { volatile char room[4096]; room[0] = n; return deeper(n + 1) + room[0]; } int main(void) { return deeper(0); }' >deep.c
            echo 'int main(void) { return *(volatile int *)0; }' >null.c; gcc -O0 -w -o deep deep.c; gcc -O0 -w -o null null.c
            printf 'calls:\n\tulimit -s 256; ./deep\nempty:\n\tulimit -s 256; ./null\n' >Makefile
            explained make make calls
            explained script sh -c '(ulimit -s 512; ./deep); exit 1'
            explained twin make empty",
        );
        assert_eq!(scene.run("make").assert_names("stack-limit").subject, "262144");
        assert_eq!(scene.run("script").assert_names("stack-limit").subject, "524288");
        scene.run("twin").assert_silent();
    });
}
