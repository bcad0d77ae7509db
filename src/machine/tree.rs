//! Who fills a filesystem: one walk of its tree, on all cores, within a budget of time and memory.
//!
//! The walk stays on one filesystem and on one mount, follows no link and opens nothing but directories. Directories near
//! the root, and as many as memory allows, keep a total of their own; deeper ones are added to the nearest that does.

use super::{Answer, Machine, crew};
use crate::sys::directory::{BATCH, Directory, Entry};
use crate::sys::errno::Errno;
use nix::sys::stat::FileStat;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time that one walk may take.
pub const BUDGET: Duration = Duration::from_secs(2);

/// How long a walk runs before a person is told about it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Directories that may wait to be walked; what is beyond is counted, not entered.
const WAITING: usize = 1 << 18;

/// Directories with a total of their own, near the root and at any depth.
const NEAR: (u16, usize) = (3, 200_000);
const DEEP: (u16, usize) = (24, 100_000);

/// Hard-linked files that are remembered, so that each is counted once.
const LINKED: usize = 1 << 20;

/// Largest files that are named one by one.
const FILES: usize = 16;

/// Files below this size, in bytes, are never named one by one.
const LARGE: u64 = 1 << 20;

/// Branches below this share of the whole, in hundredths, are not recorded, but for the largest next to the root.
const SHARE: u64 = 1;
const BESIDE_ROOT: usize = 8;

/// What a tree holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeUsage {
    /// Files and directories seen, the root included, each hard-linked file once.
    pub inodes: u64,
    /// Bytes that they occupy (`st_blocks` × 512).
    pub bytes: u64,
    /// The root first, then the branches that hold much of it, in the order of their paths.
    pub branches: Vec<Branch>,
    /// Directories that could not be read.
    pub unreadable: u64,
    /// Whether time or memory ended the walk before the tree did: every number is then a lower bound.
    pub cut: bool,
}

/// A directory with all that is below it, or a large file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Absolute path.
    #[serde(with = "crate::text::path")]
    pub path: PathBuf,
    /// Files and directories in it, itself included.
    pub inodes: u64,
    /// Bytes that they occupy.
    pub bytes: u64,
    /// Owner.
    pub uid: u32,
    /// Last change of the directory or file itself, seconds since the epoch.
    pub modified: i64,
    /// Whether it is a directory.
    pub directory: bool,
}

impl Machine {
    /// What the filesystem holds that is mounted at `point`, by directory. Takes up to `BUDGET`, whatever time the other
    /// probes have left.
    ///
    /// # Errors
    /// Those of `open(2)` for the point itself.
    pub fn tree_usage(&self, point: &Path) -> Answer<TreeUsage> {
        let inner = self.mounts().0.iter().map(|mount| mount.point.clone());
        let covered = inner.filter(|inner| inner != point && inner.starts_with(point)).collect();
        self.ask_slowly(&format!("tree {}", point.display()), || {
            let walk = Walk::begin(point, covered, BUDGET)?;
            walk.run(&|entries| self.progress(point, entries));
            Ok(walk.usage())
        })
    }
}

/// A directory that waits to be walked.
struct Task {
    node: usize,
    depth: u16,
    /// From the root, `.` for the root itself.
    path: CString,
}

/// A directory with a total of its own.
struct Node {
    parent: usize,
    name: Box<[u8]>,
    inodes: u64,
    bytes: u64,
    uid: u32,
    modified: i64,
}

struct LargeFile {
    path: PathBuf,
    bytes: u64,
    uid: u32,
    modified: i64,
}

#[derive(Default)]
struct Shared {
    waiting: Vec<Task>,
    /// Workers that hold a task.
    busy: usize,
    /// Workers that wait for one.
    idle: usize,
    nodes: Vec<Node>,
    linked: HashSet<u64>,
    files: Vec<LargeFile>,
    entries: u64,
    unreadable: u64,
    cut: bool,
}

struct Walk {
    root: Directory,
    point: PathBuf,
    device: libc::dev_t,
    /// Mount points below the root: other filesystems, or this one a second time.
    covered: HashSet<PathBuf>,
    deadline: Instant,
    shared: Mutex<Shared>,
    /// There is a directory to take, or none will come.
    ready: Condvar,
    over: Condvar,
}

/// What one batch of entries adds.
#[derive(Default)]
struct Batch {
    inodes: u64,
    bytes: u64,
    linked: Vec<(u64, u64)>,
    directories: Vec<CString>,
    large: Vec<LargeFile>,
}

