//! Messages that a saved log has left behind. A journal, a boot or a long build is full of what a program met and dealt with: a driver
//! without its device, a cache that is not there yet, a warning. What was followed by hundreds of lines of other work and by no word of an
//! end is not why that work ended. What lasts, as a full disk does, may be, however much was written after it.

use crate::clue::Clue;
use crate::clue::lines::page::Page;
use crate::sys::errno::Errno;

/// Lines behind a message from which on it is left behind: where a program says so in passing or calls it information.
const AFTER_REMARK: usize = 20;
/// Where the kernel says so, or what starts before anything else can keep a log (printk).
const AFTER_KERNEL: usize = 60;
/// Where it is called a warning.
const AFTER_WARNING: usize = 100;
/// Where it is an error.
const AFTER_ERROR: usize = 300;
/// Where nothing tells of another end: a service that wrote so much has gone on.
const AFTER_ANYTHING: usize = 1000;
/// Lines behind an error in which something ends because of it, and lines before it in which a trace begins.
const NEAR: usize = 25;
/// Last lines of a log that tell how it went on at its end.
const END: usize = 10;

/// Causes that are so for longer than one attempt takes.
const LASTING: &[&str] = &[
    "blocks-exhausted",
    "inodes-exhausted",
    "quota-exceeded",
    "thin-pool-full",
    "read-only-filesystem",
    "filesystem-damaged",
    "open-files-limit",
    "system-files-limit",
    "memory-limit",
];

/// Words for the end of a program, of a step or of a unit, in small letters.
const ENDS: &[&str] = &[
    "*** [",
    "aborted",
    "aborting",
    "build failed",
    "command failed",
    "core dumped",
    "exit code",
    "exit status",
    "exited with",
    "exiting",
    "failed to start",
    "failed with",
    "failure",
    "fatal",
    "giving up",
    "non-zero",
    "panic",
    "returned 1",
    "shutting down",
    "terminating",
];

/// Words for an error: in a journal one more line of a program that goes on, elsewhere mostly the last.
const ERRORS: &[&str] = &["error:", "err!"];

/// Bytes of a line in which its speaker is named.
const HEAD: usize = 120;

/// Words with which a program shows where it was when it failed.
const TRACES: &[&str] = &["backtrace", "stack trace", "traceback"];

/// Whether a log went on after a message for so long that it is not why it ended.
pub fn is_left_behind(page: &Page, line: usize, clue: &Clue) -> bool {
    let behind = page.lines_behind(line);
    let is_remark = clue.passing && !page.is_harmless(line);
    match () {
        () if behind < AFTER_REMARK => false,
        () if is_remark => true,
        () if is_lasting(clue) => false,
        () if clue.passing => true,
        () if page.is_of_kernel(line) => behind >= AFTER_KERNEL,
        () if page.is_warning(line) => behind >= AFTER_WARNING,
        () => behind >= AFTER_ERROR && !ends_near(page, line) && has_another_end(page, line, behind),
    }
}

/// Whether a failure is about what does not pass by itself.
fn is_lasting(clue: &Clue) -> bool {
    use Errno::{EDQUOT, EIO, EMFILE, ENFILE, ENOMEM, ENOSPC, EROFS, ESTALE, EUCLEAN};
    let errno = clue.errno.is_some_and(|errno| {
        matches!(errno, EDQUOT | EIO | EMFILE | ENFILE | ENOMEM | ENOSPC | EROFS | ESTALE | EUCLEAN)
    });
    let first = clue.suspects.first().map(String::as_str).unwrap_or_default();
    // What the kernel tells when it kills for want of memory; a signal alone is sent by anybody.
    let is_of_memory = || first == "out-of-memory" && clue.line.to_lowercase().contains("memory");
    errno || LASTING.contains(&first) || is_of_memory()
}

/// Whether a line holds one of these words, which are in small letters, whatever its own are.
fn has(line: &[u8], words: &[&str]) -> bool {
    let line = String::from_utf8_lossy(line).to_lowercase();
    words.iter().any(|words| line.contains(words))
}

/// Whether a log ended otherwise: with a failure of its own, or with a program that was well. A journal has no end; of another log that only
/// stops, the one error in it may be why.
fn has_another_end(page: &Page, line: usize, behind: usize) -> bool {
    speaker(page.body(line)).is_some()
        || page.log_end(line, NEAR).any(is_end)
        || page.ends_harmless(line, END)
        || behind >= AFTER_ANYTHING
}

fn is_end(said: &[u8]) -> bool {
    has(said, ENDS) || has(said, ERRORS)
}

