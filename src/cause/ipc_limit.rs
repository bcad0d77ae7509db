//! `msgget(2)`, `semget(2)`, `shmget(2)` and `mq_open(3)` answer ENOSPC when there are as many objects as the kernel allows: programs
//! report a full disk, and none is full. The objects outlive the programs that made them.

use super::spoken::{Speech, Spoken};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, sysctl};
use crate::clue::{Clue, Operation};
use crate::probe::ipc::{Count, KINDS, Kind, Objects, objects};
use crate::probe::sysctl::{numbers, path};
use crate::sys::errno::Errno;
use crate::text::grouped;

const ID: &str = "ipc-limit";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/ipc-limit.md"), suspects, covers: &[], check };

const OBJECTS: Speech = Speech { id: ID, errno: Errno::ENOSPC, operations: &[Operation::Ipc] };

fn suspects(case: &Case) -> Vec<Suspect> {
    let spoken = case.clues.iter().enumerate().filter_map(|(index, clue)| Some((index, clue, OBJECTS.of(clue)?)));
    let told = spoken.filter(|(_, _, spoken)| *spoken > Spoken::Vaguely);
    told.flat_map(|(index, clue, spoken)| kinds(clue).into_iter().map(move |kind| spoken.suspect(kind.name(), index)))
        .collect()
}

/// Words of messages by the kind that they mean.
const WORDS: [(&str, Kind); 15] = [
    ("mq_open", Kind::Queues),
    ("msg_get_queue", Kind::Messages),
    ("sem_get", Kind::Semaphores),
    ("shm_attach", Kind::SharedMemory),
    ("shmop_open", Kind::SharedMemory),
    ("msgget", Kind::Messages),
    ("message queue", Kind::Messages),
    ("semget", Kind::Semaphores),
    ("semaphore", Kind::Semaphores),
    ("SEMMN", Kind::Semaphores),
    ("shmget", Kind::SharedMemory),
    ("shared memory", Kind::SharedMemory),
    ("share memory", Kind::SharedMemory),
    ("SHMMNI", Kind::SharedMemory),
    ("SHMALL", Kind::SharedMemory),
];

/// The kinds that a message may mean: the one that it names, or all.
fn kinds(clue: &Clue) -> Vec<Kind> {
    let named = WORDS.iter().find(|(word, _)| clue.line.contains(word));
    named.map_or_else(|| KINDS.to_vec(), |(_, kind)| vec![*kind])
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(spoken) = OBJECTS.of_suspect(case, suspect) else {
        return Verdict::Unknown("no message speaks of it".into());
    };
    let Some(kind) = kind(suspect) else { return Verdict::Unknown("it is no kind of object".into()) };
    let may_be_others = suspect.clue.is_some_and(|index| is_reached_by_several(case, &case.clues[index]));
    let sure = if may_be_others { spoken.confidence().min(Confidence::Likely) } else { spoken.confidence() };
    let objects = match objects(case.machine, kind) {
        Ok(objects) => objects,
        Err(unknown) => return Verdict::Unknown(unknown.to_string()),
    };
    if let Some(reached) = objects.counts.iter().find(|count| count.is_reached()) {
        return Verdict::Found(Box::new(found(case, kind, &objects, reached, sure)));
    }
    match objects.counts.iter().find(|count| is_short(count)) {
        Some(short) if spoken == Spoken::Plainly => {
            Verdict::Found(Box::new(found(case, kind, &objects, short, Confidence::Likely)))
        }
        _ if spoken == Spoken::Plainly && case.mode == Mode::Log => Verdict::Found(Box::new(said(kind, &objects))),
        _ => Verdict::RuledOut(counts(&objects)),
    }
}

/// Whether a message leaves open which kind it means, and more than one of them is used up.
fn is_reached_by_several(case: &Case, clue: &Clue) -> bool {
    let is_reached =
        |kind: &Kind| objects(case.machine, *kind).is_ok_and(|objects| objects.counts.iter().any(Count::is_reached));
    kinds(clue).iter().filter(|kind| is_reached(kind)).count() > 1
}

fn kind(suspect: &Suspect) -> Option<Kind> {
    let Subject::Name(name) = &suspect.subject else { return None };
    KINDS.into_iter().find(|kind| kind.name() == name)
}

