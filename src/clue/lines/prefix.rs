//! What stands before a message and is not part of it: timestamps, service names of docker compose, steps of a build,
//! levels of a log, margins. Each is peeled as an alternative, since a rule may know the message with or without it.

use super::jobs::time;
use crate::clue::search::pattern::compiled;
use regex_automata::meta::Regex;
use std::sync::{LazyLock, OnceLock};

/// Prefixes peeled from one line at most.
const MOST: usize = 7;

/// Kinds of bytes that a prefix begins with, a bit each. A regex is made of the forms that begin alike, when a text begins so: making one is
/// what costs, and the lines of most outputs begin in one or two ways.
const KINDS: usize = 4;
const LETTER: u8 = 1;
const DIGIT: u8 = 1 << 1;
const BRACKET: u8 = 1 << 2;
/// Any other byte, also of a letter outside ASCII.
const SIGN: u8 = 1 << 3;

/// One prefix at the start of a text, by who writes it, with the kinds of bytes that it begins with.
const FORMS: &[(u8, &str)] = &[
    // RFC 3339 and its relatives: GitHub Actions, GitLab, docker logs --timestamps, Python logging, nginx, Squid.
    (
        BRACKET | DIGIT,
        r"\[?[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?(?:Z| ?[+-][0-9]{2}:?[0-9]{2})?(?: (?:[A-Z]{1,3}T|UTC|MSK))?\]?(?: kid[0-9]+)?[:,| ]*[ \t]",
    ),
    // What GitLab's runner puts behind the time: the number of the stream, whether it is stderr, and whether the line goes on.
    (DIGIT | LETTER, r"[0-9a-f]{2}[EO][ +]"),
    // TeamCity: the time, a level and the step.
    (BRACKET, r"\[[0-9]{2}:[0-9]{2}:[0-9]{2}\](?:[EWi]:\t| :\t)? ?\[Step [0-9/]+\] "),
    (BRACKET | DIGIT, r"\[?(?:[0-9]{2}[-/][0-9]{2} )?[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?\]?:? "),
    (DIGIT, r"[0-9]{1,2}:[0-9]{2}[AP]M "),
    // printk and dmesg.
    (BRACKET, r"\[ *[0-9]+\.[0-9]{3,6}\] "),
    // syslog: month day time host program[pid].
    (LETTER, r"[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [^ ]+ [^ :\[]+(?:\[[0-9]+\])?: "),
    // The same behind a time that was peeled, and the form of RFC 5424.
    (DIGIT | LETTER, r"[A-Za-z0-9][A-Za-z0-9_.-]* [A-Za-z][A-Za-z0-9_./@-]*\[[0-9]+\]: "),
    (SIGN, r"<[0-9]{1,3}>1 (?:[^ ]+ ){5}(?:-|\[[^\]]*\]) "),
    // A program with its process id: systemd[1]:, [3923], 17851:. A process of Heroku: app[web.1]:.
    (LETTER, r"[A-Za-z][A-Za-z0-9_.-]*\[(?:[0-9]+|[a-z]+\.[0-9]+)\]: "),
    (BRACKET, r"\[[0-9]+(?::[^\]]*)?\] "),
    // BuildKit: #12 0.345.
    (SIGN, r"#[0-9]+ (?:[0-9]+\.[0-9]+ )?"),
    // docker compose, foreman, turbo.
    (DIGIT | LETTER, r"[A-Za-z0-9][A-Za-z0-9_.-]* *\| "),
    // Files of the container runtime interface (CRI) and journald's relay of them: stream, and whether the line is whole.
    (LETTER, r"(?:stdout|stderr) [FP] "),
    // kubectl logs --prefix; steps of Drone and Woodpecker, AWS CodeBuild, Google Cloud Build.
    (BRACKET, r"\[pod/[^\]]+\] "),
    // turbo, lerna, pnpm, moon: the package and its task.
    (DIGIT | LETTER | SIGN, r"@?[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+:[A-Za-z][A-Za-z0-9_.-]*: "),
    (SIGN, r"@[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+: "),
    (BRACKET, r"\[[A-Za-z][A-Za-z0-9_. -]*:(?:L[0-9]+:)?[0-9]+s?\] "),
    (BRACKET, r"\[Container\] "),
    (LETTER, r#"Step #[0-9]+(?: - "[^"]*")?: "#),
    // podman logs of several containers.
    (DIGIT | LETTER, r"[0-9a-f]{12} "),
    // opam's relayed output, lists, boxes, gradle.
    (SIGN, r"# "),
    (SIGN, r"- "),
    (SIGN, r"\* "),
    (SIGN, r">+ "),
    (SIGN, r"\| "),
    (SIGN, r"(?:\xe2\x94\x82|\xe2\x95\xb7|\xe2\x94\x9c|\xe2\x86\x92|\xe2\x9e\xa4) *"),
    (SIGN, r"=> "),
    // Causes by number: eyre and anyhow.
    (DIGIT, r"[0-9]{1,2}: "),
    // git over a wire.
    (LETTER, r"remote: "),
    // Levels; mozharness has a dash behind them.
    (LETTER, r"(?:ERROR|WARNING|INFO|CRITICAL|FATAL|DEBUG) +- +"),
    (LETTER, r"(?:npm|pnpm|yarn) (?:ERR!|error|WARN|warn) "),
    (
        LETTER,
        r"(?:ERR!|ERROR:?|Error:?|error:?|fatal:?|FATAL:?|Fatal:?|FATA|ERRO|E:|W:|WARN(?:ING)?:?|warning:?|INFO:?|NOTICE:?|DEBUG:?|CRITICAL:?|CRIT:?|panic:|note:|Caused by:|caused by:)(?:\[[0-9]+\])?[ \t]+",
    ),
    // The same in the languages of git, make, dpkg and Python's tools.
    (
        LETTER,
        r"(?:Schwerwiegend|Schwerer Fehler|Fehler|FEHLER|Warnung|erreur fatale|erreur|Erreur|attention|fatal|aviso|advertencia) ?: ",
    ),
    (SIGN, r"(?:致命错误|错误|警告|致命的エラー|エラー|критическая ошибка|фатально|ошибка|предупреждение) ?: "),
    (
        BRACKET,
        r"\[(?:ERROR|error|Error|ERR|WARNING|WARN|warning|INFO|info|NOTICE|notice|DEBUG|debug|FATAL|fatal|CRITICAL|crit|emerg|alert|stderr|[A-Z!*+x-])\] ",
    ),
    // ❯ ❌ ✖ ✗ × ⚠ 🚨 💥, with which installers begin a line.
    (
        SIGN,
        r"(?:\xe2\x9d[\xaf\x8c]|\xe2\x9c[\x96\x97\x98]|\xc3\x97|\xe2\x9a\xa0(?:\xef\xb8\x8f)?|\xf0\x9f\x9a\xa8|\xf0\x9f\x92\xa5) *",
    ),
    (SIGN, r"::error(?: [^:]*)?::"),
    (SIGN, r"##\[error\]"),
    (LETTER, r"(?:Uncaught|Unhandled|unhandled)[A-Za-z ]*:? "),
    (LETTER, r"Exception in thread '?[^ ]+' "),
];

/// Times that few programs write; the regex for them is made where a text has something like a time.
const TIMES: &[&str] = &[
    // Without a year or with a month that is a word: klog, Apache, Java's logging, BIND and Tomcat, asctime(3).
    r"[IWEF][0-9]{4} [0-9:.]+ +[0-9]+ [^ ]+:[0-9]+\] ",
    r"\[?(?:[A-Z][a-z]+ )?[A-Z][a-z]{2} [ 0-9]?[0-9],? (?:[0-9]+ )?[0-9]+:[0-9]+:[0-9.]+(?: [AP]M| [A-Z]{3,5})?(?: [0-9]{4})?\]?:? +",
    r"\[?[0-9]+[-/ ][A-Z][a-z]+[-/ ][0-9]+[: ][0-9]+:[0-9]+:[0-9.]+(?: [+-][0-9]+)?\]?[ \t]",
    // In brackets, with the day first or last, twelve hours, or a tab behind it: Bazel, Windows, Netlify, Cloudflare, Bamboo.
    r"\([0-9]{1,2}:[0-9]{2}:[0-9.]+\) ",
    r"[0-9]+[./][0-9]+[./][0-9]+,? [0-9]+:[0-9]+:[0-9.,]+(?: [AP]M)?[: ]*[ \t]",
    r"[0-9]+:[0-9]{2}:[0-9.]+(?: [AP]M)?:?[ \t]+",
    r"(?:build|error|simple|command)\t[0-9]+-[A-Z][a-z]+-[0-9]+ [0-9:]+\t",
    // Seconds since 1970, and TAI64N of daemontools.
    r"\[?1[0-9]{9}(?:\.[0-9]+)?\]?:? ",
    r"@40000000[0-9a-f]+ ",
    // A name before the time: Taskcluster; journalctl -o short-iso has the host behind it.
    r"\[[a-z][a-z0-9:_-]* [0-9]+-[0-9]+-[0-9]+[T ][0-9:.]+Z?\] ",
    // Redis: process, role, time and level.
    r"[0-9]+:[MSCX] [0-9]+ [A-Z][a-z]+ (?:[0-9]+ )?[0-9:.]+ [*#.-] ",
];

/// Prefixes that begin with a number or a sign and that few programs write; the regex for them is made where a text begins so.
const RARE: &[&str] = &[
    // The process, the thread, the level and the tag of Android's log, as Android Studio shows them too.
    r"[0-9]+ +[0-9]+ [VDIWEF] [^:\n]{1,60}: +",
    r"[0-9]+-[0-9]+ +[^:\n]{1,80} [VDIWEF] +",
    // Spring: the process, the application and the thread, and the class.
    r"[0-9]+ --- (?:\[[^\]\n]*\] *)+[^\s:]+ *: ",
    // Numbers of lines, milliseconds, seconds since the start: web pages, BuildKit, OBS, Flutter.
    r"[0-9]+\.[0-9]+s? +",
    r"[0-9]+[\t |:]+",
    r"\+[0-9.]+s? +",
    r"\[ *\+?[0-9.]+ ?m?s?\] +",
    // A name in brackets: act, Fabric, kubetail; mpirun has the stream behind it.
    r"\[[A-Za-z0-9][^\]\n]{0,60}\] +(?:\| +|out: |err: )?",
    r"\[[0-9]+,[0-9]+\]<std(?:out|err)>:? ?",
    // Earthly's targets, Packer's and Vagrant's machines, Puppet's resources, Airflow's places.
    r"(?:\./[^ \n]+)?\+[A-Za-z0-9_-]+(?: \*[a-z]+\*)? \| ",
    r"==> [^:\n]{1,40}: ",
    r"/Stage\[\S+ ",
    r"\{[^}\n]+\} [A-Z]+ - ",
    // Buildkite's time without its escape, and bullets and arrows of all kinds.
    r"_bk;t=[0-9]+",
    r"(?:\xe2[\x80-\xbf][\x80-\xbf])+ +(?:YN[0-9]+: )?",
];

static OF_FEW: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(&format!("^(?:{})", RARE.join("|"))));

