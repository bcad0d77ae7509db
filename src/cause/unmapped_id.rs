//! An id has no mapping in the user namespace: a file cannot be given to it (EINVAL), and capabilities do not reach what it owns.

use super::refused::{self, listed};
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::machine::Stat;
use crate::probe::walk::{OVERFLOW, Obstacle, Who, Why};
use crate::sys::errno::Errno;
use std::path::Path;

const ID: &str = "unmapped-id";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/unmapped-id.md"),
    suspects,
    covers: &["permission-denied"],
    check,
};

/// Calls and tools that give something to an id, or become one.
const CALLS: &[&str] =
    &["chown", "chgrp", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfacl"];

fn suspects(case: &Case) -> Vec<Suspect> {
    let given = case.clues.iter().enumerate().filter(|(_, clue)| is_given(case, clue));
    let mut suspects: Vec<Suspect> = given.filter_map(|(index, clue)| of_message(case, index, clue)).collect();
    // Files of an unmapped owner are shown as those of the overflow id.
    suspects.extend(refused::messages(case).filter_map(|(index, clue)| {
        let refuses =
            refused::tried(case, clue).filter(|_| matches!(clue.errno, Some(Errno::EACCES | Errno::EPERM)))?;
        let stat = unreached(&refuses.who, refuses.obstacle()?)?;
        let id = if refuses.who.maps_uid(stat.uid) { stat.gid } else { stat.uid };
        Some(Suspect { subject: Subject::Name(id.to_string()), clue: Some(index), touched: true })
    }));
    suspects
}

/// Whether a message says that a file could not be given to somebody, or a process to another user.
fn is_given(case: &Case, clue: &Clue) -> bool {
    let calls = |text: &str| CALLS.iter().any(|call| text.contains(call));
    let says = || calls(&clue.line.to_lowercase());
    // Python and Node.js name the file alone.
    let is_told = || case.command.iter().any(|word| calls(&word.to_string_lossy()));
    let is_given = || clue.operation == Some(Operation::Attribute) || says() || is_told();
    let may_be = matches!(clue.errno, None | Some(Errno::EINVAL | Errno::EPERM | Errno::EACCES | Errno::EOVERFLOW));
    clue.suspects(ID) && may_be || clue.errno == Some(Errno::EINVAL) && is_given()
}

/// The first id of a message that has no mapping; the first one at all in a log.
fn of_message(case: &Case, index: usize, clue: &Clue) -> Option<Suspect> {
    let who = Who::of_child(case.machine);
    let (uids, gids) = (ids(&clue.line, "uid"), ids(&clue.line, "gid"));
    let unmapped =
        uids.iter().find(|uid| !who.maps_uid(**uid)).or_else(|| gids.iter().find(|gid| !who.maps_gid(**gid)));
    let first = || uids.first().or(gids.first()).filter(|_| case.mode == Mode::Log);
    let id = unmapped.or_else(first).copied().or_else(|| of_command(case, &who))?;
    Some(Suspect { subject: Subject::Name(id.to_string()), clue: Some(index), touched: true })
}

/// Where a message has no id: the first one of the command line that has no mapping, or the owner of a file there, whose owner is to be
/// kept (`cp -a`). In a user namespace chown(2) answers EINVAL for nothing else.
fn of_command(case: &Case, who: &Who) -> Option<u32> {
    if !who.is_mapped() {
        return None;
    }
    let told: Vec<u32> = case.command.iter().skip(1).flat_map(|word| told_in(&word.to_string_lossy())).collect();
    if !told.is_empty() {
        return told.into_iter().find(|id| !who.maps_uid(*id) || !who.maps_gid(*id));
    }
    let owner = |path: &Path| {
        let found = case.resolve(path).filter(|found| found.missing.as_os_str().is_empty())?;
        let stat = case.machine.stat(&found.existing).ok()?;
        let gid = || Some(stat.gid).filter(|gid| !who.maps_gid(*gid));
        Some(stat.uid).filter(|uid| !who.maps_uid(*uid)).or_else(gid)
    };
    command_line::paths_of(case.command).find_map(owner)
}

/// The ids in a word of a command line: `5002:5002`, `u:5002:r`; of a program text those that a call is given, where one is known.
fn told_in(word: &str) -> Vec<u32> {
    let ends = |letter: char| matches!(letter, ')' | ';' | '\n');
    let given = CALLS.iter().flat_map(|call| word.split(call).skip(1)).filter_map(|rest| rest.split(ends).next());
    let given: Vec<&str> = given.collect();
    let parts = if given.is_empty() { vec![word] } else { given };
    let is_parting = |letter: char| letter.is_whitespace() || "=:,()\"'".contains(letter);
    parts.into_iter().flat_map(|part| part.split(is_parting)).filter_map(|id| id.parse().ok()).collect()
}

/// Numbers behind a word: `uid 65002`, `gid=5`; and in `65002:100005`.
fn ids(line: &str, word: &str) -> Vec<u32> {
    let line = line.to_lowercase();
    let number = |(at, mark): (usize, &str)| {
        let rest = line[at + mark.len()..].trim_start_matches([' ', '=', ':']);
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
    };
    line.match_indices(word).filter_map(number).collect()
}

/// The file that would not have refused if its owner were mapped: the capabilities are there and do not reach it.
fn unreached<'a>(who: &Who, obstacle: &'a Obstacle) -> Option<&'a Stat> {
    let stat = match &obstacle.why {
        Why::Refused(refusal) => &refusal.stat,
        Why::NotOwner(stat) | Why::Sticky { entry: stat, .. } => stat,
        _ => return None,
    };
    let is_privileged = who.identity().has(crate::machine::Identity::DAC_OVERRIDE);
    (is_privileged && who.is_mapped() && !who.maps_owner(stat)).then_some(stat)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let id: u32 = suspect.subject.to_string().parse().unwrap_or(OVERFLOW);
    let who = Who::of_child(case.machine);
    let is_unmapped = !who.maps_uid(id) || !who.maps_gid(id);
    if is_unmapped {
        return Verdict::Found(Box::new(found(case, suspect, id)));
    }
    if case.mode == Mode::Log {
        return Verdict::Found(Box::new(Finding {
            confidence: Confidence::Possible,
            seen: None,
            evidence: Vec::new(),
            ..found(case, suspect, id)
        }));
    }
    Verdict::RuledOut(format!("{id} is mapped"))
}

