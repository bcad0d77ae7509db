//! `fork(2)`, `clone(2)` and `pthread_create(3)` answer EAGAIN at any of four limits: of the user (`RLIMIT_NPROC`), of a control group (the pids
//! controller), of the machine (`threads-max`, `pid_max`). This says which.

use super::rlimit::Limited;
use super::room::elapsed;
use super::shared::group;
use super::spoken::{leads_with, tells_no_reason};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, sysctl};
use crate::clue::{Clue, Operation};
use crate::machine::Identity;
use crate::probe::cgroup::{Group, of_processes};
use crate::probe::limits::Resource;
use crate::probe::namespaces::user_is_initial;
use crate::probe::sysctl::number;
use crate::sys::errno::Errno;
use crate::text::grouped;

const ID: &str = "process-limit";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/process-limit.md"), suspects, covers: &[], check };

/// Part of a limit, in hundredths, that counts as reached: processes end while others are counted.
const REACHED: u64 = 97;

/// A limit of a user below this was set by somebody: the kernel's own is half of `threads-max`.
const FEW: u64 = 512;

fn suspects(case: &Case) -> Vec<Suspect> {
    let is_told = |clue: &Clue| speaks_of_it(clue) || may_speak_of_it(clue) && reached(case).is_some();
    let told = case.clues.iter().enumerate().filter(|(_, clue)| is_told(clue));
    let mut clues: Vec<Option<usize>> = told.map(|(index, _)| Some(index)).collect();
    if clues.is_empty() && (refused_by_group(case) > 0 || is_used_up_without_a_word(case)) {
        clues.push(None);
    }
    if clues.is_empty() {
        return Vec::new();
    }
    let most = reached(case).map(|reached| reached.most()).or_else(|| Some(user_limit(case)?.soft));
    let subject = Subject::Name(most.map_or("-".to_owned(), |most| most.to_string()));
    clues.into_iter().map(|clue| Suspect { subject: subject.clone(), clue, touched: true }).collect()
}

/// EAGAIN has many other meanings: a call that makes processes is needed with it. execve(2) is one, behind a change of the user.
fn speaks_of_it(clue: &Clue) -> bool {
    let is_fork = clue.operation == Some(Operation::Fork) || leads_with(clue, ID);
    let is_start = clue.operation == Some(Operation::Execute) && clue.errno == Some(Errno::EAGAIN);
    is_start || is_fork && matches!(clue.errno, None | Some(Errno::EAGAIN))
}

/// Whether a message has the errno and neither a call nor a path: of a program that could make no process, or of many other things.
fn may_speak_of_it(clue: &Clue) -> bool {
    clue.errno == Some(Errno::EAGAIN) && clue.operation.is_none() && clue.path.is_none()
}

/// Whether the user had every process that he may when the command failed of something that it does not tell.
fn is_used_up_without_a_word(case: &Case) -> bool {
    let is_full = matches!(user_reached(case), Some(Reached::User { limited, threads }) if threads >= limited.soft);
    is_full && tells_no_reason(case)
}

/// Forks that the own pids cgroup, or one above it, refused while the command ran.
fn refused_by_group(case: &Case) -> u64 {
    let [before, after] = [&case.watched.before, &case.watched.after].map(|counters| counters.cgroup_pids_max);
    before.zip(after).map_or(0, |(before, after)| after.saturating_sub(before))
}

