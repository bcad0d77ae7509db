//! The mount that holds the path takes no writes (EROFS). What to do depends on why, and some programs report it as something
//! else: npm says that the file was not found, what asks access(2) first says that permission was denied.

use super::spoken::leads_with;
use super::{Case, Cause, Confidence, Evidence, Finding, Fix, Mode, Seen, Subject, Suspect, Verdict, refused};
use crate::clue::{Clue, Operation};
use crate::command_line;
use crate::machine::{Identity, KernelMessage};
use crate::probe::origin::{Line, Said};
use crate::probe::path::Resolved;
use crate::probe::read_only::{self, Reason};
use crate::sys::errno::Errno;
use crate::sys::mounts::Mount;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ID: &str = "read-only-filesystem";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/read-only-filesystem.md"),
    suspects,
    covers: &["missing-path"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    // The mount may have been read-only for long: a cache that could not be written is not why a later test failed.
    let told: Vec<(usize, &Clue)> = match case.mode {
        Mode::Run => refused::messages(case).collect(),
        Mode::Log => case.clues.iter().enumerate().collect(),
    };
    let mut suspects: Vec<Suspect> = told.into_iter().flat_map(|(index, clue)| of_clue(case, index, clue)).collect();
    if !case.clues.is_empty() && case.clues.iter().all(|clue| clue.vague) {
        suspects.extend(places_to_write(case).map(|point| suspect(point, None, false)));
    }
    suspects
}

fn suspect(point: PathBuf, clue: Option<usize>, touched: bool) -> Suspect {
    Suspect { subject: Subject::Path(point), clue, touched }
}

fn of_clue(case: &Case, index: usize, clue: &Clue) -> Vec<Suspect> {
    if !says_read_only(clue) && !may_hide_it(clue) {
        return Vec::new();
    }
    let paths = [&clue.path, &clue.other_path].into_iter().flatten();
    let named: Vec<&Mount> = paths.filter_map(|path| case.mount_of(path)).collect();
    if says_read_only(clue) && !named.iter().any(|mount| read_only::is_read_only(mount)) {
        // What only may mean it and has a path is about that path.
        let is_open = clue.errno == Some(Errno::EROFS) || named.is_empty();
        let elsewhere = places_to_write(case).chain(places_of_command(case)).filter(|_| is_open);
        let elsewhere = elsewhere.map(|point| suspect(point, Some(index), false));
        return named
            .into_iter()
            .map(|mount| suspect(mount.point.clone(), Some(index), true))
            .chain(elsewhere)
            .collect();
    }
    let concerned = named.into_iter().filter(|mount| says_read_only(clue) || read_only::is_read_only(mount));
    concerned.map(|mount| suspect(mount.point.clone(), Some(index), true)).collect()
}

/// Whether the message says what the kernel said.
fn says_read_only(clue: &Clue) -> bool {
    // Words of something else are about a mount where they tell of a change.
    let may_say = !clue.loose || leads_with(clue, ID) || clue.operation.is_some_and(Operation::changes);
    clue.errno == Some(Errno::EROFS) || clue.suspects(ID) && may_say
}

/// Whether a refused change was reported by another errno: an answer to something else that the program asked before or after. What is to
/// be removed or changed has to be there, and where it is not, no mount is asked.
fn may_hide_it(clue: &Clue) -> bool {
    let wants_a_file = matches!(clue.operation, Some(Operation::Remove | Operation::Attribute));
    let other = match clue.errno {
        None | Some(Errno::EACCES | Errno::EPERM) => true,
        Some(Errno::ENOENT) => !wants_a_file,
        Some(_) => false,
    };
    other && clue.operation.is_some_and(Operation::changes)
}

/// Mounts that programs write to without saying so and that are read-only: those of TMPDIR and HOME. The working directory is
/// none of them, because many a program only reads there.
fn places_to_write<'a>(case: &Case<'a>) -> impl Iterator<Item = PathBuf> + use<'a> {
    let surroundings = case.surroundings();
    let variables = ["HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"];
    let named = variables.iter().filter_map(|name| surroundings.directory(name));
    let mounts: Vec<&Mount> =
        std::iter::once(surroundings.tmpdir()).chain(named).filter_map(|path| case.mount_of(&path)).collect();
    mounts.into_iter().filter(|mount| read_only::is_read_only(mount)).map(|mount| mount.point.clone())
}

