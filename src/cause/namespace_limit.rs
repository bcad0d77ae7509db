//! `unshare(2)` and `clone(2)` answer ENOSPC when the user may make no more namespaces of a kind, or when they are nested too deep
//! (`namespaces(7)`, "The /proc/sys/user directory"): programs report a full disk, and none is full.

use super::spoken::{Speech, Spoken};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, sysctl};
use crate::clue::Operation;
use crate::probe::namespaces::user_is_initial;
use crate::probe::sysctl::{number, path};
use crate::sys::errno::Errno;
use crate::text::grouped;

const ID: &str = "namespace-limit";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/namespace-limit.md"), suspects, covers: &[], check };

const NAMESPACES: Speech = Speech { id: ID, errno: Errno::ENOSPC, operations: &[Operation::Namespace] };

/// The kinds as `/proc/PID/ns` calls them, with their parameters; the likeliest first.
const KINDS: [(&str, &str); 8] = [
    ("user", "user.max_user_namespaces"),
    ("net", "user.max_net_namespaces"),
    ("mnt", "user.max_mnt_namespaces"),
    ("pid", "user.max_pid_namespaces"),
    ("ipc", "user.max_ipc_namespaces"),
    ("uts", "user.max_uts_namespaces"),
    ("cgroup", "user.max_cgroup_namespaces"),
    ("time", "user.max_time_namespaces"),
];

/// Enough for most; what hardening guides set where a few containers run.
const PLENTY: u64 = 15_000;

/// A limit below this is one that somebody set: the kernel's own is half of `threads-max`.
const FEW: u64 = 512;

fn suspects(case: &Case) -> Vec<Suspect> {
    let asked = asked(case);
    let every = KINDS.map(|(kind, _)| kind);
    NAMESPACES.suspects(case, if asked.is_empty() { &every } else { &asked })
}

/// The kinds that the command asks for by its options, where it is `unshare(1)` or bwrap(1); else none, and any may be meant.
fn asked(case: &Case) -> Vec<&'static str> {
    let program = case.program();
    if program != "unshare" && program != "bwrap" {
        return Vec::new();
    }
    let options =
        case.command.iter().skip(1).map(|word| word.to_string_lossy()).take_while(|word| word.starts_with('-'));
    options.flat_map(|option| kinds_of(&option)).collect()
}

/// Options of unshare(1) and bwrap(1) by the kind that they ask for; `-r` and `--map-…` ask for a user namespace too.
const OPTIONS: [(&str, char, &str); 9] = [
    ("user", 'U', "user"),
    ("map-", 'r', "user"),
    ("net", 'n', "net"),
    ("mount", 'm', "mnt"),
    ("pid", 'p', "pid"),
    ("ipc", 'i', "ipc"),
    ("uts", 'u', "uts"),
    ("cgroup", 'C', "cgroup"),
    ("time", 'T', "time"),
];

fn kinds_of(option: &str) -> Vec<&'static str> {
    let long = option.strip_prefix("--").map(|name| name.strip_prefix("unshare-").unwrap_or(name));
    let asks = |(name, letter, kind): (&str, char, &'static str)| {
        let is_asked = long.map_or_else(|| option.contains(letter), |long| long.starts_with(name));
        is_asked.then_some(kind)
    };
    OPTIONS.into_iter().filter_map(asks).collect()
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(spoken) = NAMESPACES.of_suspect(case, suspect) else {
        return Verdict::Unknown("no message speaks of it".into());
    };
    let Some((kind, key)) = kind(suspect) else { return Verdict::Unknown("it is no kind of namespace".into()) };
    let allowed = match number(case.machine, key) {
        Ok(allowed) => allowed,
        Err(unknown) => return Verdict::Unknown(format!("{key} cannot be read: {unknown}")),
    };
    let limit = Limit { kind, key, allowed, others: others(case, kind) };
    if limit.is_reached() {
        return Verdict::Found(Box::new(found(case, &limit, spoken.confidence())));
    }
    match unseen(case, spoken, &limit) {
        Some(finding) => Verdict::Found(Box::new(finding)),
        None => Verdict::RuledOut(limit.counts()),
    }
}

fn kind(suspect: &Suspect) -> Option<(&'static str, &'static str)> {
    let Subject::Name(name) = &suspect.subject else { return None };
    KINDS.into_iter().find(|(kind, _)| kind == name)
}

