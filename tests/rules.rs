//! The rules that are part of the program: their files are sound and valid by the schema for editors, all their examples hold, and they read
//! messages whatever a log puts around them. What is wrong with a rule file is told with its place. (`fuzz` reads noise.)
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests act on real files; the one door is the product's rule, and what goes wrong here is a failed test"
)]

mod skipped;

use explain::clue::{Clue, Library, Origin, Said};
use explain::machine::Surroundings;
use explain::text::Bytes;
use explain::transcript::Transcript;
use skipped::skip;
use std::path::{Path, PathBuf};

fn list<T: ToString>(of: &[T]) -> String {
    of.iter().fold(String::new(), |list, item| list + "\n  " + &item.to_string())
}

/// What a library reads in an output, in a locale.
fn clues(library: &Library, output: &[u8], locale: &str) -> Vec<Clue> {
    let env = [("LANG".to_owned(), Bytes(locale.into())), ("HOME".to_owned(), Bytes("/home/u".into()))];
    let surroundings = Surroundings { env: env.into(), ..Surroundings::default() };
    let transcript = Transcript::whole(output.to_vec());
    library.clues(&Said { transcript: &transcript, command: &[], surroundings: &surroundings, machine: None })
}

/// The library of one file of this text, and what is wrong with it.
fn library_of(text: &str) -> (Library, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("own.toml"), text).unwrap();
    let (library, faults) = Library::only(&[directory.path().to_owned()]);
    let shown = faults.iter().map(|fault| {
        let line = fault.line.map_or(String::new(), |line| format!("{line}: "));
        format!("{}:{line}{}", fault.file.file_name().unwrap().display(), fault.text)
    });
    (library, shown.collect())
}

/// A rule that says "frob: …", with one more line.
fn frob(extra: &str) -> String {
    format!(
        "[[rule]]\nid = \"frob\"\npattern = 'frob: {{errno}}'\n{extra}\nsource = \"test\"\nfires = [{{ text = \"frob: No space left on device\" }}]\nsilent = [\"frob\"]\n"
    )
}

#[test]
fn every_rule_file_is_sound() {
    for (_, faults) in [Library::with(&[]), Library::only(&[directory()])] {
        assert!(faults.is_empty(), "{}", list(&faults));
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")
}

/// The rules as they are written, with their examples, which the program itself does not carry.
fn sources() -> Library {
    Library::only(&[directory()]).0
}

#[test]
fn every_example_of_every_rule_holds() {
    let tested = sources().test();
    assert!(
        tested.failures.is_empty(),
        "{} of {} examples:{}",
        tested.failures.len(),
        tested.examples,
        list(&tested.failures)
    );
}

#[test]
fn every_rule_says_where_its_message_is_from_and_has_examples_of_both_kinds() {
    for rule in sources().rules() {
        let text = rule.written().unwrap();
        let source = &text.source;
        assert!(Origin::of(source).is_named(), "{}: source names no file, run or address: {source}", rule.id());
        assert!(!text.fires.is_empty() && !text.silent.is_empty(), "{} needs fires and silent", rule.id());
    }
}

#[test]
fn the_page_of_all_rules_is_up_to_date() {
    let page = sources().table();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules-by-program.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(file).unwrap_or_default() == page,
        "docs/rules-by-program.md is stale: UPDATE=1 cargo test --test rules"
    );
}

#[test]
fn what_is_wrong_with_a_rule_file_is_told_with_file_line_and_field() {
    for (text, error) in [
        (frob("suspect = [\"x\"]"), "own.toml:4: unknown field `suspect`, expected one of "),
        (frob("errno = \"ENOSPACE\""), "own.toml:4: errno ENOSPACE is not known"),
        (frob("operation = \"fly\""), "own.toml:4: unknown variant `fly`, expected one of "),
        (frob("").replace("{errno}", "(x"), "own.toml:3: pattern is no regular expression: unclosed group"),
        (
            frob("").replace("frob: {errno}'", "(?<colour>frob)'"),
            "own.toml:3: pattern captures colour, which is none of ",
        ),
        (frob("").replace("pattern = 'frob: {errno}'\n", ""), "own.toml:2: rule frob has no pattern"),
        (frob("").replace("source = \"test\"\n", ""), "own.toml:1: missing field `source`"),
        ("[[rule]\n".to_owned(), "own.toml:1: "),
    ] {
        let (_, faults) = library_of(&text);
        assert!(
            faults.len() == 1 && faults[0].starts_with(error),
            "{error} is not how{} begins, for\n{text}",
            list(&faults)
        );
    }
}

