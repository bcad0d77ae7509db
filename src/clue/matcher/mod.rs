//! From a transcript to clues: every line is asked of the rules whose literal it holds, and yields one clue at most.

use crate::clue::aftermath::is_left_behind;
use crate::clue::language::errno_words::Words;
use crate::clue::library::Library;
use crate::clue::library::rule::Ready;
use crate::clue::lines::page::Page;
use crate::clue::search::pattern::Pattern;
use crate::clue::written::Compiled;
use crate::clue::{Clue, Operation};
use crate::machine::{Machine, Surroundings};
use crate::sys::errno::{Errno, name};
use crate::transcript::Transcript;
use draft::Draft;
use reader::Reader;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

mod convention;
pub mod draft;
mod logs;
mod loose;
pub mod reader;
pub mod sought;

/// Clues that are kept: the first and the last ones of a long log.
const FIRST: usize = 48;
const LAST: usize = 16;
/// The same for clues that a rule has with one errno, so that what is said often leaves room for what is said once.
const FIRST_OF_A_KIND: usize = 12;
const LAST_OF_A_KIND: usize = 4;
/// Lines before a word of "handled" that it takes back.
const HANDLED: usize = 5;
/// Characters of a line that are shown.
const SHOWN: usize = 300;

/// Causes of a path at whose end nothing is.
const OF_ABSENT_PATHS: &[&str] = &["dangling-symlink", "missing-path", "wrong-case"];

/// What was said, by whom and in which surroundings.
#[derive(Clone, Copy)]
pub struct Said<'a> {
    /// What the command wrote.
    pub transcript: &'a Transcript,
    /// The command and its arguments; empty where a log does not tell.
    pub command: &'a [OsString],
    /// What the command was given: its locale, its home, its temporary directory.
    pub surroundings: &'a Surroundings,
    /// What tells a variable that a rule alone names; none where nobody can be asked.
    pub machine: Option<&'a Machine>,
}

/// What the rules read in an output.
#[derive(Debug, Default)]
pub struct Heard {
    /// What failed, in the order of the output; the same failure once.
    pub clues: Vec<Clue>,
    /// Where lines stand that a rule of forms knows, also such as tell of no failure.
    pub known: Vec<Range<u64>>,
}

/// How much a rule knows of the failure that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Knows {
    /// That something failed.
    Nothing,
    /// How the kernel answered.
    Errno,
    /// Which causes it has.
    Causes,
    /// That it was expected or dealt with.
    Handled,
}

impl Library {
    /// What failed, by what was said, in the order of the output; the same failure once.
    #[must_use]
    pub fn clues(&self, said: &Said) -> Vec<Clue> {
        self.clues_with_logs(said, |_| None).clues
    }

    /// The same of a log in a language that nobody knows: words for an errno are those of English and of these catalogues of the C library.
    #[must_use]
    pub fn clues_in_any_language(&self, said: &Said, catalogues: &[Vec<u8>]) -> Vec<Clue> {
        let reader = Reader::with_words(self, Words::translated(catalogues));
        let page = reader.page(said.transcript);
        let drafts = reader.drafts(&page, said);
        reader.clues(&page, drafts)
    }
}

