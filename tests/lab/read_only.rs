//! Mounts that take no writes, for several reasons, and programs that report it in their own ways.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

#[test]
fn a_bind_mount_with_ro_is_named_and_its_remount_works() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Program("git")], |lab| {
        let scene = lab.play(
            r#"mkdir d; git init -q d; mount --bind d d; mount -o remount,bind,ro d
            explained touch touch "$LAB/d/new"
            cd d; explained git git commit --allow-empty -m x; cd ..
            explained install install /bin/sh d/new
            explained vague env TMPDIR="$LAB/d" sh -c 'mktemp 2>/dev/null || exit 7'
            type_fix touch remount
            explained after touch "$LAB/d/new""#,
        );
        for run in ["touch", "git", "install"] {
            scene.run(run).assert_first("read-only-filesystem", lab.path("d"), Confidence::Verified);
        }
        assert_eq!(scene.run("after").status, 0, "{}", scene.script);
    });
}

#[test]
fn npm_calls_it_a_file_that_is_not_found() {
    scenario(&[Need::Root, Need::Program("npm")], |lab| {
        let scene = lab.play(
            r#"mkdir -p d dep; echo '{"name":"x","version":"1.0.0"}' >d/package.json
            echo '{"name":"dep","version":"1.0.0"}' >dep/package.json
            mount --bind d d; mount -o remount,bind,ro d; cd d
            explained npm npm install --offline --no-audit --no-fund ../dep"#,
        );
        let run = scene.run("npm");
        assert!(run.says("ENOENT"), "npm speaks otherwise now{run}");
        run.assert_first("read-only-filesystem", lab.path("d"), Confidence::Verified);
    });
}

#[test]
fn a_filesystem_that_met_an_error_is_to_be_checked_and_not_remounted() {
    scenario(&[Need::Root, Need::Filesystem("ext4")], |lab| {
        let scene = lab.play(
            r#"loop_mount ext4 16M "$LAB/disk"; mount -o remount,errors=remount-ro disk
            device=$(findmnt -no SOURCE disk)
            echo the lab >"/sys/fs/ext4/${device#/dev/}/trigger_fs_error"
            explained touch touch disk/new
            explained tar tar -xf /dev/null --one-top-level=disk/new
            explained cp cp /bin/sh disk/sh"#,
        );
        for run in ["touch", "cp"] {
            let run = scene.run(run);
            let found = run.assert_first("read-only-filesystem", lab.path("disk"), Confidence::Verified);
            assert!(found.summary.contains("met an error"), "{run}");
            let commands: Vec<&str> = found.fixes.iter().filter_map(|fix| fix.command.as_deref()).collect();
            assert!(commands.iter().any(|command| command.contains("fsck -f")), "{run}");
            assert!(!commands.iter().any(|command| command.contains("remount")), "{run}");
        }
    });
}

#[test]
fn the_advice_after_an_error_repairs_the_filesystem() {
    scenario(&[Need::Root, Need::Filesystem("ext4"), Need::Program("fsck.ext4")], |lab| {
        let scene = lab.play(
            r#"truncate -s 16M images/disk; mkfs.ext4 -q images/disk; mkdir disk
            device=$(flock /dev/loop-control losetup -f --show images/disk); trap 'losetup -d $device' EXIT
            mount -o errors=remount-ro "$device" disk
            echo the lab >"/sys/fs/ext4/${device#/dev/}/trigger_fs_error"
            explained before touch disk/new
            type_fix before ^umount
            fsck.ext4 -fy "$device" || [ $? = 1 ]
            type_fix before ^mount
            explained after touch disk/new; umount disk"#,
        );
        assert_eq!(scene.run("after").status, 0, "{}", scene.script);
    });
}

#[test]
fn a_device_and_an_image_that_take_no_writes_are_told_apart() {
    scenario(&[Need::Root, Need::Filesystem("ext4"), Need::Filesystem("btrfs")], |lab| {
        let scene = lab.play(
            r#"truncate -s 16M images/locked; mkfs.ext4 -q images/locked; mkdir locked
            flock /dev/loop-control mount -o loop,ro images/locked locked
            explained locked mkdir locked/new
            loop_mount btrfs 128M "$LAB/tree"; btrfs -q subvolume create tree/old >/dev/null
            btrfs property set -ts tree/old ro true
            explained snapshot touch tree/old/new
            type_fix snapshot 'ro false'
            explained after touch tree/old/new"#,
        );
        let locked = scene.run("locked");
        let found = locked.assert_first("read-only-filesystem", lab.path("locked"), Confidence::Verified);
        assert!(found.summary.contains("refuses writes"), "{locked}");
        let snapshot = scene.run("snapshot");
        let found = snapshot.assert_first("read-only-filesystem", lab.path("tree"), Confidence::Verified);
        assert!(found.summary.contains("subvolume is a read-only one"), "{snapshot}");
        assert_eq!(scene.run("after").status, 0, "{}", scene.script);
    });
}

#[test]
fn failures_on_a_read_only_mount_that_have_other_reasons_are_silence() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r"mkdir d; echo text >d/file; mount --bind d d; mount -o remount,bind,ro d; cd d
            explained grep grep -q nothing file
            explained test sh -c 'exit 3'
            explained sort sort --no-such-option file",
        );
        for run in ["grep", "test", "sort"] {
            scene.run(run).assert_does_not_name("read-only-filesystem");
        }
    });
}
