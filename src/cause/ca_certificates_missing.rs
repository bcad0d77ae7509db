//! Certificates cannot be checked because the bundle of certificate authorities is missing or empty: where a variable points
//! the program, or where the distribution has it.

use super::setting::{self, Wrong};
use super::{Case, Cause, Confidence, Fix, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::machine::Answer;
use crate::probe::package_manager;
use crate::probe::path::resolve;
use std::path::{Path, PathBuf};

const ID: &str = "ca-certificates-missing";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/ca-certificates-missing.md"),
    suspects,
    covers: &["missing-path"],
    check,
};

/// Variables by which programs are pointed to a bundle, and the programs; without a name, whatever uses OpenSSL's own default.
const VARIABLES: &[(&str, &[&str])] = &[
    ("GIT_SSL_CAINFO", &["git"]),
    ("CURL_CA_BUNDLE", &["curl", "pip", "requests"]),
    ("REQUESTS_CA_BUNDLE", &["pip", "requests", "conda"]),
    ("NODE_EXTRA_CA_CERTS", &["node", "npm", "npx", "yarn", "pnpm"]),
    ("SSL_CERT_FILE", &["curl", "python", "perl", "ruby", "openssl", "go", "cargo", "pip"]),
];

/// Programs that bring their own authorities and do not read the system's.
const OF_THEIR_OWN: &[&str] = &["node", "npm", "npx", "yarn", "pnpm", "java", "mvn", "gradle", "firefox"];

/// Where distributions have it: Debian and Alpine, Fedora, SUSE, OpenSSL's own.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

fn suspects(case: &Case) -> Vec<Suspect> {
    let mut suspects = setting::suspects(case, ID, setting::nothing_else, |case, clue| {
        bundle(case, clue).map_or(Subject::Name("-".into()), |(_, path)| Subject::Path(path))
    });
    suspects.retain(|suspect| suspect.subject.path().is_some());
    suspects
}

/// The bundle that the program reads: the file that the message names; the one of a variable, which is told; else the first that exists,
/// or the commonest.
fn bundle(case: &Case, clue: &Clue) -> Option<(Option<&'static str>, PathBuf)> {
    let variable = VARIABLES.iter().find(|(name, programs)| {
        case.surroundings().directory(name).is_some() && programs.iter().any(|program| is_by(case, clue, program))
    });
    let of_variable = variable.and_then(|(name, _)| Some((Some(*name), case.surroundings().directory(name)?)));
    let named = clue.path.clone().filter(|path| path.is_absolute());
    if let Some(named) = named {
        let variable = of_variable.filter(|(_, path)| *path == named).and_then(|(variable, _)| variable);
        return Some((variable, named));
    }
    if of_variable.is_some() {
        return of_variable;
    }
    if OF_THEIR_OWN.iter().any(|program| is_by(case, clue, program)) {
        return None;
    }
    let there = BUNDLES.iter().map(PathBuf::from).find(|path| !is_missing(case, path).unwrap_or(true));
    Some((None, there.unwrap_or_else(|| BUNDLES[0].into())))
}

