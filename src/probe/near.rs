//! The name that was meant: one in the same directory that differs in case, in Unicode form, in blanks, or by a slip.

use crate::machine::{Kind, Machine};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use unicode_normalization::UnicodeNormalization;

/// How a name that is there differs from the one that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Upper and lower case alone.
    Case,
    /// The same letters in another Unicode normal form.
    Form,
    /// Blanks, carriage returns or quotes around it.
    Blank,
    /// A letter or two, or the ending.
    Slip,
}

/// A name that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// The name.
    pub name: OsString,
    /// How it differs.
    pub difference: Difference,
}

/// The name in a directory that comes nearest to one that is missing; a directory where something was to be found below it.
#[must_use]
pub fn name(machine: &Machine, directory: &Path, missing: &OsStr, must_be_directory: bool) -> Option<Near> {
    let listing = machine.list(directory).ok()?;
    let may_be =
        |kind: Option<Kind>| !must_be_directory || matches!(kind, None | Some(Kind::Directory | Kind::Symlink));
    let names = listing.entries.iter().filter(|entry| may_be(entry.kind)).map(|entry| entry.name.as_os_str());
    let near = names.filter_map(|name| Some((difference(missing, name)?, name)));
    let (difference, name) = near.min_by_key(|(difference, name)| (*difference, distance(missing, name)))?;
    Some(Near { name: name.to_owned(), difference })
}

fn difference(missing: &OsStr, name: &OsStr) -> Option<Difference> {
    let (a, b) = (missing.to_string_lossy(), name.to_string_lossy());
    // Of most names nothing has to be made to compare them; a large directory has many.
    let is_plain = a.is_ascii() && b.is_ascii();
    let form = |text: &str| text.nfc().collect::<String>();
    let differs_in_case = if is_plain { a.eq_ignore_ascii_case(&b) } else { a.to_lowercase() == b.to_lowercase() };
    if differs_in_case {
        return Some(Difference::Case);
    }
    if !is_plain && form(&a) == form(&b) {
        return Some(Difference::Form);
    }
    if plain(missing) == plain(name) {
        return Some(Difference::Blank);
    }
    is_slip(&a, &b).then_some(Difference::Slip)
}

/// A name without what surrounds it by accident.
fn plain(name: &OsStr) -> OsString {
    let is_accident = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b',' | b';' | b':');
    let bytes = name.as_bytes();
    let first = bytes.iter().position(|byte| !is_accident(byte)).unwrap_or(0);
    let end = bytes.iter().rposition(|byte| !is_accident(byte)).map_or(0, |last| last + 1);
    OsString::from_vec(bytes.get(first..end).unwrap_or_default().to_owned())
}

/// Whether one is the other with a slip of the finger. Names that differ in their numbers alone are members of a series.
fn is_slip(a: &str, b: &str) -> bool {
    let without_digits = |text: &str| text.chars().filter(|letter| !letter.is_ascii_digit()).collect::<String>();
    let shorter = a.chars().count().min(b.chars().count());
    if shorter < 3 || without_digits(a) == without_digits(b) {
        return false;
    }
    // A header is not the source of its name.
    if let (Some((a, [_])), Some((b, [_]))) = (ended(a), ended(b))
        && a == b
    {
        return false;
    }
    let stem = |text: &str| text.rsplit_once('.').map_or(text, |(stem, _)| stem).to_owned();
    let has_same_stem = shorter > 3 && (stem(a) == b || a == stem(b));
    has_same_stem || strsim::damerau_levenshtein(a, b) <= (shorter / 4).clamp(1, 3)
}

/// A name in front of its ending, and the ending's letters.
fn ended(name: &str) -> Option<(&str, &[u8])> {
    name.rsplit_once('.').map(|(stem, ending)| (stem, ending.as_bytes()))
}

fn distance(a: &OsStr, b: &OsStr) -> usize {
    strsim::damerau_levenshtein(&a.to_string_lossy(), &b.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(missing: &str, name: &str) -> Option<Difference> {
        difference(OsStr::new(missing), OsStr::new(name))
    }

    #[test]
    fn each_kind_of_difference_is_told() {
        assert_eq!(between("Readme.md", "README.md"), Some(Difference::Case));
        assert_eq!(between("caf\u{e9}", "cafe\u{301}"), Some(Difference::Form));
        assert_eq!(between("setup.sh\r", "setup.sh"), Some(Difference::Blank));
        assert_eq!(between("confg.yml", "config.yml"), Some(Difference::Slip));
        assert_eq!(between("notes", "notes.txt"), Some(Difference::Slip));
    }

    #[test]
    fn another_name_is_not_near() {
        for (missing, name) in [
            ("page1.html", "page2.html"),
            ("a", "b"),
            ("bin", "lib"),
            ("notes.txt", "todo.txt"),
            ("parse.h", "parse.c"),
        ] {
            assert_eq!(between(missing, name), None, "{missing} {name}");
        }
    }
}
