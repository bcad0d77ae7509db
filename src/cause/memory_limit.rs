//! `mmap(2)`, `brk(2)` and `fork(2)` answer ENOMEM with memory left: the process may not have more address space (`RLIMIT_AS`, `RLIMIT_DATA`), or the
//! kernel promises no more than it can keep (`vm.overcommit_memory` 2).

use super::rlimit::{Limited, usages};
use super::room::elapsed;
use super::spoken::{leads_with, tells_no_reason};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, sysctl};
use crate::clue::{Clue, Operation};
use crate::probe::limits::Resource;
use crate::probe::memory::{Memory, of_machine};
use crate::probe::sysctl::number;
use crate::sys::errno::Errno;
use crate::text::size;

const ID: &str = "memory-limit";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/memory-limit.md"), suspects, covers: &[], check };

const OVERCOMMIT: &str = "vm.overcommit_memory";

/// Promised memory above this part of the limit, in hundredths, leaves no room for a program; the command's own is given back by then.
const PROMISED: u64 = 90;

/// Part of a limit, in hundredths, beyond which the next allocation of a growing program is refused.
const FULL: u64 = 94;

/// What the loader says of every reason for which `mmap(2)` fails, often without its errno (glibc 2.36, `elf/dl-load.c`).
const NOT_MAPPED: &str = "failed to map segment from shared object";

fn suspects(case: &Case) -> Vec<Suspect> {
    let told: Vec<usize> =
        case.clues.iter().enumerate().filter(|(_, clue)| speaks_of_it(clue)).map(|(index, _)| index).collect();
    let mut clues: Vec<Option<usize>> = told.into_iter().map(Some).collect();
    if clues.is_empty() && is_used_up_without_a_word(case) {
        clues.push(None);
    }
    if clues.is_empty() {
        return Vec::new();
    }
    let subject = Subject::Name(binding(case).map_or("-".to_owned(), |binding| binding.amount().to_string()));
    clues.into_iter().map(|clue| Suspect { subject: subject.clone(), clue, touched: true }).collect()
}

/// Whether a process had nearly all the memory that it may when the command failed of something that it does not tell.
fn is_used_up_without_a_word(case: &Case) -> bool {
    let is_full = |limited: Limited| used(case, &limited) >= limited.soft / 100 * FULL;
    let limits = [Resource::AddressSpace, Resource::DataSize];
    limits.into_iter().filter_map(|resource| Limited::tightest(case, resource)).any(is_full) && tells_no_reason(case)
}

/// What the command's largest process had of a limited kind of memory.
fn used(case: &Case, limited: &Limited) -> u64 {
    let used = usages(case).map(|usage| if limited.resource == Resource::DataSize { usage.data } else { usage.size });
    used.max().unwrap_or(0)
}

/// ENOMEM of a call that takes memory, or the words of a program that has no errno.
fn speaks_of_it(clue: &Clue) -> bool {
    let takes = matches!(
        clue.operation,
        None | Some(Operation::Memory | Operation::Fork | Operation::Execute | Operation::Read)
    );
    match clue.errno {
        Some(Errno::ENOMEM) => takes,
        Some(_) => false,
        None => leads_with(clue, ID) || clue.suspects(ID) && clue.line.contains(NOT_MAPPED),
    }
}

/// What bounds the memory of the command.
enum Binding {
    /// A limit of the process.
    Process(Box<Limited>),
    /// The promises of the kernel.
    Promises(Memory),
}

impl Binding {
    fn amount(&self) -> u64 {
        match self {
            Self::Process(limited) => limited.soft,
            Self::Promises(memory) => memory.commit_limit,
        }
    }
}

fn binding(case: &Case) -> Option<Binding> {
    let limited = [Resource::AddressSpace, Resource::DataSize]
        .into_iter()
        .filter_map(|resource| Limited::tightest(case, resource));
    if let Some(limited) = limited.min_by_key(|limited| limited.soft) {
        return Some(Binding::Process(Box::new(limited)));
    }
    if number(case.machine, OVERCOMMIT) != Ok(2) {
        return None;
    }
    of_machine(case.machine).ok().map(Binding::Promises)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let memory = of_machine(case.machine).ok();
    match binding(case) {
        Some(Binding::Process(limited)) => {
            let is_proven =
                suspect.clue.is_some_and(|index| is_refused_by(case, &limited, &case.clues[index], memory.as_ref()));
            Verdict::Found(Box::new(of_process(case, &limited, memory, is_proven)))
        }
        Some(Binding::Promises(memory)) => of_promises(case, &memory),
        None if case.mode == Mode::Log => Verdict::Found(Box::new(said())),
        None => Verdict::RuledOut(match memory {
            Some(memory) => format!(
                "no limit on address space, and {} of {} is available",
                size(memory.available),
                size(memory.total)
            ),
            None => "no limit on address space".into(),
        }),
    }
}

