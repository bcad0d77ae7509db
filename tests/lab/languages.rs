//! The same faults told in other languages: what programs print is translated, what is wrong with the machine is not.

use crate::harness::{Lab, Need, Scene, scenario};
use explain::cause::Confidence::Verified;

/// A full tmpfs, a read-only one, and tools that meet them, each in the locale.
const TOOLS: &str = r#"
    mkdir full ro
    mount -t tmpfs -o size=64k full full
    mount -t tmpfs ro ro
    head -c 200k /dev/zero >big
    tar -cf big.tar big
    echo text >ro/file
    head -c 100k /dev/zero >full/fill || :
    mount -o remount,ro ro
    unset LANGUAGE
    export LC_ALL="$LOCALE"
    explained cp cp big full/big
    explained tar-full tar -C full -xf "$LAB/big.tar"
    explained touch touch ro/new
    explained tar-ro tar -C ro -xf "$LAB/big.tar"
    explained redirect bash -c 'echo x >ro/new'
    explained sed sed -i s/t/x/ ro/file
    explained sed-missing sed s/t/x/ "$LAB/nowhere/file"
    explained cd bash -c "cd '$LAB/nowhere/deeper'"
    explained command bash -c no-such-command-anywhere
    explained env env no-such-command-anywhere
    echo true >script
    explained nice nice ./script
    chmod 755 "$LAB"
    mkdir -m 700 own
    explained_as 4001 dpkg env HOME="$LAB/own" dpkg -i x.deb
    explained git /usr/bin/git init -q ro/repository
"#;

fn play(locale: &'static str, check: impl FnOnce(&Lab, &Scene)) {
    let needs = [Need::Root, Need::Locale(locale), Need::Program("git")];
    scenario(&needs, |lab| check(lab, &lab.play(&format!("LOCALE={locale}\n{TOOLS}"))));
}

/// Asserts that each tool's own words, in a language that is not English, led to what is so.
#[track_caller]
fn assert_read(lab: &Lab, scene: &Scene) {
    for (run, english) in [("cp", "error writing"), ("tar-full", "Cannot write")] {
        let run = scene.run(run);
        assert!(!run.says(english) && !run.says("No space left on device"), "this is English{run}");
        run.assert_first("blocks-exhausted", lab.path("full"), Verified);
    }
    for run in ["touch", "tar-ro", "redirect", "sed", "git"] {
        let run = scene.run(run);
        assert!(!run.says("Read-only file system"), "this is English{run}");
        run.assert_first("read-only-filesystem", lab.path("ro"), Verified);
    }
    for run in ["sed-missing", "cd"] {
        let run = scene.run(run);
        assert!(!run.says("No such file"), "this is English{run}");
        run.assert_first("missing-path", lab.path("nowhere"), Verified);
    }
    for run in ["command", "env"] {
        let run = scene.run(run);
        assert!(!run.says("command not found"), "this is English{run}");
        run.assert_first("command-not-found", "no-such-command-anywhere", Verified);
    }
    scene.run("nice").assert_first("not-executable", lab.path("script"), Verified);
    scene.run("dpkg").assert_first("missing-capability", "root", Verified);
}

#[test]
fn faults_told_in_german_are_explained() {
    play("de_DE.utf8", assert_read);
}

#[test]
fn faults_told_in_french_are_explained() {
    play("fr_FR.utf8", assert_read);
}

#[test]
fn faults_told_in_spanish_are_explained() {
    play("es_ES.utf8", assert_read);
}

#[test]
fn faults_told_in_japanese_are_explained() {
    play("ja_JP.utf8", assert_read);
}

#[test]
fn faults_told_in_chinese_are_explained() {
    play("zh_CN.utf8", assert_read);
}

#[test]
fn faults_told_in_russian_are_explained() {
    play("ru_RU.utf8", assert_read);
}
