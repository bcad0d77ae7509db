//! How a package is installed on this machine.

use crate::machine::Machine;
use std::path::Path;

/// Where package managers are, and how each installs; the first that is there is the machine's own.
const MANAGERS: &[(&str, &str)] = &[
    ("/usr/bin/apt-get", "apt-get install"),
    ("/usr/bin/dnf", "dnf install"),
    ("/usr/bin/microdnf", "microdnf install"),
    ("/usr/bin/yum", "yum install"),
    ("/usr/bin/zypper", "zypper install"),
    ("/usr/bin/pacman", "pacman -S"),
    ("/sbin/apk", "apk add"),
    ("/usr/bin/apk", "apk add"),
    ("/usr/bin/xbps-install", "xbps-install"),
    ("/usr/bin/emerge", "emerge"),
];

/// The command that installs a package, for root to type.
#[must_use]
pub fn install(machine: &Machine, package: &str) -> String {
    let is_there = |(path, _): &&(&str, &str)| machine.stat(Path::new(path)).is_ok();
    let command = MANAGERS.iter().find(is_there).map_or("apt-get install", |(_, command)| command);
    format!("{command} {package}")
}
