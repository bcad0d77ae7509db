//! The path walk against the kernel: random trees of modes, owners, lists, flags, links and mounts; random operations by
//! random identities; the walk's verdict beside the errno of the real call, thousands of times.
//!
//! It needs root and works in a mount namespace of its own. The seed is the same in every run, so that a change is judged by the same
//! trees; another one, such as `EXPLAIN_WALK_SEED=$(date +%s)`, looks for what is not known yet.
#![expect(
    clippy::disallowed_methods,
    reason = "tests run commands and act on real files; the one door is the product's rule"
)]

mod skipped;

use explain::clue::Operation;
use explain::machine::{Kind, Machine, Surroundings, Unknown};
use explain::probe::walk::{Attempt, Walked, walk};
use skipped::skip;
use std::io::Error;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Identities that act in a tree, one after the other; a tree lasts as long.
const ROUNDS: u64 = 60;
/// Operations of one identity.
const ATTEMPTS: u64 = 100;

/// A sequence of numbers that its seed determines (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits") % bound
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

const NAMES: &[&str] = &["xa", "xb", "xc", "xd", "xe"];
const USERS: &[u32] = &[0, 2001, 2002];
const GROUPS: &[u32] = &[0, 3001, 3002];
const OPERATIONS: &[Operation] = &[
    Operation::Read,
    Operation::Write,
    Operation::Create,
    Operation::Mkdir,
    Operation::Symlink,
    Operation::Remove,
    Operation::Rename,
    Operation::Link,
    Operation::Attribute,
    Operation::Chdir,
    Operation::Stat,
    Operation::Execute,
    Operation::Connect,
];

/// Command lines that give a program an identity, to stand before it.
const IDENTITIES: &[&str] = &[
    "setpriv --reuid 2001 --regid 3001 --clear-groups",
    "setpriv --reuid 2001 --regid 3001 --groups 3002",
    "setpriv --reuid 2002 --regid 3002 --clear-groups",
    "setpriv --reuid 2002 --regid 65534 --groups 3001,3002",
    "setpriv --reuid 0 --regid 0 --clear-groups",
    "setpriv --bounding-set -dac_override,-dac_read_search,-fowner",
    "setpriv --reuid 2001 --regid 3001 --clear-groups --inh-caps +fowner --ambient-caps +fowner",
    "setpriv --reuid 2001 --regid 3001 --clear-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search",
    "setpriv --reuid 2001 --regid 3001 --clear-groups unshare --user --map-root-user",
];

/// The test itself, then the same program in its mount namespace (`build`), then as the identity that acts (`act`).
#[test]
fn the_walk_says_what_the_kernel_says() {
    match std::env::var("EXPLAIN_WALK_PART").as_deref() {
        Ok("act") => act(),
        Ok("build") => build(),
        _ => begin(),
    }
}

/// Too rare for chance.
#[test]
fn a_link_to_itself_behind_a_slash_is_not_looked_at_by_an_open_that_would_make_it() {
    let place = tempfile::tempdir().expect("a directory");
    let path = place.path().join("xe");
    symlink("xe/", &path).expect("a link");
    let machine = Machine::live(Surroundings::of_this_process(None), Instant::now() + Duration::from_secs(60));
    for (operation, errno) in [(Operation::Create, libc::EISDIR), (Operation::Read, libc::ELOOP)] {
        let attempt = Attempt { operation, path: &path, other: None };
        let walked = walk(&machine, attempt).expect("a walk").obstacle.map(|obstacle| obstacle.errno() as i32);
        assert_eq!((walked, act_on(attempt).unwrap_err().raw_os_error()), (Some(errno), Some(errno)));
    }
}

fn begin() {
    let tried = Command::new("unshare").args(["--mount", "setpriv", "--dump"]).output();
    if !tried.is_ok_and(|output| output.status.success()) {
        return skip("the_walk_says_what_the_kernel_says", "needs root", true);
    }
    let seed = std::env::var("EXPLAIN_WALK_SEED").unwrap_or_else(|_| "1".to_owned());
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]).arg(std::env::current_exe().expect("its own path"));
    let output = same_test(&mut command, "build").env("EXPLAIN_WALK_SEED", &seed).output().expect("unshare starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "EXPLAIN_WALK_SEED={seed}\n{said}{}", String::from_utf8_lossy(&output.stderr));
}

fn same_test<'a>(command: &'a mut Command, part: &str) -> &'a mut Command {
    command.args(["--exact", "the_walk_says_what_the_kernel_says", "--nocapture"]).env("EXPLAIN_WALK_PART", part)
}

fn seed() -> u64 {
    let seed = std::env::var("EXPLAIN_WALK_SEED").expect("the seed");
    seed.parse::<u64>().expect("a number") | 1
}

