//! Security modules: Landlock, which any process can put on itself, and machines recorded with the records that `SELinux` and `AppArmor` write
//! (the kernel's `security/selinux/avc.c` and `security/apparmor/audit.c`), played back through the whole program.

use crate::harness::{Explained, Lab, Need, scenario};
use explain::cause::Confidence::{Likely, Verified};
use serde_json::{Value, json};

/// `landlocked PLACES COMMAND…` (with `:` between places): a command that may use what lies below these places alone.
const LANDLOCK: &str = r#"cat >landlocked.py <<-'END'
	import ctypes, os, struct, sys
	libc = ctypes.CDLL(None, use_errno=True)
	rights = 0x1fff  # all of the first version, linux/landlock.h
	attributes = struct.pack("Q", rights)
	ruleset = libc.syscall(444, attributes, len(attributes), 0)
	for place in filter(os.path.isdir, sys.argv[1].split(":")):
	    beneath = struct.pack("=Qi", rights, os.open(place, os.O_PATH))
	    assert libc.syscall(445, ruleset, 1, beneath, 0) == 0
	assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.syscall(446, ruleset, 0) == 0
	os.execvp(sys.argv[2], sys.argv[2:])
	END
    mkdir open shut; echo x >shut/file; chmod 644 shut/file; echo '{"a":' >open/bad.json; chmod 755 open shut
    landlocked="python3 landlocked.py /usr:/lib:/lib64:/bin:/sbin:/etc:/proc:/dev:$LAB/bin:$LAB/runs:$LAB/open"
"#;

/// The rights of Landlock's first version are since Linux 5.13; whether this kernel has them is asked by the system call itself.
fn has_landlock() -> bool {
    explain::sys::landlock::layers().is_ok()
}

#[test]
fn a_landlock_domain_is_found_where_modes_allow_and_silent_for_what_is_not_there() {
    let needs = [Need::Root, Need::Program("python3"), Need::Program("jq"), Need::Program("sqlite3")];
    if !has_landlock() {
        return;
    }
    scenario(&needs, |lab| {
        let scene = lab.play(&format!(
            r#"{LANDLOCK}
            explained_in cat "$landlocked" cat shut/file
            explained_in jq "$landlocked" jq . shut/file
            explained_in rm "$landlocked" rm shut/file
            explained_in touch "$landlocked" touch shut/new
            explained_in vague "$landlocked" sqlite3 "$LAB/shut/new.db" 'create table t(a)'
            explained_in perl "$landlocked" perl -e 'open F, "<", "./shut/file" or die "cannot open ./shut/file"'
            explained_in twin "$landlocked" cat open/none
            explained_in twin.syntax "$landlocked" jq . open/bad.json
            chmod 600 shut/file; explained_in twin.mode "setpriv --reuid 4001 --regid 4001 --clear-groups $landlocked" cat shut/file
            explained free jq . open/bad.json"#
        ));
        for (run, at) in [("cat", "shut/file"), ("jq", "shut/file"), ("rm", "shut/file"), ("touch", "shut/new")] {
            scene.run(run).assert_first("security-module", lab.path(at), Likely);
        }
        scene.run("perl").assert_first("security-module", lab.path("shut/file"), Likely);
        for run in ["twin", "twin.syntax", "free"] {
            scene.run(run).assert_silent();
        }
        let mode = scene.run("twin.mode");
        mode.assert_first("permission-denied", lab.path("shut/file"), Verified);
        mode.assert_does_not_name("security-module");
    });
}

const NEEDS: &[Need] = &[Need::Root, Need::Program("strace"), Need::Program("python3")];

/// `refused NAME PATH CALL COMMAND…`: runs a command whose calls on the path are answered with EACCES.
const REFUSED: &str = r#"
    refused() {
        name=$1 path=$2 call=$3
        shift 3
        explained "$name" strace -f -o /dev/null -P "$path" -e "inject=$call:error=EACCES" "$@"
    }
    mkdir data; echo x >data/file; chmod 666 data/file
"#;

