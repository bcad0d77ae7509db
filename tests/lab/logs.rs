//! Programs that say only where they wrote what failed: npm, opam, configure and Meson point to a log, which is read as more of their
//! output. The log of another run is not.

use crate::harness::{Explained, Lab, Need, Scene, scenario};
use explain::cause::Confidence::Verified;

/// A temporary directory that is full, and one beside it that is not.
const FULL_TMPDIR: &str = r#"
    mkdir full work
    mount -t tmpfs -o size=64k full full
    head -c 100k /dev/zero >full/fill 2>/dev/null || :
    export TMPDIR="$LAB/full"
    cd work
"#;

fn play(programs: &[&'static str], script: &str, check: impl FnOnce(&Lab, &Scene)) {
    let needs: Vec<Need> = std::iter::once(Need::Root).chain(programs.iter().copied().map(Need::Program)).collect();
    scenario(&needs, |lab| check(lab, &lab.play(script)));
}

/// Asserts that the command itself, before the report, did not say it.
#[track_caller]
fn assert_unsaid(run: &Explained, words: &str) {
    let own = run.report.as_ref().map_or(0, |report| report.stderr.bytes);
    assert!(!String::from_utf8_lossy(&run.stderr[..own]).contains(words), "the command says it itself{run}");
}

/// Asserts that the first cause quotes a log of this name.
#[track_caller]
fn assert_quotes(run: &Explained, log: &str, words: &str) {
    let quoted = run.first().evidence.iter().any(|fact| {
        fact.text.split_once(" says: ").is_some_and(|(file, line)| file.ends_with(log) && line.contains(words))
    });
    assert!(quoted, "no line of {log} with {words}{run}");
}

#[test]
fn a_configure_script_without_room_for_its_tests_is_explained_by_its_log() {
    let script = r"
        printf 'AC_INIT([x],[1])\nAC_PROG_CC\nAC_OUTPUT\n' >configure.ac
        autoconf
    ";
    let script = format!("{script}\n{FULL_TMPDIR}\nexplained configure ../configure");
    play(&["autoconf", "gcc"], &script, |lab, scene| {
        let run = scene.run("configure");
        assert_unsaid(&run, "No space left on device");
        run.assert_first("blocks-exhausted", lab.path("full"), Verified);
        assert_quotes(&run, "work/config.log", "No space left on device");
    });
}

#[test]
fn what_configure_tried_in_vain_before_is_not_the_failure() {
    let script = r"
        printf 'AC_INIT([x],[1])\nAC_PROG_CC\nAC_CHECK_HEADERS([nonesuch.h])\nAC_MSG_FAILURE([nothing will do])\n' >configure.ac
        autoconf
        explained configure ./configure
        grep -c 'fatal error: .*: No such file or directory' config.log
    ";
    play(&["autoconf", "gcc"], script, |_, scene| scene.run("configure").assert_silent());
}

#[test]
fn meson_without_room_for_its_tests_is_explained_by_its_log() {
    let script = format!(
        "{FULL_TMPDIR}\necho \"project('x', 'c')\" >meson.build\nexplained meson sh -c 'exec meson setup build >&2'"
    );
    play(&["meson", "ninja", "gcc"], &script, |lab, scene| {
        let run = scene.run("meson");
        assert_unsaid(&run, "No space left on device");
        run.assert_first("blocks-exhausted", lab.path("full"), Verified);
        assert_quotes(&run, "meson-logs/meson-log.txt", "No space left on device");
    });
}

#[test]
fn a_build_that_opam_ran_is_explained_by_its_output_file() {
    let script = r#"
        mkdir -p full repository/packages/p/p.1.0
        mount -t tmpfs -o size=64k full full
        head -c 100k /dev/zero >full/fill 2>/dev/null || :
        echo 'opam-version: "2.0"' >repository/repo
        printf 'opam-version: "2.0"\nsynopsis: "A package"\nbuild: ["sh" "-c" "cp /bin/sh %s/full/x; seq 500; exit 3"]\n' "$LAB" >repository/packages/p/p.1.0/opam
        export OPAMROOT="$LAB/opam" OPAMYES=1
        opam init --bare --no-setup --disable-sandboxing default "$LAB/repository"
        opam switch create empty --empty
        explained install opam install p
    "#;
    play(&["opam"], script, |lab, scene| {
        let run = scene.run("install");
        assert_unsaid(&run, "cp: ");
        run.assert_first("blocks-exhausted", lab.path("full"), Verified);
        assert_quotes(&run, ".out", "error writing");
    });
}

#[test]
fn an_install_that_points_to_its_log_is_explained_beside_it() {
    let script = r#"
        mkdir npm-home work
        mount -t tmpfs -o size=64k work work
        export HOME="$LAB/npm-home"
        cd work
        echo '{"name": "x", "version": "1.0.0", "scripts": {"install": "head -c 100k /dev/zero >fill"}}' >package.json
        explained npm npm install --no-audit --no-fund
    "#;
    play(&["npm", "node"], script, |lab, scene| {
        let run = scene.run("npm");
        run.assert_first("blocks-exhausted", lab.path("work"), Verified);
    });
}

#[test]
fn a_log_of_an_earlier_run_or_of_another_user_is_not_read() {
    let script = r#"
        echo 'cp: cannot create regular file '"'$LAB/nowhere/x'"': No such file or directory' >earlier.log
        touch -d yesterday earlier.log
        explained earlier sh -c "echo 'Full log written to: $LAB/earlier.log' >&2; exit 3"
        cp earlier.log theirs.log
        explained theirs sh -c "touch theirs.log; chown 12345 theirs.log; echo 'Full log written to: $LAB/theirs.log' >&2; exit 3"
        explained own sh -c "touch earlier.log; echo 'Full log written to: $LAB/earlier.log' >&2; exit 3"
        explained fifo sh -c "mkfifo fifo.log; echo 'Full log written to: $LAB/fifo.log' >&2; exit 3"
    "#;
    play(&[], script, |lab, scene| {
        for run in ["earlier", "theirs", "fifo"] {
            scene.run(run).assert_silent();
        }
        let run = scene.run("own");
        run.assert_first("missing-path", lab.path("nowhere"), Verified);
        assert_quotes(&run, "earlier.log", "nowhere/x");
    });
}
