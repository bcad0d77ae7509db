//! The length that a file's own tables promise. A reader that meets the end before it calls the whole file damaged, and names no end.

/// Reads so many bytes at a place of the file; less where it ends.
pub type Read<'a> = &'a dyn Fn(u64, usize) -> Vec<u8>;

/// The first bytes of an archive of ar(1), as Debian's packages and static libraries are.
const AR: &[u8] = b"!<arch>\n";
/// Parts of one file that are counted.
const PARTS: usize = 4096;

/// The format and the bytes that a file of it has at least, by its tables; none where the format does not say, or this file does not.
pub fn promised(head: &[u8], read: Read) -> Option<(&'static str, u64)> {
    let length = |name, bytes: Option<u64>| bytes.filter(|bytes| *bytes > 0).map(|bytes| (name, bytes));
    match head {
        [b'Q', b'F', b'I', 0xfb, ..] => length("qcow2", of_qcow2(head, read)),
        [0x89, b'H', b'D', b'F', b'\r', b'\n', 0x1a, b'\n', ..] => length("HDF5", of_hdf5(head)),
        [b'X', b'F', b'S', b'B', ..] => length("XFS", big(head, 4, 4)?.checked_mul(big(head, 8, 8)?)),
        _ if head.starts_with(AR) => length("ar archive", of_ar(read)),
        _ if head.get(4..8) == Some(b"ftyp") => length("MP4", of_boxes(read)),
        _ if head.get(1080..1082) == Some(&[0x53, 0xef]) => length("ext4", of_ext(head)),
        _ if head.starts_with(b"SQLite format 3\0") => length("SQLite", of_sqlite(head)),
        [b'h', b's', b'q', b's', ..] => length("squashfs", little(head, 40, 8)),
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => length("7z", of_7z(head)),
        [b'R', b'I', b'F', b'F', ..] => length("RIFF", of_riff(head)),
        [0x7f, b'E', b'L', b'F', ..] => length("ELF", of_elf(head)),
        _ => None,
    }
}

/// The size in pages counts where the change counter is the one that it was valid for: the database file format of `SQLite`, 1.3.7.
fn of_sqlite(head: &[u8]) -> Option<u64> {
    let page = match big(head, 16, 2)? {
        1 => 65_536,
        page => page,
    };
    (big(head, 24, 4)? == big(head, 92, 4)?).then_some(page * big(head, 28, 4)?)
}

/// The last cluster that is counted as used: `docs/interop/qcow2.txt` of QEMU, "Host cluster management".
fn of_qcow2(head: &[u8], read: Read) -> Option<u64> {
    /// Bytes of a reference count table that are looked at.
    const TABLE: u64 = 1 << 20;
    const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;
    if head.len() < 72 {
        return Some(72);
    }
    let bits = big(head, 20, 4).filter(|bits| (9..=21).contains(bits))?;
    let cluster = 1 << bits;
    let has_counts_of_two_bytes = big(head, 4, 4)? < 3 || big(head, 96, 4)? == 4;
    let (table, length) = (big(head, 48, 8)?, big(head, 56, 4)? << bits);
    if !has_counts_of_two_bytes || length > TABLE {
        return None;
    }
    let is_used = |entry: &[u8]| entry.iter().any(|byte| *byte != 0);
    let entries = read(table, usize::try_from(length).ok()?);
    if entries.len() as u64 != length {
        return table.checked_add(length);
    }
    let last = entries.chunks_exact(8).rposition(is_used)?;
    let block = big(&entries, last * 8, 8)? & OFFSET;
    let counts = read(block, usize::try_from(cluster).ok()?);
    if counts.len() as u64 != cluster {
        return block.checked_add(cluster);
    }
    let used = counts.chunks_exact(2).rposition(is_used)? as u64;
    // Of the last cluster only what was written need be there.
    (last as u64 * (cluster / 2) + used).checked_mul(cluster)?.checked_add(1)
}

/// The end of file address of the superblock, version 0, 1, or 2 and 3: HDF5 File Format Specification, II.A.
fn of_hdf5(head: &[u8]) -> Option<u64> {
    let (length_at, at) = match head.get(8)? {
        0 => (13, 40),
        1 => (13, 44),
        2 | 3 => (9, 28),
        _ => return None,
    };
    if head.get(length_at) == Some(&8) { little(head, at, 8).filter(|end| *end != u64::MAX) } else { None }
}

