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
