//! What the causes about kernel parameters have in common: how one is raised now and for good.

use crate::cause::{Case, Evidence, Fix};
use crate::probe::sysctl::{is_changeable, setting};

/// The line that sets a parameter at boot, as evidence.
pub fn origin(case: &Case, key: &str) -> Option<Evidence> {
    let setting = setting(case.machine, key)?;
    let check = format!("sed -n {}p {}", setting.number, case.quoted(&setting.file));
    Some(Evidence::probe(format!("{setting} sets it at boot: {}", setting.text)).check(check))
}

/// How to set a parameter to `wanted`, for `what` the file of settings is to be named.
pub fn fixes(case: &Case, key: &str, wanted: &str, what: &str) -> Vec<Fix> {
    if !is_changeable(case.machine, key) {
        let text = "on the host: this container may not change it".to_owned();
        return vec![Fix { text, command: Some(format!("sudo sysctl -w {key}={}", quoted(wanted))), lasting: false }];
    }
    let now = Fix::now(case.as_root(&format!("sysctl -w {key}={}", quoted(wanted))), "until the next boot");
    vec![now, lasting(case, key, wanted, what)]
}

/// In the line that sets it, unless a package owns the file: then in a file that is read after it.
fn lasting(case: &Case, key: &str, wanted: &str, what: &str) -> Fix {
    match setting(case.machine, key) {
        Some(setting) if setting.file.starts_with("/etc") => {
            let edit = format!("sed -i '{}s/.*/{key} = {wanted}/' {}", setting.number, case.quoted(&setting.file));
            Fix::lasting(format!("{setting} sets {}", setting.text)).command(case.as_root(&edit))
        }
        _ => {
            let write = case.as_root(&format!("tee /etc/sysctl.d/99-{what}.conf"));
            Fix::lasting("from the next boot on").command(format!("echo '{key} = {wanted}' | {write}"))
        }
    }
}

/// A value of several numbers is one word of the command.
fn quoted(value: &str) -> String {
    if value.contains(' ') { format!("'{value}'") } else { value.to_owned() }
}
