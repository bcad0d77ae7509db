//! What a success costs: the system calls that explain makes around a command, listed, so that a new one is noticed.

use crate::harness::{EXPLAIN, has, scratch, seen};
use std::collections::BTreeMap;
use std::process::Command;

/// From our own start to the child: these and no others, in this order.
const BEFORE_THE_CHILD: [&str; 13] = [
    "prlimit64",
    "prlimit64",
    "fcntl",
    "newfstatat",
    "ppoll",
    "newfstatat",
    "pipe2",
    "clock_gettime",
    "rt_sigprocmask",
    "rt_sigaction",
    "mmap",
    "getpid",
    "clone",
];

/// From there to our end, around a command that ends at once and says nothing.
const AROUND_A_SHORT_COMMAND: [&str; 5] = ["close", "rt_sigtimedwait", "ppoll", "wait4", "exit_group"];

/// From the child to our end around one that takes longer, beside its own work: at most so many of each. Where a number depends on the machine's mounts,
/// or on how long the child takes, it is an upper bound for a small machine.
const BESIDE_THE_CHILD: [(&str, usize); 28] = [
    ("rt_sigtimedwait", 1),
    // The start of the C library.
    ("arch_prctl", 1),
    ("set_tid_address", 1),
    ("set_robust_list", 1),
    ("rseq", 1),
    ("prlimit64", 1),
    ("getrandom", 1),
    ("mprotect", 1),
    // When the child was started.
    ("clock_gettime", 1),
    // Signals: one handler each.
    ("rt_sigaction", 60),
    ("rt_sigreturn", 2),
    ("getpid", 2),
    ("getsid", 2),
    // Standard input and output are let go; the pipe's end to write is closed.
    ("dup2", 2),
    ("fcntl", 20),
    ("close", 12),
    ("openat", 10),
    ("read", 20),
    // The watch.
    ("getcwd", 1),
    ("readlink", 80),
    ("statfs", 400),
    ("brk", 8),
    ("mmap", 4),
    // The loop.
    ("ppoll", 60),
    ("ioctl", 2),
    ("waitid", 3),
    ("wait4", 1),
    ("exit_group", 1),
];

fn calls(words: &[&str]) -> Vec<String> {
    let directory = scratch();
    let trace = directory.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-o"]).arg(&trace).arg(EXPLAIN).args(words).env_clear().env("PATH", "/usr/bin:/bin");
    assert!(seen(command).status.success());
    let text = std::fs::read_to_string(trace).unwrap();
    let named = text.lines().filter_map(|line| line.split_once('(')).map(|(name, _)| name.to_owned());
    named
        .filter(|name| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_'))
        .skip_while(|name| name == "execve")
        .collect()
}

#[test]
fn a_success_makes_no_call_that_is_not_listed() {
    if !has("strace") {
        return;
    }
    let calls = calls(&["sleep", "0.01"]);
    let child = calls.iter().position(|name| name == "clone").unwrap();
    assert_eq!(calls[..=child], BEFORE_THE_CHILD);
    let mut counts = BTreeMap::new();
    for name in &calls[child + 1..] {
        *counts.entry(name.as_str()).or_insert(0_usize) += 1;
    }
    for (name, count) in counts {
        let allowed = BESIDE_THE_CHILD.iter().find(|(listed, _)| *listed == name).map_or(0, |(_, allowed)| *allowed);
        assert!(count <= allowed, "{name}: {count} calls, {allowed} are listed");
    }
}

#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "there the command is started by `main`")]
fn a_command_that_ends_at_once_is_waited_for_and_nothing_else() {
    if !has("strace") {
        return;
    }
    // On a machine that has other work to do a command may take longer than is waited for.
    let is_seen = (0..100).any(|_| calls(&["true"])[BEFORE_THE_CHILD.len()..] == AROUND_A_SHORT_COMMAND);
    assert!(is_seen, "it is followed like any other: {:?}", calls(&["true"]));
}
