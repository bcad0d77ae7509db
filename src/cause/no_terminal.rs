//! A program wanted the terminal (a password, a choice, a window size) and its session has none, credentials(7).

use super::setting::{self, Wrong};
use super::{Case, Cause, Fix, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::sys::errno::Errno;
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
    setting::suspects(case, ID, wants_it, |_, _| Subject::Name("-".into()))
}

/// ENXIO is how the kernel answers a process without a controlling terminal that opens `/dev/tty`, tty(4).
fn wants_it(_: &Case, clue: &Clue) -> bool {
    clue.errno == Some(Errno::ENXIO) && clue.path.as_deref() == Some(Path::new("/dev/tty"))
}

fn check(case: &Case, _: &Suspect) -> Verdict {
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
    setting::verdict(case, wrong, "the session has a terminal", "there was no terminal")
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
    fn a_session_with_a_terminal_is_silence() {
        stage(34816).clue(Errno::ENXIO, Operation::Read, "/dev/tty").assert_silent(&CAUSE);
    }
}
