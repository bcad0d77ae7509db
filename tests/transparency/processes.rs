//! Groups, sessions, what the command is given, and what it leaves behind.

use crate::harness::{assert_same, has, is_root};

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

#[test]
fn programs_with_rights_of_their_own_keep_them() {
    // As somebody else: for root they have nothing to add.
    let as_somebody = |setup: &str, command: &str| {
        assert_same(&format!(
            "chmod 755 .; {setup}; w=; [ -z \"$W\" ] || {{ cp ${{W%% *}} x; chmod 755 x; w='./x -q --'; }}; \
             setpriv --reuid 65534 --regid 65534 --clear-groups $w {command}; echo $?"
        ))
    };
    if !is_root() {
        return;
    }
    if has("setcap") {
        let seen = as_somebody("cp /bin/grep g; setcap cap_chown+ep g", "./g CapEff /proc/self/status");
        assert_eq!(seen.stdout, b"CapEff:\t0000000000000001\n0\n");
    }
    if has("ping") {
        as_somebody("", "ping -c 1 -W 1 127.0.0.1 >/dev/null 2>&1");
    }
    if has("su") {
        as_somebody("", "su root -c true </dev/null 2>/dev/null");
    }
}

#[test]
fn a_process_that_has_lost_its_parent_gets_the_one_that_it_would_have_got() {
    let orphan =
        r#"mkfifo f; echo 'until p=$(cut -d" " -f4 /proc/$$/stat); [ "$p" != $1 ]; do :; done; echo $p >f' >orphan; "#;
    let command = r#"$W sh -c 'sh -c "sh orphan \$\$ &"; read p <f; echo $p'"#;
    assert_same(&format!("{orphan}{command}"));
    if has("python3") {
        // PR_SET_CHILD_SUBREAPER of prctl(2): orphans below come to this process.
        let keep = "import ctypes, os, subprocess, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0); \
            print(int(subprocess.run(sys.argv[1:], stdout=-1).stdout) == os.getpid())";
        assert_eq!(assert_same(&format!("{orphan}python3 -c '{keep}' {command}")).stdout, b"True\n");
    }
}

#[test]
fn nobody_is_left_for_the_caller_to_take_leave_of() {
    if has("python3") {
        let count = "import ctypes, os, subprocess, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0); \
            [subprocess.run(sys.argv[1:]) for _ in range(50)]; os.waitpid(-1, os.WNOHANG)";
        let seen = assert_same(&format!("for c in true false; do python3 -c '{count}' $W $c 2>&1 | tail -n 1; done"));
        assert_eq!(seen.stdout, b"ChildProcessError: [Errno 10] No child processes\n".repeat(2));
    }
}

#[test]
fn as_process_1_we_take_leave_of_those_who_have_lost_their_parents() {
    if is_root() {
        let orphans = "for i in 1 2 3; do (setsid sh -c \"sleep 0.1\" &); done; sleep 0.5; grep -ls \"^State:.Z\" /proc/[0-9]*/status | wc -l; exit 3";
        let seen = assert_same(&format!("unshare -pf --mount-proc $W bash -c '{orphans}'; echo $?"));
        assert_eq!(seen.stdout, b"0\n3\n");
    }
}

#[test]
fn a_command_goes_on_when_those_who_started_it_end() {
    let seen = assert_same(
        "mkfifo f g; bash -c '\"$@\" & disown; exit 3' b $W sh -c 'read x <f; echo on >g; exit 4'; echo $?; echo go >f; cat g",
    );
    assert_eq!(seen.stdout, b"3\non\n");
}

#[test]
fn a_signal_that_the_caller_wants_at_its_own_death_reaches_the_command() {
    if has("setpriv") {
        let seen = assert_same(
            "exec 2>/dev/null; mkfifo f g; (setpriv --pdeathsig TERM $W sh -c 'trap \"echo told >g; exit\" TERM; echo ready >f; while :; do sleep 0.05; done' & \
             read x <f; kill -KILL $BASHPID); cat g",
        );
        assert_eq!(seen.stdout, b"told\n");
    }
}

#[test]
fn sockets_and_watchdogs_that_are_meant_for_us_are_the_commands() {
    let ask = r#"for p in "$LISTEN_PID" "$WATCHDOG_PID"; do [ "$p" = $$ ] && echo mine || echo "not mine"; done; echo "$LISTEN_FDS""#;
    let seen = assert_same(&format!(
        "ask='{ask}'; (export LISTEN_PID=$BASHPID LISTEN_FDS=1 WATCHDOG_PID=$BASHPID; exec $W sh -c \"$ask\"); LISTEN_PID=1 LISTEN_FDS=2 $W sh -c \"$ask\""
    ));
    assert_eq!(seen.stdout, b"mine\nmine\n1\nnot mine\nnot mine\n2\n");
}

#[test]
fn a_command_that_becomes_another_keeps_its_id_and_its_end() {
    assert_same(
        "$W sh -c 'echo $$ >a; exec sh -c \"echo \\$\\$ >b; exec sh -c \\\"exit 5\\\"\"'; echo $?; cmp a b && echo same",
    );
}

#[test]
fn limits_meet_the_command_as_they_would_have() {
    assert_same("{ (ulimit -t 1; $W sh -c 'while :; do :; done'); echo $?; } 2>/dev/null");
    for limit in ["-s 256", "-s unlimited", "-l 0", "-i 0", "-q 0", "-n 64"] {
        assert_same(&format!("(ulimit {limit}; $W sh -c 'ulimit -a; kill -TERM $$') 2>/dev/null; echo $?"));
    }
}
