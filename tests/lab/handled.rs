//! Failures that a program dealt with earlier in its output, and what ended it then: only the latter is its cause.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Possible, Verified};

#[test]
fn probes_of_a_configure_script_are_no_causes_of_what_ends_it() {
    scenario(&[Need::Root, Need::Program("gcc")], |lab| {
        let scene = lab.play(
            "printf '%s\n' '#!/bin/sh' 'cat /etc/none-of-this/release' 'echo \"int main(void) { return none(); }\" >conftest.c' \
                'gcc conftest.c -o conftest || echo \"checking for none... no\" >&2' './no-such-helper --version' \
                'echo \"configure: error: library none is required\" >&2' 'exit 1' >configure
            chmod +x configure; mkdir ro; mount -t tmpfs -o ro lab ro
            sed -i 's|^exit 1|touch ro/config.status \\|\\| exit 1|' configure
            explained ended ./configure",
        );
        scene.run("ended").assert_first("read-only-filesystem", lab.path("ro"), Verified);
    });
}

#[test]
fn an_exception_during_the_handling_of_another_is_the_one_that_ended_the_program() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"mkdir locked
            cat >program.py <<'PYTHON'
try:
    open("/etc/no-such-place/settings.toml")
except OSError:
    open("locked/cache/index", "w")
PYTHON
            explained_as 4001 program python3 program.py
"#,
        );
        scene.run("program").assert_first("missing-path", lab.path("locked/cache"), Verified);
    });
}

#[test]
fn an_optional_package_that_fails_is_no_cause_of_a_later_failure() {
    scenario(&[Need::Root, Need::Program("npm")], |lab| {
        let scene = lab.play(
            r#"mkdir optional; echo '{"name": "optional", "version": "1.0.0", "scripts": {"install": "mkdir /no/such/place/x"}}' >optional/package.json
            echo '{"name": "a", "version": "1.0.0", "optionalDependencies": {"optional": "file:optional"}, "scripts": {"test": "exit 1"}}' >package.json
            explained install npm --offline --no-audit --no-fund --no-update-notifier install
            explained test npm --offline --no-update-notifier test"#,
        );
        assert_eq!(scene.run("install").status, 0, "{}", scene.script);
        scene.run("test").assert_silent();
    });
}

#[test]
fn what_a_loop_passed_over_is_not_what_ended_it() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r#"mkdir -m 700 closed; echo x >closed/x; for n in $(seq 20); do echo "line $n" >part$n; done
            explained_as 4001 passed sh -c 'cat closed/x; for n in $(seq 20); do cat part$n >&2; done; exit 3'
            explained_as 4001 last sh -c 'for n in $(seq 20); do cat part$n >&2; done; cat closed/x'"#,
        );
        scene.run("passed").assert_silent();
        scene.run("last").assert_first("permission-denied", lab.path("closed"), Verified);
    });
}

