//! A seccomp filter, as container engines and services install it, refuses a system call that the kernel would have done (EPERM, ENOSYS).

use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, refused};
use crate::clue::{Clue, Operation};
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::sys::errno::Errno;
use std::path::Path;

const ID: &str = "syscall-filtered";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/syscall-filtered.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let suspect = |(index, clue): (usize, &Clue)| {
        let call = call(clue).or_else(|| call_on_file(case, clue))?;
        Some(Suspect { subject: Subject::Name(call.into()), clue: Some(index), touched: true })
    };
    let may_be = |(_, clue): &(usize, &Clue)| matches!(clue.errno, Some(Errno::EPERM | Errno::ENOSYS));
    let spoken = refused::messages(case).filter(may_be).filter_map(suspect);
    spoken.chain(killed(case)).collect()
}

/// SIGSYS ends a process whose filter says so, seccomp(2); a shell tells of one below it by its words or by the status.
fn killed(case: &Case) -> Option<Suspect> {
    let clue = case.clues.iter().position(|clue| clue.suspects(ID) && clue.errno.is_none());
    let by_signal =
        matches!(case.outcome, Outcome::Signaled { signal: libc::SIGSYS, .. } | Outcome::Exited { code: 159 });
    (clue.is_some() || by_signal).then(|| Suspect { subject: Subject::Name("SIGSYS".into()), clue, touched: true })
}

/// The call that container engines filter by default, by what was tried.
fn call(clue: &Clue) -> Option<&'static str> {
    const CALLS: &[&str] = &[
        "clone3",
        "unshare",
        "setns",
        "pivot_root",
        "keyctl",
        "add_key",
        "bpf",
        "perf_event_open",
        "io_uring_setup",
        "ptrace",
        "userfaultfd",
        "personality",
        "mount",
        "umount2",
        "kexec_load",
        "open_by_handle_at",
        "process_vm_readv",
        "faccessat2",
        "statx",
    ];
    // The name of the program that says so may be the name of a call: unshare, mount.
    let line = clue.line.to_lowercase();
    let said = line.split_once(": ").map_or(line.as_str(), |(_, said)| said);
    let named = [said, &line].into_iter().find_map(|text| CALLS.iter().find(|call| text.contains(**call)).copied());
    named.or(match clue.operation {
        Some(Operation::Namespace) => Some("unshare"),
        Some(Operation::Mount) => Some("mount"),
        Some(Operation::Fork) => Some("clone3"),
        Some(Operation::Key) => Some("add_key"),
        _ => None,
    })
}

/// The call by which a file was to be changed, where nothing that the kernel looks at refuses it: containers and build sandboxes filter
/// changes of owners and modes.
fn call_on_file(case: &Case, clue: &Clue) -> Option<&'static str> {
    clue.path.as_ref().filter(|_| case.mode == Mode::Run)?;
    let line = clue.line.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| line.contains(word));
    let call = match clue.operation? {
        Operation::Attribute if says(&["owner", "chown", "chgrp", "changing group"]) => "chown",
        Operation::Attribute if says(&["setfattr", "xattr", "extended attribute"]) => "setxattr",
        Operation::Attribute => "chmod",
        Operation::Mkdir => "mkdir",
        Operation::Symlink => "symlink",
        Operation::Link => "link",
        Operation::Create if says(&["mknod", "mkfifo", "special file"]) => "mknod",
        _ => return None,
    };
    let is_filtered = filters(case.machine).is_some_and(|count| count > 0);
    (is_filtered && refused::tried(case, clue).is_none()).then_some(call)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    if suspect.subject == Subject::Name("SIGSYS".into()) {
        return check_signal(case);
    }
    match filters(case.machine) {
        Some(0) => Verdict::RuledOut("no seccomp filter is installed".into()),
        None => Verdict::Unknown("whether a filter is installed cannot be read".into()),
        Some(count) => Verdict::Found(Box::new(found(case, suspect, count))),
    }
}

/// The kernel sends SIGSYS for a filter alone; a status of 159 is a number that a program may choose.
fn check_signal(case: &Case) -> Verdict {
    let is_signal = matches!(case.outcome, Outcome::Signaled { signal: libc::SIGSYS, .. });
    let confidence = match (case.mode, is_signal, filters(case.machine)) {
        (Mode::Log, ..) => Confidence::Possible,
        (_, true, Some(1..)) => Confidence::Verified,
        (_, true, _) | (_, false, Some(1..)) => Confidence::Likely,
        _ => return Verdict::Unknown("no filter is installed here; the program may have had one of its own".into()),
    };
    Verdict::Found(Box::new(Finding {
        confidence,
        seen: (case.mode == Mode::Run).then_some(Seen::During),
        headline: "a seccomp filter ended the program (SIGSYS)".into(),
        summary: "The program made a system call that a seccomp filter forbids, and the kernel ended it with SIGSYS."
            .into(),
        evidence: vec![
            Evidence::probe("SIGSYS is what seccomp(2) sends for a call that its filter forbids")
                .check(case.as_root("dmesg | grep type=1326 | tail -1")),
            Evidence::probe(filters_in_words(filters(case.machine))).check("grep Seccomp /proc/self/status"),
        ],
        fixes: fixes(),
    }))
}

