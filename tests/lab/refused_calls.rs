//! System calls that a seccomp filter refuses, and namespaces that a switch forbids.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const FILTERS: &[Need] =
    &[Need::Root, Need::Program("python3"), Need::Program("unshare"), Need::Program("strace"), Need::Program("keyctl")];
const NAMESPACES: &[Need] = &[Need::Root, Need::Program("bwrap"), Need::Program("unshare"), Need::Program("python3")];

/// `filtered CALLS ANSWER COMMAND…`: refuses these system calls (names, parted by commas) with an errno, or by SIGSYS where ANSWER is `kill`.
const FILTER: &str = r#"cat >filtered.py <<-'END'
	import ctypes, os, platform, struct, sys
	numbers = {
	    "x86_64": dict(unshare=272, mount=165, add_key=248, ptrace=101, chmod=90, fchmod=91, fchmodat=268, fchmodat2=452, chown=92, lchown=94, fchownat=260),
	    "aarch64": dict(unshare=97, mount=40, add_key=217, ptrace=117, fchmod=52, fchmodat=53, fchmodat2=452, fchownat=54),
	}[platform.machine()]
	calls = [numbers[name] for name in sys.argv[1].split(",") if name in numbers]
	answer = 0x80000000 if sys.argv[2] == "kill" else 0x00050000 | int(sys.argv[2])
	steps = [(0x20, 0, 0, 0)]  # load the number of the call
	steps += [(0x15, len(calls) - index, 0, call) for index, call in enumerate(calls)]
	steps += [(6, 0, 0, 0x7fff0000), (6, 0, 0, answer)]
	program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
	class Filter(ctypes.Structure):
	    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_void_p)]
	libc = ctypes.CDLL(None, use_errno=True)
	assert libc.prctl(38, 1, 0, 0, 0) == 0
	assert libc.prctl(22, 2, ctypes.byref(Filter(len(steps), ctypes.addressof(program)))) == 0
	os.execvp(sys.argv[3], sys.argv[3:])
	END
    filtered="python3 filtered.py"
"#;

#[test]
fn a_call_that_a_filter_refuses_is_likely_and_one_that_the_kernel_refuses_is_not() {
    scenario(FILTERS, |lab| {
        let scene = lab.play(&format!(
            r#"{FILTER}
            explained_in unshare "$filtered unshare 1" unshare --mount true
            explained_in key "$filtered add_key 1" keyctl add user a b @s
            explained_in trace "$filtered ptrace 1" strace true
            explained_in twin "$filtered mount 1" unshare --mount=/nowhere true
            explained_in file "$filtered mount 1" cat /nowhere
            explained open unshare --mount=/nowhere true"#
        ));
        for (run, call) in [("unshare", "unshare"), ("key", "add_key"), ("trace", "ptrace")] {
            scene.run(run).assert_first("syscall-filtered", call, Confidence::Likely);
        }
        for run in ["file", "open"] {
            scene.run(run).assert_does_not_name("syscall-filtered");
        }
        assert!(
            scene.run("twin").report.is_some_and(|report| report.causes.iter().all(|found| found.subject != "unshare"))
        );
    });
}

#[test]
fn a_program_that_a_filter_ended_is_told_from_one_that_ended_itself() {
    scenario(FILTERS, |lab| {
        let scene = lab.play(&format!(
            r#"{FILTER} : >file
            explained_in itself "$filtered chmod,fchmodat,fchmodat2 kill" chmod 600 file
            explained_in below "$filtered chmod,fchmodat,fchmodat2 kill" sh -c 'chmod 600 file; exit $?'
            explained chosen sh -c 'exit 159'
            explained sent sh -c 'kill -SYS $$; exit 1'
            explained_in other "$filtered chmod kill" sh -c 'exit 3'"#
        ));
        scene.run("itself").assert_only("syscall-filtered", "SIGSYS", Confidence::Verified);
        scene.run("below").assert_only("syscall-filtered", "SIGSYS", Confidence::Likely);
        for run in ["chosen", "other"] {
            scene.run(run).assert_does_not_name("syscall-filtered");
        }
    });
}

#[test]
fn a_switch_that_forbids_user_namespaces_is_named_before_the_limit_that_it_is() {
    scenario(NAMESPACES, |lab| {
        let scene = lab.play(
            r#"inside=$(enter --user --map-root-user); $inside sh -c 'echo 0 >/proc/sys/user/max_user_namespaces'
            explained_in bwrap "$inside" bwrap --unshare-user --ro-bind / / true
            explained_in unshare "$inside" unshare --user true
            explained_in vague "$inside" python3 -c 'import ctypes, os
libc = ctypes.CDLL(None, use_errno=True); libc.unshare(0x10000000)
raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))'
            explained_in twin "$inside" bwrap --ro-bind /nowhere / true
            explained open unshare --user --mount=/nowhere true
            $inside sh -c "$(fix_of unshare 'sysctl -w')"
            explained_in after "$inside" unshare --user true"#,
        );
        for run in ["bwrap", "unshare"] {
            scene.run(run).assert_only("user-namespaces-disabled", "-", Confidence::Verified);
        }
        scene.run("vague").assert_first("namespace-limit", "user", Confidence::Likely);
        scene.run("open").assert_does_not_name("user-namespaces-disabled");
        assert_eq!(scene.run("after").status, 0, "{}", scene.run("unshare"));
    });
}

#[test]
fn a_mode_or_an_owner_that_only_a_filter_refuses_is_likely() {
    scenario(FILTERS, |lab| {
        let scene = lab.play(&format!(
            r#"{FILTER} : >file; modes=chmod,fchmod,fchmodat,fchmodat2 owners=chown,lchown,fchownat
            explained_in chmod "$filtered $modes 1" chmod 600 file
            explained_in install "$filtered $modes 1" install -m 700 file copy
            explained_in chown "$filtered $owners 1" chown 1 file
            # As though the kernel were too old to have the call.
            explained_in vague "$filtered $modes 38" chmod 600 file
            explained_in twin "$filtered $modes 1" chmod 600 none
            explained_as 4001 twin.owner chmod 600 file
            explained_in twin.foreign "$(identity 4001) $filtered mount 1" chmod 600 file
            explained open chown 1 none"#
        ));
        for (run, call) in [("chmod", "chmod"), ("install", "chmod"), ("chown", "chown"), ("vague", "chmod")] {
            scene.run(run).assert_only("syscall-filtered", call, Confidence::Likely);
        }
        for run in ["twin", "twin.owner", "twin.foreign", "open"] {
            scene.run(run).assert_does_not_name("syscall-filtered");
        }
    });
}

#[test]
fn a_capability_that_a_program_gave_up_itself_is_not_proven_to_be_what_failed() {
    scenario(NAMESPACES, |lab| {
        let scene = lab.play(&format!(
            r#"{FILTER}
            explained_in bwrap "$filtered mount 1" bwrap --ro-bind / / true"#
        ));
        let run = scene.run("bwrap");
        let causes = &run.report.as_ref().expect("it failed").causes;
        assert!(causes.iter().all(|found| found.confidence == Confidence::Likely), "{run}");
        run.assert_names("syscall-filtered");
    });
}
