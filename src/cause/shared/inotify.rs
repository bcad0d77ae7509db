//! inotify has two limits for each user (inotify(7), "/proc interfaces"), and says ENOSPC or EMFILE when they are reached, as if a
//! disk were full or descriptors were lacking. What the causes of both have in common.

use super::room::elapsed;
use super::spoken::{Speech, Spoken};
use super::sysctl;
use crate::cause::{Case, Confidence, Evidence, Finding, Mode, Seen, Suspect, Verdict};
use crate::clue::Clue;
use crate::probe::sysctl::{number, path};
use crate::sys::errno::Errno;
use crate::sys::inotify::{Census, Holder, Trial};
use crate::text::grouped;
use std::path::{Path, PathBuf};

/// One of the two.
pub struct Kind {
    /// How messages speak of it.
    pub speech: Speech,
    /// `watch` or `instance`.
    pub one: &'static str,
    /// `watches` or `instances`.
    pub name: &'static str,
    /// The limit of the whole machine for each user.
    pub key: &'static str,
    /// The limit for each user in a user namespace, which may be lower (`user_namespaces(7)`).
    pub namespace_key: &'static str,
    /// Enough for most.
    pub plenty: u64,
    /// Whether the kernel refused one more.
    pub refused: fn(&Trial) -> bool,
    /// How many a process holds.
    pub held: fn(&Holder) -> u64,
    /// A command that counts them for one process.
    pub count: fn(i32) -> String,
}

impl Kind {
    /// Where a clue speaks of it: of want of this, or vaguely of a failure during which the watch saw it wanting.
    pub fn suspects(&self, case: &Case) -> Vec<Suspect> {
        let seen = case.watched.inotify.as_ref().is_some_and(|sample| (self.refused)(&sample.trial));
        let spoken = case.clues.iter().enumerate().filter_map(|(index, clue)| Some((index, self.speech.of(clue)?)));
        let told = spoken.filter(|(_, spoken)| *spoken > Spoken::Vaguely || seen);
        told.map(|(index, spoken)| spoken.suspect(&user(case), index)).collect()
    }

    /// What the machine says of it.
    pub fn check(&self, case: &Case, suspect: &Suspect) -> Verdict {
        let Some(spoken) = self.speech.of_suspect(case, suspect) else {
            return Verdict::Unknown("no message speaks of it".into());
        };
        let limit = match self.limit(case) {
            Ok(limit) => limit,
            Err(why) => return Verdict::Unknown(why),
        };
        let held = self.held_now(case);
        if let Some(lack) = self.lack(case, &limit) {
            return Verdict::Found(Box::new(self.found(case, spoken, &limit, &lack)));
        }
        match self.need(case, suspect, &limit, held) {
            Some(need) if spoken == Spoken::Plainly => {
                Verdict::Found(Box::new(self.outgrown(case, &limit, held, &need)))
            }
            _ if spoken == Spoken::Plainly => Verdict::Found(Box::new(self.said(case, &limit, held))),
            _ => {
                Verdict::RuledOut(format!("{} of {} inotify {} in use", grouped(held), grouped(limit.value), self.name))
            }
        }
    }

    fn limit(&self, case: &Case) -> Result<Limit, String> {
        let machine = case.machine;
        let known = [self.key, self.namespace_key].map(|key| number(machine, key).map(|value| Limit { key, value }));
        let [whole, own] = known;
        match (whole, own) {
            (Ok(whole), Ok(own)) if own.value < whole.value => Ok(own),
            (Ok(limit), _) | (Err(_), Ok(limit)) => Ok(limit),
            (Err(unknown), Err(_)) => Err(format!("{} cannot be read: {unknown}", self.key)),
        }
    }

    fn held_now(&self, case: &Case) -> u64 {
        case.machine.inotify_census().map_or(0, |census| self.sum(case, &census))
    }

    /// What processes of the child's user hold.
    fn sum(&self, case: &Case, census: &Census) -> u64 {
        own(case, census).map(|holder| (self.held)(holder)).sum()
    }

