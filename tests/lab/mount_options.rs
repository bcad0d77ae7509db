//! Mounts that execute nothing and open no devices, and what tools say of it.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

#[test]
fn what_lies_on_a_noexec_mount_is_not_executed_whoever_says_so() {
    scenario(&[Need::Root, Need::Program("python3"), Need::Program("bash")], |lab| {
        let scene = lab.play(
            r#"mkdir d; mount -t tmpfs -o noexec,nosuid tmpfs d; printf '#!/bin/sh\necho ran\n' >d/s; cp /bin/true d/p; chmod +x d/s d/p
            printf '#!%s/d/p\n' "$LAB" >s; chmod +x s
            explained itself d/s
            explained dash sh -c d/s
            explained bash bash -c ./s
            explained python python3 -c 'import subprocess, sys; subprocess.run([sys.argv[1]])' "$LAB/d/p"
            type_fix itself ^/bin/sh
            type_fix itself remount,exec
            explained after d/s
            explained nosuid findmnt -no OPTIONS d"#,
        );
        for run in ["itself", "dash", "bash", "python"] {
            scene.run(run).assert_first("noexec-mount", lab.path("d"), Confidence::Verified);
        }
        assert_eq!(scene.run("after").status, 0, "{}", scene.script);
        let options = String::from_utf8_lossy(&scene.run("nosuid").stdout).into_owned();
        assert!(options.contains("nosuid"), "the remount took other options too: {options}");
    });
}

#[test]
fn a_library_on_a_noexec_mount_is_not_mapped() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play(
            r#"mkdir d; mount -t tmpfs -o noexec tmpfs d
            libc=$(python3 -c 'import re; print(re.search(r"/\S*libc\.so\.6", open("/proc/self/maps").read())[0])')
            cp "$libc" d/libc.so.6
            explained python python3 -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$LAB/d/libc.so.6"
            explained loader env LD_LIBRARY_PATH="$LAB/d" cat /dev/null"#,
        );
        scene.run("python").assert_first("noexec-mount", lab.path("d"), Confidence::Verified);
        // The variable is the child's own, which nobody but `env` saw.
        scene.run("loader").assert_does_not_name("security-module");
    });
}

#[test]
fn other_failures_on_a_noexec_mount_are_silence() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r"mkdir d; mount -t tmpfs -o noexec tmpfs d; echo text >d/file; chmod 700 d; echo 'exit 3' >d/s
            explained read cat d/none
            explained script sh d/s
            explained_as 1000 refused cat d/file",
        );
        for run in ["read", "script", "refused"] {
            scene.run(run).assert_does_not_name("noexec-mount");
        }
    });
}

#[test]
fn a_device_on_a_nodev_mount_is_not_opened() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play(
            r#"mkdir d; mount -t tmpfs -o nodev tmpfs d; mknod d/null c 1 3; mknod d/none c 4095 255
            explained read cat d/null
            explained write sh -c "echo x >d/null"
            type_fix read remount,dev
            explained after cat d/null
            explained other cat d/none"#,
        );
        for run in ["read", "write"] {
            scene.run(run).assert_first("nodev-mount", lab.path("d"), Confidence::Verified);
        }
        assert_eq!(scene.run("after").status, 0, "{}", scene.script);
        scene.run("other").assert_does_not_name("nodev-mount");
    });
}

#[test]
fn a_nodev_mount_is_found_behind_a_message_without_a_reason_or_without_a_path() {
    scenario(&[Need::Root, Need::Program("perl")], |lab| {
        let scene = lab.play(
            r#"mkdir d open; mount -t tmpfs -o nodev tmpfs d; mount -t tmpfs -o dev tmpfs open; mknod d/null c 1 3; mknod open/null c 1 3
            explained reason perl -e 'open F, "<", "d/null" or die "cannot open d/null\n"'
            explained path perl -e 'open F, "<", shift or die "cannot open: $!\n"' d/null
            explained twin perl -e 'open F, "<", "open/null" or die; die "cannot open open/null\n"'
            explained twin.path perl -e '$! = 13; die "cannot open: $!\n"' open/null"#,
        );
        for run in ["reason", "path"] {
            scene.run(run).assert_only("nodev-mount", lab.path("d"), Confidence::Likely);
        }
        scene.run("twin").assert_silent();
        scene.run("twin.path").assert_silent();
    });
}