/// Read-only mounts that hold what the command line names: the message may name another path, or one relative to a directory
/// that the command went to.
fn places_of_command<'a>(case: &Case<'a>) -> impl Iterator<Item = PathBuf> + use<'a> {
    let cwd = &case.surroundings().cwd;
    let is_path = |path: &&Path| path.components().count() > 1 || case.mounts.at(&cwd.join(path)).is_some();
    let named = command_line::paths_of(case.command).filter(is_path);
    let mounts: Vec<&Mount> = named.filter_map(|path| case.mount_of(path)).collect();
    mounts.into_iter().filter(|mount| read_only::is_read_only(mount)).map(|mount| mount.point.clone())
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    let mount = suspect.subject.path().and_then(|point| case.mounts.at(point));
    let Some(mount) = mount else { return Verdict::Unknown("the mount is gone".into()) };
    let clue = suspect.clue.map(|index| &case.clues[index]);
    let path = clue.and_then(|clue| on(case, clue, mount));
    let directory = path.as_ref().map_or_else(|| mount.point.clone(), |path| case.directory_of(path));
    match read_only::reason(case.machine, mount, &directory) {
        Some(reason) => {
            let confidence = confidence(case, suspect, clue, path.as_ref());
            Verdict::Found(Box::new(Failure { case, mount, directory: &directory }.found(&reason, confidence)))
        }
        None if case.mode == Mode::Log && clue.is_some() => Verdict::Found(Box::new(said(case, mount))),
        None => Verdict::RuledOut(format!(
            "{} is mounted read-write here; what was refused may have run in a mount namespace of its own",
            mount.point.display()
        )),
    }
}

/// The path of a clue that lies on this mount.
fn on(case: &Case, clue: &Clue, mount: &Mount) -> Option<Resolved> {
    let paths = [&clue.path, &clue.other_path].into_iter().flatten();
    paths.filter_map(|path| case.resolve(path)).find(|path| case.mounts.holding(&path.existing) == Some(mount))
}

fn confidence(case: &Case, suspect: &Suspect, clue: Option<&Clue>, path: Option<&Resolved>) -> Confidence {
    let Some(clue) = clue else { return Confidence::Possible };
    if says_read_only(clue) {
        let places = || places_to_write(case).chain(places_of_command(case));
        let alone = || places().collect::<std::collections::BTreeSet<_>>().len() == 1;
        return match (suspect.touched, alone()) {
            (true, _) => Confidence::Verified,
            (false, true) => Confidence::Likely,
            (false, false) => Confidence::Possible,
        };
    }
    // To make a name in a directory that is there cannot fail for want of that name: the report hides the reason.
    let hides = clue.errno == Some(Errno::ENOENT)
        && matches!(clue.operation, Some(Operation::Create | Operation::Mkdir | Operation::Symlink))
        && path.is_some_and(|path| path.missing.components().count() == 1);
    if hides { Confidence::Verified } else { Confidence::Likely }
}

/// A refused change and where it was refused.
struct Failure<'a> {
    case: &'a Case<'a>,
    mount: &'a Mount,
    directory: &'a Path,
}

