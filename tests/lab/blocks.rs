//! Full filesystems: what the tools say differs, what is full does not.

use crate::harness::{Need, scenario};
use explain::cause::{Confidence, Seen};

#[test]
fn a_full_tmpfs_is_explained_whatever_tool_meets_it() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"
            head -c 2M /dev/zero >big
            tar -cf big.tar big
            mkdir small; mount -t tmpfs -o size=1m lab small
            explained dd dd if=/dev/zero of=small/file bs=64k
            explained cp cp big small/copy
            explained tar tar -xf big.tar -C small
            explained python python3 -c 'open("small/p", "w").write("x" * 100000)'
            "#,
        );
        for name in ["dd", "cp", "tar"] {
            scene.run(name).assert_only("blocks-exhausted", lab.path("small"), Confidence::Verified);
        }
    });
}

#[test]
fn make_that_deletes_its_half_made_target_is_explained_by_what_was_seen_meanwhile() {
    scenario(&[Need::Root, Need::Program("make")], |lab| {
        let scene = lab.play(
            r"
            mkdir small; mount -t tmpfs -o size=1m lab small
            printf '.DELETE_ON_ERROR:\nsmall/image:\n\tdd if=/dev/zero of=$@ bs=64k status=none || { sleep 0.1; false; }\n' >Makefile
            explained make make small/image
            ls small
            ",
        );
        let run = scene.run("make");
        let first = run.assert_only("blocks-exhausted", lab.path("small"), Confidence::Verified);
        assert_eq!(first.seen, Some(Seen::During));
        assert!(!scene.script.contains("image"), "make left its target: {}", scene.script);
    });
}

#[test]
fn a_compiler_whose_tmpdir_is_full_is_explained() {
    scenario(&[Need::Root, Need::Program("gcc")], |lab| {
        let scene = lab.play(
            r#"
            echo 'int main(void) { return 0; }' >a.c
            mkdir small; mount -t tmpfs -o size=64k lab small
            head -c 1M /dev/zero >small/fill || :
            TMPDIR="$LAB/small"; export TMPDIR
            explained gcc gcc -c a.c -o a.o
            "#,
        );
        scene.run("gcc").assert_only("blocks-exhausted", lab.path("small"), Confidence::Verified);
    });
}

#[test]
fn a_full_ext4_is_explained_to_root_and_to_others() {
    scenario(&[Need::Root, Need::Filesystem("ext4")], |lab| {
        let scene = lab.play(
            r#"
            loop_mount ext4 16M "$LAB/disk" -m 0
            chmod 777 disk
            explained dd dd if=/dev/zero of=disk/file bs=64k
            explained_as 65534 cp cp disk/file disk/copy
            "#,
        );
        for name in ["dd", "cp"] {
            scene.run(name).assert_only("blocks-exhausted", lab.path("disk"), Confidence::Verified);
        }
    });
}

#[test]
fn a_full_overlay_leads_to_the_filesystem_of_its_upper_layer() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r#"
            mkdir lower small merged; mount -t tmpfs -o size=200k lab small; mkdir small/upper small/work
            mount -t overlay -o lowerdir="$LAB/lower,upperdir=$LAB/small/upper,workdir=$LAB/small/work" lab merged
            explained dd dd if=/dev/zero of=merged/file bs=64k
            "#,
        );
        let run = scene.run("dd");
        let first = run.assert_only("blocks-exhausted", lab.path("merged"), Confidence::Verified);
        let small = lab.path("small").display().to_string();
        assert!(first.evidence.iter().any(|fact| fact.text.contains(&format!("that of {small} (tmpfs)"))), "{first:?}");
        let command = first.fixes.iter().find_map(|fix| fix.command.as_deref().filter(|it| it.contains("remount")));
        assert!(command.is_some_and(|command| command.ends_with(&small)), "{first:?}");
    });
}
