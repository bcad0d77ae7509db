//! Which programs a failure to start concerns: what the causes of running a program have in common.

use super::spoken::tells_no_reason;
use super::starts;
use crate::cause::{Case, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::machine::Executable;
use crate::outcome::Outcome;
use crate::probe::programs::{Lookup, Obstacle, Refusal, Shebang, has_execute_bit, lookup, obstacle};
use crate::probe::walk::{Attempt, Why, walk};
use crate::sys::errno::{Errno, name};
use crate::text::shell_word;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What a cause of this kind looks for.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The cause's id.
    pub id: &'static str,
    /// What `execve(2)` answers then.
    pub answers: &'static [Errno],
}

/// The programs that may have failed to start for this cause: the command itself, and those that clues name.
#[must_use]
pub fn suspects(case: &Case, kind: Kind) -> Vec<Suspect> {
    let mut suspects = Vec::new();
    let command = case.command.first().map(Path::new);
    if let Outcome::NotStarted { errno } = case.outcome
        && kind.answers.iter().any(|answer| name(*answer) == *errno)
        && let Some(file) = command.and_then(|command| file_of(case, command))
    {
        suspects.push(Suspect { subject: Subject::Path(file), clue: None, touched: true });
    }
    let about = case.clues.iter().enumerate().filter(|(_, clue)| is_about(clue, kind));
    suspects.extend(about.filter_map(|(index, clue)| {
        Some(Suspect { subject: subject(case, clue, kind)?, clue: Some(index), touched: true })
    }));
    // The command itself was started.
    let itself = command_file(case);
    suspects.extend(unsaid(case).into_iter().filter(|suspect| suspect.subject.path() != itself.as_deref()));
    suspects
}

/// The program of a clue; `-` where saved output says what was wrong and not with which program.
fn subject(case: &Case, clue: &Clue, kind: Kind) -> Option<Subject> {
    let named = match named(clue) {
        Some(name) => file_of(case, name).or_else(|| command_file(case)),
        None => argument(case, clue, kind).or_else(|| command_file(case)),
    };
    let may_be =
        |file: &PathBuf| clue.suspects(kind.id) || is_start(clue) || has_execute_bit(case.machine, file) == Some(true);
    let unnamed = || is_named_first(case, clue, kind.id).then(|| Subject::Name("-".into()));
    named.filter(may_be).map(Subject::Path).or_else(unnamed)
}

/// Whether saved output names this cause before others: the machine that it was written on may be another one.
fn is_named_first(case: &Case, clue: &Clue, id: &str) -> bool {
    case.mode == Mode::Log && clue.suspects.first().is_some_and(|first| first == id)
}

/// Whether a clue may be about this: its rule says so, or a program was started, or was named with an answer of `execve(2)`.
fn is_about(clue: &Clue, kind: Kind) -> bool {
    let is_answer = clue.errno.is_some_and(|errno| kind.answers.contains(&errno));
    let is_open = is_start(clue) && (is_answer || clue.errno.is_none()) || is_answer && may_be_start(clue);
    clue.suspects(kind.id) || is_open && !is_of_loader(clue)
}

/// Whether the loader said it: the program was started then.
#[must_use]
pub fn is_of_loader(clue: &Clue) -> bool {
    ["missing-shared-library", "library-too-old"].iter().any(|id| clue.suspects(id))
}

/// Whether a program was to be started.
#[must_use]
pub fn is_start(clue: &Clue) -> bool {
    clue.operation == Some(Operation::Execute) || clue.errno == Some(Errno::ENOEXEC)
}

/// Whether the message leaves open that a program was to be started: shells say of a program what others say of a file.
fn may_be_start(clue: &Clue) -> bool {
    matches!(clue.operation, None | Some(Operation::Read | Operation::Stat))
}

/// The program that a clue names.
fn named(clue: &Clue) -> Option<&Path> {
    let subject = clue.subject.as_deref().filter(|subject| subject.contains('/') && !subject.contains(".so"));
    clue.path.as_deref().or(subject.map(Path::new))
}

