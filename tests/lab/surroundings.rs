//! What a command is given: a directory for temporary files, a home, a locale, a terminal.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const TOOLS: &[Need] = &[
    Need::Root,
    Need::Program("python3"),
    Need::Program("perl"),
    Need::Program("node"),
    Need::Program("git"),
    Need::Program("make"),
    Need::Program("gpg"),
    Need::Program("dpkg-deb"),
    Need::Program("sqlite3"),
];
const SCREENS: &[Need] = &[
    Need::Root,
    Need::Program("tput"),
    Need::Program("clear"),
    Need::Program("python3"),
    Need::Program("bash"),
    Need::Program("perl"),
];
const TERMINALS: &[Need] =
    &[Need::Root, Need::Program("ssh"), Need::Program("tmux"), Need::Program("nano"), Need::Program("gpg")];

#[test]
fn a_directory_for_temporary_files_that_takes_none_is_named() {
    scenario(TOOLS, |lab| {
        let scene = lab.play(
            r#"seq 200000 >big; mkdir -p package/DEBIAN; printf 'Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: a\n' >package/DEBIAN/control
            gone="env TMPDIR=$LAB/gone"
            explained_in mktemp "$gone" mktemp
            explained_in sort "$gone" sort -S 10k big
            explained_in perl "$gone" perl -MFile::Temp=tempfile -e 'tempfile("xXXXX", DIR => $ENV{TMPDIR})'
            explained_in deb "$gone" dpkg-deb -b package out.deb
            explained_in make "$gone" sh -c 'echo all: | make -f -'
            : >file; explained_in file "env TMPDIR=$LAB/file" mktemp
            explained_in relative "env TMPDIR=no/such" mktemp
            explained_in twin "$gone" cat nowhere
            explained_in twin.deb "$gone" dpkg-deb -b nowhere out.deb
            type_fix mktemp 'mkdir'
            explained_in after "$gone" mktemp"#,
        );
        scene.each(&["mktemp", "sort", "perl", "deb", "make"]).assert_only(
            "tmpdir-unusable",
            lab.path("gone"),
            Confidence::Verified,
        );
        scene.run("file").assert_only("tmpdir-unusable", lab.path("file"), Confidence::Verified);
        scene.run("relative").assert_only("tmpdir-unusable", lab.path("no/such"), Confidence::Verified);
        scene.each(&["twin", "twin.deb"]).assert_does_not_name("tmpdir-unusable");
        assert_eq!(scene.run("after").status, 0);
    });
}

#[test]
fn a_home_whose_parent_cannot_be_made_is_named() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"make='import os; os.makedirs(os.path.expanduser("~/.cache/x"))'
            user="$(identity 4321) env HOME=/nonexistent/h"
            explained_in python "$user" python3 -c "$make"
            explained_in shell "$user" sh -c 'mkdir -p ~/.cache/x'
            explained_in twin "$user HOME=$LAB" mkdir -p /nonexistent/h"#,
        );
        scene.each(&["python", "shell"]).assert_first("home-unusable", "/nonexistent/h", Confidence::Verified);
        scene.run("twin").assert_does_not_name("home-unusable");
    });
}

#[test]
fn a_home_that_cannot_be_used_is_named() {
    scenario(TOOLS, |lab| {
        let scene = lab.play(
            r#"export GIT_CONFIG_NOSYSTEM=1; gone="env HOME=$LAB/gone"
            explained_in git "$gone" git config --global user.name a
            explained_in gpg "$gone" gpg --list-keys
            explained_in node "$gone" node -e 'require("fs").writeFileSync(require("os").homedir() + "/.x", "")'
            explained_in sqlite "$gone" sqlite3 "$LAB/gone/x.db" 'create table a(b)'
            explained_in unset "env -u HOME" git config --global user.name a
            explained_in shell "env -u HOME" bash -c cd
            explained_in entered "$gone" sh -c 'cd && ls'
            explained_in twin "$gone" git config --file nowhere/config user.name a
            explained_in twin.node "$gone" node -e 'require("fs").readFileSync("nowhere")'
            explained_in twin.entered "$gone" env -C "$LAB/gone" ls"#,
        );
        scene.each(&["git", "gpg", "node", "sqlite", "entered"]).assert_only(
            "home-unusable",
            lab.path("gone"),
            Confidence::Verified,
        );
        scene.each(&["unset", "shell"]).assert_only("home-unusable", "-", Confidence::Verified);
        scene.each(&["twin", "twin.node", "twin.entered"]).assert_does_not_name("home-unusable");
    });
}

