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
    let is_of_interpreter = clue.line.contains("bad interpreter") || clue.line.contains("env:");
    !is_of_interpreter && (clue.suspects(ID) || shows(clue))
}

fn shows(clue: &Clue) -> bool {
    [r"$'\r'", r"\r'", r"\r: ", "\u{feff}", r"\357\273\277", "^M"].iter().any(|mark| clue.line.contains(mark))
}

/// Whether a name is one that a mark at the beginning of a text or a carriage return at the end of a line has made.
pub(super) fn is_made(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.starts_with("\u{feff}".as_bytes()) || name.ends_with(b"\r")
}

/// Words of readers that take a mark: of XML (XML 1.0, 4.3.3) and YAML (YAML 1.2, 5.2; libyaml, src/scanner.c).
const TAKING: &[&str] =
    &["xml", "expat", "well-formed", "yaml", "while parsing", "while scanning", "did not find expected"];

/// Whether a message that was not understood is about the first character of a text, where a mark of one letter is in the way. Of the first
/// line alone much else may be wrong: most readers take the mark.
fn is_at_the_beginning(clue: &Clue) -> bool {
    let line = clue.line.to_ascii_lowercase();
    let mut words = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    let (mut is_first_line, mut column, mut is_at_start) = (false, None, false);
    while let Some(word) = words.next() {
        let number = words.peek().and_then(|next| next.parse::<u64>().ok());
        match (word, number) {
            ("line", Some(line)) => is_first_line = line == 1,
            ("col" | "column", Some(number)) => column = Some(number),
            ("position" | "offset" | "char" | "character" | "index", Some(number)) => is_at_start |= number == 0,
            _ => {}
        }
    }
    !TAKING.iter().any(|word| line.contains(word))
        && (is_at_start || is_first_line && column.is_some_and(|column| column <= 1))
}

/// Whether a message is one of contents that were not understood, which may as well be a program's: it shows neither a mark nor a return. Most
/// readers take line ends of both kinds, and many a mark of one letter; wide text hardly any takes.
fn is_guessed(clue: &Clue) -> bool {
    clue.suspects("wrong-architecture") && !shows(clue)
}

/// The file that a shell names with the line number: `x.sh: line 2: …`, `x.sh: 2: …`, `E: x.sh[2]: …` of mksh.
fn in_line(case: &Case, clue: &Clue) -> Option<PathBuf> {
    let (file, rest) = clue.line.strip_prefix("E: ").unwrap_or(&clue.line).split_once(": ")?;
    let bracketed = file.strip_suffix(']').and_then(|file| file.rsplit_once('['));
    let is_placed = bracketed.is_some_and(|(_, line)| line.bytes().all(|byte| byte.is_ascii_digit()))
        || rest.starts_with("line ")
        || rest.starts_with(|c: char| c.is_ascii_digit());
    let file = bracketed.map_or(file, |(file, _)| file);
    let place = case.resolve(Path::new(file)).filter(|_| is_placed)?;
    place.missing.as_os_str().is_empty().then_some(place.existing)
}

/// Whether a message is explained by the line ends of the file that says it: what it names ends in a carriage return therefore.
pub(super) fn explains(case: &Case, index: usize) -> bool {
    let mut of_message = suspects(case).into_iter().filter(|suspect| suspect.clue == Some(index));
    of_message.any(|suspect| matches!(check(case, &suspect), Verdict::Found(_)))
}

/// What refutes it.
const NEITHER: &str = "it has neither a byte order mark nor CR LF line ends";

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(file) = suspect.subject.path() else { return Verdict::Unknown("no path".into()) };
    let form = case.machine.form(file);
    let is_guess = suspect.clue.is_some_and(|index| is_guessed(&case.clues[index]));
    let is_at_the_beginning = || suspect.clue.is_some_and(|index| is_at_the_beginning(&case.clues[index]));
    let counts =
        |form: &&Form| !is_guess || form.mark.as_deref().is_some_and(|mark| mark != "UTF-8" || is_at_the_beginning());
    match form.as_ref().ok().filter(counts).and_then(|form| what(case, file, form)) {
        Some((what, fix)) => {
            let mut finding = found(case, suspect, file, &what, fix);
            if is_guess {
                finding.confidence = Confidence::Likely;
            }
            Verdict::Found(Box::new(finding))
        }
        None if case.mode == Mode::Log => {
            refused::verdict(case, suspect, "may have a byte order mark or CR LF line ends", |_, _| None)
        }
        None => form.map_or_else(
            |unknown| Verdict::Unknown(unknown.to_string()),
            |_| {
                Verdict::RuledOut(
                    if is_guess {
                        "it is no wide text, and the message is not about a mark at its beginning"
                    } else {
                        NEITHER
                    }
                    .into(),
                )
            },
        ),
    }
}

