//! A component of a path does not exist (ENOENT). The message names the whole path; the first component that is missing, and the
//! name that was meant, are what it does not say. Where it says all there is, nothing is claimed.

use super::refused::{self, Tried};
use super::text_encoding;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Suspect, Verdict};
use crate::clue::Operation;
use crate::probe::near::{self, Difference, Near};
use crate::probe::read_only;
use crate::probe::walk::{Attempt, Obstacle, Why, walk_as};
use crate::sys::errno::Errno;
use crate::sys::fs::Space;
use crate::sys::mounts::Mount;
use std::path::{Path, PathBuf};

const ID: &str = "missing-path";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/missing-path.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let mut suspects = refused::suspects(case, ID, &[Errno::ENOENT], |tried, obstacle| {
        // A bare name that was to be executed was looked for in PATH.
        let is_command = tried.operation == Operation::Execute && tried.path.components().count() == 1;
        (missing(obstacle).is_some() && !is_command).then(|| obstacle.at.clone())
    });
    // What is missing and was survived is ordinary: a configuration file that need not be there.
    suspects.retain(|suspect| case.mode == Mode::Log || suspect.touched);
    suspects
}

/// The components behind the missing one, where no link led there.
pub(super) fn missing(obstacle: &Obstacle) -> Option<&Path> {
    match &obstacle.why {
        Why::Missing { rest, through: None } => Some(rest),
        _ => None,
    }
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "does not exist", |tried, obstacle| {
        let rest = missing(obstacle)?;
        if case.mode == Mode::Log {
            return None;
        }
        Some(judged(case, suspect, tried, &Gap { at: &obstacle.at, rest }))
    })
}

/// What is missing and what was to be found behind it.
struct Gap<'a> {
    at: &'a Path,
    rest: &'a Path,
}

impl Gap<'_> {
    fn near(&self, case: &Case) -> Option<Near> {
        near::name(case.machine, self.at.parent()?, self.at.file_name()?, !self.rest.as_os_str().is_empty())
    }

    fn parent(&self) -> &Path {
        self.at.parent().unwrap_or(Path::new("/"))
    }
}

fn judged(case: &Case, suspect: &Suspect, tried: &Tried, gap: &Gap) -> Verdict {
    if let Some(line) = failed_to_make(case, suspect, gap.at) {
        return Verdict::RuledOut(format!("it was to be made before, and that failed: {line}"));
    }
    let is_made_by_encoding = || text_encoding::is_made(gap.at);
    if suspect.clue.is_some_and(|index| is_made_by_encoding() && text_encoding::explains(case, index)) {
        return Verdict::RuledOut(
            "its name has the byte order mark or the carriage return of a line: text-encoding tells which file".into(),
        );
    }
    let near = gap.near(case);
    if near.as_ref().is_some_and(|near| near.difference == Difference::Case) {
        return Verdict::RuledOut("a name that differs in case alone is there".into());
    }
    if near.is_none() && gap.rest.as_os_str().is_empty() && says_the_name(case, suspect, gap.at) {
        return Verdict::RuledOut(format!("the message says it all: {} has no name like it", gap.parent().display()));
    }
    Verdict::Found(Box::new(found(case, suspect, tried, gap, near.as_ref())))
}

/// The message of an earlier failure to make what is missing, which makes this one a consequence.
fn failed_to_make<'a>(case: &Case<'a>, suspect: &Suspect, at: &Path) -> Option<&'a str> {
    let makes = |operation| {
        use Operation::{Create, Mkdir, Rename, Symlink, Write};
        matches!(operation, Mkdir | Create | Symlink | Rename | Write)
    };
    let earlier = &case.clues[..suspect.clue?];
    let made = earlier.iter().find(|clue| {
        let paths = [&clue.path, &clue.other_path].into_iter().flatten();
        let paths: Vec<PathBuf> = paths.map(|path| refused::absolute(case, path)).collect();
        clue.operation.is_some_and(makes) && paths.iter().any(|path| path.starts_with(at) || at.starts_with(path))
    })?;
    Some(&made.line)
}

