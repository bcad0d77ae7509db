//! `add_key(2)` and `keyctl(2)` answer EDQUOT when the user holds as many keys, or bytes of keys, as the kernel allows:
//! programs report a disk quota, and no disk is concerned.

use super::spoken::{Speech, Spoken};
use super::{Case, Cause, Confidence, Evidence, Finding, Mode, Seen, Suspect, Verdict, sysctl};
use crate::clue::Operation;
use crate::probe::keys::{FILE, KeyUser, of_user};
use crate::probe::namespaces::user_is_initial;
use crate::sys::errno::Errno;
use crate::text::grouped;

const ID: &str = "keyring-quota";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/keyring-quota.md"), suspects, covers: &[], check };

const KEYS: Speech = Speech { id: ID, errno: Errno::EDQUOT, operations: &[Operation::Key] };

/// A key of this many bytes is common: a quota with less left is as good as used up.
const SMALL_KEY: u64 = 128;

/// The largest payload of a key of type `user`, keyrings(7).
const LARGEST_KEY: u64 = 32_767;

fn suspects(case: &Case) -> Vec<Suspect> {
    KEYS.suspects(case, &[&user(case)])
}

fn user(case: &Case) -> String {
    case.user(case.surroundings().identity.uid)
}

/// What a user is out of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Out {
    Keys,
    Bytes,
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(spoken) = KEYS.of_suspect(case, suspect) else {
        return Verdict::Unknown("no message speaks of it".into());
    };
    let user = match of_user(case.machine, case.surroundings().identity.uid) {
        Ok(user) => user,
        Err(unknown) if spoken != Spoken::Plainly => return Verdict::Unknown(unknown.to_string()),
        Err(unknown) => return Verdict::Found(Box::new(said(case, &unknown.to_string()))),
    };
    let is_loose = suspect.clue.is_some_and(|index| case.clues[index].loose);
    let bytes_left = user.bytes_allowed.saturating_sub(user.bytes);
    match () {
        () if user.keys >= user.keys_allowed => found(case, &user, Out::Keys, spoken.confidence()),
        () if bytes_left < SMALL_KEY => found(case, &user, Out::Bytes, spoken.confidence()),
        () if spoken != Spoken::Plainly => Verdict::RuledOut(counts(&user)),
        () if case.mode == Mode::Run && !is_loose && bytes_left < LARGEST_KEY => {
            found(case, &user, Out::Bytes, Confidence::Likely)
        }
        () => Verdict::Found(Box::new(said(case, &counts(&user)))),
    }
}

fn counts(user: &KeyUser) -> String {
    format!(
        "{} of {} keys and {} of {} bytes of keys in use",
        grouped(user.keys),
        grouped(user.keys_allowed),
        grouped(user.bytes),
        grouped(user.bytes_allowed)
    )
}

fn found(case: &Case, user: &KeyUser, out: Out, confidence: Confidence) -> Verdict {
    let (key, allowed) = parameter(case, user, out);
    let name = self::user(case);
    let check = format!("grep '^ *{}:' {FILE}", case.surroundings().identity.uid);
    let mut evidence = vec![Evidence::probe(format!("{name} has {}", counts(user))).check(check)];
    evidence.extend(sysctl::origin(case, key));
    let state = match out {
        Out::Keys => "no kernel key left",
        Out::Bytes if confidence == Confidence::Likely => "too few bytes left for a larger kernel key",
        Out::Bytes => "no bytes left for kernel keys",
    };
    Verdict::Found(Box::new(Finding {
        confidence,
        seen: Some(Seen::Now),
        headline: format!("{name} has {state}"),
        summary: format!(
            "{name} has {state}: {}. The quota is that of the kernel's keyrings, not of a disk.",
            counts(user)
        ),
        evidence,
        fixes: sysctl::fixes(case, key, &allowed.saturating_mul(10).to_string()),
    }))
}