static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(&format!("^(?:{})", TIMES.join("|"))));
/// Bytes of a line in which a time at its beginning stands.
const OF_A_TIME: usize = 40;

/// The regex of each kind, in the order of their bits.
static PREFIXES: [OnceLock<Option<Regex>>; KINDS] = [const { OnceLock::new() }; KINDS];

/// Lines about a message rather than with one: results of tests, what an assertion compares, additions and removals of a diff, commands that a
/// shell shows before it runs them (`set -x`), source that a compiler shows, also of `#error`, what configure tries,
/// and a header that a compiler found in none of its directories, which is a fault of the source and names no path.
static QUOTATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let forms = concat!(
        r"^[\t ]*(?:#[\t ]*)?(?:[^\s:]+:[0-9]+:(?:[0-9]+:)? )?(?:(?:not )?ok [0-9]+\b|--- (?:PASS|FAIL|SKIP)|=== (?:RUN|CONT|PAUSE)|test [^ ]+ \.\.\. |",
        r"(?:\xe2\x9c\x93|\xe2\x9c\x94|\xe2\x88\x9a|\xe2\x9c\x95|\xe2\x9c\x97|\xe2\x97\x8f) |PASS(?:ED)?[: ]|(?:E +)?assert|[Ee]xpected[: ]|[Aa]ctual:|Received(?: string)?: +['\x22]|left: |right: |code: +assert|got: +'|(?:fatal )?error: (?:#error|#warning|static assertion failed)|warning: #warning|Failed test |@@ |\+[^\s+0-9]|\++ [A-Za-z0-9_./'\[:]|[0-9]* *\| {2,}|checking [^\n]+\.\.\.)"
    );
    compiled(forms)
});

