//! Processes that have opened all the files that they may.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Program("python3"), Need::Program("node"), Need::Program("perl")];

/// Opens the same file until it is refused, says so and lives on for a moment, as a server does.
const LEAK: &str = r#"
import os, sys, time
opened = []
try:
    while True:
        opened.append(open("/etc/passwd"))
except OSError as error:
    os.write(2, f"error: {error}\n".encode())
    time.sleep(0.4)
    sys.exit(1)
"#;

#[test]
fn a_process_with_all_its_descriptors_open_is_seen_while_it_runs() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"explained_in python "prlimit --nofile=200" python3 -c '{LEAK}'
            explained_in below "prlimit --nofile=5000" sh -c 'ulimit -n 100; python3 -c "$0"; exit $?' '{LEAK}'
            explained_in perl "prlimit --nofile=100" perl -e 'while (1) {{ open($f[$i++], "<", "/etc/passwd") or warn("cannot open /etc/passwd: $!\n"), sleep(1), exit 1 }}'"#
        ));
        for (run, limit) in [("python", "200"), ("below", "100"), ("perl", "100")] {
            let run = scene.run(run);
            let found = run.assert_first("open-files-limit", limit, Confidence::Verified);
            assert!(found.evidence.iter().any(|fact| fact.text.contains("files in /etc/")), "{run}");
        }
    });
}

#[test]
fn one_that_ends_at_once_is_likely_where_the_limit_is_low() {
    scenario(NEEDS, |lab| {
        let scene =
            lab.play(r#"explained_in node "prlimit --nofile=1024" node -e 'for (;;) fs.openSync("/etc/passwd")'"#);
        let found = scene.run("node");
        assert!(found.assert_names("open-files-limit").confidence >= Confidence::Likely);
    });
}

#[test]
fn a_raised_limit_lets_the_command_go_on() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"ulimit -S -n 64
            explained before python3 -c 'l = [open("/etc/passwd") for _ in range(100)]'
            eval "$(fix_of before ulimit)"
            explained after python3 -c 'l = [open("/etc/passwd") for _ in range(100)]'"#,
        );
        assert_eq!(scene.run("after").status, 0, "{}", scene.run("before"));
    });
}

#[test]
fn descriptors_that_are_left_are_silence() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"explained_in missing "prlimit --nofile=64" cat /nowhere
            explained_in quoted "prlimit --nofile=20000" sh -c 'echo "the log said: Too many open files" >&2; exit 1'"#,
        );
        for run in ["missing", "quoted"] {
            scene.run(run).assert_does_not_name("open-files-limit");
        }
    });
}
