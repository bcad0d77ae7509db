//! Each system call that explain makes fails once, in every way that a broken machine knows: the command runs all the same,
//! and its status comes through.
//!
//! Not in explain's hand, and left out: what the C library does at its start, the `execve` that is the command, and calls
//! that cannot fail. All of it runs in a pid namespace: a fault must not let a signal loose on the machine.

use crate::harness::{EXPLAIN, Seen, assert_same, has, scratch, seen};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// What a call can fail with on a machine that has nothing left.
const ERRORS: [&str; 5] = ["ENOSPC", "EMFILE", "ENOMEM", "EPERM", "ENOSYS"];

/// Calls that are not made to fail: they cannot, or they are the command's (`execve`).
const EXEMPT: [&str; 6] = ["execve", "exit_group", "rt_sigreturn", "getpid", "getppid", "arch_prctl"];

/// Calls of the child before it becomes the command; strace counts each process's own.
const OF_THE_CHILD: [(&str, usize); 3] = [("prctl", 1), ("dup3", 1), ("rt_sigprocmask", 1)];

/// The first and the last call of the C library's start. Ours come before it, where the command is started early, and behind it.
const LIBRARY: [&str; 2] = ["brk", "mprotect"];

/// The same of the process that leads the command's session on a terminal of its own, and of its child: how often each is made to
/// fail. Not `close`, which on Linux gives the descriptor up whatever it answers, close(2).
const OF_THE_LEADER: [(&str, usize); 10] = [
    ("setsid", 1),
    ("ioctl", 4),
    ("clone", 1),
    ("setpgid", 1),
    ("sendto", 3),
    ("ppoll", 2),
    ("waitid", 3),
    ("wait4", 1),
    ("dup3", 3),
    ("rt_sigaction", 3),
];

/// SIGSEGV as `script` tells it. strace 6.1 crashes itself now and then, in its own libc as the kernel's log has it, when it follows forks and
/// a process ends during a call that it makes fail.
const STRACE_CRASHED: i32 = 128 + 11;

/// What the command is given as its standard descriptors.
#[derive(Clone, Copy)]
enum Place {
    /// Pipes.
    Pipes,
    /// A terminal in whose foreground it is.
    Terminal,
}

fn strace(place: Place, trace: &Path, options: &[&str], command: &[&str]) -> Command {
    let before = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "strace", "-o"];
    let words = [&before[..], &[trace.to_str().unwrap()], options, &[EXPLAIN, "--quiet", "--"], command].concat();
    let mut strace = match place {
        Place::Pipes => {
            let mut strace = Command::new(words[0]);
            strace.args(&words[1..]);
            strace
        }
        Place::Terminal => {
            let mut script = Command::new("script");
            script.args(["-qec", &words.join(" "), "/dev/null"]);
            script
        }
    };
    strace.env_clear().env("PATH", "/usr/bin:/bin");
    strace
}

