//! Room that the command gave back: programs take away what they could not finish, and some have done so before anybody looked. Each
//! beside a twin that fails on the same small filesystem for another reason.

use crate::harness::{Need, Scene, scenario};
use explain::cause::Confidence;

/// What tools of so many kinds leave when they fail: nothing.
const TREES: &str = r"
    mkdir tree out; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do seq $i 9000 >tree/$i; done
    git init -q repo; cp tree/* repo; git -C repo add .; git -C repo -c user.name=x -c user.email=x@y commit -qm x
";

#[track_caller]
fn assert_gone(scene: &Scene, runs: &[&str], id: &str, subject: &std::path::Path) {
    for run in runs {
        let run = scene.run(run);
        let found = run.first();
        assert!(found.id == id && found.subject == subject.to_string_lossy(), "{run}");
        assert_ne!(found.confidence, Confidence::Possible, "{run}");
        assert!(found.fixes.iter().any(|fix| fix.command.as_ref().is_some_and(|it| it.contains("remount"))), "{run}");
        run.assert_does_not_name(if id == "inodes-exhausted" { "blocks-exhausted" } else { "inodes-exhausted" });
    }
}

#[test]
fn inodes_that_were_given_back_before_anybody_looked_are_told() {
    scenario(&[Need::Root, Need::Program("git"), Need::Program("python3")], |lab| {
        let scene = lab.play(&format!(
            r#"{TREES}
            mkdir it; mount -t tmpfs -o nr_inodes=6 lab it
            explained csplit csplit -s -f it/p /etc/services 2 4 6 8 10 12 14 16
            explained absolute csplit -s -f "$LAB/it/p" /etc/services 2 4 6 8 10 12 14 16
            explained sort sort -S 100k -T it tree/* -o out/sorted
            explained git git clone -q repo it/clone
            explained trap bash -c "trap 'rm -rf it/*' EXIT; cp -r tree it/copy"
            explained python python3 -c 'import shutil, tempfile
with tempfile.TemporaryDirectory(dir="it") as scratch: shutil.copytree("tree", scratch + "/copy")'
            explained type_fix_me csplit -s -f it/q /etc/services 2 4 6 8 10 12 14 16
            cd it; explained here csplit -s -f p /etc/services 2 4 6 8 10 12 14 16
            explained twin.full sh -c 'cat /etc/services >/dev/full'
            explained twin.dd dd if=/etc/services of=/dev/full status=none
            cd ..; explained twin.missing csplit -s -f it/p /etc/none 2 4
            explained twin.git git clone -q none it/clone
            explained twin.large python3 -c 'raise OSError(28, "No space left on device", "out/x")'
            type_fix type_fix_me remount
            bare mended csplit -s -f it/q /etc/services 2 4 6 8 10 12 14 16"#
        ));
        let runs = ["csplit", "absolute", "sort", "git", "trap", "python", "here"];
        assert_gone(&scene, &runs, "inodes-exhausted", &lab.path("it"));
        for twin in ["twin.full", "twin.dd", "twin.missing", "twin.git", "twin.large"] {
            scene.run(twin).assert_does_not_name("inodes-exhausted");
        }
        assert_eq!(scene.run("mended").status, 0);
    });
}

#[test]
fn bytes_that_were_given_back_before_anybody_looked_are_told() {
    scenario(&[Need::Root, Need::Program("git"), Need::Program("gcc"), Need::Program("make")], |lab| {
        let scene = lab.play(&format!(
            r"{TREES}
            head -c 3M /dev/urandom >large; printf '.DELETE_ON_ERROR:\nit/o:; cat large >$@\n' >Makefile
            echo 'int main(void) {{ static char b[3000000] = {{1}}; return b[0]; }}' >a.c; gcc -c a.c; gzip -k large
            mkdir it; mount -t tmpfs -o size=1m lab it
            explained make make -s
            explained link gcc -o it/a.out a.o
            explained assembler env TMPDIR=it gcc -o out/a.out a.c
            explained archive ar rc it/x.a large
            explained gunzip sh -c 'gzip -dc large.gz >it/x || {{ rm it/x; exit 1; }}'
            explained strip strip -o it/a.o a.o
            explained twin.full make -s -f - </dev/null
            explained twin.strip strip -o it/a.o none.o
            explained twin.gunzip gzip -dc Makefile
            explained twin.device sh -c 'cat large >/dev/full || {{ rm -f it/x; exit 1; }}'"
        ));
        let runs = ["make", "link", "assembler", "archive", "gunzip", "strip"];
        assert_gone(&scene, &runs, "blocks-exhausted", &lab.path("it"));
        for twin in ["twin.full", "twin.strip", "twin.gunzip", "twin.device"] {
            scene.run(twin).assert_does_not_name("blocks-exhausted");
        }
    });
}
