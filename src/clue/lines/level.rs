//! How bad a program calls what it says. What it calls information, a notice or debugging is no failure to it, and a message that ends with
//! "continuing" has dealt with its failure. Programs say so on runs that end well.

use super::prefix::starts;
use crate::clue::search::pattern::compiled;
use regex_automata::meta::Regex;
use std::sync::LazyLock;

/// Bytes at the beginning of a line in which a logger tells its level.
const HEAD: usize = 200;

/// Parts of every line that [`LEVEL`] or [`FIELD`] matches, and of every one that [`DEALT_WITH`] does: almost no message has one, and then no
/// regex is made.
const OF_LEVELS: &[&[u8]] = &[
    b"INF",
    b"silly",
    b"inf",
    b"Inf",
    b"NOTICE",
    b"otice",
    b"DEBUG",
    b"debug",
    b"TRACE",
    b"trace",
    b"DBG",
    b"TRC",
    b"VERBOSE",
    b"verbose",
    b"FINE",
    b"[Note]",
    b"[System]",
    b":M ",
    b":S ",
    b":C ",
    b":X ",
    b" V ",
    b" D ",
    b" I ",
    b"V/",
    b"D/",
    b"I/",
    b"I:",
    b"D:",
    b"N:",
];
const OF_DEALT_WITH: &[&[u8]] = &[b"ontinuing", b"gnor", b"kipp", b"using ", b"alling back", b"will ", b"roceeding"];

/// What may stand before a level: the name or number of a thread or a logger, by Log4j, Python, `Log::Log4perl` and `MySQL`.
const BEFORE: &str = r"^(?:[\[(][^\])]{1,60}[\])][ \t:]*|[A-Za-z][A-Za-z0-9_.]{0,60} (?:- )?|[0-9]{1,20} )?(?:";

/// A level of what is no failure where a message may begin, by who writes it.
static LEVEL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let forms = concat!(
        // supervisord, Spring, Maven, Elasticsearch, tracing, logrus (INFO[0001]), Python's basicConfig (INFO:root:), mozharness (INFO -).
        r"\[?(?:INFO|INFORMATION|NOTICE|DEBUG|TRACE|VERBOSE|FINE|FINER|FINEST)(?:\[[0-9]{1,6}\]| *\]|:| -| +\(|[ \t]{1,8})",
        // nginx, PHP-FPM, Apache (core:notice), MySQL, Docker's services, zerolog's console.
        r"|\[(?:[a-z_]+:)?(?:info|notice|debug[0-9]?|trace[0-9]?|verbose|Note|System|Information)\]",
        r"|(?:INF|DBG|TRC) ",
        // glog and klog: I0506 07:08:09.123456 1 main.go:12].
        r"|I[0-9]{4} [0-9:.]{8,15} +[0-9]+ [^ ]+:[0-9]+\]",
        // Android: the process, the thread, the level and the tag; its recovery, and pbuilder.
        r"|[0-9]+ +[0-9]+ [VDI] |[0-9]+-[0-9]+ +[^:]{1,80} [VDI] |[VDI]/[^:]{1,60}: ",
        // PostgreSQL's messages to a client, and Redis.
        r"|(?:NOTICE|DEBUG[1-5]?|INFO):  ",
        r"|[0-9]+:[MSCX] [0-9]{1,2} [A-Z][a-z]{2} (?:[0-9]{4} )?[0-9:.]+ [*.-] ",
        // npm-debug.log.
        r")|^[0-9]+ (?:verbose|silly|info|http|timing) |^[IDN]: |^I:[A-Z][a-z]",
    );
    compiled(&[BEFORE, forms].concat())
});

/// The same of a warning: behind the name of a program or a place too, as `ld: warning:` and `a.c:3: warning:`; Xorg and Android have a letter.
static WARNING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let forms = concat!(
        r"\[?(?:[Ww]arn(?:ing)?|WARN(?:ING)?)(?:\[[0-9]{1,6}\]| *\]|:| -| +\(|[ \t]{1,8})",
        r"|\[(?:[a-z_]+:)?(?:warn|warning|Warning)\]|WRN |W[0-9]{4} [0-9:.]{8,15} +[0-9]+ [^ ]+:[0-9]+\]",
        r"|\(WW\) |W/[^:]{1,60}: |[0-9]+ +[0-9]+ W |[0-9]+-[0-9]+ +[^:]{1,80} W )",
        r"|^W: |^[^\s]{1,60}: [Ww](?:arning|ARNING): ",
        // dpkg, git, make and others in other languages; the colon may be a wide one.
        r"|^[^\s]{1,60} ?: (?:Warnung|[Aa]vertissement|attention|[Aa]tención|aviso|[Aa]dvertencia|警告|(?:П|п)редупреждение) ?(?::|：)",
    );
    compiled(&[BEFORE, forms].concat())
});

