//! An xfs whose free space is in pieces of one block: nothing new can be made, though half of it is free.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[
    Need::Root,
    Need::Filesystem("xfs"),
    Need::Program("python3"),
    Need::Program("perl"),
    Need::Program("git"),
    Need::Program("sqlite3"),
    Need::Program("gs"),
    Need::Program("zip"),
    Need::Program("unzip"),
];

/// The filesystem at `disk` with a repository, an archive `a.zip` beside it, and a script that scatters its space and uses up its inodes.
const DISK: &str = r#"loop_mount xfs 310M "$LAB/disk" -i sparse=0; git init -q disk/repo; echo text >a; zip -q a.zip a
    cat >scatter.py <<'PYTHON'
import ctypes, os
libc = ctypes.CDLL(None)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
KEEP_SIZE, PUNCH_HOLE, BLOCK = 1, 2, 4096
filler = os.open("disk/filler", os.O_RDWR | os.O_CREAT)
size = os.statvfs("disk").f_bavail * BLOCK
while libc.fallocate(filler, 0, 0, size): size -= 1 << 20
while not libc.fallocate(filler, KEEP_SIZE, size, BLOCK): size += BLOCK
for offset in range(0, size, 2 * BLOCK): libc.fallocate(filler, KEEP_SIZE | PUNCH_HOLE, offset, BLOCK)
os.sync()
try:
    for number in range(200000): os.close(os.open("disk/n%d" % number, os.O_CREAT | os.O_WRONLY))
except OSError: pass
PYTHON
"#;

#[test]
fn free_blocks_that_do_not_lie_together_are_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r"{DISK}
            explained healthy cp /nowhere disk/new
            python3 scatter.py
            explained touch touch disk/new
            explained mkdir mkdir disk/directory
            explained cp cp /etc/hostname disk/copy
            explained git git -C disk/repo commit --allow-empty -m x
            explained unzip unzip -q a.zip -d disk"
        ));
        for run in ["touch", "mkdir", "cp", "git", "unzip"] {
            let run = scene.run(run);
            run.assert_first("space-fragmented", lab.path("disk"), Confidence::Verified);
            run.assert_does_not_name("blocks-exhausted");
        }
        scene.run("healthy").assert_does_not_name("space-fragmented");
    });
}

#[test]
fn free_blocks_that_do_not_lie_together_are_found_where_no_reason_is_told() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{DISK} python3 scatter.py
            explained perl perl -e 'open F, ">", shift or die "cannot open: $!\n"' disk/new
            explained sqlite sqlite3 disk/x.db 'create table t(a)'
            explained gs gs -q -dNOPAUSE -dBATCH -sDEVICE=pdfwrite -sOutputFile=disk/x.pdf /dev/null"#
        ));
        for run in ["perl", "sqlite", "gs"] {
            let run = scene.run(run);
            assert_eq!(run.first().id, "space-fragmented", "{run}");
            run.assert_does_not_name("blocks-exhausted");
        }
    });
}

#[test]
fn what_needs_no_new_file_there_is_silence() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{DISK} python3 scatter.py
            explained perl perl -e 'open F, "<", shift or die; die "cannot open it\n"' disk/filler
            explained sqlite sqlite3 disk/n1 'select * from nothing'
            explained append sh -c 'cat /nowhere >>disk/n2'
            explained unzip unzip -q none.zip -d disk
            explained tar tar -xf none.tar -C disk
            explained gs gs -q -dNOPAUSE -dBATCH -sDEVICE=pdfwrite -sOutputFile=none/x.pdf /dev/null"#
        ));
        scene.each(&["perl", "sqlite", "append", "unzip", "tar", "gs"]).assert_does_not_name("space-fragmented");
    });
}
