//! Something is wrong with the machine, and it is not why the command failed: what is not in the way of the work is not named.

use super::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Possible, Verified};

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
        scene.each(&["missing", "script"]).assert_does_not_name("home-unusable");
        scene.run("made").assert_names("home-unusable");
    });
}

#[test]
fn what_a_script_goes_on_after_is_no_reason_for_what_ends_it() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"mkdir -m 700 closed; mkdir -p tree/closed; chmod 700 tree/closed; echo x >log; mkdir ro; mount -t tmpfs -o ro lab ro
            explained_as 4001 handled sh -c 'touch ro/x || true; python3 -c 1/0'
            explained_as 4001 found sh -c 'find tree -name a.c; grep -q nothing log'
            explained_as 4001 usage sh -c 'du -s tree closed >/dev/null; python3 -c "1/0"'
            explained_as 4001 tried sh -c 'for d in ro; do if cp log $d/; then break; fi; done; echo "assertion failed: a == b" >&2; exit 1'
            explained_as 4001 otherwise sh -c 'touch ro/x; make -s nothing'
            printf 'all:\n\tfalse\n' >makefile; explained_as 4001 other sh -c 'touch ro/x; make -s all'
            explained_as 4001 real sh -c 'make -s nothing || touch ro/x'
            explained_as 4001 strict sh -ec 'touch ro/x; make -s nothing'
            explained_as 4001 piped sh -c 'find tree -name a.c | grep -q nothing'"#,
        );
        scene.each(&["handled", "usage", "tried", "otherwise"]).assert_silent();
        scene.each(&["found", "piped"]).assert_first("permission-denied", lab.path("tree/closed"), Possible);
        scene.run("other").assert_first("read-only-filesystem", lab.path("ro"), Likely);
        scene.each(&["real", "strict"]).assert_first("read-only-filesystem", lab.path("ro"), Verified);
    });
}

#[test]
fn a_home_of_another_user_is_no_matter_of_what_is_named_in_it() {
    scenario(&[Need::Root, Need::Program("git")], |lab| {
        let scene = lab.play(
            r#"mkdir -m 700 own; echo x >own/secret; export HOME="$LAB/own"
            explained_as 4001 read cat "$HOME/secret"
            explained_as 4001 into cp /etc/hostname "$HOME/"
            explained_as 4001 listed ls "$HOME"
            explained_as 4001 own git config --global user.name ann"#,
        );
        scene.each(&["read", "into", "listed"]).assert_first("permission-denied", lab.path("own"), Verified);
        scene.run("own").assert_first("home-unusable", lab.path("own"), Verified);
    });
}

/// What a full filesystem beside could explain and does not: an archive that is missing, a conflict, a page that is not there.
#[test]
fn a_full_filesystem_is_not_even_possible_where_a_reason_was_told() {
    assert_no_fault_of(
        r#"mkdir full; mount -t tmpfs -o size=64k lab full; head -c 1M /dev/zero >full/x 2>/dev/null || true
        git init -q g; cd g; git config user.email a@b; git config user.name a; echo 1 >f; git add f; git commit -qm 1
        git checkout -qb b; echo 2 >f; git commit -qam 2; git checkout -q -; echo 3 >f; git commit -qam 3; cd ..
        serve g; export TMPDIR="$LAB/full""#,
        &[
            "tar -xf nosuch.tar -C full",
            "git -C g merge b",
            r#"timeout 20 wget -q -O full/page "$URL/nosuch""#,
            "timeout 20 git -C g cherry-pick b",
        ],
    );
}

/// Scripts in files, and what programs of other languages start: what they go on after.
#[test]
fn what_a_script_in_a_file_goes_on_after_is_no_reason_for_what_ends_it() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"mkdir -m 700 closed; mkdir ro; mount -t tmpfs -o ro lab ro; mkdir -p tree/closed; chmod 700 tree/closed
            printf '%s\n' '#!/bin/sh' 'touch ro/x' 'python3 -c 1/0' >goes-on; printf '%s\n' 'touch ro/x || true' 'make -s nothing' >passes
            printf '%s\n' '#!/bin/bash' 'if ! mkdir ro/d; then echo no cache >&2; fi' 'gcc -c none.c' >asks
            printf '%s\n' '#!/bin/sh -e' 'touch ro/file' 'make -s nothing' >strict; printf '%s\n' 'find tree -name a.c' 'grep -q absent passes' >finds
            chmod +x goes-on asks strict
            explained_as 4001 goes-on ./goes-on
            explained_as 4001 passes timeout 20 sh passes
            explained_as 4001 asks ./asks
            explained_as 4001 child python3 -c 'import subprocess; subprocess.run(["touch", "ro/file"]); assert 1 == 2'
            explained_as 4001 finds sh finds
            explained_as 4001 strict ./strict"#,
        );
        scene.each(&["goes-on", "passes", "asks"]).assert_silent();
        scene.run("child").assert_first("read-only-filesystem", lab.path("ro"), Possible);
        scene.run("finds").assert_first("permission-denied", lab.path("tree/closed"), Possible);
        scene.run("strict").assert_first("read-only-filesystem", lab.path("ro"), Verified);
    });
}

