//! A security module (`SELinux`, `AppArmor`, Smack, Landlock) denies what modes, lists and capabilities allow. The kernel logs most of its denials.

use super::refused::{self, Tried};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::machine::Machine;
use crate::probe::walk::{Attempt, Why, walk};
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

const ID: &str = "security-module";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/security-module.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let suspect = |(index, clue): (usize, &Clue)| {
        let refused =
            matches!(clue.errno, Some(Errno::EACCES | Errno::EPERM)).then(|| unexplained(case, clue)).flatten();
        let said = || {
            clue.path
                .as_ref()
                .filter(|_| (clue.errno.is_none() || case.mode == Mode::Log) && clue.suspects(ID))
                .map(|path| refused::absolute(case, path))
        };
        Some(Suspect { subject: Subject::Path(refused.or_else(said)?), clue: Some(index), touched: true })
    };
    refused::messages(case).filter_map(suspect).collect()
}

/// The path of a message that the kernel's other rules do not explain: the walk ends in nothing, or in an answer that they do not give.
fn unexplained(case: &Case, clue: &Clue) -> Option<PathBuf> {
    let path = clue.path.as_ref()?;
    if let Some(Tried { walked, .. }) = refused::tried(case, clue) {
        let odd = walked.obstacle.filter(|obstacle| matches!(obstacle.why, Why::Unexplained(_)));
        return odd.map(|obstacle| obstacle.at);
    }
    let walked = walk(case.machine, Attempt { operation: clue.operation?, path, other: None }).ok()?;
    walked.obstacle.is_none().then(|| refused::absolute(case, path))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(path) = suspect.subject.path() else { return Verdict::Unknown("no path".into()) };
    let Some(module) = module(case.machine) else {
        return refused::verdict(case, suspect, "may have been denied by a security module", |_, _| {
            Some(Verdict::RuledOut("no security module confines this process".into()))
        });
    };
    let denial = denial(case.machine, path);
    if denial.is_none() && module.label.is_none() {
        return Verdict::Unknown(format!("{} is active and logged no denial that can be read", module.name));
    }
    Verdict::Found(Box::new(found(case, suspect, path, &module, denial)))
}

/// A module that decides about processes here, and the label of this one where it is confined.
struct Module {
    name: &'static str,
    label: Option<String>,
}

/// `SELinux` where it enforces; `AppArmor` and others by the process's label (`/proc/PID/attr/current`, `proc_pid_attr(5)`).
fn module(machine: &Machine) -> Option<Module> {
    let text = |path: &str| {
        machine.read(Path::new(path)).ok().map(|text| text.lossy().trim_matches(['\0', '\n', ' ']).to_owned())
    };
    let label = text("/proc/self/attr/current").filter(|label| !label.is_empty());
    if text("/sys/fs/selinux/enforce").as_deref() == Some("1") {
        let confined = label.filter(|label| !label.contains("unconfined"));
        return Some(Module { name: "SELinux", label: confined });
    }
    let active = text("/sys/kernel/security/lsm").unwrap_or_default();
    let is_confined =
        |label: &String| label != "unconfined" && !label.ends_with("(complain)") && !label.ends_with("(unconfined)");
    let confined = label.filter(is_confined);
    let name = match () {
        () if active.contains("apparmor") || confined.as_ref().is_some_and(|label| label.ends_with("(enforce)")) => {
            "AppArmor"
        }
        () if active.contains("smack") => "Smack",
        () if active.contains("tomoyo") => "TOMOYO",
        () => return None,
    };
    Some(Module { name, label: confined })
}

/// The newest line of the kernel's log about a denial that names the path or its last component.
fn denial(machine: &Machine, path: &Path) -> Option<String> {
    let log = machine.kernel_log(&["denied", "DENIED"]).ok()?;
    let (whole, last) = (path.to_string_lossy(), path.file_name()?.to_string_lossy());
    let names = |text: &str| text.contains(&format!("\"{whole}\"")) || text.contains(&format!("name=\"{last}\""));
    log.messages.iter().rev().map(|message| &message.text).find(|text| names(text)).cloned()
}