/// A level as a field of logfmt or of an object of JSON.
static FIELD: LazyLock<Option<Regex>> =
    LazyLock::new(|| compiled(r#"(?:^|[ {,"])(?:level|lvl|severity|log\.level)"?[=:] ?"?[A-Za-z]+"#));
/// Values of it that are a warning.
const OF_WARNINGS: [&[u8]; 2] = [b"warn", b"warning"];
/// Values of it that are no failure.
const HARMLESS: [&[u8]; 6] = [b"trace", b"debug", b"info", b"information", b"informational", b"notice"];

/// The field of a journal that holds it (systemd.journal-fields(7)), and the priorities that are no failure.
const PRIORITY: &[u8] = b"\"PRIORITY\":\"";
const HARMLESS_PRIORITIES: &[u8] = b"567";

/// The end of a message that tells what is done about it.
static DEALT_WITH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(
        r"(?:[,;.:(]|\x02|--?|\xe2\x80\x94) ?(?:so |we are |I am |but )?(?:[Cc]ontinuing(?: (?:anyway|regardless|without(?: it)?))?|[Ii]gnor(?:ing|ed)(?: it)?|[Ss]kipp(?:ing|ed)(?: it)?|using (?:the )?defaults?(?: [a-z]+)?|falling back to [^.]{1,40}|will (?:be ignored|retry|try again)|[Pp]roceeding(?: anyway)?)[.)\]]*$|, ignoring: \x01E[A-Z0-9]+\x02$",
    )
});

/// Whether a line, in normal form, is no failure to the program that says it: `body` is where the text behind the label of a job begins.
#[must_use]
pub fn is_harmless(text: &[u8], body: usize) -> bool {
    let is = |regex: &LazyLock<Option<Regex>>, text: &[u8]| regex.as_ref().is_some_and(|regex| regex.is_match(text));
    let has = |text: &[u8], parts: &[&[u8]]| parts.iter().any(|part| memchr::memmem::find(text, part).is_some());
    let body = text.get(body..).unwrap_or(text);
    let head = &body[..body.len().min(HEAD)];
    let is_of_glog = || head.windows(2).any(|pair| pair[0] == b'I' && pair[1].is_ascii_digit());
    let may_have_level = has(head, OF_LEVELS) || is_of_glog();
    let begins = || starts(head).into_iter().any(|start| is(&LEVEL, &head[start..]));
    let priority = memchr::memmem::find(body, PRIORITY).and_then(|at| body.get(at + PRIORITY.len()));
    if priority.is_some_and(|priority| HARMLESS_PRIORITIES.contains(priority)) {
        return true;
    }
    has(body, OF_DEALT_WITH) && is(&DEALT_WITH, body) || may_have_level && (has_level(head, &HARMLESS) || begins())
}

/// Whether the first field for a level has one of these values; later ones may stand in what is quoted.
fn has_level(head: &[u8], values: &[&[u8]]) -> bool {
    let Some(found) = FIELD.as_ref().and_then(|field| field.find(head)) else { return false };
    let field = &head[found.range()];
    let value = field.rsplit(|byte| !byte.is_ascii_alphabetic()).next().unwrap_or_default();
    values.iter().any(|known| value.eq_ignore_ascii_case(known))
}

/// Whether a line, in normal form, is a warning to the program that says it.
#[must_use]
pub fn is_warning(text: &[u8], body: usize) -> bool {
    let Some(warning) = WARNING.as_ref() else { return false };
    let body = text.get(body..).unwrap_or(text);
    let head = &body[..body.len().min(HEAD)];
    has_level(head, &OF_WARNINGS) || starts(head).into_iter().any(|start| warning.is_match(&head[start..]))
}

