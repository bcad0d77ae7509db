//! Scripts and programs that do not start, behind the tools that were to start them: sandboxes, daemons' starters, package tools, debuggers, languages.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

const STARTERS: &[Need] = &[
    Need::Root,
    Need::Program("start-stop-daemon"),
    Need::Program("bwrap"),
    Need::Program("tar"),
    Need::Program("rsync"),
    Need::Program("valgrind"),
    Need::Program("lua5.4"),
    Need::Program("php"),
    Need::Program("ssh"),
    Need::Program("git"),
];

/// Scripts that cannot be started, each for its own reason, and one that can.
const SCRIPTS: &str = r"printf '#!/bin/sh\r\ntrue\r\n' >crlf; printf '#!/gone/sh\n' >gone; printf '#!/bin/sh\n' >nox; echo true >bare
    printf '#!/bin/sh\nexit 3\n' >sound; chmod +x crlf gone bare sound
";

#[test]
fn a_script_with_carriage_returns_is_found_behind_tools_that_call_it_missing() {
    scenario(STARTERS, |lab| {
        let scene = lab.play(&format!(
            r#"{SCRIPTS}
            explained daemon start-stop-daemon --start --exec "$LAB/crlf"
            explained bwrap bwrap --dev-bind / / ./crlf
            explained tar tar --use-compress-program=./crlf -cf x.tar gone
            explained rsync rsync -e ./crlf nowhere:x y
            explained lua lua5.4 -e 'assert(os.execute("./crlf"))'
            explained php php -r 'exit(proc_close(proc_open(["./crlf"], [], $pipes)));'
            explained twin start-stop-daemon --start --exec "$LAB/none/crlf"
            explained twin.sound bwrap --dev-bind / / ./sound ./crlf
            explained twin.lua lua5.4 -e 'assert(os.execute("./sound"))' ./crlf"#
        ));
        let tools = scene.each(&["daemon", "bwrap", "tar", "rsync", "lua"]);
        tools.assert_only("crlf-shebang", lab.path("crlf"), Verified);
        scene.run("php").assert_only("crlf-shebang", lab.path("crlf"), Likely);
        scene.each(&["twin", "twin.sound", "twin.lua"]).assert_does_not_name("crlf-shebang");
    });
}

#[test]
fn an_interpreter_that_is_gone_is_found_behind_tools_that_call_the_script_missing() {
    scenario(STARTERS, |lab| {
        let scene = lab.play(&format!(
            r#"{SCRIPTS}
            explained daemon start-stop-daemon --start --exec "$LAB/gone"
            explained valgrind valgrind -q ./gone
            explained alias git -c alias.x='!./gone' x
            explained ssh ssh -o ProxyCommand=./gone -o BatchMode=yes nowhere
            explained php php -r 'exit(proc_close(proc_open(["./gone"], [], $pipes)));'
            explained twin git -c alias.x='!./sound' x ./gone
            explained twin.valgrind valgrind -q ./sound ./gone
            explained twin.ssh ssh -o ProxyCommand=./sound -o BatchMode=yes nowhere"#
        ));
        scene.each(&["daemon", "valgrind", "alias"]).assert_only("missing-interpreter", lab.path("gone"), Verified);
        scene.each(&["ssh", "php"]).assert_only("missing-interpreter", lab.path("gone"), Likely);
        scene.each(&["twin", "twin.valgrind", "twin.ssh"]).assert_does_not_name("missing-interpreter");
    });
}

#[test]
fn a_script_without_execute_permission_is_found_behind_sandboxes_debuggers_and_compressors() {
    scenario(STARTERS, |lab| {
        let scene = lab.play(&format!(
            r#"{SCRIPTS}
            explained bwrap bwrap --dev-bind / / ./nox
            explained valgrind valgrind -q ./nox
            explained tar tar --use-compress-program=./nox -cf x.tar gone
            explained chroot chroot / "$LAB/nox"
            explained php php -r 'exit(proc_close(proc_open(["./nox"], [], $pipes)));'
            explained twin bwrap --dev-bind / / ./sound ./nox
            explained twin.tar tar --use-compress-program=./sound -cf x.tar nox
            explained twin.read php -r 'fopen("./none", "r") || exit(1);' ./nox"#
        ));
        let tools = scene.each(&["bwrap", "valgrind", "tar", "chroot"]);
        tools.assert_only("not-executable", lab.path("nox"), Verified);
        scene.run("php").assert_only("not-executable", lab.path("nox"), Likely);
        scene.each(&["twin", "twin.tar", "twin.read"]).assert_does_not_name("not-executable");
    });
}

#[test]
fn text_that_the_kernel_does_not_execute_is_found_behind_what_starts_daemons() {
    scenario(STARTERS, |lab| {
        let scene = lab.play(&format!(
            r#"{SCRIPTS} : >empty; chmod +x empty
            explained daemon start-stop-daemon --start --exec "$LAB/bare"
            explained empty start-stop-daemon --start --exec "$LAB/empty"
            explained twin start-stop-daemon --start --exec "$LAB/sound"
            explained twin.shell sh -c './bare; exit 3'"#
        ));
        scene.run("daemon").assert_only("missing-shebang", lab.path("bare"), Verified);
        scene.run("empty").assert_first("missing-shebang", lab.path("empty"), Verified);
        scene.each(&["twin.shell"]).assert_silent();
        assert_eq!(scene.run("twin").status, 3);
    });
}
