//! A stack grew to `RLIMIT_STACK` (getrlimit(2)), and the next call of a function ended in SIGSEGV. Mostly the program calls itself without end; with a deep but
//! finite recursion, or large arrays, more stack helps.

use super::exec;
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

/// What a stack may grow to where nobody made it smaller: the kernel's own default, `_STK_LIM` of `include/uapi/linux/resource.h`.
const USUAL: u64 = 8 << 20;

fn suspects(case: &Case) -> Vec<Suspect> {
    let clue = case.clues.iter().position(|clue| leads_with(clue, ID) && !is_of_another_thread(clue));
    let crashed =
        matches!(case.outcome, Outcome::Signaled { signal: libc::SIGSEGV, .. } | Outcome::Exited { code: 139 });
    if clue.is_none() && !crashed {
        return Vec::new();
    }
    let limit = Limited::tightest(case, Resource::StackSize).map_or("-".to_owned(), |limited| limited.soft.to_string());
    vec![Suspect { subject: Subject::Name(limit), clue, touched: true }]
}

/// Rust tells which thread it was: the stack of its main thread is the process's. Other threads, Go, Java, OCaml and JavaScript bound their stacks by
/// themselves, and "stack smashing" is no want of stack.
fn is_of_another_thread(clue: &Clue) -> bool {
    speaks_of_stack(clue) && !(clue.line.contains("thread 'main'") && clue.line.contains("overflowed its stack"))
}

/// Whether the message has the stack in it, and not only that a program was ended by SIGSEGV.
fn speaks_of_stack(clue: &Clue) -> bool {
    clue.line.to_ascii_lowercase().contains("stack")
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(limited) = Limited::tightest(case, Resource::StackSize) else {
        return Verdict::RuledOut("the stack has no limit".into());
    };
    let clue = suspect.clue.map(|index| &case.clues[index]);
    let tells_of_stack = clue.is_some_and(speaks_of_stack);
    match newest_fault(case, clue) {
        Some(Recorded::Fault(fault)) if fault.is_of_stack => by_fault(case, &limited, &fault),
        _ if tells_of_stack => Verdict::Found(Box::new(unrecorded(case, &limited, clue))),
        Some(Recorded::Fault(fault)) => Verdict::RuledOut(format!("the access was not at the stack: {}", fault.line)),
        Some(Recorded::Nothing) if clue.is_some() && limited.soft < USUAL && records_faults(case) => {
            Verdict::Found(Box::new(unable(case, &limited, clue)))
        }
        _ => Verdict::Unknown("nothing says that the fault was at the stack".into()),
    }
}

/// What the kernel's log has of the time of the crash.
enum Recorded {
    /// This.
    Fault(Fault),
    /// Nothing: the program handles SIGSEGV itself, or somebody sent it.
    Nothing,
}

/// A fault as the kernel's log tells it.
struct Fault {
    program: String,
    /// Whether the access was close to the stack's pointer.
    is_of_stack: bool,
    /// Whether a word of the command or of the message is the program's name.
    is_named: bool,
    line: String,
}

/// `so[18808]: segfault at 7ffc4fab1ff8 ip 000055f7fe4f4151 sp 00007ffc4fab2000 error 6 in so[…]` (`arch/x86/mm/fault.c`), where it is of the
/// command; none where the log cannot be read. It is of all processes of the machine: where numbers do not tell whose it is, either its
/// name does, or a message that a program was ended so at that moment.
fn newest_fault(case: &Case, clue: Option<&Clue>) -> Option<Recorded> {
    let log = case.machine.kernel_log(&["segfault at"]).ok().filter(|_| case.mode == Mode::Run)?;
    let recent = log.messages.iter().rev().filter(|message| log.age(message) <= RECENT);
    let mut faults = recent.filter_map(|message| read(case, clue, &message.text));
    let fault = faults.find(|(pid, fault)| is_ours(case, clue, *pid, fault));
    Some(fault.map_or(Recorded::Nothing, |(_, fault)| Recorded::Fault(fault)))
}

fn is_ours(case: &Case, clue: Option<&Clue>, pid: u32, fault: &Fault) -> bool {
    let is_unnamed = || clue.is_some_and(|clue| clue.subject.is_none()) && is_near(case, &fault.program);
    is_younger(case.machine, pid).unwrap_or_else(|| fault.is_named || is_unnamed())
}

/// The process's number, and the fault.
fn read(case: &Case, clue: Option<&Clue>, line: &str) -> Option<(u32, Fault)> {
    let (program, rest) = line.split_once('[')?;
    let after = |word: &str| rest.split_once(word)?.1.split_whitespace().next();
    let (address, pointer) = (hex(after("segfault at ")?)?, hex(after(" sp ")?)?);
    let fault = Fault {
        program: program.to_owned(),
        is_of_stack: address.abs_diff(pointer) <= NEAR && pointer != 0,
        is_named: is_named(case, clue, program),
        line: line.to_owned(),
    };
    Some((rest.split(']').next()?.parse().ok()?, fault))
}

/// Whether a program of this name lies in the working directory or is in `PATH`.
fn is_near(case: &Case, program: &str) -> bool {
    let here = case.surroundings().cwd.join(program);
    case.machine.stat(&here).is_ok() || exec::file_of(case, Path::new(program)).is_some()
}

/// Whether the kernel writes down who is ended by a SIGSEGV that it does not handle.
fn records_faults(case: &Case) -> bool {
    let switch = case.machine.read(Path::new("/proc/sys/debug/exception-trace"));
    switch.is_ok_and(|value| value.lossy().trim() == "1")
}