impl Failure<'_> {
    fn found(&self, reason: &Reason, confidence: Confidence) -> Finding {
        let point = self.mount.point.display();
        let why = self.why(reason);
        Finding {
            confidence,
            seen: Some(Seen::Now),
            headline: format!("{} is read-only: {why}", self.what(reason)),
            summary: format!("{point} ({}) takes no writes: {why}.", self.mount.fstype),
            evidence: self.evidence(reason),
            fixes: self.possible_fixes(reason),
        }
    }

    /// In a container or sandbox without the right to mount, only those outside can help.
    fn possible_fixes(&self, reason: &Reason) -> Vec<Fix> {
        let identity = &self.case.surroundings().identity;
        let mut fixes = self.fixes(reason);
        if identity.uid == 0 && !identity.has(Identity::SYS_ADMIN) {
            fixes.retain(|fix| fix.lasting);
            fixes
                .push(Fix::lasting("what started this container or sandbox decides; from inside it cannot be changed"));
        }
        fixes
    }

    fn what(&self, reason: &Reason) -> String {
        let shown = if *reason == Reason::Subvolume { self.directory } else { &self.mount.point };
        shown.display().to_string()
    }

    /// A fragment that says why.
    fn why(&self, reason: &Reason) -> String {
        match reason {
            Reason::Image => format!("{} is an image that is never written", self.mount.fstype),
            Reason::NoUpperLayer => "this overlay has no upper directory to write to".into(),
            Reason::Device(device) => format!("the device {} refuses writes", device.node.display()),
            Reason::Error { device, .. } => {
                format!("the kernel stopped writing to {} when it met an error", device.node.display())
            }
            Reason::Said(said) => format!("{} asks for it", said.line),
            Reason::KernelCommandLine => "the kernel was started with ro and nothing remounted it".into(),
            Reason::Subvolume => "its btrfs subvolume is a read-only one".into(),
            Reason::Container(runtime) => format!("the container mounts it so ({runtime})"),
            Reason::Service(unit, setting) => format!("{}={} of {unit} makes it so", setting.key, setting.value),
            Reason::BindMount => "this mount of it has the option ro, the filesystem itself takes writes".into(),
            Reason::Option { .. } => "it was mounted with the option ro".into(),
        }
    }

    fn evidence(&self, reason: &Reason) -> Vec<Evidence> {
        let point = self.case.quoted(&self.mount.point);
        let options = format!("{} has the mount options {}", self.mount.point.display(), self.mount.options.join(","));
        let of_filesystem = format!("and the filesystem's are {}", self.mount.super_options.join(","));
        let check = format!("findmnt -no VFS-OPTIONS,FS-OPTIONS {point}");
        let mut evidence = vec![Evidence::probe(format!("{options}; {of_filesystem}")).check(check)];
        evidence.extend(self.of_reason(reason));
        evidence
    }

    fn of_reason(&self, reason: &Reason) -> Option<Evidence> {
        match reason {
            Reason::Device(device) => {
                let text = format!("/sys/dev/block/{}:{}/ro is 1", device.numbers.0, device.numbers.1);
                Some(Evidence::probe(text).check(format!("lsblk -o NAME,RO {}", self.case.quoted(&device.node))))
            }
            Reason::Error { message, device } => message.as_ref().map_or_else(
                || Some(Evidence::probe("the filesystem counted errors").check(self.log_of(&device.name))),
                |(message, age)| Some(Evidence::probe(said_by_kernel(message, *age)).check(self.log_of(&device.name))),
            ),
            Reason::Said(said) | Reason::Option { unlike: Some(said) } => Some(asked_for(said)),
            Reason::Service(unit, setting) => Some(
                Evidence::probe(format!("{}: {}", setting.line, setting.line.text))
                    .check(format!("systemctl cat {unit}")),
            ),
            Reason::Subvolume => {
                let check = format!("btrfs property get -ts {} ro", self.case.quoted(self.directory));
                Some(Evidence::probe("its subvolume has the property ro=true").check(check))
            }
            Reason::Image
            | Reason::NoUpperLayer
            | Reason::KernelCommandLine
            | Reason::Container(_)
            | Reason::BindMount
            | Reason::Option { unlike: None } => None,
        }
    }

    fn log_of(&self, device: &str) -> String {
        self.case.as_root(&format!("dmesg -T | grep -w {}", self.case.quoted(device.as_ref())))
    }

    /// The one way out that fits the reason, safest first. A filesystem that met an error is never simply remounted.
    fn fixes(&self, reason: &Reason) -> Vec<Fix> {
        let point = self.case.quoted(&self.mount.point);
        let remount = self.case.as_root(&format!("mount -o remount,rw {point}"));
        match reason {
            Reason::Image | Reason::NoUpperLayer => vec![Fix::lasting("write to another filesystem")],
            Reason::Device(device) => {
                let node = self.case.quoted(&device.node);
                let unlock = self.case.as_root(&format!("blockdev --setrw {node}"));
                vec![
                    Fix::now(unlock, "after its write-protect switch, or what attached it read-only, is seen to"),
                    Fix::now(remount, "afterwards"),
                ]
            }
            Reason::Error { device, .. } => self.repair(&self.case.quoted(&device.node)),
            Reason::Said(said) => vec![
                Fix::now(remount, "until the next boot"),
                Fix::lasting(format!("{}: put rw in the place of ro", said.line)),
            ],
            Reason::KernelCommandLine => {
                vec![Fix::now(remount, "until the next boot"), Fix::lasting("add a line for / with rw to /etc/fstab")]
            }
            Reason::Subvolume => self.of_subvolume(),
            Reason::Container(_) => vec![Fix::lasting(format!(
                "start the container with a writable volume or a tmpfs there (docker run --tmpfs {point}, or -v …:{point} without :ro)"
            ))],
            Reason::Service(unit, _) => vec![
                Fix::lasting(format!("add ReadWritePaths=… below [Service] for what {unit} must write"))
                    .command(self.case.as_root(&format!("systemctl edit {unit}"))),
            ],
            Reason::BindMount => vec![Fix::now(
                self.case.as_root(&format!("mount -o remount,bind,rw {point}")),
                "for this mount alone, until it is unmounted",
            )],
            Reason::Option { .. } => vec![Fix::now(remount, "if it was not meant so")],
        }
    }

    fn repair(&self, device: &str) -> Vec<Fix> {
        let point = self.case.quoted(&self.mount.point);
        let first = Fix::lasting("save what matters from it first; an error of the medium comes back");
        if self.mount.point == Path::new("/") {
            let text =
                "boot once with fsck.mode=force on the kernel's command line: a root filesystem is repaired at boot";
            return vec![first, Fix::lasting(text)];
        }
        let repair = match self.mount.fstype.as_str() {
            "btrfs" => format!("btrfs check --readonly {device}"),
            "xfs" => format!("xfs_repair {device}"),
            _ => format!("fsck -f {device}"),
        };
        let mount = format!("mount {device} {point}");
        vec![
            first,
            Fix::now(self.case.as_root(&format!("umount {point}")), "nothing may use it"),
            Fix::now(self.case.as_root(&repair), "shows and repairs the damage"),
            Fix::now(self.case.as_root(&mount), "when it is clean"),
        ]
    }

    fn of_subvolume(&self) -> Vec<Fix> {
        let directory = self.case.quoted(self.directory);
        let copy = format!("btrfs subvolume snapshot {directory} {directory}-rw");
        let release = format!("btrfs property set -ts {directory} ro false");
        vec![
            Fix::now(
                self.case.as_root(&copy),
                "a copy that takes writes and shares the space; put it where it is needed",
            ),
            Fix::lasting("if it is no snapshot that a backup relies on").command(self.case.as_root(&release)),
        ]
    }
}

