//! A btrfs without room for metadata, beside one that is simply full.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Filesystem("btrfs"), Need::Program("python3")];

/// All of the disk becomes data chunks, half of the data goes, and small files take the rest of the metadata.
pub const METADATA_FULL: &str = r#"loop_mount btrfs 200M "$LAB/pool" -m single
    cat >fill.py <<'PYTHON'
import os
def until_full(prefix, contents, sync):
    number = 0
    try:
        while True:
            with open("pool/%s%d" % (prefix, number), "wb") as file:
                file.write(contents)
                if sync: file.flush(); os.fsync(file.fileno())
            number += 1
    except OSError:
        os.sync()
        return number
large = until_full("large", b"x" * (1 << 20), True)
for number in range(0, large, 2): os.unlink("pool/large%d" % number)
os.sync()
# What the kernel is still freeing comes back after a sync: full is what stays full.
for turn in range(6): until_full("small%d-" % turn, b"x" * 2000, False)
PYTHON
    python3 fill.py
"#;

#[test]
fn a_lack_of_metadata_is_told_from_a_full_disk() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{METADATA_FULL}
            explained touch touch "$LAB/pool/new"
            explained tar tar -xf /dev/null --one-top-level=pool/new
            explained cp cp /bin/sh pool/new
            explained mkdir mkdir pool/directory
            rm pool/small*[0-6]; sync
            type_fix mkdir dusage
            explained after mkdir pool/directory"#
        ));
        for run in ["touch", "cp", "mkdir"] {
            let run = scene.run(run);
            run.assert_first("btrfs-metadata-full", lab.path("pool"), Confidence::Verified);
            run.assert_does_not_name("blocks-exhausted");
        }
        assert_eq!(scene.run("after").status, 0, "{}", scene.script);
    });
}

#[test]
fn a_btrfs_that_is_full_of_data_is_a_full_disk() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"loop_mount btrfs 200M "$LAB/pool" -m single
            head -c 300M /dev/zero >pool/large 2>/dev/null || true; sync
            explained full cp /bin/sh pool/new
            rm pool/large; sync
            explained healthy cp /nowhere pool/new"#,
        );
        let full = scene.run("full");
        full.assert_first("blocks-exhausted", lab.path("pool"), Confidence::Verified);
        full.assert_does_not_name("btrfs-metadata-full");
        scene.run("healthy").assert_does_not_name("btrfs-metadata-full");
    });
}
