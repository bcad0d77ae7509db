//! What this machine cannot be brought into, or only with harm to others: no file left for the whole machine, a file that a server has
//! forgotten, a full thin pool. A real tool meets the errno (strace gives it in place of the call), and its report, which is a record of the
//! machine, is played back with the kernel's records of such a state in it. As it was recorded, on a healthy machine, nothing is claimed.

use crate::harness::{Explained, Lab, Need, scenario};
use explain::cause::Confidence::{Likely, Verified};
use serde_json::{Value, json};

const NEEDS: &[Need] = &[Need::Root, Need::Program("strace"), Need::Program("python3"), Need::Program("dd")];

/// `refused NAME PATH CALL ERRNO COMMAND…`: runs a command whose calls on the path are answered with an errno.
const REFUSED: &str = r#"
    refused() {
        name=$1 path=$2 call=$3 errno=$4
        shift 4
        explained "$name" strace -f -o /dev/null -P "$path" -e "inject=$call:error=$errno" "$@"
    }
"#;

/// Plays a run back on a machine that differs from the recorded one by these answers.
fn played_back(lab: &Lab, run: &str, answers: &[(&str, Value)]) -> Explained {
    let file = lab.path("runs").join(format!("{run}.json"));
    let mut report: Value = serde_json::from_slice(&std::fs::read(file).expect("the run was kept")).expect("JSON");
    for (question, answer) in answers {
        report["machine"]["answers"][question] = answer.clone();
    }
    let other = lab.path(&format!("{run}.other.json"));
    std::fs::write(&other, report.to_string()).expect("the record can be kept");
    let again = format!(
        r#"bare {run}.again "$EXPLAIN" --replay "$LAB/{run}.other.json" --format json; mv runs/{run}.again.out runs/{run}.again.json; : >runs/{run}.again.out"#
    );
    lab.play(&again).run(&format!("{run}.again"))
}

#[test]
fn a_machine_with_all_files_open_is_named_whoever_met_it() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{REFUSED} echo x >file
            refused clear "$LAB/file" openat ENFILE cat "$LAB/file"
            refused vague "$LAB/file" openat ENFILE python3 -c 'import sys
try: open(sys.argv[1])
except OSError as error: sys.exit("cannot start: " + error.strerror)' "$LAB/file""#
        ));
        let full = [("read /proc/sys/fs/file-nr", json!({"Ok": "9990\t0\t10000\n"}))];
        let free = [("read /proc/sys/fs/file-nr", json!({"Ok": "990\t0\t10000\n"}))];
        for run in ["clear", "vague"] {
            scene.run(run).assert_silent();
            played_back(lab, run, &full).assert_only("system-files-limit", "10000", Verified);
            played_back(lab, run, &free).assert_does_not_name("system-files-limit");
        }
    });
}

/// What curl and sqlite3 say of any file that they cannot open.
#[test]
fn files_that_cannot_be_opened_for_an_untold_reason_lead_to_a_machine_with_all_files_open() {
    scenario(&[Need::Root, Need::Program("strace"), Need::Program("curl"), Need::Program("sqlite3")], |lab| {
        let scene = lab.play(&format!(
            r#"{REFUSED} echo x >file; sqlite3 base 'create table t (a)'
            refused curl "$LAB/file" openat ENFILE curl -sS "file://$LAB/file"
            refused sqlite "$LAB/base" openat ENFILE sqlite3 "$LAB/base" .tables"#
        ));
        let full = [("read /proc/sys/fs/file-nr", json!({"Ok": "9990\t0\t10000\n"}))];
        for run in ["curl", "sqlite"] {
            scene.run(run).assert_does_not_name("system-files-limit");
            played_back(lab, run, &full).assert_first("system-files-limit", "10000", Likely);
        }
    });
}

#[test]
fn a_machine_with_all_files_open_is_no_reason_for_what_has_its_own() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            r#"echo x >file
            explained missing cat "$LAB/nothing"
            explained python python3 -c 'int("x")'
            explained directory dd if="$LAB" of=/dev/null
            explained words sh -c 'echo "the table has too many files open" >&2; exit 1'"#,
        );
        let full = [("read /proc/sys/fs/file-nr", json!({"Ok": "9990\t0\t10000\n"}))];
        for run in ["missing", "python", "directory", "words"] {
            scene.run(run).assert_does_not_name("system-files-limit");
            played_back(lab, run, &full).assert_does_not_name("system-files-limit");
        }
    });
}

#[test]
fn a_file_that_its_server_has_forgotten_is_named_by_the_message_or_by_the_command_line() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{REFUSED} echo x >file
            refused clear "$LAB/file" openat ESTALE cat "$LAB/file"
            refused vague "$LAB/file" openat ESTALE python3 -c 'import sys
try: open(sys.argv[1])
except OSError as error: sys.exit("cannot read it: " + error.strerror)' "$LAB/file""#
        ));
        let file = lab.path("file");
        let question = format!("stat {}", file.display());
        let stale = [(question.as_str(), json!({"Err": {"errno": "ESTALE"}}))];
        for run in ["clear", "vague"] {
            scene.run(run).assert_silent();
            played_back(lab, run, &stale).assert_only("stale-nfs-handle", &file, Verified);
        }
    });
}

