//! A living process has the lock: fcntl(2), flock(2), or a file that is the lock by being there.

use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Seen, Suspect, Verdict, holder, locks};
use crate::clue::Operation;
use crate::machine::Program;
use crate::probe::lock::{LockState, held_in_words};
use std::path::Path;

const ID: &str = "locked-by-process";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/locked-by-process.md"),
    suspects,
    covers: &["already-exists"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    locks::suspects(case, ID)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let (Some(path), Some(state)) = (suspect.subject.path(), locks::state(case, suspect)) else {
        return Verdict::Unknown("no lock file is known".into());
    };
    match state {
        LockState::Held { by, how } => match holder::came_later(case, &by) {
            Some(later) if locks::is_plain(case, suspect, ID) => Verdict::Found(Box::new(before(path, &later))),
            Some(later) => Verdict::RuledOut(later),
            None => Verdict::Found(Box::new(held(case, suspect, path, Holder { by: &by, how: &how }))),
        },
        LockState::HeldUnseen => Verdict::Found(Box::new(held_unseen(case, path))),
        LockState::Free if locks::held_then(case, path).is_some() => {
            Verdict::Found(Box::new(held_before(case, suspect, path)))
        }
        LockState::Free if locks::is_plain(case, suspect, ID) => Verdict::Found(Box::new(free_again(path))),
        LockState::Free => Verdict::RuledOut("nobody has it locked".into()),
        LockState::Stale(why) => Verdict::RuledOut(why.join("; ")),
        LockState::Unknown(why) => Verdict::Unknown(why),
    }
}

/// Who has it, and what shows that.
struct Holder<'a> {
    by: &'a Program,
    how: &'a str,
}

/// How sure it is that the message is about this lock: it names the file, or a word of the command line does and the rule knows the message
/// as one about a lock.
fn confidence(case: &Case, suspect: &Suspect) -> Confidence {
    let clue = suspect.clue.map(|index| &case.clues[index]);
    let is_told = clue.is_some_and(|clue| {
        !clue.vague && (clue.path.is_some() || suspect.touched && clue.operation == Some(Operation::Lock))
    });
    if is_told { holder::most_sure(case) } else { Confidence::Likely }
}

fn held(case: &Case, suspect: &Suspect, path: &Path, Holder { by, how }: Holder) -> Finding {
    let whose = case.machine.user(by.uid);
    let words = held_in_words(by, how);
    Finding {
        confidence: confidence(case, suspect),
        seen: Some(Seen::Now),
        headline: format!("{} is locked by {}", path.display(), holder::named(by)),
        summary: format!(
            "{} is locked by {}, which belongs to {whose} and still runs.",
            path.display(),
            holder::named(by)
        ),
        evidence: vec![
            Evidence::probe(words).check(case.as_root(&format!("fuser -v {}", case.quoted(path)))),
            Evidence::probe(format!("it belongs to {whose}")).check(format!("ps -o pid,user,etime,args -p {}", by.pid)),
        ],
        fixes: holder::fixes(case, by, "wait until it has ended, then run the command again"),
    }
}

/// Somebody had it when the command spoke of it, and has let go since.
fn held_before(case: &Case, suspect: &Suspect, path: &Path) -> Finding {
    let shown = path.display();
    let Some((sample, lock)) = locks::held_then(case, path) else { return free_again(path) };
    let who = format!("{} (pid {})", lock.command, lock.pid);
    let said = sample.moment.said.and_then(|offset| case.line_before(offset));
    let when = said.map_or_else(String::new, |said| format!(" when the command said: {said}"));
    Finding {
        confidence: confidence(case, suspect),
        seen: Some(Seen::During),
        headline: format!("{shown} was locked by {who}, and is free now"),
        summary: format!("{shown} was locked by {who} while the command ran; nobody has it locked now."),
        evidence: vec![
            Evidence::sample(format!("{who} held a lock on it{when}")),
            Evidence::probe("no process has it locked now"),
        ],
        fixes: vec![Fix { text: "run the command again: the lock is free".into(), command: None, lasting: false }],
    }
}

fn held_unseen(case: &Case, path: &Path) -> Finding {
    Finding {
        confidence: Confidence::Likely,
        seen: Some(Seen::Now),
        headline: format!("{} is locked by a process that cannot be seen from here", path.display()),
        summary: format!(
            "The kernel has a lock on {}, and its process is another user's or outside of this container.",
            path.display()
        ),
        evidence: vec![Evidence::probe("the kernel lists a lock on it").check("cat /proc/locks")],
        fixes: vec![Fix::now(case.as_root(&format!("fuser -v {}", case.quoted(path))), "names the process")],
    }
}

