//! A file may not grow further: `write(2)` answers EFBIG and the kernel sends SIGXFSZ at `RLIMIT_FSIZE` (getrlimit(2)), or the
//! filesystem has no room in its own numbers for a larger file. Linkers and downloaders report it as a full disk.

use super::rlimit::Limited;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::machine::Kind;
use crate::outcome::Outcome;
use crate::probe::limits::Resource;
use crate::sys::errno::Errno;
use crate::sys::mounts::Mount;
use crate::text::size;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const ID: &str = "file-size-limit";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/file-size-limit.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let limit = Limited::tightest(case, Resource::FileSize).map(|limited| limited.soft);
    let mut suspects = Vec::new();
    for (index, clue) in case.clues.iter().enumerate() {
        let is_hidden = limit.is_some() && may_hide_it(clue) || clue.suspects(ID) && fills_its_filesystem(case, clue);
        if speaks_of_it(clue) || tells_the_status(clue) || is_hidden {
            suspects.push(suspect(case, limit, Some(index)));
        }
    }
    if suspects.is_empty() && limit.is_some() && (was_signalled(case) || case.clues.is_empty()) {
        suspects.push(suspect(case, limit, None));
    }
    suspects
}

fn suspect(case: &Case, limit: Option<u64>, clue: Option<usize>) -> Suspect {
    let said = clue.and_then(|index| case.clues[index].path.as_deref()).and_then(|path| absolute(case, path));
    // What was named with the errno of a file that is too large may be gone again; another one of that length is chance.
    let is_told = clue.is_some_and(|index| case.clues[index].errno == Some(Errno::EFBIG));
    let grown = || limit.and_then(|limit| grown_file(case, said.as_ref(), limit));
    let file = said.clone().filter(|_| is_told).or_else(grown).or(said);
    let touched = file.is_some() || was_signalled(case) || clue.is_some_and(|index| speaks_of_it(&case.clues[index]));
    Suspect { subject: file.map_or(Subject::Name("-".into()), Subject::Path), clue, touched }
}

fn absolute(case: &Case, path: &Path) -> Option<PathBuf> {
    let resolved = case.resolve(path)?;
    let is_whole = resolved.missing.as_os_str().is_empty();
    Some(if is_whole { resolved.existing } else { resolved.existing.join(resolved.missing) })
}

/// Whether the message says it: by its errno, or by its rule where the errno is not that of a full disk.
fn speaks_of_it(clue: &Clue) -> bool {
    let is_named = clue.suspects(ID) && !is_of_a_full_disk(clue);
    clue.errno == Some(Errno::EFBIG) || is_named && !tells_the_status(clue)
}

/// Whether the message has no more than the status 153, which a program may choose.
fn tells_the_status(clue: &Clue) -> bool {
    clue.suspects(ID) && clue.errno.is_none() && clue.line.contains("153")
}

/// Whether a full disk is what the message tells, or may as well be its reason where it tells none.
fn is_of_a_full_disk(clue: &Clue) -> bool {
    match clue.errno {
        Some(errno) => matches!(errno, Errno::ENOSPC | Errno::EIO),
        None => clue.suspects("blocks-exhausted"),
    }
}

/// Whether the message may stand for it, where there is a limit: a failed write that is reported as a full disk, or as nothing.
fn may_hide_it(clue: &Clue) -> bool {
    let takes = clue.operation.is_none_or(Operation::takes_space);
    clue.vague || takes && is_of_a_full_disk(clue)
}

/// Whether the kernel's signal for it ended the command, or a program below its shell (128 + 25).
fn was_signalled(case: &Case) -> bool {
    matches!(case.outcome, Outcome::Signaled { signal: libc::SIGXFSZ, .. } | Outcome::Exited { code: 153 })
}

/// A file that the command made exactly as long as the limit allows: one that the message or the command names, or one in the working
/// directory.
fn grown_file(case: &Case, said: Option<&PathBuf>, limit: u64) -> Option<PathBuf> {
    let is_grown = |path: &PathBuf| file_size(case, path) == Some(limit) && was_changed(case, path);
    said.cloned().into_iter().chain(operands(case)).find(is_grown).or_else(|| {
        if !has_written(case, limit) {
            return None;
        }
        let cwd = &case.surroundings().cwd;
        let listing = case.machine.list(cwd).unwrap_or_default();
        let files = listing.entries.iter().filter(|entry| entry.kind == Some(Kind::Regular));
        let grown = files.take(FILES).map(|entry| cwd.join(&entry.name)).filter(is_grown);
        grown.max_by_key(|path| case.machine.stat(path).map_or(i64::MIN, |stat| stat.modified))
    })
}