fn filters_in_words(count: Option<u64>) -> &'static str {
    match count {
        Some(1..) => "Seccomp in /proc/self/status is 2, filtered",
        _ => "this process has no filter, so the program installed one itself",
    }
}

fn fixes() -> Vec<Fix> {
    vec![
        Fix::lasting("a newer container engine and libseccomp know newer calls"),
        Fix::lasting("to find out: --security-opt seccomp=unconfined for one run, or a profile that allows the call"),
    ]
}

/// Filters of this process, which the child inherited from us: `Seccomp` and `Seccomp_filters` of `proc_pid_status(5)`.
fn filters(machine: &Machine) -> Option<u64> {
    let status = machine.read(Path::new("/proc/self/status")).ok()?;
    let status = status.lossy();
    let number = |name: &str| status.lines().find_map(|line| line.strip_prefix(name))?.trim().parse::<u64>().ok();
    match number("Seccomp:")? {
        2 => Some(number("Seccomp_filters:").unwrap_or(1).max(1)),
        _ => Some(0),
    }
}

fn found(case: &Case, suspect: &Suspect, count: u64) -> Finding {
    let call = &suspect.subject;
    let filters = if count == 1 { "a seccomp filter is".to_owned() } else { format!("{count} seccomp filters are") };
    let headline = format!("{filters} installed and may refuse {call}");
    let summary = format!(
        "{filters} installed in this process and its children; what it answers to {call} cannot be asked from here."
    );
    let mut finding = refused::found(case, suspect, headline, summary);
    (finding.confidence, finding.seen) = (Confidence::Likely, Some(Seen::Now));
    finding
        .evidence
        .push(Evidence::probe("Seccomp in /proc/self/status is 2, filtered").check("grep Seccomp /proc/self/status"));
    finding.fixes.extend(fixes());
    finding
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::Kind;

    fn verdict(status: &str, line: &str) -> Option<(String, Verdict)> {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.file("/proc/self/status", status);
        stage.add(|clue| (clue.errno, clue.line) = (Some(Errno::EPERM), line.into()));
        let (suspect, verdict) = stage.verdicts(&CAUSE).pop()?;
        Some((suspect.subject.to_string(), verdict))
    }

    #[test]
    fn a_filter_is_likely_and_never_proven() {
        let (call, verdict) = verdict("Seccomp:\t2\nSeccomp_filters:\t1\n", "clone3: Operation not permitted").unwrap();
        let Verdict::Found(finding) = verdict else { panic!("{verdict:?}") };
        assert_eq!(("clone3", Confidence::Likely), (call.as_str(), finding.confidence));
    }

    #[test]
    fn without_a_filter_it_is_ruled_out() {
        let (_, verdict) = verdict("Seccomp:\t0\n", "clone3: Operation not permitted").unwrap();
        assert!(matches!(verdict, Verdict::RuledOut(_)), "{verdict:?}");
    }

    #[test]
    fn a_change_that_the_kernel_would_make_is_likely_and_one_that_it_refuses_is_not() {
        let of = |uid: u32, filters: &str| {
            let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
            stage.file("/proc/self/status", filters).stat("/home/u/x", Kind::Regular, |stat| stat.uid = uid);
            stage.clue(Errno::EPERM, Operation::Attribute, "/home/u/x");
            stage.clues[0].line = "chmod: changing permissions of 'x': Operation not permitted".into();
            stage
        };
        assert_eq!(of(1000, "Seccomp:\t2\n").finding(&CAUSE, "chmod").confidence, Confidence::Likely);
        of(0, "Seccomp:\t2\n").assert_silent(&CAUSE);
        of(1000, "Seccomp:\t0\n").assert_silent(&CAUSE);
    }

    #[test]
    fn a_program_that_the_filter_ended_is_told_from_a_status_that_a_program_chose() {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.outcome = Outcome::Signaled { signal: libc::SIGSYS, name: "SIGSYS".into() };
        stage.file("/proc/self/status", "Seccomp:\t2\n");
        assert_eq!(stage.finding(&CAUSE, "SIGSYS").confidence, Confidence::Verified);
        stage.outcome = Outcome::Exited { code: 159 };
        stage.file("/proc/self/status", "Seccomp:\t0\n").assert_silent(&CAUSE);
    }

    #[test]
    fn a_refused_file_is_no_matter_of_calls() {
        assert!(verdict("Seccomp:\t2\n", "rm: cannot remove 'x': Operation not permitted").is_none());
    }
}
