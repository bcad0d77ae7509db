//! The locale that the environment asks for is not installed, locale(7): programs warn, or refuse to start.

use super::setting::{self, Wrong};
use super::{Case, Cause, Fix, Mode, Subject, Suspect, Verdict};
use crate::clue::Clue;
use std::path::Path;

const ID: &str = "locale-missing";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/locale-missing.md"), suspects, covers: &[], check };

/// Variables that ask for a locale, the strongest first, locale(7).
const VARIABLES: &[&str] =
    &["LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_COLLATE", "LC_NUMERIC", "LC_TIME", "LC_MONETARY", "LANG"];

fn suspects(case: &Case) -> Vec<Suspect> {
    setting::suspects(case, ID, setting::nothing_else, |case, clue| {
        let wanted = missing(case).or_else(|| wanted(case).into_iter().next());
        let name = told(case, clue).or_else(|| in_program_text(case)).or(wanted.map(|(_, name)| name));
        Subject::Name(name.unwrap_or("-".into()))
    })
}

/// The locale that the message names, where the command line does so too: `initdb --locale=xx_YY`.
fn told(case: &Case, clue: &Clue) -> Option<String> {
    let name = clue.subject.as_deref()?;
    let is_asked_for = case.command.iter().any(|word| word.to_string_lossy().contains(name));
    (is_asked_for && case.machine.has_locale(name) == Ok(false)).then(|| name.to_owned())
}

/// The locale that a program text of the command line names and that is not installed, unless it asks for that of the environment, which is not
/// installed either.
fn in_program_text(case: &Case) -> Option<String> {
    if case.mode == Mode::Log || asks_environment(case) && missing(case).is_some() {
        return None;
    }
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || "_.@-".contains(letter);
    let texts: Vec<_> = case.command.iter().skip(1).map(|word| word.to_string_lossy()).collect();
    let names = texts.iter().flat_map(|text| text.split(|letter| !is_of_name(letter)));
    let mut absent = names.filter(|name| is_a_locale(name) && case.machine.has_locale(name) == Ok(false));
    absent.next().map(str::to_owned)
}

/// Whether a word is language, country and perhaps more: `de_DE.UTF-8`.
fn is_a_locale(word: &str) -> bool {
    let (name, _) = word.split_once(['.', '@']).unwrap_or((word, ""));
    name.split_once('_').is_some_and(|(language, country)| {
        matches!(language.len(), 2 | 3)
            && country.len() == 2
            && language.bytes().all(|byte| byte.is_ascii_lowercase())
            && country.bytes().all(|byte| byte.is_ascii_uppercase())
    })
}

/// The locales that are asked for, and by which variable; `LC_ALL` alone where it is set.
fn wanted(case: &Case) -> Vec<(&'static str, String)> {
    let set = |variable: &&'static str| {
        let name = case.surroundings().var(variable)?.to_string_lossy().into_owned();
        (!name.is_empty()).then_some((*variable, name))
    };
    let mut wanted: Vec<_> = VARIABLES.iter().filter_map(set).collect();
    if wanted.first().is_some_and(|(variable, _)| *variable == "LC_ALL") {
        wanted.truncate(1);
    }
    wanted
}

/// The first of them that is not installed: setlocale(3) of all categories fails for one.
fn missing(case: &Case) -> Option<(&'static str, String)> {
    wanted(case).into_iter().find(|(_, name)| case.machine.has_locale(name) == Ok(false))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    if let Some(name) = suspect.clue.and_then(|index| told(case, &case.clues[index])) {
        return setting::verdict(case, Some(not_installed(case, &name)), "", "");
    }
    if let Some(name) = in_program_text(case) {
        return setting::less_sure(setting::verdict(case, Some(not_installed(case, &name)), "", ""));
    }
    let wrong = missing(case).map(|(variable, name)| Wrong {
        headline: format!("the locale {name} is not installed"),
        fact: format!("{variable}={name}, and no such locale is installed"),
        check: "locale -a".to_owned(),
        fixes: fixes(case, variable, &name),
    });
    let names: Vec<String> = wanted(case).into_iter().map(|(_, name)| name).collect();
    let fine = match names.first() {
        None => "no variable asks for a locale".to_owned(),
        Some(name) => format!("the locale {name} is installed"),
    };
    let verdict = setting::verdict(case, wrong, &fine, "the locale was not installed");
    let is_meant = |clue: &Clue| speaks_of_it(clue) && (!is_of_python(clue) || asks_environment(case));
    if suspect.clue.is_none_or(|index| is_meant(&case.clues[index])) { verdict } else { setting::less_sure(verdict) }
}

/// Whether a message is about the locale, and not about a text that it could not take: a program may have asked for ASCII itself.
fn speaks_of_it(clue: &Clue) -> bool {
    let line = clue.line.to_lowercase();
    ["locale", "lc_", "lang", "utf-8", "utf8"].iter().any(|word| line.contains(word))
}

/// Whether a message is Python's of a locale that may be the environment's or one of the application's own settings.
fn is_of_python(clue: &Clue) -> bool {
    clue.line.contains("locale.Error: unsupported locale setting")
}

