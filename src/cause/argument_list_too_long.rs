//! `execve(2)` answers E2BIG: the arguments and the environment of a program together, or one string of them, are larger than the kernel
//! hands over ("Limits on size of arguments and environment").

use super::patterns::{By, Pattern, in_text};
use super::rlimit;
use super::spoken::leads_with;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::machine::{Answer, EnvironmentSize, NamesSize, Unknown};
use crate::outcome::Outcome;
use crate::probe::limits::Resource;
use crate::sys::errno::Errno;
use crate::text::{grouped, shell_word, size};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const ID: &str = "argument-list-too-long";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/argument-list-too-long.md"), suspects, covers: &[], check };

/// Bytes of one string with its zero byte: 32 pages (`MAX_ARG_STRLEN`).
const ONE_STRING: u64 = 32 * 4096;

/// Bytes of all strings and pointers that are always granted, and the most: three quarters of the default stack (`fs/exec.c`).
const LEAST: u64 = 128 << 10;
const MOST: u64 = 6 << 20;

/// Patterns that are measured.
const PATTERNS: usize = 8;

/// Bytes of a pointer to a string.
const POINTER: u64 = 8;

fn suspects(case: &Case) -> Vec<Suspect> {
    let own = case.command.first().map(|program| program.to_string_lossy().into_owned());
    if was_not_started(case) {
        return vec![Suspect { subject: Subject::Name(own.unwrap_or_default()), clue: None, touched: true }];
    }
    if case.clues.is_empty() && case.outcome == &(Outcome::Exited { code: 126 }) {
        return unheard(case).into_iter().collect();
    }
    // A message that names no program tells of the start that another one names.
    let is_named = case.clues.iter().any(|clue| speaks_of_it(clue) && clue.path.is_some());
    let told =
        case.clues.iter().enumerate().filter(|(_, clue)| speaks_of_it(clue) && (!is_named || clue.path.is_some()));
    let suspects = told.map(|(index, clue)| {
        let named = clue.path.as_ref().map(|path| path.display().to_string());
        let name = named.or_else(|| clue.program.clone()).or_else(|| own.clone());
        Suspect { subject: Subject::Name(name.unwrap_or("-".into())), clue: Some(index), touched: true }
    });
    suspects.collect()
}

/// The program of a script's pattern, where a shell ended as it does when it could not start one and its words were thrown away.
fn unheard(case: &Case) -> Option<Suspect> {
    let pattern = patterns(case).into_iter().find(|pattern| pattern.by == By::Shell)?;
    let program = pattern.before.split(' ').next()?.to_owned();
    Some(Suspect { subject: Subject::Name(program), clue: None, touched: true })
}

fn was_not_started(case: &Case) -> bool {
    matches!(case.outcome, Outcome::NotStarted { errno } if errno == "E2BIG")
}

fn speaks_of_it(clue: &Clue) -> bool {
    let is_start = matches!(clue.operation, None | Some(Operation::Execute | Operation::Fork | Operation::Read));
    clue.errno == Some(Errno::E2BIG) && is_start || clue.errno.is_none() && leads_with(clue, ID)
}

/// What is too large.
enum TooLarge {
    /// One argument of the command, by its position.
    Argument { position: usize, bytes: u64 },
    /// All arguments and the environment.
    Together { bytes: u64 },
    /// The names that a pattern of the command's script stands for.
    Pattern { pattern: Pattern, names: String, bytes: u64 },
    /// A variable of the environment that takes most of the room.
    Variable { name: String, bytes: u64 },
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let room = room(case);
    let environment = case.machine.environment_size().unwrap_or_default();
    let finding = match (too_large(case, room, &environment), uncounted(case)) {
        (Some((what, confidence)), _) => found(case, suspect, &what, confidence, room),
        (None, Some(pattern)) if case.mode == Mode::Run => {
            return Verdict::Unknown(format!("the names that {} stands for were not counted in time", pattern.word));
        }
        (None, _) if suspect.clue.is_none() => {
            return Verdict::RuledOut("what its pattern stands for is not too long".into());
        }
        (None, _) if case.mode == Mode::Run && !tells_of_a_start(case, suspect) => {
            return Verdict::Unknown("what was handed over is gone, and nothing that is left is too long".into());
        }
        (None, _) => said(case, suspect, room),
    };
    let environment = format!("the environment takes {} of them", size(taken(&environment)));
    let mut finding = finding;
    finding.evidence.push(Evidence::probe(environment).check("env | wc -c"));
    Verdict::Found(Box::new(finding))
}

