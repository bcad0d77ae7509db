//! Files that end before their own format does, met by readers that call the whole file damaged or say nothing; each beside a twin that
//! fails another way with a cut file at hand.

use crate::harness::{Need, scenario};
use explain::cause::Confidence;

const READERS: &[Need] = &[
    Need::Root,
    Need::Program("sqlite3"),
    Need::Program("unsquashfs"),
    Need::Program("7z"),
    Need::Program("zip"),
    Need::Program("unzip"),
    Need::Program("cpio"),
    Need::Program("objdump"),
    Need::Program("gcc"),
    Need::Program("python3"),
];

/// Whole files in `whole`, and their first halves beside them.
const HALVES: &str = r#"mkdir whole tree; head -c 300000 /dev/urandom >tree/a; seq 90000 >tree/b; cd whole
    sqlite3 x.db 'create table t(a); insert into t values(randomblob(200000)); create table u(b); insert into u values(randomblob(90000))'
    mksquashfs ../tree x.sq -quiet >/dev/null; 7z a x.7z ../tree >/dev/null; zip -qr x.zip ../tree
    (find ../tree | cpio -o >x.cpio) 2>/dev/null; echo 'int f(void) { return 1; }' >f.c; gcc -c f.c -o x.o; rm f.c
    for file in *; do head -c "$(($(stat -c %s "$file") / 2))" "$file" >"../$file"; done; cd ..
"#;

#[test]
fn a_file_that_is_shorter_than_its_format_says_is_found_behind_words_for_damage() {
    scenario(READERS, |lab| {
        let scene = lab.play(&format!(
            r"{HALVES} mkdir mounted
            explained x.db sqlite3 x.db 'select length(a) from t'
            explained x.sq unsquashfs -d out x.sq
            explained x.7z 7z x -y -oout x.7z
            explained x.zip unzip -tq x.zip
            explained x.cpio cpio -t -F x.cpio
            explained x.o objdump -d x.o
            explained twin.db sqlite3 whole/x.db 'select * from none'
            explained twin.7z 7z x -y -o/proc/none whole/x.7z
            explained twin.zip unzip -tq whole/x.zip nothing
            explained twin.o objdump -d none.o x.txt"
        ));
        for file in ["x.db", "x.sq", "x.7z", "x.zip", "x.cpio", "x.o"] {
            scene.run(file).assert_only("empty-or-truncated-file", lab.path(file), Confidence::Verified);
        }
        for twin in ["twin.db", "twin.7z", "twin.zip", "twin.o"] {
            scene.run(twin).assert_does_not_name("empty-or-truncated-file");
        }
    });
}

#[test]
fn a_cut_file_is_found_in_a_program_text_and_behind_a_mount() {
    scenario(READERS, |lab| {
        let scene = lab.play(&format!(
            r#"{HALVES} mkdir mounted
            read='import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("select a from t").fetchall()'
            explained python python3 -c "$read" x.db
            explained script sh -c 'cpio -t <x.cpio'
            explained mount flock /dev/loop-control mount -o loop x.sq mounted
            explained twin.python python3 -c "$read" whole/x.sq
            explained twin.script sh -c 'cpio -t <whole/x.cpio; cat none'
            explained twin.mount flock /dev/loop-control mount -o loop whole/x.db mounted"#
        ));
        for (run, file) in [("python", "x.db"), ("script", "x.cpio"), ("mount", "x.sq")] {
            scene.run(run).assert_only("empty-or-truncated-file", lab.path(file), Confidence::Verified);
        }
        for twin in ["twin.python", "twin.script", "twin.mount"] {
            scene.run(twin).assert_does_not_name("empty-or-truncated-file");
        }
    });
}

const PACKERS: &[Need] = &[
    Need::Root,
    Need::Program("dpkg-deb"),
    Need::Program("gzip"),
    Need::Program("zstd"),
    Need::Program("qemu-img"),
    Need::Program("python3"),
    Need::Program("mkfs.ext4"),
];