#[test]
fn room_that_ran_out_and_of_which_nobody_spoke_is_not_proven_to_be_why() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"mkdir small; mount -t tmpfs -o size=4m lab small
            explained other sh -c 'head -c 4M /dev/zero >small/f; sleep 0.3; rm small/f; python3 -c "1/0"'
            explained said sh -c 'head -c 8M /dev/zero >small/f'"#,
        );
        assert!(!scene.run("other").causes().iter().any(|cause| cause.confidence > Possible), "{}", scene.script);
        scene.run("said").assert_first("blocks-exhausted", lab.path("small"), Verified);
    });
}

#[test]
fn a_number_of_a_launcher_is_no_port() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"mkdir -m 700 closed; bind='import socket; socket.socket(socket.AF_UNIX).bind("closed/s")'
            explained_as 4001 refused timeout -k 5 60 python3 -c "$bind""#,
        );
        scene.run("refused").assert_does_not_name("privileged-port");
    });
}

/// Programs that carry a command to another machine or into a container; small scripts stand in for them and say what that one said.
#[test]
fn what_another_machine_or_a_container_said_is_no_fault_of_this_one() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r#"mkdir -m 700 closed; echo x >closed/x; mkdir carriers; PATH="$LAB/carriers:$PATH"
            printf '%s\n' '#!/bin/sh' 'echo "$SAYS" >&2; exit 1' >carriers/ssh; chmod +x carriers/ssh
            for carrier in docker kubectl scp rsync; do cp carriers/ssh carriers/$carrier; done
            export SAYS="cat: $LAB/closed/x: Permission denied"
            explained_as 4001 ssh timeout 9 ssh -p 22 ann@host cat "$LAB/closed/x"
            explained_as 4001 here ssh localhost cat "$LAB/closed/x"
            explained_as 4001 docker docker exec web cat "$LAB/closed/x"
            explained_as 4001 kubectl kubectl exec pod -- cat "$LAB/closed/x"
            export SAYS="scp: $LAB/closed/x: Permission denied"
            explained_as 4001 from scp "host:$LAB/closed/x" .
            explained_as 4001 local scp "$LAB/closed/x" host:
            export SAYS="rsync: [Receiver] mkdir \"$LAB/closed/x\" failed: Permission denied (13)"
            explained_as 4001 into rsync -a carriers "host:$LAB/closed/x"
            explained_as 4001 pulled rsync -a host:bin "$LAB/closed/x""#,
        );
        scene.each(&["ssh", "docker", "kubectl", "from", "into"]).assert_silent();
        scene.each(&["here", "local", "pulled"]).assert_first("permission-denied", lab.path("closed"), Verified);
    });
}

/// Words about room that mean another one, lists of errors, and what a script passes over, beside a filesystem that is full.
#[test]
fn words_for_a_full_disk_that_mean_something_else_do_not_make_one_the_reason() {
    scenario(&[Need::Root, Need::Program("perl"), Need::Program("readelf")], |lab| {
        let scene = lab.play(
            r#"mkdir full; mount -t tmpfs -o size=64k lab full; echo hay >full/stack; head -c 1M /dev/zero >full/x 2>/dev/null || true
            cd full; export TMPDIR="$LAB/full"
            explained tokens sh -c 'echo "error: not enough space between tokens at 3:4" >&2; exit 1'
            explained list perl -e 'print STDERR "$_\n" for map { $! = $_; "$!" } 1 .. 120; exit 1'
            explained passed bash -c 'echo x >/dev/full || true; exit 7'
            explained read readelf -h stack
            explained twin sh -c 'echo "error: not enough space to write the index" >&2; exit 1'"#,
        );
        for run in ["tokens", "list", "passed", "read"] {
            let causes = scene.run(run).report.map_or(Vec::new(), |report| report.causes);
            assert!(causes.iter().all(|found| found.confidence == Possible), "{run}: {causes:?}");
        }
        scene.run("twin").assert_first("blocks-exhausted", lab.path("full"), Verified);
    });
}
