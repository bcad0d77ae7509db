//! Something was asked of a filesystem whose type does not have it: links on a memory stick, modes on a shared folder, locks on a
//! network mount. The errno differs from type to type, and most of them mean something else elsewhere.

use super::refused;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::machine::{Identity, Kind};
use crate::probe::abilities::{Ability, Lack, lack};
use crate::probe::read_only::is_read_only;
use crate::probe::walk::{Attempt, Why, walk};
use crate::sys::errno::Errno;
use crate::sys::mounts::Mount;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

const ID: &str = "unsupported-by-filesystem";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/unsupported-by-filesystem.md"),
    suspects,
    covers: &[],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    let of_clue = |(index, clue): (usize, &Clue)| {
        let asked = asked(case, clue).filter(|asked| lack_of(case, clue, asked).is_some());
        let found = asked.map(|asked| asked.mount.point.clone());
        Some(Suspect {
            subject: Subject::Path(found.or_else(|| said(case, clue))?),
            clue: Some(index),
            touched: clue.path.is_some(),
        })
    };
    refused::messages(case).filter_map(of_clue).collect()
}

/// What a log is about whose rule names this cause before others.
fn said(case: &Case, clue: &Clue) -> Option<PathBuf> {
    let is_named = case.mode == Mode::Log && clue.suspects.first().is_some_and(|first| first == ID);
    is_named.then(|| refused::absolute(case, clue.path.as_deref().unwrap_or(Path::new("."))))
}

/// What was asked, of which file on which mount.
struct Asked<'a> {
    ability: Ability,
    file: PathBuf,
    /// Who names the file.
    named_by: NamedBy,
    mount: &'a Mount,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum NamedBy {
    Message,
    Command,
    /// Locks are refused without saying where: of files in the working directory or below the home directory.
    Nobody,
}

fn asked<'a>(case: &Case<'a>, clue: &Clue) -> Option<Asked<'a>> {
    abilities(case, clue).into_iter().find_map(|ability| {
        let asked = |file: PathBuf, named_by| {
            let mount = case.mount_of(&file)?;
            lack(mount, ability).map(|_| Asked { ability, file, named_by, mount })
        };
        if let Some(file) = file(clue) {
            return asked(refused::absolute(case, file), NamedBy::Message);
        }
        let mut named = command_line::paths_of(case.command).map(|path| refused::absolute(case, path));
        let by_command = named.find_map(|file| asked(file, NamedBy::Command));
        by_command.or_else(|| kept_files(case, ability).find_map(|file| asked(file, NamedBy::Nobody)))
    })
}

fn kept_files(case: &Case, ability: Ability) -> impl Iterator<Item = PathBuf> {
    let surroundings = case.surroundings();
    let kept = std::iter::once(surroundings.cwd.clone()).chain(surroundings.directory("HOME"));
    kept.filter(move |_| ability == Ability::Lock)
}

/// The file that was to be made or changed. Of a symbolic link, programs name first what it is to say; ln and cp name the link first.
fn file(clue: &Clue) -> Option<&Path> {
    let names_target_first =
        matches!(clue.operation, None | Some(Operation::Symlink)) && !refused::names_new_first(clue);
    let other = clue.other_path.as_deref().filter(|_| names_target_first);
    other.or(clue.path.as_deref())
}

