//! What to write where, so that a mount has other options from the next boot on.

use super::{Container, Maker, Origin, Unit, with_options};
use crate::machine::Machine;
use crate::text::shell_word;
use std::path::{Path, PathBuf};

/// A change that outlives a reboot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// What it does and where.
    pub text: String,
    /// The command that does it, where one can; without `sudo`, which it needs for anyone but root.
    pub command: Option<String>,
}

impl Lasting {
    fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), command: None }
    }
}

impl Origin {
    /// The change that belongs to the maker of the mount: `wanted` are options and their values, such as `nr_inodes` and `1m`.
    #[must_use]
    pub fn lasting(&self, machine: &Machine, wanted: &[(&str, &str)]) -> Option<Lasting> {
        let options = with_options("", wanted);
        match &self.maker {
            Maker::Unit(unit) if !self.is_from_fstab() => Some(self.drop_in(unit, wanted)),
            Maker::Unit(_) => super::fstab::of_point(machine, &self.point).map(|entry| fstab_edit(&entry, wanted)),
            Maker::Fstab(entry) => Some(fstab_edit(entry, wanted)),
            // systemd-remount-fs(8) applies fstab to what was mounted before it.
            Maker::Systemd => {
                Some(Lasting::text(format!("add to /etc/fstab: tmpfs {} tmpfs {options} 0 0", self.point.display())))
            }
            Maker::Logind => Some(logind(wanted)),
            Maker::Container(container) => container_option(container, &self.point, wanted),
            Maker::Service | Maker::Kernel | Maker::Unknown => None,
        }
    }

    /// Whether the options are written in fstab, though a unit was generated from them.
    fn is_from_fstab(&self) -> bool {
        self.options.as_ref().is_some_and(|said| said.line.file == Path::new(super::fstab::FILE))
    }

    /// A drop-in sets all options, as they replace those of the files before it.
    fn drop_in(&self, unit: &Unit, wanted: &[(&str, &str)]) -> Lasting {
        let options = with_options(self.options.as_ref().map_or("", |said| &said.options), wanted).replace('%', "%%");
        let directory = PathBuf::from(format!("/etc/systemd/system/{}.d", unit.name));
        let file = directory.join(last_name(unit));
        let script = format!(
            "mkdir -p {} && printf '%s\\n' '[Mount]' {} > {} && systemctl daemon-reload",
            shell_word(&directory),
            shell_word(format!("Options={options}")),
            shell_word(&file)
        );
        Lasting {
            text: format!("{} with [Mount] Options={options}", file.display()),
            command: Some(format!("sh -c {}", shell_word(script))),
        }
    }
}

/// A name that is read after every drop-in that is there; `override.conf`, as `systemctl edit` has it, where that is one.
fn last_name(unit: &Unit) -> String {
    let others =
        unit.drop_ins.iter().filter_map(|file| file.file_name()).map(|name| name.to_string_lossy().into_owned());
    match others.max() {
        Some(last) if *last >= *"override.conf" => format!("{}z.conf", last.trim_end_matches(".conf")),
        _ => "override.conf".to_owned(),
    }
}

fn fstab_edit(entry: &super::fstab::Entry, wanted: &[(&str, &str)]) -> Lasting {
    Lasting::text(format!("make {} read: {}", entry.line, entry.with_options(wanted)))
}

fn logind(wanted: &[(&str, &str)]) -> Lasting {
    let key = |name: &str| match name {
        "nr_inodes" => "RuntimeDirectoryInodesMax",
        _ => "RuntimeDirectorySize",
    };
    let settings: Vec<String> = wanted.iter().map(|(name, value)| format!("{}={value}", key(name))).collect();
    Lasting::text(format!(
        "write [Login] {} to /etc/systemd/logind.conf.d/runtime.conf; it counts from the next login",
        settings.join(" ")
    ))
}

fn container_option(container: &Container, point: &Path, wanted: &[(&str, &str)]) -> Option<Lasting> {
    let size = wanted.iter().find(|(name, _)| *name == "size").map(|(_, value)| *value);
    let point_text = point.display();
    let options = with_options("", wanted);
    match (container, size) {
        (Container::Docker | Container::Podman, Some(size)) if point == Path::new("/dev/shm") => {
            Some(Lasting::text(format!("start the container with --shm-size={size}")))
        }
        (Container::Docker | Container::Podman, _) if point != Path::new("/") => {
            Some(Lasting::text(format!("start the container with --tmpfs {point_text}:{options}")))
        }
        (Container::Kubernetes, Some(size)) if point != Path::new("/") => Some(Lasting::text(format!(
            "mount an emptyDir with medium: Memory and sizeLimit: {size} at {point_text} in the pod"
        ))),
        _ => None,
    }
}
