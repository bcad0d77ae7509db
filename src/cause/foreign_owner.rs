//! Something in the user's own tree belongs to somebody else, mostly to root after a command that ran under sudo, and refuses its user.

use super::permission_denied::may_be_no_program;
use super::refused::{self, Tried, listed, user};
use super::{Case, Cause, Evidence, Finding, Fix, Suspect, Verdict, denied};
use crate::machine::{Kind, Stat};
use crate::probe::walk::{Obstacle, Why};
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

const ID: &str = "foreign-owner";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/foreign-owner.md"),
    suspects,
    covers: &["permission-denied"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let mut suspects = refused::suspects(case, ID, &[Errno::EACCES, Errno::EPERM], |tried, obstacle| {
        let is_no_program = matches!(&obstacle.why, Why::Refused(refusal) if may_be_no_program(tried, refusal));
        let foreign = refused_by(obstacle).filter(|stat| !is_no_program && !tried.who.owns(stat));
        foreign.map(|_| obstacle.at.clone())
    });
    suspects.extend(inside(case));
    suspects
}

/// The file that refuses, by its bits or because only its owner may.
fn refused_by(obstacle: &Obstacle) -> Option<&Stat> {
    match &obstacle.why {
        Why::Refused(refusal) => Some(&refusal.stat),
        Why::NotOwner(stat) | Why::Sticky { entry: stat, .. } => Some(stat),
        _ => None,
    }
}

/// Where a rule names the directory and not what in it refuses: git says `.git/objects`, and a directory below it is root's.
fn inside(case: &Case) -> Vec<Suspect> {
    let named = refused::messages(case).filter(|(_, clue)| clue.errno.is_none() && clue.suspects(ID));
    let foreign = named.filter_map(|(index, clue)| {
        let named = case.resolve(clue.path.as_ref()?).filter(|named| named.missing.as_os_str().is_empty())?;
        let foreign = foreign_entry(case, &named.existing)?;
        Some(Suspect { subject: super::Subject::Path(foreign), clue: Some(index), touched: true })
    });
    foreign.collect()
}

/// Entries that are looked at one by one.
const ENTRIES: usize = 300;

fn foreign_entry(case: &Case, directory: &Path) -> Option<PathBuf> {
    let uid = case.surroundings().identity.uid;
    let is_foreign = |path: &PathBuf| {
        let stat = case.machine.stat(path).ok();
        stat.is_some_and(|stat| stat.kind == Kind::Directory && stat.uid != uid && stat.mode & 0o022 == 0)
    };
    let itself = Some(directory.to_owned()).filter(is_foreign);
    itself.or_else(|| {
        let entries = case.machine.list(directory).ok()?.entries;
        entries.iter().take(ENTRIES).map(|entry| directory.join(&entry.name)).find(is_foreign)
    })
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(at) = suspect.subject.path() else { return Verdict::Unknown("no path".into()) };
    if let Some((root, stat)) = own_tree(case, at).zip(case.machine.stat(at).ok()) {
        if stat.uid != case.surroundings().identity.uid {
            return Verdict::Found(Box::new(found(case, suspect, &Foreign { root: &root, at, stat: &stat })));
        }
        return Verdict::RuledOut("it belongs to the user".into());
    }
    refused::verdict(case, suspect, "may belong to another user", |_, _| {
        Some(Verdict::RuledOut("it does not lie in a tree of the user".into()))
    })
}

/// The directory of the user's own that the path lies in: the home directory, or the topmost one above it that the user owns.
fn own_tree(case: &Case, at: &Path) -> Option<PathBuf> {
    let surroundings = case.surroundings();
    let uid = surroundings.identity.uid;
    if uid == 0 {
        return None;
    }
    let owns = |path: &&Path| case.machine.stat(path).is_ok_and(|stat| stat.uid == uid);
    let home = surroundings.directory("HOME").filter(|home| at.starts_with(home) && home.components().count() > 1);
    let is_home_own =
        |home: &PathBuf| home.as_path() != at || home.file_name() == Some(case.machine.user(uid).as_ref());
    home.filter(is_home_own).or_else(|| at.ancestors().skip(1).filter(owns).last().map(Path::to_owned))
}

struct Foreign<'a> {
    root: &'a Path,
    at: &'a Path,
    stat: &'a Stat,
}

impl Foreign<'_> {
    /// The topmost component in the user's tree that is not the user's.
    fn topmost(&self, case: &Case) -> PathBuf {
        let uid = case.surroundings().identity.uid;
        let inside = self.at.ancestors().take_while(|path| path.starts_with(self.root) && *path != self.root);
        let foreign = inside.filter(|path| case.machine.stat(path).is_ok_and(|stat| stat.uid != uid));
        foreign.last().unwrap_or(self.at).to_owned()
    }
}

