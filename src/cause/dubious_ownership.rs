//! git does not work in a repository that belongs to somebody else, unless it is listed as safe: its configuration can run programs.

use super::refused::{self, listed};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::command_line;
use crate::machine::Stat;
use std::path::{Path, PathBuf};

const ID: &str = "dubious-ownership";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/dubious-ownership.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let named = case.clues.iter().enumerate().filter(|(_, clue)| clue.suspects(ID));
    let named = named.filter(|(_, clue)| !clue.vague || case.mode == Mode::Run && calls_git(case));
    let suspect = |(index, clue): (usize, &Clue)| {
        let path = clue.path.as_ref().map_or_else(|| repository(case), |path| refused::absolute(case, path));
        Suspect { subject: Subject::Path(path), clue: Some(index), touched: true }
    };
    let is_repository = |suspect: &Suspect| {
        let of_words = suspect.clue.is_some_and(|index| case.clues[index].loose);
        let path = suspect.subject.path().filter(|_| of_words);
        path.is_none_or(|path| case.machine.stat(&path.join(".git")).is_ok())
    };
    named.map(suspect).filter(is_repository).collect()
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(repository) = suspect.subject.path() else { return Verdict::Unknown("no path".into()) };
    let uid = case.surroundings().identity.uid;
    let foreign = looked_at(repository).find_map(|path| {
        let stat = case.machine.stat(&path).ok()?;
        (stat.uid != uid).then_some((path, stat))
    });
    match foreign {
        Some((path, stat)) if !is_listed(case, repository) => {
            Verdict::Found(Box::new(found(case, suspect, repository, (&path, &stat))))
        }
        Some(_) => Verdict::RuledOut("safe.directory lists it".into()),
        None if case.mode == Mode::Log => refused::verdict(case, suspect, "may belong to another user", |_, _| None),
        None => Verdict::RuledOut("it belongs to the user who called git".into()),
    }
}

/// The working tree that the working directory is in; itself where it is in none.
fn repository(case: &Case) -> PathBuf {
    let cwd = &case.surroundings().cwd;
    let is_top = |path: &&Path| case.machine.stat(&path.join(".git")).is_ok();
    cwd.ancestors().find(is_top).unwrap_or(cwd).to_owned()
}

/// Whether the command line, or the script that it runs, calls git: a message that does not name it may be about it.
fn calls_git(case: &Case) -> bool {
    let calls =
        |text: &[u8]| [&b"git "[..], b"git\"", b"git'"].iter().any(|word| memchr::memmem::find(text, word).is_some());
    let in_script = |script: &Path| {
        let path = case.surroundings().cwd.join(script);
        case.machine.judge_script("calls git", &path, calls).unwrap_or(false)
    };
    case.command.iter().any(|word| calls(word.as_encoded_bytes()))
        || command_line::scripts_of(case.command).any(in_script)
}

/// What git compares with its user: the working tree, the `.git` directory or file; the directory itself for a bare one.
fn looked_at(repository: &Path) -> impl Iterator<Item = PathBuf> {
    let inside = repository.join(".git");
    [inside, repository.to_owned()].into_iter()
}

/// Whether a configuration file lists it, or all, as safe.
fn is_listed(case: &Case, repository: &Path) -> bool {
    let surroundings = case.surroundings();
    let home = surroundings.directory("HOME").map(|home| home.join(".gitconfig"));
    let xdg = surroundings.directory("XDG_CONFIG_HOME").map(|directory| directory.join("git/config"));
    let files = [home, xdg, Some("/etc/gitconfig".into())].into_iter().flatten();
    let text: String =
        files.filter_map(|file| Some(case.machine.read(&file).ok()?.lossy().into_owned() + "\n")).collect();
    let is_safe = |line: &str| {
        let value = line.trim().strip_prefix("directory").and_then(|rest| rest.trim_start().strip_prefix('='));
        value.is_some_and(|value| value.trim() == "*" || Path::new(value.trim().trim_matches('"')) == repository)
    };
    text.lines().any(is_safe)
}

fn found(case: &Case, suspect: &Suspect, repository: &Path, (path, stat): (&Path, &Stat)) -> Finding {
    let (at, owner) = (repository.display(), case.machine.user(stat.uid));
    let name = case.machine.user(case.surroundings().identity.uid);
    let headline = format!("the repository {at} belongs to {owner}, and git was called by {name}");
    let summary = format!("{headline}; safe.directory does not list it.");
    let mut finding = refused::found(case, suspect, headline, summary);
    let is_vague = suspect.clue.is_some_and(|index| case.clues[index].vague);
    finding.confidence = if is_vague { Confidence::Likely } else { Confidence::Verified };
    finding.evidence = vec![listed(case, path, stat)];
    finding.evidence.push(
        Evidence::probe("no configuration file of git lists it as safe").check("git config --get-all safe.directory"),
    );
    let trust = format!("git config --global --add safe.directory {}", case.quoted(repository));
    finding.fixes.push(Fix::lasting("trusts it, for who knows what is in it").command(trust));
    if stat.uid != 0 {
        finding.fixes.push(Fix::lasting(format!("or call git as {owner}")));
    } else {
        let uid = case.surroundings().identity.uid;
        let chown = case.as_root(&format!("chown -R {uid} {}", case.quoted(repository)));
        finding.fixes.push(Fix::lasting(format!("gives it to {name}")).command(chown));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::Kind;

    fn stage(owner: u32) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.surroundings.env.insert("HOME".into(), crate::text::Bytes(b"/home/u".into()));
        stage.stat("/srv/r/.git", Kind::Directory, |stat| stat.uid = owner);
        stage.stat("/srv/r", Kind::Directory, |stat| stat.uid = owner);
        stage.add(|clue| (clue.path, clue.suspects) = (Some("/srv/r".into()), vec![ID.into()]));
        stage
    }

    #[test]
    fn the_owner_is_told_and_how_to_trust() {
        let finding = stage(1001).finding(&CAUSE, "/srv/r");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("git config --global --add safe.directory /srv/r"));
        assert_eq!(finding.fixes[1].text, "or call git as 1001");
    }

    #[test]
    fn a_repository_that_is_listed_is_silence() {
        let mut stage = stage(1001);
        stage.file("/home/u/.gitconfig", "[safe]\n\tdirectory = /srv/r\n").assert_silent(&CAUSE);
    }

    #[test]
    fn the_own_repository_is_silence() {
        stage(1000).assert_silent(&CAUSE);
    }
}
