//! Names in a directory that are nearly the one that was wanted. Only those travel in a report, not the whole directory.

use super::{Answer, Machine, Unknown};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A name that is nearly the wanted one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearName {
    /// The name.
    pub name: String,
    /// Letters that differ, by insertion, removal, exchange or swap; 0 where only the case or a version behind the name does.
    pub distance: usize,
}

/// Names that are looked at in one directory.
const LIMIT: usize = 20_000;
/// Near names that are kept of one directory.
const KEPT: usize = 8;

impl Machine {
    /// Names in a directory that are nearly `wanted`, the nearest first; those that are no UTF-8 are passed over.
    ///
    /// # Errors
    /// Those of `opendir(3)`; [`Unknown::TimedOut`] on a mount that may never answer.
    pub fn near_names(&self, directory: &Path, wanted: &str) -> Answer<Vec<NearName>> {
        let may_block = self.may_block(directory);
        self.ask(&format!("near-names {wanted} {}", directory.display()), || {
            if may_block { Err(Unknown::TimedOut) } else { read(directory, wanted) }
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn read(directory: &Path, wanted: &str) -> Answer<Vec<NearName>> {
    let names =
        std::fs::read_dir(directory)?.take(LIMIT).flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut near: Vec<NearName> =
        names.filter_map(|name| Some(NearName { distance: distance(wanted, &name)?, name })).collect();
    near.sort_by(|a, b| (a.distance, a.name.len(), &a.name).cmp(&(b.distance, b.name.len(), &b.name)));
    near.truncate(KEPT);
    Ok(near)
}

/// How far a name is from the wanted one, where it is near at all: one letter may differ, of eight or more two. A shorter name has
/// strangers at a distance of two (`nosuch`, `touch`).
fn distance(wanted: &str, name: &str) -> Option<usize> {
    if name == wanted {
        return None;
    }
    let is_version = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-');
    if name.eq_ignore_ascii_case(wanted) || name.strip_prefix(wanted).is_some_and(is_version) {
        return Some(0);
    }
    let most = match wanted.chars().count() {
        0..=2 => 0,
        3..=7 => 1,
        _ => 2,
    };
    let is_comparable = name.len().abs_diff(wanted.len()) <= 8;
    Some(strsim::damerau_levenshtein(wanted, name)).filter(|distance| is_comparable && *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_a_case_and_a_version_are_near() {
        let near =
            [("gti", "git"), ("Git", "git"), ("python", "python3"), ("python", "python3.11"), ("dcoker", "docker")];
        assert_eq!(near.map(|(wanted, name)| distance(wanted, name)), [Some(1), Some(0), Some(0), Some(0), Some(1)]);
    }

    #[test]
    fn short_and_other_names_are_not_near() {
        let far = [("jq", "sq"), ("git", "gist-paste"), ("node", "code-server"), ("ls", "ls"), ("nosuch", "touch")];
        assert_eq!(far.map(|(wanted, name)| distance(wanted, name)), [None; 5]);
    }

    #[test]
    fn a_directory_gives_its_near_names_alone() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["docker", "docker-compose", "ls", "Docker"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let near = read(directory.path(), "dokcer").unwrap();
        assert_eq!(near, [NearName { name: "docker".into(), distance: 1 }]);
    }
}
