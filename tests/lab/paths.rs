//! What a path meets: each cause from two different tools, and the ordinary failures beside it that say all there is.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::Verified;

#[test]
fn a_directory_that_was_never_made_is_named_with_what_makes_it() {
    scenario(&[Need::Root, Need::Program("tar")], |lab| {
        let scene = lab.play(
            "mkdir app; echo x >file
            explained cp cp file app/data/2026/copy
            explained tar tar -cf app/backup/all.tar file",
        );
        let found = scene.run("cp");
        let fixes = &found.assert_first("missing-path", lab.path("app/data"), Verified).fixes;
        assert!(fixes.iter().any(|fix| fix.command.as_deref().is_some_and(|command| command.starts_with("mkdir -p"))));
        scene.run("tar").assert_first("missing-path", lab.path("app/backup"), Verified);
    });
}

#[test]
fn a_slip_in_a_name_is_told_and_a_name_like_no_other_is_not() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            "mkdir etc; echo x >etc/config.yml
            explained grep grep x etc/confg.yml
            explained sed sed s/x/y/ etc/confg.yml
            explained twin cat etc/nothing-of-the-kind",
        );
        for run in ["grep", "sed"] {
            let found = scene.run(run);
            let found = found.assert_first("missing-path", lab.path("etc/confg.yml"), Verified);
            assert!(found.summary.contains("etc/config.yml does"), "{}", found.summary);
        }
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_script_that_lives_on_without_an_optional_file_is_explained_by_what_ended_it() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            "mkdir etc; echo x >etc/tool.conf
            explained script sh -c 'cat etc/tool.cnf; cat /nowhere/defaults; mkdir etc/tool.conf/d'
            explained twin sh -c 'cat etc/tool.cnf; exit 3'",
        );
        let found = scene.run("script");
        found.assert_first("not-a-directory", lab.path("etc/tool.conf"), Verified);
        found.assert_does_not_name("missing-path");
    });
}

#[test]
fn a_name_in_other_case_is_told() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "mkdir Data; echo x >Data/README.md
            explained cat cat Data/Readme.md
            explained python python3 -c 'open(\"data/README.md\")'",
        );
        scene.run("cat").assert_first("wrong-case", lab.path("Data/Readme.md"), Verified);
        scene.run("python").assert_first("wrong-case", lab.path("data"), Verified);
    });
}

#[test]
fn a_link_to_nothing_is_told_apart_from_a_file_that_is_missing() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "mkdir releases; ln -s releases/3 current
            explained ls ls current/bin
            explained python python3 -c 'open(\"current\")'
            mkdir releases/3
            explained twin cat current/nothing",
        );
        for run in ["ls", "python"] {
            scene.run(run).assert_first("dangling-symlink", lab.path("current"), Verified);
        }
        scene.run("twin").assert_silent();
    });
}

#[test]
fn links_in_a_circle_are_all_told() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "ln -s b a; ln -s a b
            explained cat cat a
            explained python python3 -c 'import os; os.listdir(\"a/x\")'",
        );
        for run in ["cat", "python"] {
            let found = scene.run(run);
            assert_eq!(found.assert_first("symlink-loop", lab.path("a"), Verified).evidence.len(), 2);
        }
    });
}

#[test]
fn a_file_where_a_directory_was_needed_is_named() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            "echo x >file
            explained mkdir mkdir -p file/a/b
            explained find find file/a -name x
            explained touch touch file/",
        );
        for run in ["mkdir", "find", "touch"] {
            scene.run(run).assert_first("not-a-directory", lab.path("file"), Verified);
        }
    });
}

#[test]
fn a_directory_where_a_file_was_wanted_is_named() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "mkdir app.conf
            explained sh sh -c 'echo x >app.conf'
            explained python python3 -c 'open(\"app.conf\")'",
        );
        for run in ["sh", "python"] {
            let found = scene.run(run);
            let found = found.assert_first("is-a-directory", lab.path("app.conf"), Verified);
            assert!(found.summary.contains("an empty directory"), "{}", found.summary);
        }
    });
}

#[test]
fn a_name_that_is_taken_and_a_directory_that_is_not_empty_are_told() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "mkdir -p old/.hidden; ln -s nowhere new
            explained ln ln -s there new
            explained mkdir mkdir new
            explained rmdir rmdir old
            explained python python3 -c 'import os; os.rmdir(\"old\")'",
        );
        for run in ["ln", "mkdir"] {
            scene.run(run).assert_first("already-exists", lab.path("new"), Verified);
        }
        for run in ["rmdir", "python"] {
            scene.run(run).assert_first("directory-not-empty", lab.path("old"), Verified);
        }
    });
}

