//! Text and bytes, as they are read and shown. Bytes of the machine (paths, file contents, output) are not always UTF-8, and JSON is:
//! [`Bytes`] carries them without loss.

use crate::sys::errno::Errno;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that become a JSON string where they are UTF-8 and an array of numbers where they are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// The bytes as text, with U+FFFD for what is not UTF-8: for matching and showing, never for paths.
    #[must_use]
    pub fn lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

/// What an error says, in the kernel's words where it is the kernel's: the standard library adds its number.
#[must_use]
pub fn said(error: &std::io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |errno| Errno::from_raw(errno).desc().to_owned())
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form<'a> {
    Text(std::borrow::Cow<'a, str>),
    Raw(std::borrow::Cow<'a, [u8]>),
}

fn form(bytes: &[u8]) -> Form<'_> {
    std::str::from_utf8(bytes).map_or(Form::Raw(bytes.into()), |text| Form::Text(text.into()))
}

fn bytes_of(form: Form<'_>) -> Vec<u8> {
    match form {
        Form::Text(text) => text.into_owned().into_bytes(),
        Form::Raw(raw) => raw.into_owned(),
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        form(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Form::deserialize(deserializer).map(|form| Self(bytes_of(form)))
    }
}

/// `#[serde(with = "crate::text::path")]` for a `PathBuf` or `OsString` that may hold any bytes.
pub mod path {
    use super::{Bytes, Form, form};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::{OsStrExt, OsStringExt};

    /// Writes the path's bytes.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(path: impl AsRef<OsStr>, serializer: S) -> Result<S::Ok, S::Error> {
        let form: Form<'_> = form(path.as_ref().as_bytes());
        form.serialize(serializer)
    }

    /// Reads the path's bytes back.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>, P: From<OsString>>(deserializer: D) -> Result<P, D::Error> {
        Bytes::deserialize(deserializer).map(|bytes| OsString::from_vec(bytes.0).into())
    }
}

/// `41203` as `41,203`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of bytes as a person reads it, in binary units: `75.0 MiB`, `512 B`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A fragment as the beginning of a sentence.
#[must_use]
pub fn capital(text: &str) -> String {
    // The name of a variable stays as it is.
    if text.split([' ', ':']).next().is_some_and(|word| word.contains(['_', '='])) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A path or argument as one word that a POSIX shell reads back; bytes that cannot be shown are written with `$'…'`.
#[must_use]
pub fn shell_word(word: impl AsRef<std::ffi::OsStr>) -> String {
    use std::os::unix::ffi::OsStrExt;
    let bytes = word.as_ref().as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%^".contains(byte);
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.is_empty() && bytes.iter().all(is_plain) => text.to_owned(),
        Ok(text) if !text.chars().any(char::is_control) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => format!("$'{}'", bytes.iter().map(|byte| ansi_c(*byte)).collect::<String>()),
    }
}

/// One byte inside `$'…'`.
fn ansi_c(byte: u8) -> String {
    match byte {
        b'\'' | b'\\' => format!("\\{}", char::from(byte)),
        b'\n' => "\\n".to_owned(),
        b'\t' => "\\t".to_owned(),
        b'\r' => "\\r".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\{byte:03o}"),
    }
}

/// A name that a program wrote so that a shell reads it back (bash, the GNU programs), where it holds `$'…'`: its bytes. The quotation marks
/// around all of it may have been taken off.
#[must_use]
pub fn unquoted(written: &[u8]) -> Vec<u8> {
    if memchr::memmem::find(written, b"$'").is_none() {
        return written.to_vec();
    }
    let mut name = Vec::with_capacity(written.len());
    let mut rest = written;
    // What begins with a quotation mark was outside of one, but where that ends the one before it.
    let begins_outside = written.starts_with(b"$'") || written.starts_with(b"'") && !written.starts_with(b"'$'");
    let (mut is_inside, mut has_escapes) = (!begins_outside, false);
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'\'' => (is_inside, has_escapes) = (!is_inside, false),
            b'$' if !is_inside && tail.starts_with(b"'") => (is_inside, has_escapes, rest) = (true, true, &tail[1..]),
            b'\\' if has_escapes => {
                let (meant, length) = escaped(tail);
                name.push(meant);
                rest = &tail[length..];
            }
            _ => name.push(byte),
        }
    }
    name
}

