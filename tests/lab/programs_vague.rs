//! Programs that cannot be started where the message names none of them, or only that something failed.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

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
        scene.run("twin").assert_silent();
        scene.run("other").assert_silent();
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
