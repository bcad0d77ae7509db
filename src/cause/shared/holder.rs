//! What to do about a process that has something: never end it blindly.

use crate::cause::{Case, Confidence, Fix, Mode};
use crate::machine::{Program, Unknown};
use crate::probe::holders::service_of;

pub use crate::probe::holders::named;

/// Seconds after which what a process has now need not be what it had when a log was written.
const JUST: u64 = 60;

/// Why a process that has something now is not the one that saved output speaks of: it was started after that was written.
pub fn came_later(case: &Case, program: &Program) -> Option<String> {
    let is_later = case.mode == Mode::Log && case.machine.log_age().is_ok_and(|age| program.age < age);
    is_later.then(|| format!("{} has it now, and was started after the log was written", named(program)))
}

/// How sure it can be that what is held now was held when the command spoke of it: of a log that was not written just now, or nobody knows when,
/// that is likely.
pub fn most_sure(case: &Case) -> Confidence {
    let is_now = match case.machine.log_age() {
        Ok(age) => age <= JUST,
        // The state is that of the failure.
        Err(Unknown::NotRecorded) => true,
        Err(_) => false,
    };
    if case.mode == Mode::Run || is_now { Confidence::Verified } else { Confidence::Likely }
}

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
