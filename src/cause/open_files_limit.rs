//! A process has as many descriptors open as `RLIMIT_NOFILE` allows: `open(2)`, `socket(2)`, `pipe(2)` … answer EMFILE.

use super::rlimit::Limited;
use super::room::elapsed;
use super::spoken::{leads_with, tells_no_reason};
use super::{Case, Cause, Confidence, Evidence, Finding, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::probe::limits::Resource;
use crate::sys::errno::Errno;
use crate::sys::family::Usage;
use crate::text::grouped;

const ID: &str = "open-files-limit";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/open-files-limit.md"), suspects, covers: &[], check };

/// Descriptors that may be free again when the process is looked at: it closes some to say what happened.
const CLOSED_AGAIN: u64 = 4;

/// What a small program has open.
const VERY_FEW: u64 = 8;

/// So few a program can use up: with more, words alone are not believed.
const FEW: u64 = 4096;

/// What a process may have open where nobody made it fewer: `INR_OPEN_CUR` of `include/uapi/linux/fs.h`.
const USUAL: u64 = 1024;

/// Enough for most.
const PLENTY: u64 = 65_536;

fn suspects(case: &Case) -> Vec<Suspect> {
    let number = fullest(case)
        .map(|(_, limited)| limited.soft)
        .or_else(|| Some(Limited::tightest(case, Resource::OpenFiles)?.soft));
    let subject = Subject::Name(number.map_or("-".to_owned(), |number| number.to_string()));
    let told = case.clues.iter().enumerate().filter_map(|(index, clue)| Some((index, speaks_of_it(clue)?)));
    let suspect = |clue, touched| Suspect { subject: subject.clone(), clue, touched };
    let mut suspects: Vec<Suspect> = told.map(|(index, touched)| suspect(Some(index), touched)).collect();
    if suspects.is_empty() && is_used_up_without_a_word(case) {
        suspects.push(suspect(None, true));
    }
    suspects
}

/// Whether a process had its last descriptor in use when the command failed of something that it does not tell. Of very few, a program that
/// is well has them all in use too.
fn is_used_up_without_a_word(case: &Case) -> bool {
    let is_full = |(usage, limited): (&Usage, Limited)| limited.soft > VERY_FEW && usage.descriptors >= limited.soft;
    fullest(case).is_some_and(is_full) && tells_no_reason(case)
}

/// Whether a message has the errno itself. It says so even where it names neither a call nor a file, and the descriptors were closed before
/// it was written, as Python does with those of a list that it was about to fill.
fn is_numbered(case: &Case, suspect: &Suspect) -> bool {
    suspect.clue.is_some_and(|index| case.clues[index].errno == Some(Errno::EMFILE))
}

/// Whether the message speaks of it, and if so whether it leaves no other meaning: inotify has limits with the same errno.
fn speaks_of_it(clue: &Clue) -> Option<bool> {
    let is_inotify = matches!(clue.operation, Some(Operation::Watch | Operation::WatchInstance));
    let has_errno = clue.errno == Some(Errno::EMFILE);
    match () {
        () if is_inotify || clue.errno.is_some() && !has_errno => None,
        () if has_errno => Some(clue.operation.is_some() || clue.path.is_some() || is_prefixed_by_a_path(clue)),
        () if leads_with(clue, ID) => Some(true),
        () => None,
    }
}

/// Lua and sort put the file where others have their own name: `/etc/passwd: Too many open files`.
fn is_prefixed_by_a_path(clue: &Clue) -> bool {
    clue.program.as_ref().is_some_and(|name| name.contains('/')) || clue.line.starts_with('/')
}

/// The process that was seen with the most descriptors, where those were all that it may have.
fn fullest<'a>(case: &Case<'a>) -> Option<(&'a Usage, Limited)> {
    let usage = case.watched.family.as_ref()?.family.descriptors.as_ref()?;
    let limited = Limited::of_process(case, Resource::OpenFiles, &usage.limits)?;
    (usage.descriptors.saturating_add(CLOSED_AGAIN) >= limited.soft).then_some((usage, limited))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    if let Some((usage, limited)) = fullest(case) {
        // Without a word of it, it need not be what the command failed of.
        let confidence = if suspect.clue.is_some() { Confidence::Verified } else { Confidence::Likely };
        return Verdict::Found(Box::new(Finding { confidence, ..seen(case, usage, &limited) }));
    }
    let Some(limited) = Limited::tightest(case, Resource::OpenFiles) else {
        return Verdict::Unknown("the limit of the command is not known".into());
    };
    let is_likely = limited.soft <= FEW && suspect.touched || limited.soft < USUAL && is_numbered(case, suspect);
    let confidence = if is_likely { Confidence::Likely } else { Confidence::Possible };
    Verdict::Found(Box::new(said(case, &limited, confidence)))
}

fn seen(case: &Case, usage: &Usage, limited: &Limited) -> Finding {
    let Usage { pid, command, descriptors, .. } = usage;
    let at_ms = case.watched.family.as_ref().map_or(0, |sample| sample.moment.at_ms);
    let count = format!("{} of {} descriptors", grouped(*descriptors), limited.shown());
    let fact = format!("{command} (pid {pid}) had {count} open {} after the start", elapsed(at_ms));
    let mut evidence = vec![Evidence::sample(fact)];
    evidence.extend(kinds(usage));
    evidence.extend(limited.evidence());
    let all = match limited.soft.saturating_sub(*descriptors) {
        0 => "all its".to_owned(),
        left => format!("all but {left} of its"),
    };
    Finding {
        confidence: Confidence::Verified,
        seen: Some(Seen::During),
        headline: format!("{command} had {all} {} file descriptors open", limited.shown()),
        summary: format!("{command} (pid {pid}) had {count} open: a process may have no more (RLIMIT_NOFILE)."),
        evidence,
        fixes: limited.fixes(case, Some(wanted(limited))),
    }
}