/// Builds tree after tree on a tmpfs of its own, and lets an identity act in each.
fn build() {
    let mut dice = Dice(seed());
    run("mount -t tmpfs walk /mnt");
    std::fs::copy(std::env::current_exe().expect("its own path"), "/mnt/program").expect("a copy that all may run");
    let mut differences = Vec::new();
    for round in 0..ROUNDS {
        // Deep enough for paths and links that go upwards.
        let base = PathBuf::from(format!("/mnt/{round}/r/r/r/r/r/r/r/r"));
        std::fs::create_dir_all(&base).expect("a directory");
        let tree = Tree::grow(&mut dice, &base);
        let identity = dice.of(IDENTITIES);
        let mut words = identity.split(' ');
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).arg("/mnt/program").current_dir(dice.of(&tree.directories()));
        command.env("EXPLAIN_WALK_SEED", (seed() + round * 2).to_string()).env("EXPLAIN_WALK_BASE", &base);
        let output = same_test(&mut command, "act").output().expect("setpriv starts");
        if !output.status.success() {
            differences.push(format!("--- {identity}\n{}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn run(line: &str) -> bool {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words).output().is_ok_and(|output| output.status.success())
}

/// What is in a tree, for choosing from.
struct Tree(Vec<PathBuf>);

impl Tree {
    fn grow(dice: &mut Dice, base: &Path) -> Self {
        std::fs::set_permissions(base, PermissionsExt::from_mode(0o1777)).expect("a mode");
        let mut tree = Self(vec![base.to_owned()]);
        for _ in 0..24 {
            let place = tree.place(dice);
            if place.symlink_metadata().is_err() {
                make(dice, &place);
                tree.0.push(place);
            }
        }
        for path in tree.0[1..].iter().rev() {
            dress(dice, path);
        }
        tree
    }

    fn directories(&self) -> Vec<&Path> {
        let is_directory = |path: &&Path| path.symlink_metadata().is_ok_and(|found| found.is_dir());
        self.0.iter().map(PathBuf::as_path).filter(is_directory).collect()
    }

    fn place(&self, dice: &mut Dice) -> PathBuf {
        dice.of(&self.directories()).join(dice.of(NAMES))
    }
}

fn make(dice: &mut Dice, place: &Path) {
    match dice.below(10) {
        0..=3 => std::fs::create_dir(place).expect("a directory"),
        4..=6 => std::fs::write(place, "").expect("a file"),
        7 => drop(std::os::unix::net::UnixListener::bind_addr(&socket(place))),
        _ => symlink(target(dice), place).expect("a link"),
    }
}

fn socket(place: &Path) -> std::os::unix::net::SocketAddr {
    std::os::unix::net::SocketAddr::from_pathname(place).expect("a short path")
}

fn target(dice: &mut Dice) -> PathBuf {
    let name = dice.of(NAMES);
    match dice.below(6) {
        0 => Path::new("..").join(name),
        1 => Path::new(name).join(dice.of(NAMES)),
        2 => PathBuf::from(format!("{name}/")),
        3 => PathBuf::from("."),
        _ => PathBuf::from(name),
    }
}

/// Owner, mode, and sometimes a list, a flag or a mount.
fn dress(dice: &mut Dice, path: &Path) {
    let found = path.symlink_metadata().expect("it was made");
    if found.is_symlink() {
        std::os::unix::fs::lchown(path, Some(dice.of(USERS)), None).expect("an owner");
        return;
    }
    let shown = path.display();
    chown(path, Some(dice.of(USERS)), Some(dice.of(GROUPS))).expect("an owner");
    let class = |dice: &mut Dice| u32::try_from(dice.of(&[0, 1, 3, 4, 5, 5, 6, 7, 7])).expect("three bits");
    let high = dice.of(&[0, 0, 0, 0o1000, 0o1000, 0o2000, 0o4000]);
    let mode = high | class(dice) << 6 | class(dice) << 3 | class(dice);
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("a mode");
    if dice.one_in(4) {
        let entry =
            dice.of(&["u:2001:rwx", "u:2002:r-x", "g:3001:rw-", "g:3002:--x,g:3001:r--", "u:2001:-,g:3001:rwx"]);
        run(&format!("setfacl -m {entry} {shown}"));
        if dice.one_in(2) {
            run(&format!("setfacl -m m::{} {shown}", dice.of(&["r-x", "---", "rw-"])));
        }
    }
    if dice.one_in(12) {
        run(&format!("chattr {} {shown}", dice.of(&["+i", "+a"])));
    }
    if dice.one_in(10) && run(&format!("mount --bind {shown} {shown}")) {
        run(&format!("mount -o remount,bind,{} {shown}", dice.of(&["ro", "noexec", "nodev,nosuid", "nosymfollow"])));
    }
}

/// Tries operations as the identity that it was given, and compares.
fn act() {
    let mut dice = Dice(seed());
    let base = PathBuf::from(std::env::var_os("EXPLAIN_WALK_BASE").expect("the tree"));
    let differences: Vec<String> = (0..ATTEMPTS).filter_map(|_| attempt(&mut dice, &base)).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn attempt(dice: &mut Dice, base: &Path) -> Option<String> {
    let operation = dice.of(OPERATIONS);
    let (path, other) = (path(dice, base), path(dice, base));
    let takes_two = matches!(operation, Operation::Rename | Operation::Link);
    let attempt = Attempt { operation, path: &path, other: takes_two.then_some(&other) };
    let machine = Machine::live(Surroundings::of_this_process(None), Instant::now() + Duration::from_secs(60));
    let walked = walk(&machine, attempt);
    let real = act_on(attempt).err().and_then(|error| error.raw_os_error());
    match walked {
        Ok(walked) if agrees(&walked, attempt, real) => None,
        // What has no id in the user namespace cannot be told apart, and is not judged.
        Err(Unknown::Unsupported(_)) => None,
        // A name that cannot be reached any more, although the process is in the directory.
        Err(_) if machine.stat(&machine.surroundings().cwd).is_err() => None,
        walked => Some(format!(
            "{operation:?} {} {}: the kernel says {}, the walk {walked:?}; in {}",
            path.display(),
            other.display(),
            real.map_or("yes".to_owned(), |real| Error::from_raw_os_error(real).to_string()),
            std::env::current_dir().unwrap_or_default().display()
        )),
    }
}

fn agrees(walked: &Walked, attempt: Attempt, real: Option<i32>) -> bool {
    let predicted = walked.obstacle.as_ref().map(|obstacle| obstacle.errno() as i32);
    let kind = walked.stat.as_ref().map(|stat| stat.kind);
    let is_odd = predicted.is_none()
        && match real {
            // What is not about the path: nobody listens, a socket is opened as a file.
            Some(libc::ECONNREFUSED | libc::ENXIO) => kind == Some(Kind::Socket),
            Some(libc::ENOEXEC) => attempt.operation == Operation::Execute,
            // A directory that may be removed and not be listed.
            Some(libc::ENOTEMPTY) if attempt.operation == Operation::Remove => std::fs::read_dir(&walked.at).is_err(),
            _ => false,
        };
    // A directory that moves into itself is refused before or after everything else.
    let moves_into_itself =
        attempt.operation == Operation::Rename && matches!(real, Some(libc::EINVAL | libc::ENOTEMPTY));
    predicted == real || is_odd || moves_into_itself
}

fn path(dice: &mut Dice, base: &Path) -> PathBuf {
    let mut path = if dice.one_in(2) { base.to_owned() } else { PathBuf::new() };
    for _ in 0..=dice.below(4) {
        match dice.below(24) {
            0 | 1 => path.push(".."),
            2 => path.push("."),
            3 => path.push("x".repeat(256)),
            _ => path.push(dice.of(NAMES)),
        }
    }
    // A last name that is no name has errors of its own in every call.
    path.push(dice.of(NAMES));
    path
}

fn act_on(attempt: Attempt) -> Result<(), Error> {
    let Attempt { operation, path, other } = attempt;
    let mut open = std::fs::OpenOptions::new();
    open.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    match operation {
        Operation::Read => open.read(true).open(path).map(drop),
        Operation::Write => open.write(true).open(path).map(drop),
        Operation::Create => open.write(true).create(true).truncate(true).open(path).map(drop),
        Operation::Mkdir => std::fs::DirBuilder::new().mode(0o755).create(path),
        Operation::Symlink => symlink("xa", path),
        Operation::Remove => remove(path),
        Operation::Rename => std::fs::rename(path, other.expect("two paths")),
        Operation::Link => std::fs::hard_link(path, other.expect("two paths")),
        Operation::Attribute => std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)),
        Operation::Chdir => visit(path),
        Operation::Execute => execute(path),
        Operation::Connect if path.as_os_str().len() < 108 => std::os::unix::net::UnixStream::connect(path).map(drop),
        _ => std::fs::metadata(path).map(drop),
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        std::fs::remove_dir(path)
    } else {
        std::fs::remove_file(path)
    }
}

/// A child goes there: the way back may be closed.
fn visit(path: &Path) -> Result<(), Error> {
    Command::new("/bin/true").current_dir(path).output().map(drop)
}

/// Files of the tree are empty, which the C library hands to the shell.
fn execute(path: &Path) -> Result<(), Error> {
    let path = if path.is_absolute() { path.to_owned() } else { Path::new(".").join(path) };
    Command::new(path).output().map(drop)
}