fn hex(word: &str) -> Option<u64> {
    u64::from_str_radix(word, 16).ok()
}

/// Whether the command's words or the message name the program; its name in the kernel is cut to 15 bytes.
fn is_named(case: &Case, clue: Option<&Clue>, program: &str) -> bool {
    let texts = case.command.iter().map(|word| word.to_string_lossy().into_owned());
    let texts: Vec<String> = texts.chain(clue.and_then(|clue| clue.subject.clone())).collect();
    let mut words = texts.iter().flat_map(|text| text.split_whitespace());
    words.any(|word| Path::new(word).file_name().is_some_and(|name| name.to_string_lossy().starts_with(program)))
}

fn by_fault(case: &Case, limited: &Limited, fault: &Fault) -> Verdict {
    let confidence = if fault.is_named { Confidence::Verified } else { Confidence::Likely };
    let confidence = limited.as_sure_as_seen(confidence);
    let record = Evidence::probe(format!("the access was at the end of the stack: {}", fault.line))
        .check("dmesg | grep segfault | tail -1");
    let mut finding = Finding { confidence, ..of_program(case, limited, &fault.program) };
    finding.evidence.push(record);
    Verdict::Found(Box::new(finding))
}

/// The program says so, and the kernel wrote nothing.
fn unrecorded(case: &Case, limited: &Limited, clue: Option<&Clue>) -> Finding {
    of_program(case, limited, &named(case, clue))
}

/// The program catches SIGSEGV, or the kernel would have written it down, and could not run its handler: that needs stack too.
fn unable(case: &Case, limited: &Limited, clue: Option<&Clue>) -> Finding {
    let usual = limited.resource.shown(USUAL);
    let mut finding = of_program(case, limited, &named(case, clue));
    finding.evidence.push(Evidence::probe(format!("most programs are given {usual} and are made for as much")));
    finding.evidence.push(
        Evidence::probe(
            "the kernel's log has no record of the fault: the program handles SIGSEGV and had no stack left to do so",
        )
        .check("dmesg | grep segfault | tail -1"),
    );
    finding
}

fn named(case: &Case, clue: Option<&Clue>) -> String {
    let program = clue.and_then(|clue| clue.subject.as_deref()).and_then(|path| Path::new(path).file_name());
    program.map_or_else(|| case.program(), |name| name.to_string_lossy().into_owned())
}

fn of_program(case: &Case, limited: &Limited, program: &str) -> Finding {
    let is_run = case.mode == Mode::Run;
    Finding {
        confidence: if is_run { Confidence::Likely } else { Confidence::Possible },
        seen: is_run.then_some(Seen::During),
        headline: format!("the stack of {program} reached its limit of {}", limited.shown()),
        summary: format!(
            "{program} used all {} of stack that it may (RLIMIT_STACK): by calls without end, or because it needs more.",
            limited.shown()
        ),
        evidence: limited.evidence(),
        fixes: fixes(case, limited),
    }
}

/// For this shell alone, unless a line of a file sets it: a larger stack for every login would only hide calls without end.
fn fixes(case: &Case, limited: &Limited) -> Vec<Fix> {
    let more = limited.soft.saturating_mul(8).max(USUAL);
    let allowed = limited.hard.filter(|hard| *hard > limited.soft);
    let mut fixes = limited.fixes(case, Some(allowed.map_or(more, |hard| more.min(hard))));
    fixes.retain(|fix| !fix.lasting || limited.origin.line.is_some());
    fixes
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::{KernelLog, KernelMessage, Kind};

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

    /// make tells that a program was ended so, and not which.
    fn told_by_make(text: &str, limit: u64) -> Stage {
        let mut stage = stage(text, Duration::from_millis(20));
        stage.command = vec!["make".into()];
        stage.outcome = Outcome::Exited { code: 2 };
        stage.surroundings.limits =
            Some(format!("Max stack size            {limit}              unlimited            bytes     \n"));
        stage.file("/proc/sys/debug/exception-trace", "1\n");
        stage.stat("/home/u/deep", Kind::Regular, |_| {});
        says(&mut stage, "make: *** [Makefile:2: all] Segmentation fault");
        stage
    }

    #[test]
    fn a_child_that_was_ended_so_is_likely_where_the_newest_fault_was_at_the_stack() {
        assert_eq!(told_by_make(FAULT, 8 << 20).finding(&CAUSE, "8388608").confidence, Confidence::Likely);
        let elsewhere = FAULT.replace("segfault at 7ffc4fab1ff8", "segfault at 0");
        told_by_make(&elsewhere, 8 << 20).assert_silent(&CAUSE);
    }

    #[test]
    fn a_crash_that_the_kernel_did_not_write_down_is_likely_of_a_stack_that_is_smaller_than_usual() {
        assert_eq!(told_by_make("", 1 << 17).finding(&CAUSE, "131072").confidence, Confidence::Likely);
        told_by_make("", 8 << 20).assert_silent(&CAUSE);
        let mut unwatched = told_by_make("", 1 << 17);
        unwatched.file("/proc/sys/debug/exception-trace", "0\n");
        unwatched.assert_silent(&CAUSE);
    }

    #[test]
    fn what_is_advised_is_more_than_there_is() {
        let mut stage = stage(FAULT, Duration::from_millis(20));
        stage.surroundings.limits =
            Some("Max stack size            131072               131072               bytes     \n".into());
        let fixes = stage.finding(&CAUSE, "131072").fixes;
        assert_eq!(fixes[0].command.as_deref(), Some("sudo prlimit --pid $$ --stack=8388608"));
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
