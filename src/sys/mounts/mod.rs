//! The mount table, `proc_pid_mountinfo(5)`.

mod asked;
mod outline;
mod table;

pub use outline::{Line, Outline};
pub use table::{Row, Table};

use super::errno::Errno;
use super::file;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Mount id.
    pub id: u64,
    /// Id of the mount that this one lies on.
    pub parent: u64,
    /// Major and minor number of the device (`st_dev` of its files, but for btrfs).
    pub device: (u32, u32),
    /// The directory of the filesystem that is mounted here.
    pub root: PathBuf,
    /// Where it is mounted.
    pub point: PathBuf,
    /// Options of the mount (`ro`, `noexec`, …).
    pub options: Vec<String>,
    /// Type of the filesystem, with its subtype (`fuse.sshfs`).
    pub fstype: String,
    /// What is mounted: a device, a server's directory, or a word.
    pub source: OsString,
    /// Options of the filesystem (`size=1048576k`, `nr_inodes=44492`).
    pub super_options: Vec<String>,
}

impl Mount {
    /// The value of an option of the mount or the filesystem; `Some("")` for one without a value.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.super_options.iter().chain(&self.options).find_map(|option| {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            (key == name).then_some(value)
        })
    }
}

impl Row for Mount {
    fn id(&self) -> u64 {
        self.id
    }

    fn parent(&self) -> u64 {
        self.parent
    }

    fn point(&self) -> &Path {
        &self.point
    }

    fn fstype(&self) -> &str {
        &self.fstype
    }

    fn is_read_only(&self) -> bool {
        self.option("ro").is_some()
    }
}

/// All mounts of the process, in the order of the table.
pub type Mounts = Table<Mount>;

/// The text of the own mount table, `proc_pid_mountinfo(5)`; without a /proc the kernel is asked mount by mount.
///
/// # Errors
/// Those of `open(2)` and `read(2)`, where the kernel cannot be asked either.
pub fn table() -> Result<Vec<u8>, Errno> {
    file::read("/proc/self/mountinfo").or_else(|errno| asked::table().map_err(|_| errno))
}

impl Mounts {
    /// Reads a table; lines that are not understood are passed over.
    #[must_use]
    pub fn parse(table: &[u8]) -> Self {
        Self(table.split(|byte| *byte == b'\n').filter_map(mount).collect())
    }
}

fn mount(line: &[u8]) -> Option<Mount> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let separator = fields.iter().position(|field| *field == b"-")?;
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    let number = |field: &[u8]| text(field).parse().ok();
    let list = |field: &[u8]| text(field).split(',').map(str::to_owned).collect();
    let device = text(fields.get(2)?);
    let (major, minor) = device.split_once(':')?;
    Some(Mount {
        id: number(fields.first()?)?,
        parent: number(fields.get(1)?)?,
        device: (major.parse().ok()?, minor.parse().ok()?),
        root: unescaped(fields.get(3)?).into(),
        point: unescaped(fields.get(4)?).into(),
        options: list(fields.get(5)?),
        fstype: text(fields.get(separator + 1)?),
        source: unescaped(fields.get(separator + 2)?),
        super_options: list(fields.get(separator + 3)?),
    })
}

/// The kernel writes space, tab, newline and backslash as three octal digits; so does fstab(5).
#[must_use]
pub fn unescaped(field: &[u8]) -> OsString {
    if !field.contains(&b'\\') {
        return OsString::from_vec(field.to_vec());
    }
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, tail)) = rest.split_first() {
        let octal = || std::str::from_utf8(tail.get(..3)?).ok().and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let (b'\\', Some(value)) = (byte, octal()) {
            out.push(value);
            rest = &tail[3..];
        } else {
            out.push(byte);
            rest = tail;
        }
    }
    OsString::from_vec(out)
}

impl Mount {
    /// Whether the filesystem holds no files of its own (`proc`, `sysfs`, …).
    #[must_use]
    pub fn is_pseudo(&self) -> bool {
        Row::is_pseudo(self)
    }

    /// Whether a question to it may block: network filesystems and FUSE.
    #[must_use]
    pub fn may_block(&self) -> bool {
        Row::may_block(self)
    }

    /// Whether it is the RAM filesystem whose limits are mount options, tmpfs(5).
    #[must_use]
    pub fn is_tmpfs(&self) -> bool {
        self.fstype == "tmpfs"
    }

    /// Bytes of the source, for comparing with `/etc/fstab`.
    #[must_use]
    pub fn source_bytes(&self) -> &[u8] {
        self.source.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const TABLE: &[u8] = b"21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        30 21 0:27 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw,size=1048576k,nr_inodes=44492\n\
        31 21 0:28 / /mnt/a\\040b ro - fuse.sshfs host:/x rw\nnonsense\n";

    #[test]
    fn the_deepest_mount_holds_a_path() {
        let mounts = Mounts::parse(TABLE);
        let held = |path: &str| mounts.holding(Path::new(path)).map(|mount| mount.id);
        assert_eq!([Some(30), Some(30), Some(21), Some(31)], ["/tmp", "/tmp/x", "/tmpx", "/mnt/a b/c"].map(held));
    }

    #[test]
    fn a_mount_that_a_later_one_covers_holds_nothing() {
        let mounts = Mounts::parse(
            b"21 1 254:0 / / rw - ext4 /dev/vda rw\n30 21 0:27 / /a/b rw - tmpfs b rw\n\
            31 30 0:29 / /a/b/c rw - tmpfs c rw\n32 21 0:28 / /a ro - tmpfs a rw\n",
        );
        let held = |path: &str| mounts.holding(Path::new(path)).map(|mount| mount.id);
        assert_eq!([Some(32), Some(32), Some(21)], ["/a/b/c/d", "/a/b", "/b"].map(held));
    }

    #[test]
    fn a_table_whose_mounts_lie_on_each_other_is_read_all_the_same() {
        let mounts = Mounts::parse(b"1 2 0:1 / / rw - tmpfs a rw\n2 1 0:2 / /b rw - tmpfs b rw\n");
        assert_eq!(mounts.holding(Path::new("/b")).map(|mount| mount.id), Some(2));
    }

    #[test]
    fn options_are_found_with_their_values() {
        let mounts = Mounts::parse(TABLE);
        let tmp = mounts.at(Path::new("/tmp")).unwrap();
        assert_eq!((Some("44492"), Some(""), None), (tmp.option("nr_inodes"), tmp.option("nodev"), tmp.option("ro")));
    }

    #[test]
    fn what_lies_behind_a_server_that_may_be_gone_may_block() {
        let mounts = Mounts::parse(
            b"21 1 0:20 / / rw - virtiofs root rw\n30 21 0:27 / /far rw - fuse.sshfs h:/ rw\n31 30 0:28 / /far/local rw - tmpfs t rw\n\
              32 31 0:29 / /far/local/deep rw - tmpfs t rw\n40 21 0:30 / /covered rw - nfs h:/ rw\n41 40 0:31 / /covered rw - tmpfs t rw\n\
              50 21 0:32 / /near rw - tmpfs t rw\n",
        );
        let paths = ["/far/x", "/far/local/x", "/far/local/deep/x", "/covered/x", "/near/x", "/etc"];
        assert_eq!(paths.map(|path| mounts.may_block(Path::new(path))), [true, true, true, false, false, true]);
    }
}
