//! A security module (`SELinux`, `AppArmor`, Smack, Landlock) denies what modes, lists and capabilities allow. The kernel logs most of its denials.

use super::refused::{self, Tried};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, port};
use crate::clue::{Clue, Operation};
use crate::machine::Machine;
use crate::probe::denial::{Denial, denials};
use crate::probe::walk::{Attempt, Why, walk};
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

const ID: &str = "security-module";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/security-module.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let suspect = |(index, clue): (usize, &Clue)| {
        let is_untold = clue.errno.is_none() && clue.suspects(ID);
        let refused = (is_untold || may_be_refused(clue)).then(|| unexplained(case, clue)).flatten();
        let said = || {
            let named = clue.path.as_ref().filter(|_| case.mode == Mode::Log && clue.suspects(ID));
            named.map(|path| refused::absolute(case, path))
        };
        let path = refused.or_else(said).map(|path| Subject::Path(path.components().collect()));
        let port = || port(clue).map(|port| Subject::Name(port.to_string()));
        Some(Suspect { subject: path.or_else(port)?, clue: Some(index), touched: true })
    };
    refused::messages(case).filter_map(suspect).collect()
}

fn may_be_refused(clue: &Clue) -> bool {
    matches!(clue.errno, Some(Errno::EACCES | Errno::EPERM))
}

/// The port that was not to be bound or connected to.
fn port(clue: &Clue) -> Option<u16> {
    let is_of_network = matches!(clue.operation, Some(Operation::Bind | Operation::Connect)) && clue.path.is_none();
    (may_be_refused(clue) && is_of_network).then(|| port::of_clue(clue)).flatten()
}

/// The path of a message that the kernel's other rules do not explain: the walk ends in nothing, or in an answer that they do not give.
fn unexplained(case: &Case, clue: &Clue) -> Option<PathBuf> {
    let path = clue.path.as_ref()?;
    // What a program only names, it reads: that a data file has no x bit explains nothing.
    let may_be_meant =
        |tried: &Tried| clue.operation.is_some() || !matches!(tried.operation, Operation::Execute | Operation::Chdir);
    if let Some(Tried { walked, .. }) = refused::tried(case, clue).filter(may_be_meant) {
        let odd = walked.obstacle.filter(|obstacle| matches!(obstacle.why, Why::Unexplained(_)));
        return odd.map(|obstacle| obstacle.at);
    }
    let operation = clue.operation.or(clue.program.as_ref().map(|_| Operation::Read))?;
    let walked = walk(case.machine, Attempt { operation, path, other: None }).ok()?;
    walked.obstacle.is_none().then(|| refused::absolute(case, path))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let said = said(case, suspect);
    if let Some(denial) = said.or_else(|| recorded(case, suspect)) {
        let module = Module { name: denial.module, label: None };
        return Verdict::Found(Box::new(found(case, suspect, &module, Some(denial))));
    }
    let Some(module) = module(case.machine) else {
        return refused::verdict(case, suspect, "may have been denied by a security module", |_, _| {
            Some(Verdict::RuledOut("no security module confines this process".into()))
        });
    };
    if module.label.is_none() || suspect.subject.path().is_none() {
        return Verdict::Unknown(format!("{} is active and logged no denial that can be read", module.name));
    }
    Verdict::Found(Box::new(found(case, suspect, &module, None)))
}

/// The kernel's record that a saved log has itself, about what the message is about.
fn said(case: &Case, suspect: &Suspect) -> Option<Denial> {
    if case.mode != Mode::Log {
        return None;
    }
    let parts = case.transcript.parts.iter();
    let records = parts.flat_map(|part| part.bytes.lossy().lines().filter_map(Denial::of_line).collect::<Vec<_>>());
    records.into_iter().find(|denial| is_about(case, suspect, denial))
}

/// The newest record of this machine about what was tried.
fn recorded(case: &Case, suspect: &Suspect) -> Option<Denial> {
    denials(case.machine).into_iter().find(|denial| is_about(case, suspect, denial))
}

