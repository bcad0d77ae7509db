//! A filesystem has bytes left and no inode: every `open(O_CREAT)`, `mkdir`, `symlink` answers ENOSPC (inode(7), tmpfs(5)).

use super::{Case, Cause, Suspect, Verdict};

pub const CAUSE: Cause =
    Cause { id: "inodes-exhausted", page: include_str!("../../docs/causes/inodes-exhausted.md"), suspects, check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let _ = case;
    Vec::new()
}

fn check(_case: &Case, suspect: &Suspect) -> Verdict {
    Verdict::Unknown(suspect.subject.to_string())
}
