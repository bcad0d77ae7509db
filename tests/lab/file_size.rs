//! A limit on the size of files, which linkers and copiers report as a full disk, as a signal or as a compiler's bug; and the
//! longest file of a filesystem.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Program("python3"), Need::Program("gcc")];

#[test]
fn a_file_that_reached_the_limit_is_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r"mkdir work; cd work; ulimit -f 200
            explained signal dd if=/dev/zero of=big bs=1k count=200
            explained copy cp /bin/bash copy
            explained shell sh -c 'dd if=/dev/zero of=below bs=1k count=200; exit $?'
            explained twin python3 --no-such-option",
        );
        // What another command made just before is not of this one, which wrote hardly anything.
        scene.run("twin").assert_silent();
        for (run, file) in [("signal", "big"), ("copy", "copy"), ("shell", "below")] {
            let run = scene.run(run);
            run.assert_first("file-size-limit", lab.path("work").join(file), Confidence::Verified);
            run.assert_does_not_name("blocks-exhausted");
        }
    });
}

#[test]
fn words_that_name_no_file_are_seen_through() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"mkdir work; cd work; echo 'int a[1000000] = {1}; int main(void) { return 0; }' >a.c; ulimit -f 200
            explained python python3 -c 'open("/dev/null"); open("out", "wb").write(b"x" * 300000)'
            explained gcc gcc -o prog a.c"#,
        );
        for run in ["python", "gcc"] {
            let found = scene.run(run).assert_names("file-size-limit").confidence;
            assert_eq!(found, Confidence::Verified, "{}", scene.run(run));
        }
    });
}

#[test]
fn a_raised_limit_lets_the_command_go_on() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"ulimit -S -f 200
            explained before dd if=/dev/zero of=big bs=1k count=200
            eval "$(fix_of before ulimit)"
            explained after dd if=/dev/zero of=big bs=1k count=200"#,
        );
        assert_eq!(scene.run("after").status, 0, "{}", scene.run("before"));
    });
}

#[test]
fn a_limit_that_the_script_sets_by_itself_is_told() {
    scenario(NEEDS, |lab| {
        let scene = lab.play("explained script sh -c 'ulimit -f 200; dd if=/dev/zero of=big bs=1k count=200; exit $?'");
        let run = scene.run("script");
        let found = run.assert_first("file-size-limit", lab.path("big"), Confidence::Verified);
        assert!(found.evidence.iter().any(|fact| fact.text.contains("set it by itself")), "{run}");
    });
}

#[test]
fn the_longest_file_of_a_filesystem_is_told() {
    scenario(&[Need::Root, Need::Filesystem("ext4"), Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"loop_mount ext4 16M "$LAB/disk" -b 1024
            explained truncate truncate -s 5T disk/huge
            explained dd dd if=/dev/zero of=disk/far bs=1M count=1 seek=5000000"#,
        );
        for (run, file) in [("truncate", "disk/huge"), ("dd", "disk/far")] {
            scene.run(run).assert_first("file-size-limit", lab.path(file), Confidence::Verified);
        }
    });
}

#[test]
fn a_limit_that_was_not_reached_is_silence() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r"mkdir full; mount -t tmpfs -o size=1m lab full; ulimit -f 20000
            explained full dd if=/dev/zero of=full/big bs=1k count=2000
            explained missing cp /nowhere copy
            explained status sh -c 'exit 152'",
        );
        for run in ["full", "missing", "status"] {
            scene.run(run).assert_does_not_name("file-size-limit");
        }
    });
}
