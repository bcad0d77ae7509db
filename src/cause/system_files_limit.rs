//! All processes together have as many files open as `fs.file-max` allows: `open(2)` answers ENFILE to everyone but root.

use super::spoken::leads_with;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Seen, Subject, Suspect, Verdict, sysctl};
use crate::clue::Clue;
use crate::machine::Unknown;
use crate::probe::sysctl::numbers;
use crate::sys::errno::Errno;
use crate::text::grouped;

const ID: &str = "system-files-limit";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/system-files-limit.md"), suspects, covers: &[], check };

const KEY: &str = "fs.file-max";

fn suspects(case: &Case) -> Vec<Suspect> {
    let most = counts(case).map_or("-".to_owned(), |(_, most)| most.to_string());
    let told = case.clues.iter().enumerate().filter(|(_, clue)| speaks_of_it(clue));
    told.map(|(index, _)| Suspect { subject: Subject::Name(most.clone()), clue: Some(index), touched: true }).collect()
}

fn speaks_of_it(clue: &Clue) -> bool {
    clue.errno == Some(Errno::ENFILE) || clue.errno.is_none() && leads_with(clue, ID)
}

/// The open files, and the most that may be: first and third number of `fs.file-nr` (`proc_sys_fs(5)`).
fn counts(case: &Case) -> Result<(u64, u64), Unknown> {
    match numbers(case.machine, "fs.file-nr")?.as_slice() {
        [open, _, most] => Ok((*open, *most)),
        _ => Err(Unknown::Unsupported("fs.file-nr has not three numbers".into())),
    }
}

fn check(case: &Case, _suspect: &Suspect) -> Verdict {
    let (open, most) = match counts(case) {
        Ok(counts) => counts,
        // The question itself was refused for want of a file: that is the answer.
        Err(Unknown::Errno(Errno::ENFILE)) => return Verdict::Found(Box::new(refused_itself(case))),
        Err(unknown) => return Verdict::Unknown(unknown.to_string()),
    };
    let confidence = match open.saturating_mul(100) / most.max(1) {
        98.. => Confidence::Verified,
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
    use crate::clue::Operation;

    fn stage(open: u64) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.file("/proc/sys/fs/file-nr", &format!("{open}\t0\t10000\n"));
        stage
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
