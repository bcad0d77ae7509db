//! A stack grew to `RLIMIT_STACK` (getrlimit(2)), and the next call of a function ended in SIGSEGV. Mostly the program calls itself without end; with a deep but
//! finite recursion, or large arrays, more stack helps.

use super::rlimit::Limited;
use super::spoken::leads_with;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::outcome::Outcome;
use crate::probe::limits::Resource;
use crate::probe::namespaces::is_younger;
use std::path::Path;
use std::time::Duration;

const ID: &str = "stack-limit";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/stack-limit.md"), suspects, covers: &[], check };

/// How far from the stack's pointer an access may be that still belongs to it: a function clears its array from the far end.
const NEAR: u64 = 256 << 10;

/// A message of the kernel that is older belongs to another crash.
const RECENT: Duration = Duration::from_secs(5);

fn suspects(case: &Case) -> Vec<Suspect> {
    let clue = case.clues.iter().position(speaks_of_it);
    let crashed =
        matches!(case.outcome, Outcome::Signaled { signal: libc::SIGSEGV, .. } | Outcome::Exited { code: 139 });
    if clue.is_none() && !crashed {
        return Vec::new();
    }
    let limit = Limited::of(case, Resource::StackSize).map_or("-".to_owned(), |limited| limited.soft.to_string());
    vec![Suspect { subject: Subject::Name(limit), clue, touched: true }]
}

/// Rust tells of its main thread's stack, which is the process's. Other threads, Go, Java, OCaml and JavaScript bound their stacks by
/// themselves, and "stack smashing" is no want of stack.
fn speaks_of_it(clue: &Clue) -> bool {
    leads_with(clue, ID) && clue.line.contains("thread 'main'") && clue.line.contains("overflowed its stack")
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(limited) = Limited::of(case, Resource::StackSize) else {
        return Verdict::RuledOut("the stack has no limit".into());
    };
    match (overflow(case), suspect.clue) {
        (Some(fault), _) => Verdict::Found(Box::new(found(case, &limited, Some(fault)))),
        (None, Some(_)) => Verdict::Found(Box::new(found(case, &limited, None))),
        (None, None) => Verdict::Unknown("nothing says that the fault was at the stack".into()),
    }
}

/// A fault as the kernel's log tells it.
struct Fault {
    program: String,
    /// Whether a word of the command is the program's name.
    is_named: bool,
    line: String,
}

/// `so[18808]: segfault at 7ffc4fab1ff8 ip 000055f7fe4f4151 sp 00007ffc4fab2000 error 6 in so[…]` (`arch/x86/mm/fault.c`): an access
/// close to the stack's pointer is the stack's.
fn overflow(case: &Case) -> Option<Fault> {
    let log = case.machine.kernel_log(&["segfault at"]).ok()?;
    let message = log.newest(&["segfault at", " sp "])?;
    if log.age(message) > RECENT || case.mode == Mode::Log {
        return None;
    }
    let (program, rest) = message.text.split_once('[')?;
    let after = |word: &str| rest.split_once(word)?.1.split_whitespace().next();
    let (address, pointer) = (hex(after("segfault at ")?)?, hex(after(" sp ")?)?);
    let is_of_stack = address.abs_diff(pointer) <= NEAR && pointer != 0;
    let is_named = is_named(case, program);
    let is_ours = is_younger(case.machine, rest.split(']').next()?.parse().ok()?).unwrap_or(is_named);
    (is_of_stack && is_ours).then(|| Fault { program: program.to_owned(), is_named, line: message.text.clone() })
}

fn hex(word: &str) -> Option<u64> {
    u64::from_str_radix(word, 16).ok()
}

