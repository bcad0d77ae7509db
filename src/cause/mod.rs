//! What can be wrong with a machine: one file a cause, which says when it is suspected, how it is verified, how it reads
//! and how it is fixed. The list below is the registry; a test proves that it and the directory agree.

mod shared;

#[cfg(test)]
use shared::stage;
use shared::{
    denied, exec, holder, inotify, locks, mount_option, patterns, port, refused, rlimit, room, setting, shortage,
    spoken, starts, sysctl,
};

pub use shared::case::{Case, Mode};
pub use shared::finding::{Confidence, Evidence, EvidenceKind, Finding, Fix, Seen, Subject, Suspect, Verdict};
pub use shared::refused::is_related;

/// One thing that can be wrong.
pub struct Cause {
    /// The stable name.
    pub id: &'static str,
    /// Its page: what it is, how it is checked and fixed.
    pub page: &'static str,
    /// Whom it suspects, from the clues and what was watched. Text suggests: nothing is asked of the machine but where a path leads.
    pub suspects: fn(&Case) -> Vec<Suspect>,
    /// Causes that are no fault of their own where this one is verified for the same subject: the general below the specific.
    pub covers: &'static [&'static str],
    /// What the machine says of a suspect.
    pub check: fn(&Case, &Suspect) -> Verdict,
}

impl Cause {
    /// What it is: the first sentence of its page, behind the title.
    #[must_use]
    pub fn in_a_sentence(&self) -> String {
        let text = self.page.split("\n\n").nth(1).unwrap_or_default().replace('\n', " ");
        let end = text.match_indices([' ']).map(|(at, _)| at).find(|at| text[..*at].ends_with(['.', ':']));
        text[..end.unwrap_or(text.len())].trim_end_matches([':', '.']).to_owned()
    }
}

macro_rules! causes {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        /// Every cause there is.
        pub static ALL: &[&Cause] = &[$(&$name::CAUSE),*];
    };
}

causes! {
    already_exists,
    argument_list_too_long,
    blocks_exhausted,
    btrfs_metadata_full,
    busy,
    ca_certificates_missing,
    clock_wrong,
    command_not_found,
    cpu_time_limit,
    crlf_shebang,
    cross_device,
    dangling_symlink,
    deleted_working_directory,
    device_missing,
    directory_full,
    directory_not_empty,
    dubious_ownership,
    empty_or_truncated_file,
    file_size_limit,
    filesystem_damaged,
    foreign_owner,
    fuse_disconnected,
    home_unusable,
    immutable_file,
    inodes_exhausted,
    inotify_instances_exhausted,
    inotify_watches_exhausted,
    insecure_permissions,
    ipc_limit,
    is_a_directory,
    keyring_quota,
    library_too_old,
    locale_missing,
    locked_by_process,
    locked_memory_limit,
    map_count_limit,
    memory_limit,
    missing_capability,
    missing_interpreter,
    missing_loader,
    missing_path,
    missing_shared_library,
    missing_shebang,
    name_too_long,
    namespace_limit,
    no_terminal,
    nodev_mount,
    noexec_mount,
    not_a_directory,
    not_executable,
    not_in_group,
    not_mounted,
    open_files_limit,
    out_of_memory,
    permission_denied,
    port_in_use,
    privileged_port,
    process_limit,
    protected_file,
    proxy_misconfigured,
    quota_exceeded,
    read_only_filesystem,
    remote_side,
    reserved_blocks,
    resolver_unconfigured,
    security_module,
    socket_missing,
    socket_path_too_long,
    space_fragmented,
    stack_limit,
    stale_lock,
    stale_nfs_handle,
    sticky_directory,
    symlink_loop,
    syscall_filtered,
    system_files_limit,
    terminal_unknown,
    text_encoding,
    text_file_busy,
    thin_pool_full,
    tmpdir_unusable,
    unmapped_id,
    unsupported_by_filesystem,
    unsupported_cpu,
    user_namespaces_disabled,
    wrong_architecture,
    wrong_case,
}

/// The cause of an id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Cause> {
    ALL.iter().find(|cause| cause.id == id).copied()
}

/// Nothing for the id of a cause; for another word the ids that are like it.
#[must_use]
pub fn instead_of(id: &str) -> Option<Vec<&'static str>> {
    by_id(id).is_none().then(|| near(id))
}

/// Ids that are nearly the one that was asked for, the nearest first.
#[must_use]
pub fn near(id: &str) -> Vec<&'static str> {
    let mut near: Vec<_> = ALL.iter().map(|cause| (strsim::damerau_levenshtein(id, cause.id), cause.id)).collect();
    let is_like = |known: &str| {
        let words = id.split('-').filter(|word| word.len() > 2);
        known.split('-').any(|known| words.clone().any(|word| known.starts_with(word)))
    };
    near.retain(|(distance, known)| *distance <= known.len() / 3 || is_like(known));
    near.sort_unstable();
    near.into_iter().map(|(_, id)| id).take(5).collect()
}

