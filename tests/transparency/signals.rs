//! Signals reach the command once, and it starts with the mask and the dispositions that we were given.

use crate::harness::{EXPLAIN, Running, assert_same, kill, signal_of, state, until};

/// Says `ready`, then every signal that it gets; ends with 77 after TERM.
const LISTENER: &str = r#"
    use Config; $| = 1;
    my @names = split " ", $Config{sig_name};
    for my $name (grep { !/^(ZERO|KILL|STOP|SEGV|BUS|ILL|FPE|TRAP|SYS|CHLD|CLD|NUM32|NUM33)$/ } @names) {
        $SIG{$name} = sub { print "$_[0]\n"; exit 77 if $_[0] eq "TERM" };
    }
    print "ready\n"; sleep 1 while 1;
"#;

fn listener(before: &[&str]) -> Running {
    let command: Vec<&str> = before.iter().chain(&[EXPLAIN, "perl", "-e", LISTENER]).copied().collect();
    let mut running = Running::start(&command);
    running.expect("ready");
    running
}

#[test]
fn what_is_sent_to_our_id_reaches_the_command_once() {
    let names = [
        (1, "HUP"),
        (2, "INT"),
        (3, "QUIT"),
        (6, "ABRT"),
        (10, "USR1"),
        (12, "USR2"),
        (13, "PIPE"),
        (14, "ALRM"),
        (16, "STKFLT"),
        (18, "CONT"),
        (23, "URG"),
        (24, "XCPU"),
        (25, "XFSZ"),
        (26, "VTALRM"),
        (27, "PROF"),
        (28, "WINCH"),
        (29, "IO"),
        (30, "PWR"),
        (34, "RTMIN"),
        (50, "NUM50"),
        (64, "RTMAX"),
    ];
    let mut running = listener(&[]);
    for (number, name) in names {
        running.signal(number);
        running.expect(name);
    }
    running.signal(15);
    let (status, rest) = running.finish();
    assert_eq!((status.code(), rest.as_str()), (Some(77), "TERM\n"));
}

#[test]
fn signals_that_the_caller_ignored_reach_a_command_that_listens_again() {
    let mut running = listener(&["env", "--ignore-signal=INT,QUIT,HUP,USR1"]);
    for (number, name) in [(2, "INT"), (3, "QUIT"), (1, "HUP"), (10, "USR1")] {
        running.signal(number);
        running.expect(name);
    }
    running.signal(15);
    assert_eq!(running.finish().0.code(), Some(77));
}

#[test]
fn signals_that_the_caller_blocked_are_passed_on_too() {
    let script = r#"use POSIX; $| = 1; $SIG{USR1} = sub { print "USR1\n"; exit 5 }; print "ready\n";
        my $p = POSIX::SigSet->new; until ($p->ismember(SIGUSR1)) { sigpending($p) } sigprocmask(SIG_UNBLOCK, POSIX::SigSet->new(SIGUSR1)); sleep 9"#;
    let mut running = Running::start(&["env", "--block-signal=USR1", EXPLAIN, "perl", "-e", script]);
    running.expect("ready");
    running.signal(10);
    let (status, rest) = running.finish();
    assert_eq!((status.code(), rest.as_str()), (Some(5), "USR1\n"));
}

#[test]
fn a_command_that_does_not_listen_is_ended_and_we_by_the_same_signal() {
    for signal in [1, 2, 3, 10, 13, 14, 15, 24, 34, 64] {
        let mut running = Running::start(&[EXPLAIN, "sh", "-c", "echo ready; exec sleep 60"]);
        running.expect("ready");
        running.signal(signal);
        assert_eq!(signal_of(running.finish().0), Some(signal));
    }
}

#[test]
fn what_the_command_sends_us_does_not_come_back_to_it() {
    let script = "echo ready; for s in TERM INT HUP USR1 ALRM; do kill -$s $PPID; done; sleep 0.1; exit 6";
    let mut running = Running::start(&[EXPLAIN, "sh", "-c", script]);
    running.expect("ready");
    assert_eq!(running.finish().0.code(), Some(6));
}

#[test]
fn an_alarm_that_was_set_before_is_the_commands() {
    assert_same("{ perl -e 'alarm 1; exec @ARGV' $W sleep 60; echo $?; } 2>/dev/null");
}

#[test]
fn mask_and_dispositions_are_given_on_bit_for_bit() {
    let status = "grep -E 'Sig(Blk|Ign|Cgt)|ShdPnd' /proc/self/status";
    assert_same(&format!(
        "for i in $(seq 1 31) 34 64; do [ $i = 9 ] || [ $i = 19 ] || {{
            env --ignore-signal=$i $W {status}; env --block-signal=$i $W {status}; env --default-signal --ignore-signal=$i $W {status}; }}; done"
    ));
}