/// What a message asked for that not every filesystem has, the likeliest first.
fn abilities(case: &Case, clue: &Clue) -> Vec<Ability> {
    use Operation::{Create, Mkdir, Read, Write};
    let line = clue.line.to_lowercase();
    let is_direct = || {
        case.command.iter().any(|word| word.to_string_lossy().to_lowercase().contains("direct"))
            || line.contains("direct")
    };
    // Without a path, sockets and devices answer so too.
    let is_of_unnamed = || {
        let says = |word: &OsString| word.to_string_lossy().to_lowercase().contains("tmpfile");
        clue.path.is_some() || line.contains("tmpfile") || case.command.iter().any(says)
    };
    let untold: &[Ability] = match (clue.operation, clue.errno) {
        // Python names both ends of a link and no operation.
        (None, Some(Errno::ENOSYS | Errno::EOPNOTSUPP | Errno::EPERM)) if clue.other_path.is_some() => {
            &[Ability::Symlink, Ability::HardLink]
        }
        (None | Some(Read | Create), Some(Errno::EOPNOTSUPP)) if is_of_unnamed() => &[Ability::Unnamed],
        (Some(Read | Write | Create), Some(Errno::EINVAL)) if is_direct() => &[Ability::Direct],
        (Some(Create | Mkdir), Some(Errno::EPERM | Errno::EACCES | Errno::ENOENT)) => &[Ability::Entries],
        (Some(Create), None) if clue.suspects(ID) => &[Ability::Entries],
        (Some(Write), None) if clue.suspects(ID) => &[Ability::Write, Ability::Lock, Ability::Map],
        (Some(Write), Some(Errno::EINVAL | Errno::EIO)) => &[Ability::Write],
        _ => &[],
    };
    told(clue, &line).into_iter().chain(untold.iter().copied()).collect()
}

/// What the words of a message ask for.
fn told(clue: &Clue, line: &str) -> Option<Ability> {
    let says = |words: &[&str]| words.iter().any(|word| line.contains(word));
    match (clue.operation, clue.errno) {
        _ if says(&["failed to clone", "ficlone"]) => Some(Ability::Clone),
        _ if says(&["setting flags", "reading flags", "ioc_setflags", "ioc_getflags"]) => Some(Ability::Flags),
        (_, Some(Errno::EOPNOTSUPP)) if says(&["fallocate"]) => Some(Ability::Allocate),
        (Some(Operation::Symlink), _) => Some(Ability::Symlink),
        (Some(Operation::Link), _) => Some(Ability::HardLink),
        (Some(Operation::Bind), _) => Some(Ability::SpecialFile),
        (Some(Operation::Lock), _) | (_, Some(Errno::ENOLCK)) => Some(Ability::Lock),
        (Some(Operation::Memory), Some(Errno::ENODEV | Errno::EINVAL | Errno::EOPNOTSUPP)) => Some(Ability::Map),
        _ if says(&["fifo", "mknod", "special file"]) => Some(Ability::SpecialFile),
        _ if says(&["xattr", "setfattr", "setfacl", "chattr", "extended attribute"]) => Some(Ability::Attributes),
        (Some(Operation::Attribute), _) if says(&["owner", "chown", "chgrp", "group"]) => Some(Ability::Owner),
        (Some(Operation::Attribute), _) if says(&["permission", "chmod", "mode"]) => Some(Ability::Mode),
        (Some(Operation::Execute), Some(Errno::EACCES)) => Some(Ability::Mode),
        _ => None,
    }
}

/// Whether the filesystem lacks what was asked, where the errno is what it answers then.
fn lack_of(case: &Case, clue: &Clue, asked: &Asked) -> Option<Lack> {
    let lack = lack(asked.mount, asked.ability)?;
    if asked.ability == Ability::Entries && !is_missing(case, &asked.file) {
        return None;
    }
    let Some(errno) = clue.errno else {
        // A program that tells no reason: what the type refuses to all.
        return Some(lack).filter(|lack| *lack == Lack::Always && was_allowed(case, clue, asked));
    };
    let fits = match errno {
        Errno::EPERM | Errno::EACCES | Errno::ENOENT if asked.ability == Ability::Entries => {
            was_allowed(case, clue, asked)
        }
        Errno::EINVAL | Errno::EIO if asked.ability == Ability::Write => true,
        Errno::EINVAL if asked.ability == Ability::Symlink => asked.mount.fstype == "hugetlbfs",
        Errno::EINVAL => matches!(asked.ability, Ability::Direct | Ability::Map),
        Errno::ENOSYS | Errno::EOPNOTSUPP | Errno::EPROTO | Errno::ENOTTY => true,
        Errno::EPERM => lack == Lack::Always && was_allowed(case, clue, asked),
        Errno::EROFS => {
            asked.ability == Ability::Symlink && asked.mount.fstype == "vboxsf" && !is_read_only(asked.mount)
        }
        Errno::ENOLCK => asked.ability == Ability::Lock,
        Errno::ENODEV => asked.ability == Ability::Map,
        Errno::EACCES => lack == Lack::Always && is_without_execute_bit(case, &asked.file),
        _ => false,
    };
    fits.then_some(lack)
}

