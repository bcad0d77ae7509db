//! From a message to the call that it is about: which operation on which path failed, walked again with the rights of whose call it was.

use super::case::Case;
use super::finding::Suspect;
use super::other_user;
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::outcome::Outcome;
use crate::probe::near::{self, Difference};
use crate::probe::walk::{Attempt, Obstacle, Walked, Who, Why, walk_as};
use crate::sys::errno::Errno;
use std::path::{Path, PathBuf};

/// A name that stands for one that a program makes up.
const NEW_NAME: &str = "new";

/// An operation that failed, and how far it comes now.
pub struct Tried {
    /// What was tried.
    pub operation: Operation,
    /// On which path, as the message has it.
    pub path: PathBuf,
    /// With whose rights.
    pub who: Who,
    /// The walk.
    pub walked: Walked,
}

impl Tried {
    /// What refuses.
    #[must_use]
    pub fn obstacle(&self) -> Option<&Obstacle> {
        self.walked.obstacle.as_ref()
    }
}

/// The operation of a suspect's message, walked again.
#[must_use]
pub fn of_suspect(case: &Case, suspect: &Suspect) -> Option<Tried> {
    tried(case, &case.clues[suspect.clue?])
}

/// What was tried in a message that names a path: what it says, or what it may mean and fails as it says; by the child, or by the user
/// that its command line changes to. Of a message that names none, what the command line names and fails as it says.
#[must_use]
pub fn tried(case: &Case, clue: &Clue) -> Option<Tried> {
    if is_of_no_file(case, clue) {
        return None;
    }
    let child = Who::of_child(case.machine);
    let of = |who: &Who| {
        let attempted = attempts(case, clue).into_iter().find_map(|attempt| fails_as_said(case, clue, who, attempt));
        let attempted = attempted.map(|tried| makes_parents(case, clue, tried));
        let attempted = attempted.or_else(|| replaced(case, clue, who)).or_else(|| within(case, clue, who));
        let attempted = attempted.or_else(|| opened_to_be_made(case, clue, who));
        attempted.or_else(|| misreported(case, clue, who)).or_else(|| unnamed(case, clue, who))
    };
    // Who becomes another user does so at once, and what fails is the work.
    let changed = other_user::of_command(case).or_else(|| other_user::of_script(case));
    changed.as_ref().and_then(of).or_else(|| of(&child))
}

/// Words of what lies at a path.
const OF_FILES: &[&str] = &[
    "directory",
    "disk",
    "device",
    "dir",
    "file",
    "filename",
    "filesystem",
    "folder",
    "mount",
    "mountpoint",
    "path",
    "socket",
    "volume",
];

/// Whether words alone tell of a place that begins with no directory of this machine: routes of a server, keys of a store and parts of a
/// document are written as paths are. Where the line calls it a file, it is one.
fn is_of_no_file(case: &Case, clue: &Clue) -> bool {
    let Some(path) = clue.path.as_deref().filter(|path| path.is_absolute() && clue.loose && clue.errno.is_none())
    else {
        return false;
    };
    let top: PathBuf = path.components().take(2).collect();
    let said = clue.line.replace(&*path.to_string_lossy(), " ").to_lowercase();
    let mut words = said.split(|letter: char| !letter.is_ascii_alphabetic());
    case.machine.stat(&top).is_err_and(|unknown| unknown.is_missing())
        && !words.any(|word| OF_FILES.contains(&word.trim_end_matches('s')))
}

fn fails_as_said(case: &Case, clue: &Clue, who: &Who, attempt: Attempt) -> Option<Tried> {
    let tried = attempted(case, who, attempt)?;
    let errno = tried.obstacle()?.errno();
    (clue.errno.is_none_or(|said| said == errno)).then_some(tried)
}

fn attempted(case: &Case, who: &Who, attempt: Attempt) -> Option<Tried> {
    let walked = walk_as(case.machine, who, attempt).ok()?;
    Some(Tried { operation: attempt.operation, path: attempt.path.to_owned(), who: who.clone(), walked })
}

/// What programs call it that a directory is made with all those on the way: such a call says of the last one that its parent is missing,
/// where it could not make the first (Elixir 1.14, `lib/file.ex`).
const WITH_PARENTS: &[&str] = &["(with -p)", "mkdir -p", "mkdir_p"];