fn asked_for(said: &Said) -> Evidence {
    let Line { file, number, .. } = &said.line;
    let check = format!("sed -n {number}p {}", crate::text::shell_word(file));
    Evidence::probe(format!("{} asks for {}", said.line, said.options)).check(check)
}

fn said_by_kernel(message: &KernelMessage, age: Duration) -> String {
    format!(
        "the kernel's log, {} ago: {}",
        humantime::format_duration(Duration::from_secs(age.as_secs())),
        message.text
    )
}

fn said(case: &Case, mount: &Mount) -> Finding {
    let point = mount.point.display();
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("{point} may have been read-only"),
        summary: format!("The output says that a filesystem was read-only; {point} is mounted read-write now."),
        evidence: vec![
            Evidence::probe(format!("{point} has the mount options {}", mount.options.join(",")))
                .check(format!("findmnt -T {}", case.quoted(&mount.point))),
        ],
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::machine::Kind;
    use crate::machine::{KernelLog, Unknown};

    const LOG: &str = "kernel-log Remounting filesystem read-only|forced readonly|Filesystem has been set read-only\
        |mounted filesystem|mount of filesystem|re-mounted";

    /// `/srv` with these options of the mount and the filesystem.
    fn stage(mount: &str, filesystem: &str) -> Stage {
        let mut stage = Stage::new(&format!(
            "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n40 21 254:16 / /srv {mount} - ext4 /dev/vdb {filesystem}\n"
        ));
        stage.missing("/srv/new").missing("/home/u/new");
        stage.knows("readlink /sys/dev/block/254:16", Ok::<_, Unknown>("../../devices/virtual/block/vdb"));
        stage.file("/sys/dev/block/254:16/ro", "0\n").file("/sys/fs/ext4/vdb/errors_count", "0\n");
        stage
    }

    fn refused(mount: &str, filesystem: &str) -> Stage {
        let mut stage = stage(mount, filesystem);
        stage.clue(Errno::EROFS, Operation::Create, "/srv/new");
        stage
    }

    fn log(messages: &[(u64, &str)]) -> KernelLog {
        let message = |(at_us, text): &(u64, &str)| KernelMessage { at_us: *at_us, level: 3, text: (*text).to_owned() };
        KernelLog { now_us: 60_000_000, messages: messages.iter().map(message).collect() }
    }

    fn commands(finding: &Finding) -> Vec<&str> {
        finding.fixes.iter().filter_map(|fix| fix.command.as_deref()).collect()
    }

    #[test]
    fn a_mount_option_is_undone_by_a_remount() {
        let finding = refused("ro,relatime", "ro").finding(&CAUSE, "/srv");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert_eq!(commands(&finding), ["sudo mount -o remount,rw /srv"]);
    }

    #[test]
    fn a_read_only_mount_that_only_the_command_line_names_is_likely() {
        let mut stage = stage("ro,relatime", "ro");
        stage.stat("/home/u/a", Kind::Regular, |_| {}).clue(Errno::EROFS, Operation::Create, "a");
        stage.assert_silent(&CAUSE);
        stage.command = ["unpack", "a.zip", "--to=/srv"].map(Into::into).into();
        assert_eq!(stage.finding(&CAUSE, "/srv").confidence, Confidence::Likely);
    }

    #[test]
    fn a_line_of_fstab_is_named_with_its_number() {
        let mut stage = refused("ro,relatime", "ro");
        let finding = stage.file("/etc/fstab", "# table\n/dev/vdb /srv ext4 ro 0 2\n").finding(&CAUSE, "/srv");
        assert!(finding.headline.ends_with("/etc/fstab line 2 asks for it"), "{finding:?}");
    }

    #[test]
    fn after_an_error_the_advice_is_to_check_and_never_to_remount() {
        let mut stage = refused("rw,relatime", "rw,errors=remount-ro,emergency_ro");
        let text = "EXT4-fs (vdb): Remounting filesystem read-only";
        let finding = stage.knows(LOG, Ok::<_, Unknown>(log(&[(18_000_000, text)]))).finding(&CAUSE, "/srv");
        assert_eq!(commands(&finding), ["sudo umount /srv", "sudo fsck -f /dev/vdb", "sudo mount /dev/vdb /srv"]);
        assert!(
            finding.evidence.iter().any(|evidence| evidence.text.contains("42s ago") && evidence.text.contains(text))
        );
    }

    #[test]
    fn a_message_about_an_earlier_mount_of_the_device_is_not_the_reason() {
        let mut stage = refused("ro,relatime", "ro");
        stage.knows(
            LOG,
            Ok::<_, Unknown>(log(&[
                (1, "EXT4-fs (vdb): Remounting filesystem read-only"),
                (
                    2,
                    "EXT4-fs (vdb): mounted filesystem 00000000-0000-0000-0000-000000000000 ro with ordered data mode.",
                ),
            ])),
        );
        assert_eq!(commands(&stage.finding(&CAUSE, "/srv")), ["sudo mount -o remount,rw /srv"]);
    }

    #[test]
    fn a_device_that_refuses_writes_is_unlocked_first() {
        let mut stage = refused("ro,relatime", "ro");
        let finding = stage.file("/sys/dev/block/254:16/ro", "1\n").finding(&CAUSE, "/srv");
        assert_eq!(commands(&finding)[0], "sudo blockdev --setrw /dev/vdb");
    }

    #[test]
    fn a_bind_mount_is_remounted_alone() {
        let finding = refused("ro,relatime", "rw").finding(&CAUSE, "/srv");
        assert_eq!(commands(&finding), ["sudo mount -o remount,bind,rw /srv"]);
    }

    #[test]
    fn a_service_is_told_which_setting_of_its_unit_does_it() {
        let mut stage = refused("ro,relatime", "rw");
        stage.file("/proc/self/cgroup", "0::/system.slice/web.service\n");
        stage.stat("/usr/lib/systemd/system/web.service", Kind::Regular, |_| {});
        stage.file("/usr/lib/systemd/system/web.service", "[Service]\nExecStart=/bin/web\nProtectSystem=strict\n");
        let finding = stage.finding(&CAUSE, "/srv");
        assert!(finding.headline.ends_with("ProtectSystem=strict of web.service makes it so"), "{finding:?}");
        assert_eq!(commands(&finding), ["sudo systemctl edit web.service"]);
    }

    #[test]
    fn a_container_without_the_right_to_mount_gets_no_mount_command() {
        let table = "21 1 0:50 / / ro - overlay overlay rw,upperdir=/u\n40 21 254:16 /v /srv ro - ext4 /dev/vdb rw\n";
        let mut stage = Stage::new(table);
        stage.missing("/srv/new").clue(Errno::EROFS, Operation::Create, "/srv/new");
        stage.surroundings.identity.uid = 0;
        stage.stat("/.dockerenv", Kind::Regular, |_| {});
        let finding = stage.finding(&CAUSE, "/srv");
        assert!(
            finding.headline.ends_with("the container mounts it so (Docker)") && commands(&finding).is_empty(),
            "{finding:?}"
        );
    }

    #[test]
    fn a_virtual_machine_with_the_marks_of_a_container_is_none() {
        let mut stage = refused("ro,relatime", "rw");
        let finding = stage.stat("/.dockerenv", Kind::Regular, |_| {}).finding(&CAUSE, "/srv");
        assert_eq!(commands(&finding), ["sudo mount -o remount,bind,rw /srv"]);
    }

    #[test]
    fn a_name_that_is_not_found_when_it_is_to_be_made_hides_the_reason() {
        let mut stage = stage("ro,relatime", "rw");
        let finding = stage.clue(Errno::ENOENT, Operation::Mkdir, "/srv/new").finding(&CAUSE, "/srv");
        assert_eq!(finding.confidence, Confidence::Verified);
    }

    #[test]
    fn a_refused_permission_on_a_read_only_mount_is_likely_its_doing() {
        let mut stage = stage("ro,relatime", "rw");
        let finding = stage.clue(Errno::EACCES, Operation::Create, "/srv/new").finding(&CAUSE, "/srv");
        assert_eq!(finding.confidence, Confidence::Likely);
    }

    #[test]
    fn a_vague_failure_with_a_temporary_directory_that_takes_no_writes_is_possible() {
        let mut stage = stage("ro,relatime", "rw");
        stage.surroundings.env.insert("TMPDIR".into(), crate::text::Bytes(b"/srv".to_vec()));
        assert_eq!(stage.vague().finding(&CAUSE, "/srv").confidence, Confidence::Possible);
    }

    #[test]
    fn reading_from_a_read_only_mount_is_silence() {
        for operation in [Operation::Read, Operation::Remove, Operation::Attribute] {
            stage("ro,relatime", "ro").clue(Errno::ENOENT, operation, "/srv/new").assert_silent(&CAUSE);
        }
    }

    #[test]
    fn a_mount_that_takes_writes_is_silence() {
        refused("rw,relatime", "rw").assert_silent(&CAUSE);
    }

    #[test]
    fn a_missing_directory_on_a_mount_that_takes_writes_is_silence() {
        stage("rw,relatime", "rw").clue(Errno::ENOENT, Operation::Mkdir, "/srv/new").assert_silent(&CAUSE);
    }

    #[test]
    fn a_vague_failure_in_a_working_directory_that_takes_no_writes_is_silence() {
        let mut stage = stage("ro,relatime", "ro");
        stage.surroundings.cwd = "/srv".into();
        stage.vague().assert_silent(&CAUSE);
    }

    #[test]
    fn a_full_disk_is_not_a_read_only_one() {
        stage("ro,relatime", "ro").clue(Errno::ENOSPC, Operation::Create, "/srv/new").assert_silent(&CAUSE);
    }
}