/// Whether nothing lies there: what the kernel made may be refused for other reasons.
fn is_missing(case: &Case, file: &Path) -> bool {
    case.resolve(file).is_some_and(|resolved| !resolved.missing.as_os_str().is_empty())
}

/// Whether the user would have been allowed to do it elsewhere: EPERM has other reasons.
fn was_allowed(case: &Case, clue: &Clue, asked: &Asked) -> bool {
    let identity = &case.surroundings().identity;
    if asked.ability == Ability::Owner && !identity.has(Identity::CHOWN) {
        return false;
    }
    let operation = clue.operation.unwrap_or(Operation::Create);
    let attempt = Attempt { operation, path: &asked.file, other: None };
    match walk(case.machine, attempt).map(|walked| walked.obstacle) {
        Ok(None) => true,
        // A link names first what is there already.
        Ok(Some(obstacle)) => {
            matches!(obstacle.why, Why::Exists(_)) && matches!(operation, Operation::Link | Operation::Symlink)
        }
        Err(_) => false,
    }
}

fn is_without_execute_bit(case: &Case, file: &Path) -> bool {
    let stat = case.resolve(file).and_then(|resolved| case.machine.stat(&resolved.existing).ok());
    stat.is_some_and(|stat| stat.kind == Kind::Regular && stat.mode & 0o111 == 0)
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let Some(clue) = suspect.clue.map(|index| &case.clues[index]) else { return Verdict::Unknown("no message".into()) };
    let asked = asked(case, clue);
    let lack = asked.as_ref().and_then(|asked| lack_of(case, clue, asked));
    match asked.zip(lack) {
        Some((asked, lack)) => Verdict::Found(Box::new(found(case, clue, &asked, lack))),
        None if case.mode == Mode::Log => Verdict::Found(Box::new(possible(case, &suspect.subject))),
        None => Verdict::RuledOut("the filesystem can do that".into()),
    }
}

fn found(case: &Case, clue: &Clue, asked: &Asked, lack: Lack) -> Finding {
    let (point, kind) = (asked.mount.point.display(), &asked.mount.fstype);
    let (has, words) = (if lack == Lack::Always { "has" } else { "may have" }, asked.ability.words());
    let confidence = match lack {
        _ if asked.named_by == NamedBy::Nobody => Confidence::Possible,
        Lack::Always if case.mode == Mode::Run && asked.named_by == NamedBy::Message && clue.errno.is_some() => {
            Confidence::Verified
        }
        _ => Confidence::Likely,
    };
    let check = format!("findmnt -no TARGET,FSTYPE,OPTIONS -T {}", case.quoted(&asked.file));
    Finding {
        confidence,
        seen: Some(Seen::Now),
        headline: format!("{point} is {kind}, which {has} no {words}"),
        summary: format!(
            "{} lies on {point}, a filesystem of the type {kind}, which {has} no {words}.",
            asked.file.display()
        ),
        evidence: vec![Evidence::probe(format!("{point} is {kind}")).check(check)],
        fixes: fixes(case, asked),
    }
}