#[test]
fn a_broken_rule_leaves_the_others_of_its_file_alone() {
    let broken = frob("").replace("{errno}", "(x").replace("\"frob\"\np", "\"broken\"\np");
    let (library, faults) = library_of(&(broken + &frob("")));
    assert_eq!((library.rules().len(), faults.len()), (1, 1), "{}", list(&faults));
}

#[test]
fn a_later_rule_of_the_same_id_replaces_the_earlier_one() {
    let directory = tempfile::tempdir().unwrap();
    let later = frob("suspects = [\"quota-exceeded\"]").replace("\"frob\"\np", "\"c-perror\"\np");
    std::fs::write(directory.path().join("own.toml"), later).unwrap();
    let (library, faults) = Library::with(&[directory.path().to_owned()]);
    assert!(faults.is_empty(), "{}", list(&faults));
    let found = clues(&library, b"frob: No space left on device\n", "C");
    assert_eq!(
        (found[0].rule.as_str(), found[0].suspects.as_slice()),
        ("c-perror", &["quota-exceeded".to_owned()][..])
    );
}

#[test]
fn a_file_that_is_read_at_a_glance_reads_the_same_output() {
    for entry in std::fs::read_dir(directory()).unwrap() {
        let file = entry.unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        let (whole, glanced) = (Library::with(std::slice::from_ref(&file)).0, Library::with_texts([(file, text)]).0);
        let fires =
            whole.rules().iter().filter_map(|rule| Some(rule.written()?.fires.first()?.text.get_ref().as_str()));
        for outputs in fires.collect::<Vec<_>>().chunks(12) {
            let output = outputs.join("\n\n");
            assert_eq!(clues(&glanced, output.as_bytes(), "C"), clues(&whole, output.as_bytes(), "C"), "{output}");
        }
    }
}

#[test]
fn what_ones_own_files_say_of_an_errno_counts_before_what_is_built_in_and_a_later_file_before_an_earlier() {
    let fallback = |operations: &str, cause: &str| {
        format!("[[fallback]]\nerrno = \"EROFS\"\noperations = [{operations}]\nsuspects = [\"{cause}\"]\n")
    };
    let own = fallback("", "busy") + &fallback("\"mkdir\"", "not-mounted");
    let texts = [("a.toml", fallback("", "quota-exceeded")), ("b.toml", own)];
    let (library, faults) = Library::with_texts(texts.map(|(file, text)| (PathBuf::from(file), text)));
    assert!(faults.is_empty(), "{}", list(&faults));
    for (output, cause) in [
        ("touch: cannot touch '/srv/x': Read-only file system", "busy"),
        ("mkdir: cannot create directory '/srv/x': Read-only file system", "not-mounted"),
    ] {
        let found = clues(&library, output.as_bytes(), "C");
        assert_eq!(found.iter().flat_map(|clue| &clue.suspects).collect::<Vec<_>>(), [cause], "{output} {found:?}");
    }
}

#[test]
fn what_the_kernel_answered_counts_before_causes_that_a_rule_has_for_messages_without_an_answer() {
    let suspects = |output: &str| {
        let found = clues(&Library::builtin(), output.as_bytes(), "C");
        found.into_iter().flat_map(|clue| clue.suspects).next()
    };
    let lock = "Failed to create/acquire the lock /srv/repo/lock.exclusive";
    assert_eq!(suspects(&format!("{lock} (timeout).\n")).as_deref(), Some("locked-by-process"));
    let refused = format!("{lock} ([Errno 13] Permission denied: '/srv/repo/lock.exclusive').\n");
    assert_eq!(suspects(&refused).as_deref(), Some("permission-denied"));
    let read_only = format!("{lock} ([Errno 30] Read-only file system: '/srv/repo/lock.exclusive').\n");
    assert_eq!(suspects(&read_only).as_deref(), Some("read-only-filesystem"));
    let bind = "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)\n";
    assert_eq!(suspects(bind).as_deref(), Some("privileged-port"));
}

