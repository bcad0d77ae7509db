//! Directories that take no temporary file, named as the place of one or only by what was to lie there, and directories that keep their
//! names for root too; each beside a twin that fails another way with the same directory at hand.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::Verified;

#[test]
fn a_directory_that_takes_no_file_is_found_behind_the_temporary_files_of_tools() {
    let needs = [Need::Root, Need::Program("patch"), Need::Program("node"), Need::Program("ruby")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"chmod 755 .; mkdir closed ro; chmod 700 closed; mount -t tmpfs -o ro lab ro; seq 200000 >nums; echo x >a
            fixed="env TMPDIR=$LAB/ro"; export TMPDIR="$LAB/closed"
            explained_as nobody sort sort -S 100k nums -o /dev/null
            explained_as nobody tac sh -c 'cat nums | tac >/dev/null'
            explained_as nobody node node -e 'require("fs").mkdtempSync(require("os").tmpdir() + "/x")'
            explained_in patch "$fixed" patch -o - a /dev/null
            explained_in ruby "$fixed" ruby -e 'require "tempfile"; Tempfile.new("x", ENV["TMPDIR"])'
            unset TMPDIR; explained_as nobody option sort -S 100k -T closed nums -o /dev/null
            export TMPDIR="$LAB/closed"; explained_as nobody twin.sort sort nowhere
            explained_in twin.ruby "$fixed" ruby -e 'File.read("nowhere/x")'
            explained_as nobody twin.node node -e 'require("fs").readFileSync("nowhere/x")'"#,
        );
        for (run, directory) in [("patch", "ro"), ("ruby", "ro")] {
            let run = scene.run(run);
            let found = run.assert_only("tmpdir-unusable", lab.path(directory), Verified);
            assert!(
                found.fixes.iter().all(|fix| fix.command.as_deref().is_none_or(|it| !it.contains("mkdir"))),
                "{run}"
            );
        }
        for run in ["sort", "tac", "node"] {
            scene.run(run).assert_names("tmpdir-unusable");
        }
        scene.run("option").assert_first("permission-denied", lab.path("closed"), Verified);
        for twin in ["twin.sort", "twin.ruby", "twin.node"] {
            scene.run(twin).assert_does_not_name("tmpdir-unusable");
        }
    });
}

#[test]
fn an_immutable_directory_is_found_behind_what_was_to_lie_in_it() {
    let needs =
        [Need::Root, Need::Filesystem("ext4"), Need::Program("git"), Need::Program("gcc"), Need::Program("chattr")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"loop_mount ext4 16M "$LAB/disk"; mkdir disk/dir; chattr +i disk/dir; seq 90000 >nums; echo 'int main(void) { return 0; }' >a.c
            explained git git init -q disk/dir
            explained gcc gcc -o disk/dir/a a.c
            explained sort sort -S 10k -T disk/dir nums -o /dev/null
            explained twin.git git -C disk/dir status
            explained twin.gcc gcc -o disk/none/a a.c
            explained twin.sort sort -T disk/dir nowhere
            chattr -i disk/dir"#,
        );
        for run in ["git", "gcc", "sort"] {
            scene.run(run).assert_only("immutable-file", lab.path("disk/dir"), Verified);
        }
        for twin in ["twin.git", "twin.gcc", "twin.sort"] {
            scene.run(twin).assert_does_not_name("immutable-file");
        }
    });
}