#[test]
fn what_has_no_length_in_its_head_is_read_to_its_end_or_counted_part_by_part() {
    scenario(PACKERS, |lab| {
        let scene = lab.play(
            r#"mkdir -p package/DEBIAN mounted; seq 90000 >package/list; seq 90000 >list
            printf 'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n' >package/DEBIAN/control
            dpkg-deb -b package whole.deb >/dev/null; tar czf whole.tgz list; zstd -q list -o whole.zst
            truncate -s 2M raw; head -c 1M /dev/urandom >>raw
            qemu-img convert -O qcow2 raw whole.qcow2; truncate -s 8M whole.ext; mkfs.ext4 -q whole.ext
            for file in whole.*; do head -c "$(($(stat -c %s "$file") * 2 / 3))" "$file" >"cut.${file##*.}"; done
            explained deb dpkg-deb -x cut.deb out
            explained tgz tar xzf cut.tgz
            explained python python3 -c 'import gzip; gzip.open("cut.tgz").read()'
            explained zst zstd -q -t cut.zst
            explained qcow2 qemu-img check cut.qcow2
            explained ext flock /dev/loop-control mount -o loop cut.ext mounted
            explained twin.deb dpkg-deb -x whole.deb /proc/none
            explained twin.tgz tar xzf whole.tgz none
            explained twin.zst zstd -q -t list
            explained twin.qcow2 qemu-img check -f raw whole.qcow2"#,
        );
        for (run, file) in
            [("deb", "cut.deb"), ("tgz", "cut.tgz"), ("python", "cut.tgz"), ("zst", "cut.zst"), ("ext", "cut.ext")]
        {
            scene.run(run).assert_first("empty-or-truncated-file", lab.path(file), Confidence::Verified);
        }
        // It says the same of many regions, so that none is the last word.
        scene.run("qcow2").assert_first("empty-or-truncated-file", lab.path("cut.qcow2"), Confidence::Likely);
        for twin in ["twin.deb", "twin.tgz", "twin.zst", "twin.qcow2"] {
            scene.run(twin).assert_does_not_name("empty-or-truncated-file");
        }
    });
}

#[test]
fn a_program_whose_header_is_cut_is_for_no_other_machine() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"head -c 60 /bin/true >program; chmod 755 program
            explained python python3 -c 'import subprocess; subprocess.run(["./program"])'
            explained shell bash -c ./program"#,
        );
        for run in ["python", "shell"] {
            scene.run(run).assert_first("empty-or-truncated-file", lab.path("program"), Confidence::Verified);
            scene.run(run).assert_does_not_name("wrong-architecture");
        }
    });
}

#[test]
fn an_empty_file_of_a_project_is_found_by_the_directory_that_the_tool_was_given() {
    scenario(&[Need::Root, Need::Program("npm"), Need::Program("git")], |lab| {
        let scene = lab.play(
            r"mkdir project; : >project/package.json; : >other; export HOME=$LAB
            cd project; explained npm npm install; cd ..
            git init -q repository; : >repository/.git/HEAD
            explained head git -C repository log
            explained twin.head git -C project log other",
        );
        scene.run("npm").assert_first(
            "empty-or-truncated-file",
            lab.path("project/package.json"),
            Confidence::Verified,
        );
        scene.run("head").assert_first(
            "empty-or-truncated-file",
            lab.path("repository/.git/HEAD"),
            Confidence::Verified,
        );
        scene.run("twin.head").assert_does_not_name("empty-or-truncated-file");
    });
}

/// What Git keeps of a repository, and what a loader maps.
#[test]
fn a_pack_a_branch_and_a_mapped_library_that_are_cut_are_found() {
    let needs =
        [Need::Root, Need::Program("git"), Need::Program("gcc"), Need::Program("python3"), Need::Program("bzip2")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"export HOME=$LAB; git init -q pack; head -c 90000 /dev/urandom >pack/file
            commit() { git -C "$1" add . && git -C "$1" -c user.name=a -c user.email=a@b commit -qm x; }
            commit pack; cp -a pack branch; git -C pack gc -q; cp -a pack whole; cd pack/.git/objects/pack
            chmod u+w *.pack; truncate -s -9000 *.pack; cd "$LAB"; : >"branch/.git/$(git -C branch symbolic-ref HEAD)"
            echo 'int f(void) { return 0; }' >f.c; gcc -shared -fPIC -o f.so f.c; head -c $(($(stat -c %s f.so) / 2)) f.so >cut.so
            head -c 20000 /bin/true >program; chmod 755 program
            seq 90000 | bzip2 >whole.bz2; head -c 20000 whole.bz2 >cut.bz2
            explained pack git -C pack checkout -f HEAD -- file
            explained branch git -C branch log
            explained library python3 -c 'import ctypes; ctypes.CDLL("./cut.so")'
            explained program ./program
            explained bzip2 bzip2 -t cut.bz2
            explained twin.pack git -C whole checkout -f HEAD -- none
            explained twin.branch git -C whole log none
            explained twin.library python3 -c 'import ctypes; ctypes.CDLL("./f.so"); ctypes.string_at(0)'
            explained twin.bzip2 bzip2 -t whole.bz2 none"#,
        );
        for (run, confidence) in [("branch", Confidence::Verified), ("bzip2", Confidence::Verified)] {
            assert_eq!(scene.run(run).assert_names("empty-or-truncated-file").confidence, confidence, "{run}");
        }
        for run in ["pack", "library", "program"] {
            scene.run(run).assert_names("empty-or-truncated-file");
        }
        for twin in ["twin.pack", "twin.branch", "twin.library", "twin.bzip2"] {
            scene.run(twin).assert_does_not_name("empty-or-truncated-file");
        }
    });
}
