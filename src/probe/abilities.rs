//! What types of filesystems cannot do: a table of the kernel's missing operations. An inode operation that a type does not have is
//! answered by the VFS itself, for root too; network and FUSE filesystems answer for their server or program.

use crate::sys::mounts::Mount;

/// Something that not every filesystem can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// Symbolic links.
    Symlink,
    /// Hard links.
    HardLink,
    /// FIFOs, sockets and device files.
    SpecialFile,
    /// Keeping a mode, with its execute bits.
    Mode,
    /// Keeping an owner and a group.
    Owner,
    /// Extended attributes and access control lists.
    Attributes,
    /// Locks, fcntl(2) and flock(2).
    Lock,
    /// Mapping a file into memory, shared.
    Map,
    /// Files and directories that programs make.
    Entries,
    /// Bytes by write(2): huge pages can only be mapped.
    Write,
    /// Reads and writes past the page cache, `O_DIRECT` of open(2).
    Direct,
    /// Copies that share their blocks, `ioctl_ficlone(2)`.
    Clone,
    /// Attributes of chattr(1), `ioctl_iflags(2)`.
    Flags,
    /// Space that is set aside or given back, fallocate(2).
    Allocate,
    /// Files without a name, `O_TMPFILE` of open(2).
    Unnamed,
}

impl Ability {
    /// As a report names it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Symlink => "symbolic links",
            Self::HardLink => "hard links",
            Self::SpecialFile => "FIFOs, sockets or device files",
            Self::Mode => "permissions of single files",
            Self::Owner => "owners of single files",
            Self::Attributes => "extended attributes",
            Self::Lock => "locks",
            Self::Map => "shared mappings of files",
            Self::Entries => "files and directories but its own",
            Self::Write => "writes to files, which can only be mapped",
            Self::Direct => "direct input and output (O_DIRECT)",
            Self::Clone => "copies that share their blocks (reflink)",
            Self::Flags => "attributes of chattr",
            Self::Allocate => "allocation of space ahead (fallocate)",
            Self::Unnamed => "files without a name (O_TMPFILE)",
        }
    }
}

/// Whether a type lacks an ability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Whatever its options.
    Always,
    /// It depends on its options, its server, or the program behind it.
    Depends,
}

/// Types that keep names, sizes and times alone. Sources: `fs/fat/namei_vfat.c`, `fs/exfat/namei.c`.
const PLAIN: &[&str] = &["exfat", "msdos", "vfat"];
/// Directories of a virtual machine's host.
const SHARED: &[&str] = &["fuse.vmhgfs-fuse", "prl_fs", "vboxsf", "vmhgfs"];
/// Filesystems of the kernel's own objects: nothing is made in them but what it makes.
const OBJECTS: &[&str] = &[
    "binfmt_misc",
    "cgroup",
    "cgroup2",
    "debugfs",
    "devpts",
    "efivarfs",
    "proc",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];
/// Of these, those in which directories are not made either: control groups and traces are made by mkdir(2).
const FIXED: &[&str] = &["binfmt_misc", "debugfs", "devpts", "efivarfs", "proc", "securityfs", "selinuxfs", "sysfs"];
/// Filesystems that are pages of memory and no more, `fs/ramfs/file-mmu.c`, `fs/hugetlbfs/inode.c`.
const IN_MEMORY: &[&str] = &["hugetlbfs", "ramfs"];
/// Filesystems without `remap_file_range`.
const WITHOUT_SHARING: &[&str] = &["ext2", "ext3", "ext4", "f2fs", "iso9660", "jfs", "squashfs", "tmpfs", "udf"];
/// Filesystems of a server.
const REMOTE: &[&str] = &["9p", "ceph", "cifs", "nfs", "nfs4", "smb3", "virtiofs"];
/// Of these, those whose server may know no special files, modes or owners.
const FOREIGN: &[&str] = &["9p", "cifs", "smb3"];

