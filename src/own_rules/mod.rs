//! Rules of one's own: where they are looked for, and whose word is taken.
//!
//! A rule cannot run anything, but it can mislead: it chooses which causes are looked for, on which path, and so which advice is given,
//! and it can declare a failure to be none. So files are used only where nobody but root and the caller can change them, or where the
//! caller named them on this command line.

mod project;
mod trust;

pub use project::Project;

use crate::clue::{Fault, Source};
use crate::machine::{Identity, Machine, Ownership, RuleFile, Surroundings, Unknown};
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

/// The rules of the whole machine.
const SYSTEM: &str = "/etc/explain/rules.d";
/// Directories of the caller's choice, separated by colons.
const VARIABLE: &str = "EXPLAIN_RULES";

/// What was found, in the order in which later ones win.
#[derive(Debug, Default)]
pub struct OwnRules {
    /// Files and their text.
    pub texts: Vec<(PathBuf, String)>,
    /// What was left out, and why.
    pub faults: Vec<Fault>,
    /// That the project has rules which nobody trusted.
    pub untrusted: Option<String>,
}

/// A file or directory of rules.
struct Place {
    path: PathBuf,
    asked: Asked,
}

/// Who wants the rules of a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Nobody by name: they are used where they are there.
    Always,
    /// The environment, which may be older than the caller's rights.
    InEnvironment,
    /// The caller, on this command line.
    OnCommandLine,
    /// The caller, who trusted these very bytes.
    Trusted,
}

impl Place {
    fn trusted(path: PathBuf) -> Self {
        Self { path, asked: Asked::Trusted }
    }
}

/// Reads the rules of the machine, of the user, of the project where it is trusted, of `EXPLAIN_RULES` and those that the options name.
#[must_use]
pub fn gather(machine: &Machine, named: &[PathBuf]) -> OwnRules {
    let mut own = OwnRules::default();
    let reader = Reader::new(machine);
    for path in [Some(PathBuf::from(SYSTEM)), of_user(machine.surroundings())].into_iter().flatten() {
        reader.add(&Place { path, asked: Asked::Always }, &mut own);
    }
    project::add(&reader, &mut own);
    for path in of_variable() {
        reader.add(&Place { path, asked: Asked::InEnvironment }, &mut own);
    }
    for path in named.iter().cloned() {
        reader.add(&Place { path, asked: Asked::OnCommandLine }, &mut own);
    }
    own
}

/// `$XDG_CONFIG_HOME/explain/rules`, by default below `~/.config` (XDG Base Directory Specification).
fn of_user(surroundings: &Surroundings) -> Option<PathBuf> {
    let of_home = || surroundings.directory("HOME").map(|home| home.join(".config"));
    surroundings.directory("XDG_CONFIG_HOME").or_else(of_home).map(|config| config.join("explain/rules"))
}

#[expect(clippy::disallowed_methods, reason = "a setting of explain itself, not state of the machine")]
fn of_variable() -> Vec<PathBuf> {
    let list = std::env::var_os(VARIABLE).unwrap_or_default();
    std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect()
}

struct Reader<'a> {
    machine: &'a Machine,
    believed: Believed,
}

impl<'a> Reader<'a> {
    fn new(machine: &'a Machine) -> Self {
        let root = machine.stat(Path::new("/")).map_or(0, |root| root.uid);
        let caller = Identity::of_this_process();
        Self { machine, believed: Believed { owners: [caller.uid, root], groups: [caller.gid, 0] } }
    }

    fn add(&self, place: &Place, own: &mut OwnRules) {
        if place.asked == Asked::InEnvironment && !place.path.is_absolute() {
            let text = format!("left out: {VARIABLE} takes absolute paths");
            return own.faults.push(Fault { file: place.path.clone(), line: None, text });
        }
        let found = match self.machine.rule_files(&place.path) {
            Ok(found) => found,
            Err(error) if place.asked == Asked::Always && self.is_absent(place, &error) => return,
            Err(error) => return own.faults.push(Fault::unread(&place.path, &error)),
        };
        if let Some(doubt) = self.doubt(place, found.ownership) {
            return own.faults.push(Fault { file: place.path.clone(), line: None, text: doubt });
        }
        self.add_files(place, found.files, own);
    }

    /// Whether nothing is known to be there: behind the home of another user (`sudo -u`) nobody knows of rules.
    fn is_absent(&self, place: &Place, error: &Unknown) -> bool {
        let is_refused = |error: &Unknown| *error == Unknown::Errno(Errno::EACCES);
        error.is_missing()
            || is_refused(error) && self.machine.stat(&place.path).is_err_and(|hidden| is_refused(&hidden))
    }