#[test]
fn a_rule_file_that_is_not_there_is_told() {
    let (_, faults) = Library::with(&[PathBuf::from("/nonexistent/rules")]);
    assert!(list(&faults).contains("/nonexistent/rules: cannot be read: "), "{}", list(&faults));
}

#[test]
fn examples_that_do_not_hold_are_told_with_their_line() {
    let text = frob("").replace("silent = [\"frob\"]", "silent = [\n  \"frob: File exists\",\n]");
    let (library, _) = library_of(&text);
    let failures = library.test().failures;
    assert_eq!(failures.iter().map(|fault| fault.line).collect::<Vec<_>>(), [Some(8)], "{}", list(&failures));
}

#[test]
fn the_example_that_teaches_the_writing_holds() {
    let page = include_str!("../docs/rules.md");
    for block in page.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block) {
        let (library, faults) = library_of(block);
        let failures = library.test().failures;
        assert!(faults.is_empty() && failures.is_empty(), "{}{}", list(&faults), list(&failures));
    }
}

#[test]
fn the_same_message_is_read_in_every_installed_locale() {
    let library = Library::builtin();
    for (locale, output) in [
        ("C", "mkdir: cannot create directory '/x/y': No space left on device"),
        (
            "de_DE.UTF-8",
            "mkdir: das Verzeichnis „/x/y“ kann nicht angelegt werden: Auf dem Gerät ist kein Speicherplatz mehr verfügbar",
        ),
        (
            "fr_FR.UTF-8",
            "mkdir: impossible de créer le répertoire «\u{a0}/x/y\u{a0}»: Aucun espace disponible sur le périphérique",
        ),
        ("ja_JP.UTF-8", "mkdir: ディレクトリ `/x/y' を作成できません: デバイスに空き領域がありません"),
    ] {
        if locale != "C" && explain::sys::locale::Locale::named(locale).is_none() {
            let reason = format!("the locale {locale} is not installed");
            skip("the_same_message_is_read_in_every_installed_locale", &reason, true);
            continue;
        }
        let found = clues(&library, output.as_bytes(), locale);
        let read = found.first().map(|clue| (clue.errno.map(|errno| errno as i32), clue.path.clone()));
        assert_eq!(read, Some((Some(28), Some(PathBuf::from("/x/y")))), "{locale}");
    }
}

#[test]
fn ordinary_failures_are_silent() {
    let library = Library::builtin();
    for output in [
        "error[E0308]: mismatched types\n --> src/main.rs:2:5\n  |\n2 |     1\n  |     ^ expected `()`, found integer\n",
        "a.c:3:5: error: expected ‘;’ before ‘return’\nmake: *** [Makefile:2: a.o] Error 1\n",
        "error: pathspec 'nowhere' did not match any file(s) known to git\n",
        "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.\n",
        "not ok 3 - reports No space left on device\n# Failed test 'reports No space left on device'\n",
        "test full_disk ... FAILED\n  left: \"No space left on device\"\n right: \"Read-only file system\"\n",
        "E       AssertionError: assert 'No space left on device' in ''\n",
        "curl: (22) The requested URL returned error: 404\n",
        "E: Unable to locate package nothing\n",
        "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nZeroDivisionError: division by zero\n",
        "npm error code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree\n",
        "SyntaxError: Unexpected token '}'\n    at wrapSafe (node:internal/modules/cjs/loader:1378:20)\n",
        "Usage: ls [OPTION]... [FILE]...\nls: unrecognized option '--nothing'\n",
        "FAIL src/a.test.js\n  ● says ENOSPC when the disk is full\n\n    expect(received).toBe(expected)\n",
        "[ERROR] No package named nothing found.\n",
        "+echo 'mkdir: cannot create directory: No space left on device'\n-old line\n",
    ] {
        let found = clues(&library, output.as_bytes(), "C");
        let read: Vec<_> = found.iter().map(|clue| format!("{} reads {:?}", clue.rule, clue.line)).collect();
        assert!(read.is_empty(), "{output}{}", list(&read));
    }
}