    /// When there was none left: while the command ran, or now.
    fn lack(&self, case: &Case, limit: &Limit) -> Option<Lack> {
        let uid = case.surroundings().identity.uid;
        let is_refused = |trial: &Trial| trial.uid == uid && (self.refused)(trial);
        let is_full = |census: &Census| self.sum(case, census) >= limit.value;
        let census = case.machine.inotify_census().unwrap_or_default();
        let refused = case.machine.inotify_trial().is_ok_and(|trial| is_refused(&trial));
        if refused || is_full(&census) {
            return Some(Lack { seen: Seen::Now, at_ms: None, refused, census });
        }
        let sample = case.watched.inotify.as_ref()?;
        let refused = is_refused(&sample.trial);
        let lack =
            Lack { seen: Seen::During, at_ms: Some(sample.moment.at_ms), refused, census: sample.census.clone() };
        (refused || is_full(&sample.census)).then_some(lack)
    }

    fn found(&self, case: &Case, spoken: Spoken, limit: &Limit, lack: &Lack) -> Finding {
        let user = user(case);
        let verb = if lack.seen == Seen::Now { "is" } else { "was" };
        let mut evidence = vec![limit.evidence(self)];
        evidence.extend(self.refusal(lack, &user));
        evidence.extend(self.holders(case, limit, lack));
        evidence.extend(sysctl::origin(case, limit.key));
        Finding {
            confidence: spoken.confidence(),
            seen: Some(lack.seen),
            headline: format!("{user} {verb} out of inotify {}", self.name),
            summary: format!(
                "The processes of {user} may hold {} inotify {} in all, and {} left: {}.",
                grouped(limit.value),
                self.name,
                if lack.seen == Seen::Now { "none is" } else { "none was" },
                self.consequence()
            ),
            evidence,
            fixes: self.fixes(case, limit, 0),
        }
    }

    fn consequence(&self) -> &'static str {
        if self.speech.errno == Errno::ENOSPC { "no disk is full" } else { "it is not for want of file descriptors" }
    }

    fn refusal(&self, lack: &Lack, user: &str) -> Option<Evidence> {
        let one = self.one;
        match lack.at_ms {
            _ if !lack.refused => None,
            None => Some(Evidence::probe(format!("the kernel refuses {user} one more {one} now"))),
            Some(at_ms) => Some(Evidence::sample(format!(
                "the kernel refused {user} one more {one} {} after the start",
                elapsed(at_ms)
            ))),
        }
    }

    /// Who holds most of them, and how much of the whole that is.
    fn holders(&self, case: &Case, limit: &Limit, lack: &Lack) -> Vec<Evidence> {
        let mut holders: Vec<&Holder> = own(case, &lack.census).filter(|holder| (self.held)(holder) > 0).collect();
        holders.sort_by_key(|holder| std::cmp::Reverse((self.held)(holder)));
        let named = holders
            .iter()
            .take(MOST)
            .map(|holder| format!("{} (pid {}) {}", holder.command, holder.pid, grouped((self.held)(holder))));
        let named: Vec<String> = named.collect();
        let sum = self.sum(case, &lack.census);
        let mut evidence = Vec::new();
        if let Some(first) = holders.first() {
            let verb = if lack.seen == Seen::Now { "hold" } else { "held" };
            let text =
                format!("{} processes {verb} {}: {}", grouped(holders.len() as u64), grouped(sum), named.join(", "));
            evidence.push(Evidence::probe(text).check((self.count)(first.pid)));
        }
        if sum < limit.value {
            let unseen = grouped(limit.value - sum);
            let text = format!(
                "{unseen} are held where this cannot be seen: in containers, by processes that have ended since"
            );
            evidence.push(Evidence::probe(text));
        }
        evidence
    }

    /// A tree that needs more watches than are left, where a watch for each directory is what the failed work wanted.
    fn need(&self, case: &Case, suspect: &Suspect, limit: &Limit, held: u64) -> Option<Need> {
        if self.speech.errno != Errno::ENOSPC || case.mode != Mode::Run {
            return None;
        }
        let clue = suspect.clue.map(|index| &case.clues[index])?;
        let roots = roots(case, clue);
        let counted = roots.into_iter().filter_map(|root| Some((case.machine.directories(&root).ok()?, root)));
        let (directories, root) = counted.max_by_key(|(directories, _)| directories.count)?;
        (held.saturating_add(directories.count) > limit.value).then_some(Need { root, count: directories.count })
    }

    fn outgrown(&self, case: &Case, limit: &Limit, held: u64, need: &Need) -> Finding {
        let user = user(case);
        let root = need.root.display();
        let fact =
            format!("{root} has {} directories with those below it, and each needs a watch", grouped(need.count));
        let check = format!("find {} -xdev -type d | wc -l", case.quoted(&need.root));
        let mut evidence = vec![limit.evidence(self), Evidence::probe(fact.clone()).check(check)];
        evidence.push(Evidence::probe(format!("other processes of {user} hold {} now", grouped(held))));
        evidence.extend(sysctl::origin(case, limit.key));
        Finding {
            confidence: Confidence::Verified,
            seen: Some(Seen::Now),
            headline: format!("{} inotify watches are too few for {root}", grouped(limit.value)),
            summary: format!("{fact}; {user} may have {} in all. No disk is full.", grouped(limit.value)),
            evidence,
            fixes: self.fixes(case, limit, held.saturating_add(need.count)),
        }
    }

    fn said(&self, case: &Case, limit: &Limit, held: u64) -> Finding {
        let user = user(case);
        let now = format!("{user} holds {} of {} now", grouped(held), grouped(limit.value));
        Finding {
            confidence: Confidence::Possible,
            seen: None,
            headline: format!("{user} was out of inotify {}", self.name),
            summary: format!(
                "The output speaks of want of inotify {}, and {now}: what held them may have ended.",
                self.name
            ),
            evidence: vec![limit.evidence(self), Evidence::probe(now)],
            fixes: Vec::new(),
        }
    }

    /// At least twice of what there is and of what is needed.
    fn fixes(&self, case: &Case, limit: &Limit, needed: u64) -> Vec<crate::cause::Fix> {
        let wanted = self.plenty.max(limit.value.saturating_mul(2)).max(needed.saturating_mul(2)).min(MOST_ALLOWED);
        sysctl::fixes(case, limit.key, &wanted.to_string())
    }
}

