//! Directories that take no more names on filesystems with room.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Filesystem("ext4"), Need::Program("python3")];

/// An ext4 with small blocks, and a directory whose index is full; `refused` is a name that it refuses.
const INDEX_FULL: &str = r#"loop_mount ext4 64M "$LAB/disk" -b 1024 -O ^large_dir -N 60000; mkdir disk/d
    refused=$(python3 - <<'PYTHON'
import os
number = 0
while True:
    name = "disk/d/%06d" % number + "x" * 240
    try: os.mknod(name)
    except OSError: break
    number += 1
print(name)
PYTHON
)
"#;

#[test]
fn a_full_index_is_named_and_a_third_level_takes_the_name() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{INDEX_FULL}
            explained touch touch "$refused"
            explained cp cp /etc/hostname "$refused"
            type_fix touch large_dir
            explained after touch "$refused""#
        ));
        for run in ["touch", "cp"] {
            let run = scene.run(run);
            run.assert_first("directory-full", lab.path("disk/d"), Confidence::Verified);
            run.assert_does_not_name("blocks-exhausted");
            run.assert_does_not_name("inodes-exhausted");
        }
        assert_eq!(scene.run("after").status, 0, "{}", scene.script);
    });
}

#[test]
fn a_directory_with_too_many_directories_is_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"loop_mount ext4 160M "$LAB/disk" -b 1024 -O ^dir_nlink -N 66000; mkdir disk/d
            python3 -c 'import os
for number in range(64998): os.mkdir("disk/d/%d" % number)'
            explained mkdir mkdir "$LAB/disk/d/new"
            explained cp cp -r /etc/terminfo "$LAB/disk/d/copy"
            type_fix mkdir dir_nlink
            explained after mkdir disk/d/new"#,
        );
        for run in ["mkdir", "cp"] {
            scene.run(run).assert_first("directory-full", lab.path("disk/d"), Confidence::Verified);
        }
        assert_eq!(scene.run("after").status, 0, "{}", scene.script);
    });
}

#[test]
fn a_large_directory_that_takes_names_is_silence() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{INDEX_FULL}
            rm "$refused" 2>/dev/null || true; tune2fs -O large_dir "$(findmnt -no SOURCE disk)" >/dev/null
            cd disk/d; explained missing cp /nowhere "$refused"; explained no grep -q x /dev/null"#
        ));
        for run in ["missing", "no"] {
            scene.run(run).assert_does_not_name("directory-full");
        }
    });
}
