//! Which of several readings of a message counts. One line is read by several rules; a message that was wrapped is read joined, perhaps in two
//! ways, and line by line. What knows most of the failure stays, so that one message yields one clue.

use super::draft::Draft;
use super::reader::Reader;
use crate::clue::Operation;
use crate::clue::lines::page::Page;
use crate::clue::search::pattern::Pattern;
use crate::sys::errno::Errno;
use std::cmp::Reverse;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// Lines before a word of "handled" that it takes back.
const HANDLED: usize = 5;

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

impl Reader<'_> {
    /// Of several rules that read the same line, the one that knows most speaks; the others fill what it leaves open.
    pub(super) fn one_a_line(&self, page: &Page, drafts: &[Draft], command: &[OsString]) -> Vec<Draft> {
        let mut chosen: Vec<Draft> = Vec::new();
        for same_line in drafts.chunk_by(|one, other| one.line == other.line) {
            let mut ranked: Vec<&Draft> = same_line.iter().collect();
            ranked.sort_by_key(|draft| Reverse(self.rank(draft)));
            let Some((best, others)) = ranked.split_first() else { continue };
            if self.rule(best.rule).says.handled {
                take_back(page, best.line, &mut chosen);
            } else {
                chosen.push(self.filled(page, best, others, command));
            }
        }
        self.keep_one_joining(page, &mut chosen);
        self.keep_joined_or_pieces(page, &mut chosen);
        chosen
    }

    /// What a rule reads in a line, with what others read there and it leaves open.
    fn filled(&self, page: &Page, best: &Draft, others: &[&Draft], command: &[OsString]) -> Draft {
        let mut draft = best.clone();
        for other in others {
            draft.fill_open(other);
        }
        if draft.errno.is_some() && draft.operation.is_none() {
            let line = String::from_utf8_lossy(page.body(draft.line));
            let told = self.library.verbs.operation_in(&line, draft.path.as_deref());
            draft.operation = told.or_else(|| start(&draft, command));
        }
        draft
    }

    /// A message that may have been wrapped in two ways was put together in both: the one that knows more stays, and of the same the one
    /// without a blank, which may be inside of a name.
    fn keep_one_joining(&self, page: &Page, drafts: &mut Vec<Draft>) {
        let is_other_joining = |one: &Draft, other: &Draft| {
            let (first, second) = (page.line(one.line), page.line(other.line));
            first.joined && second.joined && first.span.start == second.span.start && one.line < other.line
        };
        let knows = |draft: &Draft| self.rank(draft).0;
        let mut superfluous = vec![false; drafts.len()];
        for at in 1..drafts.len() {
            let (one, other) = (&drafts[at - 1], &drafts[at]);
            if is_other_joining(one, other) {
                let lesser = if knows(other) >= knows(one) { at - 1 } else { at };
                superfluous[lesser] = true;
            }
        }
        remove(drafts, &superfluous);
    }

    /// A wrapped message was read joined and line by line: what knows more stays. First go the joined ones that know no more than one of
    /// their lines, so that they do not take another message that happens to be next to it with them.
    fn keep_joined_or_pieces(&self, page: &Page, drafts: &mut Vec<Draft>) {
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
}

/// What was tried where a message names the command itself, as it was typed, and an answer of execve(2): a shell need not name itself.
fn start(draft: &Draft, command: &[OsString]) -> Option<Operation> {
    let is_answer = matches!(draft.errno, Some(Errno::ENOENT | Errno::EACCES));
    let file = command.first().filter(|file| is_answer && file.as_bytes().contains(&b'/'))?;
    draft.path.as_ref().is_some_and(|path| path == file).then_some(Operation::Execute)
}

/// Takes back what the same job said shortly before a line, which tells that it was expected or dealt with.
fn take_back(page: &Page, line: usize, chosen: &mut Vec<Draft>) {
    let job = page.line(line).place.job;
    let near = chosen.partition_point(|earlier| earlier.line + HANDLED < line);
    let others = chosen.split_off(near).into_iter();
    chosen.extend(others.filter(|earlier| page.line(earlier.line).place.job != job));
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
