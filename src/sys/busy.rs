//! How much CPU time the command's processes have used of what they may: the kernel ends one at its limit without a word, and afterwards nobody
//! tells how much it had used, nor what its limit was.

use super::family::{GLANCE, glanced_at};
use super::file;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// A process and the CPU time of all its threads, which `RLIMIT_CPU` bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Busy {
    /// Process id.
    pub pid: u32,
    /// Its name (`comm`, at most 15 bytes).
    pub command: String,
    /// CPU time that it had used, in milliseconds; not that of its children.
    pub used_ms: u64,
    /// The line of its `/proc/PID/limits` that bounds it (`proc_pid_limits(5)`).
    #[serde(default)]
    pub limit: String,
}

/// `USER_HZ` is 100 on every architecture of today (`proc_pid_stat(5)`, `sysconf(_SC_CLK_TCK)`).
const TICK_MS: u64 = 10;

/// Of the command's processes whose CPU time has a limit that which has used the most, as far as a glance goes; none where the kernel does
/// not tell who is below whom.
#[must_use]
pub fn busiest() -> Option<Busy> {
    glanced_at(Instant::now() + GLANCE).filter_map(busy).max_by_key(|busy| busy.used_ms)
}

/// Whether a process of the command has a limit on its CPU time, as far as a glance goes.
#[must_use]
pub fn is_limited() -> bool {
    glanced_at(Instant::now() + GLANCE).any(|pid| limit(pid).is_some())
}

fn busy(pid: u32) -> Option<Busy> {
    let limit = limit(pid)?;
    let (command, used_ms) = used(pid)?;
    Some(Busy { pid, command, used_ms, limit })
}

/// The line about CPU time, where that has a limit.
fn limit(pid: u32) -> Option<String> {
    let text = file::read(format!("/proc/{pid}/limits")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find(|line| line.starts_with("Max cpu time"))?;
    let is_number = line.split_whitespace().nth(3).is_some_and(|soft| soft.parse::<u64>().is_ok());
    is_number.then(|| line.trim_end().to_owned())
}

/// The name, and fields 14 and 15 of `/proc/PID/stat` (`proc_pid_stat(5)`), in milliseconds.
fn used(pid: u32) -> Option<(String, u64)> {
    let text = file::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let (head, tail) = text.rsplit_once(')')?;
    let mut fields = tail.split_whitespace().skip(11).map(str::parse::<u64>);
    let ticks = fields.next()?.ok()? + fields.next()?.ok()?;
    Some((head.split_once('(')?.1.to_owned(), ticks * TICK_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_cpu_time_of_a_process_is_read_beside_its_name() {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(60) {}
        let (name, used_ms) = used(std::process::id()).unwrap();
        assert!(used_ms >= TICK_MS && !name.is_empty(), "{name} {used_ms}");
    }
}
