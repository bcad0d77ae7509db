//! The quota of a user, a group, a project or a btrfs subvolume is used up: EDQUOT (from the projects of xfs ENOSPC) while the
//! filesystem itself has room.

use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, room};
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::machine::{Account, Kind};
use crate::probe::path::Resolved;
use crate::probe::quota::{self, Counted, Limit, Owner, Share, Whose};
use crate::sys::errno::Errno;
use crate::sys::mounts::Mount;
use crate::text::{grouped, size};
use std::path::{Path, PathBuf};

const ID: &str = "quota-exceeded";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/quota-exceeded.md"),
    suspects,
    covers: &["blocks-exhausted", "inodes-exhausted"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let mut suspects = Vec::new();
    for (index, clue) in case.clues.iter().enumerate() {
        let named: Vec<Place> = places_named(case, clue).collect();
        if says_quota(clue) && named.is_empty() {
            suspects.extend(places_of_command(case).map(|place| place.suspect(case, Some(index), true)));
            suspects.extend(usual_places(case).map(|place| place.suspect(case, Some(index), false)));
        }
        let concerned = named.into_iter().filter(|place| says_quota(clue) || may_hide_it(clue, place.mount));
        suspects.extend(concerned.map(|place| place.suspect(case, Some(index), true)));
    }
    if room::says_nothing(case) || case.clues.iter().any(|clue| room::may_mean_room(case, clue)) {
        suspects.extend(usual_places(case).map(|place| place.suspect(case, None, false)));
    }
    suspects
}

/// Whether a message says what the kernel said. A key that does not fit its user's quota has nothing to do with disks.
fn says_quota(clue: &Clue) -> bool {
    let of_disk = clue.operation.is_none_or(Operation::takes_space);
    clue.suspects(ID) || clue.errno == Some(Errno::EDQUOT) && of_disk
}

/// Whether the kernel itself spoke of a quota: its errno has no other meaning for a disk.
fn is_told(clue: &Clue) -> bool {
    clue.errno == Some(Errno::EDQUOT) && says_quota(clue)
}

/// Whether a message may mean the quota of a project: xfs answers ENOSPC there.
fn may_hide_it(clue: &Clue, mount: &Mount) -> bool {
    let takes = clue.operation.is_none_or(Operation::takes_space);
    clue.errno == Some(Errno::ENOSPC) && takes && mount.fstype == "xfs"
}

/// A directory that was written to, and its mount.
struct Place<'a> {
    mount: &'a Mount,
    directory: PathBuf,
}

impl<'a> Place<'a> {
    fn of(case: &Case<'a>, path: &Path) -> Option<Self> {
        let resolved = case.resolve(path)?;
        let mount = case.mounts.holding(&resolved.existing).filter(|mount| !mount.is_pseudo())?;
        Some(Self { mount, directory: case.directory_of(&resolved) })
    }

    fn suspect(&self, case: &Case, clue: Option<usize>, touched: bool) -> Suspect {
        let top = quota::top(case.machine, self.mount, &self.directory);
        Suspect { subject: Subject::Path(top), clue, touched }
    }
}

fn places_named<'a>(case: &Case<'a>, clue: &Clue) -> impl Iterator<Item = Place<'a>> {
    [&clue.path, &clue.other_path].into_iter().flatten().filter_map(|path| Place::of(case, path))
}

/// What the command line names, which may be where the command wrote.
fn places_of_command<'a>(case: &Case<'a>) -> impl Iterator<Item = Place<'a>> {
    let paths = command_line::paths_of(case.command).filter(|path| path.as_os_str().as_encoded_bytes().contains(&b'/'));
    let mut seen = Vec::new();
    let places = paths.filter_map(|path| Place::of(case, path)).filter(|place| may_have_quotas(place.mount));
    places.filter(move |place| {
        !seen.contains(&place.directory) && {
            seen.push(place.directory.clone());
            true
        }
    })
}

/// Where programs write without saying so, on filesystems that are mounted with quotas.
fn usual_places<'a>(case: &Case<'a>) -> impl Iterator<Item = Place<'a>> {
    let surroundings = case.surroundings();
    let home = surroundings.directory("HOME");
    let paths = [Some(surroundings.cwd.clone()), Some(surroundings.tmpdir()), home];
    paths.into_iter().flatten().filter_map(|path| Place::of(case, &path)).filter(|place| may_have_quotas(place.mount))
}