fn found(case: &Case, suspect: &Suspect, id: u32) -> Finding {
    let headline = format!("the id {id} has no mapping in this user namespace");
    let summary = format!(
        "The id {id} has no mapping in this user namespace: nothing can be given to it, and what it owns is out of reach."
    );
    let mut finding = refused::found(case, suspect, headline, summary);
    (finding.confidence, finding.seen) = (Confidence::Verified, Some(Seen::Now));
    finding.evidence.push(
        Evidence::probe(format!("mapped are {}", ranges(case))).check("cat /proc/self/uid_map /proc/self/gid_map"),
    );
    let tried = refused::of_suspect(case, suspect);
    let obstacle = tried.as_ref().and_then(|tried| Some((tried, tried.obstacle()?)));
    finding.evidence.extend(
        obstacle.and_then(|(tried, obstacle)| Some(listed(case, &obstacle.at, unreached(&tried.who, obstacle)?))),
    );
    finding.fixes.push(Fix::lasting(
        "keep the own id for what is unpacked: tar --no-same-owner, --chown, or ids inside the range",
    ));
    finding
        .fixes
        .push(Fix::lasting("or give the user more ids in /etc/subuid and /etc/subgid, and make the namespace anew"));
    finding
}

fn ranges(case: &Case) -> String {
    let map = case.machine.read("/proc/self/uid_map".as_ref());
    let map = map.map(|map| map.lossy().into_owned()).unwrap_or_default();
    let range = |line: &str| {
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [first, _, count] = numbers[..] else { return None };
        Some(if count == 1 { first.to_string() } else { format!("{first} to {}", first + count - 1) })
    };
    map.lines().filter_map(range).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::Kind;

    fn stage(map: &str) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n").by_root();
        stage.file("/proc/self/uid_map", map).file("/proc/self/gid_map", map);
        stage
    }

    fn tar(stage: &mut Stage) {
        stage.add(|clue| {
            (clue.errno, clue.operation) = (Some(Errno::EINVAL), Some(Operation::Attribute));
            clue.line = "tar: a/b: Cannot change ownership to uid 5002, gid 100005: Invalid argument".into();
        });
    }

    #[test]
    fn the_id_outside_of_the_range_is_named() {
        let mut stage = stage("0 1000 1\n1 100000 65536\n");
        tar(&mut stage);
        assert_eq!(stage.found(&CAUSE), ["100005"]);
    }

    #[test]
    fn root_of_a_namespace_does_not_reach_what_an_unmapped_id_owns() {
        let mut stage = stage("0 1000 1\n");
        stage.stat("/srv", Kind::Regular, |stat| (stat.uid, stat.gid, stat.mode) = (OVERFLOW, OVERFLOW, 0o600));
        stage.clue(Errno::EACCES, Operation::Read, "/srv");
        assert_eq!(stage.found(&CAUSE), ["65534"]);
    }

    #[test]
    fn ids_of_a_program_text_are_those_that_a_call_is_given() {
        assert_eq!(told_in("5002:100005"), [5002, 100_005]);
        assert_eq!(told_in(r#"chown 0, 7, "x" or die; seek(F, -1, 9)"#), [0, 7]);
        assert_eq!(told_in("exec setpriv --reuid 33 true"), [33]);
    }

    #[test]
    fn the_first_namespace_maps_all() {
        let mut stage = stage("0 0 4294967295\n");
        tar(&mut stage);
        assert!(stage.found(&CAUSE).is_empty());
    }
}
