//! One directory takes no more names while its filesystem has room: the index of an ext4 directory is full (ENOSPC), or so many
//! directories are in it that their links cannot be counted (EMLINK).

use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, room};
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::machine::{Kind, Stat};
use crate::probe::device::{self, Device};
use crate::probe::directory_index::{largest_directory, most_links};
use crate::probe::{ext, read_only};
use crate::sys::errno::Errno;
use crate::sys::mounts::Mount;
use crate::text::{grouped, size};
use std::path::{Path, PathBuf};
use std::time::Duration;

const ID: &str = "directory-full";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/directory-full.md"),
    suspects,
    covers: &["blocks-exhausted", "inodes-exhausted"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let clues = case.clues.iter().enumerate();
    let mut suspects: Vec<Suspect> = clues.flat_map(|(index, clue)| of_clue(case, index, clue)).collect();
    if room::says_nothing(case) || case.clues.iter().any(|clue| room::may_mean_room(case, clue)) {
        let usual = [case.surroundings().cwd.clone(), case.surroundings().tmpdir()];
        let directories = usual.iter().filter_map(|path| existing(case, path));
        suspects.extend(directories.map(|path| Suspect { subject: Subject::Path(path), clue: None, touched: false }));
    }
    suspects
}

fn of_clue(case: &Case, index: usize, clue: &Clue) -> Vec<Suspect> {
    let paths = if adds_a_name(clue) { new_names(case, clue) } else { Vec::new() };
    let directory = |path: &Path| {
        case.resolve(path).filter(|path| path.missing.components().count() == 1).map(|path| path.existing)
    };
    let directories = paths.into_iter().filter_map(directory);
    directories.map(|path| Suspect { subject: Subject::Path(path), clue: Some(index), touched: true }).collect()
}

/// What a message says was to be made; what the command line names, where it says nothing.
fn new_names<'a>(case: &'a Case, clue: &'a Clue) -> Vec<&'a Path> {
    match clue.other_path.as_ref().or(clue.path.as_ref()) {
        Some(path) => vec![path],
        None if case.mode == Mode::Log || clue.errno.is_none() => Vec::new(),
        None => command_line::paths_of(case.command).filter(|path| path.components().count() > 1).collect(),
    }
}

/// Whether a message can mean that a directory refused a name.
fn adds_a_name(clue: &Clue) -> bool {
    use Operation::{Create, Link, Mkdir, Rename, Symlink, Write};
    let adds = matches!(clue.operation, None | Some(Create | Link | Mkdir | Rename | Symlink | Write));
    let makes_directory = matches!(clue.operation, None | Some(Mkdir | Rename | Create));
    let of_index = clue.errno == Some(Errno::ENOSPC) && adds;
    clue.suspects(ID) || of_index || clue.errno == Some(Errno::EMLINK) && makes_directory
}

fn existing(case: &Case, path: &Path) -> Option<PathBuf> {
    case.resolve(path).filter(|path| path.missing.as_os_str().is_empty()).map(|path| path.existing)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(path) = suspect.subject.path() else { return Verdict::Unknown("it has no path".into()) };
    let Some(mount) = case.mounts.holding(path) else { return Verdict::Unknown("the mount is gone".into()) };
    let stat = match case.machine.stat(path) {
        Ok(stat) if stat.kind == Kind::Directory => stat,
        Ok(_) => return Verdict::RuledOut("it is no directory".into()),
        Err(why) => return Verdict::Unknown(why.to_string()),
    };
    let full = Full { case, mount, path, stat };
    let clue = suspect.clue.map(|index| &case.clues[index]);
    let of_links = clue.is_some_and(|clue| clue.errno == Some(Errno::EMLINK));
    if of_links { full.of_links() } else { full.of_index(clue.filter(|clue| adds_a_name(clue))) }
}

/// A directory that may be full.
struct Full<'a> {
    case: &'a Case<'a>,
    mount: &'a Mount,
    path: &'a Path,
    stat: Stat,
}

