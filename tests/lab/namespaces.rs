//! Namespaces of which no more may be made, inside a user namespace of its own, so that no other program feels it.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Program("bwrap"), Need::Program("python3")];

/// The way into a user namespace, and its limits: `limit net 0`.
const INSIDE: &str = r#"inside=$(enter --user --map-root-user)
    limit() { $inside sh -c "echo $2 >/proc/sys/user/max_$1_namespaces"; }
"#;

/// Makes a namespace and says no more than the errno's words.
const VAGUE: &str = r"
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x40000000) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
";

#[test]
fn a_kind_of_which_none_may_be_made_is_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{INSIDE} limit net 0
            explained_in unshare "$inside" unshare --net true
            explained_in vague "$inside" python3 -c '{VAGUE}'
            limit user 0
            explained_in bwrap "$inside" bwrap --unshare-user --ro-bind / / true"#
        ));
        scene.run("unshare").assert_first("namespace-limit", "net", Confidence::Verified);
        scene.run("vague").assert_first("namespace-limit", "net", Confidence::Likely);
        // None at all may be made: that is the switch.
        scene.run("bwrap").assert_first("user-namespaces-disabled", "-", Confidence::Verified);
        scene.run("unshare").assert_does_not_name("blocks-exhausted");
    });
}

#[test]
fn a_raised_limit_lets_the_command_go_on() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"{INSIDE} limit uts 0
            explained_in before "$inside" unshare --uts true
            $inside sh -c "$(fix_of before sysctl)"
            explained_in after "$inside" unshare --uts true"#
        ));
        assert_eq!(scene.run("after").status, 0, "{}", scene.run("before"));
    });
}

#[test]
fn what_is_not_about_a_limit_is_silence() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"mkdir full; mount -t tmpfs -o size=1m lab full
            {INSIDE} limit net 0; chmod 1777 runs
            explained_in disk "$inside" dd if=/dev/zero of=full/big bs=1k count=2000
            explained_as nobody denied unshare --mount true
            explained missing unshare --net /nowhere"#
        ));
        scene.each(&["disk", "denied", "missing"]).assert_does_not_name("namespace-limit");
    });
}

/// Nobody may make a user namespace, and nobody wanted one.
#[test]
fn a_switch_that_forbids_user_namespaces_is_no_reason_for_what_makes_none() {
    scenario(&[Need::Root, Need::Program("bwrap"), Need::Program("perl"), Need::Program("python3")], |lab| {
        let scene = lab.play(&format!(
            r#"{INSIDE} limit user 0
            explained_in bwrap "$inside" bwrap --ro-bind /nowhere / true
            explained_in unshare "$inside" unshare --uts cat /nowhere
            explained_in python "$inside" python3 -c 'int("namespace")'
            explained_in perl "$inside" perl -e 'die "no namespace of that name\n"'
            explained_in denied "$inside" dd if=/dev/zero of=/proc/sys/kernel/threads-max count=1"#
        ));
        for run in ["bwrap", "unshare", "python", "perl", "denied"] {
            scene.run(run).assert_does_not_name("user-namespaces-disabled");
            scene.run(run).assert_does_not_name("namespace-limit");
        }
    });
}

/// Each kind by a tool of its own; a limit on one kind is no reason for what another kind failed of.
#[test]
fn every_kind_is_told_apart_behind_sandboxes_and_words_without_a_call() {
    scenario(&[Need::Root, Need::Program("bwrap"), Need::Program("unshare"), Need::Program("perl")], |lab| {
        let scene = lab.play(&format!(
            r#"{INSIDE} limit net 0
            explained_in bwrap "$inside" bwrap --unshare-net --ro-bind / / true
            explained_in perl "$inside" perl -e 'syscall($ARGV[0], 0x40000000) == 0 or die "cannot isolate: $!\n"' "$(python3 -c 'import platform; print({{"x86_64": 272, "aarch64": 97}}[platform.machine()])')"
            explained_in twin "$inside" unshare --uts cat /nowhere
            limit pid 0; explained_in pid "$inside" unshare --pid --fork true
            limit mnt 0; explained_in mount "$inside" unshare --mount true
            explained_in twin.program "$inside" unshare --uts ./nowhere"#
        ));
        scene.run("bwrap").assert_only("namespace-limit", "net", Confidence::Verified);
        scene.run("perl").assert_only("namespace-limit", "net", Confidence::Likely);
        scene.run("pid").assert_first("namespace-limit", "pid", Confidence::Verified);
        scene.run("mount").assert_first("namespace-limit", "mnt", Confidence::Verified);
        scene.each(&["twin", "twin.program"]).assert_does_not_name("namespace-limit");
    });
}
