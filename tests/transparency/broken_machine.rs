//! A machine that is broken in one way: the command runs as it would have, and what can be known is said.
//!
//! Mounts are made in a mount namespace of their own. ENFILE is made by strace in our calls alone: the limit is one for the
//! whole machine (`fs.file-max`), and root is exempt from it.

use crate::harness::{EXPLAIN, KEEP_PROGRAM, assert_same, has, is_root, scratch, seen, skip_this};
use std::process::Command;

/// A command that fails for a reason that any machine can prove.
const FAILS: &str = "sh -c 'echo out; ls /no/such/file; exit 6'";

/// Asserts that a script shows the same with and without us, and that its explanation is told where it is asked for.
#[track_caller]
fn assert_explained(script: &str, headline: &str) {
    let silent = assert_same(script);
    let directory = scratch();
    let mut command = Command::new("bash");
    command.arg("-c").arg(format!("W='{EXPLAIN} --'\n{script}\nexit $?")).current_dir(directory.path());
    let told = seen(command);
    assert_eq!((told.status, &told.stdout), (silent.status, &silent.stdout), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stderr).contains(headline), "{headline} is not said: {told:?}");
}

/// The same in a mount namespace of its own, after some mounts.
#[track_caller]
fn assert_explained_behind(mounts: &str, command: &str, headline: &str) {
    if is_root() {
        let inner = format!("{KEEP_PROGRAM}{mounts} || exit 99; \"$@\"");
        assert_explained(&format!("unshare -m bash -c '{inner}' b $W {command}; echo $?"), headline);
    }
}

#[test]
fn no_space_anywhere() {
    assert_explained_behind(
        "export HOME=/root TMPDIR=/tmp; for d in /tmp /var/tmp /run /dev/shm /root; do mount -t tmpfs -o size=4k none $d && \
         head -c 4096 /dev/zero >$d/fill; done; cd /tmp",
        "sh -c 'echo out; cp /etc/passwd /tmp/x'",
        "/tmp is full",
    );
}

#[test]
fn no_inodes_anywhere() {
    assert_explained_behind(
        "export HOME=/root TMPDIR=/tmp; for d in /tmp /var/tmp /run /dev/shm /root; do mount -t tmpfs -o nr_inodes=1 none $d; done; cd /tmp",
        "sh -c 'echo out; mkdir /tmp/x'",
        "/tmp is out of inodes",
    );
}

#[test]
fn no_descriptors() {
    for limit in [3, 4, 10] {
        assert_same(&format!(
            "(ulimit -n {limit}; $W {FAILS}); echo $?; (ulimit -n {limit}; $W no-such-command 2>/dev/null); echo $?"
        ));
    }
    assert_explained(&format!("(ulimit -n 10; $W {FAILS}); echo $?"), "/no does not exist");
}

#[test]
fn no_open_files_left_in_the_machine() {
    if has("strace") {
        // The loader's own calls come before the first of ours.
        let strace = "own=$(strace -o t $W true; sed /rt_sigprocmask/q t | grep -c ^openat); \
                      traced() { strace -o /dev/null -e inject=openat:error=ENFILE:when=$((own+1))+ -e inject=$1:error=ENFILE \"${@:2}\"; }; \
                      broken() { traced pipe2 \"$@\"; }; [ \"$W\" ] || broken() { \"$@\"; }";
        assert_eq!(assert_same(&format!("{strace}; broken $W {FAILS}; echo $?")).stdout, b"out\n6\n");
    }
}

#[test]
fn no_process_slots_in_the_control_group() {
    if !is_root() {
        return;
    }
    let hierarchies = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"];
    let Some(groups) = hierarchies.into_iter().find(|groups| can_limit_processes(groups)) else {
        return skip_this("no control group may limit processes here", false);
    };
    let run = |most: u32, command: &str| {
        format!(
            "g=$(mktemp -d {groups}/explain-XXXXXX); (echo $BASHPID >$g/cgroup.procs; echo {most} >$g/pids.max; exec $W {command}); echo $?; \
                 until rmdir $g 2>/dev/null; do sleep 0.01; done"
        )
    };
    for most in [1, 2, 3] {
        let seen = assert_same(&run(most, "perl -e 'print qq(out\\n); warn qq(words\\n); exit 6'"));
        assert_eq!(seen.stdout, b"out\n6\n");
    }
    assert_explained(&run(2, "ls /no/such/file"), "/no does not exist");
}

