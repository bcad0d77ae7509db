//! Who holds what a filesystem ran out of, and what of it can go: the largest directories, whether anybody uses them, and
//! files that were deleted and are still open.

use super::room::Room;
use crate::cause::{Case, Evidence, Fix};
use crate::machine::{Deleted, DeletedFile};
use crate::probe::holders::{self, InUse};
use crate::probe::usage::{By, Eater, eaters};
use crate::text::{grouped, size};
use std::path::{Path, PathBuf};

/// Deleted files are told of when they hold this share of the filesystem, in hundredths.
const WORTH_TELLING: u64 = 5;

/// What fills a filesystem.
pub struct Hoard {
    by: By,
    /// Whether every number is a lower bound.
    is_cut: bool,
    heaps: Vec<Heap>,
    deleted: Option<Deleted>,
}

/// A directory or file that holds much of it.
struct Heap {
    eater: Eater,
    use_of_it: Option<InUse>,
}

impl Hoard {
    /// Looks for it; none where the tree cannot be read.
    #[must_use]
    pub fn of(case: &Case, room: &Room, by: By) -> Option<Self> {
        let found = eaters(case.machine, room.point(), by).ok()?;
        let heap = |eater: Eater| {
            let use_of_it = if eater.scratch { holders::in_use(case.machine, &eater.path).ok() } else { None };
            Heap { eater, use_of_it }
        };
        let heaps = found.list.into_iter().filter(|eater| eater.path != room.point()).map(heap).collect();
        let deleted = case.machine.deleted_files(room.point()).ok().filter(|deleted| is_much(deleted, room, by));
        Some(Self { by, is_cut: found.cut, heaps, deleted })
    }

    /// The facts.
    pub fn evidence(&self, case: &Case) -> impl Iterator<Item = Evidence> {
        let heaps: Vec<_> = self.heaps.iter().map(|heap| self.held(case, heap)).collect();
        heaps.into_iter().chain(self.deleted.iter().map(still_open).collect::<Vec<_>>())
    }

    /// What can go, the safest first: what a program can make again, what nobody uses, what ends with its process.
    pub fn fixes(&self, case: &Case) -> impl Iterator<Item = Fix> {
        let cleaned = self.heaps.iter().filter_map(|heap| self.cleaner(case, heap));
        let removed = self.heaps.iter().filter(|heap| heap.may_go(case)).map(|heap| self.removal(case, heap));
        let ended = self.deleted.iter().filter_map(|deleted| deleted.files.first()).map(restart);
        cleaned.chain(removed).chain(ended).collect::<Vec<_>>().into_iter()
    }

    fn held(&self, case: &Case, heap: &Heap) -> Evidence {
        let Eater { path, uid, directory, .. } = &heap.eater;
        let bound = if self.is_cut { "at least " } else { "" };
        let place = if *directory { "below" } else { "in" };
        let whose = case.machine.user(*uid);
        let used = match &heap.use_of_it {
            None => String::new(),
            Some(InUse::Yes(clause)) => format!("; {clause}"),
            Some(InUse::No) => "; no process uses it".to_owned(),
            Some(InUse::NotSeen(clause)) => format!("; no process that can be seen uses it ({clause})"),
        };
        let tool = if self.by == By::Inodes { "du --inodes -xs" } else { "du -xsh" };
        Evidence::probe(format!("{bound}{} {place} {} (of {whose}){used}", self.amount(heap), path.display()))
            .check(format!("{tool} {}", case.quoted(path)))
    }

    fn amount(&self, heap: &Heap) -> String {
        match self.by {
            By::Inodes => format!("{} inodes", grouped(heap.eater.inodes)),
            By::Bytes => size(heap.eater.bytes),
        }
    }

    fn removal(&self, case: &Case, heap: &Heap) -> Fix {
        let Eater { path, uid, directory, .. } = &heap.eater;
        let tool = if *directory { "rm -r" } else { "rm" };
        let command = format!("{tool} {}", case.quoted(path));
        let is_own = case.surroundings().caller.unwrap_or(case.surroundings().identity.uid) == *uid;
        Fix::now(if is_own { command } else { case.as_root(&command) }, format!("frees {}", self.amount(heap)))
    }

    fn cleaner(&self, case: &Case, heap: &Heap) -> Option<Fix> {
        let (_, command, needs_root) = CLEANERS.iter().find(|(end, ..)| heap.eater.path.ends_with(end))?;
        let command = if *needs_root { case.as_root(command) } else { (*command).to_owned() };
        Some(Fix::now(command, format!("frees up to {}; it is made again when needed", self.amount(heap))))
    }
}

