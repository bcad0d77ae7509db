//! Memory that ran out where no message says so, and processes of others that the kernel killed for it.

use super::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

const GROUPED: &[Need] = &[
    Need::Root,
    Need::Program("gcc"),
    Need::Program("g++"),
    Need::Program("make"),
    Need::Program("perl"),
    Need::Program("ruby"),
    Need::Program("python3"),
    Need::Program("node"),
    Need::Group("memory"),
];

const MAPPERS: &[Need] = &[Need::Root, Need::Program("perl"), Need::Program("ruby"), Need::Program("python3")];
const LOCKERS: &[Need] = &[Need::Root, Need::Program("perl"), Need::Program("python3"), Need::Program("dd")];

/// A control group of 64 MiB with another below it that has no limit, where the command runs, and `eat MIB`, which takes as much.
const NESTED: &str = r#"group memory memory.max 67108864 memory.limit_in_bytes 67108864 memory.swap.max 0
    printf '#include <stdlib.h>\n#include <string.h>\nint main(int c, char **v) { for (int n = atoi(v[1]); n--;) memset(malloc(1 << 20), 1, 1 << 20); return 0; }\n' >eat.c
    gcc -O0 -w -o eat eat.c; mkdir "$GROUP/below" 2>/dev/null || true; trap 'rmdir "$GROUP/below" "$GROUP"' EXIT
    sed -i "s|$GROUP/|$GROUP/below/|" "$inside"; echo "$GROUP/below" >"$LAB/runs/group"
"#;

#[test]
fn a_kill_below_a_program_that_tells_no_reason_is_found_in_the_group_above() {
    scenario(GROUPED, |lab| {
        let scene = lab.play(&format!(
            r#"{NESTED}
            python3 -c 'print("static const char d[] = {{" + ",".join(str(i % 100) for i in range(3000000)) + "}}; int main() {{ return d[5]; }}")' >big.cpp
            printf 'big.o: big.cpp\n\tg++ -c big.cpp\n' >Makefile
            explained_in make "$inside" make
            explained_in perl "$inside" perl -e 'system("./eat 200") == 0 or die "job failed\n"'
            explained_in ruby "$inside" ruby -e 'system("./eat", "200") or abort "step failed"'
            explained_in pool "$inside" python3 -c 'import subprocess, sys; sys.exit("build failed" if subprocess.run(["./eat", "200"]).returncode else 0)'"#
        ));
        let group = std::fs::read_to_string(lab.path("runs/group")).expect("the group's directory");
        scene.run("make").assert_only("out-of-memory", group.trim(), Verified);
        scene.each(&["perl", "ruby", "pool"]).assert_only("out-of-memory", group.trim(), Likely);
    });
}

/// The group has others in it, a script may go on without what was killed, and languages bound their memory by themselves.
#[test]
fn a_kill_that_is_not_why_and_a_heap_that_is_full_are_no_want_of_memory() {
    scenario(GROUPED, |lab| {
        let scene = lab.play(&format!(
            r#"{NESTED}
            printf '#!/bin/sh\n(sleep 0.2; exec "$LAB/eat" 200) 2>/dev/null &\nexec "$@"\n' >neighbour; chmod +x neighbour
            beside="$inside ./neighbour"; export LAB
            explained_in file "$beside" sh -c 'sleep 0.8; cat /nowhere'
            explained_in test "$beside" python3 -c 'import time; time.sleep(0.8); assert 1 == 2'
            explained_in passed "$inside" sh -c './eat 200 || true; cat /nowhere'
            explained_in other "$inside" sh -c './eat 200 2>/dev/null || perl -e 1; exit 3'
            explained heap node --max-old-space-size=40 -e 'const a = []; for (;;) a.push(new Array(1000).fill({{}}))'
            explained chosen perl -e 'exit 137'"#
        ));
        scene.each(&["file", "test", "passed", "other", "heap", "chosen"]).assert_silent();
    });
}

/// The words are those of memory that is lacking; that there is enough of it and mappings are what lacks is seen while the process lives.
#[test]
fn mappings_are_found_behind_words_for_memory() {
    scenario(MAPPERS, |lab| {
        let scene = lab.play(
            r#"explained perl perl -e 'my $n = `uname -m` =~ /x86_64/ ? 9 : 222; my $i = 0;
                until (syscall($n, 0, 4096, 1 + 2 * ($i++ % 2), 34, -1, 0) == -1) {} print STDERR "cannot open the index: $!\n"; sleep 1; exit 1'
            explained ruby ruby -e 'kept = []
begin loop { syscall(ARGV[0].to_i, 0, 4096, 1 + 2 * (kept.size % 2), 34, -1, 0); kept << 1 }
rescue SystemCallError => error; warn "worker failed: #{error.message}"; sleep 1; exit 1; end' "$(uname -m | grep -q x86_64 && echo 9 || echo 222)"
            cat /proc/sys/vm/max_map_count >runs/most"#,
        );
        let most = std::fs::read_to_string(lab.path("runs/most")).expect("the limit");
        scene.each(&["perl", "ruby"]).assert_first("map-count-limit", most.trim(), Verified);
    });
}

#[test]
fn many_mappings_that_are_not_all_are_no_reason() {
    scenario(MAPPERS, |lab| {
        let scene = lab.play(
            r#"explained perl perl -e 'my $n = `uname -m` =~ /x86_64/ ? 9 : 222;
                for my $i (1 .. 40000) { syscall($n, 0, 4096, 1 + 2 * ($i % 2), 34, -1, 0) } print STDERR "cannot open the index: Cannot allocate memory\n"; sleep 1; exit 1'
            explained ruby ruby -e 'kept = Array.new(9000) { fiber = Fiber.new { Fiber.yield }; fiber.resume; fiber }; warn "worker failed: not enough memory in the plan"; sleep 1; exit 1'
            explained_in limit "prlimit --as=300000000" python3 -c 'bytearray(1 << 29)'"#,
        );
        scene.each(&["perl", "ruby", "limit"]).assert_does_not_name("map-count-limit");
    });
}

/// Little memory may be locked, and none was to be.
#[test]
fn memory_that_nobody_wanted_to_lock_is_not_about_its_limit() {
    scenario(LOCKERS, |lab| {
        let scene = lab.play(
            r#"chmod 1777 runs; few="prlimit --memlock=0 $(identity 54391)"
            explained_in perl "$few" perl -e 'die "cannot lock the door: Operation not permitted\n"'
            explained_in dd "prlimit --memlock=0 --as=100000000 $(identity 54391)" dd if=/dev/zero of=/dev/null bs=200M count=1
            explained_in python "$few" python3 -c 'open("/nowhere/memlock")'
            explained_in plain "$few" python3 -c 'raise MemoryError'"#,
        );
        scene.each(&["perl", "dd", "python", "plain"]).assert_does_not_name("locked-memory-limit");
    });
}