/// Validates TOML files against a JSON Schema, and prints what is wrong with each.
const VALIDATE: &str = r#"
import json, sys, tomllib
from jsonschema import Draft7Validator
with open(sys.argv[1]) as file:
    schema = json.load(file)
Draft7Validator.check_schema(schema)
for name in sys.argv[2:]:
    with open(name, "rb") as file:
        for error in Draft7Validator(schema).iter_errors(tomllib.load(file)):
            print(f"{name}: {error.json_path}: {error.message[:200]}")
"#;

/// What an independent validator finds wrong with files, by the schema for editors; none where there is no validator.
fn found_by_schema(test: &str, files: &[PathBuf]) -> Option<String> {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rule.schema.json");
    let python = |arguments: &[&str]| std::process::Command::new("/usr/bin/python3").args(arguments).output();
    if !python(&["-c", "import jsonschema, tomllib"]).is_ok_and(|output| output.status.success()) {
        skip(test, "python3-jsonschema is not installed", true);
        return None;
    }
    let files = files.iter().map(|file| file.to_str().unwrap());
    let arguments: Vec<&str> = ["-c", VALIDATE, schema].into_iter().chain(files).collect();
    let output = python(&arguments).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn every_rule_file_is_valid_by_the_schema_for_editors() {
    let files = std::fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|kind| kind == "toml")).collect();
    let found = found_by_schema("every_rule_file_is_valid_by_the_schema_for_editors", &files);
    assert_eq!(found.unwrap_or_default(), "");
}

#[test]
fn what_a_rule_file_may_not_hold_is_not_valid_by_the_schema_for_editors() {
    let root = tempfile::tempdir().unwrap();
    let wrong = [
        "colour = \"red\"",
        "operation = \"sing\"",
        "vague = \"yes\"",
        "near = [{}]",
        "errno = \"ENONE\"",
        "suspects = [\"gremlins\"]",
    ];
    let without_pattern = frob("").replace("pattern = ", "program = ");
    for (index, text) in wrong.map(frob).into_iter().chain([without_pattern]).enumerate() {
        let file = root.path().join(format!("{index}.toml"));
        std::fs::write(&file, &text).unwrap();
        let test = "what_a_rule_file_may_not_hold_is_not_valid_by_the_schema_for_editors";
        let Some(found) = found_by_schema(test, &[file]) else { return };
        assert!(found.contains("$.rule[0]"), "{text} is valid");
    }
}

/// Lines of logs in which nothing failed.
const ORDINARY: &[&str] = &[
    "2024-05-06T07:08:09.1234567Z [12/99] gcc -O2 -Wall -Iinclude -I../lib/include -c -o build/src/a.c.o src/a.c",
    "Downloading https://repo.maven.apache.org/maven2/org/foo/bar-1.jar (120 kB)",
    "make[2]: Entering directory '/home/user/project/build/src'",
    "Extracting package foo-1.2.3 ... done",
    "npm warn deprecated inflight@1.0.6: This module is not supported, and leaks memory",
    "\u{1b}[32m   Compiling\u{1b}[0m serde v1.0.229",
    "Step 3/9 : RUN apt-get update && apt-get install -y curl",
    "Get:5 http://deb.debian.org/debian bookworm/main amd64 curl amd64 7.88.1 [315 kB]",
    "src/a.c:12:7: warning: unused variable 'x' [-Wunused-variable]",
    "  Attempting uninstall: setuptools",
    "INFO  [main] org.foo.Application - Started in 4.123 seconds, request id=0a1b2c",
    "Unpacking libfoo (1.2-1) over (1.1-1) ...",
    "{\"level\":\"info\",\"caller\":\"controller.go:114\",\"msg\":\"reconciled\",\"name\":\"web\"}",
    "\r 42% [=================>                      ]",
    "    at org.foo.bar.Main.run(Main.java:42)",
    "tests/unit/test_read.py::test_open_file PASSED   [ 42%]",
    "remote: Counting objects: 42% (420/999), done.",
    "2025-06-24 14:36:25 status half-installed libc-bin:amd64 2.36-9",
    "Selecting previously unselected package libtext-charwidth-perl.",
    "added 1203 packages, and audited 1204 packages in 32s",
    "  link /usr/bin/foo -> /etc/alternatives/foo",
    "Reading package lists... writing new state",
    "Can you run make check?",
];

