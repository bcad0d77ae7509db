//! What to do about a process that has something: never end it blindly.

use crate::cause::{Case, Fix};
use crate::machine::Program;
use crate::probe::holders::service_of;

pub use crate::probe::holders::named;

/// Ways to get what a process has, the safest first. What we descend from is not ended.
pub fn fixes(case: &Case, by: &Program, wait: &str) -> Vec<Fix> {
    let mut fixes = Vec::new();
    if !wait.is_empty() && !by.ancestor {
        fixes.push(Fix::now(format!("tail --pid={} -f /dev/null", by.pid), wait));
    }
    fixes.extend(stop(case, by));
    fixes
}

/// Stopping the service, or ending the process where it belongs to none.
pub fn stop(case: &Case, by: &Program) -> Option<Fix> {
    if by.ancestor || by.pid == 1 {
        return None;
    }
    if let Some(service) = service_of(case.machine, by.pid) {
        return Some(Fix::now(
            case.as_root(&format!("systemctl stop {service}")),
            "stops the service that it belongs to",
        ));
    }
    let end = format!("kill {}", by.pid);
    let end = if by.uid == case.surroundings().identity.uid { end } else { case.as_root(&end) };
    Some(Fix::now(end, "asks it to end, where it is not needed"))
}
