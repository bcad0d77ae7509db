//! Mounts that should be there, mounts whose server has ended, and filesystems that are damaged.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const FUSE: &[Need] =
    &[Need::Root, Need::Program("bindfs"), Need::Program("python3"), Need::Program("git"), Need::Program("rsync")];
const MOUNTS: &[Need] = &[Need::Root, Need::Program("python3"), Need::Program("make")];
const EXT4: &[Need] = &[Need::Root, Need::Filesystem("ext4"), Need::Program("debugfs"), Need::Program("python3")];
const BTRFS: &[Need] = &[Need::Root, Need::Filesystem("btrfs"), Need::Program("btrfs"), Need::Program("md5sum")];

#[test]
fn a_mount_whose_server_was_killed_is_named() {
    scenario(FUSE, |lab| {
        let scene = lab.play(
            r#"mkdir source mnt; echo text >source/file
            bindfs -f source mnt & server=$!
            until [ -e mnt/file ]; do sleep 0.02; done
            explained before cat mnt/nowhere
            kill -9 $server; wait $server || true
            explained ls ls mnt
            explained python python3 -c 'import os; os.listdir("mnt")'
            explained git git -C mnt status
            explained write touch mnt/new
            explained vague sh -c 'cd mnt/sub && make'
            explained inside sh -c 'cd mnt && make'
            explained twin cat source/nowhere
            type_fix ls fusermount3
            explained after cat mnt/file"#,
        );
        for run in ["ls", "python", "git", "write", "vague"] {
            scene.run(run).assert_only("fuse-disconnected", lab.path("mnt"), Confidence::Verified);
        }
        // Whether the kernel lets a shell enter it depends on what it remembers; then make's names are relative to it.
        scene.run("inside").assert_names("fuse-disconnected");
        for run in ["before", "twin", "after"] {
            scene.run(run).assert_does_not_name("fuse-disconnected");
        }
    });
}

#[test]
fn what_fstab_or_a_unit_would_mount_there_is_named_before_what_is_missing() {
    scenario(MOUNTS, |lab| {
        let scene = lab.play(
            r#"mkdir data unit other; echo "UUID=1234 $LAB/data ext4 defaults 0 2" >table; mount --bind table /etc/fstab
            mkdir run; mount -t tmpfs run /run/systemd 2>/dev/null || { mount -t tmpfs run /run; mkdir /run/systemd; }
            mkdir -p /run/systemd/system
            name=$(printf %s "${LAB#/}/unit" | sed 's/-/\\x2d/g; s,/,-,g').mount
            printf "[Mount]\nWhat=/dev/disk/by-label/unit\nWhere=$LAB/unit\n[Install]\nWantedBy=multi-user.target\n" >"/run/systemd/system/$name"
            explained cat cat data/set/x
            explained python python3 -c 'open("data/set/x")'
            explained vague sh -c 'cd data/set && make'
            explained unit cat unit/set/x
            explained twin cat other/set/x
            mount -t tmpfs here data; explained mounted cat data/set/x"#,
        );
        for run in ["cat", "python", "vague"] {
            let run = scene.run(run);
            let found = run.first();
            assert!(found.id == "not-mounted" && found.subject == lab.path("data").to_string_lossy(), "{run}");
        }
        scene.run("cat").assert_only("not-mounted", lab.path("data"), Confidence::Verified);
        let unit = scene.run("unit");
        let found = unit.assert_only("not-mounted", lab.path("unit"), Confidence::Verified);
        assert!(
            found.fixes.iter().any(|fix| fix.command.as_deref().is_some_and(|line| line.contains("systemctl start"))),
            "{unit}"
        );
        for run in ["twin", "mounted"] {
            scene.run(run).assert_does_not_name("not-mounted");
        }
    });
}

#[test]
fn an_ext4_whose_directory_is_damaged_is_named() {
    scenario(EXT4, |lab| {
        let scene = lab.play(
            r#"loop_mount ext4 32M "$LAB/disk"; mkdir disk/dir disk/whole; echo text >disk/dir/file
            umount disk
            block=$(debugfs -R 'blocks /dir' "$image" 2>/dev/null | awk '{print $1}')
            dd if=/dev/urandom of="$image" bs=1024 seek="$block" count=1 conv=notrunc status=none
            flock /dev/loop-control mount -o loop "$image" disk
            explained twin cat disk/whole/nowhere
            explained ls ls disk/dir
            explained touch touch disk/dir/new
            explained python python3 -c 'import os; os.listdir("disk/dir")'
            explained other cat disk/whole/nowhere"#,
        );
        for run in ["ls", "touch", "python"] {
            scene.run(run).assert_only("filesystem-damaged", lab.path("disk"), Confidence::Verified);
        }
        for run in ["twin", "other"] {
            scene.run(run).assert_does_not_name("filesystem-damaged");
        }
    });
}

#[test]
fn a_btrfs_whose_data_has_other_sums_is_named() {
    scenario(BTRFS, |lab| {
        let scene = lab.play(
            r#"loop_mount btrfs 120M "$LAB/disk" -m single 2>/dev/null; head -c 1M /dev/urandom >disk/file; echo text >disk/whole; umount disk
            logical=$(btrfs inspect-internal dump-tree -t 5 "$image" | awk '/extent data disk byte/ {print $5; exit}')
            physical=$(btrfs-map-logical -l "$logical" "$image" | awk '{for (i = 1; i < NF; i++) if ($i == "physical") {print $(i + 1); exit}}')
            dd if=/dev/zero of="$image" bs=4096 seek=$((physical / 4096)) count=1 conv=notrunc status=none
            flock /dev/loop-control mount -o loop "$image" disk
            explained cat sh -c 'cat disk/file >/dev/null'
            explained sum md5sum disk/file
            explained twin cat disk/nowhere"#,
        );
        for run in ["cat", "sum"] {
            scene.run(run).assert_only("filesystem-damaged", lab.path("disk"), Confidence::Verified);
        }
        scene.run("twin").assert_does_not_name("filesystem-damaged");
    });
}