/// Where a message is about a start and names no program: the one that the command line names and that cannot be started, for this where it
/// says why.
fn argument(case: &Case, clue: &Clue, kind: Kind) -> Option<PathBuf> {
    let is_told = is_start(clue) && clue.errno.is_none_or(|errno| kind.answers.contains(&errno));
    let named = command_line::paths_of(case.command)
        .filter(|path| is_told && path.as_os_str().as_encoded_bytes().contains(&b'/'));
    let files: Vec<PathBuf> = named.filter_map(|path| file_of(case, path)).collect();
    let is_stopped = |file: &&PathBuf| {
        let met = obstacle(case.machine, file);
        met.is_some_and(|met| clue.errno.is_none_or(|said| met.answer() == Some(said)) && is_certain_stop(case, &met))
    };
    let is_program = |file: &&PathBuf| has_execute_bit(case.machine, file) == Some(true);
    let on_noexec = files.iter().find(|file| is_program(file) && is_on_noexec(case, file, clue));
    on_noexec.or_else(|| files.iter().find(is_stopped)).cloned()
}

/// Whether nothing but the mount below it refuses to execute a file, with the errno of a message.
fn is_on_noexec(case: &Case, file: &Path, clue: &Clue) -> bool {
    let attempt = Attempt { operation: Operation::Execute, path: file, other: None };
    let met = walk(case.machine, attempt).ok().and_then(|walked| walked.obstacle);
    met.is_some_and(|met| met.why == Why::NoExec && Some(met.errno()) == clue.errno)
}

/// Whether what stops a file would be a strange thing to meet in a file that is only read: a file without x bit is an ordinary one.
#[must_use]
pub fn is_certain_stop(case: &Case, met: &Obstacle) -> bool {
    let is_program =
        || matches!(case.machine.executable(&met.file), Ok(Executable::Elf(_) | Executable::Script { .. }));
    met.answer().is_some() && (!matches!(met.refusal, Refusal::NoExecuteBit(_)) || is_program())
}

/// The command itself: where a message names no program, as `env` does not name the script that asked for it, or a bare name that is not
/// found, its first line may be what asked for it.
fn command_file(case: &Case) -> Option<PathBuf> {
    file_of(case, Path::new(case.command.first()?))
}

/// The command itself, where it ended as a shell ends that was given a program it cannot read: execvp(3) hands to `sh` what the kernel
/// has no format for.
#[must_use]
pub fn misread(case: &Case) -> Option<Suspect> {
    let is_run = case.mode == Mode::Run && matches!(case.outcome, Outcome::Exited { code: 2 | 126 | 127 });
    let command = case.command.first().filter(|_| is_run)?;
    let file = file_of(case, Path::new(command)).filter(|file| obstacle(case.machine, file).is_some())?;
    Some(Suspect { subject: Subject::Path(file), clue: None, touched: true })
}

/// The command itself, and the programs of its command line that cannot be started, where it ended as the loader or a shell ends such a
/// program, and nothing was said; those that its program text starts, where it said only that something failed.
#[must_use]
pub fn unsaid(case: &Case) -> Vec<Suspect> {
    if tells_no_reason(case) {
        return starts::stopped(case);
    }
    let is_silent = case.clues.is_empty() && matches!(case.outcome, Outcome::Exited { code: 126 | 127 });
    if !is_silent {
        return Vec::new();
    }
    let command = command_file(case);
    let has_slash = |path: &&Path| path.as_os_str().as_encoded_bytes().contains(&b'/');
    let named = command_line::paths_of(case.command).filter(has_slash).filter_map(|path| file_of(case, path));
    let is_stopped =
        |file: &PathBuf| has_execute_bit(case.machine, file) == Some(true) && obstacle(case.machine, file).is_some();
    let files = command.into_iter().chain(named.filter(is_stopped));
    files.map(|file| Suspect { subject: Subject::Path(file), clue: None, touched: true }).collect()
}

/// A finding about a program of which nobody said that it could not be started, unless it is the command itself: it is so, and may not be why.
#[must_use]
pub fn as_sure_as_said(case: &Case, suspect: &Suspect, finding: Finding) -> Finding {
    let is_told = suspect.clue.is_some_and(|index| !case.clues[index].vague);
    let is_certain = is_told || command_file(case).as_deref() == suspect.subject.path();
    let confidence = if is_certain { finding.confidence } else { finding.confidence.min(Confidence::Likely) };
    Finding { confidence, ..finding }
}

/// The file that a program's name means: with a slash from the working directory, else through `PATH`.
#[must_use]
pub fn file_of(case: &Case, program: &Path) -> Option<PathBuf> {
    if program.as_os_str().as_encoded_bytes().contains(&b'/') {
        return Some(case.surroundings().cwd.join(program).components().collect());
    }
    match lookup(case.machine, program.as_os_str()) {
        Lookup::Found(file) | Lookup::Refused(file) => Some(file),
        Lookup::Nowhere => None,
    }
}