impl Walk {
    fn begin(point: &Path, covered: HashSet<PathBuf>, budget: Duration) -> Answer<Arc<Self>> {
        let path = CString::new(point.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
        let root = Directory::open(nix::fcntl::AT_FDCWD, &path)?;
        let found = root.stat()?;
        let shared = Shared { waiting: vec![Task { node: 0, depth: 0, path: c".".into() }], ..Shared::default() };
        let walk = Self {
            root,
            point: point.to_owned(),
            device: found.st_dev,
            covered,
            deadline: Instant::now() + budget,
            shared: Mutex::new(shared),
            ready: Condvar::new(),
            over: Condvar::new(),
        };
        walk.lock().nodes.push(Node::new(0, c"", &found));
        Ok(Arc::new(walk))
    }

    /// Walks on threads that are left behind when a disk does not answer; on this one where no thread can be had.
    fn run(self: &Arc<Self>, progress: &dyn Fn(u64)) {
        let walk = Arc::clone(self);
        crew::start(move || walk.work());
        self.wait(progress);
    }

    fn wait(&self, progress: &dyn Fn(u64)) {
        let begun = Instant::now();
        let mut shared = self.lock();
        while !shared.is_over() && Instant::now() < self.deadline {
            let waited = self.over.wait_timeout(shared, Duration::from_millis(100));
            shared = waited.unwrap_or_else(PoisonError::into_inner).0;
            if begun.elapsed() > PATIENCE {
                let entries = shared.entries;
                drop(shared);
                progress(entries);
                shared = self.lock();
            }
        }
        shared.cut |= !shared.is_over();
    }

    fn work(&self) {
        let mut buffer = vec![0; BATCH];
        while let Some(task) = self.take() {
            let walked = self.walk(&task, &mut buffer);
            let mut shared = self.lock();
            // What was removed meanwhile holds nothing.
            shared.unreadable += u64::from(walked.is_err_and(|errno| errno != Errno::ENOENT));
            shared.busy -= 1;
            if shared.is_over() {
                self.over.notify_all();
                self.ready.notify_all();
            }
        }
    }

    /// The next directory; none when all are done or time is up.
    fn take(&self) -> Option<Task> {
        let mut shared = self.lock();
        loop {
            if self.is_late() || shared.is_over() {
                return None;
            }
            if let Some(task) = shared.waiting.pop() {
                shared.busy += 1;
                return Some(task);
            }
            shared.idle += 1;
            let waited = self.ready.wait_timeout(shared, Duration::from_millis(50));
            shared = waited.unwrap_or_else(PoisonError::into_inner).0;
            shared.idle -= 1;
        }
    }

    fn walk(&self, task: &Task, buffer: &mut [u8]) -> Result<(), Errno> {
        if self.covered.contains(&self.absolute(&task.path)) {
            return Ok(());
        }
        let found = self.root.stat_of(&task.path)?;
        if found.st_dev != self.device {
            return Ok(());
        }
        let node = self.lock().enter(task, &found);
        let directory = Directory::open(&self.root, &task.path)?;
        while let Some(entries) = directory.next(buffer)? {
            let batch = self.batch(task, &directory, entries);
            let mut shared = self.lock();
            shared.add(node, task.depth, batch);
            if shared.idle > 0 && !shared.waiting.is_empty() {
                self.ready.notify_all();
            }
            drop(shared);
            if self.is_late() {
                break;
            }
        }
        Ok(())
    }

    fn batch<'a>(&self, task: &Task, directory: &Directory, entries: impl Iterator<Item = Entry<'a>>) -> Batch {
        let mut batch = Batch::default();
        for (index, entry) in entries.enumerate() {
            if index % 64 == 63 && self.is_late() {
                break;
            }
            if entry.kind == libc::DT_DIR {
                batch.directories.push(below(&task.path, entry.name));
                continue;
            }
            // It may have been removed since.
            let Ok(found) = directory.stat_of(entry.name) else { continue };
            if found.st_mode & libc::S_IFMT == libc::S_IFDIR {
                batch.directories.push(below(&task.path, entry.name));
            } else if found.st_dev == self.device || !self.is_covered(task, entry.name) {
                batch.count(&found, || self.absolute(&below(&task.path, entry.name)));
            }
        }
        batch
    }

    /// Whether a file of another device is a mount of its own; overlayfs gives files the device of a layer.
    fn is_covered(&self, task: &Task, name: &CStr) -> bool {
        self.covered.contains(&self.absolute(&below(&task.path, name)))
    }

