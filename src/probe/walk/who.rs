//! Whose rights a walk judges by: ids, groups, capabilities, and which ids those capabilities reach.

use crate::machine::{Identity, Machine, Stat};

/// What the kernel shows for an id that has no mapping in the user namespace, `/proc/sys/kernel/overflowuid`.
pub const OVERFLOW: u32 = 65534;

/// An identity in its user namespace.
#[derive(Clone, Debug)]
pub struct Who {
    identity: Identity,
    uids: IdMap,
    gids: IdMap,
}

impl Who {
    /// The child's own.
    #[must_use]
    pub fn of_child(machine: &Machine) -> Self {
        Self::of(machine, machine.surroundings().identity.clone())
    }

    /// Somebody else in the same user namespace.
    #[must_use]
    pub fn of(machine: &Machine, identity: Identity) -> Self {
        Self { identity, uids: IdMap::of(machine, "uid_map"), gids: IdMap::of(machine, "gid_map") }
    }

    /// Ids, groups and capabilities.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether it owns a file.
    #[must_use]
    pub fn owns(&self, stat: &Stat) -> bool {
        self.is_user(stat.uid)
    }

    /// Whether this is its user id.
    #[must_use]
    pub fn is_user(&self, uid: u32) -> bool {
        self.identity.uid == uid
    }

    /// Whether it is in a group.
    #[must_use]
    pub fn is_in(&self, gid: u32) -> bool {
        self.identity.gid == gid || self.identity.groups.contains(&gid)
    }

    /// Whether it has a capability that counts for this file: its owner and group must be mapped,
    /// `capable_wrt_inode_uidgid` of the kernel's `kernel/capability.c`.
    #[must_use]
    pub fn has_over(&self, capability: u32, stat: &Stat) -> bool {
        self.identity.has(capability) && self.maps_owner(stat)
    }

    /// Whether the owner and the group of a file are mapped.
    #[must_use]
    pub fn maps_owner(&self, stat: &Stat) -> bool {
        self.uids.maps(stat.uid) && self.gids.maps(stat.gid)
    }

    /// Whether a user id can be given to a file here.
    #[must_use]
    pub fn maps_uid(&self, uid: u32) -> bool {
        self.uids.maps(uid)
    }

    /// Whether a group id can be given to a file here.
    #[must_use]
    pub fn maps_gid(&self, gid: u32) -> bool {
        self.gids.maps(gid)
    }

    /// Whether it is in a user namespace that maps a part of the ids alone.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        !self.uids.is_whole()
    }
}

/// Ranges of ids that are mapped, `user_namespaces(7)`.
#[derive(Clone, Debug)]
struct IdMap(Vec<(u32, u32)>);

impl IdMap {
    fn of(machine: &Machine, name: &str) -> Self {
        let path = format!("/proc/self/{name}");
        // Without /proc nothing is known of a namespace, and most processes are in the first one.
        machine.read(path.as_ref()).map_or_else(|_| Self(vec![(0, u32::MAX)]), |map| Self::parse(&map.lossy()))
    }

    fn parse(map: &str) -> Self {
        let range = |line: &str| {
            let numbers: Vec<u32> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
            let [inside, _, count] = numbers[..] else { return None };
            Some((inside, count))
        };
        Self(map.lines().filter_map(range).collect())
    }

    fn maps(&self, id: u32) -> bool {
        self.0.iter().any(|(first, count)| id.checked_sub(*first).is_some_and(|offset| offset < *count))
    }

    fn is_whole(&self) -> bool {
        self.0 == [(0, u32::MAX)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_outside_of_every_range_is_not_mapped() {
        let map = IdMap::parse("         0       1000          1\n         1     100000      65536\n");
        assert_eq!([0, 1, 65536, 65537].map(|id| map.maps(id)), [true, true, true, false]);
    }

    #[test]
    fn the_first_user_namespace_maps_all() {
        let map = IdMap::parse("         0          0 4294967295\n");
        assert!(map.maps(OVERFLOW) && map.is_whole());
    }
}