/// Programs that deal with an error and end for a reason that they tell: Python after its own handlers, a script after a probe.
#[test]
fn an_error_that_was_dealt_with_is_no_cause_of_what_a_program_ends_with() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Program("gcc")], |lab| {
        let scene = lab.play(
            r#"mkdir -m 700 closed; echo 'int main(void) { return x; }' >a.c
            printf '%s\n' '#!/bin/sh' 'cat /etc/none-such/release' 'echo "configure: error: zlib is required" >&2' 'exit 1' >configure; chmod +x configure
            explained_as 4001 configure ./configure
            printf '%s\n' 'import sys' 'for file in "/etc/none-such/a.ini", "/usr/lib/none-such/a.ini":' ' try: open(file)' \
                ' except OSError as error: print(f"cannot open {file}: {error.strerror}, trying next", file=sys.stderr)' \
                'sys.exit("error: no section [server] in the defaults")' >next.py
            explained_as 4001 next python3 next.py
            printf '%s\n' 'import sys, json' 'try: open("/etc/none-such/a.ini")' 'except OSError as error: print(error, file=sys.stderr)' 'json.loads("{")' >printed.py
            explained_as 4001 printed python3 printed.py
            printf '%s\n' 'try: open("/etc/none-such/a.ini")' 'except OSError: int("twelve")' >handler.py
            explained_as 4001 handler python3 handler.py
            printf '%s\n' 'import unittest' 'class T(unittest.TestCase):' ' def test(self):' '  try: open("/etc/none-such/a.ini")' \
                '  except FileNotFoundError as error: self.assertIn("denied", str(error))' >t.py
            explained_as 4001 asserted python3 -B -m unittest t
            printf '%s\n' 'import os, sys' 'try: os.mkdir("closed/cache")' 'except OSError as error: print(f"cache disabled: {error}", file=sys.stderr)' 'assert 1 == 2' >disabled.py
            explained_as 4001 disabled python3 disabled.py
            explained_as 4001 instead sh -c 'mkdir closed/cache; echo "using in-memory cache" >&2; echo "FATAL: schema version 7 is too new" >&2; exit 1'
            mkdir -p work/out/x; printf '%s\n' 'cd work' 'mkdir out' 'rmdir out' 'echo "a.c:1: error: expected ; before x" >&2' 'exit 1' >made.sh
            chmod 777 work; explained_as 4001 made sh made.sh
            explained_as 4001 wrapper sh -c 'none-such-cache gcc -c a.c -o a.o || gcc -c a.c -o a.o'
            explained_as 4001 usage sh -c 'printf "usage: tool FILE\n  EACCES  Permission denied: closed/x\nExamples:\n  cp: cannot create regular file closed/x: Permission denied\n" >&2; exit 2'"#,
        );
        for run in
            ["configure", "next", "printed", "handler", "asserted", "disabled", "instead", "made", "wrapper", "usage"]
        {
            assert_ne!(scene.run(run).status, 0, "{run} does not fail");
            scene.run(run).assert_silent();
        }
    });
}

#[test]
fn what_need_not_follow_from_an_error_makes_it_less_sure() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"mkdir -m 700 closed
            explained_as 4001 refused sh -c 'mkdir closed/state; echo "error: checksum mismatch" >&2; exit 1'
            explained_as 4001 follows sh -c 'mkdir closed/state; echo "make: *** [Makefile:2: state] Error 1" >&2; exit 2'
            printf '%s\n' 'import sys, traceback' 'try: open("/etc/none-such/a.ini")' 'except OSError: traceback.print_exc()' 'sys.exit("the port must be a number")' >printed.py
            explained_as 4001 printed python3 printed.py
            explained_as 4001 cleaned sh -c 'echo "error: 3 is not 4" >&2; rm /etc/none-such/pid; exit 1'
            explained_as 4001 status sh -c 'ls /etc/none-such/x; none-such-command'"#,
        );
        scene.run("cleaned").assert_first("missing-path", "/etc/none-such", Likely);
        scene.run("status").assert_first("command-not-found", "none-such-command", Verified);
        assert_eq!(scene.run("status").assert_names("missing-path").confidence, Likely);
        scene.run("refused").assert_first("permission-denied", lab.path("closed"), Likely);
        scene.run("follows").assert_first("permission-denied", lab.path("closed"), Verified);
        scene.run("printed").assert_first("missing-path", "/etc/none-such", Likely);
    });
}

