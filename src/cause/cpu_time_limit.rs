//! The kernel ends a process that has used as much CPU time as `RLIMIT_CPU` allows: SIGXCPU at the soft limit, SIGKILL at the hard one
//! (getrlimit(2)). A shell's `ulimit -t` sets both, so that nothing but SIGKILL is seen.

use super::rlimit::Limited;
use super::room::elapsed;
use super::spoken::leads_with;
use super::{Case, Cause, Confidence, Evidence, Finding, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Standing};
use crate::outcome::Outcome;
use crate::probe::limits::Resource;
use crate::watch::BusySample;

const ID: &str = "cpu-time-limit";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/cpu-time-limit.md"), suspects, covers: &[], check };

/// Milliseconds that may be missing in what was used: the limit is held against ticks, which on a busy machine count time of others too, and
/// the time since the last of them is not in the sum.
const MISSING_MS: u64 = 400;

fn suspects(case: &Case) -> Vec<Suspect> {
    let limit = limit(case).map(|limited| limited.soft);
    // Whoever tells that a child was killed does not know by whom.
    let speaks = |clue: &Clue| leads_with(clue, ID) || limit.is_some() && clue.suspects(ID);
    let clue = case.clues.iter().position(speaks);
    let is_killed = ended_by(case, libc::SIGKILL) || ended_by(case, libc::SIGXCPU);
    if clue.is_none() && (limit.is_none() || !is_killed) {
        return Vec::new();
    }
    let subject = Subject::Name(limit.map_or("-".to_owned(), |limit| limit.to_string()));
    vec![Suspect { subject, clue, touched: true }]
}

/// Whether a signal ended the command, or a program below its shell.
fn ended_by(case: &Case, wanted: i32) -> bool {
    is_signal(case, wanted) || matches!(case.outcome, Outcome::Exited { code } if *code == 128 + wanted)
}

/// Whether a signal ended the command itself.
fn is_signal(case: &Case, wanted: i32) -> bool {
    matches!(case.outcome, Outcome::Signaled { signal, .. } if *signal == wanted)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(limited) = limit(case) else {
        return if suspect.clue.is_some() { said() } else { Verdict::RuledOut("no limit on CPU time".into()) };
    };
    let standing = case.watched.busiest.as_ref().map(|seen| case.standing_of(&seen.process.command));
    if standing == Some(Standing::PassedOver) {
        return Verdict::RuledOut("the script passes over it".into());
    }
    let used = used(case);
    let reaches = |used: u64| used + MISSING_MS >= limited.soft.saturating_mul(1000);
    let confidence = match (&case.watched.busiest, used) {
        (Some(seen), _) if reaches(seen.process.used_ms) && standing == Some(Standing::Counts) => Confidence::Verified,
        (Some(seen), _) if reaches(seen.process.used_ms) => Confidence::Likely,
        (_, None) if is_signal(case, libc::SIGXCPU) => Confidence::Verified,
        (Some(seen), _) if is_far(seen, &limited) && !is_signal(case, libc::SIGXCPU) => {
            return Verdict::RuledOut(format!(
                "no process was seen with more than {} ms of CPU time",
                seen.process.used_ms
            ));
        }
        (_, Some(sum)) if reaches(sum) => by_sum(case),
        (_, sum) => {
            let sum = sum.unwrap_or(0) / 1000;
            return Verdict::RuledOut(format!("{sum} s of {} of CPU time were used", limited.shown()));
        }
    };
    Verdict::Found(Box::new(found(case, &limited, used, limited.as_sure_as_seen(confidence))))
}

/// Whether no process was seen with half of what it may use: the looks are a tenth of a second apart.
fn is_far(seen: &BusySample, limited: &Limited) -> bool {
    seen.process.used_ms < limited.soft.saturating_mul(500)
}

/// Milliseconds of CPU time of the command and of all that it waited for.
fn used(case: &Case) -> Option<u64> {
    case.machine.child_usage().ok().map(|usage| usage.cpu_ms)
}

