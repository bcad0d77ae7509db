//! For the unit tests of causes: a failure on a machine that is built by hand, fact by fact, and played back.

use crate::cause::{Case, Cause, Finding, Mode, Suspect, Verdict};
use crate::clue::{Clue, Operation};
use crate::machine::{Answer, Entry, Kind, Listing, Machine, Record, Stat, Surroundings, Unknown};
use crate::outcome::Outcome;
use crate::sys::errno::Errno;
use crate::sys::fs::Space;
use crate::text::Bytes;
use crate::transcript::Transcript;
use crate::watch::Watched;
use serde::Serialize;
use std::path::Path;

/// A failure and the machine that it happened on.
pub struct Stage {
    /// What the machine answers.
    pub record: Record,
    /// What the child was given: an ordinary user without capabilities in `/home/u`, where a test does not say otherwise.
    pub surroundings: Surroundings,
    /// Watched, where a test does not say otherwise.
    pub mode: Mode,
    /// `tool`, where a test does not say otherwise.
    pub command: Vec<std::ffi::OsString>,
    /// Exit status 1, where a test does not say otherwise.
    pub outcome: Outcome,
    /// Nothing, where a test does not say otherwise.
    pub watched: Watched,
    /// What failed.
    pub clues: Vec<Clue>,
    /// What the command wrote; where a test does not say so, that it failed if there are clues.
    pub said: Option<&'static str>,
}

impl Stage {
    /// A machine with this mount table (lines of `proc_pid_mountinfo(5)`), whose mount points are directories.
    pub fn new(mountinfo: &str) -> Self {
        let surroundings = Surroundings { cwd: "/home/u".into(), ..Surroundings::default() };
        let mut stage = Self {
            record: Record::default(),
            surroundings,
            mode: Mode::Run,
            command: vec!["tool".into()],
            outcome: Outcome::Exited { code: 1 },
            watched: Watched::default(),
            clues: Vec::new(),
            said: None,
        };
        stage.surroundings.identity.uid = 1000;
        stage.knows("mounts", Ok(Bytes(mountinfo.into())));
        for mount in crate::sys::mounts::Mounts::parse(mountinfo.as_bytes()).0 {
            stage.directory(mount.point.to_str().expect("a plain mount point"));
        }
        stage.directory("/home/u");
        stage
    }

    /// The same as root, with every capability.
    pub fn by_root(mut self) -> Self {
        self.surroundings.identity.uid = 0;
        self.surroundings.identity.capabilities = u64::MAX;
        self
    }

    /// An answer to a question by its key.
    #[expect(clippy::needless_pass_by_value, reason = "an answer is written down where it is given")]
    pub fn knows<T: Serialize>(&mut self, key: &str, answer: Answer<T>) -> &mut Self {
        self.record.put(key, &answer);
        self
    }

    /// A directory, with those above it.
    pub fn directory(&mut self, path: &str) -> &mut Self {
        for above in Path::new(path).ancestors().filter(|above| above.as_os_str() != "/") {
            self.stat(above.to_str().expect("a plain path"), Kind::Directory, |_| {});
        }
        self
    }

    /// The status of a file, with changes to the plainest one.
    pub fn stat(&mut self, path: &str, kind: Kind, change: impl FnOnce(&mut Stat)) -> &mut Self {
        let mut stat = Stat {
            kind,
            device: 1,
            inode: 2,
            mode: 0o755,
            links: 2,
            uid: 0,
            gid: 0,
            size: 4096,
            occupied: 4096,
            modified: 0,
            represents: 0,
        };
        change(&mut stat);
        self.knows(&format!("stat {path}"), Ok(stat))
    }

    /// A name that is not there.
    pub fn missing(&mut self, path: &str) -> &mut Self {
        self.knows(&format!("stat {path}"), Err::<Stat, _>(Unknown::Errno(Errno::ENOENT)))
    }

    /// Where a link points.
    pub fn target(&mut self, link: &str, target: &str) -> &mut Self {
        self.knows(&format!("readlink {link}"), Ok(Bytes(target.into())))
    }

