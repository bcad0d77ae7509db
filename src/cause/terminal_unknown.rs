//! The terminal's type is not described on this machine: `TERM` is unset or names an entry that no terminfo database has, terminfo(5).

use super::setting::{self, Wrong};
use super::{Case, Cause, Fix, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::machine::{Answer, Stat};
use crate::probe::package_manager;
use crate::text::{has_name, shell_word};
use std::ffi::OsStr;
use std::path::PathBuf;

const ID: &str = "terminal-unknown";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/terminal-unknown.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    setting::suspects(case, ID, setting::nothing_else, |case, clue| {
        Subject::Name(told(case, clue).or_else(|| kind(case)).unwrap_or_else(|| "-".into()))
    })
}

/// The type that the message has from the command line: `tput -T xterm-odd`.
fn told(case: &Case, clue: &Clue) -> Option<String> {
    let mut words = case.command.iter().skip(1).map(|word| word.to_string_lossy());
    let name = words.find_map(|word| word.strip_prefix("-T").map(str::to_owned))?;
    let name = if name.is_empty() { words.next()?.into_owned() } else { name };
    has_name(&clue.line, &name).then_some(name)
}

fn kind(case: &Case) -> Option<String> {
    case.surroundings().var("TERM").map(|kind| kind.to_string_lossy().into_owned()).filter(|kind| !kind.is_empty())
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let told = suspect.clue.and_then(|index| told(case, &case.clues[index]));
    let is_told = told.is_some();
    let Some(kind) = told.or_else(|| kind(case)) else { return setting::verdict(case, Some(unset()), "", "") };
    let looked: Vec<Answer<Stat>> = entries(case, &kind).iter().map(|place| case.machine.stat(place)).collect();
    let is_there = looked.iter().any(Answer::is_ok);
    let unanswered = looked.into_iter().filter_map(Result::err).find(|unknown| !unknown.is_missing());
    if let Some(unknown) = unanswered.filter(|_| !is_there) {
        return Verdict::Unknown(format!("the terminfo databases: {unknown}"));
    }
    let wrong = (!is_there).then(|| Wrong {
        headline: format!("the terminal type {kind} is not known here"),
        fact: format!("{}, and no terminfo database of this machine has an entry of that name", asked(&kind, is_told)),
        check: if is_told {
            format!("infocmp {} >/dev/null", shell_word(OsStr::new(&kind)))
        } else {
            "infocmp >/dev/null".to_owned()
        },
        fixes: (!is_told)
            .then(|| Fix::now("export TERM=xterm-256color", "nearly every terminal obeys it"))
            .into_iter()
            .chain([Fix::lasting("has more entries")
                .command(case.as_root(&package_manager::install(case.machine, "ncurses-term")))])
            .collect(),
    });
    setting::verdict(
        case,
        wrong,
        &format!("the terminal type {kind} is described"),
        "the terminal's type was not known",
    )
}

/// Who asks for a type.
fn asked(kind: &str, is_told: bool) -> String {
    if is_told { format!("the command line names the type {kind}") } else { format!("TERM={kind}") }
}

fn unset() -> Wrong {
    Wrong {
        headline: "TERM is not set".to_owned(),
        fact: "TERM is not set, and the command needs to know the terminal's type".to_owned(),
        check: "echo \"$TERM\"".to_owned(),
        fixes: vec![Fix::now("export TERM=xterm-256color", "on a terminal; `export TERM=dumb` where there is none")],
    }
}

/// Where an entry may be: below each database by its first letter, or by that letter's number in hexadecimal.
fn entries(case: &Case, kind: &str) -> Vec<PathBuf> {
    let own = case.surroundings().directory("TERMINFO").into_iter();
    let home = case.surroundings().directory("HOME").map(|home| home.join(".terminfo")).into_iter();
    let system = ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo"].map(PathBuf::from);
    let first = kind.chars().next().unwrap_or('-');
    let letters = [first.to_string(), format!("{:x}", u32::from(first))];
    let databases = own.chain(home).chain(system);
    databases.flat_map(|database| letters.each_ref().map(|letter| database.join(letter).join(kind))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::{Kind, Unknown};
    use crate::text::Bytes;

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n";

    fn stage(kind: &str) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.surroundings.env.insert("TERM".into(), Bytes(kind.into()));
        for database in ["etc", "lib", "usr/share", "usr/lib"] {
            for letter in ["x", "78"] {
                stage.missing(&format!("/{database}/terminfo/{letter}/{kind}"));
            }
        }
        stage.add(|clue| clue.suspects = vec![ID.to_owned()]);
        stage
    }

    #[test]
    fn a_type_that_no_database_has_is_told() {
        let verdicts = stage("xterm-odd").verdicts(&CAUSE);
        assert!(
            matches!(&verdicts[0].1, Verdict::Found(finding) if finding.headline.contains("xterm-odd")),
            "{verdicts:?}"
        );
    }

    #[test]
    fn a_database_that_was_not_looked_into_may_have_it() {
        let mut stage = stage("xterm-odd");
        stage.knows::<Stat>("stat /usr/lib/terminfo/x/xterm-odd", Err(Unknown::TimedOut)).assert_silent(&CAUSE);
    }

    #[test]
    fn a_type_of_the_command_line_is_meant_and_not_that_of_the_session() {
        let mut stage = stage("xterm-odd");
        stage.surroundings.env.remove("TERM");
        stage.command = ["tput", "-T", "xterm-odd", "cols"].map(Into::into).into();
        stage.clues[0].line = "tput: unknown terminal \"xterm-odd\"".to_owned();
        let finding = stage.finding(&CAUSE, "xterm-odd");
        assert_eq!(finding.headline, "the terminal type xterm-odd is not known here");
        assert!(finding.summary.contains("command line"), "{finding:?}");
    }

    #[test]
    fn a_described_type_is_silence() {
        let mut stage = stage("xterm");
        stage.stat("/lib/terminfo/x/xterm", Kind::Regular, |_| {}).assert_silent(&CAUSE);
    }
}
