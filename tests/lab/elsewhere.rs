//! Something is wrong with the machine, and it is not why the command failed: what is not in the way of the work is not named.

use super::harness::{Need, scenario};

const NEEDS: &[Need] =
    &[Need::Root, Need::Program("gcc"), Need::Program("python3"), Need::Program("git"), Need::Program("make")];

/// Plays failures that have nothing to do with the state that `setup` makes, each of which must stay without a word.
#[track_caller]
fn assert_no_fault_of(setup: &str, failures: &[&str]) {
    scenario(NEEDS, |lab| {
        let runs = failures.iter().enumerate().map(|(index, failure)| format!("explained run{index} {failure}\n"));
        let scene = lab.play(&format!("{setup}\n{}", runs.collect::<String>()));
        for index in 0..failures.len() {
            scene.run(&format!("run{index}")).assert_silent();
        }
    });
}

#[test]
fn a_read_only_home_and_temporary_directory_are_no_reason_for_what_only_reads() {
    assert_no_fault_of(
        r#"mkdir ro; mount -t tmpfs -o ro lab ro; export TMPDIR="$LAB/ro" HOME="$LAB/ro""#,
        &[
            "python3 -c 'import nosuch'",
            "git -C ro log",
            "make -C ro",
            "cat ro/nosuch",
            "sh -c 'exit 3'",
            r#"python3 -c 'open("ro/nosuch")'"#,
        ],
    );
}

#[test]
fn a_full_temporary_directory_is_no_reason_for_what_writes_elsewhere() {
    assert_no_fault_of(
        r#"mkdir full; mount -t tmpfs -o size=64k lab full; head -c 1M /dev/zero >full/x 2>/dev/null || true
        echo 'int main(void) { return missing; }' >a.c; export TMPDIR="$LAB/full""#,
        &["python3 -c 'import nosuch'", "cp nosuch full/", "cat full/nosuch", "git -C full status"],
    );
}

#[test]
fn limits_that_nothing_reached_are_no_reason() {
    assert_no_fault_of(
        "ulimit -n 64; ulimit -t 20; ulimit -f 100000; echo 'int main(void) { return missing; }' >a.c",
        &["gcc -c a.c -o a.o", "python3 -c 'raise SystemExit(3)'", "ls nosuch"],
    );
}

#[test]
fn a_home_that_takes_no_files_is_no_reason_for_what_needs_none() {
    scenario(&[Need::Root, Need::Program("git"), Need::Program("npm")], |lab| {
        let scene = lab.play(
            r#"mkdir -p home; export HOME="$LAB/home"; chmod 755 home
            echo '{"name":"x","version":"1.0.0"}' >package.json
            explained_as 4001 missing cat "$HOME/nosuch"
            explained_as 4001 script npm run nosuch
            explained_as 4001 made git config --global user.name ann"#,
        );
        for run in ["missing", "script"] {
            scene.run(run).assert_does_not_name("home-unusable");
        }
        scene.run("made").assert_names("home-unusable");
    });
}