/// Holders that are named.
const MOST: usize = 3;

/// The parameters are of the type int.
const MOST_ALLOWED: u64 = i32::MAX as u64;

struct Limit {
    key: &'static str,
    value: u64,
}

impl Limit {
    fn evidence(&self, kind: &Kind) -> Evidence {
        let fact =
            format!("{} is {}, the inotify {} of all processes of a user", self.key, grouped(self.value), kind.name);
        Evidence::probe(fact).check(format!("cat {}", path(self.key).display()))
    }
}

/// A time at which none was left.
struct Lack {
    seen: Seen,
    /// Milliseconds after the start, where the watch saw it.
    at_ms: Option<u64>,
    /// Whether the kernel was asked and refused.
    refused: bool,
    census: Census,
}

/// A tree to be watched.
struct Need {
    root: PathBuf,
    count: u64,
}

fn user(case: &Case) -> String {
    case.user(case.surroundings().identity.uid)
}

fn own<'a>(case: &Case, census: &'a Census) -> impl Iterator<Item = &'a Holder> {
    let uid = case.surroundings().identity.uid;
    census.holders.iter().filter(move |holder| holder.uid == uid)
}

/// Directories that the failed work may have wanted to watch: what the message or the command names, else the working directory.
fn roots(case: &Case, clue: &Clue) -> Vec<PathBuf> {
    let operands = case.command.iter().skip(1).map(Path::new);
    let named = clue.path.as_deref().into_iter().chain(operands).filter_map(|path| case.resolve(path));
    let mut roots: Vec<PathBuf> = named
        .filter(|path| path.missing.as_os_str().is_empty())
        .map(|path| path.existing)
        .filter(|path| is_directory(case, path))
        .collect();
    if roots.is_empty() {
        roots.push(case.surroundings().cwd.clone());
    }
    roots
}

fn is_directory(case: &Case, path: &Path) -> bool {
    case.machine.stat(path).is_ok_and(|stat| stat.kind == crate::machine::Kind::Directory)
}
