//! The program uses instructions that this processor lacks, and SIGILL ends it. Programs also stop themselves by an instruction that no
//! processor has; the kernel's log and the bytes at that place tell the two apart.

use super::exec::{self, verified};
use super::{Case, Cause, Confidence, Evidence, EvidenceKind, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::machine::{Elf, Executable, KernelMessage};
use crate::outcome::Outcome;
use crate::probe::programs::{Instruction, features, instruction, level_needed, libraries, missing_features};
use crate::text::shell_word;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ID: &str = "unsupported-cpu";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/unsupported-cpu.md"), suspects, covers: &[], check };

/// What the kernel writes when it sends SIGILL on x86, `arch/x86/kernel/traps.c`.
const TRAP: &str = "trap invalid opcode";
/// The kernel writes at the moment of the signal; what is older is of another run.
const RECENT: Duration = Duration::from_secs(120);
/// The same where only names tell whose it is.
const JUST_NOW: Duration = Duration::from_secs(10);

fn suspects(case: &Case) -> Vec<Suspect> {
    let is_illegal =
        matches!(case.outcome, Outcome::Signaled { signal: libc::SIGILL, .. } | Outcome::Exited { code: 132 });
    let said = case.clues.iter().position(|clue| clue.suspects(ID));
    if !is_illegal && said.is_none() {
        return Vec::new();
    }
    let named = said.and_then(|index| case.clues[index].path.clone());
    let program = named.or_else(|| case.command.first().map(PathBuf::from));
    let file = program.as_deref().and_then(|program| exec::file_of(case, program));
    let stopped = started_and_stopped(case, file.as_deref());
    let subject = stopped.or(file).map_or_else(|| Subject::Name("-".into()), Subject::Path);
    vec![Suspect { subject, clue: said, touched: true }]
}

/// The file in which the kernel stopped a process, where that is not the command's own program: what starts it only tells that it ended so,
/// and what loads it dies of it.
fn started_and_stopped(case: &Case, program: Option<&Path>) -> Option<PathBuf> {
    let stops = stops(case);
    let name = program.and_then(Path::file_name).map(|name| name.to_string_lossy());
    let is_itself = matches!(case.outcome, Outcome::Signaled { .. });
    let is_own = |stop: &&Stop| is_itself && name.as_ref().is_some_and(|name| name.starts_with(&stop.process));
    let own = stops.iter().find(is_own);
    let Some(own) = own else { return stops.iter().find_map(|stop| file_named(case, &stop.object)) };
    let objects = objects(case, program?);
    let is_own = objects.iter().any(|(file, _)| file.file_name().is_some_and(|name| *name == *own.object));
    if is_own { None } else { file_named(case, &own.object) }
}

/// Who was stopped, and in which file, by their names.
struct Stop {
    process: String,
    object: String,
}

/// The recent stops of all processes of the machine, the newest first.
fn stops(case: &Case) -> Vec<Stop> {
    let Some(log) = case.machine.kernel_log(&[TRAP]).ok().filter(|_| case.mode == Mode::Run) else { return Vec::new() };
    let recent = log.messages.iter().rev().filter(|message| log.age(message) < JUST_NOW);
    let stop = |text: &str| {
        let process = text.strip_prefix("traps: ").unwrap_or(text).split('[').next()?.to_owned();
        let (object, _) = text.rsplit_once(" in ")?.1.split_once('[')?;
        Some(Stop { process, object: object.to_owned() })
    };
    recent.filter_map(|message| stop(&message.text)).collect()
}

/// A file of this name that a word of the command has, or that lies in the working directory.
fn file_named(case: &Case, name: &str) -> Option<PathBuf> {
    let texts: Vec<_> = case.command.iter().skip(1).map(|word| word.to_string_lossy()).collect();
    let words = texts.iter().flat_map(|text| text.split([' ', '\n', '"', '\'', '(', ')', ',', '=']));
    let named = words.map(Path::new).find(|word| word.file_name().is_some_and(|file| *file == *name));
    let file = case.surroundings().cwd.join(named.unwrap_or(Path::new(name)));
    Some(file.components().collect()).filter(|file: &PathBuf| case.machine.stat(file).is_ok())
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let clue = suspect.clue.map(|index| &case.clues[index]);
    if case.mode == Mode::Log {
        return clue.map_or_else(
            || Verdict::Unknown("the output does not say so".into()),
            |clue| Verdict::Found(Box::new(said(clue))),
        );
    }
    let objects = suspect.subject.path().map(|program| objects(case, program)).unwrap_or_default();
    match trap(case, &objects) {
        Some((trap, Instruction::Stop)) => Verdict::RuledOut(format!("{} stopped itself by ud2", trap.object)),
        Some((trap, Instruction::Extension(names))) => by_instruction(case, &trap, names),
        _ => by_level(case, &objects),
    }
}

/// The program, what interprets it, and their libraries.
fn objects(case: &Case, program: &Path) -> Vec<(PathBuf, Elf)> {
    let mut file = program.to_owned();
    for _ in 0..5 {
        let Some(real) = case.resolve(&file).map(|resolved| resolved.existing) else { return Vec::new() };
        match case.machine.executable(&real) {
            Ok(Executable::Elf(elf)) => return libraries(case.machine, &real, &elf).loaded,
            Ok(Executable::Script { line, .. }) => match exec::interpreter(case, &line.0) {
                Some(next) => file = next,
                None => return Vec::new(),
            },
            _ => return Vec::new(),
        }
    }
    Vec::new()
}

/// What the kernel wrote of a stop.
struct Trap {
    /// The process, as `comm` names it.
    process: String,
    /// The file's name in which it was, without directory.
    object: String,
    /// The file, where it is one of the program's.
    file: Option<PathBuf>,
    /// The kernel's words.
    text: String,
}

/// The newest stop of one of these objects, and the instruction there.
fn trap(case: &Case, objects: &[(PathBuf, Elf)]) -> Option<(Trap, Instruction)> {
    let log = case.machine.kernel_log(&[TRAP]).ok()?;
    let recent = log.messages.iter().rev().filter(|message| log.age(message) < RECENT);
    recent.into_iter().find_map(|message| at(case, objects, message))
}

/// `traps: PROCESS[PID] trap invalid opcode ip:IP sp:SP error:0 in OBJECT[OFFSET,START+SIZE]`; before Linux 6.9 without the offset.
fn at(case: &Case, objects: &[(PathBuf, Elf)], message: &KernelMessage) -> Option<(Trap, Instruction)> {
    let text = message.text.strip_prefix("traps: ").unwrap_or(&message.text);
    let process = text.split('[').next()?.to_owned();
    let address = hex(text.split_once(" ip:")?.1.split(' ').next()?)?;
    let (object, place) = text.rsplit_once(" in ")?.1.strip_suffix(']')?.rsplit_once('[')?;
    let (file, elf) = objects.iter().find(|(file, _)| file.file_name().is_some_and(|name| name == object))?;
    let offset = match place.split_once(',') {
        Some((offset, _)) => hex(offset)?,
        None => address.checked_sub(hex(place.split('+').next()?)?)?.checked_add(elf.code_offset?)?,
    };
    let code = case.machine.code(file, offset).ok()?;
    let trap = Trap { process, object: object.to_owned(), file: Some(file.clone()), text: text.to_owned() };
    Some((trap, instruction(&code.0)))
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

fn by_instruction(case: &Case, trap: &Trap, names: &[&str]) -> Verdict {
    let Some(has) = features(case.machine) else { return Verdict::Unknown("/proc/cpuinfo cannot be read".into()) };
    let lacks: Vec<&str> = names.iter().copied().filter(|name| !has.contains(*name)).collect();
    if lacks.is_empty() {
        return Verdict::RuledOut(format!("this processor has {}", names.join(", ")));
    }
    let name = trap.file.as_deref().map_or_else(|| trap.object.clone(), |file| file.display().to_string());
    let headline = format!("{name} uses {}, which this processor lacks", lacks.join(" and "));
    let summary = format!(
        "The kernel stopped {} at an instruction of {name} that needs {}; this processor lacks it.",
        trap.process,
        lacks.join(" and ")
    );
    let kernel = Evidence {
        kind: EvidenceKind::Call,
        text: format!("the kernel wrote: {}", trap.text),
        check: Some("dmesg | grep 'invalid opcode'".into()),
    };
    let flags = Evidence::probe(format!("the flags of /proc/cpuinfo lack {}", lacks.join(", ")))
        .check(format!("grep -cw {} /proc/cpuinfo", lacks[0]));
    let finding = Finding { evidence: vec![kernel, flags], fixes: fixes(case), ..verified(headline, summary) };
    Verdict::Found(Box::new(Finding { seen: Some(Seen::During), ..finding }))
}

/// By the levels of x86-64 that the program and its libraries say they need.
fn by_level(case: &Case, objects: &[(PathBuf, Elf)]) -> Verdict {
    let needing = objects.iter().filter_map(|(file, elf)| level_needed(elf).map(|level| (level, file)));
    if let Some((level, file)) = needing.max()
        && let Some(lacks) = missing_features(case.machine, level).filter(|lacks| !lacks.is_empty())
    {
        return Verdict::Found(Box::new(of_level(case, file, level, &lacks)));
    }
    match missing_features(case.machine, 3) {
        Some(lacks) if !lacks.is_empty() => Verdict::Found(Box::new(guessed(case, &lacks))),
        Some(_) => {
            Verdict::RuledOut("this processor has all of x86-64-v3, and nothing says that more is needed".into())
        }
        None => Verdict::Unknown("/proc/cpuinfo cannot be read".into()),
    }
}

fn of_level(case: &Case, file: &Path, level: u32, lacks: &[&str]) -> Finding {
    let headline = format!("{} needs x86-64-v{level}, and this processor has less", file.display());
    let summary =
        format!("{} is built for x86-64-v{level}; this processor lacks {}.", file.display(), lacks.join(", "));
    let says = Evidence::probe(format!("it says that it needs x86-64-v{level} (GNU property)"))
        .check(format!("readelf -n {}", shell_word(file)));
    let flags = Evidence::probe(format!("the flags of /proc/cpuinfo lack {}", lacks.join(", ")))
        .check("grep -m1 flags /proc/cpuinfo");
    Finding { evidence: vec![says, flags], fixes: fixes(case), ..verified(headline, summary) }
}

/// Nothing is known but that the processor has not all that programs of today are built for.
fn guessed(case: &Case, lacks: &[&str]) -> Finding {
    let headline = "this processor may lack an instruction of the program".to_owned();
    let summary = format!(
        "A program was stopped by SIGILL, and this processor lacks {}, which many builds use.",
        lacks.join(", ")
    );
    let flags = Evidence::probe(format!("the flags of /proc/cpuinfo lack {}", lacks.join(", ")))
        .check("grep -m1 flags /proc/cpuinfo");
    Finding {
        confidence: Confidence::Possible,
        evidence: vec![flags],
        fixes: fixes(case),
        ..verified(headline, summary)
    }
}

fn said(clue: &Clue) -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        evidence: vec![Evidence::output(clue.line.clone())],
        fixes: vec![Fix::lasting("take a build for the baseline of the machine (x86-64), without later extensions")],
        ..verified(
            "the processor may have lacked an instruction of the program".into(),
            "A program was stopped by SIGILL: it may use instructions that the processor where this was written lacks."
                .into(),
        )
    }
}

