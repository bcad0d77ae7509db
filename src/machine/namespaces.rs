//! How many namespaces there are, by the processes in them.

use super::{Answer, Machine};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Namespaces that processes are in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceCensus {
    /// How many there are of each kind (`user`, `mnt`, `net` …) besides the own one.
    pub others: BTreeMap<String, u64>,
    /// Whether all processes were seen: neither hidden from this user nor left out for want of time.
    pub complete: bool,
}

/// Time for looking through all processes.
const BUDGET: Duration = Duration::from_millis(100);

impl Machine {
    /// How many namespaces of each kind have processes. Those that only a mount or a descriptor keeps are not seen.
    ///
    /// # Errors
    /// Past the deadline nothing is asked.
    pub fn namespace_census(&self) -> Answer<NamespaceCensus> {
        let until = Instant::now() + self.time_left().min(BUDGET);
        self.ask("namespace census", || Ok(census(until)))
    }
}

fn census(until: Instant) -> NamespaceCensus {
    let mut seen: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    let mut complete = true;
    for process in names(Path::new("/proc")).into_iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) {
        if Instant::now() >= until {
            complete = false;
            break;
        }
        let own = of_process(&Path::new("/proc").join(process).join("ns"));
        complete &= !own.is_empty();
        for (kind, namespace) in own {
            seen.entry(kind).or_default().insert(namespace);
        }
    }
    let others = seen.into_iter().map(|(kind, found)| {
        let own = target(&Path::new("/proc/self/ns").join(&kind));
        let others = found.iter().filter(|namespace| own.as_ref() != Some(*namespace)).count();
        (kind, others as u64)
    });
    NamespaceCensus { others: others.collect(), complete }
}

/// The namespaces of one process by kind; none where it is another user's, or gone.
fn of_process(directory: &Path) -> Vec<(String, PathBuf)> {
    let with_target = |kind: String| target(&directory.join(&kind)).map(|namespace| (kind, namespace));
    names(directory).into_iter().filter_map(with_target).collect()
}

/// What a link of `/proc/PID/ns` names: `user:[4026531837]`, namespaces(7).
fn target(link: &Path) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    std::fs::read_link(link).ok()
}

/// Names in a directory; none where it may not be read.
fn names(directory: &Path) -> Vec<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_counted_without_the_own_one() {
        let census = census(Instant::now() + Duration::from_secs(5));
        for kind in ["user", "mnt", "net", "pid", "ipc", "uts", "cgroup"] {
            assert!(census.others.contains_key(kind), "{kind} is missing in {census:?}");
        }
    }

    #[test]
    fn a_census_without_time_is_not_complete() {
        assert!(!census(Instant::now()).complete);
    }
}
