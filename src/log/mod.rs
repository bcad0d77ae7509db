//! Logs that are already there: read once, in bounded memory, whatever their size, and kept as a transcript of what can tell.

mod open;
mod select;
mod telling;

pub use open::open;

use crate::clue::Reader;
use crate::transcript::{LogFile, Transcript};
use select::Selection;
use std::io::Read;
use std::path::PathBuf;

/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// Reads logs, one after the other, as one transcript. What is odd about one is told in a note; it is read as far as it goes.
///
/// # Errors
/// Why a log cannot be read at all, with its name.
pub fn read(files: &[PathBuf], reader: &Reader) -> Result<(Transcript, Vec<String>), String> {
    let mut selection = Selection::new(reader);
    let (mut logs, mut notes) = (Vec::new(), Vec::new());
    for file in files {
        let name = name(file);
        selection.begin_log();
        let offset = selection.written();
        let mut log = open(file).map_err(|error| format!("{name}: {error}"))?;
        let damage = pour(&mut log, &mut selection);
        let bytes = selection.written() - offset;
        match damage {
            Some(error) if bytes == 0 => return Err(format!("{name}: {error}")),
            Some(error) => notes.push(format!("{name}: read as far as it goes, {bytes} bytes: {error}")),
            None if bytes == 0 => notes.push(format!("{name} is empty")),
            None if selection.is_no_text() => notes.push(format!("{name} is no text")),
            None => {}
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

/// Reads to the end; what ended it before, where something did.
fn pour(log: &mut dyn Read, selection: &mut Selection) -> Option<std::io::Error> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match log.read(&mut chunk) {
            Ok(0) => return None,
            Ok(count) => selection.push(&chunk[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Some(error),
        }
    }
}
