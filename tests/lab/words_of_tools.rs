//! Tools whose words differ from those that most others use, the same words said twice, and long traces behind them.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Likely, Verified};

#[test]
fn a_command_that_is_missing_is_not_looked_for_where_it_was_to_work() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play("mkdir out; explained gtar timeout 5 gtar xf a.tar -C out");
        scene.run("gtar").assert_only("command-not-found", "gtar", Verified);
    });
}

#[test]
fn what_is_said_as_information_first_and_as_an_error_again_counts() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"mkdir shut; mount -t tmpfs -o ro lab shut
            save='import logging, sys
logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.INFO)
for level in map(int, sys.argv[1:]):
    try: open("shut/state", "w")
    except OSError as error: logging.log(level, "cannot save: %s", error)
sys.exit(1)'
            explained again python3 -c "$save" 20 20 40
            explained once python3 -c "$save" 20"#,
        );
        scene.run("again").assert_only("read-only-filesystem", lab.path("shut"), Verified);
        scene.run("once").assert_silent();
    });
}

#[test]
fn a_long_trace_behind_a_message_is_no_work_that_went_on() {
    scenario(&[Need::Root, Need::Program("php")], |lab| {
        let scene = lab.play(
            r#"mkdir shut; mount -t tmpfs -o ro lab shut
            deep='function f($n) { if ($n) { f($n - 1); } elseif (!@mkdir("shut/new")) { throw new Exception(error_get_last()["message"]); } }'
            explained trace php -d display_errors=stderr -r "$deep f(20);"
            explained other php -d display_errors=stderr -r 'function f($n) { $n ? f($n - 1) : throw new Exception("no such order"); } f(20);'"#,
        );
        scene.run("trace").assert_first("read-only-filesystem", lab.path("shut"), Likely);
        scene.run("other").assert_silent();
    });
}

#[test]
fn a_file_of_an_earlier_run_that_is_as_long_as_a_limit_is_not_blamed() {
    scenario(&[Need::Root, Need::Program("tar")], |lab| {
        let scene = lab.play(
            r#"head -c 100000 /dev/zero >old; touch -d '1 minute ago' old
            limited="prlimit --fsize=100000"
            explained_in none "$limited" tar tf none
            explained_in signal "$limited" sh -c 'kill -SEGV $$'
            explained_in new "$limited" sh -c 'cat /bin/bash >new'"#,
        );
        scene.each(&["none", "signal"]).assert_does_not_name("file-size-limit");
        scene.run("new").assert_first("file-size-limit", lab.path("new"), Verified);
    });
}

#[test]
fn a_file_that_is_missing_on_a_read_only_mount_is_missing_and_not_refused() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r"mkdir shut; mount -t tmpfs lab shut; : >shut/file; mount -o remount,ro shut
            explained none rm shut/none
            explained modes chmod 600 shut/none
            explained file rm shut/file",
        );
        scene.each(&["none", "modes"]).assert_does_not_name("read-only-filesystem");
        scene.run("file").assert_only("read-only-filesystem", lab.path("shut"), Verified);
    });
}

#[test]
fn a_scheme_program_s_errors_are_read() {
    scenario(&[Need::Root, Need::Program("guile")], |lab| {
        let scene = lab.play(
            r#"mkdir small open; mount -t tmpfs -o nr_inodes=1 lab small; long=$LAB/$(printf 's%.0s' $(seq 120))
            explained open guile -c '(open-output-file "small/new")'
            explained mkdir guile -c '(mkdir "small/new")'
            explained socket guile -c "(bind (socket PF_UNIX SOCK_STREAM 0) AF_UNIX \"$long\")"
            explained other guile -c '(mkdir "open/a/b")'
            explained own guile -c '(vector-ref (vector "small/new") 3)'
            echo "$long" >runs/long"#,
        );
        scene.each(&["open", "mkdir"]).assert_about("inodes-exhausted", lab.path("small"));
        scene.run("socket").assert_only("socket-path-too-long", lab.path(&"s".repeat(120)), Likely);
        scene.each(&["other", "own"]).assert_does_not_name("inodes-exhausted");
    });
}

