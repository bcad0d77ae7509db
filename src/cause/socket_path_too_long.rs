//! The path of a Unix socket has at most 107 bytes, `sun_path` of unix(7), far fewer than a file's: deep temporary and home directories
//! break gpg-agent, ssh's control sockets and test servers.

use super::refused;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::machine::Kind;
use crate::sys::errno::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const ID: &str = "socket-path-too-long";

/// `sun_path` without the final NUL.
const LONGEST: usize = 107;
/// `PATH_MAX` with the final NUL, and `NAME_MAX`, limits.h of the kernel: what is longer is no file's either.
const LONGEST_OF_A_FILE: usize = 4096;
const LONGEST_NAME: usize = 255;

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/socket-path-too-long.md"),
    suspects,
    covers: &["name-too-long", "socket-missing"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let named = case.clues.iter().enumerate().filter(|(_, clue)| may_be(clue) || is_no_file_s(case, clue));
    let suspect = |(index, clue): (usize, &Clue)| {
        let subject = Subject::Path(socket(case, clue)?);
        Some(Suspect { subject, clue: Some(index), touched: true })
    };
    named.filter_map(suspect).collect()
}

fn may_be(clue: &Clue) -> bool {
    let is_too_long = matches!(clue.errno, Some(Errno::ENAMETOOLONG | Errno::EINVAL));
    let is_socket = matches!(clue.operation, Some(Operation::Bind | Operation::Connect));
    // Some programs cut the path and then do not find the rest of it.
    let may_be_cut = clue.errno == Some(Errno::ENOENT) && clue.path.as_deref().is_some_and(is_too_long_for_a_socket);
    let is_unnamed = clue.path.is_none() && clue.errno == Some(Errno::ENAMETOOLONG);
    clue.suspects(ID) || is_socket && (is_too_long || may_be_cut) || is_unnamed
}

/// Whether a path of which a message says ENAMETOOLONG is one that a file may have: then it was a socket's.
fn is_no_file_s(case: &Case, clue: &Clue) -> bool {
    let is_it = |path: &PathBuf| {
        let is_reached = case.resolve(path).is_some_and(|found| found.missing.components().count() <= 1);
        is_too_long_for_a_socket(path) && fits_a_file(path) && is_reached
    };
    clue.errno == Some(Errno::ENAMETOOLONG)
        && clue.path.as_ref().is_some_and(is_it)
        && refused::tried(case, clue).is_none()
}

fn is_too_long_for_a_socket(path: &Path) -> bool {
    path.as_os_str().len() > LONGEST
}

/// The socket that a message names, or the agent's in the home directory that gpg was given; else the path of the command line that is too
/// long for a socket and not for a file.
fn socket(case: &Case, clue: &Clue) -> Option<PathBuf> {
    let is_gpg = clue.line.contains("gpg");
    let of_gpg = is_gpg.then(|| homedir(case)).flatten().map(|home| refused::absolute(case, &home).join("S.gpg-agent"));
    of_gpg
        .or_else(|| clue.path.clone().filter(|_| !is_gpg))
        .or_else(|| of_command(case).filter(|_| clue.path.is_none()))
}

fn of_command(case: &Case) -> Option<PathBuf> {
    let is_a_path = |path: &&Path| path.as_os_str().as_encoded_bytes().contains(&b'/');
    command_line::paths_of(case.command)
        .filter(is_a_path)
        .map(without_kind)
        .filter(|path| fits_a_file(path))
        .find(|path| is_too_long_for_a_socket(path))
        .map(Path::to_owned)
}

/// The path of an address that begins with its kind: `UNIX-CONNECT:/x` of socat(1), `unix:///x`, `unix:path=/x` of D-Bus.
fn without_kind(address: &Path) -> &Path {
    let bytes = address.as_os_str().as_bytes();
    let slash = bytes.iter().position(|byte| *byte == b'/');
    let begin = slash.filter(|slash| matches!(bytes[..*slash].last(), Some(b':' | b'=')));
    let path = begin.map_or(bytes, |slash| &bytes[slash..]);
    Path::new(OsStr::from_bytes(path.strip_prefix(b"//").unwrap_or(path)))
}

fn fits_a_file(path: &Path) -> bool {
    path.as_os_str().len() < LONGEST_OF_A_FILE && path.components().all(|part| part.as_os_str().len() <= LONGEST_NAME)
}