/// The message is about a lock that somebody has since then: who had it before is not known.
fn before(path: &Path, later: &str) -> Finding {
    Finding {
        headline: format!("{} was locked", path.display()),
        summary: format!("The output says that {} was locked; {later}.", path.display()),
        evidence: vec![Evidence::probe(later)],
        ..free_again(path)
    }
}

/// The message is about a lock and there is none any more: nothing but the message says so.
fn free_again(path: &Path) -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("{} was locked, and is free now", path.display()),
        summary: format!("The output says that {} was locked; nobody has it locked now.", path.display()),
        evidence: vec![Evidence::probe(format!("no process has {} locked now", path.display()))],
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::cause::Mode;
    use crate::clue::Operation;
    use crate::machine::{Coverage, Kind, LockHolder, LockKind, Locks, Unknown, Users};
    use crate::sys::errno::Errno;

    const LOCK: &str = "/var/lib/dpkg/lock";

    fn apt(ancestor: bool) -> Program {
        Program { pid: 4711, uid: 0, command: "apt-get upgrade".into(), age: 720, ancestor }
    }

    fn stage(holders: Vec<Program>, unseen: u64) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw - ext4 /dev/vda rw\n");
        stage.directory("/var/lib/dpkg").stat(LOCK, Kind::Regular, |stat| stat.size = 0).file(LOCK, "");
        let coverage = Coverage::default();
        let holder = |program| LockHolder { program, kind: LockKind::Posix, exclusive: true };
        let holders = holders.into_iter().map(holder).collect();
        stage.knows(&format!("users {LOCK}"), Ok(Users { processes: vec![], kernel: vec![], coverage }));
        stage.knows(&format!("locks {LOCK}"), Ok(Locks { holders, unseen, coverage }));
        stage.clue(Errno::EAGAIN, Operation::Lock, LOCK);
        stage
    }

    #[test]
    fn the_holder_is_named_with_its_age_and_can_be_waited_for() {
        let finding = stage(vec![apt(false)], 0).finding(&CAUSE, LOCK);
        assert_eq!(finding.headline, "/var/lib/dpkg/lock is locked by apt-get upgrade (pid 4711)");
        assert!(finding.evidence[0].text.contains("started 12 minutes ago"), "{finding:?}");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("tail --pid=4711 -f /dev/null"));
    }

    #[test]
    fn our_own_ancestor_is_neither_waited_for_nor_ended() {
        assert_eq!(stage(vec![apt(true)], 0).finding(&CAUSE, LOCK).fixes, []);
    }

    #[test]
    fn a_holder_that_cannot_be_seen_is_likely() {
        assert_eq!(stage(vec![], 1).finding(&CAUSE, LOCK).confidence, Confidence::Likely);
    }

    #[test]
    fn a_lock_that_is_free_again_is_silence() {
        stage(vec![], 0).assert_silent(&CAUSE);
    }

    #[test]
    fn a_message_that_a_rule_knows_makes_a_free_lock_possible_only() {
        let mut stage = stage(vec![], 0);
        stage.clues[0].suspects = vec![ID.to_owned()];
        assert_eq!(stage.finding(&CAUSE, LOCK).confidence, Confidence::Possible);
    }

    #[test]
    fn who_was_started_after_a_log_was_written_is_not_its_reason() {
        let of = |age| {
            let mut stage = stage(vec![apt(false)], 0);
            stage.mode = Mode::Log;
            stage.clues[0].suspects = vec![ID.to_owned()];
            stage.knows("log age", age);
            stage.finding(&CAUSE, LOCK)
        };
        assert_eq!(of(Ok(30)).confidence, Confidence::Verified);
        assert_eq!(of(Ok(700)).confidence, Confidence::Likely);
        assert_eq!(of(Err(Unknown::Unsupported("a pipe".into()))).confidence, Confidence::Likely);
        let later = of(Ok(800));
        assert_eq!((later.confidence, later.fixes.len()), (Confidence::Possible, 0));
        assert!(
            later
                .summary
                .ends_with("apt-get upgrade (pid 4711) has it now, and was started after the log was written.")
        );
    }

    #[test]
    fn a_file_that_is_missing_is_silence() {
        stage(vec![apt(false)], 0).missing(LOCK).assert_silent(&CAUSE);
    }
}