/// A limit that was reached.
enum Reached {
    /// That of a control group.
    Group { group: Group, current: Option<u64>, refused: u64 },
    /// That of the user.
    User { limited: Box<Limited>, threads: u64 },
    /// One of the machine's.
    Machine { key: &'static str, most: u64, threads: u64 },
}

impl Reached {
    fn most(&self) -> u64 {
        match self {
            Self::Group { group, .. } => group.most,
            Self::User { limited, .. } => limited.soft,
            Self::Machine { most, .. } => *most,
        }
    }
}

fn is_reached(count: u64, most: u64) -> bool {
    count.saturating_mul(100) >= most.saturating_mul(REACHED)
}

fn reached(case: &Case) -> Option<Reached> {
    group_reached(case).or_else(|| user_reached(case)).or_else(|| machine_reached(case))
}

fn group_reached(case: &Case) -> Option<Reached> {
    let groups = of_processes(case.machine);
    let during = |group: &Group| {
        let sample = case.watched.family.as_ref()?;
        let name = group.directory.to_string_lossy();
        sample.groups.iter().find(|(directory, _)| *directory == name).map(|(_, current)| *current)
    };
    let refused = refused_by_group(case);
    let current = |group: &Group| during(group).max(group.current);
    let full = groups.iter().find(|group| current(group).is_some_and(|current| current >= group.most));
    // The counter of refusals does not say whose limit it was: the tightest is the likeliest.
    let tightest = || groups.iter().min_by_key(|group| group.most).filter(|_| refused > 0);
    let group = full.or_else(tightest)?;
    Some(Reached::Group { group: group.clone(), current: current(group), refused })
}

/// The machine's root, and who has one of two capabilities, is not bound by it (fork(2)).
fn user_reached(case: &Case) -> Option<Reached> {
    let limited = user_limit(case)?;
    let threads = case.watched.family.as_ref()?.family.user_threads;
    is_reached(threads, limited.soft).then(|| Reached::User { limited: Box::new(limited), threads })
}

fn user_limit(case: &Case) -> Option<Limited> {
    let identity = &case.surroundings().identity;
    let is_exempt = identity.uid == 0 || identity.has(Identity::SYS_RESOURCE) || identity.has(Identity::SYS_ADMIN);
    if is_exempt && user_is_initial(case.machine) {
        return None;
    }
    Limited::tightest(case, Resource::Processes)
}

fn machine_reached(case: &Case) -> Option<Reached> {
    let threads = case.watched.family.as_ref()?.family.threads;
    ["kernel.threads-max", "kernel.pid_max"].into_iter().find_map(|key| {
        let most = number(case.machine, key).ok()?;
        is_reached(threads, most).then_some(Reached::Machine { key, most, threads })
    })
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let finding = match (reached(case), user_limit(case)) {
        (Some(reached), _) => found(case, suspect, &reached),
        (None, Some(limited)) => unseen(case, &limited),
        (None, None) => said("no limit was seen to be reached"),
    };
    Verdict::Found(Box::new(finding))
}

/// The user's limit where nobody counted in time: a low one is likely it.
fn unseen(case: &Case, limited: &Limited) -> Finding {
    let is_low = limited.soft < FEW && case.mode == Mode::Run && !is_far(case, limited);
    Finding {
        confidence: if is_low { Confidence::Likely } else { Confidence::Possible },
        seen: is_low.then_some(Seen::Now),
        evidence: limited.evidence(),
        fixes: limited.fixes(case, Some(wanted(limited))),
        ..said(&format!("a user may have {} threads", limited.shown()))
    }
}

/// Whether the user had not a quarter of what he may when the message was written: so many processes do not end in between.
fn is_far(case: &Case, limited: &Limited) -> bool {
    let sample = case.watched.family.as_ref().filter(|sample| !sample.family.cut);
    sample.is_some_and(|sample| sample.family.user_threads.saturating_mul(4) < limited.soft)
}

fn found(case: &Case, suspect: &Suspect, reached: &Reached) -> Finding {
    let at = case
        .watched
        .family
        .as_ref()
        .map_or(String::new(), |sample| format!(" {} after the start", elapsed(sample.moment.at_ms)));
    // Without a word of it, a refused fork need not be what the command failed of.
    let is_told = suspect.clue.is_some_and(|index| speaks_of_it(&case.clues[index]));
    let confidence = if is_told { Confidence::Verified } else { Confidence::Likely };
    let confidence = match reached {
        Reached::User { limited, .. } => limited.as_sure_as_seen(confidence),
        Reached::Group { .. } | Reached::Machine { .. } => confidence,
    };
    let (headline, evidence, fixes) = match reached {
        Reached::Group { group, current, refused } => of_group(case, group, *current, *refused, &at),
        Reached::User { limited, threads } => of_user(case, limited, *threads, &at),
        Reached::Machine { key, most, threads } => of_machine(case, key, *most, *threads, &at),
    };
    Finding {
        confidence,
        seen: Some(Seen::During),
        summary: format!(
            "{headline}: the kernel makes no further process or thread, and answers \"Resource temporarily unavailable\"."
        ),
        headline,
        evidence,
        fixes,
    }
}

type Told = (String, Vec<Evidence>, Vec<Fix>);

fn of_group(case: &Case, group: &Group, current: Option<u64>, refused: u64, at: &str) -> Told {
    let directory = case.quoted(&group.directory);
    let limit =
        format!("{} allows {} processes and threads", group.directory.join("pids.max").display(), grouped(group.most));
    let mut evidence = vec![Evidence::probe(limit).check(format!("cat {directory}/pids.max"))];
    evidence.extend(current.map(|current| Evidence::sample(format!("it had {}{at}", grouped(current)))));
    if refused > 0 {
        let fact = format!("it refused {} while the command ran", grouped(refused));
        evidence.push(Evidence::sample(fact).check(format!("cat {directory}/pids.events")));
    }
    let headline = format!("the control group has all {} processes that it may have", grouped(group.most));
    (headline, evidence, group_fixes(case, group))
}

fn group_fixes(case: &Case, group: &Group) -> Vec<Fix> {
    group::fixes(case, group, "TasksMax", &group.most.saturating_mul(4).to_string(), "--pids-limit")
}

fn of_user(case: &Case, limited: &Limited, threads: u64, at: &str) -> Told {
    let user = case.machine.user_name(case.surroundings().identity.uid).unwrap_or_else(|_| "the user".to_owned());
    let fact = format!("the processes of {user} had {} threads{at}", grouped(threads));
    let mut evidence = vec![Evidence::sample(fact).check(format!("ps -L -u {user} | wc -l"))];
    evidence.extend(limited.evidence());
    let headline = format!("{user} has all {} processes that a user may have", limited.shown());
    (headline, evidence, limited.fixes(case, Some(wanted(limited))))
}

fn wanted(limited: &Limited) -> u64 {
    let more = limited.soft.saturating_mul(4).max(4096);
    limited.hard.filter(|hard| *hard > limited.soft).map_or(more, |hard| more.min(hard))
}

fn of_machine(case: &Case, key: &str, most: u64, threads: u64, at: &str) -> Told {
    let fact = format!("the machine had {} threads{at}, and {key} is {}", grouped(threads), grouped(most));
    let mut evidence = vec![Evidence::sample(fact).check("ps -eL | wc -l")];
    evidence.extend(sysctl::origin(case, key));
    let headline = format!("the machine has all {} threads that it may have", grouped(most));
    (headline, evidence, sysctl::fixes(case, key, &most.saturating_mul(2).to_string()))
}

fn said(state: &str) -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: "a limit on processes was reached".into(),
        summary: format!(
            "The kernel made no further process or thread; {state}, and those of the command are gone by now."
        ),
        evidence: Vec::new(),
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::sys::family::Family;
    use crate::watch::{FamilySample, Moment};

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n30 21 0:27 / /cg rw - cgroup2 cgroup2 rw\n";