/// Whether a program that makes its own directories could not have made what is missing, so that the reason is there.
fn cannot_be_made(case: &Case, tried: &Tried, gap: &Gap) -> bool {
    let lacks_inodes = |space: Space| space.counts_inodes() && space.inodes_free == 0;
    let takes_nothing =
        |mount: &Mount| read_only::is_read_only(mount) || case.machine.space(&mount.point).is_ok_and(lacks_inodes);
    tried.operation.makes() && case.mounts.holding(gap.parent()).is_some_and(takes_nothing)
}

/// Whether the rights of the command suffice to make what is missing.
fn may_be_made(case: &Case, tried: &Tried, gap: &Gap) -> bool {
    let attempt = Attempt { operation: Operation::Mkdir, path: gap.at, other: None };
    walk_as(case.machine, &tried.who, attempt).is_ok_and(|walked| walked.obstacle.is_none())
}

/// Whether a person has read the name already: in the message itself, or whole elsewhere in the output.
fn says_the_name(case: &Case, suspect: &Suspect, at: &Path) -> bool {
    let name = at.file_name().unwrap_or_default().to_string_lossy();
    let is_in_message = || suspect.clue.is_some_and(|index| case.clues[index].line.contains(&*name));
    is_in_message() || case.transcript.has(at.as_os_str().as_encoded_bytes())
}

fn found(case: &Case, suspect: &Suspect, tried: &Tried, gap: &Gap, near: Option<&Near>) -> Finding {
    let at = gap.at.display();
    let parent = gap.parent();
    let (headline, summary) = match near {
        Some(near) => {
            let meant = parent.join(&near.name);
            let shown = meant.display();
            (
                format!("{at} does not exist; {shown} does"),
                format!("{at} does not exist, and {shown} does: {}.", how(near)),
            )
        }
        None if gap.rest.as_os_str().is_empty() => (format!("{at} does not exist"), format!("{at} does not exist.")),
        None => (
            format!("{at} does not exist"),
            format!("{at}, on the way to {}, does not exist.", gap.at.join(gap.rest).display()),
        ),
    };
    let mut finding = refused::found(case, suspect, headline, summary);
    if near.is_none() && cannot_be_made(case, tried, gap) {
        finding.confidence = Confidence::Likely;
    }
    let check = format!("ls -la {}", case.quoted(parent));
    finding
        .evidence
        .push(Evidence::probe(format!("{} is there and has no {}", parent.display(), quoted(gap.at))).check(check));
    finding.evidence.extend(near.map(|near| Evidence::probe(format!("it has {}: {}", shown(&near.name), how(near)))));
    finding.fixes = fixes(case, tried, gap, near);
    finding
}

fn quoted(at: &Path) -> String {
    shown(at.file_name().unwrap_or_default())
}

/// A name so that blanks and control characters can be seen.
fn shown(name: &std::ffi::OsStr) -> String {
    crate::text::shell_word(name)
}

pub(super) fn how(near: &Near) -> &'static str {
    match near.difference {
        Difference::Case => "only upper and lower case differ",
        Difference::Form => "the letters are the same in another Unicode form",
        Difference::Blank => "blanks, a carriage return or punctuation around the name differ",
        Difference::Slip => "a near name",
    }
}