/// Plays a run back on a machine whose kernel and audit daemon wrote these lines.
fn played_back(lab: &Lab, run: &str, kernel: &[&str], audited: &str) -> Explained {
    let file = lab.path("runs").join(format!("{run}.json"));
    let mut report: Value = serde_json::from_slice(&std::fs::read(file).expect("the run was kept")).expect("JSON");
    let messages: Vec<Value> = kernel.iter().map(|text| json!({"at_us": 1, "level": 5, "text": text})).collect();
    let answers = &mut report["machine"]["answers"];
    answers["kernel-log denied|DENIED|blockers="] = json!({"Ok": {"now_us": 2, "messages": messages}});
    answers["log /var/log/audit/audit.log"] =
        json!({"Ok": {"bytes": audited.len(), "parts": [{"offset": 0, "bytes": audited}]}});
    std::fs::write(lab.path(&format!("{run}.other.json")), report.to_string()).expect("the record can be kept");
    let again = format!(
        r#"bare {run}.again "$EXPLAIN" --replay "$LAB/{run}.other.json" --format json; mv runs/{run}.again.out runs/{run}.again.json; : >runs/{run}.again.out"#
    );
    lab.play(&again).run(&format!("{run}.again"))
}

#[test]
fn a_record_of_apparmor_proves_its_denial_and_one_of_another_path_or_of_complain_mode_does_not() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{REFUSED}
            refused clear "$LAB/data/file" openat cat "$LAB/data/file"
            refused vague "$LAB/data/file" openat perl -e 'open F, "<", $ARGV[0] or die "cannot open $ARGV[0]"' "$LAB/data/file""#
        ));
        let file = lab.path("data/file");
        let record = |word: &str, path: &str| {
            format!(
                r#"audit: type=1400 audit(1478138139.532:266): apparmor="{word}" operation="open" profile="/usr/sbin/mysqld" name="{path}" pid=4820 comm="mysqld" requested_mask="r" denied_mask="r" fsuid=122 ouid=122"#
            )
        };
        let denied = record("DENIED", &file.display().to_string());
        for run in ["clear", "vague"] {
            scene.run(run).assert_silent();
            let found = played_back(lab, run, &[&denied], "");
            let found = found.assert_first("security-module", &file, Verified);
            assert!(found.fixes[0].text.contains("profile /usr/sbin/mysqld"), "{found:?}");
            let watched = record("ALLOWED", &file.display().to_string());
            played_back(lab, run, &[&watched, &record("DENIED", "/srv/other")], "")
                .assert_does_not_name("security-module");
        }
    });
}

#[test]
fn a_record_of_selinux_is_found_in_the_audit_log_by_name_and_inode() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{REFUSED}
            refused clear "$LAB/data/file" openat head -c 1 "$LAB/data/file"
            refused parent "$LAB/data/new" openat touch "$LAB/data/new""#
        ));
        let inode =
            |path: &str| std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(lab.path(path)).expect("it is there"));
        let record = |name: &str, inode: u64, class: &str, permissive: u8| {
            format!(
                "type=AVC msg=audit(1408551101.021:100): avc:  denied  {{ write }} for  pid=1442 comm=\"mysqld\" name=\"{name}\" dev=\"dm-0\" ino={inode} scontext=system_u:system_r:mysqld_t:s0 tcontext=u:object_r:default_t:s0 tclass={class} permissive={permissive}\n"
            )
        };
        for (run, at, name, place, class) in
            [("clear", "data/file", "file", "data/file", "file"), ("parent", "data/new", "data", "data", "dir")]
        {
            scene.run(run).assert_silent();
            let denied = record(name, inode(place), class, 0);
            played_back(lab, run, &[], &denied).assert_first("security-module", lab.path(at), Verified);
            // Another file of that name, and a policy that only watches.
            played_back(lab, run, &[], &record(name, 1, class, 0)).assert_does_not_name("security-module");
            let watched = record(name, inode(place), class, 1);
            played_back(lab, run, &[], &watched).assert_does_not_name("security-module");
        }
    });
}

#[test]
fn a_record_of_landlock_proves_its_denial() {
    scenario(NEEDS, |lab| {
        let scene =
            lab.play(&format!("{REFUSED}\n refused tail \"$LAB/data/file\" openat tail -c 1 \"$LAB/data/file\""));
        let file = lab.path("data/file");
        let record = format!(
            r#"audit: type=1423 audit(1744000000.123:45): domain=195ba459b blockers=fs.read_file path="{}" dev="vda2" ino=351"#,
            file.display()
        );
        scene.run("tail").assert_silent();
        played_back(lab, "tail", &[&record], "").assert_first("security-module", &file, Verified);
    });
}
