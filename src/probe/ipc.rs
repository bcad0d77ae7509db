//! System V and POSIX objects for talk between processes, in the own IPC namespace (`ipc_namespaces(7)`): how many there are, and how
//! many are allowed.

use super::sysctl::{number, numbers};
use crate::machine::{Answer, Machine, Unknown};
use std::collections::BTreeMap;
use std::path::Path;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// System V message queues, `msgget(2)`.
    Messages,
    /// System V semaphore sets, `semget(2)`.
    Semaphores,
    /// System V shared memory segments, `shmget(2)`.
    SharedMemory,
    /// POSIX message queues, `mq_open(3)`.
    Queues,
}

/// Every kind.
pub const KINDS: [Kind; 4] = [Kind::Messages, Kind::Semaphores, Kind::SharedMemory, Kind::Queues];

/// One count and its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// What is counted: `message queues`, `pages of shared memory`.
    pub what: &'static str,
    /// How many there are.
    pub used: u64,
    /// How many may be.
    pub allowed: u64,
    /// The kernel parameter that says so.
    pub key: &'static str,
    /// Which of the parameter's numbers it is, from 0.
    pub field: usize,
    /// The largest number that the kernel takes for it, where it bounds it (`IPCMNI`, `include/linux/ipc_namespace.h`).
    pub largest: Option<u64>,
}

impl Count {
    /// Whether no more may be made.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.used >= self.allowed
    }
}

/// Objects of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objects {
    /// All that is limited about them.
    pub counts: Vec<Count>,
    /// How many each user made (`cuid`), most first; empty for POSIX queues.
    pub makers: Vec<(u32, u64)>,
}

impl Kind {
    /// The name by which a report calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "msg",
            Self::Semaphores => "sem",
            Self::SharedMemory => "shm",
            Self::Queues => "mqueue",
        }
    }

    /// The command that lists them.
    #[must_use]
    pub fn listing(self) -> &'static str {
        match self {
            Self::Messages => "ipcs -q -t",
            Self::Semaphores => "ipcs -s -t",
            Self::SharedMemory => "ipcs -m -p",
            Self::Queues => "ls -l /dev/mqueue",
        }
    }
}

/// What there is of a kind, and what may be.
///
/// # Errors
/// Where the list or a limit cannot be read; [`Unknown::Unsupported`] where the kernel's table has another form.
pub fn objects(machine: &Machine, kind: Kind) -> Answer<Objects> {
    match kind {
        Kind::Messages => messages(machine),
        Kind::Semaphores => semaphores(machine),
        Kind::SharedMemory => shared_memory(machine),
        Kind::Queues => queues(machine),
    }
}

/// Identifiers that the kernel has for each kind of System V object, unless it was booted with `ipcmni_extend`.
const IDENTIFIERS: u64 = 32_768;

fn messages(machine: &Machine) -> Answer<Objects> {
    let table = table(machine, "msg")?;
    let counts = vec![Count {
        what: "message queues",
        used: table.rows.len() as u64,
        allowed: number(machine, "kernel.msgmni")?,
        key: "kernel.msgmni",
        field: 0,
        largest: Some(IDENTIFIERS),
    }];
    Ok(Objects { counts, makers: table.makers() })
}

/// `kernel.sem` holds SEMMSL, SEMMNS, SEMOPM and SEMMNI.
fn semaphores(machine: &Machine) -> Answer<Objects> {
    let table = table(machine, "sem")?;
    let limits = numbers(machine, "kernel.sem")?;
    let [_, semaphores, _, sets] = limits[..] else {
        return Err(Unknown::Unsupported("kernel.sem has not four numbers".into()));
    };
    let count = |what, used, allowed, field, largest| Count { what, used, allowed, key: "kernel.sem", field, largest };
    let counts = vec![
        count("semaphore sets", table.rows.len() as u64, sets, 3, Some(IDENTIFIERS)),
        count("semaphores", table.sum("nsems"), semaphores, 1, None),
    ];
    Ok(Objects { counts, makers: table.makers() })
}

/// Bytes of a page; of the machines where it is larger, the count is too high, and only where `kernel.shmall` was lowered.
const PAGE: u64 = 4096;

