//! Logs that are already there: read once, in bounded memory, whatever their size, and kept as a transcript of what can tell.

mod encoding;
mod holes;
mod open;
mod search;
mod select;
mod telling;

pub use open::{open, written};

use crate::clue::AnyReader;
use crate::text::{said, size};
use crate::transcript::{LogFile, Transcript};
use select::Selection;
use std::io::Read;
use std::path::PathBuf;

/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;
/// Bytes of what is no text behind which nothing more is read: a few megabytes of a compressed file may stand for terabytes of zeros.
const NO_TEXT: u64 = 1 << 30;

/// Reads logs, one after the other, as one transcript. What is odd about one is told in a note; it is read as far as it goes.
///
/// # Errors
/// Why a log cannot be read at all, with its name.
pub fn read(files: &[PathBuf], reader: &AnyReader) -> Result<(Transcript, Vec<String>), String> {
    let mut selection = Selection::new(reader);
    let (mut logs, mut notes) = (Vec::new(), Vec::new());
    for file in files {
        let name = name(file);
        selection.begin_log();
        let offset = selection.written();
        let mut log = open(file).map_err(|error| format!("{name}: {}", said(&error)))?;
        let end = pour(&mut log, &mut selection);
        let bytes = selection.written() - offset;
        match end {
            End::Damage(error) if bytes == 0 => return Err(format!("{name}: {}", said(&error))),
            End::Damage(error) => {
                notes.push(format!("{name}: read as far as it goes, {bytes} bytes: {}", said(&error)));
            }
            End::GivenUp => notes.push(format!("{name} is no text: its first {} are none", size(bytes))),
            End::Whole if bytes == 0 => notes.push(format!("{name} is empty")),
            End::Whole if selection.is_no_text() => notes.push(format!("{name} is no text")),
            End::Whole => {}
        }
        logs.push(LogFile { name, offset });
    }
    let mut transcript = selection.finish();
    if logs.len() > 1 {
        transcript.files = logs;
    }
    Ok((transcript, notes))
}

fn name(file: &std::path::Path) -> String {
    if file == std::path::Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}

/// How far a log was read.
enum End {
    Whole,
    /// What could not be read.
    Damage(std::io::Error),
    /// It is no text, and very long.
    GivenUp,
}

fn pour(log: &mut dyn Read, selection: &mut Selection) -> End {
    let mut chunk = vec![0; CHUNK];
    let begin = selection.written();
    loop {
        match log.read(&mut chunk) {
            Ok(0) => return End::Whole,
            Ok(count) => selection.push(&chunk[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return End::Damage(error),
        }
        if selection.written() - begin >= NO_TEXT && selection.is_no_text() {
            return End::GivenUp;
        }
    }
}