fn can_limit_processes(groups: &str) -> bool {
    let trial =
        "g=$(mktemp -d $0/explain-XXXXXX 2>/dev/null) || exit; [ -e $g/pids.max ]; found=$?; rmdir $g; exit $found";
    Command::new("bash").args(["-c", trial, groups]).status().unwrap().success()
}

#[test]
fn address_space_at_the_edge() {
    // Below the edge the kernel or the loader cannot start us: a signal, or the loader's 127. From there on, nothing but the command's.
    let seen = crate::harness::wrapped(
        "for k in $(seq 4000 500 26000); do (ulimit -v $k; exec $W perl -e 'print qq(out\\n); exit 5' 2>err); s=$?; \
         [ $s != 127 ] || grep -q 'shared libr\\|glibc' err || s=odd; echo $s; done 2>/dev/null",
    );
    let text = String::from_utf8_lossy(&seen.stdout).into_owned();
    let starts: Vec<&str> = text.lines().skip_while(|line| matches!(*line, "139" | "137" | "127")).collect();
    assert!(starts.len() > 10 && starts.chunks(2).all(|pair| pair == ["out", "5"]), "{text}");
}

#[test]
fn no_proc() {
    assert_explained_behind("mount -t tmpfs none /proc", FAILS, "/no does not exist");
}

#[test]
fn no_terminals_to_be_had() {
    assert_explained_behind("mount -t tmpfs none /dev/pts", FAILS, "/no does not exist");
}

#[test]
fn no_home_and_no_directory_for_temporary_files() {
    assert_explained(
        "env -u HOME -u TMPDIR -u XDG_RUNTIME_DIR $W sh -c 'echo out; ls /no/such/file; exit 6'; echo $?",
        "/no does not exist",
    );
    assert_explained("HOME=/no/home TMPDIR=/no/tmp $W ls /no/such/file; echo $?", "/no does not exist");
}

#[test]
fn the_working_directory_was_removed() {
    assert_explained(
        "mkdir gone; cd gone; rmdir ../gone; $W perl -e 'open F, \">y\" or die \"y: $!\\n\"'; echo $?",
        "was removed",
    );
}

#[test]
fn everything_is_read_only() {
    assert_explained_behind(
        "mount -o remount,bind,ro / && for d in /tmp /var/tmp /run /dev/shm; do mount -t tmpfs -o ro none $d; done",
        "sh -c 'echo out; touch /var/tmp/x'",
        "/var/tmp is read-only",
    );
}

#[test]
fn a_closed_or_full_stderr_takes_no_words() {
    for stderr in ["2>&-", "2>/dev/full"] {
        assert_same(&format!("$W sh -c 'echo out; exit 6' {stderr}; echo $?"));
        assert_same(&format!("{{ $W sh -c 'echo out; kill -KILL $$' {stderr}; }} 2>/dev/null; echo $?"));
    }
}

#[test]
fn a_fuse_server_that_never_answers() {
    if !is_root() || !has("python3") {
        return;
    }
    if !std::path::Path::new("/dev/fuse").exists() {
        return skip_this("there is no /dev/fuse", false);
    }
    let serve =
        concat!("mkdir d; unshare -m python3 ", env!("CARGO_MANIFEST_DIR"), "/tests/transparency/dead_fuse.py $PWD/d");
    let perl = "$W $(command -v perl)";
    // The working directory, HOME and TMPDIR lie there, and so do paths of the command line and of what it says.
    let seen = assert_same(&format!(
        "{serve} {perl} -e 'print \"out\\n\"; print STDERR \"mkdir: cannot create directory \\x27$ENV{{HOME}}/x/y\\x27: No such file or directory\\n\"; exit 7' \
         $PWD/d/a ./b 2>err; echo $?; wc -l <err"
    ));
    assert_eq!(seen.stdout, b"out\n7\n1\n");
    assert_same(&format!(
        "{serve} {perl} -e 'warn \"touch: cannot touch x: No space left on device\\n\"; exit 7' $PWD/d/a ./b; echo $?"
    ));
    // A filesystem that answers, and lies behind it.
    let behind = "touch: cannot touch \\x27$ENV{HOME}/local/x\\x27: No space left on device\\n";
    assert_same(&format!("{serve} {perl} -e 'warn qq({behind}); exit 7' $PWD/d/local/x 2>/dev/null; echo $?"));
    assert_explained(&format!("{serve} $W $(command -v ls) /no/such/file; echo $?"), "/no does not exist");
}

