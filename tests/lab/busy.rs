//! Things in use, and names on two mounts.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

#[test]
fn a_busy_mount_names_who_keeps_it() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"mkdir d; mount -t tmpfs tmpfs d
            explained remove rmdir d
            explained rename python3 -c 'import os; os.rename("d", "e")'
            sleep 60 >d/open & holder=$!
            explained unmount umount "$LAB/d"
            kill $holder; wait $holder || true
            mkdir d/below; mount -t tmpfs tmpfs d/below
            explained below umount "$LAB/d"
            type_fix below 'umount -R'
            explained gone umount "$LAB/d""#,
        );
        for run in ["remove", "rename", "unmount", "below"] {
            scene.run(run).assert_first("busy", lab.path("d"), Confidence::Verified);
        }
        let unmount = scene.run("unmount");
        assert!(unmount.first().summary.contains("sleep 60"), "{unmount}");
        scene.run("gone").assert_does_not_name("busy");
    });
}

#[test]
fn a_mounted_device_is_in_use() {
    scenario(&[Need::Root, Need::Filesystem("ext4")], |lab| {
        let scene = lab.play(
            r#"loop_mount ext4 16M "$LAB/disk"; device=$(findmnt -no SOURCE disk); echo "$device" >device
            explained mkfs mkfs.ext4 -q "$device""#,
        );
        let device = std::fs::read_to_string(lab.path("device")).expect("the script wrote it");
        scene.run("mkfs").assert_first("busy", device.trim(), Confidence::Verified);
    });
}

#[test]
fn names_on_two_mounts_are_neither_moved_nor_linked() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"mkdir a b; mount -t tmpfs tmpfs a; mount --bind b b; echo text >a/file; mkdir b/sub
            explained rename python3 -c 'import os; os.rename("a/file", "b/new")'
            explained link ln a/file b/new
            explained same python3 -c 'import os; os.rename("b/sub", "b/sub/x")'"#,
        );
        let [file, new] = [lab.path("a/file"), lab.path("b/new")].map(|path| path.display().to_string());
        scene.run("rename").assert_first("cross-device", format!("{file} and {new}"), Confidence::Verified);
        scene.run("link").assert_names("cross-device");
        scene.run("same").assert_does_not_name("cross-device");
    });
}

#[test]
fn a_directory_of_a_lower_layer_is_not_renamed_by_an_overlay() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"mkdir -p l/d up o; mount -t tmpfs tmpfs up; mkdir up/u up/w
            mount -t overlay -o lowerdir=l,upperdir=up/u,workdir=up/w,redirect_dir=off overlay o
            explained rename python3 -c 'import os; os.rename("o/d", "o/e")'
            mkdir o/own
            explained own python3 -c 'import os; os.rename("o/own", "o/e")'"#,
        );
        let [from, to] = [lab.path("o/d"), lab.path("o/e")].map(|path| path.display().to_string());
        let rename = scene.run("rename");
        let found = rename.assert_first("cross-device", format!("{from} and {to}"), Confidence::Verified);
        assert!(found.summary.contains("lower layer"), "{rename}");
        assert_eq!(scene.run("own").status, 0);
    });
}
