//! Which namespaces the command ran in, as far as that decides what limits mean.

use crate::machine::Machine;
use std::path::Path;

/// Whether the user namespace is the machine's first one: its map of ids is the whole one, `user_namespaces(7)`. Where that
/// cannot be read, it is taken to be.
#[must_use]
pub fn user_is_initial(machine: &Machine) -> bool {
    let map = machine.read(Path::new("/proc/self/uid_map"));
    map.map_or(true, |map| map.lossy().split_whitespace().eq(["0", "0", "4294967295"]))
}

/// Whether the pid namespace is the machine's first one, so that the kernel's log has the same numbers. Where that cannot be read, it
/// is taken not to be.
#[must_use]
pub fn pid_is_initial(machine: &Machine) -> bool {
    machine.read_link(Path::new("/proc/self/ns/pid")).is_ok_and(|namespace| namespace == Path::new(FIRST_NAMESPACE))
}

/// What `/proc/PID/ns/pid` names there (`PROC_PID_INIT_INO`, `include/linux/proc_ns.h`).
const FIRST_NAMESPACE: &str = "pid:[4026531836]";

/// Whether a process of the kernel's log was made after the one that started the command; none where numbers here and there are
/// not the same.
#[must_use]
pub fn is_younger(machine: &Machine, pid: u32) -> Option<bool> {
    let stat = machine.read(Path::new("/proc/self/stat")).ok()?;
    let own: u32 = stat.lossy().split_whitespace().next()?.parse().ok()?;
    pid_is_initial(machine).then_some(pid > own)
}
