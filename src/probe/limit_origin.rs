//! Where a process got a resource limit from: which ancestor has it first, and which line of a file sets that value.

use super::limits::{Names, Resource, Unit, limit};
use super::origin::config::fragments;
use super::origin::unit::of_name;
use super::origin::{Line, of_limit};
use crate::machine::Machine;
use std::path::{Path, PathBuf};

/// Processes that are followed upwards.
const GENERATIONS: usize = 64;

/// Where a soft limit comes from, as far as that can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The oldest process in an unbroken line of parents that has the same limit; none where the child set it by itself.
    pub first: Option<Process>,
    /// The parent of that process and its own limit (none: unlimited); none where no parent differs.
    pub above: Option<(Process, Option<u64>)>,
    /// Whether the process that started the command is the first that has it: the limit was set for this one command.
    pub is_fresh: bool,
    /// The line of a file that sets this very value.
    pub line: Option<Line>,
}

/// A process by its number and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Its name (`comm`).
    pub command: String,
}

impl std::fmt::Display for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (pid {})", self.command, self.pid)
    }
}

/// Where the child's soft limit of `amount` comes from.
#[must_use]
pub fn origin(machine: &Machine, resource: Resource, amount: u64) -> Origin {
    let mut origin = Origin { line: line(machine, resource, amount), ..Origin::default() };
    let mut next = "self".to_owned();
    for generation in 0..GENERATIONS {
        let Some((process, parent)) = process(machine, &next) else { break };
        let Some(limit) = read(machine, &format!("/proc/{next}/limits")).and_then(|text| limit(&text, resource)) else {
            break;
        };
        if limit.soft != Some(amount) {
            origin.is_fresh = generation == 1;
            origin.above = Some((process, limit.soft));
            break;
        }
        origin.first = Some(process);
        next = parent.to_string();
    }
    origin
}

fn read(machine: &Machine, path: &str) -> Option<String> {
    machine.read(Path::new(path)).ok().map(|bytes| bytes.lossy().into_owned())
}

/// A process and its parent's number, from `/proc/PID/stat` (`proc_pid_stat(5)`): the name may hold blanks and parentheses.
fn process(machine: &Machine, pid: &str) -> Option<(Process, u32)> {
    let stat = read(machine, &format!("/proc/{pid}/stat"))?;
    let (head, tail) = stat.rsplit_once(')')?;
    let (pid, command) = head.split_once(" (")?;
    let parent = tail.split_whitespace().nth(1)?.parse().ok()?;
    Some((Process { pid: pid.parse().ok()?, command: command.to_owned() }, parent))
}

/// The line that sets this value: of the own service, of a login or all services, or of the shell's own files.
fn line(machine: &Machine, resource: Resource, amount: u64) -> Option<Line> {
    let names = resource.names();
    let by_unit = unit_line(machine, names, amount);
    by_unit.or_else(|| login_line(machine, names, amount)).or_else(|| shell_line(machine, names, amount))
}

/// Of limits.conf(5), or of `systemd-system.conf(5)`, which count in different units.
fn login_line(machine: &Machine, names: &Names, amount: u64) -> Option<Line> {
    let amounts = |value: &str| [scaled(value, names.item_scale), systemd_amount(value, names.unit)];
    let found = of_limit(machine, names.item);
    found.into_iter().find(|found| amounts(&found.value).contains(&Some(amount))).map(|found| found.line)
}

/// Of the own systemd service, `systemd.exec(5)`.
fn unit_line(machine: &Machine, names: &Names, amount: u64) -> Option<Line> {
    let unit = of_name(machine, &service(machine)?)?;
    let setting = unit.setting("Service", names.directive)?;
    (systemd_amount(&setting.value, names.unit) == Some(amount)).then(|| setting.line.clone())
}

