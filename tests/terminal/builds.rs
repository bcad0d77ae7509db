//! Programs that look for a terminal to decide how they talk: colours, progress that is drawn over itself, output that goes to a
//! terminal in part. Screens are compared with their colours.

use crate::screen::{Clear, Line, Look, Make, Prompt, Shows, assert_same};

/// A package whose build waits for a file, and then fails.
const PACKAGE: &str = "mkdir -p p/src; printf '[package]\\nname = \"p\"\\nedition = \"2021\"\\n' >p/Cargo.toml; \
    echo 'fn main() { while !std::path::Path::new(\"../go\").exists() {} }' >p/build.rs; \
    echo 'fn main() { let x: u8 = \"word\"; }' >p/src/main.rs; cd p; clear";

#[test]
fn cargo_shows_progress_and_colours() {
    assert_same(
        &["cargo"],
        &[
            Line(PACKAGE),
            Prompt,
            Line("$W cargo build; echo rc=$?; cp ../before ."),
            Shows("Building"),
            Make("go"),
            Shows("mismatched types"),
            Shows("rc=101"),
        ],
    );
}

#[test]
fn npm_shows_colours() {
    assert_same(
        &["npm"],
        &[
            Line("echo '{\"scripts\": {\"build\": \"node -p process.stderr.isTTY && exit 3\"}}' >package.json; clear"),
            Prompt,
            Line("npm_config_logs_max=0 npm_config_update_notifier=false $W npm run build; echo rc=$?"),
            Shows("true"),
            Shows("rc=3"),
        ],
    );
}

#[test]
fn npm_installs() {
    assert_same(
        &["npm"],
        &[
            Line(
                "mkdir dep; echo '{\"name\": \"dep\", \"version\": \"1.0.0\"}' >dep/package.json; echo '{}' >package.json; clear",
            ),
            Prompt,
            Line("$W npm install --offline --no-audit --no-fund ./dep >log; echo rc=$?; ls node_modules"),
            Shows("rc=0"),
            Shows("dep"),
        ],
    );
}

#[test]
fn the_errors_of_a_make_whose_output_goes_to_a_log_stand_on_the_terminal() {
    assert_same(
        &["make"],
        &[
            Line(
                "printf 'all:\\n\\t@echo building; test -t 1 || echo no terminal; test -t 2 && echo a terminal >&2; exit 3\\n' >Makefile; clear",
            ),
            Prompt,
            Line("$W make >log; echo rc=$?; cat log"),
            Shows("Error 3"),
            Shows("rc=2"),
        ],
    );
}

#[test]
fn descriptors_that_are_no_terminal_stay_none() {
    assert_same(
        &[],
        &[
            Line(
                "echo 'for i in 0 1 2; do test -t $i && printf \"%s \" $i; done >/dev/tty; echo end >/dev/tty' >ask; clear",
            ),
            Prompt,
            Line(
                "for r in '' '>o' '2>e' '<ask' '<ask >o' '>o 2>e' '<ask 2>e' '2>&1 >o' '>o 2>&1' '| cat' '2>&1 | cat' '<&-' '2>&-'; do eval \"\\$W sh $PWD/ask $r\"; done; echo rc=$?",
            ),
            Shows("rc="),
        ],
    );
}

#[test]
fn layers_that_are_pulled_side_by_side_draw_over_each_other() {
    assert_same(
        &[],
        &[
            Line(
                "printf '%s\\n' 'printf \"a: 0\\\\nb: 0\\\\n\"' 'for i in 1 2 3 4 5; do printf \"\\\\033[2A\\\\033[32ma: $i\\\\033[0m\\\\033[K\\\\n\\\\033[Bb waits\\\\r\"; sleep 0.02; done; exit 3' >pull; clear",
            ),
            Prompt,
            Line("$W sh pull; echo; echo rc=$?"),
            Shows("a: 5"),
            Shows("rc=0"),
        ],
    );
}

#[test]
fn git_clone_counts_what_it_receives() {
    assert_same(
        &["git"],
        &[
            Line(
                "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a; git init -q r; git -C r commit -q --allow-empty -m one; clear",
            ),
            Prompt,
            Line("$W git clone file://$PWD/r copy; echo rc=$?"),
            Shows("100%"),
            Shows("rc=0"),
            Prompt,
            // The two ends of the transfer write as they come.
            Clear,
        ],
    );
}

#[test]
fn curl_draws_a_bar_as_wide_as_the_terminal() {
    assert_same(
        &["curl"],
        &[
            Line("seq 100000 >f; $W curl -# -o copy file://$PWD/f; echo rc=$?"),
            Shows("100.0%"),
            Shows("rc=0"),
            Prompt,
            Look,
        ],
    );
}
