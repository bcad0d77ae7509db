//! How many keys a user holds in the kernel's keyrings, and how many are allowed, keyrings(7).

use crate::machine::{Answer, Machine, Unknown};
use std::path::Path;

/// Where the counts are.
pub const FILE: &str = "/proc/key-users";

/// One user's line of `/proc/key-users`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUser {
    /// Keys that count.
    pub keys: u64,
    /// How many may.
    pub keys_allowed: u64,
    /// Bytes of their descriptions and payloads.
    pub bytes: u64,
    /// How many may be.
    pub bytes_allowed: u64,
}

/// The counts of a user.
///
/// # Errors
/// Those of reading the file; [`Unknown::Unsupported`] where the user has no line in it, and so no key.
pub fn of_user(machine: &Machine, uid: u32) -> Answer<KeyUser> {
    let text = machine.read(Path::new(FILE))?;
    let wanted = uid.to_string();
    let lossy = text.lossy();
    let line = lossy.lines().find_map(|line| line.split_once(':').filter(|(user, _)| user.trim() == wanted));
    line.and_then(|(_, counts)| parsed(counts)).ok_or_else(|| Unknown::Unsupported("the user has no key".into()))
}

/// `usage nkeys/nikeys qnkeys/maxkeys qnbytes/maxbytes`, as `proc_key_users_show` of the kernel writes it.
fn parsed(counts: &str) -> Option<KeyUser> {
    let fields: Vec<&str> = counts.split_whitespace().collect();
    let [_, _, keys, bytes] = fields[..] else { return None };
    let (keys, keys_allowed) = pair(keys)?;
    let (bytes, bytes_allowed) = pair(bytes)?;
    Some(KeyUser { keys, keys_allowed, bytes, bytes_allowed })
}

fn pair(field: &str) -> Option<(u64, u64)> {
    let (used, allowed) = field.split_once('/')?;
    Some((used.parse().ok()?, allowed.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_what_is_used_and_what_is_allowed() {
        let user = parsed("     9 8/8 3/1000000 40/25000000").unwrap();
        assert_eq!((user.keys, user.keys_allowed, user.bytes, user.bytes_allowed), (3, 1_000_000, 40, 25_000_000));
    }

    #[test]
    fn a_line_that_is_cut_is_not_understood() {
        for line in ["", "9 8/8", "9 8/8 3 40/50", "a b c/d e/f"] {
            assert_eq!(parsed(line), None, "{line}");
        }
    }
}