/// Mount options of ext4, xfs, f2fs and tmpfs that turn limits on begin so; btrfs has none.
fn may_have_quotas(mount: &Mount) -> bool {
    const NAMES: [&str; 9] =
        ["usrquota", "grpquota", "prjquota", "uquota", "gquota", "pquota", "quota", "usrjquota", "grpjquota"];
    mount.fstype == "btrfs" || NAMES.iter().any(|name| mount.option(name).is_some())
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(top) = suspect.subject.path() else { return Verdict::Unknown("it has no path".into()) };
    let Some(mount) = case.mounts.holding(top) else { return Verdict::Unknown("the mount is gone".into()) };
    let clue = suspect.clue.map(|index| &case.clues[index]);
    let written = clue.and_then(|clue| written_below(case, clue, top, mount));
    let directory = written.as_ref().map_or_else(|| top.to_owned(), |path| case.directory_of(path));
    let limits = quota::over(case.machine, mount, &directory, owner(case, written.as_ref(), &directory));
    let quota = Exceeded { case, mount, top };
    let is_said = clue.is_some_and(|clue| says_quota(clue) || may_hide_it(clue, mount));
    let by_name = clue.is_some_and(says_quota);
    let is_named = clue.is_some_and(|clue| clue.path.is_some() || clue.other_path.is_some());
    match (limits.known.iter().find(|limit| limit.is_reached()), limits.known.first()) {
        (Some(limit), _) => Verdict::Found(Box::new(quota.found(limit, confidence(limit, is_said, is_named)))),
        (None, Some(limit)) if by_name && case.mode == Mode::Log => Verdict::Found(Box::new(quota.no_longer(limit))),
        (None, Some(limit)) if suspect.touched && clue.is_some_and(is_told) => {
            Verdict::Found(Box::new(Finding { seen: Some(Seen::During), ..quota.no_longer(limit) }))
        }
        (None, _) if by_name && (limits.unknown.is_some() || case.mode == Mode::Log) => {
            Verdict::Found(Box::new(quota.said(limits.unknown.as_deref())))
        }
        (None, Some(limit)) => Verdict::RuledOut(left(limit)),
        (None, None) => Verdict::RuledOut(format!("no quota limits what is written to {}", top.display())),
    }
}

/// What the message names below the top, but for what another filesystem holds that is mounted there.
fn written_below(case: &Case, clue: &Clue, top: &Path, mount: &Mount) -> Option<Resolved> {
    let paths = [&clue.path, &clue.other_path].into_iter().flatten();
    let is_there = |path: &Resolved| case.mounts.holding(&path.existing).is_some_and(|held| held.id == mount.id);
    paths.filter_map(|path| case.resolve(path)).find(|path| path.existing.starts_with(top) && is_there(path))
}

/// Who is charged: the owner of a file that is there, whoever writes to it; for a new one the child, and the group of a
/// directory that hands down its own.
fn owner(case: &Case, written: Option<&Resolved>, directory: &Path) -> Owner {
    const SETGID: u32 = 0o2000;
    let identity = &case.surroundings().identity;
    let file = written.filter(|path| path.missing.as_os_str().is_empty()).map(|path| &path.existing);
    let file = file.and_then(|path| case.machine.stat(path).ok()).filter(|stat| stat.kind == Kind::Regular);
    let handed_down = || case.machine.stat(directory).ok().filter(|stat| stat.mode & SETGID != 0).map(|stat| stat.gid);
    file.map_or_else(
        || Owner { uid: identity.uid, gid: handed_down().unwrap_or(identity.gid) },
        |stat| Owner { uid: stat.uid, gid: stat.gid },
    )
}

/// A higher group of a btrfs may be another subvolume's, and where the message names no path another place may be meant; without the errno a quota that is used up is merely so.
fn confidence(limit: &Limit, is_said: bool, is_named: bool) -> Confidence {
    match (is_said, &limit.whose) {
        (true, Whose::Group(..)) => Confidence::Likely,
        (true, _) if !is_named => Confidence::Likely,
        (true, _) => Confidence::Verified,
        (false, _) => Confidence::Possible,
    }
}