/// Whether a message is about the start of a program, which answers E2BIG for nothing else, and is not the command line's own words.
fn tells_of_a_start(case: &Case, suspect: &Suspect) -> bool {
    const WORDS: &str = "argument list too long";
    let clue = suspect.clue.map(|index| &case.clues[index]);
    let is_start = clue.is_some_and(|clue| {
        clue.errno == Some(Errno::E2BIG) && matches!(clue.operation, Some(Operation::Execute | Operation::Fork))
    });
    let are_own = || case.command.iter().any(|word| word.to_string_lossy().to_ascii_lowercase().contains(WORDS));
    is_start && !are_own()
}

/// Bytes for arguments, environment and pointers: a quarter of the stack's limit, within bounds.
fn room(case: &Case) -> u64 {
    let stack = rlimit::soft(case, Resource::StackSize);
    stack.map_or(MOST, |stack| (stack / 4).clamp(LEAST, MOST))
}

fn taken(environment: &EnvironmentSize) -> u64 {
    environment.bytes + environment.variables * POINTER
}

fn too_large(case: &Case, room: u64, environment: &EnvironmentSize) -> Option<(TooLarge, Confidence)> {
    let lengths = || case.command.iter().map(|argument| argument.as_bytes().len() as u64 + 1);
    if let Some((position, bytes)) = lengths().enumerate().find(|(_, bytes)| *bytes > ONE_STRING) {
        return Some((TooLarge::Argument { position, bytes }, Confidence::Verified));
    }
    let together = taken(environment) + lengths().map(|bytes| bytes + POINTER).sum::<u64>();
    if was_not_started(case) {
        return Some((TooLarge::Together { bytes: together }, Confidence::Verified));
    }
    let left = room.saturating_sub(taken(environment));
    if let Some(found) = patterns(case).into_iter().find_map(|pattern| measured(case, pattern, left)) {
        return Some(found);
    }
    let (name, bytes) = environment.largest.first()?.clone();
    let is_most = bytes > room / 4 || bytes > ONE_STRING / 2;
    is_most.then_some((TooLarge::Variable { name, bytes }, Confidence::Likely))
}

/// A pattern whose names are more than could be counted in the time there is.
fn uncounted(case: &Case) -> Option<Pattern> {
    let is_cut =
        |found: Answer<NamesSize>| found.map_or_else(|unknown| unknown == Unknown::TimedOut, |found| found.cut);
    let count = |pattern: &Pattern| case.machine.names_size(&pattern.directory, &pattern.begin, &pattern.end);
    patterns(case).into_iter().find(|pattern| is_cut(count(pattern)))
}

/// Where a function made the list, it may have been cut before it was used.
fn measured(case: &Case, pattern: Pattern, left: u64) -> Option<(TooLarge, Confidence)> {
    let found = case.machine.names_size(&pattern.directory, &pattern.begin, &pattern.end).ok()?;
    let prefix = pattern.word.rfind('/').map_or(0, |at| at as u64 + 1);
    let bytes = found.bytes + found.names * (prefix + 1 + POINTER);
    let names = if found.cut { format!("at least {}", grouped(found.names)) } else { grouped(found.names) };
    let confidence = if pattern.by == By::Shell { Confidence::Verified } else { Confidence::Likely };
    (bytes > left).then_some((TooLarge::Pattern { pattern, names, bytes }, confidence))
}

/// What stands for names in the scripts that are arguments of the command, and in those that it reads.
fn patterns(case: &Case) -> Vec<Pattern> {
    let cwd = &case.surroundings().cwd;
    let given = case.command.iter().skip(1).filter_map(|argument| argument.to_str());
    let mut found: Vec<Pattern> = given.flat_map(|text| in_text(cwd, text)).collect();
    for script in command_line::scripts_of(case.command).filter(|_| case.mode == Mode::Run) {
        let judge = |text: &[u8]| in_text(cwd, &String::from_utf8_lossy(text));
        found.extend(case.machine.judge_script("patterns", &cwd.join(script), judge).unwrap_or_default());
    }
    found.truncate(PATTERNS);
    found
}