/// Words of the command, and of the scripts that are arguments of it, as the paths that they may be.
fn operands(case: &Case) -> Vec<PathBuf> {
    let is_between = |byte: &u8| byte.is_ascii_whitespace() || b"'\"=;&|()<>".contains(byte);
    let arguments = case.command.iter().skip(1);
    let words = arguments.flat_map(|argument| argument.as_bytes().split(is_between)).filter(|word| !word.is_empty());
    words.take(WORDS).filter_map(|word| absolute(case, Path::new(OsStr::from_bytes(word)))).collect()
}

/// Words of the command that are looked at.
const WORDS: usize = 100;

/// Files of the working directory that are looked at.
const FILES: usize = 500;

fn file_size(case: &Case, path: &Path) -> Option<u64> {
    case.machine.stat(path).ok().filter(|stat| stat.kind == Kind::Regular).map(|stat| stat.size)
}

/// Whether a file was changed since the command began: one of an earlier run may have that length too. Where the machine does not tell
/// the time, nobody knows otherwise.
fn was_changed(case: &Case, path: &Path) -> bool {
    let ended_ms = case.watched.places.iter().map(|place| place.after.moment.at_ms).max().unwrap_or_default();
    let (Ok(now), Ok(stat)) = (case.machine.now(), case.machine.stat(path)) else { return true };
    let ran = i64::try_from(ended_ms / 1000).unwrap_or(i64::MAX);
    stat.modified >= now.saturating_sub(ran).saturating_sub(SLACK)
}

/// Whether the command wrote so much at all: a file that nobody names may be that of a run shortly before. Where the kernel does not tell,
/// nobody knows otherwise.
fn has_written(case: &Case, limit: u64) -> bool {
    case.watched.written.is_none_or(|written| written >= limit)
}

/// Seconds for the look after the end, for cut fractions, and for a file's time, which the kernel takes at the tick before
/// (`ktime_get_coarse_real_ts64`).
const SLACK: i64 = 2;

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    if let Some(limited) = Limited::tightest(case, Resource::FileSize) {
        return by_limit(case, suspect, &limited);
    }
    let Some(clue) = suspect.clue.map(|index| &case.clues[index]) else {
        return Verdict::RuledOut("the command had no file size limit".into());
    };
    if case.mode == Mode::Run && is_missing(case, suspect) {
        return Verdict::RuledOut(format!("{} is not there, so nothing was written to it", suspect.subject));
    }
    by_filesystem(case, suspect).unwrap_or_else(|| said(case, clue))
}

fn is_missing(case: &Case, suspect: &Suspect) -> bool {
    let path = suspect.subject.path();
    path.is_some_and(|path| case.machine.stat(path).is_err_and(|unknown| unknown.is_missing()))
}

fn by_limit(case: &Case, suspect: &Suspect, limited: &Limited) -> Verdict {
    let length = suspect.subject.path().and_then(|path| file_size(case, path));
    let is_changed = suspect.subject.path().is_some_and(|path| was_changed(case, path));
    let is_grown = is_changed && length.is_some_and(|length| length >= limited.soft);
    let Some(confidence) = confidence(case, suspect, is_grown, limited.soft) else {
        let longest = length.map_or(String::new(), |length| format!(", and the file has {}", size(length)));
        return Verdict::RuledOut(format!("files may grow to {}{longest}", limited.shown()));
    };
    let mut evidence = limited.evidence();
    evidence.extend(grown(case, suspect, limited));
    evidence.extend(signal(case));
    Verdict::Found(Box::new(Finding {
        confidence,
        seen: Some(Seen::Now),
        headline: format!("{} reached the file size limit of {}", name(suspect), limited.shown()),
        summary: format!(
            "The command may not make a file larger than {} ({}), however much space the disk has.",
            limited.shown(),
            limited.resource.names().constant
        ),
        evidence,
        fixes: limited.fixes(case, None),
    }))
}

