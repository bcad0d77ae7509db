//! Filesystems with room and without inodes, by tools other than opam.

use crate::harness::{Need, scenario};
use explain::cause::Confidence;

#[test]
fn an_ext4_without_inodes_is_explained() {
    scenario(&[Need::Root, Need::Filesystem("ext4"), Need::Program("git")], |lab| {
        let scene = lab.play(
            r#"
            mkdir many; touch many/1 many/2 many/3 many/4 many/5 many/6 many/7 many/8
            loop_mount ext4 16M "$LAB/disk" -N 16
            explained copy cp -r many disk/
            explained git git init disk/repository
            explained tar sh -c 'tar -cf - many | tar -xf - -C disk'
            "#,
        );
        for name in ["copy", "git", "tar"] {
            scene.run(name).assert_only("inodes-exhausted", lab.path("disk"), Confidence::Verified);
        }
    });
}

#[test]
fn errno_words_of_another_language_are_understood() {
    scenario(&[Need::Root, Need::Locale("de_DE.utf8")], |lab| {
        let scene = lab.play(
            r"
            mkdir small; mount -t tmpfs -o nr_inodes=2 lab small; touch small/last
            export LC_ALL=de_DE.UTF-8
            explained touch touch small/one-more
            explained mkdir mkdir small/directory
            ",
        );
        for name in ["touch", "mkdir"] {
            scene.run(name).assert_only("inodes-exhausted", lab.path("small"), Confidence::Verified);
        }
    });
}

#[test]
fn a_full_place_that_the_command_never_touched_is_not_claimed() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r#"
            mkdir full; mount -t tmpfs -o nr_inodes=2 lab full; touch full/last
            TMPDIR="$LAB/full" explained grep grep needle /etc/passwd
            explained syntax sh -c 'if then'
            "#,
        );
        scene.run("syntax").assert_silent();
        assert!(
            scene
                .run("grep")
                .report
                .is_none_or(|report| report.causes.iter().all(|found| found.confidence == Confidence::Possible))
        );
    });
}
