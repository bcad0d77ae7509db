//! Locks that somebody holds, locks that nobody does any more, and failures beside a lock that are not about it.

use super::harness::{Need, scenario};
use explain::cause::{Confidence, Seen};

const GIT: &[Need] = &[Need::Root, Need::Program("git")];
const DATABASES: &[Need] = &[Need::Root, Need::Program("sqlite3"), Need::Program("python3"), Need::Program("perl")];
const PACKAGES: &[Need] = &[Need::Root, Need::Program("apt-get"), Need::Program("python3")];

/// A repository with a change, and a lock on its index.
const REPOSITORY: &str = r"export GIT_CONFIG_NOSYSTEM=1
    git init -q repo; cd repo; echo a >a; : >.git/index.lock
";

/// `hold FILE`: a process that locks a file by flock(2), sets HOLDER, and goes with the scenario.
const HOLD: &str = r#"
    hold() {
        python3 -c 'import fcntl, sys, time
f = open(sys.argv[1], "a"); fcntl.flock(f, fcntl.LOCK_EX); open(sys.argv[1] + ".held", "w"); time.sleep(600)' "$1" &
        HOLDER=$!
        until [ -e "$1.held" ]; do sleep 0.02; done
    }
"#;

#[test]
fn a_lock_file_that_git_left_behind_is_stale_and_one_in_use_is_not() {
    scenario(GIT, |lab| {
        let scene = lab.play(&format!(
            r#"{REPOSITORY}
            explained stale git add a
            sleep 600 9>>.git/index.lock & holder=$!
            until [ "$(cat /proc/$holder/comm)" = sleep ]; do sleep 0.02; done
            explained held git add a
            kill $holder; wait $holder || true
            sleep 600 9<.git/index.lock & reader=$!
            until [ "$(cat /proc/$reader/comm)" = sleep ]; do sleep 0.02; done
            explained read git add a
            kill $reader; wait $reader || true
            type_fix stale 'rm '
            explained after git add a"#
        ));
        let lock = lab.path("repo/.git/index.lock");
        scene.run("stale").assert_only("stale-lock", &lock, Confidence::Verified);
        scene.run("held").assert_only("locked-by-process", &lock, Confidence::Verified);
        // Who only reads it may be a backup: nothing is claimed.
        scene.run("read").assert_does_not_name("stale-lock");
        scene.run("read").assert_does_not_name("locked-by-process");
        assert_eq!(scene.run("after").status, 0, "{}", scene.run("stale"));
    });
}

#[test]
fn who_has_a_lock_now_is_no_reason_of_a_log_that_was_written_before() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(&format!(
            r#"{HOLD} : >data.lock; hold data.lock
            echo "frob: cannot lock $LAB/data.lock: Resource temporarily unavailable" >now.log
            cp now.log old.log; touch -d '1 hour ago' old.log
            read_log() {{ name=$1; shift; bare "$name" "$EXPLAIN" --report "$LAB/runs/$name.json" --status 1 --log "$@"; }}
            read_log now now.log
            read_log old old.log
            read_log stdin - <old.log
            cat old.log | read_log pipe -
            bare again "$EXPLAIN" --report "$LAB/runs/again.json" --replay "$LAB/runs/old.json""#
        ));
        let lock = lab.path("data.lock");
        scene.run("now").assert_first("locked-by-process", &lock, Confidence::Verified);
        scene.run("pipe").assert_first("locked-by-process", &lock, Confidence::Likely);
        for run in ["old", "stdin", "again"] {
            assert_eq!(scene.run(run).assert_names("locked-by-process").confidence, Confidence::Possible, "{run}");
        }
    });
}

