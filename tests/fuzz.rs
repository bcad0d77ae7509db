//! What others wrote is read without a panic and in linear time: rule files, output, logs in every form, reports. Pieces of real ones are
//! put together at random, from fixed seeds. `FUZZ_ROUNDS=100000 cargo test --release --test fuzz` goes on for as long as one likes.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests act on real files; the one door is the product's rule, and what goes wrong here is a failed test"
)]

use explain::clue::{AnyReader, Clue, Fault, Library, Said, Standing, under_changed_directory};
use explain::command_line;
use explain::machine::Surroundings;
use explain::transcript::Transcript;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

#[path = "skipped/mod.rs"]
mod skipped;

use skipped::skip;

/// Numbers that look random and are the same every time (Marsaglia, Xorshift RNGs, 2003).
struct Random(u64);

impl Random {
    fn of_round(round: usize) -> Self {
        Self((round as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    /// Pieces in any order, with a few bytes wrong.
    fn mixed(&mut self, pieces: &[&str], count: usize) -> Vec<u8> {
        let mut all: Vec<u8> = (0..count).flat_map(|_| pieces[self.below(pieces.len())].bytes()).collect();
        for _ in 0..self.below(4) {
            let at = self.below(all.len());
            all[at] = self.below(256).try_into().unwrap();
        }
        all.truncate(1 + self.below(2 * all.len()));
        all
    }
}

/// So many of a target that takes a moment, and more of one that takes less.
fn rounds(usual: usize) -> std::ops::Range<usize> {
    0..std::env::var("FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

const OUTPUT: &[&str] = &[
    "tar: a/b: Cannot mkdir: No space left on device\n",
    "cp: cannot stat '/x",
    "': Permission denied",
    "\n",
    "\r",
    "\r\n",
    "  usage: x\n    ",
    "\x1b[31m",
    "\x1b]0;",
    "\x07",
    "2024-05-06T07:08:09.1Z ",
    "##[group]Run a\n",
    "##[error]Process completed with exit code 2.\n",
    "section_start:1700000000:step_script\r\x1b[0K",
    "#12 0.345 ",
    "web-1  | ",
    "[ui] ",
    "ERROR: process \"a\" did not complete successfully: exit code: 2\n",
    "make: [Makefile:3: clean] Error 1 (ignored)\n",
    "[Errno 28] ",
    "[Errno ",
    "(os error 28)",
    "npm ERR! ",
    "No space left on device",
    ": ",
    "/tmp/x",
    "‘",
    "’",
    "：",
    "Error: ENOSPC: no space left on device, open 'x'",
    "A complete log of this run can be found in: /x/y.log\n",
    "\u{1}ENOSPC\u{2}",
    "##[endgroup]\n",
    "+ cp a b\n",
    "  12 | ",
    "[31;1m",
    "[0m",
    "\x1b[2K\x1b[1G",
    "INFO ",
    "level=info msg=\"",
    ", continuing\n",
    "[pod/x/y] ",
    "cp: cannot create regular file '/srv/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v\n",
    "cannot create directory a line that is long enough to have been wrapped by a terminal\n  ",
];

const RULES: &[&str] = &[
    "[[rule]]\n",
    "id = \"a\"\n",
    "pattern = '''",
    "'''\n",
    "lost it",
    "{errno}",
    "{path",
    "}",
    "(?<path>[^:]+)",
    "(?:a|b){3,9}",
    "[[:alpha:]]",
    "(((",
    "|",
    r"\x{41}",
    r"\",
    "é",
    "source = \"s\"\nfires = []\nsilent = []\n",
    "[[benign]]\nprogram = \"x\"\n",
    "status = [1]\n",
    "near = [{ pattern = \"lost\" }]\n",
    "errno = \"ENOSPC\"\n",
    "\"",
    "'",
    "[verbs]\n",
    "= 3\n",
];

fn clues(library: &Library, output: Vec<u8>) {
    let surroundings = Surroundings::default();
    let length = output.len() as u64;
    let transcript = Transcript::whole(output);
    for clue in
        library.clues(&Said { transcript: &transcript, command: &[], surroundings: &surroundings, machine: None })
    {
        assert!(clue.said.start <= clue.said.end && clue.said.end <= length);
    }
}

fn ids(library: &Library) -> Vec<String> {
    library.rules().iter().map(|rule| rule.id().to_owned()).collect()
}

/// The ids and faults of a file that is read as a whole, and not at a glance.
fn as_a_whole(file: &PathBuf, text: &str) -> (Vec<String>, Vec<Fault>) {
    std::fs::write(file, text).unwrap();
    let (library, faults) = Library::with(std::slice::from_ref(file));
    (ids(&library), faults)
}

#[test]
fn whatever_a_rule_file_holds_is_read_or_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("own.toml");
    for round in rounds(1500) {
        let text = String::from_utf8_lossy(&Random::of_round(round).mixed(RULES, 14)).into_owned();
        let (library, faults) = Library::with_texts([(file.clone(), text.clone())]);
        assert_eq!(as_a_whole(&file, &text), (ids(&library), faults.clone()), "{text}");
        assert!(faults.iter().all(|fault| fault.line.is_some_and(|line| line <= text.lines().count() + 1)), "{text}");
        if round % 50 == 0 {
            clues(&library, text.into_bytes());
        }
    }
}

const COMMANDS: &[&str] = &[
    "sh",
    "-c",
    "make",
    "python3",
    "--file=/x/y",
    "NAME=a/b",
    "=",
    "-",
    " ",
    "\n",
    "'",
    "\"",
    "\\",
    ">",
    "2>&1",
    ">>/x/log",
    "<in",
    "|",
    "&&",
    ";",
    "$(cat a/b)",
    "../x",
    "/",
    "é",
    "\0",
];

/// What `make` reads where nothing is said.
const OF_MAKE: &[&str] = &["GNUmakefile", "makefile", "Makefile"];

#[test]
fn whatever_a_command_line_holds_names_parts_of_its_words() {
    for round in rounds(3000) {
        let mut random = Random::of_round(round);
        let mut word = || OsString::from_vec(random.mixed(COMMANDS, 6));
        let command = [word(), word(), word()];
        let is_part = |path: &Path| {
            let holds = |word: &OsString| memchr::memmem::find(word.as_bytes(), path.as_os_str().as_bytes()).is_some();
            command.iter().any(holds) || OF_MAKE.iter().any(|of_make| path.as_os_str() == *of_make)
        };
        assert!(command_line::paths_of(&command).chain(command_line::scripts_of(&command)).all(is_part), "{command:?}");
        for path in command_line::paths_of(&command) {
            let _ = command_line::is_redirected_to(&command, path);
        }
    }
}

#[test]
fn whatever_was_written_is_read() {
    let library = Library::builtin();
    for round in rounds(150) {
        clues(&library, Random::of_round(round).mixed(OUTPUT, 60));
    }
}

#[test]
fn whatever_a_log_holds_is_read_as_far_as_it_goes() {
    let library = Library::builtin();
    let reader = AnyReader::new(&library, Vec::new);
    for round in rounds(80) {
        let mut random = Random::of_round(round);
        let plain = random.mixed(OUTPUT, 40);
        let mut bytes = match round % 3 {
            0 => compressed(&plain),
            1 => [b"\x28\xb5\x2f\xfd".as_slice(), &plain].concat(),
            // Longer than what is kept whole, so that it is skimmed.
            _ => plain.repeat(1 + (2 << 20) / plain.len()),
        };
        let cut = random.below(bytes.len());
        bytes[cut] = random.below(256).try_into().unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let Ok((transcript, _)) = explain::log::read(&[file.path().to_owned()], &reader) else { continue };
        let mut end = 0;
        for part in &transcript.parts {
            assert!(part.offset >= end, "round {round}: parts overlap");
            end = part.offset + part.bytes.0.len() as u64;
        }
        assert!(end <= transcript.bytes, "round {round}");
    }
}

/// As one member of gzip.
fn compressed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn whatever_a_report_holds_is_read_or_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("report.json");
    let program = env!("CARGO_BIN_EXE_explain");
    let ran = std::process::Command::new(program)
        .args(["-q", "--report", file.to_str().unwrap(), "cat", "/no/such/file"])
        .env_remove("EXPLAIN_RULES")
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1));
    let report = std::fs::read(&file).unwrap();
    assert!(explain::report::read(&report).is_ok());
    for round in rounds(2000) {
        let mut random = Random::of_round(round);
        let mut bytes = report.clone();
        for _ in 0..=random.below(3) {
            let (at, from) = (random.below(bytes.len()), random.below(report.len()));
            let piece = &report[from..report.len().min(from + random.below(40))];
            let end = bytes.len().min(at + random.below(40));
            bytes.splice(at..end, piece.iter().copied());
        }
        let _ = explain::report::read(&bytes);
    }
}

/// Output that is read as often as it is repeated.
const REPEATED: &[&str] = &[
    "    indented\n",
    "a: b: c: d: ",
    "((((",
    "/x/y",
    "x: ",
    "'a' ",
    "npm ERR! ",
    "  2: ",
    "\x1b[",
    "No space left on device: ",
    "cp: cannot stat 'x': Permission denied\n",
];

fn repeated() -> impl Iterator<Item = &'static str> {
    OUTPUT.iter().filter(|unit| unit.len() > 3).chain(REPEATED).copied()
}

