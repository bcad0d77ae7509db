//! Want of room that a program reports without its reason or without a path, by tools that are used nowhere else for it, each beside a
//! twin that fails alike on a machine with room.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

const LANGUAGES: &[Need] =
    &[Need::Root, Need::Program("php"), Need::Program("ruby"), Need::Program("perl"), Need::Program("lua5.4")];

#[test]
fn names_on_two_mounts_are_found_where_the_message_has_one_of_them_or_none() {
    scenario(LANGUAGES, |lab| {
        let scene = lab.play(
            r#"mkdir a b; mount -t tmpfs tmpfs a; mount -t tmpfs tmpfs b; echo x >a/f; mkdir a/dir
            explained perl perl -e 'rename "a/f", "b/f" or die "cannot rename: $!\n"'
            explained link perl -e 'link $ARGV[0], $ARGV[1] or die "no link: $!\n"' a/f b/f
            explained lua lua5.4 -e 'assert(os.rename("a/f", "b/f"))'
            explained php php -r 'link("a/f", "b/f") || exit(1);'
            explained ruby ruby -e 'File.rename("a/f", "b/f")'
            explained directory php -r 'rename("a/dir", "b/dir") || exit(1);'
            explained twin perl -e '$! = 18; die "cannot rename: $!\n"' a/f a/g
            explained twin.php php -r 'rename("a/none", "b/f") || exit(1);'
            explained twin.lua lua5.4 -e 'assert(os.rename("a/none", "a/f"))'"#,
        );
        let ends =
            |name: &str| format!("{} and {}", lab.path("a").join(name).display(), lab.path("b").join(name).display());
        scene.each(&["perl", "link", "lua", "php"]).assert_only("cross-device", ends("f"), Likely);
        scene.run("ruby").assert_only("cross-device", ends("f"), Verified);
        scene.run("directory").assert_only("cross-device", ends("dir"), Verified);
        scene.each(&["twin", "twin.php", "twin.lua"]).assert_does_not_name("cross-device");
    });
}

#[test]
fn a_mount_that_is_in_the_way_is_found_where_the_message_does_not_name_it() {
    scenario(LANGUAGES, |lab| {
        let scene = lab.play(
            r#"mkdir d plain; mount -t tmpfs tmpfs d; touch plain/x
            explained perl perl -e 'rmdir "d" or die "cannot remove: $!\n"'
            explained lua lua5.4 -e 'assert(os.rename("d", "e"))'
            explained php php -r 'rmdir("d") || exit(1);'
            explained ruby ruby -e 'Dir.rmdir("d")'
            explained twin perl -e '$! = 16; die "cannot remove: $!\n"' plain
            explained twin.php php -r 'rmdir("none") || exit(1);'"#,
        );
        for (run, confidence) in [("perl", Likely), ("lua", Likely), ("php", Verified), ("ruby", Verified)] {
            scene.run(run).assert_only("busy", lab.path("d"), confidence);
        }
        scene.each(&["twin", "twin.php"]).assert_silent();
    });
}

#[test]
fn a_reserve_is_found_where_the_message_has_no_reason_or_no_path() {
    let needs = [
        Need::Root,
        Need::Filesystem("ext4"),
        Need::Program("curl"),
        Need::Program("sqlite3"),
        Need::Program("openssl"),
    ];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"loop_mount ext4 64M "$LAB/disk" -m 20; chmod 1777 disk; head -c 2M /dev/urandom >large
            for turn in 1 2; do as nobody sh -c 'head -c 100M /dev/zero >>disk/filler' 2>/dev/null || true; done
            explained_as nobody curl curl -sSo disk/copy "file://$LAB/large"
            explained_as nobody sqlite sqlite3 disk/x.db 'create table t(a); insert into t values(randomblob(3000000))'
            explained_as nobody openssl openssl rand -out disk/r 3000000
            explained_as nobody lua lua5.4 -e 'local f = io.open("disk/l", "w"); f:setvbuf("no"); assert(f:write(string.rep("x", 3000000)))'
            rm disk/filler
            explained_as nobody twin curl -sSo disk/copy "file://$LAB/none"
            explained_as nobody twin.sqlite sqlite3 disk/y.db 'insert into nothing values(1)'"#,
        );
        for run in ["curl", "sqlite", "openssl", "lua"] {
            let run = scene.run(run);
            assert_eq!(run.first().id, "reserved-blocks", "{run}");
            run.assert_does_not_name("blocks-exhausted");
        }
        scene.each(&["twin", "twin.sqlite"]).assert_does_not_name("reserved-blocks");
    });
}

