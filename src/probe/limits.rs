//! Resource limits of a process, getrlimit(2): what they are called in each place that shows or sets them, and their values.

use crate::text::size;

/// A resource that the kernel limits for each process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of getrlimit(2)")]
pub enum Resource {
    AddressSpace,
    CpuTime,
    DataSize,
    FileSize,
    LockedMemory,
    OpenFiles,
    Processes,
    StackSize,
}

/// What a resource is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Things.
    Count,
}

/// What a resource is called.
pub struct Names {
    /// In C, getrlimit(2).
    pub constant: &'static str,
    /// At the start of its line in `/proc/PID/limits`.
    pub proc: &'static str,
    /// The option of the shell's `ulimit`, bash(1).
    pub flag: char,
    /// The option of prlimit(1).
    pub prlimit: &'static str,
    /// The item of limits.conf(5).
    pub item: &'static str,
    /// How many bytes, seconds or things one of limits.conf(5) is.
    pub item_scale: u64,
    /// The directive of systemd.exec(5), which is counted in bytes, seconds or things.
    pub directive: &'static str,
    /// What it counts.
    pub unit: Unit,
}

impl Resource {
    /// What it is called, and counted in.
    #[must_use]
    pub fn names(self) -> &'static Names {
        match self {
            Self::AddressSpace => &ADDRESS_SPACE,
            Self::CpuTime => &CPU_TIME,
            Self::DataSize => &DATA_SIZE,
            Self::FileSize => &FILE_SIZE,
            Self::LockedMemory => &LOCKED_MEMORY,
            Self::OpenFiles => &OPEN_FILES,
            Self::Processes => &PROCESSES,
            Self::StackSize => &STACK_SIZE,
        }
    }

    /// An amount of it as a person reads it.
    #[must_use]
    pub fn shown(self, amount: u64) -> String {
        match self.names().unit {
            Unit::Bytes => size(amount),
            Unit::Seconds => format!("{amount} s"),
            Unit::Count => crate::text::grouped(amount),
        }
    }
}

const ADDRESS_SPACE: Names = Names {
    constant: "RLIMIT_AS",
    proc: "Max address space",
    flag: 'v',
    prlimit: "as",
    item: "as",
    item_scale: 1024,
    directive: "LimitAS",
    unit: Unit::Bytes,
};
const CPU_TIME: Names = Names {
    constant: "RLIMIT_CPU",
    proc: "Max cpu time",
    flag: 't',
    prlimit: "cpu",
    item: "cpu",
    item_scale: 60,
    directive: "LimitCPU",
    unit: Unit::Seconds,
};
const DATA_SIZE: Names = Names {
    constant: "RLIMIT_DATA",
    proc: "Max data size",
    flag: 'd',
    prlimit: "data",
    item: "data",
    item_scale: 1024,
    directive: "LimitDATA",
    unit: Unit::Bytes,
};
const FILE_SIZE: Names = Names {
    constant: "RLIMIT_FSIZE",
    proc: "Max file size",
    flag: 'f',
    prlimit: "fsize",
    item: "fsize",
    item_scale: 1024,
    directive: "LimitFSIZE",
    unit: Unit::Bytes,
};
const LOCKED_MEMORY: Names = Names {
    constant: "RLIMIT_MEMLOCK",
    proc: "Max locked memory",
    flag: 'l',
    prlimit: "memlock",
    item: "memlock",
    item_scale: 1024,
    directive: "LimitMEMLOCK",
    unit: Unit::Bytes,
};
const OPEN_FILES: Names = Names {
    constant: "RLIMIT_NOFILE",
    proc: "Max open files",
    flag: 'n',
    prlimit: "nofile",
    item: "nofile",
    item_scale: 1,
    directive: "LimitNOFILE",
    unit: Unit::Count,
};
const PROCESSES: Names = Names {
    constant: "RLIMIT_NPROC",
    proc: "Max processes",
    flag: 'u',
    prlimit: "nproc",
    item: "nproc",
    item_scale: 1,
    directive: "LimitNPROC",
    unit: Unit::Count,
};
const STACK_SIZE: Names = Names {
    constant: "RLIMIT_STACK",
    proc: "Max stack size",
    flag: 's',
    prlimit: "stack",
    item: "stack",
    item_scale: 1024,
    directive: "LimitSTACK",
    unit: Unit::Bytes,
};