/// What the device mapper answers of a volume and of the pool below it (dm-thin, `Documentation/admin-guide/device-mapper` of the kernel).
fn pool(lab: &Lab, status: &str, mounts: &str) -> Vec<(&'static str, Value)> {
    let point = lab.path("pool");
    let mount = format!("900 1 253:4 / {} rw,relatime - ext4 /dev/mapper/vg-thin rw\n", point.display());
    vec![
        ("mounts", json!({"Ok": format!("{mounts}{mount}")})),
        ("readlink /sys/dev/block/253:4", json!({"Ok": "../../devices/virtual/block/dm-4"})),
        ("read /sys/dev/block/253:4/dev", json!({"Ok": "253:4\n"})),
        ("read /sys/class/block/dm-4/dm/name", json!({"Ok": "vg-thin\n"})),
        ("mapper 253:4", json!({"Ok": "thin 2048 4095"})),
        (
            "list /sys/class/block/dm-4/slaves",
            json!({"Ok": {"entries": [{"name": "dm-2", "inode": 1, "kind": "symlink"}], "cut": false}}),
        ),
        ("read /sys/class/block/dm-2/dev", json!({"Ok": "253:2\n"})),
        ("read /sys/class/block/dm-2/dm/name", json!({"Ok": "vg-pool-tpool\n"})),
        ("mapper 253:2", json!({"Ok": status})),
    ]
}

/// A directory that becomes the pool's mount when a run is played back, and the table of mounts as it was.
const POOL: &str = "mkdir -p pool kept; cat /proc/self/mountinfo >kept/mounts\n";

/// Modes of a pool as `dmsetup status` writes them.
const FULL: &str = "thin-pool 1 141/4096 800/800 - out_of_data_space discard_passdown queue_if_no_space - 1024";
const FREE: &str = "thin-pool 1 141/4096 10/800 - rw discard_passdown queue_if_no_space - 1024";

fn mounts(lab: &Lab) -> String {
    std::fs::read_to_string(lab.path("kept/mounts")).expect("the script kept it")
}

#[test]
fn a_pool_without_a_free_block_is_named_by_the_message_or_by_the_command_line() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{REFUSED}{POOL}
            refused clear "$LAB/pool/file" write EIO dd if=/etc/hostname of="$LAB/pool/file"
            refused tar "$LAB/pool/file" write EIO tar -cf "$LAB/pool/file" /etc/hostname
            refused vague "$LAB/pool/file" write EIO python3 -c 'import os, sys
try: os.write(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), b"x")
except OSError as error: sys.exit("cannot save: " + error.strerror)' "$LAB/pool/file""#
        ));
        for (run, confidence) in [("clear", Verified), ("tar", Verified), ("vague", Likely)] {
            scene.run(run).assert_does_not_name("thin-pool-full");
            let full = played_back(lab, run, &pool(lab, FULL, &mounts(lab)));
            full.assert_only("thin-pool-full", "/dev/mapper/vg-thin", confidence);
        }
    });
}

#[test]
fn a_pool_without_a_free_block_is_found_behind_words_for_a_disk_that_fails() {
    let needs = [Need::Root, Need::Program("strace"), Need::Program("sqlite3"), Need::Program("curl")];
    scenario(&needs, |lab| {
        let scene = lab.play(&format!(
            r#"{REFUSED}{POOL}
            refused sqlite "$LAB/pool/x.db" pwrite64 EIO sqlite3 "$LAB/pool/x.db" 'create table t(a)'
            refused perl "$LAB/pool/x" write EIO perl -e 'open F, ">", shift; print F "x"; close F or die "cannot save: $!\n"' "$LAB/pool/x"
            refused gzip "$LAB/pool/y" write EIO sh -c "gzip -c /bin/sh >$LAB/pool/y"
            refused curl "$LAB/pool/z" write EIO curl -sSo "$LAB/pool/z" file:///etc/passwd"#
        ));
        for run in ["sqlite", "perl", "gzip", "curl"] {
            scene.run(run).assert_does_not_name("thin-pool-full");
            let full = played_back(lab, run, &pool(lab, FULL, &mounts(lab)));
            full.assert_only("thin-pool-full", "/dev/mapper/vg-thin", Likely);
        }
    });
}

#[test]
fn a_pool_with_room_and_a_full_one_below_other_files_are_silence() {
    let needs = [Need::Root, Need::Program("strace"), Need::Program("sqlite3"), Need::Program("dd")];
    scenario(&needs, |lab| {
        let scene = lab.play(&format!(
            r#"{REFUSED}{POOL}
            refused room "$LAB/pool/file" write EIO dd if=/etc/hostname of="$LAB/pool/file"
            refused elsewhere "$LAB/file" write EIO dd if=/etc/hostname of="$LAB/file"
            explained missing cat "$LAB/pool/none"
            explained sqlite sqlite3 "$LAB/pool/good.db" 'select * from nothing'"#
        ));
        scene.each(&["room", "elsewhere", "missing", "sqlite"]).assert_does_not_name("thin-pool-full");
        played_back(lab, "room", &pool(lab, FREE, &mounts(lab))).assert_does_not_name("thin-pool-full");
        for run in ["elsewhere", "missing", "sqlite"] {
            played_back(lab, run, &pool(lab, FULL, &mounts(lab))).assert_does_not_name("thin-pool-full");
        }
    });
}

#[test]
fn a_cause_that_a_report_proves_of_a_log_is_not_guessed_beside() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r#"mkdir full; mount -t tmpfs -o size=64k full full; head -c 200k /dev/zero >a; cat a >full/fill 2>/dev/null || :
            explained run cp a full/x
            umount full
            echo 'npm ERR! nospc ENOSPC: no space left on device, write' >build.log
            bare log "$EXPLAIN" --report "$LAB/runs/log.json" --log build.log --replay "$LAB/runs/run.json""#,
        );
        let run = scene.run("log");
        run.assert_first("blocks-exhausted", lab.path("full"), Verified);
        assert_eq!(run.causes().iter().filter(|found| found.id == "blocks-exhausted").count(), 1, "{run}");
    });
}
