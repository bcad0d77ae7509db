//! A full /dev/shm says nothing at all: a mapping that cannot be filled ends its program by SIGBUS.

use crate::harness::{Need, scenario};
use explain::cause::Confidence;

#[test]
fn a_bus_error_on_a_full_dev_shm_is_explained() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Program("gcc")], |lab| {
        let scene = lab.play(
            r#"
            cat >fill.c <<'PROGRAM'
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
    int fd = shm_open("/frames", O_CREAT | O_RDWR, 0600);
    ftruncate(fd, 1 << 20);
    memset(mmap(0, 1 << 20, PROT_WRITE, MAP_SHARED, fd, 0), 1, 1 << 20);
}
PROGRAM
            gcc -o fill fill.c
            mount -t tmpfs -o size=128k lab /dev/shm
            explained c ./fill
            rm /dev/shm/frames
            explained python python3 -c '
import mmap
with open("/dev/shm/tensor", "w+b") as file:
    file.truncate(1 << 20)
    mmap.mmap(file.fileno(), 1 << 20).write(b"x" * (1 << 20))'
            "#,
        );
        for name in ["c", "python"] {
            let run = scene.run(name);
            assert_eq!(run.status, 128 + 7, "no bus error{run}");
            run.assert_only("blocks-exhausted", "/dev/shm", Confidence::Verified);
        }
    });
}