fn is_about(case: &Case, suspect: &Suspect, denial: &Denial) -> bool {
    match &suspect.subject {
        Subject::Path(path) => denial.place(case.machine, path).is_some(),
        Subject::Name(port) => denial.port().is_some_and(|denied| denied.to_string() == *port),
    }
}

/// A module that decides about processes here, and the label of this one where it is confined.
struct Module {
    name: &'static str,
    label: Option<String>,
}

/// `SELinux` where it enforces; `AppArmor` and others by the process's label (`/proc/PID/attr/current`, `proc_pid_attr(5)`); Landlock by
/// its domains.
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
    if confined.is_none()
        && let Some(module) = landlock(machine)
    {
        return Some(module);
    }
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

/// Landlock, where this process is in one of its domains, and so is the command.
fn landlock(machine: &Machine) -> Option<Module> {
    let domains = machine.landlock_layers().ok().filter(|layers| *layers > 0)?;
    let label = if domains == 1 { "a Landlock domain".to_owned() } else { format!("{domains} Landlock domains") };
    Some(Module { name: "Landlock", label: Some(label) })
}

fn found(case: &Case, suspect: &Suspect, module: &Module, denial: Option<Denial>) -> Finding {
    let name = module.name;
    let at = match &suspect.subject {
        Subject::Path(path) => path.display().to_string(),
        Subject::Name(port) => format!("port {port}"),
    };
    let confidence = if denial.is_some() && case.mode == Mode::Run { Confidence::Verified } else { Confidence::Likely };
    let headline = format!("{name} denies {at}; modes and owner would allow it");
    let summary = format!(
        "Modes, access control list and capabilities allow what was tried on {at}, and {name} decides as well."
    );
    let mut finding = refused::found(case, suspect, headline, summary);
    (finding.confidence, finding.seen) = (confidence, Some(Seen::Now));
    finding.fixes = fixes(case, suspect, name, denial.as_ref());
    finding.evidence.extend(denial.map(|denial| {
        Evidence::probe(format!("the kernel logged: {}", denial.text))
            .check("dmesg | grep -iE 'denied|blockers' | tail")
    }));
    finding.evidence.extend(module.label.as_ref().map(|label| confinement(label, name)));
    finding
}

fn confinement(label: &str, module: &str) -> Evidence {
    match module {
        "Landlock" => Evidence::probe(format!("this process is in {label}")),
        _ => Evidence::probe(format!("this process is confined as {label}")).check("cat /proc/self/attr/current"),
    }
}

fn fixes(case: &Case, suspect: &Suspect, name: &str, denial: Option<&Denial>) -> Vec<Fix> {
    match (name, suspect.subject.path()) {
        ("SELinux", Some(path)) => vec![
            Fix::now(
                case.as_root(&format!("restorecon -Rv {}", case.quoted(path))),
                "gives it the label that the policy has for this place",
            ),
            Fix::lasting("for a bind mount of a container: -v SOURCE:TARGET:Z; otherwise a rule by audit2allow"),
        ],
        ("SELinux", None) => vec![Fix::lasting(
            "give the port the type of the service (semanage port -a), or allow connections by its boolean (getsebool -a)",
        )],
        ("AppArmor", _) => {
            let profile = denial.and_then(|denial| denial.field("profile"));
            let which = profile.map_or_else(|| "the profile".to_owned(), |profile| format!("the profile {profile}"));
            vec![Fix::lasting(format!(
                "add the path to {which} in /etc/apparmor.d (aa-logprof proposes the line) and reload it"
            ))]
        }
        ("Landlock", _) => vec![Fix::lasting(
            "let whoever made the sandbox give this path to it; nothing inside can (a domain is never left)",
        )],
        _ => vec![Fix::lasting("change the policy for this program")],
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::{KernelLog, KernelMessage, Kind};

    fn stage() -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.directory("/srv").stat("/srv/x", Kind::Regular, |stat| stat.mode = 0o666);
        stage.clue(Errno::EACCES, Operation::Read, "/srv/x");
        stage
    }

    fn logged(stage: &mut Stage, text: &str) {
        let message = KernelMessage { at_us: 1, level: 5, text: text.into() };
        stage.knows("kernel-log denied|DENIED|blockers=", Ok(KernelLog { now_us: 2, messages: vec![message] }));
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
