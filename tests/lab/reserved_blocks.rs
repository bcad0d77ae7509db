//! An ext4 on a loop device whose last blocks are kept for root, and users who meet that.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Filesystem("ext4"), Need::Program("setpriv"), Need::Program("python3")];

/// A fifth is kept, and a user has used up the rest.
const FULL: &str = "loop_mount ext4 64M \"$LAB/disk\" -m 20; chmod 1777 disk
    as nobody head -c 100M /dev/zero >disk/filler 2>/dev/null || true
    as nobody sh -c 'head -c 100M /dev/zero >disk/filler' 2>/dev/null || true\n";

#[test]
fn a_user_is_refused_what_root_may_use() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            "{FULL}
            explained_as nobody cp cp /bin/sh disk/copy
            explained_as nobody tar tar -cf disk/archive.tar -C /bin sh
            cd disk; explained_as nobody vague sh -c 'cp /bin/sh other 2>/dev/null || exit 3'"
        ));
        for run in ["cp", "tar"] {
            let run = scene.run(run);
            run.assert_first("reserved-blocks", lab.path("disk"), Confidence::Verified);
            run.assert_does_not_name("blocks-exhausted");
        }
        let vague = scene.run("vague");
        vague.assert_first("reserved-blocks", lab.path("disk"), Confidence::Possible);
    });
}

#[test]
fn a_smaller_reserve_lets_the_user_write_again() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            "{FULL}
            explained_as nobody before cp /bin/sh disk/copy
            unneeded_sudo
            type_fix before tune2fs
            explained_as nobody after cp /bin/sh disk/copy"
        ));
        assert_eq!(scene.run("after").status, 0, "{}", scene.script);
    });
}

#[test]
fn root_writes_on_and_a_roomy_disk_is_silence() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            "{FULL}
            explained root cp /bin/sh disk/copy
            rm disk/filler
            explained_as nobody healthy cp /nowhere disk/copy"
        ));
        assert_eq!(scene.run("root").status, 0);
        scene.run("healthy").assert_does_not_name("reserved-blocks");
    });
}
