//! Who uses, holds or still fills something, in a form that a report can say.

use crate::machine::{Answer, Coverage, Machine, Program, Users};
use std::path::Path;

/// Whether something may be removed as far as its users go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InUse {
    /// Somebody uses it; the clause says who: `opam install (pid 47813) uses it`.
    Yes(String),
    /// Nobody does, and everybody was seen.
    No,
    /// Nobody that can be seen does; the clause says what was not seen.
    NotSeen(String),
}

/// Whether a process or the kernel uses a path or anything below it.
///
/// # Errors
/// Those of [`Machine::users_of`].
pub fn in_use(machine: &Machine, path: &Path) -> Answer<InUse> {
    machine.users_of(path).map(|users| judged(&users))
}

fn judged(users: &Users) -> InUse {
    if let Some(first) = users.processes.first() {
        let more = match users.processes.len() - 1 {
            0 => String::new(),
            1 => " and one more".to_owned(),
            more => format!(" and {more} more"),
        };
        return InUse::Yes(format!(
            "{}{more} {} it",
            named(&first.program),
            if more.is_empty() { "uses" } else { "use" }
        ));
    }
    if let Some(first) = users.kernel.first() {
        return InUse::Yes(first.clone());
    }
    unseen(&users.coverage).map_or(InUse::No, InUse::NotSeen)
}

/// What a search of the processes did not see, as a clause; none where it saw all.
#[must_use]
pub fn unseen(coverage: &Coverage) -> Option<String> {
    if coverage.is_complete() {
        return None;
    }
    Some(match coverage.unreadable {
        _ if coverage.cut => "there was no time to look at all processes".to_owned(),
        _ if coverage.hidden => "processes of other users are hidden".to_owned(),
        1 => "the files of one process of another user cannot be seen".to_owned(),
        unreadable => format!("the files of {unreadable} processes of other users cannot be seen"),
    })
}

/// Whether a descriptor is open for writing: `flags` of `proc_pid_fdinfo(5)`, in octal.
#[must_use]
pub fn is_open_for_writing(machine: &Machine, pid: u32, descriptor: u32) -> bool {
    let Ok(info) = machine.read(Path::new(&format!("/proc/{pid}/fdinfo/{descriptor}"))) else { return false };
    let text = info.lossy();
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    flags
        .and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok())
        .is_some_and(|flags| flags & libc::O_ACCMODE != libc::O_RDONLY)
}

/// A process as a report names it: `apt-get install (pid 4711)`.
#[must_use]
pub fn named(program: &Program) -> String {
    format!("{} (pid {})", program.command, program.pid)
}

/// The systemd service that a process belongs to, by its cgroup (cgroups(7), systemd.slice(5)); none for a session or a container.
#[must_use]
pub fn service_of(machine: &Machine, pid: u32) -> Option<String> {
    let groups = machine.read(Path::new(&format!("/proc/{pid}/cgroup"))).ok()?;
    let text = groups.lossy();
    let group =
        text.lines().filter_map(|line| line.splitn(3, ':').nth(2)).find(|group| group.contains("/system.slice/"))?;
    let unit = group.split('/').find(|part| part.ends_with(".service"))?;
    Some(unit.to_owned())
}

/// Seconds as a person says them: `12 minutes`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let (length, unit) = UNITS.into_iter().find(|(length, _)| seconds >= *length).unwrap_or((1, "second"));
    let count = seconds / length;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Use, User};

    fn users(pids: &[u32], coverage: Coverage) -> Users {
        let program = |pid: &u32| Program { pid: *pid, uid: 0, command: "git gc".into(), age: 5, ancestor: false };
        let user = |pid: &u32| User { program: program(pid), uses: vec![Use::WorkingDirectory], path: "/tmp/x".into() };
        Users { processes: pids.iter().map(user).collect(), kernel: Vec::new(), coverage }
    }

    #[test]
    fn those_who_use_it_are_named() {
        let known = [(&[7][..], "git gc (pid 7) uses it"), (&[7, 8], "git gc (pid 7) and one more use it")];
        for (pids, says) in known {
            assert_eq!(judged(&users(pids, Coverage::default())), InUse::Yes(says.into()));
        }
    }

    #[test]
    fn nobody_uses_it_only_where_everybody_was_seen() {
        assert_eq!(judged(&users(&[], Coverage::default())), InUse::No);
        let partly = Coverage { unreadable: 2, ..Coverage::default() };
        let why = "the files of 2 processes of other users cannot be seen".to_owned();
        assert_eq!(judged(&users(&[], partly)), InUse::NotSeen(why));
    }

    #[test]
    fn durations_have_one_unit() {
        let said = [0, 1, 59, 60, 7300, 200_000].map(duration);
        assert_eq!(said, ["0 seconds", "1 second", "59 seconds", "1 minute", "2 hours", "2 days"]);
    }
}
