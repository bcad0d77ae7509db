//! What the causes about resource limits have in common: the child's own values, where they come from, how they are raised.

use crate::cause::{Case, Confidence, Evidence, Fix, Mode};
use crate::command_line;
use crate::machine::Identity;
use crate::probe::limit_origin::{Origin, origin};
use crate::probe::limits::{Limit, Resource, Unit, limit, set_by_script};
use crate::sys::family::Usage;
use std::path::Path;

/// A finite soft limit of the child.
pub struct Limited {
    /// Of what.
    pub resource: Resource,
    /// The soft limit.
    pub soft: u64,
    /// The hard limit; none where it is unlimited.
    pub hard: Option<u64>,
    /// Where the soft limit comes from.
    pub origin: Origin,
    /// Whether a process was seen to have it; a script that sets one need not have come to that.
    pub is_seen: bool,
}

/// The child's limit of a resource; none where its limits are not known.
pub fn of(case: &Case, resource: Resource) -> Option<Limit> {
    limit(case.surroundings().limits.as_deref()?, resource)
}

/// The child's soft limit, where it has one.
pub fn soft(case: &Case, resource: Resource) -> Option<u64> {
    of(case, resource)?.soft
}

/// The limits of processes that were given others than the command.
fn confined<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a str> {
    let family = case.watched.family.as_ref().map(|sample| &sample.family);
    family.into_iter().flat_map(|family| &family.confined).map(|confined| confined.limits.as_str())
}

/// What the scripts of the command line set, of which the process may be gone before it is looked at.
fn of_scripts(case: &Case, resource: Resource) -> Option<u64> {
    let given = case.command.iter().skip(1).filter_map(|word| set_by_script(word.to_str()?, resource));
    let cwd = &case.surroundings().cwd;
    let read = command_line::scripts_of(case.command).filter(|_| case.mode == Mode::Run).filter_map(|script| {
        let judge = |text: &[u8]| set_by_script(&String::from_utf8_lossy(text), resource);
        let question = format!("ulimit -{}", resource.names().flag);
        case.machine.judge_script(&question, &cwd.join(script), judge).ok().flatten()
    });
    given.chain(read).min()
}

/// What the command's processes were seen to use, those with the most descriptors and the most memory.
pub fn usages<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Usage> {
    let family = case.watched.family.as_ref().map(|sample| &sample.family);
    family.into_iter().flat_map(|family| [&family.descriptors, &family.memory].into_iter().flatten())
}

impl Limited {
    fn from(case: &Case, resource: Resource, soft: u64, hard: Option<u64>) -> Self {
        Self { resource, soft, hard, origin: origin(case.machine, resource, soft), is_seen: true }
    }

    /// That of one of the command's processes, by the text of its limits, and where it comes from; none where it is unlimited.
    pub fn of_process(case: &Case, resource: Resource, limits: &str) -> Option<Self> {
        let Limit { soft, hard } = limit(limits, resource)?;
        Some(Self::from(case, resource, soft?, hard))
    }

    /// The limit of the command, or of one of its processes that was seen with a lower one, or that one of its scripts sets.
    pub fn tightest(case: &Case, resource: Resource) -> Option<Self> {
        let limits = usages(case).map(|usage| usage.limits.as_str()).chain(confined(case));
        let of_processes = limits.filter_map(|limits| limit(limits, resource));
        let seen = of(case, resource).into_iter().chain(of_processes);
        let seen = seen.filter_map(|limit| Some((limit.soft?, limit.hard))).min_by_key(|(soft, _)| *soft);
        match (seen, of_scripts(case, resource)) {
            (Some((soft, hard)), set) if set.is_none_or(|set| soft <= set) => {
                Some(Self::from(case, resource, soft, hard))
            }
            (_, Some(set)) => Some(Self { is_seen: false, ..Self::from(case, resource, set, None) }),
            (_, None) => None,
        }
    }

    /// How sure a finding about it can be that would be so sure of a limit in force.
    pub fn as_sure_as_seen(&self, confidence: Confidence) -> Confidence {
        if self.is_seen { confidence } else { confidence.min(Confidence::Likely) }
    }

    /// The same with another soft limit.
    pub fn lowered_to(self, case: &Case, soft: u64) -> Self {
        Self::from(case, self.resource, soft, self.hard)
    }

    /// The same for whoever started the command.
    pub fn of_starter(case: &Case, resource: Resource) -> Option<Self> {
        let limits = case.machine.read(Path::new("/proc/self/limits")).ok()?;
        Self::of_process(case, resource, &limits.lossy())
    }

    /// The soft limit as a person reads it.
    pub fn shown(&self) -> String {
        self.resource.shown(self.soft)
    }

