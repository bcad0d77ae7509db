//! What a command line tells without running it: the program behind `sudo` and `timeout`, the paths among its arguments, the values of
//! options, the words of a script behind `sh -c`. They tell where to look when a program says nothing of it.

use crate::text::is_of_a_path;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Words of a command line that are looked at.
const WORDS: usize = 64;

/// Programs that read a script: from a file that they are given, or behind an option from a word.
const INTERPRETERS: &[&str] = &[
    "Rscript", "ash", "bash", "csh", "csi", "dash", "elixir", "erl", "fish", "gforth", "gnuplot", "guile", "julia",
    "ksh", "lua", "luajit", "mksh", "node", "perl", "php", "posh", "python", "ruby", "sbcl", "sh", "swipl", "tclsh",
    "tcsh", "yash", "zsh",
];
/// Programs that give a word behind `-c` to a shell.
const SHELL_STARTERS: &[&str] = &["flock", "runuser", "script", "su"];
/// Options in full whose value is a script.
const SCRIPT_OPTIONS: &[&[u8]] = &[b"--command", b"--eval", b"--execute", b"--print", b"-eval", b"-g"];

/// The paths that a command line may name, its program left out: what no option, number or operator is.
pub fn paths_of(command: &[OsString]) -> impl Iterator<Item = &Path> {
    words_of(command.iter().map(OsString::as_os_str)).take(WORDS).filter_map(path_in)
}

/// The arguments of a command line and what a shell would take apart in them; `command` begins with its program. A script that stands in a
/// word (`sh -c SCRIPT`) is no word itself: taken as a path it would lie wherever it happens to have its slashes.
pub fn words_of<'a>(command: impl Iterator<Item = &'a OsStr>) -> impl Iterator<Item = &'a OsStr> {
    let (mut reads_scripts, mut is_script) = (false, false);
    let arguments = command.enumerate().filter_map(move |(index, word)| {
        let skipped = usize::from(is_script && is_taken_apart(word));
        is_script = reads_scripts && has_script_behind(word);
        reads_scripts |= is_interpreter(word) || SHELL_STARTERS.contains(&&*program_name(word));
        (index > 0).then_some((word, skipped))
    });
    arguments.flat_map(|(word, skipped)| words_in(word).skip(skipped))
}

/// Whether a word is an option whose value is a script: `-c`, `-ec`, `-e`, `-r`, `--eval`, `-eval` of erl(1), `-g` of swipl(1).
fn has_script_behind(word: &OsStr) -> bool {
    match word.as_bytes() {
        word if SCRIPT_OPTIONS.contains(&word) => true,
        [b'-', b'-', ..] => false,
        [b'-', .., last] => matches!(last, b'c' | b'e' | b'E' | b'p' | b'r'),
        _ => false,
    }
}

/// The name of a program without its directory and version: `python` of `/usr/bin/python3.11`.
fn program_name(word: &OsStr) -> String {
    let name = Path::new(word).file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').to_owned()
}

fn is_interpreter(word: &OsStr) -> bool {
    INTERPRETERS.contains(&program_name(word).as_str())
}

/// Whether a word is make(1).
#[must_use]
pub fn is_make(word: &OsStr) -> bool {
    matches!(program_name(word).as_str(), "make" | "gmake" | "bmake")
}

/// A program that starts the one behind it and ends as that does.
struct Launcher {
    name: &'static str,
    /// Its options whose value is a word of its own.
    valued: &'static [&'static str],
    /// Words before the command that are no options.
    own: usize,
}

/// Launchers, by their manual pages. `VARIABLE=value` before a command is no command for any of them.
const LAUNCHERS: &[Launcher] = &[
    Launcher { name: "env", valued: &["-u", "-C", "--unset", "--chdir"], own: 0 },
    Launcher { name: "ionice", valued: &["-c", "-n", "--class", "--classdata"], own: 0 },
    Launcher { name: "nice", valued: &["-n"], own: 0 },
    Launcher { name: "nohup", valued: &[], own: 0 },
    Launcher { name: "setsid", valued: &[], own: 0 },
    Launcher { name: "stdbuf", valued: &["-i", "-o", "-e"], own: 0 },
    Launcher { name: "sudo", valued: &["-u", "-g", "-h", "-D", "-p", "-C", "-r", "-t"], own: 0 },
    Launcher { name: "timeout", valued: &["-k", "-s", "--kill-after", "--signal"], own: 1 },
];