#[test]
fn a_signal_that_waits_since_before_the_start_is_passed_on() {
    // Blocked and sent before the exec: it is pending for our id, and nobody else will see it.
    let script = r#"use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR1)); kill "USR1", $$; exec @ARGV"#;
    let listen = r#"use POSIX; $SIG{USR1} = sub { print "got\n"; exit 5 };
        my $p = POSIX::SigSet->new; until ($p->ismember(SIGUSR1)) { sigpending($p) } sigprocmask(SIG_UNBLOCK, POSIX::SigSet->new(SIGUSR1)); sleep 9"#;
    assert_same(&format!("perl -e '{script}' $W perl -e '{listen}'"));
}

#[test]
fn the_status_survives_a_caller_who_ignores_sigchld() {
    assert_same("env --ignore-signal=CHLD $W sh -c 'grep SigIgn /proc/self/status; exit 3'; echo $?");
}

#[test]
fn a_command_that_is_stopped_stops_us_and_goes_on_with_us() {
    let mut running = Running::start(&[EXPLAIN, "sh", "-c", "echo $$; kill -STOP $$; echo on; exit 8"]);
    let child: u32 = running.line().parse().unwrap();
    until("both are stopped", || state(child) == Some('T') && state(running.pid()) == Some('T'));
    running.signal(18);
    running.expect("on");
    assert_eq!(running.finish().0.code(), Some(8));
}

#[test]
fn a_stop_that_is_sent_to_our_id_stops_both_and_again() {
    let mut running = Running::start_in_own_group(&[EXPLAIN, "sh", "-c", "echo $$; while :; do sleep 0.01; done"]);
    let child: u32 = running.line().parse().unwrap();
    for _ in 0..3 {
        running.signal(20);
        until("both are stopped", || state(child) == Some('T') && state(running.pid()) == Some('T'));
        running.signal(18);
        until("both go on", || state(child) != Some('T') && state(running.pid()) != Some('T'));
    }
    running.signal(15);
    assert_eq!(signal_of(running.finish().0), Some(15));
}

#[test]
fn a_stop_that_comes_while_the_command_starts_stops_no_half_of_us_alone() {
    for _ in 0..30 {
        let running = Running::start_in_own_group(&[EXPLAIN, "sh", "-c", "exit 7"]);
        for signal in [20, 18, 20, 18] {
            std::process::Command::new("bash")
                .args(["-c", &format!("kill -{signal} -{} 2>/dev/null", running.pid())])
                .status()
                .unwrap();
        }
        assert_eq!(running.finish().0.code(), Some(7));
    }
}

#[test]
fn a_command_that_ignores_the_stop_does_not_stop_us() {
    let mut running = Running::start(&[EXPLAIN, "sh", "-c", "trap '' TSTP; echo $$; sleep 0.3; echo end; exit 4"]);
    let _child = running.line();
    running.signal(20);
    running.expect("end");
    assert_eq!(running.finish().0.code(), Some(4));
}

#[test]
fn what_it_said_before_it_stopped_is_seen_before_it_is_seen_to_have_stopped() {
    let script = "exec 2>&1; echo one >&2; $W sh -c 'echo two >&2; kill -STOP $$; echo three >&2' & \
        until grep -q 'State:.T' /proc/$!/status; do :; done; echo stopped >&2; kill -CONT $!; wait $!; echo $? >&2";
    let seen = assert_same(script);
    assert_eq!(seen.stdout, b"one\ntwo\nstopped\nthree\n0\n");
}

#[test]
fn whoever_kills_us_kills_the_command() {
    let mut running = Running::start(&[EXPLAIN, "sh", "-c", "echo $$; exec sleep 60"]);
    let child: u32 = running.line().parse().unwrap();
    running.signal(9);
    until("the command is gone", || matches!(state(child), None | Some('Z')));
    assert_eq!(signal_of(running.finish().0), Some(9));
}

#[test]
fn the_first_of_our_children_to_end_is_not_taken_for_the_command() {
    assert_same("bash -c '(sleep 0.05; exit 3) & exec \"$@\"' x $W sh -c 'sleep 0.3; exit 9'; echo $?");
}

#[test]
fn a_signal_to_the_whole_group_ends_both() {
    let mut running = Running::start(&["setsid", EXPLAIN, "sh", "-c", "echo ready; exec sleep 60"]);
    running.expect("ready");
    std::process::Command::new("bash").args(["-c", &format!("kill -TERM -{}", running.pid())]).status().unwrap();
    assert_eq!(signal_of(running.finish().0), Some(15));
    kill(std::process::id(), 0);
}
