//! Owner, group, mode or access control list refuse it (EACCES; EPERM for what only an owner may). The message names the path; which
//! of its components refuses, and whose bits decided, it does not say.

use super::refused::{self, Tried, listed, user};
use super::{Case, Cause, Evidence, Finding, Fix, Suspect, Verdict, denied};
use crate::clue::Operation;
use crate::machine::{Kind, Stat};
use crate::probe::walk::{Access, Obstacle, Refusal, Why};
use crate::sys::errno::Errno;
use std::path::Path;

const ID: &str = "permission-denied";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/permission-denied.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    refused::suspects(case, ID, &[Errno::EACCES, Errno::EPERM], |tried, obstacle| {
        refuses(tried, obstacle).then(|| obstacle.at.clone())
    })
}

fn refuses(tried: &Tried, obstacle: &Obstacle) -> bool {
    match &obstacle.why {
        Why::Refused(refusal) => !may_be_no_program(tried, refusal),
        Why::NotOwner(_) => true,
        Why::Unexplained(errno) => *errno == Errno::EACCES,
        _ => false,
    }
}

/// Whether nobody at all may execute it, which is another cause.
pub(super) fn may_be_no_program(tried: &Tried, refusal: &Refusal) -> bool {
    let executes = tried.operation == Operation::Execute && refusal.access == Access::EXECUTE;
    executes && refusal.stat.kind == Kind::Regular && refusal.stat.mode & 0o111 == 0
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may have refused the command", |tried, obstacle| {
        let finding = match &obstacle.why {
            Why::Refused(refusal) => by_bits(case, suspect, tried, obstacle, refusal),
            Why::NotOwner(stat) => not_owner(case, suspect, tried, &obstacle.at, stat),
            Why::Unexplained(_) => by_mount(case, suspect, tried, &obstacle.at)?,
            _ => return None,
        };
        Some(Verdict::Found(Box::new(finding)))
    })
}

fn by_bits(case: &Case, suspect: &Suspect, tried: &Tried, obstacle: &Obstacle, refusal: &Refusal) -> Finding {
    let at = obstacle.at.display();
    let headline = format!("{} {} {at}", user(case, &tried.who), denied::verb(refusal));
    let (owner, group) = (case.machine.user(refusal.stat.uid), refused::group(case, refusal.stat.gid));
    let summary = format!("{headline}, which is {} {owner} {group}.", refused::mode(&refusal.stat));
    let mut finding = refused::found(case, suspect, headline, summary);
    finding.evidence = denied::evidence(case, tried, &obstacle.at, refusal);
    finding.fixes = denied::fixes(case, tried, &obstacle.at, refusal);
    finding
}

fn not_owner(case: &Case, suspect: &Suspect, tried: &Tried, at: &Path, stat: &Stat) -> Finding {
    let (who, owner) = (user(case, &tried.who), case.machine.user(stat.uid));
    let headline = format!("{} belongs to {owner}, and {who} may not change its mode or times", at.display());
    let mut finding = refused::found(case, suspect, headline.clone(), format!("{headline}."));
    finding.evidence =
        vec![listed(case, at, stat), Evidence::probe("only the owner, or a process with CAP_FOWNER, may do that")];
    let whom = if stat.uid == 0 { "root".to_owned() } else { format!("{owner} or root") };
    finding.fixes.push(Fix::lasting(format!("let {whom} do it")));
    finding
}