fn found(case: &Case, suspect: &Suspect, foreign: &Foreign) -> Finding {
    let owner = case.machine.user(foreign.stat.uid);
    let at = foreign.at.display();
    let identity = &case.surroundings().identity;
    let name = case.machine.user(identity.uid);
    let headline = format!("{at} belongs to {owner}, not to {name}");
    let summary =
        format!("{at} lies in a directory of {name} and belongs to {owner}, whose permissions keep {name} out.");
    let mut finding = refused::found(case, suspect, headline, summary);
    finding.evidence = evidence(case, suspect, foreign);
    if foreign.stat.uid == 0 {
        finding.evidence.push(Evidence::probe(
            "root's files in a directory of one's own are what a command under sudo leaves there",
        ));
    }
    let topmost = case.quoted(&foreign.topmost(case));
    let command = case.as_root(&format!("chown -R {}:{} {topmost}", identity.uid, identity.gid));
    finding.fixes.push(Fix::lasting(format!("gives it to {name}; then run the command without sudo")).command(command));
    finding
}

fn evidence(case: &Case, suspect: &Suspect, foreign: &Foreign) -> Vec<Evidence> {
    let tried: Option<Tried> = refused::of_suspect(case, suspect);
    let refusal = tried.as_ref().and_then(|tried| match &tried.obstacle()?.why {
        Why::Refused(refusal) => Some(denied::evidence(case, tried, foreign.at, refusal)),
        _ => None,
    });
    let who = tried.map_or_else(|| case.machine.user(case.surroundings().identity.uid), |tried| user(case, &tried.who));
    refusal.unwrap_or_else(|| {
        vec![listed(case, foreign.at, foreign.stat), Evidence::probe(format!("{who} does not own it"))]
    })
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";

    fn stage() -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.file("/etc/passwd", "root:x:0:0::/root:\nu:x:1000:1000::/home/u:\n").file("/etc/group", "root:x:0:\n");
        stage.surroundings.env.insert("HOME".into(), crate::text::Bytes(b"/home/u".into()));
        stage.surroundings.identity.gid = 1000;
        stage.stat("/home/u", Kind::Directory, |stat| stat.uid = 1000);
        stage
    }

    #[test]
    fn the_topmost_directory_of_root_in_the_home_directory_is_given_back() {
        let mut stage = stage();
        stage.directory("/home/u/.npm/_locks").stat("/home/u", Kind::Directory, |stat| stat.uid = 1000);
        stage.missing("/home/u/.npm/_locks/x").clue(Errno::EACCES, Operation::Create, "/home/u/.npm/_locks/x");
        let finding = stage.finding(&CAUSE, "/home/u/.npm/_locks");
        assert_eq!(finding.headline, "/home/u/.npm/_locks belongs to root, not to u");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo chown -R 1000:1000 /home/u/.npm"));
    }

    #[test]
    fn what_git_does_not_name_is_found_in_the_directory_that_it_names() {
        let mut stage = stage();
        stage.directory("/home/u/.git/objects/ab").kinds("/home/u/.git/objects", &[("ab", Kind::Directory)]);
        for path in ["/home/u", "/home/u/.git", "/home/u/.git/objects"] {
            stage.stat(path, Kind::Directory, |stat| stat.uid = 1000);
        }
        stage.add(|clue| (clue.path, clue.suspects) = (Some(".git/objects".into()), vec![ID.into()]));
        assert_eq!(stage.finding(&CAUSE, "/home/u/.git/objects/ab").confidence, crate::cause::Confidence::Likely);
    }

    #[test]
    fn what_a_program_keeps_in_the_home_is_missing_because_it_could_not_be_made() {
        let mut stage = stage();
        stage.directory("/home/u/.m2").stat("/home/u", Kind::Directory, |stat| stat.uid = 1000);
        stage.missing("/home/u/.m2/org").clue(Errno::ENOENT, Operation::Read, "/home/u/.m2/org/a/x.lock");
        assert_eq!(stage.finding(&CAUSE, "/home/u/.m2").confidence, crate::cause::Confidence::Likely);
        stage.command = ["cat", "/home/u/.m2/org/a/x.lock"].map(Into::into).to_vec();
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn what_lies_elsewhere_is_not_foreign() {
        let mut stage = stage();
        stage.stat("/srv", Kind::Directory, |stat| stat.mode = 0o755).missing("/srv/x");
        stage.clue(Errno::EACCES, Operation::Create, "/srv/x").assert_silent(&CAUSE);
    }

    #[test]
    fn what_the_user_owns_is_silence() {
        let mut stage = stage();
        stage.stat("/home/u/x", Kind::Regular, |stat| (stat.uid, stat.mode) = (1000, 0));
        stage.clue(Errno::EACCES, Operation::Read, "x").assert_silent(&CAUSE);
    }
}
