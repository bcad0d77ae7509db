//! A program refuses a file because others may read or write it: a private key, a configuration that holds a password.

use super::refused::{self, listed};
use super::{Case, Cause, Evidence, Fix, Mode, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::machine::{Kind, Stat};
use std::path::Path;

const ID: &str = "insecure-permissions";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/insecure-permissions.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let named = refused::messages(case).filter(|(_, clue)| clue.suspects(ID));
    let suspect = |(index, clue): (usize, &Clue)| {
        let path = refused::absolute(case, clue.path.as_ref()?);
        Some(Suspect { subject: Subject::Path(path), clue: Some(index), touched: true })
    };
    named.filter_map(suspect).collect()
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(path) = suspect.subject.path() else { return Verdict::Unknown("no path".into()) };
    let line = suspect.clue.map_or("", |index| case.clues[index].line.as_str());
    let place = case.resolve(path).filter(|place| place.missing.as_os_str().is_empty());
    let stat = place.and_then(|place| case.machine.stat(&place.existing).ok());
    match stat {
        Some(stat)
            if open_to_others(&stat, line) != 0 || is_foreign(case, &stat, line) || lacks_setuid(&stat, line) =>
        {
            Verdict::Found(Box::new(found(case, suspect, path, &stat, line)))
        }
        Some(stat) if case.mode == Mode::Run => {
            Verdict::RuledOut(format!("{} is {}", path.display(), refused::mode(&stat)))
        }
        None if case.mode == Mode::Run => Verdict::Unknown(format!("{} cannot be looked at", path.display())),
        _ => refused::verdict(case, suspect, "may be open to others", |_, _| None),
    }
}

/// The bits that are too many: for a secret all of group and others, for what must merely be trusted those that let them write; none where
/// it is the owner alone that the program refuses.
fn open_to_others(stat: &Stat, line: &str) -> u32 {
    let says = |words: &[&str]| words.iter().any(|word| line.contains(word));
    match () {
        () if is_of_owner_alone(line) || wants_root(line) => 0,
        () if says(&["writable", "Bad owner or permissions"]) => stat.mode & 0o022,
        () => stat.mode & 0o077,
    }
}

/// Whether it is who has the file that the program complains of, and not what others may do with it.
fn is_of_owner_alone(line: &str) -> bool {
    let says = |words: &[&str]| words.iter().any(|word| line.contains(word));
    says(&["owned by", "ownership", "wrong owner", "belongs to"])
        && !says(&["ermission", "mode ", "writable", "readable", "accessible"])
}

/// Whether the program takes the file from root alone, as sudo does; a program that runs as its owner must be root's itself.
fn wants_root(line: &str) -> bool {
    ["should be 0", "owned by uid 0", "owned by root", "effective uid is not 0"]
        .iter()
        .any(|words| line.contains(words))
}

/// Whether a program must run as its owner and has lost the bit for that, as by a copy, or `chmod -R` and `chown -R`.
fn lacks_setuid(stat: &Stat, line: &str) -> bool {
    line.contains("have the setuid bit set") && stat.mode & 0o4000 == 0
}

/// Whether it belongs to neither the user nor root; to anybody but root where root is wanted.
fn is_foreign(case: &Case, stat: &Stat, line: &str) -> bool {
    stat.uid != 0 && (wants_root(line) || stat.uid != case.surroundings().identity.uid)
}

fn found(case: &Case, suspect: &Suspect, path: &Path, stat: &Stat, line: &str) -> super::Finding {
    let (at, mode) = (path.display(), refused::mode(stat));
    let bits = open_to_others(stat, line);
    let who = if bits & 0o7 != 0 { "everybody" } else { "its group" };
    let what = if bits & 0o055 != 0 { "read" } else { "write to" };
    let headline = match bits {
        0 if !is_foreign(case, stat, line) => format!("{at} has no setuid bit ({mode})"),
        0 => format!("{at} belongs to {}", case.machine.user(stat.uid)),
        _ => format!("{who} may {what} {at} ({mode})"),
    };
    let (why, who_checks) = if lacks_setuid(stat, line) && !is_foreign(case, stat, line) {
        ("so that it does not run as its owner", "the program looks at its own rights when it starts")
    } else {
        (
            "and the program takes it only from its owner",
            "the program checks this itself; the kernel would let it read the file",
        )
    };
    let mut finding = refused::found(case, suspect, headline.clone(), format!("{headline}, {why}."));
    finding.confidence = super::Confidence::Verified;
    finding.evidence.push(listed(case, path, stat));
    finding.evidence.push(Evidence::output(who_checks));
    finding.fixes.push(fix(case, path, stat, line));
    finding
}

