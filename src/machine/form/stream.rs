//! Whether a compressed stream has its end. Neither gzip nor Zstandard says anywhere how long it is: it has to be read.

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;
use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

/// Time for one file. What takes longer is not known.
const TIME: Duration = Duration::from_millis(400);

/// The format of a compressed file, and whether its end is there; none where it is another, is damaged before its end, or takes too long.
pub fn end(file: &File, head: &[u8]) -> Option<(&'static str, bool)> {
    let met_end = Cell::new(false);
    let mut raw = Watched { file, met_end: &met_end };
    raw.file.seek(SeekFrom::Start(0)).ok()?;
    let (name, is_whole) = match head {
        [0x1f, 0x8b, 8, ..] => ("gzip", drain(MultiGzDecoder::new(raw))?),
        // Of several frames only the first is read: that it is whole says nothing of the others.
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            ("Zstandard", StreamingDecoder::new(raw).ok().map_or(Some(false), drain).filter(|is_whole| !is_whole)?)
        }
        _ => return None,
    };
    (is_whole || met_end.get()).then_some((name, is_whole))
}

/// Whether a stream can be read to its end; none where there was no time for it.
fn drain(mut stream: impl Read) -> Option<bool> {
    let start = Instant::now();
    let mut bytes = vec![0; 64 << 10];
    while start.elapsed() < TIME {
        match stream.read(&mut bytes) {
            Ok(0) => return Some(true),
            Ok(_) => {}
            Err(_) => return Some(false),
        }
    }
    None
}

/// A file that remembers whether more was wanted of it than it has.
struct Watched<'a> {
    file: &'a File,
    met_end: &'a Cell<bool>,
}

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(into)?;
        self.met_end.set(read == 0 && !into.is_empty());
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn end_of(bytes: &[u8]) -> Option<(&'static str, bool)> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        end(&file, bytes)
    }

    #[test]
    fn a_stream_is_read_to_its_end() {
        let text: Vec<u8> = (0..100_000_u32).flat_map(|number| (number ^ number >> 3).to_le_bytes()).collect();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&text).unwrap();
        let whole = gzip.finish().unwrap();
        let half = &whole[..whole.len() / 2];
        assert_eq!((Some(("gzip", true)), Some(("gzip", false))), (end_of(&whole), end_of(half)));
        let mut damaged = whole.clone();
        damaged[100..200].fill(0xff);
        assert_eq!((end_of(&damaged), end_of(b"no stream")), (None, None));
        // One byte of data in a block of Zstandard, and the same without it.
        let frame = b"\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00x";
        assert_eq!((None, Some(("Zstandard", false))), (end_of(frame), end_of(&frame[..9])));
    }
}
