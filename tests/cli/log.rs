//! `--log`: saved output, wherever it comes from and however large it is.

use super::{assert_refused, explain, file, stderr, text};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a tool says whose file cannot be made, and the rule that reads it.
const FAILURE: &[u8] = b"tar: a/b: Cannot mkdir: No space left on device\n";

fn report(output: &Output) -> serde_json::Value {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    serde_json::from_slice(&output.stdout).expect("a report on stdout")
}

pub fn explained(arguments: &[&str]) -> serde_json::Value {
    report(&explain(&[arguments, &["--status", "2", "--format", "json"]].concat()))
}

/// Ids of the causes that the text alone names.
pub fn named(report: &serde_json::Value) -> Vec<&str> {
    report["causes"].as_array().expect("causes").iter().filter_map(|cause| cause["id"].as_str()).collect()
}

fn through_stdin(arguments: &[&str], bytes: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_explain"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("explain starts");
    child.stdin.take().expect("a pipe").write_all(bytes).expect("explain reads");
    child.wait_with_output().expect("explain ends")
}

fn compressed(program: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let (_directory, plain) = file("plain", bytes);
    Some(Command::new(program).arg("-c").arg(&plain).output().ok()?.stdout)
}

#[test]
fn a_log_may_come_through_standard_input() {
    let output = through_stdin(&["--log", "-", "--status", "2", "--format", "json"], FAILURE);
    assert!(!named(&report(&output)).is_empty(), "{output:?}");
}

#[test]
fn a_compressed_log_is_read_whatever_its_name() {
    for program in ["gzip", "zstd"] {
        let Some(once) = compressed(program, FAILURE) else {
            eprintln!("skipped: {program} is not installed");
            continue;
        };
        // Both forms may be put one behind the other.
        let (_directory, log) = file("log", &[once.clone(), once].concat());
        let report = explained(&["--log", text(&log)]);
        assert_eq!(report["stderr"]["bytes"], 2 * FAILURE.len(), "{program}");
        assert!(!named(&report).is_empty(), "{program}");
    }
}

#[test]
fn a_compressed_log_that_was_cut_is_read_as_far_as_it_goes() {
    let whole: Vec<u8> = (0..80_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_string().into_bytes()).collect();
    for program in ["gzip", "zstd"] {
        let Some(compressed) = compressed(program, &[FAILURE, &whole].concat()) else {
            eprintln!("skipped: {program} is not installed");
            continue;
        };
        let (_directory, log) = file("cut", &compressed[..compressed.len() / 2]);
        let report = explained(&["--log", text(&log)]);
        assert!(!named(&report).is_empty(), "{program}");
        assert!(report["notes"][0].as_str().expect("a note").contains("cut: read as far as it goes"), "{report}");
    }
}

#[test]
fn of_several_logs_the_one_that_says_it_is_named() {
    let (_one, calm) = file("calm.log", b"all is well");
    let (_two, loud) = file("loud.log", FAILURE);
    for logs in [vec!["--log", text(&calm), "--log", text(&loud)], vec!["--log", text(&calm), text(&loud)]] {
        assert_eq!(explained(&logs)["causes"][0]["said_in"], text(&loud));
    }
    let output = explain(&["--log", text(&calm), "--log", text(&loud), "--status", "2"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("loud.log"), "{output:?}");
}

#[test]
fn a_log_that_holds_nothing_is_told() {
    let (_directory, log) = file("nothing.log", b"");
    let output = explain(&["--log", text(&log), "--status", "2"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("nothing.log is empty"), "{}", stderr(&output));
    let (_directory, log) = file("zeros.log", &vec![0; 3 << 20]);
    let output = explain(&["--log", text(&log), "--status", "2"]);
    assert!(stderr(&output).contains("zeros.log is no text"), "{}", stderr(&output));
}

#[test]
fn a_log_of_windows_powershell_is_read() {
    for mark in ["\u{feff}", ""] {
        let units: Vec<u16> = format!("{mark}{}", String::from_utf8_lossy(FAILURE)).encode_utf16().collect();
        let (_directory, log) =
            file("utf-16.log", &units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>());
        let report = explained(&["--log", text(&log)]);
        assert_eq!(report["stderr"]["bytes"], FAILURE.len());
        assert!(!named(&report).is_empty(), "{report}");
    }
}

#[test]
fn what_is_packed_otherwise_is_told_with_what_unpacks_it() {
    let forms: [(&[u8], &str); 4] = [
        (b"PK\x03\x04xxxx", "unzip"),
        (b"\xfd7zXZ\0xx", "xz -dc"),
        (b"BZh91AY&SY", "bzip2"),
        (b"LPKSHHRH", "journalctl"),
    ];
    for (bytes, command) in forms {
        let (_directory, log) = file("packed", bytes);
        assert_refused(&explain(&["--log", text(&log), "--status", "2"]), &["packed: is", command, "--log -"]);
    }
}

#[test]
fn an_archive_of_logs_is_told_with_what_unpacks_it() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("a.log"), FAILURE).expect("a log");
    for (option, name) in [("-cf", "a.tar"), ("-czf", "a.tgz")] {
        let made = Command::new("tar").args([option, name, "a.log"]).current_dir(directory.path()).status();
        assert!(made.expect("tar").success());
        let archive = directory.path().join(name);
        let told = [&*format!("{name}: is a tar archive"), "tar -xOf FILE | explain --log -"];
        assert_refused(&explain(&["--log", text(&archive), "--status", "2"]), &told);
    }
}