    fn absolute(&self, path: &CStr) -> PathBuf {
        match path.to_bytes() {
            b"." => self.point.clone(),
            path => self.point.join(OsStr::from_bytes(path)),
        }
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn usage(&self) -> TreeUsage {
        self.lock().usage(&self.point)
    }
}

/// The path of an entry, from the root of the walk.
fn below(directory: &CStr, name: &CStr) -> CString {
    let mut path = match directory.to_bytes() {
        b"." => Vec::new(),
        directory => [directory, b"/"].concat(),
    };
    path.extend_from_slice(name.to_bytes_with_nul());
    CString::from_vec_with_nul(path).unwrap_or_default()
}

fn occupied(found: &FileStat) -> u64 {
    u64::try_from(found.st_blocks).unwrap_or(0).saturating_mul(512)
}

impl Batch {
    fn count(&mut self, found: &FileStat, path: impl FnOnce() -> PathBuf) {
        let bytes = occupied(found);
        if found.st_nlink > 1 {
            self.linked.push((found.st_ino, bytes));
            return;
        }
        self.inodes += 1;
        self.bytes += bytes;
        if bytes >= LARGE {
            self.large.push(LargeFile { path: path(), bytes, uid: found.st_uid, modified: found.st_mtime });
        }
    }
}

impl Node {
    fn new(parent: usize, name: &CStr, found: &FileStat) -> Self {
        let (uid, modified) = (found.st_uid, found.st_mtime);
        Self { parent, name: name.to_bytes().into(), inodes: 1, bytes: occupied(found), uid, modified }
    }
}

impl Shared {
    fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.busy == 0
    }

    /// The node that a directory's contents belong to: a new one, or its parent's where there is no room.
    fn enter(&mut self, task: &Task, found: &FileStat) -> usize {
        self.entries += 1;
        if task.depth == 0 {
            return 0;
        }
        let has_room = |(depth, nodes): (u16, usize)| task.depth <= depth && self.nodes.len() < nodes;
        if !has_room(NEAR) && !has_room(DEEP) {
            self.nodes[task.node].inodes += 1;
            self.nodes[task.node].bytes += occupied(found);
            return task.node;
        }
        let name = task.path.to_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let name = CString::new(name).unwrap_or_default();
        self.nodes.push(Node::new(task.node, &name, found));
        self.nodes.len() - 1
    }

    fn add(&mut self, node: usize, depth: u16, batch: Batch) {
        let fresh =
            batch.linked.into_iter().filter(|(inode, _)| self.linked.len() >= LINKED || self.linked.insert(*inode));
        let (links, linked_bytes) = fresh.fold((0, 0), |(count, sum), (_, bytes)| (count + 1, sum + bytes));
        let node_total = &mut self.nodes[node];
        node_total.inodes += batch.inodes + links;
        node_total.bytes += batch.bytes + linked_bytes;
        self.entries += batch.inodes + links;
        for path in batch.directories {
            if self.waiting.len() < WAITING {
                self.waiting.push(Task { node, depth: depth.saturating_add(1), path });
            } else {
                self.nodes[node].inodes += 1;
                self.cut = true;
            }
        }
        self.keep_largest(batch.large);
    }

    fn keep_largest(&mut self, large: Vec<LargeFile>) {
        if large.is_empty() {
            return;
        }
        self.files.extend(large);
        self.files.sort_by_key(|file| std::cmp::Reverse(file.bytes));
        self.files.truncate(FILES);
    }

    /// Totals of all branches, and of them what is worth recording.
    fn usage(&mut self, point: &Path) -> TreeUsage {
        for task in self.waiting.drain(..) {
            self.nodes[task.node].inodes += 1;
        }
        // Parents stand before their children.
        for index in (1..self.nodes.len()).rev() {
            let (inodes, bytes) = (self.nodes[index].inodes, self.nodes[index].bytes);
            let parent = self.nodes[index].parent;
            self.nodes[parent].inodes += inodes;
            self.nodes[parent].bytes += bytes;
        }
        let mut branches: Vec<Branch> = self.notable().into_iter().map(|index| self.branch(point, index)).collect();
        branches.extend(self.files.drain(..).map(LargeFile::branch));
        branches.sort_by(|a, b| a.path.cmp(&b.path));
        let (inodes, bytes) = (self.nodes[0].inodes, self.nodes[0].bytes);
        TreeUsage { inodes, bytes, branches, unreadable: self.unreadable, cut: self.cut }
    }

