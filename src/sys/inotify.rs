//! Who holds inotify instances and watches, and whether the kernel grants one more.
//!
//! The kernel counts both for each user (inotify(7), "/proc interfaces") and tells the counts nowhere. What it does tell are the
//! watches of each descriptor, in `/proc/PID/fdinfo` (`proc_pid_fdinfo(5)`), and its answer to one more request.

use super::errno::{self, Errno};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A process that holds inotify instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id.
    pub pid: i32,
    /// Its effective user, whom the kernel charges.
    pub uid: u32,
    /// Its name (`comm`, at most 15 bytes).
    pub command: String,
    /// Instances: descriptors that `inotify_init(2)` made.
    pub instances: u64,
    /// Watches of all its instances.
    pub watches: u64,
}

/// The holders of inotify instances that could be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// Who holds some, most watches first. A descriptor that two processes share is counted for both.
    pub holders: Vec<Holder>,
    /// Processes whose descriptors this user may not see.
    pub unread: u64,
    /// Whether the time was over before all processes were seen.
    pub cut: bool,
}

/// What the kernel answers to this user's request for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Whose request it was.
    pub uid: u32,
    /// Whether one more instance was refused, although there was a descriptor for it.
    pub instance_refused: bool,
    /// Whether one more watch was refused for want of watches; none where there was no instance to try it with.
    pub watch_refused: Option<bool>,
}

/// Asks for one instance and one watch, and gives both back at once.
#[must_use]
pub fn trial() -> Trial {
    let uid = nix::unistd::geteuid().as_raw();
    match Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK) {
        Ok(instance) => {
            let watch = instance.add_watch(Path::new("/"), AddWatchFlags::IN_DELETE_SELF);
            Trial { uid, instance_refused: false, watch_refused: Some(watch == Err(Errno::ENOSPC)) }
        }
        Err(errno) => {
            Trial { uid, instance_refused: errno == Errno::EMFILE && has_free_descriptor(), watch_refused: None }
        }
    }
}

/// `inotify_init(2)` answers EMFILE for want of descriptors too.
fn has_free_descriptor() -> bool {
    use nix::fcntl::{OFlag, open};
    open("/", OFlag::O_PATH | OFlag::O_CLOEXEC, nix::sys::stat::Mode::empty()).is_ok()
}

/// Looks through the descriptors of all processes, the youngest first, until the deadline.
#[must_use]
pub fn census(deadline: Instant) -> Census {
    let mut census = Census::default();
    let mut pids: Vec<i32> =
        names(Path::new("/proc")).unwrap_or_default().iter().filter_map(|name| name.parse().ok()).collect();
    pids.sort_unstable_by(|a, b| b.cmp(a));
    for pid in pids {
        if Instant::now() >= deadline {
            census.cut = true;
            break;
        }
        match holder(pid) {
            Ok(holder) => census.holders.extend(holder),
            Err(Errno::EACCES | Errno::EPERM) => census.unread += 1,
            Err(_) => {}
        }
    }
    census.holders.sort_by(|a, b| b.watches.cmp(&a.watches).then(b.instances.cmp(&a.instances)));
    census
}

/// What one process holds; none when it has no instance or has ended meanwhile.
fn holder(pid: i32) -> Result<Option<Holder>, Errno> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let mut watches = 0;
    let mut instances = 0;
    for descriptor in names(&process.join("fd"))? {
        if is_inotify(&process.join("fd").join(&descriptor)) {
            instances += 1;
            watches += text(&process.join("fdinfo").join(&descriptor))
                .lines()
                .filter(|line| line.starts_with("inotify wd:"))
                .count() as u64;
        }
    }
    if instances == 0 {
        return Ok(None);
    }
    let command = text(&process.join("comm")).trim_end().to_owned();
    Ok(effective_user(&process).map(|uid| Holder { pid, uid, command, instances, watches }))
}

fn is_inotify(descriptor: &Path) -> bool {
    nix::fcntl::readlink(descriptor).is_ok_and(|target| target == "anon_inode:inotify")
}

/// Second number of the line `Uid:` of `/proc/PID/status`.
fn effective_user(process: &Path) -> Option<u32> {
    let status = text(&process.join("status"));
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "below the door: the watch asks it while the command runs")]
fn names(directory: &Path) -> Result<Vec<String>, Errno> {
    let raw = |error: std::io::Error| error.raw_os_error().map_or(Errno::EIO, errno::Errno::from_raw);
    let entries = std::fs::read_dir(directory).map_err(raw)?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

/// Contents of a file of `/proc`; empty when it is gone.
#[expect(clippy::disallowed_methods, reason = "below the door: the watch asks it while the command runs")]
fn text(path: &Path) -> String {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn own_watches_are_counted() {
        let instance = Inotify::init(InitFlags::IN_CLOEXEC).unwrap();
        for directory in ["/", "/proc", "/usr"] {
            instance.add_watch(directory, AddWatchFlags::IN_DELETE_SELF).unwrap();
        }
        let own = i32::try_from(std::process::id()).unwrap();
        let census = census(Instant::now() + Duration::from_secs(10));
        let holder = census.holders.iter().find(|holder| holder.pid == own).unwrap();
        assert!(holder.watches >= 3 && holder.instances >= 1, "{holder:?}");
    }

    #[test]
    fn a_census_past_its_deadline_says_that_it_was_cut() {
        assert!(census(Instant::now()).cut);
    }

    #[test]
    fn a_machine_with_watches_left_grants_one_more() {
        let trial = trial();
        assert_eq!((false, Some(false)), (trial.instance_refused, trial.watch_refused));
    }
}