fn fix(case: &Case, path: &Path, stat: &Stat, line: &str) -> Fix {
    let quoted = case.quoted(path);
    let bits = open_to_others(stat, line);
    if wants_root(line) {
        // chown(2) takes the setuid bit away.
        let mode = if line.contains("setuid") || line.contains("effective uid") {
            format!(" && chmod 4755 {quoted}")
        } else {
            String::new()
        };
        return Fix::lasting("gives it back to root, in a shell of root").command(format!("chown 0:0 {quoted}{mode}"));
    }
    if bits == 0 {
        let uid = case.surroundings().identity.uid;
        return Fix::lasting("gives it to the user").command(case.as_root(&format!("chown {uid} {quoted}")));
    }
    let change = match (bits & 0o055 != 0, stat.kind) {
        (true, Kind::Directory) => "700",
        (true, _) => "600",
        (false, _) => "go-w",
    };
    let surroundings = case.surroundings();
    let is_own = surroundings.caller.unwrap_or(surroundings.identity.uid) == stat.uid;
    let command = format!("chmod {change} {quoted}");
    Fix::lasting("keeps others out").command(if is_own { command } else { case.as_root(&command) })
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::cause::Confidence;

    fn stage(mode: u32) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.stat("/home/u/key", Kind::Regular, |stat| (stat.uid, stat.mode) = (1000, mode));
        stage.add(|clue| (clue.path, clue.suspects) = (Some("/home/u/key".into()), vec![ID.into()]));
        stage
    }

    #[test]
    fn a_key_that_everybody_may_read_is_closed() {
        let finding = stage(0o644).finding(&CAUSE, "/home/u/key");
        assert_eq!(
            (Confidence::Verified, "everybody may read /home/u/key (-rw-r--r--)"),
            (finding.confidence, finding.headline.as_str())
        );
        assert_eq!(finding.fixes[0].command.as_deref(), Some("chmod 600 /home/u/key"));
    }

    #[test]
    fn a_configuration_that_must_be_trusted_may_be_read() {
        let mut stage = stage(0o644);
        stage.clues[0].line = "Bad owner or permissions on /home/u/key".into();
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_key_of_another_machine_is_not_judged_by_the_directory_above_it() {
        let mut stage = stage(0o644);
        stage.mode = Mode::Log;
        stage.missing("/home/v");
        stage.clues[0].path = Some("/home/v/key".into());
        assert_eq!(stage.finding(&CAUSE, "/home/v/key").confidence, Confidence::Possible);
    }

    #[test]
    fn a_program_of_root_that_is_as_it_must_be_is_not_called_open() {
        let mut stage = stage(0o4755);
        stage.stat("/home/u/key", Kind::Regular, |stat| (stat.uid, stat.mode) = (0, 0o4755));
        stage.clues[0].line = "/home/u/key must be owned by uid 0 and have the setuid bit set".into();
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_program_of_root_without_its_bit_is_told() {
        let mut stage = stage(0o755);
        stage.stat("/home/u/key", Kind::Regular, |stat| (stat.uid, stat.mode) = (0, 0o755));
        stage.clues[0].line = "sudo: /home/u/key must be owned by uid 0 and have the setuid bit set".into();
        assert_eq!(stage.finding(&CAUSE, "/home/u/key").headline, "/home/u/key has no setuid bit (-rwxr-xr-x)");
    }

    #[test]
    fn sudo_that_others_may_run_is_not_called_open() {
        let mut stage = stage(0o4755);
        stage.stat("/home/u/key", Kind::Regular, |stat| (stat.uid, stat.mode) = (0, 0o4755));
        stage.clues[0].line =
            "sudo: effective uid is not 0, is /home/u/key on a file system with the 'nosuid' option set".into();
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_program_that_complains_of_the_owner_is_not_answered_with_the_mode() {
        for line in
            ["data directory \"/home/u/key\" has wrong ownership", "/home/u/key is not owned by the current user"]
        {
            let mut stage = stage(0o644);
            stage.clues[0].line = line.into();
            stage.assert_silent(&CAUSE);
        }
    }

    #[test]
    fn what_root_must_own_is_given_back_to_root() {
        let mut stage = stage(0o755);
        stage.clues[0].line = "/home/u/key must be owned by uid 0 and have the setuid bit set".into();
        let finding = stage.finding(&CAUSE, "/home/u/key");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("chown 0:0 /home/u/key && chmod 4755 /home/u/key"));
    }

    #[test]
    fn an_owner_that_is_refused_is_not_told_as_a_mode() {
        let mut stage = stage(0o440);
        stage.stat("/home/u/key", Kind::Regular, |stat| (stat.uid, stat.mode) = (1001, 0o440));
        stage.clues[0].line = "sudo: /home/u/key is owned by uid 1001, should be 0".into();
        assert!(stage.finding(&CAUSE, "/home/u/key").headline.contains("belongs to"));
    }

    #[test]
    fn a_warning_is_silence() {
        let mut stage = stage(0o644);
        stage.clues[0].line = "gpg: WARNING: unsafe permissions on homedir '/home/u/key'".into();
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_closed_key_is_silence() {
        stage(0o600).assert_silent(&CAUSE);
    }
}
