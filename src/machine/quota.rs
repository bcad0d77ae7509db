//! What disk quotas allow and how much of it is used.

use super::{Answer, Machine, Unknown};
use crate::sys::errno::Errno;
use crate::sys::mounts::Mount;
use crate::sys::quota::{self, Kind};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Whose quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Account {
    /// Of a user.
    User(u32),
    /// Of a group.
    Group(u32),
    /// Of a project.
    Project(u32),
}

/// A limit and what is used of it; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// In use.
    pub used: u64,
    /// May be exceeded for a while.
    pub soft: u64,
    /// May never be exceeded.
    pub hard: u64,
    /// When a soft limit that is exceeded becomes a hard one, in seconds since the epoch; 0 where it is not exceeded.
    pub grace_ends: u64,
}

/// The quota of one account on one filesystem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Space, in bytes.
    pub bytes: Allowance,
    /// Files of every kind, in inodes.
    pub files: Allowance,
    /// When it was asked, in seconds since the epoch.
    pub asked_at: u64,
}

/// `dqb_bhardlimit` and `dqb_bsoftlimit` are in units of this many bytes (`QIF_DQBLKSIZE` of `linux/quota.h`).
const LIMIT_UNIT: u64 = 1024;

impl Machine {
    /// The quota of an account on the filesystem of a mount.
    ///
    /// # Errors
    /// Those of `quotactl(2)`; [`Unknown::Unsupported`] for a network filesystem, whose server keeps the quota.
    pub fn quota(&self, mount: &Mount, account: Account) -> Answer<Quota> {
        self.ask(&format!("quota {account:?} {}", mount.point.display()), || {
            if mount.may_block() {
                return Err(Unknown::Unsupported("its server keeps the quota".into()));
            }
            ask(Path::new(&mount.source), &mount.point, account)
        })
    }

    /// The project that a directory belongs to; 0 where it was given none.
    ///
    /// # Errors
    /// ENOTTY on a filesystem without projects; those of `open(2)`.
    pub fn project(&self, directory: &Path) -> Answer<u32> {
        self.ask_path("project", directory, |directory| Ok(quota::project(&super::files::open_directory(directory)?)?))
    }
}

fn ask(device: &Path, point: &Path, account: Account) -> Answer<Quota> {
    let (kind, id) = match account {
        Account::User(id) => (Kind::User, id),
        Account::Group(id) => (Kind::Group, id),
        Account::Project(id) => (Kind::Project, id),
    };
    let found = match quota::by_device(device, kind, id) {
        Err(Errno::ENOENT | Errno::ENOTBLK | Errno::EACCES | Errno::ENODEV) => {
            quota::by_directory(&super::files::open_directory(point)?, kind, id)?
        }
        found => found?,
    };
    Ok(of(&found))
}

fn of(found: &libc::dqblk) -> Quota {
    let bytes = Allowance {
        used: found.dqb_curspace,
        soft: found.dqb_bsoftlimit.saturating_mul(LIMIT_UNIT),
        hard: found.dqb_bhardlimit.saturating_mul(LIMIT_UNIT),
        grace_ends: found.dqb_btime,
    };
    let files = Allowance {
        used: found.dqb_curinodes,
        soft: found.dqb_isoftlimit,
        hard: found.dqb_ihardlimit,
        grace_ends: found.dqb_itime,
    };
    let asked_at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    Quota { bytes, files, asked_at }
}