fn fixes(case: &Case) -> Vec<Fix> {
    let mut fixes = vec![Fix::lasting(
        "take a build for the baseline of x86-64, or build it here without -march of another machine",
    )];
    let is_virtual = features(case.machine).is_some_and(|features| features.contains("hypervisor"));
    fixes.extend(is_virtual.then(|| {
        Fix::lasting("this is a virtual machine: its host may have the feature and not pass it on (CPU model `host`)")
    }));
    fixes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::stage::Stage;
    use crate::machine::{KernelLog, Kind};
    use crate::text::Bytes;

    const NEW: &str =
        "traps: tool[7] trap invalid opcode ip:55e40f452129 sp:7ffd error:0 in tool[1129,55e40f452000+1000]";
    const OLD: &str = "traps: tool[7] trap invalid opcode ip:55e40f452129 sp:7ffd error:0 in tool[55e40f452000+1000]";

    fn stage(message: &str, code: &[u8]) -> Stage {
        let mut stage = Stage::new("22 1 8:1 / / rw - ext4 /dev/sda1 rw");
        stage.command = vec!["./tool".into()];
        stage.outcome = Outcome::Signaled { signal: libc::SIGILL, name: "SIGILL".into() };
        let elf = Elf { bits: 64, machine: 62, code_offset: Some(0x1000), ..Elf::default() };
        stage.stat("/home/u/tool", Kind::Regular, |_| {});
        stage.knows("executable /home/u/tool", Ok(Executable::Elf(Box::new(elf))));
        let message = KernelMessage { at_us: 1, level: 4, text: message.into() };
        stage.knows("kernel-log trap invalid opcode", Ok(KernelLog { now_us: 2, messages: vec![message] }));
        stage.knows("code /home/u/tool 4393", Ok(Bytes(code.into())));
        stage.file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu sse sse2 pni ssse3\n");
        stage
    }

    const VADDPS: &[u8] = &[0xc5, 0xf0, 0x58, 0xc0];

    #[test]
    fn an_instruction_that_the_processor_lacks_is_proven_by_its_bytes() {
        for message in [NEW, OLD] {
            let finding = stage(message, VADDPS).finding(&CAUSE, "/home/u/tool");
            assert_eq!(finding.headline, "/home/u/tool uses avx, which this processor lacks", "{message}");
            assert_eq!((finding.confidence, finding.seen), (Confidence::Verified, Some(Seen::During)));
        }
    }

    #[test]
    fn a_program_that_stopped_itself_is_not_it() {
        stage(NEW, &[0x0f, 0x0b]).assert_silent(&CAUSE);
    }

    #[test]
    fn an_instruction_that_the_processor_has_is_not_it() {
        let mut stage = stage(NEW, VADDPS);
        stage.file("/proc/cpuinfo", "flags : fpu avx\n");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_level_that_the_program_names_is_enough() {
        let mut stage = stage("", &[]);
        let elf = Elf { bits: 64, machine: 62, x86_levels: Some(0b111), ..Elf::default() };
        stage.knows("executable /home/u/tool", Ok(Executable::Elf(Box::new(elf))));
        assert!(stage.finding(&CAUSE, "/home/u/tool").headline.contains("x86-64-v3"));
    }

    #[test]
    fn without_the_place_it_is_possible_at_most() {
        assert_eq!(stage("", &[]).finding(&CAUSE, "/home/u/tool").confidence, Confidence::Possible);
    }

    #[test]
    fn another_end_is_not_looked_at() {
        let mut stage = stage(NEW, VADDPS);
        stage.outcome = Outcome::Signaled { signal: libc::SIGSEGV, name: "SIGSEGV".into() };
        assert!(stage.verdicts(&CAUSE).is_empty());
    }
}
