//! The words that libraries have for an errno, found in a line: programs print words, in the user's language, not numbers.
//!
//! One sieve holds the words of the C library in English and in the child's locale, or of a log that nobody knows the language of in all
//! languages, and those of runtimes that have their own (libuv, musl, the BSDs). It ignores ASCII case, since Go and Node write them small.

use super::catalogue::Catalogue;
use crate::clue::search::sieve::{Owner, Sieve};
use crate::sys::errno::{Errno, all};
use crate::sys::locale::Locale;
use std::ops::Range;

/// Words that are not glibc's: libuv's `UV_ERRNO_MAP` (uv.h), musl's `__strerror.h`, older glibc, the BSDs.
const OTHER_WORDS: &[(&str, Errno)] = &[
    ("resource busy or locked", Errno::EBUSY),
    ("file already exists", Errno::EEXIST),
    ("i/o error", Errno::EIO),
    ("illegal operation on a directory", Errno::EISDIR),
    ("too many symbolic links encountered", Errno::ELOOP),
    ("name too long", Errno::ENAMETOOLONG),
    ("filename too long", Errno::ENAMETOOLONG),
    ("file table overflow", Errno::ENFILE),
    ("not enough memory", Errno::ENOMEM),
    ("out of memory", Errno::ENOMEM),
    ("operation not supported on socket", Errno::EOPNOTSUPP),
    ("text file is busy", Errno::ETXTBSY),
    ("text file or pseudo-device busy", Errno::ETXTBSY),
    ("cross-device link not permitted", Errno::EXDEV),
    ("cross-device link", Errno::EXDEV),
    ("stale nfs file handle", Errno::ESTALE),
    ("host is unreachable", Errno::EHOSTUNREACH),
    ("resource busy", Errno::EBUSY),
    ("quota exceeded", Errno::EDQUOT),
    ("symbolic link loop", Errno::ELOOP),
    ("no file descriptors available", Errno::EMFILE),
    ("too many open files in system", Errno::ENFILE),
    ("address in use", Errno::EADDRINUSE),
    ("operation not supported", Errno::EOPNOTSUPP),
    ("software caused connection abort", Errno::ECONNABORTED),
    ("socket not connected", Errno::ENOTCONN),
    ("socket is not connected", Errno::ENOTCONN),
    ("unknown error 524", Errno::EOPNOTSUPP),
];

/// Bytes of the shortest words that are looked for whatever the language of a log is: shorter ones are words of other languages.
const SHORTEST: usize = 8;

/// All words.
pub struct Words {
    words: Vec<(Vec<u8>, Errno)>,
    sieve: Sieve<'static>,
}

impl Words {
    /// English and, where it is installed, the locale of this name (`de_DE.UTF-8`).
    #[must_use]
    pub fn new(locale: Option<&str>) -> Self {
        let mut words = english();
        words.extend(locale.filter(|name| !matches!(*name, "C" | "POSIX" | "")).into_iter().flat_map(words_of));
        Self::of(words)
    }

    /// English and the languages of these catalogues of the C library.
    #[must_use]
    pub fn translated(catalogues: &[Vec<u8>]) -> Self {
        let mut words = english();
        let originals = words_of("C");
        for catalogue in catalogues.iter().filter_map(|bytes| Catalogue::new(bytes)) {
            let translated = originals.iter().filter_map(|(text, errno)| Some((catalogue.translation(text)?, *errno)));
            words.extend(
                translated.filter(|(text, _)| text.len() >= SHORTEST).map(|(text, errno)| (text.into(), errno)),
            );
        }
        Self::of(words)
    }

    fn of(mut words: Vec<(Vec<u8>, Errno)>) -> Self {
        let crippled: Vec<_> = words
            .iter()
            .flat_map(|(text, errno)| crippled(text).into_iter().map(|text| (text, *errno)))
            .filter(|(text, _)| text.len() >= SHORTEST)
            .collect();
        words.extend(crippled);
        let keys = words.iter().enumerate().map(|(index, (text, _))| (text.clone().into(), Owner::Words(index)));
        Self { sieve: Sieve::new(keys), words }
    }

    /// The words, in whichever case a line has them.
    pub fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.words.iter().map(|(words, _)| words.as_slice())
    }

    /// Every errno that the text has words for, leftmost and longest first, with the place of the words.
    pub fn find(&self, text: &[u8]) -> impl Iterator<Item = (Range<usize>, Errno)> {
        let mut found = Vec::new();
        self.sieve.find(text, |start, owner| {
            if let Owner::Words(index) = owner {
                found.push((start..start + self.words[index].0.len(), self.words[index].1));
            }
        });
        found.sort_by_key(|(place, _)| (place.start, std::cmp::Reverse(place.end)));
        let mut done = 0;
        found.retain(|(place, _)| {
            let is_next = place.start >= done;
            done = if is_next { place.end } else { done };
            is_next && stands_alone(text, place.clone()) && !is_sentence(text, place.start)
        });
        found.into_iter()
    }
}

