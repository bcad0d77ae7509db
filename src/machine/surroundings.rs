//! What a process is given by its parent, and what decides what the kernel lets it do.

use super::{Answer, Machine, Unknown};
use crate::text::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// Identity of a process, from `/proc/PID/status` (`proc_pid_status(5)`).
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
    /// `CAP_CHOWN`, capability number 0: gives files to others.
    pub const CHOWN: u32 = 0;
    /// `CAP_DAC_OVERRIDE`, capability number 1: permission bits do not count.
    pub const DAC_OVERRIDE: u32 = 1;
    /// `CAP_DAC_READ_SEARCH`, capability number 2: reading files and searching directories is always granted.
    pub const DAC_READ_SEARCH: u32 = 2;
    /// `CAP_FOWNER`, capability number 3: counts as the owner of every file.
    pub const FOWNER: u32 = 3;
    /// `CAP_NET_BIND_SERVICE`, capability number 10: binds ports below 1024.
    pub const NET_BIND_SERVICE: u32 = 10;
    /// `CAP_SYS_ADMIN`, capability number 21.
    pub const SYS_ADMIN: u32 = 21;
    /// `CAP_SYS_RESOURCE`, capability number 24: lifts quotas, limits and the reserve of ext filesystems.
    pub const SYS_RESOURCE: u32 = 24;

    /// That of this process.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn of_this_process() -> Self {
        let of_file = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| Self::of_status(&status));
        of_file.unwrap_or_else(|| Self {
            uid: nix::unistd::geteuid().as_raw(),
            gid: nix::unistd::getegid().as_raw(),
            groups: nix::unistd::getgroups().unwrap_or_default().into_iter().map(nix::unistd::Gid::as_raw).collect(),
            capabilities: 0,
        })
    }

    /// That of the process whose `/proc/PID/status` this is, `proc_pid_status(5)`.
    #[must_use]
    pub fn of_status(status: &str) -> Option<Self> {
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::split_whitespace);
        // Real, effective, saved and filesystem id.
        let effective = |name: &str| field(name)?.nth(1)?.parse().ok();
        Some(Self {
            uid: effective("Uid:")?,
            gid: effective("Gid:")?,
            groups: field("Groups:")?.filter_map(|group| group.parse().ok()).collect(),
            capabilities: u64::from_str_radix(field("CapEff:")?.next()?, 16).ok()?,
        })
    }

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
    pub env: BTreeMap<String, Bytes>,
    /// Whose rights it had when it ended: a command may have taken another identity than it was given.
    pub identity: Identity,
    /// Who started it, and will type the advice; none where that is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<u32>,
    /// Capabilities that it was given and had no more when it ended: it gave them up itself, and a process that it started may have kept them.
    #[serde(default, skip_serializing_if = "is_none")]
    pub given_up: u64,
    /// Text of `/proc/PID/limits` of the child when it ended (`proc_pid_limits(5)`).
    pub limits: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none(capabilities: &u64) -> bool {
    *capabilities == 0
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
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_COLLATE",
    "LC_NUMERIC",
    "LC_TIME",
    "LC_MONETARY",
    "LANGUAGE",
    "TERM",
    "PORT",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "OPAMROOT",
    "CARGO_HOME",
    // Where tools keep what they fetch and build, which rules name as their conventions.
    "BUNDLE_PATH",
    "CABAL_DIR",
    "CARGO_TARGET_DIR",
    "CCACHE_DIR",
    "COMPOSER_CACHE_DIR",
    "COMPOSER_HOME",
    "CONDA_PREFIX",
    "DOTNET_CLI_HOME",
    "GEM_HOME",
    "GNUPGHOME",
    "GOCACHE",
    "GOMODCACHE",
    "GOPATH",
    "GOTMPDIR",
    "ES_PATH_CONF",
    "KUBECONFIG",
    "PGDATA",
    "PULUMI_HOME",
    "TF_PLUGIN_CACHE_DIR",
    "GRADLE_USER_HOME",
    "HEX_HOME",
    "JULIA_DEPOT_PATH",
    "JUPYTER_RUNTIME_DIR",
    "MIX_HOME",
    "NPM_CONFIG_CACHE",
    "npm_config_cache",
    "NUGET_PACKAGES",
    "PIP_CACHE_DIR",
    "PNPM_HOME",
    "POETRY_CACHE_DIR",
    "R_LIBS_USER",
    "RUSTUP_HOME",
    "STACK_ROOT",
    "TEXMFVAR",
    "UV_CACHE_DIR",
    "YARN_CACHE_FOLDER",
    "LD_LIBRARY_PATH",
    "CI",
    "container",
    "TERMINFO",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "ftp_proxy",
    "FTP_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// Words of a command line in which `env` is looked for: `sudo -u u nice env A=b program`.
const BEFORE: usize = 8;

/// A value as it may be kept: the name and password of a proxy's URL are left out.
fn without_secrets(name: &str, value: OsString) -> Vec<u8> {
    let value = value.into_vec();
    if !name.to_ascii_lowercase().ends_with("_proxy") {
        return value;
    }
    let start = value.windows(3).position(|window| window == b"://").map_or(0, |at| at + 3);
    match value.iter().rposition(|byte| *byte == b'@') {
        Some(at) if at >= start => [&value[..start], &value[at + 1..]].concat(),
        _ => value,
    }
}

/// What `env NAME=VALUE…` sets before a program, env(1).
fn assigned(command: &[OsString]) -> impl Iterator<Item = (&str, &[u8])> {
    let is_env = |word: &OsString| word.as_bytes().rsplit(|byte| *byte == b'/').next() == Some(b"env");
    let at = command.iter().take(BEFORE).position(is_env).map_or(command.len(), |at| at + 1);
    let words = command[at..].iter().map(|word| word.as_bytes()).skip_while(|word| word.starts_with(b"-"));
    words.map_while(|word| {
        let (name, value) = word.split_at(word.iter().position(|byte| *byte == b'=')?);
        Some((std::str::from_utf8(name).ok()?, &value[1..]))
    })
}

impl Surroundings {
    /// Those of this process, which are the child's too: it got them from us unchanged.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn of_this_process(limits: Option<String>) -> Self {
        let kept =
            |name: &&str| std::env::var_os(name).map(|value| ((*name).to_owned(), Bytes(without_secrets(name, value))));
        Self {
            cwd: std::env::current_dir().unwrap_or_default(),
            env: KEPT_VARIABLES.iter().filter_map(kept).collect(),
            identity: Identity::of_this_process(),
            caller: None,
            given_up: 0,
            limits: limits.or_else(|| std::fs::read_to_string("/proc/self/limits").ok()),
        }
    }

    /// The same for a child whose `/proc/PID/status` was read when it ended.
    #[must_use]
    pub fn of_child(status: Option<&str>, limits: Option<String>) -> Self {
        let own = Self::of_this_process(limits);
        match status.and_then(Identity::of_status) {
            Some(identity) => {
                let given_up = own.identity.capabilities & !identity.capabilities;
                Self { caller: Some(own.identity.uid), given_up, identity, ..own }
            }
            None => own,
        }
    }

    /// The same for what `env NAME=VALUE…` before a program changes, as it stands in the command line: env(1).
    #[must_use]
    pub fn changed_by(mut self, command: &[OsString]) -> Self {
        for (name, value) in assigned(command).filter(|(name, _)| KEPT_VARIABLES.contains(name)) {
            self.env.insert(name.to_owned(), Bytes(without_secrets(name, OsStr::from_bytes(value).to_owned())));
        }
        self
    }

    /// Whether who types the advice is root.
    #[must_use]
    pub fn types_as_root(&self) -> bool {
        self.caller.unwrap_or(self.identity.uid) == 0
    }

    /// A variable of the child's environment.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<OsString> {
        self.env.get(name).map(|value| OsString::from_vec(value.0.clone()))
    }

    /// A variable that names a directory, where it is absolute.
    #[must_use]
    pub fn directory(&self, name: &str) -> Option<PathBuf> {
        self.var(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// The locale of messages (locale(7)): `LC_ALL`, then `LC_MESSAGES`, then `LANG`; none for C and POSIX.
    #[must_use]
    pub fn locale(&self) -> Option<String> {
        let set = |name: &&str| self.env.get(*name).filter(|value| !value.0.is_empty());
        let name = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set)?.lossy().into_owned();
        (name != "C" && name != "POSIX" && !name.starts_with("C.")).then_some(name)
    }

    /// Where programs put temporary files: TMPDIR, or /tmp.
    #[must_use]
    pub fn tmpdir(&self) -> PathBuf {
        self.directory("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"))
    }
}