/// Whether it was the kernel that refused, and this limit for which: it said so by ENOMEM, or what was in use and what was asked for
/// are more than the limit. A program's own words may mean its own bounds, or a length that nobody could have.
fn is_refused_by(case: &Case, limited: &Limited, clue: &Clue, memory: Option<&Memory>) -> bool {
    let used = used(case, limited);
    let is_nearly_used_up = used >= limited.soft / 4 * 3;
    let is_there = |asked: &u64| memory.is_none_or(|memory| *asked <= memory.available);
    let is_too_much = asked(&clue.line).filter(is_there).is_some_and(|asked| asked.saturating_add(used) > limited.soft);
    is_said_by_kernel(clue) || is_nearly_used_up || is_too_much
}

/// Words by which programs speak of memory themselves.
const OWN_WORDS: &[&str] = &[
    "memoryerror",
    "bad_alloc",
    "exhausted",
    "out of memory",
    "enough memory",
    "insufficient memory",
    "failed to allocate",
];

/// Whether a message has the kernel's errno in its own words, and not only the errno that a rule takes it for.
fn is_said_by_kernel(clue: &Clue) -> bool {
    let line = clue.line.to_lowercase();
    let is_own = OWN_WORDS.iter().any(|word| line.contains(word)) && !line.contains("cannot allocate memory");
    clue.errno == Some(Errno::ENOMEM) && !is_own
}

/// How many bytes a message says were asked for: `cannot allocate 15904768 bytes`.
fn asked(line: &str) -> Option<u64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let of_bytes = words.windows(2).filter(|pair| pair[1].starts_with("bytes"));
    of_bytes.filter_map(|pair| pair[0].trim_start_matches('(').parse().ok()).max()
}

/// The machine has more than the process may have: then the limit is what refused it.
fn of_process(case: &Case, limited: &Limited, memory: Option<Memory>, is_proven: bool) -> Finding {
    let names = limited.resource.names();
    let has_more = memory.is_none_or(|memory| memory.available.saturating_add(memory.swap_free) > limited.soft);
    let mut evidence = limited.evidence();
    evidence.extend(largest(case));
    evidence.extend(memory.map(|memory| {
        Evidence::probe(format!("the machine has {} of {} available", size(memory.available), size(memory.total)))
            .check("free -h")
    }));
    let confidence = if has_more && is_proven { Confidence::Verified } else { Confidence::Likely };
    Finding {
        confidence: limited.as_sure_as_seen(confidence),
        seen: Some(Seen::Now),
        headline: format!("the limit of {} on {} was reached", limited.shown(), names.proc.trim_start_matches("Max ")),
        summary: format!(
            "The command was refused memory: a process of it may have {} ({}).",
            limited.shown(),
            names.constant
        ),
        evidence,
        fixes: limited.fixes(case, None),
    }
}

fn largest(case: &Case) -> Option<Evidence> {
    let sample = case.watched.family.as_ref()?;
    let usage = usages(case).max_by_key(|usage| usage.size)?;
    let at = elapsed(sample.moment.at_ms);
    Some(Evidence::sample(format!(
        "{} (pid {}) had {} of it {at} after the start",
        usage.command,
        usage.pid,
        size(usage.size)
    )))
}

fn of_promises(case: &Case, memory: &Memory) -> Verdict {
    let promised = memory.committed.saturating_mul(100) / memory.commit_limit.max(1);
    let state = format!("{} of {} are promised", size(memory.committed), size(memory.commit_limit));
    let mut evidence = vec![
        Evidence::probe(format!("{OVERCOMMIT} is 2: the kernel promises no more than it can keep"))
            .check("cat /proc/sys/vm/overcommit_memory"),
        Evidence::probe(format!("{state} now")).check("grep Commit /proc/meminfo"),
    ];
    evidence.extend(sysctl::origin(case, OVERCOMMIT));
    let mut fixes = sysctl::fixes(case, OVERCOMMIT, "0");
    fixes.push(Fix::lasting("or add swap, or raise vm.overcommit_ratio: both raise the limit"));
    Verdict::Found(Box::new(Finding {
        confidence: if promised >= PROMISED { Confidence::Verified } else { Confidence::Likely },
        seen: Some(Seen::Now),
        headline: format!("the kernel promises no more than {} of memory", size(memory.commit_limit)),
        summary: format!("The command was refused memory under strict accounting (overcommit_memory 2): {state}."),
        evidence,
        fixes,
    }))
}