/// Where a message may begin in a line: at 0, and behind each prefix.
#[must_use]
pub fn starts(text: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    let mut at = 0;
    while starts.len() <= MOST
        && let Some(length) = peeled(&text[at..])
    {
        at += length;
        starts.push(at);
    }
    starts
}

/// Bytes of the prefix that a text begins with.
fn peeled(text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    let blanks = text.iter().take_while(|byte| b"\t ".contains(byte)).count();
    if blanks > 0 {
        return Some(blanks);
    }
    let of_time = || TIME.as_ref().filter(|_| may_have_time(text))?.find(text);
    let of_few = || OF_FEW.as_ref().filter(|_| begins_rarely(first))?.find(text);
    let found = prefix_of(kind(first))?.find(text).or_else(of_time).or_else(of_few)?;
    Some(found.end()).filter(|length| *length > 0)
}

/// The kind of a byte.
fn kind(byte: u8) -> u8 {
    match byte {
        b'[' => BRACKET,
        byte if byte.is_ascii_alphabetic() => LETTER,
        byte if byte.is_ascii_digit() => DIGIT,
        _ => SIGN,
    }
}

/// The regex of the forms that begin with a kind of bytes.
fn prefix_of(kind: u8) -> Option<&'static Regex> {
    let regex = PREFIXES[kind.trailing_zeros() as usize].get_or_init(|| {
        let forms = FORMS.iter().filter(|(kinds, _)| kinds & kind != 0).map(|(_, form)| *form);
        compiled(&format!("^(?:{})", forms.collect::<Vec<_>>().join("|")))
    });
    regex.as_ref()
}

