//! A seccomp filter, as container engines and services install it, refuses a system call that the kernel would have done (EPERM, ENOSYS).

use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Seen, Subject, Suspect, Verdict, refused};
use crate::clue::{Clue, Operation};
use crate::machine::Machine;
use crate::sys::errno::Errno;
use std::path::Path;

const ID: &str = "syscall-filtered";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/syscall-filtered.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let suspect = |(index, clue): (usize, &Clue)| {
        let call = call(clue)?;
        Some(Suspect { subject: Subject::Name(call.into()), clue: Some(index), touched: true })
    };
    let may_be = |(_, clue): &(usize, &Clue)| matches!(clue.errno, Some(Errno::EPERM | Errno::ENOSYS));
    refused::messages(case).filter(may_be).filter_map(suspect).collect()
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
    let line = clue.line.to_lowercase();
    let named = CALLS.iter().find(|call| line.contains(**call)).copied();
    named.or(match clue.operation {
        Some(Operation::Namespace) => Some("unshare"),
        Some(Operation::Mount) => Some("mount"),
        Some(Operation::Fork) => Some("clone3"),
        Some(Operation::Key) => Some("add_key"),
        _ => None,
    })
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    match filters(case.machine) {
        Some(0) => Verdict::RuledOut("no seccomp filter is installed".into()),
        None => Verdict::Unknown("whether a filter is installed cannot be read".into()),
        Some(count) => Verdict::Found(Box::new(found(case, suspect, count))),
    }
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
    finding.fixes.push(Fix::lasting("a newer container engine and libseccomp know newer calls"));
    finding.fixes.push(Fix::lasting(
        "to find out: --security-opt seccomp=unconfined for one run, or a profile that allows the call",
    ));
    finding
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

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
    fn a_refused_file_is_no_matter_of_calls() {
        assert!(verdict("Seccomp:\t2\n", "rm: cannot remove 'x': Operation not permitted").is_none());
    }
}