impl Machine {
    /// The time of the clock, in seconds since the epoch.
    ///
    /// # Errors
    /// Where a clock is before the epoch.
    pub fn now(&self) -> Answer<i64> {
        self.ask("now", || {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            since.map_err(|error| Unknown::Unsupported(error.to_string())).map(|since| since.as_secs().cast_signed())
        })
    }

    /// Number of the controlling terminal of this session (`tty_nr` of `proc_pid_stat(5)`); 0 where there is none.
    ///
    /// # Errors
    /// Where `/proc` cannot be read.
    pub fn controlling_terminal(&self) -> Answer<i32> {
        self.ask("controlling terminal", || {
            let stat = super::files::read("/proc/self/stat".as_ref())?;
            let text = stat.lossy();
            // The command's name is in parentheses and may hold anything.
            let fields = text.rsplit_once(')').map(|(_, fields)| fields.split_whitespace());
            let number = fields.and_then(|mut fields| fields.nth(4)?.parse().ok());
            number.ok_or_else(|| Unknown::Unsupported("/proc/self/stat has another form".into()))
        })
    }

    /// Whether a locale is installed, newlocale(3).
    ///
    /// # Errors
    /// None on a live machine.
    pub fn has_locale(&self, name: &str) -> Answer<bool> {
        let is_built_in = name == "C" || name == "POSIX" || name.starts_with("C.");
        self.ask(&format!("locale {name}"), || Ok(is_built_in || crate::sys::locale::Locale::named(name).is_some()))
    }

