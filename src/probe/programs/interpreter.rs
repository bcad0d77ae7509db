//! The first line of a script as the kernel reads it, `fs/binfmt_script.c`.

use crate::machine::KERNEL_READS;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// What a `#!` line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shebang {
    /// The program, as it is written.
    pub interpreter: PathBuf,
    /// All that stands behind it: the kernel passes it as one word.
    pub argument: Option<OsString>,
    /// Whether the line ends in a carriage return, which belongs to the last word for the kernel.
    pub carriage_return: bool,
    /// Whether the program's name goes on behind what the kernel reads.
    pub cut: bool,
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// From the first blank on.
fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| is_blank(*byte) || *byte == 0).unwrap_or(text.len()))
}

fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_blank(*byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_blank(*byte)).map_or(start, |end| end + 1);
    &text[start..end.max(start)]
}

impl Shebang {
    /// Reads the first line; none where it names no program, which the kernel answers with ENOEXEC.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let is_long = line.len() >= KERNEL_READS;
        let read = trim(&line[..line.len().min(KERNEL_READS)][2..]);
        let (interpreter, rest) = split_word(read);
        if interpreter.is_empty() {
            return None;
        }
        let cut = is_long && rest.is_empty();
        // What is cut off is shown whole where it is known.
        let interpreter = if cut { split_word(trim(&line[2..])).0 } else { interpreter };
        let carriage_return = read.ends_with(b"\r");
        let clean = |word: &[u8]| OsString::from_vec(word.strip_suffix(b"\r").unwrap_or(word).to_vec());
        let argument = Some(trim(rest)).filter(|rest| !rest.is_empty()).map(clean);
        Some(Self { interpreter: clean(interpreter).into(), argument, carriage_return, cut })
    }

    /// The program that `env` is told to look for, env(1); none where the interpreter is not `env`.
    #[must_use]
    pub fn looked_up(&self) -> Option<OsString> {
        let is_env = self.interpreter.file_name().is_some_and(|name| name == "env");
        let argument = self.argument.as_ref().filter(|_| is_env)?.as_encoded_bytes();
        if !argument.starts_with(b"-") {
            // The kernel passes one word, blanks and all; env takes NAME=VALUE before the program.
            return (!argument.contains(&b'=')).then(|| OsString::from_vec(argument.to_vec()));
        }
        let split = argument.strip_prefix(b"-S").or_else(|| argument.strip_prefix(b"--split-string="))?;
        let words = split.split(|byte| is_blank(*byte)).filter(|word| !word.is_empty());
        let first = words.into_iter().find(|word| !word.contains(&b'='))?;
        let is_plain =
            first.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/._+-".contains(byte)) && first[0] != b'-';
        is_plain.then(|| OsString::from_vec(first.to_vec()))
    }

    /// Whether `env` is given a program and its arguments, which the kernel passes as one word.
    #[must_use]
    pub fn is_one_word(&self) -> bool {
        self.looked_up().is_some_and(|name| name.as_encoded_bytes().iter().any(|byte| is_blank(*byte)))
    }

    /// Whether a relative interpreter depends on the directory that the script is started from.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        !Path::new(&self.interpreter).is_absolute()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Shebang {
        Shebang::parse(line.as_bytes()).unwrap()
    }

    #[test]
    fn blanks_around_the_words_do_not_count() {
        let shebang = parsed("#! \t/bin/sh  -e -u \t");
        assert_eq!((shebang.interpreter, shebang.argument), ("/bin/sh".into(), Some("-e -u".into())));
    }

    #[test]
    fn a_carriage_return_is_seen_behind_the_interpreter_and_behind_its_argument() {
        let [plain, with_argument] = ["#!/bin/sh\r", "#!/usr/bin/env python3\r"].map(parsed);
        assert_eq!((plain.carriage_return, plain.interpreter), (true, "/bin/sh".into()));
        assert_eq!((with_argument.carriage_return, with_argument.looked_up()), (true, Some("python3".into())));
        assert!(!parsed("#!/bin/sh").carriage_return);
    }

    #[test]
    fn a_line_that_names_nothing_is_none() {
        assert_eq!(["#!", "#!  \t"].map(|line| Shebang::parse(line.as_bytes())), [None, None]);
    }

    #[test]
    fn a_name_behind_what_the_kernel_reads_is_cut_and_an_argument_there_is_not() {
        let deep = format!("#!/{}/python", "d".repeat(260));
        assert!(parsed(&deep).cut && parsed(&deep).interpreter.ends_with("python"));
        assert!(!parsed(&format!("#!/bin/sh {}", "a".repeat(300))).cut);
    }

    #[test]
    fn env_looks_for_its_one_word_or_for_the_first_of_a_split_string() {
        let looked_up = ["env python3", "env python3 -u", "env -S python3 -u", "env -S A=1 node", "env -i", "sh x"]
            .map(|line| parsed(&format!("#!/usr/bin/{line}")).looked_up());
        let words = [Some("python3"), Some("python3 -u"), Some("python3"), Some("node"), None, None];
        assert_eq!(looked_up, words.map(|word| word.map(Into::into)));
        assert!(parsed("#!/usr/bin/env python3 -u").is_one_word());
    }
}