    /// Nodes that hold a share of the whole, with the largest next to the root whatever they hold.
    fn notable(&self) -> Vec<usize> {
        let of_all = |part: u64, all: u64| part.saturating_mul(100) >= all.saturating_mul(SHARE);
        let (all_inodes, all_bytes) = (self.nodes[0].inodes, self.nodes[0].bytes);
        let holds_much = |node: &Node| of_all(node.inodes, all_inodes) || of_all(node.bytes, all_bytes);
        let mut chosen: Vec<usize> = (0..self.nodes.len()).filter(|index| holds_much(&self.nodes[*index])).collect();
        let mut beside: Vec<usize> = (1..self.nodes.len()).filter(|index| self.nodes[*index].parent == 0).collect();
        beside.sort_by_key(|index| std::cmp::Reverse(self.nodes[*index].inodes));
        chosen.extend(beside.iter().take(BESIDE_ROOT));
        beside.sort_by_key(|index| std::cmp::Reverse(self.nodes[*index].bytes));
        chosen.extend(beside.iter().take(BESIDE_ROOT));
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    fn branch(&self, point: &Path, index: usize) -> Branch {
        let node = &self.nodes[index];
        let Node { inodes, bytes, uid, modified, .. } = *node;
        Branch { path: self.path(point, index), inodes, bytes, uid, modified, directory: true }
    }

    fn path(&self, point: &Path, index: usize) -> PathBuf {
        let parents = std::iter::successors(Some(index), |index| (*index != 0).then(|| self.nodes[*index].parent));
        let mut names: Vec<&[u8]> = parents.filter(|index| *index != 0).map(|index| &*self.nodes[index].name).collect();
        names.reverse();
        names.iter().fold(point.to_owned(), |path, name| path.join(OsStr::from_bytes(name)))
    }
}

impl LargeFile {
    fn branch(self) -> Branch {
        let Self { path, bytes, uid, modified } = self;
        Branch { path, inodes: 1, bytes, uid, modified, directory: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Surroundings;
    use std::fs::{File, create_dir_all, hard_link};
    use std::os::unix::fs::{MetadataExt, symlink};

    fn usage(point: &Path) -> TreeUsage {
        Machine::live(Surroundings::default(), Instant::now()).tree_usage(point).unwrap()
    }

    fn held(usage: &TreeUsage, path: &Path) -> Option<u64> {
        usage.branches.iter().find(|branch| branch.path == path).map(|branch| branch.inodes)
    }

    #[test]
    fn every_directory_is_counted_with_what_is_below_it() {
        let root = tempfile::tempdir().unwrap();
        create_dir_all(root.path().join("a/b/c")).unwrap();
        for index in 0..300 {
            File::create(root.path().join(format!("a/b/{index}"))).unwrap();
        }
        let usage = usage(root.path());
        assert_eq!((304, false, 0), (usage.inodes, usage.cut, usage.unreadable));
        let paths = ["", "a", "a/b"].map(|path| held(&usage, &root.path().join(path)));
        assert_eq!(paths, [Some(304), Some(303), Some(302)]);
    }

    #[test]
    fn a_file_with_many_names_counts_once() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("one"), [7; 8192]).unwrap();
        hard_link(root.path().join("one"), root.path().join("two")).unwrap();
        let occupied = |path: &Path| path.symlink_metadata().unwrap().blocks() * 512;
        assert_eq!((2, occupied(root.path()) + occupied(&root.path().join("one"))), {
            let usage = usage(root.path());
            (usage.inodes, usage.bytes)
        });
    }

    #[test]
    fn links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        symlink("/usr", root.path().join("link")).unwrap();
        assert_eq!(usage(root.path()).inodes, 2);
    }

    #[test]
    fn a_large_file_is_named() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("core"), vec![7; 3 << 20]).unwrap();
        let usage = usage(root.path());
        let file = usage.branches.iter().find(|branch| !branch.directory).unwrap();
        assert_eq!((root.path().join("core"), true), (file.path.clone(), file.bytes >= 3 << 20));
    }

    #[test]
    fn a_point_that_is_no_directory_is_unknown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let machine = Machine::live(Surroundings::default(), Instant::now());
        assert_eq!(machine.tree_usage(file.path()), Err(Errno::ENOTDIR.into()));
    }

    #[test]
    fn a_walk_without_time_says_that_it_was_cut() {
        let root = tempfile::tempdir().unwrap();
        create_dir_all(root.path().join("a/b")).unwrap();
        let walk = Walk::begin(root.path(), HashSet::new(), Duration::ZERO).unwrap();
        walk.run(&|_| {});
        assert!(walk.usage().cut);
    }
}
