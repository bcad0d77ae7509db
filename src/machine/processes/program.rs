//! A process as a person knows it.

use crate::machine::{Answer, files};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A process, by what a person knows it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Process id.
    pub pid: u32,
    /// Its effective user.
    pub uid: u32,
    /// The first words of its command line, up to the first option; `comm` where it has none (`proc_pid_comm(5)`).
    pub command: String,
    /// Seconds since it was started.
    pub age: u64,
    /// Whether we are its descendant: ending it would end us.
    pub ancestor: bool,
}

impl Program {
    /// Whether it is a program of one of these names, or a part of one: `git-remote-https` is a part of git.
    #[must_use]
    pub fn is_one_of(&self, names: &[&str]) -> bool {
        let own = self.command.split(' ').next().unwrap_or_default();
        names.iter().any(|name| own.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
    }
}

/// Whether it is a thread of the kernel (`PF_KTHREAD` of `include/linux/sched.h`, in field 9 of `proc_pid_stat(5)`).
pub fn is_of_kernel(pid: u32) -> bool {
    const KERNEL_THREAD: u64 = 0x0020_0000;
    let flags = stat_fields(pid).and_then(|fields| fields.get(6)?.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & KERNEL_THREAD != 0)
}

/// Fields of `/proc/PID/stat` from the third on (`state`); the name before them may hold blanks and brackets.
fn stat_fields(pid: u32) -> Option<Vec<String>> {
    let stat = files::read(Path::new(&format!("/proc/{pid}/stat"))).ok()?;
    let text = stat.lossy();
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split_ascii_whitespace().map(str::to_owned).collect())
}

/// The process of a number; ENOENT where there is none.
pub fn program(pid: u32) -> Answer<Program> {
    let status = files::read(Path::new(&format!("/proc/{pid}/status")))?;
    let status = status.lossy();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let uid = field("Uid:").and_then(|uids| uids.split_ascii_whitespace().nth(1)?.parse().ok());
    let command = words(pid).unwrap_or_else(|| field("Name:").unwrap_or_default().to_owned());
    let started = stat_fields(pid).and_then(|fields| fields.get(19)?.parse().ok());
    let age = started.and_then(age).unwrap_or(0);
    Ok(Program { pid, uid: uid.unwrap_or(u32::MAX), command, age, ancestor: is_ancestor(pid) })
}

/// Seconds since a time in ticks since boot. The unit of `/proc` is a hundredth of a second (`USER_HZ`) on every architecture that Rust's
/// standard library runs on.
fn age(started: u64) -> Option<u64> {
    let uptime = files::read(Path::new("/proc/uptime")).ok()?;
    let seconds: u64 = uptime.lossy().split('.').next()?.parse().ok()?;
    Some(seconds.saturating_sub(started / 100))
}

/// The first words of the command line, up to the first that may hold more than a name: secrets are given to programs in options.
fn words(pid: u32) -> Option<String> {
    const WORDS: usize = 3;
    let line = files::read(Path::new(&format!("/proc/{pid}/cmdline"))).ok()?;
    let mut words = line.0.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let program = words.next().filter(|word| !word.is_empty())?;
    let name = program.rsplit('/').next().unwrap_or_default().to_owned();
    let is_name = |word: &std::borrow::Cow<str>| {
        !word.is_empty() && !word.starts_with('-') && !word.contains(['=', ':', '@', '\n'])
    };
    let rest = words.take(WORDS - 1).take_while(is_name).map(std::borrow::Cow::into_owned);
    Some(std::iter::once(name).chain(rest).collect::<Vec<_>>().join(" ").chars().take(80).collect())
}

/// Whether we descend from a process.
fn is_ancestor(pid: u32) -> bool {
    let parent = |pid: &u32| stat_fields(*pid)?.get(1)?.parse::<u32>().ok().filter(|pid| *pid > 0);
    std::iter::successors(parent(&std::process::id()), parent).take(200).any(|ancestor| ancestor == pid)
}