/// Whether something ends soon after a message, or the message is a part of a trace.
fn ends_near(page: &Page, line: usize) -> bool {
    // A journal has many who speak: what another says ends nothing here, but for what starts them all and names them.
    let (near, before) = (|| page.of_same_job(line, true).take(NEAR), || page.of_same_job(line, false).take(NEAR));
    match speaker(page.body(line)) {
        Some(name) => {
            let is_about = |other: &[u8]| memchr::memmem::find(other, name).is_some();
            near().any(|said| is_about(said) && has(said, ENDS))
                || before().any(|said| is_about(said) && has(said, TRACES))
        }
        None => near().any(is_end) || before().any(|said| has(said, TRACES)),
    }
}

/// Who says a line of a journal: `May  6 07:08:09 host name[123]: text`.
fn speaker(line: &[u8]) -> Option<&[u8]> {
    let end = memchr::memmem::find(&line[..line.len().min(HEAD)], b"]: ")?;
    let number = line[..end].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let name = line[..end - number].strip_suffix(b"[").filter(|_| number > 0)?;
    name.rsplit(|byte| *byte == b' ').next().filter(|name| name.len() > 2)
}

#[cfg(test)]
mod tests {
    use crate::clue::{Library, Said};
    use crate::machine::Surroundings;
    use crate::transcript::Transcript;

    /// Whether the message of a log was left behind.
    fn is_left_behind(before: &str, message: &str, behind: &str, lines: usize) -> bool {
        is_left_behind_in(&format!("{before}{message}\n{}", behind.repeat(lines)), message)
    }

    fn is_left_behind_in(log: &str, message: &str) -> bool {
        let (transcript, surroundings) = (Transcript::whole(log.as_bytes().to_vec()), Surroundings::default());
        let said = Said { transcript: &transcript, command: &[], surroundings: &surroundings, machine: None };
        let clues = Library::builtin().clues(&said);
        let clue = clues.iter().find(|clue| message.contains(&clue.line));
        clue.unwrap_or_else(|| panic!("{message}: {clues:?}")).left_behind
    }

    const MISSING: &str = "cat: /srv/a.ini: No such file or directory";
    const FULL: &str = "cp: error writing '/srv/a': No space left on device";

    #[test]
    fn an_error_is_left_behind_by_hundreds_of_lines_and_another_end() {
        let log = |lines| format!("{MISSING}\n{}a.c:1: error: x\n", "cc -c a.c\n".repeat(lines));
        assert!(is_left_behind_in(&log(400), MISSING));
        assert!(!is_left_behind_in(&log(200), MISSING));
        assert!(!is_left_behind("", MISSING, "cc -c a.c\n", 400), "the log only stops");
        assert!(is_left_behind("", MISSING, "2024-05-06 07:08:09 INFO  app: served\n", 400), "it was well");
        assert!(is_left_behind("", MISSING, "cc -c a.c\n", 1100), "so much was done");
        assert!(!is_left_behind("", MISSING, "make: *** [all] Error 1\ncc -c a.c\n", 400));
        assert!(!is_left_behind("Traceback (most recent call last):\n", MISSING, "cc -c a.c\n", 400));
    }

    #[test]
    fn what_lasts_is_never_left_behind() {
        assert!(!is_left_behind("", FULL, "cc -c a.c\n", 1000));
        assert!(!is_left_behind(
            "",
            "[    1.123456] Out of memory: Killed process 12 (cc1plus)",
            "[    2.123456] x\n",
            1000
        ));
    }

    #[test]
    fn warnings_information_and_the_log_of_the_kernel_are_left_behind_sooner() {
        assert!(is_left_behind("", "W: open /srv/a: No such file or directory", "x\n", 110));
        assert!(is_left_behind("", "INFO: open /srv/a: No such file or directory", "x\n", 30));
        assert!(is_left_behind("", "[    1.123456] x: failed to open /srv/a: No such file or directory", "x\n", 70));
        assert!(!is_left_behind("", "ERROR: open /srv/a: No such file or directory", "x\n", 110));
    }

    #[test]
    fn in_a_journal_the_end_of_another_ends_nothing() {
        let (first, rest) =
            ("May  6 07:08:09 host app[12]: open /srv/a: No such file or directory", "May  6 07:08:09 host");
        assert!(is_left_behind("", first, &format!("{rest} other[3]: fatal\n"), 400));
        assert!(is_left_behind("", first, &format!("{rest} app[12]: a.qml:3: TypeError: x\n"), 400));
        assert!(!is_left_behind("", first, &format!("{rest} app[12]: fatal\n"), 400));
        assert!(!is_left_behind("", first, &format!("{rest} systemd[1]: app.service: exited with 1\n"), 400));
    }
}
