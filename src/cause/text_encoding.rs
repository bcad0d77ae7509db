//! A text file has CR LF line ends or a byte order mark, and what reads it takes them for contents: a shell, a JSON parser.

use super::empty_or_truncated_file::files;
use super::refused;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::machine::Form;
use std::path::{Path, PathBuf};

const ID: &str = "text-encoding";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/text-encoding.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    let suspects = case.clues.iter().enumerate().flat_map(|(index, clue)| {
        let files = spoken_of(case, clue);
        files.into_iter().map(move |file| Suspect { subject: Subject::Path(file), clue: Some(index), touched: true })
    });
    suspects.collect()
}

/// The files of a message that shows it, and the script of one in which a shell did not find what a carriage return had made another name:
/// dash writes the return as it is.
fn spoken_of(case: &Case, clue: &Clue) -> Vec<PathBuf> {
    let script = in_line(case, clue);
    if speaks_of_it(clue) {
        return script.map_or_else(|| files(case, clue), |script| vec![script]);
    }
    let is_not_found = matches!(clue.operation, Some(Operation::Execute | Operation::Chdir));
    script.filter(|_| is_not_found && case.mode == Mode::Run).into_iter().collect()
}

/// Whether a message shows a mark or a carriage return where none belongs. That a `#!` line ends in one is another cause.
fn speaks_of_it(clue: &Clue) -> bool {
    let line = clue.line.as_str();
    let is_of_interpreter = line.contains("bad interpreter") || line.contains("env:");
    let shows = [r"$'\r'", r"\r'", r"\r: ", "\u{feff}", r"\357\273\277", "^M"].iter().any(|mark| line.contains(mark));
    !is_of_interpreter && (clue.suspects(ID) || shows)
}

/// The file that a shell names before the line number: `x.sh: line 2: …`.
fn in_line(case: &Case, clue: &Clue) -> Option<PathBuf> {
    let (file, rest) = clue.line.split_once(": ")?;
    let place = case
        .resolve(Path::new(file))
        .filter(|_| rest.starts_with("line ") || rest.starts_with(|c: char| c.is_ascii_digit()))?;
    place.missing.as_os_str().is_empty().then_some(place.existing)
}

/// Whether a message is explained by the line ends of the file that says it: what it names ends in a carriage return therefore.
pub(super) fn explains(case: &Case, index: usize) -> bool {
    let mut of_message = suspects(case).into_iter().filter(|suspect| suspect.clue == Some(index));
    of_message.any(|suspect| matches!(check(case, &suspect), Verdict::Found(_)))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(file) = suspect.subject.path() else { return Verdict::Unknown("no path".into()) };
    let form = case.machine.form(file);
    match form.as_ref().ok().and_then(what) {
        Some((what, fix)) => Verdict::Found(Box::new(found(case, suspect, file, &what, &fix))),
        None if case.mode == Mode::Log => {
            refused::verdict(case, suspect, "may have a byte order mark or CR LF line ends", |_, _| None)
        }
        None => form.map_or_else(
            |unknown| Verdict::Unknown(unknown.to_string()),
            |_| Verdict::RuledOut("it has neither a byte order mark nor CR LF line ends".into()),
        ),
    }
}

/// What it has, and the command that takes it away, to be followed by the file.
fn what(form: &Form) -> Option<(String, String)> {
    match form.mark.as_deref() {
        Some("UTF-8") => Some(("begins with a UTF-8 byte order mark".into(), r"sed -i '1s/^\xEF\xBB\xBF//'".into())),
        Some(mark) => Some((
            format!("is {mark} text"),
            format!("iconv -f {} -t UTF-8", mark.trim_end_matches("LE").trim_end_matches("BE")),
        )),
        None if form.carriage_returns => Some(("has CR LF line ends".into(), r"sed -i 's/\r$//'".into())),
        None => None,
    }
}

fn found(case: &Case, suspect: &Suspect, file: &Path, what: &str, fix: &str) -> Finding {
    let (at, quoted) = (file.display(), case.quoted(file));
    let headline = format!("{at} {what}");
    let summary = format!("{headline}, and what reads it takes them for contents.");
    let mut finding = refused::found(case, suspect, headline, summary);
    (finding.confidence, finding.seen) = (Confidence::Verified, Some(Seen::Now));
    finding
        .evidence
        .push(Evidence::probe(format!("it {what}")).check(format!("head -c 64 {quoted} | od -c | head -5")));
    finding.fixes.push(Fix::lasting("takes them away").command(format!("{fix} {quoted}")));
    finding.fixes.push(Fix::lasting("in a git repository: `* text=auto eol=lf` in .gitattributes keeps them out"));
    finding
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::Kind;

    fn stage(line: &str, form: Form) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
        stage.stat("/home/u/x.sh", Kind::Regular, |_| {}).knows("form /home/u/x.sh", Ok(form));
        stage.add(|clue| clue.line = line.into());
        stage
    }

    const RETURNED: &str = r"x.sh: line 2: $'\r': command not found";

    #[test]
    fn the_script_with_carriage_returns_is_named() {
        let finding =
            stage(RETURNED, Form { carriage_returns: true, ..Form::default() }).finding(&CAUSE, "/home/u/x.sh");
        assert_eq!(finding.fixes[0].command.as_deref(), Some(r"sed -i 's/\r$//' /home/u/x.sh"));
    }

    #[test]
    fn a_mark_is_taken_away_by_its_bytes() {
        let finding =
            stage(RETURNED, Form { mark: Some("UTF-8".into()), ..Form::default() }).finding(&CAUSE, "/home/u/x.sh");
        assert_eq!(finding.headline, "/home/u/x.sh begins with a UTF-8 byte order mark");
    }

    #[test]
    fn a_plain_file_is_silence() {
        stage(RETURNED, Form::default()).assert_silent(&CAUSE);
    }

    #[test]
    fn a_name_that_a_return_has_changed_is_looked_for_in_the_script_that_has_it() {
        let of = |operation, form| {
            let mut stage = stage("x.sh: 1: ls: not found", form);
            stage.clues[0].operation = Some(operation);
            stage
        };
        let returns = Form { carriage_returns: true, ..Form::default() };
        assert_eq!(
            of(Operation::Execute, returns.clone()).finding(&CAUSE, "/home/u/x.sh").confidence,
            Confidence::Verified
        );
        of(Operation::Read, returns).assert_silent(&CAUSE);
        of(Operation::Execute, Form::default()).assert_silent(&CAUSE);
    }

    #[test]
    fn an_interpreter_with_a_return_is_another_cause() {
        let form = Form { carriage_returns: true, ..Form::default() };
        stage("x.sh: /bin/sh^M: bad interpreter", form).assert_silent(&CAUSE);
    }
}
