//! A filesystem that ran out of something it counts: what `inodes-exhausted` and `blocks-exhausted` have in common, from the
//! check to the advice. What differs between them is a [`Resource`].

use super::hoard::Hoard;
use super::{passed, unseen};
use crate::cause::room::{self, Lack, Measure, Room};
use crate::cause::{Case, Confidence, Evidence, Finding, Fix, Suspect, Verdict};
use crate::probe::origin::{self, Lasting};
use crate::probe::usage::By;
use crate::sys::fs::Space;
use crate::sys::mounts::Mount;

/// Something that a filesystem counts and can run out of.
pub struct Resource {
    /// Which of the two it is.
    pub by: By,
    /// When there is none left.
    pub measure: Measure,
    /// The state in a word or two, after `is`: `out of inodes`.
    pub state: &'static str,
    /// What is left, with the whole: `0 of 44,492 inodes free`.
    pub left: fn(&Space) -> String,
    /// What is not lacking, to show that this is not that: `93 % of its 1.0 GiB is free`; empty to say nothing.
    pub aside: fn(&Space) -> String,
    /// The command that shows it, before the mount point: `df -i`.
    pub check: &'static str,
    /// The mount option that limits it on a tmpfs, tmpfs(5): `nr_inodes`.
    pub option: &'static str,
    /// A value of that option which is enough: `1m`.
    pub enough: fn(&Space) -> String,
}

/// What the machine says of a suspect.
#[must_use]
pub fn check(case: &Case, suspect: &Suspect, resource: &Resource) -> Verdict {
    let Some(room) = Room::of(case, suspect) else { return Verdict::Unknown("the mount is gone".into()) };
    let Some(counters) = room.counters(resource.measure) else {
        return Verdict::Unknown("its counters cannot be read".into());
    };
    let Some(lack) = room.lack(resource.measure) else {
        let passed = passed::finding(case, suspect, &room, resource);
        let passed = passed.or_else(|| unseen::finding(case, suspect, &room, resource));
        let said = || room::only_said(case, suspect).then(|| said(&room, &counters, resource));
        let left = || Verdict::RuledOut((resource.left)(&counters));
        return passed.or_else(said).map_or_else(left, |finding| Verdict::Found(Box::new(finding)));
    };
    let behind = room.behind(case);
    Verdict::Found(Box::new(found(case, &Shortage { suspect, room, behind, lack, resource })))
}

/// A resource that one filesystem ran out of.
struct Shortage<'a> {
    suspect: &'a Suspect,
    room: Room<'a>,
    /// The filesystem below, where the room is that one's.
    behind: Option<Room<'a>>,
    lack: Lack,
    resource: &'a Resource,
}

fn found(case: &Case, shortage: &Shortage) -> Finding {
    let Shortage { suspect, room, lack, resource, .. } = shortage;
    let hoard = shortage.hoard(case);
    let left = (resource.left)(&lack.space);
    let aside = (resource.aside)(&lack.space);
    let although = if aside.is_empty() { String::new() } else { format!(", although {aside}") };
    Finding {
        confidence: room::confidence(case, suspect, lack),
        seen: Some(lack.seen),
        headline: format!("{} {} {}", room.point().display(), room::verb(lack), resource.state),
        summary: format!("{} {} {left}{although}.", room.name(), room::has(lack)),
        evidence: evidence(case, shortage, hoard.as_ref()),
        fixes: fixes(case, shortage, hoard.as_ref()),
    }
}

impl Shortage<'_> {
    /// Whether it is so now, and not only was while the command ran.
    fn is_now(&self) -> bool {
        self.room.now.is_some_and(|now| (self.resource.measure.is_lacking)(&now))
    }

    /// Who fills it; nobody once the command has cleaned up.
    fn hoard(&self, case: &Case) -> Option<Hoard> {
        if self.is_now() { Hoard::of(case, self.source(), self.resource.by) } else { None }
    }

    /// Whose room it is.
    fn source(&self) -> &Room<'_> {
        self.behind.as_ref().unwrap_or(&self.room)
    }
}

fn evidence(case: &Case, shortage: &Shortage, hoard: Option<&Hoard>) -> Vec<Evidence> {
    let Shortage { room, lack, resource, .. } = shortage;
    let aside = (resource.aside)(&lack.space);
    let although = if aside.is_empty() { String::new() } else { format!("; {aside}") };
    let fact = format!("{} {} {}{although}", room.name(), room::has(lack), (resource.left)(&lack.space));
    let mut evidence = vec![Evidence::probe(fact).check(format!("{} {}", resource.check, case.quoted(room.point())))];
    evidence.extend(room::moment(case, lack));
    if let Some(now) = room.now.filter(|_| !shortage.is_now()) {
        evidence.push(Evidence::probe(format!("now it has {}: what used it is gone", (resource.left)(&now))));
    }
    if let Some(behind) = &shortage.behind {
        evidence.push(Evidence::probe(format!("its room is that of {}, where its upper layer is", behind.name())));
    }
    evidence.extend(hoard.into_iter().flat_map(|hoard| hoard.evidence(case)));
    let source = shortage.source();
    if source.mount.is_tmpfs() {
        let origin = origin::of_mount(case.machine, source.mount);
        evidence.extend(origin.says(source.mount, LIMITS).map(Evidence::probe));
    }
    evidence
}

/// The options that limit a tmpfs: who says one of them should have said the other.
const LIMITS: &[&str] = &["size", "nr_inodes"];

fn fixes(case: &Case, shortage: &Shortage, hoard: Option<&Hoard>) -> Vec<Fix> {
    let mut fixes: Vec<Fix> = hoard.into_iter().flat_map(|hoard| hoard.fixes(case)).collect();
    fixes.extend(more(case, shortage.source().mount, &shortage.lack.space, shortage.resource));
    fixes
}

/// How a filesystem in memory is given more: now and for good. Nothing for one on a disk.
#[must_use]
pub fn more(case: &Case, mount: &Mount, space: &Space, resource: &Resource) -> Vec<Fix> {
    if !mount.is_tmpfs() {
        return Vec::new();
    }
    let enough = (resource.enough)(space);
    let remount = format!("mount -o remount,{}={enough} {}", resource.option, case.quoted(&mount.point));
    let now = Fix::now(case.as_root(&remount), "until it is mounted anew");
    let lasting = origin::of_mount(case.machine, mount).lasting(case.machine, &[(resource.option, &enough)]);
    [now].into_iter().chain(lasting.map(|lasting| lasting_fix(case, lasting))).collect()
}

fn lasting_fix(case: &Case, lasting: Lasting) -> Fix {
    let command = lasting.command.map(|command| case.as_root(&command));
    Fix { text: lasting.text, command, lasting: true }
}

/// What the text says and this machine does not show.
fn said(room: &Room, counters: &Space, resource: &Resource) -> Finding {
    let left = format!("{} has {} now", room.name(), (resource.left)(counters));
    Finding {
        confidence: Confidence::Possible,
        seen: None,
        headline: format!("{} may have been {}", room.point().display(), resource.state),
        summary: format!("The output speaks of want of room; {left}."),
        evidence: vec![Evidence::probe(left).check(resource.check)],
        fixes: Vec::new(),
    }
}
