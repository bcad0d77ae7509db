//! What uses a path without being a process: mounts, loop devices, swap.

use super::place::is_below;
use crate::machine::{Machine, files};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What of the kernel uses a path or anything below it, one sentence fragment each.
pub fn users(machine: &Machine, path: &Path) -> Vec<String> {
    let mut users = Vec::new();
    for mount in &machine.mounts().0 {
        if mount.point.starts_with(path) {
            users.push(format!("{} is mounted at {}", mount.source.to_string_lossy(), mount.point.display()));
        }
        let layers = ["upperdir", "workdir", "lowerdir"].iter().filter_map(|option| mount.option(option));
        if layers.flat_map(|layers| layers.split(':')).any(|layer| Path::new(layer).starts_with(path)) {
            users.push(format!("the overlay at {} has a layer there", mount.point.display()));
        }
    }
    users.extend(loop_devices(path));
    users.extend(swap_files(path));
    users
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn loop_devices(path: &Path) -> Vec<String> {
    let Ok(devices) = std::fs::read_dir("/sys/block") else { return Vec::new() };
    let used =
        devices.flatten().filter(|device| device.file_name().as_bytes().starts_with(b"loop")).filter_map(|device| {
            let file = files::read(&device.path().join("loop/backing_file")).ok()?;
            let file = file.0.strip_suffix(b"\n").unwrap_or(&file.0);
            is_below(file, path).then(|| format!("{} has its data there", device.file_name().to_string_lossy()))
        });
    used.collect()
}

fn swap_files(path: &Path) -> Vec<String> {
    let Ok(table) = files::read(Path::new("/proc/swaps")) else { return Vec::new() };
    let lines = table.0.split(|byte| *byte == b'\n').skip(1);
    let files = lines.filter_map(|line| line.split(|byte| *byte == b' ').next()).filter(|file| is_below(file, path));
    files.map(|file| format!("{} is swap space", String::from_utf8_lossy(file))).collect()
}
