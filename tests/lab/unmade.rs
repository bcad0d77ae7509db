//! Programs that tell what came of a failure and not the failure: a file in a directory that they could not make, a rename that they
//! went on from with a copy, a program or place in a line of its own.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

/// `full` has no byte, `none` no inode, `ro` takes no writes; all three have a directory `d`.
const PLACES: &str = r"mkdir full none ro
    mount -t tmpfs -o size=256k lab full; mkdir full/d; head -c 1m /dev/zero >full/fill 2>/dev/null || true
    mount -t tmpfs -o nr_inodes=3 lab none; mkdir none/d; touch none/f
    mount -t tmpfs lab ro; mkdir ro/d; mount -o remount,ro ro
";

#[test]
fn a_file_in_a_directory_that_could_not_be_made_leads_to_why() {
    scenario(&[Need::Root, Need::Program("javac")], |lab| {
        let scene = lab.play(&format!(
            r"{PLACES}
            cat >A.java <<'X'
class A {{
    public static void main(String[] a) throws Exception {{
        java.io.File file = new java.io.File(a[0]);
        if (a.length > 1) file.getParentFile().mkdirs();
        new java.io.FileOutputStream(file).write(1);
    }}
}}
X
            explained ro java A.java ro/d/out/x make
            explained none java A.java none/d/out/x make
            explained twin java A.java nowhere/out/x",
        ));
        scene.run("ro").assert_only("read-only-filesystem", lab.path("ro"), Confidence::Likely);
        scene.run("none").assert_only("inodes-exhausted", lab.path("none"), Confidence::Likely);
        scene.run("twin").assert_only("missing-path", lab.path("nowhere"), Confidence::Verified);
    });
}

#[test]
fn a_move_between_mounts_that_had_no_room_is_about_room() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(&format!(
            r#"{PLACES}
            mkdir tree; head -c 500000 /dev/zero >tree/big
            explained move python3 -c 'import shutil; shutil.move("tree", "full/d/tree")'
            explained rename python3 -c 'import os; os.rename("tree", "none/d/tree")'"#,
        ));
        let run = scene.run("move");
        assert!(run.says("Invalid cross-device link"), "Python speaks otherwise now{run}");
        // The reason stands in a list that the exception shows.
        run.assert_only("blocks-exhausted", lab.path("full"), Confidence::Likely);
        scene.run("rename").assert_names("cross-device");
    });
}

#[test]
fn what_cmake_says_in_a_line_of_its_own_is_read() {
    scenario(&[Need::Root, Need::Program("cmake"), Need::Program("gcc")], |lab| {
        let scene = lab.play(&format!(
            r#"{PLACES}
            mkdir c; printf 'cmake_minimum_required(VERSION 3.5)\nproject(x C)\n' >c/CMakeLists.txt
            explained full cmake -S c -B full/d/b
            explained environment env CC=no-such-cc cmake -S c -B b1
            explained option cmake -S c -B b2 -DCMAKE_C_COMPILER="$LAB/no/cc""#,
        ));
        scene.run("full").assert_first("blocks-exhausted", lab.path("full"), Confidence::Verified);
        scene.run("environment").assert_first("command-not-found", "no-such-cc", Confidence::Verified);
        scene.run("option").assert_first("missing-path", lab.path("no"), Confidence::Verified);
    });
}