/// `20.0 MiB of 20.0 MiB`, `1,000 of 1,000 files`.
fn amount(limit: &Limit) -> String {
    match limit.counted {
        Counted::Bytes => format!("{} of {}", size(limit.used), size(limit.allowed)),
        Counted::Files => format!("{} of {} files", grouped(limit.used), grouped(limit.allowed)),
    }
}

fn left(limit: &Limit) -> String {
    format!("{} of the quota used", amount(limit))
}

/// A quota, the filesystem that keeps it, and the top of what it is about.
struct Exceeded<'a> {
    case: &'a Case<'a>,
    mount: &'a Mount,
    top: &'a Path,
}

impl Exceeded<'_> {
    fn found(&self, limit: &Limit, confidence: Confidence) -> Finding {
        let whose = self.whose(&limit.whose);
        let grace = if limit.grace_is_over { ", and the time of grace of this soft limit is over" } else { "" };
        let fact = format!("{whose} uses {} on {}{grace}", amount(limit), self.mount.point.display());
        Finding {
            confidence,
            seen: Some(Seen::Now),
            headline: format!("the quota of {whose} is used up on {}", self.top.display()),
            summary: format!("{fact}; more is refused although the filesystem itself may have room."),
            evidence: vec![Evidence::probe(fact).check(self.check(&limit.whose)), self.room()].into_iter().collect(),
            fixes: self.fixes(limit),
        }
    }

    fn whose(&self, whose: &Whose) -> String {
        match whose {
            Whose::Account(Account::User(uid)) => self.user(*uid),
            Whose::Account(Account::Group(gid)) => format!("the group {gid}"),
            Whose::Account(Account::Project(id)) => format!("the project {id}"),
            Whose::Directory => "the project of this directory".into(),
            Whose::Subvolume(group, _) => format!("this subvolume (quota group {group})"),
            Whose::Group(group, _) => format!("the quota group {group}"),
        }
    }

    fn user(&self, uid: u32) -> String {
        format!("the user {}", self.case.user(uid))
    }

    /// What the filesystem has, to tell it from a full one.
    fn room(&self) -> Evidence {
        let point = &self.mount.point;
        let text = self.case.machine.space(point).map_or_else(
            |why| format!("the counters of {} cannot be read: {why}", point.display()),
            |space| format!("{} ({}) itself: {}", point.display(), self.mount.fstype, room::bytes_free(&space)),
        );
        Evidence::probe(text).check(format!("df -h {}", self.case.quoted(point)))
    }

    fn check(&self, whose: &Whose) -> String {
        let point = self.case.quoted(&self.mount.point);
        match whose {
            Whose::Account(Account::User(uid)) if *uid == self.case.surroundings().identity.uid => "quota -s".into(),
            Whose::Account(Account::User(uid)) => self.case.as_root(&format!("quota -s -u {}", self.case.user(*uid))),
            Whose::Account(Account::Group(gid)) => format!("quota -s -g {gid}"),
            Whose::Account(Account::Project(_)) => self.case.as_root(&format!("repquota -sP {point}")),
            Whose::Directory => format!("df -h {}", self.case.quoted(self.top)),
            Whose::Subvolume(..) | Whose::Group(..) => self.case.as_root(&format!("btrfs qgroup show -re {point}")),
        }
    }

    fn fixes(&self, limit: &Limit) -> Vec<Fix> {
        let mut fixes = vec![self.cleaning(limit)];
        fixes.extend(self.raising(limit));
        fixes
    }

    /// What to look at for something to remove.
    fn cleaning(&self, limit: &Limit) -> Fix {
        let top = self.case.quoted(self.top);
        let owned = match &limit.whose {
            Whose::Account(Account::User(uid)) => format!(" -uid {uid}"),
            Whose::Account(Account::Group(gid)) => format!(" -gid {gid}"),
            _ => String::new(),
        };
        match limit.counted {
            Counted::Bytes => Fix::now(
                format!("find {top} -xdev{owned} -type f -size +1M -printf '%s %p\\n' | sort -n | tail"),
                "shows the largest files, to remove what is not needed",
            ),
            Counted::Files => Fix::now(
                format!("find {top} -xdev{owned} -printf '%h\\n' | sort | uniq -c | sort -n | tail"),
                "shows the directories with the most files, to remove what is not needed",
            ),
        }
    }

    /// The command of the administrator that doubles the limit. setquota(8) sets all four limits of an account at once, so it
    /// is shown as a dialogue (edquota) and not as numbers that would take others away.
    fn raising(&self, limit: &Limit) -> Option<Fix> {
        let point = self.case.quoted(&self.mount.point);
        let doubled = limit.allowed.saturating_mul(2);
        let command = match &limit.whose {
            Whose::Subvolume(_, share) => {
                format!("btrfs qgroup limit {}{doubled} {}", of_share(*share), self.case.quoted(self.top))
            }
            Whose::Group(group, share) => format!("btrfs qgroup limit {}{doubled} {group} {point}", of_share(*share)),
            Whose::Account(Account::Project(id)) if self.mount.fstype == "xfs" => {
                let kind = if limit.counted == Counted::Bytes { "bhard" } else { "ihard" };
                format!("xfs_quota -x -c 'limit -p {kind}={doubled} {id}' {point}")
            }
            Whose::Account(Account::User(uid)) => {
                format!("edquota -u {} -f {point}", self.case.user(*uid))
            }
            Whose::Account(Account::Group(gid)) => format!("edquota -g {gid} -f {point}"),
            Whose::Account(Account::Project(id)) => format!("edquota -P {id} -f {point}"),
            Whose::Directory => return None,
        };
        Some(Fix::lasting("the administrator raises the limit").command(self.case.as_root(&command)))
    }

    /// What the errno says and the counters do not show any more.
    fn no_longer(&self, limit: &Limit) -> Finding {
        let whose = self.whose(&limit.whose);
        let fact = format!("{whose} uses {} now", amount(limit));
        Finding {
            confidence: Confidence::Likely,
            seen: None,
            headline: format!("the quota of {whose} did not allow what was to be written to {}", self.top.display()),
            summary: format!(
                "A write was refused for a quota; {fact}: it asked for more at once, or something was removed since."
            ),
            evidence: vec![Evidence::probe(fact).check(self.check(&limit.whose))],
            fixes: self.fixes(limit),
        }
    }

    /// What the errno says and this machine cannot be asked.
    fn said(&self, why: Option<&str>) -> Finding {
        let point = self.mount.point.display();
        let fact = why.map_or_else(
            || format!("no quota limits {} on this machine now", self.top.display()),
            |why| format!("the quotas of {point} ({}) cannot be asked here: {why}", self.mount.fstype),
        );
        let check = match self.mount.fstype.as_str() {
            "lustre" => format!("lfs quota -h {}", self.case.quoted(&self.mount.point)),
            "gpfs" => "mmlsquota".to_owned(),
            "beegfs" => format!("beegfs-ctl --getquota --uid {}", self.case.surroundings().identity.uid),
            _ => "quota -s".to_owned(),
        };
        Finding {
            confidence: Confidence::Possible,
            seen: None,
            headline: format!("a quota may be used up on {}", self.top.display()),
            summary: format!("The output says that a quota was exceeded; {fact}."),
            evidence: vec![Evidence::probe(fact).check(check)],
            fixes: Vec::new(),
        }
    }
}

