//! Words of a script or of a program text that stand for all names of a directory which fit: what a shell replaces, and what a language's own
//! functions list. They are how arguments become too many.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A word that stands for names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern {
    /// As it is written; the directory alone where that is listed.
    pub word: String,
    /// The words before it, back to the beginning of the command.
    pub before: String,
    /// Where the names are.
    #[serde(with = "crate::text::path")]
    pub directory: PathBuf,
    /// What each name begins with.
    pub begin: String,
    /// What each name ends with.
    pub end: String,
    /// Who replaces it.
    pub by: By,
}

/// Who replaces a pattern by names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// A shell, before it starts the program.
    Shell,
    /// A function of a language or of make, whose list may be used for anything.
    Call,
}

/// Functions whose first argument is a pattern.
const GLOBS: &[&str] = &["glob(", "Dir[", "globSync(", "$(wildcard ", "Glob("];
/// Functions whose first argument is a directory.
const LISTS: &[&str] =
    &["listdir(", "readdirSync(", "scandir(", "Dir.children(", "Dir.entries(", "$(ls ", "$(shell ls "];

/// The patterns of a text that a shell or another program reads; relative ones are below `cwd`.
#[must_use]
pub fn in_text(cwd: &Path, text: &str) -> Vec<Pattern> {
    let calls =
        called(text, GLOBS).filter(|word| is_pattern(word)).filter_map(|word| pattern(cwd, word, &[], By::Call));
    let lists = called(text, LISTS).map(|word| listed(cwd, word));
    in_script(cwd, text).into_iter().chain(calls).chain(lists).collect()
}

/// What a shell replaces: words with one star in the last component.
fn in_script(cwd: &Path, script: &str) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    let mut cwd = cwd.to_owned();
    for command in script.split([';', '|', '&', '\n']) {
        let words: Vec<&str> = command.split_whitespace().map(|word| word.trim_end_matches([')', '`'])).collect();
        if let ["cd", directory] = words[..] {
            cwd.push(directory);
        }
        let at = words.iter().enumerate().filter(|(_, word)| is_pattern(word));
        patterns.extend(at.filter_map(|(index, word)| pattern(&cwd, word, &words[..index], By::Shell)));
    }
    patterns
}

/// The first arguments of these functions, without quotation marks.
fn called<'a>(text: &'a str, functions: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let argument = |(at, name): (usize, &'a str)| {
        let rest = text[at + name.len()..].trim_start_matches(['"', '\'', ' ']);
        let word = rest.split(['"', '\'', ')', ']', ',', ' ']).next()?;
        (!word.is_empty()).then_some(word)
    };
    functions.iter().flat_map(move |name| text.match_indices(name)).filter_map(argument)
}

fn is_pattern(word: &str) -> bool {
    word.matches('*').count() == 1 && !word.contains(['\'', '"', '$', '`', '?', '[', '(', ')'])
}

fn pattern(cwd: &Path, word: &str, before: &[&str], by: By) -> Option<Pattern> {
    let (directory, name) = word.rsplit_once('/').map_or(("", word), |(directory, name)| (directory, name));
    let (begin, end) = name.split_once('*')?;
    let directory = if word.starts_with('/') { format!("{directory}/") } else { directory.to_owned() };
    Some(Pattern {
        word: word.to_owned(),
        before: before.join(" "),
        directory: if directory.is_empty() { cwd.to_owned() } else { cwd.join(directory) },
        begin: begin.to_owned(),
        end: end.to_owned(),
        by,
    })
}

fn listed(cwd: &Path, word: &str) -> Pattern {
    let directory = if word == "." { cwd.to_owned() } else { cwd.join(word) };
    let [begin, end, before] = [const { String::new() }; 3];
    Pattern { word: word.to_owned(), before, directory, begin, end, by: By::Call }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, By)> {
        let found = in_text(Path::new("/w"), text).into_iter();
        found
            .map(|pattern| (format!("{}*{}", pattern.directory.join(pattern.begin).display(), pattern.end), pattern.by))
            .collect()
    }

    #[test]
    fn what_a_shell_replaces_is_found_where_the_script_has_gone() {
        for (script, expected) in
            [("rm -f a/*.o", "/w/a/*.o"), ("cd b; ls x*", "/w/b/x*"), ("f=$(echo /d/*.c); cc $f", "/d/*.c")]
        {
            assert_eq!(found(script), [(expected.to_owned(), By::Shell)], "{script}");
        }
        for script in ["find . -name '*.o'", "ls $d/*", "echo a?b*", "ls a/b"] {
            assert_eq!(found(script), [], "{script}");
        }
    }

    #[test]
    fn what_functions_list_is_found_in_program_texts() {
        for (text, expected) in [
            ("run(['ls'] + glob.glob(\"a/*\"))", "/w/a/*"),
            ("exec('ls', *Dir['a/*.o'])", "/w/a/*.o"),
            ("execFileSync('ls', fs.readdirSync('a'))", "/w/a/*"),
            ("run(os.listdir('.'))", "/w/*"),
            ("all:\n\tls $(wildcard a/*)", "/w/a/*"),
        ] {
            assert!(found(text).contains(&(expected.to_owned(), By::Call)), "{text}: {:?}", found(text));
        }
        assert_eq!(found("open('a/*')"), []);
    }
}