    fn add_files(&self, place: &Place, files: Vec<RuleFile>, own: &mut OwnRules) {
        for file in files {
            match self.text(place, file) {
                Ok(text) => own.texts.push(text),
                Err(fault) => own.faults.push(fault),
            }
        }
    }

    fn text(&self, place: &Place, file: RuleFile) -> Result<(PathBuf, String), Fault> {
        let RuleFile { file, read } = file;
        let (ownership, bytes) = read.map_err(|error| Fault::unread(&file, &error))?;
        if let Some(text) = self.doubt(place, Some(ownership)) {
            return Err(Fault { file, line: None, text });
        }
        let text = Source::text_of(&file, bytes)?;
        Ok((file, text))
    }

    /// Why the rules of a place are not used.
    fn doubt(&self, place: &Place, ownership: Option<Ownership>) -> Option<String> {
        if matches!(place.asked, Asked::OnCommandLine | Asked::Trusted) {
            return None;
        }
        let why = match self.believed.doubt(ownership?)? {
            Doubt::Owner(uid) => format!("{} owns it, who is neither you nor root", self.machine.user(uid)),
            Doubt::Everybody => "everybody may write to it".to_owned(),
            Doubt::Group(gid) => format!("group {gid} may write to it"),
        };
        Some(format!("left out: {why}"))
    }
}

/// Who may change rules that are used.
struct Believed {
    /// The caller, and root, who is who owns `/`: in a user namespace root may have no number.
    owners: [u32; 2],
    /// Groups that may write: the caller's own, which on many systems has no other member, and root's.
    groups: [u32; 2],
}

/// Who else may change a file.
#[derive(Debug, PartialEq, Eq)]
enum Doubt {
    Owner(u32),
    Everybody,
    Group(u32),
}

impl Believed {
    fn doubt(&self, ownership: Ownership) -> Option<Doubt> {
        let Ownership { uid, gid, mode } = ownership;
        match mode {
            _ if !self.owners.contains(&uid) => Some(Doubt::Owner(uid)),
            mode if mode & 0o002 != 0 => Some(Doubt::Everybody),
            mode if mode & 0o020 != 0 && !self.groups.contains(&gid) => Some(Doubt::Group(gid)),
            _ => None,
        }
    }
}

/// A file that could be read, for looking at its rules.
fn lossy(file: &RuleFile) -> Option<(PathBuf, String)> {
    let (_, bytes) = file.read.as_ref().ok()?;
    Some((file.file.clone(), String::from_utf8_lossy(bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Bytes;

    const USER: Believed = Believed { owners: [1000, 0], groups: [1000, 0] };

    fn owned(uid: u32, gid: u32, mode: u32) -> Ownership {
        Ownership { uid, gid, mode }
    }

    #[test]
    fn rules_that_only_root_and_the_caller_can_change_are_used() {
        for ownership in [owned(0, 0, 0o755), owned(1000, 1000, 0o664), owned(1000, 50, 0o644), owned(0, 0, 0o664)] {
            assert_eq!(USER.doubt(ownership), None, "{ownership:?}");
        }
    }

    #[test]
    fn rules_that_others_can_change_are_left_out() {
        for (ownership, doubt) in [
            (owned(1001, 1000, 0o644), Doubt::Owner(1001)),
            (owned(1000, 1000, 0o666), Doubt::Everybody),
            (owned(0, 0, 0o1777), Doubt::Everybody),
            (owned(1000, 50, 0o664), Doubt::Group(50)),
        ] {
            assert_eq!(USER.doubt(ownership), Some(doubt));
        }
    }

    #[test]
    fn rules_of_a_user_do_not_count_for_root() {
        let root = Believed { owners: [0, 0], groups: [0, 0] };
        assert_eq!(root.doubt(owned(1000, 1000, 0o644)), Some(Doubt::Owner(1000)));
    }

    #[test]
    fn the_rules_of_a_user_are_below_the_configuration_directory() {
        let mut surroundings = Surroundings::default();
        assert_eq!(of_user(&surroundings), None);
        surroundings.env.insert("HOME".into(), Bytes(b"/home/u".to_vec()));
        assert_eq!(of_user(&surroundings), Some("/home/u/.config/explain/rules".into()));
        surroundings.env.insert("XDG_CONFIG_HOME".into(), Bytes(b"/config".to_vec()));
        assert_eq!(of_user(&surroundings), Some("/config/explain/rules".into()));
    }
}