/// The service whose control group this process is in.
fn service(machine: &Machine) -> Option<String> {
    let groups = read(machine, "/proc/self/cgroup")?;
    let line = groups.lines().find(|line| line.contains(":name=systemd:") || line.starts_with("0::"))?;
    line.rsplit('/').find(|name| Path::new(name).extension().is_some_and(|kind| kind == "service")).map(str::to_owned)
}

/// Start-up files of bash(1), zsh(1) and sh(1) in the home directory, and those for all users.
const STARTUP_OF_USER: [&str; 8] =
    [".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshenv", ".zprofile", ".zshrc", ".zlogin"];
const STARTUP_OF_ALL: [&str; 5] =
    ["/etc/profile", "/etc/bash.bashrc", "/etc/bashrc", "/etc/zsh/zshenv", "/etc/zsh/zshrc"];

/// The line of a shell's start-up file that calls `ulimit` with this value. Of these files, which are private, no other line is read.
fn shell_line(machine: &Machine, names: &Names, amount: u64) -> Option<Line> {
    let mut files: Vec<PathBuf> = STARTUP_OF_ALL.iter().map(PathBuf::from).collect();
    files.extend(fragments(machine, &["/etc/profile.d".into()], ".sh"));
    if let Some(home) = machine.surroundings().directory("HOME") {
        files.extend(STARTUP_OF_USER.iter().map(|name| home.join(name)));
    }
    files.into_iter().find_map(|file| {
        let lines = machine.lines_with("ulimit", &file).ok()?;
        let line = lines.into_iter().rfind(|line| calls_ulimit(&line.text, names, amount))?;
        Some(Line { file, number: line.number, text: line.text })
    })
}

/// Whether a line of a script has `ulimit … -f 1024` with the value in one of the units that shells count in: bytes come in
/// blocks of 1,024 or 512 (dash, and bash when it is POSIX).
fn calls_ulimit(line: &str, names: &Names, amount: u64) -> bool {
    let Some((_, arguments)) = line.split_once("ulimit ") else { return false };
    if line.starts_with('#') {
        return false;
    }
    let words: Vec<&str> = arguments.split([' ', '\t', ';', '&', '|']).filter(|word| !word.is_empty()).collect();
    let is_flag = |word: &str| word.starts_with('-') && word.ends_with(names.flag);
    let Some(value) = words.iter().position(|word| is_flag(word)).and_then(|at| words.get(at + 1)) else {
        return false;
    };
    let scales: &[u64] = if names.unit == Unit::Bytes { &[1024, 512] } else { &[1] };
    scales.iter().any(|scale| scaled(value, *scale) == Some(amount))
}

fn scaled(value: &str, scale: u64) -> Option<u64> {
    value.parse::<u64>().ok()?.checked_mul(scale)
}

