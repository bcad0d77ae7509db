//! The systemd unit of a mount: its file, its drop-ins, and what they say in the end, systemd.unit(5).

use super::config::{Setting, fragments, last, settings};
use crate::machine::Machine;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where system units are looked for, the strongest first (systemd.unit(5), "System Unit Search Path").
const SEARCH_PATH: &[&str] = &[
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// A unit as its files describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its name, such as `tmp.mount`.
    pub name: String,
    /// The unit's own file.
    pub file: PathBuf,
    /// Drop-ins in the order in which they are read.
    pub drop_ins: Vec<PathBuf>,
    /// What all of them say, in order.
    pub settings: Vec<Setting>,
}

impl Unit {
    /// The value in the end.
    #[must_use]
    pub fn setting(&self, section: &str, key: &str) -> Option<&Setting> {
        last(&self.settings, section, key)
    }

    /// Whether a generator wrote the file, as it does for `/etc/fstab`, systemd-fstab-generator(8).
    #[must_use]
    pub fn is_generated(&self) -> bool {
        self.file.starts_with("/run/systemd/generator")
            || self.file.starts_with("/run/systemd/generator.early")
            || self.file.starts_with("/run/systemd/generator.late")
    }
}

/// The mount unit of a mount point; none where no file describes one, or it is masked.
#[must_use]
pub fn of_mount_point(machine: &Machine, point: &Path) -> Option<Unit> {
    of_name(machine, &format!("{}.mount", escaped(point)))
}

/// The unit of a name.
#[must_use]
pub fn of_name(machine: &Machine, name: &str) -> Option<Unit> {
    let files = SEARCH_PATH.iter().map(|directory| Path::new(directory).join(name));
    let file = files.into_iter().find(|file| machine.stat(file).is_ok())?;
    if machine.read_link(&file).is_ok_and(|target| target == Path::new("/dev/null")) {
        return None;
    }
    let drop_ins = fragments(machine, &drop_in_directories(name), ".conf");
    let settings = std::iter::once(&file).chain(&drop_ins).flat_map(|file| settings(machine, file)).collect();
    Some(Unit { name: name.to_owned(), file, drop_ins, settings })
}

/// Directories of drop-ins: of the unit and of its prefixes up to each dash, then those of the type (systemd.unit(5)).
fn drop_in_directories(name: &str) -> Vec<PathBuf> {
    let (stem, kind) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut names = vec![format!("{name}.d")];
    let dashes = stem.match_indices('-').map(|(index, _)| index).filter(|index| *index > 0 && index + 1 < stem.len());
    let mut prefixes: Vec<String> = dashes.map(|index| format!("{}-.{kind}.d", &stem[..index])).collect();
    prefixes.reverse();
    names.append(&mut prefixes);
    let own = SEARCH_PATH.iter().flat_map(|path| names.iter().map(|name| Path::new(path).join(name)));
    let of_type = SEARCH_PATH.iter().map(|path| Path::new(path).join(format!("{kind}.d")));
    own.chain(of_type).collect()
}

/// A path as a unit's name has it, `systemd-escape --path`.
#[must_use]
pub fn escaped(path: &Path) -> String {
    let parts: Vec<&[u8]> =
        path.as_os_str().as_bytes().split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return "-".to_owned();
    }
    let joined = parts.join(&b'/');
    let mut name = String::with_capacity(joined.len());
    for (index, byte) in joined.into_iter().enumerate() {
        match byte {
            b'/' => name.push('-'),
            b'.' if index == 0 => name.push_str("\\x2e"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b':' | b'_' | b'.' => name.push(byte.into()),
            _ => name.extend(['\\', 'x', hex(byte >> 4), hex(byte & 15)]),
        }
    }
    name
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_escaped_as_systemd_does() {
        // Answers of systemd-escape --path.
        let known = [
            ("/", "-"),
            ("/tmp", "tmp"),
            ("/var//tmp/", "var-tmp"),
            ("/mnt/a b", "mnt-a\\x20b"),
            ("/home/my-dir", "home-my\\x2ddir"),
            ("/.snapshots", "\\x2esnapshots"),
            ("/a/.b", "a-.b"),
        ];
        for (path, name) in known {
            assert_eq!(escaped(Path::new(path)), name, "{path}");
        }
    }

    #[test]
    fn prefixes_up_to_each_dash_have_drop_ins_too() {
        let directories = drop_in_directories("var-lib-x.mount");
        let names: Vec<_> =
            directories.iter().filter_map(|path| path.strip_prefix("/usr/lib/systemd/system").ok()).collect();
        assert_eq!(names, ["var-lib-x.mount.d", "var-lib-.mount.d", "var-.mount.d", "mount.d"].map(Path::new));
    }
}
