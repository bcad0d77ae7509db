//! What was found so far, by directory, within bounds of memory; and of it what is worth recording.

use super::{Branch, TreeUsage};
use nix::sys::stat::FileStat;
use std::collections::HashSet;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

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

/// A directory that waits to be walked.
pub struct Task {
    pub node: usize,
    pub depth: u16,
    /// From the root, `.` for the root itself.
    pub path: CString,
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

/// What all workers share: what is to be done, and what was found.
#[derive(Default)]
pub struct Shared {
    pub waiting: Vec<Task>,
    /// Workers that hold a task.
    pub busy: usize,
    /// Workers that wait for one.
    pub idle: usize,
    nodes: Vec<Node>,
    linked: HashSet<u64>,
    files: Vec<LargeFile>,
    pub entries: u64,
    pub unreadable: u64,
    pub cut: bool,
}

/// What one batch of entries adds.
#[derive(Default)]
pub struct Batch {
    inodes: u64,
    bytes: u64,
    linked: Vec<(u64, u64)>,
    pub directories: Vec<CString>,
    large: Vec<LargeFile>,
}

fn occupied(found: &FileStat) -> u64 {
    u64::try_from(found.st_blocks).unwrap_or(0).saturating_mul(512)
}

impl Batch {
    /// Counts what is no directory.
    pub fn count(&mut self, found: &FileStat, path: impl FnOnce() -> PathBuf) {
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
    /// Nothing is known but the root.
    pub fn of_root(found: &FileStat) -> Self {
        let waiting = vec![Task { node: 0, depth: 0, path: c".".into() }];
        Self { waiting, nodes: vec![Node::new(0, c"", found)], ..Self::default() }
    }

    /// Whether nothing waits and nobody works.
    pub fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.busy == 0
    }

    /// The node that a directory's contents belong to: a new one, or its parent's where there is no room.
    pub fn enter(&mut self, task: &Task, found: &FileStat) -> usize {
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

    /// Adds what a batch of a directory's entries holds.
    pub fn add(&mut self, node: usize, depth: u16, batch: Batch) {
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
    pub fn usage(&mut self, point: &Path) -> TreeUsage {
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
