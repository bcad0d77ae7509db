//! Failures that a program dealt with earlier in its output, and what ended it then: only the latter is its cause.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::Verified;

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