    fn stage(nproc: u64) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.file("/etc/passwd", "root:x:0:0::/:\nann:x:1000:1000::/home/u:\n");
        stage.file("/proc/sys/kernel/threads-max", "5000\n").file("/proc/sys/kernel/pid_max", "32768\n");
        stage.surroundings.limits =
            Some(format!("Max processes             {nproc}                 {nproc}                processes \n"));
        stage
    }

    fn seen_with(stage: &mut Stage, user_threads: u64, threads: u64, groups: &[(&str, u64)]) {
        let family = Family { user_threads, threads, ..Family::default() };
        let groups = groups.iter().map(|(directory, count)| ((*directory).to_owned(), *count)).collect();
        stage.watched.family = Some(FamilySample { moment: Moment { at_ms: 300, said: Some(9) }, family, groups });
    }

    fn grouped_in(stage: &mut Stage, unit: &str, most: u64) {
        stage.file("/proc/self/cgroup", &format!("0::/{unit}/job\n"));
        stage.file(&format!("/cg/{unit}/pids.max"), &format!("{most}\n"));
    }

    #[test]
    fn a_user_with_as_many_threads_as_allowed_is_verified() {
        let mut stage = stage(20);
        seen_with(&mut stage, 20, 300, &[]);
        let finding = stage.clue(Errno::EAGAIN, Operation::Fork, "").finding(&CAUSE, "20");
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Verified, "ann has all 20 processes that a user may have")
        );
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo prlimit --pid $$ --nproc=4096"));
    }

    #[test]
    fn a_group_above_the_own_one_is_told_by_its_directory() {
        let mut stage = stage(5000);
        grouped_in(&mut stage, "build.service", 50);
        seen_with(&mut stage, 60, 300, &[("/cg/build.service", 50)]);
        let finding = stage.clue(Errno::EAGAIN, Operation::Fork, "").finding(&CAUSE, "50");
        assert_eq!(finding.confidence, Confidence::Verified);
        let command = finding.fixes[0].command.as_deref();
        assert_eq!(command, Some("sudo systemctl set-property --runtime build.service TasksMax=200"));
    }

    #[test]
    fn refusals_that_were_counted_are_verified_without_a_look() {
        let mut stage = stage(5000);
        grouped_in(&mut stage, "box", 50);
        (stage.watched.before.cgroup_pids_max, stage.watched.after.cgroup_pids_max) = (Some(3), Some(5));
        let finding = stage.clue(Errno::EAGAIN, Operation::Fork, "").finding(&CAUSE, "50");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.fixes[0].command.as_deref(), Some("echo 200 | sudo tee /cg/box/pids.max"));
    }

    #[test]
    fn refusals_that_nobody_speaks_of_are_likely() {
        let mut stage = stage(5000);
        grouped_in(&mut stage, "box", 50);
        (stage.watched.before.cgroup_pids_max, stage.watched.after.cgroup_pids_max) = (Some(3), Some(5));
        assert_eq!(stage.vague().finding(&CAUSE, "50").confidence, Confidence::Likely);
    }

    #[test]
    fn a_machine_without_threads_left_is_verified() {
        let mut stage = stage(90_000);
        seen_with(&mut stage, 4000, 4990, &[]);
        let finding = stage.clue(Errno::EAGAIN, Operation::Fork, "").finding(&CAUSE, "5000");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo sysctl -w kernel.threads-max=10000"));
    }

    #[test]
    fn a_low_limit_that_nobody_counted_in_time_is_likely_and_a_high_one_possible() {
        let confidence = |nproc: u64| {
            stage(nproc).clue(Errno::EAGAIN, Operation::Fork, "").finding(&CAUSE, &nproc.to_string()).confidence
        };
        assert_eq!((confidence(20), confidence(90_000)), (Confidence::Likely, Confidence::Possible));
    }

    #[test]
    fn a_limit_that_was_far_when_the_message_was_written_is_possible_at_most() {
        let mut stage = stage(200);
        seen_with(&mut stage, 9, 300, &[]);
        let finding = stage.clue(Errno::EAGAIN, Operation::Fork, "").finding(&CAUSE, "200");
        assert_eq!(finding.confidence, Confidence::Possible);
    }

    #[test]
    fn root_is_not_bound_by_the_limit_of_users() {
        let mut stage = stage(20).by_root();
        seen_with(&mut stage, 300, 300, &[]);
        assert_eq!(
            stage.clue(Errno::EAGAIN, Operation::Fork, "").finding(&CAUSE, "-").confidence,
            Confidence::Possible
        );
    }

    #[test]
    fn a_lock_that_is_taken_has_the_same_errno_and_is_silence() {
        let mut stage = stage(20);
        seen_with(&mut stage, 20, 300, &[]);
        stage.clue(Errno::EAGAIN, Operation::Lock, "/x").clue(Errno::EAGAIN, Operation::Read, "/x");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn the_errno_alone_is_likely_where_the_limit_was_seen_to_be_reached() {
        let mut stage = stage(20);
        stage.add(|clue| clue.errno = Some(Errno::EAGAIN)).assert_silent(&CAUSE);
        seen_with(&mut stage, 20, 300, &[]);
        assert_eq!(stage.finding(&CAUSE, "20").confidence, Confidence::Likely);
    }

    #[test]
    fn a_fork_without_memory_is_not_about_processes() {
        let mut stage = stage(20);
        stage.clue(Errno::ENOMEM, Operation::Fork, "").clues[0].suspects = vec![ID.into()];
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn refusals_before_the_command_are_silence() {
        let mut stage = stage(5000);
        grouped_in(&mut stage, "box", 50);
        (stage.watched.before.cgroup_pids_max, stage.watched.after.cgroup_pids_max) = (Some(5), Some(5));
        stage.vague().assert_silent(&CAUSE);
    }
}
