//! The paths that a line names, whatever its form is.

/// Signs that may stand before a path.
const BEFORE: &[u8] = b" \t([{<=:,;|>'\"`";
/// Signs that end a path, and those that end a sentence behind one.
const AFTER: &[u8] = b" \t'\"`,;:()[]{}<>|";
const PUNCTUATION: &[u8] = b".!?";
/// Signs of a quotation.
const MARKS: &[u8] = b"'\"`";

/// The paths in a line: absolute ones, those that begin with a dot, and names in quotation marks that have a slash or an extension. A
/// program that speaks comes first in its line (`/usr/bin/x: …`): it is meant only where nothing else is.
pub fn named_paths(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut paths: Vec<&[u8]> = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let Some(path) = path_at(line, at) else {
            at += 1;
            continue;
        };
        at += path.len();
        paths.push(path);
    }
    let speaks = |path: &[u8]| line.starts_with(path) && line.get(path.len()) == Some(&b':');
    if paths.len() > 1 && speaks(paths[0]) {
        paths.remove(0);
    }
    paths.into_iter()
}

fn path_at(line: &[u8], at: usize) -> Option<&[u8]> {
    let before = at.checked_sub(1).map(|before| line[before]);
    if !before.is_none_or(|before| BEFORE.contains(&before)) {
        return None;
    }
    let rest = &line[at..];
    let mark = before.filter(|before| MARKS.contains(before));
    match mark {
        Some(mark) => quoted(rest, mark),
        None => bare(rest),
    }
}

/// What ends with a mark and is the name of a file, as far as that can be told.
fn quoted(rest: &[u8], mark: u8) -> Option<&[u8]> {
    let closes = |byte: &u8| *byte == mark || mark == b'`' && *byte == b'\'';
    let name = &rest[..rest.iter().position(closes)?];
    let is_path = is_rooted(name) || !name.contains(&b' ') && (is_below(name) || has_extension(name));
    is_path.then_some(name)
}

fn bare(rest: &[u8]) -> Option<&[u8]> {
    let end = rest.iter().position(|byte| AFTER.contains(byte)).unwrap_or(rest.len());
    let mut name = &rest[..end];
    while let Some(shorter) = name.split_last().and_then(|(last, rest)| PUNCTUATION.contains(last).then_some(rest)) {
        name = shorter;
    }
    // The place of a line in a source: `/usr/lib/x.py:12`.
    let is_source = rest.get(end) == Some(&b':') && rest.get(end + 1).is_some_and(u8::is_ascii_digit);
    (is_rooted(name) && !is_source).then_some(name)
}

/// `/x`, `./x` and `../x`; `//host` is none.
fn is_rooted(name: &[u8]) -> bool {
    let below = name.strip_prefix(b"..").or_else(|| name.strip_prefix(b".")).unwrap_or(name);
    matches!(below, [b'/', next, ..] if next.is_ascii_alphanumeric() || b"._-~@+".contains(next) || *next >= 0x80)
}

/// `a/b`, and no address.
fn is_below(name: &[u8]) -> bool {
    let slash = memchr::memchr(b'/', name);
    slash.is_some_and(|slash| slash > 0 && slash + 1 < name.len()) && memchr::memmem::find(name, b"://").is_none()
}

/// `a.json`, and no number or version.
fn has_extension(name: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', name) else { return false };
    let extension = &name[dot + 1..];
    dot > 0
        && (1..=6).contains(&extension.len())
        && extension[0].is_ascii_lowercase()
        && extension.iter().all(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(line: &str) -> Vec<String> {
        named_paths(line.as_bytes()).map(|path| String::from_utf8_lossy(path).into_owned()).collect()
    }

    #[test]
    fn paths_are_found_wherever_they_stand() {
        for (line, paths) in [
            ("the store at /data/x. is full", &["/data/x"][..]),
            ("cannot move (/a/b -> /c/d) file", &["/a/b", "/c/d"]),
            ("refused: '/srv/my files/x' and \"conf/a.ini\"", &["/srv/my files/x", "conf/a.ini"]),
            ("could not write `state.json'", &["state.json"]),
            ("path=/run/x.sock, ./a and ../b/c", &["/run/x.sock", "./a", "../b/c"]),
            ("/usr/bin/frob: no access to /etc/frob", &["/etc/frob"]),
            ("/etc/frob: no access", &["/etc/frob"]),
        ] {
            assert_eq!(named(line), paths, "{line}");
        }
    }

    #[test]
    fn addresses_sources_and_words_are_no_paths() {
        for line in [
            "GET https://example.org/a/b failed",
            "at /usr/lib/x.py:12 in main",
            "and/or n/a 1/2",
            "'not this' and '1.2' and 'a b.c'",
            "// a comment",
        ] {
            assert!(named(line).is_empty(), "{line}: {:?}", named(line));
        }
    }
}
