//! What the causes about kernel parameters have in common: how one is raised now and for good.

use crate::cause::{Case, Evidence, Fix};
use crate::probe::origin::of_sysctl;
use crate::probe::origin::sysctl::lasting_file;
use crate::probe::sysctl::is_changeable;

/// The line that sets a parameter at boot, as evidence.
pub fn origin(case: &Case, key: &str) -> Option<Evidence> {
    let line = of_sysctl(case.machine, key)?.line;
    let check = format!("sed -n {}p {}", line.number, case.quoted(&line.file));
    Some(Evidence::probe(format!("{line} sets it at boot: {}", line.text)).check(check))
}

/// How to set a parameter to `wanted`, now and for good.
pub fn fixes(case: &Case, key: &str, wanted: &str) -> Vec<Fix> {
    if !is_changeable(case.machine, key) {
        let text = "on the host: this container may not change it".to_owned();
        return vec![Fix { text, command: Some(format!("sudo sysctl -w {key}={}", quoted(wanted))), lasting: false }];
    }
    let now = Fix::now(case.as_root(&format!("sysctl -w {key}={}", quoted(wanted))), "until the next boot");
    vec![now, lasting(case, key, wanted)]
}

/// In the line that sets it, unless a package owns the file: then in a file that is read after it.
fn lasting(case: &Case, key: &str, wanted: &str) -> Fix {
    match of_sysctl(case.machine, key).map(|found| found.line) {
        Some(line) if line.file.starts_with("/etc") => {
            let edit = format!("sed -i '{}s/.*/{key} = {wanted}/' {}", line.number, case.quoted(&line.file));
            Fix::lasting(format!("{line} sets {}", line.text)).command(case.as_root(&edit))
        }
        _ => {
            let file = lasting_file(case.machine);
            let write = case.as_root(&format!("tee -a {}", case.quoted(&file)));
            Fix::lasting("from the next boot on").command(format!("echo '{key} = {wanted}' | {write}"))
        }
    }
}

/// A value of several numbers is one word of the command.
fn quoted(value: &str) -> String {
    if value.contains(' ') { format!("'{value}'") } else { value.to_owned() }
}