/// Bytes that hardly a pack, an index or a cache of builds is content with.
const LITTLE: u64 = 1 << 20;

/// How sure it is that the limit was reached. A program may choose the status 153, and any file may have this length.
fn confidence(case: &Case, suspect: &Suspect, is_grown: bool, limit: u64) -> Option<Confidence> {
    let clue = suspect.clue.map(|index| &case.clues[index]);
    let is_signal = matches!(case.outcome, Outcome::Signaled { .. }) && was_signalled(case);
    let is_named = suspect.subject.path().is_some_and(|path| {
        let said = clue.and_then(|clue| clue.path.as_deref()).and_then(|path| absolute(case, path));
        said.into_iter().chain(operands(case)).any(|named| named == path)
    });
    match () {
        () if is_signal || clue.is_some_and(speaks_of_it) || is_grown && (is_named || was_signalled(case)) => {
            Some(Confidence::Verified)
        }
        () if is_grown || was_signalled(case) || clue.is_some_and(tells_the_status) => Some(Confidence::Likely),
        // What was written is gone again; what a rule knows for a failed write wants more than this.
        () if limit < LITTLE && clue.is_some_and(|clue| clue.suspects(ID)) => Some(Confidence::Likely),
        () => None,
    }
}

fn name(suspect: &Suspect) -> String {
    suspect.subject.path().map_or("a file".to_owned(), |path| path.display().to_string())
}

fn grown(case: &Case, suspect: &Suspect, limited: &Limited) -> Option<Evidence> {
    let path = suspect.subject.path()?;
    let length = file_size(case, path).filter(|length| *length >= limited.soft)?;
    let fact = format!("{} is {} bytes long, which is the limit", path.display(), crate::text::grouped(length));
    Some(Evidence::probe(fact).check(format!("stat -c %s {}", case.quoted(path))))
}

fn signal(case: &Case) -> Option<Evidence> {
    match case.outcome {
        Outcome::Signaled { signal: libc::SIGXFSZ, .. } => {
            Some(Evidence::probe("it ended by SIGXFSZ, which the kernel sends at this limit (setrlimit(2))"))
        }
        Outcome::Exited { code: 153 } => {
            Some(Evidence::probe("exit status 153 is 128 + 25, SIGXFSZ, as a shell reports it"))
        }
        _ => None,
    }
}

/// The longest file that a filesystem can hold, where that is less than any program needs: 32 bits of length on FAT
/// (`fs/fat/inode.c`), 32 bits of block numbers in ext4's extents (`Documentation/filesystems/ext4/blocks.rst`).
fn longest(mount: &Mount, block: u64) -> Option<u64> {
    match mount.fstype.as_str() {
        "vfat" | "msdos" => Some(u64::from(u32::MAX)),
        "ext4" => Some((block << 32).saturating_sub(block)),
        _ => None,
    }
}

/// The length in bytes that the message says was wanted.
fn wanted(case: &Case, suspect: &Suspect) -> Option<u64> {
    case.clues[suspect.clue?].subject.as_deref()?.parse().ok()
}

/// The mount that holds a path, and the longest file there.
fn bounds<'a>(case: &'a Case, path: &Path) -> Option<(&'a Mount, u64)> {
    let mount = case.mount_of(path)?;
    Some((mount, longest(mount, case.machine.space(&mount.point).ok()?.block_size)?))
}

/// Whether the file that a message names is as long as its filesystem lets one be.
fn fills_its_filesystem(case: &Case, clue: &Clue) -> bool {
    let file = clue.path.as_deref().and_then(|path| absolute(case, path));
    file.is_some_and(|file| {
        bounds(case, &file).zip(file_size(case, &file)).is_some_and(|((_, longest), length)| length >= longest)
    })
}

