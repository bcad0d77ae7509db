//! Limits that are used up when a program says only that something could not be done, and programs whose own words for them are rare.

use super::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

const TOOLS: &[Need] = &[
    Need::Root,
    Need::Program("python3"),
    Need::Program("perl"),
    Need::Program("ruby"),
    Need::Program("node"),
    Need::Program("make"),
    Need::Program("dd"),
    Need::Program("sqlite3"),
];

#[test]
fn descriptors_that_are_used_up_without_a_word_are_likely_the_reason() {
    scenario(TOOLS, |lab| {
        let scene = lab.play(
            r#"few="prlimit --nofile=64"
            explained_in ruby "$few" ruby -e 'a = []; begin; loop { a << File.open("/etc/passwd") }; rescue; warn "server failed"; sleep 1; exit 1; end'
            explained_in perl "$few" perl -e 'while (1) { open($f[$i++], "<", "/etc/passwd") or do { print STDERR "cannot load the configuration\n"; sleep 1; exit 1 } }'
            explained_in twin "$few" perl -e 'for (1..20) { open($f[$i++], "<", "/etc/passwd") or die } print STDERR "cannot load the configuration\n"; sleep 1; exit 1'
            explained_in reason "$few" ruby -e 'a = []; begin; loop { a << File.open("/etc/passwd") }; rescue; warn "no such column: b"; sleep 1; exit 1; end'"#,
        );
        scene.each(&["ruby", "perl"]).assert_only("open-files-limit", "64", Likely);
        scene.each(&["twin", "reason"]).assert_silent();
    });
}

#[test]
fn processes_that_are_used_up_without_a_word_are_likely_the_reason() {
    scenario(TOOLS, |lab| {
        let scene = lab.play(
            r#"chmod 1777 runs; user="$(identity 54395)"
            pool='import os, sys, time
try:
    for _ in range(int(sys.argv[1])):
        if os.fork() == 0: time.sleep(2); os._exit(0)
    sys.exit("worker pool failed")
except OSError:
    sys.stderr.write("worker pool failed\n"); time.sleep(0.5); sys.exit(1)'
            explained_in pool "prlimit --nproc=8 $user" python3 -c "$pool" 20
            while pgrep -u 54395 >/dev/null; do sleep 0.1; done
            explained_in twin "prlimit --nproc=100 $user" python3 -c "$pool" 1"#,
        );
        scene.run("pool").assert_only("process-limit", "8", Likely);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn programs_that_cannot_start_others_for_want_of_processes_are_explained() {
    scenario(TOOLS, |lab| {
        let scene = lab.play(
            r#"chmod 1777 runs; user="$(identity 54394)"; free() { while pgrep -u 54394 >/dev/null; do sleep 0.1; done; }
            printf 'all: a b c d e\na b c d e:\n\t@sleep 0.5; true\n' >Makefile
            explained_in make "prlimit --nproc=4 $user" make -j8; free
            explained_in node "prlimit --nproc=14 $user" node -e 'for (let i = 0; i < 20; i++) require("child_process").spawn("sleep", ["2"])'; free
            explained_in thread "prlimit --nproc=8 $user" ruby -e '29.times.map { Thread.new { sleep 1 } }.each(&:join)'; free
            explained_in twin "prlimit --nproc=14 $user" make -j8 none"#,
        );
        for (run, limit) in [("make", "4"), ("node", "14"), ("thread", "8")] {
            let run = scene.run(run);
            let found = run.assert_names("process-limit");
            assert!(found.subject == limit && found.confidence >= Likely, "{run}");
        }
        scene.run("twin").assert_silent();
    });
}

#[test]
fn memory_that_is_nearly_used_up_without_a_word_is_likely_the_reason() {
    scenario(TOOLS, |lab| {
        let scene = lab.play(
            r#"small="prlimit --as=400000000"
            explained_in grown "$small" python3 -c '
import sys, time
kept = []
try:
    while True: kept.append(bytearray(1 << 20))
except MemoryError:
    sys.stderr.write("import failed\n"); time.sleep(0.5); sys.exit(1)'
            explained_in twin "$small" python3 -c 'import sys; sys.exit("import failed")'"#,
        );
        scene.run("grown").assert_only("memory-limit", "400000000", Likely);
        scene.run("twin").assert_silent();
    });
}

/// What a program calls a want of memory may be a length that nobody has: only what adds up to more than the limit proves it.
#[test]
fn a_limit_on_memory_is_proven_by_what_was_asked_for_or_by_what_was_used() {
    scenario(TOOLS, |lab| {
        let scene = lab.play(
            r#"explained_in dd "prlimit --as=100000000" dd if=/dev/zero of=/dev/null bs=200M count=1
            explained_in sqlite "prlimit --as=60000000" sqlite3 :memory: 'select length(randomblob(200000000))'
            explained_in raised "prlimit --as=400000000" python3 -c 'raise MemoryError'
            explained_in absurd "prlimit --as=400000000" python3 -c '[0] * (1 << 60)'
            explained_in twin "prlimit --as=100000000" dd if=/nowhere of=/dev/null bs=1M count=1"#,
        );
        scene.run("dd").assert_only("memory-limit", "100000000", Verified);
        scene.run("sqlite").assert_only("memory-limit", "60000000", Likely);
        scene.each(&["raised", "absurd"]).assert_first("memory-limit", "400000000", Likely);
        scene.run("twin").assert_does_not_name("memory-limit");
    });
}