#[test]
fn too_long_a_name_is_told_with_both_numbers() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "long=$(printf 'x%.0s' $(seq 300))
            explained mkdir mkdir $long
            explained python python3 -c 'import sys; open(sys.argv[1], \"w\")' $long",
        );
        for run in ["mkdir", "python"] {
            let found = scene.run(run);
            let found = found.assert_first("name-too-long", lab.path(&"x".repeat(300)), Verified);
            assert!(found.summary.contains("300") && found.summary.contains("255"), "{}", found.summary);
        }
    });
}

#[test]
fn a_working_directory_that_was_removed_is_told() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "mkdir gone; cd gone; rmdir \"$LAB/gone\"
            explained touch touch x
            explained python python3 -c 'import os; os.getcwd()'
            cd \"$LAB\"
            explained twin python3 -c 'open(\"nothing-like-it\")'",
        );
        for run in ["touch", "python"] {
            scene.run(run).assert_names("deleted-working-directory");
        }
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_file_that_is_empty_or_cut_is_told_apart_from_a_whole_one() {
    scenario(&[Need::Root, Need::Program("git"), Need::Program("xz"), Need::Program("python3")], |lab| {
        let scene = lab.play(
            "git init -q r; cd r; echo a >a; git add a; git -c user.name=a -c user.email=a@b commit -qm a
            object=$(git rev-parse HEAD | sed 's|^..|&/|'); rm -f .git/objects/$object; : >.git/objects/$object
            explained git git log
            cd ..; echo hello | xz >t.xz; cp t.xz whole.xz; truncate -s 40 t.xz
            explained xz xz -t t.xz
            printf 'PK\\003\\004 and no end' >x.zip
            explained python python3 -m zipfile -l x.zip
            explained twin xz -t whole.xz",
        );
        let object = scene.run("git");
        assert!(object.first().id == "empty-or-truncated-file" && object.first().subject.contains(".git/objects/"));
        scene.run("xz").assert_first("empty-or-truncated-file", lab.path("t.xz"), Verified);
        scene.run("python").assert_first("empty-or-truncated-file", lab.path("x.zip"), Verified);
        assert_eq!(scene.run("twin").status, 0);
    });
}

#[test]
fn line_ends_and_marks_that_a_reader_stumbles_over_are_told() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            "printf 'if true; then\\r\\n echo b\\r\\nfi\\r\\n' >s.sh; printf '\\357\\273\\277{}' >b.json
            printf 'if true; then\\n echo b\\n' >cut.sh
            explained dash sh s.sh
            explained bash bash s.sh
            explained python python3 -c 'import json, sys; json.load(open(sys.argv[1]))' b.json
            explained twin sh cut.sh",
        );
        for (run, file) in [("dash", "s.sh"), ("bash", "s.sh"), ("python", "b.json")] {
            scene.run(run).assert_first("text-encoding", lab.path(file), Verified);
        }
        scene.run("twin").assert_silent();
    });
}

/// The line ends are the root, and neither the names that end in them nor the interpreter that nobody has.
#[test]
fn a_carriage_return_in_a_message_leads_to_the_script_that_has_it() {
    scenario(&[Need::Root, Need::Program("bash")], |lab| {
        let scene = lab.play(
            r"printf '#!/bin/bash\r\ncd /tmp\r\nls\r\n' >s.sh; printf '#!/usr/bin/env bash\r\nls\r\n' >e.sh; chmod +x s.sh e.sh
            explained inside bash s.sh
            explained called sh -c './s.sh'
            explained env sh -c './e.sh'",
        );
        scene.run("inside").assert_only("text-encoding", lab.path("s.sh"), Verified);
        scene.run("called").assert_only("crlf-shebang", lab.path("s.sh"), Verified);
        scene.run("env").assert_only("crlf-shebang", lab.path("e.sh"), Verified);
    });
}

#[test]
fn too_long_a_path_of_a_socket_is_counted() {
    scenario(&[Need::Root, Need::Program("gpg")], |lab| {
        let scene = lab.play(
            "home=\"$LAB/$(printf 'd%.0s' $(seq 100))\"; mkdir -m 700 \"$home\"
            explained gpg gpg --homedir \"$home\" --batch --passphrase '' --quick-gen-key a@b",
        );
        let found = scene.run("gpg");
        assert_eq!(found.first().id, "socket-path-too-long", "{found}");
    });
}
