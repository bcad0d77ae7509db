//! Certificates cannot be checked because the bundle of certificate authorities is missing or empty: where a variable points
//! the program, or where the distribution has it.

use super::setting::{self, Wrong};
use super::{Case, Cause, Fix, Subject, Suspect, Verdict};
use crate::probe::package_manager;
use std::path::{Path, PathBuf};

const ID: &str = "ca-certificates-missing";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/ca-certificates-missing.md"),
    suspects,
    covers: &["missing-path"],
    check,
};

/// Variables by which programs are pointed to a bundle: OpenSSL, curl, Python's requests, git, Node.
const VARIABLES: &[&str] =
    &["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"];

/// Where distributions have it: Debian and Alpine, Fedora, SUSE, OpenSSL's own.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

fn suspects(case: &Case) -> Vec<Suspect> {
    setting::suspects(case, ID, setting::nothing_else, |case, _| Subject::Path(bundle(case).1))
}

/// The bundle that the program reads and the variable that says so; else the first that exists, or the commonest.
fn bundle(case: &Case) -> (Option<&'static str>, PathBuf) {
    let named = VARIABLES.iter().find_map(|name| Some((Some(*name), case.surroundings().directory(name)?)));
    let there = || BUNDLES.iter().map(PathBuf::from).find(|path| !is_missing(case, path));
    named.unwrap_or_else(|| (None, there().unwrap_or_else(|| BUNDLES[0].into())))
}

fn is_missing(case: &Case, path: &Path) -> bool {
    case.resolve(path).is_none_or(|found| !found.missing.as_os_str().is_empty())
}

fn check(case: &Case, _: &Suspect) -> Verdict {
    let (variable, path) = bundle(case);
    let shown = path.display();
    let named = variable.map_or_else(|| shown.to_string(), |variable| format!("{shown}, which {variable} names,"));
    let size = case.resolve(&path).and_then(|found| case.machine.stat(&found.existing).ok()).map(|stat| stat.size);
    let fact = match size {
        _ if is_missing(case, &path) => Some(format!("{named} does not exist")),
        Some(0) => Some(format!("{named} is empty")),
        _ => None,
    };
    let wrong = fact.map(|fact| Wrong {
        headline: "the certificates of authorities are not installed".to_owned(),
        fact,
        check: format!("ls -lL {}", case.quoted(&path)),
        fixes: fixes(case, variable),
    });
    setting::verdict(case, wrong, &format!("{shown} is there"), "the certificates of authorities were not installed")
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
        stage.stat(BUNDLES[0], Kind::Regular, |_| {}).missing("/gone.pem");
        stage.surroundings.env.insert("SSL_CERT_FILE".into(), Bytes("/gone.pem".into()));
        assert_eq!(stage.finding(&CAUSE, "/gone.pem").fixes[0].command.as_deref(), Some("unset SSL_CERT_FILE"));
    }

    #[test]
    fn a_bundle_that_is_there_is_silence() {
        let mut stage = stage();
        stage.stat(BUNDLES[0], Kind::Regular, |_| {}).assert_silent(&CAUSE);
    }
}
