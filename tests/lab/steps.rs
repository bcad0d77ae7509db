//! explain around every step of a build, and around the build: what one has said, the other does not say again.

use super::harness::{Need, scenario};
use explain::cause::Confidence::Verified;

const NEEDS: &[Need] = &[Need::Root, Need::Program("make")];

#[test]
fn a_step_of_a_make_is_explained_once() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"mkdir full; mount -t tmpfs -o nr_inodes=1 full full
            printf 'SHELL = %s\n.SHELLFLAGS = sh -c\nall:\n\tcp /etc/hostname full/\n' "$EXPLAIN" >Makefile
            explained steps make
            bare coloured "$EXPLAIN" --color always make
            explained whole make SHELL=/bin/sh .SHELLFLAGS=-c"#,
        );
        let told = |name: &str| {
            let stderr = std::fs::read_to_string(lab.path("runs").join(name).with_extension("err")).unwrap();
            stderr.matches("is out of inodes").count()
        };
        for name in ["steps", "whole"] {
            scene.run(name).assert_first("inodes-exhausted", lab.path("full"), Verified);
        }
        assert_eq!(["steps", "coloured", "whole"].map(told), [1, 1, 1]);
    });
}
