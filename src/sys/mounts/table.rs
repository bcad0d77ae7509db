//! Which mount holds a path: the rules are the same however much of a table was read.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Filesystems that are not storage: their counters say nothing about space.
const PSEUDO: &[&str] = &[
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "efivarfs",
    "fusectl",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];

/// Filesystems whose server may be gone, so that a question to them may never be answered.
const REMOTE: &[&str] = &[
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "smb3",
    "smbfs",
    "virtiofs",
];

/// One mount, as far as it decides which mount holds a path.
pub trait Row {
    /// Mount id.
    fn id(&self) -> u64;
    /// Id of the mount that this one lies on.
    fn parent(&self) -> u64;
    /// Where it is mounted.
    fn point(&self) -> &Path;
    /// Type of the filesystem, with its subtype.
    fn fstype(&self) -> &str;
    /// Whether the mount or its filesystem takes no writes.
    fn is_read_only(&self) -> bool;

    /// Whether the filesystem holds no files of its own (`proc`, `sysfs`, …).
    fn is_pseudo(&self) -> bool {
        PSEUDO.contains(&self.fstype())
    }

    /// Whether a question to it may block: network filesystems and FUSE.
    fn may_block(&self) -> bool {
        may_block(self.fstype())
    }
}

/// The same of a type.
pub(super) fn may_block(fstype: &str) -> bool {
    fstype.starts_with("fuse") || fstype == "autofs" || REMOTE.contains(&fstype)
}

/// Mounts, in the order of the kernel's table.
#[derive(Clone, Debug)]
pub struct Table<R>(pub Vec<R>);

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R: Row> Table<R> {
    /// The mount that holds a path, which must be absolute and without links (see [`crate::probe::path::resolve`]).
    #[must_use]
    pub fn holding(&self, path: &Path) -> Option<&R> {
        let length = |mount: &R| mount.point().as_os_str().len();
        self.0.iter().fold(None, |deepest, mount| {
            let is_deeper = deepest.is_none_or(|deepest| length(mount) >= length(deepest));
            let holds = is_deeper && lies_below(path, mount.point()) && !self.is_hidden(mount);
            if holds { Some(mount) } else { deepest }
        })
    }

    /// Whether a later mount on a directory above covers this one or one that it lies on: had that been there first, this one would
    /// lie on it.
    fn is_hidden(&self, mount: &R) -> bool {
        let parent = |mount: &&R| self.0.iter().find(|parent| parent.id() == mount.parent());
        std::iter::successors(Some(mount), parent).take(self.0.len()).any(|mount| self.is_covered(mount))
    }

    fn is_covered(&self, mount: &R) -> bool {
        let covers = |later: &R| {
            later.parent() == mount.parent()
                && later.point() != mount.point()
                && lies_below(mount.point(), later.point())
        };
        self.0.iter().rev().take_while(|later| later.id() != mount.id()).any(covers)
    }

    /// Whether a question about this path may never be answered: it lies on a filesystem whose server may be gone, or behind one.
    /// A root that does not answer is not asked about, since nothing runs there.
    #[must_use]
    pub fn may_block(&self, path: &Path) -> bool {
        self.holding(path).is_some_and(|mount| mount.may_block() || self.lies_behind_one_that_may_block(mount))
    }

    /// A mount that only covers another is reached without a question to that one.
    fn lies_behind_one_that_may_block(&self, mount: &R) -> bool {
        let above = |mount: &R| self.0.iter().find(|above| above.id() == mount.parent() && above.id() != mount.id());
        let steps =
            std::iter::successors(Some((mount, above(mount))), |(_, above_it)| above_it.map(|it| (it, above(it))));
        steps
            .take(self.0.len())
            .filter_map(|(mount, above)| above.filter(|above| above.point() != mount.point()))
            .any(|above| above.may_block() && above.point() != Path::new("/"))
    }

    /// The topmost mount at exactly this point.
    #[must_use]
    pub fn at(&self, point: &Path) -> Option<&R> {
        self.0.iter().rev().find(|mount| mount.point() == point)
    }
}

/// Whether a path is a mount point or lies below it. The kernel writes points in their shortest form, so that bytes nearly always
/// decide; a path that is written otherwise is taken apart.
fn lies_below(path: &Path, point: &Path) -> bool {
    let (path_bytes, point_bytes) = (path.as_os_str().as_bytes(), point.as_os_str().as_bytes());
    match path_bytes.strip_prefix(point_bytes) {
        Some(rest) if rest.is_empty() || rest[0] == b'/' || point_bytes == b"/" => true,
        _ => is_written_oddly(path_bytes) && path.starts_with(point),
    }
}

/// Whether a path may have empty names or dots in it.
fn is_written_oddly(path: &[u8]) -> bool {
    path.windows(2).any(|pair| pair == b"//" || pair == b"/.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lies_below_whole_names_alone_however_it_is_written() {
        let below = |path: &str, point: &str| lies_below(Path::new(path), Path::new(point));
        assert!(
            [("/a/b", "/a"), ("/a", "/a"), ("/a", "/"), ("/", "/"), ("//a/./b", "/a/b")]
                .iter()
                .all(|(a, b)| below(a, b))
        );
        assert!(![("/ab", "/a"), ("/a", "/a/b"), ("/.a", "/a"), ("a", "/")].iter().any(|(a, b)| below(a, b)));
    }
}
