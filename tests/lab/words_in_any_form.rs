//! Programs that say what failed in a form of their own: the words suggest, and the machine decides.

use crate::harness::{Need, scenario};
use explain::cause::Confidence::{Possible, Verified};

#[test]
fn what_the_machine_shows_of_words_in_a_form_of_their_own_is_claimed() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r#"mkdir shut full; mount -t tmpfs -o ro lab shut; mount -t tmpfs -o size=64k lab full
            head -c 60000 /dev/zero >full/fill; cat /dev/zero >full/rest 2>/dev/null || true
            explained shut sh -c 'echo "frobd[3]: giving up -- the store at $PWD/shut is not writeable" >&2; exit 1'
            explained full sh -c 'echo "FROB-17 <not enough space> while growing \"$PWD/full/db\"" >&2; exit 1'
            touch key; chmod 644 key
            explained key sh -c 'echo "refused: $PWD/key is accessible by everybody (world readable)" >&2; exit 1'"#,
        );
        scene.run("shut").assert_first("read-only-filesystem", lab.path("shut"), Verified);
        scene.run("full").assert_first("blocks-exhausted", lab.path("full"), Verified);
        scene.run("key").assert_first("insecure-permissions", lab.path("key"), Verified);
    });
}

#[test]
fn words_without_a_path_are_no_proof() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r#"mkdir full; mount -t tmpfs -o size=64k lab full; cd full; cat /dev/zero >rest 2>/dev/null || true
            explained room sh -c 'echo "FROB-17: too little room on the volume" >&2; exit 1'"#,
        );
        scene.run("room").assert_first("blocks-exhausted", lab.path("full"), Possible);
    });
}

#[test]
fn words_that_the_machine_does_not_bear_out_are_passed_over() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r#"mkdir open; mkdir shut; mount -t tmpfs -o ro lab shut
            explained writable sh -c 'echo "frobd: the store at $PWD/open is not writeable" >&2; exit 1'
            explained room sh -c 'echo "there is not enough space left" >&2; exit 1'
            explained lock sh -c 'echo "frob: another instance is running" >&2; exit 1'
            explained server sh -c 'echo "frob: 403: access denied to /v1/things" >&2; exit 1'
            explained heap sh -c 'echo "frob: not enough heap space" >&2; exit 1'"#,
        );
        scene.each(&["writable", "room", "lock", "server", "heap"]).assert_silent();
    });
}