fn by_filesystem(case: &Case, suspect: &Suspect) -> Option<Verdict> {
    let path = suspect.subject.path()?;
    let (mount, longest) = bounds(case, path)?;
    let length = file_size(case, path);
    let is_full = length.max(wanted(case, suspect)).is_some_and(|length| length >= longest);
    let fact = format!("{} ({}) holds no file larger than {}", mount.point.display(), mount.fstype, size(longest));
    let mut evidence = vec![Evidence::probe(fact.clone()).check(format!("stat -f {}", case.quoted(&mount.point)))];
    let shown = length.map(|length| format!("{} has {}", path.display(), size(length)));
    evidence.extend(shown.map(|shown| Evidence::probe(shown).check(format!("stat -c %s {}", case.quoted(path)))));
    Some(Verdict::Found(Box::new(Finding {
        confidence: if is_full { Confidence::Verified } else { Confidence::Likely },
        seen: Some(Seen::Now),
        headline: fact.clone(),
        summary: format!("{fact}, and the command has no file size limit of its own."),
        evidence,
        fixes: vec![Fix::lasting(
            "split the file (`split -b 2G`), or use a filesystem that holds larger ones: xfs, btrfs, exfat",
        )],
    })))
}

/// What the message says and nothing here shows: a program that the command started may have had a limit of its own.
fn said(case: &Case, clue: &Clue) -> Verdict {
    if case.mode == Mode::Run && !speaks_of_it(clue) {
        return Verdict::RuledOut("the command had no file size limit".into());
    }
    let whose = if case.mode == Mode::Run {
        "The command itself has none: a program that it runs may."
    } else {
        "Nothing here shows it."
    };
    Verdict::Found(Box::new(Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: "a file reached a size limit".into(),
        summary: format!(
            "The output says that a file was too large: a limit (`ulimit -f`) or the filesystem's largest file. {whose}"
        ),
        evidence: Vec::new(),
        fixes: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::{Entry, Listing};
    use crate::sys::family::{Family, Usage};
    use crate::sys::fs::Space;
    use crate::watch::{FamilySample, Moment};

    const TABLE: &str = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        40 21 8:16 / /stick rw,relatime - vfat /dev/sdb1 rw\n";
    const MEBIBYTE: u64 = 1 << 20;

    fn stage(soft: &str) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.surroundings.limits =
            Some(format!("Max file size             {soft}              unlimited            bytes\n"));
        stage
    }

    fn grow(stage: &mut Stage, path: &str, length: u64) {
        stage.stat(path, Kind::Regular, |stat| stat.size = length);
    }

    fn block_size(stage: &mut Stage, point: &str, block_size: u64) {
        let space =
            Space { block_size, blocks: 1000, blocks_free: 900, blocks_available: 900, inodes: 1000, inodes_free: 900 };
        stage.space(point, space);
    }

    fn list_home(stage: &mut Stage, name: &str) {
        let entry = Entry { name: name.into(), inode: 3, kind: Some(Kind::Regular) };
        stage.knows("list /home/u", Ok(Listing { entries: vec![entry], cut: false }));
    }

    #[test]
    fn a_file_at_the_limit_with_efbig_is_verified_and_raised_in_the_shell() {
        let mut stage = stage("1048576");
        grow(&mut stage, "/home/u/out", MEBIBYTE);
        let finding = stage.clue(Errno::EFBIG, Operation::Write, "out").finding(&CAUSE, "/home/u/out");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.headline, "/home/u/out reached the file size limit of 1.0 MiB");
        assert_eq!(finding.fixes[0].command.as_deref(), Some("ulimit -S -f unlimited"));
    }

    #[test]
    fn a_message_about_a_file_that_is_not_there_is_a_quotation() {
        let mut stage = stage("unlimited");
        block_size(&mut stage, "/", 4096);
        stage.missing("/elsewhere");
        stage.clue(Errno::EFBIG, Operation::Write, "/elsewhere").assert_silent(&CAUSE);
    }

    #[test]
    fn efbig_without_a_path_is_about_no_file() {
        let mut stage = stage("1048576");
        let finding = stage.clue(Errno::EFBIG, Operation::Write, "").finding(&CAUSE, "-");
        assert_eq!(finding.headline, "a file reached the file size limit of 1.0 MiB");
    }

    #[test]
    fn a_linker_that_reports_a_full_disk_is_seen_through() {
        let mut stage = stage("1048576");
        stage.command = ["ld", "-o", "prog"].map(Into::into).to_vec();
        stage.missing("/home/u/-o");
        grow(&mut stage, "/home/u/prog", MEBIBYTE);
        stage.add(|clue| clue.errno = Some(Errno::ENOSPC));
        assert_eq!(stage.finding(&CAUSE, "/home/u/prog").confidence, Confidence::Verified);
    }

    #[test]
    fn a_file_that_a_script_names_is_found() {
        let mut stage = stage("1048576");
        stage.command = ["sh", "-c", "dd of='big file' of=out; true"].map(Into::into).to_vec();
        stage.outcome = Outcome::Exited { code: 153 };
        grow(&mut stage, "/home/u/out", MEBIBYTE);
        for word in ["-c", "dd", "of", "big", "file", "true"] {
            stage.missing(&format!("/home/u/{word}"));
        }
        assert_eq!(stage.finding(&CAUSE, "/home/u/out").confidence, Confidence::Verified);
    }

    #[test]
    fn a_file_of_this_length_that_nobody_names_is_likely_at_most() {
        let mut stage = stage("1048576");
        grow(&mut stage, "/home/u/other", MEBIBYTE);
        list_home(&mut stage, "other");
        assert_eq!(stage.vague().finding(&CAUSE, "/home/u/other").confidence, Confidence::Likely);
    }

    #[test]
    fn a_file_of_this_length_that_an_earlier_run_left_is_silence() {
        let mut stage = stage("1048576");
        stage.stat("/home/u/other", Kind::Regular, |stat| (stat.size, stat.modified) = (MEBIBYTE, 1000));
        list_home(&mut stage, "other");
        stage.knows("now", Ok(1001_i64));
        assert_eq!(stage.vague().finding(&CAUSE, "/home/u/other").confidence, Confidence::Likely);
        stage.knows("now", Ok(1010_i64)).assert_silent(&CAUSE);
    }

    #[test]
    fn the_signal_proves_the_limit_and_a_status_of_153_does_not() {
        let mut stage = stage("1048576");
        stage.outcome = Outcome::Signaled { signal: libc::SIGXFSZ, name: "SIGXFSZ".into() };
        assert_eq!(stage.finding(&CAUSE, "-").confidence, Confidence::Verified);
        stage.outcome = Outcome::Exited { code: 153 };
        assert_eq!(stage.finding(&CAUSE, "-").confidence, Confidence::Likely);
    }

    #[test]
    fn a_status_that_a_message_tells_is_likely_where_there_is_a_limit() {
        let told = |soft: &str| {
            let mut stage = stage(soft);
            stage.add(|clue| (clue.suspects, clue.line) = (vec![ID.into()], "Exit code: 153".into()));
            stage.verdicts(&CAUSE).pop().map(|(_, verdict)| verdict)
        };
        assert!(matches!(told("1048576"), Some(Verdict::Found(found)) if found.confidence == Confidence::Likely));
        assert!(matches!(told("unlimited"), Some(Verdict::RuledOut(_))));
    }

    #[test]
    fn a_limit_that_hardly_a_file_is_content_with_is_likely_behind_words_that_hide_it() {
        let hidden = |soft: &str| {
            let mut stage = stage(soft);
            list_home(&mut stage, "other");
            stage.stat("/home/u/other", Kind::Regular, |stat| stat.size = 3);
            stage.add(|clue| clue.suspects = vec![ID.into(), "blocks-exhausted".into()]);
            stage.verdicts(&CAUSE).pop().map(|(_, verdict)| verdict)
        };
        assert!(matches!(hidden("10240"), Some(Verdict::Found(found)) if found.confidence == Confidence::Likely));
        assert!(matches!(hidden("1073741824"), Some(Verdict::RuledOut(_))));
    }

    #[test]
    fn the_signal_without_a_limit_was_sent_by_somebody() {
        let mut stage = stage("unlimited");
        stage.outcome = Outcome::Signaled { signal: libc::SIGXFSZ, name: "SIGXFSZ".into() };
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn the_signal_with_the_limit_of_a_program_below_proves_it() {
        let mut stage = stage("unlimited");
        stage.outcome = Outcome::Signaled { signal: libc::SIGXFSZ, name: "SIGXFSZ".into() };
        let limits = "Max file size             512              unlimited            bytes\n".into();
        let family = Family { memory: Some(Usage { limits, ..Usage::default() }), ..Family::default() };
        let moment = Moment { at_ms: 5, said: None };
        stage.watched.family = Some(FamilySample { moment, family, groups: Vec::new() });
        assert_eq!(stage.finding(&CAUSE, "-").confidence, Confidence::Verified);
    }

    #[test]
    fn a_file_as_long_as_fat_allows_is_verified() {
        let mut stage = stage("unlimited");
        block_size(&mut stage, "/stick", 4096);
        grow(&mut stage, "/stick/film", u64::from(u32::MAX));
        let finding = stage.clue(Errno::EFBIG, Operation::Write, "/stick/film").finding(&CAUSE, "/stick/film");
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Verified, "/stick (vfat) holds no file larger than 4.0 GiB")
        );
    }

    #[test]
    fn efbig_on_ext4_tells_its_longest_file() {
        let mut stage = stage("unlimited");
        block_size(&mut stage, "/", 1024);
        grow(&mut stage, "/home/u/huge", 0);
        stage.clue(Errno::EFBIG, Operation::Write, "huge");
        let finding = stage.finding(&CAUSE, "/home/u/huge");
        assert_eq!(
            (finding.confidence, finding.headline.as_str()),
            (Confidence::Likely, "/ (ext4) holds no file larger than 4.0 TiB")
        );
    }

    #[test]
    fn a_length_beyond_the_longest_file_is_verified() {
        let mut stage = stage("unlimited");
        block_size(&mut stage, "/", 1024);
        grow(&mut stage, "/home/u/huge", 0);
        stage.clue(Errno::EFBIG, Operation::Write, "huge").clues[0].subject = Some("5497558138880".into());
        assert_eq!(stage.finding(&CAUSE, "/home/u/huge").confidence, Confidence::Verified);
    }

    #[test]
    fn a_full_disk_under_a_limit_that_was_not_reached_is_silence() {
        let mut stage = stage("1048576");
        grow(&mut stage, "/home/u/out", 4096);
        stage.clue(Errno::ENOSPC, Operation::Write, "out").assert_silent(&CAUSE);
    }

    #[test]
    fn a_limit_that_is_only_one_guess_among_others_needs_a_grown_file() {
        let mut stage = stage("1048576");
        grow(&mut stage, "/home/u/out", 4096);
        stage.clue(Errno::ENOSPC, Operation::Write, "out");
        stage.clues[0].suspects = vec!["blocks-exhausted".into(), ID.into()];
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_message_without_a_reason_is_of_a_long_file_where_that_is_as_long_as_it_may_be() {
        let told = |length: u64| {
            let mut stage = stage("unlimited");
            block_size(&mut stage, "/stick", 4096);
            grow(&mut stage, "/stick/out", length);
            stage.add(|clue| {
                (clue.operation, clue.path) = (Some(Operation::Write), Some("/stick/out".into()));
                clue.suspects = vec!["blocks-exhausted".into(), ID.into()];
            });
            stage
        };
        told(4096).assert_silent(&CAUSE);
        assert_eq!(told(u64::from(u32::MAX)).finding(&CAUSE, "/stick/out").confidence, Confidence::Verified);
    }

    #[test]
    fn a_full_disk_without_a_limit_is_silence() {
        let mut stage = stage("unlimited");
        grow(&mut stage, "/home/u/out", MEBIBYTE);
        stage.clue(Errno::ENOSPC, Operation::Write, "out").assert_silent(&CAUSE);
    }

    #[test]
    fn a_vague_failure_beside_smaller_files_is_silence() {
        let mut stage = stage("1048576");
        grow(&mut stage, "/home/u/other", MEBIBYTE - 1);
        list_home(&mut stage, "other");
        stage.vague().assert_silent(&CAUSE);
    }

    #[test]
    fn a_status_of_153_without_a_limit_is_silence() {
        let mut stage = stage("unlimited");
        stage.outcome = Outcome::Exited { code: 153 };
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_denied_write_under_a_limit_is_silence() {
        let mut stage = stage("1048576");
        grow(&mut stage, "/home/u/out", MEBIBYTE);
        stage.clue(Errno::EACCES, Operation::Create, "out").assert_silent(&CAUSE);
    }

    #[test]
    fn a_log_that_says_it_is_possible() {
        let mut stage = stage("unlimited");
        stage.mode = Mode::Log;
        assert_eq!(
            stage.clue(Errno::EFBIG, Operation::Write, "").finding(&CAUSE, "-").confidence,
            Confidence::Possible
        );
    }
}