/// A soft and a hard limit; none stands for unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What the kernel enforces.
    pub soft: Option<u64>,
    /// How far the process may raise it by itself.
    pub hard: Option<u64>,
}

/// The limit of a resource in the text of a `/proc/PID/limits`; none where the text does not have it.
#[must_use]
pub fn limit(text: &str, resource: Resource) -> Option<Limit> {
    let values = text.lines().find_map(|line| line.strip_prefix(resource.names().proc))?;
    let mut values = values.split_whitespace();
    Some(Limit { soft: amount(values.next()?)?, hard: amount(values.next()?)? })
}

/// The soft limit that a script sets, in seconds, bytes or things: `ulimit -s 256`, `ulimit -S -t 1`. The last one counts; none where the shells do not
/// agree on the unit, as dash and bash do not on that of files.
#[must_use]
pub fn set_by_script(script: &str, resource: Resource) -> Option<u64> {
    let names = resource.names();
    let scale = match (resource, names.unit) {
        (Resource::FileSize, _) => return None,
        (_, Unit::Bytes) => 1024,
        (_, Unit::Seconds | Unit::Count) => 1,
    };
    let calls = script.match_indices("ulimit ").map(|(at, word)| &script[at + word.len()..]);
    let amounts = calls.filter_map(|call| {
        let call = call.split([';', '&', '|', '\n', ')', '\'', '"']).next()?;
        let words: Vec<&str> = call.split_whitespace().collect();
        let is_flag = |word: &&str| word.starts_with('-') && word.ends_with(names.flag) && !word.starts_with("-H");
        let flag = words.iter().position(is_flag)?;
        words.get(flag + 1)?.parse::<u64>().ok()?.checked_mul(scale)
    });
    amounts.last()
}

/// `unlimited` or a number; none where it is neither.
#[expect(clippy::option_option, reason = "not understood and unlimited are two things")]
fn amount(word: &str) -> Option<Option<u64>> {
    if word == "unlimited" { Some(None) } else { word.parse().ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
        Max cpu time              unlimited            unlimited            seconds   \n\
        Max file size             1048576              unlimited            bytes     \n\
        Max open files            1024                 524288               files     \n";

    #[test]
    fn a_limit_has_a_soft_and_a_hard_value() {
        assert_eq!(limit(TEXT, Resource::FileSize), Some(Limit { soft: Some(1 << 20), hard: None }));
        assert_eq!(limit(TEXT, Resource::OpenFiles), Some(Limit { soft: Some(1024), hard: Some(524_288) }));
        assert_eq!(limit(TEXT, Resource::CpuTime), Some(Limit { soft: None, hard: None }));
    }

    #[test]
    fn what_a_script_sets_is_read_in_the_unit_of_shells() {
        let set = |script: &str, resource| set_by_script(script, resource);
        assert_eq!(set("s:\n\tulimit -s 256; ./deep", Resource::StackSize), Some(256 << 10));
        assert_eq!(set("(ulimit -S -t 1; ./spin)", Resource::CpuTime), Some(1));
        assert_eq!(set("ulimit -n 20 && ulimit -Sn 30", Resource::OpenFiles), Some(30));
        for script in ["ulimit -Hn 20", "ulimit -n $N", "ulimit -s unlimited", "ulimit -a"] {
            assert_eq!(set(script, Resource::OpenFiles), None, "{script}");
        }
        assert_eq!(set("ulimit -f 10", Resource::FileSize), None);
    }

    #[test]
    fn a_limit_that_the_text_lacks_or_garbles_is_not_known() {
        assert_eq!(limit(TEXT, Resource::StackSize), None);
        assert_eq!(limit("Max stack size            many   few   bytes", Resource::StackSize), None);
    }
}
