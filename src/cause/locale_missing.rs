//! The locale that the environment asks for is not installed, locale(7): programs warn, or refuse to start.

use super::setting::{self, Wrong};
use super::{Case, Cause, Fix, Subject, Suspect, Verdict};
use std::path::Path;

const ID: &str = "locale-missing";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/locale-missing.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    setting::suspects(case, ID, setting::nothing_else, |case, _| {
        Subject::Name(wanted(case).map_or("-".into(), |(_, name)| name))
    })
}

/// The locale that is asked for, and by which variable.
fn wanted(case: &Case) -> Option<(&'static str, String)> {
    ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|variable| {
        let name = case.surroundings().var(variable)?.to_string_lossy().into_owned();
        (!name.is_empty()).then_some((variable, name))
    })
}

fn check(case: &Case, _: &Suspect) -> Verdict {
    let Some((variable, name)) = wanted(case) else {
        return setting::verdict(case, None, "no variable asks for a locale", "the locale was not installed");
    };
    let is_there = match case.machine.has_locale(&name) {
        Ok(is_there) => is_there,
        Err(unknown) => return Verdict::Unknown(unknown.to_string()),
    };
    let wrong = (!is_there).then(|| Wrong {
        headline: format!("the locale {name} is not installed"),
        fact: format!("{variable}={name}, and no such locale is installed"),
        check: "locale -a".to_owned(),
        fixes: fixes(case, variable, &name),
    });
    setting::verdict(case, wrong, &format!("the locale {name} is installed"), "the locale was not installed")
}

fn fixes(case: &Case, variable: &str, name: &str) -> Vec<Fix> {
    let mut fixes = vec![Fix::now(format!("export {variable}=C.UTF-8"), "in this shell; it is always there")];
    let charset = name.split_once('.').map_or("UTF-8", |(_, charset)| charset);
    let word = crate::text::shell_word(name.split('@').next().unwrap_or(name));
    if case.machine.stat(Path::new("/usr/sbin/locale-gen")).is_ok() && crate::text::shell_word(name) == name {
        let line = format!("sh -c 'echo {word} {charset} >> /etc/locale.gen && locale-gen'");
        fixes.push(Fix::lasting("builds it").command(case.as_root(&line)));
    }
    fixes
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
    fn an_installed_locale_is_silence() {
        stage(true).assert_silent(&CAUSE);
    }
}