/// The calls of explain, by name: the first and the last that is ours, counted as strace counts.
fn calls(place: Place, command: &[&str]) -> BTreeMap<String, std::ops::RangeInclusive<usize>> {
    let directory = scratch();
    let trace = directory.path().join("trace");
    assert!(seen(strace(place, &trace, &[], command)).status.code().is_some());
    let text = std::fs::read_to_string(&trace).unwrap();
    let (mut counts, mut ours) = (BTreeMap::<String, usize>::new(), BTreeMap::new());
    let (mut has_library_begun, mut has_library_ended) = (false, false);
    for line in text.lines() {
        let Some((name, _)) = line.split_once('(') else { continue };
        let count = counts.entry(name.to_owned()).and_modify(|count| *count += 1).or_insert(1);
        has_library_begun |= name == LIBRARY[0];
        let is_ours = has_library_begun == has_library_ended;
        has_library_ended |= name == LIBRARY[1];
        if is_ours
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

/// A call that is made to fail.
#[derive(Clone)]
struct Fault {
    /// Further options of strace: whose calls are meant.
    options: &'static [&'static str],
    /// Its name.
    name: String,
    /// Which of its occurrences.
    when: usize,
}

impl Fault {
    fn play(&self, place: Place, error: &str, command: &[&str]) -> Seen {
        let fault = format!("inject={}:error={error}:when={}", self.name, self.when);
        let once = || seen(strace(place, Path::new("/dev/null"), &[self.options, &["-e", &fault]].concat(), command));
        let first = once();
        if first.status.code() == Some(STRACE_CRASHED) { once() } else { first }
    }
}

/// Faults of the process that was started.
fn faults_of_ours(place: Place, command: &[&str]) -> Vec<Fault> {
    let each = |(name, range): (String, _)| {
        tried(range).into_iter().map(move |when| Fault { options: &[], name: name.clone(), when })
    };
    calls(place, command).into_iter().flat_map(each).collect()
}

/// Faults of the processes below it; strace counts each one's own.
fn faults_below(calls: &[(&str, usize)]) -> Vec<Fault> {
    let each = |(name, count): &(&str, usize)| {
        let name = (*name).to_owned();
        (1..=*count).map(move |when| Fault { options: &["-f"], name: name.clone(), when })
    };
    calls.iter().flat_map(each).collect()
}

fn all_are_survived(place: Place, faults: &[Fault], command: &[&str], status: i32) {
    let mut wrong = Vec::new();
    for fault in faults {
        for error in ERRORS {
            let seen = fault.play(place, error, command);
            if seen.status.code() != Some(status) {
                let Fault { options, name, when } = fault;
                wrong.push(format!("{options:?} {name} #{when} {error}: {seen:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} faults are not survived:\n{}", wrong.len(), wrong.join("\n"));
}

fn can_inject() -> bool {
    has("strace") && has("unshare") && has("script")
}

#[test]
fn a_command_that_fails_keeps_its_status_whatever_fails_in_us() {
    if can_inject() {
        let faults = [faults_of_ours(Place::Pipes, &["false"]), faults_below(&OF_THE_CHILD)].concat();
        all_are_survived(Place::Pipes, &faults, &["false"], 1);
    }
}

#[test]
fn a_command_that_succeeds_keeps_its_status_whatever_fails_in_us() {
    if can_inject() {
        // One ends at once, and there is nothing to follow; the other does not.
        for command in [&["true"][..], &["sleep", "0.01"]] {
            let faults = [faults_of_ours(Place::Pipes, command), faults_below(&OF_THE_CHILD)].concat();
            all_are_survived(Place::Pipes, &faults, command, 0);
        }
    }
}

#[test]
fn a_command_on_a_terminal_keeps_its_status_whatever_fails_in_us() {
    if can_inject() {
        let faults = faults_of_ours(Place::Terminal, &["false"]);
        assert!(faults.iter().any(|fault| fault.name == "socketpair"), "it had no terminal of its own");
        all_are_survived(Place::Terminal, &faults, &["false"], 1);
    }
}

#[test]
fn a_command_on_a_terminal_keeps_its_status_whatever_fails_in_the_leader_of_its_session() {
    if can_inject() {
        let faults = [faults_below(&OF_THE_LEADER), faults_below(&OF_THE_CHILD)].concat();
        all_are_survived(Place::Terminal, &faults, &["false"], 1);
        all_are_survived(Place::Terminal, &faults_below(&OF_THE_LEADER), &["true"], 0);
    }
}

/// As a filter of seccomp(2) does it, which refuses a call for ever.
#[test]
fn a_call_that_is_always_refused_keeps_the_status() {
    if can_inject() {
        for call in
            ["rt_sigaction", "rt_sigprocmask", "rt_sigtimedwait", "ppoll", "waitid", "madvise", "dup2", "statfs"]
        {
            let broken = format!(
                "broken() {{ strace -o /dev/null -e inject={call}:error=EPERM \"$@\"; }}; [ \"$W\" ] || broken() {{ \"$@\"; }}"
            );
            assert_same(&format!("{broken}; broken $W sh -c 'echo out; echo err >&2; sleep 0.2; exit 7'; echo $?"));
        }
    }
}