/// The words of the C library and of others in English.
fn english() -> Vec<(Vec<u8>, Errno)> {
    let others = OTHER_WORDS.iter().map(|(text, errno)| (text.as_bytes().to_vec(), *errno));
    others.chain(words_of("C")).collect()
}

/// What the C library says of every errno in a locale. `Unknown error N` is no word for anything.
fn words_of(locale: &str) -> Vec<(Vec<u8>, Errno)> {
    let Some(locale) = Locale::named(locale) else { return Vec::new() };
    all()
        .filter_map(|errno| Some((locale.error_words(errno)?, errno)))
        .filter(|(words, _)| words.len() > 3 && !words.last().is_some_and(u8::is_ascii_digit))
        .collect()
}

/// The words as they come out where letters beyond ASCII do not: `Permiss?o negada`. Words of other letters alone leave nothing to know them by.
fn crippled(text: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(text);
    let lost = text.chars().filter(|letter| !letter.is_ascii()).count();
    if lost == 0 || lost * 4 > text.chars().count() {
        return Vec::new();
    }
    let with = |mark: &str| text.replace(|letter: char| !letter.is_ascii(), mark).into_bytes();
    vec![with("?"), with("\u{fffd}")]
}

/// The words are whole: no letter or digit touches them.
fn stands_alone(text: &[u8], words: Range<usize>) -> bool {
    let touches = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    !touches(words.start.checked_sub(1).and_then(|before| text.get(before))) && !touches(text.get(words.end))
}

/// "The lock file exists" is a sentence about that file, and no word for an errno.
fn is_sentence(text: &[u8], start: usize) -> bool {
    let begins = |part: &[u8], word: &[u8]| part.get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word));
    let behind = |word: &[u8]| start.checked_sub(word.len()).is_some_and(|from| begins(&text[from..], word));
    begins(&text[start..], b"file ") && (behind(b"lock ") || behind(b"pid "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &Words, text: &str) -> Vec<Errno> {
        words.find(text.as_bytes()).map(|(_, errno)| errno).collect()
    }

    #[test]
    fn words_are_found_whatever_their_case() {
        let words = Words::new(None);
        assert_eq!(found(&words, "open /x: no space left on device"), [Errno::ENOSPC]);
        assert_eq!(found(&words, "a: Permission denied, b: Read-only file system"), [Errno::EACCES, Errno::EROFS]);
    }

    #[test]
    fn a_sentence_about_a_lock_file_is_no_errno() {
        let words = Words::new(None);
        assert_eq!(found(&words, "the PID file exists, and the lock file already exists"), []);
        assert_eq!(found(&words, "link /x.lock: File exists"), [Errno::EEXIST]);
    }

    #[test]
    fn the_longest_words_win() {
        assert_eq!(found(&Words::new(None), "opendir: Too many open files in system"), [Errno::ENFILE]);
    }

    #[test]
    fn words_inside_other_words_are_not_found() {
        assert_eq!(found(&Words::new(None), "Permission deniedX profile exists"), []);
    }

    #[test]
    fn words_of_an_installed_locale_are_found() {
        if Locale::named("de_DE.UTF-8").is_none() {
            eprintln!("skipped: the locale de_DE.UTF-8 is not installed");
            return;
        }
        let text = "mkdir: Auf dem Gerät ist kein Speicherplatz mehr verfügbar";
        assert_eq!(found(&Words::new(Some("de_DE.UTF-8")), text), [Errno::ENOSPC]);
    }

    #[test]
    fn words_in_noise_stand_in_order_and_inside_of_it() {
        let words = Words::new(None);
        let pieces: [&[u8]; 8] =
            [b"No space", b" left on device", b"no", b" such file or directory", b"\xff", b"\x01", b"", "é".as_bytes()];
        let mut random = 5u64;
        for _ in 0..3000 {
            let text: Vec<u8> = std::iter::repeat_with(|| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                pieces[usize::try_from(random >> 61).unwrap()]
            })
            .take(9)
            .collect::<Vec<_>>()
            .concat();
            let mut end = 0;
            for (place, _) in words.find(&text) {
                assert!(end <= place.start && place.start < place.end && place.end <= text.len(), "{text:?}");
                end = place.end;
            }
        }
    }
}