/// A call may ask for many at once: a tenth that is left may be too few.
fn is_short(count: &Count) -> bool {
    count.allowed.saturating_sub(count.used) < count.allowed / 10
}

fn shown(count: &Count) -> String {
    format!("{} of {} {}", grouped(count.used), grouped(count.allowed), count.what)
}

fn counts(objects: &Objects) -> String {
    let counts: Vec<String> = objects.counts.iter().map(shown).collect();
    counts.join(", ")
}

fn found(case: &Case, kind: Kind, objects: &Objects, count: &Count, confidence: Confidence) -> Finding {
    let is_reached = count.is_reached();
    let headline = if is_reached {
        format!("all {} {} are in use", grouped(count.allowed), count.what)
    } else {
        format!("{} are in use", shown(count))
    };
    let mut evidence = vec![
        Evidence::probe(format!("{} in use", shown(count))).check(kind.listing()),
        Evidence::probe(format!("{} sets the limit", count.key)).check(format!("cat {}", path(count.key).display())),
    ];
    evidence.extend(makers(case, objects));
    evidence.extend(sysctl::origin(case, count.key));
    Finding {
        confidence,
        seen: Some(Seen::Now),
        summary: format!(
            "{headline} ({}): the kernel answers \"No space left on device\", and no disk is full.",
            count.key
        ),
        headline,
        evidence,
        fixes: fixes(case, kind, count),
    }
}

/// Who made most of them.
fn makers(case: &Case, objects: &Objects) -> Option<Evidence> {
    let (uid, count) = objects.makers.first()?;
    Some(Evidence::probe(format!(
        "{} made {} of them; they stay until they are removed or the machine restarts",
        case.user(*uid),
        grouped(*count)
    )))
}

fn fixes(case: &Case, kind: Kind, count: &Count) -> Vec<Fix> {
    let mut fixes = Vec::new();
    if kind != Kind::Queues {
        let option = kind.listing().chars().skip_while(|letter| *letter != '-').nth(1).unwrap_or('a');
        let text =
            format!("look for those of programs that have ended, and remove them one by one: ipcrm -{option} ID");
        fixes.push(Fix::now(kind.listing(), text));
    }
    if let Some(wanted) = wanted(case, count) {
        fixes.extend(sysctl::fixes(case, count.key, &wanted));
    }
    fixes
}

/// Four times what is allowed, as far as the kernel takes it, with the parameter's other numbers as they are.
fn wanted(case: &Case, count: &Count) -> Option<String> {
    let more = count.allowed.saturating_mul(4).max(32).min(count.largest.unwrap_or(i32::MAX as u64));
    if more <= count.allowed {
        return None;
    }
    let mut values = numbers(case.machine, count.key).ok()?;
    *values.get_mut(count.field)? = more;
    let values: Vec<String> = values.iter().map(u64::to_string).collect();
    Some(values.join(" "))
}

