//! The mount table as far as it decides what is watched. It is read beside the start of every command, so nothing is decoded or
//! copied that is not needed for that.

use super::table::may_block;
use super::{Row, Table, unescaped};
use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// One mount, in the bytes of its table.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    id: u64,
    parent: u64,
    point: Cow<'a, OsStr>,
    fstype: &'a str,
    is_read_only: bool,
    may_block: bool,
}

/// The table.
pub type Outline<'a> = Table<Line<'a>>;

impl Row for Line<'_> {
    fn id(&self) -> u64 {
        self.id
    }

    fn parent(&self) -> u64 {
        self.parent
    }

    fn point(&self) -> &Path {
        Path::new(&self.point)
    }

    fn fstype(&self) -> &str {
        self.fstype
    }

    fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    fn may_block(&self) -> bool {
        self.may_block
    }
}

impl<'a> Outline<'a> {
    /// Reads a table; lines that are not understood are passed over.
    #[must_use]
    pub fn of(table: &'a [u8]) -> Self {
        let mut lines = Vec::with_capacity(32);
        lines.extend(table.split(|byte| *byte == b'\n').filter_map(line));
        Self(lines)
    }
}

fn line(bytes: &[u8]) -> Option<Line<'_>> {
    let mut fields = bytes.split(|byte| *byte == b' ');
    let (id, parent) = (number(fields.next()?)?, number(fields.next()?)?);
    let (point, options) = (fields.nth(2)?, fields.next()?);
    // Optional fields end at the separator.
    fields.find(|field| *field == b"-")?;
    let fstype = std::str::from_utf8(fields.next()?).ok()?;
    let is_read_only = [options, fields.nth(1)?].into_iter().any(says_read_only);
    let point = if point.contains(&b'\\') { unescaped(point).into() } else { OsStr::from_bytes(point).into() };
    Some(Line { id, parent, point, fstype, is_read_only, may_block: may_block(fstype) })
}

fn says_read_only(options: &[u8]) -> bool {
    options.split(|byte| *byte == b',').any(|option| option == b"ro")
}

fn number(digits: &[u8]) -> Option<u64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    digits.iter().try_fold(0_u64, |sum, byte| sum.checked_mul(10)?.checked_add(digit(*byte)?))
}

#[cfg(test)]
mod tests {
    use super::super::{Mounts, tests::TABLE};
    use super::*;

    #[test]
    fn it_says_what_the_whole_table_says() {
        let (outline, whole) = (Outline::of(TABLE), Mounts::parse(TABLE));
        let told = |row: &dyn Row| {
            (row.id(), row.parent(), row.point().to_owned(), row.fstype().to_owned(), row.is_read_only())
        };
        let lines: Vec<_> = outline.0.iter().map(|row| told(row)).collect();
        assert_eq!(lines, whole.0.iter().map(|row| told(row)).collect::<Vec<_>>());
        assert_eq!(lines.len(), 3);
    }
}