fn fixes(case: &Case, asked: &Asked) -> Vec<Fix> {
    let kind = asked.mount.fstype.as_str();
    let mut fixes = Vec::new();
    match asked.ability {
        Ability::Symlink if matches!(kind, "cifs" | "smb3") => {
            fixes.push(Fix::lasting("mount it with the option mfsymlinks, mount.cifs(8)"));
        }
        Ability::Symlink if kind == "vboxsf" => fixes.push(
            Fix::lasting("on the host, with the machine's and the folder's names")
                .command("VBoxManage setextradata MACHINE VBoxInternal2/SharedFoldersEnableSymlinksCreate/FOLDER 1"),
        ),
        Ability::Entries | Ability::Write => {
            let has = if asked.ability == Ability::Write {
                "memory in huge pages, which is mapped"
            } else {
                "the kernel's own objects"
            };
            return vec![Fix::lasting(format!("take another directory: {} holds {has}", asked.mount.point.display()))];
        }
        Ability::Clone => {
            fixes.push(Fix::now("cp --reflink=auto", "shares blocks where that can be and copies them elsewhere"));
        }
        Ability::Symlink => fixes.push(Fix::lasting("copy what the links point to (cp -L), npm with --no-bin-links")),
        Ability::Mode | Ability::Owner if kind != "ramfs" => {
            fixes.push(Fix::lasting(
                "its mount options uid=, gid=, fmask= and dmask= set owner and permissions of all files",
            ));
        }
        Ability::Lock if matches!(kind, "nfs" | "nfs4") => {
            fixes.push(Fix::lasting("where no other machine uses these files: mount it with local_lock=all, nfs(5)"));
        }
        _ => {}
    }
    if case.clues.iter().any(|clue| clue.line.contains("unable to lock file")) {
        fixes.push(Fix::now("export HDF5_USE_FILE_LOCKING=FALSE", "HDF5 takes no locks then"));
    }
    fixes.push(Fix::lasting(format!(
        "work on a filesystem of Linux (ext4, xfs, btrfs, tmpfs): not below {}",
        asked.mount.point.display()
    )));
    fixes
}