    /// All names in a directory, of files.
    pub fn names(&mut self, directory: &str, names: &[&str]) -> &mut Self {
        let names: Vec<(&str, Kind)> = names.iter().map(|name| (*name, Kind::Regular)).collect();
        self.kinds(directory, &names)
    }

    /// All names in a directory.
    pub fn kinds(&mut self, directory: &str, names: &[(&str, Kind)]) -> &mut Self {
        let entry = |(name, kind): &(&str, Kind)| Entry { name: name.into(), inode: 2, kind: Some(*kind) };
        let listing = Listing { entries: names.iter().map(entry).collect(), cut: false };
        self.knows(&format!("list {directory}"), Ok(listing))
    }

    /// A file of the system with its contents.
    pub fn file(&mut self, path: &str, contents: &str) -> &mut Self {
        self.knows(&format!("read {path}"), Ok(Bytes(contents.into())))
    }

    /// The counters at a path.
    pub fn space(&mut self, path: &str, space: Space) -> &mut Self {
        self.knows(&format!("space {path}"), Ok(space))
    }

    /// A message that names an errno and what was tried on which path; an empty path for none.
    pub fn clue(&mut self, errno: Errno, operation: Operation, path: &str) -> &mut Self {
        let path = (!path.is_empty()).then(|| path.into());
        self.add(|clue| (clue.errno, clue.operation, clue.path) = (Some(errno), Some(operation), path))
    }

    /// A message that says that something failed and not what.
    pub fn vague(&mut self) -> &mut Self {
        self.add(|clue| clue.vague = true)
    }

    /// A clue, by what it has.
    pub fn add(&mut self, fill: impl FnOnce(&mut Clue)) -> &mut Self {
        let mut clue = Clue {
            errno: None,
            operation: None,
            path: None,
            other_path: None,
            subject: None,
            program: None,
            suspects: Vec::new(),
            vague: false,
            passing: false,
            live: false,
            left_behind: false,
            loose: false,
            shown: crate::clue::Shown::Said,
            rule: "test".into(),
            said: 0..0,
            line: "it failed".into(),
            log: None,
            sought: None,
        };
        fill(&mut clue);
        self.clues.push(clue);
        self
    }

    /// What is made of it as a case.
    pub fn with_case<T>(&self, ask: impl FnOnce(&Case) -> T) -> T {
        let machine = Machine::played(self.surroundings.clone(), self.record.clone());
        let said = self.said.unwrap_or(if self.clues.is_empty() { "" } else { "it failed\n" });
        let transcript = Transcript::whole(said.into());
        ask(&Case {
            machine: &machine,
            mode: self.mode,
            command: &self.command,
            outcome: &self.outcome,
            transcript: &transcript,
            watched: &self.watched,
            clues: &self.clues,
            mounts: machine.mounts(),
        })
    }

    /// What a cause makes of it: every suspect and its verdict.
    pub fn verdicts(&self, cause: &Cause) -> Vec<(Suspect, Verdict)> {
        self.with_case(|case| {
            let checked = |suspect: Suspect| {
                let verdict = (cause.check)(case, &suspect);
                (suspect, verdict)
            };
            (cause.suspects)(case).into_iter().map(checked).collect()
        })
    }

    /// The finding of a cause about this subject; panics where there is none.
    pub fn finding(&self, cause: &Cause, subject: &str) -> Finding {
        let verdicts = self.verdicts(cause);
        let found = verdicts.iter().find_map(|(suspect, verdict)| match verdict {
            Verdict::Found(finding) if suspect.subject.to_string() == subject => Some(finding),
            _ => None,
        });
        *found.cloned().unwrap_or_else(|| panic!("{} is not found for {subject}: {verdicts:#?}", cause.id))
    }

    /// The subjects of what a cause finds.
    pub fn found(&self, cause: &Cause) -> Vec<String> {
        let found = self.verdicts(cause).into_iter().filter(|(_, verdict)| matches!(verdict, Verdict::Found(_)));
        found.map(|(suspect, _)| suspect.subject.to_string()).collect()
    }

    /// Asserts that a cause finds nothing.
    pub fn assert_silent(&self, cause: &Cause) {
        assert_eq!(self.found(cause), [""; 0]);
    }
}
