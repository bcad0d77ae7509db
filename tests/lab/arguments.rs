//! More arguments than the kernel hands over: what a pattern of a script stands for, one long string, a large environment.

use super::harness::{Explained, Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Program("python3"), Need::Program("make")];

/// A directory whose names are too many for one command.
const MANY: &str = r#"mkdir many
    python3 -c 'for i in range(50000): open("many/a-rather-long-name-for-a-small-file-%d.txt" % i, "w").close()'
"#;

/// That the pattern's names were counted and are named; on a machine too busy to count them in time, that nothing is claimed.
#[track_caller]
fn assert_counted_or_unknown(run: &Explained) {
    let Some(found) = run.causes().iter().find(|found| found.id == "argument-list-too-long") else {
        run.assert_rules_out("argument-list-too-long", "rm");
        return;
    };
    let is_whole = found.summary.contains("50,000 names") || found.summary.contains("at least");
    assert!(found.confidence == Confidence::Verified && is_whole, "{run}");
}

#[test]
fn a_pattern_that_stands_for_too_many_names_is_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r"{MANY}
            explained sh sh -c 'rm many/*.txt'
            explained bash bash -c 'cd many && ls * >/dev/null'"
        ));
        for run in ["sh", "bash"] {
            assert_counted_or_unknown(&scene.run(run));
        }
    });
}

#[test]
fn the_advice_does_what_the_command_could_not() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            "{MANY} explained before sh -c 'rm many/*.txt'
            type_fix before xargs; ls many | wc -l"
        ));
        assert!(scene.script.ends_with("\n0\n"), "{}", scene.script);
    });
}

#[test]
fn a_variable_that_fills_the_environment_is_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"printf 'all:\n\t@true $(shell head -c 3000000 /dev/zero | tr "\\0" x)\n' >Makefile
            LISTED=$(head -c 100000 /dev/zero | tr '\0' x) explained make make"#,
        );
        let run = scene.run("make");
        let found = run.assert_names("argument-list-too-long");
        assert!(found.confidence == Confidence::Likely && found.summary.contains("LISTED"), "{run}");
    });
}

#[test]
fn few_arguments_are_silence() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r"mkdir few; touch few/a few/b
            explained missing sh -c 'ls few/* /nowhere'
            explained denied sh -c './few/a few/*'
            explained word sh -c 'echo Argument list >&2; exit 1'",
        );
        scene.each(&["missing", "denied", "word"]).assert_does_not_name("argument-list-too-long");
    });
}

/// The list is made by a function of the program's text, by make or in a script's file.
#[test]
fn a_list_that_a_program_text_or_a_makefile_makes_is_measured() {
    scenario(
        &[Need::Root, Need::Program("python3"), Need::Program("ruby"), Need::Program("node"), Need::Program("make")],
        |lab| {
            let scene = lab.play(&format!(
            r#"{MANY} printf 'all:\n\tls $(wildcard many/*)\n' >Makefile; printf '#!/bin/sh\ncd many\ntar -cf /dev/null *\n' >pack; chmod +x pack
            explained ruby ruby -e 'exec("ls", *Dir["many/*"])'
            explained python python3 -c 'import glob, subprocess; subprocess.run(["ls"] + glob.glob("many/*"))'
            explained node node -e 'require("child_process").execFileSync("ls", require("fs").readdirSync("many"))'
            explained make make
            explained script ./pack
            explained gone ruby -e 'exec("ls", "x" * 200000)' 'Dir["few/*"]'
            explained twin.said sh -c 'echo "make: /bin/sh: Argument list too long" >&2; exit 1'"#
        ));
            for run in ["ruby", "python", "node", "make", "script"] {
                let run = scene.run(run);
                // On a machine too busy to count the names in time nothing is claimed.
                assert!(run.causes().iter().all(|found| found.id == "argument-list-too-long"), "{run}");
                assert!(
                    run.causes().iter().all(|found| found.subject.ends_with("ls") || found.subject.ends_with("tar")),
                    "{run}"
                );
            }
            // What was handed over is gone, and the kernel answers so for nothing else.
            let gone = scene.run("gone");
            assert_eq!(gone.assert_names("argument-list-too-long").confidence, Confidence::Likely, "{gone}");
            scene.run("twin.said").assert_does_not_name("argument-list-too-long");
        },
    );
}

#[test]
fn a_pattern_is_found_where_the_words_were_thrown_away() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Program("bash")], |lab| {
        let scene = lab.play(&format!(
            r"{MANY} mkdir few; touch few/a few/b
            explained bash bash -c 'grep -l x many/* 2>/dev/null'
            explained directory sh -c 'cd many; tar -cf /dev/null *'
            explained twin.bash bash -c './few few/* 2>/dev/null'
            explained twin.other bash -c 'stat many/*none 2>/dev/null'"
        ));
        // On a machine too busy to count the names in time nothing is claimed.
        for (run, program) in [("bash", "grep"), ("directory", "tar")] {
            let run = scene.run(run);
            let named: Vec<_> = run.causes().iter().map(|found| (found.id.as_str(), found.subject.as_str())).collect();
            assert!(named.is_empty() || named == [("argument-list-too-long", program)], "{run}");
        }
        scene.each(&["twin.bash", "twin.other"]).assert_does_not_name("argument-list-too-long");
    });
}
