//! A btrfs subvolume with a quota group that is used up. Quotas of users and projects are not in every kernel: the unit tests
//! of the cause play them back.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Filesystem("btrfs"), Need::Program("python3")];

/// A subvolume that may hold 8 MiB, beside one without a limit.
const LIMITED: &str = r#"loop_mount btrfs 256M "$LAB/pool"; btrfs quota enable pool
    btrfs -q subvolume create pool/small; btrfs -q subvolume create pool/free
    btrfs qgroup limit 8M pool/small; chmod 1777 pool/small; head -c 7M /dev/zero >pool/small/old; sync
"#;

#[test]
fn a_subvolume_that_used_up_its_quota_is_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{LIMITED}
            explained dd dd if=/dev/zero of="$LAB/pool/small/big" bs=1M count=40
            explained cp cp -r /etc/terminfo pool/small/copy
            explained tar tar -cf pool/small/archive.tar /bin/sh
            explained mkdir mkdir pool/small/new
            explained_as nobody user cp /bin/sh pool/small/user"#
        ));
        for run in ["dd", "tar", "mkdir", "user"] {
            let run = scene.run(run);
            run.assert_first("quota-exceeded", lab.path("pool/small"), Confidence::Verified);
            run.assert_does_not_name("blocks-exhausted");
        }
    });
}

#[test]
fn a_raised_limit_lets_the_command_go_on() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r"{LIMITED}
            explained before dd if=/dev/zero of=pool/small/big bs=1M count=4
            type_fix before 'qgroup limit'
            explained after dd if=/dev/zero of=pool/small/big bs=1M count=4"
        ));
        assert_ne!(scene.run("before").status, 0, "{}", scene.script);
        assert_eq!(scene.run("after").status, 0, "{}", scene.script);
    });
}

#[test]
fn a_subvolume_with_room_and_one_without_a_limit_are_silence() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r"{LIMITED}
            explained room cp /nowhere pool/small/copy
            cd pool/free; explained free cp /nowhere copy; explained silent false"
        ));
        scene.each(&["room", "free", "silent"]).assert_does_not_name("quota-exceeded");
    });
}

#[test]
fn a_quota_is_found_where_the_message_names_no_path_or_no_reason() {
    scenario(&[Need::Root, Need::Filesystem("btrfs"), Need::Program("perl"), Need::Program("curl")], |lab| {
        let scene = lab.play(&format!(
            r#"{LIMITED} head -c 9M /dev/zero >large; head -c 1M /dev/zero >>pool/small/old || true; sync
            save='open F, ">", shift or die "cannot open: $!\n"; print F "x" x 9000000; close F or die "cannot save: $!\n"'
            explained perl perl -e "$save" pool/small/saved
            explained curl curl -sSo pool/small/copy "file://$LAB/large"
            explained twin perl -e "$save; die qq(cannot save\n)" pool/free/saved
            explained twin.curl curl -sSo pool/free/copy "file://$LAB/none""#
        ));
        scene.each(&["perl", "curl"]).assert_only("quota-exceeded", lab.path("pool/small"), Confidence::Likely);
        scene.each(&["twin", "twin.curl"]).assert_does_not_name("quota-exceeded");
    });
}

#[test]
fn a_quota_is_found_although_what_was_written_is_gone_again() {
    let needs = [
        Need::Root,
        Need::Filesystem("btrfs"),
        Need::Program("git"),
        Need::Program("mksquashfs"),
        Need::Program("zip"),
        Need::Program("unzip"),
    ];
    scenario(&needs, |lab| {
        let scene = lab.play(&format!(
            r"{LIMITED} mkdir tree; head -c 12M /dev/urandom >tree/big; zip -q -0 big.zip tree/big
            git init -q src; cp tree/big src; git -C src add big; git -C src -c user.name=a -c user.email=a@b commit -qm a
            explained git git clone -q src pool/small/copy
            explained fallocate fallocate -l 12M pool/small/file
            explained squash mksquashfs tree pool/small/x.sq -noD -noF -noI -quiet -no-progress
            rm -f pool/small/file pool/small/x.sq; sync
            explained mkfs mkfs.ext4 -q -d tree pool/small/x.img 30M
            rm -f pool/small/x.img; sync
            explained twin.git git clone -q none pool/small/other
            explained twin.fallocate fallocate -l 12M pool/none/file
            explained twin.squash mksquashfs none pool/small/x.sq -quiet -no-progress
            explained twin.mkfs mkfs.ext4 -q -d none pool/small/y.img 3M"
        ));
        scene.each(&["git", "fallocate", "squash", "mkfs"]).assert_about("quota-exceeded", lab.path("pool/small"));
        let twins = ["twin.git", "twin.fallocate", "twin.squash", "twin.mkfs"];
        scene.each(&twins).assert_does_not_name("quota-exceeded");
    });
}
