//! The pool below a thin volume is full: the filesystem has free blocks and the device has none to give, so writes answer ENOSPC
//! or EIO, or wait (`error_if_no_space` of dm-thin).

use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Seen, Subject, Suspect, Verdict};
use crate::clue::Clue;
use crate::command_line;
use crate::probe::device::{self, Device};
use crate::probe::thin_pool::{self, Pool};
use crate::sys::errno::Errno;
use crate::sys::mounts::Mount;
use crate::text::grouped;
use std::path::{Path, PathBuf};

const ID: &str = "thin-pool-full";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/thin-pool-full.md"),
    suspects,
    covers: &["filesystem-damaged", "blocks-exhausted"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let spoken = case.clues.iter().enumerate().filter(|(_, clue)| may_be(clue));
    let suspects = spoken.flat_map(|(index, clue)| {
        let nodes = paths(case, clue).into_iter().filter_map(|path| node(case, path));
        let suspect = move |node: PathBuf| Suspect { subject: Subject::Path(node), clue: Some(index), touched: true };
        nodes.map(suspect).collect::<Vec<_>>()
    });
    suspects.collect()
}

/// What a message names, or where it names nothing what the command line does.
fn paths<'a>(case: &Case<'a>, clue: &'a Clue) -> Vec<&'a Path> {
    let has_slash = |path: &&Path| path.as_os_str().as_encoded_bytes().contains(&b'/');
    clue.path
        .as_deref()
        .map_or_else(|| command_line::paths_of(case.command).filter(has_slash).collect(), |path| vec![path])
}

/// The device of the filesystem that holds a path.
fn node(case: &Case, path: &Path) -> Option<PathBuf> {
    let source = case.mount_of(path)?.source.to_str()?;
    source.starts_with("/dev/").then(|| source.into())
}

fn may_be(clue: &Clue) -> bool {
    clue.suspects(ID) || matches!(clue.errno, Some(Errno::ENOSPC | Errno::EIO))
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let is_it = |mount: &&Mount| suspect.subject.path().is_some_and(|node| mount.source == node);
    let Some(mount) = case.mounts.0.iter().find(is_it) else { return Verdict::Unknown("the mount is gone".into()) };
    let pool =
        device::below(case.machine, mount).and_then(|device| Ok((thin_pool::below(case.machine, &device)?, device)));
    match pool {
        Err(unknown) => Verdict::Unknown(unknown.to_string()),
        Ok((None, device)) => Verdict::RuledOut(format!("no thin pool is below {}", device.name)),
        Ok((Some(pool), _)) if !pool.is_full() => Verdict::RuledOut(used(&pool)),
        Ok((Some(pool), device)) => {
            let is_named = suspect.clue.is_some_and(|index| case.clues[index].path.is_some());
            let confidence = if is_named { Confidence::Verified } else { Confidence::Likely };
            Verdict::Found(Box::new(Finding { confidence, ..found(case, &pool, &device) }))
        }
    }
}

/// `the pool vg-pool uses 90 of 100 blocks of data and 5 of 10 of metadata`.
fn used(pool: &Pool) -> String {
    let share = |(used, all): (u64, u64)| format!("{} of {}", grouped(used), grouped(all));
    format!("the pool {} uses {} blocks of data and {} of metadata", pool.name, share(pool.data), share(pool.metadata))
}

fn found(case: &Case, pool: &Pool, device: &Device) -> Finding {
    let fact = format!("{}, mode {}", used(pool), pool.mode);
    Finding {
        confidence: Confidence::Verified,
        seen: Some(Seen::Now),
        headline: format!("the thin pool below {} is full", device.node.display()),
        summary: format!("The thin pool {} below {} has no free block.", pool.name, device.node.display()),
        evidence: vec![Evidence::probe(fact).check(case.as_root(&format!("dmsetup status {}", pool.name)))],
        fixes: vec![
            Fix::now(case.as_root("fstrim -av"), "gives back blocks of files that were removed"),
            Fix::lasting("a larger pool: lvextend -L +SIZE VG/POOL, and --poolmetadatasize where metadata is full"),
            Fix::lasting("lvm.conf: thin_pool_autoextend_threshold below 100"),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::{Entry, Kind, Listing};
    use crate::text::Bytes;

    const TABLE: &str = "21 1 254:0 / / rw - ext4 /dev/vda rw\n40 21 253:4 / /srv rw - ext4 /dev/mapper/vg-thin rw\n";

    /// A volume dm-4 on the pool dm-2, whose status is this.
    fn stage(status: &str) -> Stage {
        let mut stage = Stage::new(TABLE);
        stage
            .missing("/srv/new")
            .knows("readlink /sys/dev/block/253:4", Ok(Bytes(b"../../devices/virtual/block/dm-4".to_vec())));
        stage.file("/sys/dev/block/253:4/dev", "253:4\n").file("/sys/class/block/dm-4/dm/name", "vg-thin\n");
        stage.knows("mapper 253:4", Ok("thin 2048 4095".to_owned()));
        let pool = Entry { name: "dm-2".into(), inode: 1, kind: Some(Kind::Symlink) };
        stage.knows("list /sys/class/block/dm-4/slaves", Ok(Listing { entries: vec![pool], cut: false }));
        stage.file("/sys/class/block/dm-2/dev", "253:2\n").file("/sys/class/block/dm-2/dm/name", "vg-pool-tpool\n");
        stage.knows("mapper 253:2", Ok(status.to_owned()));
        stage.clue(Errno::EIO, Operation::Write, "/srv/new");
        stage
    }

    #[test]
    fn a_pool_without_a_free_block_is_verified() {
        let finding =
            stage("thin-pool 1 141/4096 800/800 - out_of_data_space discard_passdown queue_if_no_space - 1024")
                .finding(&CAUSE, "/dev/mapper/vg-thin");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.evidence[0].text.contains("800 of 800 blocks of data"), "{finding:?}");
    }

    #[test]
    fn a_pool_without_metadata_is_verified() {
        let stage = stage("thin-pool 1 4096/4096 10/800 - ro discard_passdown error_if_no_space - 1024");
        assert_eq!(stage.finding(&CAUSE, "/dev/mapper/vg-thin").confidence, Confidence::Verified);
    }

    #[test]
    fn a_pool_with_free_blocks_is_silence() {
        stage("thin-pool 1 141/4096 10/800 - rw discard_passdown queue_if_no_space - 1024").assert_silent(&CAUSE);
    }

    #[test]
    fn a_volume_whose_pool_may_not_be_asked_is_silence() {
        let mut stage = stage("");
        stage.knows("mapper 253:4", Err::<String, _>(crate::machine::Unknown::Errno(Errno::EACCES)));
        stage.assert_silent(&CAUSE);
    }
}
