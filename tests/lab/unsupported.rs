//! What a filesystem cannot do by its type, told by real tools on those that every kernel has (ramfs, hugetlbfs, proc, sysfs), and by a
//! filesystem in user space that has no links, no modes and no locks.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

#[test]
fn what_a_filesystem_in_memory_cannot_do_is_told_by_its_type() {
    scenario(&[Need::Root, Need::Filesystem("ext4"), Need::Program("setfacl"), Need::Program("chattr")], |lab| {
        let scene = lab.play(
            r"mkdir r; mount -t ramfs lab r; touch r/x; loop_mount ext4 16M $LAB/e; touch e/x
            explained dd dd if=/dev/zero of=r/y oflag=direct count=1
            explained chattr chattr +i r/x
            explained setfacl setfacl -m u:4001:r r/x
            explained clone cp --reflink=always e/x e/y
            explained unnamed fallocate -l 1M r/x
            explained twin dd if=/dev/zero of=r/none/y oflag=direct count=1
            explained missing chattr +i r/none
            explained able cp --reflink=always e/none e/y",
        );
        for run in ["dd", "chattr", "setfacl"] {
            scene.run(run).assert_only("unsupported-by-filesystem", lab.path("r"), Verified);
        }
        scene.run("clone").assert_only("unsupported-by-filesystem", lab.path("e"), Verified);
        // The message names no file: the command line does.
        scene.run("unnamed").assert_only("unsupported-by-filesystem", lab.path("r"), Likely);
        for run in ["twin", "missing", "able"] {
            scene.run(run).assert_does_not_name("unsupported-by-filesystem");
        }
    });
}

#[test]
fn the_kernel_s_own_filesystems_take_no_files_of_others_whatever_the_errno_says() {
    let needs = [Need::Root, Need::Program("git"), Need::Program("sqlite3"), Need::Program("rsync")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            "explained mkdir mkdir /proc/x
            explained sh sh -c 'echo x >/proc/x'
            explained touch touch /sys/x
            explained git git init -q /sys/repository
            explained rsync rsync -a /etc/passwd /sys/
            explained sqlite sqlite3 /sys/x.db 'create table t(a)'
            explained twin cat /proc/nothing-like-it
            explained_as 4001 refused sh -c 'echo 1 >/proc/sys/vm/drop_caches'",
        );
        for (run, point) in [("mkdir", "/proc"), ("sh", "/proc"), ("touch", "/sys"), ("git", "/sys"), ("rsync", "/sys")]
        {
            scene.run(run).assert_only("unsupported-by-filesystem", point, Verified);
        }
        scene.run("sqlite").assert_only("unsupported-by-filesystem", "/sys", Likely);
        scene.run("twin").assert_silent();
        scene.run("refused").assert_only("permission-denied", "/proc/sys/vm/drop_caches", Verified);
    });
}

#[test]
fn files_that_can_only_be_mapped_are_told_where_a_tool_says_invalid_argument_or_io_error() {
    scenario(&[Need::Root, Need::Program("tar"), Need::Program("sqlite3")], |lab| {
        let scene = lab.play(
            "mkdir h; mount -t hugetlbfs lab h 2>/dev/null || { touch none; exit 0; }
            explained cp cp /etc/passwd h/passwd
            explained tar tar -cf h/x.tar runs
            explained sqlite sqlite3 h/x.db 'create table t(a)'
            explained dash sh -c 'echo x >h/f'
            explained twin cp /etc/none h/passwd",
        );
        if lab.path("none").exists() {
            return;
        }
        for (run, sure) in [("cp", Verified), ("tar", Verified), ("sqlite", Likely), ("dash", Likely)] {
            scene.run(run).assert_only("unsupported-by-filesystem", lab.path("h"), sure);
        }
        scene.run("twin").assert_silent();
    });
}

/// A filesystem in user space that keeps one directory in memory and has neither links, modes, owners, FIFOs nor extended attributes.
const PLAIN: &str = r#"
cat >plain.py <<'PYTHON'
import errno, os, stat, sys, time
from fusepy import FUSE, FuseOSError, Operations
class Plain(Operations):
    def __init__(self): self.files = {}
    def getattr(self, path, fh=None):
        now = {"st_uid": 0, "st_gid": 0, "st_mtime": time.time()}
        if path == "/": return {"st_mode": stat.S_IFDIR | 0o777, "st_nlink": 2, **now}
        if path not in self.files: raise FuseOSError(errno.ENOENT)
        return {"st_mode": stat.S_IFREG | 0o666, "st_nlink": 1, "st_size": len(self.files[path]), **now}
    def readdir(self, path, fh): return [".", ".."] + [name[1:] for name in self.files]
    def create(self, path, mode, fi=None): self.files[path] = b""; return 1
    def open(self, path, flags): return 1
    def read(self, path, size, offset, fh): return self.files[path][offset:offset + size]
    def write(self, path, data, offset, fh): self.files[path] = self.files[path][:offset] + data; return len(data)
    def truncate(self, path, length, fh=None): self.files[path] = self.files[path][:length]
    def unlink(self, path): del self.files[path]
    def refuse(self, *words): raise FuseOSError(errno.ENOSYS)
    chmod = chown = link = symlink = mknod = refuse
FUSE(Plain(), sys.argv[1], foreground=True, nothreads=True)
PYTHON
mkdir p; /usr/bin/python3 plain.py p >plain.log 2>&1 &
for i in $(seq 100); do mountpoint -q p && break; sleep 0.05; done
"#;

#[test]
fn links_and_modes_that_a_filesystem_in_user_space_does_not_have_are_likely_the_reason() {
    let needs = [Need::Root, Need::Program("fusermount3"), Need::File("/usr/lib/python3/dist-packages/fusepy.py")];
    scenario(&needs, |lab| {
        let scene = lab.play(&format!(
            r#"{PLAIN} mkdir src; echo x >src/file; ln -s file src/link; tar -cf links.tar -C src link
            explained ln ln -s file p/link
            explained tar tar -C p -xf links.tar
            explained python python3 -c 'import os; os.symlink("file", "p/link")'
            touch p/file
            explained chmod chmod 600 p/file
            explained fifo mkfifo p/fifo
            explained twin cat p/none
            kill $!"#
        ));
        for run in ["ln", "tar", "python", "chmod", "fifo"] {
            scene.run(run).assert_first("unsupported-by-filesystem", lab.path("p"), Likely);
        }
        scene.run("twin").assert_silent();
    });
}
