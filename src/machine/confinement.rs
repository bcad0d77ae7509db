//! What confines a process beyond modes and capabilities: the domains that it is in, and what the audit daemon wrote of refusals.

use super::{Answer, Machine, Unknown};
use crate::sys::landlock;
use crate::transcript::Transcript;
use std::path::Path;
use std::time::SystemTime;

/// Where auditd writes by default, auditd.conf(5); without it the records go to the kernel's log.
const AUDIT_LOG: &str = "/var/log/audit/audit.log";

impl Machine {
    /// How many Landlock domains this process is in.
    ///
    /// # Errors
    /// ENOSYS and EOPNOTSUPP where the kernel has none, EPERM where a filter forbids to ask.
    pub fn landlock_layers(&self) -> Answer<u32> {
        self.ask("landlock layers", || landlock::layers().map_err(Unknown::from))
    }

    /// The end of the audit daemon's log.
    ///
    /// # Errors
    /// ENOENT where no daemon writes it, EACCES for all but root.
    pub fn audit_log(&self) -> Answer<Transcript> {
        self.log(Path::new(AUDIT_LOG), SystemTime::UNIX_EPOCH)
    }
}