    /// A variable of the child's environment that a rule names and that is not kept otherwise, where it is an absolute path: other values
    /// may be secrets, and a report has the answer.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn variable(&self, name: &str, command: &[OsString]) -> Option<PathBuf> {
        let of_command =
            || assigned(command).filter(|(known, _)| *known == name).last().map(|(_, value)| value.to_vec());
        let value = || of_command().map(OsString::from_vec).or_else(|| std::env::var_os(name)).map(PathBuf::from);
        self.ask(&format!("variable {name}"), || Ok(value().filter(|path| path.is_absolute()))).ok().flatten()
    }

    /// The name of a user, or its number.
    #[must_use]
    pub fn user(&self, uid: u32) -> String {
        self.user_name(uid).unwrap_or_else(|_| uid.to_string())
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_env_sets_for_the_program_is_its_environment() {
        let home = |command: &str| {
            let command: Vec<OsString> = command.split(' ').map(OsString::from).collect();
            let own = Surroundings { env: [("HOME".into(), Bytes(b"/root".into()))].into(), ..Surroundings::default() };
            own.changed_by(&command).directory("HOME")
        };
        assert_eq!(home("setpriv --reuid 1 env -i HOME=/x SECRET=y git log"), Some("/x".into()));
        assert_eq!(home("git log HOME=/x"), Some("/root".into()));
        assert_eq!(home("env git HOME=/x"), Some("/root".into()));
    }
}
