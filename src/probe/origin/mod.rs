//! Where a limit comes from: which file and line, which program or which default of the kernel set it, and what to write
//! where so that it lasts.

pub mod config;
pub mod container;
pub mod fstab;
mod lasting;
pub mod limits;
pub mod sysctl;
#[cfg(test)]
mod tests;
mod tmpfs;
pub mod unit;

pub use config::{Line, Setting};
pub use container::Container;
pub use lasting::Lasting;
pub use limits::of_limit;
pub use sysctl::of_sysctl;
pub use tmpfs::parse_size;
pub use unit::Unit;

use crate::machine::Machine;
use crate::sys::mounts::Mount;
use config::has_systemd;
use std::path::{Path, PathBuf};

/// Who made a mount, and what was said about its options where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Where it is mounted.
    pub point: PathBuf,
    /// Who made it.
    pub maker: Maker,
    /// The options that the maker was told, where they are written down, and where.
    pub options: Option<Said>,
}

/// Who made a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Maker {
    /// A mount unit of systemd; one that was generated from fstab has its line there.
    Unit(Box<Unit>),
    /// `mount -a` or the like, from a line of fstab.
    Fstab(Box<fstab::Entry>),
    /// systemd itself at boot, before any unit (`/run`, `/dev/shm`).
    Systemd,
    /// systemd-logind, at the first login of a user: logind.conf(5).
    Logind,
    /// systemd, for one service (`PrivateTmp=`, systemd.exec(5)).
    Service,
    /// The container's runtime.
    Container(Container),
    /// The kernel (`/dev`).
    Kernel,
    /// Nothing that is known here; perhaps somebody by hand.
    Unknown,
}

/// Options as they are written somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Parted by commas, as mount(8) takes them.
    pub options: String,
    /// Where.
    pub line: Line,
}

impl Said {
    /// The value of one; `Some("")` for one without a value. The last of several counts.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.split(',').rev().find_map(|option| {
            let (key, value) = option.trim().split_once('=').unwrap_or((option.trim(), ""));
            (key == name).then_some(value)
        })
    }
}

/// Who made a mount and where its options are written down.
#[must_use]
pub fn of_mount(machine: &Machine, mount: &Mount) -> Origin {
    let maker = maker(machine, mount);
    let options = match &maker {
        Maker::Unit(unit) => unit_options(machine, unit, &mount.point),
        Maker::Fstab(entry) => Some(Said { options: entry.options.clone(), line: entry.line.clone() }),
        Maker::Logind => tmpfs::logind(machine),
        _ => None,
    };
    Origin { point: mount.point.clone(), maker, options }
}

fn maker(machine: &Machine, mount: &Mount) -> Maker {
    let has_systemd = has_systemd(machine);
    if mount.fstype == "devtmpfs" {
        return Maker::Kernel;
    }
    if mount.root.to_string_lossy().contains("/systemd-private-") {
        return Maker::Service;
    }
    if mount.fstype == "tmpfs" && has_systemd && is_of_login(&mount.point) {
        return Maker::Logind;
    }
    if let Some(unit) = unit::of_mount_point(machine, &mount.point).filter(|_| has_systemd) {
        return Maker::Unit(Box::new(unit));
    }
    if let Some(container) = container::container(machine).filter(|_| !has_systemd && container::makes(mount)) {
        return Maker::Container(container);
    }
    if let Some(entry) = fstab::of_point(machine, &mount.point).filter(|entry| fits(entry, mount)) {
        return Maker::Fstab(Box::new(entry));
    }
    if has_systemd && ["/run", "/dev/shm", "/run/lock"].iter().any(|point| mount.point == Path::new(point)) {
        return Maker::Systemd;
    }
    container::container(machine).filter(|_| container::makes(mount)).map_or(Maker::Unknown, Maker::Container)
}

