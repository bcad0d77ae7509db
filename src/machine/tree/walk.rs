//! The walk itself: workers take directories that wait, and hand in what they hold.

use super::TreeUsage;
use super::totals::{Batch, Shared, Task};
use crate::machine::{Answer, crew};
use crate::sys::directory::{BATCH, Directory, Entry};
use crate::sys::errno::Errno;
use std::collections::HashSet;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a walk runs before a person is told about it.
const PATIENCE: Duration = Duration::from_secs(1);

pub struct Walk {
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

impl Walk {
    pub fn begin(point: &Path, covered: HashSet<PathBuf>, budget: Duration) -> Answer<Arc<Self>> {
        let path = CString::new(point.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
        let root = Directory::open(nix::fcntl::AT_FDCWD, &path)?;
        let found = root.stat()?;
        let walk = Self {
            root,
            point: point.to_owned(),
            device: found.st_dev,
            covered,
            deadline: Instant::now() + budget,
            shared: Mutex::new(Shared::of_root(&found)),
            ready: Condvar::new(),
            over: Condvar::new(),
        };
        Ok(Arc::new(walk))
    }

    /// Walks on threads that are left behind when a disk does not answer; on this one where no thread can be had.
    pub fn run(self: &Arc<Self>, progress: &dyn Fn(u64)) {
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

    pub fn usage(&self) -> TreeUsage {
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