/// Blocks times their size; the high half of the number counts with the feature `64bit`: `fs/ext4/ext4.h` of Linux, `ext4_super_block`.
fn of_ext(head: &[u8]) -> Option<u64> {
    const START: usize = 1024;
    let is_wide = little(head, START + 96, 4)? & 0x80 != 0;
    let high = if is_wide { little(head, START + 0x150, 4)? } else { 0 };
    let bits = little(head, START + 24, 4).filter(|bits| *bits <= 6)?;
    (high << 32 | little(head, START + 4, 4)?).checked_mul(1024 << bits)
}

/// The end of the last member whose header is there, ar(5).
fn of_ar(read: Read) -> Option<u64> {
    const HEADER: usize = 60;
    let mut end = AR.len() as u64;
    for _ in 0..PARTS {
        // Members begin at even places; the last one need not be filled up to one.
        let start = end.next_multiple_of(2);
        let header = read(start, HEADER);
        if header.is_empty() {
            break;
        }
        if header.len() < HEADER {
            return Some(start + HEADER as u64);
        }
        let size = std::str::from_utf8(&header[48..58]).ok()?.trim().parse::<u64>().ok()?;
        end = header.ends_with(b"`\n").then(|| start.checked_add(HEADER as u64)?.checked_add(size))??;
    }
    Some(end)
}

/// The end of the last box whose header is there; a box of length zero goes on to the end of the file: ISO/IEC 14496-12, 4.2.
fn of_boxes(read: Read) -> Option<u64> {
    let mut end = 0_u64;
    for _ in 0..PARTS {
        let header = read(end, 16);
        if header.len() < 8 {
            break;
        }
        let size = match big(&header, 0, 4)? {
            0 => return None,
            1 => big(&header, 8, 8)?,
            size => size,
        };
        let is_box = size >= 8 && header[4..8].iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
        end = is_box.then(|| end.checked_add(size))??;
    }
    Some(end)
}

/// The next header lies so far behind the first one, of 32 bytes, and is the last thing in the file: `7zFormat.txt` of 7-Zip.
fn of_7z(head: &[u8]) -> Option<u64> {
    little(head, 12, 8)?.checked_add(little(head, 20, 8)?)?.checked_add(32)
}

/// What was written to a pipe has no length, and says so with all bits or none.
fn of_riff(head: &[u8]) -> Option<u64> {
    const UNKNOWN: u64 = 0xffff_ff00;
    little(head, 4, 4).filter(|length| (1..UNKNOWN).contains(length)).map(|length| length + 8)
}

/// The end of the section headers, which assemblers and linkers write last: elf(5). Programs without them say zero.
fn of_elf(head: &[u8]) -> Option<u64> {
    let header = if head.get(4) == Some(&1) { 52 } else { 64 };
    if head.len() < header {
        return Some(header as u64);
    }
    if head.get(5) != Some(&1) {
        return None;
    }
    let (offset, entry, entries) = match head.get(4)? {
        1 => (little(head, 32, 4)?, little(head, 46, 2)?, little(head, 48, 2)?),
        2 => (little(head, 40, 8)?, little(head, 58, 2)?, little(head, 60, 2)?),
        _ => return None,
    };
    if offset == 0 { None } else { offset.checked_add(entry * entries) }
}

fn little(head: &[u8], at: usize, length: usize) -> Option<u64> {
    Some(head.get(at..at + length)?.iter().rev().copied().fold(0, number))
}

fn big(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    Some(bytes.get(at..at.checked_add(length)?)?.iter().copied().fold(0, number))
}

fn number(high: u64, byte: u8) -> u64 {
    high << 8 | u64::from(byte)
}