/// A FUSE filesystem is closed to all but the user who mounted it, root included, unless it was mounted with `allow_other`.
fn by_mount(case: &Case, suspect: &Suspect, tried: &Tried, at: &Path) -> Option<Finding> {
    let mount = case.mounts.holding(at)?;
    let mounter: u32 = mount.option("user_id")?.parse().ok()?;
    let is_closed = mount.option("allow_other").is_none() && !tried.who.is_user(mounter);
    if !mount.fstype.starts_with("fuse") || !is_closed {
        return None;
    }
    let (point, name) = (mount.point.display(), case.machine.user(mounter));
    let headline = format!("{point} is a FUSE mount that only {name} may enter");
    let summary = format!(
        "{point} ({}) was mounted by {name} without allow_other, which keeps {} out.",
        mount.fstype,
        user(case, &tried.who)
    );
    let mut finding = refused::found(case, suspect, headline, summary);
    let check = format!("findmnt -no FSTYPE,OPTIONS {}", case.quoted(&mount.point));
    finding
        .evidence
        .push(Evidence::probe(format!("its options have user_id={mounter} and no allow_other")).check(check));
    finding
        .fixes
        .push(Fix::lasting("mount it with -o allow_other (user_allow_other in /etc/fuse.conf lets users do so)"));
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::cause::{Confidence, Mode};
    use crate::machine::{AclEntry, AclTag};

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";

    fn stage() -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.file("/etc/passwd", "root:x:0:0::/root:\nu:x:1000:1000::/home/u:\nann:x:1001:1001::/:\n");
        stage.file("/etc/group", "root:x:0:\nstaff:x:50:ann\nu:x:1000:\n");
        stage
    }

    #[test]
    fn the_directory_on_the_way_is_named_and_whose_bits_decided() {
        let mut stage = stage();
        stage
            .directory("/srv")
            .stat("/srv/ann", Kind::Directory, |stat| (stat.uid, stat.gid, stat.mode) = (1001, 50, 0o750));
        let finding = stage.clue(Errno::EACCES, Operation::Read, "/srv/ann/x/y").finding(&CAUSE, "/srv/ann");
        assert_eq!(finding.headline, "the user u may not enter /srv/ann");
        let fact = "the user u is neither ann nor in the group staff, and all others have ---: x is missing";
        assert!(finding.evidence.iter().any(|evidence| evidence.text == fact), "{finding:#?}");
        assert!(finding.evidence.iter().any(|evidence| evidence.text == "it is on the way to /srv/ann/x/y"));
    }

    #[test]
    fn the_mask_of_an_access_control_list_is_told() {
        let mut stage = stage();
        stage.stat("/srv", Kind::Regular, |stat| stat.mode = 0o640);
        let entry = |tag, bits| AclEntry { tag, bits };
        stage
            .knows("acl /srv", Ok(vec![entry(AclTag::User(1000), 6), entry(AclTag::Mask, 4), entry(AclTag::Other, 0)]));
        let finding = stage.clue(Errno::EACCES, Operation::Write, "/srv").finding(&CAUSE, "/srv");
        let fact = "its access control list gives the user u r--, after its mask took the rest away: w is missing";
        assert!(finding.evidence.iter().any(|evidence| evidence.text == fact), "{finding:#?}");
    }

    #[test]
    fn the_owner_is_told_what_to_type() {
        let mut stage = stage();
        stage.stat("/home/u/x", Kind::Regular, |stat| (stat.uid, stat.mode) = (1000, 0o400));
        let finding = stage.clue(Errno::EACCES, Operation::Write, "x").finding(&CAUSE, "/home/u/x");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("chmod u+w /home/u/x"));
    }

    #[test]
    fn the_user_that_the_command_changes_to_is_the_one_who_is_refused() {
        let mut stage = stage().by_root();
        stage.command = ["sudo", "-u", "ann", "cat", "/root/x"].map(Into::into).into();
        stage.stat("/root", Kind::Directory, |stat| stat.mode = 0o700).missing("/root/x");
        let finding = stage.clue(Errno::EACCES, Operation::Read, "/root/x").finding(&CAUSE, "/root");
        assert_eq!(finding.headline, "the user ann may not enter /root");
    }

    #[test]
    fn a_fuse_mount_is_closed_to_root_too() {
        let table =
            format!("{TABLE}40 21 0:50 / /mnt/remote rw - fuse.sshfs ann@host: rw,user_id=1001,group_id=1001\n");
        let mut stage = Stage::new(&table).by_root();
        stage
            .file("/etc/passwd", "ann:x:1001:1001::/:\n")
            .knows("stat /mnt/remote", Err::<Stat, _>(Errno::EACCES.into()));
        let finding = stage.clue(Errno::EACCES, Operation::Read, "/mnt/remote/x").finding(&CAUSE, "/mnt/remote");
        assert!(finding.headline.ends_with("only ann may enter"), "{finding:?}");
    }

    #[test]
    fn a_file_that_may_be_read_and_written_now_is_silence() {
        let mut stage = stage();
        stage.stat("/srv", Kind::Regular, |stat| stat.mode = 0o777);
        stage.clue(Errno::EACCES, Operation::Read, "/srv").assert_silent(&CAUSE);
    }

    #[test]
    fn root_is_refused_by_no_bits() {
        let mut stage = stage().by_root();
        stage.stat("/srv", Kind::Regular, |stat| stat.mode = 0);
        stage.clue(Errno::EACCES, Operation::Read, "/srv").assert_silent(&CAUSE);
    }

    #[test]
    fn a_file_that_nobody_may_execute_is_another_cause() {
        let mut stage = stage();
        stage.stat("/srv", Kind::Regular, |stat| stat.mode = 0o644);
        stage.clue(Errno::EACCES, Operation::Execute, "/srv").assert_silent(&CAUSE);
    }

    #[test]
    fn a_program_that_the_command_names_was_not_to_be_written_to() {
        let refused = |script: &str| {
            let mut stage = stage();
            stage.command = ["bash", "-c", script].map(Into::into).into();
            stage.stat("/srv", Kind::Directory, |stat| stat.mode = 0o755).missing("/srv/tool");
            stage.clue(Errno::EACCES, Operation::Execute, "/srv/tool");
            stage
        };
        refused("/srv/tool").assert_silent(&CAUSE);
        assert!(refused("echo 1 >/srv/tool").finding(&CAUSE, "/srv").headline.ends_with("may not write to /srv"));
    }

    #[test]
    fn a_warning_is_silence() {
        let mut stage = stage();
        stage.stat("/root", Kind::Directory, |stat| stat.mode = 0o700);
        stage.add(|clue| {
            (clue.errno, clue.path) = (Some(Errno::EACCES), Some("/root/.config/git/attributes".into()));
            clue.line = "warning: unable to access '/root/.config/git/attributes': Permission denied".into();
        });
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_log_of_another_machine_is_possible() {
        let mut stage = stage();
        stage.mode = Mode::Log;
        stage.missing("/srv").add(|clue| {
            (clue.errno, clue.path, clue.suspects) = (Some(Errno::EACCES), Some("/srv/x".into()), vec![ID.into()]);
        });
        assert_eq!(stage.finding(&CAUSE, "/srv/x").confidence, Confidence::Possible);
    }
}