fn shared_memory(machine: &Machine) -> Answer<Objects> {
    let table = table(machine, "shm")?;
    let count = |what, used, key: &'static str, largest| {
        number(machine, key).map(|allowed| Count { what, used, allowed, key, field: 0, largest })
    };
    let pages = table.sum("size").div_ceil(PAGE);
    let counts = vec![
        count("shared memory segments", table.rows.len() as u64, "kernel.shmmni", Some(IDENTIFIERS))?,
        count("pages of shared memory", pages, "kernel.shmall", None)?,
    ];
    Ok(Objects { counts, makers: table.makers() })
}

/// POSIX queues are the files of a filesystem of type mqueue, mostly at `/dev/mqueue` (`mq_overview(7)`).
fn queues(machine: &Machine) -> Answer<Objects> {
    let mount = machine.mounts().0.iter().rev().find(|mount| mount.fstype == "mqueue");
    let point =
        mount.map(|mount| mount.point.clone()).ok_or_else(|| Unknown::Unsupported("no mqueue is mounted".into()))?;
    let used = machine.list(&point)?.entries.len() as u64;
    let key = "fs.mqueue.queues_max";
    let counts = vec![Count {
        what: "POSIX message queues",
        used,
        allowed: number(machine, key)?,
        key,
        field: 0,
        largest: None,
    }];
    Ok(Objects { counts, makers: Vec::new() })
}

/// A file of `/proc/sysvipc` (`proc_sysvipc(5)`): a line of names and a line for each object.
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<u64>>,
}

fn table(machine: &Machine, name: &str) -> Answer<Table> {
    let bytes = machine.read(&Path::new("/proc/sysvipc").join(name))?;
    let text = bytes.lossy();
    let mut lines = text.lines();
    let names = lines.next().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    // Permissions are written in octal; nobody here adds them up.
    let row = |line: &str| line.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
    Ok(Table { names, rows: lines.map(row).collect() })
}

impl Table {
    fn column(&self, name: &str) -> impl Iterator<Item = u64> + '_ {
        let at = self.names.iter().position(|known| known == name);
        self.rows.iter().filter_map(move |row| row.get(at?).copied())
    }

    fn sum(&self, name: &str) -> u64 {
        self.column(name).fold(0, u64::saturating_add)
    }

    fn makers(&self) -> Vec<(u32, u64)> {
        let mut makers: BTreeMap<u32, u64> = BTreeMap::new();
        for uid in self.column("cuid").filter_map(|uid| u32::try_from(uid).ok()) {
            *makers.entry(uid).or_default() += 1;
        }
        let mut makers: Vec<(u32, u64)> = makers.into_iter().collect();
        makers.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        makers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Record, Surroundings};
    use crate::text::Bytes;

    const SEM: &str = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n\
         7000          0   600          3     0     0  1000     0          0 1795333000\n\
         7001          1   600        100     0     0     0     0          0 1795333000\n\
         7002          2   600          5     0     0     0     0          0 1795333000\n";

    fn machine(files: &[(&str, &str)]) -> Machine {
        let mut record = Record::default();
        for (path, text) in files {
            record.put(&format!("read {path}"), &Ok(Bytes((*text).into())));
        }
        Machine::played(Surroundings::default(), record)
    }

    #[test]
    fn semaphores_are_counted_by_set_and_one_by_one_and_by_maker() {
        let machine = machine(&[("/proc/sysvipc/sem", SEM), ("/proc/sys/kernel/sem", "250\t108\t500\t32000\n")]);
        let objects = objects(&machine, Kind::Semaphores).unwrap();
        let counts: Vec<_> =
            objects.counts.iter().map(|count| (count.used, count.allowed, count.is_reached())).collect();
        assert_eq!(counts, [(3, 32000, false), (108, 108, true)]);
        assert_eq!(objects.makers, [(0, 2), (1000, 1)]);
    }

    #[test]
    fn without_a_mount_of_mqueue_its_queues_are_not_known() {
        assert!(objects(&machine(&[]), Kind::Queues).is_err());
    }

    #[test]
    fn a_limit_of_another_form_is_not_understood() {
        let machine = machine(&[("/proc/sysvipc/sem", SEM), ("/proc/sys/kernel/sem", "250\n")]);
        assert!(matches!(objects(&machine, Kind::Semaphores), Err(Unknown::Unsupported(_))));
    }
}