#[cfg(test)]
mod tests {
    use super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::Record;
    use crate::sys::errno::Errno;
    use crate::text::Bytes;
    use std::collections::BTreeSet;

    #[expect(clippy::disallowed_methods, reason = "a test of the source tree")]
    fn names(directory: &str, ending: &str) -> BTreeSet<String> {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
        let entries =
            std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        entries.filter_map(|name| name.strip_suffix(ending).map(str::to_owned)).filter(|name| name != "mod").collect()
    }

    #[test]
    fn the_beginning_of_a_word_is_near() {
        assert!(near("inode").contains(&"inodes-exhausted") && near("port").contains(&"port-in-use"));
        assert_eq!(near("in"), Vec::<&str>::new());
    }

    #[test]
    fn every_file_of_the_directory_is_a_registered_cause() {
        let files = names("src/cause", ".rs");
        let registered: BTreeSet<String> = ALL.iter().map(|cause| cause.id.replace('-', "_")).collect();
        let missing: Vec<_> = files.difference(&registered).map(|name| format!("    {name},")).collect();
        assert!(missing.is_empty(), "add to `causes!` in src/cause/mod.rs:\n{}", missing.join("\n"));
        assert!(registered.is_subset(&files), "the id of a cause is its file's name: {registered:?}, {files:?}");
    }

    #[test]
    fn every_cause_has_its_page_and_every_page_its_cause() {
        let pages = names("docs/causes", ".md");
        let ids: BTreeSet<String> = ALL.iter().map(|cause| cause.id.to_owned()).collect();
        assert_eq!(pages, ids);
        for cause in ALL {
            assert!(
                cause.page.starts_with(&format!("# {}\n", cause.id)),
                "the page of {} begins with its id",
                cause.id
            );
        }
    }

    #[test]
    fn a_cause_covers_causes_that_exist() {
        let known = |id: &&str| by_id(id).is_some();
        assert!(ALL.iter().flat_map(|cause| cause.covers).all(known));
    }

    /// A busy machine answers too late, and a report that is played back does not have every answer: that is no answer of "no".
    #[test]
    fn what_was_never_answered_is_never_more_than_possible() {
        let errnos = [None, Some(Errno::EACCES), Some(Errno::EPERM), Some(Errno::ENOENT), Some(Errno::ENOSPC)];
        let more = [Errno::EMFILE, Errno::ENOMEM, Errno::EAGAIN, Errno::ENODEV, Errno::ECONNREFUSED, Errno::EINVAL];
        let errnos: Vec<Option<Errno>> = errnos.into_iter().chain(more.into_iter().map(Some)).collect();
        let operations = [None, Some(Operation::Read), Some(Operation::Create), Some(Operation::Execute)];
        let mut surer = BTreeSet::new();
        for (cause, mode) in ALL.iter().flat_map(|cause| [(cause, Mode::Run), (cause, Mode::Log)]) {
            for (errno, operation, path) in errnos.iter().flat_map(|errno| {
                operations.iter().flat_map(move |operation| ["", "/srv/a/b"].map(|path| (*errno, *operation, path)))
            }) {
                let mut stage = Stage::new("");
                (stage.mode, stage.record) = (mode, Record::default());
                (stage.surroundings.identity.uid, stage.surroundings.identity.capabilities) = (0, u64::MAX);
                for (name, value) in
                    [("TERM", "xterm"), ("HOME", "/home/u"), ("LANG", "de_DE.UTF-8"), ("TMPDIR", "/tmp")]
                {
                    stage.surroundings.env.insert(name.into(), Bytes(value.into()));
                }
                stage.add(|clue| {
                    (clue.errno, clue.operation, clue.suspects) = (errno, operation, vec![cause.id.to_owned()]);
                    clue.path = (!path.is_empty()).then(|| path.into());
                });
                for (suspect, verdict) in stage.verdicts(cause) {
                    let Verdict::Found(finding) = verdict else { continue };
                    if finding.confidence != Confidence::Possible {
                        surer.insert(format!("{} of {}: {}", cause.id, suspect.subject, finding.summary));
                    }
                }
            }
        }
        assert!(surer.is_empty(), "{surer:#?}");
    }

    #[test]
    fn near_ids_are_offered_for_a_mistyped_one() {
        assert_eq!(near("inode-exhausted").first(), Some(&"inodes-exhausted"));
        assert!(near("zzz").is_empty());
    }
}