#[test]
fn packers_that_keep_the_reason_to_themselves_are_explained() {
    let needs =
        [Need::Root, Need::Program("bsdtar"), Need::Program("zip"), Need::Program("lzip"), Need::Program("pigz")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r"mkdir small Data; mount -t tmpfs -o size=16m lab small; head -c 40m /dev/urandom >big; ln -s b a; ln -s a b; : >Data/x.tar
            explained bsdtar bsdtar cf small/x.tar big; rm -f small/*
            explained zip zip -q small/x.zip big; rm -f small/*
            cat big >small/full 2>/dev/null || :
            explained nothing zip small/x.zip none
            explained loop bsdtar tf a
            explained case bsdtar tf data/x.tar
            explained none bsdtar tf none.tar
            lzip -c /bin/ls | head -c 9999 >cut.lz; lzip -c /bin/ls >whole.lz
            explained lzip lzip -t cut.lz
            explained damaged sh -c 'head -c 5000 whole.lz >bad; head -c 5000 /bin/ls >>bad; tail -c 2000 whole.lz >>bad; lzip -t <bad'
            : >empty.gz
            explained pigz pigz -d empty.gz",
        );
        scene.each(&["bsdtar", "zip"]).assert_about("blocks-exhausted", lab.path("small"));
        scene.run("loop").assert_only("symlink-loop", lab.path("a"), Likely);
        scene.run("case").assert_only("wrong-case", lab.path("data"), Likely);
        scene.run("lzip").assert_only("empty-or-truncated-file", lab.path("cut.lz"), Verified);
        scene.each(&["nothing", "none", "damaged"]).assert_silent();
    });
}

#[test]
fn limits_are_named_by_tools_that_count_what_they_need_beforehand() {
    scenario(&[Need::Root, Need::Program("sort"), Need::Program("pigz")], |lab| {
        let scene = lab.play(
            r#"chmod 1777 runs; few="prlimit --nofile=24"
            explained_in sort "$few" sort -m --batch-size=60 /etc/passwd
            explained_in twin "$few" sort -m --batch-size=1 /etc/passwd
            explained_in pigz "prlimit --nproc=2 $(identity 54397)" timeout 5 pigz -p8 -c /bin/bash"#,
        );
        scene.run("sort").assert_only("open-files-limit", "24", Likely);
        scene.run("twin").assert_silent();
    });
}

#[test]
fn the_rights_that_count_are_those_of_the_user_that_a_launcher_or_a_script_changes_to() {
    let needs =
        [Need::Root, Need::Program("runuser"), Need::Program("su"), Need::Program("pigz"), Need::Program("bsdtar")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir open common; chmod 1777 common; echo x >open/shut; chmod 600 open/shut
            explained runuser timeout 9 runuser -u nobody -- cat open/shut
            explained number nice timeout 9 setpriv --reuid 54396 --regid 54396 --clear-groups pigz -c open/shut
            explained script sh -c 'echo begin; runuser -u nobody -- cat open/shut; exit 1'
            explained su sh -c "su nobody -s /bin/sh -c 'cat open/shut'"
            explained missing timeout 9 runuser -u nobody -- cat open/none
            explained before sh -c 'runuser -u nobody -- true; cat open/none'
            as 54396 sh -c 'echo x >common/file'; chmod 666 common/file
            set_for_all fs/protected_regular 2
            explained packer bsdtar cf common/file open"#,
        );
        scene.each(&["runuser", "number", "script", "su"]).assert_only(
            "permission-denied",
            lab.path("open/shut"),
            Verified,
        );
        scene.each(&["missing", "before"]).assert_silent();
        scene.run("packer").assert_first("protected-file", lab.path("common/file"), Likely);
    });
}

#[test]
fn a_warning_that_is_all_that_a_failed_command_said_is_why() {
    scenario(&[Need::Root, Need::Program("git"), Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"chmod 1777 runs; echo '[user]' >settings; chmod 600 settings
            explained_as 54395 git git config -f settings user.name
            explained_as 54395 none git config -f none user.name
            explained_as 54395 other python3 -c 'import sys, warnings
try: open("settings")
except OSError as error: warnings.warn(f"no settings: {error}")
sys.exit(3)'"#,
        );
        scene.run("git").assert_only("permission-denied", lab.path("settings"), Likely);
        scene.each(&["none", "other"]).assert_silent();
    });
}

/// socat opens with `O_CREAT`, so that a file lies there afterwards.
#[test]
fn a_file_that_lies_where_a_device_should_be_is_no_missing_terminal() {
    scenario(&[Need::Root, Need::Program("socat")], |lab| {
        let scene = lab.play(
            r"mount -t tmpfs lab /dev; mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/zero c 1 5
            explained word socat -u /dev/zero /dev/ttyUSB0,raw,echo=0
            explained address socat -u /dev/zero OPEN:/dev/ttyUSB1,creat,raw",
        );
        scene.run("word").assert_only("device-missing", "/dev/ttyUSB0", Verified);
        scene.run("address").assert_only("device-missing", "/dev/ttyUSB1", Verified);
    });
}