/// `SOFT` or `SOFT:HARD`, in bytes with a binary suffix; `infinity` is no amount. Times with units are not understood.
fn systemd_amount(value: &str, unit: Unit) -> Option<u64> {
    let soft = value.split(':').next()?;
    let shift = match soft.chars().last()? {
        'K' => 10,
        'M' => 20,
        'G' => 30,
        'T' => 40,
        _ => 0,
    };
    if shift == 0 || unit != Unit::Bytes {
        return soft.parse().ok();
    }
    scaled(&soft[..soft.len() - 1], 1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Entry, Identity, Kind, Listing, Record, Stat, Surroundings};
    use crate::text::Bytes;

    const LIMITED: &str = "Max file size             1048576              unlimited            bytes\n";
    const UNLIMITED: &str = "Max file size             unlimited            unlimited            bytes\n";

    fn file(record: &mut Record, path: &str, text: &str) {
        record.put(&format!("read {path}"), &Ok(Bytes(text.into())));
    }

    fn origin_on(record: Record, uid: u32) -> Origin {
        let surroundings = Surroundings {
            identity: Identity { uid, ..Identity::default() },
            env: [("HOME".to_owned(), Bytes(b"/home/ann".to_vec()))].into(),
            ..Surroundings::default()
        };
        origin(&Machine::played(surroundings, record), Resource::FileSize, 1 << 20)
    }

    fn family(record: &mut Record) {
        for (key, stat, limits) in [
            ("self", "40 (explain) S 30 40", LIMITED),
            ("30", "30 (a (b) c) S 20 30", LIMITED),
            ("20", "20 (sshd) S 1 20", UNLIMITED),
        ] {
            file(record, &format!("/proc/{key}/stat"), stat);
            file(record, &format!("/proc/{key}/limits"), limits);
        }
    }

    #[test]
    fn the_oldest_process_with_the_limit_is_named_and_its_parent() {
        let mut record = Record::default();
        family(&mut record);
        let origin = origin_on(record, 1000);
        assert_eq!(origin.first, Some(Process { pid: 30, command: "a (b) c".into() }));
        assert_eq!(origin.above, Some((Process { pid: 20, command: "sshd".into() }, None)));
        assert_eq!(origin.line, None);
    }

    #[test]
    fn a_limit_that_no_parent_has_was_set_by_the_command() {
        let mut record = Record::default();
        file(&mut record, "/proc/self/stat", "40 (explain) S 30 40");
        file(&mut record, "/proc/self/limits", UNLIMITED);
        let origin = origin_on(record, 1000);
        assert_eq!((None, Some(None)), (origin.first, origin.above.map(|(_, limit)| limit)));
    }

    #[test]
    fn a_line_of_limits_conf_counts_for_its_user_alone() {
        for (line, uid, is_named) in [
            ("* soft fsize 1024", 1000, true),
            ("* soft fsize 1024", 0, false),
            ("ann hard fsize 1024", 1000, true),
            ("bob hard fsize 1024", 1000, false),
            ("* soft fsize 2048", 1000, false),
        ] {
            let mut record = Record::default();
            file(&mut record, "/etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n");
            file(&mut record, "/etc/security/limits.conf", line);
            assert_eq!(origin_on(record, uid).line.is_some(), is_named, "{line} for {uid}");
        }
    }

    #[test]
    fn a_start_up_file_that_calls_ulimit_is_named() {
        for (line, is_named) in [
            ("ulimit -f 1024", true),
            ("ulimit -S -f 2048 && true", true),
            ("ulimit -Sf 1024;", true),
            ("ulimit -n 1024", false),
            ("#ulimit -f 1024", false),
        ] {
            let mut record = Record::default();
            let kept = vec![crate::machine::Line { number: 7, text: line.into() }];
            record.put("lines ulimit /home/ann/.zshrc", &Ok(kept));
            assert_eq!(origin_on(record, 1000).line.is_some(), is_named, "{line}");
        }
    }

    #[test]
    fn a_drop_in_of_the_own_service_is_named() {
        let mut record = Record::default();
        file(&mut record, "/proc/self/cgroup", "0::/system.slice/build.service\n");
        let unit = "/etc/systemd/system/build.service";
        let stat = Stat {
            kind: Kind::Regular,
            device: 1,
            inode: 2,
            mode: 0o644,
            links: 1,
            uid: 0,
            gid: 0,
            size: 0,
            occupied: 0,
            modified: 0,
            represents: 0,
        };
        record.put(&format!("stat {unit}"), &Ok(stat));
        let entry = Entry { name: "limits.conf".into(), inode: 1, kind: Some(Kind::Regular) };
        record.put(&format!("list {unit}.d"), &Ok(Listing { entries: vec![entry], cut: false }));
        file(&mut record, &format!("{unit}.d/limits.conf"), "[Service]\nLimitFSIZE=1M:infinity\n");
        let line = origin_on(record, 1000).line.map(|line| line.to_string());
        assert_eq!(line.as_deref(), Some("/etc/systemd/system/build.service.d/limits.conf line 2"));
    }
}