/// Set where this test runs itself under callgrind.
const COUNTED: &str = "EXPLAIN_TEST_COUNTED";

/// Its calls are what callgrind counts, each for itself.
#[inline(never)]
fn counted_work(work: &dyn Fn()) {
    work();
}

/// Instructions from each call of `counted_work` in the child to the next, in order; none without valgrind. Time would depend on what
/// else the machine does.
fn counts(test: &str) -> Option<Vec<u64>> {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("{name}={}", directory.path().join("counts").display());
    let ran = std::process::Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--dump-before=*counted_work*"])
        .arg(file("--callgrind-out-file"))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--test-threads=1"])
        .env(COUNTED, "yes")
        .output();
    let ran = match ran {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        ran => ran.unwrap(),
    };
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    // Each call ends the part before it, and the first part is what was before all calls.
    let part = |number: usize| std::fs::read_to_string(directory.path().join(format!("counts.{number}"))).ok();
    let summary = |part: String| part.lines().find_map(|line| line.strip_prefix("summary: ")?.trim().parse().ok());
    Some((2..).map_while(part).filter_map(summary).collect())
}

/// Fails where four times as much of a unit takes more than eight times the instructions. `each` is the work on one text, `units` are what texts
/// are made of.
fn assert_no_more_than_linear(test: &str, units: &[&str], lengths: [usize; 2], each: impl Fn(String)) {
    if std::env::var_os(COUNTED).is_some() {
        // What is made once is made here, and what the work takes whatever the text is comes first.
        each("x".to_owned());
        counted_work(&|| each("x".to_owned()));
        for unit in units {
            for length in lengths {
                counted_work(&|| each(unit.repeat(length / unit.len())));
            }
        }
        // Ends the part of the last one.
        counted_work(&|| {});
        return;
    }
    let Some(counts) = counts(test) else { return skip(test, "valgrind is not installed", true) };
    let (start, counts) = counts.split_first().unwrap();
    assert_eq!(counts.len(), 2 * units.len());
    for (unit, counts) in units.iter().zip(counts.chunks(2)) {
        let [small, large] = [counts[0], counts[1]].map(|count| count.saturating_sub(*start) + start / 10);
        assert!(large < 8 * small, "{unit:?}: {small} and then {large}");
    }
}

