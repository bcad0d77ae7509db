//! The mount table where there is no /proc to read it from: `listmount(2)` and `statmount(2)`, since Linux 6.8. It is written in
//! the form of `proc_pid_mountinfo(5)`, so that whoever reads one reads the other.

use super::super::errno::Errno;
use std::io::Write;

/// `LSMT_ROOT` of linux/mount.h: below the own root directory.
const OWN_ROOT: u64 = u64::MAX;
/// What is asked of a mount, `STATMOUNT_` of linux/mount.h: `SB_BASIC`, `MNT_BASIC`, `MNT_ROOT`, `MNT_POINT`, `FS_TYPE`, `MNT_OPTS`,
/// `FS_SUBTYPE`, `SB_SOURCE`. An older kernel answers fewer.
const WANTED: u64 = 0x1 | 0x2 | 0x8 | 0x10 | 0x20 | 0x80 | 0x100 | 0x200;
/// `SB_RDONLY` of linux/fs.h.
const READ_ONLY: u32 = 1;
/// Options of a mount, `MOUNT_ATTR_` of `mount_setattr(2)`, as the table names them.
const OPTIONS: [(u64, &str); 3] = [(0x2, "nosuid"), (0x4, "nodev"), (0x8, "noexec")];
/// `MOUNT_ATTR_RDONLY` of the same.
const NO_WRITES: u64 = 0x1;
/// The calls' numbers, which newer architectures share: linux/unistd.h.
const STATMOUNT: libc::c_long = 457;
const LISTMOUNT: libc::c_long = 458;
/// Mounts that are listed by one call.
const AT_ONCE: usize = 256;
/// Bytes of the words about one mount at most.
const WORDS: usize = 16 << 10;

/// `struct mnt_id_req` of linux/mount.h in its first version.
#[repr(C)]
struct Request {
    size: u32,
    spare: u32,
    mount: u64,
    /// The last one that is known, or what is asked.
    parameter: u64,
}

impl Request {
    fn new(mount: u64, parameter: u64) -> Self {
        Self { size: 24, spare: 0, mount, parameter }
    }
}

/// `struct statmount` of linux/mount.h, with room for the words; each number with the name of words is where they begin there.
#[repr(C)]
struct Answer {
    size: u32,
    super_options: u32,
    mask: u64,
    device: [u32; 2],
    magic: u64,
    super_flags: u32,
    fstype: u32,
    unique_ids: [u64; 2],
    id: u32,
    parent: u32,
    attributes: u64,
    propagation: [u64; 4],
    root: u32,
    point: u32,
    namespace: u64,
    subtype: u32,
    source: u32,
    later: [u64; 48],
    words: [u8; WORDS],
}

/// The table.
///
/// # Errors
/// ENOSYS before Linux 6.8; EPERM where a filter of seccomp(2) does not know the calls.
pub fn table() -> Result<Vec<u8>, Errno> {
    let mut text = Vec::new();
    let (mut last, mut ids) = (0, [0_u64; AT_ONCE]);
    loop {
        let count = list(last, &mut ids)?;
        for id in &ids[..count] {
            // One that has gone meanwhile, or lies outside the own root, is no line.
            if let Ok(answer) = ask(*id) {
                answer.line(&mut text);
            }
        }
        if count < AT_ONCE {
            return Ok(text);
        }
        last = ids[count - 1];
    }
}

fn list(after: u64, ids: &mut [u64; AT_ONCE]) -> Result<usize, Errno> {
    let request = Request::new(OWN_ROOT, after);
    // SAFETY: the request has the size that it says, and the kernel writes no more ids than there is room for.
    let count = unsafe { libc::syscall(LISTMOUNT, &raw const request, ids.as_mut_ptr(), AT_ONCE, 0) };
    usize::try_from(count).map_err(|_| Errno::last())
}

fn ask(mount: u64) -> Result<Box<Answer>, Errno> {
    let request = Request::new(mount, WANTED);
    // SAFETY: all-zero bytes are a valid answer, a struct of integers.
    let mut answer: Box<Answer> = Box::new(unsafe { std::mem::zeroed() });
    let place: *mut Answer = &raw mut *answer;
    // SAFETY: the request has the size that it says, and the kernel writes no more than the size of the answer.
    let done = unsafe { libc::syscall(STATMOUNT, &raw const request, place, size_of::<Answer>(), 0) };
    if done < 0 { Err(Errno::last()) } else { Ok(answer) }
}

impl Answer {
    fn line(&self, text: &mut Vec<u8>) {
        let [major, minor] = self.device;
        let _ = write!(text, "{} {} {major}:{minor} ", self.id, self.parent);
        escape(self.words_at(0x8, self.root), text);
        text.push(b' ');
        escape(self.words_at(0x10, self.point), text);
        let access = if self.attributes & NO_WRITES == 0 { "rw" } else { "ro" };
        let _ = write!(text, " {access}");
        for (_, option) in OPTIONS.iter().filter(|(attribute, _)| self.attributes & attribute != 0) {
            let _ = write!(text, ",{option}");
        }
        text.extend(b" - ");
        text.extend(self.words_at(0x20, self.fstype));
        let subtype = self.words_at(0x100, self.subtype);
        if !subtype.is_empty() {
            text.push(b'.');
            text.extend(subtype);
        }
        text.push(b' ');
        let source = self.words_at(0x200, self.source);
        escape(if source.is_empty() { b"none" } else { source }, text);
        text.extend(if self.super_flags & READ_ONLY == 0 { b" rw" } else { b" ro" });
        let options = self.words_at(0x80, self.super_options);
        if !options.is_empty() {
            text.push(b',');
            escape(options, text);
        }
        text.push(b'\n');
    }

    /// Words that the kernel has given.
    fn words_at(&self, given: u64, start: u32) -> &[u8] {
        let start = usize::try_from(start).unwrap_or(WORDS).min(WORDS);
        let words = if self.mask & given == 0 { b"" } else { &self.words[start..] };
        words.split(|byte| *byte == 0).next().unwrap_or_default()
    }
}

/// As the kernel writes it in the table.
fn escape(words: &[u8], text: &mut Vec<u8>) {
    for byte in words {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => {
                let _ = write!(text, "\\{byte:03o}");
            }
            _ => text.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mounts, Row};
    use super::*;
    use crate::sys::file;
    use std::path::Path;

    #[test]
    fn it_says_what_the_table_of_proc_says() {
        // An older kernel has no such calls.
        let Ok(asked) = table() else { return };
        let (asked, read) = (Mounts::parse(&asked), Mounts::parse(&file::read("/proc/self/mountinfo").unwrap()));
        let told = |mounts: &Mounts| {
            let row = |row: &super::super::Mount| {
                (row.id, row.parent, row.device, row.point.clone(), row.fstype.clone(), row.is_read_only())
            };
            let mut rows: Vec<_> = mounts.0.iter().map(row).collect();
            rows.sort();
            rows
        };
        assert_eq!(told(&asked), told(&read));
        for path in ["/", "/tmp", "/proc/1", "/dev/shm/x"].map(Path::new) {
            assert_eq!(asked.holding(path).map(|row| row.id), read.holding(path).map(|row| row.id));
        }
    }

    #[test]
    fn what_would_end_a_field_is_escaped() {
        let mut text = Vec::new();
        escape(b"/a b\\c\n", &mut text);
        assert_eq!(text, b"/a\\040b\\134c\\012");
    }
}
