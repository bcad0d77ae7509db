//! The pool below a thin volume of the device mapper (`Documentation/admin-guide/device-mapper/thin-provisioning.rst`).

use super::device::Device;
use crate::machine::{Answer, Machine};
use std::path::Path;

/// How full a pool is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// The kernel's name, such as `dm-2`.
    pub device: String,
    /// What people call it: the name that the device mapper has.
    pub name: String,
    /// Used and all blocks of data.
    pub data: (u64, u64),
    /// Used and all blocks of metadata.
    pub metadata: (u64, u64),
    /// `rw`, `ro` or `out_of_data_space`.
    pub mode: String,
}

impl Pool {
    /// Whether nothing more can be written through it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let is_used_up = |(used, all): (u64, u64)| all > 0 && used >= all;
        is_used_up(self.data) || is_used_up(self.metadata) || self.mode == "out_of_data_space"
    }
}

/// The pool below a device; none where no device below it is one.
///
/// # Errors
/// Where `/sys` or the device mapper does not tell; it tells root alone.
pub fn below(machine: &Machine, device: &Device) -> Answer<Option<Pool>> {
    let Some(numbers) = numbers(&device.attribute(machine, "dev")?) else { return Ok(None) };
    let mut ahead = vec![(device.name.clone(), numbers)];
    // A volume may lie on an encrypted one, and that on the thin one: a chain is short.
    for _ in 0..16 {
        let Some((name, numbers)) = ahead.pop() else { break };
        let directory = Path::new("/sys/class/block").join(&name);
        let Ok(title) = machine.read(&directory.join("dm/name")) else { continue };
        let status = machine.mapper_status(numbers)?;
        if let Some(pool) = parsed(&name, title.lossy().trim(), &status) {
            return Ok(Some(pool));
        }
        for slave in machine.list(&directory.join("slaves")).unwrap_or_default().entries {
            let slave = slave.name.to_string_lossy().into_owned();
            let text = machine.read(&Path::new("/sys/class/block").join(&slave).join("dev"));
            ahead.extend(text.ok().and_then(|text| self::numbers(&text.lossy())).map(|found| (slave, found)));
        }
    }
    Ok(None)
}

/// `253:2`.
fn numbers(text: &str) -> Option<(u64, u64)> {
    let (major, minor) = text.trim().split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// `thin-pool TRANSACTION META/META DATA/DATA ROOT MODE …`.
fn parsed(device: &str, name: &str, status: &str) -> Option<Pool> {
    let mut words = status.split_whitespace();
    if words.next() != Some("thin-pool") {
        return None;
    }
    let share = |word: Option<&str>| {
        let (used, all) = word?.split_once('/')?;
        Some((used.parse().ok()?, all.parse().ok()?))
    };
    let (_, metadata, data) = (words.next(), share(words.next())?, share(words.next())?);
    let mode = words.nth(1).unwrap_or("rw").to_owned();
    Some(Pool { device: device.to_owned(), name: name.to_owned(), data, metadata, mode })
}
