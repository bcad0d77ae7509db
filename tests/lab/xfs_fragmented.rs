//! An xfs whose free space is in pieces of one block: nothing new can be made, though half of it is free.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Filesystem("xfs"), Need::Program("python3"), Need::Program("perl")];

#[test]
fn free_blocks_that_do_not_lie_together_are_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"loop_mount xfs 310M "$LAB/disk" -i sparse=0
            explained healthy cp /nowhere disk/new
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
            python3 scatter.py
            explained touch touch disk/new
            explained mkdir mkdir disk/directory
            explained cp cp /etc/hostname disk/copy
            explained vague perl -e 'open F, ">", shift or die "cannot open: $!\n"' disk/new
            explained twin perl -e 'open F, "<", shift or die; die "cannot open it\n"' disk/filler"#,
        );
        for run in ["touch", "mkdir", "cp", "vague"] {
            let run = scene.run(run);
            run.assert_first("space-fragmented", lab.path("disk"), Confidence::Likely);
            run.assert_does_not_name("blocks-exhausted");
        }
        scene.run("twin").assert_silent();
        scene.run("healthy").assert_does_not_name("space-fragmented");
    });
}
