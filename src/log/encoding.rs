//! Logs that are not written in UTF-8: Windows PowerShell and some build agents write UTF-16, with a mark at the beginning or without. A
//! mark of UTF-8, which GitHub puts before the logs that it hands out, is no part of the first line.

use std::io::{self, Cursor, Read};

/// Bytes that tell: the two marks of UTF-16 and that of UTF-8 (Unicode 15, 23.8), or two letters of ASCII in UTF-16.
const TELLING: u64 = 4;
/// Bytes that are taken at once.
const CHUNK: usize = 64 << 10;

/// Which byte of a unit comes first.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

/// What a log says as UTF-8, where it is UTF-16; else its bytes as they are. The mark at its beginning is gone.
///
/// # Errors
/// Those of the first read.
pub fn as_utf8(mut raw: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    let mut first = Vec::new();
    raw.by_ref().take(TELLING).read_to_end(&mut first)?;
    let (order, mark) = match *first {
        [0xff, 0xfe, ..] => (Some(Order::Little), 2),
        [0xfe, 0xff, ..] => (Some(Order::Big), 2),
        [0xef, 0xbb, 0xbf, ..] => (None, 3),
        [1..=0x7f, 0, 1..=0x7f, 0] => (Some(Order::Little), 0),
        [0, 1..=0x7f, 0, 1..=0x7f] => (Some(Order::Big), 0),
        _ => (None, 0),
    };
    first.drain(..mark);
    let whole = Cursor::new(first).chain(raw);
    Ok(match order {
        Some(order) => Box::new(Utf16 { raw: whole, order, units: Vec::new(), text: Cursor::default() }),
        None => Box::new(whole),
    })
}

/// UTF-16, read as UTF-8.
struct Utf16<R> {
    raw: R,
    order: Order,
    /// Bytes of units that wait for their other half.
    units: Vec<u8>,
    text: Cursor<Vec<u8>>,
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.text.read(into)?;
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
            let before = self.units.len();
            let is_end = self.raw.by_ref().take(CHUNK as u64).read_to_end(&mut self.units)? == 0;
            if is_end && before == 0 {
                return Ok(0);
            }
            self.decode(is_end);
        }
    }
}

impl<R> Utf16<R> {
    /// Makes text of what is there, but for the half of a character that the rest may follow.
    fn decode(&mut self, is_end: bool) {
        let of_bytes = |unit: [u8; 2]| match self.order {
            Order::Little => u16::from_le_bytes(unit),
            Order::Big => u16::from_be_bytes(unit),
        };
        let (pairs, odd) = self.units.as_chunks::<2>();
        let mut units: Vec<u16> = pairs.iter().copied().map(of_bytes).collect();
        let is_half = !is_end && units.last().is_some_and(|unit| matches!(unit, 0xd800..=0xdbff));
        let mut rest = if is_half { pairs.last().map(|unit| unit.to_vec()).unwrap_or_default() } else { Vec::new() };
        units.truncate(units.len() - usize::from(is_half));
        rest.extend_from_slice(if is_end { &[] } else { odd });
        let letters = char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
        self.text = Cursor::new(letters.collect::<String>().into_bytes());
        self.units = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: Vec<u8>) -> String {
        let mut text = String::new();
        as_utf8(Cursor::new(bytes)).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn both_orders_are_read_with_a_mark_and_without() {
        let text = "cp: x: Zugriff verweigert 🚨\r\n";
        for mark in ["\u{feff}", ""] {
            let units: Vec<u16> = format!("{mark}{text}").encode_utf16().collect();
            assert_eq!(read(units.iter().flat_map(|unit| unit.to_le_bytes()).collect()), text);
            assert_eq!(read(units.iter().flat_map(|unit| unit.to_be_bytes()).collect()), text);
        }
    }

    #[test]
    fn a_character_whose_halves_are_read_apart_is_one() {
        let long = format!("{}🚨", "x".repeat(CHUNK / 2 - 1));
        assert_eq!(read(long.encode_utf16().flat_map(u16::to_le_bytes).collect()), long);
    }

    #[test]
    fn what_is_cut_ends_with_a_mark_of_its_own() {
        assert_eq!(read(b"a\0b\0\x3d\xd8".to_vec()), "ab\u{fffd}");
        assert_eq!(read(b"a\0b\0c".to_vec()), "ab");
    }

    #[test]
    fn other_text_is_left_as_it_is_without_a_mark() {
        assert_eq!(["", "a", "abc\n", "\u{feff}abc"].map(|text| read(text.into())), ["", "a", "abc\n", "abc"]);
    }
}
