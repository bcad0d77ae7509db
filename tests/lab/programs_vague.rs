//! Programs that cannot be started where the message names none of them, or only that something failed.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

/// A script of root's in a user's tree, which nobody at all may execute: its owner has no part in it.
#[test]
fn a_program_without_execute_bit_is_not_refused_for_its_owner() {
    scenario(&[Need::Root, Need::Program("make"), Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"mkdir work; printf '#!/bin/sh\necho\n' >work/gen.sh; chmod 644 work/gen.sh; printf 'all:\n\t./gen.sh\n' >work/Makefile
            chown 4001 work; cd work
            explained_as 4001 make make
            explained_as 4001 python python3 -c 'import subprocess; subprocess.run(["./gen.sh"])'"#,
        );
        for run in ["make", "python"] {
            let run = scene.run(run);
            run.assert_names("not-executable");
            run.assert_does_not_name("foreign-owner");
            run.assert_does_not_name("permission-denied");
        }
    });
}

#[test]
fn a_start_that_failed_without_a_name_is_explained_by_what_the_command_line_has() {
    let needs = [Need::Root, Need::Program("perl"), Need::Program("python3"), Need::Program("strace")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"printf '#!/bin/sh\r\ntrue\r\n' >crlf; printf '#!/bin/sh\n' >nox; echo true >bare; printf '#!/gone/sh\n' >gone; chmod +x crlf bare gone
            explained crlf perl -e 'exec "./crlf" or die "cannot run hook: $!\n"'
            explained gone perl -e 'exec "./gone" or die "cannot run hook: $!\n"'
            explained nox perl -e 'exec "./nox" or die "cannot run hook: $!\n"'
            explained bare python3 -c 'import os; os.execv("./bare", ["x"])'
            explained strace strace -o /dev/null ./crlf
            explained twin perl -e '$! = 2; die "cannot run ./absent: $!\n"'
            explained other perl -e 'open F, "<", "absent" or die "cannot open: $!\n"' ./crlf"#,
        );
        for (run, id, file) in [
            ("crlf", "crlf-shebang", "crlf"),
            ("gone", "missing-interpreter", "gone"),
            ("nox", "not-executable", "nox"),
            ("bare", "missing-shebang", "bare"),
            ("strace", "crlf-shebang", "crlf"),
        ] {
            scene.run(run).assert_only(id, lab.path(file), Likely);
        }
        scene.each(&["twin", "other"]).assert_silent();
    });
}

#[test]
fn a_tracer_that_cannot_start_its_program_is_not_missing_a_command_named_exec() {
    scenario(&[Need::Root, Need::Program("strace")], |lab| {
        let scene = lab.play(
            "explained strace strace -o /dev/null ./no-such-program
            explained env env no-such-command-at-all",
        );
        scene.run("strace").assert_does_not_name("command-not-found");
        scene.run("env").assert_first("command-not-found", "no-such-command-at-all", Verified);
    });
}

#[test]
fn a_program_that_failed_unheard_is_looked_at() {
    let needs = [Need::Root, Need::Program("gcc"), Need::Program("python3"), Need::Program("node")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir old new; echo 'int f(void) { return 0; }' >f.c; echo 'int f(void); int main(void) { return f(); }' >main.c
            echo 'F_1 { global: f; };' >old.map; echo 'F_1 { }; F_2 { global: f; } F_1;' >new.map
            for v in old new; do gcc -shared -fPIC f.c -o "$v/libf.so.1" -Wl,-soname,libf.so.1,--version-script,$v.map; done
            gcc main.c new/libf.so.1 -o stale -Wl,-rpath,"$LAB/old"; gcc main.c new/libf.so.1 -o lost; gcc main.c f.c -o plain
            gcc main.c f.c -o strange -Wl,--dynamic-linker=/opt/none/ld.so; cp plain foreign
            python3 -c 'with open("foreign", "r+b") as file: file.seek(18); file.write(b"\xb7\0")'
            run='import subprocess, sys; subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL, check=True)'
            start='require("child_process").execFileSync(process.argv[1], { stdio: "ignore" })'
            explained python python3 -c "$run" ./stale
            explained node node -e "$start" ./stale
            explained library python3 -c "$run" ./lost
            explained strange sh -c './strange 2>/dev/null'
            explained foreign sh -c './foreign 2>/dev/null'
            explained twin python3 -c "$run" sh -c 'exit 127'
            explained twin.node node -e "$start" /bin/false
            explained twin.sh sh -c './plain 2>/dev/null; exit 127'"#,
        );
        for (run, id, file) in [
            ("python", "library-too-old", "stale"),
            ("node", "library-too-old", "stale"),
            ("library", "missing-shared-library", "lost"),
            ("strange", "missing-loader", "strange"),
            ("foreign", "wrong-architecture", "foreign"),
        ] {
            scene.run(run).assert_only(id, lab.path(file), Likely);
        }
        scene.each(&["twin", "twin.node", "twin.sh"]).assert_silent();
    });
}

#[test]
fn a_hook_in_the_directory_that_the_script_went_to_is_found_there() {
    scenario(&[Need::Root, Need::Program("git"), Need::Program("bash")], |lab| {
        let scene = lab.play(
            r#"git init -q r; printf '#!/gone/sh\n' >r/.git/hooks/pre-commit; chmod +x r/.git/hooks/pre-commit; mkdir -p r/sub/deep
            commit='git -c user.email=a@b -c user.name=a commit -q --allow-empty -m a'
            explained script sh -c "cd r; $commit"
            explained unknown sh -c "for d in r; do cd \$d; $commit; done"
            explained twin bash -c 'cd r/sub && mkdir shallow/x'
            explained twin.there bash -c 'cd r/sub && mkdir deep'"#,
        );
        scene.run("script").assert_only("missing-interpreter", lab.path("r/.git/hooks/pre-commit"), Verified);
        scene.run("unknown").assert_silent();
        scene.run("twin").assert_only("missing-path", lab.path("r/sub/shallow"), Verified);
        scene.run("twin.there").assert_only("already-exists", lab.path("r/sub/deep"), Verified);
    });
}