/// Whether a line is one of the kernel's log: behind the time that printk writes, six digits of a second, or the name that syslog gives it.
/// A journal with such times has a host and a process behind them.
#[must_use]
pub fn is_of_kernel(text: &[u8]) -> bool {
    let is_printk = |text: &[u8]| {
        let inside = text.strip_prefix(b"[").map(<[u8]>::trim_ascii_start).unwrap_or_default();
        let end = inside.iter().take(20).position(|byte| *byte == b']');
        end.is_some_and(|end| {
            let said = inside[end + 1..].trim_ascii_start();
            let mut words = said.split(|byte| *byte == b' ');
            let is_of_process = words.nth(1).is_some_and(|process| process.ends_with(b"]:"));
            inside[..end].iter().rev().position(|byte| *byte == b'.') == Some(6) && !is_of_process
        })
    };
    starts(text).into_iter().any(|start| is_printk(&text[start..]) || text[..start].ends_with(b" kernel: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn information_is_told_by_the_level_before_it() {
        for line in [
            "time=2024-05-06T07:08:09Z level=info msg=\"open x: gone\"",
            "ts=1 caller=a.go:1 level=debug err=\"open x\"",
            "{\"level\":\"info\",\"msg\":\"x\"}",
            "2024-05-06 07:08:09,100 INFO open x: gone",
            "2024-05-06 07:08:09 [notice] 12#12: open() x failed",
            "2024-05-06 07:08:09.123  INFO 12 --- [main] c.x.Y : x",
            "[2024-05-06T07:08:09,123][INFO ][o.e.n.Node] [x] y",
            "2024-05-06T07:08:09.123Z\tINFO\tx",
            "2021-02-10 07:00:40.888+0000 [id=545]\tINFO\tx.y.Z#run: z",
            "INFO[0001] x",
            "10 verbose lifecycle x@1.0.0~server: CWD: /x",
            "INFO:root:x",
            "[INFO] x",
            "[main] INFO org.x - y",
            "[task 2025-02-14T10:13:44.829Z] 10:13:44     INFO -  x",
            "I0506 07:08:09.123456       1 main.go:12] x",
            "[Mon May 06 07:08:09.123456 2024] [core:notice] [pid 1] AH00094: x",
            "2024-05-06T07:08:09.123456Z 0 [Note] [MY-010116] x",
            "1:M 06 May 2024 07:08:09.123 * x",
            "DEBUG util.py:459:  x: gone",
            "7:08AM INF x",
            "05-06 07:08:09.123  2817  2835 D app     : x",
            "I/app     ( 2817): x",
            "I:InfoManager file x not found.",
            "{\"MESSAGE\":\"x\",\"PRIORITY\":\"6\"}",
            "[ 1.2] systemd[1]: Failed to write x, ignoring: \x01ENOENT\x02",
        ] {
            assert!(is_harmless(line.as_bytes(), 0), "{line}");
        }
        assert!(is_harmless(b"api-1  | INFO: x", 9));
    }

    #[test]
    fn a_message_that_tells_that_the_work_goes_on_is_dealt_with() {
        for line in [
            "failed to lock /x, continuing",
            "open x: \x01ENOENT\x02, using defaults",
            "cannot read x (ignored)",
            "x is odd. Proceeding anyway.",
        ] {
            assert!(is_harmless(line.as_bytes(), 0), "{line}");
        }
    }

    #[test]
    fn warnings_are_told_by_the_level_or_the_word_before_them() {
        for line in [
            "2024-05-06 07:08:09,100 WARN open x: gone",
            "[    6.320] (WW) The directory x",
            "ld: warning: libx.so not found",
            "WARN[0000] x",
            "W0506 07:08:09.123456       1 main.go:12] x",
            "level=warning msg=\"open x\"",
            "2025-01-24 11:39:19.213  2155-2155  ziparchive   br.com.x   W  Unable to open x",
            "05-06 07:08:09.123  2817  2835 W app     : x",
            "W: x",
            "dpkg: Warnung: x",
            "dpkg: avertissement: x",
            "make : attention : x",
            "dpkg: atención: x",
            "gcc: advertencia: x",
            "dpkg: 警告: x",
            "gcc: 警告：x",
            "dpkg: предупреждение: x",
        ] {
            assert!(is_warning(line.as_bytes(), 0), "{line}");
        }
        for line in ["open W: gone", "ERROR x", "level=error msg=warn", "05-06 07:08:09.123  2817  2835 E app     : x"]
        {
            assert!(!is_warning(line.as_bytes(), 0), "{line}");
        }
    }

    #[test]
    fn the_log_of_the_kernel_is_told_by_its_time_or_its_name() {
        for line in
            ["[   28.634109] x: gone", "May  6 07:08:09 host kernel: x", "2024-05-06T07:08:09Z [    1.123456] x"]
        {
            assert!(is_of_kernel(line.as_bytes()), "{line}");
        }
        for line in
            ["[     6.320] (EE) x", "[ 1234.567890] host app[12]: x", "May  6 07:08:09 host app[1]: x", "[1/2] x"]
        {
            assert!(!is_of_kernel(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn failures_are_none() {
        for line in [
            "2024-05-06 07:08:09,100 ERROR open x: gone",
            "cp: cannot open INFO: gone",
            "level=error msg=\"open x\"",
            "{\"level\":\"error\",\"msg\":\"level=info x\"}",
            "[error] open x",
            "E0506 07:08:09.123456       1 main.go:12] x",
            "1:M 06 May 2024 07:08:09.123 # x",
            "INFORMATION_SCHEMA: x is gone",
            "info.txt: gone",
            "continuing: x",
            "not continuing",
        ] {
            assert!(!is_harmless(line.as_bytes(), 0), "{line}");
        }
    }
}