/// Whether the filesystem of a mount lacks an ability; none where it has it or nothing is known.
#[must_use]
pub fn lack(mount: &Mount, ability: Ability) -> Option<Lack> {
    use Ability::{
        Allocate, Attributes, Clone, Direct, Entries, Flags, HardLink, Lock, Map, Mode, Owner, SpecialFile, Symlink,
        Unnamed, Write,
    };
    let kind = mount.fstype.as_str();
    let is_any_of = |kinds: &[&str]| kinds.contains(&kind);
    let depends = || may_lack(kind, ability).then_some(Lack::Depends);
    if mount.is_fuse() && !is_any_of(SHARED) {
        return Some(Lack::Depends);
    }
    let is_always = match ability {
        Symlink => is_any_of(PLAIN) || is_any_of(OBJECTS) || kind == "hugetlbfs",
        HardLink | SpecialFile => is_any_of(PLAIN) || is_any_of(OBJECTS) || kind == "vboxsf",
        Mode | Owner => is_any_of(PLAIN) || kind == "vboxsf",
        Attributes => is_any_of(PLAIN) || kind == "ramfs" || kind == "vboxsf",
        Lock | Map => false,
        Entries => is_any_of(FIXED),
        Write => kind == "hugetlbfs",
        Direct | Flags => is_any_of(IN_MEMORY) || is_any_of(OBJECTS),
        Allocate => kind == "ramfs" || is_any_of(OBJECTS),
        Clone => is_any_of(WITHOUT_SHARING) || is_any_of(IN_MEMORY) || is_any_of(OBJECTS) || is_any_of(PLAIN),
        Unnamed => is_any_of(PLAIN) || is_any_of(OBJECTS),
    };
    if is_always { Some(Lack::Always) } else { depends() }
}

fn may_lack(kind: &str, ability: Ability) -> bool {
    use Ability::{
        Allocate, Attributes, Clone, Direct, Entries, Flags, HardLink, Lock, Map, Mode, Owner, SpecialFile, Symlink,
        Unnamed, Write,
    };
    let is_shared = SHARED.contains(&kind);
    let is_foreign = FOREIGN.contains(&kind) || matches!(kind, "ntfs" | "ntfs3" | "hfs" | "hfsplus");
    match ability {
        Symlink | HardLink | SpecialFile | Mode | Owner => is_shared || is_foreign,
        Entries | Write => false,
        // A filesystem may be made without it, and older kernels know less.
        Clone => is_shared || REMOTE.contains(&kind) || matches!(kind, "xfs" | "overlay" | "zfs"),
        Direct | Flags | Unnamed | Allocate => {
            is_shared || REMOTE.contains(&kind) || matches!(kind, "tmpfs" | "overlay" | "zfs") || PLAIN.contains(&kind)
        }
        Attributes | Lock | Map => is_shared || REMOTE.contains(&kind) || kind == "tmpfs" && ability == Attributes,
    }
}

impl Mount {
    /// Whether a program in user space answers for it, fuse(4).
    #[must_use]
    pub fn is_fuse(&self) -> bool {
        self.fstype == "fuse" || self.fstype == "fuseblk" || self.fstype.starts_with("fuse.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mounts::Mounts;

    fn lacks(kind: &str, ability: Ability) -> Option<Lack> {
        let table = format!("21 1 8:1 / / rw - {kind} none rw\n");
        lack(&Mounts::parse(table.as_bytes()).0[0], ability)
    }

    #[test]
    fn the_filesystem_of_memory_sticks_has_neither_links_nor_modes() {
        for ability in [Ability::Symlink, Ability::HardLink, Ability::SpecialFile, Ability::Mode, Ability::Owner] {
            assert_eq!(lacks("vfat", ability), Some(Lack::Always), "{ability:?}");
        }
        assert_eq!(lacks("vfat", Ability::Lock), None);
    }

    #[test]
    fn what_a_server_or_a_program_can_do_depends() {
        let known = [
            ("nfs4", Ability::Lock),
            ("cifs", Ability::Symlink),
            ("fuse.sshfs", Ability::HardLink),
            ("fuseblk", Ability::Symlink),
        ];
        for (kind, ability) in known {
            assert_eq!(lacks(kind, ability), Some(Lack::Depends), "{kind}");
        }
    }

    #[test]
    fn the_filesystems_of_linux_can_do_all() {
        for kind in ["ext4", "xfs", "btrfs", "overlay"] {
            assert_eq!(lacks(kind, Ability::Symlink), None);
            assert_eq!(lacks(kind, Ability::Attributes), None);
        }
    }
}
