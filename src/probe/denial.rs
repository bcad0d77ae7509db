//! What security modules wrote of what they refused: records of the kernel's audit, in its own log or in that of the audit daemon.
//!
//! `avc: denied` is `SELinux` (`security/selinux/avc.c`), `apparmor="DENIED"` `AppArmor` (`security/apparmor/audit.c`), `blockers=` Landlock
//! since Linux 6.15 (`Documentation/admin-guide/LSM/landlock.rst`).

use crate::machine::{KernelMessage, Machine};
use std::path::{Path, PathBuf};

/// What the records are found by.
const WORDS: &[&str] = &["denied", "DENIED", "blockers="];

/// A refusal that a module wrote down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Whose it is.
    pub module: &'static str,
    /// The record, from where the module's own words begin.
    pub text: String,
}

impl Denial {
    /// The refusal that a line records. What was only watched (permissive, complain) was not refused.
    #[must_use]
    pub fn of_line(line: &str) -> Option<Self> {
        let begins = |word: &str| line.find(word);
        let (module, at) = if let Some(at) = begins("avc:").filter(|_| line.contains(" denied ")) {
            ("SELinux", at)
        } else if let Some(at) = begins("apparmor=\"DENIED\"") {
            ("AppArmor", at)
        } else {
            ("Landlock", begins("domain=").filter(|_| line.contains(" blockers="))?)
        };
        let denial = Self { module, text: line[at..].trim_end().to_owned() };
        (denial.field("permissive") != Some("1")).then_some(denial)
    }

    /// The value of a field, without quotation marks.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.text.split(' ');
        let value = fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))?;
        Some(value.trim_matches('"'))
    }

    /// Which of the path and the directories above it the record is about.
    #[must_use]
    pub fn place(&self, machine: &Machine, path: &Path) -> Option<PathBuf> {
        let places = path.ancestors().enumerate();
        places.into_iter().find(|(above, at)| self.is_about(machine, at, *above)).map(|(_, at)| at.to_owned())
    }

    /// Whether it is about the file, or about the directory so far above it. A record with the last component alone is, where it has the
    /// inode too; where the inode cannot be compared, it is about the file or the directory that holds it.
    fn is_about(&self, machine: &Machine, at: &Path, above: usize) -> bool {
        let is_itself = above == 0;
        let named = |field: &str| self.field(field).map(decoded);
        let whole = named("path").or_else(|| named("name").filter(|name| name.starts_with('/')));
        if let Some(whole) = whole {
            return Path::new(&whole) == at && (is_itself || self.module == "Landlock");
        }
        let is_named = || at.file_name().is_some_and(|last| named("name").is_some_and(|name| *name == *last));
        let inode = self.field("ino").and_then(|number| number.parse::<u64>().ok());
        let is_that = match (inode, machine.stat(at)) {
            (Some(inode), Ok(stat)) => stat.inode == inode,
            _ => above <= 1,
        };
        is_that && is_named() && (is_itself || self.field("tclass") == Some("dir"))
    }

    /// The port that was to be bound or connected to (`SELinux`: `name_bind`, `name_connect`).
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        let field = if self.text.contains("name_bind") { "src" } else { "dest" };
        self.field(field)?.parse().ok()
    }
}

/// Names with blanks or marks are written as hexadecimal digits, without quotation marks (`audit_log_untrustedstring`).
fn decoded(value: &str) -> String {
    let is_hex =
        value.len() >= 2 && value.len().is_multiple_of(2) && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = || (0..value.len()).step_by(2).map(|at| u8::from_str_radix(&value[at..at + 2], 16).ok());
    let bytes: Option<Vec<u8>> = if is_hex { digits().collect() } else { None };
    // A name of digits alone may be one: it is hexadecimal only where that makes a name that needed it.
    let decoded = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.filter(|text| text.contains([' ', '"'])).unwrap_or_else(|| value.to_owned())
}

/// All refusals that can be read, the newest first.
#[must_use]
pub fn denials(machine: &Machine) -> Vec<Denial> {
    let kernel = machine.kernel_log(WORDS).unwrap_or_default();
    let of_kernel = kernel.messages.iter().rev().filter_map(|KernelMessage { text, .. }| Denial::of_line(text));
    let audited = machine.audit_log().unwrap_or_default();
    let parts = audited.parts.iter().rev();
    let of_daemon = parts.flat_map(|part| {
        let text = part.bytes.lossy();
        let found: Vec<Denial> = text.lines().rev().filter_map(Denial::of_line).collect();
        found
    });
    of_kernel.chain(of_daemon).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_only_watched_was_not_refused() {
        for (line, module) in [
            (
                r#"audit: type=1400 audit(1.2:3): avc:  denied  { read } for  pid=7 name="x" permissive=0"#,
                Some("SELinux"),
            ),
            (r#"avc:  denied  { read } for  pid=7 name="x" tclass=file permissive=1"#, None),
            (r#"avc:  granted  { read } for  pid=7 name="x" tclass=file"#, None),
            (r#"apparmor="DENIED" operation="open" profile="p" name="/x" pid=7"#, Some("AppArmor")),
            (r#"apparmor="ALLOWED" operation="open" profile="p" name="/x" pid=7"#, None),
            (
                r#"type=1423 audit(1.2:3): domain=195ba459b blockers=fs.read_file path="/x" dev="vda2" ino=3"#,
                Some("Landlock"),
            ),
            ("access denied for user root", None),
        ] {
            assert_eq!(Denial::of_line(line).map(|denial| denial.module), module, "{line}");
        }
    }

    #[test]
    fn fields_are_read_and_names_with_blanks_decoded() {
        let denial = Denial::of_line(r#"apparmor="DENIED" operation="open" name=2F686F6D652F61206220 pid=7"#);
        let denial = denial.expect("a record");
        assert_eq!((denial.field("operation"), denial.field("ino")), (Some("open"), None));
        assert_eq!(decoded(denial.field("name").unwrap_or_default()), "/home/a b ");
        assert_eq!(decoded("cafe"), "cafe");
    }
}
