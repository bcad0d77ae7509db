//! From what was written to the lines that are matched: each state of a progress bar (between carriage returns) is a line of its
//! own; a message that was wrapped at a width is offered a second time as one line, and what a record says as lines.

use crate::transcript::Transcript;
use jobs::{Failed, assign, of_same_job, time};
use line::{HEAD, Line, clean, movements, shortened};
use std::ops::Range;

pub mod compared;
mod copied;
pub mod exception;
mod frame;
pub mod jobs;
mod json;
mod level;
pub mod line;
mod margin;
pub mod named;
pub mod page;
pub mod prefix;
mod records;
pub mod shown;
mod trace;

/// Lines of a wrapped message that are joined at most.
const JOINED: usize = 8;
/// Shorter lines were not broken by a width.
const WRAP_WIDTH: usize = 58;
/// Columns of terminals, real ones and those that build servers pretend to have, which break a line anywhere.
const COLUMNS: [usize; 6] = [80, 100, 120, 132, 160, 200];
/// What some programs set before each line of a message, also of one that they wrap: opam, curl, npm.
/// A line at the left of a message, as Terraform draws it.
const MARGINS: [&[u8]; 5] = [b"# ", b"Warning: ", b"npm error ", b"npm ERR! ", "\u{2502} ".as_bytes()];
/// Blanks before and behind each line of the boxes in which PHP's console programs set a message.
const BOX: &[u8] = b"  ";

/// The lines of a transcript in order; wrapped messages stand joined before their first line. And what the log says failed.
#[must_use]
pub fn lines(transcript: &Transcript) -> (Vec<Line>, Failed) {
    let mut physical: Vec<Line> = transcript.parts.iter().flat_map(|part| split(part.offset, &part.bytes.0)).collect();
    let failed = assign(&mut physical, &transcript.files);
    let mut wrapped = Vec::new();
    let mut covered = vec![false; physical.len()];
    for index in 0..physical.len() {
        if covered[index] {
            continue;
        }
        // What ends at the last column is tried in every way.
        for by in [Wrap::Words, Wrap::Columns, Wrap::Box] {
            let Some((joined, pieces)) = unwrapped(&physical, index, by) else { continue };
            wrapped.push((index, joined));
            for piece in pieces {
                covered[piece] = true;
            }
        }
    }
    let said: Vec<Vec<Line>> = (0..physical.len()).map(|index| of_record(&physical, index)).collect();
    let mut out = Vec::with_capacity(physical.len() + wrapped.len());
    let mut wrapped = wrapped.into_iter().peekable();
    for ((index, line), said) in physical.into_iter().enumerate().zip(said) {
        while let Some((_, joined)) = wrapped.next_if(|(first, _)| *first == index) {
            out.push(joined);
        }
        out.extend(said);
        out.push(line);
    }
    (out, failed)
}

/// What the record says that a line is a part of, each as a line in its place.
fn of_record(lines: &[Line], at: usize) -> Vec<Line> {
    let line = &lines[at];
    let label = &line.text[..line.place.body];
    let said = |said: String| Line { text: [label, &*clean(said.as_bytes())].concat(), joined: true, ..line.clone() };
    records::messages(lines, at).into_iter().map(said).collect()
}

fn split(offset: u64, bytes: &[u8]) -> impl Iterator<Item = Line> + '_ {
    let mut start = 0;
    let ends = memchr::memchr2_iter(b'\n', b'\r', bytes).chain([bytes.len()]);
    let raw = ends.map(move |end| std::mem::replace(&mut start, end + 1)..end);
    raw.flat_map(|raw| states(bytes, raw)).filter_map(move |raw| {
        let mut text = clean(&shortened(bytes.get(raw.clone())?));
        // Blanks at the end mean nothing, and a message ends at its last word.
        text.truncate(text.trim_ascii_end().len());
        (!text.is_empty()).then(|| Line {
            text,
            span: offset + raw.start as u64..offset + raw.end as u64,
            ..Line::default()
        })
    })
}