/// The parameter that limits the user, and its value. The machine's root has its own.
fn parameter(case: &Case, user: &KeyUser, out: Out) -> (&'static str, u64) {
    let is_root = case.surroundings().identity.uid == 0 && user_is_initial(case.machine);
    match out {
        Out::Keys if is_root => ("kernel.keys.root_maxkeys", user.keys_allowed),
        Out::Keys => ("kernel.keys.maxkeys", user.keys_allowed),
        Out::Bytes if is_root => ("kernel.keys.root_maxbytes", user.bytes_allowed),
        Out::Bytes => ("kernel.keys.maxbytes", user.bytes_allowed),
    }
}

fn said(case: &Case, state: &str) -> Finding {
    let name = user(case);
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("{name} was out of kernel keys"),
        summary: format!("The output speaks of the quota of the kernel's keyrings; now: {state}."),
        evidence: vec![Evidence::probe(state).check(format!("cat {FILE}"))],
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    fn stage(counts: &str) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.file("/etc/passwd", "root:x:0:0::/:\nann:x:1000:1000::/home/u:\n");
        stage.file(FILE, &format!("    0:     9 8/8 3/1000000 40/25000000\n 1000:  {counts}\n"));
        stage
    }

    fn confidence(counts: &str) -> Confidence {
        stage(counts).clue(Errno::EDQUOT, Operation::Key, "").finding(&CAUSE, "ann").confidence
    }

    #[test]
    fn a_user_with_as_many_keys_as_allowed_is_verified() {
        let finding =
            stage("201 200/200 200/200 3000/20000").clue(Errno::EDQUOT, Operation::Key, "").finding(&CAUSE, "ann");
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Verified, "ann has no kernel key left")
        );
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo sysctl -w kernel.keys.maxkeys=2000"));
    }

    #[test]
    fn bytes_that_are_used_up_are_verified_and_told_apart() {
        let finding = stage("9 9/9 9/200 19990/20000").clue(Errno::EDQUOT, Operation::Key, "").finding(&CAUSE, "ann");
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Verified, "ann has no bytes left for kernel keys")
        );
        assert_eq!(finding.fixes[0].command.as_deref(), Some("sudo sysctl -w kernel.keys.maxbytes=200000"));
    }

    #[test]
    fn a_quota_that_a_large_key_exceeds_at_once_is_likely() {
        assert_eq!(confidence("9 9/9 9/200 90/20000"), Confidence::Likely);
    }

    #[test]
    fn a_message_that_nothing_confirms_is_possible() {
        assert_eq!(confidence("9 9/9 9/200 90/2000000"), Confidence::Possible);
    }

    #[test]
    fn edquot_of_nothing_in_particular_is_likely_when_keys_are_out() {
        let mut stage = stage("201 200/200 200/200 3000/20000");
        stage.add(|clue| clue.errno = Some(Errno::EDQUOT));
        assert_eq!(stage.finding(&CAUSE, "ann").confidence, Confidence::Likely);
    }

    #[test]
    fn edquot_of_nothing_in_particular_is_silence_while_keys_are_left() {
        let mut stage = stage("9 9/9 9/200 90/20000");
        stage.add(|clue| clue.errno = Some(Errno::EDQUOT)).assert_silent(&CAUSE);
    }

    #[test]
    fn a_file_over_a_disk_quota_is_not_about_keys() {
        stage("201 200/200 200/200 3000/20000")
            .clue(Errno::EDQUOT, Operation::Write, "/home/u/x")
            .assert_silent(&CAUSE);
    }

    #[test]
    fn a_full_disk_is_not_about_keys() {
        let mut stage = stage("201 200/200 200/200 3000/20000");
        stage.add(|clue| clue.errno = Some(Errno::ENOSPC)).assert_silent(&CAUSE);
    }

    #[test]
    fn a_user_without_keys_has_no_quota_used_up() {
        let mut stage = stage("9 9/9 9/200 90/20000");
        stage.surroundings.identity.uid = 1001;
        stage.add(|clue| clue.errno = Some(Errno::EDQUOT)).assert_silent(&CAUSE);
    }
}
