//! What a scenario needs: a private corner of the machine that vanishes with it, and the report as a value to assert on.
//!
//! ```ignore
//! #[test]
//! fn mkdir_on_a_tmpfs_without_inodes_is_explained() {
//!     scenario(&[Need::Root], |lab| {
//!         let scene = lab.play("mount -t tmpfs -o nr_inodes=2 lab \"$LAB/t\"; explained mkdir mkdir \"$LAB/t/d\"");
//!         scene.run("mkdir").assert_first("inodes-exhausted", lab.path("t"), Confidence::Verified);
//!     });
//! }
//! ```

mod each;
mod explained;
mod need;
mod selftest;

use each::Each;
pub use explained::Explained;
pub use need::Need;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Shell functions of every scenario: `explained`, `explained_as`, `bare`, `as`, `loop_mount`, `serve`.
const PRELUDE: &str = include_str!("prelude.sh");

/// Where the lab looks for programs: the user's own directories (shims, cargo) would make runs differ between machines.
const PROGRAM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A scenario that is not done by then has hung; `timeout(1)` ends its whole pid namespace.
const LONGEST_SECONDS: &str = "300";

/// Runs a scenario, or skips it by name where the machine lacks one of its needs.
///
/// With `EXPLAIN_TESTS_MUST_RUN` set, a need that root could meet on Debian fails the test instead.
/// Skips go to stderr and to the file that `EXPLAIN_TESTS_SKIPPED` names, where `tests/run` finds them.
#[track_caller]
pub fn scenario(needs: &[Need], body: impl FnOnce(&Lab)) {
    let caller = std::panic::Location::caller().to_string();
    let thread = std::thread::current();
    // The test runner names a test's thread for it, but not where it runs all of them in its main thread.
    let name = thread.name().filter(|name| *name != "main").unwrap_or(&caller);
    if need::met(name, needs) {
        body(&Lab::new());
    }
}

/// The same for programs that crash, one scenario after the other: of all crashes of the machine the kernel writes down ten in five seconds
/// (`printk_ratelimit`), and what it wrote is the proof.
#[track_caller]
pub fn crash_scenario(needs: &[Need], body: impl FnOnce(&Lab)) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let window = Duration::from_secs(5);
    std::thread::sleep(last.map_or(Duration::ZERO, |last| window.saturating_sub(last.elapsed())));
    // Also where the scenario fails, or the next one would fail for it.
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scenario(needs, body)));
    *last = Some(Instant::now());
    drop(last);
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

/// A scratch directory and the way into a namespace of its own.
pub struct Lab {
    scratch: TempDir,
}

impl Lab {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        // /var/tmp and not the temporary directory: scenarios mount over /tmp. Other users must be able to walk in.
        let scratch =
            tempfile::Builder::new().prefix("explain-lab-").tempdir_in("/var/tmp").expect("a scratch directory");
        for (directory, mode) in [("", 0o755), ("runs", 0o1777), ("home", 0o755), ("bin", 0o755), ("images", 0o755)] {
            let path = scratch.path().join(directory);
            std::fs::create_dir_all(&path).expect("a directory below the scratch directory");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("its mode");
        }
        Self { scratch }
    }

    /// A path below the scratch directory, which scripts call `$LAB`.
    pub fn path(&self, below: &str) -> PathBuf {
        self.scratch.path().join(below)
    }

    /// Runs a shell script (`set -eu`, the functions of `prelude.sh`) as root in new mount and pid namespaces, with `$LAB` as
    /// the working directory and an environment of `LC_ALL=C`, `PATH`, `HOME` and `LAB`. When it ends, so do its mounts, loop devices and processes; the scratch directory stays until the
    /// lab is dropped. Panics with what the script said where it fails.
    pub fn play(&self, script: &str) -> Scene {
        let output = self.enter().arg(format!("{PRELUDE}\n{script}")).output().expect("timeout(1) starts");
        assert!(output.status.success(), "the scenario's script failed ({}):\n{}", output.status, spoken(&output));
        Scene { runs: self.path("runs"), script: spoken(&output) }
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", LONGEST_SECONDS, "unshare", "--mount", "--propagation=private"])
            .args(["--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-euc"])
            .env_clear()
            .env("LC_ALL", "C")
            .env("PATH", PROGRAM_PATH)
            .env("HOME", self.path("home"))
            .env("LAB", self.scratch.path())
            .env("BUILT", env!("CARGO_BIN_EXE_explain"))
            .current_dir(self.scratch.path())
            .stdin(std::process::Stdio::null());
        command
    }
}

/// What a script left behind.
pub struct Scene {
    runs: PathBuf,
    /// All that the script wrote, stdout before stderr.
    pub script: String,
}

impl Scene {
    /// The run that the script called `explained NAME …`.
    pub fn run(&self, name: &str) -> Explained {
        Explained::read(&self.runs, name, &self.script)
    }

    /// Several runs, to assert the same of each.
    pub fn each(&self, names: &[&str]) -> Each {
        Each(names.iter().map(|name| self.run(name)).collect())
    }
}

fn spoken(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// Whether the lab's `PATH` has a program.
fn has_program(name: &str) -> bool {
    PROGRAM_PATH.split(':').any(|directory| Path::new(directory).join(name).exists())
}