/// The command that a command line is about: what stands behind `timeout 60`, `env A=b`, `sudo -u ann`.
#[must_use]
pub fn launched<T: AsRef<OsStr>>(mut command: &[T]) -> &[T] {
    while let Some(launcher) = command.first().and_then(|word| launcher(word.as_ref())) {
        let mut begin = 1;
        while let Some(word) = command.get(begin).map(|word| word.as_ref().as_bytes()) {
            let is_variable = word.contains(&b'=') && !word.starts_with(b"=");
            match word {
                b"--" => {
                    begin += 1;
                    break;
                }
                [b'-', ..] => begin += 1 + usize::from(launcher.valued.iter().any(|valued| valued.as_bytes() == word)),
                _ if is_variable => begin += 1,
                _ => break,
            }
        }
        match command.get(begin + launcher.own..).filter(|rest| !rest.is_empty()) {
            Some(rest) => command = rest,
            None => return command,
        }
    }
    command
}

fn launcher(word: &OsStr) -> Option<&'static Launcher> {
    let name = Path::new(word).file_name()?;
    LAUNCHERS.iter().find(|launcher| name == OsStr::new(launcher.name))
}

/// A word, and what a shell would take apart in it where it is a script (`sh -c 'cp a b/c'`).
pub fn words_in(word: &OsStr) -> impl Iterator<Item = &OsStr> {
    let script = if is_taken_apart(word) { word.as_bytes() } else { b"" };
    let parts = script.split(|byte| !is_of_a_path(*byte) && *byte != b'=' || matches!(byte, b'|' | b'&'));
    std::iter::once(word).chain(parts.filter(|part| !part.is_empty()).map(OsStr::from_bytes))
}

fn is_taken_apart(word: &OsStr) -> bool {
    let bytes = word.as_bytes();
    memchr::memchr2(b' ', b'\n', bytes).is_some() || memchr::memchr3(b'(', b'"', b'\'', bytes).is_some()
}

/// The path in a word: all of it, or what stands behind the `=` of `--option=/path`.
#[must_use]
pub fn path_in(word: &OsStr) -> Option<&Path> {
    let bytes = word.as_bytes();
    let value = match memchr::memchr(b'=', bytes) {
        Some(equals) if !bytes[..equals].contains(&b'/') => &bytes[equals + 1..],
        _ => bytes,
    };
    let value = address_of_socat(value).unwrap_or(value);
    (!value.is_empty() && !value.starts_with(b"-")).then(|| Path::new(OsStr::from_bytes(value)))
}

/// The file of an address of socat(1): `OPEN:out/x,append`.
fn address_of_socat(word: &[u8]) -> Option<&[u8]> {
    const TYPES: [&[u8]; 6] = [b"CREATE", b"CREAT", b"FILE", b"GOPEN", b"OPEN", b"PIPE"];
    let colon = memchr::memchr(b':', word)?;
    let file = word[colon + 1..].split(|byte| *byte == b',').next()?;
    TYPES.contains(&&word[..colon]).then_some(file)
}

/// The value that stands behind an option of one letter without a blank: `-o/path`.
#[must_use]
pub fn glued_in(word: &OsStr) -> Option<&Path> {
    let [b'-', letter, value @ ..] = word.as_bytes() else { return None };
    let is_one = letter.is_ascii_alphabetic() && !value.is_empty();
    is_one.then(|| Path::new(OsStr::from_bytes(value)))
}

/// The scripts that a command line runs, as far as it names them: what stands in the program's place or behind an interpreter, and what
/// make reads where nothing else is said, make(1).
pub fn scripts_of(command: &[OsString]) -> impl Iterator<Item = &Path> {
    const OF_MAKE: &[&str] = &["GNUmakefile", "makefile", "Makefile"];
    let is_make = command.iter().any(|word| is_make(word));
    let programs = command.iter().take(4).filter(|word| word.as_bytes().contains(&b'/'));
    let read = command.windows(2).filter(|pair| is_interpreter(&pair[0])).map(|pair| &pair[1]);
    let of_make = command.windows(2).filter(move |pair| is_make && pair[0] == "-f").map(|pair| &pair[1]);
    let named = programs.chain(read).chain(of_make).map(Path::new);
    named.chain(OF_MAKE.iter().filter(move |_| is_make).map(Path::new))
}

