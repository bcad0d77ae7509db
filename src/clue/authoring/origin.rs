//! Where a rule says that its message is from: a `source` is a sentence for readers, and this finds in it what a reader can
//! follow, so that no message rests on memory alone.

/// The kinds of evidence that one `source` names; most name more than one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// A file of the program's source, or a manual page: `src/tar.c`, `signal(7)`.
    pub text: bool,
    /// A run by who wrote the rule: the word `run`.
    pub run: bool,
    /// An address, mostly of a report by somebody who met the failure.
    pub address: bool,
}

impl Origin {
    /// What a source names. A name before a version (`Node.js 20`, `Erlang/OTP 25`) is that of a program.
    #[must_use]
    pub fn of(source: &str) -> Self {
        let words: Vec<&str> = source.split_whitespace().map(bare).collect();
        let mut origin = Self::default();
        for (at, word) in words.iter().enumerate() {
            let versioned =
                words.get(at + 1).is_some_and(|next| next.starts_with(|first: char| first.is_ascii_digit()));
            origin.address |= word.starts_with("https://");
            origin.run |= *word == "run" || *word == "strings";
            origin.text |= is_manual_page(word) || (!versioned && is_file(word));
        }
        origin
    }

    /// Whether a reader can follow it anywhere.
    #[must_use]
    pub const fn is_named(self) -> bool {
        self.text || self.run || self.address
    }
}

/// A word without the punctuation around it.
fn bare(word: &str) -> &str {
    word.trim_start_matches(['(', '`']).trim_end_matches([',', ';', ':', '.', '`'])
}

/// Whether a word is the name of a manual page: `dlopen(3)`.
fn is_manual_page(word: &str) -> bool {
    let section = word.split_once('(').map(|(_, section)| section.as_bytes());
    matches!(section, Some([b'1'..=b'9', .., b')']))
}

/// Whether a word is a path or has the extension of a file of source.
fn is_file(word: &str) -> bool {
    if word.starts_with("https://") {
        return false;
    }
    let word = word.trim_end_matches(')');
    let path = word.split_once('/').is_some_and(|(directory, name)| !directory.is_empty() && !name.is_empty());
    path || word.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && extension.starts_with(|first: char| first.is_ascii_alphabetic())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: bool, run: bool, address: bool) -> Origin {
        Origin { text, run, address }
    }

    #[test]
    fn files_manual_pages_runs_and_addresses_are_found_in_a_sentence() {
        for (source, origin) in [
            ("GNU tar 1.34, src/misc.c", of(true, false, false)),
            ("sed 4.8 and its po/de.po; run", of(true, true, false)),
            ("socket(2): EPERM is of raw ones", of(true, false, false)),
            ("Node.js 20, run as a user", of(false, true, false)),
            ("Node.js 20 (https://example.org/a/b.c)", of(false, false, true)),
            ("cron 3.0pl1 (strings of its binary)", of(false, true, false)),
        ] {
            assert_eq!(Origin::of(source), origin, "{source}");
        }
    }

    #[test]
    fn a_program_and_its_version_name_nothing_that_can_be_followed() {
        for source in ["Erlang/OTP 25", ".NET 7", "GCC 12.2, as shells print it", "Node.js 20"] {
            assert!(!Origin::of(source).is_named(), "{source}");
        }
    }
}
