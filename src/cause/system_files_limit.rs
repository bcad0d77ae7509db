//! All processes together have as many files open as `fs.file-max` allows: `open(2)` answers ENFILE to everyone but root.

use super::spoken::leads_with;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Seen, Subject, Suspect, Verdict, sysctl};
use crate::clue::{Clue, Operation};
use crate::machine::Unknown;
use crate::probe::sysctl::numbers;
use crate::sys::errno::Errno;
use crate::text::grouped;

const ID: &str = "system-files-limit";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/system-files-limit.md"), suspects, covers: &[], check };

const KEY: &str = "fs.file-max";

/// Part of the limit, in hundredths, that counts as reached: files are closed while others are counted.
const REACHED: u64 = 98;

fn suspects(case: &Case) -> Vec<Suspect> {
    let most = counts(case).map_or("-".to_owned(), |(_, most)| most.to_string());
    let is_full = || counts(case).is_ok_and(|(open, most)| is_reached(open, most));
    let told = case.clues.iter().enumerate().filter(|(_, clue)| speaks_of_it(clue) || may_be_it(clue) && is_full());
    told.map(|(index, _)| Suspect { subject: Subject::Name(most.clone()), clue: Some(index), touched: true }).collect()
}

fn speaks_of_it(clue: &Clue) -> bool {
    clue.errno == Some(Errno::ENFILE) || clue.errno.is_none() && leads_with(clue, ID)
}

/// Whether a message says only that something could not be done, or that a file could not be opened, and not why.
fn may_be_it(clue: &Clue) -> bool {
    clue.errno.is_none()
        && (clue.vague || matches!(clue.operation, Some(Operation::Read | Operation::Write | Operation::Create)))
}

fn is_reached(open: u64, most: u64) -> bool {
    open.saturating_mul(100) >= most.saturating_mul(REACHED)
}

/// The open files, and the most that may be: first and third number of `fs.file-nr` (`proc_sys_fs(5)`).
fn counts(case: &Case) -> Result<(u64, u64), Unknown> {
    match numbers(case.machine, "fs.file-nr")?.as_slice() {
        [open, _, most] => Ok((*open, *most)),
        _ => Err(Unknown::Unsupported("fs.file-nr has not three numbers".into())),
    }
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let (open, most) = match counts(case) {
        Ok(counts) => counts,
        // The question itself was refused for want of a file: that is the answer.
        Err(Unknown::Errno(Errno::ENFILE)) => return Verdict::Found(Box::new(refused_itself(case))),
        Err(unknown) => return Verdict::Unknown(unknown.to_string()),
    };
    let is_told = suspect.clue.is_some_and(|index| speaks_of_it(&case.clues[index]));
    let confidence = match open.saturating_mul(100) / most.max(1) {
        REACHED.. if is_told => Confidence::Verified,
        80.. => Confidence::Likely,
        _ => Confidence::Possible,
    };
    Verdict::Found(Box::new(finding(case, open, most, confidence)))
}

fn refused_itself(case: &Case) -> Finding {
    let fact = format!("{KEY} is reached: explain itself may not open another file either (ENFILE)");
    let set = case.as_root(&format!("sysctl -w {KEY}=NUMBER"));
    Finding {
        confidence: Confidence::Verified,
        seen: Some(Seen::Now),
        headline: format!("all files are open that the whole machine may have ({KEY})"),
        summary: "The kernel has no room for another open file of any process but root's.".into(),
        evidence: vec![Evidence::probe(fact).check(case.as_root("cat /proc/sys/fs/file-nr"))],
        fixes: vec![Fix::now(set, "a larger number than the third one that the check shows; until the next boot")],
    }
}

fn finding(case: &Case, open: u64, most: u64, confidence: Confidence) -> Finding {
    let state = format!("{} of {} files are open on the whole machine", grouped(open), grouped(most));
    let is_seen = confidence > Confidence::Possible;
    let mut evidence = vec![Evidence::probe(format!("{state} now")).check("cat /proc/sys/fs/file-nr")];
    evidence.extend(sysctl::origin(case, KEY));
    Finding {
        confidence,
        seen: is_seen.then_some(Seen::Now),
        headline: if is_seen { state.clone() } else { "the machine had all files open that it may have".into() },
        summary: format!("The kernel had no room for another open file of any process ({KEY}); {state}."),
        evidence,
        fixes: if is_seen { sysctl::fixes(case, KEY, &most.saturating_mul(4).to_string()) } else { Vec::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    fn stage(open: u64) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.file("/proc/sys/fs/file-nr", &format!("{open}\t0\t10000\n"));
        stage
    }

    #[test]
    fn a_file_that_could_not_be_opened_for_an_untold_reason_is_likely_one_too_many() {
        let untold = |clue: &mut Clue| clue.operation = Some(Operation::Read);
        let mut full = stage(9990);
        full.add(untold);
        assert_eq!(full.finding(&CAUSE, "10000").confidence, Confidence::Likely);
        let mut free = stage(9000);
        free.add(untold);
        free.assert_silent(&CAUSE);
    }

    #[test]
    fn all_files_open_is_verified_and_the_limit_is_raised() {
        let finding = stage(9990).clue(Errno::ENFILE, Operation::Read, "/x").finding(&CAUSE, "10000");
        assert_eq!((finding.confidence, finding.seen), (Confidence::Verified, Some(Seen::Now)));
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo sysctl -w fs.file-max=40000"));
    }

    #[test]
    fn a_count_that_cannot_be_read_for_want_of_a_file_is_verified() {
        let mut stage = stage(0);
        stage.knows("read /proc/sys/fs/file-nr", Err::<crate::text::Bytes, _>(Unknown::Errno(Errno::ENFILE)));
        stage.clue(Errno::ENFILE, Operation::Execute, "/usr/bin/x");
        assert_eq!(stage.finding(&CAUSE, "-").confidence, Confidence::Verified);
    }

    #[test]
    fn nearly_all_after_the_command_has_ended_is_likely() {
        assert_eq!(
            stage(8500).clue(Errno::ENFILE, Operation::Read, "/x").finding(&CAUSE, "10000").confidence,
            Confidence::Likely
        );
    }

    #[test]
    fn words_that_nothing_confirms_are_possible() {
        assert_eq!(
            stage(500).clue(Errno::ENFILE, Operation::Read, "/x").finding(&CAUSE, "10000").confidence,
            Confidence::Possible
        );
    }

    #[test]
    fn a_process_without_descriptors_is_not_the_machine() {
        stage(9990).clue(Errno::EMFILE, Operation::Read, "/x").assert_silent(&CAUSE);
    }

    #[test]
    fn a_machine_that_does_not_tell_is_silence() {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.clue(Errno::ENFILE, Operation::Read, "/x").assert_silent(&CAUSE);
    }
}
