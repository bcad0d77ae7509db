//! Locks that programs keep in forms of their own: a row of a database, a directory, a file whose name tells the process.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const SUBVERSION: &[Need] = &[Need::Root, Need::Program("svn"), Need::Program("svnadmin"), Need::Program("sqlite3")];
const BACKUPS: &[Need] = &[Need::Root, Need::Program("borg"), Need::Program("restic"), Need::Program("python3")];

#[test]
fn a_lock_within_a_working_copy_is_taken_back_by_its_own_program() {
    scenario(SUBVERSION, |lab| {
        let scene = lab.play(
            r#"export HOME=$LAB; svnadmin create repo; svn checkout -q "file://$LAB/repo" wc; cd wc; echo a >a; svn add -q a
            explained twin svn commit -m words nowhere
            sqlite3 .svn/wc.db "insert into wc_lock values (1, '', -1)"
            explained commit svn commit -m words
            explained relative sh -c 'cd ..; svn add --force wc/a'
            type_fix commit 'svn cleanup'
            explained after svn commit -m words"#,
        );
        scene.each(&["commit", "relative"]).assert_only("stale-lock", lab.path("wc/.svn/wc.db"), Confidence::Likely);
        scene.run("twin").assert_does_not_name("stale-lock");
        assert_eq!(scene.run("after").status, 0, "{}", scene.run("after"));
    });
}

/// Borg's lock is a directory, and the name of a file in it has host, process and thread.
#[test]
fn a_directory_that_is_a_lock_tells_its_process_by_a_name() {
    scenario(BACKUPS, |lab| {
        let scene = lab.play(
            r#"export HOME=$LAB BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
            borg init -e none repo 2>/dev/null; echo a >a
            borg with-lock repo sh -c ': >"$LAB/held"; exec sleep 600' 2>/dev/null & holder=$!
            until [ -e held ]; do sleep 0.02; done
            explained held borg --lock-wait 1 create repo::a a
            kill $holder; wait $holder || true
            # Of a client that had another network card, Borg does not know by itself that it has ended.
            mkdir repo/lock.exclusive; : >"repo/lock.exclusive/$(uname -n)@1.$holder-0"
            explained stale borg --lock-wait 1 create repo::a a
            type_fix stale 'borg break-lock'
            explained after borg create repo::a a"#,
        );
        let lock = lab.path("repo/lock.exclusive");
        scene.run("held").assert_first("locked-by-process", &lock, Confidence::Verified);
        scene.run("stale").assert_first("stale-lock", &lock, Confidence::Verified);
        assert_eq!(scene.run("after").status, 0, "{}", scene.run("after"));
    });
}

/// The lock is encrypted; the message tells process and host. That another program has locked something nearby is not why.
#[test]
fn a_process_that_the_message_tells_has_the_lock_and_no_other() {
    scenario(BACKUPS, |lab| {
        let scene = lab.play(
            r#"export HOME=$LAB RESTIC_PASSWORD=a; restic init -q -r repo
            python3 -c 'import fcntl, time
f = open("other", "w"); fcntl.flock(f, fcntl.LOCK_EX); open("ready", "w"); time.sleep(600)' &
            until [ -e ready ]; do sleep 0.02; done
            mkfifo pipe; exec 9<>pipe
            restic -r repo backup -q --stdin <pipe & holder=$!
            until [ "$(ls repo/locks)" ]; do sleep 0.02; done
            explained held restic -r repo prune
            kill -9 $holder; wait $holder || true
            explained stale restic -r repo prune
            explained variable env RESTIC_REPOSITORY="$LAB/repo" restic prune
            type_fix stale 'restic unlock'
            explained after restic -r repo prune"#,
        );
        let locks = lab.path("repo/locks");
        scene.run("held").assert_only("locked-by-process", &locks, Confidence::Verified);
        scene.each(&["stale", "variable"]).assert_only("stale-lock", &locks, Confidence::Verified);
        assert_eq!(scene.run("after").status, 0, "{}", scene.run("after"));
    });
}
