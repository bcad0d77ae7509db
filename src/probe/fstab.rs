//! What `/etc/fstab` asks for, fstab(5): to tell a mount that is as it was wanted from one that is not.

use crate::machine::{Answer, Machine};
use crate::sys::mounts::unescaped;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: usize,
    /// What is to be mounted: a device, `UUID=…`, `LABEL=…`, a server's directory.
    pub source: OsString,
    /// Where.
    pub point: PathBuf,
    /// The type, `auto` included.
    pub fstype: String,
    /// Options, as they are written.
    pub options: Vec<String>,
}

impl Line {
    /// Whether an option is there.
    #[must_use]
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|own| own == option)
    }

    /// Whether the filesystem is asked to be read-only: the last of `ro` and `rw` counts, mount(8).
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.options
            .iter()
            .rev()
            .find(|option| matches!(option.as_str(), "ro" | "rw"))
            .is_some_and(|option| option == "ro")
    }

    /// `/etc/fstab:7`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("/etc/fstab:{}", self.number)
    }
}

/// The lines of the table.
///
/// # Errors
/// Where the file cannot be read; ENOENT is common in containers.
pub fn lines(machine: &Machine) -> Answer<Vec<Line>> {
    Ok(parse(&machine.read(Path::new("/etc/fstab"))?.0))
}

/// The line for a mount point.
#[must_use]
pub fn line_for(machine: &Machine, point: &Path) -> Option<Line> {
    lines(machine).ok()?.into_iter().find(|line| line.point == point)
}

fn parse(table: &[u8]) -> Vec<Line> {
    table.split(|byte| *byte == b'\n').enumerate().filter_map(|(index, text)| line(index + 1, text)).collect()
}

fn line(number: usize, text: &[u8]) -> Option<Line> {
    let mut fields = text.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    let source = fields.next().filter(|field| !field.starts_with(b"#"))?;
    let point = fields.next()?;
    let fstype = String::from_utf8_lossy(fields.next()?).into_owned();
    let options = String::from_utf8_lossy(fields.next().unwrap_or(b"defaults")).split(',').map(str::to_owned).collect();
    Some(Line { number, source: unescaped(source), point: unescaped(point).into(), fstype, options })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_numbers_and_comments_have_none() {
        let table = b"# <file system> <mount point>\n\nUUID=1-2 / ext4 errors=remount-ro 0 1\n/dev/sdb1\t/mnt/a\\040b auto rw,ro\n";
        let lines = parse(table);
        let shown: Vec<_> =
            lines.iter().map(|line| (line.number, line.point.to_str().unwrap(), line.is_read_only())).collect();
        assert_eq!(shown, [(3, "/", false), (4, "/mnt/a b", true)]);
    }

    #[test]
    fn a_line_without_a_mount_point_is_passed_over() {
        assert_eq!(parse(b"nonsense\n /dev/sda1\n"), []);
    }
}
