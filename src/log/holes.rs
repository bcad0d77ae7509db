//! Files that are mostly holes. A log that was cut by `logrotate` (`copytruncate`) while its writer went on at the old place begins with
//! gigabytes of nothing, which are not read but passed over.

use nix::errno::Errno;
use nix::unistd::{Whence, lseek};
use std::fs::File;
use std::io::{self, Read};

/// A file, read without its holes.
pub struct OverHoles {
    file: File,
    at: i64,
}

impl OverHoles {
    /// From the beginning on.
    pub fn new(file: File) -> Self {
        Self { file, at: 0 }
    }

    /// Goes on to the next data, lseek(2); false where there is none. The first bytes are read, whatever they are, so that a file of one
    /// hole is not taken for an empty one.
    fn seek_data(&mut self) -> bool {
        if self.at == 0 {
            return true;
        }
        match lseek(&self.file, self.at, Whence::SeekData) {
            Ok(at) => self.at = at,
            Err(Errno::ENXIO) => return false,
            // What knows no holes has none, and its offset stays.
            Err(_) => {}
        }
        true
    }
}

impl Read for OverHoles {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.seek_data() {
            return Ok(0);
        }
        let count = self.file.read(into)?;
        self.at += i64::try_from(count).unwrap_or(i64::MAX);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, SeekFrom, Write};

    #[test]
    fn what_stands_behind_a_hole_is_read() {
        let mut file = tempfile::tempfile().unwrap();
        file.seek(SeekFrom::Start(1 << 40)).unwrap();
        file.write_all(b"x\n").unwrap();
        file.rewind().unwrap();
        let mut text = Vec::new();
        OverHoles::new(file).take(1 << 24).read_to_end(&mut text).unwrap();
        assert!(text.ends_with(b"x\n"), "{} bytes", text.len());
    }

    #[test]
    fn a_file_without_holes_is_read_as_it_is() {
        let mut file = tempfile::tempfile().unwrap();
        let text = b"a line\n".repeat(100_000);
        file.write_all(&text).unwrap();
        file.rewind().unwrap();
        let mut read = Vec::new();
        OverHoles::new(file).read_to_end(&mut read).unwrap();
        assert!(read == text);
    }
}