/// Programs that had met a read-only filesystem and then fail of their own fault, whatever words that has.
#[test]
fn a_fault_of_the_program_itself_is_no_proof_of_what_it_met_before() {
    scenario(
        &[Need::Root, Need::Program("node"), Need::Program("python3"), Need::Program("perl"), Need::Program("ruby")],
        |lab| {
            let scene = lab.play(
                r#"mkdir ro; mount -t tmpfs -o ro lab ro
            write='try { require("fs").writeFileSync("ro/cache.json", "") } catch (error) { console.error(error.message) }'
            explained node.own node -e "$write; null.x"
            explained node.name node -e "$write; throw new TypeError('ro/cache.json is not a function')"
            explained node.child node -e 'try { require("child_process").execSync("touch ro/x") } catch {}; null.x'
            explained python python3 -c 'import subprocess, sys; subprocess.run(["touch", "ro/x"]); sys.exit("bad value 3")'
            explained key python3 -c 'import sys
try: open("ro/cache.json", "w")
except OSError as error: print(error, file=sys.stderr)
{}["cache.json"]'
            explained perl perl -e 'system("touch ro/x"); die "checksum mismatch\n"'
            explained ruby ruby -e 'system("touch ro/x"); abort "checksum mismatch"'
            explained twin.node node -e 'require("fs").writeFileSync("ro/cache.json", "")'
            explained twin.python python3 -c 'open("ro/cache.json", "w")'
            explained twin.perl perl -e 'system("touch ro/x") == 0 or die "could not touch it\n"'"#,
            );
            for run in ["node.own", "node.name", "node.child", "python", "key", "perl", "ruby"] {
                let causes = scene.run(run).report.map_or(Vec::new(), |report| report.causes);
                assert!(causes.iter().all(|found| found.confidence == Possible), "{run}: {causes:?}");
            }
            scene.each(&["twin.node", "twin.python", "twin.perl"]).assert_first(
                "read-only-filesystem",
                lab.path("ro"),
                Verified,
            );
        },
    );
}

/// Tests that show the words of a failure which they wanted to see.
#[test]
fn what_a_test_wanted_to_see_is_no_message() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Program("node"), Need::Program("perl")], |lab| {
        let scene = lab.play(
            r#"mkdir ro; mount -t tmpfs -o ro lab ro
            printf '%s\n' 'import unittest' 'class T(unittest.TestCase):' \
                ' def test(self): self.assertEqual("ok", "[Errno 30] Read-only file system: '"'ro/x'"'")' >t.py
            explained python python3 -B -m unittest t
            echo 'require("node:assert").strictEqual("ok", "EROFS: read-only file system, open '"'ro/x'"'")' >t.js
            explained node node t.js
            explained go sh -c 'printf -- "--- FAIL: TestA\n    a_test.go:4: got %s, want %s\nFAIL\n" "\"ok\"" "\"open ro/x: read-only file system\"" >&2; exit 1'
            explained perl perl -e 'use Test::More tests => 1; is("ok", "touch: cannot touch '"'ro/x'"': Read-only file system")'
            explained ruby sh -c 'printf -- "--- expected\n+++ actual\n@@ -1 +1 @@\n-\"Read-only file system @ rb_sysopen - ro/x\"\n+\"ok\"\n" >&2; exit 1'
            explained jest sh -c 'printf "%s\n" "    Expected: \"ok\"" "    Received: \"EROFS: read-only file system, open '"'\"'ro/x'\"'"'\"" "" \
                "    > 1 | test(() => expect(f()).toBe(\"EROFS: read-only file system, open '"'\"'ro/x'\"'"'\"))" "        |      ^" >&2; exit 1'
            explained twin sh -c 'printf -- "--- FAIL: TestA\n    a_test.go:4: unexpected error: open ro/x: read-only file system\nFAIL\n" >&2; exit 1'"#,
        );
        for run in ["python", "node", "go", "perl", "ruby", "jest"] {
            assert_ne!(scene.run(run).status, 0, "{run} does not fail");
            scene.run(run).assert_silent();
        }
        scene.run("twin").assert_names("read-only-filesystem");
    });
}

