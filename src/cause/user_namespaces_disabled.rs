//! Unprivileged user namespaces are switched off, by one of several switches: sandboxes (bubblewrap, Chromium, rootless containers)
//! cannot be made.

use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, refused, sysctl};
use crate::clue::{Clue, Operation};
use crate::machine::{Identity, Machine};
use crate::sys::errno::Errno;
use std::path::Path;

const ID: &str = "user-namespaces-disabled";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/user-namespaces-disabled.md"),
    suspects,
    covers: &["missing-capability", "syscall-filtered", "namespace-limit"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let suspect =
        |(index, _): (usize, &Clue)| Suspect { subject: Subject::Name("-".into()), clue: Some(index), touched: true };
    refused::messages(case).filter(|(_, clue)| is_about_namespaces(clue)).map(suspect).collect()
}

fn is_about_namespaces(clue: &Clue) -> bool {
    let errno =
        matches!(clue.errno, None | Some(Errno::EPERM | Errno::EACCES | Errno::ENOSPC | Errno::EINVAL | Errno::EUSERS));
    errno && (clue.suspects(ID) || clue.operation == Some(Operation::Namespace))
}

/// A switch that is off, and how it is set.
struct Switch {
    fact: String,
    check: &'static str,
    name: &'static str,
    on: &'static str,
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    match off(case.machine) {
        Some(switch) => Verdict::Found(Box::new(found(case, suspect, &switch))),
        None if case.mode == Mode::Log && suspect.clue.is_some_and(|index| case.clues[index].suspects(ID)) => {
            Verdict::Found(Box::new(possible()))
        }
        None => Verdict::RuledOut("every switch that is known lets users make user namespaces".into()),
    }
}

/// The first switch that forbids it; root of the first user namespace is not asked by the two of the distributions.
fn off(machine: &Machine) -> Option<Switch> {
    let is = |sysctl: &str, wanted: u64| machine.sysctl(sysctl).is_ok_and(|value| value == wanted);
    let is_privileged = machine.surroundings().identity.has(Identity::SYS_ADMIN);
    let switch = |fact: &str, check, name, on| Some(Switch { fact: fact.into(), check, name, on });
    if machine.stat(Path::new("/proc/self/ns/user")).is_err_and(|unknown| unknown.is_missing()) {
        return switch("the kernel was built without user namespaces", "ls /proc/self/ns", "CONFIG_USER_NS", "");
    }
    if is("user/max_user_namespaces", 0) {
        let fact = "user.max_user_namespaces is 0";
        return switch(fact, "sysctl user.max_user_namespaces", "user.max_user_namespaces", "15000");
    }
    if is("kernel/unprivileged_userns_clone", 0) && !is_privileged {
        let fact = "kernel.unprivileged_userns_clone is 0: only root makes them";
        return switch(fact, "sysctl kernel.unprivileged_userns_clone", "kernel.unprivileged_userns_clone", "1");
    }
    if is("kernel/apparmor_restrict_unprivileged_userns", 1) && !is_privileged {
        let fact = "kernel.apparmor_restrict_unprivileged_userns is 1: a program needs a profile that allows it";
        let name = "kernel.apparmor_restrict_unprivileged_userns";
        return switch(fact, "sysctl kernel.apparmor_restrict_unprivileged_userns", name, "0");
    }
    None
}

fn found(case: &Case, suspect: &Suspect, switch: &Switch) -> Finding {
    let headline = format!("user namespaces are switched off ({})", switch.name);
    let mut finding =
        refused::found(case, suspect, headline, format!("Users cannot make user namespaces here: {}.", switch.fact));
    (finding.confidence, finding.seen) = (Confidence::Verified, Some(Seen::Now));
    finding.evidence.push(Evidence::probe(&switch.fact).check(switch.check));
    if switch.on.is_empty() {
        return finding;
    }
    if switch.name.contains("apparmor") {
        let text = "give the program a profile with the rule `userns,` in /etc/apparmor.d: it opens this for that program alone";
        finding.fixes.push(Fix::lasting(text));
    }
    finding.fixes.extend(sysctl::fixes(case, switch.name, switch.on));
    finding
}

fn possible() -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: "user namespaces were not to be had".into(),
        summary: "The output says that a sandbox could not be made; here every switch allows it.".into(),
        evidence: Vec::new(),
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    fn stage(sysctl: &str, value: &str) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.file(&format!("/proc/sys/{sysctl}"), value);
        stage.add(|clue| (clue.errno, clue.operation) = (Some(Errno::EPERM), Some(Operation::Namespace)));
        stage
    }

    fn headline(stage: &Stage) -> Option<String> {
        stage.verdicts(&CAUSE).into_iter().find_map(|(_, verdict)| match verdict {
            Verdict::Found(finding) => Some(finding.headline),
            _ => None,
        })
    }

    #[test]
    fn each_switch_is_named() {
        for (sysctl, value) in [
            ("user/max_user_namespaces", "0\n"),
            ("kernel/unprivileged_userns_clone", "0\n"),
            ("kernel/apparmor_restrict_unprivileged_userns", "1\n"),
        ] {
            let headline = headline(&stage(sysctl, value)).unwrap();
            assert!(headline.contains(&sysctl.replace('/', ".")), "{headline}");
        }
    }

    #[test]
    fn a_machine_that_allows_them_is_silence() {
        assert_eq!(headline(&stage("user/max_user_namespaces", "15000\n")), None);
    }

    #[test]
    fn root_is_not_held_back_by_the_switches_of_distributions() {
        assert_eq!(headline(&stage("kernel/unprivileged_userns_clone", "0\n").by_root()), None);
    }
}