    /// The limit, and where it comes from.
    pub fn evidence(&self) -> Vec<Evidence> {
        let names = self.resource.names();
        let hard = self.hard.map_or("unlimited".to_owned(), |hard| self.resource.shown(hard));
        if !self.is_seen {
            let fact = format!("a script of the command sets {} by `ulimit -{}`", self.shown(), names.flag);
            return vec![Evidence::probe(fact)];
        }
        let fact = format!("{} of the command was {} (hard limit {hard})", names.constant, self.shown());
        let mut evidence = vec![Evidence::probe(fact).check(format!("grep '{}' /proc/self/limits", names.proc))];
        evidence.extend(self.inheritance());
        evidence.extend(self.origin.line.as_ref().map(|line| {
            let check = format!("sed -n {}p {}", line.number, crate::text::shell_word(&line.file));
            Evidence::probe(format!("{line} sets it: {}", line.text)).check(check)
        }));
        evidence
    }

    fn inheritance(&self) -> Option<Evidence> {
        let names = self.resource.names();
        let amount = |limit: Option<u64>| limit.map_or("unlimited".to_owned(), |limit| self.resource.shown(limit));
        match (&self.origin.first, &self.origin.above) {
            (None, Some((parent, limit))) => {
                Some(Evidence::probe(format!("the command set it by itself: {parent} above it has {}", amount(*limit))))
            }
            (Some(_), Some((parent, limit))) if self.origin.is_fresh => Some(Evidence::probe(format!(
                "it was set just before the command: {parent} above has {}",
                amount(*limit)
            ))),
            (Some(first), Some((parent, limit))) => {
                let text = format!("it comes from {first}; {parent} above that has {}", amount(*limit));
                Some(Evidence::probe(text).check(format!("grep '{}' /proc/{}/limits", names.proc, first.pid)))
            }
            (Some(first), _) => Some(Evidence::probe(format!("all processes above have it, {first} too"))),
            (None, None) => None,
        }
    }

    /// How to raise it to `wanted` (none: to no limit) for this shell, and for good.
    pub fn fixes(&self, case: &Case, wanted: Option<u64>) -> Vec<Fix> {
        let by_itself = self.origin.first.is_none() && self.origin.above.is_some();
        if by_itself {
            let flag = self.resource.names().flag;
            let text = format!(
                "the command, or a script that it runs, lowers its own limit: change its `ulimit -{flag}` or setrlimit(2)"
            );
            return vec![Fix::lasting(text)];
        }
        let mut fixes = vec![self.now(case, wanted)];
        fixes.extend(self.lasting(case, wanted));
        fixes
    }

    fn now(&self, case: &Case, wanted: Option<u64>) -> Fix {
        let names = self.resource.names();
        let is_allowed = self.hard.is_none_or(|hard| wanted.is_some_and(|wanted| wanted <= hard));
        if is_allowed {
            let amount = wanted.map_or("unlimited".to_owned(), |wanted| self.in_ulimit_units(wanted));
            return Fix::now(
                format!("ulimit -S -{} {amount}", names.flag),
                "in this shell; then run the command again",
            );
        }
        if is_confined_root(case) {
            let text =
                "in this container not even root may raise the hard limit: start it, or the shell, with a higher one";
            return Fix { text: text.into(), command: None, lasting: false };
        }
        let amount = wanted.map_or("unlimited".to_owned(), |wanted| wanted.to_string());
        let command = case.as_root(&format!("prlimit --pid $$ --{}={amount}", names.prlimit));
        Fix::now(command, "for this shell; then run the command again")
    }

    /// bash, zsh and fish count bytes in KiB.
    fn in_ulimit_units(&self, amount: u64) -> String {
        if self.resource.names().unit == Unit::Bytes { (amount / 1024).to_string() } else { amount.to_string() }
    }

    /// In the line that sets it; else for the logins of the user, unless the limit was set for this command alone.
    fn lasting(&self, case: &Case, wanted: Option<u64>) -> Option<Fix> {
        let names = self.resource.names();
        if let Some(line) = &self.origin.line {
            let amount = wanted.map_or("no limit".to_owned(), |wanted| self.resource.shown(wanted));
            return Some(Fix::lasting(format!("change {line} ({}) to {amount}", line.text)));
        }
        if self.origin.is_fresh || case.machine.stat(Path::new(PAM)).is_err() {
            return None;
        }
        let user = case.machine.user_name(case.surroundings().identity.uid).ok()?;
        let amount = wanted.map_or("unlimited".to_owned(), |wanted| (wanted / names.item_scale).to_string());
        let write = case.as_root(&format!("tee -a /etc/security/limits.d/{}.conf", names.item));
        let command = format!("echo '{user} - {} {amount}' | {write}", names.item);
        Some(
            Fix::lasting(format!("for logins of {user}; a service has {}= in its unit", names.directive))
                .command(command),
        )
    }
}

/// Where `pam_limits(8)` is set up, limits.conf(5).
const PAM: &str = "/etc/security/limits.conf";

/// Whether the user is root without the capability to raise a hard limit, as in most containers (setrlimit(2)).
fn is_confined_root(case: &Case) -> bool {
    let identity = &case.surroundings().identity;
    identity.uid == 0 && !identity.has(Identity::SYS_RESOURCE)
}
