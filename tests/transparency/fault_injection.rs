//! Each system call that explain makes fails once, in every way that a broken machine knows: the command runs all the same,
//! and its status comes through.
//!
//! Not in explain's hand, and left out: what the C library does before `main`, the `execve` that is the command, and calls
//! that cannot fail. All of it runs in a pid namespace: a fault must not let a signal loose on the machine.

use crate::harness::{EXPLAIN, Seen, has, scratch, seen};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// What a call can fail with on a machine that has nothing left.
const ERRORS: [&str; 5] = ["ENOSPC", "EMFILE", "ENOMEM", "EPERM", "ENOSYS"];

/// Calls that are not made to fail: they cannot, or they are the command's (`execve`).
const EXEMPT: [&str; 6] = ["execve", "exit_group", "rt_sigreturn", "getpid", "getppid", "arch_prctl"];

/// Calls of the child before it becomes the command; strace counts each process's own.
const OF_THE_CHILD: [&str; 4] = ["prctl", "dup2", "rt_sigprocmask", "set_robust_list"];

/// The first call of ours after the C library's own start.
const FIRST_OF_OURS: &str = "rt_sigprocmask";

fn strace(trace: &Path, options: &[&str], command: &[&str]) -> Command {
    let mut strace = Command::new("unshare");
    strace
        .args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child", "strace", "-o"])
        .arg(trace)
        .args(options)
        .arg(EXPLAIN)
        .args(["--quiet", "--"])
        .args(command);
    strace.env_clear().env("PATH", "/usr/bin:/bin");
    strace
}

/// The calls of explain, by name: the first and the last that is ours, counted as strace counts.
fn calls(command: &[&str]) -> BTreeMap<String, std::ops::RangeInclusive<usize>> {
    let directory = scratch();
    let trace = directory.path().join("trace");
    assert!(seen(strace(&trace, &[], command)).status.code().is_some());
    let text = std::fs::read_to_string(&trace).unwrap();
    let (mut counts, mut ours, mut begun) = (BTreeMap::<String, usize>::new(), BTreeMap::new(), false);
    for line in text.lines() {
        let Some((name, _)) = line.split_once('(') else { continue };
        let count = counts.entry(name.to_owned()).and_modify(|count| *count += 1).or_insert(1);
        begun |= name == FIRST_OF_OURS;
        if begun
            && !EXEMPT.contains(&name)
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        {
            ours.entry(name.to_owned())
                .and_modify(|range: &mut std::ops::RangeInclusive<usize>| *range = *range.start()..=*count)
                .or_insert(*count..=*count);
        }
    }
    ours
}

/// Which occurrences of a call are tried: all of few, the ends and some between of many.
fn tried(range: std::ops::RangeInclusive<usize>) -> Vec<usize> {
    let (first, last) = (*range.start(), *range.end());
    if last - first < 6 { range.collect() } else { vec![first, first + 1, first + (last - first) / 2, last - 1, last] }
}

fn with_fault(options: &[&str], name: &str, error: &str, when: usize, command: &[&str]) -> Seen {
    let fault = format!("inject={name}:error={error}:when={when}");
    seen(strace(Path::new("/dev/null"), &[options, &["-e", &fault]].concat(), command))
}

fn every_fault_is_survived(command: &[&str], is_right: impl Fn(&Seen) -> bool) {
    if !has("strace") || !has("unshare") {
        return;
    }
    let mut wrong = Vec::new();
    let mut judge = |options: &[&str], name: &str, when: usize| {
        for error in ERRORS {
            let seen = with_fault(options, name, error, when, command);
            if !is_right(&seen) {
                wrong.push(format!("{name} #{when} {error}: {seen:?}"));
            }
        }
    };
    for (name, range) in calls(command) {
        for when in tried(range) {
            judge(&[], &name, when);
        }
    }
    for name in OF_THE_CHILD {
        judge(&["-f"], name, 1);
    }
    assert!(wrong.is_empty(), "{} faults are not survived:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_command_that_fails_keeps_its_status_whatever_fails_in_us() {
    every_fault_is_survived(&["false"], |seen| seen.status.code() == Some(1));
}

#[test]
fn a_command_that_succeeds_keeps_its_status_whatever_fails_in_us() {
    every_fault_is_survived(&["true"], |seen| seen.status.code() == Some(0));
}