/// Another process fills a filesystem while a command fails for a reason of its own.
#[test]
fn room_that_somebody_else_used_up_is_no_cause_of_what_a_command_ends_with() {
    scenario(&[Need::Root, Need::Program("make"), Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"mkdir small; mount -t tmpfs -o size=2m lab small; export TMPDIR="$LAB/small"
            beside() {
                name=$1; shift
                (sleep 0.1; head -c 3M /dev/zero >small/filler) 2>/dev/null & filler=$!
                explained "$name" sh -c 'until [ "$(stat -fc %a small)" -lt 20 ]; do sleep 0.05; done; sleep 0.1; '"$1"
                wait $filler || :; rm small/filler
            }
            beside status 'exit 3'
            beside missing 'ls none'
            beside words 'echo "the port must be a number" >&2; exit 2'
            beside make 'make nothing'
            beside python 'python3 -c "import sys; sys.exit(\"bad value\")"'
            explained twin sh -c 'sleep 0.1; head -c 3M /dev/zero >small/own 2>/dev/null || exit 3'"#,
        );
        for run in ["status", "missing", "words", "make", "python"] {
            let causes = scene.run(run).report.map_or(Vec::new(), |report| report.causes);
            let of_room = causes.iter().filter(|found| found.id == "blocks-exhausted");
            assert!(of_room.into_iter().all(|found| found.confidence == Possible), "{run}: {causes:?}");
        }
        scene.run("twin").assert_first("blocks-exhausted", lab.path("small"), Verified);
    });
}

/// What a makefile or a program in a file passes over, told by the line that failed and by the words at the end.
#[test]
fn what_a_recipe_or_a_program_file_passed_over_is_not_what_ended_it() {
    scenario(&[Need::Root, Need::Program("make"), Need::Program("perl"), Need::Program("ruby")], |lab| {
        let scene = lab.play(
            r#"mkdir ro; mount -t tmpfs -o ro lab ro; echo 1 >one; echo 2 >two
            printf '%s\n' 'status:' '	@touch ro/x; exit 0' '	@exit 3' 'differ:' '	@echo x >ro/stamp || echo "no cache" >&2' '	@cmp -s one two' \
                'own:' '	-@touch ro/x' '	@perl own.pl' 'twin:' '	@echo; \' '	touch ro/x' 'variable:' '	@$(TOUCH) ro/x' >Makefile
            for target in status differ own twin; do explained $target make $target; done
            explained variable make variable TOUCH=touch
            printf '%s\n' '#!/usr/bin/env perl' 'system("touch ro/x");' 'die "line 3 has a bad checksum\n";' >own.pl
            printf '%s\n' '#!/usr/bin/ruby' 'system("touch ro/x")' 'raise ArgumentError, "bad value"' >own.rb
            printf '%s\n' '#!/usr/bin/env python3' 'import subprocess, sys' 'subprocess.run(["touch", "ro/x"])' 'sys.exit("check 2 failed: expected 4, got 5")' >own.py
            chmod +x own.*; for kind in pl rb py; do explained $kind ./own.$kind; done"#,
        );
        for run in ["status", "differ", "own", "pl", "rb", "py"] {
            let causes = scene.run(run).report.map_or(Vec::new(), |report| report.causes);
            assert!(causes.iter().all(|found| found.confidence == Possible), "{run}: {causes:?}");
        }
        scene.each(&["twin", "variable"]).assert_first("read-only-filesystem", lab.path("ro"), Verified);
    });
}

#[test]
fn a_terminal_that_a_script_passed_over_is_not_what_ended_it() {
    scenario(&[Need::Root, Need::Program("tput"), Need::Program("make")], |lab| {
        let scene = lab.play(
            r"export TERM=nosuch
            explained make sh -c 'tput bold; make nothing'
            explained twin sh -c 'tput bold && make nothing'",
        );
        scene.run("make").assert_silent();
        scene.run("twin").assert_first("terminal-unknown", "nosuch", Verified);
    });
}

#[test]
fn a_disk_that_two_commands_of_a_script_found_full_is_the_reason_of_both() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r"mkdir full roomy; mount -t tmpfs -o size=64k full full
            head -c 200k /dev/zero >a; cat a >full/fill 2>/dev/null || :
            explained both sh -c 'cp a full/x; dd if=/dev/zero of=full/z'
            explained passed sh -c 'cp a full/x || true; cp a full/y'
            explained other sh -c 'cp a full/x; cat roomy/none/y'",
        );
        scene.each(&["both", "passed"]).assert_first("blocks-exhausted", lab.path("full"), Verified);
        scene.run("other").assert_does_not_name("blocks-exhausted");
    });
}
