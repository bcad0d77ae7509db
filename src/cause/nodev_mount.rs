//! A device file lies on a mount with `nodev`: it is there, its permissions fit, and nobody may open it.

use super::mount_option::Forbids;
use super::refused;
use super::{Case, Cause, Evidence, Fix, Suspect, Verdict};
use crate::probe::walk::Why;
use crate::sys::errno::Errno;

const ID: &str = "nodev-mount";

pub const CAUSE: Cause =
    Cause { id: ID, page: include_str!("../../docs/causes/nodev-mount.md"), suspects, covers: &[], check };

fn suspects(case: &Case) -> Vec<Suspect> {
    refused::suspects(case, ID, &[Errno::EACCES], |_, obstacle| {
        (obstacle.why == Why::NoDev).then(|| obstacle.at.clone())
    })
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may open no devices", |tried, obstacle| {
        let mount = case.mounts.at(&obstacle.at).filter(|_| obstacle.why == Why::NoDev)?;
        let (file, point) = (tried.path.display(), mount.point.display());
        let headline = format!("{point} is mounted nodev: no device file on it is opened");
        let summary =
            format!("{file} is a device file on {point}, which is mounted nodev: the kernel opens none there.");
        let mut finding = refused::found(case, suspect, headline, summary);
        let forbids = Forbids { case, mount, option: "nodev", opposite: "dev" };
        finding.evidence = forbids.evidence();
        finding.evidence.extend(tried.walked.stat.as_ref().map(|stat| {
            let kind = refused::kind(stat.kind);
            Evidence::probe(format!("{file} is {kind}")).check(format!("ls -l {}", case.quoted(&tried.path)))
        }));
        finding.fixes.push(Fix::lasting("use the device file below /dev, which the kernel keeps"));
        finding.fixes.extend(forbids.fixes());
        Some(Verdict::Found(Box::new(finding)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::cause::Confidence;
    use crate::clue::Operation;
    use crate::machine::Kind;

    fn stage(options: &str, kind: Kind) -> Stage {
        let mut stage = Stage::new(&format!(
            "21 1 254:0 / / rw - ext4 /dev/vda rw\n40 21 254:16 / /jail {options} - ext4 /dev/vdb rw\n"
        ))
        .by_root();
        stage.stat("/jail/null", kind, |stat| stat.mode = 0o666);
        stage
    }

    #[test]
    fn a_device_file_there_is_told_with_the_option() {
        let mut stage = stage("rw,nosuid,nodev", Kind::CharacterDevice);
        let finding = stage.clue(Errno::EACCES, Operation::Read, "/jail/null").finding(&CAUSE, "/jail");
        assert_eq!(finding.confidence, Confidence::Verified);
        assert!(finding.fixes.iter().any(|fix| fix.command.as_deref() == Some("mount -o remount,dev /jail")));
    }

    #[test]
    fn a_redirection_to_it_is_told_too() {
        let mut stage = stage("rw,nodev", Kind::BlockDevice);
        assert_eq!(
            stage.clue(Errno::EACCES, Operation::Create, "/jail/null").finding(&CAUSE, "/jail").confidence,
            Confidence::Verified
        );
    }

    #[test]
    fn a_mount_that_opens_devices_is_silence() {
        stage("rw", Kind::CharacterDevice).clue(Errno::EACCES, Operation::Read, "/jail/null").assert_silent(&CAUSE);
    }

    #[test]
    fn a_regular_file_there_is_silence() {
        stage("rw,nodev", Kind::Regular).clue(Errno::EACCES, Operation::Read, "/jail/null").assert_silent(&CAUSE);
    }

    #[test]
    fn removing_the_device_file_is_silence() {
        stage("rw,nodev", Kind::CharacterDevice)
            .clue(Errno::EACCES, Operation::Remove, "/jail/null")
            .assert_silent(&CAUSE);
    }
}