fn others(case: &Case, kind: &str) -> u64 {
    let census = case.machine.namespace_census();
    census.ok().and_then(|census| census.others.get(kind).copied()).unwrap_or(0)
}

/// The limit of one kind for each user of the own user namespace.
struct Limit {
    kind: &'static str,
    key: &'static str,
    allowed: u64,
    /// Namespaces of the kind that have processes, besides the own one.
    others: u64,
}

impl Limit {
    fn is_reached(&self) -> bool {
        self.others >= self.allowed
    }

    fn counts(&self) -> String {
        format!("{} other {} namespaces, {} allowed", grouped(self.others), self.kind, grouped(self.allowed))
    }

    fn evidence(&self) -> Evidence {
        let fact = match self.allowed {
            0 => format!("{} is 0: nobody may make one", self.key),
            allowed => format!("{} is {}, for each user", self.key, grouped(allowed)),
        };
        Evidence::probe(fact).check(format!("cat {}", path(self.key).display()))
    }

    fn census(&self) -> Evidence {
        let fact = format!("processes are in {} other {} namespaces", grouped(self.others), self.kind);
        Evidence::probe(fact).check(format!("lsns -t {}", self.kind))
    }

    fn fixes(&self, case: &Case) -> Vec<Fix> {
        let wanted = PLENTY.max(self.allowed.saturating_mul(4)).min(i32::MAX as u64);
        sysctl::fixes(case, self.key, &wanted.to_string())
    }
}

fn found(case: &Case, limit: &Limit, confidence: Confidence) -> Finding {
    let mut evidence = vec![limit.evidence()];
    if limit.allowed > 0 {
        evidence.push(limit.census());
    }
    evidence.extend(sysctl::origin(case, limit.key));
    let (kind, allowed) = (limit.kind, grouped(limit.allowed));
    let headline = match limit.allowed {
        0 => format!("new {kind} namespaces are forbidden"),
        _ => format!("all {allowed} {kind} namespaces are in use"),
    };
    Finding {
        confidence,
        seen: Some(Seen::Now),
        summary: format!(
            "{headline} ({}): the kernel answers \"No space left on device\", and no disk is full.",
            limit.key
        ),
        headline,
        evidence,
        fixes: limit.fixes(case),
    }
}

/// What the message says and the counts do not show: those of the command are gone, or the limit is that of an outer namespace.
fn unseen(case: &Case, spoken: Spoken, limit: &Limit) -> Option<Finding> {
    if spoken != Spoken::Plainly {
        return None;
    }
    if limit.allowed < FEW && case.mode == Mode::Run {
        return Some(few(case, limit));
    }
    (limit.kind == KINDS[0].0).then(|| nested(case, limit))
}

fn few(case: &Case, limit: &Limit) -> Finding {
    let (kind, allowed) = (limit.kind, grouped(limit.allowed));
    let mut evidence = vec![limit.evidence(), limit.census()];
    evidence.extend(sysctl::origin(case, limit.key));
    Finding {
        confidence: Confidence::Likely,
        seen: Some(Seen::Now),
        headline: format!("only {allowed} {kind} namespaces are allowed"),
        summary: format!(
            "A user may make {allowed} {kind} namespaces ({}); those of the command are gone by now.",
            limit.key
        ),
        evidence,
        fixes: limit.fixes(case),
    }
}

