//! The kernel protects shared directories: in /tmp a file or FIFO of somebody else is not opened with `O_CREAT`, a link of somebody
//! else is not followed, and what one may not write gets no other name. For some of it being root does not help.

use super::refused::{self, listed, user};
use super::{Case, Cause, Evidence, Fix, Suspect, Verdict};
use crate::machine::Stat;
use crate::probe::walk::{Obstacle, PROTECTED_FIFOS, PROTECTED_HARDLINKS, PROTECTED_SYMLINKS, Why};
use crate::sys::errno::Errno;

const ID: &str = "protected-file";

pub const CAUSE: Cause = Cause {
    id: ID,
    page: include_str!("../../docs/causes/protected-file.md"),
    suspects,
    covers: &["permission-denied"],
    check,
};

fn suspects(case: &Case) -> Vec<Suspect> {
    refused::suspects(case, ID, &[Errno::EACCES, Errno::EPERM], |_, obstacle| {
        protected(obstacle).map(|_| obstacle.at.clone())
    })
}

fn protected(obstacle: &Obstacle) -> Option<(&'static str, &Stat)> {
    match &obstacle.why {
        Why::Protected { sysctl, stat } => Some((sysctl, stat)),
        _ => None,
    }
}

fn check(case: &Case, suspect: &Suspect) -> Verdict {
    refused::verdict(case, suspect, "may be protected by the kernel", |tried, obstacle| {
        let (sysctl, stat) = protected(obstacle)?;
        let at = obstacle.at.display();
        let name = sysctl.replace('/', ".");
        let (owner, who) = (case.machine.user(stat.uid), user(case, &tried.who));
        let headline = format!("{at} belongs to {owner}, and {name} protects it");
        let summary =
            format!("{at} belongs to {owner}: {}, so that {who} is refused whatever the mode says.", rule(sysctl));
        let mut finding = refused::found(case, suspect, headline, summary);
        let value = case.machine.sysctl(sysctl).map_or_else(|_| "set".into(), |value| value.to_string());
        finding
            .evidence
            .push(Evidence::probe(format!("{name} is {value}: {}", rule(sysctl))).check(format!("sysctl {name}")));
        let directory = obstacle.at.parent().and_then(|parent| Some((parent, case.machine.stat(parent).ok()?)));
        finding.evidence.push(listed(case, &obstacle.at, stat));
        finding.evidence.extend(directory.map(|(path, stat)| listed(case, path, &stat)));
        finding
            .fixes
            .push(Fix::lasting(format!("use another name or a directory of one's own; {owner} may remove this one")));
        Some(Verdict::Found(Box::new(finding)))
    })
}

/// What the sysctl does, `proc_sys_fs(5)`.
fn rule(sysctl: &str) -> &'static str {
    match sysctl {
        PROTECTED_SYMLINKS => "links of others in a sticky directory are not followed",
        PROTECTED_HARDLINKS => "what one neither owns nor may write gets no hard link",
        PROTECTED_FIFOS => "FIFOs of others in a sticky directory are not opened to be made, not even by root",
        _ => "files of others in a sticky directory are not opened to be made, not even by root",
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::clue::Operation;
    use crate::machine::Kind;

    fn stage(value: &str) -> Stage {
        let mut stage = Stage::new("21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n").by_root();
        stage.stat("/tmp", Kind::Directory, |stat| stat.mode = 0o1777).file("/proc/sys/fs/protected_regular", value);
        stage.stat("/tmp/x", Kind::Regular, |stat| (stat.uid, stat.mode) = (1001, 0o666));
        stage.clue(Errno::EACCES, Operation::Create, "/tmp/x");
        stage
    }

    #[test]
    fn root_is_refused_the_file_of_a_user() {
        let finding = stage("2\n").finding(&CAUSE, "/tmp/x");
        assert!(finding.evidence[0].text.starts_with("fs.protected_regular is 2"), "{finding:?}");
    }

    #[test]
    fn without_the_sysctl_it_is_silence() {
        stage("0\n").assert_silent(&CAUSE);
    }

    #[test]
    fn a_directory_that_is_not_sticky_is_silence() {
        let mut stage = stage("2\n");
        stage.stat("/tmp", Kind::Directory, |stat| stat.mode = 0o777).assert_silent(&CAUSE);
    }
}