#[test]
fn a_commit_whose_editor_is_open_holds_the_index() {
    scenario(GIT, |lab| {
        let scene = lab.play(&format!(
            r#"{REPOSITORY} rm .git/index.lock; git config user.email a@b; git config user.name a; git add a; git commit -qm a; echo b >>a
            printf '#!/bin/sh\n: >"$LAB/open"; exec sleep 600\n' >../editor; chmod +x ../editor
            GIT_EDITOR=$LAB/editor git commit -a >/dev/null 2>&1 &
            until [ -e "$LAB/open" ]; do sleep 0.02; done
            explained add git add a"#
        ));
        let add = scene.run("add");
        let found = add.assert_only("locked-by-process", lab.path("repo/.git/index.lock"), Confidence::Verified);
        assert!(found.summary.contains("git commit"), "{add}");
    });
}

#[test]
fn the_holder_of_the_package_manager_s_lock_is_named() {
    scenario(PACKAGES, |lab| {
        let scene = lab.play(
            r#"mkdir -p dpkg/updates dpkg/info; cp /var/lib/dpkg/status dpkg; mount --bind dpkg /var/lib/dpkg
            python3 -c 'import fcntl, time
locks = [open(f"/var/lib/dpkg/{name}", "w") for name in ("lock-frontend", "lock")]
for lock in locks: fcntl.lockf(lock, fcntl.LOCK_EX)
open("ready", "w"); time.sleep(600)' & holder=$!
            until [ -e ready ]; do sleep 0.02; done
            explained apt apt-get -y install hello
            explained dpkg dpkg --configure -a
            kill $holder; wait $holder || true
            explained twin apt-get -y install no-such-package-at-all"#,
        );
        scene.each(&["apt", "dpkg"]).assert_first(
            "locked-by-process",
            "/var/lib/dpkg/lock-frontend",
            Confidence::Verified,
        );
        scene.run("twin").assert_silent();
    });
}

#[test]
fn a_database_that_a_message_does_not_name_is_found_by_the_command_line_or_below_the_working_directory() {
    scenario(DATABASES, |lab| {
        let scene = lab.play(
            r#"mkdir work; cd work; sqlite3 d.db 'create table t(a)'
            python3 -c 'import sqlite3, time
c = sqlite3.connect("d.db", isolation_level=None); c.execute("begin exclusive"); open("../ready", "w"); time.sleep(600)' & holder=$!
            until [ -e ../ready ]; do sleep 0.02; done
            insert='import sqlite3; sqlite3.connect("d.db", timeout=0.1).execute("insert into t values (1)")'
            explained named sqlite3 d.db 'insert into t values(1)'
            explained vague python3 -c "$insert"
            explained twin sqlite3 d.db 'select no such column'
            kill $holder; wait $holder || true
            explained free sqlite3 d.db 'insert into nowhere values(1)'"#,
        );
        scene.run("named").assert_first("locked-by-process", lab.path("work/d.db"), Confidence::Verified);
        scene.run("vague").assert_first("locked-by-process", lab.path("work/d.db"), Confidence::Likely);
        scene.run("twin").assert_silent();
        scene.run("free").assert_silent();
    });
}

#[test]
fn a_call_that_would_wait_is_a_lock_only_where_one_is_told_or_named() {
    scenario(DATABASES, |lab| {
        let scene = lab.play(&format!(
            r#"{HOLD} mkdir work; cd work; hold file
            explained perl perl -e 'use Fcntl ":flock"; open F, "<file"; flock F, LOCK_EX | LOCK_NB or die "cannot lock it: $!\n"'
            explained word python3 -c 'import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)' file
            explained pipe python3 -c 'import os; r, w = os.pipe(); os.set_blocking(r, False); os.read(r, 1)'"#
        ));
        scene.each(&["perl", "word"]).assert_first("locked-by-process", lab.path("work/file"), Confidence::Likely);
        scene.run("pipe").assert_silent();
    });
}

