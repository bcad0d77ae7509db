//! Options of a mount that refuse a kind of file to everybody, root too: `noexec` and `nodev`, mount(8). Who set them, and the ways out.

use crate::cause::{Case, Evidence, Fix};
use crate::machine::Identity;
use crate::probe::origin::{self, Maker, Said};
use crate::sys::mounts::Mount;

/// Options of fstab(5) that mean `noexec` and `nodev` too, where the opposite does not follow them, mount(8).
const IMPLY: &[&str] = &["user", "users"];

/// A mount with such an option.
pub struct Forbids<'a> {
    /// The failure.
    pub case: &'a Case<'a>,
    /// The mount.
    pub mount: &'a Mount,
    /// `noexec` or `nodev`.
    pub option: &'a str,
    /// Its opposite: `exec` or `dev`.
    pub opposite: &'a str,
}

/// Whether a mount has an option of its own.
#[must_use]
pub fn has(mount: &Mount, option: &str) -> bool {
    mount.options.iter().any(|own| own == option)
}

impl Forbids<'_> {
    /// The option, and where it is from.
    #[must_use]
    pub fn evidence(&self) -> Vec<Evidence> {
        let point = &self.mount.point;
        let options = format!("{} has the mount options {}", point.display(), self.mount.options.join(","));
        let check = format!("findmnt -no TARGET,OPTIONS -T {}", self.case.quoted(point));
        let mut evidence = vec![Evidence::probe(options).check(check)];
        evidence.extend(self.origin().map(Evidence::probe));
        evidence
    }

    fn origin(&self) -> Option<String> {
        let origin = origin::of_mount(self.case.machine, self.mount);
        let implied = origin.options.as_ref().and_then(|said| Some((said, self.implied(said)?)));
        if let Some((said, word)) = implied {
            return Some(format!("{} has {word}, which means {} too", said.line, self.option));
        }
        // A line that does not say it is not where it is from.
        let is_said = origin.options.as_ref().is_some_and(|said| said.option(self.option).is_some());
        let is_known = is_said || matches!(origin.maker, Maker::Systemd | Maker::Container(_) | Maker::Kernel);
        origin.says(self.mount, &[self.option]).filter(|_| is_known)
    }

    /// The word that implies the option.
    fn implied(&self, said: &Said) -> Option<&'static str> {
        let is_said = said.option(self.option).is_some();
        IMPLY.iter().find(|word| !is_said && said.option(word).is_some()).copied()
    }

    /// To take the option back: now, and where it is written down. In a container without the right to mount, only those outside can.
    #[must_use]
    pub fn fixes(&self) -> Vec<Fix> {
        let identity = &self.case.surroundings().identity;
        if identity.uid == 0 && !identity.has(Identity::SYS_ADMIN) {
            let text = format!(
                "what started this container or sandbox mounts {} without {} (docker run --tmpfs {}:{})",
                self.mount.point.display(),
                self.opposite,
                self.mount.point.display(),
                self.opposite
            );
            return vec![Fix::lasting(text)];
        }
        let remount = format!("mount -o remount,{} {}", self.opposite, self.case.quoted(&self.mount.point));
        let now =
            Fix::now(self.case.as_root(&remount), "until the next boot, where the option is not there on purpose");
        std::iter::once(now).chain(self.written()).collect()
    }

    fn written(&self) -> Option<Fix> {
        let said = origin::of_mount(self.case.machine, self.mount).options?;
        if self.implied(&said).is_some() {
            return Some(Fix::lasting(format!("{}: add {} at the end of the options", said.line, self.opposite)));
        }
        said.option(self.option)?;
        Some(Fix::lasting(format!("{}: put {} in the place of {}", said.line, self.opposite, self.option)))
    }
}