/// `/run/user/UID`.
fn is_of_login(point: &Path) -> bool {
    let name = point.strip_prefix("/run/user").ok().and_then(Path::to_str);
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a line of fstab can have made a mount: a RAM filesystem is not made by a line for a disk.
fn fits(entry: &fstab::Entry, mount: &Mount) -> bool {
    entry.fstype == "auto" || entry.fstype == "none" || entry.fstype == mount.fstype
}

/// The last `Options=` of a unit; the line of fstab stands for the unit that was generated from it.
fn unit_options(machine: &Machine, unit: &Unit, point: &Path) -> Option<Said> {
    let setting = unit.setting("Mount", "Options");
    let generated = unit.is_generated() && setting.is_none_or(|setting| setting.line.file == unit.file);
    if let Some(entry) = fstab::of_point(machine, point).filter(|_| generated) {
        return Some(Said { options: entry.options, line: entry.line });
    }
    // systemd writes a percent sign twice, systemd.unit(5) "Specifiers".
    setting.map(|setting| Said { options: setting.value.replace("%%", "%"), line: setting.line.clone() })
}

/// Mount options with some of them set to other values.
fn with_options(options: &str, wanted: &[(&str, &str)]) -> String {
    let is_kept = |option: &&str| {
        let key = option.split_once('=').map_or(*option, |(key, _)| key);
        !key.is_empty() && key != "defaults" && !wanted.iter().any(|(name, _)| *name == key)
    };
    let kept = options.split(',').map(str::trim).filter(is_kept).map(str::to_owned);
    let new = wanted
        .iter()
        .map(|(name, value)| if value.is_empty() { (*name).to_owned() } else { format!("{name}={value}") });
    kept.chain(new).collect::<Vec<_>>().join(",")
}

impl Origin {
    /// In words, who sets which of these options and where, as a clause without a full stop: `systemd's tmp.mount sets
    /// size=1G and no nr_inodes (/etc/systemd/system/tmp.mount line 9)`. None where nothing is known.
    #[must_use]
    pub fn says(&self, mount: &Mount, names: &[&str]) -> Option<String> {
        let who = match &self.maker {
            Maker::Unit(unit) => format!("systemd's {}", unit.name),
            Maker::Fstab(_) => "/etc/fstab".to_owned(),
            Maker::Systemd => {
                return Some(format!("systemd mounts {} at boot, with limits of its own", self.point.display()));
            }
            Maker::Logind => return Some(self.logind_says()),
            Maker::Service => return Some("systemd made it for one service (PrivateTmp=)".to_owned()),
            Maker::Container(container) => return Some(format!("the container's runtime ({container}) mounts it")),
            Maker::Kernel => return Some("the kernel mounts it".to_owned()),
            Maker::Unknown => {
                return Some(
                    "no unit and no line of /etc/fstab names it: it was mounted by hand or by a program".to_owned(),
                );
            }
        };
        let Some(said) = &self.options else {
            let file =
                if let Maker::Unit(unit) = &self.maker { format!(" ({})", unit.file.display()) } else { String::new() };
            return Some(format!("{who} sets {}{file}", nothing(names)));
        };
        let settings = settings_in_words(said, names);
        Some(format!("{who} sets {settings} ({}){}", said.line, tmpfs::contradiction(said, mount, names)))
    }

    fn logind_says(&self) -> String {
        match &self.options {
            Some(said) => format!("systemd-logind mounts it: {} ({})", said.line.text, said.line),
            None => {
                "systemd-logind mounts it with a tenth of the RAM, its default (RuntimeDirectorySize=, logind.conf(5))"
                    .to_owned()
            }
        }
    }
}

fn nothing(names: &[&str]) -> String {
    match names {
        [one] => format!("no {one}"),
        [first, rest @ ..] => format!("neither {first} nor {}", rest.join(" nor ")),
        [] => "nothing".to_owned(),
    }
}

fn settings_in_words(said: &Said, names: &[&str]) -> String {
    if names.iter().all(|name| said.option(name).is_none()) {
        return nothing(names);
    }
    let word = |name: &&str| match said.option(name) {
        None => format!("no {name}"),
        Some("") => (*name).to_owned(),
        Some(value) => format!("{name}={value}"),
    };
    let mut words: Vec<String> = names.iter().map(word).collect();
    // What is set comes first.
    words.sort_by_key(|word| word.starts_with("no "));
    words.join(" and ")
}
