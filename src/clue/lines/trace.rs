//! Commands that a shell shows before it runs them (`set -x`), where a quotation in one goes on over several lines: what stands in it is
//! the text of a script or a message to send, and nothing that was said.

use super::jobs::time;
use super::line::Line;

/// Lines over which a quotation goes on at most.
const LONGEST: usize = 60;
/// Bytes of a line in which a bracket before a command ends.
const HEAD: usize = 40;

/// Of each line whether it stands within the quotation of a command.
pub fn within_commands(lines: &[Line]) -> Vec<bool> {
    let mut within = vec![false; lines.len()];
    let mut at = 0;
    while at < lines.len() {
        let end = if is_command(said(&lines[at])) { end_of_quotation(lines, at) } else { at };
        within[at..end].iter_mut().skip(1).for_each(|line| *line = true);
        within[end] |= end > at;
        at = end + 1;
    }
    within
}

/// What a line says behind its label and the time, in whatever brackets that stands.
fn said(line: &Line) -> &[u8] {
    let said = &line.body()[time(line.body())..];
    let in_brackets =
        said.starts_with(b"[").then(|| memchr::memmem::find(&said[..said.len().min(HEAD)], b"] +")).flatten();
    in_brackets.map_or(said, |end| &said[end + 2..])
}

/// `+ make all`, `++ id -u`
fn is_command(said: &[u8]) -> bool {
    let pluses = said.iter().take_while(|byte| **byte == b'+').count();
    pluses > 0 && said.get(pluses) == Some(&b' ')
}

/// The line in which the quotation ends that a command leaves open, or the command itself.
fn end_of_quotation(lines: &[Line], command: usize) -> usize {
    let mut is_open = false;
    for (at, line) in lines.iter().enumerate().skip(command).take(LONGEST) {
        match left_open(said(line), is_open) {
            Some(true) => is_open = true,
            Some(false) => return at,
            None => return command,
        }
    }
    command
}

/// Whether a line leaves a quotation open, which was open before it or not; none where its marks are not those of a shell. Bash quotes whole
/// words, and writes a mark within one as `'\''`; dash quotes nothing.
fn left_open(line: &[u8], was_open: bool) -> Option<bool> {
    let mut is_open = was_open;
    for at in memchr::memchr_iter(b'\'', line) {
        let (before, behind) = (at.checked_sub(1).map(|at| line[at]), line.get(at + 1));
        if !is_open && before == Some(b'\\') {
            continue;
        }
        let is_of_shell = if is_open {
            behind.is_none_or(|byte| b" \\;)".contains(byte))
        } else {
            before.is_none_or(|byte| b" ='$".contains(&byte))
        };
        if !is_of_shell {
            return None;
        }
        is_open = !is_open;
    }
    Some(is_open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(log: &str) -> Vec<bool> {
        let lines: Vec<Line> = log.lines().map(|text| Line { text: text.into(), ..Line::default() }).collect();
        within_commands(&lines)
    }

    #[test]
    fn what_a_quotation_of_a_command_goes_on_with_is_no_message() {
        assert_eq!(within("+ mail -s x 'a\nb: gone\nc'\nd"), [false, true, true, false]);
        assert_eq!(within("++ sh -c 'it'\\''s\ngone' x\nb"), [false, true, false]);
        assert_eq!(within("[   1s] + echo 'a\n[   1s] b'\nc"), [false, true, false]);
        assert_eq!(within("07:08:09 + echo 'a\n07:08:09 b'\nc"), [false, true, false]);
    }

    #[test]
    fn marks_of_others_open_nothing() {
        for log in [
            "+ echo don't\ncp: 'x': gone",
            "+ echo a\nb",
            "+ cp 'a' b\ncp: 'a': gone",
            "+ x 'a\ncp: cannot stat 'b': gone",
            "+a 'b\nc'",
        ] {
            assert_eq!(within(log), [false, false], "{log}");
        }
    }
}