#[test]
fn four_times_as_much_output_takes_no_more_than_eight_times_the_instructions() {
    let library = LazyLock::new(Library::builtin);
    let units: Vec<&str> = repeated().collect();
    assert_no_more_than_linear(
        "four_times_as_much_output_takes_no_more_than_eight_times_the_instructions",
        &units,
        [3_000, 12_000],
        |output| clues(&library, output.into_bytes()),
    );
}

/// Parts of scripts, each repeated: of a script the commands are judged by what follows them.
const SCRIPTS: &[&str] = &[
    "cp a b\n",
    "cp a b && ",
    "cp a b | ",
    "cp a b || true\n",
    "cp a b || cp a c\n",
    "if cp a b; then :; fi\n",
    "! cp a b && ",
    "cd x ",
    "cd x\n",
    ">x ",
    "> ",
    "    ",
];

#[test]
fn a_script_four_times_as_long_takes_no_more_than_eight_times_the_instructions() {
    assert_no_more_than_linear(
        "a_script_four_times_as_long_takes_no_more_than_eight_times_the_instructions",
        SCRIPTS,
        [8_000, 32_000],
        |script| {
            let command = ["sh", "-c", &script].map(OsString::from);
            for path in ["a", "not/named"] {
                let clue = Clue { program: Some("cp".to_owned()), path: Some(path.into()), ..Clue::default() };
                let _ = Standing::of(&command, &clue);
                let _ = command_line::is_redirected_to(&command, Path::new(path));
                under_changed_directory(&command, &mut [clue]);
            }
        },
    );
}
