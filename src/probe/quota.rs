//! Which quotas stand over a directory: of a user, a group or a project, of a btrfs subvolume, and how much of each is used.

use crate::machine::{Account, Allowance, Answer, Machine, Quota, Unknown};
use crate::sys::errno::Errno;
use crate::sys::fs::Space;
use crate::sys::mounts::Mount;
use std::path::{Path, PathBuf};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Space.
    Bytes,
    /// Files of every kind.
    Files,
}

/// Whose limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of a user, group or project.
    Account(Account),
    /// Of the project that the directory was given; `statfs(2)` of the directory tells what the project may use.
    Directory,
    /// Of the btrfs quota group of the directory's subvolume, such as `0/256`.
    Subvolume(String, Share),
    /// Of a btrfs quota group of a higher level, which the subvolume's group may be in.
    Group(String, Share),
}

/// Which of its data a btrfs quota group counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// All of it.
    Referenced,
    /// What no other subvolume shares.
    Exclusive,
}

/// One limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Whose.
    pub whose: Whose,
    /// What it counts.
    pub counted: Counted,
    /// How much is used, in bytes or files.
    pub used: u64,
    /// How much may be used.
    pub allowed: u64,
    /// Whether it is a soft limit, which binds because its time of grace is over.
    pub grace_is_over: bool,
}

impl Limit {
    /// Whether one more write or file does not fit.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        let more = match self.counted {
            Counted::Bytes => ONE_WRITE,
            Counted::Files => 1,
        };
        self.grace_is_over || self.used.saturating_add(more) > self.allowed
    }
}

/// What programs write at a time, in bytes.
const ONE_WRITE: u64 = 128 << 10;

/// All limits over a directory, and what could not be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// What is known.
    pub known: Vec<Limit>,
    /// Why something is not.
    pub unknown: Option<String>,
}

/// Who owns what is written.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// The limits over a directory for files of this owner.
#[must_use]
pub fn over(machine: &Machine, mount: &Mount, directory: &Path, owner: Owner) -> Limits {
    if mount.fstype == "btrfs" {
        return of_btrfs(machine, directory).unwrap_or_else(|why| Limits { unknown: said(&why), ..Limits::default() });
    }
    let mut limits = Limits::default();
    let project = machine.project(directory).unwrap_or(0);
    let accounts = [
        Some(Account::User(owner.uid)),
        Some(Account::Group(owner.gid)),
        (project != 0).then_some(Account::Project(project)),
    ];
    for account in accounts.into_iter().flatten() {
        match machine.quota(mount, account) {
            Ok(quota) => limits.known.extend(of_quota(account, &quota)),
            Err(why) => limits.unknown = limits.unknown.or(said(&why)),
        }
    }
    if !limits.known.iter().any(|limit| matches!(limit.whose, Whose::Account(Account::Project(_)))) {
        limits.known.extend(of_directory(machine, mount, directory));
    }
    limits
}

/// Why a quota is not known; nothing where the answer is that there is none.
fn said(why: &Unknown) -> Option<String> {
    let none =
        matches!(why, Unknown::Errno(Errno::ENOSYS | Errno::ESRCH | Errno::EOPNOTSUPP | Errno::EINVAL | Errno::ENOENT));
    (!none).then(|| why.to_string())
}

fn of_quota(account: Account, quota: &Quota) -> Vec<Limit> {
    [(Counted::Bytes, quota.bytes), (Counted::Files, quota.files)]
        .into_iter()
        .flat_map(|(counted, allowance)| of_allowance(account, counted, allowance, quota.asked_at))
        .collect()
}

/// The limits of an allowance that bind or will: the hard one, and the soft one that is exceeded for too long.
fn of_allowance(account: Account, counted: Counted, allowance: Allowance, now: u64) -> Vec<Limit> {
    let Allowance { used, soft, hard, grace_ends } = allowance;
    let grace_is_over = soft != 0 && used > soft && grace_ends != 0 && grace_ends <= now;
    let limit =
        |allowed, grace_is_over| Limit { whose: Whose::Account(account), counted, used, allowed, grace_is_over };
    let soft = grace_is_over.then(|| limit(soft, true));
    soft.into_iter().chain((hard != 0).then(|| limit(hard, false))).collect()
}

