//! Full filesystems: what the tools say differs, what is full does not.

use crate::harness::{Need, scenario};
use explain::cause::Confidence;

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
        scene.run("gcc").assert_first("blocks-exhausted", lab.path("small"), Confidence::Verified);
    });
}