/// What it has, and the command that takes it away.
fn what(case: &Case, file: &Path, form: &Form) -> Option<(String, String)> {
    let quoted = case.quoted(file);
    match form.mark.as_deref() {
        Some("UTF-8") => {
            Some(("begins with a UTF-8 byte order mark".into(), format!(r"sed -i '1s/^\xEF\xBB\xBF//' {quoted}")))
        }
        Some(mark) => {
            let mut beside = file.as_os_str().to_owned();
            beside.push(".utf8");
            let beside = case.quoted(Path::new(&beside));
            // Without LE or BE, iconv(1) takes the mark for one and leaves it out. What is copied keeps owner and mode.
            let from = mark.trim_end_matches("LE").trim_end_matches("BE");
            let fix = format!("iconv -f {from} -t UTF-8 {quoted} >{beside} && cp {beside} {quoted} && rm {beside}");
            Some((format!("is {mark} text"), fix))
        }
        None if form.carriage_returns => Some(("has CR LF line ends".into(), format!(r"sed -i 's/\r$//' {quoted}"))),
        None => None,
    }
}

fn found(case: &Case, suspect: &Suspect, file: &Path, what: &str, fix: String) -> Finding {
    let (at, quoted) = (file.display(), case.quoted(file));
    let headline = format!("{at} {what}");
    let summary = format!("{headline}, and what reads it takes them for contents.");
    let mut finding = refused::found(case, suspect, headline, summary);
    (finding.confidence, finding.seen) = (Confidence::Verified, Some(Seen::Now));
    finding
        .evidence
        .push(Evidence::probe(format!("it {what}")).check(format!("head -c 64 {quoted} | od -c | head -5")));
    finding.fixes.push(Fix::lasting("takes them away").command(fix));
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
    fn what_is_not_understood_is_wide_text_and_nothing_less() {
        let of = |form| {
            let mut stage = stage("parse error: Invalid numeric literal at line 1, column 3", form);
            stage.clues[0].path = Some("x.sh".into());
            stage.clues[0].suspects = vec!["wrong-architecture".into(), ID.into()];
            stage
        };
        let marked = |mark: &str| Form { mark: Some(mark.into()), ..Form::default() };
        let finding = of(marked("UTF-16LE")).finding(&CAUSE, "/home/u/x.sh");
        assert_eq!(finding.confidence, Confidence::Likely);
        assert_eq!(
            finding.fixes[0].command.as_deref(),
            Some(
                "iconv -f UTF-16 -t UTF-8 /home/u/x.sh >/home/u/x.sh.utf8 && cp /home/u/x.sh.utf8 /home/u/x.sh && rm /home/u/x.sh.utf8"
            )
        );
        of(marked("UTF-8")).assert_silent(&CAUSE);
        of(Form { carriage_returns: true, ..Form::default() }).assert_silent(&CAUSE);
    }

    #[test]
    fn a_mark_is_in_the_way_of_the_first_character_and_of_no_other() {
        let is_found = |line: &str, mark: Option<&str>| {
            let mut stage = stage(line, Form { mark: mark.map(Into::into), ..Form::default() });
            stage.clues[0].path = Some("x.sh".into());
            stage.clues[0].suspects = vec!["wrong-architecture".into(), ID.into()];
            !stage.found(&CAUSE).is_empty()
        };
        let utf8 = Some("UTF-8");
        for line in [
            "SyntaxError: unexpected token in JSON at position 0",
            "invalid character at line 1 column 1",
            "parse error: expected value (line 1, col 1)",
        ] {
            assert!(is_found(line, utf8) && !is_found(line, None), "{line}");
        }
        for line in [
            "unexpected token in JSON at position 10",
            "invalid character at line 1 column 7",
            "x.sh: line 1: parse error",
            "x.sh: line 12: parse error",
            "x.sh:1:1: error: unknown token",
            "not well-formed (invalid token): line 1, column 1",
            "did not find expected key while parsing a block mapping at line 1 column 1",
        ] {
            assert!(!is_found(line, utf8), "{line}");
        }
    }

    #[test]
    fn a_script_that_mksh_names_with_a_bracket_is_found() {
        let mut stage = stage("E: x.sh[2]: ls", Form { carriage_returns: true, ..Form::default() });
        stage.clues[0].operation = Some(Operation::Execute);
        assert_eq!(stage.finding(&CAUSE, "/home/u/x.sh").confidence, Confidence::Verified);
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
