//! A directory that was to be removed or replaced holds something (ENOTEMPTY), often names that begin with a dot.

use super::refused;
use super::{Case, Cause, Evidence, Fix, Suspect, Verdict};
use crate::machine::{Entry, Listing};
use crate::probe::walk::Why;
use crate::sys::errno::Errno;
use crate::text::{grouped, shell_word};
use std::os::unix::ffi::OsStrExt;

const ID: &str = "directory-not-empty";

/// Names that are told.
const NAMES: usize = 3;

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/directory-not-empty.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    refused::suspects(case, ID, &[Errno::ENOTEMPTY, Errno::EEXIST], |_, obstacle| {
        (obstacle.why == Why::NotEmpty).then(|| obstacle.at.clone())
    })
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may hold something", |_, obstacle| {
        let listing = case.machine.list(&obstacle.at).ok().filter(|listing| !listing.entries.is_empty())?;
        let at = obstacle.at.display();
        let holds = holds(&listing);
        let headline = format!("{at} holds {holds}");
        let mut finding = refused::found(case, suspect, headline, format!("{at} is not empty: it holds {holds}."));
        let check = format!("ls -la {}", case.quoted(&obstacle.at));
        finding.evidence.push(Evidence::probe(names(&listing)).check(check.clone()));
        if listing.entries.iter().any(|entry| entry.name.as_os_str().as_bytes().starts_with(b".nfs")) {
            let text =
                "a name that begins with .nfs is a removed file that a process still has open; it goes when that ends";
            finding.evidence.push(Evidence::probe(text));
        }
        finding.fixes.push(Fix::now(check, "shows what is in it, before anything is removed"));
        Some(Verdict::Found(Box::new(finding)))
    })
}

fn holds(listing: &Listing) -> String {
    let count = listing.entries.len();
    let hidden = listing.entries.iter().filter(|entry| is_hidden(entry)).count();
    let more = if listing.cut { "more than " } else { "" };
    let entries = if count == 1 { "one entry".to_owned() } else { format!("{more}{} entries", grouped(count as u64)) };
    match hidden {
        0 => entries,
        _ if hidden == count => {
            format!("{entries} that begins with a dot").replace("entries that begins", "entries that all begin")
        }
        _ => format!("{entries}, {} of them hidden", grouped(hidden as u64)),
    }
}

fn is_hidden(entry: &Entry) -> bool {
    entry.name.as_os_str().as_bytes().starts_with(b".")
}

fn names(listing: &Listing) -> String {
    let names: Vec<String> = listing.entries.iter().take(NAMES).map(|entry| shell_word(&entry.name)).collect();
    let more = if listing.entries.len() > NAMES { " and others" } else { "" };
    format!("in it: {}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::Kind;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";

    fn stage(names: &[&str]) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.directory("/home/u/old").names("/home/u/old", names);
        for path in ["/home/u", "/home/u/old"] {
            stage.stat(path, Kind::Directory, |stat| stat.uid = 1000);
        }
        stage.clue(Errno::ENOTEMPTY, Operation::Remove, "old");
        stage
    }

    #[test]
    fn hidden_entries_are_counted() {
        let finding = stage(&[".git", "a", "b", "c"]).finding(&CAUSE, "/home/u/old");
        assert_eq!(finding.headline, "/home/u/old holds 4 entries, 1 of them hidden");
        assert_eq!(finding.evidence[0].text, "in it: .git, a, b and others");
    }

    #[test]
    fn an_empty_directory_is_silence() {
        stage(&[]).assert_silent(&CAUSE);
    }
}