/// What the descriptors were: one kind that makes up most of them is what the program forgets to close.
fn kinds(usage: &Usage) -> Option<Evidence> {
    let shown = |(kind, count): &(String, u64)| {
        let what = if kind.starts_with('/') { format!("files in {kind}") } else { kind.clone() };
        format!("{} {what}", grouped(*count))
    };
    let kinds: Vec<String> = usage.kinds.iter().map(shown).collect();
    (!kinds.is_empty()).then(|| Evidence::sample(format!("they were: {}", kinds.join(", "))))
}

fn wanted(limited: &Limited) -> u64 {
    let more = PLENTY.max(limited.soft.saturating_mul(4));
    limited.hard.filter(|hard| *hard > limited.soft).map_or(more, |hard| more.min(hard))
}

fn said(case: &Case, limited: &Limited, confidence: Confidence) -> Finding {
    Finding {
        confidence,
        seen: if confidence == Confidence::Likely { Some(Seen::Now) } else { None },
        headline: format!("a process of the command had all its {} file descriptors open", limited.shown()),
        summary: format!(
            "The output speaks of too many open files, and a process of the command may have {} (RLIMIT_NOFILE).",
            limited.shown()
        ),
        evidence: limited.evidence(),
        fixes: limited.fixes(case, Some(wanted(limited))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::sys::family::Family;
    use crate::watch::{FamilySample, Moment};

    fn limits(soft: u64) -> String {
        format!("Max open files            {soft}                 524288               files     \n")
    }

    fn stage(soft: u64) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.surroundings.limits = Some(limits(soft));
        stage
    }

    fn seen_with(stage: &mut Stage, descriptors: u64, soft: u64) {
        let usage = Usage {
            pid: 77,
            command: "node".into(),
            limits: limits(soft),
            descriptors,
            kinds: vec![("socket".into(), descriptors - 3), ("/var/log/".into(), 3)],
            ..Usage::default()
        };
        let family = Family { descriptors: Some(usage), ..Family::default() };
        let moment = Moment { at_ms: 300, said: Some(9) };
        stage.watched.family = Some(FamilySample { moment, family, groups: Vec::new() });
    }

    #[test]
    fn a_process_that_was_seen_with_all_its_descriptors_is_verified_and_what_they_were() {
        let mut stage = stage(1024);
        seen_with(&mut stage, 1024, 1024);
        let finding = stage.clue(Errno::EMFILE, Operation::Read, "/x").finding(&CAUSE, "1024");
        assert_eq!((finding.confidence, finding.seen), (Confidence::Verified, Some(Seen::During)));
        assert!(finding.evidence[1].text.contains("1,021 socket, 3 files in /var/log/"), "{:?}", finding.evidence);
        assert_eq!(finding.fixes[0].command.as_deref(), Some("ulimit -S -n 65536"));
    }

    #[test]
    fn the_own_limit_of_the_failing_process_counts() {
        let mut stage = stage(524_288);
        seen_with(&mut stage, 255, 256);
        assert_eq!(
            stage.clue(Errno::EMFILE, Operation::Connect, "").finding(&CAUSE, "256").confidence,
            Confidence::Verified
        );
    }

    #[test]
    fn few_descriptors_and_the_errno_of_a_call_are_likely() {
        assert_eq!(
            stage(1024).clue(Errno::EMFILE, Operation::Read, "/x").finding(&CAUSE, "1024").confidence,
            Confidence::Likely
        );
    }

    #[test]
    fn words_that_nothing_confirms_are_possible_at_most() {
        let mut stage = stage(1024);
        seen_with(&mut stage, 9, 1024);
        stage.add(|clue| clue.errno = Some(Errno::EMFILE));
        assert_eq!(stage.finding(&CAUSE, "1024").confidence, Confidence::Possible);
    }

    #[test]
    fn the_errno_alone_is_likely_where_somebody_made_the_limit_small() {
        let mut stage = stage(12);
        stage.add(|clue| clue.errno = Some(Errno::EMFILE));
        assert_eq!(stage.finding(&CAUSE, "12").confidence, Confidence::Likely);
    }

    #[test]
    fn want_of_inotify_instances_is_not_want_of_descriptors() {
        stage(1024).clue(Errno::EMFILE, Operation::WatchInstance, "").assert_silent(&CAUSE);
    }

    #[test]
    fn another_errno_is_silence_even_where_a_process_has_all_its_descriptors() {
        let mut stage = stage(1024);
        seen_with(&mut stage, 1024, 1024);
        stage.clue(Errno::ENOENT, Operation::Read, "/x").vague().assert_silent(&CAUSE);
    }

    #[test]
    fn a_limit_that_is_not_known_is_no_cause() {
        let mut stage = stage(1024);
        stage.surroundings.limits = None;
        stage.clue(Errno::EMFILE, Operation::Read, "/x").assert_silent(&CAUSE);
    }
}
