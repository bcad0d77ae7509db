//! A process without `CAP_IPC_LOCK` has as much memory locked as `RLIMIT_MEMLOCK` allows: `mlock(2)` answers ENOMEM or EPERM, and so do `io_uring`, RDMA and
//! older BPF, which count against it.

use super::rlimit::{self, Limited};
use super::spoken::leads_with;
use super::{Case, Cause, Confidence, Evidence, Finding, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::probe::limits::Resource;
use crate::probe::namespaces::user_is_initial;
use crate::sys::errno::Errno;
use crate::text::size;
use memchr::memmem;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

const ID: &str = "locked-memory-limit";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/locked-memory-limit.md"), suspects, covers: &[], check };

/// `CAP_IPC_LOCK`, capabilities(7): lifts the limit.
const IPC_LOCK: u32 = 14;

/// More than this is more than programs lock that do not say so in their manuals.
const MUCH: u64 = 1 << 30;

fn suspects(case: &Case) -> Vec<Suspect> {
    let subject = Subject::Name(
        Limited::tightest(case, Resource::LockedMemory).map_or("-".to_owned(), |limited| limited.soft.to_string()),
    );
    let told = case.clues.iter().enumerate().filter(|(_, clue)| leads_with(clue, ID) || is_called(case, clue));
    told.map(|(index, _)| Suspect { subject: subject.clone(), clue: Some(index), touched: true }).collect()
}

/// Whether a message has an errno of `mlock(2)` and nothing else, and the program text of the command line locks memory.
fn is_called(case: &Case, clue: &Clue) -> bool {
    let is_answer = matches!(clue.errno, Some(Errno::ENOMEM | Errno::EPERM | Errno::EAGAIN)) && clue.path.is_none();
    let locks = |word: &OsString| memmem::find(word.as_bytes(), b"mlock").is_some();
    is_answer && !leads_with(clue, ID) && case.mode == Mode::Run && case.command.iter().skip(1).any(locks)
}

/// EPERM of `mlock(2)` means a limit of 0. Of `io_uring` it is a switch or a filter; of BPF, which is older, programs name the limit.
fn is_refused_otherwise(clue: &Clue, limited: &Limited) -> bool {
    let names_limit = clue.line.to_ascii_lowercase().contains("memlock");
    clue.errno == Some(Errno::EPERM) && limited.soft > 0 && !names_limit
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    if case.surroundings().identity.has(IPC_LOCK) && user_is_initial(case.machine) {
        return Verdict::RuledOut("the command has CAP_IPC_LOCK, which lifts the limit".into());
    }
    let Some(limited) = Limited::tightest(case, Resource::LockedMemory) else {
        return Verdict::RuledOut("the command may lock as much memory as there is".into());
    };
    if limited.soft >= MUCH {
        return Verdict::RuledOut(format!("the command may lock {}", limited.shown()));
    }
    if suspect.clue.is_some_and(|index| is_refused_otherwise(&case.clues[index], &limited)) {
        return Verdict::RuledOut("EPERM is not the answer at a limit above 0".into());
    }
    // One of its processes has set the limit: that it was the one that was refused is not told.
    let is_own = rlimit::soft(case, Resource::LockedMemory) == Some(limited.soft);
    let is_told = is_own && suspect.clue.is_some_and(|index| leads_with(&case.clues[index], ID));
    let finding = found(case, &limited);
    let confidence = if is_told { finding.confidence } else { finding.confidence.min(Confidence::Likely) };
    Verdict::Found(Box::new(Finding { confidence, ..finding }))
}

fn found(case: &Case, limited: &Limited) -> Finding {
    let is_run = case.mode == Mode::Run;
    let locked = case.watched.family.as_ref().and_then(|sample| {
        let family = &sample.family;
        [&family.descriptors, &family.memory].into_iter().flatten().map(|usage| usage.locked).max()
    });
    let mut evidence = limited.evidence();
    evidence.push(Evidence::probe("the command lacks CAP_IPC_LOCK, which would lift it"));
    evidence.extend(
        locked
            .filter(|locked| *locked > 0)
            .map(|locked| Evidence::sample(format!("a process of it had {} locked", size(locked)))),
    );
    Finding {
        confidence: if is_run { Confidence::Verified } else { Confidence::Possible },
        seen: is_run.then_some(Seen::Now),
        headline: format!("a process may lock {} of memory", limited.shown()),
        summary: format!("The command was refused locked memory: it may have {} (RLIMIT_MEMLOCK).", limited.shown()),
        evidence,
        fixes: limited.fixes(case, None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;

    fn stage(soft: &str, hard: &str) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.surroundings.limits =
            Some(format!("Max locked memory         {soft}              {hard}              bytes     \n"));
        stage.clue(Errno::ENOMEM, Operation::Memory, "").clues[0].suspects = vec![ID.into()];
        stage
    }

    #[test]
    fn a_low_limit_and_the_message_of_the_call_are_verified() {
        let finding = stage("65536", "65536").finding(&CAUSE, "65536");
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Verified, "a process may lock 64.0 KiB of memory")
        );
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo prlimit --pid $$ --memlock=unlimited"));
    }

    #[test]
    fn a_soft_limit_below_the_hard_one_is_raised_in_the_shell() {
        assert_eq!(
            stage("65536", "unlimited").finding(&CAUSE, "65536").fixes[0].command.as_deref(),
            Some("ulimit -S -l unlimited")
        );
    }

    #[test]
    fn a_filter_that_forbids_io_uring_is_silence() {
        let mut stage = stage("65536", "65536");
        stage.clues[0].errno = Some(Errno::EPERM);
        stage.clues[0].line = "io_uring_setup: Operation not permitted".into();
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn the_capability_lifts_the_limit() {
        stage("65536", "65536").by_root().assert_silent(&CAUSE);
    }

    #[test]
    fn no_limit_and_a_high_one_are_silence() {
        stage("unlimited", "unlimited").assert_silent(&CAUSE);
        stage("17179869184", "unlimited").assert_silent(&CAUSE);
    }

    #[test]
    fn want_of_memory_that_nobody_wanted_to_lock_is_silence() {
        let mut stage = stage("65536", "65536");
        stage.clues.clear();
        stage.clue(Errno::ENOMEM, Operation::Memory, "").assert_silent(&CAUSE);
    }
}
