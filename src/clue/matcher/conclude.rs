//! What follows from a message: the clue, with the causes that the rule names and those that the kernel's answer suggests, each where it is
//! likelier.

use super::draft::Draft;
use super::reader::Reader;
use crate::clue::aftermath::is_left_behind;
use crate::clue::lines::page::Page;
use crate::clue::written::Compiled;
use crate::clue::{Clue, Operation};
use crate::sys::errno::{Errno, name};
use std::path::{Component, Path};

/// Characters of a line that are shown.
const SHOWN: usize = 300;

/// Causes of a path at whose end nothing is.
const OF_ABSENT_PATHS: &[&str] = &["dangling-symlink", "missing-path", "wrong-case"];

/// Causes for which the kernel has an answer of its own: EROFS, ENOSPC, EDQUOT.
const OF_NO_ROOM: &[&str] =
    &["blocks-exhausted", "inodes-exhausted", "quota-exceeded", "read-only-filesystem", "reserved-blocks"];

impl Reader<'_> {
    /// The clue that a reading makes.
    pub(super) fn clue(&self, page: &Page, draft: Draft) -> Clue {
        let (id, says, line) = (self.id(draft.rule), &self.rule(draft.rule).says, page.line(draft.line));
        let operation = match (draft.errno, draft.operation) {
            // An open that needs space or a change was to make the file.
            (Some(Errno::ENOSPC | Errno::EDQUOT | Errno::EROFS), Some(Operation::Read)) => Some(Operation::Create),
            // execve(2) never answers so: what was to be started got further, and failed at something else.
            (Some(Errno::ENOSPC | Errno::EDQUOT | Errno::EROFS), Some(Operation::Execute)) => None,
            (_, operation) => operation,
        };
        let suspects = self.suspects(says, &draft, operation);
        let is_of_web = draft.path.as_deref().is_some_and(is_of_web);
        let is_no_path = |path: &Path| is_of_web || draft.errno != Some(Errno::ENOENT) && is_address(path);
        let path = draft.path.filter(|path| !is_no_path(path));
        let clue = Clue {
            errno: draft.errno,
            operation,
            path: path.or(draft.assumed),
            other_path: draft.other,
            subject: draft.subject,
            program: draft.program.or(draft.usual_program),
            suspects,
            vague: says.vague,
            passing: draft.passing,
            live: says.live,
            left_behind: false,
            loose: self.is_loose,
            shown: page.shown(draft.line),
            rule: id.to_owned(),
            said: line.span.clone(),
            line: shown(&line.text),
            log: None,
            sought: draft.sought.filter(|_| !is_of_web),
        };
        Clue { left_behind: is_left_behind(page, draft.line, &clue), ..clue }
    }

    /// The rule's causes, unless the kernel's answer speaks against all of them or the rule has none.
    fn suspects(&self, says: &Compiled, draft: &Draft, operation: Option<Operation>) -> Vec<String> {
        let of_errno = self.fallback(draft.errno, operation);
        let mut suspects = says.suspects.clone();
        if suspects.is_empty() && !says.vague {
            suspects.clone_from(&of_errno);
            if draft.errno == Some(Errno::ENOENT) && draft.path.as_deref().is_some_and(is_working_directory) {
                suspects.retain(|id| !OF_ABSENT_PATHS.contains(&id.as_str()));
                suspects.insert(0, "deleted-working-directory".into());
            }
        }
        if suspects == ["remote-side"] {
            // What another machine's kernel said tells nothing of this one.
            return suspects;
        }
        let is_of_errno = |id: &String| of_errno.contains(id);
        // A rule that says which errno its message means knows why.
        let is_told = says.errno.is_some();
        let outweighs = |errno| !is_told && is_decisive(errno) && (draft.lent_errno || errno != Errno::EACCES);
        if draft.errno.is_some_and(outweighs) && !suspects.iter().any(is_of_errno) {
            return of_errno.into_iter().chain(suspects).collect();
        }
        if matches!(draft.errno, Some(Errno::ENOSPC | Errno::EDQUOT | Errno::EROFS)) {
            // What the kernel said outweighs what is usual with this message.
            suspects.sort_by_key(|id| !is_of_errno(id));
        }
        if matches!(draft.errno, Some(Errno::EACCES | Errno::EPERM)) {
            // What is refused is there, and is not full.
            suspects.sort_by_key(|id| [OF_ABSENT_PATHS, OF_NO_ROOM].iter().any(|ids| ids.contains(&id.as_str())));
        }
        if draft.path.as_ref().is_some_and(|path| path.as_os_str().as_encoded_bytes().contains(&b'/')) {
            // A name with a slash is looked for nowhere else, execvp(3).
            suspects.sort_by_key(|id| id == "command-not-found");
        }
        suspects
    }

    /// Causes that the errno suggests, where one's own say counts before what is part of the program.
    fn fallback(&self, errno: Option<Errno>, operation: Option<Operation>) -> Vec<String> {
        let Some(errno) = errno.map(name) else { return Vec::new() };
        let was_tried = |operations: &[Operation]| operation.is_some_and(|operation| operations.contains(&operation));
        let mut of_errno = self.library.fallbacks.iter().filter(|fallback| fallback.errno == errno);
        let fits = of_errno.find(|fallback| fallback.operations.is_empty() || was_tried(&fallback.operations));
        fits.map(|fallback| fallback.suspects.clone()).unwrap_or_default()
    }
}

/// Whether the kernel answers so for few reasons: a lock that cannot be made on a read-only mount is held by nobody. A rule that reads
/// EACCES itself knows who refuses; one that reads the others has them for one of many reasons.
fn is_decisive(errno: Errno) -> bool {
    use Errno::{
        EACCES, EDQUOT, EIO, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOLCK, ENOSPC, ENOTCONN, EOPNOTSUPP, EROFS, ESTALE,
        EXDEV,
    };
    let is_of_a_limit = matches!(errno, EDQUOT | EMFILE | ENAMETOOLONG | ENFILE | ENOSPC);
    is_of_a_limit || matches!(errno, EACCES | EIO | ELOOP | ENOLCK | ENOTCONN | EOPNOTSUPP | EROFS | ESTALE | EXDEV)
}

/// Whether a path leads to the working directory, or to one above it, by no name: it is there for as long as the directory is.
fn is_working_directory(path: &Path) -> bool {
    let mut components = path.components().peekable();
    components.peek().is_some() && components.all(|part| matches!(part, Component::CurDir | Component::ParentDir))
}

/// Whether what was taken for a path is an address of the network; bash connects to one where `/dev/tcp/HOST/PORT` is redirected (bash(1), REDIRECTION).
fn is_address(path: &Path) -> bool {
    let is_of_bash = ["/dev/tcp", "/dev/udp"].iter().any(|device| path.starts_with(device));
    is_of_bash || path.to_str().is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok())
}

/// Whether what was taken for a path is one of a server: `https://host/x`.
fn is_of_web(path: &Path) -> bool {
    path.to_str()
        .and_then(|text| text.split_once("://"))
        .is_some_and(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let text = text.trim();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