/// Whether a program of this name (`python3.11` is one of `python`) said so or is in the command line.
fn is_by(case: &Case, clue: &Clue, program: &str) -> bool {
    let is_it = |name: &str| {
        name.strip_prefix(program).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    let names = case
        .command
        .iter()
        .flat_map(|word| word.to_string_lossy().split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let mut names = names.filter_map(|word| Some(Path::new(&word).file_name()?.to_string_lossy().into_owned()));
    clue.program.as_deref().is_some_and(is_it) || names.any(|name| is_it(&name))
}

/// A certificate that signs itself is trusted by no bundle of authorities; one at the end of a chain is an authority's.
fn signs_itself(clue: &Clue) -> bool {
    let line = clue.line.to_ascii_lowercase().replace('-', " ");
    line.contains("self signed certificate") && !line.contains("in certificate chain")
}

fn is_missing(case: &Case, path: &Path) -> Answer<bool> {
    resolve(case.machine, case.mounts, path).map(|found| !found.missing.as_os_str().is_empty())
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(clue) = suspect.clue.map(|index| &case.clues[index]) else {
        return Verdict::Unknown("no message is known".into());
    };
    let Some((variable, path)) = bundle(case, clue) else {
        return Verdict::Unknown("it brings its own authorities".into());
    };
    if variable.is_none() && signs_itself(clue) {
        return Verdict::RuledOut(
            "the server's certificate signs itself, which no bundle of authorities changes".into(),
        );
    }
    let shown = path.display();
    let named = variable.map_or_else(|| shown.to_string(), |variable| format!("{shown}, which {variable} names,"));
    let size = case.resolve(&path).and_then(|found| case.machine.stat(&found.existing).ok()).map(|stat| stat.size);
    let is_missing = match is_missing(case, &path) {
        Ok(is_missing) => is_missing,
        Err(unknown) => return Verdict::Unknown(format!("{shown}: {unknown}")),
    };
    let fact = match size {
        _ if is_missing => Some(format!("{named} does not exist")),
        Some(0) => Some(format!("{named} is empty")),
        _ => None,
    };
    let wrong = fact.map(|fact| Wrong {
        headline: variable.map_or_else(
            || "the certificates of authorities are not installed".to_owned(),
            |variable| format!("{variable} names no bundle of certificates"),
        ),
        fact,
        check: format!("ls -lL {}", case.quoted(&path)),
        fixes: fixes(case, variable),
    });
    let mut verdict = setting::verdict(
        case,
        wrong,
        &format!("{shown} is there"),
        "the certificates of authorities were not installed",
    );
    if let Verdict::Found(finding) = &mut verdict
        && signs_itself(clue)
    {
        finding.confidence = finding.confidence.min(Confidence::Likely);
    }
    verdict
}

fn fixes(case: &Case, variable: Option<&str>) -> Vec<Fix> {
    let Some(variable) = variable else {
        return vec![
            Fix::lasting("installs the bundle")
                .command(case.as_root(&package_manager::install(case.machine, "ca-certificates"))),
        ];
    };
    vec![Fix::now(format!("unset {variable}"), "programs read the system's own then")]
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::Kind;
    use crate::text::Bytes;

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n";

    fn stage() -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.directory("/etc/ssl/certs").missing("/etc/pki").missing(BUNDLES[2]).missing(BUNDLES[3]);
        stage.stat("/usr/bin/apt-get", Kind::Regular, |_| {});
        stage.add(|clue| clue.suspects = vec![ID.to_owned()]);
        stage
    }

    #[test]
    fn a_machine_without_a_bundle_is_told_and_how_to_get_one() {
        let mut stage = stage();
        let finding = stage.missing(BUNDLES[0]).finding(&CAUSE, BUNDLES[0]);
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo apt-get install ca-certificates"));
    }

    #[test]
    fn an_empty_bundle_is_told() {
        let mut stage = stage();
        stage.stat(BUNDLES[0], Kind::Regular, |stat| stat.size = 0);
        assert!(stage.finding(&CAUSE, BUNDLES[0]).summary.contains("is empty"));
    }

    #[test]
    fn a_variable_that_points_nowhere_is_told() {
        let mut stage = stage();
        stage.command = vec!["curl".into()];
        stage.stat(BUNDLES[0], Kind::Regular, |_| {}).missing("/gone.pem");
        stage.surroundings.env.insert("SSL_CERT_FILE".into(), Bytes("/gone.pem".into()));
        assert_eq!(stage.finding(&CAUSE, "/gone.pem").fixes[0].command.as_deref(), Some("unset SSL_CERT_FILE"));
    }

    #[test]
    fn a_variable_of_another_program_is_silence() {
        let mut stage = stage();
        stage.command = vec!["curl".into()];
        stage.stat(BUNDLES[0], Kind::Regular, |_| {}).missing("/gone.pem");
        stage.surroundings.env.insert("NODE_EXTRA_CA_CERTS".into(), Bytes("/gone.pem".into()));
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_certificate_that_signs_itself_is_not_for_want_of_authorities() {
        let mut stage = stage();
        stage.missing(BUNDLES[0]);
        stage.clues[0].line = "certificate verify failed: self-signed certificate (_ssl.c:992)".into();
        stage.assert_silent(&CAUSE);
        stage.clues[0].line = "certificate verify failed: self-signed certificate in certificate chain".into();
        stage.finding(&CAUSE, BUNDLES[0]);
    }

    #[test]
    fn a_program_with_authorities_of_its_own_is_silence() {
        let mut stage = stage();
        stage.command = vec!["node".into(), "server.js".into()];
        stage.missing(BUNDLES[0]).assert_silent(&CAUSE);
    }

    #[test]
    fn a_bundle_that_is_there_is_silence() {
        let mut stage = stage();
        stage.stat(BUNDLES[0], Kind::Regular, |_| {}).assert_silent(&CAUSE);
    }
}