#[test]
fn a_locale_that_stops_a_program_is_named_and_a_warning_about_one_is_not() {
    scenario(SCREENS, |lab| {
        let scene = lab.play(
            r#"set='import locale; locale.setlocale(locale.LC_ALL, "")'
            explained_in all "env LC_ALL=xx_YY.UTF-8" python3 -c "$set"
            explained_in one "env -u LC_ALL LANG=C.UTF-8 LC_TIME=xx_YY.UTF-8" python3 -c "$set"
            explained_in perl "env LC_ALL=xx_YY.UTF-8" perl -e 'exit 1'
            explained_in bash "env LC_ALL=xx_YY.UTF-8" bash -c false
            explained_in die "env LC_ALL=xx_YY.UTF-8" perl -e 'die "no such column\n"'"#,
        );
        scene.each(&["all", "one"]).assert_only("locale-missing", "xx_YY.UTF-8", Confidence::Verified);
        scene.each(&["perl", "bash", "die"]).assert_silent();
    });
}

#[test]
fn bytes_that_a_missing_locale_makes_strange_lead_to_it() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Program("ruby")], |lab| {
        let scene = lab.play(
            r#"printf 'caf\303\251,b\n' >in.csv
            read='print(open("in.csv").read())'; ascii="PYTHONUTF8=0 PYTHONCOERCECLOCALE=0"
            explained_in python "env LC_ALL=xx_YY.UTF-8 $ascii" /usr/bin/python3 -c "$read"
            explained_in ruby "env LC_ALL=xx_YY.UTF-8" ruby -e 'File.read("in.csv").split(",")'
            explained_in twin "env LC_ALL=C $ascii" /usr/bin/python3 -c "$read""#,
        );
        scene.each(&["python", "ruby"]).assert_only("locale-missing", "xx_YY.UTF-8", Confidence::Likely);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_terminal_type_that_nobody_described_is_named() {
    scenario(SCREENS, |lab| {
        let scene = lab.play(
            r#"strange="env TERM=strange-terminal"
            explained_in clear "$strange" clear
            explained_in tput "$strange" tput cols
            explained_in curses "$strange" python3 -c 'import curses; curses.setupterm()'
            explained unset tput cols
            explained_in twin "$strange" tput -T xterm no-such-capability
            explained_in other "$strange" ls /nowhere"#,
        );
        scene.each(&["clear", "tput", "curses"]).assert_only(
            "terminal-unknown",
            "strange-terminal",
            Confidence::Verified,
        );
        scene.run("unset").assert_only("terminal-unknown", "-", Confidence::Verified);
        scene.each(&["twin", "other"]).assert_does_not_name("terminal-unknown");
    });
}

/// Their status 1 is an answer too: "no", where they say nothing.
#[test]
fn a_dialogue_that_could_not_be_drawn_is_no_answer() {
    const DIALOGUES: &[Need] = &[
        Need::Root,
        Need::Program("dialog"),
        Need::Program("whiptail"),
        Need::Program("infocmp"),
        Need::Program("script"),
    ];
    scenario(DIALOGUES, |lab| {
        let scene = lab.play(
            r#"strange="env TERM=strange-terminal"
            for tool in dialog whiptail; do
                $strange script -qec "'$EXPLAIN' --report '$LAB/runs/$tool.json' -- $tool --msgbox text 7 20 2>'$LAB/runs/$tool.err'" /dev/null >"runs/$tool.out" 2>&1 </dev/null || :
                echo 1 >"runs/$tool.status"
            done
            explained unset env -u TERM infocmp
            explained twin env TERM=xterm infocmp no-such-terminal"#,
        );
        scene.each(&["dialog", "whiptail"]).assert_only("terminal-unknown", "strange-terminal", Confidence::Verified);
        scene.run("unset").assert_only("terminal-unknown", "-", Confidence::Verified);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_terminal_that_is_wanted_and_not_there_is_named() {
    scenario(TERMINALS, |lab| {
        let scene = lab.play(
            r"export TERM=xterm
            explained nano setsid nano x
            explained tmux setsid tmux new
            explained gpg setsid gpg --gen-key
            explained shell setsid sh -c 'read answer </dev/tty'
            explained python setsid python3 -c 'import termios; termios.tcgetattr(0)'
            explained twin setsid cat /nowhere
            explained ssh setsid ssh -o StrictHostKeyChecking=yes -o ConnectTimeout=1 -p 1 127.0.0.1",
        );
        scene.each(&["nano", "tmux", "gpg", "shell", "python"]).assert_only("no-terminal", "-", Confidence::Verified);
        // ssh says beside its error that it goes on without a terminal.
        scene.each(&["twin", "ssh"]).assert_does_not_name("no-terminal");
    });
}
