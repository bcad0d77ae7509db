//! `inotify_add_watch(2)` answers ENOSPC when the user has no watch left: programs report a full disk, and none is full.

use super::inotify::Kind;
use super::spoken::Speech;
use super::{Case, Cause, Suspect, Verdict};
use crate::clue::Operation;
use crate::sys::errno::Errno;

const ID: &str = "inotify-watches-exhausted";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/inotify-watches-exhausted.md"),
    suspects,
    covers: &["blocks-exhausted", "inodes-exhausted"],
    check,
};

const WATCHES: Kind = Kind {
    speech: Speech { id: ID, errno: Errno::ENOSPC, operations: &[Operation::Watch] },
    one: "watch",
    name: "watches",
    key: "fs.inotify.max_user_watches",
    namespace_key: "user.max_inotify_watches",
    plenty: 524_288,
    refused: |trial| trial.watch_refused == Some(true),
    held: |holder| holder.watches,
    count: |pid| format!("cat /proc/{pid}/fdinfo/* | grep -c '^inotify wd:'"),
};

fn suspects(case: &Case) -> Vec<Suspect> {
    WATCHES.suspects(case)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    WATCHES.check(case, suspect)
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::super::{Confidence, Mode, Seen};
    use super::*;
    use crate::machine::{Directories, Kind as FileKind, Listing};
    use crate::sys::inotify::{Census, Holder, Trial};
    use crate::watch::{InotifySample, Moment};

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n22 21 0:5 / /proc rw - proc proc rw\n";

    fn holder(pid: i32, uid: u32, command: &str, watches: u64) -> Holder {
        Holder { pid, uid, command: command.into(), instances: 1, watches }
    }

    fn census(watches: u64) -> Census {
        Census { holders: vec![holder(40, 1000, "code", watches), holder(41, 0, "systemd", 99)], unread: 0, cut: false }
    }

    fn trial(is_refused: bool) -> Trial {
        Trial { uid: 1000, instance_refused: false, watch_refused: Some(is_refused) }
    }

    /// A machine where the user may hold 8,192 watches and holds some.
    fn stage(held: u64) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.file("/etc/passwd", "root:x:0:0::/:\nann:x:1000:1000::/home/u:\n");
        stage.file("/proc/sys/fs/inotify/max_user_watches", "8192\n");
        stage.file("/proc/sys/user/max_inotify_watches", "8192\n");
        stage.knows("inotify trial", Ok(trial(held >= 8192)));
        stage.knows("inotify census", Ok(census(held)));
        stage.knows("directories /home/u", Ok(Directories { count: 12, cut: false }));
        stage
    }

    fn seen_during(stage: &mut Stage, is_refused: bool) {
        let moment = Moment { at_ms: 1240, said: Some(10) };
        let census = census(if is_refused { 8192 } else { 5 });
        stage.watched.inotify = Some(InotifySample { moment, trial: trial(is_refused), census });
    }

    #[test]
    fn a_refused_watch_is_verified_and_tells_who_holds_them() {
        let finding = stage(8192).clue(Errno::ENOSPC, Operation::Watch, "/home/u").finding(&CAUSE, "ann");
        assert_eq!((finding.confidence, finding.seen), (Confidence::Verified, Some(Seen::Now)));
        assert_eq!(finding.headline, "ann is out of inotify watches");
        assert!(finding.evidence.iter().any(|fact| fact.text.contains("code (pid 40) 8,192")), "{finding:#?}");
        let command = finding.fixes[0].command.as_deref();
        assert_eq!(command, Some("sudo sysctl -w fs.inotify.max_user_watches=524288"));
    }

    #[test]
    fn watches_that_are_gone_again_were_seen_while_it_ran() {
        let mut stage = stage(5);
        seen_during(&mut stage, true);
        let finding = stage.clue(Errno::ENOSPC, Operation::Watch, "/home/u").finding(&CAUSE, "ann");
        assert_eq!((finding.confidence, finding.seen), (Confidence::Verified, Some(Seen::During)));
        assert!(finding.evidence.iter().any(|fact| fact.text.contains("1.2 s after the start")), "{finding:#?}");
    }

    #[test]
    fn a_tree_with_more_directories_than_watches_are_left_is_verified() {
        let mut stage = stage(100);
        stage.knows("directories /home/u", Ok(Directories { count: 9000, cut: false }));
        let finding = stage.clue(Errno::ENOSPC, Operation::Watch, "").finding(&CAUSE, "ann");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.headline, "8,192 inotify watches are too few for /home/u");
    }

    #[test]
    fn enospc_of_nothing_in_particular_is_likely_when_watches_are_out() {
        let mut stage = stage(8192);
        stage.add(|clue| clue.errno = Some(Errno::ENOSPC));
        assert_eq!(stage.finding(&CAUSE, "ann").confidence, Confidence::Likely);
    }

    #[test]
    fn a_vague_failure_during_which_watches_were_out_is_possible() {
        let mut stage = stage(5);
        seen_during(&mut stage, true);
        assert_eq!(stage.vague().finding(&CAUSE, "ann").confidence, Confidence::Possible);
    }

    #[test]
    fn the_limit_of_the_own_user_namespace_counts_where_it_is_lower() {
        let mut stage = stage(64);
        stage.file("/proc/sys/user/max_inotify_watches", "64\n").file("/proc/self/uid_map", "0 1000 1\n");
        let finding = stage.clue(Errno::ENOSPC, Operation::Watch, "").finding(&CAUSE, "ann");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo sysctl -w user.max_inotify_watches=524288"));
    }

    #[test]
    fn a_limit_of_the_whole_machine_is_raised_on_the_host_of_a_container() {
        let mut stage = stage(8192);
        stage.file("/proc/self/uid_map", "0 1000 1\n");
        let finding = stage.clue(Errno::ENOSPC, Operation::Watch, "").finding(&CAUSE, "ann");
        assert!(finding.fixes[0].text.starts_with("on the host"), "{:?}", finding.fixes);
    }

    #[test]
    fn the_line_that_sets_the_limit_is_the_one_to_change() {
        let mut stage = stage(8192);
        let entry = crate::machine::Entry { name: "10-few.conf".into(), inode: 1, kind: Some(FileKind::Regular) };
        stage.knows("list /etc/sysctl.d", Ok(Listing { entries: vec![entry], cut: false }));
        stage.file("/etc/sysctl.d/10-few.conf", "# few\n\nfs.inotify.max_user_watches = 8192\n");
        let finding = stage.clue(Errno::ENOSPC, Operation::Watch, "").finding(&CAUSE, "ann");
        let lasting = finding.fixes.iter().find(|fix| fix.lasting).and_then(|fix| fix.command.as_deref());
        let edit = "sudo sed -i '3s/.*/fs.inotify.max_user_watches = 524288/' /etc/sysctl.d/10-few.conf";
        assert_eq!(lasting, Some(edit));
    }

    #[test]
    fn a_write_that_found_the_disk_full_is_not_about_watches() {
        stage(8192).clue(Errno::ENOSPC, Operation::Write, "/home/u/x").assert_silent(&CAUSE);
    }

    #[test]
    fn a_path_without_an_operation_is_not_about_watches() {
        let mut stage = stage(8192);
        stage.add(|clue| (clue.errno, clue.path) = (Some(Errno::ENOSPC), Some("/home/u/x".into())));
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn enospc_of_nothing_in_particular_is_silence_while_watches_are_left() {
        let mut stage = stage(5);
        stage.add(|clue| clue.errno = Some(Errno::ENOSPC));
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_bare_errno_that_may_mean_watches_among_others_is_silence_while_watches_are_left() {
        let mut stage = stage(5);
        stage.add(|clue| {
            clue.errno = Some(Errno::ENOSPC);
            clue.suspects = vec!["blocks-exhausted".into(), ID.into()];
        });
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_vague_failure_is_silence_even_where_watches_are_out_now() {
        stage(8192).vague().assert_silent(&CAUSE);
        let mut stage = stage(5);
        seen_during(&mut stage, false);
        stage.vague().assert_silent(&CAUSE);
    }

    #[test]
    fn another_users_refusal_proves_nothing() {
        let mut stage = stage(5);
        let refused = Trial { uid: 0, ..trial(true) };
        stage.knows("inotify trial", Ok(refused)).add(|clue| clue.errno = Some(Errno::ENOSPC));
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_message_that_nothing_confirms_is_possible_at_most() {
        for mode in [Mode::Run, Mode::Log] {
            let mut stage = stage(5);
            stage.mode = mode;
            let finding = stage.clue(Errno::ENOSPC, Operation::Watch, "/home/u").finding(&CAUSE, "ann");
            assert_eq!((finding.confidence, finding.seen), (Confidence::Possible, None));
        }
    }
}
