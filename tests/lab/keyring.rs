//! A user who holds as many keys in the kernel's keyrings as are allowed: 200, by default.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const NEEDS: &[Need] = &[Need::Root, Need::Program("keyctl"), Need::Program("perl"), Need::Program("python3")];

/// `fill UID` adds keys for a user whom nobody else is, in no other scenario either, until none is left; the kernel keeps them until the
/// keyring is cleared.
const FILL: &str = r#"
    fill() {
        setpriv --reuid "$1" --clear-groups sleep infinity &
        trap "as $1 keyctl clear @u" EXIT
        as "$1" sh -c 'i=0; while keyctl add user "key $i" x @u >"$LAB/runs/added" 2>&1; do i=$((i + 1)); done' || true
        grep "^$1:.* 200/200 " /proc/key-users
    }
"#;

/// `add_key(2)` by its number, which differs between machines.
const ADD_KEY: &str = r#"$n = `uname -m` =~ /x86_64/ ? 248 : 217; ($t, $d, $p) = ("user", "more", "x");
    syscall($n, $t, $d, $p, 1, -4) >= 0 or die "cannot log in: $!\n""#;

#[test]
fn a_user_without_a_key_left_is_named() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(&format!(
            r#"chmod 1777 "$LAB/runs"; {FILL} fill 54399
            explained_as 54399 keyctl keyctl add user more x @u
            explained_as 54399 vague perl -e '{ADD_KEY}'"#
        ));
        scene.run("keyctl").assert_first("keyring-quota", "54399", Confidence::Verified);
        scene.run("vague").assert_first("keyring-quota", "54399", Confidence::Likely);
    });
}

/// The words are those of a full disk's quota, or of nothing at all that a key is.
#[test]
fn words_that_name_no_key_lead_to_the_quota() {
    scenario(&[Need::Root, Need::Program("keyctl"), Need::Program("ruby"), Need::Program("python3")], |lab| {
        let scene = lab.play(&format!(
            r#"chmod 1777 "$LAB/runs"; {FILL} fill 54389
            add=$(python3 -c 'import platform; print({{"x86_64": 248, "aarch64": 217}}[platform.machine()])')
            explained_as 54389 ruby ruby -e 'begin; syscall(ARGV[0].to_i, "user", "more", "x", 1, -4); rescue => e; abort "login failed: #{{e.message}}"; end' "$add"
            explained_as 54389 python python3 -c 'import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True); libc.syscall(int(sys.argv[1]), b"user", b"more", b"x", 1, -4)
raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))' "$add"
            explained_as 54389 request keyctl request2 user nothing more @u"#
        ));
        scene.each(&["ruby", "python", "request"]).assert_first("keyring-quota", "54389", Confidence::Likely);
    });
}

#[test]
fn a_user_with_keys_left_is_silence() {
    scenario(NEEDS, |lab| {
        let scene = lab.play(
            "chmod 1777 \"$LAB/runs\"
            explained_as 54398 search keyctl search @u user nothing
            explained_as 54398 missing cat /nowhere",
        );
        scene.each(&["search", "missing"]).assert_does_not_name("keyring-quota");
    });
}
