//! What a path meets, in the words of interpreters, archivers and build tools that are used nowhere else in the lab.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

const LANGUAGES: &[Need] = &[
    Need::Root,
    Need::Program("php"),
    Need::Program("ruby"),
    Need::Program("lua5.4"),
    Need::Program("openssl"),
    Need::Program("unzip"),
];

#[test]
fn interpreters_that_miss_a_directory_name_it_each_in_its_way() {
    scenario(LANGUAGES, |lab| {
        let scene = lab.play(
            r#"mkdir app
            explained php php -r 'require "app/inc/lib.php";'
            explained open php -r 'fopen("app/inc/x", "w") || exit(1);'
            explained ruby ruby app/inc/main.rb
            explained require ruby -e 'require "./app/inc/lib"'
            explained perl perl -e 'require "./app/inc/lib.pl"'
            explained lua lua5.4 -e 'assert(io.open("app/inc/x"))'
            explained openssl openssl x509 -in app/inc/cert.pem -noout
            explained unzip unzip -q app/inc/x.zip
            explained make make -C app/inc/src
            explained keygen ssh-keygen -y -f app/inc/key
            explained twin php -r 'require "app/lib.php";'
            explained twin.ruby ruby -e 'require "nosuchgem"'
            explained twin.unzip unzip -q app/x.zip
            explained twin.make make -C app"#,
        );
        for run in ["php", "open", "ruby", "perl", "lua", "openssl", "make", "keygen"] {
            scene.run(run).assert_first("missing-path", lab.path("app/inc"), scene.run(run).first().confidence);
        }
        scene.run("require").assert_first("missing-path", lab.path("app/inc"), Verified);
        scene.run("unzip").assert_first("missing-path", lab.path("app/inc"), Likely);
        for run in ["twin", "twin.ruby", "twin.unzip", "twin.make"] {
            scene.run(run).assert_silent();
        }
    });
}

#[test]
fn files_that_tools_call_missing_in_their_own_words_are_walked_to() {
    let needs = [Need::Root, Need::Program("git"), Need::Program("dpkg")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir Data full; echo x >Data/x.txt; ln -s gone full/repo.git
            explained clone git clone -q "$LAB/nowhere/x/repo.git" out
            explained mount mount -o loop nowhere/x.img Data
            explained dangling git clone -q "$LAB/full/repo.git" out
            explained case git clone -q "$LAB/data/repo.git" out
            explained twin git clone -q "$LAB/Data/repo.git" out
            explained twin.tag git -C "$LAB" checkout -q v1/none"#,
        );
        for run in ["clone", "mount"] {
            let run = scene.run(run);
            assert!(run.first().id == "missing-path" && run.first().subject.ends_with("/nowhere"), "{run}");
        }
        scene.run("dangling").assert_first("dangling-symlink", lab.path("full/repo.git"), Likely);
        scene.run("case").assert_first("wrong-case", lab.path("data"), Likely);
        for run in ["twin", "twin.tag"] {
            scene.run(run).assert_silent();
        }
    });
}

#[test]
fn loops_files_in_the_way_and_directories_in_the_way_are_told_by_the_tools_of_languages() {
    scenario(LANGUAGES, |lab| {
        let scene = lab.play(
            r#"ln -s b a; ln -s a b; echo x >file; mkdir dir; mkdir -p full/x
            explained loop.ruby ruby -e 'File.read("a")'
            explained loop.php php -r 'fopen("a", "r") || exit(1);'
            explained file.lua lua5.4 -e 'assert(io.open("file/x"))'
            explained file.php php -r 'mkdir("file/x") || exit(1);'
            explained dir.ruby ruby -e 'File.write("dir", "x")'
            explained dir.openssl openssl rand -out dir 4
            explained taken.ruby ruby -e 'Dir.mkdir("dir")'
            explained taken.php php -r 'mkdir("dir") || exit(1);'
            explained full.ruby ruby -e 'Dir.rmdir("full")'
            explained full.php php -r 'rmdir("full") || exit(1);'
            explained twin.ruby ruby -e 'Dir.mkdir("free"); exit 1'
            explained twin.php php -r 'mkdir("other") && exit(1);'"#,
        );
        for (runs, id, subject) in [
            (&["loop.ruby", "loop.php"][..], "symlink-loop", "a"),
            (&["file.lua", "file.php"], "not-a-directory", "file"),
            (&["dir.ruby", "dir.openssl"], "is-a-directory", "dir"),
            (&["taken.ruby", "taken.php"], "already-exists", "dir"),
            (&["full.ruby", "full.php"], "directory-not-empty", "full"),
        ] {
            for run in runs {
                let run = scene.run(run);
                let found = run.first();
                assert!(found.id == id && found.subject == lab.path(subject).to_string_lossy(), "not {id}{run}");
                assert!(matches!(found.confidence, Verified | Likely), "{run}");
            }
        }
        for run in ["twin.ruby", "twin.php"] {
            scene.run(run).assert_silent();
        }
    });
}

#[test]
fn a_file_without_a_byte_is_found_behind_words_for_a_wrong_format() {
    scenario(
        &[
            Need::Root,
            Need::Program("php"),
            Need::Program("ruby"),
            Need::Program("openssl"),
            Need::Program("gpg"),
            Need::Program("ar"),
        ],
        |lab| {
            let scene = lab.play(
                r#"for name in json pem gpg deb; do : >empty.$name; echo '{ some text' >text.$name; done
            parse='JSON.parse(File.read(ARGV[0]))'
            read='json_decode(file_get_contents($argv[1]), false, 9, JSON_THROW_ON_ERROR);'
            for kind in empty text; do
                explained $kind.ruby ruby -rjson -e "$parse" $kind.json
                explained $kind.php php -r "$read" $kind.json
                explained $kind.openssl openssl x509 -in $kind.pem -noout
                explained $kind.gpg gpg --batch --import $kind.gpg
                explained $kind.ar ar t $kind.deb
            done"#,
            );
            for (run, file) in [("ruby", "json"), ("php", "json"), ("openssl", "pem"), ("gpg", "gpg"), ("ar", "deb")] {
                let file = lab.path(&format!("empty.{file}"));
                scene.run(&format!("empty.{run}")).assert_only("empty-or-truncated-file", file, Verified);
                scene.run(&format!("text.{run}")).assert_silent();
            }
        },
    );
}