#[test]
fn of_several_locks_the_one_that_is_spoken_of_is_named_and_none_where_none_is() {
    scenario(DATABASES, |lab| {
        let scene = lab.play(&format!(
            r#"{HOLD} mkdir work; cd work; hold journal; hold spool
            lock='use Fcntl ":flock"; open F, ">>", $ENV{{F}}; flock F, LOCK_EX | LOCK_NB or die'
            F=spool explained told perl -e "$lock "'"cannot lock spool: $!\n"'
            explained text perl -e 'use Fcntl ":flock"; open F, ">>", "journal"; flock F, LOCK_EX | LOCK_NB or die "cannot lock it: $!\n"'
            F=spool explained untold perl -e "$lock "'"cannot lock it: $!\n"'"#
        ));
        scene.run("told").assert_first("locked-by-process", lab.path("work/spool"), Confidence::Likely);
        scene.run("text").assert_first("locked-by-process", lab.path("work/journal"), Confidence::Likely);
        scene.run("untold").assert_silent();
    });
}

#[test]
fn a_lock_that_was_let_go_meanwhile_was_seen_when_the_command_spoke() {
    scenario(DATABASES, |lab| {
        let scene = lab.play(
            r#"explained during python3 -c '
import fcntl, os, signal, sys, time
path = os.path.abspath("file")
child = os.fork()
if child == 0:
    kept = open(path, "w"); fcntl.flock(kept, fcntl.LOCK_EX); open("ready", "w"); time.sleep(600)
while not os.path.exists("ready"): time.sleep(0.02)
try:
    fcntl.flock(open(path), fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError as error:
    os.write(2, f"Unable to lock the lock file: {path}\n".encode())
    time.sleep(0.3); os.kill(child, signal.SIGKILL); os.wait(); sys.exit(1)
'"#,
        );
        let during = scene.run("during");
        let found = during.assert_first("locked-by-process", lab.path("file"), Confidence::Verified);
        assert_eq!(found.seen, Some(Seen::During), "{during}");
    });
}

#[test]
fn a_pid_file_is_stale_when_its_process_has_ended_and_held_while_it_lives() {
    scenario(DATABASES, |lab| {
        let scene = lab.play(
            r#"cat >server <<'END'
#!/bin/sh
if [ -e "$LAB/server.pid" ]; then echo "A server is already running. Check $LAB/server.pid." >&2; exit 1; fi
END
            sleep 600 & living=$!
            echo $living >server.pid; explained held sh server
            kill $living; wait $living || true
            explained stale sh server"#,
        );
        scene.run("held").assert_first("locked-by-process", lab.path("server.pid"), Confidence::Verified);
        scene.run("stale").assert_first("stale-lock", lab.path("server.pid"), Confidence::Verified);
    });
}

/// A package for cargo.
const BUILD: &str = r#"
    export CARGO_HOME="$LAB/cargo" RUSTC="${CARGO%/*}/rustc"; mkdir -p work/src work/target/debug; cd work
    printf '[package]\nname = "a"\nversion = "0.1.0"\nedition = "2021"\n' >Cargo.toml; echo 'fn main() {}' >src/main.rs
"#;

#[test]
fn a_build_that_waited_for_another_one_until_its_deadline_is_explained() {
    scenario(DATABASES, |lab| {
        let scene = lab.play(&format!(
            r#"CARGO={} {HOLD} {BUILD} hold target/debug/.cargo-lock
            explained deadline timeout 3 "$CARGO" build --offline
            explained ended sh -c '"$0" build --offline & sleep 2; kill $!; wait $!' "$CARGO"
            explained twin.sleep timeout 1 sleep 60
            kill $HOLDER; wait $HOLDER || true
            explained twin "$CARGO" build --offline --bin none"#,
            env!("CARGO")
        ));
        let lock = lab.path("work/target/debug/.cargo-lock");
        for run in ["deadline", "ended"] {
            let run = scene.run(run);
            let found = run.assert_first("locked-by-process", &lock, Confidence::Likely);
            assert!(found.summary.contains("python3"), "{run}");
        }
        scene.each(&["twin", "twin.sleep"]).assert_silent();
    });
}