fn found(case: &Case, suspect: &Suspect, what: &TooLarge, confidence: Confidence, room: u64) -> Finding {
    let name = &suspect.subject;
    let headline = match what {
        TooLarge::Argument { position, bytes } => {
            format!(
                "argument {position} of {name} has {} bytes; one may have {}",
                grouped(bytes - 1),
                grouped(ONE_STRING - 1)
            )
        }
        TooLarge::Together { bytes } => {
            format!("arguments and environment of {name} take {} of {}", size(*bytes), size(room))
        }
        TooLarge::Pattern { pattern, names, bytes } => {
            format!("{} stands for {} names, which take {} of {}", pattern.word, names, size(*bytes), size(room))
        }
        TooLarge::Variable { name, bytes } => format!("the variable {name} takes {} of {}", size(*bytes), size(room)),
    };
    Finding {
        confidence,
        seen: Some(Seen::Now),
        summary: format!(
            "A program is handed {} of arguments and environment at most, and {} in one string: {headline}.",
            size(room),
            size(ONE_STRING)
        ),
        evidence: vec![limit(room)],
        fixes: fixes(case, what),
        headline,
    }
}

fn limit(room: u64) -> Evidence {
    let fact =
        format!("{} for arguments and environment: a quarter of the stack's limit, {} at most", size(room), size(MOST));
    Evidence::probe(fact).check("getconf ARG_MAX")
}

fn fixes(case: &Case, what: &TooLarge) -> Vec<Fix> {
    match what {
        TooLarge::Argument { .. } => {
            vec![Fix::lasting("hand it over in a file or on standard input: no setting allows more in one string")]
        }
        TooLarge::Variable { name, .. } => {
            let program = case.command.first().map(|program| shell_word(Path::new(program))).unwrap_or_default();
            vec![Fix::now(
                format!("env -u {name} {program} …"),
                "where the command does not need it; or put the list into a file",
            )]
        }
        TooLarge::Pattern { pattern, .. } if pattern.by == By::Call || pattern.before.is_empty() => {
            vec![Fix::lasting("hand them over on standard input (`xargs -0`), in a file, or some at a time")]
        }
        TooLarge::Pattern { pattern, bytes, .. } => {
            let pipe = format!("printf '%s\\0' {} | xargs -0 {}", pattern.word, pattern.before);
            let is_elsewhere = !pattern.word.contains('/') && pattern.directory != case.surroundings().cwd;
            let place = if is_elsewhere { format!("in {}: ", case.quoted(&pattern.directory)) } else { String::new() };
            let text = format!("{place}calls it as often as is needed; printf is part of the shell");
            let mut fixes = vec![Fix::now(pipe, text)];
            fixes.extend(larger_stack(case, *bytes));
            fixes
        }
        TooLarge::Together { bytes } => larger_stack(case, *bytes).into_iter().collect(),
    }
}

/// More room by a larger stack, as far as that goes.
fn larger_stack(case: &Case, bytes: u64) -> Option<Fix> {
    let limit = rlimit::of(case, Resource::StackSize)?;
    let is_allowed = limit.hard.is_none_or(|hard| hard >= MOST * 4) && limit.soft.is_some_and(|soft| soft < MOST * 4);
    (is_allowed && bytes < MOST)
        .then(|| Fix::now(format!("ulimit -S -s {}", MOST * 4 / 1024), format!("in this shell: gives {}", size(MOST))))
}

