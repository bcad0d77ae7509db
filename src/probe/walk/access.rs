//! Whether an identity may read, write or search one file: permission bits, access control list and capabilities in the
//! order of the kernel (`fs/namei.c`: `generic_permission` and `acl_permission_check`; `fs/posix_acl.c`: `posix_acl_permission`).

use super::who::Who;
use crate::machine::{AclEntry, AclTag, Identity, Kind, Machine, Stat};
use std::path::Path;

/// What is asked of a file; several at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access(u32);

impl Access {
    /// Reading a file, listing a directory.
    pub const READ: Self = Self(4);
    /// Writing to a file; making, renaming and removing names in a directory.
    pub const WRITE: Self = Self(2);
    /// Executing a file.
    pub const EXECUTE: Self = Self(1);
    /// Reaching what is in a directory.
    pub const SEARCH: Self = Self(1);
    /// Making, renaming and removing names in a directory that has to be searched for them.
    pub const CHANGE: Self = Self(3);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether nothing of this is missing in permission bits.
    fn is_in(self, bits: u32) -> bool {
        bits & self.0 == self.0
    }

    /// As in `ls -l`: `wx`.
    #[must_use]
    pub fn letters(self) -> String {
        self.missing_in(0)
    }

    /// What of this is missing in permission bits.
    #[must_use]
    pub fn missing_in(self, bits: u32) -> String {
        let lacks = |bit: u32| self.0 & !bits & bit != 0;
        [(4, 'r'), (2, 'w'), (1, 'x')].into_iter().filter(|(bit, _)| lacks(*bit)).map(|(_, letter)| letter).collect()
    }
}

/// Whose permission bits decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It owns the file.
    Owner,
    /// It is in the file's group.
    Group,
    /// Neither.
    Other,
    /// An entry of the access control list names its user.
    NamedUser,
    /// Entries of the access control list are for groups that it is in, and none grants it.
    NamedGroup,
}

/// A refusal by the permission bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was asked.
    pub access: Access,
    /// The file that refuses.
    pub stat: Stat,
    /// Whose bits decided.
    pub class: Class,
    /// Those bits.
    pub bits: u32,
    /// Whether an entry would have granted it and the list's mask took it away.
    pub masked: bool,
    /// Whether it has an access control list beyond its mode.
    pub has_acl: bool,
}

/// What of an access the permission bits refuse, capabilities considered.
pub fn refusal(machine: &Machine, who: &Who, path: &Path, stat: &Stat, access: Access) -> Option<Box<Refusal>> {
    if is_privileged(who, stat, access) {
        return None;
    }
    let (decision, has_acl) = decide(machine, who, path, stat, access);
    if decision.granted {
        return None;
    }
    let Decision { class, bits, masked, .. } = decision;
    Some(Box::new(Refusal { access, stat: stat.clone(), class, bits, masked, has_acl }))
}

/// Whether capabilities grant what no permission bits need to.
fn is_privileged(who: &Who, stat: &Stat, access: Access) -> bool {
    let writes = access.0 & Access::WRITE.0 != 0;
    let executes = access.0 & Access::EXECUTE.0 != 0;
    let is_directory = stat.kind == Kind::Directory;
    let only_looks = if is_directory { !writes } else { access == Access::READ };
    // Even root executes no file that nobody may execute.
    let may_override = is_directory || !executes || stat.mode & 0o111 != 0;
    only_looks && who.has_over(Identity::DAC_READ_SEARCH, stat)
        || may_override && who.has_over(Identity::DAC_OVERRIDE, stat)
}

struct Decision {
    class: Class,
    bits: u32,
    granted: bool,
    masked: bool,
}

impl Decision {
    fn by_bits(class: Class, bits: u32, access: Access) -> Self {
        Self { class, bits, granted: access.is_in(bits), masked: false }
    }
}

fn decide(machine: &Machine, who: &Who, path: &Path, stat: &Stat, access: Access) -> (Decision, bool) {
    if who.owns(stat) {
        return (Decision::by_bits(Class::Owner, stat.mode >> 6 & 7, access), false);
    }
    // The kernel does not look at a list whose mask, which stands in the group's bits, is empty.
    let acl = if stat.mode & 0o070 == 0 { Vec::new() } else { machine.acl(path).unwrap_or_default() };
    if !acl.is_empty() {
        return (by_list(who, stat, &acl, access), true);
    }
    let (class, bits) =
        if who.is_in(stat.gid) { (Class::Group, stat.mode >> 3 & 7) } else { (Class::Other, stat.mode & 7) };
    (Decision::by_bits(class, bits, access), false)
}

fn by_list(who: &Who, stat: &Stat, acl: &[AclEntry], access: Access) -> Decision {
    let mask = acl.iter().find(|entry| entry.tag == AclTag::Mask).map_or(7, |mask| mask.bits);
    let under_mask = |class, bits: u32| {
        let granted = access.is_in(bits & mask);
        Decision { class, bits: bits & mask, granted, masked: !granted && access.is_in(bits) }
    };
    let user = acl.iter().find(|entry| matches!(entry.tag, AclTag::User(uid) if who.is_user(uid)));
    if let Some(entry) = user {
        return under_mask(Class::NamedUser, entry.bits);
    }
    let groups: Vec<(Class, u32)> = acl.iter().filter_map(|entry| group_entry(who, stat, entry)).collect();
    // One group must grant all of it: the entries are not added up.
    if let Some((class, bits)) = groups.iter().find(|(_, bits)| access.is_in(*bits)).or(groups.last()) {
        return under_mask(*class, *bits);
    }
    let others = acl.iter().find(|entry| entry.tag == AclTag::Other).map_or(stat.mode & 7, |entry| entry.bits);
    Decision::by_bits(Class::Other, others, access)
}

fn group_entry(who: &Who, stat: &Stat, entry: &AclEntry) -> Option<(Class, u32)> {
    match entry.tag {
        AclTag::OwningGroup if who.is_in(stat.gid) => Some((Class::Group, entry.bits)),
        AclTag::Group(gid) if who.is_in(gid) => Some((Class::NamedGroup, entry.bits)),
        _ => None,
    }
}