#[test]
fn what_the_kernel_says_of_a_log_comes_without_a_number() {
    assert_refused(
        &explain(&["--log", "/no/log", "--status", "2"]),
        &["explain: /no/log: No such file or directory\n"],
    );
}

#[test]
fn what_stands_behind_a_large_hole_is_read() {
    let (_directory, log) = file("cut.log", b"");
    let hole = std::fs::File::options().write(true).open(&log).expect("the log");
    std::os::unix::fs::FileExt::write_all_at(&hole, FAILURE, 1 << 40).expect("a sparse file");
    assert!(!named(&explained(&["--log", text(&log)])).is_empty());
}

#[test]
fn random_bytes_are_no_text() {
    let bytes: Vec<u8> = (0..1_000_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let (_directory, log) = file("noise", &bytes);
    assert!(stderr(&explain(&["--log", text(&log), "--status", "2"])).contains("noise is no text"));
}

#[test]
fn the_middle_of_a_long_log_counts_in_every_language() {
    if !Path::new("/usr/share/locale/de/LC_MESSAGES/libc.mo").exists() {
        eprintln!("skipped: the C library has no messages in German");
        return;
    }
    let filler = b"[12/99] gcc -O2 -c -o build/a.o src/a.c\n".repeat(60_000);
    let said =
        "cp: reguläre Datei 'a/b' kann nicht angelegt werden: Auf dem Gerät ist kein Speicherplatz mehr verfügbar\n";
    let (_directory, log) = file("long.log", &[&filler[..], said.as_bytes(), &filler].concat());
    assert!(named(&explained(&["--log", text(&log)])).contains(&"blocks-exhausted"));
}

#[test]
fn what_has_no_end_is_no_log() {
    let directory = tempfile::tempdir().expect("a directory");
    let pipe = directory.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a named pipe");
    assert_refused(&explain(&["--log", text(&pipe), "--status", "2"]), &["pipe", "as standard input, -"]);
    assert_refused(&explain(&["--log", "/dev/zero", "--status", "2"]), &["/dev/zero", "is a device"]);
}

#[test]
fn a_long_log_is_read_in_bounded_memory_and_its_middle_counts() {
    let filler = b"[12/99] gcc -O2 -c -o build/a.o src/a.c\n".repeat(60_000);
    for log in [[&filler[..], FAILURE, &filler].concat(), [&vec![b'x'; 40 << 20][..], b"\n", FAILURE, &filler].concat()]
    {
        let (_directory, log) = file("long.log", &log);
        let report = explained(&["--log", text(&log)]);
        assert!(!named(&report).is_empty(), "{}", report["stderr"]["bytes"]);
        let kept: usize = report["stderr"]["parts"]
            .as_array()
            .expect("parts")
            .iter()
            .map(|part| part["bytes"].as_str().map_or(0, str::len))
            .sum();
        assert!(kept < 4 << 20, "{kept} bytes are too many");
    }
}

#[test]
fn what_a_long_log_says_once_counts_among_what_it_says_often() {
    let noise = |name: &str| format!("cat: {name}: No such file or directory\nfind: '{name}': Permission denied\n");
    let half: String = (0..30_000).map(|n| noise(&format!("/no/such/{n}"))).collect();
    let (_directory, log) = file("noisy.log", &[half.as_bytes(), FAILURE, half.as_bytes()].concat());
    let report = explained(&["--log", text(&log)]);
    let parts = report["stderr"]["parts"].as_array().expect("parts");
    assert!(parts.iter().any(|part| part["bytes"].as_str().is_some_and(|bytes| bytes.contains("Cannot mkdir"))));
}

#[test]
fn a_message_in_a_line_without_an_end_is_found() {
    let endless = vec![b'x'; 3 << 20];
    let (_directory, log) = file("endless.log", &[&endless[..], b" ", FAILURE.trim_ascii(), b" ", &endless].concat());
    let report = explained(&["--log", text(&log)]);
    let parts = report["stderr"]["parts"].as_array().expect("parts");
    assert!(parts.iter().any(|part| part["bytes"].as_str().is_some_and(|bytes| bytes.contains("Cannot mkdir"))));
}

#[test]
fn a_documented_status_speaks_only_where_nothing_was_said() {
    let command = ["--log", "-", "--status", "255", "--command", "ssh host", "--format", "json"];
    let silent = report(&through_stdin(&command, b"\n"));
    assert_eq!(named(&silent), ["resolver-unconfigured"]);
    let told = report(&through_stdin(&command, b"Host key verification failed.\n"));
    assert!(named(&told).is_empty(), "{told}");
}

#[test]
fn what_another_job_said_is_no_reason() {
    let log = b"#11 0.1 tar: a/b: Cannot mkdir: No space left on device\n#12 0.1 cc -c a.c\n#11 0.2 going on\n\
        #12 ERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 2\n";
    let (_directory, log) = file("build.log", log);
    assert_eq!(named(&explained(&["--log", text(&log)])), Vec::<&str>::new());
}

#[test]
fn a_log_is_judged_against_the_machine_of_a_report() {
    let directory = tempfile::tempdir().expect("a directory");
    let report = directory.path().join("report.json");
    let ran = explain(&["--report", text(&report), "sh", "-c", "cat /no/such/file; exit 7"]);
    assert_eq!(ran.status.code(), Some(7));
    let (_log, log) = file("saved.log", b"cat: /no/such/file: No such file or directory\n");
    let judged = self::report(&explain(&["--log", text(&log), "--replay", text(&report), "--format", "json"]));
    assert_eq!((&judged["mode"], &judged["outcome"]["code"]), (&"log".into(), &7.into()));
    assert_eq!(judged["causes"][0]["id"], "missing-path", "{judged}");
    assert_eq!(judged["machine"]["recorded_in"], text(&report));
    let shown = explain(&["--log", text(&log), "--replay", text(&report)]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("report.json has it"), "{shown:?}");
}

#[test]
fn a_log_in_a_language_that_nobody_told_is_read() {
    let said = [
        ("de", "tar: a/b: Kann nicht mkdir ausführen: Auf dem Gerät ist kein Speicherplatz mehr verfügbar"),
        ("fr", "cp: impossible de créer le fichier standard 'a/b': Aucun espace disponible sur le périphérique"),
        ("es", "mkdir: no se puede crear el directorio «a/b»: No queda espacio en el dispositivo"),
        ("ja", "cp: 通常ファイル 'a/b' を作成できません: デバイスに空き領域がありません"),
        ("pl", "cp: nie można utworzyć zwykłego pliku 'a/b': Brak miejsca na urządzeniu"),
        ("ru", "cp: невозможно создать обычный файл 'a/b': На устройстве не осталось свободного места"),
        ("zh_CN", "cp: 无法创建普通文件 'a/b': 设备上没有空间"),
    ];
    for (language, line) in said {
        if !Path::new("/usr/share/locale").join(language).join("LC_MESSAGES/libc.mo").exists() {
            eprintln!("skipped: the C library has no messages in {language}");
            continue;
        }
        let (_directory, log) =
            file("foreign.log", format!("{line}\nmake: *** [Makefile:2: all] Error 1\n").as_bytes());
        let report = explained(&["--log", text(&log)]);
        assert!(named(&report).contains(&"blocks-exhausted"), "{language}: {report}");
    }
}

#[test]
fn what_is_said_in_passing_comes_last() {
    let remarks = "stdin: is not a tty\nperl: warning: Setting locale failed.\n";
    let (_alone, alone) = file("alone.log", remarks.as_bytes());
    assert_eq!(named(&explained(&["--log", text(&alone)])), ["no-terminal", "locale-missing"]);
    let (_failed, failed) = file("failed.log", format!("{remarks}{}", String::from_utf8_lossy(FAILURE)).as_bytes());
    let report = explained(&["--log", text(&failed)]);
    let remarked = ["no-terminal", "locale-missing"];
    assert!(named(&report).iter().take(2).all(|id| !remarked.contains(id)), "{report}");
}

#[test]
fn of_two_messages_the_one_that_makes_a_cause_likeliest_counts() {
    let (_directory, path) = file(
        "log",
        b"fail to start program with error:fork/exec /opt/x/run: permission denied\n\
          type=AVC msg=audit(1646236641.925:1080): avc:  denied  { execute } for  pid=9162 comm=\"x\"\n",
    );
    let report = explained(&["--log", text(&path)]);
    assert!(named(&report).iter().take(2).any(|id| *id == "security-module"), "{report}");
}

#[test]
fn a_crash_that_a_saved_log_tells_of_may_be_of_anything() {
    let (_directory, path) =
        file("log", b"./gen > out.c\nSegmentation fault (core dumped)\nmake: *** [Makefile:3: out.c] Error 139\n");
    assert_eq!(named(&explained(&["--log", text(&path)])), Vec::<&str>::new());
}

#[test]
fn what_a_program_calls_information_comes_last() {
    let (_directory, path) = file(
        "log",
        b"2024-05-06 07:08:09 INFO  open /srv/cache: Permission denied\n\
          level=info msg=\"open /srv/state: no such file or directory\"\n\
          failed to lock /srv/lock, continuing\n\
          cp: cannot create regular file '/srv/x': Read-only file system\n",
    );
    assert_eq!(named(&explained(&["--log", text(&path)])).first(), Some(&"read-only-filesystem"));
}

/// Lines of a system that started well, of which each names something that was not to be had.
const REMARKS: &str = "May 06 07:08:01 host kernel: lp: driver loaded but no devices found\n\
    May 06 07:08:01 host kernel: cfg80211: failed to load regulatory.db\n\
    May 06 07:08:02 host systemd[1]: Failed to put x into /elsewhere, ignoring: No such file or directory\n\
    May 06 07:08:03 host app[12]: WARNING: cannot open /elsewhere/cache: Permission denied\n\
    May 06 07:08:04 host other[13]: cat: /elsewhere/a: No such file or directory\n";

#[test]
fn what_a_journal_went_on_after_for_long_is_not_named() {
    let served = |n| format!("May 06 07:09:{:02} host app[12]: served request {n}\n", n % 60);
    let rest = (0..400).map(served).collect::<Vec<_>>().concat();
    let (_calm, calm) = file("calm.log", format!("{REMARKS}{rest}").as_bytes());
    assert_eq!(named(&explained(&["--log", text(&calm)])), Vec::<&str>::new());
    let end = "May 06 07:20:00 host app[12]: cp: error writing '/srv/a': No space left on device\n";
    for log in [format!("{REMARKS}{rest}{end}"), format!("{REMARKS}{end}{rest}")] {
        let (_full, full) = file("full.log", log.as_bytes());
        let report = explained(&["--log", text(&full)]);
        assert!(named(&report).contains(&"blocks-exhausted"), "{report}");
        assert!(!report["causes"].to_string().contains("/elsewhere"), "{report}");
    }
}

#[test]
fn the_end_of_each_of_several_logs_is_near() {
    let rest = "all is well\n".repeat(400);
    let (_one, one) = file("one.log", b"stdin: is not a tty\ncat: /elsewhere/a: No such file or directory\n");
    let (_two, two) = file("two.log", rest.as_bytes());
    let report = explained(&["--log", text(&one), "--log", text(&two)]);
    assert!(named(&report).contains(&"missing-path"), "{report}");
}

#[test]
fn what_the_answer_rules_out_is_not_named_first() {
    let first = |text_of_log: &str| {
        let (_directory, log) = file("log", text_of_log.as_bytes());
        let report = explained(&["--log", text(&log)]);
        named(&report).first().map(|id| (*id).to_owned())
    };
    // What is refused is there, and a name with a slash is looked for nowhere else.
    let refused = first("error: couldn't read `/srv/registry/fnv-1.0.7/lib.rs`: Permission denied (os error 13)\n");
    assert!(refused.is_some_and(|id| id != "missing-path"));
    let missing = first(
        "Error: spawn /opt/x/bin/tool ENOENT\n    at ChildProcess._handle.onexit (node:internal/child_process:285:19)\n",
    );
    assert!(missing.is_some_and(|id| id != "command-not-found"));
}