/// Programs make the directories of what they write. Where one says that it could not write and gives no reason, and a directory on the way
/// is missing, it may have failed to make that.
fn makes_parents(case: &Case, clue: &Clue, tried: Tried) -> Tried {
    let writes = matches!(tried.operation, Operation::Write | Operation::Create | Operation::Mkdir);
    let Some(Obstacle { at, why: Why::Missing { rest, .. } }) = tried.obstacle() else { return tried };
    let is_kept = is_kept_in_home(case, clue, at);
    if !(writes && (clue.errno.is_none() || is_with_parents(clue)) || is_kept) {
        return tried;
    }
    let is_missing_itself = rest.as_os_str().is_empty() && (is_kept || tried.operation != Operation::Write);
    let made = attempted(case, &tried.who, Attempt { operation: Operation::Mkdir, path: at, other: None });
    made.filter(|made| !is_missing_itself && made.obstacle().is_some()).unwrap_or(tried)
}

fn is_with_parents(clue: &Clue) -> bool {
    clue.operation == Some(Operation::Mkdir) && WITH_PARENTS.iter().any(|words| clue.line.contains(words))
}

/// Whether a message is about what a program keeps for itself in the home: it makes the directories there, and those that do not look
/// whether that went well meet the next one as missing (`File.mkdirs` of Java).
fn is_kept_in_home(case: &Case, clue: &Clue, missing: &Path) -> bool {
    let surroundings = case.surroundings();
    let home = surroundings.directory("HOME").filter(|home| home.components().count() > 1);
    let is_in_home = home.is_some_and(|home| missing.starts_with(&home) && missing != home);
    let is_told = |path: &PathBuf| command_line::is_told(case.command, &surroundings.cwd, path, path);
    clue.errno == Some(Errno::ENOENT) && is_in_home && clue.path.as_ref().is_some_and(|path| !is_told(path))
}

/// A file that could not be written to, for an untold reason: programs open it with `O_CREAT`, which the kernel may refuse although the file
/// is there (`fs.protected_regular`).
fn opened_to_be_made(case: &Case, clue: &Clue, who: &Who) -> Option<Tried> {
    let is_untold = clue.errno.is_none() && clue.operation == Some(Operation::Write);
    let path = clue.path.as_deref().filter(|_| is_untold)?;
    let tried = attempted(case, who, Attempt { operation: Operation::Create, path, other: None })?;
    matches!(tried.obstacle()?.why, Why::Protected { .. }).then_some(tried)
}

/// A file of which a program says that it is not there, and which is there and refused: debuggers, linkers and npm say so of whatever
/// they cannot open; curl says of a socket that it may not connect to what it says of one that nobody serves.
fn misreported(case: &Case, clue: &Clue, who: &Who) -> Option<Tried> {
    let operation = clue.operation.unwrap_or(Operation::Read);
    let is_unreached = clue.errno == Some(Errno::ECONNREFUSED) && operation == Operation::Connect;
    let path = clue.path.as_deref().filter(|_| is_unreached || clue.errno == Some(Errno::ENOENT))?;
    let tried = attempted(case, who, Attempt { operation, path, other: None })?;
    let is_refused =
        matches!(tried.obstacle()?.why, Why::Refused(_) | Why::ReadOnly | Why::NotADirectory(_) | Why::Loop(_));
    is_refused.then_some(tried)
}

/// What a temporary file was to replace, where that is gone again: rsync and patch name the new name from the directory of the old one.
fn replaced(case: &Case, clue: &Clue, who: &Who) -> Option<Tried> {
    let (old, new) = (clue.path.as_deref()?, clue.other_path.as_deref()?);
    if clue.operation != Some(Operation::Rename)
        || case.resolve(old).is_none_or(|old| old.missing.as_os_str().is_empty())
    {
        return None;
    }
    let is_bare = new.components().count() == 1 && !new.is_absolute();
    let path = if is_bare { old.parent()?.join(new) } else { new.to_owned() };
    fails_as_said(case, clue, who, Attempt { operation: Operation::Remove, path: &path, other: None })
}

/// A new file in the directory that a message names, as `sort` and `tac` do of their temporary files.
fn within(case: &Case, clue: &Clue, who: &Who) -> Option<Tried> {
    let directory =
        clue.path.as_deref().filter(|_| clue.operation == Some(Operation::Create) && clue.errno.is_some())?;
    let is_directory = case.resolve(directory).is_some_and(|found| found.missing.as_os_str().is_empty());
    let new = directory.join(NEW_NAME);
    fails_as_said(case, clue, who, Attempt { operation: Operation::Create, path: &new, other: None })
        .filter(|_| is_directory)
}