#[test]
fn a_directory_that_takes_no_more_names_is_found_where_no_reason_is_told() {
    scenario(&[Need::Root, Need::Filesystem("ext4"), Need::Program("sqlite3"), Need::Program("php")], |lab| {
        let scene = lab.play(
            r#"loop_mount ext4 64M "$LAB/disk" -b 1024 -O ^large_dir -N 60000; mkdir disk/d disk/roomy
            refused=$(python3 -c 'import os
number = 0
while True:
    name = "disk/d/%06d" % number + "x" * 240
    try: os.mknod(name)
    except OSError: break
    number += 1
print(name)')
            explained sqlite sqlite3 "$refused" 'create table t(a)'
            explained perl perl -e 'open F, ">", shift or die "cannot open: $!\n"' "$refused"
            explained twin sqlite3 disk/roomy/x.db 'select * from nothing'
            explained twin.perl perl -e 'open F, ">", shift or die; die "cannot open it\n"' disk/roomy/x"#,
        );
        scene.each(&["sqlite", "perl"]).assert_about("directory-full", lab.path("disk/d"));
        scene.each(&["twin", "twin.perl"]).assert_silent();
    });
}

#[test]
fn a_damaged_filesystem_is_found_where_the_message_has_no_path() {
    let needs =
        [Need::Root, Need::Filesystem("ext4"), Need::Program("debugfs"), Need::Program("perl"), Need::Program("php")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"loop_mount ext4 32M "$LAB/disk"; mkdir disk/dir disk/whole; echo text >disk/dir/file; umount disk
            block=$(debugfs -R 'blocks /dir' "$image" 2>/dev/null | awk '{print $1}')
            dd if=/dev/urandom of="$image" bs=1024 seek="$block" count=1 conv=notrunc status=none
            flock /dev/loop-control mount -o loop "$image" disk
            explained twin perl -e 'open F, "<", "disk/whole/x" or die "cannot open: $!\n"'
            explained perl perl -e 'open F, ">", "disk/dir/x" or die "cannot open: $!\n"'
            explained lua lua5.4 -e 'assert(io.open("disk/dir/z", "w"))'
            explained php php -r 'touch("disk/dir/y") || exit(1);'"#,
        );
        scene.each(&["perl", "lua", "php"]).assert_about("filesystem-damaged", lab.path("disk"));
        scene.run("twin").assert_does_not_name("filesystem-damaged");
    });
}

#[test]
fn want_of_instances_is_found_behind_words_for_too_many_files() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"inside=$(enter --user --map-root-user)
            limit() { $inside sh -c "echo $1 >/proc/sys/user/max_inotify_instances"; }
            try='import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.inotify_init() < 0: sys.exit("inotify_init: " + os.strerror(ctypes.get_errno()))
sys.exit("error: " + os.strerror(24))'
            limit 0; explained_in vague "$inside" python3 -c "$try"
            limit 50; explained_in twin "$inside" python3 -c "$try""#,
        );
        scene.run("vague").assert_names("inotify-instances-exhausted");
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_lack_of_metadata_is_found_where_no_reason_is_told() {
    let needs = [
        Need::Root,
        Need::Filesystem("btrfs"),
        Need::Program("python3"),
        Need::Program("sqlite3"),
        Need::Program("php"),
    ];
    scenario(&needs, |lab| {
        let scene = lab.play(&format!(
            r#"{}
            explained sqlite sqlite3 pool/x.db 'create table t(a)'
            explained perl perl -e 'mkdir shift or die "cannot create: $!\n"' pool/directory
            explained twin perl -e 'open F, "<", shift or die "cannot open: $!\n"' pool/none"#,
            crate::btrfs_metadata::METADATA_FULL
        ));
        scene.each(&["sqlite", "perl"]).assert_about("btrfs-metadata-full", lab.path("pool"));
        scene.run("twin").assert_silent();
    });
}
