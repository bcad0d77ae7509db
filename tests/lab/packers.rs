//! Packers, languages and typesetters on filesystems that take no more, no writes or no programs: what each says of it is its own.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

const NEEDS: &[Need] = &[
    Need::Root,
    Need::Program("7z"),
    Need::Program("mksquashfs"),
    Need::Program("genisoimage"),
    Need::Program("lua5.4"),
    Need::Program("gs"),
    Need::Program("php"),
    Need::Program("logrotate"),
    Need::Program("ed"),
];

#[test]
fn what_packers_and_languages_say_of_a_read_only_mount_is_understood() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"mkdir d ro; echo x >d/f; echo x >f; 7z a f.7z f >/dev/null; mksquashfs d f.sq -quiet -no-progress >/dev/null
            mount -t tmpfs -o mode=755 lab ro; echo x >ro/log; mount -o remount,ro ro
            printf '%s/ro/log {\n rotate 1\n size 1\n}\n' "$LAB" >rotate; chmod 600 rotate
            explained 7z 7z x -oro f.7z
            explained squashfs unsquashfs -n -q -d ro/x f.sq
            explained iso genisoimage -quiet -o ro/x.iso d
            explained lua lua5.4 -e 'assert(io.open("ro/f", "w"))'
            explained gs gs -q -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -sOutputFile=ro/x.pdf -c showpage
            explained php php -r 'mkdir("ro/d") || exit(2);'
            explained logrotate logrotate -f -s state rotate
            explained ed sh -c 'printf "a\nx\n.\nw ro/f\nq\n" | ed -s'
            explained zip zip -q ro/x.zip f
            explained twin.7z 7z x -oro none.7z
            explained twin.gs gs -q -dBATCH -dNOPAUSE -sDEVICE=nullpage ro/none.ps
            explained twin.php php -r 'fopen("ro/none", "r") || exit(1);'
            explained twin.lua lua5.4 -e 'assert(io.open("ro/none"))'"#,
        );
        let runs = ["7z", "squashfs", "iso", "lua", "gs", "php", "logrotate", "ed", "zip"];
        scene.each(&runs).assert_about("read-only-filesystem", lab.path("ro"));
        scene.each(&["twin.7z", "twin.gs", "twin.php", "twin.lua"]).assert_silent();
    });
}

#[test]
fn what_packers_and_languages_say_of_a_filesystem_without_inodes_is_understood() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"export TMPDIR="$LAB"; mkdir d small; for n in $(seq 9); do echo $n >d/$n; done; (cd d; 7z a ../d.7z . >/dev/null); mount -t tmpfs -o nr_inodes=6 lab small
            explained 7z 7z x -osmall d.7z
            touch small/last 2>/dev/null || true
            explained lua lua5.4 -e 'assert(io.open("small/f", "w"))'
            explained gs gs -q -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -sOutputFile=small/x.pdf -c showpage
            explained php php -r 'tempnam("small/none/x", "y"); mkdir("small/d") || exit(2);'
            explained iso genisoimage -quiet -o small/x.iso d
            rm -r small/*
            explained twin genisoimage -quiet -o small/x.iso none
            explained twin.php php -r 'mkdir("small/a/b") || exit(2);'"#,
        );
        scene.each(&["7z", "lua", "gs", "php", "iso"]).assert_about("inodes-exhausted", lab.path("small"));
        scene.each(&["twin", "twin.php"]).assert_does_not_name("inodes-exhausted");
    });
}

#[test]
fn room_that_was_given_back_before_anybody_looked_is_measured_by_what_was_to_be_written() {
    scenario(&[Need::Root, Need::Program("rsync"), Need::Program("fallocate")], |lab| {
        let scene = lab.play(
            "mkdir small; mount -t tmpfs -o size=1m lab small; head -c 3M /dev/urandom >big; echo x >little
            explained rsync rsync big small/f
            explained fallocate fallocate -l 3M small/f
            explained fits fallocate -l 3K none/f
            explained twin rsync little small/none/x/f
            explained twin.big rsync big small/none/x/f",
        );
        scene.each(&["rsync", "fallocate"]).assert_only("blocks-exhausted", lab.path("small"), Verified);
        scene.each(&["fits", "twin", "twin.big"]).assert_does_not_name("blocks-exhausted");
    });
}

#[test]
fn programs_that_start_others_from_a_noexec_mount_are_understood() {
    let needs = [Need::Root, Need::Program("rsync"), Need::Program("strace"), Need::Program("gcc")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir d; mount -t tmpfs -o noexec tmpfs d; cp /bin/true d/p
            printf 'set -e\necho "int main(void) { return 0; }" >t.c\ngcc t.c -o conftest\n./conftest 2>/dev/null || ran=no\nrm conftest\n' >configure
            printf '[ -z "$ran" ] || { echo "configure: error: cannot run C compiled programs." >&2; exit 77; }\nexit 3\n' >>configure
            explained rsync rsync -e "$LAB/d/p" host:x y
            explained strace strace -o /dev/null d/p
            explained unshare unshare -m d/p
            explained configure sh -c 'cd d && sh ../configure'
            explained twin sh configure
            explained twin.strace strace -o /dev/null d/none
            explained twin.rsync rsync -e false host:x y"#,
        );
        scene.each(&["rsync", "strace", "unshare"]).assert_first("noexec-mount", lab.path("d"), Verified);
        scene.run("configure").assert_first("noexec-mount", lab.path("d"), Likely);
        scene.each(&["twin", "twin.strace", "twin.rsync"]).assert_does_not_name("noexec-mount");
    });
}

#[test]
fn tools_for_disks_on_a_nodev_mount_are_understood() {
    let needs = [
        Need::Root,
        Need::Filesystem("ext4"),
        Need::Filesystem("btrfs"),
        Need::Program("sqlite3"),
        Need::Program("openssl"),
    ];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir v m; mount -t tmpfs -o nodev tmpfs v; mknod v/zero c 1 5; truncate -s 8M images/disk
            loop=$(flock /dev/loop-control losetup -f --show images/disk); trap 'losetup -d $loop' EXIT
            mknod v/disk b $(stat -c '%Hr %Lr' "$loop"); mkfs.ext4 -q "$loop"
            explained ext4 mkfs.ext4 -q v/disk
            explained btrfs mkfs.btrfs -q v/disk
            explained mount mount v/disk m
            explained tune tune2fs -l v/disk
            explained sqlite sqlite3 v/zero 'create table t(a)'
            explained openssl openssl rand -rand v/zero 4
            explained php php -r 'fopen("v/zero", "r") || exit(1);'
            explained twin tune2fs -l "$LAB/images/none"
            explained twin.mkfs mkfs.btrfs -q images/none
            explained twin.openssl openssl rand -rand none 4"#,
        );
        scene
            .each(&["ext4", "btrfs", "mount", "tune", "sqlite", "openssl", "php"])
            .assert_about("nodev-mount", lab.path("v"));
        scene.each(&["twin", "twin.mkfs", "twin.openssl"]).assert_does_not_name("nodev-mount");
    });
}