/// The one path of the command line at which a message's operation fails as it says, where the message names no path, or names the
/// temporary name of a file that was to replace another one.
fn unnamed(case: &Case, clue: &Clue, who: &Who) -> Option<Tried> {
    let operation = untold_operation(clue)?;
    // The program itself, also behind `env` or `timeout`, is not what it works on.
    let mut found = command_line::paths_of(command_line::launched(case.command)).filter_map(|path| {
        let tried = attempted(case, who, Attempt { operation, path, other: None })?;
        let tried = made_where_missing(case, clue, tried)?;
        // A bare word may be no path at all: what refuses where it would lie tells nothing of it.
        let is_path = path.components().count() > 1 || path.extension().is_some();
        let met = tried.obstacle()?;
        let is_itself = met.named().file_name() == path.file_name();
        (is_path || is_itself).then_some(())?;
        is_telling(case, clue, operation, met).then_some(tried)
    });
    let first = found.next()?;
    found.all(|other| other.obstacle() == first.obstacle()).then_some(first)
}

/// What is not there and was refused for another reason than that was to be made, whatever a program calls that: `open: …`. A bare word
/// may be one of a program text (`socket.socket`).
fn made_where_missing(case: &Case, clue: &Clue, tried: Tried) -> Option<Tried> {
    let is_missing =
        matches!(&tried.obstacle()?.why, Why::Missing { rest, through: None } if rest.as_os_str().is_empty());
    let is_refused = matches!(clue.errno, Some(Errno::EACCES | Errno::EPERM | Errno::EROFS));
    let opens = matches!(tried.operation, Operation::Read | Operation::Write);
    if is_missing && is_refused && opens && tried.path.components().count() > 1 {
        attempted(case, &tried.who, Attempt { operation: Operation::Create, path: &tried.path, other: None })
    } else {
        Some(tried)
    }
}

/// What may have failed on a path of the command line; none where the message is about something else.
fn untold_operation(clue: &Clue) -> Option<Operation> {
    let is_unnamed = clue.path.is_none() && clue.subject.is_none();
    match (clue.operation, clue.errno) {
        // `sed -i` names what it wrote and not what it was to replace.
        (Some(Operation::Rename), Some(Errno::EPERM | Errno::EACCES)) if clue.other_path.is_none() => {
            Some(Operation::Remove)
        }
        (Some(Operation::Bind), _) => None,
        _ if !is_unnamed => None,
        // To create is also to make a directory; beyond that, another operation would be another failure.
        (_, Some(Errno::EEXIST)) => Some(Operation::Mkdir),
        (Some(operation), Some(_)) => Some(operation),
        (Some(operation), None) if !clue.suspects.is_empty() => Some(operation),
        (None, Some(errno)) => alternatives(None, Some(errno)).first().copied(),
        _ => None,
    }
}

/// Whether what is met at a path that only the command line names is enough to hold it for what failed.
fn is_telling(case: &Case, clue: &Clue, operation: Operation, met: &Obstacle) -> bool {
    let is_told = clue.errno.is_none_or(|said| said == met.errno());
    is_told
        && match &met.why {
            // That a name is not there is ordinary; a link of that name, or one in other letters, is there for a reason.
            Why::Missing { through: Some(_), .. } => clue.errno.is_some(),
            Why::Missing { rest, through: None } => clue.errno.is_some() && differs_in_case(case, &met.at, rest),
            Why::Empty | Why::NoWorkingDirectory | Why::NotASocket(_) | Why::NotOwner(_) => false,
            Why::IsADirectory | Why::NotADirectory(_) => clue.errno.is_some() && operation != Operation::Connect,
            _ => true,
        }
}

/// Whether a name that is missing is there in other upper and lower case; `rest` is what was to be found below it.
fn differs_in_case(case: &Case, missing: &Path, rest: &Path) -> bool {
    let near = |parent, name| near::name(case.machine, parent, name, !rest.as_os_str().is_empty());
    let found = missing.parent().zip(missing.file_name()).and_then(|(parent, name)| near(parent, name));
    found.is_some_and(|found| found.difference == Difference::Case)
}

