//! Memory that a process may not have, and processes that the kernel killed for want of it, told from those that somebody killed.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] =
    &[Need::Root, Need::Program("python3"), Need::Program("perl"), Need::Program("node"), Need::Program("gcc")];
const GROUPED: &[Need] = &[Need::Root, Need::Program("python3"), Need::Program("perl"), Need::Group("memory")];

/// A control group of 64 MiB, and `fill MIB`, the words of a program that takes as much.
const SMALL: &str = r"group memory memory.max 67108864 memory.limit_in_bytes 67108864 memory.swap.max 0";

#[test]
fn an_address_space_that_is_too_small_is_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"small="prlimit --as=400000000"
            explained_in python "$small" python3 -c 'b = bytearray(500 << 20)'
            explained_in perl "$small" perl -e '$x = "x" x 500_000_000'
            explained_in node "$small" node -e 1"#,
        );
        // Their words may mean other things, and little of it was in use when they said them.
        scene.each(&["python", "perl"]).assert_first("memory-limit", "400000000", Confidence::Likely);
        scene.run("node").assert_first("memory-limit", "400000000", Confidence::Verified);
    });
}

#[test]
fn a_kill_for_want_of_memory_in_a_control_group_is_named() {
    scenario(GROUPED, |lab| {
        let scene = lab.play(&format!(
            r#"{SMALL}
            explained_in python "$inside" python3 -c 'b = b"x" * (200 << 20)'
            explained_in below "$inside" sh -c 'perl -e "\$x = q(x) x 200_000_000"; exit $?'
            echo "$GROUP" >"$LAB/runs/group""#
        ));
        let group = std::fs::read_to_string(lab.path("runs/group")).expect("the group's directory");
        scene.each(&["python", "below"]).assert_first("out-of-memory", group.trim(), Confidence::Verified);
    });
}

#[test]
fn a_raised_limit_of_the_group_lets_the_command_go_on() {
    scenario(GROUPED, |lab| {
        let scene = lab.play(&format!(
            r#"{SMALL}
            explained_in before "$inside" python3 -c 'b = b"x" * (80 << 20)'
            type_fix before memory
            explained_in after "$inside" python3 -c 'b = b"x" * (80 << 20)'"#
        ));
        assert_eq!(scene.run("after").status, 0, "{}", scene.run("before"));
    });
}

#[test]
fn a_kill_with_memory_left_and_a_chosen_status_are_silence() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"explained kill sh -c 'kill -9 $$'
            explained below sh -c 'sh -c "kill -9 \$\$"; exit $?'
            explained chosen sh -c 'exit 137'
            explained limited timeout -s KILL 0.2 sleep 5
            explained missing python3 -c 'open("/nowhere")'"#,
        );
        for run in ["kill", "below", "chosen", "limited", "missing"] {
            scene.run(run).assert_does_not_name("out-of-memory");
            scene.run(run).assert_does_not_name("memory-limit");
        }
    });
}

#[test]
fn mappings_up_to_their_limit_are_named_and_told_from_memory() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"explained python python3 -c '
import mmap, os, sys, time
kept = []
try:
    while True:
        kept.append(mmap.mmap(-1, 4096, prot=mmap.PROT_READ | (mmap.PROT_WRITE if len(kept) % 2 else 0)))
except OSError as error:
    os.write(2, f"error: {error.strerror}\n".encode())
    time.sleep(0.5)
    sys.exit(1)
'
            cat >maps.c <<-'END'
			#include <stdio.h>
			#include <sys/mman.h>
			#include <unistd.h>
			int main(void) {
			    for (int count = 0;; count++)
			        if (mmap(0, 4096, PROT_READ | (count % 2 ? PROT_WRITE : 0), MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) {
			            perror("maps"); usleep(500000); return 1;
			        }
			}
			END
            gcc -O0 -w -o maps maps.c; explained compiled ./maps
            explained twin python3 -c 'import mmap; kept = [mmap.mmap(-1, 4096) for _ in range(1000)]; raise MemoryError'
            cat /proc/sys/vm/max_map_count >runs/most"#,
        );
        let most = std::fs::read_to_string(lab.path("runs/most")).expect("the limit");
        scene.each(&["python", "compiled"]).assert_first("map-count-limit", most.trim(), Confidence::Verified);
        scene.run("twin").assert_does_not_name("map-count-limit");
    });
}

#[test]
fn memory_that_may_not_be_locked_is_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"chmod 1777 runs
            lock='import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.mlock(ctypes.create_string_buffer(1 << 20), 1 << 20):
    raise OSError(ctypes.get_errno(), "mlock: " + os.strerror(ctypes.get_errno()))'
            explained_in user "prlimit --memlock=65536 $(identity 54396)" python3 -c "$lock"
            explained_in root "prlimit --memlock=65536" python3 -c "$lock"
            explained_in perl "prlimit --memlock=65536 $(identity 54396)" perl -e 'require "syscall.ph" if 0; syscall($ARGV[0], 1) == 0 or die "mlockall: $!\n"' "$(python3 -c 'import platform; print({"x86_64": 151, "aarch64": 230}[platform.machine()])')"
            explained_in twin "prlimit --memlock=65536 $(identity 54396)" perl -e 'open F, "</nowhere" or die "mlock.conf: $!\n"'"#,
        );
        scene.each(&["user", "perl"]).assert_first("locked-memory-limit", "65536", Confidence::Verified);
        scene.run("twin").assert_does_not_name("locked-memory-limit");
    });
}

#[test]
fn locked_memory_is_told_where_only_the_command_line_has_the_call() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"chmod 1777 runs; user="$(identity 54396)"
            lock='import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.mlock(ctypes.create_string_buffer(1 << 20), 1 << 20): sys.exit("cannot start: " + os.strerror(ctypes.get_errno()))'
            explained_in vague "prlimit --memlock=65536 $user" python3 -c "$lock"
            explained_in none "prlimit --memlock=0 $user" python3 -c "$lock"
            explained_in twin "prlimit --memlock=65536 $user" python3 -c 'import sys; sys.exit("cannot start: Cannot allocate memory")'
            explained_in twin.locked "prlimit --memlock=8388608 $user" python3 -c "$lock
sys.exit('cannot start')""#,
        );
        scene.run("vague").assert_first("locked-memory-limit", "65536", Confidence::Likely);
        scene.run("none").assert_first("locked-memory-limit", "0", Confidence::Likely);
        scene.run("twin").assert_does_not_name("locked-memory-limit");
        scene.run("twin.locked").assert_silent();
    });
}