/// The values of an option, however often it is given: `-I DIR`, `-IDIR`, `--include DIR`, `--include=DIR`.
pub fn values_of<'a>(option: &'a str, command: &'a [OsString]) -> impl Iterator<Item = &'a OsStr> {
    let words: Vec<&OsStr> = words_of(command.iter().map(OsString::as_os_str)).collect();
    let is_long = option.starts_with("--");
    (0..words.len()).filter_map(move |at| match words[at].as_bytes().strip_prefix(option.as_bytes())? {
        [] => words.get(at + 1).copied(),
        [b'=', value @ ..] if is_long => Some(OsStr::from_bytes(value)),
        value => (!is_long).then(|| OsStr::from_bytes(value)),
    })
}

/// The first directory in which Python looks for a module: that of the script that it runs, the working directory where it is told a text or
/// a module (Python's manual, `sys.path`). None where the command line starts no Python.
#[must_use]
pub fn python_directory(command: &[OsString]) -> Option<PathBuf> {
    let command = launched(command);
    let first = command.first()?.as_os_str();
    let mut words = std::iter::once(first)
        .chain(words_of(command.iter().map(OsString::as_os_str)))
        .skip_while(|word| !matches!(&*program_name(word), "python" | "pypy"))
        .skip(1);
    let script = loop {
        match words.next().map(OsStr::as_bytes) {
            None => {
                break Path::new(first).extension().is_some_and(|ending| ending == "py").then(|| Path::new(first))?;
            }
            Some(b"-W" | b"-X") => drop(words.next()),
            Some([b'-']) => return Some(PathBuf::new()),
            Some([b'-', b'-', ..]) => {}
            Some([b'-', options @ ..]) if options.iter().any(|option| matches!(option, b'c' | b'm')) => {
                return Some(PathBuf::new());
            }
            Some([b'-', ..]) => {}
            Some(script) => break Path::new(OsStr::from_bytes(script)),
        }
    };
    script.parent().map(Path::to_owned)
}

/// Whether a script of the command line writes to this path: `sh -c 'echo x >/path'`.
#[must_use]
pub fn is_redirected_to(command: &[OsString], path: &Path) -> bool {
    let is_target = |after: &[u8]| {
        let is_lead = |byte: &u8| matches!(byte, b'|' | b' ' | b'"' | b'\'');
        let start = after.iter().position(|byte| !is_lead(byte)).unwrap_or(after.len());
        let rest = after[start..].strip_prefix(path.as_os_str().as_bytes());
        rest.is_some_and(|rest| rest.first().is_none_or(|byte| !is_of_a_path(*byte)))
    };
    let mut scripts = command.iter().skip(1).map(|word| word.as_bytes().split(|byte| *byte == b'>'));
    scripts.any(|script| script.skip(1).any(is_target))
}