/// What the sum proves: several processes that were not at their limit may make it up, and SIGKILL comes from others too.
fn by_sum(case: &Case) -> Confidence {
    let is_alone = is_signal(case, libc::SIGKILL) && case.watched.busiest.is_none();
    if is_alone || is_signal(case, libc::SIGXCPU) { Confidence::Verified } else { Confidence::Likely }
}

/// The limit that was in force: that of the command, or a lower one of a process below it. With each SIGXCPU the kernel grants another
/// second (`kernel/time/posix-cpu-timers.c`), so that the limit of a process that it ended is larger than the one that was set.
fn limit(case: &Case) -> Option<Limited> {
    let busiest = case.watched.busiest.as_ref();
    let of_busiest = busiest.and_then(|seen| Limited::of_process(case, Resource::CpuTime, &seen.process.limit));
    let all = of_busiest.into_iter().chain(Limited::tightest(case, Resource::CpuTime));
    let found = all.min_by_key(|limited| limited.soft)?;
    if !ended_by(case, libc::SIGXCPU) {
        return Some(found);
    }
    let given = Limited::of_starter(case, Resource::CpuTime)
        .filter(|given| (1..=GRANTED).contains(&found.soft.saturating_sub(given.soft)));
    Some(given.unwrap_or_else(|| without_grant(case, found)))
}

/// The limit that a process had set itself before the signal ended it at once.
fn without_grant(case: &Case, found: Limited) -> Limited {
    let is_spent = |soft: u64| used(case).is_some_and(|used| used + MISSING_MS >= soft * 1000);
    let set = found.soft.saturating_sub(1);
    let is_raised = is_signal(case, libc::SIGXCPU) && set > 0 && !is_spent(found.soft) && is_spent(set);
    if is_raised { found.lowered_to(case, set) } else { found }
}

/// Seconds that the kernel may have granted in that way: programs that catch the signal get several.
const GRANTED: u64 = 10;

fn found(case: &Case, limited: &Limited, used: Option<u64>, confidence: Confidence) -> Finding {
    let seconds = |ms: u64| format!("{}.{} s", ms / 1000, ms % 1000 / 100);
    let mut evidence = limited.evidence();
    evidence.extend(case.watched.busiest.as_ref().map(|BusySample { moment, process }| {
        let who = format!("{} (pid {})", process.command, process.pid);
        let used = seconds(process.used_ms);
        Evidence::sample(format!("{who} had used {used} of CPU time {} after the start", elapsed(moment.at_ms)))
    }));
    evidence.extend(
        used.map(|used| Evidence::probe(format!("the command's processes used {} of CPU time in all", seconds(used)))),
    );
    Finding {
        confidence,
        seen: Some(Seen::During),
        headline: format!("its limit of {} of CPU time was used up", limited.shown()),
        summary: format!("The kernel ended a process that had used {} of CPU time (RLIMIT_CPU).", limited.shown()),
        evidence,
        fixes: limited.fixes(case, None),
    }
}