/// Whether a text with this first byte may begin with one of [`RARE`].
fn begins_rarely(first: u8) -> bool {
    first.is_ascii_digit() || b"[+./={_\xe2".contains(&first)
}

/// Whether a text may begin with one of [`TIMES`]: `7:08` is near, or the number that daemontools and others write.
fn may_have_time(text: &[u8]) -> bool {
    let head = &text[..text.len().min(OF_A_TIME)];
    let is_clock = |three: &[u8]| three[0].is_ascii_digit() && three[1] == b':' && three[2].is_ascii_digit();
    let number = head.strip_prefix(b"[").unwrap_or(head);
    head.windows(3).any(is_clock)
        || head.starts_with(b"@4")
        || number.iter().take(10).filter(|byte| byte.is_ascii_digit()).count() == 10
}

/// Whether the line only quotes a message, at its beginning or behind the time and behind the label of its job, which ends at `body`.
#[must_use]
pub fn is_quotation(text: &[u8], body: usize) -> bool {
    let is_one = |start: usize| {
        let said = text.get(start..).unwrap_or_default();
        !is_of_earthly(said) && QUOTATION.as_ref().is_some_and(|quotation| quotation.is_match(said))
    };
    let behind = [body, time(text), body + time(text.get(body..).unwrap_or_default())];
    is_one(0) || (0..behind.len()).any(|at| behind[at] > 0 && !behind[..at].contains(&behind[at]) && is_one(behind[at]))
}

