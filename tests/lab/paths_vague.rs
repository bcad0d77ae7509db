//! What a path meets where the message does not say it: no errno, another one, or no path. And what is beside it and is not it.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

#[test]
fn the_new_name_is_what_is_taken_and_not_what_it_is_to_lead_to() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Program("node")], |lab| {
        let scene = lab.play(
            r#"mkdir full; touch old full/x; ln -s old new; mkdir dir
            explained link python3 -c 'import os; os.link("old", "new")'
            explained symlink node -e 'require("fs").symlinkSync("old", "new")'
            explained ln ln old new
            explained rename python3 -c 'import os; os.rename("dir", "full")'
            explained twin python3 -c 'import os; os.link("old", "free"); raise SystemExit(1)'"#,
        );
        for run in ["link", "symlink", "ln"] {
            scene.run(run).assert_only("already-exists", lab.path("new"), Verified);
        }
        scene.run("rename").assert_only("directory-not-empty", lab.path("full"), Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_message_without_a_path_is_explained_by_the_one_path_of_the_command_line_that_fails_so() {
    scenario(&[Need::Root, Need::Program("perl")], |lab| {
        let scene = lab.play(
            r#"mkdir cache full a b; touch full/x plain; ln -s loop loop
            explained taken perl -e 'mkdir $ARGV[0] or die "cannot create: $!\n"' cache
            explained empty perl -e 'rmdir shift or die "cannot remove: $!\n"' full
            explained loop perl -e 'open F, shift or die "cannot open: $!\n"' loop
            explained file perl -e 'chdir shift or die "cannot chdir: $!\n"' plain
            explained which perl -e 'mkdir shift or die "cannot create: $!\n"' a b
            explained twin perl -e '$! = 17; die "cannot create: $!\n"' absent"#,
        );
        scene.run("taken").assert_only("already-exists", lab.path("cache"), Likely);
        scene.run("empty").assert_only("directory-not-empty", lab.path("full"), Likely);
        scene.run("loop").assert_only("symlink-loop", lab.path("loop"), Likely);
        scene.run("file").assert_only("not-a-directory", lab.path("plain"), Likely);
        // Either of the two may be meant.
        scene.run("which").assert_silent();
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_database_that_cannot_be_opened_is_explained_by_what_lies_there() {
    scenario(&[Need::Root, Need::Program("sqlite3")], |lab| {
        let scene = lab.play(
            "mkdir dir.db; ln -s gone/x link.db; touch file; ln -s b.db a.db; ln -s a.db b.db
            open() { explained $1 sqlite3 $2 'create table t(a)'; }
            open dir dir.db; open link link.db; open file file/x.db; open loop a.db; open missing var/lib/x.db
            sqlite3 good.db 'create table t(a)'
            open twin good.db",
        );
        for (run, id, subject) in [
            ("dir", "is-a-directory", "dir.db"),
            ("link", "dangling-symlink", "link.db"),
            ("file", "not-a-directory", "file"),
            ("loop", "symlink-loop", "a.db"),
            ("missing", "missing-path", "var"),
        ] {
            scene.run(run).assert_first(id, lab.path(subject), Likely);
        }
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_shell_that_tells_no_reason_is_explained_by_the_walk() {
    scenario(&[Need::Root, Need::Program("bash")], |lab| {
        let scene = lab.play(
            r"mkdir -p Data empty; touch file; ln -s nowhere dangling
            for name in data file dangling; do explained $name sh -c 'cd $1 && true' sh $name; done
            explained noclobber bash -c 'set -C; echo x >file'
            explained twin sh -c 'cd empty && false'",
        );
        scene.run("data").assert_first("wrong-case", lab.path("data"), Likely);
        scene.run("file").assert_first("not-a-directory", lab.path("file"), Likely);
        scene.run("dangling").assert_first("dangling-symlink", lab.path("dangling"), Likely);
        scene.run("noclobber").assert_first("already-exists", lab.path("file"), Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn too_long_a_name_is_found_where_the_message_breaks_off_or_names_none() {
    scenario(&[Need::Root, Need::Program("sqlite3"), Need::Program("perl")], |lab| {
        let scene = lab.play(
            r#"long=$(head -c 300 /dev/zero | tr '\0' x)
            explained sqlite sqlite3 $long 'create table t(a)'
            explained perl perl -e 'mkdir shift or die "cannot create: $!\n"' $long
            explained curl curl -sSo $long file:///etc/hostname
            explained twin sqlite3 short.db 'select * from nothing'"#,
        );
        for run in ["sqlite", "perl"] {
            scene.run(run).assert_only("name-too-long", lab.path(&"x".repeat(300)), Likely);
        }
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_working_directory_that_is_gone_is_found_behind_missing_files_of_all_kinds() {
    scenario(
        &[Need::Root, Need::Program("make"), Need::Program("gcc"), Need::Program("tar"), Need::Program("python3")],
        |lab| {
            let scene = lab.play(
                "mkdir gone; cd gone; rmdir \"$LAB/gone\"
            explained make make
            explained tar tar -cf x.tar .
            explained gcc gcc -c x.c
            explained python python3 -m venv v
            cd \"$LAB\"
            explained twin make",
            );
            for run in ["make", "tar", "gcc", "python"] {
                scene.run(run).assert_only(
                    "deleted-working-directory",
                    lab.path("gone"),
                    scene.run(run).first().confidence,
                );
            }
            scene.run("twin").assert_silent();
        },
    );
}

#[test]
fn a_missing_relative_path_of_a_script_that_moves_is_no_more_than_likely() {
    scenario(&[Need::Root, Need::Program("make")], |lab| {
        let scene = lab.play(
            r"mkdir sub
            printf 'cd sub\ncat conf/main\n' >moves.sh
            printf 'cat conf/main\n' >stays.sh
            printf 'all:\n\tcd sub && cat conf/main\n' >Makefile
            explained moves sh moves.sh
            explained stays sh stays.sh
            explained made make",
        );
        scene.run("stays").assert_first("missing-path", lab.path("conf"), Verified);
        for run in ["moves", "made"] {
            assert!(scene.run(run).causes().iter().all(|cause| cause.confidence != Verified), "{}", scene.run(run));
        }
    });
}
