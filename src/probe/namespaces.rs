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