fn fixes(case: &Case, tried: &Tried, gap: &Gap, near: Option<&Near>) -> Vec<Fix> {
    if let Some(near) = near {
        let text = format!("use the name {}", shown(&near.name));
        return vec![Fix { text, command: None, lasting: true }];
    }
    let makes = matches!(tried.operation, Operation::Create | Operation::Mkdir | Operation::Write | Operation::Symlink);
    let behind = gap.rest.components().count();
    if !makes || behind == 0 || !may_be_made(case, tried, gap) {
        return Vec::new();
    }
    let directory = gap.at.join(gap.rest.parent().unwrap_or(Path::new("")));
    vec![Fix::now(format!("mkdir -p {}", case.quoted(&directory)), "makes what is missing, if it is to be there")]
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::cause::Confidence;
    use crate::machine::Kind;

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";

    fn stage(directory: &str, names: &[&str]) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.directory(directory).names(directory, names);
        stage
    }

    fn says(stage: &mut Stage, line: &str, path: &str) {
        stage.add(|clue| {
            (clue.errno, clue.path, clue.line) = (Some(Errno::ENOENT), Some(path.into()), line.into());
        });
    }

    #[test]
    fn the_first_missing_component_is_named_and_what_makes_it() {
        let mut stage = stage("/srv", &["other"]).by_root();
        stage.missing("/srv/app").clue(Errno::ENOENT, Operation::Create, "/srv/app/data/file");
        let finding = stage.finding(&CAUSE, "/srv/app");
        assert_eq!((Confidence::Verified, "/srv/app does not exist"), (finding.confidence, finding.headline.as_str()));
        assert_eq!(finding.fixes[0].command.as_deref(), Some("mkdir -p /srv/app/data"));
    }

    #[test]
    fn nobody_is_told_to_make_what_the_command_may_not() {
        let mut stage = stage("/srv", &["other"]);
        stage.stat("/srv", Kind::Directory, |stat| (stat.uid, stat.mode) = (0, 0o755));
        stage.missing("/srv/app").clue(Errno::ENOENT, Operation::Create, "/srv/app/data/file");
        assert!(stage.finding(&CAUSE, "/srv/app").fixes.is_empty());
    }

    #[test]
    fn a_near_name_is_told() {
        let mut stage = stage("/srv", &["config.yml", "data"]);
        stage.missing("/srv/confg.yml");
        says(&mut stage, "cat: /srv/confg.yml: No such file or directory", "/srv/confg.yml");
        assert_eq!(
            stage.finding(&CAUSE, "/srv/confg.yml").headline,
            "/srv/confg.yml does not exist; /srv/config.yml does"
        );
    }

    #[test]
    fn a_carriage_return_in_a_name_is_shown() {
        let mut stage = stage("/srv", &["list"]);
        stage.missing("/srv/list\r");
        says(&mut stage, "cat: /srv/list: No such file or directory", "/srv/list\r");
        let finding = stage.finding(&CAUSE, "/srv/list\r");
        assert!(finding.evidence[0].text.contains(r"$'list\r'"), "{finding:?}");
    }

    #[test]
    fn a_message_that_says_it_all_is_not_repeated() {
        let mut stage = stage("/srv", &["other"]);
        stage.missing("/srv/file");
        says(&mut stage, "cat: /srv/file: No such file or directory", "/srv/file");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn what_the_command_lived_on_with_is_no_cause() {
        let mut stage = stage("/srv", &["other"]);
        stage.missing("/srv/app").clue(Errno::ENOENT, Operation::Read, "/srv/app/optional.conf");
        stage.clue(Errno::EACCES, Operation::Create, "/var/lib/tool");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_warning_is_no_cause() {
        let mut stage = stage("/srv", &["other"]);
        stage.missing("/srv/app");
        says(&mut stage, "warning: /srv/app/x: No such file or directory", "/srv/app/x");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn what_could_not_be_made_is_not_missing_for_a_reason_of_its_own() {
        let mut stage = stage("/srv", &["other"]);
        stage.clue(Errno::EACCES, Operation::Mkdir, "/srv/app").missing("/srv/app");
        stage.clue(Errno::ENOENT, Operation::Create, "/srv/app/file");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn in_a_log_a_missing_path_is_possible_at_most() {
        let mut stage = stage("/srv", &["config.yml"]);
        stage.mode = Mode::Log;
        stage.missing("/srv/confg.yml").clue(Errno::ENOENT, Operation::Read, "/srv/confg.yml");
        assert_eq!(stage.finding(&CAUSE, "/srv/confg.yml").confidence, Confidence::Possible);
    }

    #[test]
    fn a_directory_that_nobody_can_make_there_is_likely_at_most() {
        let table = format!("{TABLE}30 21 0:27 / /srv ro - tmpfs tmpfs ro\n");
        for (operation, confidence) in
            [(Operation::Create, Confidence::Likely), (Operation::Read, Confidence::Verified)]
        {
            let mut stage = Stage::new(&table);
            stage.directory("/srv").names("/srv", &["other"]).missing("/srv/app");
            stage.clue(Errno::ENOENT, operation, "/srv/app/file");
            assert_eq!(stage.finding(&CAUSE, "/srv/app").confidence, confidence);
        }
    }
}