/// The states of a line between movements of the cursor.
fn states(bytes: &[u8], raw: Range<usize>) -> Vec<Range<usize>> {
    let mut start = raw.start;
    let movements = movements(bytes.get(raw.clone()).unwrap_or_default());
    let mut states: Vec<Range<usize>> = movements
        .map(|movement| std::mem::replace(&mut start, raw.start + movement.end)..raw.start + movement.start)
        .collect();
    states.push(start..raw.end);
    states
}

/// What broke a message into lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrap {
    /// The program, between words.
    Words,
    /// A terminal at its last column, wherever that was.
    Columns,
    /// Symfony's console, at the width of a box that has blanks on all sides.
    Box,
}

/// What a line says behind its label and the time.
fn said(line: &Line) -> &[u8] {
    let body = line.body();
    &body[time(body)..]
}

/// The message that begins at a line, put together, and the lines that it goes on in; none where nothing was wrapped. Lines of other jobs that
/// stand between are left out.
fn unwrapped(lines: &[Line], at: usize, by: Wrap) -> Option<(Line, Vec<usize>)> {
    let first = &lines[at];
    let margin = if by == Wrap::Box { BOX } else { margin(said(first)) };
    let mut joined = first.clone();
    let mut pieces = Vec::new();
    for next in of_same_job(lines, at, true).take(JOINED - 1) {
        let Some(more) = said(&lines[next]).strip_prefix(margin) else { break };
        let fits = joined.text.len() + more.len() < HEAD;
        let last = said(&lines[pieces.last().copied().unwrap_or(at)]);
        let goes_on = match by {
            Wrap::Words => {
                let begun = &said(first)[margin.len()..];
                !begins_anew(more) && !begin_alike(begun, more) && goes_on(last, more, indent(begun))
            }
            Wrap::Columns => is_full(last) && may_be_one(last, more),
            Wrap::Box => {
                fills_a_box(last) && first.span.end - first.span.start == lines[next].span.end - lines[next].span.start
            }
        };
        if !fits || !goes_on {
            break;
        }
        let (gap, more) = if by == Wrap::Words { (&b" "[..], more.trim_ascii()) } else { (&b""[..], more) };
        joined.text.extend_from_slice(gap);
        joined.text.extend_from_slice(more);
        joined.span.end = lines[next].span.end;
        pieces.push(next);
    }
    joined.joined = true;
    (!pieces.is_empty()).then_some((joined, pieces))
}

/// Whether two lines may be one that was broken between them: what ends with a quotation or a sentence goes on with a blank or a sign.
fn may_be_one(line: &[u8], next: &[u8]) -> bool {
    let is_whole = line.last().is_some_and(|last| b"'\"`)].!".contains(last));
    !is_whole || next.first().is_some_and(|first| b" :,;.)]".contains(first))
}

/// Whether a line goes on with nothing: it is source that a compiler shows below its message (`  12 |   int a;`), or a message of its own that
/// begins with a place or the number of a process (`a.c:3:1: `, `make[2]: `).
fn begins_anew(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let number = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_source = line[number..].trim_ascii_start().starts_with(b"| ");
    let word = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    let has = |is: fn(&u8) -> bool| word.iter().any(is);
    is_source
        || frame::is_marks(line)
        || word.ends_with(b":") && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

/// Whether two messages begin with the name of the same program, which no message has in its middle.
fn begin_alike(line: &[u8], next: &[u8]) -> bool {
    let speaker = line.split_inclusive(|byte| *byte == b' ').next().filter(|word| word.ends_with(b": "));
    speaker.is_some_and(|name| next.starts_with(name))
}

/// Whether a line goes up to the last column of a terminal.
fn is_full(said: &[u8]) -> bool {
    // Columns are those of characters: bytes that go on one count nothing.
    COLUMNS.contains(&said.iter().filter(|byte| **byte & 0xc0 != 0x80).count())
}

/// Whether a line goes up to the right of a box, which is as wide as a terminal less one column.
fn fills_a_box(said: &[u8]) -> bool {
    let columns = said.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
    said.starts_with(BOX) && COLUMNS.contains(&(columns + BOX.len() + 1))
}

fn margin(line: &[u8]) -> &'static [u8] {
    MARGINS.into_iter().find(|margin| line.starts_with(margin)).unwrap_or_default()
}