impl Reader<'_> {
    /// What failed, by what the rules read, in the order of the output; the same failure once.
    pub(in crate::clue) fn clues(&self, page: &Page, mut drafts: Vec<Draft>) -> Vec<Clue> {
        drafts.retain(|draft| !self.rule(draft.rule).says.is_pointer());
        let mut clues = self.one_a_line(page, &drafts);
        distinct(&mut clues);
        if clues.len() > FIRST + LAST {
            clues.retain(|clue| !clue.left_behind);
        }
        if clues.len() > FIRST + LAST {
            clues = few_of_a_kind(clues);
        }
        if clues.len() > FIRST + LAST {
            clues.drain(FIRST..clues.len() - LAST);
        }
        clues
    }

    /// What every rule reads in every line, in the order of the lines.
    pub(in crate::clue) fn drafts(&self, page: &Page, said: &Said) -> Vec<Draft> {
        let candidates = self.candidates(page).into_iter();
        candidates.filter_map(|(line, rule)| self.draft(page, line, rule, said)).collect()
    }

    fn draft(&self, page: &Page, line: usize, index: usize, said: &Said) -> Option<Draft> {
        let mut draft = Draft { line, rule: index, ..Draft::default() };
        let rule = self.rule(index);
        if !rule.is_for(said.command) {
            return None;
        }
        let verbs = &self.library.verbs;
        let found = rule.patterns.iter().find_map(|pattern| page.capture(line, pattern))?;
        if rule.unless.iter().any(|pattern| page.capture(line, pattern).is_some()) {
            return None;
        }
        draft.fill(&found, verbs);
        for (pattern, required) in &rule.near {
            match page.near(line, pattern) {
                Some(near) => draft.fill(&near, verbs),
                None if *required => return None,
                None => {}
            }
        }
        draft.passing = rule.says.passing || page.is_harmless(line);
        if self.is_loose {
            draft.fill_from_line(page.body(line), verbs);
        }
        draft.fill_from_rule(rule, said);
        // A program in another language still has a name that tells what it does: mkdir, touch, rm.
        draft.operation = draft.operation.or_else(|| verbs.operation(draft.speaker()?));
        Some(draft)
    }

    /// Of several rules that read the same line, the one that knows most speaks; the others fill what it leaves open.
    fn one_a_line(&self, page: &Page, drafts: &[Draft]) -> Vec<Clue> {
        let mut chosen: Vec<Draft> = Vec::new();
        for same_line in drafts.chunk_by(|one, other| one.line == other.line) {
            let mut ranked: Vec<&Draft> = same_line.iter().collect();
            ranked.sort_by_key(|draft| std::cmp::Reverse(self.rank(draft)));
            let Some((best, others)) = ranked.split_first() else { continue };
            if self.rule(best.rule).says.handled {
                let job = page.line(best.line).place.job;
                let near = chosen.partition_point(|earlier| earlier.line + HANDLED < best.line);
                let others = chosen.split_off(near).into_iter();
                chosen.extend(others.filter(|earlier| page.line(earlier.line).place.job != job));
                continue;
            }
            let mut draft = (*best).clone();
            for other in others {
                draft.fill_open(other);
            }
            if draft.errno.is_some() && draft.operation.is_none() {
                let line = String::from_utf8_lossy(page.body(draft.line));
                draft.operation = self.library.verbs.operation_in(&line, draft.path.as_deref());
            }
            chosen.push(draft);
        }
        self.without_twins(page, &mut chosen);
        self.without_doubles(page, &mut chosen);
        let mut clues: Vec<Clue> = Vec::with_capacity(chosen.len());
        for draft in chosen {
            let line = draft.line;
            let clue = self.clue(page, draft);
            clues.push(Clue { left_behind: is_left_behind(page, line, &clue), ..clue });
        }
        clues
    }

    /// A message that may have been wrapped in two ways was put together in both: the one that knows more stays, and of the same the one
    /// without a blank, which may be inside of a name.
    fn without_twins(&self, page: &Page, drafts: &mut Vec<Draft>) {
        let is_twin = |one: &Draft, other: &Draft| {
            let (first, second) = (page.line(one.line), page.line(other.line));
            first.joined && second.joined && first.span.start == second.span.start && one.line < other.line
        };
        let knows = |draft: &Draft| self.rank(draft).0;
        let mut superfluous = vec![false; drafts.len()];
        for at in 1..drafts.len() {
            let (one, other) = (&drafts[at - 1], &drafts[at]);
            if is_twin(one, other) {
                let lesser = if knows(other) >= knows(one) { at - 1 } else { at };
                superfluous[lesser] = true;
            }
        }
        remove(drafts, &superfluous);
    }

    /// A wrapped message was read joined and line by line: what knows more stays. First go the joined ones that know no more than one of
    /// their lines, so that they do not take another message that happens to be next to it with them.
    fn without_doubles(&self, page: &Page, drafts: &mut Vec<Draft>) {
        let inside = |joined: &Draft, draft: &Draft| {
            let (joined, line) = (page.line(joined.line), page.line(draft.line));
            joined.joined
                && !line.joined
                && joined.place.job == line.place.job
                && joined.span.start <= line.span.start
                && line.span.end <= joined.span.end
        };
        // What a terminal broke inside of a quotation knows less than it seems to.
        let knows = |draft: &Draft| (self.rank(draft).0, has_whole_quotations(&page.line(draft.line).text));
        // A joined line stands right before its pieces and what other jobs said between them: nothing farther is looked at.
        let begins_in =
            |joined: &Draft, draft: &Draft| page.line(draft.line).span.start < page.line(joined.line).span.end;
        let pieces = |drafts: &[Draft], at: usize| -> Vec<usize> {
            let behind = (at + 1..drafts.len()).take_while(|other| begins_in(&drafts[at], &drafts[*other]));
            behind.filter(|other| inside(&drafts[at], &drafts[*other])).collect()
        };
        let knows_no_more = |drafts: &[Draft], at: usize| {
            pieces(drafts, at).into_iter().any(|piece| knows(&drafts[piece]) >= knows(&drafts[at]))
        };
        let superfluous = (0..drafts.len()).map(|at| knows_no_more(drafts, at)).collect::<Vec<_>>();
        remove(drafts, &superfluous);
        let mut superfluous = vec![false; drafts.len()];
        for at in 0..drafts.len() {
            for piece in pieces(drafts, at) {
                superfluous[piece] |= knows(&drafts[piece]) < knows(&drafts[at]);
            }
        }
        remove(drafts, &superfluous);
    }

    /// How much the rule knows of the failure; how much it read; how long its literal is.
    fn rank(&self, draft: &Draft) -> (Knows, usize, usize) {
        let rule = self.rule(draft.rule);
        let read = [
            draft.errno.is_some(),
            draft.operation.is_some(),
            draft.path.is_some() || draft.pathless,
            // Who knows that there is no path knows the form better than who took a word of it for one.
            draft.pathless,
            draft.other.is_some(),
            draft.subject.is_some(),
        ];
        let literal = rule.patterns.iter().map(Pattern::spelled_out).max().unwrap_or(0);
        let knows = match &rule.says {
            text if text.handled => Knows::Handled,
            text if text.vague => Knows::Nothing,
            text if text.suspects.is_empty() => Knows::Errno,
            _ => Knows::Causes,
        };
        (knows, read.into_iter().filter(|known| *known).count(), literal)
    }

    fn clue(&self, page: &Page, draft: Draft) -> Clue {
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
        Clue {
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
        }
    }

    /// The rule's causes, unless the kernel's answer speaks against all of them or the rule has none.
    fn suspects(&self, says: &Compiled, draft: &Draft, operation: Option<Operation>) -> Vec<String> {
        let of_errno = self.fallback(draft.errno, operation);
        let mut suspects = says.suspects.clone();
        if suspects.is_empty() && !says.vague {
            suspects.clone_from(&of_errno);
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
            // What is refused is there.
            suspects.sort_by_key(|id| OF_ABSENT_PATHS.contains(&id.as_str()));
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

impl Ready {
    /// Whether the command is one that the rule is for, directly or behind `sudo` and the like; a log may not tell.
    fn is_for(&self, command: &[OsString]) -> bool {
        let named = |word: &OsString| {
            let name = word.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            self.says.commands.iter().any(|wanted| wanted.as_bytes() == name)
        };
        self.says.commands.is_empty() || command.is_empty() || command.iter().any(named)
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

/// Of each kind of clue the first and the last ones.
fn few_of_a_kind(clues: Vec<Clue>) -> Vec<Clue> {
    let kind = |clue: &Clue| (clue.rule.clone(), clue.errno.map(|errno| errno as i32));
    let mut left = HashMap::<_, usize>::new();
    for clue in &clues {
        *left.entry(kind(clue)).or_default() += 1;
    }
    let mut seen = HashMap::<_, usize>::new();
    let mut is_kept = |clue: &Clue| {
        let (seen, left) = (seen.entry(kind(clue)).or_default(), left.entry(kind(clue)).or_default());
        (*seen, *left) = (*seen + 1, left.saturating_sub(1));
        *seen <= FIRST_OF_A_KIND || *left < LAST_OF_A_KIND
    };
    clues.into_iter().filter(|clue| is_kept(clue)).collect()
}

/// Whether every quotation in a line has both of its marks.
fn has_whole_quotations(line: &[u8]) -> bool {
    [b'\'', b'"'].into_iter().all(|mark| memchr::memchr_iter(mark, line).count().is_multiple_of(2))
}

/// Removes what is superfluous, place by place.
fn remove(drafts: &mut Vec<Draft>, superfluous: &[bool]) {
    let mut superfluous = superfluous.iter();
    drafts.retain(|_| !superfluous.next().is_some_and(|superfluous| *superfluous));
}

/// The same failure once, where it was said first; what was said in passing may be said again and count.
fn distinct(clues: &mut Vec<Clue>) {
    let mut seen = HashSet::new();
    clues.retain(|clue| {
        let errno = clue.errno.map(|errno| errno as i32);
        seen.insert((
            clue.rule.clone(),
            clue.passing,
            errno,
            clue.operation,
            clue.path.clone(),
            clue.other_path.clone(),
            clue.subject.clone(),
        ))
    });
}
