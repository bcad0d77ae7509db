//! Programs that cannot be started by others that say only that something failed, and programs that start and fail for reasons of their own
//! while what cannot be started lies beside them.

use crate::harness::{Need, crash_scenario, scenario};
use explain::cause::Confidence::Likely;

const LANGUAGES: &[Need] =
    &[Need::Root, Need::Program("perl"), Need::Program("ruby"), Need::Program("node"), Need::Program("python3")];

/// Scripts that cannot be started, each for its own reason, and one that can.
const SCRIPTS: &str = r"printf '#!/bin/sh\r\ntrue\r\n' >crlf; printf '#!/gone/sh\n' >gone; printf '#!/bin/sh\n' >nox; echo 'exit 4' >bare
    printf '#!/bin/sh\nexit 3\n' >sound; chmod +x crlf gone bare sound
";

#[test]
fn a_script_that_a_program_text_starts_is_looked_at_where_only_a_failure_is_told() {
    scenario(LANGUAGES, |lab| {
        let scene = lab.play(&format!(
            r#"{SCRIPTS}
            for script in crlf gone nox; do
                explained $script.perl perl -e "system('./$script') == 0 or die \"step failed\\n\""
                explained $script.ruby ruby -e "system('./$script') or abort 'step failed'"
                explained $script.node node -e "require('child_process').spawn('./$script').on('error', () => {{ console.error('step failed'); process.exit(1) }})"
            done
            explained bare.python python3 -c 'import subprocess, sys
try: subprocess.run(["./bare"])
except OSError: sys.exit("cannot run the step")' ./bare"#
        ));
        for (script, id) in [("crlf", "crlf-shebang"), ("gone", "missing-interpreter"), ("nox", "not-executable")] {
            for language in ["perl", "ruby", "node"] {
                scene.run(&format!("{script}.{language}")).assert_only(id, lab.path(script), Likely);
            }
        }
    });
}

#[test]
fn scripts_that_start_and_fail_are_silence_whatever_lies_beside_them() {
    scenario(LANGUAGES, |lab| {
        let scene = lab.play(&format!(
            r#"{SCRIPTS}
            explained perl perl -e 'system("./sound") == 0 or die "step failed\n"'
            explained bare perl -e 'system("./bare") == 0 or die "step failed\n"'
            explained ruby ruby -e 'system("./sound") or abort "step failed"'
            explained node node -e 'require("child_process").execFileSync("./sound")' ./crlf
            explained read perl -e 'open my $f, "<", "crlf"; die "step failed\n"'
            explained sh sh -c './sound && ./gone'
            explained python python3 -c 'import sys; sys.exit("nox: cannot be parsed")' ./nox"#
        ));
        scene.each(&["perl", "bare", "ruby", "node", "read", "sh", "python"]).assert_silent();
    });
}

#[test]
fn a_name_that_a_program_text_starts_is_looked_up_where_only_a_failure_is_told() {
    scenario(LANGUAGES, |lab| {
        let scene = lab.play(
            r#"explained perl perl -e 'system("frobnicatd --all") == 0 or die "step failed\n"'
            explained ruby ruby -e 'system("frobnicatd", "x") or abort "cannot start the step"'
            explained python python3 -c 'import subprocess, sys
try: subprocess.run(["frobnicatd"])
except OSError: sys.exit("cannot start the step")'
            explained node node -e 'require("child_process").spawn("frobnicatd").on("error", () => { console.error("step failed"); process.exit(1) })'"#,
        );
        scene.each(&["perl", "ruby", "python", "node"]).assert_only("command-not-found", "frobnicatd", Likely);
    });
}

/// Words that shells use for commands are used for modules, packages and records too.
#[test]
fn what_else_is_not_found_is_no_command() {
    scenario(LANGUAGES, |lab| {
        let scene = lab.play(
            r#"explained perl perl -e 'system("false") == 0 or die "step failed\n"'
            explained module python3 -c 'import frobnicatd'
            explained record ruby -e 'abort "frobnicatd: not found"'
            explained builtin perl -e 'system("exit 3") == 0 or die "step failed\n"'
            explained word sh -c 'echo "record: not found" >&2; exit 1'
            explained node node -e 'require("frobnicatd")'"#,
        );
        scene.each(&["perl", "module", "record", "builtin", "word", "node"]).assert_does_not_name("command-not-found");
    });
}

/// Programs whose libraries are found, beside one that lacks its library and one whose library is too old.
#[test]
fn programs_whose_libraries_are_whole_fail_in_silence() {
    let needs = [Need::Root, Need::Program("gcc"), Need::Program("perl"), Need::Program("make"), Need::Program("node")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir old new; echo 'int f(void) { return 3; }' >f.c; echo 'int f(void); int main(void) { return f(); }' >main.c
            echo 'F_1 { global: f; };' >old.map; echo 'F_1 { }; F_2 { global: f; } F_1;' >new.map
            for v in old new; do gcc -shared -fPIC f.c -o "$v/libf.so.1" -Wl,-soname,libf.so.1,--version-script,$v.map; done
            gcc main.c new/libf.so.1 -o fits -Wl,-rpath,"$LAB/new"; gcc main.c new/libf.so.1 -o stale -Wl,-rpath,"$LAB/old"
            gcc main.c new/libf.so.1 -o lost; printf 'all:\n\t./fits\n' >Makefile
            explained make make
            explained perl perl -e 'system("./fits") == 0 or die "step failed\n"' ./lost
            explained node node -e 'require("child_process").execFileSync("./fits", ["./stale"], { stdio: "ignore" })'
            explained sh sh -c './fits 2>/dev/null; exit 127'
            explained words perl -e 'die "library not found in the catalogue\n"'"#,
        );
        scene.each(&["make", "perl", "node", "sh", "words"]).assert_silent();
    });
}

/// SIGILL is sent by hand, raised on purpose and reported by words, beside a program that no present processor executes.
#[test]
fn programs_that_stop_themselves_by_an_illegal_instruction_are_silence() {
    let needs =
        [Need::Root, Need::Program("gcc"), Need::Program("perl"), Need::Program("make"), Need::Program("xargs")];
    crash_scenario(&needs, |lab| {
        let scene = lab.play(
            r#"echo 'int main(void) { __builtin_trap(); }' >stop.c; gcc stop.c -o stop; printf 'all:\n\t./stop\n' >Makefile
            explained make make
            explained perl perl -e 'kill "ILL", $$; sleep 1'
            explained below perl -e 'system("./stop") == 0 or die "step failed\n"'
            explained xargs sh -c 'echo | xargs ./stop'
            explained chosen sh -c 'exit 132'
            explained words sh -c 'echo "Illegal instruction" >&2; exit 1'"#,
        );
        scene.each(&["make", "perl", "below", "xargs", "chosen", "words"]).assert_does_not_name("unsupported-cpu");
    });
}