fn said() -> Verdict {
    Verdict::Found(Box::new(Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: "a limit on CPU time was used up".into(),
        summary: "The kernel sends SIGXCPU when a process has used the CPU time that it may (RLIMIT_CPU).".into(),
        evidence: Vec::new(),
        fixes: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::sys::busy::Busy;
    use crate::sys::usage::ChildUsage;
    use crate::watch::Moment;

    fn stage(limit: &str, used_ms: u64, outcome: Outcome) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.surroundings.limits =
            Some(format!("Max cpu time              {limit}                    unlimited            seconds   \n"));
        stage.knows("child usage", Ok(ChildUsage { cpu_ms: used_ms, peak_memory: 0 }));
        stage.outcome = outcome;
        stage
    }

    fn signal(signal: i32) -> Outcome {
        Outcome::Signaled { signal, name: format!("signal {signal}") }
    }

    #[test]
    fn the_signal_of_the_limit_is_verified() {
        let finding = stage("5", 5000, signal(libc::SIGXCPU)).finding(&CAUSE, "5");
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Verified, "its limit of 5 s of CPU time was used up")
        );
        assert_eq!(finding.fixes[0].command.as_deref(), Some("ulimit -S -t unlimited"));
    }

    #[test]
    fn a_kill_after_all_the_time_was_used_is_verified() {
        assert_eq!(stage("5", 4990, signal(libc::SIGKILL)).finding(&CAUSE, "5").confidence, Confidence::Verified);
    }

    fn saw(stage: &mut Stage, used_ms: u64) {
        let process = Busy { pid: 9, command: "spin".into(), used_ms, limit: String::new() };
        stage.watched.busiest = Some(BusySample { moment: Moment { at_ms: 5000, said: None }, process });
    }

    fn tells(stage: &mut Stage) {
        stage.add(|clue| clue.suspects = vec!["out-of-memory".into(), ID.into()]);
    }

    #[test]
    fn below_a_shell_or_a_make_the_sum_of_all_is_likely_and_a_process_that_was_seen_at_the_limit_verified() {
        for (code, is_told) in [(137, false), (2, true)] {
            for (seen, sum, confidence) in [
                (None, 5100, Confidence::Likely),
                (Some(2900), 5100, Confidence::Likely),
                (Some(4900), 6000, Confidence::Verified),
            ] {
                let mut stage = stage("5", sum, Outcome::Exited { code });
                if let Some(seen) = seen {
                    saw(&mut stage, seen);
                }
                if is_told {
                    tells(&mut stage);
                }
                assert_eq!(stage.finding(&CAUSE, "5").confidence, confidence, "{code} {seen:?}");
            }
        }
    }

    #[test]
    fn a_child_that_was_killed_with_time_left_is_silence() {
        let mut stage = stage("5", 900, Outcome::Exited { code: 2 });
        tells(&mut stage);
        saw(&mut stage, 700);
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_kill_after_many_short_processes_is_silence() {
        let mut stage = stage("5", 9000, signal(libc::SIGKILL));
        saw(&mut stage, 1200);
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn the_signal_without_a_limit_or_with_time_left_was_sent_by_somebody() {
        stage("unlimited", 9, signal(libc::SIGXCPU)).assert_silent(&CAUSE);
        stage("100", 9, signal(libc::SIGXCPU)).assert_silent(&CAUSE);
    }

    #[test]
    fn the_second_that_the_kernel_grants_with_the_signal_is_not_the_limit() {
        let mut stage = stage("6", 5000, signal(libc::SIGXCPU));
        stage.file(
            "/proc/self/limits",
            "Max cpu time              5                    unlimited            seconds   \n",
        );
        assert_eq!(stage.finding(&CAUSE, "5").headline, "its limit of 5 s of CPU time was used up");
    }

    #[test]
    fn a_limit_that_the_command_set_itself_is_told_without_the_second_that_was_granted() {
        let mut stage = stage("2", 1000, signal(libc::SIGXCPU));
        stage.file(
            "/proc/self/limits",
            "Max cpu time              unlimited            unlimited            seconds   \n",
        );
        let finding = stage.finding(&CAUSE, "1");
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Verified, "its limit of 1 s of CPU time was used up")
        );
    }

    #[test]
    fn a_limit_that_a_process_below_has_set_is_found() {
        let mut stage = stage("unlimited", 1100, Outcome::Exited { code: 137 });
        saw(&mut stage, 800);
        let line = "Max cpu time              1                    1                    seconds";
        stage.watched.busiest.as_mut().unwrap().process.limit = line.into();
        assert_eq!(stage.finding(&CAUSE, "1").confidence, Confidence::Verified);
    }

    #[test]
    fn a_kill_with_time_left_is_silence() {
        stage("5", 1000, signal(libc::SIGKILL)).assert_silent(&CAUSE);
    }

    #[test]
    fn a_kill_without_a_limit_is_silence() {
        stage("unlimited", 99_000, signal(libc::SIGKILL)).assert_silent(&CAUSE);
    }

    #[test]
    fn an_ordinary_failure_under_a_limit_is_silence() {
        stage("5", 5000, Outcome::Exited { code: 1 }).assert_silent(&CAUSE);
    }
}
