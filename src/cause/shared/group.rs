//! What the causes about control groups have in common: how the limit of one is raised.

use crate::cause::{Case, Fix};
use crate::probe::cgroup::Group;

/// How to raise the limit of a group to `wanted`: by systemd's property where it is a unit's, else in its file; a container has
/// an option for it.
pub fn fixes(case: &Case, group: &Group, property: &str, wanted: &str, option: &str) -> Vec<Fix> {
    let Some(unit) = group.unit() else {
        let write = case.as_root(&format!("tee {}", case.quoted(&group.limit_file())));
        let text = format!("until the group is made anew; a container has an option for it ({option})");
        return vec![Fix::now(format!("echo {wanted} | {write}"), text)];
    };
    let set = |how: &str| case.as_root(&format!("systemctl set-property {how}{unit} {property}={wanted}"));
    let mut fixes = vec![Fix::now(set("--runtime "), "until the next boot")];
    if !unit.ends_with("scope") {
        fixes.push(Fix::lasting(format!("for {unit}")).command(set("")));
    }
    fixes
}