/// The option of btrfs-qgroup(8) for a limit of what is not shared.
fn of_share(share: Share) -> &'static str {
    match share {
        Share::Referenced => "",
        Share::Exclusive => "-e ",
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::{Allowance, Listing, Quota, Subvolume, Unknown};
    use crate::sys::fs::Space;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        40 21 254:16 / /home rw,relatime - ext4 /dev/vdb rw,usrquota,grpquota\n\
        41 21 0:40 / /pool rw - btrfs /dev/vdc rw\n\
        42 21 254:32 / /data rw,relatime - xfs /dev/vdd rw,prjquota\n\
        43 21 0:50 / /net rw - nfs4 server:/export rw\n";

    const MIB: u64 = 1 << 20;

    fn space(blocks: u64, available: u64) -> Space {
        let (blocks, available) = (blocks * 256, available * 256);
        Space {
            block_size: 4096,
            blocks,
            blocks_free: available,
            blocks_available: available,
            inodes: 9000,
            inodes_free: 900,
        }
    }

    fn allowance(used: u64, soft: u64, hard: u64) -> Allowance {
        Allowance { used, soft, hard, grace_ends: 0 }
    }

    /// The home of the user 1000 with this quota.
    fn home(bytes: Allowance, files: Allowance) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.missing("/home/u/new").space("/home", space(1000, 500)).space("/home/u", space(1000, 500));
        stage.file("/etc/passwd", "root:x:0:0::/:\nu:x:1000:1000::/home/u:\n");
        stage.knows("quota User(1000) /home", Ok::<_, Unknown>(Quota { bytes, files, asked_at: 5000 }));
        stage.knows("quota Group(0) /home", Ok::<_, Unknown>(Quota::default()));
        stage
    }

    fn refused(bytes: Allowance, files: Allowance) -> Stage {
        let mut stage = home(bytes, files);
        stage.clue(Errno::EDQUOT, Operation::Create, "/home/u/new");
        stage
    }

    #[test]
    fn a_user_without_a_byte_left_is_told_whose_quota_it_is() {
        let finding = refused(allowance(100 * MIB, 0, 100 * MIB), allowance(5, 0, 0)).finding(&CAUSE, "/home");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.headline, "the quota of the user u is used up on /home");
        assert!(finding.summary.contains("100.0 MiB of 100.0 MiB"), "{finding:?}");
        assert_eq!(finding.fixes[1].command.as_deref(), Some("sudo edquota -u u -f /home"));
    }

    #[test]
    fn a_quota_of_files_says_files() {
        let finding = refused(allowance(5, 0, 0), allowance(1000, 900, 1000)).finding(&CAUSE, "/home");
        assert!(finding.summary.contains("1,000 of 1,000 files"), "{finding:?}");
    }

    #[test]
    fn a_soft_limit_binds_when_its_grace_is_over() {
        let over = Allowance { grace_ends: 4000, ..allowance(90 * MIB, 80 * MIB, 100 * MIB) };
        let finding = refused(over, allowance(5, 0, 0)).finding(&CAUSE, "/home");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.summary.contains("90.0 MiB of 80.0 MiB") && finding.summary.contains("grace"), "{finding:?}");
    }

    #[test]
    fn a_soft_limit_within_its_grace_does_not_bind() {
        let within = Allowance { grace_ends: 6000, ..allowance(90 * MIB, 80 * MIB, 100 * MIB) };
        let finding = refused(within, allowance(5, 0, 0)).finding(&CAUSE, "/home");
        assert_eq!((finding.confidence, finding.seen), (Confidence::Likely, Some(Seen::During)));
    }

    #[test]
    fn what_another_user_s_file_holds_is_charged_to_its_owner() {
        let mut stage = home(allowance(5, 0, 0), allowance(5, 0, 0));
        stage.stat("/home/u/log", Kind::Regular, |stat| (stat.uid, stat.gid) = (7, 7));
        let full = Quota { bytes: allowance(MIB, 0, MIB), files: Allowance::default(), asked_at: 0 };
        stage.knows("quota User(7) /home", Ok::<_, Unknown>(full));
        let finding = stage.clue(Errno::EDQUOT, Operation::Write, "/home/u/log").finding(&CAUSE, "/home");
        assert!(finding.headline.contains("the user 7"), "{finding:?}");
    }

    /// A subvolume of `/pool` that may hold 20 MiB and holds so much.
    fn subvolume(referenced: u64) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.missing("/pool/s/new").space("/pool", space(1000, 500));
        stage.stat("/pool/s", Kind::Directory, |stat| stat.inode = 256);
        let found = Subvolume { filesystem: "f-s".into(), id: 256, read_only: false };
        stage.knows("btrfs-subvolume /pool/s", Ok::<_, Unknown>(found));
        stage.knows("list /sys/fs/btrfs/f-s/qgroups", Ok::<_, Unknown>(Listing::default()));
        let group = "/sys/fs/btrfs/f-s/qgroups/0_256";
        let values = [("limit_flags", 1), ("referenced", referenced), ("max_referenced", 20 * MIB), ("rsv_data", 0)];
        for (name, value) in values {
            stage.file(&format!("{group}/{name}"), &format!("{value}\n"));
        }
        stage.clue(Errno::EDQUOT, Operation::Create, "/pool/s/new");
        stage
    }

    #[test]
    fn a_btrfs_subvolume_is_the_subject_and_its_limit_can_be_raised() {
        let finding = subvolume(20 * MIB - 16384).finding(&CAUSE, "/pool/s");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.fixes[1].command.as_deref(), Some("sudo btrfs qgroup limit 41943040 /pool/s"));
    }

    #[test]
    fn a_btrfs_subvolume_with_room_left_is_likely_at_most() {
        assert_eq!(subvolume(10 * MIB).finding(&CAUSE, "/pool/s").confidence, Confidence::Likely);
    }

    /// A directory of a project on xfs, which answers ENOSPC; an ordinary user may not ask for its quota.
    fn project(limit: Space) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.missing("/data/p/new").directory("/data/p").space("/data", space(1000, 500)).space("/data/p", limit);
        stage.knows("project /data/p", Ok::<_, Unknown>(5_u32)).knows("project /data", Ok::<_, Unknown>(0_u32));
        stage.knows("quota Project(5) /data", Err::<Quota, _>(Unknown::Errno(Errno::EPERM)));
        stage.clue(Errno::ENOSPC, Operation::Create, "/data/p/new");
        stage
    }

    #[test]
    fn the_project_of_a_directory_is_seen_without_privilege() {
        let finding = project(space(10, 0)).finding(&CAUSE, "/data/p");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.summary.contains("10.0 MiB of 10.0 MiB"), "{finding:?}");
    }

    #[test]
    fn a_project_with_room_left_is_silence_when_the_errno_is_another() {
        project(space(10, 5)).assert_silent(&CAUSE);
    }

    #[test]
    fn a_server_that_cannot_be_asked_makes_it_possible() {
        let mut stage = Stage::new(TABLE);
        stage
            .knows("quota User(1000) /net", Err::<Quota, _>(Unknown::Unsupported("its server keeps the quota".into())));
        stage.clue(Errno::EDQUOT, Operation::Write, "/net/file");
        assert_eq!(stage.finding(&CAUSE, "/net").confidence, Confidence::Possible);
    }

    #[test]
    fn a_vague_failure_of_a_user_with_a_used_up_quota_is_possible() {
        let mut stage = home(allowance(100 * MIB, 0, 100 * MIB), allowance(5, 0, 0));
        assert_eq!(stage.vague().finding(&CAUSE, "/home").confidence, Confidence::Possible);
    }

    #[test]
    fn a_vague_failure_of_a_user_with_room_left_is_silence() {
        home(allowance(MIB, 0, 100 * MIB), allowance(5, 0, 0)).vague().assert_silent(&CAUSE);
    }

    #[test]
    fn a_smaller_filesystem_that_the_message_names_too_is_no_project() {
        let mut stage = Stage::new(TABLE);
        stage.missing("/archive").missing("/net/out").space("/", space(1000, 500)).space("/net", space(10, 0));
        stage.add(|clue| {
            clue.path = Some("/net/out".into());
            clue.other_path = Some("/archive".into());
            clue.suspects = vec![ID.into()];
            clue.vague = true;
        });
        let about_root =
            stage.verdicts(&CAUSE).into_iter().filter(|(suspect, _)| suspect.subject.path() == Some("/".as_ref()));
        for (suspect, verdict) in about_root {
            let Verdict::Found(finding) = &verdict else { continue };
            assert_eq!(finding.confidence, Confidence::Possible, "{suspect:?} {verdict:?}");
        }
    }

    #[test]
    fn a_filesystem_without_quotas_is_silence() {
        let mut stage = Stage::new(TABLE);
        stage.missing("/new").knows("quota User(1000) /", Err::<Quota, _>(Unknown::Errno(Errno::ENOSYS)));
        stage.knows("quota Group(0) /", Err::<Quota, _>(Unknown::Errno(Errno::ESRCH)));
        stage.clue(Errno::EDQUOT, Operation::Create, "/new").assert_silent(&CAUSE);
    }

    #[test]
    fn a_key_that_does_not_fit_is_no_disk_quota() {
        let mut stage = home(allowance(100 * MIB, 0, 100 * MIB), allowance(5, 0, 0));
        stage.clue(Errno::EDQUOT, Operation::Key, "/home/u/new").assert_silent(&CAUSE);
    }
}