#[test]
fn without_proc_a_full_filesystem_is_still_explained() {
    if !kernel_lists_mounts() {
        return skip_this("listmount(2) came with Linux 6.8", false);
    }
    assert_explained_behind(
        "mount -t tmpfs -o size=4k none /tmp && cd /tmp && head -c 4096 /dev/zero >fill; mount -t tmpfs none /proc",
        "sh -c 'echo out; cp /etc/passwd /tmp/x'",
        "/tmp is full",
    );
}

fn kernel_lists_mounts() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let numbers: Vec<u32> = release.split(['.', '-']).map_while(|number| number.parse().ok()).take(2).collect();
    numbers >= vec![6, 8]
}

#[test]
fn rules_that_cannot_be_read_or_are_broken_are_told_after_the_run() {
    let directory = scratch();
    let [absent, broken] = ["absent", "broken.toml"].map(|name| directory.path().join(name));
    std::fs::write(&broken, "[[rule]]\nid = 7\n").unwrap();
    for (rules, fault) in [(absent, "absent: cannot be read"), (broken, "broken.toml:2")] {
        let ran = seen(command(&["--rules", rules.to_str().unwrap(), "sh", "-c", "ls /no/such/file; exit 6"]));
        let told = String::from_utf8_lossy(&ran.stderr);
        assert_eq!((ran.status.code(), told.matches(fault).count()), (Some(6), 1), "{ran:?}");
        assert!(told.contains("/no does not exist"), "{ran:?}");
        let ran = seen(command(&["--rules", rules.to_str().unwrap(), "echo", "ran"]));
        assert_eq!((ran.status.code(), &ran.stdout[..], &ran.stderr[..]), (Some(0), &b"ran\n"[..], &b""[..]));
    }
}

#[test]
fn a_report_on_a_mount_that_never_answers_is_given_up() {
    if !is_root() || !has("python3") {
        return;
    }
    if !std::path::Path::new("/dev/fuse").exists() {
        return skip_this("there is no /dev/fuse", false);
    }
    let script = format!(
        "mkdir d; unshare -m python3 {}/tests/transparency/dead_fuse.py $PWD/d {EXPLAIN} --report $PWD/d/report $(command -v ls) /no/such/file; exit $?",
        env!("CARGO_MANIFEST_DIR")
    );
    let told = in_scratch(&script);
    let text = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(2), "{told:?}");
    assert!(text.contains("no answer within") && text.contains("/no does not exist"), "{told:?}");
}

#[test]
fn a_report_that_may_not_be_so_large_is_told_and_not_cut() {
    let told = in_scratch(&format!(
        "(ulimit -f 1; {EXPLAIN} --report report ls /no/such/file); echo $?; wc -c <report; {EXPLAIN} --report /dev/full ls /no/such/file; exit 4"
    ));
    let text = String::from_utf8_lossy(&told.stderr);
    assert_eq!((told.status.code(), &told.stdout[..]), (Some(4), &b"2\n0\n"[..]), "{told:?}");
    assert_eq!(text.matches("cannot write the report").count(), 2, "{told:?}");
    assert_eq!(text.matches("/no does not exist").count(), 2, "{told:?}");
}

fn in_scratch(script: &str) -> crate::harness::Seen {
    let directory = scratch();
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(directory.path());
    seen(command)
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(EXPLAIN);
    command.args(words);
    command
}

#[test]
fn no_network() {
    if is_root() && has("curl") {
        assert_same(
            "unshare -n $W curl -sS http://127.0.0.1:9/; echo $?; unshare -n $W curl -sS http://no.such.example/; echo $?",
        );
    }
}
