//! Filesystems with room and without inodes, by tools other than opam.

use crate::harness::{Need, scenario};
use explain::cause::Confidence;

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
