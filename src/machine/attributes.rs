//! Access control lists and inode flags of files.

use super::{Answer, Machine, Unknown};
use crate::sys::attributes;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Flags that `chattr(1)` sets and that no mode shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InodeFlags {
    /// `i`: nobody may change, remove or link it.
    pub immutable: bool,
    /// `a`: it may only grow.
    pub append_only: bool,
}

/// Whom an entry of an access control list is for, acl(5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AclTag {
    /// The file's owner.
    Owner,
    /// The user of this id.
    User(u32),
    /// The file's group.
    OwningGroup,
    /// The group of this id.
    Group(u32),
    /// The most that named users and any group get.
    Mask,
    /// Everybody else.
    Other,
}

/// One entry: whom for, and the bits `rwx` as 4, 2, 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AclEntry {
    /// Whom for.
    pub tag: AclTag,
    /// Permission bits.
    pub bits: u32,
}

impl Machine {
    /// The access control list of a file itself, in the kernel's order; empty where it has none beyond its mode.
    ///
    /// # Errors
    /// Those of `lgetxattr(2)`.
    pub fn acl(&self, path: &Path) -> Answer<Vec<AclEntry>> {
        self.ask_path("acl", path, |path| match attributes::extended(path, c"system.posix_acl_access")? {
            Some(value) => parse(&value).ok_or_else(|| Unknown::Unsupported("an ACL of unknown form".into())),
            None => Ok(Vec::new()),
        })
    }

    /// The flags of a file itself.
    ///
    /// # Errors
    /// Those of `statx(2)`.
    pub fn inode_flags(&self, path: &Path) -> Answer<InodeFlags> {
        self.ask_path("flags", path, |path| {
            let flags = attributes::inode_flags(path)?;
            let has = |flag: i32| flags & u64::from(flag.unsigned_abs()) != 0;
            Ok(InodeFlags { immutable: has(libc::STATX_ATTR_IMMUTABLE), append_only: has(libc::STATX_ATTR_APPEND) })
        })
    }

    /// Bytes that a name may have in a directory (`f_namemax`).
    ///
    /// # Errors
    /// Those of `statvfs(3)`.
    pub fn longest_name(&self, directory: &Path) -> Answer<u64> {
        self.ask_path("longest-name", directory, |path| Ok(nix::sys::statvfs::statvfs(path)?.name_max()))
    }

    /// A number below `/proc/sys`, such as `fs/protected_regular`.
    ///
    /// # Errors
    /// Where the file cannot be read or holds no number.
    pub fn sysctl(&self, name: &str) -> Answer<u64> {
        let text = self.read(&Path::new("/proc/sys").join(name))?;
        text.lossy().trim().parse().map_err(|_| Unknown::Unsupported(format!("{name} is no number")))
    }
}

/// The form of the kernel's `include/uapi/linux/posix_acl_xattr.h`: a version of 2, then tag, bits and id of each entry.
fn parse(value: &[u8]) -> Option<Vec<AclEntry>> {
    let (version, entries) = value.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*version) != 2 || entries.len() % 8 != 0 {
        return None;
    }
    entries.chunks_exact(8).map(entry).collect()
}

fn entry(bytes: &[u8]) -> Option<AclEntry> {
    let [tag, tag_high, bits, bits_high, id @ ..] = <[u8; 8]>::try_from(bytes).ok()?;
    let id = u32::from_le_bytes(id);
    let tag = match u16::from_le_bytes([tag, tag_high]) {
        0x01 => AclTag::Owner,
        0x02 => AclTag::User(id),
        0x04 => AclTag::OwningGroup,
        0x08 => AclTag::Group(id),
        0x10 => AclTag::Mask,
        0x20 => AclTag::Other,
        _ => return None,
    };
    Some(AclEntry { tag, bits: u32::from(u16::from_le_bytes([bits, bits_high])) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acl_is_read_as_the_kernel_writes_it() {
        let value = [2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xe8, 3, 0, 0];
        let owner = AclEntry { tag: AclTag::Owner, bits: 6 };
        assert_eq!(parse(&value), Some(vec![owner, AclEntry { tag: AclTag::User(1000), bits: 4 }]));
    }

    #[test]
    fn an_acl_that_is_cut_is_not_guessed() {
        for length in [0, 3, 5, 11] {
            assert_eq!(parse(&[2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255][..length]), None, "{length}");
        }
    }
}