/// The program that a script's first line leads to, through `env`.
#[must_use]
pub fn interpreter(case: &Case, line: &[u8]) -> Option<PathBuf> {
    let shebang = Shebang::parse(line)?;
    match shebang.looked_up() {
        Some(name) => file_of(case, Path::new(&name)),
        None => Some(shebang.interpreter),
    }
}

/// A suspect with what stops it.
pub struct Start<'a> {
    /// The failure.
    pub case: &'a Case<'a>,
    /// The program.
    pub program: &'a Path,
    /// What stops it.
    pub obstacle: Obstacle,
}

/// Checks a suspect: what stops the program is put into words by `told`, which answers none for what another cause tells.
pub fn check(case: &Case, suspect: &Suspect, id: &str, told: impl FnOnce(&Start) -> Option<Finding>) -> Verdict {
    let program = suspect.subject.path().unwrap_or(Path::new("a program"));
    let obstacle = suspect.subject.path().and_then(|program| obstacle(case.machine, program));
    let found = obstacle.map(|obstacle| Start { case, program, obstacle });
    if let Some(finding) = found.as_ref().and_then(told) {
        let confidence = finding.confidence.min(confidence(case, suspect));
        return Verdict::Found(Box::new(as_sure_as_said(case, suspect, Finding { confidence, ..finding })));
    }
    if let Some(clue) = only_said(case, suspect, id) {
        return Verdict::Found(Box::new(said(program, clue)));
    }
    Verdict::RuledOut(match (found, case.resolve(program)) {
        (Some(_), _) => "something else stops it".into(),
        (None, Some(resolved)) if resolved.missing.as_os_str().is_empty() => "nothing stops it now".into(),
        _ => "there is no such file here".into(),
    })
}

/// How sure it is that the program of a suspect is the one that failed: a message that names none leaves a doubt where it is not the command
/// itself.
fn confidence(case: &Case, suspect: &Suspect) -> Confidence {
    let is_unnamed = suspect.clue.is_some_and(|index| named(&case.clues[index]).is_none());
    let is_command = || command_file(case).as_deref() == suspect.subject.path();
    if is_unnamed && !is_command() { Confidence::Likely } else { Confidence::Verified }
}

/// The clue of a suspect that the text alone names.
fn only_said<'a>(case: &'a Case, suspect: &Suspect, id: &str) -> Option<&'a Clue> {
    let clue = suspect.clue.map(|index| &case.clues[index])?;
    is_named_first(case, clue, id).then_some(clue)
}

fn said(program: &Path, clue: &Clue) -> Finding {
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("{} could not be started where this was written", program.display()),
        summary: format!(
            "The output says that {} could not be started; this machine does not show why.",
            program.display()
        ),
        evidence: vec![Evidence::output(clue.line.clone())],
        fixes: Vec::new(),
    }
}

/// What is so now, and proven.
#[must_use]
pub fn verified(headline: String, summary: String) -> Finding {
    Finding {
        confidence: Confidence::Verified,
        seen: Some(Seen::Now),
        headline,
        summary,
        evidence: Vec::new(),
        fixes: Vec::new(),
    }
}

impl Start<'_> {
    /// The file that stops it, as a person would name it: the program as it was given, or the interpreter on the way.
    #[must_use]
    pub fn file(&self) -> &Path {
        if self.obstacle.scripts.is_empty() { self.program } else { &self.obstacle.file }
    }

    /// How one came to the file, where it is not the program itself.
    #[must_use]
    pub fn way(&self) -> Option<Evidence> {
        let first = self.obstacle.scripts.first()?;
        let text = format!("{} is a script, which {} is to run", self.program.display(), self.obstacle.file.display());
        Some(Evidence::probe(text).check(first_line(first)))
    }
}

/// A command that shows a script's first line with what cannot be seen.
#[must_use]
pub fn first_line(script: &Path) -> String {
    format!("head -n 1 {} | cat -A", shell_word(script))
}

/// How a package is installed here; none where this is no Debian.
#[must_use]
pub fn install(case: &Case, package: &str) -> Option<Fix> {
    has_apt(case).then(|| Fix::now(case.as_root(&format!("apt install {package}")), format!("installs {package}")))
}

fn has_apt(case: &Case) -> bool {
    has_execute_bit(case.machine, Path::new("/usr/bin/apt")) == Some(true)
}

/// A command's name that a shell takes as it is.
#[must_use]
pub fn is_plain_name(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-._@".contains(byte))
}