fn said() -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: "a limit on memory was reached".into(),
        summary: "The output says that memory was refused; here there is no limit on it.".into(),
        evidence: Vec::new(),
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::sys::family::Family;
    use crate::sys::family::Usage;
    use crate::watch::{FamilySample, Moment};

    fn stage(address_space: &str, available_mib: u64) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.surroundings.limits = Some(limits(address_space));
        meminfo(&mut stage, available_mib, 100);
        stage.file("/proc/sys/vm/overcommit_memory", "0\n");
        stage
    }

    fn limits(address_space: &str) -> String {
        format!(
            "Max data size             unlimited            unlimited            bytes     \nMax address space         {address_space}            unlimited            bytes     \n"
        )
    }

    fn meminfo(stage: &mut Stage, available_mib: u64, committed_mib: u64) {
        let line = |name: &str, mib: u64| format!("{name}: {} kB\n", mib << 10);
        let text = [
            line("MemTotal", 16_000),
            line("MemAvailable", available_mib),
            line("SwapFree", 0),
            line("CommitLimit", 8000),
            line("Committed_AS", committed_mib),
        ];
        stage.file("/proc/meminfo", &text.concat());
    }

    #[test]
    fn an_address_space_smaller_than_what_the_machine_has_is_verified() {
        let finding = stage("536870912", 9000).clue(Errno::ENOMEM, Operation::Memory, "").finding(&CAUSE, "536870912");
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Verified, "the limit of 512.0 MiB on address space was reached")
        );
        assert_eq!(finding.fixes[0].command.as_deref(), Some("ulimit -S -v unlimited"));
    }

    #[test]
    fn a_machine_that_has_no_more_either_makes_it_likely() {
        assert_eq!(
            stage("536870912", 100).clue(Errno::ENOMEM, Operation::Memory, "").finding(&CAUSE, "536870912").confidence,
            Confidence::Likely
        );
    }

    #[test]
    fn a_program_without_an_errno_is_understood() {
        let mut stage = stage("536870912", 9000);
        stage.add(|clue| {
            clue.suspects = vec![ID.into(), "out-of-memory".into()];
            clue.line = "dd: memory exhausted by input buffer of size 1073741824 bytes (1.0 GiB)".into();
        });
        assert_eq!(stage.finding(&CAUSE, "536870912").confidence, Confidence::Verified);
    }

    #[test]
    fn a_program_s_own_words_prove_no_limit_that_was_hardly_used() {
        for line in ["MemoryError", "dd: memory exhausted by input buffer of size 4611686018427387904 bytes"] {
            let mut stage = stage("536870912", 9000);
            stage.add(|clue| {
                (clue.errno, clue.suspects) = (Some(Errno::ENOMEM), vec![ID.into()]);
                clue.line = line.into();
            });
            assert_eq!(stage.finding(&CAUSE, "536870912").confidence, Confidence::Likely, "{line}");
        }
    }

    #[test]
    fn the_own_limit_of_a_process_below_counts() {
        let mut stage = stage("unlimited", 9000);
        let memory =
            Some(Usage { command: "java".into(), limits: limits("1048576"), size: 1_040_000, ..Usage::default() });
        let family = Family { memory, ..Family::default() };
        stage.watched.family =
            Some(FamilySample { moment: Moment { at_ms: 9, said: None }, family, groups: Vec::new() });
        assert_eq!(
            stage.clue(Errno::ENOMEM, Operation::Memory, "").finding(&CAUSE, "1048576").confidence,
            Confidence::Verified
        );
    }

    #[test]
    fn strict_accounting_with_everything_promised_is_verified() {
        let mut stage = stage("unlimited", 9000);
        meminfo(&mut stage, 9000, 7900);
        stage.file("/proc/sys/vm/overcommit_memory", "2\n").clue(Errno::ENOMEM, Operation::Fork, "");
        let finding = stage.finding(&CAUSE, &(8000_u64 << 20).to_string());
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo sysctl -w vm.overcommit_memory=0"));
    }

    #[test]
    fn no_limit_is_silence() {
        stage("unlimited", 9000).clue(Errno::ENOMEM, Operation::Memory, "").assert_silent(&CAUSE);
    }

    #[test]
    fn another_failure_under_a_limit_is_silence() {
        stage("536870912", 9000).clue(Errno::ENOENT, Operation::Read, "/x").vague().assert_silent(&CAUSE);
    }

    #[test]
    fn too_many_processes_are_not_about_memory() {
        let mut stage = stage("536870912", 9000);
        stage.clue(Errno::EAGAIN, Operation::Fork, "").clues[0].suspects = vec!["process-limit".into(), ID.into()];
        stage.assert_silent(&CAUSE);
    }
}