impl Full<'_> {
    fn of_links(&self) -> Verdict {
        match most_links(&self.mount.fstype) {
            Some(most) if self.stat.links >= most => Verdict::Found(Box::new(self.too_many_directories(most))),
            Some(most) => Verdict::RuledOut(format!("{} of {} links", grouped(self.stat.links), grouped(most))),
            None => Verdict::Unknown(format!("the most links of {} are not known", self.mount.fstype)),
        }
    }

    fn of_index(&self, clue: Option<&Clue>) -> Verdict {
        let is_said = clue.is_some();
        let is_named = clue.is_some_and(|clue| clue.path.is_some());
        if !ext::is_ext(self.mount) {
            return Verdict::RuledOut(format!("directories of {} have no such limit", self.mount.fstype));
        }
        let Ok(space) = self.case.machine.space(&self.mount.point) else {
            return Verdict::Unknown("the filesystem's counters cannot be read".into());
        };
        if space.inodes_free == 0 || room::is_full(&space) {
            return Verdict::RuledOut("the filesystem itself has no room".into());
        }
        let largest = largest_directory(space.block_size);
        let counts = |age: &Duration| is_said || *age <= self.case.run_time();
        if let Some((message, _)) = self.message().filter(|(_, age)| counts(age)) {
            let sure = if is_named { Confidence::Verified } else { Confidence::Likely };
            return Verdict::Found(Box::new(self.index_full(sure, largest, Some(message))));
        }
        if is_said && self.stat.size >= largest / 2 {
            return Verdict::Found(Box::new(self.index_full(Confidence::Likely, largest, None)));
        }
        Verdict::RuledOut(format!("{} of at most {} of names", size(self.stat.size), size(largest)))
    }

    /// What the kernel wrote about this directory: `ext4_dx_add_entry` warns with device and inode.
    fn message(&self) -> Option<(String, Duration)> {
        const WORDS: &str = "index full, reach max htree level";
        let device = self.device()?;
        let inode = format!("(ino: {})", self.stat.inode);
        let log = self.case.machine.kernel_log(&[WORDS]).ok()?;
        let about_it = |text: &str| text.contains(&inode) && read_only::names(text, &device.name);
        let message = log.messages.iter().rev().find(|message| about_it(&message.text))?;
        Some((message.text.clone(), log.age(message)))
    }

    fn device(&self) -> Option<Device> {
        device::below(self.case.machine, self.mount).ok()
    }

    fn index_full(&self, confidence: Confidence, largest: u64, message: Option<String>) -> Finding {
        let path = self.path.display();
        let word = self.case.quoted(self.path);
        let names = format!("the names in {path} take {} of at most {}", size(self.stat.size), size(largest));
        let mut evidence = vec![Evidence::probe(names).check(format!("stat -c '%s bytes' {word}"))];
        if let Some(text) = message {
            let check = self.case.as_root("dmesg | grep 'index full'");
            evidence.push(Evidence::probe(format!("the kernel's log: {text}")).check(check));
        }
        evidence.extend(self.room());
        Finding {
            confidence,
            seen: Some(Seen::Now),
            headline: format!("the directory {path} is full, not its filesystem"),
            summary: format!(
                "The index of the directory {path} ({}) has no place for some new names.",
                self.mount.fstype
            ),
            evidence,
            fixes: self.fixes(),
        }
    }

    /// That the filesystem has room, to tell it from a full one.
    fn room(&self) -> Option<Evidence> {
        let space = self.case.machine.space(&self.mount.point).ok()?;
        let point = self.mount.point.display();
        let text = format!("{point} itself has {}; {}", room::inodes_free(&space), room::bytes_free(&space));
        Some(Evidence::probe(text).check(format!("df -i {}", self.case.quoted(&self.mount.point))))
    }

    fn fixes(&self) -> Vec<Fix> {
        let word = self.case.quoted(self.path);
        let mut fixes = vec![Fix::now(
            format!("ls -U {word} | cut -c1-3 | sort | uniq -c | sort -n | tail"),
            "shows how its names begin, to remove some or to spread them over directories below it",
        )];
        if let Some(device) = self.device() {
            let enable = format!("tune2fs -O large_dir {}", self.case.quoted(&device.node));
            let text = "lets it grow, at once; it cannot be taken back, and an old boot loader cannot read it";
            fixes.push(Fix::lasting(text).command(self.case.as_root(&enable)));
        }
        fixes
    }

    fn too_many_directories(&self, most: u64) -> Finding {
        let path = self.path.display();
        let fact = format!("{path} has {} links of at most {}", grouped(self.stat.links), grouped(most));
        let mut fixes = vec![Fix::now(
            format!("find {} -maxdepth 1 -type d | wc -l", self.case.quoted(self.path)),
            "counts its directories, each of which holds a link to it; spread them over a level below",
        )];
        if let Some(device) = self.device().filter(|_| self.mount.fstype == "ext4") {
            let enable = format!("tune2fs -O dir_nlink {}", self.case.quoted(&device.node));
            fixes.push(Fix::lasting("lifts this limit").command(self.case.as_root(&enable)));
        }
        Finding {
            confidence: Confidence::Verified,
            seen: Some(Seen::Now),
            headline: format!("the directory {path} holds as many directories as it can"),
            summary: format!("{fact}, so {} takes no more directories there.", self.mount.fstype),
            evidence: vec![Evidence::probe(fact).check(format!("stat -c %h {}", self.case.quoted(self.path)))],
            fixes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::{KernelLog, KernelMessage, Unknown};
    use crate::sys::fs::Space;
    use crate::watch::{Moment, Place, Sample};

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n40 21 254:16 / /srv rw - ext4 /dev/vdb rw\n";
    const ROOMY: Space = Space {
        block_size: 1024,
        blocks: 65536,
        blocks_free: 30000,
        blocks_available: 27000,
        inodes: 60000,
        inodes_free: 30000,
    };

    /// A directory of this size in bytes, with these links, on a filesystem with blocks of 1 KiB.
    fn stage(size: u64, links: u64) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage.directory("/srv/d").missing("/srv/d/new").space("/srv", ROOMY);
        stage.stat("/srv/d", Kind::Directory, |stat| (stat.inode, stat.size, stat.links) = (12, size, links));
        stage.knows("readlink /sys/dev/block/254:16", Ok::<_, Unknown>("../../devices/virtual/block/vdb"));
        stage
    }

    fn warned(stage: &mut Stage, text: &str) {
        let message = KernelMessage { at_us: 1, level: 4, text: text.to_owned() };
        let log = KernelLog { now_us: 2, messages: vec![message] };
        stage.knows("kernel-log index full, reach max htree level", Ok::<_, Unknown>(log));
    }

    const WARNING: &str = "EXT4-fs warning (device vdb): ext4_dx_add_entry:2528: Directory (ino: 12) index full, reach max htree level :2";

    #[test]
    fn the_kernel_s_warning_about_this_directory_proves_it() {
        let mut stage = stage(10 << 20, 2);
        warned(&mut stage, WARNING);
        let finding = stage.clue(Errno::ENOSPC, Operation::Create, "/srv/d/new").finding(&CAUSE, "/srv/d");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.fixes[1].command.as_deref(), Some("sudo tune2fs -O large_dir /dev/vdb"));
    }

    #[test]
    fn a_directory_near_its_largest_size_is_likely_full() {
        let mut stage = stage(10 << 20, 2);
        let finding = stage.clue(Errno::ENOSPC, Operation::Create, "/srv/d/new").finding(&CAUSE, "/srv/d");
        assert_eq!(finding.confidence, Confidence::Likely);
    }

    #[test]
    fn a_directory_that_cannot_count_more_directories_is_named() {
        let mut stage = stage(4096, 65_000);
        let finding = stage.clue(Errno::EMLINK, Operation::Mkdir, "/srv/d/new").finding(&CAUSE, "/srv/d");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.fixes[1].command.as_deref(), Some("sudo tune2fs -O dir_nlink /dev/vdb"));
    }

    #[test]
    fn a_vague_failure_while_the_kernel_warns_of_the_working_directory_is_likely() {
        let mut stage = stage(10 << 20, 2);
        stage.surroundings.cwd = "/srv/d".into();
        stage.watched.places.push(ran_for(10));
        warned(&mut stage, WARNING);
        assert_eq!(stage.vague().finding(&CAUSE, "/srv/d").confidence, Confidence::Likely);
    }

    /// A watched place, for a run of so many milliseconds.
    fn ran_for(at_ms: u64) -> Place {
        let sample = |at_ms| Sample { moment: Moment { at_ms, said: None }, space: ROOMY };
        Place {
            point: "/srv".into(),
            roles: Vec::new(),
            before: sample(0),
            fewest_inodes: sample(0),
            fewest_blocks: sample(0),
            after: sample(at_ms),
        }
    }

    #[test]
    fn a_warning_from_before_the_run_says_nothing_of_a_vague_failure() {
        let mut stage = stage(10 << 20, 2);
        stage.surroundings.cwd = "/srv/d".into();
        warned(&mut stage, WARNING);
        stage.vague().assert_silent(&CAUSE);
    }

    #[test]
    fn a_warning_about_another_directory_or_disk_is_silence() {
        for text in [WARNING.replace("12", "120"), WARNING.replace("vdb", "vdc")] {
            let mut stage = stage(1 << 20, 2);
            warned(&mut stage, &text);
            stage.clue(Errno::ENOSPC, Operation::Create, "/srv/d/new").assert_silent(&CAUSE);
        }
    }

    #[test]
    fn a_filesystem_without_inodes_is_not_a_full_directory() {
        let mut stage = stage(10 << 20, 2);
        stage.space("/srv", Space { inodes_free: 0, ..ROOMY });
        stage.clue(Errno::ENOSPC, Operation::Create, "/srv/d/new").assert_silent(&CAUSE);
    }

    #[test]
    fn a_small_directory_is_silence() {
        stage(4096, 2).clue(Errno::ENOSPC, Operation::Create, "/srv/d/new").assert_silent(&CAUSE);
    }

    #[test]
    fn a_file_with_too_many_links_says_nothing_of_its_directory() {
        stage(4096, 65_000).clue(Errno::EMLINK, Operation::Link, "/srv/d/new").assert_silent(&CAUSE);
    }
}
