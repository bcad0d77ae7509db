//! The clock is behind the files, or files are ahead of the clock: builds run for ever or not at all, archives and certificates are
//! refused as being of the future.

use super::setting::{self, Wrong};
use super::spoken::leads_with;
use super::{Case, Cause, Fix, Mode, Subject, Suspect, Verdict};
use crate::clue::Clue;
use std::path::{Path, PathBuf};

const ID: &str = "clock-wrong";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/clock-wrong.md"), suspects, covers: &[], check };

/// Seconds that a file may be ahead: filesystems and servers round.
const SLACK: i64 = 2;

/// Words of the command line among which its script is: `sh ./configure`.
const LEADING_WORDS: usize = 4;

/// Files that were written when the machine was installed or last changed: the clock is wrong if it is before them.
const WITNESSES: &[&str] =
    &["/var/lib/dpkg/status", "/var/lib/rpm", "/var/lib/pacman/local", "/lib/apk/db/installed", "/etc", "/usr/bin"];

fn suspects(case: &Case) -> Vec<Suspect> {
    let mut suspects = setting::suspects(case, ID, setting::nothing_else, |case, clue| {
        let path = clue.path.as_ref().map(|path| case.surroundings().cwd.join(path));
        path.map_or(Subject::Name("-".into()), Subject::Path)
    });
    suspects.retain(|suspect| suspect.clue.is_none_or(|index| may_be_of_time(case, &case.clues[index])));
    suspects
}

/// Whether a message may be about time whose rule holds something else for likelier: what is wrong with a certificate is, where it does not
/// tell more. A status alone tells nothing.
fn may_be_of_time(case: &Case, clue: &Clue) -> bool {
    const WORDS: &[&str] = &["valid", "expire", "verif", "trusted", "activated", "date", "time", "clock"];
    let line = clue.line.to_ascii_lowercase();
    let tells_more = clue.errno.is_some() || line.contains("unable to get") || line.contains("unknown authority");
    case.mode == Mode::Log
        || leads_with(clue, ID)
        || line.is_empty()
        || !tells_more && WORDS.iter().any(|word| line.contains(word))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let now = match case.machine.now() {
        Ok(now) => now,
        Err(unknown) => return Verdict::Unknown(unknown.to_string()),
    };
    let named = suspect.subject.path().map(Path::to_owned);
    let of_command = files_of_command(case, suspect);
    let mut looked_at = named.into_iter().chain(of_command).chain(WITNESSES.iter().map(PathBuf::from));
    let ahead = looked_at.find_map(|path| Some((seconds_ahead(case, &path, now)?, path)));
    let wrong = ahead.map(|(seconds, path)| Wrong {
        headline: format!("the clock is behind {}", path.display()),
        fact: format!("{} was last changed {} after what the clock says is now", path.display(), duration(seconds)),
        check: format!("date; stat -c %y {}", case.quoted(&path)),
        fixes: fixes(case, suspect, &path),
    });
    let verdict = setting::verdict(case, wrong, "no file that tells is ahead of the clock", "a clock was wrong");
    let is_led = suspect.clue.is_none_or(|index| leads_with(&case.clues[index], ID));
    if is_led { verdict } else { setting::less_sure(verdict) }
}

/// The script of the command line, where it says that its own files are newer than new ones (`AM_SANITY_CHECK` of automake).
fn files_of_command(case: &Case, suspect: &Suspect) -> Vec<PathBuf> {
    let is_about_files = |line: &str| line.contains("older than distributed files");
    if !suspect.clue.is_some_and(|index| is_about_files(&case.clues[index].line)) {
        return Vec::new();
    }
    case.command
        .iter()
        .take(LEADING_WORDS)
        .map(|word| case.surroundings().cwd.join(word).components().collect())
        .collect()
}

fn seconds_ahead(case: &Case, path: &Path, now: i64) -> Option<i64> {
    let modified = case.machine.stat(&case.resolve(path)?.existing).ok()?.modified;
    (modified > now + SLACK).then_some(modified - now)
}

fn duration(seconds: i64) -> String {
    crate::probe::holders::duration(seconds.unsigned_abs())
}

fn fixes(case: &Case, suspect: &Suspect, path: &Path) -> Vec<Fix> {
    let mut fixes =
        vec![Fix::now(case.as_root("timedatectl set-ntp true"), "where the clock is wrong: it is set by the network")];
    if suspect.subject.path() == Some(path) {
        fixes.push(Fix::now(
            format!("touch {}", case.quoted(path)),
            "where the clock is right and the file came from another machine",
        ));
    }
    fixes
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::cause::Confidence;
    use crate::machine::Kind;

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n";

    fn stage(modified: i64) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.knows("now", Ok(1_000_000_i64));
        for witness in WITNESSES {
            stage.directory(witness);
        }
        stage.stat("/home/u/Makefile", Kind::Regular, |stat| stat.modified = modified);
        stage.add(|clue| (clue.suspects, clue.path) = (vec![ID.to_owned()], Some("Makefile".into())));
        stage
    }

    #[test]
    fn a_file_of_the_future_is_told() {
        let finding = stage(1_007_200).finding(&CAUSE, "/home/u/Makefile");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.summary.contains("2 hours"), "{finding:?}");
    }

    #[test]
    fn a_clock_behind_the_installed_packages_is_told() {
        let mut stage = stage(0);
        stage.stat("/var/lib/dpkg/status", Kind::Regular, |stat| stat.modified = 2_000_000);
        assert!(stage.finding(&CAUSE, "/home/u/Makefile").headline.contains("/var/lib/dpkg/status"));
    }

    #[test]
    fn a_script_that_is_newer_than_a_new_file_is_its_own_witness() {
        let of = |line: &str| {
            let mut stage = stage(1_007_200);
            (stage.clues[0].path, stage.clues[0].line) = (None, line.into());
            stage.command = ["sh", "Makefile"].map(Into::into).into();
            stage
        };
        let finding = of("newly created file is older than distributed files!").finding(&CAUSE, "-");
        assert!(finding.headline.ends_with("/home/u/Makefile"), "{finding:?}");
        of("the certificate is not yet valid").assert_silent(&CAUSE);
    }

    #[test]
    fn a_certificate_that_something_else_is_wrong_with_is_not_that_of_a_wrong_clock() {
        let of = |line: &str| {
            let mut stage = stage(2_000_000);
            stage.clues[0].suspects = vec!["ca-certificates-missing".into(), ID.into()];
            stage.clues[0].line = line.into();
            stage
        };
        for line in ["error setting certificate file: none.pem", "unable to get local issuer certificate"] {
            of(line).assert_silent(&CAUSE);
        }
        let finding = of("certificate verification failed").finding(&CAUSE, "/home/u/Makefile");
        assert_eq!(finding.confidence, Confidence::Likely);
    }

    #[test]
    fn files_of_the_past_are_silence() {
        stage(999_999).assert_silent(&CAUSE);
    }
}