fn nested(case: &Case, limit: &Limit) -> Finding {
    let is_inside = !user_is_initial(case.machine);
    let why = if is_inside {
        "this is itself a user namespace: the limit of an outer one, or the nesting of 32, is not seen from here"
    } else {
        "what held them is gone, or the command nested more than 32"
    };
    let is_likely = is_inside && case.mode == Mode::Run;
    Finding {
        confidence: if is_likely { Confidence::Likely } else { Confidence::Possible },
        seen: is_likely.then_some(Seen::Now),
        headline: "a limit on namespaces was reached".into(),
        summary: format!("The kernel refused a new namespace for want of room, and no disk is full: {why}."),
        evidence: vec![limit.evidence(), limit.census(), Evidence::probe(why)],
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::NamespaceCensus;

    /// A machine with 96,365 namespaces of every kind allowed and some user namespaces there.
    fn stage(others: u64) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        for (_, key) in KINDS {
            stage.file(path(key).to_str().unwrap(), "96365\n");
        }
        let census = NamespaceCensus { others: [("user".to_owned(), others)].into(), complete: true };
        stage.knows("namespace census", Ok(census));
        stage
    }

    fn allow(stage: &mut Stage, kind: &str, allowed: u64) {
        stage.file(&format!("/proc/sys/user/max_{kind}_namespaces"), &format!("{allowed}\n"));
    }

    fn names(stage: &Stage) -> Vec<(String, Confidence)> {
        let found = stage.verdicts(&CAUSE).into_iter().filter_map(|(suspect, verdict)| match verdict {
            Verdict::Found(finding) => Some((suspect.subject.to_string(), finding.confidence)),
            _ => None,
        });
        found.collect()
    }

    #[test]
    fn a_kind_that_nobody_may_make_is_verified() {
        let mut stage = stage(3);
        allow(&mut stage, "net", 0);
        let finding = stage.clue(Errno::ENOSPC, Operation::Namespace, "").finding(&CAUSE, "net");
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Verified, "new net namespaces are forbidden")
        );
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo sysctl -w user.max_net_namespaces=15000"));
    }

    #[test]
    fn as_many_as_allowed_is_verified() {
        let mut stage = stage(7);
        allow(&mut stage, "user", 7);
        let finding = stage.clue(Errno::ENOSPC, Operation::Namespace, "").finding(&CAUSE, "user");
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Verified, "all 7 user namespaces are in use")
        );
    }

    #[test]
    fn few_that_the_command_may_have_used_up_itself_are_likely() {
        let mut stage = stage(0);
        allow(&mut stage, "user", 7);
        stage.clue(Errno::ENOSPC, Operation::Namespace, "");
        assert_eq!(names(&stage), [("user".to_owned(), Confidence::Likely)]);
    }

    #[test]
    fn a_kind_that_the_command_does_not_ask_for_is_not_it() {
        let mut stage = stage(0);
        for kind in ["user", "net", "ipc"] {
            allow(&mut stage, kind, 0);
        }
        stage.clue(Errno::ENOSPC, Operation::Namespace, "");
        let words = [&["unshare", "--ipc", "-n", "ls", "-U"][..], &["bwrap", "--unshare-user-try", "--ro-bind", "/"]];
        let found = words.map(|words| {
            stage.command = words.iter().map(Into::into).collect();
            names(&stage).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        });
        assert_eq!(found, [vec!["ipc", "net"], vec!["user"]]);
    }

    #[test]
    fn enospc_of_nothing_in_particular_is_likely_where_a_kind_is_forbidden() {
        let mut stage = stage(0);
        allow(&mut stage, "user", 0);
        stage.add(|clue| clue.errno = Some(Errno::ENOSPC));
        assert_eq!(names(&stage), [("user".to_owned(), Confidence::Likely)]);
    }

    #[test]
    fn a_refusal_inside_a_user_namespace_is_likely_that_of_an_outer_one() {
        let mut stage = stage(0);
        stage.file("/proc/self/uid_map", "0 1000 1\n").clue(Errno::ENOSPC, Operation::Namespace, "");
        assert_eq!(names(&stage), [("user".to_owned(), Confidence::Likely)]);
    }

    #[test]
    fn a_message_that_nothing_confirms_is_possible_at_most() {
        let mut stage = stage(3);
        stage.clue(Errno::ENOSPC, Operation::Namespace, "");
        assert_eq!(names(&stage), [("user".to_owned(), Confidence::Possible)]);
    }

    #[test]
    fn enospc_of_nothing_in_particular_is_silence_while_namespaces_are_left() {
        let mut stage = stage(3);
        stage.add(|clue| clue.errno = Some(Errno::ENOSPC)).assert_silent(&CAUSE);
    }

    #[test]
    fn a_full_disk_is_silence_even_where_a_kind_is_forbidden() {
        let mut stage = stage(0);
        allow(&mut stage, "user", 0);
        stage.clue(Errno::ENOSPC, Operation::Write, "/home/u/x").assert_silent(&CAUSE);
    }

    #[test]
    fn a_refused_permission_is_not_about_the_limit() {
        let mut stage = stage(0);
        allow(&mut stage, "user", 0);
        stage.clue(Errno::EPERM, Operation::Namespace, "");
        stage.clues[0].suspects = vec!["user-namespaces-disabled".into(), ID.into()];
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_vague_failure_is_silence() {
        let mut stage = stage(0);
        allow(&mut stage, "user", 0);
        stage.vague().assert_silent(&CAUSE);
    }
}