/// What a message may mean, the likeliest first. One that gives no reason means what it says and nothing else: that something else
/// would fail too explains nothing.
fn attempts<'a>(case: &Case, clue: &'a Clue) -> Vec<Attempt<'a>> {
    let (path, other) = (clue.path.as_deref(), clue.other_path.as_deref());
    if path.is_some_and(|path| is_looked_up(case, clue, path)) {
        return Vec::new();
    }
    if let (Some(path), Some(other), Some(operation)) = (path, other, operation_of_two(case, clue)) {
        return of_two(clue, operation, path, other);
    }
    let mut attempts = Vec::new();
    for path in [path, other].into_iter().flatten() {
        let alternatives = if clue.errno.is_some() { alternatives(clue.operation, clue.errno) } else { &[] };
        let may_be = clue.operation.iter().chain(alternatives);
        attempts.extend(may_be.map(|operation| Attempt { operation: *operation, path, other: None }));
    }
    if let Some(path) = path.filter(|_| clue.operation == Some(Operation::Execute)) {
        // A shell says of what it was to write to what it says of a program; where the command names the path, it shows which.
        let is_target = command_line::is_redirected_to(case.command, path);
        let is_named = is_target || command_line::paths_of(case.command).any(|named| named == path);
        attempts.retain(|attempt| !is_named || is_target == (attempt.operation == Operation::Create));
    }
    // A shell says of a file that it was to read (`. ./x`) what it says of a program; it ends with 126 where it was one.
    if clue.operation == Some(Operation::Execute) && case.outcome != &(Outcome::Exited { code: 126 }) {
        attempts.sort_by_key(|attempt| attempt.operation != Operation::Read);
    }
    attempts
}

/// Whether a message names a command by a bare name: that is looked for in `PATH`, and the working directory has no part in it.
fn is_looked_up(case: &Case, clue: &Clue, path: &Path) -> bool {
    let is_bare = !path.as_os_str().as_encoded_bytes().contains(&b'/');
    is_bare && clue.operation == Some(Operation::Execute) && !command_line::is_redirected_to(case.command, path)
}

/// What is done with two paths: what the message says, or what has the errno that it has.
fn operation_of_two(case: &Case, clue: &Clue) -> Option<Operation> {
    use Operation::{Link, Remove, Rename, Symlink};
    match (clue.operation, clue.errno) {
        (Some(operation @ (Rename | Link | Symlink)), _) => Some(operation),
        // Python names both ends and no operation.
        (None, Some(Errno::EPERM)) => Some(if calls_link(case) { Link } else { Rename }),
        (None, Some(Errno::EEXIST)) => Some(Symlink),
        (None, Some(Errno::ENOTEMPTY)) => Some(Remove),
        _ => None,
    }
}

/// Whether the program text of the command line makes a hard link and renames nothing.
fn calls_link(case: &Case) -> bool {
    let calls =
        |name: &[u8]| case.command.iter().any(|word| memchr::memmem::find(word.as_encoded_bytes(), name).is_some());
    calls(b"link(") && ![&b"symlink("[..], b"rename(", b"replace(", b"move("].into_iter().any(calls)
}

fn of_two<'a>(clue: &Clue, operation: Operation, path: &'a Path, other: &'a Path) -> Vec<Attempt<'a>> {
    let (old, new) = if names_new_first(clue) { (other, path) } else { (path, other) };
    match operation {
        Operation::Symlink | Operation::Remove => vec![Attempt { operation, path: new, other: None }],
        _ => vec![Attempt { operation, path: old, other: Some(new) }],
    }
}

/// Whether a message about a link has the link's own name before what it is to lead to: `ln: failed to create hard link 'NEW' => 'OLD'`.
#[must_use]
pub fn names_new_first(clue: &Clue) -> bool {
    let is_link = matches!(clue.operation, Some(Operation::Link | Operation::Symlink));
    is_link && clue.program.as_deref().is_some_and(|program| matches!(program, "ln" | "cp" | "mv" | "tar"))
}

/// What programs also mean by a verb, or by none: they copy, load and access.
fn alternatives(operation: Option<Operation>, errno: Option<Errno>) -> &'static [Operation] {
    use Operation::{Attribute, Chdir, Create, Execute, Link, Mkdir, Read, Remove, Stat, Symlink, Write};
    match (operation, errno) {
        (_, Some(Errno::EEXIST)) => &[Mkdir],
        // `ln -f` replaces what has the name.
        (_, Some(Errno::ENOTEMPTY)) | (Some(Link | Symlink), Some(Errno::EPERM)) => &[Remove],
        (_, Some(Errno::EISDIR)) => &[Write],
        (_, Some(Errno::ENOTDIR)) => &[Read, Chdir],
        (None | Some(Read | Write | Create | Stat), Some(Errno::EPERM)) => &[Write, Remove, Create],
        (None, _) => &[Read, Write, Create, Execute, Chdir],
        (Some(Read), _) => &[Write, Create],
        (Some(Stat), _) => &[Read, Write],
        (Some(Write), _) => &[Create, Read],
        (Some(Create), _) => &[Write, Mkdir],
        (Some(Execute), _) => &[Read, Create],
        (Some(Attribute), _) => &[Write],
        (Some(Mkdir), _) => &[Create],
        _ => &[],
    }
}