impl Heap {
    /// One program's own directory of temporary files, which nobody uses: nobody at all, or nobody of its owner's, who asks.
    /// What the command was told to make, or works in, is somebody's data.
    fn may_go(&self, case: &Case) -> bool {
        if !self.is_left_behind(case) {
            return false;
        }
        let is_own = self.eater.uid == case.surroundings().identity.uid;
        match self.use_of_it {
            Some(InUse::No) => true,
            Some(InUse::NotSeen(_)) => is_own,
            Some(InUse::Yes(_)) | None => false,
        }
    }

    fn is_left_behind(&self, case: &Case) -> bool {
        let surroundings = case.surroundings();
        let scratch = [surroundings.tmpdir(), "/tmp".into(), "/var/tmp".into(), "/dev/shm".into()];
        let path = &self.eater.path;
        let is_scratch = path.parent().is_some_and(|parent| scratch.iter().any(|scratch| scratch == parent));
        let is_made_up = path.file_name().and_then(|name| name.to_str()).is_some_and(is_made_up);
        let is_work = case.machine.stat(&path.join(".git")).is_ok();
        let named = case.command.iter().map(|word| surroundings.cwd.join(word)).chain([surroundings.cwd.clone()]);
        let is_told = |named: PathBuf| named.starts_with(path);
        is_scratch && is_made_up && self.eater.directory && !is_work && !named.into_iter().any(is_told)
    }
}

/// Whether a program made the name up, as mkdtemp(3) and its kin do: `tmp.hZ4aPp1Lqx`, `opam-47813-6b24e2`, `go-build3814232`. What a
/// person named, a person put there, and it may be all there is of it.
fn is_made_up(name: &str) -> bool {
    let is_random = |token: &str| {
        let has_digit = token.contains(|c: char| c.is_ascii_digit());
        let is_hex = has_digit && token.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
        let digits_at_end = token.chars().rev().take_while(char::is_ascii_digit).count();
        let has_upper_inside = token.chars().skip(1).any(|c| c.is_ascii_uppercase());
        let is_mixed =
            token.len() <= 10 && has_digit && has_upper_inside && token.contains(|c: char| c.is_ascii_lowercase());
        token.len() >= 6 && (is_hex || digits_at_end >= 6 || is_mixed)
    };
    name.starts_with("tmp") || name.starts_with(".tmp") || name.split(['-', '_', '.']).any(is_random)
}

/// Caches that the programs which made them know how to empty: the end of the directory, the command, whether it needs root.
const CLEANERS: &[(&str, &str, bool)] = &[
    (".npm", "npm cache clean --force", false),
    (".npm/_cacache", "npm cache clean --force", false),
    (".cache/pip", "pip cache purge", false),
    (".cache/uv", "uv cache clean", false),
    (".cache/go-build", "go clean -cache", false),
    (".cache/yarn", "yarn cache clean", false),
    (".cache/ccache", "ccache -C", false),
    (".ccache", "ccache -C", false),
    ("var/cache/apt", "apt-get clean", true),
    ("var/cache/apt/archives", "apt-get clean", true),
    ("var/cache/dnf", "dnf clean all", true),
    ("var/log/journal", "journalctl --vacuum-size=200M", true),
    ("var/lib/docker", "docker system prune", true),
    ("var/lib/docker/overlay2", "docker system prune", true),
    ("var/lib/containers", "podman system prune", true),
];

fn is_much(deleted: &Deleted, room: &Room, by: By) -> bool {
    let (held, whole) = match by {
        By::Inodes => (deleted.inodes, room.now.map_or(0, |now| now.inodes)),
        By::Bytes => (deleted.bytes, room.now.map_or(0, |now| now.bytes())),
    };
    held > 0 && held.saturating_mul(100) >= whole.saturating_mul(WORTH_TELLING)
}

fn still_open(deleted: &Deleted) -> Evidence {
    let holder = deleted.files.first().map_or_else(String::new, |file| {
        format!(", the largest by {} ({})", holders::named(&file.program), was_named(&file.path))
    });
    let files = if deleted.inodes == 1 { "one deleted file" } else { "deleted files" };
    Evidence::probe(format!("{} in {files} that are still open{holder}", size(deleted.bytes))).check("lsof +L1")
}

fn was_named(path: &Path) -> String {
    format!("was {}", path.display())
}

/// The space comes back when the last descriptor is closed.
fn restart(file: &DeletedFile) -> Fix {
    Fix {
        text: format!("ending or restarting {} frees {}", holders::named(&file.program), size(file.bytes)),
        command: None,
        lasting: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_programs_make_up_are_told_from_those_that_people_give() {
        let made_up =
            ["tmp.hZ4aPp1Lqx", "opam-47813-6b24e2", "go-build3814232", "tmpab_c1x2", "npm-AbC123", ".tmpX1y2Z3"];
        assert_eq!(made_up.map(is_made_up), [true; 6]);
        let given =
            ["work", "project-2024", "MyProject", "data_backup", "linux-6.1", "c", "photos2023album", "node_modules"];
        assert_eq!(given.map(is_made_up), [false; 8]);
    }
}
