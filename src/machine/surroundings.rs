//! What a process is given by its parent, and what decides what the kernel lets it do.

use super::{Answer, Machine, Unknown};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Identity of a process, from `/proc/PID/status` (proc_pid_status(5)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Supplementary group ids.
    pub groups: Vec<u32>,
    /// Effective capabilities (`CapEff`), capabilities(7); bit N is capability number N.
    pub capabilities: u64,
}

impl Identity {
    /// `CAP_SYS_ADMIN`, capability number 21.
    pub const SYS_ADMIN: u32 = 21;
    /// `CAP_SYS_RESOURCE`, capability number 24: lifts quotas, limits and the reserve of ext filesystems.
    pub const SYS_RESOURCE: u32 = 24;

    /// Whether the effective set has the capability of this number.
    #[must_use]
    pub fn has(&self, capability: u32) -> bool {
        self.capabilities >> capability & 1 == 1
    }
}

/// What the child was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// Working directory; empty when it has no name any more.
    #[serde(with = "crate::text::path")]
    pub cwd: PathBuf,
    /// The environment, those variables alone that a cause may ask for: no secrets travel in a report.
    pub env: BTreeMap<String, crate::text::Bytes>,
    /// Whose rights it had.
    pub identity: Identity,
    /// Text of `/proc/PID/limits` of the child when it ended (proc_pid_limits(5)).
    pub limits: Option<String>,
}

/// Variables that name places and settings of the machine; nothing else of the environment is kept.
pub const KEPT_VARIABLES: &[&str] = &[
    "HOME",
    "TMPDIR",
    "TMP",
    "TEMP",
    "PATH",
    "PWD",
    "SHELL",
    "USER",
    "LANG",
    "LC_ALL",
    "LC_MESSAGES",
    "LANGUAGE",
    "TERM",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "OPAMROOT",
    "CARGO_HOME",
    "LD_LIBRARY_PATH",
    "CI",
    "container",
];

impl Surroundings {
    /// A variable of the child's environment.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<OsString> {
        use std::os::unix::ffi::OsStringExt;
        self.env.get(name).map(|value| OsString::from_vec(value.0.clone()))
    }

    /// A variable that names a directory, where it is absolute.
    #[must_use]
    pub fn directory(&self, name: &str) -> Option<PathBuf> {
        self.var(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// Where programs put temporary files: TMPDIR, or /tmp.
    #[must_use]
    pub fn tmpdir(&self) -> PathBuf {
        self.directory("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"))
    }
}

impl Machine {
    /// The name of a user, from the passwd database's file (`/etc/passwd`, passwd(5)); network databases are not asked.
    ///
    /// # Errors
    /// Where the file cannot be read or does not name the id.
    pub fn user_name(&self, uid: u32) -> Answer<String> {
        let passwd = self.read(OsStr::new("/etc/passwd").as_ref())?;
        let wanted = uid.to_string();
        passwd
            .lossy()
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields.get(2) == Some(&wanted.as_str()))
            .map(|fields| fields[0].to_owned())
            .ok_or_else(|| Unknown::Unsupported(format!("no user has the id {uid}")))
    }
}
