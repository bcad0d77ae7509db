//! `inotify_init(2)` answers EMFILE when the user has no instance left: programs report too many open files, and `ulimit -n` is far away.

use super::inotify::Kind;
use super::spoken::Speech;
use super::{Case, Cause, Suspect, Verdict};
use crate::clue::Operation;
use crate::sys::errno::Errno;

const ID: &str = "inotify-instances-exhausted";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/inotify-instances-exhausted.md"),
    suspects,
    covers: &[],
    check,
};

const INSTANCES: Kind = Kind {
    speech: Speech { id: ID, errno: Errno::EMFILE, operations: &[Operation::WatchInstance, Operation::Watch] },
    one: "instance",
    name: "instances",
    key: "fs.inotify.max_user_instances",
    namespace_key: "user.max_inotify_instances",
    plenty: 1024,
    refused: |trial| trial.instance_refused,
    held: |holder| holder.instances,
    count: |pid| format!("ls -l /proc/{pid}/fd | grep -c inotify"),
};

fn suspects(case: &Case) -> Vec<Suspect> {
    INSTANCES.suspects(case)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    INSTANCES.check(case, suspect)
}

#[cfg(test)]
mod tests {
    use super::super::Confidence;
    use super::super::stage::Stage;
    use super::*;
    use crate::sys::inotify::{Census, Holder, Trial};

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n22 21 0:5 / /proc ro - proc proc rw\n";

    /// A machine where the user may hold 128 instances and holds some.
    fn stage(held: u64) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.file("/etc/passwd", "root:x:0:0::/:\nann:x:1000:1000::/home/u:\n");
        stage.file("/proc/sys/fs/inotify/max_user_instances", "128\n");
        let trial = Trial { uid: 1000, instance_refused: held >= 128, watch_refused: None };
        let holder = Holder { pid: 40, uid: 1000, command: "code".into(), instances: held, watches: 3 };
        stage.knows("inotify trial", Ok(trial));
        stage.knows("inotify census", Ok(Census { holders: vec![holder], unread: 0, cut: false }));
        stage
    }

    #[test]
    fn a_refused_instance_is_verified_and_no_matter_of_descriptors() {
        for operation in [Operation::Watch, Operation::WatchInstance] {
            let finding = stage(128).clue(Errno::EMFILE, operation, "").finding(&CAUSE, "ann");
            assert_eq!(finding.confidence, Confidence::Verified);
            assert!(finding.summary.contains("not for want of file descriptors"), "{}", finding.summary);
        }
    }

    #[test]
    fn a_container_with_a_read_only_proc_is_told_to_change_the_host() {
        let finding = stage(128).clue(Errno::EMFILE, Operation::WatchInstance, "").finding(&CAUSE, "ann");
        assert!(finding.fixes[0].text.starts_with("on the host") && finding.fixes.len() == 1, "{:?}", finding.fixes);
    }

    #[test]
    fn too_many_open_files_of_nothing_in_particular_is_likely_when_instances_are_out() {
        let mut stage = stage(128);
        stage.add(|clue| clue.errno = Some(Errno::EMFILE));
        assert_eq!(stage.finding(&CAUSE, "ann").confidence, Confidence::Likely);
    }

    #[test]
    fn a_message_that_nothing_confirms_is_possible_at_most() {
        let finding = stage(3).clue(Errno::EMFILE, Operation::WatchInstance, "").finding(&CAUSE, "ann");
        assert_eq!(finding.confidence, Confidence::Possible);
    }

    #[test]
    fn too_many_open_files_is_silence_while_instances_are_left() {
        let mut stage = stage(3);
        stage.add(|clue| clue.errno = Some(Errno::EMFILE));
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_file_that_could_not_be_opened_for_want_of_descriptors_is_not_about_instances() {
        stage(128).clue(Errno::EMFILE, Operation::Read, "/home/u/x").assert_silent(&CAUSE);
    }

    #[test]
    fn want_of_watches_is_not_want_of_instances() {
        stage(128).clue(Errno::ENOSPC, Operation::Watch, "/home/u").assert_silent(&CAUSE);
    }
}