fn possible(case: &Case, subject: &Subject) -> Finding {
    let kind = subject.path().and_then(|path| case.mount_of(path)).map_or("unknown", |mount| mount.fstype.as_str());
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("the filesystem of {subject} may not have what was asked of it"),
        summary: format!(
            "The output says what filesystems say that lack something; here {subject} is on one of the type {kind}."
        ),
        evidence: vec![
            Evidence::probe(format!("the type is {kind} here"))
                .check(format!("findmnt -T {}", crate::text::shell_word(subject.to_string()))),
        ],
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    /// `/media` of a type, with a file.
    fn stage(kind: &str) -> Stage {
        let mut stage = Stage::new(&format!(
            "21 1 254:0 / / rw - ext4 /dev/vda rw\n40 21 8:17 / /media rw - {kind} /dev/sdb1 rw\n"
        ))
        .by_root();
        stage.missing("/media/new").missing("/home/u/new").stat("/media/old", Kind::Regular, |stat| stat.mode = 0o644);
        stage.stat("/home/u/old", Kind::Regular, |_| {});
        stage
    }

    fn says(stage: &mut Stage, errno: Errno, operation: Operation, path: &str, line: &str) {
        stage.clue(errno, operation, path);
        stage.clues.last_mut().unwrap().line = line.to_owned();
    }

    #[test]
    fn a_symbolic_link_on_a_memory_stick_is_refused_by_its_type() {
        let mut stage = stage("vfat");
        let finding = stage.clue(Errno::EPERM, Operation::Symlink, "/media/new").finding(&CAUSE, "/media");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(finding.headline, "/media is vfat, which has no symbolic links");
    }

    #[test]
    fn a_hard_link_to_what_is_there_is_too() {
        let mut stage = stage("exfat");
        stage.clue(Errno::EPERM, Operation::Link, "/media/old");
        assert_eq!(stage.finding(&CAUSE, "/media").confidence, Confidence::Verified);
    }

    #[test]
    fn what_names_no_path_may_be_a_socket_s() {
        let mut stage = stage("vfat");
        stage.add(|clue| clue.errno = Some(Errno::EOPNOTSUPP));
        stage.command = ["frob", "/media/old"].map(Into::into).into();
        stage.assert_silent(&CAUSE);
        stage.clues[0].line = "open(O_TMPFILE): Operation not supported".into();
        assert_eq!(stage.found(&CAUSE), ["/media"]);
    }

    #[test]
    fn the_link_is_what_other_programs_name_second() {
        let mut stage = stage("fuseblk");
        stage.add(|clue| {
            (clue.errno, clue.operation) = (Some(Errno::ENOSYS), Some(Operation::Symlink));
            (clue.path, clue.other_path) = (Some("/home/u/old".into()), Some("/media/new".into()));
        });
        assert_eq!(stage.finding(&CAUSE, "/media").confidence, Confidence::Likely);
    }

    #[test]
    fn a_shared_folder_says_read_only_of_a_link_although_it_takes_writes() {
        let mut stage = stage("vboxsf");
        stage.clue(Errno::EROFS, Operation::Symlink, "/media/new");
        assert_eq!(stage.finding(&CAUSE, "/media").confidence, Confidence::Likely);
    }

    #[test]
    fn modes_and_owners_are_told_from_the_words() {
        for (line, words) in
            [("changing permissions of 'old'", "permissions"), ("changing ownership of 'old'", "owners")]
        {
            let mut stage = stage("vfat");
            says(&mut stage, Errno::EPERM, Operation::Attribute, "/media/old", line);
            let finding = stage.finding(&CAUSE, "/media");
            assert!(finding.headline.contains(words) && finding.confidence == Confidence::Verified, "{finding:?}");
        }
    }

    #[test]
    fn a_program_without_execute_bit_keeps_none_there() {
        let mut stage = stage("vboxsf");
        stage.clue(Errno::EACCES, Operation::Execute, "/media/old");
        assert_eq!(stage.finding(&CAUSE, "/media").confidence, Confidence::Verified);
    }

    #[test]
    fn refused_locks_below_a_home_directory_on_the_network_are_possible() {
        let mut stage =
            Stage::new("21 1 254:0 / / rw - ext4 /dev/vda rw\n40 21 0:50 / /home rw - nfs4 server:/home rw\n");
        stage.add(|clue| clue.errno = Some(Errno::ENOLCK));
        assert_eq!(stage.finding(&CAUSE, "/home").confidence, Confidence::Possible);
    }

    #[test]
    fn a_log_that_names_it_first_is_possible_here() {
        let mut stage = stage("ext4");
        stage.mode = Mode::Log;
        stage.clue(Errno::ENOSYS, Operation::Symlink, "/media/new");
        stage.clues[0].suspects = vec![ID.to_owned()];
        assert_eq!(stage.finding(&CAUSE, "/media/new").confidence, Confidence::Possible);
    }

    #[test]
    fn a_filesystem_of_linux_is_silence() {
        for (errno, operation) in
            [(Errno::EPERM, Operation::Symlink), (Errno::ENOSYS, Operation::Link), (Errno::ENOLCK, Operation::Lock)]
        {
            stage("ext4").clue(errno, operation, "/media/new").assert_silent(&CAUSE);
        }
    }

    #[test]
    fn a_user_who_may_not_change_owners_anywhere_is_silence() {
        let mut stage = stage("vfat");
        stage.surroundings.identity.uid = 1000;
        stage.surroundings.identity.capabilities = 0;
        says(&mut stage, Errno::EPERM, Operation::Attribute, "/media/old", "changing ownership of 'old'");
        stage.assert_silent(&CAUSE);
    }

    #[test]
    fn other_failures_there_are_silence() {
        stage("vfat").clue(Errno::ENOENT, Operation::Read, "/media/new").assert_silent(&CAUSE);
        stage("vfat").clue(Errno::ENOSPC, Operation::Create, "/media/new").assert_silent(&CAUSE);
        stage("vboxsf").clue(Errno::EROFS, Operation::Create, "/media/new").assert_silent(&CAUSE);
    }

    #[test]
    fn a_link_elsewhere_that_points_there_is_silence() {
        let mut stage = stage("vfat");
        stage.add(|clue| {
            (clue.errno, clue.operation) = (Some(Errno::EPERM), Some(Operation::Symlink));
            (clue.path, clue.other_path) = (Some("/media/old".into()), Some("/home/u/new".into()));
        });
        stage.assert_silent(&CAUSE);
    }
}
