//! What the C library says in other languages, gettext(3). No state of the machine, but knowledge that it holds: a log tells in no
//! word which language it is in.

use std::io::Read;
use std::path::{Path, PathBuf};

/// Where catalogues are kept, a directory for each language: glibc's own, and Ubuntu's language packs.
const DIRECTORIES: [&str; 2] = ["/usr/share/locale", "/usr/share/locale-langpack"];
/// Catalogues that are read at most, and bytes of one; glibc 2.36 has 60, and the largest has 190 kB.
const MOST: usize = 128;
const LARGEST: u64 = 1 << 20;

/// The texts of all catalogues of the C library, by the name of the language.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn of_libc() -> Vec<Vec<u8>> {
    let languages = DIRECTORIES.iter().filter_map(|directory| std::fs::read_dir(directory).ok()).flatten().flatten();
    let mut files: Vec<PathBuf> = languages.map(|entry| entry.path().join("LC_MESSAGES/libc.mo")).collect();
    files.sort();
    files.into_iter().filter_map(|file| text(&file)).take(MOST).collect()
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn text(file: &Path) -> Option<Vec<u8>> {
    let is_file = std::fs::metadata(file).ok()?.is_file();
    let mut text = Vec::new();
    is_file.then(|| std::fs::File::open(file).ok()?.take(LARGEST).read_to_end(&mut text).ok())??;
    Some(text)
}