/// Whether a line goes on in the next: it was long enough to be broken, and the next is set deeper or begins small.
fn goes_on(line: &[u8], next: &[u8], margin: usize) -> bool {
    let begins_small =
        || next.trim_ascii_start().first().is_some_and(|byte| byte.is_ascii_lowercase() || *byte == b'/');
    line.len() >= WRAP_WIDTH && (indent(next) >= margin + 2 || indent(next) == margin && begins_small())
}

fn indent(text: &[u8]) -> usize {
    text.len() - text.trim_ascii_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use line::TAIL;

    fn texts(bytes: &[u8]) -> Vec<String> {
        lines(&Transcript::whole(bytes.to_vec()))
            .0
            .iter()
            .map(|line| String::from_utf8_lossy(&line.text).into_owned())
            .collect()
    }

    #[test]
    fn colours_titles_and_links_are_removed() {
        assert_eq!(
            texts(b"\x1b[1;31merror\x1b[0m: no\x1b]0;title\x07 \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\x1b(B end\n"),
            ["error: no link end"]
        );
    }

    #[test]
    fn each_state_of_a_progress_bar_is_a_line() {
        assert_eq!(texts(b" 10%\r 20%\rfailed: x\r\nnext"), [" 10%", " 20%", "failed: x", "next"]);
    }

    #[test]
    fn offsets_count_all_bytes_that_were_written() {
        let mut transcript = Transcript::whole(b"one\ntwo\n".to_vec());
        transcript.parts[0].offset = 100;
        assert_eq!(lines(&transcript).0.iter().map(|line| line.span.clone()).collect::<Vec<_>>(), [100..103, 104..107]);
    }

    #[test]
    fn a_wrapped_message_is_offered_as_one_line_too() {
        let wrapped = "[ERROR] The compilation of ocaml-base-compiler failed at the command that is\n        here \"exited with\n";
        assert_eq!(
            texts(wrapped.as_bytes())[0],
            "[ERROR] The compilation of ocaml-base-compiler failed at the command that is here \"exited with"
        );
    }

    #[test]
    fn a_message_that_was_wrapped_behind_a_margin_is_joined_without_it() {
        let wrapped = "# Error: utimes: /home/u/.cache/dune/db/v2/beacon/files: Read-only file\n# system\n# Next\n";
        assert_eq!(
            texts(wrapped.as_bytes())[0],
            "# Error: utimes: /home/u/.cache/dune/db/v2/beacon/files: Read-only file system"
        );
        let other = "# Error: utimes: /home/u/.cache/dune/db/v2/beacon/files: Read-only file\nsystem\n";
        assert_eq!(texts(other.as_bytes())[0], other.lines().next().unwrap());
    }

    #[test]
    fn a_message_that_was_wrapped_behind_the_time_is_joined() {
        let time = "2024-05-06T07:08:09.1234567Z ";
        let first = "cp: cannot create regular file '/srv/build/output/releases/a/long': No space";
        assert_eq!(
            texts(format!("{time}{first}\n{time}left on device\n").as_bytes())[0],
            format!("{time}{first} left on device")
        );
    }

    #[test]
    fn a_message_that_a_terminal_broke_is_joined_without_a_blank() {
        let whole =
            format!("cp: cannot create regular file '/srv/{}/name': No space left on device", "long/".repeat(20));
        for prefix in ["", "2024-05-06T07:08:09.1Z "] {
            let broken: Vec<String> = whole
                .as_bytes()
                .chunks(80)
                .map(|piece| format!("{prefix}{}", String::from_utf8_lossy(piece)))
                .collect();
            assert!(texts(broken.join("\n").as_bytes()).contains(&format!("{prefix}{whole}")), "{prefix}");
        }
    }

    #[test]
    fn a_message_in_a_box_is_joined_without_a_blank() {
        let message = "file_put_contents(./composer.lock): Failed to open stream: Read-only file system";
        let set = |text: &str| format!("  {text:75}  \n");
        let shown = format!("{}{}{}", set(&message[..75]), set(&message[75..]), set(""));
        assert!(texts(shown.as_bytes()).contains(&format!("  {message}")), "{:?}", texts(shown.as_bytes()));
        let no_box = format!("  {}\n  {}\n", &message[..75], &message[75..]);
        assert!(!texts(no_box.as_bytes()).contains(&format!("  {message}")));
    }

    #[test]
    fn a_message_behind_a_drawn_line_is_joined_without_it() {
        let shown =
            "\u{2502} The plan file could not be written: open /srv/p: read-only file\n\u{2502} system.\n\u{2575}\n";
        assert_eq!(
            texts(shown.as_bytes())[0],
            "\u{2502} The plan file could not be written: open /srv/p: read-only file system."
        );
    }

    #[test]
    fn a_line_that_ends_a_quotation_at_the_last_column_is_whole() {
        let line = format!("make[2]: Leaving directory '/{}'", "x".repeat(80 - 30));
        assert_eq!(line.len(), 80);
        assert!(!texts(format!("{line}\nMakefile: x\n").as_bytes()).contains(&format!("{line}Makefile: x")));
    }

    #[test]
    fn source_that_a_compiler_shows_is_no_part_of_its_message() {
        let shown =
            "a.c:343:44: warning: format '%d' expects argument of type 'int' [-Wformat=]\n  343 |   fail(\"%d\");";
        assert_eq!(texts(shown.as_bytes()).len(), 2);
        let apart =
            format!("make[2]: Leaving directory '/{}'\nmake[1]: *** [x] Error 1\n  a.c:3:1: error: x", "x".repeat(60));
        assert_eq!(texts(apart.as_bytes()).len(), 3);
    }

    #[test]
    fn two_messages_of_one_program_are_two_however_long_the_first_is() {
        let said = "dpkg: warning: failed to open configuration file '/root/.dpkg.cfg' for reading: gone\ndpkg: error: requested operation requires superuser privilege";
        assert_eq!(texts(said.as_bytes()).len(), 2);
    }

    #[test]
    fn what_is_written_over_is_a_line_of_its_own() {
        assert_eq!(
            texts(b"[1/4] Resolving\x1b[2K\x1b[1Gerror x: gone\x1b[0m\n pull\x1b[1A\x1b[2Kfailed"),
            ["[1/4] Resolving", "error x: gone", " pull", "failed"]
        );
    }

    #[test]
    fn colours_that_lost_their_escapes_are_removed() {
        assert_eq!(
            texts(b"[31;1mERROR: x: gone[0;m\n[1/2] took [5m 3s]\n[36;1mmv a[0m"),
            ["ERROR: x: gone", "[1/2] took [5m 3s]", "mv a"]
        );
    }

    #[test]
    fn what_an_object_of_json_says_is_offered_as_a_line_too() {
        let line = r#"{"level":"error","msg":"bash: x: gone"}"#;
        assert_eq!(texts(line.as_bytes()), ["bash: x: gone", line]);
    }

    #[test]
    fn a_long_line_keeps_its_head_and_its_tail() {
        let long = [b"cp: ".as_slice(), &vec![b'x'; 1 << 20], b": No space left on device"].concat();
        let text = &texts(&long)[0];
        assert!(text.len() < HEAD + TAIL + 10 && text.starts_with("cp: ") && text.ends_with("on device"));
    }

    #[test]
    fn bytes_that_are_not_text_stay() {
        assert_eq!(lines(&Transcript::whole(b"cat: caf\xe9: gone".to_vec())).0[0].text, b"cat: caf\xe9: gone");
    }
}
