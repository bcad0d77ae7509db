//! A machine that has nothing left still runs the command, and its status comes through.

use crate::harness::{EXPLAIN, KEEP_PROGRAM, assert_same, is_root, wrapped};

#[test]
fn without_a_process_slot_we_become_the_command() {
    if is_root() {
        // Nobody else has this id, so that the limit counts this process alone.
        let seen = assert_same(
            "w=; [ -z \"$W\" ] || { cp ${W%% *} x; chmod 755 x; w='./x -q --'; }; chmod 755 .; \
             setpriv --reuid 64321 --regid 64321 --clear-groups env PATH=/usr/bin:/bin bash -c 'ulimit -u 1; exec \"$@\"' b $w sh -c 'echo hi; exit 6'; echo $?; \
             setpriv --reuid 64321 --regid 64321 --clear-groups env PATH=/usr/bin:/bin bash -c 'ulimit -u 1; exec \"$@\"' b $w no-such-command 2>/dev/null; echo $?",
        );
        assert_eq!(seen.stdout, b"hi\n6\n127\n");
    }
}

#[test]
fn with_few_descriptors_the_command_has_as_many() {
    for limit in 3..9 {
        assert_same(&format!("(ulimit -n {limit}; $W sh -c 'echo out; echo err >&2; exit 5'); echo $?"));
    }
}

#[test]
fn with_little_address_space_the_command_runs() {
    // Below the size of our own program the kernel cannot even start it.
    let own = std::fs::metadata(EXPLAIN).unwrap().len() / 1024;
    for more in (1_000..16_000).step_by(1_000) {
        let kibibytes = own + more;
        assert_same(&format!("(ulimit -v {kibibytes}; $W sh -c 'echo out; echo err >&2; exit 5'); echo $?"));
    }
}

#[test]
fn on_a_stack_that_is_too_small_for_us_the_command_runs() {
    for kibibytes in [32, 64, 128, 192, 256, 512] {
        assert_same(&format!(
            "(ulimit -s {kibibytes}; $W sh -c 'echo out; echo err >&2; exit 5'; echo $?; $W no-such-command 2>/dev/null; echo $?)"
        ));
    }
}

#[test]
fn on_a_stack_that_is_too_small_for_us_options_are_read_and_a_failure_is_explained() {
    for kibibytes in [48, 64, 128, 256] {
        let told = wrapped(&format!(
            "(ulimit -s {kibibytes}; {EXPLAIN} --report report --color never ls /no/such/file; echo $?; grep -c outcome report; {EXPLAIN} --version)"
        ));
        let (said, explained) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
        assert!(
            said.starts_with("2\n1\nexplain ") && explained.contains("/no does not exist"),
            "{kibibytes}: {told:?}"
        );
        assert_same(&format!(
            "(ulimit -s {kibibytes}; ulimit -v 200000; $W sh -c 'ulimit -s; echo err >&2; exit 5' >log 2>&1; echo $?; cat log)"
        ));
    }
}

/// A signal that has no place in the queue is still a signal, but nobody knows who sent it, sigqueue(3).
#[test]
fn without_a_place_for_pending_signals_the_command_is_told_and_its_end_is_ours() {
    let none = "prlimit --sigpending=0";
    assert_same(&format!("{none} $W sh -c 'trap \"echo told; exit 5\" TERM; kill -TERM $$; sleep 5'; echo $?"));
    assert_same(&format!("{{ {none} $W sh -c 'kill -TERM $$'; echo $?; }} 2>/dev/null"));
    assert_same(&format!("{{ {none} $W sleep 60 & sleep 0.2; kill -TERM $!; wait $!; echo $?; }} 2>/dev/null"));
    assert_same(&format!(
        "{none} $W sh -c 'trap \"exit 7\" USR1; echo >ready; while :; do sleep 0.05; done' & until [ -e ready ]; do sleep 0.05; done; kill -USR1 $!; wait $!; echo $?"
    ));
    assert_same(&format!(
        "set -m; {none} $W sh -c 'echo $$ >id; kill -STOP $$; exit 6' & until [ \"$(jobs | grep Stopped)\" ]; do sleep 0.05; done; kill -CONT %1; wait %1; echo $?"
    ));
}

#[test]
fn a_limit_on_file_sizes_is_met_by_the_command_itself() {
    assert_same(
        "{ (ulimit -f 0; $W sh -c 'echo x >&2' 2>log); echo $?; (ulimit -f 0; $W sh -c 'echo x' >out 2>log); echo $?; } 2>/dev/null",
    );
}

#[test]
fn a_closed_stderr_keeps_the_status() {
    assert_same("$W sh -c 'echo out; exit 3' 2>&-; echo $?; $W sh -c 'kill -TERM $$' 2>&-; echo $?");
}

#[test]
fn a_stderr_that_cannot_be_written_to_is_left_alone() {
    assert_same("$W sh -c 'echo x >&2 || echo refused; exit 3' 2</dev/null; echo $?");
}

#[test]
fn without_proc_and_dev_the_command_runs() {
    if is_root() {
        assert_same(
            "unshare -m bash -c 'mount -t tmpfs none /proc && mount -t tmpfs none /dev && \"$@\"' b $W sh -c 'echo out; echo err >&2; exit 5'; echo $?",
        );
    }
}

#[test]
fn without_home_path_and_tmpdir_the_command_runs() {
    assert_same(
        "env -i $W /bin/sh -c 'echo out; exit 5'; echo $?; env -i HOME=/nowhere TMPDIR=/nowhere $W /bin/sh -c 'echo out; exit 5'",
    );
}

#[test]
fn with_everything_full_the_command_runs() {
    if is_root() {
        assert_same(&format!(
            "unshare -m bash -c '{KEEP_PROGRAM}for d in /tmp /var/tmp /run /dev/shm; do mount -t tmpfs -o nr_inodes=1,size=4k none $d; done; cd /tmp; \"$@\"' b \
             $W sh -c 'echo out; echo err >&2; exit 5'; echo $?"
        ));
    }
}

#[test]
fn a_command_line_full_of_paths_that_are_not_there_runs() {
    assert_same("$W sh -c 'exit 5' /no/such/a --x=/no/such/b ../../c ./d/e/f /proc/1/root/x /dev/tty; echo $?");
}