fn homedir(case: &Case) -> Option<PathBuf> {
    let words: Vec<&str> = case.command.iter().filter_map(|word| word.to_str()).collect();
    let of_option = words.iter().position(|word| *word == "--homedir").and_then(|at| words.get(at + 1).copied());
    let joined = || words.iter().find_map(|word| word.strip_prefix("--homedir="));
    of_option.or_else(joined).map(PathBuf::from).or_else(|| case.surroundings().directory("GNUPGHOME"))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(path) = suspect.subject.path() else { return Verdict::Unknown("no path".into()) };
    let length = path.as_os_str().len();
    if length <= LONGEST {
        return Verdict::RuledOut(format!("{length} bytes fit into {LONGEST}"));
    }
    Verdict::Found(Box::new(found(case, suspect, path, length)))
}

fn found(case: &Case, suspect: &Suspect, path: &Path, length: usize) -> Finding {
    // Of some programs it is known only in which directory they put it.
    let is_directory = case.machine.stat(path).is_ok_and(|stat| stat.kind == Kind::Directory);
    let (whose, what) =
        if is_directory { ("the directory of the socket alone", "directory") } else { ("the socket's path", "path") };
    let headline = format!("{whose} has {length} bytes, and {LONGEST} is the most");
    let summary =
        format!("The {what} of the socket, {}, has {length} bytes; a Unix socket takes {LONGEST}.", path.display());
    let mut finding = refused::found(case, suspect, headline, summary);
    // The bytes of a saved log are as many as they were; whether they are why it failed, nobody saw.
    let is_named = suspect.clue.is_some_and(|index| case.clues[index].path.is_some() || case.clues[index].suspects(ID));
    let confidence = if case.mode == Mode::Log || !is_named { Confidence::Likely } else { Confidence::Verified };
    (finding.confidence, finding.seen) = (confidence, Some(Seen::Now));
    let check = format!("printf %s {} | wc -c", case.quoted(path));
    finding.evidence.push(Evidence::probe(format!("{} has {length} bytes", path.display())).check(check));
    finding.fixes.push(Fix::lasting(
        "give it a shorter directory: TMPDIR=/tmp, GNUPGHOME, ControlPath ~/.ssh/%C, or a short link to this one",
    ));
    finding
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    fn stage(path: &str) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.add(|clue| (clue.path, clue.suspects) = (Some(path.into()), vec![ID.into()]));
        stage
    }

    #[test]
    fn bytes_are_counted() {
        let path = format!("/tmp/{}", "x".repeat(110));
        let finding = stage(&path).finding(&CAUSE, &path);
        assert_eq!(finding.headline, "the socket's path has 115 bytes, and 107 is the most");
    }

    #[test]
    fn the_agent_s_socket_lies_in_the_home_directory_of_gpg() {
        let mut stage = stage("~/.gnupg");
        stage.clues[0].line = "gpg: can't connect to the agent: IPC connect call failed".into();
        let home = format!("/tmp/{}", "x".repeat(100));
        stage.command = ["gpg", "--homedir", &home, "--gen-key"].map(Into::into).into();
        assert_eq!(stage.finding(&CAUSE, &format!("{home}/S.gpg-agent")).confidence, Confidence::Verified);
    }

    #[test]
    fn a_path_of_the_command_line_that_only_a_socket_cannot_have_is_likely() {
        let (fits_a_file, fits_nothing) = (format!("/tmp/{}/s", "x".repeat(110)), format!("/tmp/{}", "x".repeat(300)));
        let stage_of = |word: &str| {
            let mut stage = stage("");
            stage.clues[0] = Clue { errno: Some(Errno::ENAMETOOLONG), ..Clue::default() };
            stage.command = ["nc", "-lU", word].map(Into::into).into();
            stage
        };
        assert_eq!(stage_of(&fits_a_file).finding(&CAUSE, &fits_a_file).confidence, Confidence::Likely);
        stage_of(&fits_nothing).assert_silent(&CAUSE);
        stage_of("/tmp/s").assert_silent(&CAUSE);
    }

    #[test]
    fn a_path_that_fits_is_silence() {
        stage(&format!("/tmp/{}", "x".repeat(102))).assert_silent(&CAUSE);
    }
}
