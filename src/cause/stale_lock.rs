//! A file that is a lock by being there, left behind by a process that was killed: nobody will ever remove it.

use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Seen, Suspect, Verdict, locks};
use crate::machine::Kind;
use crate::probe::lock::LockState;
use crate::probe::lock_names::LockName;
use std::path::Path;

const ID: &str = "stale-lock";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/stale-lock.md"),
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
        LockState::Stale(why) => {
            // What was thrown away may have been another message; a lock within data is known by the message alone.
            let is_vague = suspect.clue.is_some_and(|index| case.clues[index].vague);
            let is_within = LockName::of(path).is_some_and(|name| name.within);
            let confidence = if is_vague || is_within { Confidence::Likely } else { Confidence::Verified };
            Verdict::Found(Box::new(Finding { confidence, ..found(case, path, why) }))
        }
        LockState::Held { by, how } => Verdict::RuledOut(crate::probe::lock::held_in_words(&by, &how)),
        LockState::HeldUnseen => Verdict::RuledOut("the kernel has a lock on it".into()),
        LockState::Free => Verdict::RuledOut("it locks nothing".into()),
        LockState::Unknown(why) => Verdict::Unknown(why),
    }
}

fn found(case: &Case, path: &Path, why: Vec<String>) -> Finding {
    let shown = path.display();
    let quoted = case.quoted(path);
    let facts = why.into_iter().map(Evidence::probe);
    let mut evidence: Vec<Evidence> = facts.collect();
    evidence[0] = evidence[0].clone().check(case.as_root(&format!("fuser -v {quoted}")));
    let is_socket = case.machine.stat(path).is_ok_and(|found| found.kind == Kind::Socket);
    let is_within = LockName::of(path).is_some_and(|name| name.within);
    let (headline, summary) = match (is_within, is_socket) {
        (true, _) => (
            format!("{shown} has a lock that a process left behind"),
            format!("{shown} has a lock, and no living process works with it: the one that took it ended early."),
        ),
        (false, true) => (format!("{shown} is a socket that a process left behind"), left(path)),
        (false, false) => (format!("{shown} is a lock that a process left behind"), left(path)),
    };
    let fixes = vec![release(case, path, &quoted)];
    Finding { confidence: Confidence::Verified, seen: Some(Seen::Now), headline, summary, evidence, fixes }
}

fn left(path: &Path) -> String {
    let shown = path.display();
    format!("{shown} is there and no living process has it: the one that made it ended without removing it.")
}

/// What takes the lock back: the program's own command where it has one, which may have more to clean up.
fn release(case: &Case, path: &Path, quoted: &str) -> Fix {
    let by_program = LockName::of(path).and_then(|name| name.release_of(path));
    by_program.map_or_else(
        || Fix::now(removal(case, path, quoted), "removes it; nothing else needs it"),
        |(command, of)| Fix::now(format!("{command} {}", case.quoted(&of)), "takes the lock back"),
    )
}

/// Root is asked for only where the directory belongs to somebody else.
fn removal(case: &Case, path: &Path, quoted: &str) -> String {
    let uid = case.surroundings().identity.uid;
    let is_own = path.parent().and_then(|above| case.machine.stat(above).ok()).is_some_and(|above| above.uid == uid);
    if is_own { format!("rm {quoted}") } else { case.as_root(&format!("rm {quoted}")) }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::{Coverage, Locks, Program, Stat, Unknown, Use, User, Users};
    use crate::sys::errno::Errno;

    const GIT: &str = "/srv/repo/.git/index.lock";
    const PID: &str = "/run/x.pid";

    fn git() -> User {
        let program = Program { pid: 9, uid: 1000, command: "git commit".into(), age: 5, ancestor: false };
        User { program, uses: vec![Use::WorkingDirectory], path: "/srv/repo".into() }
    }

    /// A lock file with these contents, in a tree that these processes use.
    fn stage(lock: &str, contents: &str, coverage: Coverage, at_work: Vec<User>) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw - ext4 /dev/vda rw\n");
        let change = |stat: &mut Stat| (stat.size, stat.modified) = (contents.len() as u64, 1_000_000);
        stage.directory(Path::new(lock).parent().unwrap().to_str().unwrap());
        stage.stat(lock, Kind::Regular, change).file(lock, contents);
        stage.file("/proc/stat", "cpu 1\nbtime 900000\n").file("/proc/uptime", "200000.0 1.0\n");
        stage.knows(&format!("locks {lock}"), Ok(Locks { holders: vec![], unseen: 0, coverage }));
        let users = |processes| Ok(Users { processes, kernel: vec![], coverage });
        stage.knows(&format!("users {lock}"), users(vec![]));
        stage.knows("users /srv/repo", users(at_work)).knows("closed git", Ok(Vec::<Program>::new()));
        stage.clue(Errno::EEXIST, Operation::Create, lock);
        stage
    }

    #[test]
    fn a_lock_of_git_in_a_repository_without_git_is_stale() {
        let finding = stage(GIT, "", Coverage::default(), vec![]).finding(&CAUSE, GIT);
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.headline, "/srv/repo/.git/index.lock is a lock that a process left behind");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo rm /srv/repo/.git/index.lock"));
    }

    #[test]
    fn a_lock_of_git_while_git_works_in_the_repository_is_silence() {
        stage(GIT, "", Coverage::default(), vec![git()]).assert_silent(&CAUSE);
    }

    #[test]
    fn a_git_whose_files_cannot_be_seen_may_have_it() {
        let mut stage = stage(GIT, "", Coverage { unreadable: 3, ..Coverage::default() }, vec![]);
        assert_eq!(stage.finding(&CAUSE, GIT).confidence, Confidence::Verified);
        stage.knows("closed git", Ok(vec![git().program])).assert_silent(&CAUSE);
    }

    #[test]
    fn processes_that_are_hidden_may_have_it() {
        stage(GIT, "", Coverage { hidden: true, ..Coverage::default() }, vec![]).assert_silent(&CAUSE);
    }

    #[test]
    fn a_pid_file_of_a_dead_process_is_stale() {
        let mut stage = stage(PID, "787\n", Coverage::default(), vec![]);
        stage.knows("program 787", Err::<Program, _>(Unknown::Errno(Errno::ENOENT)));
        assert!(stage.finding(&CAUSE, PID).evidence[0].text.contains("pid 787"));
    }

    /// Boot at 900,000, the file at 1,000,000, now 1,100,000.
    fn with_pid_started(age: u64) -> Stage {
        let mut stage = stage(PID, "787\n", Coverage::default(), vec![]);
        let program = Program { pid: 787, uid: 0, command: "cron".into(), age, ancestor: false };
        stage.knows("program 787", Ok(program));
        stage
    }

    #[test]
    fn a_number_that_was_given_to_another_process_since_is_no_holder() {
        let finding = with_pid_started(50_000).finding(&CAUSE, PID);
        assert!(finding.evidence[0].text.contains("is cron now, which was started after it"), "{finding:?}");
    }

    #[test]
    fn a_pid_file_of_a_living_process_is_silence() {
        with_pid_started(100_005).assert_silent(&CAUSE);
    }

    #[test]
    fn a_file_that_the_kernel_locks_means_nothing_by_being_there() {
        stage("/var/lib/x/lock", "", Coverage::default(), vec![]).assert_silent(&CAUSE);
    }
}
