//! A group would grant it, and the process is not in that group: a socket, a device, a log. Often the account was added to the group
//! and the session is older than that.

use super::refused::{self, Tried, group, listed, user};
use super::{Case, Cause, Evidence, Finding, Fix, Suspect, Verdict};
use crate::machine::{Group, Kind};
use crate::probe::walk::{Class, Obstacle, Refusal, Why};
use crate::sys::errno::Errno;

const ID: &str = "not-in-group";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/not-in-group.md"),
    suspects,
    covers: &["permission-denied"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    refused::suspects(case, ID, &[Errno::EACCES, Errno::EPERM], |_, obstacle| {
        refusal(obstacle).map(|_| obstacle.at.clone())
    })
}

/// The refusal, where the group's bits would have granted what the others' did not.
fn refusal(obstacle: &Obstacle) -> Option<&Refusal> {
    match &obstacle.why {
        Why::Refused(refusal) if refusal.class == Class::Other && !refusal.has_acl => Some(&**refusal),
        _ => None,
    }
    .filter(|refusal| refusal.access.missing_in(refusal.stat.mode >> 3 & 7).is_empty())
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may be for a group that the user is not in", |tried, obstacle| {
        let refusal = refusal(obstacle)?;
        let Some(group) = shared(case, refusal) else {
            return Some(Verdict::RuledOut("its group is one user's own".into()));
        };
        Some(Verdict::Found(Box::new(found(case, suspect, tried, obstacle, refusal, &group))))
    })
}

/// Groups whose members can become root, or read what lets them: nobody is to be put into them.
const POWERFUL: &[&str] = &["root", "shadow", "kmem", "disk", "sudo", "wheel"];

/// The group, where it is one that users are put into: not a powerful one, and not the private one of the owner.
fn shared(case: &Case, refusal: &Refusal) -> Option<Group> {
    let group = case.machine.group(refusal.stat.gid).ok()?;
    let is_shared_kind = matches!(refusal.stat.kind, Kind::Socket | Kind::CharacterDevice | Kind::BlockDevice);
    let is_private = group.name == case.machine.user(refusal.stat.uid);
    (!POWERFUL.contains(&group.name.as_str())
        && !is_private
        && (is_shared_kind || refusal.stat.uid == 0 || !group.members.is_empty()))
    .then_some(group)
}

#[expect(clippy::too_many_arguments, reason = "one failure, what refuses there, and the group that would grant it")]
fn found(
    case: &Case,
    suspect: &Suspect,
    tried: &Tried,
    obstacle: &Obstacle,
    refusal: &Refusal,
    wanted: &Group,
) -> Finding {
    let (at, who, name) = (obstacle.at.display(), user(case, &tried.who), &wanted.name);
    let account = case.machine.user(tried.who.identity().uid);
    let is_member = wanted.members.contains(&account);
    let since = if is_member { " yet: this session is older than the membership" } else { "" };
    let headline = format!("{at} is for the group {name}, which this process is not in{since}");
    let summary = format!("{at} grants it to the group {name}, and {who} ran without that group.");
    let mut finding = refused::found(case, suspect, headline, summary);
    let own: Vec<String> = own_groups(tried).into_iter().map(|gid| group(case, gid)).collect();
    finding.evidence = vec![
        listed(case, &obstacle.at, &refusal.stat),
        Evidence::probe(format!("the process is in: {}", own.join(", "))).check("id"),
    ];
    finding.evidence.push(Evidence::probe(members(wanted)).check(format!("getent group {name}")));
    finding.fixes = fixes(case, wanted, &account, is_member);
    finding
}

fn own_groups(tried: &Tried) -> Vec<u32> {
    let identity = tried.who.identity();
    let others = identity.groups.iter().copied().filter(|gid| *gid != identity.gid);
    std::iter::once(identity.gid).chain(others).collect()
}

fn members(group: &Group) -> String {
    if group.members.is_empty() {
        return format!("nobody is listed in the group {}", group.name);
    }
    format!("in the group {}: {}", group.name, group.members.join(", "))
}

fn fixes(case: &Case, wanted: &Group, account: &str, is_member: bool) -> Vec<Fix> {
    let name = &wanted.name;
    if is_member {
        let now = Fix::now(format!("newgrp {name}"), "a shell that has the group");
        return vec![now, Fix::lasting("log out and in again: every process of the new session has it")];
    }
    let remark = match name.as_str() {
        "docker" => "members of docker can become root; log in anew after it",
        _ => "log in anew after it",
    };
    vec![Fix::lasting(remark).command(case.as_root(&format!("usermod -aG {name} {account}")))]
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;

    fn stage(groups: &str) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.file("/etc/passwd", "root:x:0:0::/root:\nu:x:1000:1000::/home/u:\n").file("/etc/group", groups);
        stage.directory("/run").stat("/run/docker.sock", Kind::Socket, |stat| (stat.gid, stat.mode) = (999, 0o660));
        stage.clue(Errno::EACCES, Operation::Connect, "/run/docker.sock");
        stage
    }

    #[test]
    fn the_user_is_to_be_added() {
        let finding = stage("docker:x:999:\n").finding(&CAUSE, "/run/docker.sock");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo usermod -aG docker u"));
    }

    #[test]
    fn a_member_has_to_log_in_anew() {
        let finding = stage("docker:x:999:u\n").finding(&CAUSE, "/run/docker.sock");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("newgrp docker"));
        assert!(finding.headline.contains("older than the membership"), "{finding:?}");
    }

    #[test]
    fn a_process_in_the_group_is_silence() {
        let mut stage = stage("docker:x:999:u\n");
        stage.surroundings.identity.groups = vec![999];
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_group_that_has_no_right_either_is_silence() {
        let mut stage = stage("docker:x:999:\n");
        stage.stat("/run/docker.sock", Kind::Socket, |stat| (stat.gid, stat.mode) = (999, 0o600)).assert_silent(&CAUSE);
    }

    #[test]
    fn nobody_is_put_into_the_group_of_the_password_file() {
        let mut stage = stage("shadow:x:999:\n");
        stage.stat("/etc/shadow", Kind::Regular, |stat| (stat.gid, stat.mode) = (999, 0o640));
        stage.clue(Errno::EACCES, Operation::Read, "/etc/shadow").assert_silent(&CAUSE);
    }

    #[test]
    fn the_private_group_of_another_user_is_silence() {
        let mut stage = stage("ann:x:999:\n");
        stage.file("/etc/passwd", "ann:x:0:999::/:\nu:x:1000:1000::/home/u:\n").assert_silent(&CAUSE);
    }
}
