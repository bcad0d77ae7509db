//! A program wanted the terminal (a password, a choice, a window size) and its session has none, credentials(7).

use super::setting::{self, Wrong};
use super::{Case, Cause, Confidence, Fix, Mode, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::sys::errno::Errno;
use std::ffi::OsString;
use std::path::Path;

const ID: &str = "no-terminal";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/no-terminal.md"),
    suspects,
    covers: &["device-missing", "missing-path"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let mut suspects = setting::suspects(case, ID, wants_it, |_, _| Subject::Name("-".into()));
    suspects.retain(|suspect| suspect.clue.is_none_or(|index| may_be_why(case, &case.clues[index])));
    suspects
}

fn may_be_why(case: &Case, clue: &Clue) -> bool {
    !is_about_a_file(clue) && !is_of_a_descriptor(clue) && (case.mode == Mode::Log || !is_end_of_input(clue))
}

/// Whether a program says it that may have read a file to its end: what the machine's state shows then is no proof.
fn is_end_of_input(clue: &Clue) -> bool {
    clue.line.to_lowercase().contains("eof when reading a line")
}

/// ENXIO is how the kernel answers a process without a controlling terminal that opens `/dev/tty`, tty(4). Some tell no reason.
fn wants_it(_: &Case, clue: &Clue) -> bool {
    matches!(clue.errno, None | Some(Errno::ENXIO)) && clue.path.as_deref() == Some(Path::new("/dev/tty"))
}

/// ENOTTY answers every ioctl(2) that a file does not know, and most are no terminal's.
fn is_about_a_file(clue: &Clue) -> bool {
    let is_of_terminals =
        |path: &Path| path.starts_with("/dev/tty") || path.starts_with("/dev/pts") || path.starts_with("/dev/console");
    let named = clue.path.as_deref().filter(|path| path.as_os_str().as_encoded_bytes().contains(&b'/'));
    clue.errno == Some(Errno::ENOTTY) && named.is_some_and(|path| !is_of_terminals(path))
}

/// Whether a call is told with a descriptor that the program opened itself, as socat does: `tcgetattr(5, 0x55d2)`.
fn is_of_a_descriptor(clue: &Clue) -> bool {
    let told = clue.line.split_once("tcgetattr(").and_then(|(_, told)| told.split([',', ')']).next());
    told.and_then(|number| number.parse().ok()).is_some_and(|number: u32| number > 2)
}

/// Words of a terminal, or of what one is asked for; the last ones are calls.
const WORDS: &[&str] =
    &["tty", "terminal", "stdin", "standard input", "pass", "pinentry", "signing", "tcgetattr", "setraw"];
/// Programs that are nothing without a terminal.
const SCREENS: &[&str] =
    &["dialog", "fzf", "htop", "less", "mc", "nano", "screen", "stty", "tmux", "top", "vi", "vim", "whiptail"];

/// How sure it is that the message is about the terminal. ENOTTY answers calls on files of all kinds: the line must speak of one, or
/// the command be one that wants one.
fn confidence(case: &Case, clue: &Clue) -> Confidence {
    let says = |text: &str| WORDS.iter().any(|word| text.contains(word));
    let is_sure = clue.errno != Some(Errno::ENOTTY) || says(&clue.line.to_lowercase());
    let wants = || {
        let name = |word: &OsString| {
            Path::new(word).file_name().is_some_and(|name| SCREENS.iter().any(|known| name == *known))
        };
        case.command.iter().any(|word| name(word) || says(&word.to_string_lossy()))
    };
    match () {
        () if is_sure && !clue.vague => Confidence::Verified,
        () if is_sure || wants() => Confidence::Likely,
        () => Confidence::Possible,
    }
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let terminal = match case.machine.controlling_terminal() {
        Ok(terminal) => terminal,
        Err(unknown) => return Verdict::Unknown(unknown.to_string()),
    };
    let wrong = (terminal == 0).then(|| Wrong {
        headline: "the command wanted a terminal and there is none".to_owned(),
        fact: "the command's session has no terminal, as in CI jobs, cron, services and `ssh host command`".to_owned(),
        check: "ps -o tty= -p $$".to_owned(),
        fixes: vec![
            Fix::lasting("give the answer beforehand: an option such as --yes or --batch, a variable, a key without a passphrase"),
            Fix { text: "or lend it a terminal: `ssh -t`, `docker run -t`".to_owned(), command: None, lasting: false },
        ],
    });
    let mut verdict = setting::verdict(case, wrong, "the session has a terminal", "there was no terminal");
    if let Verdict::Found(finding) = &mut verdict
        && let Some(index) = suspect.clue
    {
        finding.confidence = finding.confidence.min(confidence(case, &case.clues[index]));
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n";

    fn stage(terminal: i32) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.knows("controlling terminal", Ok(terminal));
        stage
    }

    #[test]
    fn a_password_prompt_without_a_terminal_is_explained() {
        let mut stage = stage(0);
        stage.clue(Errno::ENXIO, Operation::Read, "/dev/tty");
        let verdicts = stage.verdicts(&CAUSE);
        assert!(matches!(&verdicts[0].1, Verdict::Found(_)), "{verdicts:?}");
    }

    #[test]
    fn a_file_that_does_not_know_a_call_is_silence() {
        let mut stage = stage(0);
        stage.add(|clue| {
            (clue.errno, clue.path, clue.suspects) =
                (Some(Errno::ENOTTY), Some("/srv/disk.img".into()), vec![ID.into()]);
        });
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn a_call_on_a_file_that_the_program_opened_is_silence() {
        for (line, is_named) in [("E tcgetattr(5, 0x55d2): no", false), ("E tcgetattr(0, 0x55d2): no", true)] {
            let mut stage = stage(0);
            stage.add(|clue| {
                (clue.errno, clue.line, clue.suspects) = (Some(Errno::ENOTTY), line.into(), vec![ID.into()]);
            });
            assert_eq!(stage.verdicts(&CAUSE).is_empty(), !is_named, "{line}");
        }
    }

    #[test]
    fn an_end_of_input_is_possible_of_a_log_and_nothing_of_a_run() {
        for (mode, is_named) in [(Mode::Run, false), (Mode::Log, true)] {
            let mut stage = stage(0);
            stage.mode = mode;
            stage
                .add(|clue| (clue.line, clue.suspects) = ("EOFError: EOF when reading a line".into(), vec![ID.into()]));
            let found = stage.verdicts(&CAUSE);
            let found = found.iter().any(|(_, verdict)| matches!(verdict, Verdict::Found(_)));
            assert_eq!(found, is_named, "{mode:?}");
        }
    }

    #[test]
    fn a_session_with_a_terminal_is_silence() {
        stage(34816).clue(Errno::ENXIO, Operation::Read, "/dev/tty").assert_silent(&CAUSE);
    }
}
