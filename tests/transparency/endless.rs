//! Output without end: whatever the bytes are, memory stays flat and nothing is lost.
//! docs/transparency.md has the command for 10 GB.

use crate::harness::wrapped;

/// Resident memory that explain may have at most, in KiB.
const MOST: u64 = 8 << 10;
/// The part of it that is no page of the program's file, in KiB.
const MOST_OF_ITS_OWN: u64 = 1 << 10;

/// Runs a generator with and without us, and asserts that all its bytes come through (by their sum) in flat memory.
#[track_caller]
fn assert_flat(generator: &str) {
    let seen = wrapped(&format!(
        "{generator} | cksum; \
         $W sh -c '({generator}) >&2; grep -E \"VmHWM|RssAnon\" /proc/$PPID/status >memory; exit 3' 2> >(cksum >sum); echo $?; \
         until [ -s sum ]; do sleep 0.01; done; cat sum; grep -o '[0-9]*' memory"
    ));
    let text = String::from_utf8_lossy(&seen.stdout).into_owned();
    let [bare, status, wrapped, peak, own] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert_eq!((status, wrapped), ("3", bare));
    let [peak, own] = [peak, own].map(|kibibytes| kibibytes.parse::<u64>().unwrap());
    assert!(own < MOST_OF_ITS_OWN, "{own} KiB resident that are no page of the program's file");
    // A program that was not optimised is itself larger than that.
    assert!(peak < MOST || cfg!(debug_assertions), "{peak} KiB resident");
}

#[test]
fn a_line_of_a_gigabyte() {
    assert_flat("head -c 1G /dev/zero | tr \"\\0\" x");
}

#[test]
fn binary_bytes_with_nul_and_what_is_no_utf_8() {
    assert_flat(
        "perl -e \"binmode STDOUT; my \\$all = join(q(), map { chr } 0..255); print \\$all x 4096 for 1..256\"",
    );
}

#[test]
fn many_short_lines_that_look_like_errors() {
    assert_flat("yes \"tar: /tmp/a: Cannot open: No space left on device\" | head -c 128M");
}