/// Whether the program is seen to ask for the locale of its environment, setlocale(3): `setlocale(LC_ALL, "")`.
fn asks_environment(case: &Case) -> bool {
    let shown = case.transcript.parts.iter().map(|part| String::from_utf8_lossy(&part.bytes.0));
    let typed = case.command.iter().map(|word| word.to_string_lossy());
    let asks = |text: &str| {
        let calls = text.match_indices("setlocale(").map(|(at, call)| &text[at + call.len()..]);
        calls.filter_map(|call| call.split_once(')')).any(|(values, _)| {
            let name = values.split_once(',').map_or("", |(_, name)| name.trim());
            matches!(name, "" | "''" | "\"\"")
        })
    };
    shown.chain(typed).any(|text| asks(&text))
}

/// A locale that the command line asks for.
fn not_installed(case: &Case, name: &str) -> Wrong {
    Wrong {
        headline: format!("the locale {name} is not installed"),
        fact: format!("the command asks for the locale {name}, and no such locale is installed"),
        check: "locale -a".to_owned(),
        fixes: built(case, name).into_iter().collect(),
    }
}

fn fixes(case: &Case, variable: &str, name: &str) -> Vec<Fix> {
    let now = Fix::now(format!("export {variable}=C.UTF-8"), "in this shell; it is always there");
    [now].into_iter().chain(built(case, name)).collect()
}

/// How Debian builds a locale, locale-gen(8).
fn built(case: &Case, name: &str) -> Option<Fix> {
    let charset = name.split_once('.').map_or("UTF-8", |(_, charset)| charset);
    let word = crate::text::shell_word(name.split('@').next().unwrap_or(name));
    let can_be_built = case.machine.stat(Path::new("/usr/sbin/locale-gen")).is_ok();
    let line = format!("sh -c 'echo {word} {charset} >> /etc/locale.gen && locale-gen'");
    (can_be_built && crate::text::shell_word(name) == name)
        .then(|| Fix::lasting("builds it").command(case.as_root(&line)))
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::text::Bytes;

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n";

    fn stage(is_there: bool) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.surroundings.env.insert("LC_ALL".into(), Bytes("xx_YY.UTF-8".into()));
        stage.knows("locale xx_YY.UTF-8", Ok(is_there));
        stage.add(|clue| clue.suspects = vec![ID.to_owned()]);
        stage
    }

    #[test]
    fn a_locale_that_is_not_installed_is_told_with_its_variable() {
        let verdicts = stage(false).verdicts(&CAUSE);
        let Verdict::Found(finding) = &verdicts[0].1 else { panic!("{verdicts:?}") };
        assert!(finding.summary.contains("LC_ALL=xx_YY.UTF-8"), "{finding:?}");
    }

    #[test]
    fn a_locale_that_an_application_sets_by_itself_is_not_proven_to_be_that_of_the_environment() {
        let sure = |source: &str| {
            let mut stage = stage(false);
            stage.command = ["python3", source].map(Into::into).into();
            stage.add(|clue| {
                clue.suspects = vec![ID.to_owned()];
                clue.line = "locale.Error: unsupported locale setting".to_owned();
            });
            stage.clues.remove(0);
            let verdicts = stage.verdicts(&CAUSE);
            let Verdict::Found(finding) = &verdicts[0].1 else { panic!("{verdicts:?}") };
            finding.confidence == super::super::Confidence::Verified
        };
        assert!(sure("locale.setlocale(locale.LC_ALL, '')") && sure("setlocale(LC_ALL, \"\")"));
        assert!(!sure("locale.setlocale(locale.LC_ALL, settings.LOCALE)") && !sure("app.py"));
    }

    #[test]
    fn a_locale_that_the_command_line_asks_for_is_told() {
        let mut stage = Stage::new(TABLE);
        stage.command = ["initdb", "--locale=xx_YY"].map(Into::into).into();
        stage.knows("locale xx_YY", Ok(false));
        stage.add(|clue| (clue.suspects, clue.subject) = (vec![ID.to_owned()], Some("xx_YY".into())));
        assert!(stage.finding(&CAUSE, "xx_YY").summary.contains("asks for the locale xx_YY"));
        stage.knows("locale xx_YY", Ok(true)).assert_silent(&CAUSE);
    }

    #[test]
    fn a_locale_that_a_program_text_names_is_likely() {
        let mut stage = Stage::new(TABLE);
        stage.command = ["python3", "-c", r#"setlocale(LC_ALL, "qq_QQ.UTF-8")"#].map(Into::into).into();
        stage.knows("locale qq_QQ.UTF-8", Ok(false));
        stage.add(|clue| clue.suspects = vec![ID.to_owned()]);
        assert_eq!(stage.finding(&CAUSE, "qq_QQ.UTF-8").confidence, crate::cause::Confidence::Likely);
        stage.knows("locale qq_QQ.UTF-8", Ok(true)).assert_silent(&CAUSE);
    }

    #[test]
    fn an_installed_locale_is_silence() {
        stage(true).assert_silent(&CAUSE);
    }
}
