//! Groups, sessions, what the command is given, and what it leaves behind.

use crate::harness::{assert_same, is_root};

#[test]
fn group_and_session_are_the_callers() {
    let seen = assert_same(
        "me=$(cut -d' ' -f5,6 /proc/$$/stat); [ \"$($W sh -c 'cut -d\" \" -f5,6 /proc/$$/stat')\" = \"$me\" ] && echo same",
    );
    assert_eq!(seen.stdout, b"same\n");
}

#[test]
fn limits_mask_directory_environment_and_priority_are_given_on() {
    assert_same(
        "export A=1 B=$'two\\nlines' EMPTY=; ulimit -Sn 77; ulimit -c 0; umask 027; cd /usr; unset OLDPWD; nice -n 5 $W sh -c \
         'ulimit -a; umask; pwd; env | grep -v ^_= | sort; nice; cat /proc/self/oom_score_adj; cat /proc/self/limits; grep -E \"NoNewPrivs|Seccomp|Cpus_allowed:\" /proc/self/status'",
    );
}

#[test]
fn arguments_are_given_on_whatever_they_hold() {
    assert_same("$W printf '<%s>' '' ' ' -v --report x $'\\xff\\n' --");
}

#[test]
fn a_background_writer_is_not_waited_for_and_goes_on() {
    assert_same(
        "mkfifo f g; $W sh -c '(read x <f; echo late >&2; echo done >g) & echo main >&2; exit 3' 2>log; echo $?; echo go >f; read x <g; echo $x
         until grep -q late log; do sleep 0.01; done; cat log",
    );
}

#[test]
fn a_daemon_that_keeps_stderr_open_can_write_for_long() {
    assert_same(
        "mkfifo f g; $W sh -c 'setsid sh -c \"read x <f; head -c 300000 /dev/zero >&2; echo done >g\" & exit 0' 2>log; echo $?; echo go >f; read x <g; echo $x
         until [ $(stat -c %s log) = 300000 ]; do sleep 0.01; done; echo all",
    );
}

#[test]
fn a_background_writer_whose_reader_goes_is_told() {
    assert_same(
        "mkfifo f g; $W sh -c '(trap \"\" PIPE; read x <f; until ! echo late; do :; done >&2 2>/dev/null; echo told >g) & exit 0' 2>&1 >/dev/null | head -c0; echo go >f; read x <g; echo $x",
    );
}

#[test]
fn a_set_id_program_keeps_its_rights() {
    if is_root() {
        let seen = assert_same(
            "chmod 755 .; cp /usr/bin/id id; chmod 4755 id; w=; [ -z \"$W\" ] || { cp ${W%% *} x; chmod 755 x; w='./x -q --'; }; \
             setpriv --reuid 65534 --regid 65534 --clear-groups $w ./id -u",
        );
        assert_eq!(seen.stdout, b"0\n");
    }
}

#[test]
fn the_working_directory_may_be_gone() {
    assert_same("mkdir d; cd d; rmdir ../d; $W sh -c 'echo x; exit 4' 2>/dev/null; echo $?");
}