/// Whether the command's words name the program: the kernel's log is of all processes of the machine.
fn is_named(case: &Case, program: &str) -> bool {
    let words = case
        .command
        .iter()
        .flat_map(|word| word.to_string_lossy().split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    words
        .into_iter()
        .any(|word| Path::new(&word).file_name().is_some_and(|name| name.to_string_lossy().starts_with(program)))
}

fn found(case: &Case, limited: &Limited, fault: Option<Fault>) -> Finding {
    let is_sure = fault.as_ref().is_some_and(|fault| fault.is_named);
    let program = fault.as_ref().map_or_else(|| case.program(), |fault| fault.program.clone());
    let mut evidence = limited.evidence();
    evidence.extend(fault.map(|fault| {
        Evidence::probe(format!("the access was at the end of the stack: {}", fault.line))
            .check("dmesg | grep segfault | tail -1")
    }));
    let is_run = case.mode == Mode::Run;
    Finding {
        confidence: match (is_sure, is_run) {
            (true, _) => Confidence::Verified,
            (false, true) => Confidence::Likely,
            (false, false) => Confidence::Possible,
        },
        seen: is_run.then_some(Seen::During),
        headline: format!("the stack of {program} reached its limit of {}", limited.shown()),
        summary: format!(
            "{program} used all {} of stack that it may (RLIMIT_STACK): by calls without end, or because it needs more.",
            limited.shown()
        ),
        evidence,
        fixes: fixes(case, limited),
    }
}

/// For this shell alone, unless a line of a file sets it: a larger stack for every login would only hide calls without end.
fn fixes(case: &Case, limited: &Limited) -> Vec<Fix> {
    let mut fixes = limited.fixes(case, Some(limited.hard.unwrap_or(limited.soft.saturating_mul(8))));
    fixes.retain(|fix| !fix.lasting || limited.origin.line.is_some());
    fixes
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::{KernelLog, KernelMessage};

    const FAULT: &str = "deep[18808]: segfault at 7ffc4fab1ff8 ip 000055f7fe4f4151 sp 00007ffc4fab2000 error 6 in deep[1151,55f7fe4f4000+1000]";

    fn stage(text: &str, age: Duration) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.surroundings.limits =
            Some("Max stack size            8388608              unlimited            bytes     \n".into());
        stage.command = vec!["./deep".into()];
        stage.outcome = Outcome::Signaled { signal: libc::SIGSEGV, name: "SIGSEGV".into() };
        let now_us = 100_000_000;
        let at_us = now_us - u64::try_from(age.as_micros()).unwrap();
        let messages = vec![KernelMessage { at_us, level: 6, text: text.into() }];
        stage.knows("kernel-log segfault at", Ok(KernelLog { now_us, messages }));
        stage
    }

    #[test]
    fn a_fault_at_the_end_of_the_stack_is_verified() {
        let finding = stage(FAULT, Duration::from_millis(20)).finding(&CAUSE, "8388608");
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Verified, "the stack of deep reached its limit of 8.0 MiB")
        );
        assert_eq!(finding.fixes[0].command.as_deref(), Some("ulimit -S -s 65536"));
    }

    /// A machine outside of containers, where the command was started by this process.
    fn started_by(stage: &mut Stage, pid: u32) {
        stage.target("/proc/self/ns/pid", "pid:[4026531836]");
        stage.file("/proc/self/stat", &format!("{pid} (explain) S 1 1"));
    }

    #[test]
    fn a_fault_from_before_the_command_is_silence() {
        let mut stage = stage(FAULT, Duration::from_millis(900));
        started_by(&mut stage, 18_900);
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn the_fault_of_a_stranger_in_a_container_is_silence() {
        let mut stage = stage(FAULT, Duration::from_millis(20));
        stage.command = vec!["make".into()];
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn the_fault_of_a_program_that_nobody_named_is_likely() {
        let mut stage = stage(FAULT, Duration::from_millis(20));
        started_by(&mut stage, 18_700);
        stage.command = vec!["make".into()];
        stage.outcome = Outcome::Exited { code: 139 };
        assert_eq!(stage.finding(&CAUSE, "8388608").confidence, Confidence::Likely);
    }

    #[test]
    fn a_program_that_says_so_is_likely() {
        let mut stage = stage(FAULT, Duration::from_secs(60));
        stage.outcome = Outcome::Signaled { signal: libc::SIGABRT, name: "SIGABRT".into() };
        says(&mut stage, "thread 'main' has overflowed its stack");
        assert_eq!(stage.finding(&CAUSE, "8388608").confidence, Confidence::Likely);
    }

    fn says(stage: &mut Stage, line: &str) {
        stage.add(|clue| (clue.suspects, clue.line) = (vec![ID.into()], line.into()));
    }

    #[test]
    fn stacks_that_programs_bound_by_themselves_are_silence() {
        for line in [
            "thread 'tests::deep' has overflowed its stack",
            "RangeError: Maximum call stack size exceeded",
            "*** stack smashing detected ***: terminated",
            "fatal error: stack overflow",
        ] {
            let mut stage = stage(FAULT, Duration::from_secs(60));
            stage.outcome = Outcome::Exited { code: 1 };
            says(&mut stage, line);
            stage.assert_silent(&CAUSE);
        }
    }

    #[test]
    fn a_fault_elsewhere_is_silence() {
        let elsewhere = FAULT.replace("segfault at 7ffc4fab1ff8", "segfault at 0");
        stage(&elsewhere, Duration::from_millis(20)).assert_silent(&CAUSE);
    }

    #[test]
    fn an_old_message_is_of_another_crash() {
        stage(FAULT, Duration::from_secs(60)).assert_silent(&CAUSE);
    }

    #[test]
    fn a_stack_without_a_limit_is_silence() {
        let mut stage = stage(FAULT, Duration::from_millis(20));
        stage.surroundings.limits =
            Some("Max stack size            unlimited            unlimited            bytes     \n".into());
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn an_ordinary_failure_is_silence() {
        let mut stage = stage(FAULT, Duration::from_millis(20));
        stage.outcome = Outcome::Exited { code: 1 };
        stage.assert_silent(&CAUSE);
    }
}