/// The byte that an escape of `$'…'` stands for, by what follows its backslash, and the length of that.
fn escaped(rest: &[u8]) -> (u8, usize) {
    let digits = rest.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    if digits > 0 {
        let number = rest[..digits].iter().fold(0u8, |number, digit| number.wrapping_mul(8).wrapping_add(digit - b'0'));
        return (number, digits);
    }
    match rest.first() {
        Some(b'n') => (b'\n', 1),
        Some(b't') => (b'\t', 1),
        Some(b'r') => (b'\r', 1),
        Some(b'a') => (7, 1),
        Some(b'b') => (8, 1),
        Some(b'e' | b'E') => (0x1b, 1),
        Some(b'f') => (12, 1),
        Some(b'v') => (11, 1),
        Some(byte) => (*byte, 1),
        None => (b'\\', 0),
    }
}

/// Whether a text has a name or a path as a whole: `foo` stands in `cp ./foo/x` and in `see foo.`, and not in `foo.bak` or `foo-1`.
#[must_use]
pub fn has_name(text: &str, name: &str) -> bool {
    let goes_on = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '+' | '~');
    let is_whole = |at: usize| {
        let before = text[..at].chars().next_back();
        let mut behind = text[at + name.len()..].chars();
        let is_open = match behind.next() {
            Some('.') => behind.next().is_some_and(goes_on),
            behind => behind.is_some_and(goes_on),
        };
        !is_open && !before.is_some_and(|letter| goes_on(letter) || letter == '.')
    };
    !name.is_empty() && text.match_indices(name).any(|(at, _)| is_whole(at))
}

/// Whether a byte goes on a path rather than ending it in a sentence.
#[must_use]
pub fn is_of_a_path(byte: u8) -> bool {
    !matches!(
        byte,
        0..=b' ' | b'"' | b'\'' | b'`' | b':' | b',' | b';' | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'=' | 0x7f
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            ["0", "999", "1,000", "44,492", "1,234,567"],
            [0, 999, 1000, 44492, 1_234_567].map(grouped).each_ref().map(String::as_str)
        );
    }

    #[test]
    fn sizes_use_the_unit_that_keeps_the_number_short() {
        assert_eq!(
            ["512 B", "1.0 KiB", "75.0 MiB", "1.0 GiB"],
            [512, 1024, 75 << 20, 1 << 30].map(size).each_ref().map(String::as_str)
        );
    }

    #[test]
    fn a_shell_reads_a_quoted_word_back() {
        let quoted = [&b"/tmp/a-1"[..], b"a b", b"it's", b"", b"a\nb\xff"]
            .map(|word| shell_word(std::ffi::OsStr::from_bytes(word)));
        assert_eq!(["/tmp/a-1", "'a b'", r"'it'\''s'", "''", r"$'a\nb\377'"], quoted.each_ref().map(String::as_str));
    }

    #[test]
    fn a_name_that_was_quoted_for_a_shell_is_read_back() {
        for (written, meant) in [
            (r"$'/tmp\r'", "/tmp\r"),
            (r"list'$'\r", "list\r"),
            (r"'a b'$'\t\303\251''c'", "a b\té\u{63}"),
            (r"$'it\'s'", "it's"),
            (r"'$'\n''b", "\nb"),
            (r"a'$'\033''[31m/x", "a\x1b[31m/x"),
            (r"a$b", "a$b"),
            (r"$'", ""),
        ] {
            assert_eq!(String::from_utf8_lossy(&unquoted(written.as_bytes())), meant, "{written}");
        }
    }

    #[test]
    fn bytes_survive_json_whatever_they_are() {
        for bytes in [&b"plain"[..], b"caf\xc3\xa9", b"\xff\x00\xfe"] {
            let json = serde_json::to_string(&Bytes(bytes.to_vec())).unwrap();
            assert_eq!(serde_json::from_str::<Bytes>(&json).unwrap().0, bytes, "{json}");
        }
    }

    #[test]
    fn a_name_is_found_as_a_whole_only() {
        for text in ["cat foo", "cp ./foo/x y", ">foo;", "'foo'", "no foo.", "‘foo’: gone", "a{foo,b}", "x=foo|y"] {
            assert!(has_name(text, "foo"), "{text}");
        }
        for text in ["cat foo.bak", "foobar", "a-foo", ".foo", "foo~", "foo_1", "a.foo", ""] {
            assert!(!has_name(text, "foo"), "{text}");
        }
        assert!(has_name("rm ro/x.bak ro/x", "ro/x") && !has_name("rm ro/x.bak", "ro/x"));
    }
}
