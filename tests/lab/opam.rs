//! The failure that started it all: opam unpacks its repository into TMPDIR, a tmpfs with room but without inodes, and says that
//! tar "exited with code 2".

use crate::harness::{Need, scenario};
use explain::cause::{Confidence, Seen};

const NEEDS: &[Need] = &[Need::Root, Need::Program("opam"), Need::Program("python3")];

/// An opam that knows a repository of a thousand packages and unpacks into `$LAB/tmp`, which then has inodes for fewer.
const OPAM_SHORT_OF_INODES: &str = r#"
    mkdir -p repository site tmp
    echo 'opam-version: "2.0"' >repository/repo
    for number in $(seq 1000); do
        package="repository/packages/p$number/p$number.1.0"
        mkdir -p "$package"
        printf 'opam-version: "2.0"\nsynopsis: "A package"\n' >"$package/opam"
    done
    tar -czf site/index.tar.gz -C repository repo packages
    serve site
    mount -t tmpfs -o size=64m,mode=1777 lab tmp
    export TMPDIR="$LAB/tmp" OPAMROOT="$LAB/opam" OPAMYES=1
    opam init --bare --no-setup --disable-sandboxing default "$URL"
    opam switch create empty --empty
    mount -o remount,nr_inodes=800 tmp
"#;

fn play_opam(script: &str, check: impl FnOnce(&crate::harness::Lab, &crate::harness::Scene)) {
    scenario(NEEDS, |lab| check(lab, &lab.play(&format!("{OPAM_SHORT_OF_INODES}\n{script}"))));
}

#[test]
fn opam_on_a_tmpfs_without_inodes_is_explained_each_time() {
    let script = "explained first opam update; explained again opam update; explained install opam install p1";
    play_opam(script, |lab, scene| {
        let (first, again, install) = (scene.run("first"), scene.run("again"), scene.run("install"));
        assert!(first.says("exited with code 2"), "opam fails otherwise here{first}");
        assert!(again.says("\"mkdir\" failed on"), "opam fails otherwise here{again}");
        for (run, status) in [(&first, 40), (&again, 40), (&install, 99)] {
            assert_eq!(run.status, status);
            let first = run.assert_only("inodes-exhausted", lab.path("tmp"), Confidence::Verified);
            assert!(first.evidence.iter().any(|fact| fact.text.contains("0 of 800 inodes free")), "{run}");
            run.assert_rules_out("blocks-exhausted", lab.path("tmp"));
        }
    });
}

#[test]
fn the_advice_on_opam_works_when_it_is_typed() {
    let script = "explained first opam update; type_fix first '^rm -r'; ls -A tmp; type_fix first remount; opam update";
    play_opam(script, |lab, scene| {
        scene.run("first").assert_only("inodes-exhausted", lab.path("tmp"), Confidence::Verified);
    });
}

#[test]
fn inodes_that_are_free_again_when_the_command_ends_were_seen_during_the_run() {
    // As build scripts do: a temporary directory of their own, removed whatever happens. The pause is for a busy machine, where
    // explain may not get its turn between opam's last word and the removal.
    let script = r#"
        cat >build.sh <<'BUILD'
export TMPDIR=$(mktemp -d)
trap 'sleep 0.1; rm -r "$TMPDIR"' EXIT
opam update
BUILD
        explained update sh -e build.sh
        ls -A "$TMPDIR"
    "#;
    play_opam(script, |lab, scene| {
        let run = scene.run("update");
        let first = run.assert_only("inodes-exhausted", lab.path("tmp"), Confidence::Verified);
        assert_eq!(first.seen, Some(Seen::During));
        assert!(!scene.script.contains("opam-"), "the scratch directory is still there: {}", scene.script);
    });
}