fn said(kind: Kind, objects: &Objects) -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: "a limit on System V or POSIX objects was reached".into(),
        summary: format!(
            "The output says that the kernel had no room for another object; here there are {}.",
            counts(objects)
        ),
        evidence: vec![Evidence::probe(counts(objects)).check(kind.listing())],
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    const TABLE: &str =
        "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n30 21 0:9 / /dev/mqueue rw - mqueue mqueue rw\n";

    /// A machine with 4 message queues, 2 sets of 30 semaphores, and a segment of 8 KiB; ann made them.
    fn stage() -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.file("/etc/passwd", "root:x:0:0::/:\nann:x:1000:1000::/home/u:\n");
        stage.file("/proc/sysvipc/msg", &format!("key msqid cuid\n{}", "1 2 1000\n".repeat(4)));
        stage.file("/proc/sysvipc/sem", "key semid perms nsems uid cuid\n1 0 600 30 1000 1000\n2 1 600 30 1000 1000\n");
        stage.file("/proc/sysvipc/shm", "key shmid size cuid\n1 0 8192 1000\n");
        stage.file("/proc/sys/kernel/msgmni", "32000\n").file("/proc/sys/kernel/sem", "32000 1024000000 500 32000\n");
        stage.file("/proc/sys/kernel/shmmni", "4096\n").file("/proc/sys/kernel/shmall", "18446744073692774399\n");
        stage.file("/proc/sys/fs/mqueue/queues_max", "256\n");
        stage
    }

    #[test]
    fn of_several_kinds_that_are_used_up_none_is_proven_by_a_message_that_names_none() {
        let mut stage = stage();
        stage.file("/proc/sys/kernel/msgmni", "4\n").file("/proc/sys/kernel/shmmni", "1\n");
        stage.clue(Errno::ENOSPC, Operation::Ipc, "");
        assert_eq!(["msg", "shm"].map(|kind| stage.finding(&CAUSE, kind).confidence), [Confidence::Likely; 2]);
        stage.clues[0].line = "shmget: No space left on device".into();
        assert_eq!(stage.finding(&CAUSE, "shm").confidence, Confidence::Verified);
    }

    #[test]
    fn as_many_message_queues_as_allowed_are_verified() {
        let mut stage = stage();
        stage.file("/proc/sys/kernel/msgmni", "4\n").clue(Errno::ENOSPC, Operation::Ipc, "");
        let finding = stage.finding(&CAUSE, "msg");
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Verified, "all 4 message queues are in use")
        );
        assert!(finding.evidence.iter().any(|fact| fact.text.starts_with("ann made 4 of them")), "{finding:#?}");
        let commands: Vec<_> = finding.fixes.iter().filter_map(|fix| fix.command.as_deref()).collect();
        assert_eq!(commands[..2], ["ipcs -q -t", "sudo sysctl -w kernel.msgmni=32"]);
    }

    #[test]
    fn one_number_of_the_semaphores_is_raised_and_the_others_stay() {
        let mut stage = stage();
        stage.file("/proc/sys/kernel/sem", "250 60 500 128\n").clue(Errno::ENOSPC, Operation::Ipc, "");
        let finding = stage.finding(&CAUSE, "sem");
        assert_eq!(finding.headline, "all 60 semaphores are in use");
        assert_eq!(finding.fixes[1].command.as_deref(), Some("sudo sysctl -w kernel.sem='250 240 500 128'"));
    }

    #[test]
    fn a_large_request_for_what_is_nearly_used_up_is_likely() {
        let mut stage = stage();
        stage.file("/proc/sys/kernel/sem", "250 62 500 128\n").clue(Errno::ENOSPC, Operation::Ipc, "");
        assert_eq!(stage.finding(&CAUSE, "sem").confidence, Confidence::Likely);
    }

    #[test]
    fn enospc_of_nothing_in_particular_is_likely_where_a_limit_is_reached() {
        let mut stage = stage();
        stage.file("/proc/sys/kernel/shmmni", "1\n").add(|clue| clue.errno = Some(Errno::ENOSPC));
        assert_eq!(stage.finding(&CAUSE, "shm").confidence, Confidence::Likely);
    }

    #[test]
    fn a_message_that_names_a_kind_is_not_about_another() {
        let mut stage = stage();
        stage.file("/proc/sys/kernel/msgmni", "4\n");
        stage.clue(Errno::ENOSPC, Operation::Ipc, "");
        stage.clues[0].line = "could not create semaphores: No space left on device".into();
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_refusal_while_everything_is_left_is_silence() {
        stage().clue(Errno::ENOSPC, Operation::Ipc, "").assert_silent(&CAUSE);
    }

    #[test]
    fn enospc_of_nothing_in_particular_is_silence_while_objects_are_left() {
        stage().add(|clue| clue.errno = Some(Errno::ENOSPC)).assert_silent(&CAUSE);
    }

    #[test]
    fn a_full_disk_is_silence_even_where_a_limit_is_reached() {
        let mut stage = stage();
        stage.file("/proc/sys/kernel/msgmni", "4\n").clue(Errno::ENOSPC, Operation::Create, "/home/u/x");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_saved_log_that_says_it_is_possible() {
        let mut stage = stage();
        stage.mode = Mode::Log;
        stage.clue(Errno::ENOSPC, Operation::Ipc, "").clues[0].line = "semget: No space left on device".into();
        assert_eq!(stage.finding(&CAUSE, "sem").confidence, Confidence::Possible);
    }
}