/// What statfs(2) says of a directory of a project, which xfs and ext4 limit to the project's quota; it needs no privilege.
fn of_directory(machine: &Machine, mount: &Mount, directory: &Path) -> Vec<Limit> {
    let (Ok(here), Ok(whole)) = (machine.space(directory), machine.space(&mount.point)) else { return Vec::new() };
    let mut limits = Vec::new();
    let bytes = |blocks: u64, space: &Space| blocks.saturating_mul(space.block_size);
    if here.blocks < whole.blocks {
        let used = bytes(here.blocks.saturating_sub(here.blocks_available), &here);
        limits.push(of_project(Counted::Bytes, used, bytes(here.blocks, &here)));
    }
    if here.inodes < whole.inodes {
        limits.push(of_project(Counted::Files, here.inodes.saturating_sub(here.inodes_free), here.inodes));
    }
    limits
}

fn of_project(counted: Counted, used: u64, allowed: u64) -> Limit {
    Limit { whose: Whose::Directory, counted, used, allowed, grace_is_over: false }
}

/// The quota groups of a btrfs, `/sys/fs/btrfs/UUID/qgroups` since Linux 5.9.
fn of_btrfs(machine: &Machine, directory: &Path) -> Answer<Limits> {
    let subvolume = machine.btrfs_subvolume(directory)?;
    let groups = PathBuf::from(format!("/sys/fs/btrfs/{}/qgroups", subvolume.filesystem));
    let own = format!("0_{}", subvolume.id);
    let mut known = of_group(machine, &groups.join(&own), |share| Whose::Subvolume(own.replace('_', "/"), share));
    for entry in machine.list(&groups)?.entries {
        let name = entry.name.to_string_lossy();
        if name
            .split_once('_')
            .is_some_and(|(level, _)| level != "0" && level.bytes().all(|byte| byte.is_ascii_digit()))
        {
            let whose = |share| Whose::Group(name.replace('_', "/"), share);
            known.extend(of_group(machine, &groups.join(&entry.name), whose));
        }
    }
    Ok(Limits { known, unknown: None })
}

/// `BTRFS_QGROUP_LIMIT_MAX_RFER` and `BTRFS_QGROUP_LIMIT_MAX_EXCL` of `linux/btrfs.h`, with the files that have their values.
const BTRFS_LIMITS: [(u64, Share, &str, &str); 2] =
    [(1, Share::Referenced, "referenced", "max_referenced"), (2, Share::Exclusive, "exclusive", "max_exclusive")];

/// Room that is promised to writes under way.
const BTRFS_PROMISED: [&str; 3] = ["rsv_data", "rsv_meta_pertrans", "rsv_meta_prealloc"];

fn of_group(machine: &Machine, group: &Path, whose: impl Fn(Share) -> Whose) -> Vec<Limit> {
    let number = |name: &str| machine.read(&group.join(name)).ok()?.lossy().trim().parse::<u64>().ok();
    let Some(flags) = number("limit_flags").filter(|flags| *flags != 0) else { return Vec::new() };
    let promised: u64 = BTRFS_PROMISED.iter().filter_map(|name| number(name)).sum();
    let limit = |(_, share, used, allowed): (u64, Share, &str, &str)| {
        let (used, allowed) = (number(used)?.saturating_add(promised), number(allowed)?);
        Some(Limit { whose: whose(share), counted: Counted::Bytes, used, allowed, grace_is_over: false })
    };
    BTRFS_LIMITS.into_iter().filter(|(flag, ..)| flags & flag != 0).filter_map(limit).collect()
}

/// The top of the tree that shares a limit with a directory: the subvolume or the project's directory, else the mount point.
#[must_use]
pub fn top(machine: &Machine, mount: &Mount, directory: &Path) -> PathBuf {
    let within = || directory.ancestors().take_while(|above| above.starts_with(&mount.point));
    match mount.fstype.as_str() {
        "btrfs" => within().find(|above| is_subvolume(machine, above)).map(Path::to_owned),
        "xfs" | "ext4" | "f2fs" => {
            let project = machine.project(directory).unwrap_or(0);
            let shares = |above: &&Path| project != 0 && machine.project(above) == Ok(project);
            within().take_while(shares).last().map(Path::to_owned)
        }
        _ => None,
    }
    .unwrap_or_else(|| mount.point.clone())
}

/// The first inode of every btrfs subvolume has the number 256 (`BTRFS_FIRST_FREE_OBJECTID`).
fn is_subvolume(machine: &Machine, directory: &Path) -> bool {
    machine.stat(directory).is_ok_and(|stat| stat.inode == 256)
}
