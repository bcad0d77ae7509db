//! What kind of contents a regular file has, and whether they are whole. The contents themselves do not travel in a report.

mod length;
mod stream;

use super::{Answer, Machine, Unknown};
use crate::sys::errno::Errno;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// The marks and endings of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Its length in bytes.
    pub size: u64,
    /// Whether it has bytes and those that were looked at, at both ends, are all zero.
    pub zeros: bool,
    /// The byte order mark that it begins with: `UTF-8`, `UTF-16LE`, `UTF-16BE`.
    pub mark: Option<String>,
    /// Whether its first lines end in CR LF.
    pub carriage_returns: bool,
    /// Whether it begins as an HTML page does.
    pub html: bool,
    /// The archive format that it begins as, where the format marks its end, and whether that end is there.
    pub archive: Option<(String, bool)>,
    /// The format and the length in bytes that its header promises, where there is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised: Option<(String, u64)>,
}

/// Bytes that are looked at, at the beginning and at the end: a ZIP archive has its end record in the last 65,557.
const LOOKED_AT: usize = 66 << 10;

/// Bytes of a member of lzip without contents: its header, an empty stream, its trailer.
const SHORTEST_LZIP: u64 = 36;

impl Machine {
    /// Looks at both ends of a regular file on a local filesystem.
    ///
    /// # Errors
    /// Those of `open(2)` and `pread(2)`; EINVAL where it is no regular file.
    pub fn form(&self, path: &Path) -> Answer<Form> {
        self.ask_path("form", path, look)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn look(path: &Path) -> Answer<Form> {
    // A FIFO or a device must not even be opened.
    if !std::fs::metadata(path)?.is_file() {
        return Err(Unknown::Errno(Errno::EINVAL));
    }
    let file = open(path)?;
    let size = file.metadata()?.len();
    let head = part(&file, 0)?;
    let tail = part(&file, size.saturating_sub(LOOKED_AT as u64))?;
    let mut form = judge(size, &head, &tail);
    let promised = length::promised(&head, &|at, length| some(&file, at, length).unwrap_or_default());
    form.promised = promised.filter(|(_, bytes)| *bytes > size).map(|(name, bytes)| (name.to_owned(), bytes));
    if form.archive.is_none() {
        form.archive = stream::end(&file, &head).map(|(name, is_whole)| (name.to_owned(), is_whole));
    }
    if head.starts_with(b"PACK") {
        form.archive =
            ends_as_pack(&path.with_extension("idx"), &tail).map(|is_whole| ("Git pack".to_owned(), is_whole));
    }
    Ok(form)
}

fn open(path: &Path) -> std::io::Result<File> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn part(file: &File, offset: u64) -> Answer<Vec<u8>> {
    some(file, offset, LOOKED_AT)
}

fn some(file: &File, offset: u64, length: usize) -> Answer<Vec<u8>> {
    let mut bytes = vec![0; length];
    let read = file.read_at(&mut bytes, offset)?;
    bytes.truncate(read);
    Ok(bytes)
}

fn judge(size: u64, head: &[u8], tail: &[u8]) -> Form {
    let mark = match head {
        [0xef, 0xbb, 0xbf, ..] => Some("UTF-8"),
        [0xff, 0xfe, ..] => Some("UTF-16LE"),
        [0xfe, 0xff, ..] => Some("UTF-16BE"),
        _ => None,
    };
    let start = head.trim_ascii_start().get(..14).unwrap_or_default().to_ascii_lowercase();
    Form {
        size,
        zeros: !head.is_empty() && head.iter().chain(tail).all(|byte| *byte == 0),
        mark: mark.map(str::to_owned),
        carriage_returns: has_carriage_returns(head),
        html: start.starts_with(b"<!doctype html") || start.starts_with(b"<html"),
        archive: archive(size, head, tail),
        promised: None,
    }
}

/// Whether it is text and most of its first lines end in CR LF.
fn has_carriage_returns(head: &[u8]) -> bool {
    let lines: Vec<&[u8]> = head.split(|byte| *byte == b'\n').take(50).collect();
    let whole = &lines[..lines.len() - 1];
    let returns = whole.iter().filter(|line| line.ends_with(b"\r")).count();
    returns > 0 && returns * 2 >= whole.len() && !head.contains(&0)
}

/// ZIP: the end of central directory record (APPNOTE 4.3.16); xz: the footer's `YZ`; tar: two blocks of zeros; PNG: the chunk `IEND`; JPEG: the marker
/// EOI; bzip2: its mark of the end; PDF: the line `%%EOF`; cpio: an entry of that name; lzip: the length of the last member (RFC draft of the format, "member size"); RDB: the byte
/// `EOF` before eight bytes of checksum (`src/rdb.c` of Redis, since version 5 of the format); Parquet: its mark once more.
fn archive(size: u64, head: &[u8], tail: &[u8]) -> Option<(String, bool)> {
    let has = |mark: &[u8]| memchr::memmem::find(tail, mark).is_some();
    let (name, is_whole) = match head {
        [b'P', b'K', 3, 4, ..] => ("ZIP", has(b"PK\x05\x06")),
        [0x89, b'P', b'N', b'G', ..] => ("PNG", has(b"IEND\xae\x42\x60\x82")),
        [0xff, 0xd8, 0xff, ..] => ("JPEG", has(b"\xff\xd9")),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => ("bzip2", ends_as_bzip2(tail)),
        [b'%', b'P', b'D', b'F', b'-', ..] => ("PDF", has(b"%%EOF")),
        [b'0', b'7', b'0', b'7', b'0', b'1' | b'2' | b'7', ..] | [0xc7, 0x71, ..] | [0x71, 0xc7, ..] => {
            ("cpio", has(b"TRAILER!!!"))
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => ("xz", tail.ends_with(b"YZ")),
        [b'R', b'E', b'D', b'I', b'S', b'0', b'0', version @ ..]
            if version.get(..2).is_some_and(|it| it >= &b"05"[..]) =>
        {
            ("RDB", tail.len() > 18 && tail[tail.len() - 9] == 0xff)
        }
        [b'P', b'A', b'R', b'1', ..] => ("Parquet", size > 8 && tail.ends_with(b"PAR1")),
        [b'L', b'Z', b'I', b'P', 1, ..] => {
            let member = tail.last_chunk().map(|length| u64::from_le_bytes(*length));
            ("lzip", member.is_some_and(|member| (SHORTEST_LZIP..=size).contains(&member)))
        }
        _ if head.get(257..262) == Some(b"ustar") => {
            ("tar", tail.len() >= 1024 && tail[tail.len() - 1024..].iter().all(|byte| *byte == 0))
        }
        _ => return None,
    };
    Some((name.to_owned(), is_whole))
}

/// Whether a stream of bzip2 ends here: a mark of 48 bits, 32 bits of checksum and at most seven that fill up the last byte; the mark begins at any
/// bit.
fn ends_as_bzip2(tail: &[u8]) -> bool {
    const MARK: u128 = 0x1772_4538_5090;
    const CHECKSUM: u32 = 32;
    let bits = tail.iter().rev().take(16).rev().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    (0..8).any(|filled| bits >> (CHECKSUM + filled) & 0xffff_ffff_ffff == MARK)
}

/// Whether a pack of Git ends in the checksum that its index, `index`, has of it: gitformat-pack(5). None where the index is not whole.
fn ends_as_pack(index: &Path, tail: &[u8]) -> Option<bool> {
    let of_sha1 = |length: usize| {
        let indexed = index_end(index, length)?;
        Some(tail.ends_with(&indexed[..length]))
    };
    Some(of_sha1(20)? || of_sha1(32)?)
}

/// The checksum of the pack and that of the index, in so many bytes each.
fn index_end(index: &Path, length: usize) -> Option<Vec<u8>> {
    let file = open(index).ok()?;
    let size = file.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
    let end = some(&file, size.checked_sub(2 * length as u64)?, 2 * length).ok()?;
    (size > 1024 && end.len() == 2 * length).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(bytes: &[u8]) -> Form {
        judge(bytes.len() as u64, bytes, bytes)
    }

    #[test]
    fn marks_and_line_ends_are_seen() {
        assert_eq!(form(b"\xef\xbb\xbf{}").mark.as_deref(), Some("UTF-8"));
        assert!(
            form(b"a\r\nb\r\n").carriage_returns
                && !form(b"a\nb\nc\r\n").carriage_returns
                && !form(b"").carriage_returns
        );
        assert!(form(b"\n<!DOCTYPE html>\n").html && form(&[0; 9]).zeros && !form(b"").zeros);
    }

    #[test]
    fn a_stream_of_bzip2_ends_at_any_bit() {
        // What `printf x | bzip2` writes.
        let whole =
            b"BZh91AY&SYwK\xb0\x14\0\0\0\0\x80\0\x40\x20\0\x21\x18\x46\x82\xee\x48\xa7\x0a\x12\x0e\xe9\x76\x02\x80";
        assert_eq!(form(whole).archive, Some(("bzip2".into(), true)));
        assert_eq!(form(&whole[..whole.len() - 8]).archive, Some(("bzip2".into(), false)));
    }

    #[test]
    fn an_archive_without_its_end_is_seen() {
        assert_eq!(form(b"PK\x03\x04 and the rest").archive, Some(("ZIP".into(), false)));
        assert_eq!(form(b"PK\x03\x04 and PK\x05\x06\0\0").archive, Some(("ZIP".into(), true)));
        assert_eq!(form(b"070701 and the rest").archive, Some(("cpio".into(), false)));
        assert_eq!(form(b"%PDF-1.4 and\n%%EOF\n").archive, Some(("PDF".into(), true)));
        assert_eq!(form(b"\x1f\x8b\x08").archive, None);
        assert_eq!(form(b"REDIS0010 keys and values").archive, Some(("RDB".into(), false)));
        assert_eq!(form(b"REDIS0010 keys and values\xff12345678").archive, Some(("RDB".into(), true)));
        assert_eq!(form(b"PAR1 columns and footerPAR1").archive, Some(("Parquet".into(), true)));
        let lzip = |length: u8| [&b"LZIP\x01"[..], &[7; 27], &[length, 0, 0, 0, 0, 0, 0, 0]].concat();
        assert_eq!(form(&lzip(40)).archive, Some(("lzip".into(), true)));
        assert_eq!(form(&lzip(7)).archive, Some(("lzip".into(), false)));
    }
}