/// What was handed over is gone, and nothing that is left is too long: a list that the command made itself, or a saved log.
fn said(case: &Case, suspect: &Suspect, room: u64) -> Finding {
    let is_log = case.mode == Mode::Log;
    Finding {
        confidence: if is_log { Confidence::Possible } else { Confidence::Likely },
        seen: (!is_log).then_some(Seen::Now),
        headline: format!("the arguments of {} were too long", suspect.subject),
        summary: format!(
            "A program is handed {} of arguments and environment at most, and {} in one string; which it was cannot be seen any more.",
            size(room),
            size(ONE_STRING)
        ),
        evidence: vec![limit(room)],
        fixes: vec![Fix::lasting("hand the list over on standard input (`xargs -0`), in a file, or some at a time")],
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    fn stage(command: &[&str]) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.surroundings.limits =
            Some("Max stack size            8388608              unlimited            bytes     \n".into());
        stage.command = command.iter().map(Into::into).collect();
        environment(&mut stage, "PATH", 60);
        stage
    }

    fn environment(stage: &mut Stage, name: &str, bytes: u64) {
        let size = EnvironmentSize { variables: 20, bytes: bytes + 2000, largest: vec![(name.into(), bytes)] };
        stage.knows("environment size", Ok(size));
    }

    fn names(stage: &mut Stage, key: &str, names: u64) {
        stage.knows(&format!("names {key}"), Ok(NamesSize { names, bytes: names * 12, cut: false }));
    }

    #[test]
    fn one_long_argument_is_verified_by_its_position() {
        let mut stage = stage(&["node", "-e", &"x".repeat(200_000)]);
        stage.outcome = Outcome::NotStarted { errno: "E2BIG".into() };
        let finding = stage.finding(&CAUSE, "node");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.headline, "argument 2 of node has 200,000 bytes; one may have 131,071");
    }

    #[test]
    fn a_pattern_that_stands_for_too_many_names_is_verified_and_piped() {
        let mut stage = stage(&["sh", "-c", "cd /data; rm -f *.log && true"]);
        names(&mut stage, "*.log /data", 200_000);
        let finding = stage.clue(Errno::E2BIG, Operation::Execute, "rm").finding(&CAUSE, "rm");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.headline.starts_with("*.log stands for 200,000 names"), "{}", finding.headline);
        assert_eq!(finding.fixes[0].command.as_deref(), Some("printf '%s\\0' *.log | xargs -0 rm -f"));
    }

    #[test]
    fn a_variable_that_takes_most_of_the_room_is_likely() {
        let mut stage = stage(&["make"]);
        environment(&mut stage, "SOURCES", 120_000);
        let finding = stage.clue(Errno::E2BIG, Operation::Execute, "/bin/sh").finding(&CAUSE, "/bin/sh");
        assert_eq!(finding.confidence, Confidence::Likely);
        assert_eq!(finding.fixes[0].command.as_deref(), Some("env -u SOURCES make …"));
    }

    #[test]
    fn a_larger_stack_helps_where_six_mebibytes_are_enough() {
        let mut stage = stage(&["sh", "-c", "rm *"]);
        names(&mut stage, "* /home/u", 100_000);
        let finding = stage.clue(Errno::E2BIG, Operation::Execute, "rm").finding(&CAUSE, "rm");
        assert_eq!(finding.fixes[1].command.as_deref(), Some("ulimit -S -s 24576"));
    }

    #[test]
    fn a_program_below_whose_arguments_are_gone_is_likely_where_it_was_to_be_started() {
        let mut stage = stage(&["make"]);
        let finding = stage.clue(Errno::E2BIG, Operation::Execute, "/bin/sh").finding(&CAUSE, "/bin/sh");
        assert_eq!(finding.confidence, Confidence::Likely);
        stage.command = ["sh", "-c", "echo /bin/sh: Argument list too long >&2; false"].map(Into::into).into();
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_list_that_a_function_makes_is_likely_what_was_too_long() {
        let mut stage = stage(&["ruby", "-e", "exec('ls', *Dir['logs/*'])"]);
        names(&mut stage, "* /home/u/logs", 200_000);
        let finding = stage.clue(Errno::E2BIG, Operation::Execute, "ls").finding(&CAUSE, "ls");
        assert_eq!(finding.confidence, Confidence::Likely);
    }

    #[test]
    fn a_saved_log_is_possible() {
        let mut stage = stage(&[]);
        stage.mode = Mode::Log;
        assert_eq!(
            stage.clue(Errno::E2BIG, Operation::Execute, "/bin/sh").finding(&CAUSE, "/bin/sh").confidence,
            Confidence::Possible
        );
    }

    #[test]
    fn another_call_with_the_same_errno_is_silence() {
        stage(&["setfattr"]).clue(Errno::E2BIG, Operation::Attribute, "/x").assert_silent(&CAUSE);
    }

    #[test]
    fn a_missing_program_is_silence_even_after_a_long_pattern() {
        let mut stage = stage(&["sh", "-c", "rm *"]);
        names(&mut stage, "* /home/u", 200_000);
        stage.clue(Errno::ENOENT, Operation::Execute, "rm").assert_silent(&CAUSE);
    }
}
