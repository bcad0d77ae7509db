//! A process has as many mappings as `vm.max_map_count` allows: `mmap(2)` and `mprotect(2)` answer ENOMEM with memory left. Search engines and
//! databases look at the number when they start.

use super::rlimit::usages;
use super::room::elapsed;
use super::spoken::leads_with;
use super::{Case, Cause, Confidence, Evidence, Finding, Seen, Subject, Suspect, Verdict, sysctl};
use crate::clue::{Clue, Operation};
use crate::probe::sysctl::number;
use crate::sys::errno::Errno;
use crate::sys::family::Usage;
use crate::text::grouped;

const ID: &str = "map-count-limit";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/map-count-limit.md"), suspects, covers: &[], check };

const KEY: &str = "vm.max_map_count";

/// What programs with many mappings ask for in their manuals.
const PLENTY: u64 = 262_144;

/// Part of the limit, in hundredths, that counts as reached: mappings go while the process says what happened.
const REACHED: u64 = 97;

fn suspects(case: &Case) -> Vec<Suspect> {
    let number = number(case.machine, KEY);
    let is_full = number.as_ref().is_ok_and(|allowed| fullest(case, *allowed).is_some());
    let is_told = |clue: &Clue| speaks_of_it(clue) || is_full && clue.errno == Some(Errno::ENOMEM);
    let told = case.clues.iter().enumerate().filter(|(_, clue)| is_told(clue));
    let number = number.map_or("-".to_owned(), |number| number.to_string());
    told.map(|(index, _)| Suspect { subject: Subject::Name(number.clone()), clue: Some(index), touched: true })
        .collect()
}

fn speaks_of_it(clue: &Clue) -> bool {
    let is_memory = matches!(clue.operation, None | Some(Operation::Memory | Operation::Fork));
    leads_with(clue, ID) || clue.errno == Some(Errno::ENOMEM) && is_memory
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let allowed = match number(case.machine, KEY) {
        Ok(allowed) => allowed,
        Err(unknown) => return Verdict::Unknown(format!("{KEY} cannot be read: {unknown}")),
    };
    if let Some(usage) = fullest(case, allowed) {
        let fact = format!("{} (pid {}) had {} mappings", usage.command, usage.pid, grouped(usage.maps));
        let at = case.watched.family.as_ref().map_or(String::new(), |sample| elapsed(sample.moment.at_ms));
        let sample =
            Evidence::sample(format!("{fact} {at} after the start")).check(format!("wc -l < /proc/{}/maps", usage.pid));
        return Verdict::Found(Box::new(finding(case, allowed, Seen::During, &fact, Some(sample))));
    }
    let clue = suspect.clue.map(|index| &case.clues[index]);
    match clue.filter(|clue| leads_with(clue, ID)).and_then(wanted) {
        Some(wanted) if wanted > allowed => {
            let fact = format!("the program wants {}", grouped(wanted));
            Verdict::Found(Box::new(finding(case, allowed, Seen::Now, &fact, None)))
        }
        _ => Verdict::RuledOut(format!(
            "{} mappings are allowed, and none of the command's processes had so many",
            grouped(allowed)
        )),
    }
}

/// The process that was seen with as many mappings as are allowed.
fn fullest<'a>(case: &Case<'a>, allowed: u64) -> Option<&'a Usage> {
    usages(case)
        .filter(|usage| usage.maps.saturating_mul(100) >= allowed.saturating_mul(REACHED))
        .max_by_key(|usage| usage.maps)
}

/// The number that the message asks for: the last one of `… [65530] is too low, increase to at least [262144]`.
fn wanted(clue: &Clue) -> Option<u64> {
    clue.line.split(|letter: char| !letter.is_ascii_digit()).filter_map(|word| word.parse().ok()).next_back()
}

fn finding(case: &Case, allowed: u64, seen: Seen, fact: &str, sample: Option<Evidence>) -> Finding {
    let limit = format!("{KEY} is {}, the mappings of one process", grouped(allowed));
    let mut evidence = vec![Evidence::probe(limit).check("cat /proc/sys/vm/max_map_count")];
    evidence.extend(sample);
    evidence.extend(sysctl::origin(case, KEY));
    let wanted = PLENTY.max(allowed.saturating_mul(4));
    Finding {
        confidence: Confidence::Verified,
        seen: Some(seen),
        headline: format!("{} memory mappings are too few ({KEY})", grouped(allowed)),
        summary: format!(
            "A process may have {} memory mappings ({KEY}), and {fact}; it is not for want of memory.",
            grouped(allowed)
        ),
        evidence,
        fixes: sysctl::fixes(case, KEY, &wanted.min(i32::MAX as u64).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::sys::family::Family;
    use crate::watch::{FamilySample, Moment};

    fn stage(maps: u64) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.file("/proc/sys/vm/max_map_count", "65530\n");
        let memory = Some(Usage { pid: 7, command: "java".into(), maps, ..Usage::default() });
        let family = Family { memory, ..Family::default() };
        let moment = Moment { at_ms: 2100, said: Some(9) };
        stage.watched.family = Some(FamilySample { moment, family, groups: Vec::new() });
        stage
    }

    fn asks_for(stage: &mut Stage, line: &str) {
        stage.add(|clue| (clue.suspects, clue.line) = (vec![ID.into()], line.into()));
    }

    #[test]
    fn a_process_with_as_many_mappings_as_allowed_is_verified() {
        let finding = stage(65_530).clue(Errno::ENOMEM, Operation::Memory, "").finding(&CAUSE, "65530");
        assert_eq!((finding.confidence, finding.seen), (Confidence::Verified, Some(Seen::During)));
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo sysctl -w vm.max_map_count=262144"));
    }

    #[test]
    fn a_program_that_asks_for_more_than_there_is_is_verified() {
        let mut stage = stage(0);
        asks_for(
            &mut stage,
            "max virtual memory areas vm.max_map_count [65530] is too low, increase to at least [262144]",
        );
        assert_eq!(stage.finding(&CAUSE, "65530").confidence, Confidence::Verified);
    }

    #[test]
    fn a_program_that_asked_for_what_there_is_by_now_is_silence() {
        let mut stage = stage(0);
        stage.file("/proc/sys/vm/max_map_count", "262144\n");
        asks_for(
            &mut stage,
            "max virtual memory areas vm.max_map_count [65530] is too low, increase to at least [262144]",
        );
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn want_of_memory_with_few_mappings_is_silence() {
        stage(400).clue(Errno::ENOMEM, Operation::Memory, "").assert_silent(&CAUSE);
    }

    #[test]
    fn another_failure_is_silence_even_with_many_mappings() {
        stage(65_530).clue(Errno::ENOENT, Operation::Read, "/x").assert_silent(&CAUSE);
    }
}