/// Whether a line has the name of a target before it, which looks like an addition of a diff: `+build | text`.
fn is_of_earthly(text: &[u8]) -> bool {
    let Some(name) = text.trim_ascii_start().strip_prefix(b"+") else { return false };
    let end = name.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)).count();
    end > 0 && name[end..].starts_with(b" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_syntax::ParserBuilder;
    use regex_syntax::hir::literal::Extractor;

    fn said(text: &str) -> &str {
        starts(text.as_bytes()).last().map_or(text, |start| &text[*start..])
    }

    /// One message behind the prefixes of many programs.
    const PREFIXED: &[&str] = &[
        "2024-05-06T07:08:09.1234567Z cp: x",
        "2024-05-06 07:08:09,123 ERROR cp: x",
        "Nov 22 07:23:11 host cron[12]: cp: x",
        "[ 7447.135547] cp: x",
        "web-1  | 2024/05/06 07:08:09 [error] cp: x",
        "#12 0.345 cp: x",
        "npm ERR! cp: x",
        "##[error]cp: x",
        "# cp: x",
        "   5: cp: x",
        "[ERROR] cp: x",
        "[E] Error: cp: x",
        "11-03 13:22:07 ERROR    cp: x",
        "❯ ERROR: cp: x",
        "2024-05-06T07:08:09.123456789Z stderr F cp: x",
        "致命错误: cp: x",
        "Schwerwiegend: cp: x",
        "E0506 07:08:09.123456       1 main.go:12] cp: x",
        "[Mon May 06 07:08:09.123456 2024] cp: x",
        "May 06, 2024 7:08:09 AM cp: x",
        "06-May-2024 07:08:09.123 cp: x",
        "[06/May/2024:07:08:09 +0000] cp: x",
        "Mon May  6 07:08:09 2024 cp: x",
        "1714979289.123456 cp: x",
        "@4000000066388c5a1d9f8b2c cp: x",
        "1:M 06 May 2024 07:08:09.123 # cp: x",
        "2024-05-06T07:08:09+0000 host cron[12]: cp: x",
        "2024-05-06 07:08:09.123 UTC [12] cp: x",
        "2024/05/06 07:08:09.123456 cp: x",
        "[07:08:09] cp: x",
        "2024/05/06 07:08:09 kid1| FATAL: cp: x",
        "07:08:09.123 cp: x",
        "[2024-05-06T07:08:09.123Z] cp: x",
        "[task 2025-02-14T10:13:44.829Z] 10:13:44     INFO -  cp: x",
        "@scope/pkg:build: cp: x",
        "[pod/web-1/app] cp: x",
        "[notice] cp: x",
        "05-06 07:08:09.123  2817  2835 E app     : cp: x",
        "2024-05-06 07:08:09.123  2817-2835  app    com.x.y    E  cp: x",
        "2024-05-06T07:08:09.123Z ERROR 1 --- [app] [   main] c.x.Y    : cp: x",
        "   118\tcp: x",
        "118: cp: x",
        "12.345s cp: x",
        "[   12s] cp: x",
        "[  +12 ms] cp: x",
        "[CI/build]   | cp: x",
        "[1,3]<stderr>:cp: x",
        "             +build | cp: x",
        "==> default: cp: x",
        "Error: /Stage[main]/Main/Exec[x]/returns: cp: x",
        "[2024-05-06T07:08:09.123+0000] {subprocess.py:93} INFO - cp: x",
        "_bk;t=1714979289123cp: x",
        "• cp: x",
        "(07:08:09) cp: x",
        "06.05.2024 07:08:09 cp: x",
        "05/06/2024 07:08:09 AM cp: x",
        "7:08:09 AM: cp: x",
        "error\t06-May-2024 07:08:09\tcp: x",
        "Mon May  6 07:08:09 CEST 2024: cp: x",
    ];

    #[test]
    fn prefixes_are_peeled_one_after_the_other() {
        for text in PREFIXED {
            assert_eq!(said(text), "cp: x", "{text}");
        }
    }

    #[test]
    fn forms_tell_with_which_bytes_they_begin() {
        let mut first = Extractor::new();
        first.limit_class(256).limit_literal_len(1).limit_total(1 << 14);
        for (kinds, form) in FORMS {
            let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(form).unwrap();
            let begins = first.extract(&parsed);
            let begins = begins.literals().unwrap().iter().fold(0, |all, literal| all | kind(literal.as_bytes()[0]));
            assert_eq!(begins, *kinds, "{form}");
        }
    }

    #[test]
    fn a_message_without_prefix_begins_at_its_start() {
        assert_eq!(starts(b"cp: cannot stat 'x'"), [0]);
    }

    #[test]
    fn results_of_tests_and_diffs_are_quotations() {
        for text in [
            "ok 3 - fails with ENOSPC",
            "+cp: x",
            "    assert error == 'x'",
            "--- PASS: TestFull",
            "full_test.go:7: expected: x",
            "test full_disk ... ok",
            "✓ says x",
            "#   Failed test 'dies with ENOSPC'",
            "#          got: 'x'",
            "     code:  assert open() == :eacces",
            "2024-05-06T07:08:09.1234567Z ok 3 - fails with ENOSPC",
            "+ echo 'sudo: setrlimit(RLIMIT_STACK): gone'",
            "  343 |   fail(\"Error allocating %d\")",
            "checking how to parse nm's output... ./configure: line 7: sed: gone",
            "a.c:1:2: error: #error \"cannot open /x: gone\"",
            "a.c:3:1: error: static assertion failed: \"gone\"",
        ] {
            assert!(is_quotation(text.as_bytes(), 0), "{text}");
        }
        assert!(!is_quotation(b"   +build | cp: x", 0));
        assert!(is_quotation(b"api-1  | + cp a b", 9));
        for text in [
            "cp: x",
            "| x",
            "web | x",
            "12 | x",
            "-bash: ./x: gone",
            "- bwrap: x",
            "a.c:3:1: fatal error: b.h: \u{1}ENOENT\u{2}",
        ] {
            assert!(!is_quotation(text.as_bytes(), 0), "{text}");
        }
    }
}
