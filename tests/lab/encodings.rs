//! Carriage returns, byte order marks and UTF-16 in files whose readers take them for contents: messages that show them, messages that
//! show a name which looks right, and the same commands on plain files.

use crate::harness::{Lab, Need, Scene, scenario};
use explain::cause::Confidence::Verified;

const NEEDS: &[Need] = &[Need::Root, Need::Program("python3"), Need::Program("node"), Need::Program("ssh-keygen")];

#[track_caller]
fn assert_named(lab: &Lab, scene: &Scene, runs: &[(&str, &str)]) {
    for (run, file) in runs {
        scene.run(run).assert_only("text-encoding", lab.path(file), Verified);
    }
}

#[test]
fn a_name_that_a_carriage_return_has_changed_is_seen_through() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r"mkdir sub; : >lib.sh
            for name in ls:ls cd:'cd sub' set:'set -e' source:'. ./lib.sh' exit:'exit 3' remove:'rm x'; do
                printf '%s\n' '# a script' >${name%%:*}.plain; printf '%s\n' ${name#*:} >>${name%%:*}.plain
                sed 's/$/\r/' ${name%%:*}.plain >${name%%:*}.sh
            done
            for name in ls cd set remove; do explained dash.$name sh $name.sh; done
            for name in ls cd source exit; do explained bash.$name bash $name.sh; done
            printf 'lss\nexit 127\n' >typo.plain; explained twin.typo sh typo.plain
            printf 'cd sup\n' >cd.twin; explained twin.cd sh cd.twin
            printf 'set -Q\n' >set.twin; explained twin.set sh set.twin
            explained twin.remove sh remove.plain",
        );
        let dash = ["ls", "cd", "set", "remove"].map(|name| (format!("dash.{name}"), format!("{name}.sh")));
        let bash = ["ls", "cd", "source", "exit"].map(|name| (format!("bash.{name}"), format!("{name}.sh")));
        for (run, file) in dash.iter().chain(&bash) {
            assert_named(lab, &scene, &[(run, file)]);
        }
        for run in ["twin.typo", "twin.cd", "twin.set", "twin.remove"] {
            scene.run(run).assert_does_not_name("text-encoding");
        }
    });
}

#[test]
fn a_mark_before_the_first_word_is_no_part_of_a_command_s_name() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"printf '\357\273\277echo hi\n' >bom.sh; printf '\357\273\277{"a":1}' >bom.json; printf '{"a":1}}' >plain.json
            read='JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))'
            explained dash sh bom.sh
            explained bash bash bom.sh
            printf '\357\273\277#!/bin/sh\n' >first.sh; explained shebang sh first.sh
            explained node node -e "$read" bom.json
            explained twin node -e "$read" plain.json
            type_fix bash ^sed; explained after sh bom.sh"#,
        );
        assert_named(
            lab,
            &scene,
            &[("dash", "bom.sh"), ("bash", "bom.sh"), ("shebang", "first.sh"), ("node", "bom.json")],
        );
        scene.run("twin").assert_silent();
        assert_eq!(scene.run("after").status, 0);
    });
}

#[test]
fn a_file_that_its_reader_only_calls_invalid_is_looked_at() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"umask 077; ssh-keygen -q -t ed25519 -N '' -f key; sed -i 's/$/\r/' key; echo broken >broken
            printf '\377\376[\0u\0]\0\n\0' >wide.cfg; printf '\377\376p\0' >wide.py; printf '\357\273\277a = 1\n' >bom.toml
            printf '[u]\nn\344me = 1\n' >latin.cfg; printf 'x = \n' >wrong.toml
            config='import configparser, sys; configparser.ConfigParser().read(sys.argv[1], encoding="utf-8")'
            toml='import sys, tomllib; tomllib.load(open(sys.argv[1], "rb"))'
            explained key ssh-keygen -y -f key
            explained config python3 -c "$config" wide.cfg
            explained script python3 wide.py
            explained toml python3 -c "$toml" bom.toml
            explained twin.key ssh-keygen -y -f broken
            explained twin.config python3 -c "$config" latin.cfg
            explained twin.toml python3 -c "$toml" wrong.toml"#,
        );
        let runs = [("key", "key"), ("config", "wide.cfg"), ("script", "wide.py"), ("toml", "bom.toml")];
        assert_named(lab, &scene, &runs);
        for run in ["twin.key", "twin.config", "twin.toml"] {
            scene.run(run).assert_silent();
        }
    });
}