#[test]
fn no_ordinary_line_of_a_log_is_looked_at_twice() {
    let library = Library::builtin();
    let reader = explain::clue::Reader::new(&library, None);
    let skim = reader.skim();
    assert!(!skim.has_short_keys(), "a built-in rule has a key that every log is full of");
    let stop = |line: &&str| {
        let key = skim.find(line.as_bytes(), 0)?;
        Some(format!("{line} at {}", String::from_utf8_lossy(&line.as_bytes()[key..])))
    };
    let stopped: Vec<String> = ORDINARY.iter().filter_map(stop).collect();
    assert!(stopped.is_empty(), "{}", list(&stopped));
}

#[test]
fn a_line_that_any_rule_may_read_is_found_in_a_log() {
    let library = Library::builtin();
    let reader = explain::clue::Reader::new(&library, None);
    let skim = reader.skim();
    let sources = sources();
    let written = sources.rules().iter().filter_map(explain::clue::Rule::written);
    let (mut read, mut lines) = (0, Vec::new());
    // All of them take a minute.
    for line in written.flat_map(|rule| &rule.fires).flat_map(|example| example.text.get_ref().lines()).step_by(9) {
        if !clues(&library, line.as_bytes(), "C").is_empty() {
            read += 1;
            lines.extend(Some(line).filter(|_| skim.find(line.as_bytes(), 0).is_none()));
            lines.extend(Some(line).filter(|_| reader.tells(line.as_bytes()).is_none()));
        }
    }
    assert!(read > 80 && lines.is_empty(), "of {read} lines these are passed over:{}", list(&lines));
}

#[test]
fn what_logs_put_around_a_message_does_not_hide_it() {
    let library = Library::builtin();
    let messages = [
        "mkdir: cannot create directory '/x/y': No space left on device",
        "tar: /x/y: Cannot open: Read-only file system",
        "bash: line 1: /x/y: Permission denied",
    ];
    let frames: &[(&str, &str)] = &[
        ("", "\n"),
        ("2024-05-06T07:08:09.1234567Z ", "\n"),
        ("web-1  | ", "\n"),
        ("#12 0.345 ", "\n"),
        ("[07:08:09] ", "\n"),
        ("\u{1b}[31m", "\u{1b}[0m\n"),
        ("\u{1b}[2K\r 10%\r 90%\r", "\r\n"),
        ("ERROR: ", "\n"),
        ("npm ERR! ", "\n"),
        ("May  6 07:08:09 host job[12]: ", "\n"),
        ("2024-05-06T07:08:09Z web-1  | \u{1b}[1m[ERROR] ", "\u{1b}[0m\r\n"),
        ("::error::", "\n"),
    ];
    for message in messages {
        let read = |output: &str| {
            let found = clues(&library, output.as_bytes(), "C");
            found.first().map(|clue| (clue.errno.map(|errno| errno as i32), clue.path.clone()))
        };
        let bare = read(message);
        assert!(matches!(&bare, Some((Some(_), Some(path))) if path == Path::new("/x/y")), "{message}: {bare:?}");
        for (before, after) in frames {
            let output = format!("{before}{message}{after}");
            assert_eq!(read(&output), bare, "{output:?}");
        }
    }
}

#[test]
fn a_message_that_only_looks_on_is_not_read() {
    let library = Library::builtin();
    for output in [
        "ok 3 - mkdir: cannot create directory '/x': No space left on device\n",
        "    --- FAIL: TestFull (0.00s)\n        full_test.go:7: expected: \"mkdir /x: no space left on device\"\n",
        "+mkdir: cannot create directory '/x': No space left on device\n",
        "✓ says mkdir: cannot create directory '/x': No space left on device\n",
        "assert 'No space left on device' in output\n",
        "PASSED: write to a full disk gives No space left on device\n",
        "test errors::no_space_left_on_device ... ok\n",
        "make: [Makefile:3: clean] Error 1 (ignored)\n",
    ] {
        let found = clues(&library, output.as_bytes(), "C");
        let read: Vec<_> = found.iter().map(|clue| format!("{} reads {:?}", clue.rule, clue.line)).collect();
        assert!(read.is_empty(), "{output}{}", list(&read));
    }
}