/// Whether a command line names this path, or a directory above it that is not above `top`: then it was told to use it. `cwd` is where
/// relative paths begin.
#[must_use]
pub fn is_told(command: &[OsString], cwd: &Path, top: &Path, path: &Path) -> bool {
    let path = cwd.join(path);
    paths_of(command).map(|named| cwd.join(named)).any(|named| named.starts_with(top) && path.starts_with(named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_words_and_behind_options() {
        let found = |word: &'static str| path_in(OsStr::new(word)).and_then(Path::to_str);
        assert_eq!(
            ["a", "/x", "--out=/x/y", "-v", "of=b", "./a=b"].map(found),
            [Some("a"), Some("/x"), Some("/x/y"), None, Some("b"), Some("./a=b")]
        );
        assert_eq!(["CREATE:out/x,append", "http:x"].map(found), [Some("out/x"), Some("http:x")]);
    }

    #[test]
    fn values_are_found_behind_options_of_one_letter() {
        let found = |word: &'static str| glued_in(OsStr::new(word)).and_then(Path::to_str);
        assert_eq!(["-oout", "-I/x", "-o", "--out", "a"].map(found), [Some("out"), Some("/x"), None, None, None]);
    }

    #[test]
    fn all_values_of_an_option_are_found() {
        let of = |words: &[&str], option: &str| {
            let command: Vec<OsString> = words.iter().map(OsString::from).collect();
            values_of(option, &command).map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of(&["cc", "-Ia", "-I", "b", "x.c"], "-I"), ["a", "b"]);
        assert_eq!(of(&["sass", "--load-path=a", "--load-path", "b"], "--load-path"), ["a", "b"]);
        assert_eq!(of(&["sh", "-c", "cc -Iinc -c x.c"], "-I"), ["inc"]);
        assert_eq!(of(&["cc", "--include", "-I"], "-I"), [""; 0]);
    }

    #[test]
    fn python_looks_for_modules_beside_its_script_first() {
        let of = |words: &[&str]| {
            let command: Vec<OsString> = words.iter().map(OsString::from).collect();
            python_directory(&command).map(|directory| directory.to_string_lossy().into_owned())
        };
        assert_eq!(of(&["python3.11", "-B", "app/main.py", "-c"]), Some("app".into()));
        assert_eq!(of(&["env", "A=b", "/usr/bin/python3", "-W", "error", "main.py"]), Some(String::new()));
        assert_eq!(of(&["python3", "-m", "app.main"]), Some(String::new()));
        assert_eq!(of(&["sh", "-c", "python3 app/main.py"]), Some("app".into()));
        assert_eq!(of(&["./app/main.py", "x"]), Some("./app".into()));
        assert_eq!([of(&["./run.sh"]), of(&["make"])], [None, None]);
    }

    #[test]
    fn redirections_of_scripts_are_seen() {
        let is_one = |script: &str| is_redirected_to(&["sh".into(), "-c".into(), script.into()], Path::new("/a/b"));
        assert!(["echo 1 >/a/b", "x>>'/a/b';", "x >| /a/b 2>&1"].into_iter().all(is_one));
        assert!(!["/a/b", "x >/a/bc", "/a/b >x", "cat </a/b"].into_iter().any(is_one));
    }

    #[test]
    fn a_command_behind_launchers_is_found() {
        let found = |line: &str| launched(&line.split(' ').collect::<Vec<_>>()).join(" ");
        assert_eq!(found("timeout -k 5 60 env -i A=b wget -q u"), "wget -q u");
        assert_eq!(found("sudo -u ann -- nice -n 5 /usr/bin/git merge b"), "/usr/bin/git merge b");
        assert_eq!(["env", "timeout 5", "git merge b"].map(found), ["env", "timeout 5", "git merge b"]);
    }

    #[test]
    fn what_lies_below_a_named_path_was_told() {
        let is_told = |script: &str, path: &str| {
            is_told(&["sh".into(), "-c".into(), script.into()], Path::new("/w"), Path::new("/root"), Path::new(path))
        };
        assert!(is_told("cp a /root/", "/root/a") && is_told("cat /root/d/e", "/root/d/e"));
        assert!(!is_told("find / -name a", "/root/a") && !is_told("git config -l", "/root/.gitconfig"));
        assert!(!is_told("cat /root/d", "/root/e"));
    }

    #[test]
    fn scripts_are_what_programs_read_their_work_from() {
        let of = |words: &[&str]| {
            let command: Vec<OsString> = words.iter().map(OsString::from).collect();
            scripts_of(&command).map(|path| path.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of(&["sudo", "./build.sh", "x"]), ["./build.sh"]);
        assert_eq!(of(&["python3.11", "tool.py"]), ["tool.py"]);
        assert_eq!(of(&["make", "-j2"]), ["GNUmakefile", "makefile", "Makefile"]);
        assert_eq!(of(&["make", "-f", "x.mk"])[0], "x.mk");
        assert_eq!(of(&["cat", "a"]), [""; 0]);
    }

    #[test]
    fn a_script_is_no_path_and_a_name_with_blanks_is_one() {
        let found = |words: &[&str]| {
            let command: Vec<OsString> = words.iter().map(OsString::from).collect();
            paths_of(&command).map(|path| path.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found(&["sh", "-ec", "cat /a/b; c"]), ["cat", "/a/b", "c"]);
        assert_eq!(found(&["sudo", "python3", "-c", "open('/a')"]), ["python3", "open", "/a"]);
        assert_eq!(found(&["su", "ann", "-c", "cp a b"]), ["ann", "cp", "a", "b"]);
        assert_eq!(found(&["cat", "/my dir/x"])[0], "/my dir/x");
        assert_eq!(found(&["sh", "-c", "./tool"]), ["./tool"]);
        assert_eq!(found(&["sh", "-c", "cat \"$1\"", "sh", "/my dir/x"])[3], "/my dir/x");
    }

    #[test]
    fn paths_are_found_in_scripts() {
        let word = OsStr::new("dd of=x/y bs=1|cat >'/z w'&&true");
        let found: Vec<&str> = words_in(word).skip(1).filter_map(path_in).filter_map(Path::to_str).collect();
        assert_eq!(found, ["dd", "x/y", "1", "cat", "/z", "w", "true"]);
        assert_eq!(words_in(OsStr::new("a|b")).count(), 1);
        assert!(words_in(OsStr::new("spawn('./tool')")).any(|word| word == "./tool"));
    }
}
