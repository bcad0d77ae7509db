//! Where a log comes from: a file, a pipe or standard input, plain or compressed.

use super::encoding::as_utf8;
use super::holes::OverHoles;
use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{BlockDecodingStrategy, StreamingDecoder};
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::SystemTime;

/// First bytes of a gzip member (RFC 1952, 2.3.1) and of a Zstandard frame (RFC 8878, 3.1.1).
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Formats that are not read, by their first bytes, and the command that makes text of them (PKWARE APPNOTE.TXT, 4.3.7; xz-file-format.txt,
/// 2.1.1.1; bzip2 1.0.8, compress.c; LZ4 frame format 1.6; systemd 252, journal-def.h).
const FOREIGN: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a zip archive", "unzip -p"),
    (b"\xfd7zXZ\0", "compressed by xz", "xz -dc"),
    (b"BZh91AY&", "compressed by bzip2", "bzip2 -dc"),
    (b"\x04\x22\x4d\x18", "compressed by lz4", "lz4 -dc"),
    (b"LPKSHHRH", "a journal", "journalctl --file"),
];
/// Bytes of the longest of them.
const MAGIC: u64 = 8;
/// Where the header of a tar archive, compressed or not, has its magic (POSIX.1-2017, pax, ustar Interchange Format).
const TAR: (usize, &[u8]) = (257, b"ustar");
/// The device that is always at its end (Linux, Documentation/admin-guide/devices.txt: major 1, minor 3).
const NULL: u64 = libc::makedev(1, 3);

/// Opens a log; `-` is standard input. What it holds is told by its first bytes, not by its name.
///
/// # Errors
/// Those of opening and of the first read, and that it is no file that ends.
pub fn open(file: &Path) -> io::Result<Box<dyn Read>> {
    if file == Path::new("-") {
        return decoded(io::stdin().lock());
    }
    refuse_endless(file)?;
    let log = File::open(file)?;
    if log.metadata()?.is_file() { decoded(OverHoles::new(log)) } else { decoded(log) }
}

/// When a log was last written, where that is known: of a regular file, not of a pipe.
pub fn written(file: &Path) -> Option<SystemTime> {
    let about = if file == Path::new("-") {
        File::from(io::stdin().as_fd().try_clone_to_owned().ok()?).metadata()
    } else {
        #[expect(
            clippy::disallowed_methods,
            reason = "a log is named by the caller, and is not the machine that is examined"
        )]
        std::fs::metadata(file)
    };
    about.ok().filter(Metadata::is_file)?.modified().ok()
}

/// A named pipe that nobody writes to blocks whoever opens it, and a device has no end. Descriptors are the caller's own.
fn refuse_endless(file: &Path) -> io::Result<()> {
    let is_descriptor = ["/dev/fd/", "/dev/stdin", "/proc/self/fd/"]
        .iter()
        .any(|prefix| file.as_os_str().as_encoded_bytes().starts_with(prefix.as_bytes()));
    #[expect(
        clippy::disallowed_methods,
        reason = "a log is named by the caller, and is not the machine that is examined"
    )]
    let about = std::fs::metadata(file)?;
    let kind = about.file_type();
    match () {
        () if is_descriptor => Ok(()),
        () if kind.is_dir() => Err(io::Error::from_raw_os_error(libc::EISDIR)),
        () if kind.is_fifo() => Err(io::Error::other("is a named pipe: give it as standard input, - <PIPE")),
        () if kind.is_socket() => Err(io::Error::other("is a socket")),
        () if (kind.is_char_device() || kind.is_block_device()) && about.rdev() != NULL => {
            Err(io::Error::other("is a device"))
        }
        () => Ok(()),
    }
}

fn decoded(mut raw: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    let mut magic = Vec::new();
    raw.by_ref().take(MAGIC).read_to_end(&mut magic)?;
    let is = |form: &[u8]| magic.starts_with(form);
    let (gzip, zstd) = (is(GZIP), is(ZSTD));
    if let Some((_, kind, command)) = FOREIGN.iter().find(|(form, ..)| is(form)) {
        return Err(foreign(kind, command));
    }
    let whole = Cursor::new(magic).chain(raw);
    match () {
        () if gzip => no_archive(MultiGzDecoder::new(BufReader::new(whole))),
        () if zstd => no_archive(Frames::of(BufReader::new(whole))),
        () => no_archive(whole),
    }
}

fn no_archive(mut log: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    let (offset, magic) = TAR;
    let mut head = Vec::new();
    let whole = log.by_ref().take((offset + magic.len()) as u64).read_to_end(&mut head);
    if head.get(offset..).is_some_and(|found| found == magic) {
        return Err(foreign("a tar archive", "tar -xOf"));
    }
    // What was read before the damage counts; whoever reads on meets it again.
    whole.or_else(|error| if head.is_empty() { Err(error) } else { Ok(0) })?;
    as_utf8(Cursor::new(head).chain(log))
}

fn foreign(kind: &str, command: &str) -> io::Error {
    io::Error::other(format!("is {kind}: give its text as standard input, {command} FILE | explain --log - --status N"))
}

/// Zstandard frames, one after the other: `zstd` makes several where it is given several files.
struct Frames<R: BufRead> {
    raw: Option<R>,
    frame: Option<Frame<R>>,
    /// The frame is cut or damaged; what was decoded before comes first.
    is_damaged: bool,
}

type Frame<R> = StreamingDecoder<R, ruzstd::decoding::FrameDecoder>;

/// An empty last block and a checksum (RFC 8878, 3.1.1.2): behind it a decoder hands out what it kept for blocks to come.
const LAST_BLOCK: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

impl<R: BufRead> Frames<R> {
    fn of(raw: R) -> Self {
        Self { raw: Some(raw), frame: None, is_damaged: false }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                match frame.read(into) {
                    Ok(0) if self.is_damaged => return Err(io::Error::other("the Zstandard frame is cut or damaged")),
                    Ok(0) => self.raw = self.frame.take().map(StreamingDecoder::into_inner),
                    Err(_) if !self.is_damaged => {
                        self.is_damaged = true;
                        let _ = frame.decoder.decode_blocks(LAST_BLOCK, BlockDecodingStrategy::All);
                    }
                    read => return read,
                }
                continue;
            }
            let Some(mut raw) = self.raw.take() else { return Ok(0) };
            if raw.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.frame =
                Some(StreamingDecoder::new(raw).map_err(|_| io::Error::other("what follows is no Zstandard frame"))?);
        }
    }
}
