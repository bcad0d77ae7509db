//! The length that a file's own header promises. A reader that meets the end before it calls the whole file damaged, and names no end.

/// The format and the bytes that a file of it has, by its header; none where the format does not say, or this file does not.
pub fn promised(head: &[u8]) -> Option<(&'static str, u64)> {
    let length = |name, bytes: Option<u64>| bytes.filter(|bytes| *bytes > 0).map(|bytes| (name, bytes));
    match head {
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
    let big = |at: usize, length: usize| Some(head.get(at..at + length)?.iter().copied().fold(0, number));
    let page = match big(16, 2)? {
        1 => 65_536,
        page => page,
    };
    (big(24, 4)? == big(92, 4)?).then_some(page * big(28, 4)?)
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

fn number(high: u64, byte: u8) -> u64 {
    high << 8 | u64::from(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of zeros with these bytes in it.
    fn header(parts: &[(usize, &[u8])]) -> Vec<u8> {
        let mut head = vec![0; 128];
        for (at, bytes) in parts {
            head[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        head
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