#[cfg(test)]
mod tests {
    /// A header of zeros with these bytes in it.
    fn header(parts: &[(usize, &[u8])]) -> Vec<u8> {
        let mut head = vec![0; 128];
        for (at, bytes) in parts {
            head[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        head
    }

    /// As if these bytes were the whole file.
    fn promised(bytes: &[u8]) -> Option<(&'static str, u64)> {
        super::promised(bytes, &|at, length| {
            let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            bytes[from..bytes.len().min(from.saturating_add(length))].to_vec()
        })
    }

    #[test]
    fn the_parts_of_a_file_are_counted_to_the_last_that_begins() {
        let member = |size: &str| format!("{:<48}{size:<10}`\n", "debian-binary");
        let package = format!("!<arch>\n{}2.0\n{}xz", member("4"), member("900"));
        assert_eq!(promised(package.as_bytes()), Some(("ar archive", 8 + 64 + 60 + 900)));
        assert_eq!(promised(&package.as_bytes()[..80]), Some(("ar archive", 8 + 64 + 60)));
        let film = [&b"\0\0\0\x10ftypisom\0\0\0\0"[..], b"\0\0\0\x01mdat\0\0\0\0\0\x01\0\0", b"film"].concat();
        assert_eq!(promised(&film), Some(("MP4", 16 + 0x1_0000)));
        let endless = [&b"\0\0\0\x10ftypisom\0\0\0\0"[..], b"\0\0\0\0mdat\0\0"].concat();
        assert_eq!(
            (promised(&endless), promised(b"!<arch>\nno header of a member, but as long as one is, and a bit more")),
            (None, None)
        );
    }

    #[test]
    fn a_disk_image_says_where_its_last_block_lies() {
        let mut ext = vec![0; 2048];
        for (at, bytes) in [(1080, &[0x53, 0xef][..]), (1028, &[0, 8]), (1048, &[2])] {
            ext[at..at + bytes.len()].copy_from_slice(bytes);
        }
        assert_eq!(promised(&ext), Some(("ext4", 2048 * 4096)));
        // Clusters of 512 bytes: the header, the table of counts, one block of counts, of which the ninth is the last.
        let mut qcow2 = vec![0; 3 * 512];
        let header =
            [(0, &b"QFI\xfb"[..]), (7, &[2]), (23, &[9]), (54, &[2, 0]), (59, &[1]), (518, &[4, 0]), (1024 + 17, &[1])];
        for (at, bytes) in header {
            qcow2[at..at + bytes.len()].copy_from_slice(bytes);
        }
        assert_eq!(promised(&qcow2), Some(("qcow2", 8 * 512 + 1)));
        assert_eq!(promised(&qcow2[..1024]), Some(("qcow2", 1024 + 512)));
        let hdf5 = header_of_hdf5();
        assert_eq!((promised(&hdf5), promised(&hdf5[..40])), (Some(("HDF5", 0x2000)), None));
    }

    fn header_of_hdf5() -> Vec<u8> {
        header(&[(0, b"\x89HDF\r\n\x1a\n"), (13, &[8]), (41, &[0x20])])
    }

    #[test]
    fn each_format_is_asked_in_its_own_way() {
        let sqlite = header(&[
            (0, b"SQLite format 3\0"),
            (16, &[16, 0]),
            (24, &[0, 0, 0, 7]),
            (28, &[0, 0, 0, 3]),
            (92, &[0, 0, 0, 7]),
        ]);
        assert_eq!(promised(&sqlite), Some(("SQLite", 3 * 4096)));
        assert_eq!(promised(&header(&[(0, b"hsqs"), (40, &[0, 4])])), Some(("squashfs", 1024)));
        assert_eq!(promised(&header(&[(0, b"7z\xbc\xaf\x27\x1c"), (12, &[0, 1]), (20, &[5])])), Some(("7z", 293)));
        assert_eq!(promised(&header(&[(0, b"RIFF"), (4, &[100])])), Some(("RIFF", 108)));
        let elf = header(&[(0, b"\x7fELF\x02\x01"), (40, &[0, 16]), (58, &[64]), (60, &[3])]);
        assert_eq!(promised(&elf), Some(("ELF", 4096 + 192)));
        assert_eq!(promised(&elf[..60]), Some(("ELF", 64)));
    }

    #[test]
    fn a_header_that_does_not_say_promises_nothing() {
        let stale = header(&[(0, b"SQLite format 3\0"), (16, &[16, 0]), (24, &[0, 0, 0, 7]), (28, &[0, 0, 0, 3])]);
        let stream = header(&[(0, b"RIFF"), (4, &[0xff, 0xff, 0xff, 0xff])]);
        let stripped = header(&[(0, b"\x7fELF\x02\x01")]);
        for head in [stale, stream, stripped, b"RIFF".to_vec(), Vec::new()] {
            assert_eq!(promised(&head), None);
        }
        let far = header(&[(0, b"7z\xbc\xaf\x27\x1c"), (12, &[0xff; 8]), (20, &[0xff; 8])]);
        assert_eq!(promised(&far), None);
    }
}