fn found(case: &Case, suspect: &Suspect, path: &Path, module: &Module, denial: Option<String>) -> Finding {
    let (at, name) = (path.display(), module.name);
    let confidence = if denial.is_some() { Confidence::Verified } else { Confidence::Likely };
    let headline = format!("{name} denies {at}; modes and owner would allow it");
    let summary = format!(
        "Modes, access control list and capabilities allow what was tried on {at}, and {name} decides as well."
    );
    let mut finding = refused::found(case, suspect, headline, summary);
    (finding.confidence, finding.seen) = (confidence, Some(Seen::Now));
    finding.evidence.extend(
        denial.map(|line| Evidence::probe(format!("the kernel logged: {line}")).check("dmesg | grep -i denied | tail")),
    );
    finding.evidence.extend(module.label.as_ref().map(|label| {
        Evidence::probe(format!("this process is confined as {label}")).check("cat /proc/self/attr/current")
    }));
    finding.fixes = fixes(case, path, name);
    finding
}

fn fixes(case: &Case, path: &Path, name: &str) -> Vec<Fix> {
    let path = case.quoted(path);
    match name {
        "SELinux" => vec![
            Fix::now(
                case.as_root(&format!("restorecon -Rv {path}")),
                "gives it the label that the policy has for this place",
            ),
            Fix::lasting("for a bind mount of a container: -v SOURCE:TARGET:Z; otherwise a rule by audit2allow"),
        ],
        "AppArmor" => vec![Fix::lasting(
            "add the path to the profile in /etc/apparmor.d (aa-logprof proposes the line) and reload it",
        )],
        _ => vec![Fix::lasting("change the policy for this program")],
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::{KernelLog, KernelMessage, Kind};

    fn stage() -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.directory("/srv").stat("/srv/x", Kind::Regular, |stat| stat.mode = 0o666);
        stage.clue(Errno::EACCES, Operation::Read, "/srv/x");
        stage
    }

    fn logged(stage: &mut Stage, text: &str) {
        let message = KernelMessage { at_us: 1, level: 5, text: text.into() };
        stage.knows("kernel-log denied|DENIED", Ok(KernelLog { now_us: 2, messages: vec![message] }));
    }

    #[test]
    fn a_logged_denial_proves_it() {
        let mut stage = stage();
        stage
            .file("/proc/self/attr/current", "docker-default (enforce)\n")
            .file("/sys/kernel/security/lsm", "capability,apparmor");
        logged(
            &mut stage,
            "audit: apparmor=\"DENIED\" operation=\"open\" profile=\"docker-default\" name=\"/srv/x\" pid=7",
        );
        assert_eq!(stage.finding(&CAUSE, "/srv/x").confidence, Confidence::Verified);
    }

    #[test]
    fn a_confined_process_without_a_log_makes_it_likely() {
        let mut stage = stage();
        stage
            .file("/sys/fs/selinux/enforce", "1")
            .file("/proc/self/attr/current", "system_u:system_r:container_t:s0:c1,c2\0");
        let finding = stage.finding(&CAUSE, "/srv/x");
        assert_eq!(
            (finding.confidence, finding.fixes[0].command.as_deref()),
            (Confidence::Likely, Some("sudo restorecon -Rv /srv/x"))
        );
    }

    #[test]
    fn a_machine_without_one_is_silence() {
        stage().assert_silent(&CAUSE);
    }

    #[test]
    fn what_the_mode_refuses_is_not_put_on_a_module() {
        let mut stage = stage();
        stage.file("/sys/fs/selinux/enforce", "1").file("/proc/self/attr/current", "system_u:system_r:container_t:s0");
        stage.stat("/srv/x", Kind::Regular, |stat| stat.mode = 0o600).assert_silent(&CAUSE);
    }

    #[test]
    fn an_unconfined_process_is_silence() {
        let mut stage = stage();
        stage.file("/proc/self/attr/current", "unconfined\n").file("/sys/kernel/security/lsm", "capability,apparmor");
        stage.assert_silent(&CAUSE);
    }
}
