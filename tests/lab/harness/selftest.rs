//! The harness's own tests: a scenario leaves nothing behind, and a skip is never silent.

use super::{Need, need, scenario};

#[test]
fn a_scenario_is_pid_one_and_its_mounts_end_with_it() {
    scenario(&[Need::Root], |lab| {
        let scene = lab.play("mkdir t; mount -t tmpfs lab t; touch t/file; echo pid $$");
        assert!(scene.script.contains("pid 1\n"), "the script is not pid 1: {}", scene.script);
        assert!(!lab.path("t/file").exists(), "the tmpfs is still there");
    });
}

#[test]
fn a_loop_filesystem_is_detached_when_its_scenario_ends() {
    scenario(&[Need::Root, Need::Filesystem("ext4")], |lab| {
        let scene = lab.play("loop_mount ext4 16M \"$LAB/disk\" -N 16; findmnt -no SOURCE,FSTYPE \"$LAB/disk\"");
        assert!(scene.script.contains("ext4"), "{}", scene.script);
        let images = lab.path("images");
        let detached = || {
            let listed = std::process::Command::new("losetup").arg("--list").output().expect("losetup starts");
            !String::from_utf8_lossy(&listed.stdout).contains(images.to_str().expect("a plain path"))
        };
        assert!(eventually(detached), "the loop device is still attached");
    });
}

#[test]
fn a_daemon_of_a_script_ends_with_it() {
    scenario(&[Need::Root, Need::Program("python3")], |lab| {
        let scene = lab.play("mkdir site; echo hello >site/file; serve site; echo \"$URL\"");
        let address = scene.script.trim().trim_start_matches("http://").to_owned();
        assert!(std::net::TcpStream::connect(&address).is_err(), "{address} still answers");
    });
}

#[test]
fn a_script_that_fails_fails_its_scenario() {
    scenario(&[Need::Root], |lab| {
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| lab.play("false; true")));
        assert!(played.is_err(), "a command of the script failed and the scenario went on");
    });
}

#[test]
fn a_program_that_is_not_installed_is_a_need_that_root_could_meet() {
    let missing = need::missing(&[Need::Program("sh"), Need::Program("no-such-program")]).expect("it is not installed");
    assert_eq!((missing.reason.as_str(), missing.avoidable), ("no-such-program is not installed", true));
}

#[test]
fn a_filesystem_of_no_kernel_is_a_need_that_nobody_can_meet() {
    assert!(need::missing(&[Need::Program("sh")]).is_none());
    assert!(!need::kernel_has("nosuchfs"));
}

/// Whether a fact comes true within five seconds; the kernel takes a dead namespace apart in the background.
fn eventually(fact: impl Fn() -> bool) -> bool {
    for _ in 0..100 {
        if fact() {
            return true;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    false
}
